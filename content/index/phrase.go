package index

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
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
	w := s.index.workers.Get().(*worker)
	defer s.index.workers.Put(w)
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
		w.glyphs = fold(w.glyphs[:0], text)
		if hasRun(w.glyphs, phrase) {
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
	w := x.workers.Get().(*worker)
	defer x.workers.Put(w)
	w.glyphs = fold(w.glyphs[:0], text)
	for _, p := range phrases {
		if words := phraseWords(p); len(words) > 0 && !hasRun(w.glyphs, words) {
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

// hasRun tells whether the words and characters of a folded text contain some
// that phraseWords gave, one after the other.
func hasRun(g []glyph, run []string) bool {
	for i := 0; i < len(g); {
		end := endOf(g, i)
		if end == i {
			i++
			continue
		}
		if isWord(g[i:end], run[0]) && goesOn(g, end, run[1:]) {
			return true
		}
		i = end
	}
	return false
}

// endOf is where the word or character that begins at i ends; i when none does.
func endOf(g []glyph, i int) int {
	switch g[i].class {
	case classPair:
		return i + 1
	case classWord:
		for i < len(g) && g[i].class == classWord {
			i++
		}
	}
	return i
}

func goesOn(g []glyph, i int, run []string) bool {
	for len(run) > 0 {
		if i == len(g) {
			return false
		}
		end := endOf(g, i)
		if end == i {
			i++
			continue
		}
		if !isWord(g[i:end], run[0]) {
			return false
		}
		i, run = end, run[1:]
	}
	return true
}

// isWord tells whether glyphs are a word, but for the accents of letters.
func isWord(g []glyph, word string) bool {
	for _, x := range g {
		if x.r < utf8.RuneSelf {
			if word == "" || rune(word[0]) != x.r {
				return false
			}
			word = word[1:]
			continue
		}
		letter := string(x.r)
		if x.class == classWord {
			letter = plain(letter)
		}
		rest, ok := strings.CutPrefix(word, letter)
		if !ok {
			return false
		}
		word = rest
	}
	return word == ""
}
