package label

import (
	"slices"
	"strings"
	"unicode"

	"github.com/go-text/typesetting/di"
	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/font/opentype"
	"github.com/go-text/typesetting/language"
	"github.com/go-text/typesetting/segmenter"
	"github.com/go-text/typesetting/shaping"
	"golang.org/x/image/math/fixed"
)

// A text is a line of letters that is one unit high; its baseline begins at 0, 0.
type text struct {
	words string
	width float64
	path  []segment
}

// A setter makes lines of one look.
type setter struct {
	fonts   *fonts
	base    *font.Face
	writing writing // of the whole label, so that all its characters look alike
	shaper  *shaping.HarfbuzzShaper
	split   *shaping.Segmenter
}

func (f *fonts) setter(base *font.Face, of string) *setter {
	return &setter{fonts: f, base: base, writing: f.writing(of), shaper: &shaping.HarfbuzzShaper{}, split: &shaping.Segmenter{}}
}

// writing tells which shapes the Han characters of a text have.
func (f *fonts) writing(of string) writing {
	han := false
	for _, r := range of {
		switch {
		case unicode.In(r, unicode.Hiragana, unicode.Katakana):
			return japanese
		case unicode.Is(unicode.Hangul, r):
			return korean
		case unicode.In(r, unicode.Han, unicode.Bopomofo):
			han = true
		}
	}
	if !han {
		return other
	}
	lang := strings.ToLower(f.lang)
	switch {
	case strings.HasPrefix(lang, "ja"):
		return japanese
	case strings.HasPrefix(lang, "ko"):
		return korean
	case strings.HasPrefix(lang, "zh") && (strings.Contains(lang, "hant") || strings.HasSuffix(lang, "-tw") || strings.HasSuffix(lang, "-hk") || strings.HasSuffix(lang, "-mo")):
		return hant
	}
	return hans
}

// tongue tells fonts that have several shapes of a character which to take.
func (w writing) tongue() language.Language {
	return language.NewLanguage(map[writing]string{hans: "zh-Hans", hant: "zh-Hant", japanese: "ja", korean: "ko"}[w])
}

// em is the size at which letters are shaped, so that their widths are hardly rounded.
const em = 2048

// set draws one line.
func (s *setter) set(line string) (text, error) {
	runes := []rune(line)
	out := text{words: line}
	if len(runes) == 0 {
		return out, nil
	}
	direction := di.DirectionLTR
	if rightToLeft(runes) {
		direction = di.DirectionRTL
	}
	runs := slices.Clone(s.split.Split(shaping.Input{
		Text: runes, RunEnd: len(runes), Direction: direction, Size: fixed.I(em), Language: s.writing.tongue(),
	}, sole{s.base}))
	parts, err := s.faces(line, runes, runs)
	if err != nil {
		return out, err
	}
	for _, part := range visual(parts, direction) {
		shaped := s.shaper.Shape(part)
		for _, g := range shaped.Glyphs {
			outline, ok := part.Face.GlyphDataOutline(g.GlyphID)
			if !ok || g.GlyphID == 0 && !invisible(runes[g.TextIndex()]) {
				return out, &MissingError{Text: line, Missing: string(runes[g.TextIndex() : g.TextIndex()+g.RunesCount()])}
			}
			scale := 1 / float64(part.Face.Upem())
			at := point{out.width + units(g.XOffset), -units(g.YOffset)}
			out.path = append(out.path, contours(outline.Segments, scale, at)...)
			out.width += units(g.Advance)
		}
	}
	return out, nil
}

func units(v fixed.Int26_6) float64 { return float64(v) / 64 / em }

// sole is a map of fonts with one in it: who draws what is decided for whole
// clusters, later.
type sole struct{ face *font.Face }

func (s sole) ResolveFace(rune) *font.Face { return s.face }

// faces splits runs where the font changes.
func (s *setter) faces(line string, runes []rune, runs []shaping.Input) (parts []shaping.Input, err error) {
	for _, run := range runs {
		for from, to := range clusters(runes, run.RunStart, run.RunEnd) {
			face, ok := s.fonts.face(runes[from:to], s.base, s.writing)
			if !ok {
				return nil, &MissingError{Text: line, Missing: string(runes[from:to])}
			}
			if n := len(parts); n > 0 && from > run.RunStart && parts[n-1].Face == face {
				parts[n-1].RunEnd = to
				continue
			}
			part := run
			part.RunStart, part.RunEnd, part.Face = from, to, face
			parts = append(parts, part)
		}
	}
	return parts, nil
}

// visual puts runs, which come as they are read, into the order in which they
// stand from left to right.
func visual(parts []shaping.Input, base di.Direction) []shaping.Input {
	if base == di.DirectionRTL {
		slices.Reverse(parts)
	}
	for from := 0; from < len(parts); {
		to := from + 1
		if parts[from].Direction != base {
			for to < len(parts) && parts[to].Direction != base {
				to++
			}
			slices.Reverse(parts[from:to])
		}
		from = to
	}
	return parts
}

func rightToLeft(runes []rune) bool {
	for _, r := range runes {
		if unicode.In(r, unicode.Arabic, unicode.Hebrew, unicode.Syriac, unicode.Thaana, unicode.Nko) && unicode.IsLetter(r) {
			return true
		}
		if unicode.IsLetter(r) {
			return false
		}
	}
	return false
}

// contours are the closed paths of a glyph, y down.
func contours(glyph []opentype.Segment, scale float64, at point) []segment {
	out := make([]segment, 0, len(glyph)+2)
	for _, g := range glyph {
		s := segment{op: map[opentype.SegmentOp]op{
			opentype.SegmentOpMoveTo: move, opentype.SegmentOpLineTo: line, opentype.SegmentOpQuadTo: quad, opentype.SegmentOpCubeTo: cube,
		}[g.Op]}
		for i := range s.points() {
			s.p[i] = point{at.x + scale*float64(g.Args[i].X), at.y - scale*float64(g.Args[i].Y)}
		}
		if s.op == move && len(out) > 0 {
			out = append(out, segment{op: closed})
		}
		out = append(out, s)
	}
	if len(out) > 0 {
		out = append(out, segment{op: closed})
	}
	return out
}

// clusters are what readers take for single characters, from and to.
func clusters(runes []rune, from, to int) func(yield func(int, int) bool) {
	return func(yield func(int, int) bool) {
		var s segmenter.Segmenter
		s.Init(runes[from:to])
		for each := s.GraphemeIterator(); each.Next(); {
			g := each.Grapheme()
			if !yield(from+g.Offset, from+g.Offset+len(g.Text)) {
				return
			}
		}
	}
}
