package timetable

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// between is what stands between the times of a list.
var between = regexp.MustCompile(` ?[,、;/&+] ?(?:and |e )?| (?:and|e) | ?[和与與及跟] ?`)

// ends is both ends of the day.
var ends = regexp.MustCompile(`^(?:每天|每日|天天)?早晚(?:各?[一1]次)?$`)

// several reads the whole of s, folded, as a schedule with more than one time of
// a day: "daily 8:00 and 20:00", "ogni mattina e sera", "每天8点和20点".
func several(s string) (spec string, ok bool) {
	if ends.MatchString(s) {
		return joined(rule{days: "* * *"}.at(morning), rule{days: "* * *"}.at(evening))
	}
	var more []int
	for range mostHours {
		at := between.FindAllStringIndex(s, -1)
		if len(at) == 0 {
			break
		}
		cut := at[len(at)-1]
		last := strings.TrimSpace(s[cut[1]:])
		minutes, ok := partOfDay(last)
		if !ok {
			t, is := clockAlone(last)
			minutes, ok = t.minutes, is
		}
		if !ok {
			break
		}
		s, more = s[:cut[0]], append(more, minutes)
	}
	if len(more) == 0 {
		return "", false
	}
	spec, ok = single(s)
	for _, minutes := range more {
		if ok {
			spec, ok = joined(spec, rule{days: "* * *"}.at(minutes))
		}
	}
	return spec, ok
}

// joined adds the time of a second schedule, which comes on the same days, to
// those of a first. There is no cron schedule for times with different minutes.
func joined(first, second string) (spec string, ok bool) {
	a, b := strings.Fields(first), strings.Fields(second)
	if len(a) != 5 || len(b) != 5 || a[0] != b[0] {
		return "", false
	}
	if _, err := strconv.Atoi(a[0]); err != nil {
		return "", false
	}
	var hours []int
	for _, field := range strings.Split(a[1]+","+b[1], ",") {
		hour, err := strconv.Atoi(field)
		if err != nil {
			return "", false
		}
		hours = append(hours, hour)
	}
	slices.Sort(hours)
	var list []string
	for _, hour := range slices.Compact(hours) {
		list = append(list, strconv.Itoa(hour))
	}
	a[1] = strings.Join(list, ",")
	return strings.Join(a, " "), true
}

var (
	part       = `(mornings?|afternoons?|evenings?|nights?|noon|mattin[aoe]|pomeriggi?o?|ser[ae]|nott[ei])`
	partAlone  = regexp.MustCompile(`^(?:in the |at |every |di |la |il |al |alla |nel |ogni )?` + part + `$|^(` + periods + `)$`)
	partAfter  = regexp.MustCompile(`^(.+?)(?:,? in the| at| di| alla| al| nel)? ` + part + `$|^(.+?)[的 ]?(` + periods + `)$`)
	partBefore = regexp.MustCompile(`^(?:in the |di |la |al |alla |nel )?` + part + `,? (?:(?:on|of|de[il]|nei|nel|di) )?(.+)$`)
)

// partOfDay reads the whole of s, folded, as a part of the day.
func partOfDay(s string) (minutes int, ok bool) {
	m := partAlone.FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	return partTime(m[1] + m[2]), true
}

// partTime is when a part of the day comes.
func partTime(name string) int {
	switch {
	case strings.HasPrefix(name, "afternoon") || strings.HasPrefix(name, "pomeriggi"):
		return afternoon
	case name == "noon":
		return noon
	case strings.HasPrefix(name, "evening") || strings.HasPrefix(name, "night") || strings.HasPrefix(name, "ser") || strings.HasPrefix(name, "nott"):
		return evening
	}
	return usual(name)
}

// partOfDays reads the whole of s, folded, as days with a part of them: "weekday
// mornings", "ogni lunedì sera", "工作日早上".
func partOfDays(s string) (rule, bool) {
	name, rest := "", ""
	if ends.MatchString(s) { // is two
		return rule{}, false
	}
	if m := partAfter.FindStringSubmatch(s); m != nil {
		name, rest = m[2]+m[4], m[1]+m[3]
	} else if m := partBefore.FindStringSubmatch(s); m != nil {
		name, rest = m[1], m[2]
	} else {
		return rule{}, false
	}
	for _, form := range []string{rest, "every " + rest} { // "weekday mornings", as "every weekday"
		if r, ok := wholeDays(form); ok && r.spec == "" && r.minutes == morning {
			return rule{days: r.days, minutes: partTime(name)}, true
		}
	}
	return rule{}, false
}
