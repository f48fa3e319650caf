package main

import (
	"fmt"
	"os"
	"strings"
	"time"
)

const (
	dayLayout    = time.DateOnly
	minuteLayout = "2006-01-02 15:04"
)

// moment reads "2026-12-01 09:00 Europe/Rome", a time on a clock that is named, or
// as programs write it, 2026-12-01T09:00:00+01:00.
func moment(flag, text string) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339, strings.TrimSpace(text)); err == nil {
		return at, nil
	}
	parts := strings.Fields(text)
	if len(parts) == 2 && strings.Contains(parts[1], ":") {
		return time.Time{}, fmt.Errorf(`%s %q does not say on which clock: "%s Europe/Rome", or UTC`, flag, text, text)
	}
	if len(parts) != 3 {
		return time.Time{}, fmt.Errorf(`%s %q is no time such as "2026-12-01 09:00 Europe/Rome"`, flag, text)
	}
	zone, err := clockOf(flag, parts[2])
	if err != nil {
		return time.Time{}, err
	}
	wall := parts[0] + " " + parts[1]
	if len(parts[1]) == 4 { // 9:00
		wall = parts[0] + " 0" + parts[1]
	}
	asked, err := time.Parse(minuteLayout, wall)
	if err != nil {
		return time.Time{}, fmt.Errorf(`%s %q is no time such as "2026-12-01 09:00 Europe/Rome"`, flag, text)
	}
	at := time.Date(asked.Year(), asked.Month(), asked.Day(), asked.Hour(), asked.Minute(), 0, 0, zone)
	if at.Format(minuteLayout) != wall {
		return time.Time{}, fmt.Errorf("%s %q does not come: the clock of %s skips it", flag, text, zone)
	}
	return at, nil
}

// clockOf is a zone by its name.
func clockOf(flag, name string) (*time.Location, error) {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return nil, fmt.Errorf("%s: there is no time zone %q; they are called like Europe/Rome, Asia/Shanghai or UTC", flag, name)
	}
	return zone, nil
}

// endOf reads a moment, or the end of a day: "2026-12-24", in UTC, or
// "2026-12-24 Europe/Rome".
func endOf(flag, text string) (time.Time, error) {
	parts := strings.Fields(text)
	if len(parts) == 0 || len(parts) > 2 || len(parts) == 2 && strings.Contains(parts[1], ":") {
		return moment(flag, text)
	}
	zone := time.UTC
	if len(parts) == 2 {
		var err error
		if zone, err = clockOf(flag, parts[1]); err != nil {
			return time.Time{}, err
		}
	}
	day, err := time.Parse(dayLayout, parts[0])
	if err != nil {
		return time.Time{}, fmt.Errorf(`%s %q is no day such as 2026-12-24, nor a time such as "2026-12-24 18:00 Europe/Rome"`, flag, text)
	}
	return time.Date(day.Year(), day.Month(), day.Day()+1, 0, 0, 0, 0, zone), nil
}

// said is a moment for the publisher, as --at takes it: with the name of its
// clock, on UTC's where that has none, or as programs write an offset.
func said(at time.Time) string {
	name := at.Location().String()
	switch name {
	case "": // an offset alone
		return at.Format(time.RFC3339)
	case "Local":
		link, _ := os.Readlink("/etc/localtime")
		_, name, _ = strings.Cut(link, "zoneinfo/")
	}
	zone, err := clockOf("", name)
	if err != nil {
		zone = time.UTC
	}
	return at.In(zone).Format(minuteLayout) + " " + zone.String()
}
