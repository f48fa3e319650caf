package origin

import (
	"encoding/csv"
	"io"
	"regexp"
	"strings"
	"time"
)

// What a spreadsheet takes for a formula: at the beginning of a cell, of a line in
// it, and after what separates cells in files of other countries. The quotation
// mark says to a spreadsheet that it is a text.
var (
	formula = regexp.MustCompile(`(^|[;\t\n\r])([' ]*[=+\-@＝＋－＠])`)
	marked  = regexp.MustCompile(`(^|[;\t\n\r])'([' ]*[=+\-@＝＋－＠])`)
)

// Cell is a text as a cell of a CSV file that spreadsheets may open: what they
// would take for a formula stands behind a '.
func Cell(text string) string { return formula.ReplaceAllString(text, "${1}'${2}") }

// uncell is the text of a cell.
func uncell(cell string) string { return marked.ReplaceAllString(cell, "${1}${2}") }

// byteOrderMark tells Excel that a file is UTF-8.
const byteOrderMark = "\ufeff"

// A csvWriter writes files that spreadsheets open: UTF-8 that says so, with the line
// ends that the format has, and no formulas.
type csvWriter struct{ *csv.Writer }

func newCSV(w io.Writer) (csvWriter, error) {
	_, err := io.WriteString(w, byteOrderMark)
	out := csv.NewWriter(w)
	out.UseCRLF = true
	return csvWriter{out}, err
}

func (w csvWriter) row(cells ...string) error {
	for i, cell := range cells {
		cells[i] = Cell(cell)
	}
	return w.Write(cells)
}

func (w csvWriter) end() error {
	w.Flush()
	return w.Error()
}

// dayTime reads a day or a time as people and spreadsheets write them, on the clock
// of a zone: 2026-12-24, 2026/12/24, 2026-12-24 18:00, or 2026-12-24T18:00:00+01:00.
// day: it is a day, and the time its beginning.
func dayTime(text string, zone *time.Location) (at time.Time, day, ok bool) {
	if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return at, false, true
	}
	for _, layout := range []string{"2006-1-2", "2006/1/2", "2006.1.2"} {
		if at, err := time.ParseInLocation(layout, text, zone); err == nil {
			return at, true, true
		}
		for _, clock := range []string{" 15:04", " 15:04:05", "T15:04"} {
			at, err := time.ParseInLocation(layout+clock, text, zone)
			if err == nil && at.Format(" 15:04") == clockOf(text) {
				return at, false, true
			}
		}
	}
	return time.Time{}, false, false
}

// clockOf is what a time says of the clock, in one form; a clock that is put forward
// shows some times never.
func clockOf(text string) string {
	_, clock, _ := strings.Cut(strings.Replace(text, "T", " ", 1), " ")
	if i := strings.Index(clock, ":"); i == 1 {
		clock = "0" + clock
	}
	return " " + clock[:min(5, len(clock))]
}

// ParseStart reads when something begins: a day (2026-12-24, 2026/12/24) or a time
// (2026-12-24 18:00), on the clock of a zone, or 2026-12-24T18:00:00+01:00.
func ParseStart(text string, zone *time.Location) (at time.Time, ok bool) {
	at, _, ok = dayTime(strings.TrimSpace(text), zone)
	return at.Truncate(time.Millisecond).UTC(), ok
}

// ParseEnd is ParseStart for when something ends: a day is part of it.
func ParseEnd(text string, zone *time.Location) (at time.Time, ok bool) {
	at, day, ok := dayTime(strings.TrimSpace(text), zone)
	if day {
		at = time.Date(at.Year(), at.Month(), at.Day()+1, 0, 0, 0, 0, zone)
	}
	return at.Truncate(time.Millisecond).UTC(), ok
}

// SayStart writes a time as ParseStart reads it; "" for none.
func SayStart(at time.Time, zone *time.Location) string {
	local := at.In(zone)
	switch midnight := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, zone); {
	case at.IsZero():
		return ""
	case midnight.Equal(at):
		return local.Format(time.DateOnly)
	case local.Second() != 0 || local.Nanosecond() != 0:
		return local.Format(time.RFC3339Nano)
	}
	text := local.Format("2006-01-02 15:04")
	if again, _, _ := dayTime(text, zone); !again.Equal(at) { // the hour that comes twice
		return local.Format(time.RFC3339)
	}
	return text
}

// SayEnd writes a time as ParseEnd reads it: the last day that is part of it.
func SayEnd(at time.Time, zone *time.Location) string {
	local := at.In(zone)
	if midnight := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, zone); !at.IsZero() && midnight.Equal(at) {
		return time.Date(local.Year(), local.Month(), local.Day()-1, 12, 0, 0, 0, zone).Format(time.DateOnly)
	}
	return SayStart(at, zone)
}
