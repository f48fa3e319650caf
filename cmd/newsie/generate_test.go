package main_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"newsie/content"
)

// A generator writes articles that are like real ones where it matters to an
// index and a database: length, paragraphs, a few common and many rare words.
// The same generator always writes the same articles.
type generator struct {
	random *rand.Rand
	words  []string
	weight []float64 // cumulative
}

func newGenerator() *generator {
	g := &generator{random: rand.New(rand.NewPCG(7, 11))}
	syllables := strings.Fields("ba be bo ca ce co da de do fa fe fo ga ge go la le lo ma me mi mo na ne no pa pe po ra re ri ro sa se so ta te ti to va ve vo")
	for len(g.words) < 12_000 {
		var word strings.Builder
		for range 2 + g.random.IntN(3) {
			word.WriteString(syllables[g.random.IntN(len(syllables))])
		}
		g.words = append(g.words, word.String())
	}
	var sum float64
	for i := range g.words {
		sum += 1 / math.Pow(float64(i+3), 1.05) // as words are spread in real texts
		g.weight = append(g.weight, sum)
	}
	return g
}

func (g *generator) word() string {
	at := g.random.Float64() * g.weight[len(g.weight)-1]
	low, high := 0, len(g.weight)-1
	for low < high {
		if middle := (low + high) / 2; g.weight[middle] < at {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return g.words[low]
}

func (g *generator) sentence() string {
	words := make([]string, 8+g.random.IntN(14))
	for i := range words {
		words[i] = g.word()
	}
	text := strings.Join(words, " ")
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

// article is a title, a date and the paragraphs and headings of an article:
// each contains the word "harbour", and a name that no other has.
func (g *generator) article(n int) (title string, date time.Time, body []content.Block) {
	title = fmt.Sprintf("%s %d", strings.TrimSuffix(g.sentence(), ".")[:40], n)
	body = []content.Block{{Kind: content.Paragraph, Text: fmt.Sprintf("The harbour has the name %s. %s", name(n), g.sentence())}}
	for range 4 {
		body = append(body, content.Block{Kind: content.Heading, Level: 2, Text: strings.TrimSuffix(g.sentence(), ".")})
		sentences := make([]string, 5)
		for i := range sentences {
			sentences[i] = g.sentence()
		}
		body = append(body, content.Block{Kind: content.Paragraph, Text: strings.Join(sentences, " ")})
	}
	return title, time.Date(2010+n%16, time.Month(1+n%12), 1+n%28, 0, 0, 0, 0, time.UTC), body
}

// name is the word that only article n contains.
func name(n int) string {
	var b strings.Builder
	b.WriteString("quix")
	for _, digit := range fmt.Sprint(n) {
		b.WriteString([]string{"zum", "wek", "tyl", "hox", "jun", "pry", "gid", "xam", "vyk", "quo"}[digit-'0'])
	}
	return b.String()
}

// topics are an article's tags.
func topics(n int) []string { return []string{"commerce", fmt.Sprintf("topic%d", n%20)} }

// file is an article as Markdown.
func (g *generator) file(n int) string {
	title, date, body := g.article(n)
	var b strings.Builder
	fmt.Fprintf(&b, "---\ntitle: %s\ndate: %s\nlang: en\ntags: [%s]\n---\n", title, date.Format(time.DateOnly), strings.Join(topics(n), ", "))
	for _, block := range body {
		if block.Kind == content.Heading {
			b.WriteString("## ")
		}
		b.WriteString(block.Text + "\n\n")
	}
	return b.String()
}

// folder writes n articles into a folder.
func (g *generator) folder(t testing.TB, dir string, n int) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%05d.md", i)), []byte(g.file(i)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
