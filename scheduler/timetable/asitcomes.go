package timetable

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// ErrNew: "@new" was given another interval than from a minute to a week.
var ErrNew = errors.New("what comes as it happens needs the shortest time between two, from 1m to 168h, such as @new 3h")

// AtOnce is how ParseWords writes "as it happens" without a shortest interval,
// which the channel then says: see Spacing.
const AtOnce = "@new"

const longestSpacing = 7 * 24 * time.Hour

// Spacing is the specification of a schedule that comes as soon as there is
// something, and no sooner than every so often. It has no times of its own.
func Spacing(every time.Duration) string {
	if every%time.Hour == 0 {
		return fmt.Sprintf("%s %dh", AtOnce, every/time.Hour)
	}
	return fmt.Sprintf("%s %dm", AtOnce, every/time.Minute)
}

var spacing = regexp.MustCompile(`^@new ?(?:([0-9]{1,5}) ?([hm]))?$`)

// asItComes reads "@new 3h"; is: it means to be one.
func asItComes(text string) (s Spec, is bool, err error) {
	lower := strings.ToLower(text)
	if lower != AtOnce && !strings.HasPrefix(lower, AtOnce+" ") {
		return Spec{}, false, nil
	}
	m := spacing.FindStringSubmatch(lower)
	if m == nil {
		return Spec{}, true, ErrNew
	}
	every := time.Hour
	if m[1] != "" {
		n, err := strconv.Atoi(m[1])
		if err != nil {
			return Spec{}, true, ErrNew
		}
		if every = time.Duration(n) * time.Hour; m[2] == "m" {
			every = time.Duration(n) * time.Minute
		}
	}
	if every < time.Minute || every > longestSpacing {
		return Spec{}, true, ErrNew
	}
	return Spec{text: Spacing(every), every: every}, true, nil
}

// AsItComes reports whether the schedule comes when there is something: Next is
// then the soonest that another may follow one at that moment, and Latest the
// moment itself, so that there is always one to have.
func (s Spec) AsItComes() bool { return s.every > 0 }

// moment is the slot of a schedule without times of its own. It is named on the
// clock of UTC, which shows no minute twice, and so that no slot of a reader's
// clock is called the same.
func moment(at time.Time, zone *time.Location) Slot {
	return Slot{Wall: at.UTC().Format(WallLayout) + "Z", At: at.In(zone)}
}

// comes are the ways to say "as it happens", folded; "|" separates them.
var comes = strings.Join([]string{
	`as it happens|as they happen|as it comes|as they come|as they appear|as news comes|when (?:it|they) comes? out|when there(?: i|')s (?:something|anything) new|as soon as (?:possible|it happens|it appears|it comes out|they appear|they come out|there(?: i|')s (?:something|anything) new)|at once|immediately|instantly|right away|straight away|in real time|real-time`,
	`subito|immediatamente|all'istante|in tempo reale|man mano|appena (?:esce|escono|arriva|arrivano|c'e|ci sono|possibile)(?: (?:qualcosa(?: di nuovo)?|novita))?|quando (?:esce|escono|arriva|arrivano|c'e|ci sono) (?:qualcosa(?: di nuovo)?|novita)`,
	`一?有新(?:的|文章|文|内容|內容|消息)?(?:时|時|后|後)?(?:就|便|马上|馬上|立即|立刻|即)(?:发给我|發給我|发送|發送|推送|通知我?|告诉我|告訴我|发|發|送|推)?|(?:即时|即時|实时|實時|立即|立刻|马上|馬上|随时|隨時|第一时间|第一時間)(?:推送|发送|發送|通知|发|發|送|推)?`,
}, "|")

var (
	atMost    = regexp.MustCompile(`^(?:` + comes + `)(?:,? ?(?:(?:but |and |ma |e )?(?:at most|max\.?|at the most|no more than|not more than|al massimo|massimo|al piu|non piu di)(?: once| una volta)?,? (?:(?:every|each|in|ogni|in) ?(` + latinNumber + `)? ?(hours?|hrs?|h|or[ae]|minutes?|mins?|minuti|m|days?|giorn[oi])|(once an hour|una volta all'ora|hourly|once a day|daily|una volta al giorno))|(?:最多|至多|不超过|不超過)?(?:每隔?)(` + number + `)?个?個?(小时|小時|分钟|分鐘|钟头|鐘頭|天|日)(?:最多|至多)?(?:一次|1次)?))?$`)
	mostOften = regexp.MustCompile(`^每隔?(` + number + `)?个?個?(小时|小時|分钟|分鐘|钟头|鐘頭|天|日)?(?:最多|至多)(?:一次|1次),? ?(?:` + comes + `)$`)
)

// happening reads the whole of s, folded, as "as it happens", with or without
// "at most every 3 hours".
func happening(s string) (spec string, ok bool) {
	var count, unit string
	if m := atMost.FindStringSubmatch(s); m != nil {
		count, unit = m[1]+m[4], m[2]+m[5]
		if m[3] != "" {
			unit = "hour"
			if strings.Contains(m[3], "da") || strings.Contains(m[3], "giorno") {
				unit = "day"
			}
		}
	} else if m := mostOften.FindStringSubmatch(s); m != nil {
		count, unit = m[1], m[2]
	} else {
		return "", false
	}
	if unit == "" {
		return AtOnce, true
	}
	n := 1
	if count != "" {
		if n, ok = value(count); !ok || n < 1 {
			return "", false
		}
	}
	switch unit {
	case "m", "min", "mins", "minute", "minutes", "minuti", "分钟", "分鐘":
		return Spacing(time.Duration(n) * time.Minute), true
	case "day", "days", "giorno", "giorni", "天", "日":
		return Spacing(time.Duration(n) * 24 * time.Hour), true
	}
	return Spacing(time.Duration(n) * time.Hour), true
}
