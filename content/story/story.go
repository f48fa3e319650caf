// Package story tells whether two articles are the same text, as when two feeds
// print one agency's report.
//
// Candidates are found by a fingerprint of 64 bits: near texts have near ones.
// Whether they are one story is then decided on the texts, because a wrong yes
// hides an article from every reader, and a wrong no only shows one twice. It
// knows texts only; where fingerprints are kept is its caller's business.
package story

import (
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"newsie/content/language"
)

// A Text is what is compared of an article.
type Text struct {
	Source string // who brought it
	Title  string
	Body   string
	At     time.Time // when it was published; zero: unknown
}

// A token is a folded word, or one character of a script that writes no spaces
// between words.
type token struct {
	hash   uint64
	number bool
	letter bool // one character of such a script
}

// longest bounds how many tokens of a text are looked at.
const longest = 20_000

// tokens cuts a text: in lower case, compatible forms and both Chinese scripts
// made one, everything but letters and digits left out.
func tokens(text string) []token {
	if !norm.NFKC.IsNormalString(text) {
		text = norm.NFKC.String(text)
	}
	list := make([]token, 0, len(text)/6+1)
	var word token
	within := false
	end := func() {
		if within {
			word.hash = mix(word.hash)
			list = append(list, word)
			within = false
		}
	}
	for _, r := range text {
		if len(list) == longest {
			break
		}
		switch {
		case r < 0x80 && !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'):
			end()
		case r >= 0x80 && spaceless(r):
			end()
			list = append(list, token{hash: mix(seed ^ uint64(language.HanKey(r))), letter: true})
		case r < 0x80 || unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r):
			digit := unicode.IsDigit(r)
			if within && word.number != digit {
				end() // 5kg is as good as 5 kg
			}
			if !within {
				word, within = token{hash: seed, number: digit}, true
			}
			word.hash = (word.hash ^ uint64(unicode.ToLower(r))) * prime
		default:
			end()
		}
	}
	end()
	return list
}

// The constants of FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/.
const (
	seed  = 14695981039346656037
	prime = 1099511628211
)

// mix spreads what differs over all bits: the finalizer of MurmurHash3.
func mix(h uint64) uint64 {
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// spaceless tells the scripts that write words without spaces between them.
func spaceless(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

// shingle joins the tokens of a window.
func shingle(window []token) uint64 {
	h := uint64(seed)
	for _, t := range window {
		h = mix(h*prime ^ t.hash)
	}
	return h
}
