package rules

import (
	"regexp"
	"strings"
	"unicode"
)

var linkRule = regexp.MustCompile(`\[([^\[\]\n]+)\]\((https?://)`)

// A written link is one that stands in a text as [label](address).
type written struct {
	start, end     int // in the text, of all of it
	label, address string
}

// findLinks finds the links that are written into a text. An address may have
// parentheses that are closed in it, as those of encyclopedias do.
func findLinks(text string) []written {
	var list []written
	at := 0
	for {
		m := linkRule.FindStringSubmatchIndex(text[at:])
		if m == nil {
			return list
		}
		start, from := at+m[0], at+m[4]
		length := closed(text[from:])
		if length <= m[5]-m[4] { // no more than https://
			at = from
			continue
		}
		list = append(list, written{start, from + length + 1, text[start+1 : from-len("](")], text[from : from+length]})
		at = from + length + 1
	}
}

// closed is where the parenthesis ends that an address stands in; -1 when it
// does not.
func closed(text string) int {
	depth := 0
	for i, r := range text {
		switch {
		case unicode.IsSpace(r):
			return -1
		case r == '(':
			depth++
		case r == ')' && depth == 0:
			return i
		case r == ')':
			depth--
		}
	}
	return -1
}

// unlinked is a text with the labels of its links in their place, and where
// those are.
func unlinked(text string, links []written) (string, []Span) {
	var b strings.Builder
	var spans []Span
	at := 0
	for _, l := range links {
		b.WriteString(text[at:l.start])
		start := b.Len()
		b.WriteString(l.label)
		spans = append(spans, Span{start, b.Len(), l.address})
		at = l.end
	}
	b.WriteString(text[at:])
	return b.String(), spans
}
