package bot

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Link is where the words at the bytes Start to End of a text lead.
type Link struct {
	Start, End int
	URL        string // absolute
}

// A Piece is a part of a text: words that lead to URL, or those between.
type Piece struct{ Text, URL string }

// Pieces cuts a text at its links. A link that does not fit the text, or
// overlaps the one before, is left out, and its words stay.
func Pieces(text string, links []Link) []Piece {
	var pieces []Piece
	at := 0
	for _, l := range links {
		if l.URL == "" || l.Start < at || l.End <= l.Start || l.End > len(text) || !boundary(text, l.Start) || !boundary(text, l.End) {
			continue
		}
		if l.Start > at {
			pieces = append(pieces, Piece{Text: text[at:l.Start]})
		}
		pieces = append(pieces, Piece{text[l.Start:l.End], l.URL})
		at = l.End
	}
	if at < len(text) {
		pieces = append(pieces, Piece{Text: text[at:]})
	}
	return pieces
}

func boundary(text string, at int) bool { return at == len(text) || utf8.RuneStart(text[at]) }

// Joined puts pieces together again, without the spaces around them all. Links
// without words are dropped.
func Joined(pieces []Piece) (string, []Link) {
	var b strings.Builder
	var links []Link
	for _, p := range pieces {
		start := b.Len()
		b.WriteString(p.Text)
		if p.URL != "" && strings.TrimSpace(p.Text) != "" {
			links = append(links, Link{start, b.Len(), p.URL})
		}
	}
	left := strings.TrimLeftFunc(b.String(), unicode.IsSpace)
	cut := b.Len() - len(left)
	text := strings.TrimRightFunc(left, unicode.IsSpace)
	for i, l := range links {
		links[i].Start, links[i].End = max(l.Start-cut, 0), min(l.End-cut, len(text))
	}
	return text, links
}

// Until are the links of a text's first n bytes.
func Until(links []Link, n int) []Link {
	for i, l := range links {
		if l.End > n {
			return links[:i:i]
		}
	}
	return links
}

// Preface puts a text and its links before the reply's own.
func (r *Reply) Preface(text string, links []Link) {
	pieces := append(Pieces(text, links), Piece{Text: "\n"})
	r.Text, r.Links = Joined(append(pieces, Pieces(r.Text, r.Links)...))
}
