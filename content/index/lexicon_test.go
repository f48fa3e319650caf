package index

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestNearFindsAllWithinReach compares near with the distance to every word.
func TestNearFindsAllWithinReach(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	random := func() string {
		letters := [][]rune{[]rune("abcdeéè"), []rune("шщжаеё")}[rng.IntN(2)]
		word := make([]rune, 3+rng.IntN(7))
		for i := range word {
			word[i] = letters[rng.IntN(len(letters))]
		}
		return string(word)
	}
	l := newLexicon()
	close(l.ready)
	words := map[string]bool{}
	for range 3000 {
		words[random()] = true
	}
	l.take(words)
	var d distance
	found := 0
	for range 300 {
		word, most := plain(random()), 1+rng.IntN(2)
		w := []rune(word)
		var got, want []string
		l.near(word, most, func(f form, edits int) { got = append(got, fmt.Sprint(f.text, edits)) })
		for text := range words {
			p := plain(text)
			r := []rune(p)
			switch e := d.edits(w, []byte(p), 2); {
			case p == word || e > most:
			case r[0] == w[0], most == 1: // of two edits none is in the first letter
				want = append(want, fmt.Sprint(text, e))
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if got = slices.Compact(got); !slices.Equal(got, want) {
			t.Fatalf("near %s by %d: got %v, want %v", word, most, got, want)
		}
		found += len(got)
	}
	if found < 50 {
		t.Errorf("only %d found", found)
	}
}
