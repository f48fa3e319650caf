package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"newsie/bot/origin"
)

// cameOn is a report of days on which so many came; -1 is hidden.
func cameOn(counts ...int64) origin.Report {
	r := origin.Report{By: origin.ByDay}
	for i, n := range counts {
		row := origin.Row{Label: fmt.Sprintf("2026-%02d-%02d", i/28+1, i%28+1)}
		if row.Came.N = n; n < 0 {
			row.Came = origin.Figure{Hidden: true}
		}
		r.Rows = append(r.Rows, row)
	}
	return r
}

func TestAChartOverTimeFitsTheTerminal(t *testing.T) {
	year := make([]int64, 336)
	for i := range year {
		year[i] = int64(i % 90)
	}
	year[200] = 123_456
	for _, columns := range []int{40, 80, 200, 500} {
		for name, r := range map[string]origin.Report{"two days": cameOn(0, 7), "a month": cameOn(year[:28]...), "a year": cameOn(year...)} {
			chart := reportChart(r, columns)
			for line := range strings.Lines(chart) {
				if n := columnsOf(strings.TrimRight(line, "\n")); n > columns {
					t.Errorf("%s in %d columns: a line has %d: %q", name, columns, n, line)
				}
			}
			if lines := strings.Count(chart, "\n"); lines != chartHeight+4 || !strings.Contains(chart, r.Rows[0].Label) || !strings.Contains(chart, r.Rows[len(r.Rows)-1].Label) {
				t.Errorf("%s in %d columns is\n%s", name, columns, chart)
			}
		}
	}
}

func TestWhoCameOnOneDayStandsOnOneDay(t *testing.T) {
	for name, tt := range map[string]struct {
		r       origin.Report
		columns int
		want    string
	}{
		"one day of five": {cameOn(0, 0, 89, 0, 0), 40, `
came by day
89 │          ████
   │          ████
   │          ████
   │          ████
   │          ████
   │          ████
   │          ████
   │          ████
 0 └────────────────────────
    2026-01-01    2026-01-05
`},
		"eighths, and a few": {cameOn(64, 8, 9, 1, -1, 32), 80, `
came by day (<5 is drawn as 0)
64 │████
   │████
   │████
   │████
   │████                     ████
   │████                     ████
   │████      ▁▁▁▁           ████
   │████ ████ ████ ▁▁▁▁      ████
 0 └─────────────────────────────
    2026-01-01         2026-01-06
`},
		"three days to a column": {cameOn(append(make([]int64, 60), 0, 5, 3, 8)...), 27, `
came by day, 3 days a column
8 │                    ██
  │                    ██
  │                    ██
  │                    ██
  │                    ██
  │                    ██
  │                    ██
  │                    ██
0 └──────────────────────
   2026-01-01  2026-03-08
`},
	} {
		if got := reportChart(tt.r, tt.columns); got != tt.want {
			t.Errorf("%s: got%s\nwant%s", name, got, tt.want)
		}
	}
}

func TestOriginsThatBroughtNothingAreLeftOut(t *testing.T) {
	var r origin.Report
	r.By = origin.ByOrigin
	add := func(id int64, depth int, name string, f origin.Figures) {
		r.Rows = append(r.Rows, origin.Row{Label: name, Origin: id, Depth: depth, Figures: f})
	}
	few := origin.Figures{Lost: origin.Figure{Hidden: true}}
	add(1, 0, "Chain", origin.Figures{}) // whose gains and losses are equal
	add(2, 1, "North", origin.Figures{})
	add(3, 2, "Shop 1", origin.Figures{})
	add(4, 2, "Shop 2", few)
	add(5, 2, "Shop 3", origin.Figures{})
	add(6, 1, "South", origin.Figures{})
	add(7, 2, "Shop 4", origin.Figures{})
	add(8, 0, "Fair", origin.Figures{Opens: origin.Figure{N: 9}})
	add(9, 0, "Other", origin.Figures{})
	add(origin.None, 0, "", origin.Figures{})
	busy, idle := withoutIdle(r)
	var names []string
	for _, row := range busy.Rows {
		names = append(names, rowLabel(row))
	}
	if got, want := fmt.Sprint(names, idle), "[Chain North Shop 2 Fair no origin] 5"; got != want || len(r.Rows) != 10 {
		t.Errorf("got %s of %d, want %s", got, len(r.Rows), want)
	}
	r.By = origin.ByDay
	if busy, idle := withoutIdle(r); idle != 0 || len(busy.Rows) != len(r.Rows) {
		t.Errorf("%d days are left out", idle)
	}
}

func TestThereIsNoChartOfNothing(t *testing.T) {
	for name, r := range map[string]origin.Report{"nobody": cameOn(0, 0, 0), "few": cameOn(-1, 0), "one day": cameOn(70), "no rows": cameOn()} {
		if chart := reportChart(r, 80); chart != "" {
			t.Errorf("%s is drawn:\n%s", name, chart)
		}
	}
}

func TestBarsOfOneLevel(t *testing.T) {
	r := origin.Report{By: origin.ByOrigin}
	add := func(id int64, depth int, name string, n int64) {
		r.Rows = append(r.Rows, origin.Row{Label: name, Origin: id, Depth: depth, Figures: origin.Figures{Came: origin.Figure{N: n}}})
	}
	add(1, 0, "连锁", 150)
	add(2, 1, "North", 100)
	add(3, 2, "Shop 1", 100)
	add(4, 1, "一个很长的名字的地区和它的所有商店以及所有柜台", 50)
	add(origin.None, 0, "", 25)
	want := "\ncame by origin\n" +
		"North          100  ████████████████████\n" +
		"一个很长的名…   50  ██████████\n" +
		"no origin       25  █████\n"
	if got := reportChart(r, 40); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for i := range int64(30) {
		add(10+i, 1, fmt.Sprint("Region ", i), 30-i)
	}
	if got := reportChart(r, 80); !strings.Contains(got, "… and 13 with fewer\n") || strings.Contains(got, "Region 25") || !strings.Contains(got, "North") {
		t.Errorf("of 33 rows is shown\n%s", got)
	}
}

func TestATableIsAsNarrowAsNamesAllow(t *testing.T) {
	r := origin.Report{By: origin.ByOrigin, Rows: []origin.Row{{Label: strings.Repeat("很长的名字", 10), Origin: 1, Depth: 1}}}
	for columns, want := range map[int]int{0: 2 + 100 + 64, 100: 100, 10: leastLabel + 64} {
		var b strings.Builder
		if err := reportTable(r, columns).print(&b); err != nil {
			t.Fatal(err)
		}
		widest := 0
		for line := range strings.Lines(b.String()) {
			widest = max(widest, columnsOf(strings.TrimRight(line, "\n")))
		}
		if widest > want || columns == 0 && widest < 140 {
			t.Errorf("in %d columns it takes %d, want %d", columns, widest, want)
		}
	}
}

func TestHiddenFiguresAreNotEscapedInJSON(t *testing.T) {
	var b strings.Builder
	p := &program{stdout: &b}
	if err := errors.Join(p.printJSON(reportFor(cameOn(-1))), p.printJSON(originJSON{Came: &origin.Figure{Hidden: true}})); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); strings.Count(got, `"came": "<5"`) != 2 || strings.Contains(got, `\u`) {
		t.Errorf("got\n%s", got)
	}
}
