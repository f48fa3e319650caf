package index

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"newsie/content/language"
)

// suggestFar is how many letters a word must have for a suggestion two edits
// away: shorter ones are other words.
const suggestFar = 8

// prefixLonger is how many letters a suggested word may go on after what was typed.
const prefixLonger = 6

// Nearest returns up to n words near to what was asked that do have hits, best
// first: words that begin with it, words with a typo's difference, and pieces
// of Chinese, Japanese and Korean names.
func (x *Index) Nearest(ctx context.Context, text string, n int) ([]string, error) {
	v, err := x.view()
	if err != nil {
		return nil, err
	}
	defer v.close()
	parsed := ParseQuery(text)
	p, err := x.compile(v, &Query{Exact: true}, parsed.Text)
	if err != nil {
		return nil, fmt.Errorf("nearest: %w", err)
	}
	w := x.workers.Get().(*worker)
	defer x.workers.Put(w)
	c := compiler{index: x, view: v, worker: w, plan: &plan{}, exact: true, langs: v.languages()}
	var words []string
	for _, u := range p.units {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var list []string
		if u.run != nil {
			list = c.pieces(u)
		} else if list, err = c.wordsNear(plain(u.word)); err != nil {
			return nil, fmt.Errorf("nearest: %w", err)
		}
		for _, s := range list {
			if s != u.word && !slices.Contains(words, s) {
				words = append(words, s)
			}
		}
	}
	return words[:min(n, len(words))], nil
}

// wordsNear returns the words that begin as a word does or are up to two edits
// away, closest and most frequent first.
func (c *compiler) wordsNear(word string) ([]string, error) {
	type found struct {
		text  string
		edits int
		df    uint64
	}
	var list []found
	add := func(f form, edits int) {
		if len(list) < 2*maxNeighbours {
			list = append(list, found{text: f.text, edits: edits})
		}
	}
	runes := utf8.RuneCountInString(word)
	if runes >= 3 {
		most := 1
		if runes >= suggestFar {
			most = 2
		}
		c.index.lexicon.near(word, most, add)
		c.index.lexicon.starting(word, prefixLonger, func(f form) bool {
			add(f, 1)
			return len(list) < 2*maxNeighbours
		})
	}
	for i := range list {
		g := &group{variants: c.stems(list[i].text)}
		if err := c.view.lookup(g); err != nil {
			return nil, err
		}
		list[i].df = g.df
	}
	list = slices.DeleteFunc(list, func(f found) bool { return f.df == 0 })
	slices.SortFunc(list, func(a, b found) int {
		return cmp.Or(cmp.Compare(a.edits, b.edits), cmp.Compare(b.df, a.df), cmp.Compare(a.text, b.text))
	})
	words := make([]string, len(list))
	for i, f := range list {
		words[i] = f.text
	}
	return words, nil
}

// pieces returns the longest pieces of a run all of whose pairs have hits, and
// where there is none the single characters that have, the rarest first.
func (c *compiler) pieces(u *unit) []string {
	var words []string
	weights := grammar(u.run)
	from := -1
	flush := func(to int) {
		if from >= 0 && to-from >= 2 && to-from < len(u.run) && telling(u.run[from:to]) {
			words = append(words, string(u.run[from:to]))
		}
		from = -1
	}
	for i := 0; i+1 < len(u.run); i++ {
		g := &group{variants: []variant{{fieldPairs, string(u.run[i : i+2]), 1}}}
		if err := c.view.lookup(g); err != nil || g.df == 0 || weights[i] <= frameWeight {
			flush(i + 1)
			continue
		}
		if from < 0 {
			from = i
		}
	}
	flush(len(u.run))
	if len(words) == 0 {
		return c.characters(u.run, weights)
	}
	slices.SortStableFunc(words, func(a, b string) int { return len(b) - len(a) })
	return words
}

// dull are further characters that nobody would look for alone.
const dull = "不没无未非一二三四五六七八九十上下中里外前后大小多少很太最更还只要会能可以我你他她它们您咱来去说做用让给"

// characters returns the Chinese characters of a run that have hits, without
// those that only ask or join.
func (c *compiler) characters(run []rune, weights []float64) []string {
	dfs := map[string]uint64{}
	var list []string
	for i, r := range run {
		asks := i < len(weights) && weights[i] <= frameWeight || i > 0 && weights[i-1] <= frameWeight
		if asks || !language.IsHan(r) || strings.ContainsRune(function+dull, r) || slices.Contains(list, string(r)) {
			continue
		}
		g := &group{variants: []variant{{fieldChars, string(r), 1}}}
		if err := c.view.lookup(g); err == nil && g.df > 0 {
			list = append(list, string(r))
			dfs[string(r)] = g.df
		}
	}
	if len(run) == len(list) && len(run) == 1 {
		return nil // it was asked for
	}
	slices.SortStableFunc(list, func(a, b string) int { return cmp.Compare(dfs[a], dfs[b]) })
	return list
}

// telling reports whether a piece may be a word of its own: one with Chinese
// characters, or of three syllables and more.
func telling(piece []rune) bool {
	return len(piece) >= 3 || slices.ContainsFunc(piece, language.IsHan)
}
