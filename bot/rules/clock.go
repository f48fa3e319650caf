package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A span is a part of each of some days, on a clock's face. One that ends
// before it begins goes past midnight; its days are those on which it begins.
type span struct {
	from, to int // minutes after midnight
	days     [7]bool
}

// A quiet is a span in which nothing is said.
type quiet struct {
	span
	channels []string
	zone     *time.Location // nil is the channel's
}

func (q quiet) admits(channel string, at time.Time) bool {
	if q.zone != nil {
		at = at.In(q.zone)
	}
	return (len(q.channels) == 0 || slices.Contains(q.channels, channel)) && q.has(at)
}

// has tells whether a time falls into the span. What counts is what the clock
// shows, so that an hour that a change to summer time skips is skipped, and one
// that comes twice counts twice.
func (s span) has(at time.Time) bool {
	minute := at.Hour()*60 + at.Minute()
	today, yesterday := at.Weekday(), (at.Weekday()+6)%7
	if s.from < s.to {
		return s.days[today] && minute >= s.from && minute < s.to
	}
	return s.days[today] && minute >= s.from || s.days[yesterday] && minute < s.to
}

const spanForm = `"09:00-18:00" or "mon-fri 23:00-07:00"`

// parseSpan reads days, which may be left out, and two times.
func parseSpan(text string) (span, error) {
	days, hours := "", strings.TrimSpace(text)
	if i := strings.LastIndexAny(hours, " \t"); i >= 0 {
		days, hours = hours[:i], hours[i+1:]
	}
	from, to, ok := strings.Cut(strings.ReplaceAll(hours, "–", "-"), "-")
	if !ok {
		return span{}, fmt.Errorf("%q is no time such as %s", text, spanForm)
	}
	return newSpan(from, to, days)
}

func newSpan(from, to, days string) (span, error) {
	var s span
	var err error
	if s.from, err = parseClock(from); err != nil {
		return span{}, err
	}
	if s.to, err = parseClock(to); err != nil {
		return span{}, err
	}
	if s.from == 24*60 {
		s.from = 0
	}
	if s.from == s.to {
		return span{}, fmt.Errorf("%s to %s is no time at all; the whole day is 00:00-24:00", from, to)
	}
	s.days, err = parseDays(days)
	return s, err
}

// parseClock reads 0:00 to 24:00 as minutes.
func parseClock(text string) (int, error) {
	text = strings.TrimSpace(text)
	if text == "24:00" {
		return 24 * 60, nil
	}
	at, err := time.Parse("15:04", text)
	if err != nil {
		return 0, fmt.Errorf("%q is no time of day such as 23:00", text)
	}
	return at.Hour()*60 + at.Minute(), nil
}

// parseDays reads "mon-fri, sun"; none are all.
func parseDays(text string) (days [7]bool, err error) {
	parts := strings.FieldsFunc(strings.ToLower(strings.ReplaceAll(text, "–", "-")), func(r rune) bool { return r == ',' || r == ' ' || r == '\t' })
	if len(parts) == 0 {
		return [7]bool{true, true, true, true, true, true, true}, nil
	}
	for _, part := range parts {
		from, to, isRange := strings.Cut(part, "-")
		first, ok1 := weekday(from)
		last, ok2 := first, true
		if isRange {
			last, ok2 = weekday(to)
		}
		if !ok1 || !ok2 {
			return days, fmt.Errorf("%q are no days such as mon-fri or sat,sun", text)
		}
		for day := first; ; day = (day + 1) % 7 {
			days[day] = true
			if day == last {
				break
			}
		}
	}
	return days, nil
}

func weekday(name string) (time.Weekday, bool) {
	for day := time.Sunday; day <= time.Saturday; day++ {
		if full := strings.ToLower(day.String()); name == full || name == full[:3] {
			return day, true
		}
	}
	return 0, false
}
