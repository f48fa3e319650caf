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

	"newsie/content/language"
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
			if n := len(list); n > first && joins(lang, text[list[n-1].Start:list[n-1].End], text[s.Start:s.End]) {
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

// joins tells whether two pieces are one sentence.
func joins(lang, before, after string) bool {
	if !strings.ContainsFunc(after, wordRune) {
		return true // a closing quote, a lone exclamation mark
	}
	if !strings.ContainsFunc(before, wordRune) {
		return true // an opening quote, a dash, a bullet
	}
	next, _ := utf8.DecodeRuneInString(strings.TrimLeftFunc(after, func(r rune) bool { return opens(r) || r == '-' || r == '–' || r == '—' }))
	if unicode.IsLower(next) {
		return true // “Ciao!” disse
	}
	body := strings.TrimRightFunc(before, closes)
	if !strings.HasSuffix(body, ".") || strings.HasSuffix(body, "..") {
		return false
	}
	if len(body) < len(before) && !strings.HasSuffix(before, ")") {
		return false // the full stop stands inside of a quotation
	}
	return abbreviated(lang, strings.TrimSuffix(body, "."), after)
}

// abbreviated tells whether the full stop after body belongs to its last word.
func abbreviated(lang, body, after string) bool {
	word := body[lastWord(body):]
	if word == "" {
		return false
	}
	lower := strings.ToLower(word)
	if isNumber(word) {
		if word == strings.TrimSpace(body) {
			return true // "1. Open the box", the number of a list
		}
		return len(word) <= 2 && ordinals[language.Base(lang)]
	}
	if abbreviations[lower] {
		return true
	}
	if lists[lower] || !initials(word) {
		return false
	}
	// J. Smith and U.S. Steel, but "the U.S. The next day".
	follows := after
	if i := strings.IndexFunc(after, func(r rune) bool { return !wordRune(r) }); i >= 0 {
		follows = after[:i]
	}
	if strings.Contains(word, ".") {
		return !language.Stopword(orEnglish(lang), strings.ToLower(follows))
	}
	return utf8.RuneCountInString(word) == 1 && word != "I" && !isHanWord(word)
}

func orEnglish(lang string) string {
	if lang == "" {
		return "en"
	}
	return lang
}

// lastWord returns where the last word of s begins; dots inside belong to it.
func lastWord(s string) int {
	i := strings.LastIndexFunc(s, func(r rune) bool { return !wordRune(r) && r != '.' && r != '-' })
	if i < 0 {
		return 0
	}
	_, size := utf8.DecodeRuneInString(s[i:])
	return i + size
}

// initials tells whether a word is single letters with dots between: J, S.p.A, и.о.
func initials(word string) bool {
	for part := range strings.SplitSeq(word, ".") {
		if utf8.RuneCountInString(part) != 1 {
			return false
		}
		r, _ := utf8.DecodeRuneInString(part)
		if !unicode.IsLetter(r) {
			return false
		}
	}
	return true
}

func isHanWord(s string) bool { return language.HasHan(s) }

func isNumber(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
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
