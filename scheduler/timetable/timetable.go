// Package timetable tells when a schedule comes next on a reader's own clock.
//
// A schedule is five cron fields without a zone. Its slots are times of the
// wall clock ("every day at 08:00"); the zone is given apart, so that a reader
// who moves takes the schedule along. Clock changes lose and double nothing:
// a slot that the clock shows twice comes the first time only, and a slot that
// the clock jumps over comes as much later as the clock jumped. When such a
// late slot falls on the moment of another one, the two are one.
package timetable

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// What Parse refuses. Every error of Parse wraps one of these.
var (
	ErrEmpty  = errors.New("the schedule is empty")
	ErrZone   = errors.New("a time zone is not part of a schedule; it is set apart")
	ErrEvery  = errors.New("@every has no fixed times; write five cron fields")
	ErrReboot = errors.New("@reboot is not a time")
	ErrFields = errors.New("a schedule has five fields: minute, hour, day of month, month, day of week")
	ErrSunday = errors.New("the day of the week goes from 0 (Sunday) to 6 (Saturday)")
	ErrTimes  = errors.New("one schedule has its times of day at the same minute, such as 0 8,20 * * *")
	ErrNever  = errors.New("this schedule never comes")
	ErrSyntax = errors.New("this is not a cron schedule")
)

// WallLayout is how Slot.Wall is written, for time.Parse.
const WallLayout = "2006-01-02T15:04"

// longest is more than any specification in robfig/cron can take.
const longest = 256

// A Slot is one time of a schedule. The zero Slot is none.
type Slot struct {
	Wall string    // on the wall clock, "2026-11-22T08:00": names the slot for ever; with a Z, on UTC's
	At   time.Time // the moment it comes
}

// A Spec is a parsed schedule. The zero Spec has no slots.
type Spec struct {
	text     string
	schedule *cron.SpecSchedule
	every    time.Duration // of what comes as it happens, instead of a schedule
}

// field is one field of a specification. robfig/cron takes more than this
// (",", "*-5", "+1"), and reads it as something else than it says.
var field = regexp.MustCompile(`^(?i:(?:[*?]|[0-9]{1,2}(?:-[0-9]{1,2})?|[a-z]{3}(?:-[a-z]{3})?)(?:/[0-9]{1,3})?(?:,|$))+$`)

// Parse reads five cron fields, or @hourly, @daily, @midnight, @weekly,
// @monthly, @yearly or @annually, or "@new 3h": as it happens, at most every
// three hours.
func Parse(spec string) (Spec, error) {
	text := strings.Join(strings.Fields(spec), " ")
	refuse := func(why error) (Spec, error) { return Spec{}, fmt.Errorf("%q: %w", short(text), why) }
	upper := strings.ToUpper(text)
	switch {
	case text == "":
		return Spec{}, ErrEmpty
	case strings.HasPrefix(upper, "TZ=") || strings.HasPrefix(upper, "CRON_TZ="):
		return refuse(ErrZone)
	case upper == "@EVERY" || strings.HasPrefix(upper, "@EVERY "):
		return refuse(ErrEvery)
	case upper == "@REBOOT":
		return refuse(ErrReboot)
	case len(text) > longest:
		return refuse(ErrSyntax)
	}
	if s, is, err := asItComes(text); err != nil {
		return refuse(err)
	} else if is {
		return s, nil
	}
	if strings.HasPrefix(text, "@") {
		expanded, ok := descriptors[strings.ToLower(text)]
		if !ok {
			return refuse(ErrSyntax)
		}
		text = expanded
	}
	fields := strings.Split(text, " ")
	if len(times.FindAllString(text, 2)) > 1 {
		return refuse(ErrTimes)
	}
	if len(fields) != 5 {
		return refuse(fmt.Errorf("%w, not %d", ErrFields, len(fields)))
	}
	for _, f := range fields {
		if !field.MatchString(f) || strings.HasSuffix(f, ",") {
			return refuse(fmt.Errorf("%w: %q", ErrSyntax, f))
		}
	}
	parsed, err := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow).Parse(text)
	if err != nil {
		if sunday.MatchString(fields[4]) {
			return refuse(ErrSunday)
		}
		return refuse(fmt.Errorf("%w: %w", ErrSyntax, err))
	}
	schedule, ok := parsed.(*cron.SpecSchedule)
	if !ok {
		return refuse(ErrSyntax)
	}
	schedule.Location = time.UTC
	// 2000 was a leap year: what does not come in the five years from then on,
	// which is how far robfig/cron looks, does not come at all.
	if schedule.Next(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return refuse(ErrNever)
	}
	return Spec{text: text, schedule: schedule}, nil
}

// times are those of a clock, in the words of readers.
var times = regexp.MustCompile(`\d{1,2} ?[:：.点點时時h] ?\d{0,2}`)

var sunday = regexp.MustCompile(`(^|[-,])7($|[-,/])`)

var descriptors = map[string]string{
	"@hourly":   "0 * * * *",
	"@daily":    "0 0 * * *",
	"@midnight": "0 0 * * *",
	"@weekly":   "0 0 * * 0",
	"@monthly":  "0 0 1 * *",
	"@yearly":   "0 0 1 1 *",
	"@annually": "0 0 1 1 *",
}

func short(s string) string {
	if r := []rune(s); len(r) > 80 {
		return string(r[:79]) + "…"
	}
	return s
}

// String is the five fields, separated by one space each, or "@new 3h".
func (s Spec) String() string { return s.text }

// Next is the first slot after a moment, on the clock of zone.
func (s Spec) Next(after time.Time, zone *time.Location) Slot {
	if s.every > 0 {
		return moment(after.Add(s.every), zone)
	}
	if s.schedule == nil {
		return Slot{}
	}
	// A slot in the second of after itself is not after it, even when after has
	// a fraction; the next second is where to look.
	from := after.Truncate(time.Second).Add(time.Second)
	for range 200 { // more clock changes than any zone has in nine years
		p := periodAt(from, zone)
		slot := s.inPeriod(p, from)
		if !slot.At.IsZero() && (p.end.IsZero() || slot.At.Before(p.end)) {
			return slot
		}
		if p.end.IsZero() {
			return Slot{}
		}
		from = p.end
	}
	return Slot{}
}

// inPeriod is the first slot at from or later as if the period p went on for ever.
func (s Spec) inPeriod(p period, from time.Time) Slot {
	wall := onWall(from, p.offset)
	if wall.Before(p.seen) { // these the clock has shown before
		wall = p.seen
	}
	slot := Slot{}
	if next := s.nextWall(wall); !next.IsZero() {
		slot = Slot{Wall: next.Format(WallLayout), At: offWall(next, p.offset).In(from.Location())}
	}
	if p.gap <= 0 {
		return slot
	}
	// What the clock jumped over at the period's start comes p.gap later: as
	// if the clock had not changed.
	before := p.offset - p.gap
	jumped := s.nextWall(onWall(from, before))
	if jumped.IsZero() || !jumped.Before(onWall(p.start, p.offset)) {
		return slot
	}
	if late := offWall(jumped, before).In(from.Location()); slot.At.IsZero() || late.Before(slot.At) {
		return Slot{Wall: jumped.Format(WallLayout), At: late}
	}
	return slot
}

// nextWall is the first slot at wall or later, both on the wall clock as if it were UTC.
func (s Spec) nextWall(wall time.Time) time.Time {
	wall = wall.Add(-time.Second)
	for range 3 { // 29 February may be eight years away, robfig/cron looks five ahead
		if next := s.schedule.Next(wall); !next.IsZero() {
			return next
		}
		wall = time.Date(wall.Year()+4, 1, 1, 0, 0, 0, 0, time.UTC).Add(-time.Second)
	}
	return time.Time{}
}

// Latest is the last slot that has come by a moment, that moment included.
func (s Spec) Latest(by time.Time, zone *time.Location) Slot {
	if s.every > 0 {
		return moment(by, zone)
	}
	if s.schedule == nil {
		return Slot{}
	}
	window := time.Hour
	for ; window < 10*366*24*time.Hour; window *= 4 {
		slot := s.Next(by.Add(-window), zone)
		if slot.At.IsZero() || slot.At.After(by) {
			continue
		}
		return s.lastFrom(slot, by, zone)
	}
	return Slot{}
}

func (s Spec) lastFrom(slot Slot, by time.Time, zone *time.Location) Slot {
	for {
		next := s.Next(slot.At, zone)
		if next.At.IsZero() || next.At.After(by) {
			return slot
		}
		slot = next
	}
}

// A period is a stretch of time in which a zone's clock runs evenly.
type period struct {
	start, end time.Time // zero: open
	offset     time.Duration
	gap        time.Duration // how far the clock was put forward at start; 0 when it was not
	seen       time.Time     // the latest wall time shown before start, as UTC
}

func periodAt(t time.Time, zone *time.Location) period {
	local := t.In(zone)
	start, end := local.ZoneBounds()
	_, seconds := local.Zone()
	p := period{start: start, end: end, offset: time.Duration(seconds) * time.Second}
	// Walls shown twice reach back over more than one change only when the
	// changes are less than a day apart.
	for edge := start; !edge.IsZero() && edge.After(start.Add(-26*time.Hour)); {
		previous := edge.Add(-time.Nanosecond).In(zone)
		_, seconds := previous.Zone()
		offset := time.Duration(seconds) * time.Second
		if edge.Equal(start) {
			p.gap = max(0, p.offset-offset)
		}
		if shown := onWall(edge, offset); shown.After(p.seen) {
			p.seen = shown
		}
		edge, _ = previous.ZoneBounds()
	}
	return p
}

// onWall is what a clock at offset shows at t, as a UTC time.
func onWall(t time.Time, offset time.Duration) time.Time { return t.UTC().Add(offset) }

// offWall undoes onWall.
func offWall(wall time.Time, offset time.Duration) time.Time { return wall.Add(-offset) }
