package index

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/arabic"
	"github.com/blevesearch/snowballstem/danish"
	"github.com/blevesearch/snowballstem/dutch"
	"github.com/blevesearch/snowballstem/english"
	"github.com/blevesearch/snowballstem/finnish"
	"github.com/blevesearch/snowballstem/french"
	"github.com/blevesearch/snowballstem/german"
	"github.com/blevesearch/snowballstem/hungarian"
	"github.com/blevesearch/snowballstem/irish"
	"github.com/blevesearch/snowballstem/italian"
	"github.com/blevesearch/snowballstem/norwegian"
	"github.com/blevesearch/snowballstem/portuguese"
	"github.com/blevesearch/snowballstem/romanian"
	"github.com/blevesearch/snowballstem/russian"
	"github.com/blevesearch/snowballstem/spanish"
	"github.com/blevesearch/snowballstem/swedish"
	"github.com/blevesearch/snowballstem/tamil"
	"github.com/blevesearch/snowballstem/turkish"

	"newsie/content/language"
)

// stemmers are the Snowball algorithms by language (Porter, 2001).
var stemmers = map[string]func(*snowballstem.Env) bool{
	"ar": arabic.Stem, "da": danish.Stem, "de": german.Stem, "en": english.Stem, "es": spanish.Stem, "fi": finnish.Stem,
	"fr": french.Stem, "ga": irish.Stem, "hu": hungarian.Stem, "it": italian.Stem, "nb": norwegian.Stem, "nl": dutch.Stem,
	"nn": norwegian.Stem, "no": norwegian.Stem, "pt": portuguese.Stem, "ro": romanian.Stem, "ru": russian.Stem,
	"sv": swedish.Stem, "ta": tamil.Stem, "tr": turkish.Stem,
}

// A stemmer gives the terms that words are indexed under. It remembers what it
// worked out, and is for one goroutine at a time.
type stemmer struct {
	known map[stemKey]string
}

type stemKey struct{ lang, word string }

// memory bounds what a stemmer remembers.
const memory = 1 << 15

// term returns the term of a folded word in a text of some language: stemmed
// by the rules of that language where the word is in its script, of English for
// Latin words elsewhere and of Russian for Cyrillic ones, then without accents.
func (s *stemmer) term(lang, word string) string {
	lang = stemLang(lang, word)
	if lang == "" || utf8.RuneCountInString(word) < 3 {
		return plain(word)
	}
	key := stemKey{lang, word}
	if t, ok := s.known[key]; ok {
		return t
	}
	if lang == "ru" {
		word = strings.ReplaceAll(word, "ё", "е") // which the algorithm takes for no vowel
	}
	env := snowballstem.NewEnv(word)
	stemmers[lang](env)
	t := plain(env.Current())
	if t == "" {
		t = plain(word)
	}
	if s.known == nil || len(s.known) >= memory {
		s.known = make(map[stemKey]string, 1024)
	}
	s.known[key] = t
	return t
}

// stemLang returns the language whose rules stem a word, or "" for none. Words
// with digits are names of things and stay as they are.
func stemLang(lang, word string) string {
	base := language.Base(lang)
	own := ""
	for _, r := range word {
		switch {
		case '0' <= r && r <= '9' || r == '+' || r == '#':
			return ""
		case own != "":
		case r < 0x250 || r >= 0x1E00 && r < 0x1F00:
			own = "en"
		case r >= 0x400 && r <= 0x52F:
			own = "ru"
		case unicode.Is(unicode.Arabic, r):
			own = "ar"
		case unicode.Is(unicode.Tamil, r):
			own = "ta"
		}
	}
	if _, ok := stemmers[base]; ok && scriptOf(base) == scriptOf(own) {
		return base
	}
	if own == "ru" && base != "" && base != "ru" && cyrillic[base] {
		return "" // Ukrainian is not stemmed as Russian
	}
	if own == "en" && latin[base] {
		return "" // nor Polish as English
	}
	return own
}

func scriptOf(lang string) string {
	switch lang {
	case "ru", "ar", "ta":
		return lang
	}
	return "latin"
}

// Languages without a stemmer that are written in Cyrillic and Latin.
var (
	cyrillic = map[string]bool{"uk": true, "bg": true, "sr": true, "mk": true, "be": true}
	latin    = map[string]bool{
		"pl": true, "cs": true, "sk": true, "sl": true, "hr": true, "et": true, "lv": true, "lt": true, "vi": true,
		"id": true, "ms": true, "ca": true, "gl": true, "eu": true, "is": true, "sq": true, "bs": true,
	}
)
