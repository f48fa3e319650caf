package index

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A kind says what a token is.
type kind uint8

const (
	kindWord kind = iota // a word as it stands
	kindPart             // a part of a compound: commerce of e-commerce
	kindPair             // two neighbouring characters
	kindChar             // one character
)

// A token is something that may be searched for, with where it stands.
type token struct {
	kind       kind
	text       string // folded; words keep their accents
	start, end int    // bytes of the text
	unit       int    // tokens of one word, or of one run of characters, share it
	last       bool   // the last character of its run (for kindChar and kindPair)
}

// An analyzer cuts texts into tokens. It keeps its buffers; it is for one
// goroutine at a time.
type analyzer struct {
	glyphs []glyph
	parts  []part
	unit   int
	only   *wanted // nil: every token
}

// A part is a piece of a compound: the glyphs from..to, and what joins it to
// the next piece.
type part struct {
	from, to int
	join     class
}

// maxWord bounds what counts as a word, in runes: longer ones are keys and
// base64, which nobody looks for.
const maxWord = 48

// analyze calls visit for each token of a text. Words come with their parts;
// runs of characters come as pairs, then each character by itself.
func (a *analyzer) analyze(text string, visit func(token)) {
	a.glyphs = fold(a.glyphs[:0], text)
	a.unit = 0
	g := a.glyphs
	for i := 0; i < len(g); {
		switch g[i].class {
		case classWord:
			from := i
			i = a.compound(i)
			if a.only != nil && !a.only.word(g, a.parts) {
				continue
			}
			a.words(visit)
			a.edge(visit, from, i)
		case classPair:
			from := i
			for i < len(g) && g[i].class == classPair {
				i++
			}
			a.run(visit, from, i)
		case classEmoji:
			visit(token{kindChar, string(g[i].r), int(g[i].start), int(g[i].end), a.unit, true})
			a.unit++
			i++
		default:
			i++
		}
	}
}

// run emits the pairs and characters of a run.
func (a *analyzer) run(visit func(token), from, to int) {
	g := a.glyphs
	if a.only != nil {
		for i := from; i < to; i++ {
			if a.only.chars[g[i].r] {
				visit(token{kindChar, string(g[i].r), int(g[i].start), int(g[i].end), a.unit, i+1 == to})
			}
		}
		return
	}
	var b [2 * utf8.UTFMax]byte
	for i := from; i+1 < to; i++ {
		n := utf8.EncodeRune(b[:], g[i].r)
		n += utf8.EncodeRune(b[n:], g[i+1].r)
		visit(token{kindPair, string(b[:n]), int(g[i].start), int(g[i+1].end), a.unit, i+2 == to})
	}
	for i := from; i < to; i++ {
		visit(token{kindChar, string(g[i].r), int(g[i].start), int(g[i].end), a.unit, i+1 == to})
	}
	a.unit++
}

// edge emits the pair of a short word and the character that touches it: A股,
// B站, 5月, 维生素C.
func (a *analyzer) edge(visit func(token), from, to int) {
	g := a.glyphs
	n := 0
	for _, x := range g[from:to] {
		if x.class == classWord {
			n++
		}
	}
	if n == 0 || n > 2 || n != to-from {
		return
	}
	word := text(g[from:to])
	if to < len(g) && g[to].class == classPair && g[to].start == g[to-1].end {
		visit(token{kindPair, word + string(g[to].r), int(g[from].start), int(g[to].end), a.unit - 1, false})
	}
	if from > 0 && g[from-1].class == classPair && g[from-1].end == g[from].start {
		visit(token{kindPair, string(g[from-1].r) + word, int(g[from-1].start), int(g[to-1].end), a.unit - 1, false})
	}
}

// compound collects the parts of the word at i and returns where it ends. A
// single hyphen, dot, apostrophe, & or _ between letters joins.
func (a *analyzer) compound(i int) int {
	g := a.glyphs
	a.parts = a.parts[:0]
	for {
		from := i
		for i < len(g) && g[i].class == classWord {
			i++
		}
		p := part{from: from, to: i}
		if i+1 < len(g) && g[i+1].class == classWord {
			switch g[i].class {
			case classApostrophe, classHyphen, classDot, classJoin:
				p.join = g[i].class
			case classComma:
				if digit(g[i-1].r) && digit(g[i+1].r) {
					p.join = classComma
				}
			}
		}
		a.parts = append(a.parts, p)
		if p.join == classOther {
			return i
		}
		i++
	}
}

// words emits the compound that lies in a.parts. An apostrophe after an article
// or preposition (l'economia, dell’anno, qu'il) cuts it off, one before a
// possessive s cuts that off.
func (a *analyzer) words(visit func(token)) {
	parts := a.parts
	for len(parts) > 1 && parts[0].join == classApostrophe && elided[a.text(parts[0])] {
		parts = parts[1:]
	}
	a.joined(visit, parts)
	a.unit++
}

// joined emits one compound: the whole written together, and its parts.
func (a *analyzer) joined(visit func(token), parts []part) {
	last := len(parts) - 1
	if last > 0 && parts[last-1].join == classApostrophe && a.text(parts[last]) == "s" {
		parts, last = parts[:last], last-1
	}
	if last == 0 {
		a.single(visit, parts[0])
		return
	}
	if number, ok := a.number(parts); ok {
		a.emit(visit, kindWord, number, parts[0].from, parts[last].to)
		return
	}
	whole := ""
	runes := 0
	contraction := true
	for i, p := range parts {
		whole += a.text(p)
		runes += p.to - p.from
		if i < last && p.join != classApostrophe {
			contraction = false
		}
	}
	if runes <= maxWord && len(parts) <= 5 {
		a.emit(visit, kindWord, whole, parts[0].from, parts[last].to)
	}
	for _, p := range parts {
		if contraction && p.to-p.from < 3 {
			continue // the d and t of I'd and don't
		}
		a.emit(visit, kindPart, a.text(p), p.from, p.to)
	}
}

// single emits a word without joints: C++ and C# with their signs, iPhone15
// also as iphone and 15.
func (a *analyzer) single(visit func(token), p part) {
	g := a.glyphs
	word := a.text(p)
	if n := p.to - p.from; n <= 2 && !digit(g[p.from].r) && p.to < len(g) {
		switch {
		case g[p.to].class == classHash:
			a.emit(visit, kindWord, word+"#", p.from, p.to+1)
			return
		case p.to+1 < len(g) && g[p.to].class == classPlus && g[p.to+1].class == classPlus:
			a.emit(visit, kindWord, word+"++", p.from, p.to+2)
			return
		}
	}
	a.emit(visit, kindWord, word, p.from, p.to)
	if i := p.from; !digit(g[i].r) {
		for i < p.to && !digit(g[i].r) {
			i++
		}
		j := i
		for j < p.to && digit(g[j].r) {
			j++
		}
		if i-p.from >= 3 && j == p.to && j > i {
			a.emit(visit, kindPart, text(g[p.from:i]), p.from, i)
			a.emit(visit, kindPart, text(g[i:j]), i, j)
		}
	}
}

// number returns 1,000 and 1.000 as 1000, and 3.5 and 3,5 as 3.5.
func (a *analyzer) number(parts []part) (string, bool) {
	thousands := true
	for i, p := range parts {
		for _, x := range a.glyphs[p.from:p.to] {
			if !digit(x.r) {
				return "", false
			}
		}
		if i < len(parts)-1 && p.join != classDot && p.join != classComma {
			return "", false
		}
		if n := p.to - p.from; i == 0 && n > 3 || i > 0 && n != 3 {
			thousands = false
		}
	}
	var b strings.Builder
	for i, p := range parts {
		if i > 0 && !thousands {
			b.WriteByte('.')
		}
		b.WriteString(a.text(p))
	}
	return b.String(), true
}

func (a *analyzer) emit(visit func(token), k kind, word string, from, to int) {
	if to-from > maxWord {
		return
	}
	visit(token{k, word, int(a.glyphs[from].start), int(a.glyphs[to-1].end), a.unit, false})
}

func (a *analyzer) text(p part) string { return text(a.glyphs[p.from:p.to]) }

func text(g []glyph) string {
	var b strings.Builder
	b.Grow(len(g))
	for _, x := range g {
		b.WriteRune(x.r)
	}
	return b.String()
}

func digit(r rune) bool {
	return '0' <= r && r <= '9' || r >= utf8.RuneSelf && unicode.IsDigit(r)
}

// elided are the words that lose their vowel before another in Italian, French
// and Catalan.
var elided = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(`l d c j m n s t qu un
		dell all nell sull dall coll quell quest sant bell nessun ciascun alcun anch com cos dov quand senz mezz tutt vent trent gl
		lorsqu puisqu jusqu quoiqu aujourd presqu quelqu`) {
		m[w] = true
	}
	return m
}()
