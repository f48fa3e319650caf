// Package sentence cuts texts into sentences, in any language.
//
// The boundaries are those of Unicode Standard Annex 29, repaired where the
// annex, which knows no words, cuts too early (after abbreviations, initials
// and German ordinals, after a quotation that the sentence goes on from) or too
// late (after an ellipsis).
package sentence

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/sentences"
)

// A Sentence is where one stands in its text: the bytes from Start to End,
// without the space around it.
type Sentence struct{ Start, End int }

// Split returns the sentences of a text, in order. A line break ends a
// sentence. The language is a BCP 47 tag and may be empty: it only helps with
// abbreviations.
func Split(lang, text string) []Sentence {
	var list []Sentence
	for start := 0; start < len(text); {
		end := len(text)
		if i := strings.IndexAny(text[start:], "\n\r\u2028\u2029"); i >= 0 {
			end = start + i
		}
		if end > start {
			list = appendLine(list, lang, text, start, end)
		}
		_, size := utf8.DecodeRuneInString(text[end:])
		start = end + size
	}
	return list
}

// appendLine splits one line. Pieces are joined to the one before while the cut
// between them is not a real end.
func appendLine(list []Sentence, lang, text string, start, end int) []Sentence {
	first := len(list)
	pieces := sentences.FromString(text[start:end])
	from := start
	for pieces.Next() {
		to := start + pieces.End()
		if to < end {
			to = from + len(strings.TrimRightFunc(text[from:to], opensOnly))
		}
		for from < to {
			cut := from + ellipsis(text[from:to])
			s := trim(text, Sentence{from, cut})
			from = cut
			if s.Start == s.End {
				continue
			}
			if n := len(list); n > first && joins(lang, text[list[n-1].Start:list[n-1].End], text[s.Start:s.End], text[s.Start:end], list[n-1].End == s.Start) {
				list[n-1].End = s.End
				continue
			}
			list = append(list, s)
		}
	}
	return list
}

// ellipsis returns where a piece that goes on after "… Next" must be cut, or
// its length. Chinese and Japanese ellipses are pauses, not ends.
func ellipsis(s string) int {
	for from := 0; ; {
		i := strings.IndexRune(s[from:], '…')
		if i < 0 {
			return len(s)
		}
		from += i + len("…")
		rest := strings.TrimLeftFunc(s[from:], func(r rune) bool { return r == '…' || closes(r) })
		spaced := strings.TrimLeftFunc(rest, unicode.IsSpace)
		r, _ := utf8.DecodeRuneInString(strings.TrimLeftFunc(spaced, opens))
		if len(spaced) < len(rest) && unicode.IsUpper(r) {
			return len(s) - len(spaced)
		}
	}
}

func trim(text string, s Sentence) Sentence {
	line := text[s.Start:s.End]
	s.Start += len(line) - len(strings.TrimLeftFunc(line, unicode.IsSpace))
	s.End = s.Start + len(strings.TrimSpace(line))
	return s
}

func wordRune(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.M, r)
}

func closes(r rune) bool {
	return unicode.In(r, unicode.Pe, unicode.Pf) || r == '"' || r == '\'' || r == '“'
}

// opensOnly are the marks that the annex takes for closing ones at the end of a
// piece, though they open the next: 他走了。“你呢？”
func opensOnly(r rune) bool { return unicode.In(r, unicode.Ps, unicode.Pi) }

func opens(r rune) bool {
	return unicode.In(r, unicode.Ps, unicode.Pi) || r == '"' || r == '\'' || r == '¿' || r == '¡' || r == '„'
}
