package index

import (
	"unicode"
	"unicode/utf8"

	"newsie/content/language"
)

// wanted says which tokens of a text can be those of a query, so that the rest,
// nearly all of it, need not be spelt out and stemmed. Stemmers take the ends of
// words off and leave their first letters, but for those named here.
type wanted struct {
	ascii  [utf8.RuneSelf]bool // first letters of terms
	others map[rune]bool
	prefix bool // terms in Arabic or Tamil, whose stemmers take off prefixes too
	all    bool // Irish: the same, in Latin letters
	chars  map[rune]bool
	known  map[rune]bool // letters looked up
}

// wants collects the tokens that a plan's groups are found by.
func (p *plan) wants(lang string) *wanted {
	w := &wanted{others: map[rune]bool{}, chars: map[rune]bool{}, known: map[rune]bool{}, all: language.Base(lang) == "ga"}
	for _, g := range p.groups {
		for _, v := range g.variants {
			first, _ := utf8.DecodeRuneInString(v.term)
			switch {
			case v.field == fieldChars:
				w.chars[first] = true
			case v.field != fieldWords:
			case first < utf8.RuneSelf:
				w.ascii[first] = true
			default:
				w.others[first] = true
				w.prefix = w.prefix || prefixing(first)
			}
		}
	}
	return w
}

func prefixing(r rune) bool { return unicode.Is(unicode.Arabic, r) || unicode.Is(unicode.Tamil, r) }

// word tells whether a compound of an analyzer may hold a term.
func (w *wanted) word(g []glyph, parts []part) bool {
	if w.all {
		return true
	}
	for _, p := range parts {
		for i := p.from; i < p.to; i++ {
			// iPhone15 is found by 15 too.
			if (i == p.from || digit(g[i].r) && !digit(g[i-1].r)) && w.letter(g[i].r) {
				return true
			}
		}
	}
	return false
}

func (w *wanted) letter(r rune) bool {
	if r < utf8.RuneSelf {
		return w.ascii[r]
	}
	if is, ok := w.known[r]; ok {
		return is
	}
	is := prefixing(r) && w.prefix || w.others[r]
	if first, _ := utf8.DecodeRuneInString(plain(string(r))); first < utf8.RuneSelf {
		is = is || w.ascii[first]
	} else {
		is = is || w.others[first]
	}
	w.known[r] = is
	return is
}
