package label

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"unicode"

	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/font/opentype"
	"github.com/go-text/typesetting/font/opentype/tables"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/goregular"
)

// fonts finds who can draw a character: the publisher's own font, those of Go,
// which have Latin, Greek and Cyrillic letters, then the system's.
type fonts struct {
	own     []*candidate
	regular *font.Face
	mono    *font.Face
	folders []string
	lang    string
	found   []*candidate // nil: not looked for yet
	ranked  map[writing][]*candidate
}

// A candidate is a font of the system that is opened when a character needs it.
type candidate struct {
	path  string
	index int // in a collection
	name  string
	cmap  font.Cmap
	face  *font.Face
	bad   bool
}

// A writing is what decides which of several fonts looks right.
type writing int

const (
	other writing = iota
	hans
	hant
	japanese
	korean
)

// largestFont is more than any that is known: those of all Chinese characters in
// all weights have some 120 MB.
const largestFont = 256 << 20

var errNoFont = errors.New("it is no font: TTF, OTF and TTC files are read")

func newFonts(o Options) (*fonts, error) {
	f := &fonts{folders: o.Folders, lang: o.Lang, ranked: map[writing][]*candidate{}}
	if f.folders == nil {
		f.folders = systemFolders(runtime.GOOS, os.Getenv)
	}
	var err error
	if f.regular, err = font.ParseTTF(bytes.NewReader(goregular.TTF)); err != nil {
		return nil, fmt.Errorf("open the built-in font: %w", err)
	}
	if f.mono, err = font.ParseTTF(bytes.NewReader(gomono.TTF)); err != nil {
		return nil, fmt.Errorf("open the built-in font: %w", err)
	}
	if o.Font != "" {
		f.own, err = open(o.Font)
		if err == nil && !f.own[0].open() {
			err = errNoFont
		}
		if err != nil {
			return nil, fmt.Errorf("open the font %s: %w", o.Font, err)
		}
	}
	return f, nil
}

// open lists the fonts in a file by the names they have there.
func open(path string) ([]*candidate, error) {
	found := []*candidate{}
	err := reading(path, func(loaders []*opentype.Loader) error {
		for i, loader := range loaders {
			described, _ := font.Describe(loader, nil)
			found = append(found, &candidate{path: path, index: i, name: plain(filepath.Base(path) + "/" + described.Family)})
		}
		return nil
	})
	return found, err
}

// systemFolders are where an operating system and its users keep fonts.
func systemFolders(system string, getenv func(string) string) []string {
	var folders []string
	add := func(root string, parts ...string) {
		if root != "" {
			folders = append(folders, filepath.Join(append([]string{root}, parts...)...))
		}
	}
	home := getenv("HOME")
	switch system {
	case "windows":
		add(cmp.Or(getenv("WINDIR"), `C:\Windows`), "Fonts")
		add(getenv("LOCALAPPDATA"), "Microsoft", "Windows", "Fonts")
	case "darwin", "ios":
		add("/System/Library/Fonts")
		add("/System/Library/AssetsV2")
		add("/Library/Fonts")
		add(home, "Library", "Fonts")
	default:
		add("/usr/share/fonts")
		add("/usr/local/share/fonts")
		add(getenv("XDG_DATA_HOME"), "fonts")
		add(home, ".local", "share", "fonts")
		add(home, ".fonts")
	}
	return folders
}

// face is the font for a cluster of characters that are drawn together.
func (f *fonts) face(cluster []rune, base *font.Face, w writing) (*font.Face, bool) {
	if c, ok := first(ranked(f.own, w), cluster); ok {
		return c, true
	}
	// Quotation marks and dashes are as wide as the characters around them.
	wide := w != other && asWide(cluster)
	for _, face := range []*font.Face{base, f.regular} {
		if !wide && draws(face, cluster) {
			return face, true
		}
	}
	if c, ok := first(f.candidates(w), cluster); ok {
		return c, true
	}
	return f.regular, wide && draws(f.regular, cluster)
}

func first(candidates []*candidate, cluster []rune) (*font.Face, bool) {
	for _, c := range candidates {
		if c.has(cluster) && c.open() && draws(c.face, cluster) {
			return c.face, true
		}
	}
	return nil, false
}

func asWide(cluster []rune) bool {
	return len(cluster) == 1 && strings.ContainsRune("“”‘’…—·‥―", cluster[0])
}

// draws reports whether a font has outlines for all characters of a cluster.
func draws(face *font.Face, cluster []rune) bool {
	for _, r := range cluster {
		if invisible(r) {
			continue
		}
		gid, ok := face.NominalGlyph(r)
		if !ok || gid == 0 {
			return false
		}
		outline, ok := face.GlyphDataOutline(gid)
		if !ok || len(outline.Segments) == 0 && !unicode.IsSpace(r) {
			return false // such as a font of coloured pictures
		}
	}
	return true
}

// invisible characters only tell how others are drawn.
func invisible(r rune) bool {
	return unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Variation_Selector, r) || unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
}

// candidates are the system's fonts, those that suit a writing first.
func (f *fonts) candidates(w writing) []*candidate {
	if _, ok := f.ranked[w]; !ok {
		if f.found == nil {
			f.found = find(f.folders)
		}
		f.ranked[w] = ranked(f.found, w)
	}
	return f.ranked[w]
}

func ranked(candidates []*candidate, w writing) []*candidate {
	sorted := slices.Clone(candidates)
	ranks := map[*candidate]int{}
	for _, c := range sorted {
		ranks[c] = c.rank(w)
	}
	slices.SortStableFunc(sorted, func(a, b *candidate) int { return cmp.Compare(ranks[a], ranks[b]) })
	return sorted
}

// find lists the fonts in folders, in an order that does not change.
func find(folders []string) []*candidate {
	found := []*candidate{}
	seen := map[string]bool{}
	for _, folder := range folders {
		_ = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || seen[path] { // what cannot be read has no fonts for us
				return nil
			}
			seen[path] = true
			switch strings.ToLower(filepath.Ext(path)) {
			case ".ttf", ".otf":
				found = append(found, &candidate{path: path, name: plain(filepath.Base(path))})
			case ".ttc", ".otc":
				if fonts, err := open(path); err == nil {
					found = append(found, fonts...)
				}
			}
			return nil
		})
	}
	return found
}

func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' || r == '_' {
			return -1
		}
		return unicode.ToLower(r)
	}, name)
}

func reading(path string, do func([]*opentype.Loader) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || info.Size() > largestFont {
		return errNoFont
	}
	loaders, err := opentype.NewLoaders(file)
	if err != nil || len(loaders) == 0 {
		return errNoFont
	}
	return do(loaders)
}

// has reports whether the font maps all characters of a cluster.
func (c *candidate) has(cluster []rune) bool {
	if c.cmap == nil && !c.bad {
		c.bad = reading(c.path, func(loaders []*opentype.Loader) error {
			raw, err := loaders[c.index].RawTable(opentype.MustNewTag("cmap"))
			if err != nil {
				return err
			}
			table, _, err := tables.ParseCmap(raw)
			if err != nil {
				return err
			}
			c.cmap, _, err = font.ProcessCmap(table, tables.FPNone)
			return err
		}) != nil || c.cmap == nil
	}
	if c.bad {
		return false
	}
	for _, r := range cluster {
		if _, ok := c.cmap.Lookup(r); !ok && !invisible(r) {
			return false
		}
	}
	return true
}

func (c *candidate) open() bool {
	if c.face == nil && !c.bad {
		c.bad = reading(c.path, func(loaders []*opentype.Loader) error {
			opened, err := font.NewFont(loaders[c.index])
			if err != nil {
				return err
			}
			c.face = font.NewFace(opened)
			return nil
		}) != nil
	}
	return !c.bad
}

// variants tell by a font's name which writing it is made for.
func variants() map[writing][]string {
	return map[writing][]string{
		hans:     {"cjksc", "sanssc", "hanssc", "sanscn", "pingfangsc", "hiraginosansgb", "msyh", "yaheiui", "microhei", "zenhei", "simhei", "heitisc", "deng"},
		hant:     {"cjktc", "sanstc", "hanstc", "sanstw", "cjkhk", "pingfangtc", "pingfanghk", "msjh", "heititc"},
		japanese: {"cjkjp", "sansjp", "hansjp", "hiraginokaku", "hiraginosans", "yugoth", "meiryo", "msgothic", "ipag", "takao"},
		korean:   {"cjkkr", "sanskr", "hanskr", "applesdgothic", "malgun", "nanumgothic", "baekmuk"},
	}
}

// rank orders fonts by how well they suit: plain ones without serifs, of the
// writing's own, before all that happen to have the character.
func (c *candidate) rank(w writing) int {
	rank := 0
	for _, part := range []string{"bold", "black", "heavy", "medium", "italic", "oblique", "light", "thin", "condensed", "narrow", "mono", "serif", "song", "ming", "batang", "math", "lastresort", "fallback", "cursive", "nastaliq", "hebrew"} {
		if strings.Contains(strings.ReplaceAll(c.name, "sansserif", ""), part) {
			rank += 10
		}
	}
	if strings.Contains(c.name, "lastresort") {
		rank += 1000 // which has boxes for all that exists
	}
	if w == other {
		if strings.Contains(c.name, "cjk") {
			rank += 5
		}
		if strings.HasPrefix(c.name, "noto") || strings.HasPrefix(c.name, "dejavu") {
			rank -= 2
		}
		return rank
	}
	suits := func(w writing) bool {
		return slices.ContainsFunc(variants()[w], func(part string) bool { return strings.Contains(c.name, part) })
	}
	switch {
	case suits(w):
		return rank
	case w == hant && suits(hans), w == hans && suits(hant):
		return rank + 100
	case suits(hans), suits(hant), suits(japanese), suits(korean):
		return rank + 200
	}
	return rank + 300
}
