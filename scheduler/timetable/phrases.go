package timetable

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A rule is the days of a schedule in words, and the time when none is told.
type rule struct {
	spec    string // a whole schedule, of those that have no time of day
	days    string // day of month, month, day of week
	minutes int    // after midnight: the time when none is told
	weak    bool   // is taken for a schedule only together with a time
}

const (
	morning   = 8 * 60
	noon      = 12 * 60
	afternoon = 15 * 60
	evening   = 20 * 60
)

func (r rule) at(minutes int) string {
	if r.spec != "" {
		return r.spec
	}
	return fmt.Sprintf("%d %d %s", minutes%60, minutes/60, r.days)
}

// halfday moves a time that does not say its half of the day to the half that
// the days do: "every evening at 8" is 20:00.
func (r rule) halfday(t reading) int {
	if t.half || t.minutes >= 13*60 || r.minutes < afternoon {
		return t.minutes
	}
	if t.minutes < 12*60 {
		return t.minutes + 12*60
	}
	if r.minutes == evening { // twelve in the evening is midnight
		return t.minutes - 12*60
	}
	return t.minutes
}

// phrases are schedules in words but for their time, folded; "|" separates them.
var phrases = spread(map[rule]string{
	{days: "* * *", minutes: morning}: "daily|every day|each day|everyday|every single day|once a day|every morning|each morning|in the morning|" +
		"ogni giorno|tutti i giorni|quotidiano|quotidiana|quotidianamente|giornaliero|giornaliera|giornalmente|una volta al giorno|" +
		"ogni mattina|ogni mattino|tutte le mattine|la mattina|al mattino|di mattina|" +
		"每天|每日|天天|日日|每天一次|每日一次|每早|每朝|每个早上|每個早上",
	{days: "* * *", minutes: noon}:      "every noon|every day at noon|ogni mezzogiorno|ogni giorno a mezzogiorno|每个中午|每個中午",
	{days: "* * *", minutes: afternoon}: "every afternoon|each afternoon|in the afternoon|ogni pomeriggio|tutti i pomeriggi|di pomeriggio|nel pomeriggio|每个下午|每個下午",
	{days: "* * *", minutes: evening}: "every evening|each evening|every night|each night|nightly|in the evening|" +
		"ogni sera|tutte le sere|la sera|di sera|ogni notte|每晚|每夜|每个晚上|每個晚上",
	{days: "* * 1-5", minutes: morning}: "weekdays|on weekdays|every weekday|each weekday|on every weekday|working days|on working days|every working day|workdays|on workdays|every workday|" +
		"feriali|giorni feriali|nei giorni feriali|nei feriali|ogni giorno feriale|tutti i giorni feriali|giorni lavorativi|nei giorni lavorativi|ogni giorno lavorativo|tutti i giorni lavorativi|" +
		"工作日|每工作日|每个工作日|每個工作日|平日|每个平日|每個平日|上班日|每个上班日",
	{days: "* * 0,6", minutes: morning}: "weekends|on weekends|at weekends|at the weekend|every weekend|each weekend|" +
		"ogni fine settimana|nel fine settimana|nei fine settimana|nei weekend|nel weekend|ogni weekend|tutti i weekend|" +
		"周末|週末|每周末|每週末|每个周末|每個週末",
	{days: "* * 1", minutes: morning}: "weekly|every week|each week|once a week|ogni settimana|tutte le settimane|settimanale|settimanalmente|una volta alla settimana|una volta a settimana|" +
		"每周|每週|每星期|每礼拜|每禮拜|每个星期|每個星期|每个礼拜|每個禮拜|每周一次|每週一次|每星期一次",
	{days: "1 * *", minutes: morning}: "monthly|every month|each month|once a month|ogni mese|tutti i mesi|mensile|mensilmente|una volta al mese|il primo del mese|il primo di ogni mese|" +
		"每月|每个月|每個月|每月一次",
	{spec: "0 * * * *"}:    "hourly|every hour|each hour|once an hour|ogni ora|tutte le ore|una volta all'ora|每小时|每小時|每个小时|每個小時|每个钟头|每個鐘頭|每钟头|每鐘頭",
	{spec: "*/30 * * * *"}: "every half hour|every half an hour|half-hourly|ogni mezz'ora|ogni mezzora|每半小时|每半小時|每半个小时|每半個小時",
	{spec: "* * * * *"}:    "every minute|each minute|ogni minuto|tutti i minuti|每分钟|每分鐘|每一分钟|每一分鐘",
})

func spread(table map[rule]string) map[string]rule {
	all := map[string]rule{}
	for r, list := range table {
		for phrase := range strings.SplitSeq(list, "|") {
			all[phrase] = r
		}
	}
	return all
}

var (
	chineseDays = regexp.MustCompile(`^(?:每天|每日|天天)的? ?(` + periods + `)$`)
	interval    = regexp.MustCompile(`^(?:every|each|ogni) (` + latinNumber + `) ?(?:(minutes?|mins?|min|minuti)|(hours?|hrs?|ore))$`)
	intervalZh  = regexp.MustCompile(`^每隔? ?(` + number + `) ?(?:(分钟|分鐘|分)|[个個]?(?:小时|小時|钟头|鐘頭))(?:一次)?$`)
	monthDay    = regexp.MustCompile(`^(?:(?:monthly|every month|each month) on the |on the |the |every |(?:ogni mese|mensile) il |il )(\d{1,2})(?:st|nd|rd|th|°|º)?(?: (?:of (?:every|each|the) month|(?:di ogni|del) mese))?$`)
	monthDayZh  = regexp.MustCompile(`^每个?個?月 ?(` + number + `) ?[号號日]$`)
)

// days reads the whole of s, folded, as a schedule without its time.
func days(s string) (rule, bool) {
	if r, ok := wholeDays(s); ok {
		return r, true
	}
	return partOfDays(s)
}

// wholeDays are days without a part of them, but for those that have a name.
func wholeDays(s string) (rule, bool) {
	if r, ok := phrases[s]; ok {
		return r, true
	}
	if m := chineseDays.FindStringSubmatch(s); m != nil {
		return rule{days: "* * *", minutes: usual(m[1])}, true
	}
	if m := interval.FindStringSubmatch(s); m != nil {
		return every(m[1], m[2] != "")
	}
	if m := intervalZh.FindStringSubmatch(s); m != nil {
		return every(m[1], m[2] != "")
	}
	if m := monthDay.FindStringSubmatch(s); m != nil && strings.ContainsAny(strings.ReplaceAll(s, "the ", ""), "hms") {
		return monthly(m[1])
	}
	if m := monthDayZh.FindStringSubmatch(s); m != nil {
		return monthly(m[1])
	}
	if list, weak, ok := weekdays(s); ok {
		return rule{days: "* * " + list, minutes: morning, weak: weak}, true
	}
	return rule{}, false
}

func every(count string, minutes bool) (rule, bool) {
	n, ok := value(count)
	switch {
	case !ok || n < 1:
		return rule{}, false
	case minutes && n == 1:
		return rule{spec: "* * * * *"}, true
	case minutes && n == 60 || !minutes && n == 1:
		return rule{spec: "0 * * * *"}, true
	case minutes && n < 60:
		return rule{spec: fmt.Sprintf("*/%d * * * *", n)}, true
	case !minutes && n < 24:
		return rule{spec: fmt.Sprintf("0 */%d * * *", n)}, true
	}
	return rule{}, false
}

func monthly(day string) (rule, bool) {
	n, ok := value(day)
	return rule{days: fmt.Sprintf("%d * *", n), minutes: morning}, ok && n >= 1 && n <= 31
}

// weekdayNames are the days of the week, folded; the Chinese ones follow 周 and its like.
var weekdayNames = map[string]int{
	"sunday": 0, "monday": 1, "tuesday": 2, "wednesday": 3, "thursday": 4, "friday": 5, "saturday": 6,
	"sun": 0, "mon": 1, "tue": 2, "tues": 2, "wed": 3, "thu": 4, "thur": 4, "thurs": 4, "fri": 5, "sat": 6,
	"domenica": 0, "lunedi": 1, "martedi": 2, "mercoledi": 3, "giovedi": 4, "venerdi": 5, "sabato": 6,
	"dom": 0, "lun": 1, "mar": 2, "mer": 3, "gio": 4, "ven": 5, "sab": 6,
	"domeniche": 0, "sabati": 6,
}

const chineseWeekdays = "日天一二三四五六"

var (
	dayPrefix  = regexp.MustCompile(`^(?:(?:weekly|every week|settimanale|ogni settimana),? )?(?:(?:every|each|on|ogni|tutti i|tutte le|il|la|di|from|dal|da) )+|^(?:weekly|every week|settimanale|ogni settimana) `)
	dayRange   = regexp.MustCompile(`^([a-z']+) ?(?:-| to | through | till | until | al | a | alla ) ?([a-z']+)$`)
	dayBetween = regexp.MustCompile(` ?[,&/+] ?(?:and |e )?| (?:and|e) (?:every |on |ogni |il |la |di )?`)
	weekZh     = regexp.MustCompile(`^(?:[每逢][个個]?)?(?:周|週|星期|礼拜|禮拜) ?([日天一二三四五六1-6])((?: ?[,、和与與及]? ?(?:周|週|星期|礼拜|禮拜)?[日天一二三四五六1-6])*)$`)
	weekZhTo   = regexp.MustCompile(`^(?:[每逢][个個]?)?(?:周|週|星期|礼拜|禮拜)([日天一二三四五六1-6]) ?[到至-] ?(?:周|週|星期|礼拜|禮拜)?([日天一二三四五六1-6])$`)
)

// weekdays reads "every monday and thursday", "dal lunedì al venerdì", "每周一三五"
// as a cron field. weak: a bare name, which may be part of a topic.
func weekdays(s string) (field string, weak, ok bool) {
	if m := weekZhTo.FindStringSubmatch(s); m != nil {
		field, ok = dayField(dayRun(chineseDay(m[1]), chineseDay(m[2])))
		return field, false, ok
	}
	if m := weekZh.FindStringSubmatch(s); m != nil {
		list := []int{chineseDay(m[1])}
		for _, r := range m[2] {
			if strings.ContainsRune(chineseWeekdays+"123456", r) {
				list = append(list, chineseDay(string(r)))
			}
		}
		field, ok = dayField(list)
		return field, false, ok
	}
	bare := dayPrefix.ReplaceAllString(s, "")
	if m := dayRange.FindStringSubmatch(bare); m != nil {
		from, ok1 := weekdayNames[m[1]]
		to, ok2 := weekdayNames[m[2]]
		if ok1 && ok2 {
			field, ok = dayField(dayRun(from, to))
			return field, false, ok
		}
	}
	names := dayBetween.Split(bare, -1)
	plural := false
	var list []int
	for _, name := range names {
		day, ok := weekdayNames[name]
		if single, found := strings.CutSuffix(name, "days"); !ok && found {
			day, ok = weekdayNames[single+"day"]
			plural = true
		}
		if !ok {
			return "", false, false
		}
		list = append(list, day)
	}
	weak = bare == s && len(list) == 1 && !plural
	if weak && slices.Contains([]string{"sun", "sat", "mar", "dom", "mer"}, s) {
		return "", false, false // words of their own too
	}
	field, ok = dayField(list)
	return field, weak, ok
}

func chineseDay(s string) int {
	if n, err := strconv.Atoi(s); err == nil {
		return n
	}
	i := slices.Index([]rune(chineseWeekdays), []rune(s)[0])
	return max(0, i-1)
}

func dayRun(from, to int) []int {
	list := []int{from}
	for day := from; day != to; {
		day = (day + 1) % 7
		list = append(list, day)
	}
	return list
}

// dayField writes days as the shortest cron field.
func dayField(list []int) (string, bool) {
	slices.Sort(list)
	list = slices.Compact(list)
	switch {
	case len(list) == 0:
		return "", false
	case len(list) == 7:
		return "*", true
	case len(list) > 2 && list[len(list)-1]-list[0] == len(list)-1:
		return fmt.Sprintf("%d-%d", list[0], list[len(list)-1]), true
	}
	var words []string
	for _, day := range list {
		words = append(words, strconv.Itoa(day))
	}
	return strings.Join(words, ","), true
}
