package timetable_test

import (
	"testing"
	"time"

	"newsie/scheduler/timetable"
)

func TestUntilInWords(t *testing.T) {
	rome := load(t, "Europe/Rome")
	now := time.Date(2026, 3, 25, 10, 30, 0, 0, rome) // a Wednesday, four days before summer time
	for _, test := range []struct{ text, until, rest string }{
		{"for a week", "2026-04-01 10:30", ""},
		{"a week", "2026-04-01 10:30", ""},
		{"commerce for two weeks", "2026-04-08 10:30", "commerce"},
		{"wechat -payments for 3 days", "2026-03-28 10:30", "wechat -payments"},
		{"1 7d", "2026-04-01 10:30", "1"},
		{"for 12 hours", "2026-03-25 22:30", ""},
		{"for a month", "2026-04-25 10:30", ""},
		{"for a year", "2027-03-25 10:30", ""},
		{"per un anno", "2027-03-25 10:30", ""},
		{"一年", "2027-03-25 10:30", ""},
		{"until Monday", "2026-03-30 00:00", ""},
		{"tea until wednesday", "2026-04-01 00:00", "tea"},
		{"till tomorrow", "2026-03-26 00:00", ""},
		{"until next week", "2026-03-30 00:00", ""},
		{"until 5 December", "2026-12-05 00:00", ""},
		{"until December 5th", "2026-12-05 00:00", ""},
		{"until 1 March", "2027-03-01 00:00", ""},
		{"until 2026-05-01", "2026-05-01 00:00", ""},
		{"2026-05-01", "2026-05-01 00:00", ""},
		{"tè per una settimana", "2026-04-01 10:30", "tè"},
		{"per un mese", "2026-04-25 10:30", ""},
		{"per un'ora", "2026-03-25 11:30", ""},
		{"fino a lunedì", "2026-03-30 00:00", ""},
		{"fino al 5 dicembre", "2026-12-05 00:00", ""},
		{"fino alla prossima settimana", "2026-03-30 00:00", ""},
		{"一周", "2026-04-01 10:30", ""},
		{"茶 两个星期", "2026-04-08 10:30", "茶"},
		{"3天", "2026-03-28 10:30", ""},
		{"到周一", "2026-03-30 00:00", ""},
		{"到下周三", "2026-04-01 00:00", ""},
		{"直到5月1日", "2026-05-01 00:00", ""},
		{"茶到明天", "2026-03-26 00:00", "茶"},
		{"到下個月", "2026-04-01 00:00", ""},
	} {
		until, rest, ok := timetable.UntilInWords(test.text, now, rome)
		if got := until.Format("2006-01-02 15:04"); !ok || got != test.until || rest != test.rest {
			t.Errorf("%q: until %s of %q, %t, want %s of %q", test.text, got, rest, ok, test.until, test.rest)
		}
	}
	for _, text := range []string{"", "tea", "until the cows come home", "until 2026-03-25", "until 2020-01-01", "for 0 days", "for 600 days", "for 500 years", "500年", "-3天", "负3天", "for -3 days", "until yesterday", "until 31 February", "fino a", "到"} {
		if until, _, ok := timetable.UntilInWords(text, now, rome); ok {
			t.Errorf("%q: until %s", text, until)
		}
	}
}
