package label_test

import (
	"bytes"
	"image"
	"image/png"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"newsie/internal/label"
)

const address = "https://news.example.org/o/k7mq2x9pd"

func printer(t *testing.T) *label.Printer {
	t.Helper()
	p, err := label.New(label.Options{Folders: []string{t.TempDir()}}) // the built-in fonts alone
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// read is what an independent reader takes from a picture.
func read(t *testing.T, picture image.Image) string {
	t.Helper()
	bitmap, err := gozxing.NewBinaryBitmapFromImage(picture)
	if err != nil {
		t.Fatal(err)
	}
	result, err := qrcode.NewQRCodeReader().Decode(bitmap, nil)
	if err != nil {
		t.Fatalf("a reader does not read the code: %v", err)
	}
	return result.GetText()
}

func pictureOf(t *testing.T, p *label.Printer, l label.Label, pixels int) image.Image {
	t.Helper()
	var b bytes.Buffer
	if err := p.PNG(&b, l, pixels); err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	return picture
}

func TestAReaderReadsEachPicture(t *testing.T) {
	p := printer(t)
	for _, pixels := range []int{82, 128, 299, 500, 1201} {
		l := label.Label{Code: address, Name: "Bookshop", Note: "Chain › North", Typed: "k7mq2x9pd"}
		picture := pictureOf(t, p, l, pixels)
		if got := picture.Bounds().Dx(); got != pixels {
			t.Errorf("%d pixels wide, want %d", got, pixels)
		}
		if got := read(t, picture); got != address {
			t.Errorf("%d pixels wide, it says %q, want %q", pixels, got, address)
		}
	}
}
