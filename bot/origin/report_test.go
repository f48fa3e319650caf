package origin_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"newsie/bot/origin"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

// A total is a row of origin_totals: the day, origin and channel it is of, and the
// columns that are not 0.
type total struct {
	touch   origin.Touch
	day     int64
	origin  int64
	channel string
	columns map[string]int64
}

func keep(t testing.TB, db *database.DB, totals ...total) {
	t.Helper()
	for _, row := range totals {
		names, values := []string{"touch", "day", "origin", "channel"}, []any{int64(row.touch), row.day, row.origin, row.channel}
		for name, n := range row.columns {
			names, values = append(names, name), append(values, n)
		}
		marks := strings.TrimSuffix(strings.Repeat("?, ", len(names)), ", ")
		if _, err := db.ExecContext(t.Context(), "INSERT INTO origin_totals ("+strings.Join(names, ", ")+") VALUES ("+marks+")", values...); err != nil {
			t.Fatal(err)
		}
	}
}

func newReports(db *database.DB) *origin.Reports {
	// In Shanghai it is Tuesday, the 24th, already.
	return origin.NewReports(db, time.FixedZone("east", 8*3600), func() time.Time { return monday.Add(10 * time.Hour) })
}

func report(t testing.TB, db *database.DB, q origin.Query) origin.Report {
	t.Helper()
	r, err := newReports(db).Report(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// lines are the rows of a report with one of the figures each, and the total.
func lines(r origin.Report, figure func(f origin.Figures) origin.Figure) string {
	var list []string
	for _, row := range r.Rows {
		label := row.Label
		switch {
		case r.By != origin.ByOrigin || label != "":
		case row.Origin == origin.None:
			label = "none"
		case row.Origin == origin.Unknown:
			label = "unknown"
		case row.Origin == origin.Invitations:
			label = "invitations"
		}
		list = append(list, strings.Repeat(">", row.Depth)+label+" "+figure(row.Figures).String())
	}
	return strings.Join(append(list, "total "+figure(r.Total).String()), ", ")
}

func came(f origin.Figures) origin.Figure { return f.Came }

// chain is a chain with a region, two shops and one shop beside it.
func chain(t testing.TB, b *origin.Book) map[string]int64 {
	t.Helper()
	ids := map[string]int64{}
	ids["Chain"] = add(t, b, "Chain", origin.None).ID
	ids["North"] = add(t, b, "North", ids["Chain"]).ID
	ids["Shop 2"] = add(t, b, "Shop 2", ids["North"]).ID
	ids["Shop 10"] = add(t, b, "Shop 10", ids["North"]).ID
	ids["Fair"] = add(t, b, "Fair", origin.None).ID
	for i, name := range []string{"guest 1", "guest 2"} {
		o, err := b.Invitation(t.Context(), origin.Reader{Channel: "tg", Chat: fmt.Sprint(i)})
		if err != nil {
			t.Fatal(err)
		}
		ids[name] = o.ID
	}
	return ids
}

func newcomers(n int64) map[string]int64 { return map[string]int64{"came": n} }

func TestAReportByOriginRollsUp(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ids := chain(t, newBook(db))
		keep(t, db,
			total{origin.First, 20261123, ids["Shop 2"], "tg", newcomers(10)},
			total{origin.First, 20261122, ids["Shop 2"], "wx", newcomers(3)},
			total{origin.First, 20261123, ids["Shop 10"], "tg", newcomers(20)},
			total{origin.First, 20261123, ids["Chain"], "tg", newcomers(7)},
			total{origin.First, 20261123, ids["guest 1"], "tg", newcomers(4)},
			total{origin.First, 20261123, ids["guest 2"], "tg", newcomers(5)},
			total{origin.First, 20261123, origin.None, "tg", newcomers(30)},
			total{origin.First, 20261123, origin.Unknown, "wx", newcomers(6)},
			total{origin.Last, 20261123, ids["Fair"], "tg", newcomers(77)},
			total{origin.First, 20261025, ids["Fair"], "tg", newcomers(1000)}, // before the period
			total{origin.First, 20261125, ids["Fair"], "tg", newcomers(1000)}, // after it
			total{origin.First, 20261026, ids["Fair"], "tg", newcomers(8)},    // its first day
			total{origin.First, 20261124, ids["Fair"], "tg", newcomers(9)},    // its last
		)
		r := report(t, db, origin.Query{})
		want := "Chain 40, >North 33, >>Shop 2 13, >>Shop 10 20, Fair 17, invitations 9, none 30, unknown 6, total 102"
		if got := lines(r, came); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if r.From != "2026-10-26" || r.To != "2026-11-24" || r.By != origin.ByOrigin || r.Touch != origin.First {
			t.Errorf("it is from %s to %s by %s and %s touch", r.From, r.To, r.By, r.Touch)
		}
		if row := r.Rows[2]; row.Path != "Chain/North/Shop 2" || row.Origin != ids["Shop 2"] || !origin.ValidCode(row.Code) || row.Depth != 2 {
			t.Errorf("a shop's row is %+v", row)
		}
		for name, tt := range map[string]struct {
			q    origin.Query
			want string
		}{
			"last touch":  {origin.Query{Touch: origin.Last}, "Chain 0, >North 0, >>Shop 2 0, >>Shop 10 0, Fair 77, invitations 0, none 0, unknown 0, total 77"},
			"one region":  {origin.Query{Below: ids["North"]}, "North 33, >Shop 2 13, >Shop 10 20, total 33"},
			"one shop":    {origin.Query{Below: ids["Shop 10"], From: "2026-11-23", To: "2026-11-23"}, "Shop 10 20, total 20"},
			"a shop's":    {origin.Query{Below: ids["Shop 2"], By: origin.ByChannel}, "tg 10, wx <5, total 13"},
			"by channel":  {origin.Query{By: origin.ByChannel}, "tg 93, wx 9, total 102"},
			"by day":      {origin.Query{By: origin.ByDay, From: "2026-11-21", To: "2026-11-24"}, "2026-11-21 0, 2026-11-22 <5, 2026-11-23 82, 2026-11-24 9, total 94"},
			"nothing":     {origin.Query{By: origin.ByChannel, To: "2026-01-31"}, "total 0"},
			"a day alone": {origin.Query{By: origin.ByDay, Below: ids["North"], From: "2026-11-22", To: "2026-11-22"}, "2026-11-22 <5, total <5"},
		} {
			got := lines(report(t, db, tt.q), came)
			if got != tt.want {
				t.Errorf("%s: got  %s\nwant %s", name, got, tt.want)
			}
		}
	})
}

func TestWeeksAreFromMonday(t *testing.T) {
	db := databasetest.SQLite(t)
	keep(t, db,
		total{origin.First, 20251228, 0, "tg", newcomers(5)}, total{origin.First, 20251229, 0, "tg", newcomers(6)},
		total{origin.First, 20260104, 0, "tg", newcomers(7)}, total{origin.First, 20260105, 0, "tg", newcomers(8)},
		total{origin.First, 20260119, 0, "tg", newcomers(9)},
	)
	r := report(t, db, origin.Query{By: origin.ByWeek, From: "2025-12-26", To: "2026-01-20"})
	if got, want := lines(r, came), "2025-W52 5, 2026-W01 13, 2026-W02 8, 2026-W03 0, 2026-W04 9, total 35"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for i, want := range []string{"2025-12-26 2025-12-28", "2025-12-29 2026-01-04", 4: "2026-01-19 2026-01-20"} {
		if got := r.Rows[i].From + " " + r.Rows[i].To; want != "" && got != want {
			t.Errorf("%s is from %s, want %s", r.Rows[i].Label, got, want)
		}
	}
}

func TestEveryFigureIsItsColumn(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		keep(t, db, total{origin.First, 20261123, 0, "tg", map[string]int64{
			"scans": 11, "came": 12, "stayed7": 13, "stayed30": 14, "lost": 15, "follows": 16, "followers": 5, "questions": 17, "askers": 5,
			"opens": 18, "openers": 5, "digests": 19, "receivers": 5,
		}})
		for _, by := range []origin.By{origin.ByDay, origin.ByWeek, origin.ByChannel, origin.ByOrigin} {
			r := report(t, db, origin.Query{By: by, Below: 0, From: "2026-11-23", To: "2026-11-23"})
			if got := fmt.Sprint(r.Total.All()); got != "[11 12 13 14 15 16 17 18 19]" {
				t.Errorf("by %s the figures are %s", by, got)
			}
		}
	})
}

// What came by a chain's own code may be of few readers on each channel, and of enough
// on both.
func TestReadersBehindWhatAnOriginBroughtItself(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ids := chain(t, newBook(db))
		followed := func(n, readers int64) map[string]int64 { return map[string]int64{"follows": n, "followers": readers} }
		keep(t, db,
			total{origin.First, 20261101, ids["North"], "tg", followed(10, 2)}, total{origin.First, 20261101, ids["North"], "wx", followed(10, 3)},
			total{origin.First, 20261101, ids["Shop 2"], "tg", followed(100, 50)},
		)
		r := report(t, db, origin.Query{To: "2026-11-07", Below: ids["North"]})
		if got, want := lines(r, func(f origin.Figures) origin.Figure { return f.Follows }), "North 120, >Shop 2 100, >Shop 10 0, total 120"; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

// What is behind follows, questions, opens and digests is how many readers did so on
// the day with the most of them, or how many did so for the first time.
func TestReadersBehindWhatTheyDo(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		did := func(times, readers, first int64) map[string]int64 {
			return map[string]int64{
				"follows": times, "followers": readers, "followers_new": first, "questions": times, "askers": readers, "askers_new": first,
				"opens": times, "openers": readers, "openers_new": first, "digests": times, "receivers": readers, "receivers_new": first,
			}
		}
		ids := chain(t, newBook(db))
		keep(t, db,
			// The same four, again and again.
			total{origin.First, 20261101, ids["Shop 2"], "tg", did(40, 4, 0)}, total{origin.First, 20261102, ids["Shop 2"], "tg", did(40, 4, 0)},
			// Two and three on one day, on two channels.
			total{origin.First, 20261101, ids["Shop 10"], "tg", did(10, 2, 0)}, total{origin.First, 20261101, ids["Shop 10"], "wx", did(10, 3, 0)},
			// Five who did so for the first time, each on a day of their own.
			total{origin.First, 20261101, ids["Fair"], "tg", did(1, 1, 1)}, total{origin.First, 20261102, ids["Fair"], "tg", did(1, 1, 1)},
			total{origin.First, 20261103, ids["Fair"], "tg", did(1, 1, 1)}, total{origin.First, 20261104, ids["Fair"], "tg", did(3, 2, 2)},
			// Invitations of two readers, on one day together five.
			total{origin.First, 20261105, ids["guest 1"], "tg", did(5, 4, 0)}, total{origin.First, 20261105, ids["guest 2"], "tg", did(5, 1, 0)},
			total{origin.First, 20261105, origin.None, "tg", did(500, 90, 1)}, total{origin.First, 20261105, origin.Unknown, "tg", did(600, 90, 1)},
		)
		for _, tt := range []struct {
			q    origin.Query
			want string
		}{
			{origin.Query{To: "2026-11-07"}, "Chain 100, >North 100, >>Shop 2 <5, >>Shop 10 20, Fair 6, invitations 10, none 500, unknown 600, total 1216"},
			{origin.Query{To: "2026-11-07", Below: ids["North"]}, "North 100, >Shop 2 <5, >Shop 10 20, total 100"},
			{origin.Query{To: "2026-11-07", Below: ids["Shop 2"]}, "Shop 2 <5, total <5"},
			{origin.Query{To: "2026-11-07", Below: ids["Shop 10"]}, "Shop 10 20, total 20"},
			{origin.Query{To: "2026-11-07", Below: ids["Shop 10"], By: origin.ByChannel}, "tg <5, wx <5, total 20"},
			{origin.Query{From: "2026-11-01", To: "2026-11-03", Below: ids["Shop 2"], By: origin.ByDay}, "2026-11-01 <5, 2026-11-02 <5, 2026-11-03 0, total <5"},
			{origin.Query{From: "2026-11-01", To: "2026-11-08", Below: ids["Fair"], By: origin.ByWeek}, "2026-W44 <5, 2026-W45 <5, total 6"},
		} {
			r := report(t, db, tt.q)
			for kind, figure := range map[string]func(f origin.Figures) origin.Figure{
				"follows": func(f origin.Figures) origin.Figure { return f.Follows }, "questions": func(f origin.Figures) origin.Figure { return f.Questions },
				"opens": func(f origin.Figures) origin.Figure { return f.Opens }, "digests": func(f origin.Figures) origin.Figure { return f.Digests },
			} {
				if got := lines(r, figure); got != tt.want {
					t.Errorf("%s: got  %s\nwant %s", kind, got, tt.want)
				}
			}
		}
	})
}

func TestAReportLeavesOutWhatWasOverBefore(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := newBook(db)
		east := time.FixedZone("east", 8*3600)
		end := time.Date(2026, 11, 1, 0, 0, 0, 0, east)
		closed := func(name string, parent int64, at time.Time) int64 {
			o, err := b.Add(t.Context(), origin.Origin{Name: name, Parent: parent, Ends: at})
			if err != nil {
				t.Fatal(err)
			}
			return o.ID
		}
		region := closed("closed, with an open shop", origin.None, end)
		add(t, b, "open", region)
		closed("over", origin.None, end)
		closed("over, a second later", origin.None, end.Add(time.Second))
		brought := closed("over, and it brought something", origin.None, end)
		keep(t, db, total{origin.First, 20261105, brought, "tg", newcomers(5)})
		r := report(t, db, origin.Query{From: "2026-11-01"})
		if got, want := lines(r, came), "closed, with an open shop 0, >open 0, over, a second later 0, over, and it brought something 5, invitations 0, none 0, unknown 0, total 5"; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

func TestABadQueryIsRefused(t *testing.T) {
	db := databasetest.SQLite(t)
	for name, tt := range map[string]struct {
		q     origin.Query
		field string
	}{
		"no day":         {origin.Query{From: "yesterday"}, "from"},
		"no last day":    {origin.Query{To: "2026-02-30"}, "to"},
		"the wrong way":  {origin.Query{From: "2026-11-23", To: "2026-11-22"}, "from"},
		"ages":           {origin.Query{From: "2016-01-01", To: "2026-11-22"}, "from"},
		"another sort":   {origin.Query{By: "shop"}, "by"},
		"an unknown one": {origin.Query{Below: 99}, ""},
	} {
		_, err := newReports(db).Report(t.Context(), tt.q)
		var invalid *origin.InvalidError
		if tt.field == "" != errors.Is(err, origin.ErrNoOrigin) || tt.field != "" && (!errors.As(err, &invalid) || invalid.Field != tt.field) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAReportForPrograms(t *testing.T) {
	got, err := json.Marshal(origin.Report{
		From: "2026-11-01", To: "2026-11-02", By: origin.ByDay, Touch: origin.Last,
		Rows:  []origin.Row{{Label: "2026-11-01", Figures: origin.Figures{Came: origin.Figure{Hidden: true}, Opens: origin.Figure{N: 7}}}},
		Total: origin.Figures{Scans: origin.Figure{N: 12}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"by":"day"`, `"touch":"last"`, `"label":"2026-11-01"`, `"came":"\u003c5"`, `"opens":7`, `"scans":12`} {
		if !strings.Contains(string(got), want) {
			t.Errorf("%s is not in %s", want, got)
		}
	}
}
