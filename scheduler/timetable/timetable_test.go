package timetable_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the same zones on every machine

	"github.com/google/go-cmp/cmp"
	"github.com/robfig/cron/v3"

	"newsie/scheduler/timetable"
)

func TestParseRefuses(t *testing.T) {
	for _, test := range []struct {
		spec string
		want error
	}{
		{"", timetable.ErrEmpty},
		{"  \t ", timetable.ErrEmpty},
		{"TZ=Europe/Rome 0 8 * * *", timetable.ErrZone},
		{"CRON_TZ=Europe/Rome 0 8 * * *", timetable.ErrZone},
		{"CRON_TZ=Europe/Rome", timetable.ErrZone}, // robfig/cron panics on it
		{"cron_tz=Europe/Rome 0 8 * * *", timetable.ErrZone},
		{"@every 5m", timetable.ErrEvery},
		{"@Every", timetable.ErrEvery},
		{"@reboot", timetable.ErrReboot},
		{"@soon", timetable.ErrSyntax},
		{"0 0 8 * * *", timetable.ErrFields},
		{"0 8 * *", timetable.ErrFields},
		{"daily", timetable.ErrFields},
		{"0 8 30 2 *", timetable.ErrNever},
		{"0 8 31 2,4,6,9,11 *", timetable.ErrNever},
		{"0 8 * * 7", timetable.ErrSunday},
		{"0 8 * * 5-7", timetable.ErrSunday},
		{"0 8 * * 1,7", timetable.ErrSunday},
		{"0 24 * * *", timetable.ErrSyntax},
		{"60 8 * * *", timetable.ErrSyntax},
		{"0 8 0 * *", timetable.ErrSyntax},
		{"0 8 * 13 *", timetable.ErrSyntax},
		{"*/0 * * * *", timetable.ErrSyntax},
		{"-1 8 * * *", timetable.ErrSyntax},
		{"+1 8 * * *", timetable.ErrSyntax},
		{", 8 * * *", timetable.ErrSyntax},
		{"1, 8 * * *", timetable.ErrSyntax},
		{"*-5 8 * * *", timetable.ErrSyntax},
		{"5-1 8 * * *", timetable.ErrSyntax},
		{"a b c d e", timetable.ErrSyntax},
		{"0 8 * * mo", timetable.ErrSyntax},
		{"0" + strings.Repeat(",0", 200) + " 8 * * *", timetable.ErrSyntax},
	} {
		if _, err := timetable.Parse(test.spec); !errors.Is(err, test.want) {
			t.Errorf("Parse(%q) = %v, want %v", test.spec, err, test.want)
		}
	}
}

func TestParseAccepts(t *testing.T) {
	for spec, want := range map[string]string{
		"0 8 * * *":                "0 8 * * *",
		"  0   8\t* * MON-FRI ":    "0 8 * * MON-FRI",
		"*/15 9-17 1,15 jan,jul ?": "*/15 9-17 1,15 jan,jul ?",
		"@Daily":                   "0 0 * * *",
		"@hourly":                  "0 * * * *",
		"@weekly":                  "0 0 * * 0",
		"0 8 29 2 *":               "0 8 29 2 *",
	} {
		s, err := timetable.Parse(spec)
		if err != nil || s.String() != want {
			t.Errorf("Parse(%q) = %q, %v, want %q", spec, s, err, want)
		}
	}
}

func TestNextAroundClockChanges(t *testing.T) {
	type slots []string
	for _, test := range []struct {
		name, spec, zone, after string
		want                    slots // wall = moment
	}{
		{"the hour that Rome skips comes an hour later", "30 2 * * *", "Europe/Rome", "2026-03-28T12:00:00+01:00",
			slots{"2026-03-29T02:30 = 2026-03-29T03:30:00+02:00", "2026-03-30T02:30 = 2026-03-30T02:30:00+02:00"}},
		{"the hour that Rome shows twice comes once", "30 2 * * *", "Europe/Rome", "2026-10-24T12:00:00+02:00",
			slots{"2026-10-25T02:30 = 2026-10-25T02:30:00+02:00", "2026-10-26T02:30 = 2026-10-26T02:30:00+01:00"}},
		{"between the two half past twos", "30 2 * * *", "Europe/Rome", "2026-10-25T02:10:00+01:00",
			slots{"2026-10-26T02:30 = 2026-10-26T02:30:00+01:00"}},
		{"hourly over a skipped hour", "0 * * * *", "Europe/Rome", "2026-03-29T00:30:00+01:00",
			slots{"2026-03-29T01:00 = 2026-03-29T01:00:00+01:00", "2026-03-29T03:00 = 2026-03-29T03:00:00+02:00", "2026-03-29T04:00 = 2026-03-29T04:00:00+02:00"}},
		{"midnight that does not exist", "0 0 * * *", "America/Santiago", "2026-09-05T12:00:00-04:00",
			slots{"2026-09-06T00:00 = 2026-09-06T01:00:00-03:00", "2026-09-07T00:00 = 2026-09-07T00:00:00-03:00"}},
		{"half an hour on Lord Howe", "15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00+10:30",
			slots{"2026-10-04T02:15 = 2026-10-04T02:45:00+11:00", "2026-10-05T02:15 = 2026-10-05T02:15:00+11:00"}},
		{"the day that Samoa left out", "0 8 * * *", "Pacific/Apia", "2011-12-29T12:00:00-10:00",
			slots{"2011-12-31T08:00 = 2011-12-31T08:00:00+14:00", "2012-01-01T08:00 = 2012-01-01T08:00:00+14:00"}},
		{"a Friday that Samoa left out", "0 8 * * 5", "Pacific/Apia", "2011-12-29T12:00:00-10:00",
			slots{"2011-12-30T08:00 = 2011-12-31T08:00:00+14:00", "2012-01-06T08:00 = 2012-01-06T08:00:00+14:00"}},
		{"a fraction of a second before", "0 8 * * *", "Asia/Shanghai", "2026-01-01T07:59:59.999999+08:00",
			slots{"2026-01-01T08:00 = 2026-01-01T08:00:00+08:00"}},
		{"the slot itself is not after itself", "0 8 * * *", "Asia/Shanghai", "2026-01-01T08:00:00.5+08:00",
			slots{"2026-01-02T08:00 = 2026-01-02T08:00:00+08:00"}},
		{"eight years without a 29 February", "0 8 29 2 *", "UTC", "2096-03-01T00:00:00Z",
			slots{"2104-02-29T08:00 = 2104-02-29T08:00:00Z"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			spec, zone := parse(t, test.spec), load(t, test.zone)
			at, err := time.Parse(time.RFC3339Nano, test.after)
			if err != nil {
				t.Fatal(err)
			}
			var got slots
			for range test.want {
				slot := spec.Next(at, zone)
				got = append(got, slot.Wall+" = "+slot.At.In(zone).Format(time.RFC3339))
				at = slot.At
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestEverySlotOnceInEveryZone compares Next with the plain rule: every time
// that matches on the wall clock, mapped with time.Date, the first of two, put
// forward when it lands before the slot.
func TestEverySlotOnceInEveryZone(t *testing.T) {
	data, err := os.ReadFile("testdata/zones.txt")
	if err != nil {
		t.Fatal(err)
	}
	zones := strings.Fields(string(data))
	if len(zones) < 500 {
		t.Fatalf("%d zones, want all", len(zones))
	}
	if testing.Short() {
		zones = []string{"Europe/Rome", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Antarctica/Troll", "America/Santiago", "Asia/Shanghai", "Asia/Gaza", "Pacific/Chatham"}
	}
	specs := []string{
		"0 8 * * *", "30 2 * * *", "0 0 * * *", "59 23 * * 0", "0 9 * * 1-5", "15 1 1,15 * *", "30 3 31 * 1",
		"45 */12 * * *", "5 2 * * 6,0", "0 3 29 2 *",
		"0 * * * *", "*/5 * * * *", "*/7 0-4 * * *", "* 2 * * *", "30 1-3 * * sun",
	}
	start, end := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2028, 1, 1, 0, 0, 0, 0, time.UTC)
	count := 0
	known := map[string]bool{} // many names share one clock
	for _, name := range zones {
		zone := load(t, name)
		clock := ""
		for _, change := range append(changes(zone, start, end), start, end) {
			clock += change.In(zone).Format(time.RFC3339)
		}
		if known[clock] {
			continue
		}
		known[clock] = true
		for _, spec := range specs {
			if parse(t, spec).MinInterval() >= 12*time.Hour {
				count += everySlotOnce(t, spec, zone, start, end)
				continue
			}
			// Frequent ones are looked at around every clock change.
			for _, change := range changes(zone, start, end) {
				count += everySlotOnce(t, spec, zone, change.Add(-27*time.Hour), change.Add(27*time.Hour))
			}
		}
	}
	for _, odd := range []struct{ zone, around string }{
		{"Pacific/Apia", "2011-12-30"}, {"Pacific/Kwajalein", "1993-08-21"}, {"America/Caracas", "2016-05-01"}, {"Asia/Pyongyang", "2018-05-05"},
		{"Africa/Juba", "2021-02-01"}, {"Asia/Almaty", "2024-03-01"}, {"Europe/Volgograd", "2020-12-27"}, {"Antarctica/Casey", "2020-10-04"},
	} {
		day, err := time.Parse(time.DateOnly, odd.around)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range specs {
			count += everySlotOnce(t, spec, load(t, odd.zone), day.AddDate(0, 0, -9), day.AddDate(0, 0, 9))
		}
	}
	t.Logf("%d slots in %d zones, %d clocks", count, len(zones), len(known))
}

func everySlotOnce(t *testing.T, spec string, zone *time.Location, start, end time.Time) int {
	t.Helper()
	var want []int64
	schedule, err := cron.ParseStandard(spec)
	if err != nil {
		t.Fatal(err)
	}
	for wall := schedule.Next(start.Add(-50 * time.Hour)); wall.Before(end.Add(50 * time.Hour)); wall = schedule.Next(wall) {
		if at := plain(wall, zone); at.After(start) && !at.After(end) {
			want = append(want, at.Unix())
		}
	}
	slices.Sort(want)
	want = slices.Compact(want)

	s := parse(t, spec)
	var got []int64
	walls := map[string]bool{}
	last := start
	for slot := s.Next(start, zone); !slot.At.After(end); slot = s.Next(slot.At, zone) {
		if !slot.At.After(last) || walls[slot.Wall] {
			t.Fatalf("%s in %s: slot %s at %s after %s, doubled or going back", spec, zone, slot.Wall, slot.At, last)
		}
		walls[slot.Wall], last = true, slot.At
		got = append(got, slot.At.Unix())
	}
	if !slices.Equal(got, want) {
		t.Fatalf("%s in %s from %s: %d slots, want %d (-want +got):\n%.2000s", spec, zone, start, len(got), len(want), cmp.Diff(want, got))
	}
	return len(got)
}

// plain maps a wall time to its moment without any cleverness.
func plain(wall time.Time, zone *time.Location) time.Time {
	shown := func(t time.Time) time.Time {
		l := t.In(zone)
		return time.Date(l.Year(), l.Month(), l.Day(), l.Hour(), l.Minute(), 0, 0, time.UTC)
	}
	at := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), 0, 0, zone)
	if before := wall.Sub(shown(at)); before > 0 {
		return at.Add(before)
	} else if before < 0 {
		return at
	}
	first := at
	if change, _ := at.ZoneBounds(); change.IsZero() || at.Sub(change) > 25*time.Hour {
		return first
	}
	for back := 10 * time.Minute; back <= 25*time.Hour; back += 10 * time.Minute {
		if shown(at.Add(-back)).Equal(wall) {
			first = at.Add(-back)
		}
	}
	return first
}

func changes(zone *time.Location, start, end time.Time) []time.Time {
	var list []time.Time
	for at := start; ; {
		_, next := at.In(zone).ZoneBounds()
		if next.IsZero() || next.After(end) {
			return list
		}
		list = append(list, next.UTC())
		at = next
	}
}

func TestLatest(t *testing.T) {
	for _, test := range []struct{ spec, by, want string }{
		{"0 8 * * *", "2026-05-05T08:00:00Z", "2026-05-05T08:00"},
		{"0 8 * * *", "2026-05-05T07:59:59Z", "2026-05-04T08:00"},
		{"* * * * *", "2026-05-05T07:59:59Z", "2026-05-05T07:59"},
		{"0 8 29 2 *", "2026-05-05T00:00:00Z", "2024-02-29T08:00"},
		{"0 8 29 2 *", "2103-05-05T00:00:00Z", "2096-02-29T08:00"},
		{"0 9 * * 1", "2026-05-05T00:00:00Z", "2026-05-04T09:00"},
	} {
		by, err := time.Parse(time.RFC3339, test.by)
		if err != nil {
			t.Fatal(err)
		}
		if got := parse(t, test.spec).Latest(by, time.UTC).Wall; got != test.want {
			t.Errorf("%s by %s: %s, want %s", test.spec, test.by, got, test.want)
		}
	}
	if got := (timetable.Spec{}).Latest(time.Now(), time.UTC); got != (timetable.Slot{}) {
		t.Errorf("the zero Spec has the slot %v", got)
	}
	if got := (timetable.Spec{}).Next(time.Now(), time.UTC); got != (timetable.Slot{}) {
		t.Errorf("the zero Spec has the slot %v", got)
	}
}

func TestMinInterval(t *testing.T) {
	const day = 24 * time.Hour
	for spec, want := range map[string]time.Duration{
		"* * * * *":       time.Minute,
		"*/5 * * * *":     5 * time.Minute,
		"*/7 * * * *":     4 * time.Minute,
		"0 * * * *":       time.Hour,
		"0 8 * * *":       day,
		"0 8,20 * * *":    12 * time.Hour,
		"0 0,23 * * *":    time.Hour,
		"0 0,23 * * 1":    23 * time.Hour,
		"0 9 * * 1":       7 * day,
		"0 9 * * 1-5":     day,
		"0 9 1 * *":       28 * day,
		"0 9 31 * *":      31 * day,
		"0 9 1 * 1":       day,
		"0 9 29 2 *":      1461 * day,
		"0 9 31 12 *":     365 * day,
		"0 9 31,1 12,1 *": day,
	} {
		if got := parse(t, spec).MinInterval(); got != want {
			t.Errorf("%s: %s, want %s", spec, got, want)
		}
	}
}

func TestDescribe(t *testing.T) {
	for spec, want := range map[string]timetable.Description{
		"0 8 * * *":        {Shape: timetable.Daily, Hour: 8},
		"30 7 * * 1-5":     {Shape: timetable.Weekdays, Hour: 7, Minute: 30},
		"30 7 ? * MON-FRI": {Shape: timetable.Weekdays, Hour: 7, Minute: 30},
		"0 9 * * 1":        {Shape: timetable.Weekly, Hour: 9, Days: []time.Weekday{time.Monday}},
		"0 9 * * 0,3":      {Shape: timetable.Weekly, Hour: 9, Days: []time.Weekday{time.Wednesday, time.Sunday}},
		"0 9 15 * *":       {Shape: timetable.Monthly, Hour: 9, Day: 15},
		"*/5 * * * *":      {Shape: timetable.Minutes, Every: 5},
		"* * * * *":        {Shape: timetable.Minutes, Every: 1},
		"*/7 * * * *":      {Shape: timetable.Other},
		"0 * * * *":        {Shape: timetable.Hours, Every: 1},
		"15 */6 * * *":     {Shape: timetable.Hours, Every: 6, Minute: 15},
		"0 8,20 * * *":     {Shape: timetable.Daily, Hour: 8, More: []int{20}},
		"0 1-23/3 * * *":   {Shape: timetable.Other},
		"0 9 1 * 1":        {Shape: timetable.Other},
		"0 9 1 1 *":        {Shape: timetable.Other},
		"0 9 */2 * *":      {Shape: timetable.Other},
	} {
		want.Spec = spec
		got := parse(t, spec).Describe()
		if got.Shape == timetable.Other {
			got.Hour, got.Minute = 0, 0
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", spec, diff)
		}
	}
}

func parse(t *testing.T, spec string) timetable.Spec {
	t.Helper()
	s, err := timetable.Parse(spec)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func load(t *testing.T, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}
