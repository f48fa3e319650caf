package timetable_test

import (
	"errors"
	"testing"
	"time"

	"newsie/scheduler/timetable"
)

func TestAsItHappens(t *testing.T) {
	for spec, want := range map[string]string{
		"@new 3h": "@new 3h", "@NEW 90m": "@new 90m", "@new 120m": "@new 2h", "@new": "@new 1h", "@new 168h": "@new 168h", "@new 1m": "@new 1m",
	} {
		if s, err := timetable.Parse(spec); err != nil || s.String() != want || !s.AsItComes() {
			t.Errorf("Parse(%q) = %q, %v, want %q", spec, s, err, want)
		}
	}
	for _, spec := range []string{"@new 0h", "@new 0m", "@new 169h", "@new -3h", "@new h", "@new 3", "@new 3d", "@new 3h 4m", "@new 99999999h"} {
		if s, err := timetable.Parse(spec); !errors.Is(err, timetable.ErrNew) {
			t.Errorf("Parse(%q) = %q, %v, want ErrNew", spec, s, err)
		}
	}
	if _, err := timetable.Parse("@news 3h"); !errors.Is(err, timetable.ErrSyntax) {
		t.Errorf("@news: %v, want ErrSyntax", err)
	}
	rome := load(t, "Europe/Rome")
	s := parse(t, "@new 1h")
	// The hour that Rome shows twice has two names.
	first := time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC)
	a, b := s.Latest(first, rome), s.Next(first, rome)
	if a.Wall != "2026-10-25T00:30Z" || b.Wall != "2026-10-25T01:30Z" || !b.At.Equal(first.Add(time.Hour)) || !a.At.Equal(first) {
		t.Errorf("slots %v and %v", a, b)
	}
	if got := s.MinInterval(); got != time.Hour {
		t.Errorf("at most every %s, want 1h", got)
	}
	if d := parse(t, "@new 90m").Describe(); d.Shape != timetable.New || d.Every != 90 || d.Spec != "@new 90m" {
		t.Errorf("described as %+v", d)
	}
	if parse(t, "0 8 * * *").AsItComes() {
		t.Error("8:00 comes as it happens")
	}
}

func TestAsItHappensInWords(t *testing.T) {
	for _, test := range []struct{ text, spec, rest string }{
		{"tea as it happens", "@new", "tea"},
		{"tea, as it happens, at most every 3 hours", "@new 3h", "tea"},
		{"tea as it happens but at most every 2 hours", "@new 2h", "tea"},
		{"tea at once, max every 6 h", "@new 6h", "tea"},
		{"tea immediately, at most once an hour", "@new 1h", "tea"},
		{"tea right away, at most once every three hours", "@new 3h", "tea"},
		{"tea as it happens, at most once in 2 hours", "@new 2h", "tea"},
		{"tea as it happens, at most daily", "@new 24h", "tea"},
		{"wechat -payments as soon as there is something new", "@new", "wechat -payments"},
		{"tea @new 3h", "@new 3h", "tea"},
		{"tea @new", "@new", "tea"},
		{"tè subito", "@new", "tè"},
		{"tè subito, al massimo ogni 3 ore", "@new 3h", "tè"},
		{"tè appena esce qualcosa di nuovo, al massimo una volta all’ora", "@new 1h", "tè"},
		{"tè man mano, al massimo ogni ora", "@new 1h", "tè"},
		{"tè in tempo reale, massimo ogni 30 minuti", "@new 30m", "tè"},
		{"茶 有新文章就发", "@new", "茶"},
		{"茶有新的就告诉我，最多每3小时一次", "@new 3h", "茶"},
		{"茶 即时推送，最多每三小时一次", "@new 3h", "茶"},
		{"茶 一有新文章就通知我，每2小时最多一次", "@new 2h", "茶"},
		{"茶 即時推送，最多每小時一次", "@new 1h", "茶"},
		{"茶 實時，最多每30分鐘一次", "@new 30m", "茶"},
	} {
		spec, rest, ok := timetable.ParseWords(test.text)
		if !ok || spec != test.spec || rest != test.rest {
			t.Errorf("ParseWords(%q) = %q, %q, %t, want %q, %q", test.text, spec, rest, ok, test.spec, test.rest)
		}
	}
	for _, text := range []string{"the new tea", "news at new york", "时事", "subito.it"} {
		if spec, rest, ok := timetable.ParseWords(text); ok {
			t.Errorf("ParseWords(%q) = %q, %q", text, spec, rest)
		}
	}
}
