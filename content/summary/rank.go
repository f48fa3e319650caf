package summary

import (
	"math"
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

// weigh fills in the terms of each candidate, weighted by how few of the
// sentences have them.
func weigh(lang string, all []*candidate) {
	frequency := map[string]float64{}
	for _, c := range all {
		c.terms = terms(lang, c.text)
		for term := range c.terms {
			frequency[term]++
		}
	}
	for _, c := range all {
		sum := 0.0
		for term, count := range c.terms {
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

// lexRank is the stationary share of a walk from sentence to sentence along
// their likeness, scaled so that the most central sentence has 1.
func lexRank(all []*candidate) []float64 {
	n := len(all)
	similar := make([][]float64, n)
	sums := make([]float64, n)
	for i := range all {
		similar[i] = make([]float64, n)
	}
	for i := range all {
		for j := range i {
			s := cosine(all[i], all[j])
			similar[i][j], similar[j][i] = s, s
			sums[i] += s
			sums[j] += s
		}
	}
	rank := make([]float64, n)
	for i := range rank {
		rank[i] = 1 / float64(n)
	}
	const damping = 0.85
	for range 30 {
		next := make([]float64, n)
		for i := range next {
			next[i] = (1 - damping) / float64(n)
		}
		for j := range all {
			if sums[j] == 0 {
				continue
			}
			for i := range all {
				next[i] += damping * rank[j] * similar[j][i] / sums[j]
			}
		}
		rank = next
	}
	most := 0.0
	for _, r := range rank {
		most = max(most, r)
	}
	for i := range rank {
		rank[i] /= most
	}
	return rank
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
