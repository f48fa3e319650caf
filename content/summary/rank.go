package summary

import (
	"math"
	"slices"
	"strings"
	"unicode"

	"newsie/content/language"
)

// terms counts the words of a text that mean something: words without
// stopwords, cut to six letters so that endings do not count, and pairs of wide
// characters.
func terms(lang, text string) map[string]float64 {
	counts := map[string]float64{}
	var word []rune
	wide := false
	end := func() {
		switch {
		case wide && len(word) == 1:
			counts[string(word)]++
		case wide:
			for i := range len(word) - 1 {
				counts[string(word[i:i+2])]++
			}
		case len(word) > 1 && !language.Stopword(lang, string(word)):
			counts[string(word[:min(len(word), 6)])]++
		}
		word = word[:0]
	}
	for _, r := range strings.ToLower(text) {
		isWide := language.IsHan(r) || language.IsKana(r) || language.IsHangul(r)
		if !isWide && !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r) {
			end()
			continue
		}
		if isWide != wide {
			end()
			wide = isWide
		}
		word = append(word, r)
	}
	end()
	return counts
}

// weigh fills in the terms of each candidate: counted, and weighted by how few
// of the sentences have them.
func weigh(lang string, all []*candidate) {
	frequency := map[string]float64{}
	for _, c := range all {
		c.counts = terms(lang, c.text)
		for term := range c.counts {
			frequency[term]++
		}
	}
	for _, c := range all {
		sum := 0.0
		c.terms = make(map[string]float64, len(c.counts))
		for term, count := range c.counts {
			w := (1 + math.Log(count)) * math.Log(1+float64(len(all))/frequency[term])
			c.terms[term] = w
			sum += w * w
		}
		c.norm = math.Sqrt(sum)
	}
}

func cosine(a, b *candidate) float64 {
	if a.norm == 0 || b.norm == 0 {
		return 0
	}
	if len(a.terms) > len(b.terms) {
		a, b = b, a
	}
	dot := 0.0
	for term, w := range a.terms {
		dot += w * b.terms[term]
	}
	return dot / (a.norm * b.norm)
}

// likeness is the cosine of every two candidates.
func likeness(all []*candidate) [][]float64 {
	similar := make([][]float64, len(all))
	cells := make([]float64, len(all)*len(all))
	for i := range all {
		similar[i], cells = cells[:len(all)], cells[len(all):]
		for j := range i {
			s := cosine(all[i], all[j])
			similar[i][j], similar[j][i] = s, s
		}
	}
	return similar
}

// lexRank is the stationary share of a walk from sentence to sentence along
// their likeness (Erkan and Radev, 2004), scaled so that the most central
// sentence has 1.
func lexRank(similar [][]float64) []float64 {
	n := len(similar)
	sums := make([]float64, n)
	rank := make([]float64, n)
	for i, row := range similar {
		for _, s := range row {
			sums[i] += s
		}
		rank[i] = 1 / float64(n)
	}
	const damping = 0.85
	next := make([]float64, n)
	for range 30 {
		for i := range next {
			next[i] = (1 - damping) / float64(n)
		}
		for j, row := range similar {
			if sums[j] == 0 {
				continue
			}
			share := damping * rank[j] / sums[j]
			for i, s := range row {
				next[i] += share * s
			}
		}
		rank, next = next, rank
	}
	return scaled(rank)
}

// common is how often the text uses the words of each sentence, on average
// (SumBasic: Nenkova and Vanderwende, 2005), scaled so that the highest is 1.
// The constant keeps sentences of two or three words from the top.
func common(all []*candidate) []float64 {
	counts := map[string]float64{}
	for _, c := range all {
		for term, n := range c.counts {
			counts[term] += n
		}
	}
	mean := make([]float64, len(all))
	for i, c := range all {
		for term := range c.counts {
			mean[i] += counts[term]
		}
		mean[i] /= float64(len(c.counts)) + 3
	}
	return scaled(mean)
}

func scaled(values []float64) []float64 {
	if most := slices.Max(values); most > 0 {
		for i := range values {
			values[i] /= most
		}
	}
	return values
}

// shared is the share of the title's terms that a sentence has.
func shared(title, own map[string]float64) float64 {
	if len(title) == 0 {
		return 0
	}
	n := 0.0
	for term := range title {
		if _, ok := own[term]; ok {
			n++
		}
	}
	return n / float64(len(title))
}
