package origin

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"newsie/internal/database"
)

// Invitations is the id under which a report has all readers' invitations together.
const Invitations int64 = -2

// By is what the rows of a report are.
type By string

// The rows of a report: the days or weeks (from Monday) of the period, each with
// anything or not, the origins, or the channels.
const (
	ByDay     By = "day"
	ByWeek    By = "week"
	ByOrigin  By = "origin"
	ByChannel By = "channel"
)

// Touch is which of the origins that a reader came by is credited with what the
// reader does.
type Touch int64

// The first origin, or the latest.
const (
	First Touch = 1
	Last  Touch = 2
)

func (t Touch) String() string {
	if t == Last {
		return "last"
	}
	return "first"
}

// MarshalText writes it as String does.
func (t Touch) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// A Query says what is to be reported.
type Query struct {
	From, To string // days, 2026-11-23, both included; "": To is today, From 29 days before To
	By       By     // "": ByOrigin
	Touch    Touch  // 0: First
	Below    int64  // only this origin of the publisher's and those below it; 0: all
}

// A Report is what origins brought in a period. None of its figures is of fewer
// than Few readers.
type Report struct {
	From  string  `json:"from"`
	To    string  `json:"to"`
	By    By      `json:"by"`
	Touch Touch   `json:"touch"`
	Rows  []Row   `json:"rows"`
	Total Figures `json:"total"`
}

// A Row is a day, a week, an origin with all that is below it, or a channel.
type Row struct {
	// Label is 2026-11-23, 2026-W48, an origin's name, a channel's; "" for None,
	// Unknown and Invitations, which have a name in each language.
	Label  string `json:"label"`
	Origin int64  `json:"origin"` // by origin: its id, or None, Unknown, Invitations
	Path   string `json:"path,omitempty"`
	Code   string `json:"code,omitempty"`
	Depth  int    `json:"depth"` // by origin: 0 at the top
	From   string `json:"from,omitempty"`
	To     string `json:"to,omitempty"` // by day and week: the days of it in the period
	Figures
}

// Figures are what an origin brought.
type Figures struct {
	Scans     Figure `json:"scans"`
	Came      Figure `json:"came"`     // newcomers
	Stayed7   Figure `json:"stayed7"`  // of those who came in the period: so many days, so far
	Stayed30  Figure `json:"stayed30"` //
	Lost      Figure `json:"lost"`     // who left in the period
	Follows   Figure `json:"follows"`
	Questions Figure `json:"questions"`
	Opens     Figure `json:"opens"` // articles opened, once by each reader
	Digests   Figure `json:"digests"`
}

// kinds is how many figures there are.
const kinds = 9

// all are the figures in the order of a tally's.
func (f *Figures) all() [kinds]*Figure {
	return [kinds]*Figure{&f.Scans, &f.Came, &f.Stayed7, &f.Stayed30, &f.Lost, &f.Follows, &f.Questions, &f.Opens, &f.Digests}
}

// All are the figures in the order of the fields.
func (f Figures) All() [kinds]Figure {
	var list [kinds]Figure
	for i, figure := range f.all() {
		list[i] = *figure
	}
	return list
}

// A Figure is how many, unless that is hidden.
type Figure struct {
	N      int64 // 0 when it is hidden
	Hidden bool  // fewer than Few readers are behind it
}

// String is a number, or "<5".
func (f Figure) String() string {
	if f.Hidden {
		return "<" + strconv.Itoa(Few)
	}
	return strconv.FormatInt(f.N, 10)
}

// MarshalJSON writes a number, or the string "<5".
func (f Figure) MarshalJSON() ([]byte, error) {
	if f.Hidden {
		return []byte(`"` + f.String() + `"`), nil // json.Marshal would write the < as \u003c
	}
	return json.Marshal(f.N)
}

// Reports are made of the totals of days.
type Reports struct {
	book *Book
	db   *database.DB
	zone *time.Location
	now  func() time.Time
}

// NewReports makes reports of the totals in a database, whose days are those of
// the publisher's zone.
func NewReports(db *database.DB, zone *time.Location, now func() time.Time) *Reports {
	return &Reports{NewBook(db, now), db, zone, now}
}

// mostDays is how many a report may be over.
const mostDays = 3660

// period is what a query is about, in full.
type period struct {
	Query
	from, to time.Time // midnights of UTC, for reckoning with days
	days     int
}

// Report works out a report. What is wrong with the query comes as an
// *InvalidError whose field is from, to or by; ErrNoOrigin tells of Below.
func (r *Reports) Report(ctx context.Context, q Query) (Report, error) {
	p, err := r.period(q)
	if err != nil {
		return Report{}, err
	}
	tree, err := r.book.Tree(ctx)
	if err != nil {
		return Report{}, err
	}
	if _, ok := tree.ByID(p.Below); !ok && p.Below != 0 {
		return Report{}, ErrNoOrigin
	}
	out := Report{From: p.From, To: p.To, By: p.By, Touch: p.Touch, Rows: []Row{}}
	switch p.By {
	case ByOrigin:
		err = r.byOrigin(ctx, p, tree, &out)
	case ByChannel:
		err = r.byChannel(ctx, p, tree, &out)
	default:
		err = r.byTime(ctx, p, tree, &out)
	}
	if err != nil {
		return Report{}, fmt.Errorf("report by %s: %w", p.By, err)
	}
	return out, nil
}

func (r *Reports) period(q Query) (period, error) {
	p := period{Query: q}
	if p.By == "" {
		p.By = ByOrigin
	}
	if p.Touch != Last {
		p.Touch = First
	}
	if !slices.Contains([]By{ByDay, ByWeek, ByOrigin, ByChannel}, p.By) {
		return p, invalid("by", "%q is none of day, week, origin and channel", p.By)
	}
	if p.To == "" {
		p.To = r.now().In(r.zone).Format(time.DateOnly)
	}
	var err error
	if p.to, err = time.Parse(time.DateOnly, p.To); err != nil {
		return p, invalid("to", "%q is no day such as 2026-11-23", p.To)
	}
	if p.From == "" {
		p.From = p.to.AddDate(0, 0, -29).Format(time.DateOnly)
	}
	if p.from, err = time.Parse(time.DateOnly, p.From); err != nil {
		return p, invalid("from", "%q is no day such as 2026-11-23", p.From)
	}
	p.days = int(p.to.Sub(p.from).Hours()/24) + 1
	switch {
	case p.days < 1:
		return p, invalid("from", "%s is after %s", p.From, p.To)
	case p.days > mostDays:
		return p, invalid("from", "from %s to %s are %d days: %d at most", p.From, p.To, p.days, mostDays)
	}
	return p, nil
}

// dayNumber is a day as the totals have it: 20261123.
func dayNumber(day time.Time) int64 {
	return int64(day.Year())*10000 + int64(day.Month())*100 + int64(day.Day())
}

// byTime fills a report by day or week.
func (r *Reports) byTime(ctx context.Context, p period, tree Tree, out *Report) error {
	days, err := r.days(ctx, p, tree)
	if err != nil {
		return err
	}
	var all tally
	var parts []tally
	for i := range p.days {
		day := p.from.AddDate(0, 0, i)
		label := day.Format(time.DateOnly)
		row := Row{Label: label, From: label, To: label}
		if p.By == ByWeek {
			year, week := day.ISOWeek()
			row.Label = fmt.Sprintf("%d-W%02d", year, week)
		}
		if last := len(out.Rows) - 1; last < 0 || out.Rows[last].Label != row.Label {
			out.Rows, parts = append(out.Rows, row), append(parts, tally{})
		}
		last := len(out.Rows) - 1
		out.Rows[last].To = label
		parts[last].then(days[dayNumber(day)])
		all.then(days[dayNumber(day)])
	}
	for i := range parts {
		out.Rows[i].Figures = parts[i].figures()
	}
	out.Total = all.figures()
	return nil
}

// byChannel fills a report by channel, in the order of their names.
func (r *Reports) byChannel(ctx context.Context, p period, tree Tree, out *Report) error {
	channels, err := r.channels(ctx, p, tree)
	if err != nil {
		return err
	}
	all := channels[""]
	out.Total = all.figures()
	delete(channels, "")
	for name, t := range channels {
		out.Rows = append(out.Rows, Row{Label: name, Figures: t.figures()})
	}
	slices.SortFunc(out.Rows, func(a, b Row) int { return compareNames(a.Label, b.Label) })
	return nil
}
