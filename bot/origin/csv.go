package origin

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The columns of a file of origins. A file has name, and parent if it likes, or
// path, which says both; all others may be left out.
const (
	colPath    = "path"
	colName    = "name"
	colParent  = "parent"
	colCode    = "code"
	colNotes   = "notes"
	colStarts  = "starts"
	colEnds    = "ends"
	colWelcome = "welcome"
	colArticle = "article"
	colTopic   = "topic"
)

var allColumns = []string{colPath, colName, colParent, colCode, colNotes, colStarts, colEnds, colWelcome, colArticle, colTopic}

// mostLines is how many origins one file may have.
const mostLines = 200_000

// A LineError is what is wrong with a line of a file.
type LineError struct {
	Line int
	What string
}

func (e LineError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.What) }

// LineErrors are all that is wrong with a file, in the order of its lines.
type LineErrors []LineError

func (e LineErrors) Error() string {
	lines := make([]string, len(e))
	for i, problem := range e {
		lines[i] = problem.Error()
	}
	return strings.Join(lines, "\n")
}

// A line of a file.
type line struct {
	at     int
	cells  map[string]string // of the columns that the file has
	path   []string          // the last is the name
	parent string            // in a file without path: what says the parent
}

// readLines reads a file. Its error is of LineErrors unless reading itself failed.
func readLines(r io.Reader) ([]line, LineErrors, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, nil, fmt.Errorf("read the file: %w", err)
	}
	text := strings.TrimPrefix(string(data), byteOrderMark)
	skipped := 0
	comma := separator(text)
	if first, rest, _ := strings.Cut(text, "\n"); strings.HasPrefix(strings.ToLower(first), "sep=") { // Excel's own
		text, skipped = rest, 1
	}
	in := csv.NewReader(strings.NewReader(text))
	in.Comma, in.FieldsPerRecord, in.ReuseRecord = comma, -1, true
	var columns []string
	var lines []line
	var problems LineErrors
	for {
		record, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		var bad *csv.ParseError
		if errors.As(err, &bad) {
			problems = append(problems, LineError{bad.StartLine + skipped, unclosed(bad, skipped)})
			continue // behind what it took for that line
		}
		if err != nil {
			return nil, nil, fmt.Errorf("read the file: %w", err)
		}
		at, _ := in.FieldPos(0)
		at += skipped
		switch {
		case !slices.ContainsFunc(record, func(cell string) bool { return strings.TrimSpace(cell) != "" }):
		case columns == nil:
			var unknown []string
			columns, unknown, err = header(record)
			if len(unknown) > 0 {
				problems = append(problems, LineError{at, fmt.Sprintf("there is no column %s: they are %s", strings.Join(unknown, ", "), strings.Join(allColumns, ", "))})
			}
			if err != nil {
				return nil, append(problems, LineError{at, err.Error()}), nil
			}
		case len(lines) == mostLines:
			return nil, LineErrors{{at, fmt.Sprintf("a file has %d origins at most", mostLines)}}, nil
		default:
			l, err := newLine(at, columns, record)
			if err != nil {
				problems = append(problems, LineError{at, err.Error()})
				continue
			}
			lines = append(lines, l)
		}
	}
	if columns == nil && problems != nil {
		return nil, problems, nil
	}
	if columns == nil {
		return nil, LineErrors{{1, "the file is empty: its first line names the columns, such as name,parent,code"}}, nil
	}
	return lines, problems, nil
}

// separator is what stands between the cells of a file's first line.
func separator(text string) rune {
	first, _, _ := strings.Cut(text, "\n")
	if mark, ok := strings.CutPrefix(strings.ToLower(strings.TrimRight(first, "\r")), "sep="); ok && len(mark) == 1 && strings.Contains(",;\t|", mark) {
		return rune(mark[0])
	}
	best := ','
	for _, comma := range ";\t|" {
		if strings.Count(first, string(comma)) > strings.Count(first, string(best)) {
			best = comma
		}
	}
	return best
}

// unclosed says which lines quotation marks that do not close have swallowed.
func unclosed(bad *csv.ParseError, skipped int) string {
	what := "its quotation marks do not close"
	if bad.Line > bad.StartLine {
		what += fmt.Sprintf(", so that nothing can be read down to line %d", bad.Line+skipped)
	}
	return what + ": a cell with \" in it is written \"…\"\"…\""
}

// colNone is a column that there is none of, which is not read.
const colNone = "-"

// header tells what the columns are, and which are none.
func header(record []string) (columns, unknown []string, err error) {
	columns = make([]string, len(record))
	for i, cell := range record {
		name := columnCalled(cell)
		switch {
		case name == "":
		case !slices.Contains(allColumns, name):
			unknown = append(unknown, strconv.Quote(cell))
			name = colNone
		case slices.Contains(columns, name):
			return nil, unknown, fmt.Errorf("there are two columns %s", name)
		}
		columns[i] = name
	}
	has := func(name string) bool { return slices.Contains(columns, name) }
	switch {
	case !has(colPath) && !has(colName):
		return nil, unknown, errors.New("there is no column name, nor path: the first line names the columns, such as name,parent,code")
	case has(colPath) && (has(colName) || has(colParent)):
		return nil, unknown, errors.New("a file has the columns name and parent, or path, which says both")
	}
	return columns, unknown, nil
}

// columnCalled is the column that a heading names, in any of newsie's languages.
func columnCalled(heading string) string {
	name := strings.ToLower(strings.TrimSpace(composed(heading)))
	switch name {
	case "路径", "路徑", "percorso":
		return colPath
	case "名称", "名稱", "nome":
		return colName
	case "上级", "上級", "genitore":
		return colParent
	case "代码", "代碼", "codice":
		return colCode
	case "备注", "備註", "note":
		return colNotes
	case "开始", "開始", "inizio":
		return colStarts
	case "结束", "結束", "fine":
		return colEnds
	case "欢迎语", "歡迎詞", "benvenuto":
		return colWelcome
	case "文章", "articolo":
		return colArticle
	case "主题", "主題", "tema":
		return colTopic
	}
	return name
}

func newLine(at int, columns, record []string) (line, error) {
	l := line{at: at, cells: map[string]string{}}
	for i, name := range columns {
		cell := ""
		if i < len(record) {
			cell = strings.TrimSpace(uncell(strings.ToValidUTF8(record[i], "\ufffd")))
		}
		if name != "" { // colNone is read by nobody
			l.cells[name] = cell
		} else if cell != "" {
			return l, fmt.Errorf("%q stands in a column without a name", cell)
		}
	}
	for _, cell := range record[min(len(columns), len(record)):] {
		if strings.TrimSpace(cell) != "" {
			return l, fmt.Errorf("it has %d cells, the first line %d: a cell with a comma in it is written \"…\"", len(record), len(columns))
		}
	}
	path, whole := l.cells[colPath]
	if !whole {
		l.path, l.parent = []string{cleanName(l.cells[colName])}, l.cells[colParent]
		return l, checkName(l.path[0])
	}
	for name := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		l.path = append(l.path, cleanName(name))
		if err := checkName(l.path[len(l.path)-1]); err != nil {
			return l, fmt.Errorf("the path %q: %w", path, err)
		}
	}
	return l, nil
}

// name is what the origin is called.
func (l line) name() string { return l.path[len(l.path)-1] }

// apply gives an origin what the cells of a line say; columns that the file does not
// have leave it as it is.
func (l line) apply(o Origin, zone *time.Location, topic func(string) (string, error)) (Origin, error) {
	var problems []error
	set := func(column string, to func(cell string) error) {
		if cell, ok := l.cells[column]; ok {
			if err := to(cell); err != nil {
				problems = append(problems, err)
			}
		}
	}
	moment := func(to *time.Time, what string, parse func(string, *time.Location) (time.Time, bool)) func(string) error {
		return func(cell string) error {
			if *to = (time.Time{}); cell == "" {
				return nil
			}
			at, ok := parse(cell, zone)
			if *to = at; !ok {
				return fmt.Errorf("%s %q is no day such as 2026-12-24, nor a time such as 2026-12-24 18:00", what, cell)
			}
			return nil
		}
	}
	o.Name = l.name()
	set(colNotes, func(cell string) error { o.Notes = cell; return nil })
	set(colStarts, moment(&o.Starts, "starts", ParseStart))
	set(colEnds, moment(&o.Ends, "ends", ParseEnd))
	set(colWelcome, func(cell string) error { o.Welcome.Text = cell; return nil })
	set(colArticle, func(cell string) (err error) {
		if o.Welcome.Article = 0; cell != "" {
			if o.Welcome.Article, err = strconv.ParseInt(cell, 10, 64); err != nil || o.Welcome.Article < 1 {
				return fmt.Errorf("article %q is no article's number", cell)
			}
		}
		return nil
	})
	set(colTopic, func(cell string) (err error) {
		if o.Welcome.Topic = cell; cell != "" && topic != nil {
			o.Welcome.Topic, err = topic(cell)
		}
		return err
	})
	o = tidy(o)
	return o, errors.Join(append(problems, check(o))...)
}

// Export writes the publisher's origins as a CSV file that Import reads, closed
// ones too, times on the clock of a zone.
func (b *Book) Export(ctx context.Context, w io.Writer, zone *time.Location) error {
	tree, err := b.Tree(ctx)
	if err != nil {
		return err
	}
	out, err := newCSV(w)
	if err != nil {
		return fmt.Errorf("export origins: %w", err)
	}
	err = out.row(colPath, colCode, colNotes, colStarts, colEnds, colWelcome, colArticle, colTopic)
	for _, o := range tree.list {
		article := ""
		if o.Welcome.Article > 0 {
			article = strconv.FormatInt(o.Welcome.Article, 10)
		}
		err = errors.Join(err, out.row(tree.Path(o.ID), o.Code, o.Notes, SayStart(o.Starts, zone), SayEnd(o.Ends, zone), o.Welcome.Text, article, o.Welcome.Topic))
	}
	if err := errors.Join(err, out.end()); err != nil {
		return fmt.Errorf("export origins: %w", err)
	}
	return nil
}

// CSV writes a report as a file that spreadsheets open, its total last. label names
// the rows of None, Unknown and Invitations, which have no name, and total the last.
func (r Report) CSV(w io.Writer, label func(row Row) string, total string) error {
	out, err := newCSV(w)
	if err != nil {
		return fmt.Errorf("write a report: %w", err)
	}
	first := []string{string(r.By)}
	switch r.By {
	case ByOrigin:
		first = []string{"origin", "code"}
	case ByWeek:
		first = []string{"week", "from", "to"}
	}
	err = out.row(append(slices.Clone(first), counted...)...)
	write := func(cells []string, f Figures) {
		for len(cells) < len(first) {
			cells = append(cells, "")
		}
		for _, figure := range f.All() {
			cells = append(cells, figure.String())
		}
		err = errors.Join(err, out.row(cells...))
	}
	for _, row := range r.Rows {
		cells := []string{row.Label}
		switch {
		case r.By == ByOrigin && row.Path != "":
			cells = []string{row.Path, row.Code}
		case r.By == ByOrigin:
			cells = []string{label(row)}
		case r.By == ByWeek:
			cells = []string{row.Label, row.From, row.To}
		}
		write(cells, row.Figures)
	}
	write([]string{total}, r.Total)
	if err := errors.Join(err, out.end()); err != nil {
		return fmt.Errorf("write a report: %w", err)
	}
	return nil
}
