package main_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
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

// article is one Markdown file. Every article contains the word "harbour", and
// its number as a word of its own.
func (g *generator) article(n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "---\ntitle: %s %d\ndate: 20%02d-%02d-%02d\nlang: en\ntags: [commerce, topic%d]\n---\n",
		strings.TrimSuffix(g.sentence(), ".")[:40], n, 10+n%16, 1+n%12, 1+n%28, n%20)
	fmt.Fprintf(&b, "The harbour has the number mark%d. %s\n", n, g.sentence())
	for range 4 {
		fmt.Fprintf(&b, "\n## %s\n\n", strings.TrimSuffix(g.sentence(), "."))
		for range 5 {
			b.WriteString(g.sentence() + " ")
		}
		b.WriteString("\n")
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
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%05d.md", i)), []byte(g.article(i)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
