package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"newsie/bot/origin"
)

// reportFlags are what the publisher asks to be reported.
type reportFlags struct {
	from, to, by, touch, origin string

	asJSON, asCSV, noChart, all bool
}

func originReport(p *program) *cobra.Command {
	var f reportFlags
	c := &cobra.Command{
		Use: "report", Short: "Tell what each origin brought: readers who came and stayed, and what they read",
		Long: `Report tells, for a period of days, what origins brought, each with all below it:

  scans      how often a code was scanned or a link followed
  came       readers who came by it for the first time
  7d, 30d    how many of those who came in the period stayed so long, so far
  lost       readers of its who left in the period
  follows    topics that its readers began to follow
  questions  what they asked
  opens      articles that they opened, each once
  digests    digests that they got

A reader's doings count for the origin that the reader came by first, or with
--touch last for the latest. What fewer than five readers are behind is shown as
<5. Origins that brought nothing are left out of the table, unless --all; JSON and
CSV have them.`,
		Example: `  newsie origin report --from 2026-11-01 --by week
  newsie origin report --origin Chain/North --csv > north.csv`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			query, err := f.query()
			if err != nil {
				return err
			}
			return p.with(cmd, func(in *installation) error { return p.reportOrigins(cmd.Context(), in, query, f) })
		},
	}
	flags := c.Flags()
	flags.StringVar(&f.from, "from", "", "the first day, such as 2026-11-01; 29 days before the last without it")
	flags.StringVar(&f.to, "to", "", "the last day; today without it")
	flags.StringVar(&f.by, "by", "origin", "what the rows are: day, week, origin or channel")
	flags.StringVar(&f.touch, "touch", "first", "whose readers: of the origin they came by first, or last")
	flags.StringVar(&f.origin, "origin", "", "only this origin and those below it")
	flags.BoolVar(&f.asJSON, "json", false, "print JSON")
	flags.BoolVar(&f.asCSV, "csv", false, "print CSV")
	flags.BoolVar(&f.all, "all", false, "show origins that brought nothing, too")
	flags.BoolVar(&f.noChart, "no-chart", false, "only the table")
	return c
}

func (f reportFlags) query() (origin.Query, error) {
	q := origin.Query{From: f.from, To: f.to, By: origin.By(f.by), Touch: origin.First}
	switch {
	case f.touch == "last":
		q.Touch = origin.Last
	case f.touch != "first":
		return q, fmt.Errorf("--touch %q is neither first nor last", f.touch)
	case f.asJSON && f.asCSV:
		return q, errors.New("--json or --csv, not both")
	}
	return q, nil
}

func (p *program) reportOrigins(ctx context.Context, in *installation, q origin.Query, f reportFlags) error {
	of := ""
	if f.origin != "" {
		tree, err := in.book().Tree(ctx)
		if err != nil {
			return err
		}
		o, err := findOrigin(tree, f.origin)
		if err != nil {
			return err
		}
		q.Below, of = o.ID, tree.Path(o.ID)
	}
	r, err := origin.NewReports(in.db, in.zone(), time.Now).Report(ctx, q)
	var invalid *origin.InvalidError
	switch {
	case errors.As(err, &invalid):
		return fmt.Errorf("--%s: %s", invalid.Field, invalid.Problem)
	case err != nil:
		return err
	case f.asJSON:
		return p.printJSON(reportFor(r))
	case f.asCSV:
		return r.CSV(p.stdout, rowLabel, "total")
	}
	_, _ = fmt.Fprintf(p.stdout, "%s\n\n", reportHeading(r, of))
	columns := p.columns()
	busy, idle := r, 0
	if !f.all {
		busy, idle = withoutIdle(r)
	}
	if err := reportTable(busy, columns).print(p.stdout); err != nil {
		return err
	}
	if idle > 0 {
		_, _ = fmt.Fprintf(p.stdout, "%s\n", sayIdle(idle))
	}
	if f.noChart {
		return nil
	}
	if columns == 0 {
		columns = pipedColumns
	}
	_, err = fmt.Fprint(p.stdout, reportChart(r, columns))
	return err
}

// pipedColumns is how wide a chart is that no terminal shows.
const pipedColumns = 80

// columns is how wide the terminal is; 0: there is none.
func (p *program) columns() int {
	file, ok := p.stdout.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return 0
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil || width < 1 {
		return 0
	}
	return width
}

// rowLabel is what a row is called.
func rowLabel(row origin.Row) string {
	switch {
	case row.Label != "":
		return row.Label
	case row.Origin == origin.Unknown:
		return "unknown origin"
	case row.Origin == origin.Invitations:
		return "readers' invitations"
	}
	return "no origin"
}

// A reportJSON is a report for programs.
type reportJSON struct {
	From  string          `json:"from"`
	To    string          `json:"to"`
	By    origin.By       `json:"by"`
	Touch origin.Touch    `json:"touch"`
	Rows  []reportRowJSON `json:"rows"`
	Total origin.Figures  `json:"total"`
}

// A reportRowJSON is a row: a day, a week, a channel or an origin.
type reportRowJSON struct {
	Kind  string `json:"kind"` // day, week, channel; origin, none, unknown, invitations
	Label string `json:"label"`
	Path  string `json:"path,omitempty"`
	Code  string `json:"code,omitempty"`
	Depth int    `json:"depth"`
	From  string `json:"from,omitempty"`
	To    string `json:"to,omitempty"`
	origin.Figures
}

func reportFor(r origin.Report) reportJSON {
	out := reportJSON{r.From, r.To, r.By, r.Touch, make([]reportRowJSON, len(r.Rows)), r.Total}
	for i, row := range r.Rows {
		kind := string(r.By)
		if r.By == origin.ByOrigin {
			switch row.Origin {
			case origin.None:
				kind = "none"
			case origin.Unknown:
				kind = "unknown"
			case origin.Invitations:
				kind = "invitations"
			}
		}
		out.Rows[i] = reportRowJSON{kind, rowLabel(row), row.Path, row.Code, row.Depth, row.From, row.To, row.Figures}
	}
	return out
}

func reportHeading(r origin.Report, of string) string {
	what := "What origins brought"
	if of != "" {
		what = "What " + of + " brought"
	}
	return fmt.Sprintf("%s, %s to %s, by the %s that readers came by", what, r.From, r.To, map[origin.Touch]string{origin.First: "first origin", origin.Last: "latest origin"}[r.Touch])
}

// withoutIdle leaves out the origins that brought nothing, and of which none below
// did, and tells how many they are.
func withoutIdle(r origin.Report) (busy origin.Report, idle int) {
	if r.By != origin.ByOrigin {
		return r, 0
	}
	rows := make([]origin.Row, 0, len(r.Rows))
	above := 0 // how deep what is above the row after stands, if that is one to show; a depth counts from 1
	for _, row := range slices.Backward(r.Rows) {
		depth := row.Depth + 1
		switch {
		case row.Origin <= 0:
			rows = append(rows, row)
			continue
		case depth == above || row.Figures != (origin.Figures{}):
			above = depth - 1
		default:
			idle++
			continue
		}
		rows = append(rows, row)
	}
	slices.Reverse(rows)
	busy = r
	busy.Rows = rows
	return busy, idle
}

func sayIdle(n int) string {
	if n == 1 {
		return "1 origin brought nothing (--all shows it)"
	}
	return fmt.Sprintf("%d origins brought nothing (--all shows them)", n)
}

// leastLabel is how short names may become where a terminal is narrow.
const leastLabel = 12

// reportTable is a report as people read it, in as many columns of a terminal if
// names can be shortened so far; 0: in any.
func reportTable(r origin.Report, columns int) *table {
	headings := []string{string(r.By), "scans", "came", "7d", "30d", "lost", "follows", "questions", "opens", "digests"}
	t := newTable(headings...).numbers(1, 2, 3, 4, 5, 6, 7, 8, 9)
	for _, row := range r.Rows {
		t.row(append([]string{strings.Repeat("  ", row.Depth) + rowLabel(row)}, cells(row.Figures)...)...)
	}
	t.row(append([]string{"total"}, cells(r.Total)...)...)
	if columns > 0 {
		rest := 0
		for c := 1; c < len(headings); c++ {
			widest := 0
			for _, row := range t.rows {
				widest = max(widest, columnsOf(row[c]))
			}
			rest += widest + 2
		}
		for _, row := range t.rows {
			row[0] = shortened(row[0], max(leastLabel, columns-rest))
		}
	}
	return t
}

func cells(f origin.Figures) []string {
	list := f.All()
	out := make([]string, len(list))
	for i, figure := range list {
		out[i] = figure.String()
	}
	return out
}

// shortened is a text in so many columns of a terminal.
func shortened(text string, columns int) string {
	if columnsOf(text) <= columns {
		return text
	}
	for columnsOf(text) > columns-1 && text != "" {
		runes := []rune(text)
		text = string(runes[:len(runes)-1])
	}
	return text + "…"
}
