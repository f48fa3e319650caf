package language

import (
	"strings"
	"sync"
	"unicode"

	"github.com/blevesearch/bleve/v2/analysis/lang/ar"
	"github.com/blevesearch/bleve/v2/analysis/lang/bg"
	"github.com/blevesearch/bleve/v2/analysis/lang/ca"
	"github.com/blevesearch/bleve/v2/analysis/lang/cs"
	"github.com/blevesearch/bleve/v2/analysis/lang/da"
	"github.com/blevesearch/bleve/v2/analysis/lang/de"
	"github.com/blevesearch/bleve/v2/analysis/lang/el"
	"github.com/blevesearch/bleve/v2/analysis/lang/en"
	"github.com/blevesearch/bleve/v2/analysis/lang/es"
	"github.com/blevesearch/bleve/v2/analysis/lang/fa"
	"github.com/blevesearch/bleve/v2/analysis/lang/fi"
	"github.com/blevesearch/bleve/v2/analysis/lang/fr"
	"github.com/blevesearch/bleve/v2/analysis/lang/hi"
	"github.com/blevesearch/bleve/v2/analysis/lang/hr"
	"github.com/blevesearch/bleve/v2/analysis/lang/hu"
	"github.com/blevesearch/bleve/v2/analysis/lang/id"
	"github.com/blevesearch/bleve/v2/analysis/lang/it"
	"github.com/blevesearch/bleve/v2/analysis/lang/nl"
	"github.com/blevesearch/bleve/v2/analysis/lang/no"
	"github.com/blevesearch/bleve/v2/analysis/lang/pt"
	"github.com/blevesearch/bleve/v2/analysis/lang/ro"
	"github.com/blevesearch/bleve/v2/analysis/lang/ru"
	"github.com/blevesearch/bleve/v2/analysis/lang/sv"
	"github.com/blevesearch/bleve/v2/analysis/lang/tr"
	"golang.org/x/text/unicode/norm"
)

// stopSet is what is known of function words: a bit for each language.
type stopSet struct {
	langs []string
	words map[string]uint32 // lower case; bit i is langs[i]
}

// stopwords holds the lists that come with Bleve (Snowball's and Lucene's, BSD
// and Apache licences), in order of how many read the language: on a tie the
// first one wins.
var stopwords = sync.OnceValue(func() stopSet {
	s := stopSet{words: map[string]uint32{}}
	add := func(lang string, list []byte) {
		bit := uint32(1) << len(s.langs)
		s.langs = append(s.langs, lang)
		for line := range strings.Lines(string(list)) {
			if i := strings.IndexAny(line, "|#"); i >= 0 {
				line = line[:i]
			}
			for _, w := range strings.Fields(strings.ToLower(line)) {
				s.words[w] |= bit
				if plain := unaccented(w); len(plain) >= 4 { // perche; "e" and "si" are words of their own
					s.words[plain] |= bit
				}
			}
		}
	}
	add("en", en.EnglishStopWords)
	add("es", es.SpanishStopWords)
	add("fr", fr.FrenchStopWords)
	add("de", de.GermanStopWords)
	add("pt", pt.PortugueseStopWords)
	add("it", it.ItalianStopWords)
	add("ru", ru.RussianStopWords)
	add("nl", nl.DutchStopWords)
	add("tr", tr.TurkishStopWords)
	add("id", id.IndonesianStopWords)
	add("ar", ar.ArabicStopWords)
	add("fa", fa.PersianStopWords)
	add("hi", hi.HindiStopWords)
	add("el", el.GreekStopWords)
	add("cs", cs.CzechStopWords)
	add("hu", hu.HungarianStopWords)
	add("ro", ro.RomanianStopWords)
	add("sv", sv.SwedishStopWords)
	add("da", da.DanishStopWords)
	add("nb", no.NorwegianStopWords)
	add("fi", fi.FinnishStopWords)
	add("bg", bg.BulgarianStopWords)
	add("hr", hr.CroatianStopWords)
	add("ca", ca.CatalanStopWords)
	return s
})

// unaccented is a word as many type it on a phone.
func unaccented(word string) string {
	if strings.ContainsFunc(word, func(r rune) bool { return !unicode.Is(unicode.Latin, r) }) {
		return word
	}
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(word))
}

// Stopword tells whether a lower-case word is a function word of a language.
// It is false for every word of a language without a list.
func Stopword(lang, word string) bool {
	s := stopwords()
	bits := s.words[word]
	if bits == 0 {
		return false
	}
	lang = Base(lang)
	for i, l := range s.langs {
		if l == lang {
			return bits&(1<<i) != 0
		}
	}
	return false
}

// FunctionWord tells whether a lower-case word is a function word of some language.
func FunctionWord(word string) bool { return stopwords().words[word] != 0 }

// byStopwords returns the language whose stopwords are most in a text, how
// many words of the text they are, and how many the runner-up has.
func byStopwords(text string) (lang string, hits, second int) {
	s := stopwords()
	var n [32]int
	words(text, func(w string) {
		for bits, i := s.words[w], 0; bits != 0; bits, i = bits>>1, i+1 {
			n[i] += int(bits & 1)
		}
	})
	best := -1
	for i := range s.langs {
		switch {
		case best < 0 || n[i] > hits:
			second = hits
			best, hits = i, n[i]
		case n[i] > second:
			second = n[i]
		}
	}
	if hits == 0 {
		return "", 0, 0
	}
	return s.langs[best], hits, second
}
