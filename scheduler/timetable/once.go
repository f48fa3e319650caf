package timetable

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	onceLatin = `today|tonight|tomorrow(?: (?:morning|afternoon|evening|night))?|the day after tomorrow|yesterday|this (?:morning|afternoon|evening|week|weekend|month)|next (?:week|month|year|` + latinDay + `)|` +
		`oggi|stasera|stamattina|stanotte|domani(?: (?:mattina|pomeriggio|sera))?|dopodomani|ieri|(?:la )?(?:settimana prossima|prossima settimana)|(?:il )?(?:mese prossimo|prossimo mese)|(?:` + latinDay + `) prossim[oa]`
	latinDay = `monday|tuesday|wednesday|thursday|friday|saturday|sunday|lunedi|martedi|mercoledi|giovedi|venerdi|sabato|domenica`
	onceZh   = `今天|今日|今晚|今早|明天|明日|明早|明晚|后天|後天|昨天|下个?個?(?:周|週|星期|礼拜|禮拜|月)[日天一二三四五六]?`
	partsZh  = `(?:的?(?:` + periods + `))?`
)

var (
	onceDay  = regexp.MustCompile(`(?:^|[\s,，])(` + onceLatin + `)$|((?:` + onceZh + `)` + partsZh + `)$`)
	onceDate = regexp.MustCompile(`(?:^|[\s,，])(?:(?:on|il|the) (\d{1,2}(?:st|nd|rd|th|°|º)?(?: of)? [a-z]+(?: \d{4})?|[a-z]+ \d{1,2}(?:st|nd|rd|th)?,?(?: \d{4})?)|(?:on |il )?(\d{4}-\d{1,2}-\d{1,2})|((?:\d{4}年)?\d{1,2}月\d{1,2}[日号號]))$`)
	anyDate  = regexp.MustCompile(`(?:^|[\s,，])(\d{1,2}(?:st|nd|rd|th|°|º)?(?: of)? [a-z]+|[a-z]+ \d{1,2}(?:st|nd|rd|th)?|\d{1,2}月\d{1,2}[日号號])$|(\d{1,2}月\d{1,2}[日号號])$`)
	ofWhich  = regexp.MustCompile(`(?:^|\s)(?:of|for|di|del|dell'|della|da|a|i|il|la|the|and|e)$|[的在是与與和到]$`)
)

// OnceInWords finds at the end of what a reader typed a day that comes once and
// not again and again, after other words: "codes tomorrow", "茶 明天". never
// tells of a date that no year has. rest is what stands before it. "The world of
// tomorrow" and "25 aprile" are none.
func OnceInWords(text string) (day, rest string, never, ok bool) {
	text = strings.TrimSpace(text)
	folded, origin := fold(text)
	folded = strings.TrimRight(folded, " .!?,;。")
	cut := func(start int) (string, string) {
		day := strings.TrimRight(strings.Trim(text[origin[start]:origin[len(folded)]], " ,，"), " ")
		return day, trimLink(strings.TrimSpace(text[:origin[start]]))
	}
	for _, rule := range []*regexp.Regexp{onceDate, anyDate, onceDay} {
		m := rule.FindStringSubmatchIndex(folded)
		if m == nil || strings.TrimSpace(folded[:m[0]]) == "" {
			continue
		}
		if rule == onceDay {
			if ofWhich.MatchString(strings.TrimSpace(folded[:m[0]])) {
				continue
			}
			day, rest = cut(m[0])
			return day, rest, false, true
		}
		named := ""
		for i := 2; i < len(m); i += 2 {
			if m[i] >= 0 {
				named = folded[m[i]:m[i+1]]
			}
		}
		if is, exists := dateOfSomeYear(named); is && (!exists || rule == onceDate) {
			day, rest = cut(m[0])
			return day, rest, !exists, true
		}
	}
	return "", text, false, false
}

// dateOfSomeYear tells whether words are a date, and whether there is such a day.
func dateOfSomeYear(s string) (is, exists bool) {
	day, name, year := "", "", ""
	if m := dateISO.FindStringSubmatch(s); m != nil {
		year, name, day = m[1], m[2], m[3]
	} else if m := dateZh.FindStringSubmatch(s); m != nil {
		year, name, day = m[1], m[2], m[3]
	} else if m := dateLatin.FindStringSubmatch(s); m != nil {
		day, name, year = m[1], month(m[2]), m[3]
	} else if m := dateUS.FindStringSubmatch(s); m != nil {
		name, day, year = month(m[1]), m[2], m[3]
	}
	if name == "" {
		return false, false
	}
	if year == "" {
		year = "2000" // has 29 February
	}
	y, err1 := strconv.Atoi(year)
	m, err2 := strconv.Atoi(name)
	d, err3 := strconv.Atoi(day)
	if err1 != nil || err2 != nil || err3 != nil {
		return false, false
	}
	at := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
	return true, m >= 1 && m <= 12 && at.Day() == d
}
