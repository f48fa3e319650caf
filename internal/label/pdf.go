package label

import (
	"io"
	"strconv"

	"github.com/go-pdf/fpdf"
)

// pointsPerMM turns millimetres into the unit of PDF.
const pointsPerMM = 72 / 25.4

// writePDF writes each drawing onto a page of its size.
func writePDF(w io.Writer, title string, pages []*drawing) error {
	pdf := fpdf.New("P", "mm", "", "")
	pdf.SetMargins(0, 0, 0)
	pdf.SetAutoPageBreak(false, 0)
	pdf.SetTitle(oneLine(title), true)
	pdf.SetCreator("newsie", true)
	pdf.SetDisplayMode("fullpage", "single")
	pdf.SetCatalogSort(true)
	for _, d := range pages {
		pdf.AddPageFormat("P", fpdf.SizeType{Wd: d.width, Ht: d.height})
		pdf.RawWriteStr(d.operators())
	}
	return pdf.Output(w)
}

// operators are the drawing in PDF's words. fpdf's own paths are rounded to a
// hundredth of a point, which small letters show.
func (d *drawing) operators() string {
	var b []byte
	at := func(p point) {
		b = strconv.AppendFloat(b, p.x*pointsPerMM, 'f', 3, 64)
		b = append(b, ' ')
		b = strconv.AppendFloat(b, (d.height-p.y)*pointsPerMM, 'f', 3, 64)
		b = append(b, ' ')
	}
	b = append(b, "0.6 G 0.25 w\n"...)
	for _, r := range d.rules {
		at(r.from)
		b = append(b, "m "...)
		at(r.to)
		b = append(b, "l S\n"...)
	}
	b = append(b, "0 g\n"...)
	for _, s := range d.shapes {
		if len(s.path) == 0 {
			continue
		}
		var last point
		for _, part := range s.path {
			p := part.p
			switch part.op {
			case move:
				at(p[0])
				b = append(b, "m\n"...)
			case line:
				at(p[0])
				b = append(b, "l\n"...)
			case quad: // which PDF has not
				for _, control := range []point{between(last, p[0]), between(p[1], p[0]), p[1]} {
					at(control)
				}
				b = append(b, "c\n"...)
			case cube:
				for _, control := range p {
					at(control)
				}
				b = append(b, "c\n"...)
			case closed:
				b = append(b, "h\n"...)
			}
			if points := part.points(); len(points) > 0 {
				last = points[len(points)-1]
			}
		}
		b = append(b, "f\n"...)
	}
	return string(b)
}

// between is two thirds of the way.
func between(from, to point) point {
	return point{from.x + 2*(to.x-from.x)/3, from.y + 2*(to.y-from.y)/3}
}
