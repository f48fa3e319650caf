package console

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"newsie/bot/origin"
	"newsie/internal/locale"
)

// Reports are what origins brought; *origin.Reports in earnest.
type Reports interface {
	Report(ctx context.Context, q origin.Query) (origin.Report, error)
}

// A Book has the publisher's origins; *origin.Book in earnest.
type Book interface {
	Tree(ctx context.Context) (origin.Tree, error)
}

// A Way is one by which readers come to an origin: a code, or a link.
type Way struct {
	Channel string // that it opens; "": a page that knows all channels
	Kind    string // of that channel: wechat, telegram, webchat
	URL     string // what the code says; "": the platform has to make it first, see Codes.Make
}

// ErrNoAddress tells that codes would lead nowhere, because newsie does not know
// the address at which readers' telephones find it. That is how it was set up, and
// no trouble.
var ErrNoAddress = errors.New("what is printed must lead readers' telephones here, and no public_url says where that is: set it in newsie.yaml (public_url: https://news.example.org) or NEWSIE_PUBLIC_URL")

// Codes are the codes and links of origins, for print. All but Draw give
// ErrNoAddress where that is why there is none.
type Codes interface {
	// Ways lists those that an origin has. It asks no platform.
	Ways(ctx context.Context, o origin.Origin) ([]Way, error)
	// Make has a platform make the code of a channel, of which it may make only so
	// many.
	Make(ctx context.Context, o origin.Origin, channel string) error
	// Draw writes one as svg, png or pdf. lang is a reader's language, by which
	// Han characters are drawn.
	Draw(ctx context.Context, w io.Writer, o origin.Origin, way Way, format, lang string) error
	// Sheet writes a PDF of labels for several origins, with codes of one channel.
	Sheet(ctx context.Context, w io.Writer, list []origin.Origin, channel, lang string) error
}

// figures are those of a report in their order, as the catalogs name them.
var figures = [...]string{"scans", "came", "stayed7", "stayed30", "lost", "follows", "questions", "opens", "digests"}

// A choice is something that can be chosen instead of what is shown.
type choice struct {
	Label string
	To    string
	On    bool
}

// A tile is a figure of all together.
type tile struct {
	choice
	Figure string
	About  string
}

// originsView is the page about what origins brought.
type originsView struct {
	frame
	Period  string // in words
	Wrong   string // about what was asked for
	Ask     ask
	Origin  *originView // that the page is about; nil: all
	Ranges  []choice
	Touches []choice
	Rows    []choice
	Tiles   []tile
	Charts  []chartView
	Table   tableView
	Origins []option // to choose one from
	CSV     string
	Empty   bool // nothing was counted yet
}

// An option is one origin of a list.
type option struct {
	ID    int64
	Label string
	On    bool
}

// A tableView is a report's table.
type tableView struct {
	First    string // what the rows are
	Headings []heading
	Rows     []rowView
	Total    []string
	Tree     bool // rows have others below them
	Days     bool // rows are days or weeks
	Hidden   bool // some figures are not shown
}

type heading struct {
	Name string
	On   bool
}

type rowView struct {
	Label string
	Note  string
	To    string
	Depth int
	Above bool // there are rows below it
	Cells []cell
}

type cell struct {
	Text string
	Zero bool
	On   bool
}

func (c *Console) showOrigins(q *request) (answer, error) {
	asked := q.URL.Query()
	if id, err := strconv.ParseInt(asked.Get("below"), 10, 64); err == nil && id > 0 {
		a, _ := readAsk(asked, 0)
		a.Below = id
		return answer{status: http.StatusSeeOther, to: a.link("origins")}, nil
	}
	return c.origins(q, 0)
}

func (c *Console) showOrigin(q *request) (answer, error) {
	id, ok := originID(q)
	if !ok {
		return c.nothing(q)
	}
	return c.origins(q, id)
}

// originID is that of the address, in the one way in which it is written.
func originID(q *request) (int64, bool) {
	text := q.PathValue("id")
	id, err := strconv.ParseInt(text, 10, 64)
	return id, err == nil && id > 0 && strconv.FormatInt(id, 10) == text
}

func (c *Console) origins(q *request, below int64) (answer, error) {
	tree, err := c.config.Book.Tree(q.Context())
	if err != nil {
		return answer{}, err
	}
	about, ok := tree.ByID(below)
	if below != 0 && !ok {
		return c.nothing(q)
	}
	a, problem := readAsk(q.URL.Query(), below)
	status, report, err := http.StatusOK, origin.Report{}, error(nil)
	if problem == "" {
		report, err = c.config.Reports.Report(q.Context(), a.query(c.today()))
	}
	if invalid := (*origin.InvalidError)(nil); errors.As(err, &invalid) || problem != "" {
		status, problem = http.StatusBadRequest, "period"
		usual := a
		usual.Range, usual.From, usual.To = usualRange, "", ""
		if report, err = c.config.Reports.Report(q.Context(), usual.query(c.today())); err == nil {
			a.Range, a.From, a.To = usualRange, "", ""
		}
	}
	if err != nil {
		return answer{}, err
	}
	view := c.originsView(q, a, report, tree)
	if problem != "" {
		view.Wrong = q.p.T("console.wrong_period")
	}
	if below != 0 {
		if view.Origin, err = c.originView(q, a, about, tree); err != nil {
			return answer{}, err
		}
		view.Title = about.Name
	}
	return c.show(status, "origins", view)
}

func (c *Console) today() time.Time { return c.config.Now().In(c.config.Zone) }

func (c *Console) originsView(q *request, a ask, report origin.Report, tree origin.Tree) originsView {
	p := q.p
	view := originsView{
		frame: c.frame(q, "origins", p.T("console.origins")), Ask: a, Period: period(p, report.From, report.To),
		CSV: c.link(a.link("origins.csv")), Empty: report.Total == origin.Figures{},
	}
	if a.Below != 0 {
		view.CSV = c.link(a.link("origins", "report.csv"))
	}
	if view.Ask.From == "" { // what the fields of days begin with
		view.Ask.From, view.Ask.To = report.From, report.To
	}
	choose := func(label string, to ask, on bool) choice { return choice{label, c.link(to.link("origins")), on} }
	for _, days := range ranges {
		to := a
		to.Range, to.From, to.To = days, "", ""
		view.Ranges = append(view.Ranges, choose(p.T("console.range_"+days), to, a.Range == days))
	}
	for _, touch := range []origin.Touch{origin.First, origin.Last} {
		to := a
		to.Touch = touch
		view.Touches = append(view.Touches, choose(p.T("console.touch_"+touch.String()), to, a.Touch == touch))
	}
	for _, by := range bys {
		to := a
		to.By = by
		view.Rows = append(view.Rows, choose(p.T("console.by_"+string(by)), to, a.By == by))
	}
	for i, figure := range report.Total.All() {
		to := a
		to.Show = figures[i]
		view.Tiles = append(view.Tiles, tile{choose(p.T("console.figure_"+figures[i]), to, a.Show == figures[i]), written(p, figure), p.T("console.about_" + figures[i])})
	}
	view.Charts = c.charts(q, a, report)
	view.Table = c.table(q, a, report)
	for depth, o := range tree.All() {
		view.Origins = append(view.Origins, option{o.ID, indent(depth) + o.Name, o.ID == a.Below})
	}
	return view
}

// indent sets an origin below another apart in a list that knows no markup.
func indent(depth int) string {
	const most = 6
	text := ""
	for range min(depth, most) {
		text += "\u2003"
	}
	return text
}

func (c *Console) table(q *request, a ask, report origin.Report) tableView {
	t := tableView{First: q.p.T("console.row_" + string(report.By)), Tree: slices.ContainsFunc(report.Rows, func(r origin.Row) bool { return r.Depth > 0 }), Days: report.By == origin.ByDay || report.By == origin.ByWeek}
	for _, figure := range figures {
		t.Headings = append(t.Headings, heading{q.p.T("console.figure_" + figure), figure == a.Show})
	}
	for i, row := range report.Rows {
		view := rowView{Label: label(q.p, report.By, row), Depth: min(row.Depth, 6), Above: i+1 < len(report.Rows) && report.Rows[i+1].Depth > row.Depth}
		if report.By == origin.ByWeek {
			view.Note = period(q.p, row.From, row.To)
		}
		if row.Origin > 0 && row.Origin != a.Below {
			to := a
			to.Below = row.Origin
			view.To = c.link(to.link("origins"))
		}
		for k, figure := range row.Figures.All() {
			view.Cells = append(view.Cells, cell{written(q.p, figure), figure == origin.Figure{}, figures[k] == a.Show})
			t.Hidden = t.Hidden || figure.Hidden
		}
		t.Rows = append(t.Rows, view)
	}
	for _, figure := range report.Total.All() {
		t.Total = append(t.Total, written(q.p, figure))
		t.Hidden = t.Hidden || figure.Hidden
	}
	return t
}

// label names a row.
func label(p locale.Printer, by origin.By, row origin.Row) string {
	switch by {
	case origin.ByOrigin:
		switch row.Origin {
		case origin.None:
			return p.T("console.origin_none")
		case origin.Unknown:
			return p.T("console.origin_unknown")
		case origin.Invitations:
			return p.T("console.origin_invitations")
		}
	case origin.ByDay:
		if day, err := time.Parse(time.DateOnly, row.Label); err == nil {
			return p.Date(day)
		}
	}
	return row.Label
}

// period is a time in words.
func period(p locale.Printer, from, to string) string {
	first, err := time.Parse(time.DateOnly, from)
	last, more := time.Parse(time.DateOnly, to)
	switch {
	case err != nil || more != nil:
		return ""
	case from == to:
		return p.Date(first)
	}
	return p.T("console.from_to", "From", p.Date(first), "To", p.Date(last))
}

// written is a figure with what parts its thousands.
func written(p locale.Printer, f origin.Figure) string {
	text := f.String()
	if f.Hidden {
		return text
	}
	mark := ","
	if p.Lang() == "it" {
		mark = "."
	}
	digits := strconv.FormatInt(f.N, 10)
	for at := len(digits) - 3; at > 0 && digits[at-1] != '-'; at -= 3 {
		digits = digits[:at] + mark + digits[at:]
	}
	return digits
}

// An ask is what is to be seen of what origins brought.
type ask struct {
	Range    string // of ranges; "": From and To say it
	From, To string // days
	By       origin.By
	Touch    origin.Touch
	Show     string // the figure of the charts
	Below    int64
}

const usualRange = "30"

// ranges are how many days up to today can be chosen at once.
var ranges = []string{"7", "30", "90", "365"}

var bys = []origin.By{origin.ByOrigin, origin.ByDay, origin.ByWeek, origin.ByChannel}

// readAsk reads what an address asks for. What it does not know is as if it had not
// been there, but for days, about which something would be wrong.
func readAsk(values url.Values, below int64) (a ask, problem string) {
	a = ask{Range: usualRange, By: origin.ByOrigin, Touch: origin.First, Show: "came", Below: below}
	from, to := values.Get("from"), values.Get("to")
	switch asked := values.Get("range"); {
	case slices.Contains(ranges, asked):
		a.Range = asked
	case from != "" || to != "":
		a.Range, a.From, a.To = "", from, to
		for _, day := range []string{from, to} {
			if at, err := time.Parse(time.DateOnly, day); day != "" && (err != nil || at.Year() < 1970) {
				problem = "period"
			}
		}
	}
	if by := origin.By(values.Get("by")); slices.Contains(bys, by) {
		a.By = by
	}
	if values.Get("touch") == origin.Last.String() {
		a.Touch = origin.Last
	}
	if show := values.Get("show"); slices.Contains(figures[:], show) {
		a.Show = show
	}
	return a, problem
}

// query is what is asked of Reports.
func (a ask) query(today time.Time) origin.Query {
	query := origin.Query{From: a.From, To: a.To, By: a.By, Touch: a.Touch, Below: a.Below}
	if days, err := strconv.Atoi(a.Range); err == nil {
		query.To = today.Format(time.DateOnly)
		query.From = today.AddDate(0, 0, 1-days).Format(time.DateOnly)
	}
	return query
}

// link is the address of what is asked for, below the console: page, the origin
// that it is about, and then what of it.
func (a ask) link(page string, part ...string) string {
	if a.Below != 0 {
		page += "/" + strconv.FormatInt(a.Below, 10)
	}
	for _, p := range part {
		page += "/" + p
	}
	if values := a.values(); len(values) > 0 {
		page += "?" + values.Encode()
	}
	return page
}

// values are what differs from the usual.
func (a ask) values() url.Values {
	values := url.Values{}
	set := func(key, value, usual string) {
		if value != usual {
			values.Set(key, value)
		}
	}
	set("range", a.Range, usualRange)
	if a.Range == "" {
		values.Del("range")
		set("from", a.From, "")
		set("to", a.To, "")
	}
	set("by", string(a.By), string(origin.ByOrigin))
	set("touch", a.Touch.String(), origin.First.String())
	set("show", a.Show, "came")
	return values
}
