package timetable

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// A Span is a part of every day on a clock's face, From included and To not,
// in minutes after midnight. One that ends before it begins goes past midnight.
// The zero Span is none.
type Span struct{ From, To int }

// ErrSpan: what was given is no part of the day.
var ErrSpan = errors.New("these are no hours such as 22:00-08:00")

const wholeDay = 24 * 60

// ParseSpan reads "22:00-08:00", from 00:00 to 24:00, as String writes it.
func ParseSpan(text string) (Span, error) {
	from, to, ok := strings.Cut(text, "-")
	s := Span{faceOf(from), faceOf(to)}
	if s.From == wholeDay {
		s.From = 0
	}
	if !ok || s.From < 0 || s.To < 0 || s.From == s.To {
		return Span{}, fmt.Errorf("%q: %w", short(text), ErrSpan)
	}
	return s, nil
}

var face = regexp.MustCompile(`^[0-9]{1,2}:[0-9]{2}$`)

// faceOf reads "22:00" as minutes after midnight, -1 when it is no time of day.
func faceOf(text string) int {
	var hour, minute int
	if !face.MatchString(text) {
		return -1
	}
	if _, err := fmt.Sscanf(text, "%d:%d", &hour, &minute); err != nil || hour > 24 || minute > 59 || hour == 24 && minute > 0 {
		return -1
	}
	return hour*60 + minute
}

// String writes a span for ParseSpan; "" for none.
func (s Span) String() string {
	if s == (Span{}) {
		return ""
	}
	return fmt.Sprintf("%02d:%02d-%02d:%02d", s.From/60, s.From%60, s.To/60, s.To%60)
}

// Has tells whether a moment falls into the span. What counts is what the
// clock of at's own zone shows: an hour that a clock change skips is skipped,
// and one that comes twice counts twice.
func (s Span) Has(at time.Time) bool {
	minute := at.Hour()*60 + at.Minute()
	if s.From < s.To {
		return minute >= s.From && minute < s.To
	}
	return s.From != s.To && (minute >= s.From || minute < s.To)
}

var (
	hoursLead = regexp.MustCompile(`^(?:every day |daily |ogni giorno |(?:每天|每日|每晚) ?)?(?:from |between |dalle ore |dalle |dall'|da |tra le |fra le |tra |fra |从 ?|從 ?|自 ?)?`)
	hoursTo   = regexp.MustCompile(` ?- ?| ?(?:到|至) ?(?:第二天|次日|翌日|隔天|明天)?的? ?| (?:to|until|till|and|e le|e|alle ore|alle|all'|fino alle|fino a|a) |(?: fino)? all'`)
)

// SpanInWords reads a span as readers type it, in English, Italian or
// Chinese: "22-8", "from 10 pm to 7", "dalle 22 alle 8", "晚上10点到早上8点". The
// whole of text must be one.
func SpanInWords(text string) (Span, bool) {
	folded, _ := fold(strings.TrimSpace(text))
	folded = strings.Join(strings.Fields(strings.TrimRight(folded, " .。!?,;、")), " ")
	if len(folded) > furthest {
		return Span{}, false
	}
	folded = folded[len(hoursLead.FindString(folded)):]
	for _, at := range hoursTo.FindAllStringIndex(folded, -1) {
		from, ok1 := clockAlone(folded[:at[0]])
		to, ok2 := clockAlone(folded[at[1]:])
		if !ok1 || !ok2 {
			continue
		}
		s := Span{from.minutes, to.minutes}
		if s.From == 0 && s.To == 0 && strings.HasPrefix(folded[at[1]:], "24") {
			s.To = wholeDay // "0-24": the clock reads 24:00 as midnight
		}
		return s, s.From != s.To
	}
	return Span{}, false
}

// clockAlone reads a time of day whose "at" was taken off.
func clockAlone(s string) (reading, bool) {
	s = strings.TrimSpace(s)
	if r, ok := clock(s); ok {
		return r, true
	}
	return clock("at " + s)
}
