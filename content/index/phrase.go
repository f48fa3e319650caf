package index

import (
	"cmp"
	"fmt"
	"slices"
)

const (
	// phraseBonus is what the score of a text is multiplied by that has a query
	// of several words as one phrase. It decides between texts that have them
	// about as often, and cannot put one before a clearly better match. No
	// measured set changes by it: questions are not what their answers say. It
	// is for the two or three words of a reader.
	phraseBonus = 1.15
	// closest is how many of the best are looked at for it.
	closest = 8
	// phraseLongest is how many words of a query may be a phrase.
	phraseLongest = 5
)

// lift puts those of the best hits first that have the whole query as a phrase.
// Runs of characters need no such thing: their pairs hold them together.
func (s *searcher) lift(hits []candidate) error {
	p := s.plan
	wordless := func(u *unit) bool { return u.run != nil }
	if s.query.Fetch == nil || len(hits) < 2 || p.typos || len(p.dropped) > 0 || slices.ContainsFunc(p.units, wordless) {
		return nil
	}
	phrase := phraseWords(p.text)
	if len(phrase) < 2 || len(phrase) > phraseLongest {
		return nil
	}
	hits = hits[:min(len(hits), closest)]
	near := func(i int) bool { // to the one before it
		return i > 0 && i < len(hits) && hits[i].score*phraseBonus > hits[i-1].score
	}
	var has []int
	for i := range hits {
		if !near(i) && !near(i+1) {
			continue
		}
		text, err := s.query.Fetch(hits[i].id)
		if err != nil {
			return fmt.Errorf("fetch article %d: %w", hits[i].id, err)
		}
		if containsRun(phraseWords(text), phrase) {
			has = append(has, i)
		}
	}
	for _, i := range has {
		hits[i].score *= phraseBonus
	}
	slices.SortStableFunc(hits, func(a, b candidate) int { return cmp.Compare(b.score, a.score) })
	return nil
}

// hasPhrases tells whether a text has all phrases, word for word: in any case,
// with or without accents, with any punctuation between, but in order, whole
// words and not stemmed.
func (x *Index) hasPhrases(text string, phrases []string) bool {
	words := phraseWords(text)
	for _, p := range phrases {
		if !containsRun(words, phraseWords(p)) {
			return false
		}
	}
	return true
}

// phraseWords returns the words and characters of a text in order.
func phraseWords(text string) []string {
	var list []string
	g := fold(nil, text)
	for i := 0; i < len(g); {
		switch g[i].class {
		case classPair:
			list = append(list, string(g[i].r))
			i++
		case classWord:
			from := i
			for i < len(g) && g[i].class == classWord {
				i++
			}
			word := make([]rune, 0, i-from)
			for _, x := range g[from:i] {
				word = append(word, x.r)
			}
			list = append(list, plain(string(word)))
		default:
			i++
		}
	}
	return list
}

func containsRun(words, run []string) bool {
	for i := 0; i+len(run) <= len(words); i++ {
		if slices.Equal(words[i:i+len(run)], run) {
			return true
		}
	}
	return false
}
