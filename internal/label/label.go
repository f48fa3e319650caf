// Package label makes QR codes for print: one as PNG, SVG or PDF, and sheets of
// many as PDF, with a name beneath that may be in any script. Letters are drawn
// as outlines, so that a file looks the same on every machine and with every
// viewer, and one layout serves all three formats.
package label

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// A Label is a code and what stands beneath it; without Name, Note and Typed it
// is the code alone.
type Label struct {
	Code  string // what the QR code says: printable ASCII
	Name  string // in at most two lines, shortened with "…"
	Note  string // in one smaller line
	Typed string // in small type of equal widths, for those who type it; in one line, never shortened
}

// Options are about letters. The zero Options look for fonts where the system
// keeps them.
type Options struct {
	Font    string   // a file (TTF, OTF, TTC) whose letters come first; "": none
	Folders []string // where fonts are looked for; nil: where the system keeps them
	Lang    string   // BCP 47: which shapes Han characters have that Chinese and Japanese write differently; "": Simplified Chinese
}

// A Printer draws labels. It may be used by several goroutines at once, which
// wait for each other.
type Printer struct {
	mu    sync.Mutex
	fonts *fonts
}

// New opens what Options name. Fonts of the system are opened when a letter
// needs them.
func New(o Options) (*Printer, error) {
	fonts, err := newFonts(o)
	if err != nil {
		return nil, err
	}
	return &Printer{fonts: fonts}, nil
}

// A MissingError tells of a character that no font has an outline for. Nothing
// is printed then.
type MissingError struct {
	Text    string // what it stands in
	Missing string // the character
}

func (e *MissingError) Error() string {
	var points []string
	for _, r := range e.Missing {
		points = append(points, fmt.Sprintf("U+%04X", r))
	}
	return fmt.Sprintf("no font here has the character %s (%s) of %q", e.Missing, strings.Join(points, " "), e.Text)
}

// ErrTooSmall is that a code would be too fine for telephones to read.
var ErrTooSmall = errors.New("too small for a code that telephones read")

// Sizes of a single label: the width of the picture, whose lower part holds the
// name.
const (
	MinPixels, MaxPixels = 64, 8000
	MinMM, MaxMM         = 10, 1000
)

// PNG draws a label so many pixels wide. Each module is a whole number of pixels.
func (p *Printer) PNG(w io.Writer, l Label, pixels int) error {
	if pixels < MinPixels || pixels > MaxPixels {
		return fmt.Errorf("a picture is %d to %d pixels wide, not %d", MinPixels, MaxPixels, pixels)
	}
	d, err := p.single(l, float64(pixels), true)
	if err != nil {
		return err
	}
	return d.png(w)
}

// SVG draws a label so many millimetres wide.
func (p *Printer) SVG(w io.Writer, l Label, mm float64) error {
	d, err := p.singleMM(l, mm)
	if err != nil {
		return err
	}
	return d.svg(w, l)
}

// PDF draws a label on a page of its own size, so many millimetres wide.
func (p *Printer) PDF(w io.Writer, l Label, mm float64) error {
	d, err := p.singleMM(l, mm)
	if err != nil {
		return err
	}
	return writePDF(w, l.Name, []*drawing{d})
}

// Check finds a label whose words cannot be printed: a *MissingError. What the
// code says is not looked at, which may still have to be made.
func (p *Printer) Check(labels []Label) error {
	_, err := p.Drawable(labels)
	return err
}

// Drawable are the labels, those that Check would find without Name and Note, and
// what it says of the first of them.
func (p *Printer) Drawable(labels []Label) ([]Label, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	drawable := slices.Clone(labels)
	var first error
	for i, l := range labels {
		if _, err := p.caption(l.cleaned(), style{name: 1, note: 1, typed: 1}, 10); err != nil {
			drawable[i].Name, drawable[i].Note = "", ""
			if first == nil {
				first = err
			}
		}
	}
	return drawable, first
}

func (p *Printer) singleMM(l Label, mm float64) (*drawing, error) {
	if !(mm >= MinMM && mm <= MaxMM) {
		return nil, fmt.Errorf("a label is %d to %d mm wide, not %g", MinMM, MaxMM, mm)
	}
	return p.single(l, mm, false)
}

func (l Label) cleaned() Label {
	l.Name, l.Note, l.Typed = oneLine(l.Name), oneLine(l.Note), oneLine(l.Typed)
	return l
}

// oneLine makes one line of a text, without what no font could draw.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), r == unicode.ReplacementChar, unicode.Is(unicode.Co, r):
			return -1
		}
		return r
	}, text)
	return norm.NFC.String(strings.Join(strings.Fields(text), " ")) // more fonts have é than e with an accent
}
