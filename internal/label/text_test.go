package label_test

import (
	"errors"
	"image"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"newsie/internal/label"
)

func TestNamesAreWrappedAndShortened(t *testing.T) {
	p := builtIn(t)
	for _, tt := range []struct {
		name  string
		width float64
		lines []string
	}{
		{"Bookshop", 10, []string{"Bookshop"}},
		{"  Book\n\tshop  ", 10, []string{"Book shop"}},
		{"", 10, nil},
		{"Libreria San Marco Venezia", 9, []string{"Libreria San", "Marco Venezia"}}, // not "Libreria San Marco", "Venezia"
		{"Libreria di Piazza San Marco a Venezia, cassa numero tre", 9, []string{"Libreria di Piazza", "San Marco a Ven…"}},
		{"Donaudampfschifffahrtsgesellschaftskapitän", 9, []string{"Donaudampfschifffa", "hrtsgesellschafts…"}},
		{"half-price-bookshop", 6, []string{"half-price-", "bookshop"}},
		{strings.Repeat("e\u0301", 60), 5, []string{"éééééééé", "ééééééé…"}},
		{strings.Repeat("m\u200d\ufe0f", 60), 5, []string{strings.Repeat("m\u200d\ufe0f", 6), strings.Repeat("m\u200d\ufe0f", 4) + "…"}}, // three that are one are never parted
		{"x", 0.1, []string{"x"}},
	} {
		lines, widths, err := label.Wrapped(p, tt.name, tt.width, 2)
		if err != nil || !slices.Equal(lines, tt.lines) {
			t.Errorf("%q becomes %q, want %q: %v", tt.name, lines, tt.lines, err)
		}
		for i, width := range widths {
			if width > tt.width && tt.width > 1 {
				t.Errorf("%q is %v wide, more than %v", lines[i], width, tt.width)
			}
		}
	}
	if lines, _, err := label.Wrapped(p, "Chain › North › A shop with a long name", 9, 1); err != nil || !slices.Equal(lines, []string{"Chain › North › A…"}) {
		t.Errorf("in one line: %q %v", lines, err)
	}
}

// names are in writings that the built-in fonts do not have.
func names() map[string]string {
	return map[string]string{
		"Chinese":          "北方区旗舰店 12 号柜台",
		"long Chinese":     "一家名字特别长的书店，它的名字长到两行也放不下，所以必须用省略号把后面的字省略掉才行，你说是不是这样呢",
		"Traditional":      "繁體中文書店「誠品」——臺北",
		"Japanese":         "東京の本屋さん 新宿店",
		"Korean":           "서울 강남 서점",
		"Arabic":           "مكتبة القاهرة المركزية ١٢",
		"Hebrew and Latin": "סניף תל אביב Shop 5",
		"mixed":            "Caffè 北京 & Κάτι Ещё",
	}
}

// systems is a printer with the fonts of this machine, which are opened once.
var systems = sync.OnceValues(func() (*label.Printer, error) { return label.New(label.Options{}) })

func systemFonts(t *testing.T) *label.Printer {
	t.Helper()
	p, err := systems()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// orSkip ends a test on a machine that has no font for a name.
func orSkip(t *testing.T, err error) {
	t.Helper()
	var missing *label.MissingError
	if errors.As(err, &missing) {
		t.Skip("no fonts here for names of labels in Chinese, Japanese, Korean, Arabic and Hebrew")
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestNamesOfAllLanguagesFit(t *testing.T) {
	p := systemFonts(t)
	for language, name := range names() {
		_, _, err := label.Outline(p, name)
		orSkip(t, err)
		l := label.Label{Code: address, Name: name, Note: name + name, Typed: "k7mq2x9pd"}
		picture := pictureOf(t, p, l, 410)
		words := inked(picture, image.Rect(0, 370, 410, picture.Bounds().Dy()))
		if words.Min.Y < 410 || words.Min.X < 8 || words.Max.X > 402 || words.Max.Y > picture.Bounds().Dy()-8 {
			t.Errorf("%s: the words cover %v of %v", language, words, picture.Bounds())
		}
		if left, right := words.Min.X, 410-words.Max.X; left-right > 12 || right-left > 12 {
			t.Errorf("%s: they stand %d from the left and %d from the right", language, left, right)
		}
		if got, _, err := read(picture); got != address {
			t.Errorf("%s: the code says %q, %v", language, got, err)
		}
	}
}

func TestChineseBreaksBetweenCharacters(t *testing.T) {
	p := systemFonts(t)
	lines, widths, err := label.Wrapped(p, names()["long Chinese"], 12, 2)
	orSkip(t, err)
	// A comma never begins a line.
	if want := []string{"一家名字特别长的书店，", "它的名字长到两行也放不…"}; len(lines) != 2 || widths[0] > 12 || widths[1] > 12 ||
		strings.HasPrefix(lines[1], "，") || !strings.HasSuffix(lines[1], "…") || !strings.HasPrefix(names()["long Chinese"], lines[0]+strings.TrimSuffix(lines[1], "…")) {
		t.Errorf("got %q, %v wide, want something like %q", lines, widths, want)
	}
	if lines, _, err = label.Wrapped(p, "北京市朝阳区，书店", 6.5, 2); err != nil || len(lines) != 2 || strings.HasPrefix(lines[1], "，") {
		t.Errorf("got %q: %v", lines, err)
	}
}

func TestLettersAreShaped(t *testing.T) {
	p := systemFonts(t)
	drawn := func(words string) []float64 {
		path, _, err := label.Outline(p, words)
		orSkip(t, err)
		return path
	}
	// Written from right to left, the second letter stands leftmost.
	if first, both := drawn("ב"), drawn("אב"); !slices.Equal(both[:len(first)], first) {
		t.Error("Hebrew is written from left to right")
	}
	// A name in Latin letters keeps its direction within such a name, and before it.
	if latin, both := drawn("Shop"), drawn("אב Shop"); !slices.Equal(both[:len(latin)], latin) {
		t.Error("Latin letters after Hebrew ones do not stand left of them")
	}
	if latin, both := drawn("Shop "), drawn("Shop אב"); !slices.Equal(both[:len(latin)], latin) {
		t.Error("Latin letters before Hebrew ones do not stand left of them")
	}
	// Several writings from right to left stand in that order, too.
	hebrew, arabic := heights(drawn("אב")), heights(drawn("ب"))
	if all := heights(drawn("Shop אב ب")); !slices.Equal(all[len(all)-len(hebrew):], hebrew) || slices.Index(all, arabic[0]) < 0 {
		t.Error("Arabic letters after Hebrew ones, within a Latin name, do not stand left of them")
	}
	// Letters of an Arabic word join: in the middle they look otherwise than alone.
	if alone, joined := drawn("ببب"), drawn("ب ب ب"); slices.Equal(alone, joined) || len(alone) == len(joined) {
		t.Error("Arabic letters do not join")
	}
}

// heights are those of an outline's points, which do not change with its place.
func heights(path []float64) (ys []float64) {
	for i := 1; i < len(path); i += 2 {
		ys = append(ys, path[i])
	}
	return ys
}

func TestHanCharactersLookAsTheirReadersWriteThem(t *testing.T) {
	files := []string{"a/DejaVuSans.ttf", "b/NotoSansCJKjp-Regular.otf", "c/NotoSansCJKsc-Bold.otf", "d/NotoSansCJKsc-Regular.otf", "e/NotoSansCJKtc-Regular.otf", "f/NotoSansCJKkr-Regular.otf", "g/NotoSerifCJKsc-Regular.otf", "h/LastResort.otf"}
	for _, tt := range []struct{ lang, name, want string }{
		{"", "书店", "d"}, {"en", "书店", "d"}, {"zh-Hans", "书店", "d"}, {"zh-Hant", "書店", "e"}, {"zh-TW", "書店", "e"}, {"ja", "書店", "b"}, {"ko", "書店", "f"},
		{"zh-Hans", "本の店", "b"}, {"zh-Hans", "서점", "f"}, {"zh-Hans", "Shop é", "a"},
	} {
		got := label.Ranked(printer(t, label.Options{Lang: tt.lang, Folders: []string{}}), tt.name, files...)
		if !strings.HasPrefix(got[0], tt.want) || !strings.HasPrefix(got[len(got)-1], "h") {
			t.Errorf("%s in %q: %q", tt.name, tt.lang, got)
		}
	}
	sc, _, err := label.Outline(systemFonts(t), "骨直角")
	orSkip(t, err)
	jp, _, err := label.Outline(printer(t, label.Options{Lang: "ja"}), "骨直角")
	orSkip(t, err)
	if slices.Equal(sc, jp) {
		t.Log("only one font with Han characters is here")
	}
}

func TestWhereFontsAreLookedFor(t *testing.T) {
	env := func(values map[string]string) func(string) string {
		return func(name string) string { return values[name] }
	}
	for _, tt := range []struct {
		system string
		env    map[string]string
		want   []string
	}{
		{"linux", map[string]string{"HOME": "/home/a"}, []string{"/usr/share/fonts", "/home/a/.local/share/fonts", "/home/a/.fonts"}},
		{"linux", map[string]string{"HOME": "/home/a", "XDG_DATA_HOME": "/data"}, []string{"/data/fonts"}},
		{"linux", nil, []string{"/usr/local/share/fonts"}},
		{"darwin", map[string]string{"HOME": "/Users/a"}, []string{"/System/Library/Fonts", "/Users/a/Library/Fonts"}},
		{"windows", map[string]string{"WINDIR": `D:\Win`, "LOCALAPPDATA": `C:\Local`}, []string{filepath.Join(`D:\Win`, "Fonts"), filepath.Join(`C:\Local`, "Microsoft", "Windows", "Fonts")}},
	} {
		got := label.SystemFolders(tt.system, env(tt.env))
		for _, folder := range tt.want {
			if !slices.Contains(got, folder) {
				t.Errorf("%s: %q lacks %s", tt.system, got, folder)
			}
		}
		for _, folder := range got {
			if !filepath.IsAbs(folder) && tt.system != "windows" {
				t.Errorf("%s: %s depends on where newsie is started", tt.system, folder)
			}
		}
	}
}
