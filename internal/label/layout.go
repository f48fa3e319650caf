package label

import (
	"math"
)

// A style is how large the letters of a label are, in the unit of its drawing.
type style struct{ name, note, typed float64 }

// Lines stand so far apart, in their height.
const leading = 1.28

// A caption is what stands beneath a code.
type caption struct{ name, note, typed []text }

// caption sets the words of a label in a width. What is typed is not shortened
// but made smaller.
func (p *Printer) caption(l Label, s style, width float64) (caption, error) {
	var c caption
	words := p.fonts.setter(p.fonts.regular, l.Name+l.Note)
	var err error
	if c.name, err = words.wrap(l.Name, width/s.name, 2); err != nil {
		return c, err
	}
	if c.note, err = words.wrap(l.Note, width/s.note, 1); err != nil || l.Typed == "" {
		return c, err
	}
	typed, err := p.fonts.setter(p.fonts.mono, l.Typed).set(l.Typed)
	c.typed = []text{typed}
	return c, err
}

// height is that of captions that hold so many lines each.
func (s style) height(names, notes, typed int) float64 {
	return leading * (float64(names)*s.name + float64(notes)*s.note + float64(typed)*s.typed)
}

// draw puts a caption beneath y, centred on x; the first lines of others may be
// higher by the lines that this one has less.
func (c caption) draw(d *drawing, s style, x, y, width float64) {
	for _, part := range []struct {
		lines []text
		size  float64
	}{{c.name, s.name}, {c.note, s.note}, {c.typed, s.typed}} {
		for _, t := range part.lines {
			size := part.size
			if t.width*size > width {
				size = width / t.width
			}
			// Letters reach some 0.76 above their line and 0.24 below it.
			baseline := y + leading/2*part.size + 0.36*part.size
			d.shapes = append(d.shapes, shape{path: placed(t.path, size, point{x - t.width*size/2, baseline})})
			y += leading * part.size
		}
	}
}

// single is a label by itself: the code as wide as the picture, the words below.
func (p *Printer) single(l Label, width float64, pixels bool) (*drawing, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l = l.cleaned()
	m, err := encode(l.Code, width, pixels)
	if err != nil {
		return nil, err
	}
	module := width / m.across()
	if pixels {
		module = math.Floor(module)
	}
	s := style{name: 0.075 * width, note: 0.05 * width, typed: 0.052 * width}
	c, err := p.caption(l, s, width*0.92)
	if err != nil {
		return nil, err
	}
	side := module * m.across()
	d := &drawing{width: width, height: side, pixels: pixels}
	left := (width - side) / 2
	if pixels {
		left = math.Floor(left)
	}
	d.shapes = append(d.shapes, shape{path: m.outline(left+quiet*module, quiet*module, module), crisp: true})
	if below := s.height(len(c.name), len(c.note), len(c.typed)); below > 0 {
		c.draw(d, s, width/2, side, width*0.92)
		d.height = side + below + 0.05*width
		if pixels {
			d.height = math.Ceil(d.height)
		}
	}
	return d, nil
}
