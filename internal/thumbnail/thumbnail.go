// Package thumbnail makes pictures of the size that a platform asks for. What it
// is given may come from anywhere: it reads JPEG, PNG, GIF (the first frame) and
// WebP, looks at the size before it takes the memory, and fails on anything else.
package thumbnail

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/gif" // each decoder registers itself
	"image/jpeg"
	_ "image/png"
	"io"
	"math"

	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp"
)

// MaxPixels bounds what is decoded: a file of a few kilobytes can claim
// billions of pixels.
const MaxPixels = 32 << 20

// maxSide bounds the sides of what is made.
const maxSide = 4096

var (
	// ErrTooLarge: the picture has more than MaxPixels.
	ErrTooLarge = errors.New("the picture has too many pixels")
	// ErrNoPicture: the data is none of the kinds that can be read.
	ErrNoPicture = errors.New("no picture that can be read")
)

// Cover is the middle of a picture in the shape of width and height, as a JPEG
// of just that size. Transparent parts become white.
func Cover(data []byte, width, height int) ([]byte, error) {
	if err := checkSides(width, height); err != nil {
		return nil, err
	}
	picture, err := decode(data)
	if err != nil {
		return nil, err
	}
	return encode(scale(picture, crop(picture.Bounds(), width, height), width, height), 85)
}

// Within is a picture as a JPEG of at most width pixels across and maxBytes
// bytes, as good as that allows.
func Within(data []byte, width, maxBytes int) ([]byte, error) {
	if err := checkSides(width, width); err != nil {
		return nil, err
	}
	picture, err := decode(data)
	if err != nil {
		return nil, err
	}
	bounds := picture.Bounds()
	w := min(width, bounds.Dx())
	for {
		// A strip may be very long; what is too tall becomes narrower.
		h := max(1, int(math.Round(float64(bounds.Dy())*float64(w)/float64(bounds.Dx()))))
		if h > 4*maxSide {
			w = max(1, w*4*maxSide/h)
			h = 4 * maxSide
		}
		scaled := scale(picture, bounds, w, h)
		for _, quality := range []int{85, 70, 50} {
			small, err := encode(scaled, quality)
			if err != nil || len(small) <= maxBytes {
				return small, err
			}
		}
		if w < 64 {
			return nil, fmt.Errorf("the picture does not fit into %d bytes", maxBytes)
		}
		w = w * 2 / 3
	}
}

// Plain is a calm gradient for what has no picture of its own; the same seed
// always gives the same colours.
func Plain(seed string, width, height int) ([]byte, error) {
	if err := checkSides(width, height); err != nil {
		return nil, err
	}
	hue := float64(hash(seed)%360) / 360
	from, to := hsl(hue, 0.38, 0.62), hsl(math.Mod(hue+0.08, 1), 0.42, 0.38)
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			t := (float64(x)/float64(width) + float64(y)/float64(height)) / 2
			picture.SetRGBA(x, y, color.RGBA{mix(from[0], to[0], t), mix(from[1], to[1], t), mix(from[2], to[2], t), 255})
		}
	}
	return encode(picture, 85)
}

// Size tells how large a picture is that this package can read; it reads no more
// than its head.
func Size(data io.Reader) (image.Point, error) {
	header, _, err := image.DecodeConfig(data)
	if err != nil {
		return image.Point{}, fmt.Errorf("%w: %w", ErrNoPicture, err)
	}
	if header.Width < 1 || header.Height < 1 {
		return image.Point{}, fmt.Errorf("%w: it has no pixels", ErrNoPicture)
	}
	// Divided, because the product may overflow.
	if header.Width > MaxPixels/header.Height {
		return image.Point{}, fmt.Errorf("%w: %d x %d", ErrTooLarge, header.Width, header.Height)
	}
	return image.Pt(header.Width, header.Height), nil
}

func checkSides(width, height int) error {
	if width < 1 || height < 1 || width > maxSide || height > maxSide {
		return fmt.Errorf("a picture of %d x %d cannot be made", width, height)
	}
	return nil
}

func decode(data []byte) (image.Image, error) {
	if _, err := Size(bytes.NewReader(data)); err != nil {
		return nil, err
	}
	picture, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoPicture, err)
	}
	if b := picture.Bounds(); b.Dx() < 1 || b.Dy() < 1 {
		return nil, fmt.Errorf("%w: it has no pixels", ErrNoPicture)
	}
	return picture, nil
}

// crop is the largest middle part of bounds that has the shape of width and height.
func crop(bounds image.Rectangle, width, height int) image.Rectangle {
	w, h := bounds.Dx(), bounds.Dy()
	if w*height > h*width {
		w = max(1, h*width/height)
	} else {
		h = max(1, w*height/width)
	}
	x, y := bounds.Min.X+(bounds.Dx()-w)/2, bounds.Min.Y+(bounds.Dy()-h)/2
	return image.Rect(x, y, x+w, y+h)
}

func scale(from image.Image, part image.Rectangle, width, height int) image.Image {
	to := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.Draw(to, to.Bounds(), image.White, image.Point{}, draw.Src)
	draw.CatmullRom.Scale(to, to.Bounds(), from, part, draw.Over, nil)
	return to
}

func encode(picture image.Image, quality int) ([]byte, error) {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture, &jpeg.Options{Quality: quality}); err != nil {
		return nil, fmt.Errorf("write a JPEG: %w", err)
	}
	return b.Bytes(), nil
}

// hash is FNV-1a.
func hash(s string) uint32 {
	h := uint32(2166136261)
	for i := range len(s) {
		h = (h ^ uint32(s[i])) * 16777619
	}
	return h
}

func mix(a, b, t float64) uint8 { return uint8(math.Round(255 * (a + (b-a)*t))) }

// hsl gives red, green and blue from 0 to 1.
func hsl(h, s, l float64) [3]float64 {
	c := (1 - math.Abs(2*l-1)) * s
	channel := func(n float64) float64 {
		k := math.Mod(n+h*12, 12)
		return l - c/2*max(-1, min(k-3, 9-k, 1))
	}
	return [3]float64{channel(0), channel(8), channel(4)}
}
