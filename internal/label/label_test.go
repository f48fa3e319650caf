package label_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"golang.org/x/image/font/gofont/gobold"

	"newsie/internal/label"
)

const address = "https://news.example.org/o/k7mq2x9pd"

// builtIn prints with the built-in fonts alone.
func builtIn(t *testing.T) *label.Printer {
	t.Helper()
	return printer(t, label.Options{Folders: []string{t.TempDir()}})
}

func printer(t *testing.T, o label.Options) *label.Printer {
	t.Helper()
	p, err := label.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func shop() label.Label {
	return label.Label{Code: address, Name: "Bookshop", Note: "Chain › North", Typed: "news.example.org/o/k7mq2x9pd"}
}

// read is what an independent reader takes from a picture, and the error
// correction that it sees.
func read(picture image.Image) (text, level string, err error) {
	bitmap, err := gozxing.NewBinaryBitmapFromImage(picture)
	if err != nil {
		return "", "", err
	}
	result, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
	if err != nil {
		// It does not find the corners of each code, though telephones do; what it
		// says it reads all the same.
		result, err = qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
	}
	if err != nil {
		return "", "", err
	}
	level, _ = result.GetResultMetadata()[gozxing.ResultMetadataType_ERROR_CORRECTION_LEVEL].(string)
	return result.GetText(), level, nil
}

func pictureOf(t *testing.T, p *label.Printer, l label.Label, pixels int) *image.Gray {
	t.Helper()
	var b bytes.Buffer
	if err := p.PNG(&b, l, pixels); err != nil {
		t.Fatalf("%q, %d pixels: %v", l.Name, pixels, err)
	}
	picture, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	gray, ok := picture.(*image.Gray)
	if !ok {
		t.Fatalf("the picture is a %T", picture)
	}
	return gray
}

// inked is where a picture is not white.
func inked(picture *image.Gray, within image.Rectangle) image.Rectangle {
	var ink image.Rectangle
	within = within.Intersect(picture.Bounds())
	for y := within.Min.Y; y < within.Max.Y; y++ {
		for x := within.Min.X; x < within.Max.X; x++ {
			if picture.GrayAt(x, y).Y < 240 {
				ink = ink.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return ink
}

func TestAReaderReadsEachSize(t *testing.T) {
	p := builtIn(t)
	for _, pixels := range []int{82, 128, 299, 500, 1201} {
		picture := pictureOf(t, p, shop(), pixels)
		if got := picture.Bounds().Dx(); got != pixels {
			t.Errorf("%d pixels wide, want %d", got, pixels)
		}
		if got, _, err := read(picture); got != address {
			t.Errorf("%d pixels wide, it says %q, want %q: %v", pixels, got, address, err)
		}
	}
}

func TestModulesAreWholeAndTheQuietZoneIsWhite(t *testing.T) {
	for _, pixels := range []int{200, 333, 500, 1000} {
		picture := pictureOf(t, builtIn(t), label.Label{Code: address}, pixels)
		ink := inked(picture, picture.Bounds())
		// A code has 17 modules and 4 for each version, and the white around it.
		const modules = 33
		module := ink.Dx() / modules
		if ink.Dx() != modules*module || ink.Dy() != modules*module || module != pixels/(modules+8) {
			t.Errorf("%d pixels: the code covers %v, which is not %d whole modules", pixels, ink, modules)
		}
		for _, white := range []int{ink.Min.X, ink.Min.Y, picture.Bounds().Max.X - ink.Max.X, picture.Bounds().Max.Y - ink.Max.Y} {
			if white < 4*module {
				t.Errorf("%d pixels: %d are white on a side, want four modules of %d", pixels, white, module)
			}
		}
		for y := range picture.Bounds().Dy() {
			for x := range picture.Bounds().Dx() {
				same := picture.GrayAt(ink.Min.X+(x-ink.Min.X)/module*module, ink.Min.Y+(y-ink.Min.Y)/module*module)
				if image.Pt(x, y).In(ink) && picture.GrayAt(x, y) != same || picture.GrayAt(x, y).Y%255 != 0 {
					t.Fatalf("%d pixels: the pixel at %d,%d is not that of its module", pixels, x, y)
				}
			}
		}
	}
}

func TestWordsStandBelowTheQuietZone(t *testing.T) {
	picture := pictureOf(t, builtIn(t), shop(), 410) // modules of 10
	if ink := inked(picture, image.Rect(0, 370, 410, 410)); !ink.Empty() {
		t.Errorf("there is ink below the code, at %v", ink)
	}
	words := inked(picture, image.Rect(0, 410, 410, picture.Bounds().Dy()))
	if words.Min.X < 8 || words.Max.X > 402 || words.Max.Y > picture.Bounds().Dy()-8 || words.Dy() < 40 {
		t.Errorf("the words cover %v of %v", words, picture.Bounds())
	}
	if left, right := words.Min.X, 410-words.Max.X; left-right > 3 || right-left > 3 {
		t.Errorf("they stand %d from the left and %d from the right", left, right)
	}
	long := shop()
	long.Typed = strings.Repeat("news.example.org/", 5) + "o/k7mq2x9pd" // is made smaller, never shorter
	picture = pictureOf(t, builtIn(t), long, 410)
	if words := inked(picture, image.Rect(0, 410, 410, picture.Bounds().Dy())); words.Min.X < 8 || words.Max.X > 402 || words.Dx() < 350 {
		t.Errorf("with a long address the words cover %v", words)
	}
	if alone := pictureOf(t, builtIn(t), label.Label{Code: address}, 410); alone.Bounds().Dy() != 410 {
		t.Errorf("without words the picture is %d pixels high", alone.Bounds().Dy())
	}
}

func TestErrorCorrection(t *testing.T) {
	p := builtIn(t)
	long := "https://news.example.org/chat/web/?start=o" + strings.Repeat("x", 60)
	wide := address + "/4711"
	for _, tt := range []struct {
		code   string
		pixels int
		want   string
	}{
		{address[:34], 1000, "H"}, {wide, 1000, "Q"}, {wide, 164, "Q"}, {wide, 163, "M"}, {long, 1000, "Q"}, {long, 227, "M"},
	} {
		if _, got, err := read(pictureOf(t, p, label.Label{Code: tt.code}, tt.pixels)); got != tt.want {
			t.Errorf("%d characters in %d pixels have error correction %q, want %q: %v", len(tt.code), tt.pixels, got, tt.want, err)
		}
	}
	var b bytes.Buffer
	for _, small := range []error{
		p.PNG(&b, label.Label{Code: long}, 80), p.SVG(&b, label.Label{Code: address}, 11), p.PDF(&b, label.Label{Code: long}, 14),
		p.Sheet(&b, []label.Label{shop()}, label.Sheet{Columns: 12, Rows: 22}),
	} {
		if !errors.Is(small, label.ErrTooSmall) {
			t.Errorf("got %v, want ErrTooSmall", small)
		}
	}
	if b.Len() > 0 {
		t.Error("something was written all the same")
	}
}

func TestFifteenPercentMayBeLost(t *testing.T) {
	// 6 x 28 of 33 x 33 modules, between the corners that readers look for.
	for name, stain := range map[string]image.Rectangle{"middle": image.Rect(170, 90, 230, 370), "left": image.Rect(130, 90, 190, 370)} {
		code := address + "/4711"
		clean := pictureOf(t, builtIn(t), label.Label{Code: code}, 410)
		for _, shade := range []uint8{0, 255} {
			picture := image.NewGray(clean.Bounds())
			copy(picture.Pix, clean.Pix)
			for y := stain.Min.Y; y < stain.Max.Y; y++ {
				for x := stain.Min.X; x < stain.Max.X; x++ {
					picture.Pix[picture.PixOffset(x, y)] = shade
				}
			}
			if got, _, err := read(picture); got != code {
				t.Errorf("a stain of shade %d %s: it says %q, %v", shade, name, got, err)
			}
		}
	}
}

func TestWhatCannotBePrinted(t *testing.T) {
	p := builtIn(t)
	var b bytes.Buffer
	for name, err := range map[string]error{
		"no code":         p.PNG(&b, label.Label{Name: "x"}, 500),
		"not ASCII":       p.PNG(&b, label.Label{Code: "https://例え.example"}, 500),
		"endless":         p.PNG(&b, label.Label{Code: strings.Repeat("x", 3000)}, 8000),
		"63 pixels":       p.PNG(&b, shop(), 63),
		"8001 pixels":     p.PNG(&b, shop(), 8001),
		"9 mm":            p.SVG(&b, shop(), 9),
		"too many mm":     p.PDF(&b, shop(), 1001),
		"no labels":       p.Sheet(&b, nil, label.Sheet{}),
		"13 columns":      p.Sheet(&b, []label.Label{shop()}, label.Sheet{Columns: 13, Rows: 2}),
		"no rows":         p.Sheet(&b, []label.Label{shop()}, label.Sheet{Columns: 3}),
		"a wide margin":   p.Sheet(&b, []label.Label{shop()}, label.Sheet{Margin: 61}),
		"unknown marks":   p.Sheet(&b, []label.Label{shop()}, label.Sheet{Marks: "dots"}),
		"one bad of many": p.Sheet(&b, []label.Label{shop(), {Name: "no code"}}, label.Sheet{}),
	} {
		if err == nil {
			t.Errorf("%s: printed", name)
		}
	}
	if b.Len() > 0 {
		t.Error("something was written all the same")
	}
}

func TestMissingCharacters(t *testing.T) {
	p := builtIn(t)
	for _, tt := range []struct {
		l       label.Label
		missing string
		says    string
	}{
		{label.Label{Code: address, Name: "Shop 店"}, "店", "U+5E97"},
		{label.Label{Code: address, Note: "a › 北"}, "北", `of "a › 北"`},
		{label.Label{Code: address, Name: "x 👩‍👧"}, "👩‍👧", "U+1F469 U+200D U+1F467"},
		{label.Label{Code: address, Name: strings.Repeat("a long name ", 40) + "店"}, "店", "U+5E97"}, // that would be left out
	} {
		var missing *label.MissingError
		var b bytes.Buffer
		for _, err := range []error{p.PNG(&b, tt.l, 500), p.SVG(&b, tt.l, 60), p.PDF(&b, tt.l, 60), p.Sheet(&b, []label.Label{shop(), tt.l}, label.Sheet{})} {
			if !errors.As(err, &missing) || missing.Missing != tt.missing || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%q: %v, want that %s is missing", tt.l.Name, err, tt.missing)
			}
		}
		if b.Len() > 0 {
			t.Errorf("%q: something was written all the same", tt.l.Name)
		}
	}
	if err := p.PNG(&bytes.Buffer{}, label.Label{Code: address, Name: "“Città” – Привет, Ελλάδα… №\u200b\ufe0f\x07 5 €"}, 500); err != nil {
		t.Errorf("the built-in fonts: %v", err)
	}
}

func TestLabelsWithoutWhatNoFontHas(t *testing.T) {
	p := builtIn(t)
	labels := []label.Label{shop(), {Code: address, Name: "店", Note: "a", Typed: "x"}, {Code: address, Note: "骨", Typed: "y"}}
	got, err := p.Drawable(labels)
	want := []label.Label{shop(), {Code: address, Typed: "x"}, {Code: address, Typed: "y"}}
	var missing *label.MissingError
	if !slices.Equal(got, want) || !errors.As(err, &missing) || missing.Missing != "店" {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	if labels[1].Name == "" {
		t.Error("the labels that were given are changed")
	}
	if err := p.Check(labels); !errors.As(err, &missing) || p.Check(got) != nil {
		t.Errorf("checked: %v before, %v after", err, p.Check(got))
	}
}

func TestOwnFontComesFirst(t *testing.T) {
	folder := t.TempDir()
	bold := filepath.Join(folder, "bold.ttf")
	if err := os.WriteFile(bold, gobold.TTF, 0o644); err != nil {
		t.Fatal(err)
	}
	_, regular, err := label.Outline(builtIn(t), "Shop")
	if err != nil {
		t.Fatal(err)
	}
	_, width, err := label.Outline(printer(t, label.Options{Font: bold, Folders: []string{t.TempDir()}}), "Shop")
	if err != nil || width <= regular {
		t.Errorf("in bold it is %v wide, %v in regular: %v", width, regular, err)
	}
	// One without outlines, as fonts of coloured pictures are, draws nothing: the
	// next is asked.
	empty := bytes.Clone(gobold.TTF)
	at := bytes.Index(empty, []byte("loca")) // then its checksum, offset and length
	from, long := binary.BigEndian.Uint32(empty[at+8:]), binary.BigEndian.Uint32(empty[at+12:])
	clear(empty[from : from+long])
	pictures := filepath.Join(folder, "pictures.ttf")
	if err := os.WriteFile(pictures, empty, 0o644); err != nil {
		t.Fatal(err)
	}
	path, width, err := label.Outline(printer(t, label.Options{Font: pictures, Folders: []string{t.TempDir()}}), "Shop")
	if err != nil || width != regular || len(path) == 0 {
		t.Errorf("with a font without outlines it is %v wide, %v in regular: %v", width, regular, err)
	}
	none := filepath.Join(folder, "none.ttf")
	if err := os.WriteFile(none, []byte("no font at all"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{none, folder, filepath.Join(folder, "nowhere.ttf")} {
		if _, err := label.New(label.Options{Font: path}); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("the font %s: %v", path, err)
		}
	}
	// Of the system's, one that cannot be read is passed over.
	var missing *label.MissingError
	if _, _, err := label.Outline(printer(t, label.Options{Folders: []string{folder}}), "店"); !errors.As(err, &missing) {
		t.Errorf("with a broken font in the folder: %v", err)
	}
}

func TestPrinterServesManyAtOnce(t *testing.T) {
	p := builtIn(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			var b bytes.Buffer
			if err := p.PNG(&b, shop(), 300); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}
