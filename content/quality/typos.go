package quality

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"newsie/content"
)

// Typos is what spelling mistakes cost, and how much of that repair wins back:
// the MRR@10 of the two rarest words of each query.
type Typos struct {
	Queries  int     `json:"queries"`  // with two words or one to misspell
	Clean    float64 `json:"clean"`    // as they are
	Typo     float64 `json:"typo"`     // one edit in one of them, taken as typed
	Repaired float64 `json:"repaired"` // the same, as a reader's question
	Share    float64 `json:"share"`    // of the loss that is won back
}

// ErrNoWords: no query of a set has a word that is typed letter by letter.
var ErrNoWords = errors.New("no query has a word to misspell")

// shortest is how many letters a word has that may be misspelt.
const shortest = 4

// Misspell asks for the two words of each query that the fewest texts of the
// set have, as they are and with one edit in one of them: an insertion,
// deletion, substitution or transposition at any place of it, the first letter
// too. The same seed gives the same mistakes.
func (t *Trial) Misspell(ctx context.Context, set Set, seed uint64) (Typos, error) {
	df := frequencies(set)
	random := rand.New(rand.NewPCG(seed, uint64(len(set.Texts))))
	alphabet := letters(df)
	var result Typos
	for _, q := range set.Queries {
		keywords := rarest(q.Text, df)
		if len(keywords) == 0 {
			continue
		}
		misspelt := slices.Clone(keywords)
		i := random.IntN(len(misspelt))
		misspelt[i] = edit(misspelt[i], alphabet, random)
		clean, wrong := strings.Join(keywords, " "), strings.Join(misspelt, " ")
		result.Queries++
		for _, c := range []struct {
			query content.Query
			sum   *float64
		}{
			{content.Query{Text: clean, Limit: 10}, &result.Clean},
			{content.Query{Text: wrong, Limit: 10, Exact: true}, &result.Typo},
			{content.Query{Text: wrong, Limit: 10}, &result.Repaired},
		} {
			found, err := t.ask(ctx, c.query, set.Name)
			if err != nil {
				return result, err
			}
			*c.sum += reciprocal(found, set.Relevant[q.ID], 10)
		}
	}
	if result.Queries == 0 {
		return result, ErrNoWords
	}
	n := float64(result.Queries)
	result.Clean, result.Typo, result.Repaired = result.Clean/n, result.Typo/n, result.Repaired/n
	if loss := result.Clean - result.Typo; loss > 0 {
		result.Share = (result.Repaired - result.Typo) / loss
	}
	return result, nil
}

// words calls visit for the words of letters alone, in lower case, of scripts
// that are typed letter by letter with spaces between words.
func words(text string, visit func(string)) {
	for _, w := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) }) {
		if utf8.RuneCountInString(w) >= shortest && !strings.ContainsFunc(w, func(r rune) bool { return !unicode.In(r, unicode.Latin, unicode.Cyrillic, unicode.Greek) }) {
			visit(w)
		}
	}
}

// frequencies counts the texts that have a word.
func frequencies(set Set) map[string]int {
	df := map[string]int{}
	for _, text := range set.Texts {
		seen := map[string]bool{}
		words(text.Title+"\n"+text.Text, func(w string) {
			if !seen[w] {
				seen[w] = true
				df[w]++
			}
		})
	}
	return df
}

// rarest returns the two words of a query with the highest idf, in its order,
// of those that the set has.
func rarest(query string, df map[string]int) []string {
	var all []string
	words(query, func(w string) {
		if df[w] > 0 && !slices.Contains(all, w) {
			all = append(all, w)
		}
	})
	best := slices.Clone(all)
	slices.SortStableFunc(best, func(a, b string) int { return df[a] - df[b] })
	best = best[:min(2, len(best))]
	return slices.DeleteFunc(all, func(w string) bool { return !slices.Contains(best, w) })
}

// letters are what the words of a set are written with.
func letters(df map[string]int) []rune {
	counts := map[rune]int{}
	for w := range df {
		for _, r := range w {
			counts[r]++
		}
	}
	all := make([]rune, 0, len(counts))
	for r, n := range counts {
		if n*1000 >= len(df) { // not the letters of foreign names
			all = append(all, r)
		}
	}
	slices.Sort(all)
	return all
}

// edit makes one mistake that changes the word.
func edit(word string, alphabet []rune, random *rand.Rand) string {
	for {
		w := []rune(word)
		i := random.IntN(len(w))
		letter := alphabet[random.IntN(len(alphabet))]
		switch random.IntN(4) {
		case 0:
			w = slices.Insert(w, random.IntN(len(w)+1), letter)
		case 1:
			w = slices.Delete(w, i, i+1)
		case 2:
			w[i] = letter
		case 3:
			if i+1 == len(w) {
				continue
			}
			w[i], w[i+1] = w[i+1], w[i]
		}
		if s := string(w); s != word {
			return s
		}
	}
}
