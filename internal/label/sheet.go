package label

import (
	"errors"
	"fmt"
	"io"
	"strconv"
)

// A Paper is what sheets are printed on, in millimetres.
type Paper struct{ Width, Height float64 }

// Papers by name.
func Papers() map[string]Paper {
	return map[string]Paper{"a4": {210, 297}, "letter": {215.9, 279.4}}
}

// Marks show where a sheet is to be cut.
type Marks string

const (
	Ticks   Marks = "ticks" // in the margin; with no margin, none
	Lines   Marks = "lines" // around each label
	Uncut   Marks = "none"  // for sheets of labels that are cut already
	noMarks Marks = ""      // Ticks
)

// A Sheet is how many labels stand on a page. The zero Sheet is three by four on
// A4 with a margin that every printer can print in.
type Sheet struct {
	Paper         Paper
	Columns, Rows int
	Margin        float64 // of the page, in mm; negative: none
	Marks         Marks
	Title         string // of the document
}

const (
	usualMargin = 8.0
	// Printers leave so much at the edges of the paper white.
	unprintable = 4.2
	padding     = 1.5
	// Above a code nothing is printed that far: four modules of the finest.
	white       = quiet * finestMM
	mostColumns = 12
	mostRows    = 24
)

// Check finds what is wrong with a sheet.
func (s Sheet) Check() error {
	_, err := s.filled()
	return err
}

func (s Sheet) filled() (Sheet, error) {
	if s.Paper == (Paper{}) {
		s.Paper = Papers()["a4"]
	}
	if s.Columns == 0 && s.Rows == 0 {
		s.Columns, s.Rows = 3, 4
	}
	if s.Columns < 1 || s.Columns > mostColumns || s.Rows < 1 || s.Rows > mostRows {
		return s, fmt.Errorf("a page has 1x1 to %dx%d labels, not %dx%d", mostColumns, mostRows, s.Columns, s.Rows)
	}
	switch {
	case s.Margin == 0:
		s.Margin = usualMargin
	case s.Margin < 0:
		s.Margin = 0
	case s.Margin > 60:
		return s, fmt.Errorf("a margin of %g mm leaves no page", s.Margin)
	}
	switch s.Marks {
	case noMarks:
		s.Marks = Ticks
	case Ticks, Lines, Uncut:
	default:
		return s, fmt.Errorf("marks to cut by are %s, %s or %s, not %s", Ticks, Lines, Uncut, s.Marks)
	}
	return s, nil
}

// A cell is the place of one label.
type cell struct {
	width, height float64
	top           float64 // where printing may begin
	inner         point   // may be printed
	style         style
	caption       float64 // height
	side          float64 // of the code, with the white around it
}

// Sheet writes a PDF of many labels in their order, row by row. All codes of a
// sheet are equally large.
func (p *Printer) Sheet(w io.Writer, labels []Label, s Sheet) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, err := s.filled()
	if err != nil {
		return err
	}
	if len(labels) == 0 {
		return errors.New("a sheet needs labels")
	}
	c, captions, err := p.cell(labels, s)
	if err != nil {
		return err
	}
	perPage := s.Columns * s.Rows
	count := (len(labels) + perPage - 1) / perPage
	pages := make([]*drawing, count)
	for i := range pages {
		pages[i] = &drawing{width: s.Paper.Width, height: s.Paper.Height}
		s.mark(pages[i])
		if err := p.number(pages[i], s, i+1, count); err != nil {
			return err
		}
	}
	for i, l := range labels {
		m, err := encode(l.Code, c.side, false)
		if errors.Is(err, ErrTooSmall) {
			return s.tooSmall(c)
		}
		if err != nil {
			return fmt.Errorf("%q: %w", l.Name, err)
		}
		at := i % perPage
		x := s.Margin + float64(at%s.Columns)*c.width + c.width/2
		y := s.Margin + float64(at/s.Columns)*c.height + c.top + (c.inner.y-c.side-c.caption)/2
		module := c.side / m.across()
		page := pages[i/perPage]
		page.shapes = append(page.shapes, shape{path: m.outline(x-c.side/2+quiet*module, y+quiet*module, module), crisp: true})
		captions[i].draw(page, c.style, x, y+c.side, c.inner.x)
	}
	return writePDF(w, s.Title, pages)
}

// cell measures what all labels of a sheet have in common.
func (p *Printer) cell(labels []Label, s Sheet) (cell, []caption, error) {
	c := cell{
		width:  (s.Paper.Width - 2*s.Margin) / float64(s.Columns),
		height: (s.Paper.Height - 2*s.Margin) / float64(s.Rows),
	}
	pad := max(padding, unprintable-s.Margin)
	c.top = max(pad-white, 0)
	c.inner = point{c.width - 2*pad, c.height - pad - c.top}
	name := min(max(min(0.055*c.height, 0.075*c.width), 2.2), 18)
	c.style = style{name: name, note: 0.68 * name, typed: 0.72 * name}
	captions := make([]caption, len(labels))
	var names, notes, typed int
	for i, l := range labels {
		var err error
		if captions[i], err = p.caption(l.cleaned(), c.style, c.inner.x); err != nil {
			return c, nil, err
		}
		names, notes, typed = max(names, len(captions[i].name)), max(notes, len(captions[i].note)), max(typed, len(captions[i].typed))
	}
	c.caption = c.style.height(names, notes, typed)
	c.side = min(c.inner.x, c.inner.y-c.caption)
	if c.side < MinMM {
		return c, nil, s.tooSmall(c)
	}
	return c, captions, nil
}

func (s Sheet) tooSmall(c cell) error {
	return fmt.Errorf("%dx%d labels of %.0f × %.0f mm are %w: fewer on a page are larger", s.Columns, s.Rows, c.width, c.height, ErrTooSmall)
}

// mark draws where a page is to be cut.
func (s Sheet) mark(d *drawing) {
	right, bottom := s.Paper.Width-s.Margin, s.Paper.Height-s.Margin
	along := func(i, n int, from, to float64) float64 { return from + (to-from)*float64(i)/float64(n) }
	for i := range s.Columns + 1 {
		x := along(i, s.Columns, s.Margin, right)
		s.rules(d, point{x, s.Margin}, point{x, bottom}, point{0, 1})
	}
	for i := range s.Rows + 1 {
		y := along(i, s.Rows, s.Margin, bottom)
		s.rules(d, point{s.Margin, y}, point{right, y}, point{1, 0})
	}
}

// rules draws one line to cut along, or a tick at each of its ends.
func (s Sheet) rules(d *drawing, from, to, way point) {
	const gap, longest = 1.0, 4.0
	long := min(s.Margin-gap-unprintable/2, longest)
	switch {
	case s.Marks == Lines:
		d.rules = append(d.rules, rule{from, to})
	case s.Marks == Ticks && long > 0:
		off := func(p point, by float64) point { return point{p.x + way.x*by, p.y + way.y*by} }
		d.rules = append(d.rules, rule{off(from, -gap), off(from, -gap-long)}, rule{off(to, gap), off(to, gap+long)})
	}
}

// number writes which page this is into its lower margin, if there is one.
func (p *Printer) number(d *drawing, s Sheet, page, of int) error {
	const size = 2.2
	if of == 1 || s.Margin < unprintable+size/2 {
		return nil
	}
	t, err := p.fonts.setter(p.fonts.regular, "").set(strconv.Itoa(page) + " / " + strconv.Itoa(of))
	if err != nil {
		return err
	}
	at := point{s.Paper.Width/2 - t.width*size/2, s.Paper.Height - unprintable}
	d.shapes = append(d.shapes, shape{path: placed(t.path, size, at)})
	return nil
}
