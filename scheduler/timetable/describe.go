package timetable

import (
	"math/bits"
	"slices"
	"time"
)

// A Shape is what a schedule means in words.
type Shape string

const (
	Minutes  Shape = "minutes"  // every Every minutes
	Hours    Shape = "hours"    // every Every hours, at Minute
	Daily    Shape = "daily"    // every day at Hour:Minute
	Weekdays Shape = "weekdays" // Monday to Friday at Hour:Minute
	Weekly   Shape = "weekly"   // on Days at Hour:Minute
	Monthly  Shape = "monthly"  // on day Day of the month at Hour:Minute
	New      Shape = "new"      // as it happens, at most once in Every minutes
	Other    Shape = "other"    // say the fields themselves
)

// A Description tells what a schedule means, for saying it in any language.
type Description struct {
	Shape  Shape
	Every  int            // of Minutes, Hours and New: 1 is each one
	Hour   int            // of the others: the first
	More   []int          // the hours after it on the same day
	Minute int            //
	Days   []time.Weekday // of Weekly, from Monday on
	Day    int            // of Monthly, from 1
	Spec   string         // as Spec.String writes it
}

// star is the bit that robfig/cron sets in a field that is "*".
const star = 1 << 63

// mostHours is how many hours of a day are said one by one.
const mostHours = 6

// Describe tells what the schedule means.
func (s Spec) Describe() Description {
	d := Description{Shape: Other, Spec: s.text}
	if s.every > 0 {
		d.Shape, d.Every = New, int(s.every/time.Minute)
		return d
	}
	if s.schedule == nil {
		return d
	}
	c := s.schedule
	anyMonth, anyDay, anyWeekday := full(c.Month, 1, 12), full(c.Dom, 1, 31), full(c.Dow, 0, 6)
	if !anyMonth {
		return d
	}
	minutes, hours := members(c.Minute), members(c.Hour)
	if anyDay && anyWeekday {
		if every := step(minutes, 60); every > 0 && len(minutes) > 1 && len(hours) == 24 {
			d.Shape, d.Every = Minutes, every
			return d
		}
		if every := step(hours, 24); every > 0 && len(hours) > 1 && len(minutes) == 1 {
			d.Shape, d.Every, d.Minute = Hours, every, minutes[0]
			return d
		}
	}
	if len(minutes) != 1 || len(hours) > mostHours {
		return d
	}
	d.Minute, d.Hour = minutes[0], hours[0]
	days := members(c.Dow)
	switch {
	case anyDay && anyWeekday:
		d.Shape = Daily
	case anyDay && c.Dom&star != 0 && slices.Equal(days, []int{1, 2, 3, 4, 5}):
		d.Shape = Weekdays
	case anyDay && c.Dom&star != 0:
		d.Shape = Weekly
		for i := range 7 {
			if day := (i + 1) % 7; c.Dow&(1<<day) != 0 {
				d.Days = append(d.Days, time.Weekday(day))
			}
		}
	case anyWeekday && c.Dow&star != 0 && bits.OnesCount64(c.Dom&^uint64(star)) == 1:
		d.Shape, d.Day = Monthly, members(c.Dom)[0]
	}
	if d.Shape != Other && len(hours) > 1 {
		d.More = hours[1:]
	}
	return d
}

// MinInterval is the shortest time between two slots on the wall clock; 0 for
// the zero Spec. A channel compares it with the shortest it allows.
func (s Spec) MinInterval() time.Duration {
	if s.every > 0 {
		return s.every
	}
	if s.schedule == nil {
		return 0
	}
	var times []time.Duration // since midnight
	for _, hour := range members(s.schedule.Hour) {
		for _, minute := range members(s.schedule.Minute) {
			times = append(times, time.Duration(hour)*time.Hour+time.Duration(minute)*time.Minute)
		}
	}
	const day = 24 * time.Hour
	shortest := time.Duration(s.daysApart())*day - times[len(times)-1] + times[0]
	for i := 1; i < len(times); i++ {
		shortest = min(shortest, times[i]-times[i-1])
	}
	return shortest
}

// daysApart is the smallest number of days from one day of the schedule to the
// next. 28 years hold every kind of month on every weekday.
func (s Spec) daysApart() int {
	c := s.schedule
	shortest, last := 8*366, -1
	day := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 28*365 + 7 {
		dom := c.Dom&(1<<day.Day()) != 0
		dow := c.Dow&(1<<day.Weekday()) != 0
		match := dom || dow
		if c.Dom&star != 0 || c.Dow&star != 0 {
			match = dom && dow
		}
		if match && c.Month&(1<<day.Month()) != 0 {
			if last >= 0 {
				shortest = min(shortest, i-last)
			}
			if last = i; shortest == 1 {
				break
			}
		}
		day = day.AddDate(0, 0, 1)
	}
	return shortest
}

func members(field uint64) []int {
	var list []int
	for i := range 60 {
		if field&(1<<i) != 0 {
			list = append(list, i)
		}
	}
	return list
}

func full(field uint64, low, high int) bool {
	for i := low; i <= high; i++ {
		if field&(1<<i) == 0 {
			return false
		}
	}
	return true
}

// step is the even distance between the members of a round of so many, 0 when
// they do not begin at 0 or it is not even over the round's end too.
func step(list []int, round int) int {
	if len(list) == 0 || round%len(list) != 0 {
		return 0
	}
	every := round / len(list)
	for i, member := range list {
		if member != i*every {
			return 0
		}
	}
	return every
}
