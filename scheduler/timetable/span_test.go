package timetable_test

import (
	"errors"
	"testing"
	"time"

	"newsie/scheduler/timetable"
)

func TestParseSpan(t *testing.T) {
	for text, want := range map[string]string{
		"22:00-08:00": "22:00-08:00",
		"9:05-17:30":  "09:05-17:30",
		"24:00-06:00": "00:00-06:00",
		"00:00-24:00": "00:00-24:00",
		"23:59-00:00": "23:59-00:00",
	} {
		h, err := timetable.ParseSpan(text)
		if err != nil || h.String() != want {
			t.Errorf("ParseSpan(%q) = %v, %v, want %s", text, h, err, want)
		}
	}
	for _, text := range []string{
		"", "22", "22-8", "22:00", "22:00-", "-08:00", "22:00-22:00", "24:00-00:00", "0:00-00:00", "25:00-08:00", "22:60-08:00",
		"24:01-08:00", "22:00-08:00-09:00", "+2:00-08:00", " 22:00-08:00", "22:00 - 08:00", "off",
	} {
		if h, err := timetable.ParseSpan(text); !errors.Is(err, timetable.ErrSpan) {
			t.Errorf("ParseSpan(%q) = %v, %v, want it refused", text, h, err)
		}
	}
}

func TestSpanInWords(t *testing.T) {
	for text, want := range map[string]string{
		"22-8":                               "22:00-08:00",
		"22 – 8":                             "22:00-08:00",
		"22:00-08:00":                        "22:00-08:00",
		"２２：００～８：００":                         "22:00-08:00",
		"from 10pm to 7am":                   "22:00-07:00",
		"10 p.m. until 7 am.":                "22:00-07:00",
		"between 22 and 7:30":                "22:00-07:30",
		"midnight to 6":                      "00:00-06:00",
		"10pm-7":                             "22:00-07:00",
		"dalle 22 alle 8":                    "22:00-08:00",
		"Dalle 22:30 alle 7":                 "22:30-07:00",
		"dalle 10 di sera alle 7 di mattina": "22:00-07:00",
		"dalle 22 fino alle 8":               "22:00-08:00",
		"da mezzanotte alle 6":               "00:00-06:00",
		"dalle 22 all'una":                   "22:00-01:00",
		"tra le 22 e le 8":                   "22:00-08:00",
		"22点到8点":                             "22:00-08:00",
		"晚上10点到早上8点":                         "22:00-08:00",
		"从晚上十点半到第二天早上七点":    "22:30-07:00",
		"晚上十點至次日早上八點":       "22:00-08:00",
		"22時到8時":            "22:00-08:00",
		"每天晚上11点到早上6点半。":    "23:00-06:30",
		"from ten to seven": "10:00-07:00",
		"0-24":              "00:00-24:00",
	} {
		h, ok := timetable.SpanInWords(text)
		if !ok || h.String() != want {
			t.Errorf("SpanInWords(%q) = %v, %v, want %s", text, h, ok, want)
		}
	}
	for _, text := range []string{"", "22", "8:00", "22-22", "25-8", "22-88", "please", "gardens at night", "a to b", "from 22", "22 to", "-", "22-8 tea", "1-2-3"} {
		if h, ok := timetable.SpanInWords(text); ok {
			t.Errorf("SpanInWords(%q) = %v, want none", text, h)
		}
	}
}

func TestSpanGoByWhatTheClockShows(t *testing.T) {
	rome, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		t.Fatal(err)
	}
	night, _ := timetable.ParseSpan("22:00-08:00")
	skipped, _ := timetable.ParseSpan("02:00-03:00")
	whole, _ := timetable.ParseSpan("00:00-24:00")
	noon, _ := timetable.ParseSpan("12:00-13:00")
	for _, c := range []struct {
		name  string
		hours timetable.Span
		at    time.Time
		want  bool
	}{
		{"before", night, time.Date(2026, 11, 23, 21, 59, 59, 0, rome), false},
		{"begins", night, time.Date(2026, 11, 23, 22, 0, 0, 0, rome), true},
		{"midnight", night, time.Date(2026, 11, 24, 0, 0, 0, 0, rome), true},
		{"last minute", night, time.Date(2026, 11, 24, 7, 59, 59, 0, rome), true},
		{"ends", night, time.Date(2026, 11, 24, 8, 0, 0, 0, rome), false},
		{"in another zone", night, time.Date(2026, 11, 23, 22, 0, 0, 0, rome).UTC(), false},
		{"clocks went forward: 8 comes an hour early", night, time.Date(2026, 3, 29, 6, 30, 0, 0, time.UTC).In(rome), false},
		{"the day before it was still night", night, time.Date(2026, 3, 28, 6, 30, 0, 0, time.UTC).In(rome), true},
		{"clocks went back: 8 comes an hour late", night, time.Date(2026, 10, 25, 6, 30, 0, 0, time.UTC).In(rome), true},
		{"before the hour that is skipped", skipped, time.Date(2026, 3, 29, 0, 59, 0, 0, time.UTC).In(rome), false},
		{"after the hour that is skipped", skipped, time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC).In(rome), false},
		{"the hour that comes twice", skipped, time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC).In(rome), true},
		{"the hour that comes twice, again", skipped, time.Date(2026, 10, 25, 1, 30, 0, 0, time.UTC).In(rome), true},
		{"the whole day", whole, time.Date(2026, 10, 25, 23, 59, 0, 0, rome), true},
		{"a part of the day", noon, time.Date(2026, 10, 25, 12, 59, 0, 0, rome), true},
		{"its end", noon, time.Date(2026, 10, 25, 13, 0, 0, 0, rome), false},
		{"none", timetable.Span{}, time.Date(2026, 10, 25, 0, 0, 0, 0, rome), false},
	} {
		if got := c.hours.Has(c.at); got != c.want {
			t.Errorf("%s: %v at %s: %v, want %v", c.name, c.hours, c.at, got, c.want)
		}
	}
}
