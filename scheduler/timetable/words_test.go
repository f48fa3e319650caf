package timetable_test

import (
	"errors"
	"reflect"
	"testing"

	"newsie/scheduler/timetable"
)

func TestParseWords(t *testing.T) {
	for _, test := range []struct{ text, spec, rest string }{
		// English
		{"commerce daily 8:00", "0 8 * * *", "commerce"},
		{"commerce daily", "0 8 * * *", "commerce"},
		{"Commerce EVERY DAY AT 8", "0 8 * * *", "Commerce"},
		{"social commerce, every day at 8.30", "30 8 * * *", "social commerce"},
		{"commerce every morning", "0 8 * * *", "commerce"},
		{"commerce every morning at 6", "0 6 * * *", "commerce"},
		{"commerce every evening", "0 20 * * *", "commerce"},
		{"commerce every evening at 9", "0 21 * * *", "commerce"},
		{"commerce every evening 21:15", "15 21 * * *", "commerce"},
		{"commerce every night at 12", "0 0 * * *", "commerce"},
		{"commerce weekdays 7:30", "30 7 * * 1-5", "commerce"},
		{"commerce on weekdays", "0 8 * * 1-5", "commerce"},
		{"commerce every Monday 9:00", "0 9 * * 1", "commerce"},
		{"commerce on mondays", "0 8 * * 1", "commerce"},
		{"commerce monday 9:00", "0 9 * * 1", "commerce"},
		{"commerce every monday and thursday at 9pm", "0 21 * * 1,4", "commerce"},
		{"commerce every mon, wed and fri 9:00", "0 9 * * 1,3,5", "commerce"},
		{"commerce monday to friday 7am", "0 7 * * 1-5", "commerce"},
		{"commerce weekly", "0 8 * * 1", "commerce"},
		{"commerce weekly 9:00", "0 9 * * 1", "commerce"},
		{"commerce weekly on friday at 5 pm", "0 17 * * 5", "commerce"},
		{"commerce weekends 10:00", "0 10 * * 0,6", "commerce"},
		{"commerce hourly", "0 * * * *", "commerce"},
		{"commerce every hour", "0 * * * *", "commerce"},
		{"commerce every 6 hours", "0 */6 * * *", "commerce"},
		{"commerce every 5 minutes", "*/5 * * * *", "commerce"},
		{"commerce every five minutes", "*/5 * * * *", "commerce"},
		{"commerce every minute", "* * * * *", "commerce"},
		{"commerce every half hour", "*/30 * * * *", "commerce"},
		{"commerce monthly", "0 8 1 * *", "commerce"},
		{"commerce monthly on the 15th at 9:00", "0 9 15 * *", "commerce"},
		{"commerce daily 8am", "0 8 * * *", "commerce"},
		{"commerce daily 8PM", "0 20 * * *", "commerce"},
		{"commerce daily 12am", "0 0 * * *", "commerce"},
		{"commerce daily 12pm", "0 12 * * *", "commerce"},
		{"commerce daily 20h", "0 20 * * *", "commerce"},
		{"commerce daily 8 o'clock", "0 8 * * *", "commerce"},
		{"commerce daily at noon", "0 12 * * *", "commerce"},
		{"commerce daily at 8 in the evening", "0 20 * * *", "commerce"},
		{"commerce 8:00 daily", "0 8 * * *", "commerce"},
		{"commerce at 9 every Monday", "0 9 * * 1", "commerce"},
		{"commerce 8:00", "0 8 * * *", "commerce"},
		{"commerce at 7", "0 7 * * *", "commerce"},
		{"daily 8:00", "0 8 * * *", ""},
		{"iphone 8 daily", "0 8 * * *", "iphone 8"},
		{"every day carry every day at 9", "0 9 * * *", "every day carry"},
		{"black friday 8:00", "0 8 * * *", "black friday"},
		// Italian
		{"sport ogni giorno alle 8", "0 8 * * *", "sport"},
		{"Sport OGNI MATTINA", "0 8 * * *", "Sport"},
		{"sport ogni lunedì 9:00", "0 9 * * 1", "sport"},
		{"sport ogni lunedi alle 9", "0 9 * * 1", "sport"},
		{"sport ogni lunedi\u0300 alle 9", "0 9 * * 1", "sport"},
		{"sport il lunedì e il giovedì alle 18.30", "30 18 * * 1,4", "sport"},
		{"sport la domenica", "0 8 * * 0", "sport"},
		{"sport nei giorni feriali 7:30", "30 7 * * 1-5", "sport"},
		{"sport dal lunedì al venerdì alle ore 7", "0 7 * * 1-5", "sport"},
		{"sport ogni sera", "0 20 * * *", "sport"},
		{"sport ogni sera alle 9", "0 21 * * *", "sport"},
		{"sport ogni minuto", "* * * * *", "sport"},
		{"sport ogni 15 minuti", "*/15 * * * *", "sport"},
		{"sport ogni ora", "0 * * * *", "sport"},
		{"sport ogni settimana", "0 8 * * 1", "sport"},
		{"sport ogni settimana il venerdì alle 18", "0 18 * * 5", "sport"},
		{"sport ogni mese il 15", "0 8 15 * *", "sport"},
		{"sport tutti i giorni alle 8 e mezza", "30 8 * * *", "sport"},
		{"sport ogni giorno alle 8 di sera", "0 20 * * *", "sport"},
		{"sport ogni giorno a mezzogiorno", "0 12 * * *", "sport"},
		{"sport ogni giorno all’una", "0 1 * * *", "sport"},
		{"sport alle 8", "0 8 * * *", "sport"},
		// Chinese
		{"电商 每天 8:00", "0 8 * * *", "电商"},
		{"电商每天8点", "0 8 * * *", "电商"},
		{"电商，每天早上8点", "0 8 * * *", "电商"},
		{"电商 每日早上八点半", "30 8 * * *", "电商"},
		{"電商 每天早上八點半", "30 8 * * *", "電商"},
		{"電商每週一", "0 8 * * 1", "電商"},
		{"电商 每周一 9:00", "0 9 * * 1", "电商"},
		{"电商 星期一", "0 8 * * 1", "电商"},
		{"电商 每星期天晚上8点", "0 20 * * 0", "电商"},
		{"电商每周一三五 9点", "0 9 * * 1,3,5", "电商"},
		{"电商每周一、周四9点", "0 9 * * 1,4", "电商"},
		{"电商 周一至周五 7点15分", "15 7 * * 1-5", "电商"},
		{"电商 工作日 7:30", "30 7 * * 1-5", "电商"},
		{"电商 每晚", "0 20 * * *", "电商"},
		{"电商每晚9点", "0 21 * * *", "电商"},
		{"电商 每天晚上9点", "0 21 * * *", "电商"},
		{"电商每天晚上十点一刻", "15 22 * * *", "电商"},
		{"电商每天晚上12点", "0 0 * * *", "电商"},
		{"电商 每天中午", "0 12 * * *", "电商"},
		{"电商 每天中午1点", "0 13 * * *", "电商"},
		{"电商 每天下午三点", "0 15 * * *", "电商"},
		{"电商 每天二十点", "0 20 * * *", "电商"},
		{"电商 每天八点零五分", "5 8 * * *", "电商"},
		{"电商 每分钟", "* * * * *", "电商"},
		{"电商 每5分钟", "*/5 * * * *", "电商"},
		{"电商 每隔两小时", "0 */2 * * *", "电商"},
		{"电商 每小时", "0 * * * *", "电商"},
		{"电商 每月15号 9点", "0 9 15 * *", "电商"},
		{"电商 每周", "0 8 * * 1", "电商"},
		{"电商 每天 ８：００", "0 8 * * *", "电商"},
		{"电商　每天　８：００", "0 8 * * *", "电商"},
		{"电商 每天８点３０分", "30 8 * * *", "电商"},
		{"电商 周末", "0 8 * * 0,6", "电商"},
		{"电商 早上7点", "0 7 * * *", "电商"},
		{"电商 daily 8:00", "0 8 * * *", "电商"},
		{"commerce 每天8点", "0 8 * * *", "commerce"},
		{"黑色星期五 每天 8:00", "0 8 * * *", "黑色星期五"},
		// a part of the days
		{"茶 工作日早上", "0 8 * * 1-5", "茶"},
		{"茶工作日晚上", "0 20 * * 1-5", "茶"},
		{"茶 每周一下午", "0 15 * * 1", "茶"},
		{"茶 周末的早上", "0 8 * * 0,6", "茶"},
		{"茶 工作日晚上9点", "0 21 * * 1-5", "茶"},
		{"tea weekday mornings", "0 8 * * 1-5", "tea"},
		{"tea weekdays morning", "0 8 * * 1-5", "tea"},
		{"tea on weekdays in the evening", "0 20 * * 1-5", "tea"},
		{"tea every monday evening at 9", "0 21 * * 1", "tea"},
		{"tea monday morning", "0 8 * * 1", "tea"},
		{"tè nei giorni feriali di mattina", "0 8 * * 1-5", "tè"},
		{"tè la mattina nei giorni feriali", "0 8 * * 1-5", "tè"},
		{"tè ogni lunedì sera", "0 20 * * 1", "tè"},
		{"tè ogni lunedì sera alle 9", "0 21 * * 1", "tè"},
		// several times a day
		{"codes daily 8:00 and 20:00", "0 8,20 * * *", "codes"},
		{"codes daily at 8, 12 and 20", "0 8,12,20 * * *", "codes"},
		{"codes at 8 and at 20", "0 8,20 * * *", "codes"},
		{"codes daily 8am and 8pm", "0 8,20 * * *", "codes"},
		{"codes weekdays 7:30 and 18:30", "30 7,18 * * 1-5", "codes"},
		{"codes every morning and evening", "0 8,20 * * *", "codes"},
		{"codici ogni giorno alle 8 e alle 20", "0 8,20 * * *", "codici"},
		{"codici ogni giorno alle 8:00 e 20:00", "0 8,20 * * *", "codici"},
		{"codici ogni mattina e sera", "0 8,20 * * *", "codici"},
		{"茶 每天8点和20点", "0 8,20 * * *", "茶"},
		{"茶 每天 8:00、20:00", "0 8,20 * * *", "茶"},
		{"茶每天早上8点和晚上8点", "0 8,20 * * *", "茶"},
		{"茶 每天早晚", "0 8,20 * * *", "茶"},
		{"codes daily 8:00 and 20:30", "daily 8:00 and 20:30", "codes"}, // Parse says why not
		{"codes every monday 8:00 daily 20:00", "every monday 8:00 daily 20:00", "codes"},
		{"茶 每天8点和20点半", "每天8点和20点半", "茶"},
		// cron
		{"rice cron 30 6 * * 2", "30 6 * * 2", "rice"},
		{"rice cron: 30 6 * * 2", "30 6 * * 2", "rice"},
		{"cron 30 6 * * 2", "30 6 * * 2", "cron"},
		{"codes * * * *", "* * * *", "codes"},
		{"commerce 0 8 * * 1-5", "0 8 * * 1-5", "commerce"},
		{"电商 0 8 * * MON-FRI", "0 8 * * MON-FRI", "电商"},
		{"0 8 * * *", "0 8 * * *", ""},
		{"commerce ０ ８ ＊ ＊ ＊", "0 8 * * *", "commerce"},
		{"commerce @daily", "@daily", "commerce"},
		{"commerce @every 5m", "@every 5m", "commerce"},
		{"commerce 0 8 30 2 *", "0 8 30 2 *", "commerce"},
		{"windows 11 0 8 * * *", "0 8 * * *", "windows 11"},
		{"* 0 8 * * *", "0 8 * * *", "*"},
		{"commerce 0 0 8 * * *", "0 0 8 * * *", "commerce"}, // Parse says that it takes five
		{"commerce */5 0 8 * * *", "*/5 0 8 * * *", "commerce"},
		{"commerce 0 8 * *", "0 8 * *", "commerce"},
		{"commerce 8 * *", "8 * *", "commerce"},
		{"commerce CRON_TZ=Europe/Rome 0 8 * * *", "CRON_TZ=Europe/Rome 0 8 * * *", "commerce"},
	} {
		spec, rest, ok := timetable.ParseWords(test.text)
		if !ok || spec != test.spec || rest != test.rest {
			t.Errorf("ParseWords(%q) = %q, %q, %v, want %q, %q", test.text, spec, rest, ok, test.spec, test.rest)
		}
	}
}

func TestParseWordsLeavesTopicsAlone(t *testing.T) {
	for _, text := range []string{
		"", "commerce", "daily mail", "python 3.11", "windows 11", "good morning", "weekly planner", "monday", "black friday", "cyber monday",
		"黑色星期五", "电商", "每天都有新闻", "一周", "the sun", "1 2 3 4 5", "* -sport", "windows 11 *", "4 * 4 tyres", "24 hours", "every", "ogni", "每", "sport di domani", "room 25:00", "ＡＢＣ",
		"\xff\xfe", "8", "8点档电视剧", "good morning", "rock and roll", "saturday night live", `"news daily"`, "早晚高峰",
	} {
		if spec, rest, ok := timetable.ParseWords(text); ok || rest != text {
			t.Errorf("ParseWords(%q) = %q, %q, %v, want no schedule", text, spec, rest, ok)
		}
	}
}

func FuzzParseWords(f *testing.F) {
	f.Add("电商 每天早上八点半")
	f.Add("sport ogni lunedì alle 9 e mezza")
	f.Add("commerce 0 8 * * *")
	f.Fuzz(func(t *testing.T, text string) {
		spec, rest, ok := timetable.ParseWords(text)
		if !ok {
			return
		}
		if len(rest) > len(text) {
			t.Errorf("%q: the rest %q is longer", text, rest)
		}
		if parsed, err := timetable.Parse(spec); err == nil && parsed.String() == "" {
			t.Errorf("%q: empty schedule", text)
		}
	})
}

func TestOnceInWords(t *testing.T) {
	for _, test := range []struct {
		text, day, rest string
		never           bool
	}{
		{"codes tomorrow", "tomorrow", "codes", false},
		{"green tea tonight", "tonight", "green tea", false},
		{"codes on next monday", "next monday", "codes", false},
		{"codes on 5 December", "on 5 December", "codes", false},
		{"codes on December 5th", "on December 5th", "codes", false},
		{"codes 2026-12-01", "2026-12-01", "codes", false},
		{"codes 30 February", "30 February", "codes", true},
		{"tè domani", "domani", "tè", false},
		{"tè domani mattina", "domani mattina", "tè", false},
		{"tè il 5 dicembre", "il 5 dicembre", "tè", false},
		{"tè 30 febbraio", "30 febbraio", "tè", true},
		{"茶 明天", "明天", "茶", false},
		{"茶 明天早上", "明天早上", "茶", false},
		{"茶 下周一", "下周一", "茶", false},
		{"茶 12月5日", "12月5日", "茶", false},
		{"茶 2月30日", "2月30日", "茶", true},
		{"茶明天", "明天", "茶", false},
		{"茶2月30日", "2月30日", "茶", true},
		{"茶 2月30號", "2月30號", "茶", true},
	} {
		day, rest, never, ok := timetable.OnceInWords(test.text)
		if !ok || day != test.day || rest != test.rest || never != test.never {
			t.Errorf("OnceInWords(%q) = %q, %q, %v, %v, want %q, %q, %v", test.text, day, rest, never, ok, test.day, test.rest, test.never)
		}
	}
	for _, text := range []string{"tomorrow", "后天", "the world of tomorrow", "sport di domani", "festa del 25 aprile", "september 11", "guerra 11 settembre", "area 51", "tea 29 february", `"codes tomorrow"`, "双十一", "中国的明天", "活在今天", "十月1日", "国庆10月1日"} {
		if day, rest, _, ok := timetable.OnceInWords(text); ok {
			t.Errorf("OnceInWords(%q) = %q, %q, want none", text, day, rest)
		}
	}
}

func TestParseSaysThatTimesDiffer(t *testing.T) {
	for _, text := range []string{"daily 8:00 and 20:30", "每天8点和20点半", "alle 8:00 e alle 20:30"} {
		if _, err := timetable.Parse(text); !errors.Is(err, timetable.ErrTimes) {
			t.Errorf("%q: %v, want ErrTimes", text, err)
		}
	}
	want := timetable.Description{Shape: timetable.Weekdays, Hour: 7, More: []int{12, 18}, Minute: 30, Spec: "30 7,12,18 * * 1-5"}
	if spec, err := timetable.Parse(want.Spec); err != nil || !reflect.DeepEqual(spec.Describe(), want) {
		t.Errorf("%+v, %v, want %+v", spec.Describe(), err, want)
	}
}
