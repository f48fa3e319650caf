package browsertest

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
)

// Picture is a PNG for a cover, 640 by 400: some hills at dusk.
func Picture() []byte {
	const width, height = 640, 400
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for x := range width {
		for y := range height {
			c := color.RGBA{uint8(240 - y/4), uint8(190 - y/6), uint8(150 + y/8), 255}
			for i, tone := range []uint8{120, 85, 50} {
				if float64(y) > 190+60*float64(i)+28*math.Sin(float64(x)/float64(90-20*i)+float64(i)*2) {
					c = color.RGBA{tone / 2, tone, tone - 12, 255}
				}
			}
			m.Set(x, y, c)
		}
	}
	var b bytes.Buffer
	_ = png.Encode(&b, m) // a Buffer takes everything
	return b.Bytes()
}
