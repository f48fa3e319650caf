// Package corpus makes libraries of articles for benchmarks: the same ones for
// the same numbers, on every machine. It is for tests only.
//
// The articles are made up: words of a seeded vocabulary in the proportions of
// Zipf's law (with Mandelbrot's offset), Chinese characters as often as they
// stand in Chinese (see words.go for what is taken from where). Read composes
// them from the sentences of real texts instead.
package corpus

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Langs are the languages of made-up articles, each as frequent as the others.
var Langs = []string{"zh-Hans", "en", "ja", "ko", "it", "ru", "de"}

// An Article is one of a library.
type Article struct {
	Lang, Title, Author string
	Paragraphs          []string
	Tags                []string
	Published           time.Time
}

// Body is the text under the title.
func (a Article) Body() string { return strings.Join(a.Paragraphs, "\n") }

// A Library makes articles. It may be used from any goroutine.
type Library struct {
	langs     []string
	words     map[string]*vocabulary
	sentences map[string][]string // of real texts, by language
}

// New returns a library of made-up articles.
func New() *Library {
	l := &Library{langs: Langs, words: map[string]*vocabulary{}}
	for i, lang := range Langs {
		l.words[lang] = newVocabulary(lang, rand.New(rand.NewPCG(uint64(i), 1)))
	}
	return l
}

// Article makes number n: 1,000 to 4,000 characters in paragraphs, with a title.
func (l *Library) Article(n int) Article {
	rng := rand.New(rand.NewPCG(uint64(n), 2))
	lang := l.langs[rng.IntN(len(l.langs))]
	a := Article{
		Lang: lang, Title: l.title(rng, lang), Author: fmt.Sprintf("Author %d", rng.IntN(300)),
		Tags:      []string{fmt.Sprintf("tag%d", rng.IntN(50))},
		Published: time.Date(2005, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(n) * 97 * time.Minute),
	}
	var paragraph strings.Builder
	for runes, want := 0, 1000+rng.IntN(3000); runes < want; {
		s := l.sentence(rng, lang)
		runes += utf8.RuneCountInString(s)
		if paragraph.Len() > 0 && !unspaced(lang) {
			paragraph.WriteByte(' ')
		}
		paragraph.WriteString(s)
		if rng.IntN(5) == 0 || runes >= want {
			a.Paragraphs = append(a.Paragraphs, paragraph.String())
			paragraph.Reset()
		}
	}
	return a
}

func (l *Library) title(rng *rand.Rand, lang string) string {
	s := strings.TrimRight(l.sentence(rng, lang), ".。!?！？")
	if limit := 60; utf8.RuneCountInString(s) > limit {
		s = string([]rune(s)[:limit])
		if at := strings.LastIndexByte(s, ' '); at > 0 {
			s = s[:at]
		}
	}
	return s
}

func (l *Library) sentence(rng *rand.Rand, lang string) string {
	if list := l.sentences[lang]; len(list) > 0 {
		return list[rng.IntN(len(list))]
	}
	return l.words[lang].sentence(rng)
}

// unspaced tells of languages that are written without spaces.
func unspaced(lang string) bool { return strings.HasPrefix(lang, "zh") || lang == "ja" }

// A Question is something a reader may type, with the kind it is of and the
// language of the article that it was taken from.
type Question struct{ Kind, Text, Lang string }

// Kinds are the kinds of questions, as tables list them.
var Kinds = []string{"one character", "a name", "a run of characters", "one word", "two or three words", "a sentence", "a sentence of characters"}

// Question asks for something that stands in article n: the kinds that its
// language has take turns.
func (l *Library) Question(n int) Question {
	a := l.Article(n)
	q := question(rand.New(rand.NewPCG(uint64(n), 3)), a)
	q.Lang = a.Lang
	return q
}

func question(rng *rand.Rand, a Article) Question {
	sentences := strings.FieldsFunc(a.Body(), func(r rune) bool { return strings.ContainsRune(".。!?！？\n", r) })
	sentences = slices.DeleteFunc(sentences, func(s string) bool { return utf8.RuneCountInString(strings.TrimSpace(s)) < 15 })
	if len(sentences) == 0 {
		return Question{Kind: "one word", Text: a.Title}
	}
	sentence := strings.TrimSpace(sentences[rng.IntN(len(sentences))])
	if !unspaced(a.Lang) {
		return spaced(rng, strings.Fields(sentence))
	}
	var runes []rune
	for _, r := range sentence {
		if r >= 0x3041 {
			runes = append(runes, r)
		}
	}
	if len(runes) < 13 {
		return Question{Kind: "a run of characters", Text: string(runes)}
	}
	at := rng.IntN(len(runes) - 12)
	switch rng.IntN(4) {
	case 0:
		return Question{Kind: "one character", Text: string(runes[at])}
	case 1:
		return Question{Kind: "a name", Text: string(runes[at : at+2+rng.IntN(2)])}
	case 2:
		return Question{Kind: "a run of characters", Text: string(runes[at : at+4+rng.IntN(8)])}
	}
	return Question{Kind: "a sentence of characters", Text: string(runes[:min(len(runes), 40)])}
}

func spaced(rng *rand.Rand, words []string) Question {
	for i := range words {
		words[i] = strings.Trim(words[i], "–—-,;:()\"'«»„“”’")
	}
	words = slices.DeleteFunc(words, func(w string) bool { return w == "" })
	switch rng.IntN(3) {
	case 0:
		return Question{Kind: "one word", Text: words[rng.IntN(len(words))]}
	case 1:
		var some []string
		for range 2 + rng.IntN(2) {
			some = append(some, words[rng.IntN(len(words))])
		}
		return Question{Kind: "two or three words", Text: strings.Join(some, " ")}
	}
	return Question{Kind: "a sentence", Text: strings.Join(words[:min(len(words), 14)], " ")}
}

// Typo exchanges two letters of the longest word of a question in letters, and
// tells whether there was one.
func Typo(text string) (string, bool) {
	words := strings.Fields(text)
	longest := -1
	for i, w := range words {
		if r := []rune(w); len(r) > 5 && r[0] < 0x500 && r[2] != r[3] && (longest < 0 || len(w) > len(words[longest])) {
			longest = i
		}
	}
	if longest < 0 {
		return text, false
	}
	r := []rune(words[longest])
	r[2], r[3] = r[3], r[2]
	words[longest] = string(r)
	return strings.Join(words, " "), true
}
