package timetable

import (
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// ParseWords finds a schedule at the end of what a reader typed, in English,
// Italian or Chinese: "commerce daily 8:00", "sport ogni lunedì alle 9",
// "电商 每天早上8点". It gives the schedule as five cron fields and what stands
// before it. A cron schedule that was typed as such is given as it is, also a
// wrong one, so that Parse can say what is wrong with it. A schedule without a
// time comes at 8:00, one of the evening at 20:00, a weekly one on Monday. "As it
// happens, at most every 3 hours" is "@new 3h", without the hours AtOnce. Several
// times of a day are one schedule where cron has one for them, "daily 8:00 and
// 20:00" is 0 8,20 * * *; where it has none they are given as they are, for Parse
// to refuse.
func ParseWords(text string) (spec, rest string, ok bool) {
	text = strings.TrimSpace(text)
	if spec, rest, ok = cronAtEnd(text); ok {
		return spec, rest, true
	}
	spec, rest, bare, ok := wordsAtEnd(text)
	if !ok {
		return "", text, false
	}
	earlier, topic, _, ok := wordsAtEnd(trimLink(andZh.ReplaceAllString(rest, "")))
	if !ok {
		return spec, rest, true
	}
	if both, ok := joined(earlier, spec); ok && bare {
		return both, topic, true
	}
	return strings.TrimLeft(strings.TrimPrefix(text, topic), " ,，;；、:：(（-–—"), topic, true
}

// andZh joins two times.
var andZh = regexp.MustCompile(`[和与與及]\s*$`)

// wordsAtEnd finds one schedule in words. bare: it is a time of day alone.
func wordsAtEnd(text string) (spec, rest string, bare, ok bool) {
	folded, origin := fold(text)
	folded = strings.TrimRight(folded, " \t\n.。!?,;、")
	for start := range starts(folded) {
		at, ok := schedule(folded[start:])
		if !ok || notASchedule(folded[:start], folded[start:]) {
			continue
		}
		_, bare = clock(folded[start:])
		return at, trimLink(strings.TrimSpace(text[:origin[start]])), bare, true
	}
	return "", text, false, false
}

// furthest is how many bytes of folded text before the end are looked at; no
// schedule in words is longer.
const furthest = 100

// starts yields where a schedule may begin: at a word, or before any Chinese character.
func starts(s string) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		previous := ' '
		for i, r := range s {
			begins := unicode.Is(unicode.Han, r) || unicode.Is(unicode.Han, previous) || unicode.IsSpace(previous) || strings.ContainsRune(",;:、。-(", previous)
			previous = r
			if begins && !unicode.IsSpace(r) && len(s)-i <= furthest && !yield(i) {
				return
			}
		}
	}
}

// link is what may join a topic to a schedule and belongs to neither.
var link = regexp.MustCompile(`(?i)(?:[\s,，;；、:：（(\-–—]+|\s(?:at|on|di|in|alle|al|e|and)|(?:在|于|於|的))$`)

func trimLink(rest string) string {
	for {
		shorter := link.ReplaceAllString(rest, "")
		if shorter == rest {
			return rest
		}
		rest = shorter
	}
}

// notASchedule knows the topics that end like one.
func notASchedule(before, schedule string) bool {
	before = strings.TrimSpace(before)
	switch {
	case strings.HasSuffix(before, "black") || strings.HasSuffix(before, "cyber") || strings.HasSuffix(before, "黑色"):
		_, day := weekdayNames[strings.Fields(schedule)[0]]
		return day || strings.HasPrefix(schedule, "星期")
	}
	return false
}

// schedule reads the whole of s.
func schedule(s string) (spec string, ok bool) {
	if spec, ok := single(s); ok {
		return spec, true
	}
	return several(s)
}

// single reads the whole of s as a schedule with one time of day at most.
func single(s string) (spec string, ok bool) {
	if spec, ok := happening(s); ok {
		return spec, true
	}
	if r, ok := days(s); ok && !r.weak {
		return r.at(r.minutes), true
	}
	if t, ok := clock(s); ok && t.sure {
		return rule{days: "* * *"}.at(t.minutes), true
	}
	for i, r := range s {
		if i == 0 || !(r == ' ' || r == ',' || r == '@' || unicode.Is(unicode.Han, r) || unicode.IsDigit(r)) {
			continue
		}
		left, right := strings.Trim(s[:i], " ,"), strings.Trim(s[i:], " ,")
		if when, ok := days(left); ok && when.spec == "" {
			if t, ok := clock(right); ok {
				return when.at(when.halfday(t)), true
			}
		}
		if when, ok := days(right); ok && when.spec == "" {
			if t, ok := clock(left); ok && t.sure {
				return when.at(when.halfday(t)), true
			}
		}
	}
	return "", false
}

// cronWord is what may stand in a cron field.
var cronWord = regexp.MustCompile(`(?i)^[0-9*?/,-]+$|^(?:[*?0-9,/-]|sun|mon|tue|wed|thu|fri|sat|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)+$`)

// cronAtEnd finds five cron fields, or what looks like another cron schedule,
// at the end of text. Five plain numbers are not taken for one.
func cronAtEnd(text string) (spec, rest string, ok bool) {
	narrow := norm.NFKC.String(text)
	words := strings.Fields(narrow)
	n := len(words)
	cut := func(count int) (string, string, bool) {
		rest := strings.TrimSpace(strings.TrimRightFunc(text, unicode.IsSpace))
		for range count {
			rest = strings.TrimRightFunc(rest, func(r rune) bool { return !unicode.IsSpace(r) })
			rest = strings.TrimSpace(rest)
		}
		return strings.Join(words[n-count:], " "), trimLink(called.ReplaceAllString(rest, "")), true
	}
	zoned := func(i int) bool {
		upper := strings.ToUpper(words[i])
		return strings.HasPrefix(upper, "TZ=") || strings.HasPrefix(upper, "CRON_TZ=")
	}
	switch {
	case n >= 1 && strings.EqualFold(words[n-1], AtOnce):
		return cut(1)
	case n >= 2 && strings.EqualFold(words[n-2], AtOnce) && spacing.MatchString(strings.ToLower(words[n-2]+" "+words[n-1])):
		return cut(2)
	case n >= 1 && (strings.HasPrefix(words[n-1], "@") && descriptorLike(words[n-1]) || zoned(n-1)):
		return cut(1)
	case n >= 2 && strings.EqualFold(words[n-2], "@every"):
		return cut(2)
	case n >= 6 && secondsBefore(words[n-6:]):
		return cut(6) // Parse says that it takes five
	case n < 5 || !cronLike(words[n-5:]):
		for count := min(4, n); count >= 3; count-- {
			if tried := words[n-count:]; cronLike(tried) && strings.Count(strings.Join(tried, ""), "*") >= 2 {
				return cut(count)
			}
		}
		return "", text, false
	case n >= 6 && zoned(n-6):
		return cut(6)
	}
	return cut(5)
}

// called is what readers call a cron schedule, between the topic and it.
var called = regexp.MustCompile(`(?i)([\s,，])(?:cron|crontab)[:：]?$`)

// cronLike tells of words that all may be cron fields, and cannot all be numbers.
func cronLike(words []string) bool {
	stars := false
	for _, word := range words {
		if !cronWord.MatchString(word) {
			return false
		}
		stars = stars || strings.ContainsAny(word, "*?")
	}
	return stars
}

// secondsBefore tells of six fields, as some programs write them, the first of
// which is nothing that a topic ends with.
func secondsBefore(words []string) bool {
	return cronLike(words) && (words[0] == "0" || words[0] == "00" || strings.ContainsAny(words[0], "/,"))
}

func descriptorLike(word string) bool {
	lower := strings.ToLower(word)
	_, known := descriptors[lower]
	return known || lower == "@reboot"
}
