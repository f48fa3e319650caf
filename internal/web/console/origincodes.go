package console

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"newsie/bot/origin"
)

// sheetPatience is how long hundreds of labels may take.
const sheetPatience = 90 * time.Second

// originView is what a page tells about one origin.
type originView struct {
	Name    string
	Code    string
	Notes   string
	Path    []choice // those above it
	Open    string   // when it is open, in words; "": always
	Closed  bool
	Ways    []wayView
	Below   int    // how many there are below it
	Sheet   string // the address of a sheet of all of them; "": there is none
	Trouble string // why there are no codes
}

// wayView is a code or link with what can be done with it.
type wayView struct {
	Way
	Name      string
	Picture   string // "": it has to be made first
	Downloads []choice
}

func (c *Console) originView(q *request, a ask, o origin.Origin, tree origin.Tree) (*originView, error) {
	now := c.config.Now()
	view := &originView{Name: o.Name, Code: o.Code, Notes: o.Notes, Below: len(tree.Below(o.ID)) - 1, Closed: !o.Ends.IsZero() && !o.Ends.After(now)}
	for up := o.Parent; len(view.Path) < 20; {
		parent, ok := tree.ByID(up)
		if !ok {
			break
		}
		to := a
		to.Below = parent.ID
		view.Path = append([]choice{{Label: parent.Name, To: c.link(to.link("origins"))}}, view.Path...)
		up = parent.Parent
	}
	switch {
	case view.Closed:
		view.Open = q.p.T("console.closed_since", "Day", c.moment(q, o.Ends))
	case o.Starts.After(now):
		view.Open = q.p.T("console.opens_on", "Day", c.moment(q, o.Starts))
	case !o.Ends.IsZero():
		view.Open = q.p.T("console.open_until", "Day", c.moment(q, o.Ends))
	}
	if c.config.Codes == nil || view.Closed {
		return view, nil
	}
	ways, err := c.config.Codes.Ways(q.Context(), o)
	if errors.Is(err, ErrNoAddress) {
		view.Trouble = q.p.T("console.no_address")
		return view, nil
	}
	if err != nil {
		c.config.Logger.Warn("an origin's codes are not shown", "origin", o.Code, "error", err)
		view.Trouble = q.p.T("console.codes_trouble")
		return view, nil
	}
	at := "origins/" + strconv.FormatInt(o.ID, 10)
	for _, way := range ways {
		w := wayView{Way: way, Name: c.wayName(q, way)}
		if way.URL != "" {
			query := ""
			if way.Channel != "" {
				query = "?" + url.Values{"channel": {way.Channel}}.Encode()
			}
			w.Picture = c.link(at + "/code.svg" + query)
			for _, format := range []string{"svg", "png", "pdf"} {
				w.Downloads = append(w.Downloads, choice{Label: strings.ToUpper(format), To: c.link(at + "/code." + format + query + map[bool]string{true: "&", false: "?"}[query != ""] + "keep=1")})
			}
		}
		view.Ways = append(view.Ways, w)
	}
	if view.Below > 0 {
		view.Sheet = c.link(at + "/sheet.pdf")
	}
	return view, nil
}

func (c *Console) wayName(q *request, way Way) string {
	name := q.p.T("console.way_page")
	if way.Channel != "" {
		name = q.p.T("console.way_" + way.Kind)
	}
	return name
}

// here finds the origin of an address, with its way where one is asked for.
func (c *Console) here(q *request) (o origin.Origin, tree origin.Tree, ok bool, err error) {
	id, ok := originID(q)
	if !ok || c.config.Codes == nil {
		return o, tree, false, nil
	}
	if tree, err = c.config.Book.Tree(q.Context()); err != nil {
		return o, tree, false, err
	}
	o, ok = tree.ByID(id)
	return o, tree, ok, nil
}

// showCode draws a code.
func (c *Console) showCode(q *request) (answer, error) {
	o, _, ok, err := c.here(q)
	format, known := strings.CutPrefix(q.PathValue("file"), "code.")
	if err != nil || !ok || !known || format != "svg" && format != "png" && format != "pdf" {
		if err != nil {
			return answer{}, err
		}
		return c.nothing(q)
	}
	ways, err := c.config.Codes.Ways(q.Context(), o)
	if errors.Is(err, ErrNoAddress) {
		return c.notice(q, http.StatusConflict, "no_address")
	}
	if err != nil {
		return answer{}, err
	}
	for _, way := range ways {
		if way.Channel != q.URL.Query().Get("channel") || way.URL == "" {
			continue
		}
		var picture bytes.Buffer
		if err := c.config.Codes.Draw(q.Context(), &picture, o, way, format, q.p.Lang()); err != nil {
			return answer{}, fmt.Errorf("draw the code of %s: %w", o.Code, err)
		}
		a := answer{status: http.StatusOK, body: picture.Bytes(), policy: picturePolicy}
		a.kind = map[string]string{"svg": "image/svg+xml", "png": "image/png", "pdf": "application/pdf"}[format]
		if q.URL.Query().Get("keep") != "" || format == "pdf" {
			a.name = strings.Trim(o.Name+" "+way.Channel, " ") + "." + format
		}
		return a, nil
	}
	return c.nothing(q)
}

// showSheet draws labels of an origin and all that are below it and not closed.
func (c *Console) showSheet(q *request) (answer, error) {
	o, tree, ok, err := c.here(q)
	if err != nil {
		return answer{}, err
	}
	if !ok {
		return c.nothing(q)
	}
	var list []origin.Origin
	for _, below := range tree.Below(o.ID) {
		if below.Ends.IsZero() || below.Ends.After(c.config.Now()) {
			list = append(list, below)
		}
	}
	if len(list) == 0 {
		return c.nothing(q)
	}
	var sheet bytes.Buffer
	err = c.config.Codes.Sheet(q.Context(), &sheet, list, q.PostForm.Get("channel"), q.p.Lang())
	if errors.Is(err, ErrNoAddress) {
		return c.notice(q, http.StatusConflict, "no_address")
	}
	if err != nil {
		return answer{}, fmt.Errorf("draw the sheet of %s: %w", o.Code, err)
	}
	return answer{status: http.StatusOK, kind: "application/pdf", body: sheet.Bytes(), name: o.Name + ".pdf"}, nil
}

// makeCode has a platform make a code.
func (c *Console) makeCode(q *request) (answer, error) {
	o, _, ok, err := c.here(q)
	if err != nil {
		return answer{}, err
	}
	if !ok {
		return c.nothing(q)
	}
	key := "console.code_made"
	err = c.config.Codes.Make(q.Context(), o, q.PostForm.Get("channel"))
	if errors.Is(err, ErrNoAddress) {
		return c.notice(q, http.StatusConflict, "no_address")
	}
	if err != nil {
		c.config.Logger.Warn("a code could not be made", "origin", o.Code, "channel", q.PostForm.Get("channel"), "error", err)
		key = "console.code_refused"
	}
	c.say(q, key)
	return answer{status: http.StatusSeeOther, to: "origins/" + strconv.FormatInt(o.ID, 10)}, nil
}

// byteOrderMark tells Excel that a file is UTF-8.
const byteOrderMark = "\ufeff"

// saveReport gives the table that the page shows as a file for spreadsheets.
func (c *Console) saveReport(q *request) (answer, error) {
	below := int64(0)
	if q.PathValue("id") != "" {
		id, ok := originID(q)
		if !ok {
			return c.nothing(q)
		}
		below = id
	}
	a, problem := readAsk(q.URL.Query(), below)
	if problem != "" {
		return c.notice(q, http.StatusBadRequest, "wrong_period")
	}
	report, err := c.config.Reports.Report(q.Context(), a.query(c.today()))
	if notThere(err) {
		return c.nothing(q)
	}
	if err != nil {
		return answer{}, err
	}
	data, err := c.reportFile(q, report)
	if err != nil {
		return answer{}, err
	}
	name := fmt.Sprintf("origins %s %s by %s.csv", report.From, report.To, report.By)
	return answer{status: http.StatusOK, kind: "text/csv; charset=utf-8", body: data, name: name}, nil
}

func (c *Console) reportFile(q *request, report origin.Report) ([]byte, error) {
	var file bytes.Buffer
	file.WriteString(byteOrderMark)
	w := csv.NewWriter(&file)
	w.UseCRLF = true
	write := func(label, path, code string, f origin.Figures) error {
		cells := []string{label}
		if report.By == origin.ByOrigin {
			cells = append(cells, path, code)
		}
		for _, figure := range f.All() {
			cells = append(cells, figure.String())
		}
		for i, text := range cells {
			cells[i] = origin.Cell(text)
		}
		return w.Write(cells)
	}
	heading := []string{q.p.T("console.row_" + string(report.By))}
	if report.By == origin.ByOrigin {
		heading = append(heading, q.p.T("console.path"), q.p.T("console.code"))
	}
	for _, figure := range figures {
		heading = append(heading, q.p.T("console.figure_"+figure))
	}
	err := w.Write(heading)
	for _, row := range report.Rows {
		name := row.Label // of a day and a week, as programs write it
		if report.By == origin.ByOrigin {
			name = label(q.p, report.By, row)
		}
		err = errors.Join(err, write(name, row.Path, row.Code, row.Figures))
	}
	err = errors.Join(err, write(q.p.T("console.total"), "", "", report.Total))
	w.Flush()
	return file.Bytes(), errors.Join(err, w.Error())
}

// notThere tells of what a report cannot be made of: no page leads there.
func notThere(err error) bool {
	var invalid *origin.InvalidError
	return errors.Is(err, origin.ErrNoOrigin) || errors.As(err, &invalid)
}
