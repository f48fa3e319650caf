package label_test

import (
	"bytes"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"newsie/internal/label"
)

// rasterised is what a program that newsie knows nothing of makes of a file, page
// by page.
func rasterised(t *testing.T, file []byte, ending string, dpi int) (pages []*image.Gray) {
	t.Helper()
	folder := t.TempDir()
	path := filepath.Join(folder, "labels."+ending)
	if err := os.WriteFile(path, file, 0o644); err != nil {
		t.Fatal(err)
	}
	resolution := strconv.Itoa(dpi)
	program, args := "pdftoppm", []string{"-r", resolution, "-gray", path, filepath.Join(folder, "page")}
	if ending == "svg" {
		program, args = "rsvg-convert", []string{"-d", resolution, "-p", resolution, "-b", "white", "-o", filepath.Join(folder, "page-1.png"), path}
	}
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("no %s in PATH: labels were not looked at as others show them", program)
	}
	if out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", program, err, out)
	}
	names, err := filepath.Glob(filepath.Join(folder, "page-*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names { // in the order of their numbers, which have zeros before them
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if ending == "pdf" { // a PGM, which is quickly written and read
			var width, height, white int
			if _, err := fmt.Sscanf(string(data[:min(len(data), 40)]), "P5\n%d %d\n%d", &width, &height, &white); err != nil || white != 255 || len(data) < width*height {
				t.Fatalf("%s is no picture: %v", name, err)
			}
			pages = append(pages, &image.Gray{Pix: data[len(data)-width*height:], Stride: width, Rect: image.Rect(0, 0, width, height)})
			continue
		}
		page, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, part(page, page.Bounds()))
	}
	return pages
}

func part(page image.Image, r image.Rectangle) *image.Gray {
	cut := image.NewGray(image.Rect(0, 0, r.Dx(), r.Dy()))
	draw.Draw(cut, cut.Bounds(), page, r.Min, draw.Src)
	return cut
}

// codeIn is the code in a label: its ink down to the white below it.
func codeIn(page *image.Gray, cell image.Rectangle) image.Image {
	ink := inked(page, cell)
	bottom := ink.Min.Y + 1
	for !inked(page, image.Rect(cell.Min.X, bottom, cell.Max.X, bottom+2)).Empty() {
		bottom++
	}
	const white = 12
	return part(page, inked(page, image.Rect(cell.Min.X, ink.Min.Y, cell.Max.X, bottom)).Inset(-white))
}

func keep(t *testing.T, name string, data []byte) {
	t.Helper()
	if folder := os.Getenv("NEWSIE_ARTIFACTS"); folder != "" {
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o644); err != nil {
			t.Error(err)
		}
	}
}

func TestEveryCodeOfASheetIsRead(t *testing.T) {
	labels := make([]label.Label, 300)
	for i := range labels {
		code := fmt.Sprintf("k7mq2x%03d", i)
		labels[i] = label.Label{Code: "https://news.example.org/o/" + code, Name: fmt.Sprintf("Shop %d", i), Note: "Chain › North", Typed: code}
		if i%7 == 0 {
			labels[i].Name += " in the arcade behind the old post office, second floor"
		}
	}
	var b bytes.Buffer
	if err := builtIn(t).Sheet(&b, labels, label.Sheet{Columns: 5, Rows: 6, Title: "Chain"}); err != nil {
		t.Fatal(err)
	}
	const dpi, perPage = 127, 30
	pages := rasterised(t, b.Bytes(), "pdf", dpi)
	if len(pages) != 10 {
		t.Fatalf("%d pages, want 10", len(pages))
	}
	dots := func(mm float64) int { return int(math.Round(mm / 25.4 * dpi)) }
	width, height := (210.0-16)/5, (297.0-16)/6
	for i, l := range labels {
		at := i % perPage
		x, y := 8+float64(at%5)*width, 8+float64(at/5)*height
		cell := image.Rect(dots(x), dots(y), dots(x+width), dots(y+height)).Inset(dots(1)) // without marks
		if got, _, err := read(codeIn(pages[i/perPage], cell)); got != l.Code {
			t.Errorf("label %d says %q, want %q: %v", i, got, l.Code, err)
		}
	}
	for i, page := range pages {
		if got := page.Bounds().Size(); abs(got.X-dots(210)) > 1 || abs(got.Y-dots(297)) > 1 {
			t.Errorf("page %d is %v dots", i+1, got)
		}
		if ink := inked(page, page.Bounds()); ink.Min.X < dots(2.4) || ink.Min.Y < dots(2.4) || ink.Max.X > dots(210-2.4) || ink.Max.Y > dots(297-2.4) {
			t.Errorf("page %d has ink at %v, where printers do not print", i+1, ink)
		}
		if number := inked(page, image.Rect(dots(100), dots(290), dots(110), dots(295))); number.Empty() {
			t.Errorf("page %d has no number", i+1)
		}
	}
}

func abs(n int) int { return max(n, -n) }

func TestSheetsOfAllKinds(t *testing.T) {
	p := systemFonts(t)
	labels := []label.Label{shop(), {Code: address, Name: "Libreria di Piazza San Marco a Venezia", Typed: "x"}}
	for _, name := range names() {
		_, _, err := label.Outline(p, name)
		orSkip(t, err)
		labels = append(labels, label.Label{Code: address, Name: name, Note: name, Typed: "k7mq2x9pd"})
	}
	const dpi = 120
	for name, tt := range map[string]struct {
		sheet label.Sheet
		pages int
		marks image.Rectangle // in mm: where there is ink only if there are marks of that kind
		none  image.Rectangle // where there is none
	}{
		"usual":       {label.Sheet{}, 1, image.Rect(0, 70, 8, 82), image.Rect(63, 20, 82, 30)},
		"2x4, lines":  {label.Sheet{Columns: 2, Rows: 4, Marks: label.Lines}, 2, image.Rect(103, 10, 107, 60), image.Rect(0, 0, 7, 290)},
		"3x8, cut":    {label.Sheet{Columns: 3, Rows: 8, Margin: -1, Marks: label.Uncut}, 1, image.Rect(20, 3, 50, 30), image.Rect(0, 0, 210, 4)},
		"3x8, no cut": {label.Sheet{Columns: 3, Rows: 8, Margin: -1}, 1, image.Rect(20, 3, 50, 30), image.Rect(0, 0, 210, 4)},
		"Letter":      {label.Sheet{Paper: label.Papers()["letter"], Columns: 2, Rows: 2, Margin: 12}, 3, image.Rect(5, 130, 12, 150), image.Rect(108, 30, 109, 40)},
	} {
		var b bytes.Buffer
		if err := p.Sheet(&b, labels, tt.sheet); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		keep(t, "labels-"+strings.ReplaceAll(name, ", ", "-")+".pdf", b.Bytes())
		pages := rasterised(t, b.Bytes(), "pdf", dpi)
		if len(pages) != tt.pages {
			t.Errorf("%s: %d pages, want %d", name, len(pages), tt.pages)
		}
		dots := func(r image.Rectangle) image.Rectangle {
			return image.Rect(r.Min.X*dpi*10/254, r.Min.Y*dpi*10/254, r.Max.X*dpi*10/254, r.Max.Y*dpi*10/254)
		}
		if inked(pages[0], dots(tt.marks)).Empty() {
			t.Errorf("%s: nothing at %v", name, tt.marks)
		}
		if ink := inked(pages[0], dots(tt.none)); !ink.Empty() {
			t.Errorf("%s: ink at %v dots, within %v mm", name, ink, tt.none)
		}
	}
}

func TestSVGAndPDFOfOneSayTheSame(t *testing.T) {
	p := systemFonts(t)
	for language, name := range names() {
		_, _, err := label.Outline(p, name)
		orSkip(t, err)
		if language != "Chinese" && language != "Arabic" {
			continue
		}
		l := label.Label{Code: address, Name: name + " <&>", Note: "a & b", Typed: "k7mq2x9pd"}
		var svg, pdf bytes.Buffer
		if err := p.SVG(&svg, l, 60); err != nil {
			t.Fatal(err)
		}
		if err := p.PDF(&pdf, l, 60); err != nil {
			t.Fatal(err)
		}
		const dpi = 150
		drawn := pictureOf(t, p, l, 354)
		for ending, file := range map[string][]byte{"svg": svg.Bytes(), "pdf": pdf.Bytes()} {
			page := rasterised(t, file, ending, dpi)[0]
			if got, _, err := read(page); got != address {
				t.Errorf("%s, %s: it says %q, %v", language, ending, got, err)
			}
			if wide := float64(page.Bounds().Dx()) / dpi * 25.4; math.Abs(wide-60) > 0.3 {
				t.Errorf("%s, %s: %.1f mm wide, want 60", language, ending, wide)
			}
			// The words are where they are in the PNG, whose code is smaller by less
			// than a module.
			height := page.Bounds().Dy()
			words := inked(page, image.Rect(0, height-60, page.Bounds().Dx(), height))
			want := inked(drawn, image.Rect(0, drawn.Bounds().Dy()-60, 354, drawn.Bounds().Dy()))
			if abs(words.Dx()-want.Dx()) > 6 || abs(words.Min.X-want.Min.X) > 6 {
				t.Errorf("%s, %s: the words cover %v, in the PNG %v", language, ending, words, want)
			}
		}
	}
}

func TestSVGAndPDFHaveTheSameLetters(t *testing.T) {
	p := builtIn(t)
	l := label.Label{Code: address, Name: "Bookshop & Café"}
	var svg, pdf bytes.Buffer
	if err := p.SVG(&svg, l, 100); err != nil {
		t.Fatal(err)
	}
	if err := p.PDF(&pdf, l, 100); err != nil {
		t.Fatal(err)
	}
	const dpi = 300
	one, other := rasterised(t, svg.Bytes(), "svg", dpi)[0], rasterised(t, pdf.Bytes(), "pdf", dpi)[0]
	ink, differ := 0, 0
	for y := 1200; y < 1290; y++ { // where the name is
		for x := range min(one.Bounds().Dx(), other.Bounds().Dx()) {
			a, b := int(one.GrayAt(x, y).Y), int(other.GrayAt(x, y).Y)
			if a < 128 {
				ink++
			}
			if abs(a-b) > 128 {
				differ++
			}
		}
	}
	if ink < 5000 || differ > ink/100 {
		t.Errorf("%d of %d dots differ", differ, ink)
	}
}
