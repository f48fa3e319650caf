package telegram

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"

	"newsie/bot"
)

// textLimit is the longest message, in UTF-16 units after parsing.
const textLimit = 4096

// A page is a message ready to be sent.
type page struct {
	text     *markup
	keyboard [][]button
	preview  preview
	dropped  int // buttons that could not be
}

// fit renders a reply so that it is within Telegram's limits: where else stories
// are told is left out first, then snippets are shortened, then titles and the text above them, and at last the last
// cards are left out, with their buttons.
func fit(r bot.Reply) page {
	s := newSheet(r)
	total, links := 0, len(s.blocks)+len(s.links)
	for _, b := range s.blocks {
		total += len(b.entries)
		for _, e := range b.entries {
			links += len(e.also.Places)
		}
	}
	l := limits{text: textLimit, title: 300, by: 120, snippet: 700, cards: total}
	l.also = links+entitiesPerCard*total <= maxEntities
	if total > 0 {
		l.text = textLimit / 2
	}
	m := compose(s, l)
	for m.units > textLimit && l.cards > 0 {
		switch {
		case l.also:
			l.also = false
		case l.snippet > 80:
			l.snippet = l.snippet * 3 / 4
		case l.snippet > 0:
			l.snippet = 0
		case l.title > 120:
			l.title, l.by = 120, 60
		case l.text > 400:
			l.text = l.text / 2
		default:
			l.cards--
		}
		m = compose(s, l)
	}
	p := page{text: m}
	p.keyboard, p.dropped = buttons(s, l.cards, r.Actions)
	p.preview = choosePreview(s)
	return p
}

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

// shorten cuts s to at most limit units, the ellipsis included, between
// grapheme clusters; at the end of a paragraph, sentence or word where one is
// near enough.
func shorten(s string, limit int) string {
	n := cut(s, limit)
	if n == len(s) {
		return s
	}
	if limit <= 0 {
		return ""
	}
	return s[:n] + "…"
}

// cut is how many bytes of s to keep so that they and an ellipsis have at most
// limit units; len(s) when all of it fits without one.
func cut(s string, limit int) int {
	if len(s) <= limit || units(s) <= limit {
		return len(s)
	}
	var hard, word, sentence, used int
	before := ' '
	clusters := graphemes.FromString(s)
	for clusters.Next() {
		value := clusters.Value()
		if used += units(value); used > limit-1 {
			break
		}
		hard = clusters.End()
		last, _ := utf8.DecodeLastRuneInString(value)
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
func (s snippet) shorten(limit int) snippet {
	if units(s.text) <= limit {
		return s
	}
	if limit < 20 {
		return snippet{}
	}
	start, lead := 0, ""
	if len(s.marks) > 0 && units(s.text[:s.marks[0].End]) > limit*2/3 {
		if start = s.before(s.marks[0].Start, limit/3); start > 0 {
			lead = "…"
		}
	}
	rest := s.text[start:]
	end := cut(rest, limit-units(lead))
	out := snippet{text: lead + rest[:end]}
	for _, m := range clip(s.marks, start, start+end) {
		out.marks = append(out.marks, bot.Span{Start: m.Start + len(lead), End: m.End + len(lead)})
	}
	if end < len(rest) {
		out.text += "…"
	}
	return out
}

// before is where to begin so that at most limit units stand in front of at:
// at a word where there is one.
func (s snippet) before(at, limit int) int {
	ahead := units(s.text[:at])
	first, word := -1, -1
	clusters := graphemes.FromString(s.text[:at])
	for clusters.Next() {
		if ahead <= limit {
			if first < 0 {
				first = clusters.Start()
			}
			if start := clusters.Start(); word < 0 && (start == 0 || s.text[start-1] == ' ') {
				word = start
			}
		}
		ahead -= units(clusters.Value())
	}
	switch {
	case word >= 0:
		return word
	case first >= 0:
		return first
	}
	return at
}
