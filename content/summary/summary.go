// Package summary says in two or three of an article's own sentences what the
// article is about. It is a leaf: it knows blocks and sentences only.
//
// Sentences are ranked by their position, because writers put first what
// matters; by centrality (LexRank: Erkan and Radev, 2004), because what the rest
// of the text is about is said in words the rest uses; and by the words of the
// title. They are chosen by maximal marginal relevance (Carbonell and Goldstein,
// 1998), so that none repeats another, and stand in the order of the text.
package summary

import (
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"newsie/content"
	"newsie/content/sentence"
)

const (
	maxSentences = 3
	maxLength    = 60.0 // words; wide characters count half
	considered   = 80   // sentences of a text that are looked at
)

// Summarize returns two or three whole sentences, up to about 60 words or 120
// wide characters. What the source gave as the description is taken when it is
// whole sentences about this article. Only a text that has no sentences at all
// is cut, and then ends in an ellipsis; one without any text gives "".
func Summarize(lang, title string, body []content.Block, given string) string {
	all := candidates(lang, body)
	if s := description(lang, title, body, given, all); s != "" {
		return s
	}
	if len(all) == 0 {
		return opening(body)
	}
	if tells := slices.DeleteFunc(slices.Clone(all), func(c *candidate) bool { return c.question }); len(tells) > 0 {
		all = tells // a question answers nobody's
	}
	rank(lang, title, all)
	return join(choose(all))
}

// A candidate is a sentence that may be taken.
type candidate struct {
	text     string
	place    int // of the sentence in the text
	length   float64
	terms    map[string]float64
	norm     float64
	score    float64
	question bool
}

// candidates are the whole sentences of the paragraphs; of a text without
// paragraphs, those of its lists and quotations.
func candidates(lang string, body []content.Block) []*candidate {
	for _, kinds := range [][]content.Kind{{content.Paragraph}, {content.Item, content.Quote}} {
		var all []*candidate
		place := 0
		for _, block := range body {
			if !slices.Contains(kinds, block.Kind) || aside(block.Text) {
				continue
			}
			text := withoutDateline(block.Text)
			for _, s := range sentence.Split(lang, text) {
				own := text[s.Start:s.End]
				place++
				if len(all) < considered && worthy(own) {
					all = append(all, &candidate{text: own, place: place, length: length(own), question: asks(own)})
				}
			}
		}
		if len(all) > 0 {
			return all
		}
	}
	return nil
}

// rank gives every candidate its score.
func rank(lang, title string, all []*candidate) {
	weigh(lang, all)
	central := lexRank(all)
	heading := terms(lang, title)
	for i, c := range all {
		// The first three sentences are a lead; what comes after falls slowly.
		position := 1 / (1 + 0.25*float64(c.place-1))
		c.score = 0.6*position + 0.25*central[i] + 0.15*shared(heading, c.terms)
		switch words := c.length; {
		case words < 5:
			c.score -= 0.4
		case words < 8:
			c.score -= 0.1
		case words > 45:
			c.score -= 0.25
		}
		if dangles(c.text) {
			c.score -= 0.1
		}
		if !balanced(c.text) {
			c.score -= 0.4
		}
		if quotes(c.text) {
			c.score -= 0.15
		}
		if addresses(c.text) {
			c.score -= 0.3
		}
	}
}

// choose takes the best candidates that fit, in the order of the text.
func choose(all []*candidate) []*candidate {
	var chosen []*candidate
	used := 0.0
	for len(chosen) < maxSentences {
		var best *candidate
		bestGain := math.Inf(-1)
		for _, c := range all {
			if slices.Contains(chosen, c) || used+c.length > maxLength*1.1 {
				continue
			}
			gain := c.score
			for _, other := range chosen {
				gain = min(gain, c.score-0.5*cosine(c, other))
				if c.place == other.place+1 && dangles(c.text) {
					gain += 0.1 // what it refers to stands before it
				}
			}
			if gain > bestGain {
				best, bestGain = c, gain
			}
		}
		if best == nil || len(chosen) >= 2 && (used > maxLength*0.7 || bestGain < 0.15) {
			break
		}
		chosen = append(chosen, best)
		used += best.length
	}
	if len(chosen) == 0 { // every sentence is too long: the least long of the first
		chosen = append(chosen, slices.MinFunc(all[:min(len(all), 5)], func(a, b *candidate) int { return int(a.length - b.length) }))
	}
	slices.SortFunc(chosen, func(a, b *candidate) int { return a.place - b.place })
	return chosen
}

func join(chosen []*candidate) string {
	var b strings.Builder
	for i, c := range chosen {
		if i > 0 {
			// A closing quote is one rune for all scripts: what it closes tells.
			closed := strings.TrimRight(chosen[i-1].text, "”’\"')")
			last, _ := utf8.DecodeLastRuneInString(closed)
			if last < 0x3000 || unicode.Is(unicode.Hangul, last) {
				b.WriteByte(' ')
			}
		}
		b.WriteString(c.text)
	}
	return b.String()
}

// opening is for texts without sentences, such as verse, or languages that
// write no full stops.
func opening(body []content.Block) string {
	for _, block := range body {
		text := strings.TrimSpace(block.Text)
		if block.Kind == content.Picture || block.Kind == content.Code || block.Kind == content.Heading || text == "" || aside(text) {
			continue
		}
		if length(text) <= maxLength && utf8.RuneCountInString(text) <= 240 {
			return text
		}
		cut := 0
		for i, r := range text {
			if unicode.IsSpace(r) || unicode.IsPunct(r) {
				cut = i
			}
			if utf8.RuneCountInString(text[:i]) > 160 && cut > 0 {
				break
			}
		}
		if cut == 0 {
			return ""
		}
		return strings.TrimRightFunc(text[:cut], func(r rune) bool { return unicode.IsSpace(r) || unicode.IsPunct(r) }) + "…"
	}
	return ""
}

// length counts words; of scripts written without spaces, two characters as one.
func length(s string) float64 {
	n := 0.0
	inWord := false
	for _, r := range s {
		switch {
		case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul):
			n += 0.5
			inWord = false
		case unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r):
			if !inWord {
				n++
			}
			inWord = true
		case r == '’' || r == '\'' || r == '-' || r == '.' || r == ',':
			// within a word or a number, or else followed by a space
		default:
			inWord = false
		}
	}
	return n
}
