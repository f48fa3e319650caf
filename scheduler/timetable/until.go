package timetable

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// longestPause is how far ahead UntilInWords looks; who wants silence for longer
// wants an end.
const longestPause = 366 * 24 * time.Hour

var (
	forLatin   = regexp.MustCompile(`(?:^| )(?:for |per )?(\d{1,3}|an?|one|una?|un'|` + latinNumber + `)(?: |')?(h|hours?|or[ae]|d|days?|giorn[oi]|w|weeks?|settiman[ae]|months?|mes[ei]|years?|ann[oi])$`)
	forZh      = regexp.MustCompile(`(\d{1,3}|[零〇一二两兩三四五六七八九十]{1,3})[个個]?(小时|小時|天|日|周|週|星期|礼拜|禮拜|月|年)$`)
	minus      = regexp.MustCompile(`[-负負]\s*$`)
	untilLatin = regexp.MustCompile(`(?:^| )(?:until|till|til|up to|fino all'|fino (?:alla|al|a)) (.+)$`)
	untilZh    = regexp.MustCompile(`(?:到|至|直到)(.+?)(?:为止|為止|恢复|恢復)?$`)
	dateISO    = regexp.MustCompile(`^(\d{4})-(\d{1,2})-(\d{1,2})$`)
	dateLatin  = regexp.MustCompile(`^(?:the |il )?(\d{1,2})(?:st|nd|rd|th|°|º)?(?: of)? ([a-z]+)(?: (\d{4}))?$`)
	dateUS     = regexp.MustCompile(`^([a-z]+) (\d{1,2})(?:st|nd|rd|th)?,?(?: (\d{4}))?$`)
	dateZh     = regexp.MustCompile(`^(?:(\d{4})年)?(\d{1,2})月(\d{1,2})[日号號]?$`)
)

const monthNames = "jan gen|feb|mar|apr|may mag|jun giu|jul lug|aug ago|sep set|oct ott|nov|dec dic"

// UntilInWords finds a time to pause until at the end of what a reader typed, in
// English, Italian or Chinese: "commerce for a week", "until Monday", "fino al 5
// dicembre", "一周", "到下周一". It gives the moment, on the clock of zone, and
// what stands before. Days and dates mean their beginning. ok is false when
// there is none, it has passed, or is more than a year ahead.
func UntilInWords(text string, now time.Time, zone *time.Location) (until time.Time, rest string, ok bool) {
	text = strings.TrimSpace(text)
	folded, origin := fold(text)
	folded = strings.TrimRight(folded, " .!?,;。")
	if len(folded) > 4*furthest {
		return time.Time{}, text, false
	}
	local := now.In(zone)
	found := func(at time.Time, start int) (time.Time, string, bool) {
		if !at.After(now) || at.Sub(now) > longestPause {
			return time.Time{}, text, false
		}
		return at, trimLink(strings.TrimSpace(text[:origin[start]])), true
	}
	for _, rule := range []*regexp.Regexp{untilLatin, untilZh} {
		if m := rule.FindStringSubmatchIndex(folded); m != nil {
			if at, ok := dayNamed(local, strings.TrimSpace(folded[m[2]:m[3]])); ok {
				return found(at, m[0])
			}
		}
	}
	for _, rule := range []*regexp.Regexp{forLatin, forZh} {
		if m := rule.FindStringSubmatchIndex(folded); m != nil && !minus.MatchString(folded[:m[0]]) {
			if at, ok := after(local, folded[m[2]:m[3]], folded[m[4]:m[5]]); ok {
				return found(at, m[0])
			}
		}
	}
	if dateISO.MatchString(folded) {
		if at, ok := dayNamed(local, folded); ok {
			return found(at, 0)
		}
	}
	return time.Time{}, text, false
}

// Pauses tells whether all of a text is for how long or until when to pause, as
// far as can be told without a clock.
func Pauses(text string) bool {
	noon := time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
	until, rest, ok := UntilInWords(text, noon, time.UTC)
	return ok && rest == "" && until.After(noon)
}

// after is the moment so many hours, days, weeks or months from now, at the same
// time of day.
func after(now time.Time, count, unit string) (time.Time, bool) {
	n, ok := 1, true
	if count != "a" && count != "an" && count != "un" && count != "un'" {
		n, ok = value(count)
	}
	if !ok || n < 1 {
		return time.Time{}, false
	}
	switch r := []rune(unit)[0]; {
	case r == 'h' || r == 'o' || strings.HasPrefix(unit, "小"):
		return now.Add(time.Duration(n) * time.Hour), true
	case r == 'd' || r == 'g' || r == '天' || r == '日':
		return now.AddDate(0, 0, n), true
	case r == 'y' || r == 'a' || r == '年':
		return now.AddDate(n, 0, 0), true
	case r == 'm' || r == '月':
		return now.AddDate(0, n, 0), true
	}
	return now.AddDate(0, 0, 7*n), true
}

// dayNamed is the beginning of a day: tomorrow, the next Monday, 5 December.
func dayNamed(now time.Time, s string) (time.Time, bool) {
	start := func(days int) time.Time {
		return time.Date(now.Year(), now.Month(), now.Day()+days, 0, 0, 0, 0, now.Location())
	}
	toMonday := (8 - int(now.Weekday())) % 7
	if toMonday == 0 {
		toMonday = 7
	}
	switch s {
	case "tomorrow", "domani", "明天", "明日":
		return start(1), true
	case "the day after tomorrow", "dopodomani", "后天", "後天":
		return start(2), true
	case "next week", "la settimana prossima", "la prossima settimana", "settimana prossima", "prossima settimana", "下周", "下週", "下星期":
		return start(toMonday), true
	case "next month", "il mese prossimo", "mese prossimo", "prossimo mese", "下个月", "下個月", "下月":
		return time.Date(now.Year(), now.Month()+1, 1, 0, 0, 0, 0, now.Location()), true
	}
	if m := dateISO.FindStringSubmatch(s); m != nil {
		return date(now, m[1], m[2], m[3])
	}
	if m := dateZh.FindStringSubmatch(s); m != nil {
		return date(now, m[1], m[2], m[3])
	}
	if m := dateLatin.FindStringSubmatch(s); m != nil {
		return date(now, m[3], month(m[2]), m[1])
	}
	if m := dateUS.FindStringSubmatch(s); m != nil {
		return date(now, m[3], month(m[1]), m[2])
	}
	next := false
	for _, lead := range []string{"next ", "the next ", "il prossimo ", "prossimo ", "la prossima ", "prossima ", "下"} {
		if bare, cut := strings.CutPrefix(s, lead); cut {
			s, next = bare, lead == "下"
		}
	}
	day, ok := weekdayNames[strings.TrimSuffix(strings.TrimSuffix(s, " prossimo"), " prossima")]
	if m := weekZh.FindStringSubmatch(s); m != nil && m[2] == "" {
		day, ok = chineseDay(m[1]), true
	}
	if !ok {
		return time.Time{}, false
	}
	days := (day - int(now.Weekday()) + 7) % 7
	if next { // 下周三 is of the week after this one
		days = toMonday + (day+6)%7
	}
	if days == 0 {
		days = 7
	}
	return start(days), true
}

// month is the number of a month's name, "" when it is none.
func month(name string) string {
	if len(name) < 3 {
		return ""
	}
	for i, list := range strings.Split(monthNames, "|") {
		for _, begin := range strings.Fields(list) {
			if strings.HasPrefix(name, begin) {
				return strconv.Itoa(i + 1)
			}
		}
	}
	return ""
}

// date is the beginning of a day; without a year, the next that is called so.
func date(now time.Time, year, month, day string) (time.Time, bool) {
	m, err1 := strconv.Atoi(month)
	d, err2 := strconv.Atoi(day)
	if err1 != nil || err2 != nil {
		return time.Time{}, false
	}
	y := now.Year()
	if year != "" {
		y, _ = strconv.Atoi(year)
	}
	at := time.Date(y, time.Month(m), d, 0, 0, 0, 0, now.Location())
	if year == "" && !at.After(now) {
		at = time.Date(y+1, time.Month(m), d, 0, 0, 0, 0, now.Location())
	}
	return at, m >= 1 && m <= 12 && at.Day() == d
}
