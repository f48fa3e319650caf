package console

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-analyze/charts"
	"golang.org/x/text/width"

	"newsie/bot/origin"
	"newsie/internal/locale"
)

// A chartView is a picture on the page, in the sizes and colours that a browser
// chooses from.
type chartView struct {
	Heading        string
	Alt            string
	Kind           string
	Light, Dark    string // addresses
	Small, Darker  string // for telephones: light and dark
	Wide, WideDark string // where charts stand below each other: light and dark
	Width, Height  int
	SmallWidth     int
	SmallHeight    int
	WideWidth      int
	WideHeight     int
}

// mostBars is how many origins a chart shows.
const mostBars = 8

// A size is that of a chart, in pixels of CSS.
type size struct{ width, height int }

// sizes of the charts by kind and form: those that stand below each other are as
// wide as each other, so that their letters are as large.
func sizes(kind, form string) size {
	form, _, _ = strings.Cut(form, "-")
	switch {
	case kind == "origins" && form != "wide":
		return size{360, 320}
	case form == "small":
		return size{360, 220}
	}
	return size{720, 320}
}

func (c *Console) charts(q *request, a ask, report origin.Report) []chartView {
	var list []chartView
	total := report.Total.All()[slices.Index(figures[:], a.Show)]
	for _, kind := range []string{"time", "origins"} {
		if kind == "origins" && a.Below != 0 && report.By == origin.ByOrigin && len(report.Rows) < 2 {
			continue // it stands alone
		}
		large, small, wide := sizes(kind, ""), sizes(kind, "small"), sizes(kind, "wide")
		to := func(form string) string {
			values := a.values()
			values.Set("kind", kind)
			if form != "" {
				values.Set("form", form)
			}
			path := "origins"
			if a.Below != 0 {
				path += "/" + strconv.FormatInt(a.Below, 10)
			}
			return c.link(path + "/chart.svg?" + values.Encode())
		}
		list = append(list, chartView{
			Kind: kind, Heading: q.p.T("console.chart_"+kind, "Figure", q.p.T("console.figure_"+a.Show)),
			Alt:   q.p.T("console.chart_alt", "Figure", q.p.T("console.figure_"+a.Show), "Period", period(q.p, report.From, report.To), "Total", written(q.p, total)),
			Light: to(""), Dark: to("dark"), Small: to("small"), Darker: to("small-dark"),
			Wide: to("wide"), WideDark: to("wide-dark"), WideWidth: wide.width, WideHeight: wide.height,
			Width: large.width, Height: large.height, SmallWidth: small.width, SmallHeight: small.height,
		})
	}
	return list
}

// showChart draws a chart of the report that the page shows.
func (c *Console) showChart(q *request) (answer, error) {
	below := int64(0)
	if q.PathValue("id") != "" {
		id, ok := originID(q)
		if !ok {
			return c.nothing(q)
		}
		below = id
	}
	a, problem := readAsk(q.URL.Query(), below)
	kind, form := q.URL.Query().Get("kind"), q.URL.Query().Get("form")
	if problem != "" || kind != "time" && kind != "origins" {
		return c.nothing(q)
	}
	query := a.query(c.today())
	query.By = origin.ByOrigin
	if kind == "time" {
		query.By = origin.ByDay
		if days(query.From, query.To) > 92 {
			query.By = origin.ByWeek
		}
	}
	report, err := c.config.Reports.Report(q.Context(), query)
	if notThere(err) {
		return c.nothing(q)
	}
	if err != nil {
		return answer{}, err
	}
	drawn := drawing{p: q.p, figure: slices.Index(figures[:], a.Show), size: sizes(kind, form), dark: strings.HasSuffix(form, "dark")}
	var svg []byte
	if kind == "time" {
		svg, err = drawn.time(report)
	} else {
		svg, err = drawn.origins(report)
	}
	if err != nil {
		return answer{}, fmt.Errorf("draw a chart: %w", err)
	}
	return answer{status: http.StatusOK, kind: "image/svg+xml", body: svg, policy: picturePolicy}, nil
}

// days is how long a period is, 0 when that is not known.
func days(from, to string) int {
	first, err := time.Parse(time.DateOnly, from)
	last, more := time.Parse(time.DateOnly, to)
	if err != nil || more != nil {
		return 0
	}
	return int(last.Sub(first).Hours()/24) + 1
}

// A drawing is a chart of one figure.
type drawing struct {
	p      locale.Printer
	figure int
	size   size
	dark   bool
}

// colours of a chart: text, lines, what is shown, what is not.
func (d drawing) colours() (text, line, shown, hidden charts.Color) {
	hex := charts.ColorFromHex
	if d.dark {
		return hex("#9aa5a8"), hex("#2e373a"), hex("#63c9b4"), hex("#33544d")
	}
	return hex("#5d686d"), hex("#e4e1d9"), hex("#0e6b5e"), hex("#b7d3cc")
}

func (d drawing) painter() *charts.Painter {
	return charts.NewPainter(charts.PainterOptions{OutputFormat: charts.ChartOutputSVG, Width: d.size.width, Height: d.size.height})
}

// time draws a bar for each row of a report by day or week. One that is not shown is
// as high as what it may be.
func (d drawing) time(report origin.Report) ([]byte, error) {
	text, line, shown, hidden := d.colours()
	bars := [][]float64{make([]float64, len(report.Rows)), make([]float64, len(report.Rows))}
	labels := make([]string, len(report.Rows))
	top := 0.0
	most := max(2, d.size.width/95)
	every := max(1, (len(labels)+most-1)/most) // steps of one length
	for i, row := range report.Rows {
		if i%every == 0 {
			labels[i] = shortDay(d.p, row.From)
		}
		figure := row.Figures.All()[d.figure]
		bars[0][i] = float64(figure.N)
		if figure.Hidden {
			bars[1][i] = origin.Few - 1
		}
		top = max(top, bars[0][i]+bars[1][i])
	}
	opt := charts.NewBarChartOptionWithData(bars)
	opt.Theme = charts.MakeTheme(charts.ThemeOption{
		IsDarkMode: d.dark, AxisStrokeColor: line, AxisSplitLineColor: line, BackgroundColor: charts.ColorTransparent, TextColor: text, SeriesColors: []charts.Color{shown, hidden},
	})
	opt.Padding = charts.NewBox(4, 10, 8, 4)
	opt.StackSeries = charts.Ptr(true)
	opt.Legend.Show = charts.Ptr(false)
	opt.CategoryAxis.Labels = labels
	opt.CategoryAxis.LabelCount = len(labels)
	opt.CategoryAxis.LabelFontStyle = charts.NewFontStyleWithSize(10)
	const lines = 4
	step := niceStep(top / lines)
	opt.ValueAxis = []charts.ValueAxisOption{{
		Min: charts.Ptr(0.0), Max: charts.Ptr(step * lines), LabelCount: lines + 1, LabelFontStyle: charts.NewFontStyleWithSize(10),
		ValueFormatter: func(v float64) string { return written(d.p, origin.Figure{N: int64(math.Round(v))}) },
	}}
	painter := d.painter()
	if err := painter.BarChart(opt); err != nil {
		return nil, err
	}
	return finished(painter)
}

// niceStep is a round number that is not less, and at least 1.
func niceStep(least float64) float64 {
	for power := 1.0; ; power *= 10 {
		for _, step := range []float64{1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8} {
			if step*power >= least && step*power == math.Trunc(step*power) {
				return step * power
			}
		}
	}
}

// origins draws a bar for each of the largest origins next below, with its name
// above it, which may be in any script.
func (d drawing) origins(report origin.Report) ([]byte, error) {
	text, line, shown, hidden := d.colours()
	rows := slices.DeleteFunc(slices.Clone(nextBelow(report.Rows)), func(r origin.Row) bool { return r.Figures.All()[d.figure] == origin.Figure{} })
	value := func(r origin.Row) origin.Figure { return r.Figures.All()[d.figure] }
	slices.SortStableFunc(rows, func(a, b origin.Row) int { return cmp.Compare(value(b).N, value(a).N) })
	rows = rows[:min(len(rows), mostBars)]
	const each, margin = 39, 4
	d.size.height = max(len(rows), 3)*each + 2*margin
	painter := d.painter()
	top := int64(origin.Few - 1)
	for _, row := range rows {
		top = max(top, value(row).N)
	}
	const (
		left, thick, above = 4, 10, 17
		letters            = 10.0 // points
	)
	across := d.size.width - 2*left
	style := charts.FontStyle{FontSize: letters, FontColor: text}
	for i, row := range rows {
		y := margin + i*each
		figure := value(row)
		number := written(d.p, figure)
		painter.Text(shortened(label(d.p, origin.ByOrigin, row), float64(across-20-7*len(number))), left, y+above-5, 0, style)
		painter.Text(number, left+across, y+above-5, 0, style)
		painter.FilledRect(left, y+above, left+across, y+above+thick, line, line, 0)
		long, colour := int(figure.N*int64(across)/top), shown
		if figure.Hidden {
			long, colour = (origin.Few-1)*across/int(top), hidden
		}
		painter.FilledRect(left, y+above, left+max(long, 2), y+above+thick, colour, colour, 0)
	}
	svg, err := finished(painter)
	// Figures end where the bars do, whatever the browser's letters are like.
	at := fmt.Appendf(nil, `<text x="%d"`, left+across)
	return bytes.ReplaceAll(svg, at, append([]byte(`<text text-anchor="end"`), at[len("<text"):]...)), err
}

// nextBelow are the rows at the top, or those next below the only one there.
func nextBelow(rows []origin.Row) []origin.Row {
	at := func(depth int) (list []origin.Row) {
		for _, r := range rows {
			if r.Depth == depth {
				list = append(list, r)
			}
		}
		return list
	}
	top := at(0)
	if below := at(1); len(top) == 1 && len(below) > 0 {
		return below
	}
	return top
}

// shortened cuts a name to a width in pixels, as browsers draw it at 13 pixels:
// wide letters as wide as they are high, others half as wide and some.
func shortened(name string, most float64) string {
	const high, narrow = 13.4, 7.4
	wide := 0.0
	for i, r := range name {
		before := wide
		switch width.LookupRune(r).Kind() {
		case width.EastAsianWide, width.EastAsianFullwidth:
			wide += high
		default:
			wide += narrow
		}
		if wide > most && before > most-high {
			return strings.TrimRight(name[:i], " ") + "…"
		}
	}
	return name
}

// shortDay is a day beside an axis, in letters whose width is known.
func shortDay(p locale.Printer, day string) string {
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return day
	}
	switch p.Lang() {
	case "zh-Hans", "zh-Hant":
		return at.Format("1/2")
	case "it":
		return at.Format("2/1")
	}
	return at.Format("2 Jan")
}

// finished is a chart with the letters of the page.
func finished(painter *charts.Painter) ([]byte, error) {
	svg, err := painter.Bytes()
	if err != nil {
		return nil, err
	}
	return bytes.ReplaceAll(svg, []byte("font-family:'Roboto Medium',sans-serif"), []byte("font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans','PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif")), nil
}
