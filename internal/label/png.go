package label

import (
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"

	"golang.org/x/image/vector"
)

func (d *drawing) png(w io.Writer) error {
	picture := image.NewGray(image.Rect(0, 0, int(d.width), int(d.height)))
	draw.Draw(picture, picture.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	for _, s := range d.shapes {
		r := vector.NewRasterizer(int(d.width), int(d.height))
		for _, part := range s.path {
			p := part.p
			switch part.op {
			case move:
				r.MoveTo(float32(p[0].x), float32(p[0].y))
			case line:
				r.LineTo(float32(p[0].x), float32(p[0].y))
			case quad:
				r.QuadTo(float32(p[0].x), float32(p[0].y), float32(p[1].x), float32(p[1].y))
			case cube:
				r.CubeTo(float32(p[0].x), float32(p[0].y), float32(p[1].x), float32(p[1].y), float32(p[2].x), float32(p[2].y))
			case closed:
				r.ClosePath()
			}
		}
		r.Draw(picture, picture.Bounds(), image.NewUniform(color.Black), image.Point{})
	}
	return (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(w, picture)
}
