package quality

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"newsie/content/language"
)

// Rouge is how much of a reference another text repeats: the F1 measures
// ROUGE-1 (words), ROUGE-2 (pairs of words) and ROUGE-L (the longest common
// subsequence of the two whole texts) of Lin, “ROUGE: a package for automatic
// evaluation of summaries”, 2004, with precision and recall of equal weight and
// one reference. Each is from 0, nothing in common, to 1.
//
// Words are compared after NFKC and in lower case; they are not stemmed and
// none is left out as common, so that the figures mean the same in every
// language. Chinese and Japanese characters and Hangul syllables count as a word
// each.
type Rouge struct {
	One float64 `json:"rouge1"`
	Two float64 `json:"rouge2"`
	L   float64 `json:"rougel"`
}

// Compare measures a text by a reference.
func Compare(text, reference string) Rouge {
	return compare(tokens(text), tokens(reference))
}

func compare(text, reference []string) Rouge {
	return Rouge{
		One: overlap(text, reference, 1),
		Two: overlap(text, reference, 2),
		L:   f1(longestCommon(text, reference), len(text), len(reference)),
	}
}

// tokens cuts a text into what ROUGE counts.
func tokens(text string) []string {
	var list []string
	var word strings.Builder
	end := func() {
		if word.Len() > 0 {
			list = append(list, word.String())
			word.Reset()
		}
	}
	for _, r := range strings.ToLower(norm.NFKC.String(text)) {
		switch {
		case language.IsHan(r) || language.IsKana(r) || language.IsHangul(r):
			end()
			list = append(list, string(r))
		case unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r):
			word.WriteRune(r)
		default:
			end()
		}
	}
	end()
	return list
}

// overlap is ROUGE-n: the n-grams two texts share, each as often as both have it.
func overlap(text, reference []string, n int) float64 {
	own, theirs := grams(text, n), grams(reference, n)
	common := 0
	for gram, count := range own {
		common += min(count, theirs[gram])
	}
	return f1(common, len(text)-n+1, len(reference)-n+1)
}

func grams(words []string, n int) map[string]int {
	counts := map[string]int{}
	for i := 0; i+n <= len(words); i++ {
		counts[strings.Join(words[i:i+n], " ")]++
	}
	return counts
}

// longestCommon is the length of the longest common subsequence, by the usual
// table, of which only a row is kept.
func longestCommon(a, b []string) int {
	if len(b) > len(a) {
		a, b = b, a
	}
	row := make([]int, len(b)+1)
	for _, word := range a {
		diagonal := 0
		for j := range b {
			above := row[j+1]
			if word == b[j] {
				row[j+1] = diagonal + 1
			} else {
				row[j+1] = max(above, row[j])
			}
			diagonal = above
		}
	}
	return row[len(b)]
}

// f1 is the harmonic mean of precision and recall.
func f1(common, own, theirs int) float64 {
	if common <= 0 || own <= 0 || theirs <= 0 {
		return 0
	}
	return 2 * float64(common) / float64(own+theirs)
}
