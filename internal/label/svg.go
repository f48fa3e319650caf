package label

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"strconv"
)

func (d *drawing) svg(w io.Writer, l Label) error {
	var b bytes.Buffer
	width, height := short(d.width), short(d.height)
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%smm" height="%smm" viewBox="0 0 %s %s">`+"\n", width, height, width, height)
	for _, words := range []struct{ tag, text string }{{"title", oneLine(l.Name)}, {"desc", l.Code}} {
		if words.text != "" {
			b.WriteString("<" + words.tag + ">")
			_ = xml.EscapeText(&b, []byte(words.text)) // a buffer takes all
			b.WriteString("</" + words.tag + ">\n")
		}
	}
	fmt.Fprintf(&b, `<rect width="%s" height="%s" fill="#fff"/>`+"\n", width, height)
	for _, s := range d.shapes {
		b.WriteString(`<path fill="#000"`)
		if s.crisp {
			b.WriteString(` shape-rendering="crispEdges"`)
		}
		b.WriteString(` d="`)
		for _, part := range s.path {
			b.WriteByte("MLQCZ"[part.op])
			for i, p := range part.points() {
				if i > 0 {
					b.WriteByte(' ')
				}
				b.WriteString(short(p.x) + " " + short(p.y))
			}
		}
		b.WriteString(`"/>` + "\n")
	}
	b.WriteString("</svg>\n")
	_, err := w.Write(b.Bytes())
	return err
}

// short writes millimetres to a ten thousandth.
func short(v float64) string {
	return strconv.FormatFloat(math.Round(v*1e4)/1e4, 'f', -1, 64)
}
