package timetable_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"newsie/scheduler/timetable"
)

// TestSlotsByTheMinute looks at a clock every minute of a year, as a person with
// the schedule in hand would, and knows nothing of how slots are worked out: a
// time that the clock shows for the first time is a slot where the schedule names
// it, and one that it jumps over comes as if it had not jumped.
func TestSlotsByTheMinute(t *testing.T) {
	clocks := []struct{ zone, from, to string }{
		{"Europe/Rome", "2026-01-01", "2027-01-01"}, {"Australia/Lord_Howe", "2026-01-01", "2027-01-01"}, {"Africa/Casablanca", "2026-01-01", "2027-01-01"},
		{"Antarctica/Troll", "2026-01-01", "2027-01-01"}, {"America/Santiago", "2026-01-01", "2027-01-01"}, {"Asia/Gaza", "2026-01-01", "2027-01-01"},
		{"Pacific/Chatham", "2026-01-01", "2027-01-01"}, {"Asia/Kathmandu", "2026-01-01", "2026-03-01"},
		{"Pacific/Apia", "2011-11-01", "2012-02-01"}, {"Pacific/Kwajalein", "1993-08-01", "1993-09-10"}, {"Asia/Pyongyang", "2018-04-01", "2018-06-01"}, {"America/Caracas", "2016-04-01", "2016-06-01"},
	}
	if testing.Short() {
		clocks = clocks[8:]
	}
	var rules []rule
	for _, spec := range []string{
		"0 8 * * *", "30 2 * * *", "0 0 * * *", "59 23 * * 0", "0 9 * * 1-5", "15 1 1,15 * *", "30 3 31 * 1", "45 */12 * * *", "5 2 * * sat,0",
		"0 3 29 2 *", "0 * * * *", "*/7 0-4 * * *", "* 2 * * *", "30 1-3 * mar,oct sun", "0 0 30 12 *", "0 8 ? * fri",
	} {
		rules = append(rules, readRule(t, spec))
	}
	for _, c := range clocks {
		zone := load(t, c.zone)
		from, err1 := time.Parse(time.DateOnly, c.from)
		to, err2 := time.Parse(time.DateOnly, c.to)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		want := make([][]timetable.Slot, len(rules))
		watch(from, to, zone, func(wall, at time.Time) {
			for i, r := range rules {
				if r.names(wall) {
					want[i] = append(want[i], timetable.Slot{Wall: wall.Format(timetable.WallLayout), At: at})
				}
			}
		})
		for i, r := range rules {
			s, at := parse(t, r.spec), from.Add(-time.Second)
			rare := s.MinInterval() >= 12*time.Hour // Latest takes its time for others
			for _, slot := range once(want[i]) {
				got := s.Next(at, zone)
				if got.Wall != slot.Wall || !got.At.Equal(slot.At) {
					t.Fatalf("%s in %s after %s: %s at %s, want %s at %s", r.spec, c.zone, at, got.Wall, got.At, slot.Wall, slot.At)
				}
				if rare && s.Latest(slot.At, zone).Wall != slot.Wall {
					t.Fatalf("%s in %s by %s: the latest is %v, want %s", r.spec, c.zone, slot.At, s.Latest(slot.At, zone), slot.Wall)
				}
				at = slot.At
			}
			if got := s.Next(at, zone); !got.At.IsZero() && got.At.Before(to) {
				t.Fatalf("%s in %s after %s: %s at %s, want none this year", r.spec, c.zone, at, got.Wall, got.At)
			}
		}
	}
}

// watch shows each minute of a clock when it is due: in the order in which they
// come, but for those that a jump puts off.
func watch(from, to time.Time, zone *time.Location, show func(wall, at time.Time)) {
	wallAt := func(at time.Time) time.Time {
		l := at.In(zone)
		return time.Date(l.Year(), l.Month(), l.Day(), l.Hour(), l.Minute(), 0, 0, time.UTC)
	}
	shown := map[int64]bool{}
	for at := from.Add(-27 * time.Hour); at.Before(from); at = at.Add(time.Minute) {
		shown[wallAt(at).Unix()] = true
	}
	last := wallAt(from.Add(-time.Minute))
	for at := from; at.Before(to); at = at.Add(time.Minute) {
		wall := wallAt(at)
		for skipped := last.Add(time.Minute); skipped.Before(wall); skipped = skipped.Add(time.Minute) {
			show(skipped, at.Add(skipped.Sub(last)-time.Minute))
		}
		if !shown[wall.Unix()] {
			shown[wall.Unix()] = true
			show(wall, at)
		}
		last = wall
	}
}

// once puts slots in their order and takes those of one moment as one, which is
// called by the time that the clock then shows.
func once(slots []timetable.Slot) []timetable.Slot {
	byMoment := map[int64]timetable.Slot{}
	var order []int64
	for _, s := range slots {
		key := s.At.Unix()
		if _, ok := byMoment[key]; !ok {
			order = append(order, key)
		}
		byMoment[key] = s // what the clock shows comes after what it skipped
	}
	for i := range order { // few are out of order
		for j := i; j > 0 && order[j] < order[j-1]; j-- {
			order[j], order[j-1] = order[j-1], order[j]
		}
	}
	list := make([]timetable.Slot, len(order))
	for i, key := range order {
		list[i] = byMoment[key]
	}
	return list
}

// A rule is a cron schedule as crontab(5) describes it.
type rule struct {
	spec   string
	fields [5][64]bool
	star   [5]bool
}

func readRule(t *testing.T, spec string) rule {
	t.Helper()
	r := rule{spec: spec}
	number := func(text string) int {
		if i := strings.Index("sunmontuewedthufrisat", text); i >= 0 && len(text) == 3 {
			return i / 3
		}
		if i := strings.Index("janfebmaraprmayjunjulaugsepoctnovdec", text); i >= 0 && len(text) == 3 {
			return i/3 + 1
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for i, text := range strings.Fields(spec) {
		low, high := []int{0, 0, 1, 1, 0}[i], []int{59, 23, 31, 12, 6}[i]
		for _, part := range strings.Split(text, ",") {
			span, step, stepped := strings.Cut(part, "/")
			every := 1
			if stepped {
				every = number(step)
			}
			from, to := low, high
			if span == "*" || span == "?" {
				r.star[i] = true
			} else {
				a, b, ranged := strings.Cut(span, "-")
				from, to = number(a), number(a)
				if ranged {
					to = number(b)
				}
			}
			for n := from; n <= to; n += every {
				r.fields[i][n] = true
			}
		}
	}
	return r
}

func (r rule) names(wall time.Time) bool {
	if !r.fields[0][wall.Minute()] || !r.fields[1][wall.Hour()] || !r.fields[3][int(wall.Month())] {
		return false
	}
	day, weekday := r.fields[2][wall.Day()], r.fields[4][int(wall.Weekday())]
	if r.star[2] || r.star[4] {
		return day && weekday
	}
	return day || weekday
}
