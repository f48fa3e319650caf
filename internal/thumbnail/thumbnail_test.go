package thumbnail_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"runtime"
	"testing"

	"newsie/internal/thumbnail"
)

// striped is a picture whose left and right quarters are red and whose middle is blue.
func striped(w, h int) image.Image {
	p := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.NRGBA{255, 0, 0, 255}
			if x >= w/4 && x < w*3/4 {
				c = color.NRGBA{0, 0, 255, 255}
			}
			p.Set(x, y, c)
		}
	}
	return p
}

func asPNG(t testing.TB, p image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func read(t *testing.T, data []byte) image.Image {
	t.Helper()
	p, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A lossless WebP of one pixel.
const tinyWebP = "UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA=="

func TestCoverTakesEveryKindOfPicture(t *testing.T) {
	p := striped(40, 30)
	var asJPEG, asGIF bytes.Buffer
	if err := jpeg.Encode(&asJPEG, p, nil); err != nil {
		t.Fatal(err)
	}
	if err := gif.Encode(&asGIF, p, nil); err != nil {
		t.Fatal(err)
	}
	webp, err := base64.StdEncoding.DecodeString(tinyWebP)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"png": asPNG(t, p), "jpeg": asJPEG.Bytes(), "gif": asGIF.Bytes(), "webp": webp} {
		cover, err := thumbnail.Cover(data, 900, 500)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, want := read(t, cover).Bounds().Size(), image.Pt(900, 500); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

func TestCoverIsTheMiddle(t *testing.T) {
	for _, size := range []image.Point{{400, 100}, {4, 1}, {1000, 3}} {
		cover, err := thumbnail.Cover(asPNG(t, striped(size.X, size.Y)), 100, 100)
		if err != nil {
			t.Fatal(err)
		}
		p := read(t, cover)
		for _, at := range []image.Point{{2, 50}, {50, 50}, {97, 50}} {
			if r, _, b, _ := p.At(at.X, at.Y).RGBA(); b < 0xC000 || r > 0x4000 {
				t.Errorf("%v: at %v it is red %x, blue %x: not the middle", size, at, r, b)
			}
		}
	}
	// A tall one keeps its width.
	cover, err := thumbnail.Cover(asPNG(t, striped(100, 400)), 100, 100)
	if err != nil {
		t.Fatal(err)
	}
	if r, _, _, _ := read(t, cover).At(2, 50).RGBA(); r < 0xC000 {
		t.Error("the sides of a tall picture are gone")
	}
}

func TestTransparentPartsAreWhite(t *testing.T) {
	cover, err := thumbnail.Cover(asPNG(t, image.NewNRGBA(image.Rect(0, 0, 9, 9))), 9, 9)
	if err != nil {
		t.Fatal(err)
	}
	if r, g, b, _ := read(t, cover).At(4, 4).RGBA(); min(r, g, b) < 0xF000 {
		t.Errorf("%x %x %x", r, g, b)
	}
}

// bomb is a PNG of a few bytes that claims w x h pixels.
func bomb(w, h uint32) []byte {
	header := binary.BigEndian.AppendUint32([]byte("IHDR"), w)
	header = binary.BigEndian.AppendUint32(header, h)
	header = append(header, 8, 6, 0, 0, 0)
	b := append([]byte("\x89PNG\r\n\x1a\n"), 0, 0, 0, 13)
	b = append(b, header...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(header))
}

func TestAPictureThatClaimsTooMuchIsNotDecoded(t *testing.T) {
	for _, size := range [][2]uint32{{1 << 15, 1 << 15}, {1<<31 - 1, 1}, {1, thumbnail.MaxPixels + 1}, {thumbnail.MaxPixels/4096 + 1, 4096}} {
		for name, make := range map[string]func([]byte) ([]byte, error){
			"cover":  func(d []byte) ([]byte, error) { return thumbnail.Cover(d, 900, 500) },
			"within": func(d []byte) ([]byte, error) { return thumbnail.Within(d, 900, 1<<20) },
		} {
			var before, after runtime.MemStats
			data := bomb(size[0], size[1])
			runtime.ReadMemStats(&before)
			_, got := make(data)
			runtime.ReadMemStats(&after)
			allocated := after.TotalAlloc - before.TotalAlloc
			if !errors.Is(got, thumbnail.ErrTooLarge) {
				t.Errorf("%s of %v: %v", name, size, got)
			}
			if allocated > 1<<20 {
				t.Errorf("%s of %v took %d bytes", name, size, allocated)
			}
		}
	}
	// One that is just small enough is refused only because it ends early.
	if _, err := thumbnail.Cover(bomb(thumbnail.MaxPixels/4096, 4096), 9, 5); errors.Is(err, thumbnail.ErrTooLarge) || !errors.Is(err, thumbnail.ErrNoPicture) {
		t.Errorf("%v", err)
	}
}

func TestWithinFitsTheBytes(t *testing.T) {
	noise := image.NewNRGBA(image.Rect(0, 0, 1500, 700))
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(noise.Pix)
	data := asPNG(t, noise)
	for _, limit := range []int{1 << 20, 200_000, 20_000} {
		small, err := thumbnail.Within(data, 1080, limit)
		if err != nil {
			t.Fatal(err)
		}
		size := read(t, small).Bounds().Size()
		if len(small) > limit || size.X > 1080 || size.X*700/1500-size.Y > 1 {
			t.Errorf("%d bytes, %v, within %d", len(small), size, limit)
		}
	}
	if _, err := thumbnail.Within(data, 1080, 100); err == nil {
		t.Error("a picture of a hundred bytes")
	}
	small, err := thumbnail.Within(asPNG(t, striped(20, 10)), 1080, 1<<20)
	if err != nil || read(t, small).Bounds().Size() != image.Pt(20, 10) {
		t.Errorf("a small picture is not kept as large as it is: %v", err)
	}
	strip, err := thumbnail.Within(asPNG(t, striped(10, 40_000)), 1080, 1<<20)
	if err != nil || read(t, strip).Bounds().Dy() > 16384 {
		t.Errorf("a strip: %v", err)
	}
}

func TestPlainIsTheSameForTheSameSeed(t *testing.T) {
	one, err := thumbnail.Plain("article one", 900, 500)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := thumbnail.Plain("article one", 900, 500)
	other, _ := thumbnail.Plain("article two", 900, 500)
	if !bytes.Equal(one, again) || bytes.Equal(one, other) {
		t.Error("the seed does not decide the colours")
	}
	if got := read(t, one).Bounds().Size(); got != image.Pt(900, 500) {
		t.Errorf("%v", got)
	}
}

func TestSidesAreChecked(t *testing.T) {
	for _, side := range [][2]int{{0, 1}, {1, 0}, {-1, 5}, {5000, 5}} {
		if _, err := thumbnail.Cover(asPNG(t, striped(2, 2)), side[0], side[1]); err == nil {
			t.Errorf("%v", side)
		}
		if _, err := thumbnail.Plain("", side[0], side[1]); err == nil {
			t.Errorf("%v", side)
		}
	}
}

func FuzzCover(f *testing.F) {
	p := striped(8, 6)
	f.Add(asPNG(f, p))
	var b bytes.Buffer
	_ = jpeg.Encode(&b, p, nil)
	f.Add(bytes.Clone(b.Bytes()))
	b.Reset()
	_ = gif.Encode(&b, p, nil)
	f.Add(bytes.Clone(b.Bytes()))
	webp, _ := base64.StdEncoding.DecodeString(tinyWebP)
	f.Add(webp)
	f.Add(bomb(1<<15, 1<<15))
	f.Add([]byte("RIFF"))
	f.Fuzz(func(t *testing.T, data []byte) {
		cover, err := thumbnail.Cover(data, 90, 50)
		if err != nil {
			return
		}
		if got := read(t, cover).Bounds().Size(); got != image.Pt(90, 50) {
			t.Errorf("%v", got)
		}
	})
}
