package telegram

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"

	"newsie/bot"
)

// units counts UTF-16 code units.
func units(s string) int {
	n := 0
	for _, r := range s {
		if n++; r > 0xffff {
			n++
		}
	}
	return n
}

// columns is how wide a text is on the screen: a grapheme takes one column, or
// two where it is an emoji or of a wide script.
func columns(s string) int {
	n := 0
	for clusters := graphemes.FromString(s); clusters.Next(); {
		n += width(clusters.Value())
	}
	return n
}

func width(cluster string) int {
	for _, r := range cluster {
		if r >= 0x1f000 || r == 0xfe0f || r >= 0x3000 && r <= 0x303f || r >= 0xff01 && r <= 0xff60 ||
			unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) {
			return 2
		}
	}
	return 1
}

// room is what a text takes of both a message and a screen: units or columns,
// whichever is more.
func room(s string) int {
	n := 0
	for clusters := graphemes.FromString(s); clusters.Next(); {
		n += max(width(clusters.Value()), units(clusters.Value()))
	}
	return n
}

// A measure tells how long a text is. It adds up over grapheme clusters, and is
// at most twice the number of bytes.
type measure func(string) int

// shorten cuts s to at most limit units, the ellipsis included, between
// grapheme clusters; at the end of a paragraph, sentence or word where one is
// near enough.
func shorten(s string, limit int) string { return shortenBy(s, limit, units) }

func shortenBy(s string, limit int, size measure) string {
	n := cut(s, limit, size)
	if n == len(s) {
		return s
	}
	if limit <= 0 {
		return ""
	}
	return s[:n] + "…"
}

// cut is how many bytes of s to keep so that they and an ellipsis are at most
// limit long; len(s) when all of it fits without one.
func cut(s string, limit int, size measure) int {
	if 2*len(s) <= limit || size(s) <= limit {
		return len(s)
	}
	var hard, word, sentence, used int
	before := ' '
	clusters := graphemes.FromString(s)
	for clusters.Next() {
		value := clusters.Value()
		last, _ := utf8.DecodeLastRuneInString(value)
		used += size(value)
		full := used > limit-1
		if full && !unicode.IsSpace(last) {
			break
		}
		if !full { // else it is the space that shows that a word ends here
			hard = clusters.End()
		}
		switch {
		case last == '\n' || strings.ContainsRune("。！？", last):
			sentence, word = hard, hard
		case unicode.IsSpace(last):
			word = hard
			if strings.ContainsRune(".!?…؟۔", before) {
				sentence = hard
			}
		case unicode.In(last, unicode.Han, unicode.Hiragana, unicode.Katakana):
			word = hard
		}
		if full {
			break
		}
		before = last
	}
	end := hard
	switch {
	case sentence > hard*2/3:
		end = sentence
	case word > hard/2:
		end = word
	}
	return len(strings.TrimRightFunc(s[:end], func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune(",;:、，；：·—–-", r)
	}))
}

// shorten keeps the first matched words in sight: when they stand behind the
// cut, the snippet begins in front of them.
func (s snippet) shorten(limit int, size measure) snippet {
	if size(s.text) <= limit {
		return s
	}
	if limit < 20 {
		return snippet{}
	}
	start, lead := 0, ""
	if len(s.marks) > 0 && size(s.text[:s.marks[0].End]) > limit*2/3 {
		// What the words after them leave free is filled with those before.
		ahead := max(limit/3, limit-2-size(s.text[s.marks[0].Start:]))
		start = s.before(s.marks[0].Start, ahead, size)
		if start > 0 && !ended(strings.TrimRightFunc(s.text[:start], unicode.IsSpace)) {
			lead = "…"
		}
	}
	rest := s.text[start:]
	end := cut(rest, limit-size(lead), size)
	out := snippet{text: lead + rest[:end]}
	for _, m := range clip(s.marks, start, start+end) {
		out.marks = append(out.marks, bot.Span{Start: m.Start + len(lead), End: m.End + len(lead)})
	}
	if end < len(rest) && !ended(out.text) {
		out.text += "…"
	}
	return out
}

// ended reports whether a text ends with its sentence.
func ended(s string) bool {
	last, _ := utf8.DecodeLastRuneInString(strings.TrimRight(s, `"'”’»」』)）`))
	return strings.ContainsRune(".!?…؟۔。！？", last)
}

// before is where to begin so that at most limit stands in front of at: with a
// sentence where one begins there, or with a clause of a text without spaces, or
// with a word.
func (s snippet) before(at, limit int, size measure) int {
	ahead := size(s.text[:at])
	first, word, clause, sentence := -1, -1, -1, -1
	last := ' '
	clusters := graphemes.FromString(s.text[:at])
	for clusters.Next() {
		start := clusters.Start()
		if ahead <= limit {
			if first < 0 {
				first = start
			}
			if word < 0 && (start == 0 || s.text[start-1] == ' ') {
				word = start
			}
			if clause < 0 && strings.ContainsRune("，、；：", last) {
				clause = start
			}
			if sentence < 0 && s.begins(start, last) {
				sentence = start
			}
		}
		ahead -= size(clusters.Value())
		if value := clusters.Value(); value != " " {
			last, _ = utf8.DecodeLastRuneInString(value)
		}
	}
	if sentence < 0 && s.begins(at, last) {
		return at
	}
	for _, found := range []int{sentence, clause, word, first} {
		if found >= 0 {
			return found
		}
	}
	return at
}

// begins reports whether a sentence begins at start; last is what stands before
// it, spaces aside.
func (s snippet) begins(start int, last rune) bool {
	return ended(string(last)) && (last > 0x2fff || s.text[start-1] == ' ')
}
