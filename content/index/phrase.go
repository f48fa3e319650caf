package index

import (
	"slices"
)

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
