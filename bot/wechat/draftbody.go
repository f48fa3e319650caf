package wechat

import (
	"html"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"

	"newsie/content"
)

// Limits of a draft's fields, in characters. Those beyond the basic plane, such
// as emoji, are counted as two, as JavaScript and Java count them: then no way
// of counting finds too many.
const (
	maxNewsTitle   = 32
	maxNewsAuthor  = 16
	maxNewsDigest  = 128
	maxNewsContent = 19_999 // "less than 20,000"
)

func characters(text string) int {
	n := 0
	for _, r := range text {
		if n++; r > 0xFFFF {
			n++
		}
	}
	return n
}

// abridge cuts text to a number of characters, at the end of a word where there is
// one, never inside what is one character to a reader, and marks the cut.
func abridge(text string, limit int) string {
	text = forLine(text)
	if characters(text) <= limit {
		return text
	}
	used, cut, word := 0, 0, 0
	for tokens := graphemes.FromString(text); tokens.Next(); {
		g := tokens.Value()
		if strings.TrimSpace(g) == "" {
			word = cut
		}
		if used += characters(g); used > limit-1 {
			break
		}
		cut = tokens.End()
		if width(g) == 2 {
			word = cut
		}
	}
	if word > cut*2/3 {
		cut = word
	}
	return strings.TrimRight(text[:cut], " \n,;:，；：、—-") + "…"
}

// The app takes no style sheets and no classes: every element carries its own style.
const (
	styleAll    = `font-size:16px;line-height:1.8;color:#333`
	stylePara   = `margin:0 0 1em`
	styleQuote  = `margin:0 0 1em;padding:2px 0 2px 14px;border-left:3px solid #d0d0d0;color:#666`
	styleList   = `margin:0 0 1em;padding-left:1.6em`
	styleItem   = `margin:0 0 .4em`
	styleCode   = `margin:0 0 1em;padding:10px;background:#f6f6f6;font-size:14px;line-height:1.5;white-space:pre-wrap;word-break:break-all`
	styleImage  = `display:block;max-width:100%;height:auto;margin:0 auto 1em`
	styleEnd    = `margin:2em 0 0;font-size:14px;color:#888`
	styleHeads  = `margin:1.6em 0 .8em;font-weight:bold;line-height:1.4;font-size:`
	rightToLeft = `;direction:rtl;text-align:right`
)

// A body is the HTML of one article in the making.
type body struct {
	b    strings.Builder
	used int    // characters
	open string // the closing tag of the list or quote that is open
	room int    // characters that may be used
}

func (b *body) write(s string) {
	b.b.WriteString(s)
	b.used += characters(s)
}

// add writes a piece inside of a group (a list, a quote; "" for none), unless
// there is no room for it and for closing what is open.
func (b *body) add(opening, closing, piece string) bool {
	extra := piece
	if b.open != closing {
		extra = b.open + opening + piece
	}
	if b.used+characters(extra)+characters(closing) > b.room {
		return false
	}
	b.write(extra)
	b.open = closing
	return true
}

func (b *body) close() {
	b.write(b.open)
	b.open = ""
}

// newsBody is an article's blocks as the app shows them. Pictures are those
// that the platform has taken, by their own address; others are left out. What
// does not fit is left out whole blocks at a time, and more, the line that says
// so, comes last instead of end.
func newsBody(article content.Article, pictures map[string]string, end, more string) string {
	opening, closing := section(article.Lang), "</section>"
	tail := func(line string) string {
		if line == "" {
			return ""
		}
		return `<p style="` + styleEnd + `">` + html.EscapeString(line) + "</p>"
	}
	room := max(characters(tail(end)), characters(tail(more))) + characters(closing)
	b := body{room: maxNewsContent - room}
	b.write(opening)
	empty := true
	for i, block := range article.Body {
		open, closing, piece := newsPiece(block, i, article.Body, pictures)
		if piece == "" {
			continue
		}
		if !b.add(open, closing, piece) {
			if empty { // one endless paragraph
				b.addPart(block)
			}
			end = more
			break
		}
		empty = false
	}
	b.close()
	b.write(tail(end) + closing)
	return b.b.String()
}

// summaryBody is only what an article is about.
func summaryBody(article content.Article, end string) string {
	return newsBody(content.Article{Lang: article.Lang, Body: []content.Block{{Kind: content.Paragraph, Text: article.Summary}}}, nil, end, end)
}

func section(lang string) string {
	style := styleAll
	base, _, _ := strings.Cut(lang, "-")
	if slices.Contains([]string{"ar", "fa", "he", "ur", "yi", "ps", "sd", "ug"}, base) {
		style += rightToLeft
	}
	return `<section style="` + style + `">`
}

// addPart writes as much of a block's plain text as there is room for.
func (b *body) addPart(block content.Block) {
	for limit := b.room - b.used - len(`<p style=""></p>`) - len(stylePara); limit > 0; limit /= 2 {
		if b.add("", "", `<p style="`+stylePara+`">`+html.EscapeString(abridge(block.Text, limit))+`</p>`) {
			return
		}
	}
}

// newsPiece is a block as HTML, with the group it stands in; "" when there is
// nothing to show.
func newsPiece(block content.Block, at int, blocks []content.Block, pictures map[string]string) (opening, closing, piece string) {
	if block.Kind == content.Picture {
		src := pictures[block.URL]
		if src == "" {
			return "", "", ""
		}
		return "", "", `<img style="` + styleImage + `" src="` + html.EscapeString(src) + `" alt="` + html.EscapeString(forLine(block.Text)) + `" />`
	}
	inner := newsMarks(block)
	if strings.TrimSpace(inner) == "" {
		return "", "", ""
	}
	tag := func(name, style string) string {
		return "<" + name + ` style="` + style + `">` + inner + "</" + name + ">"
	}
	switch block.Kind {
	case content.Heading:
		return "", "", tag("h"+string(rune('0'+headingLevel(block.Level))), styleHeads+headingSize(block.Level))
	case content.Quote:
		return `<blockquote style="` + styleQuote + `">`, "</blockquote>", tag("p", "margin:0 0 .5em")
	case content.Item:
		if block.Level == 2 {
			return `<ol style="` + styleList + `"` + listStart(at, blocks) + `>`, "</ol>", tag("li", styleItem)
		}
		return `<ul style="` + styleList + `">`, "</ul>", tag("li", styleItem)
	case content.Code:
		return "", "", tag("pre", styleCode)
	}
	return "", "", tag("p", stylePara)
}

func headingLevel(level int) int { return min(max(level, 2), 4) }

func headingSize(level int) string { return []string{"20px", "18px", "16px"}[headingLevel(level)-2] }

// listStart lets a numbered list that a picture interrupted count on.
func listStart(at int, blocks []content.Block) string {
	n := 0
	for i := at - 1; i >= 0; i-- {
		switch {
		case blocks[i].Kind == content.Item && blocks[i].Level == 2:
			n++
		case blocks[i].Kind != content.Picture:
			i = 0
		}
	}
	if n == 0 || blocks[at-1].Kind == content.Item {
		return ""
	}
	return ` start="` + strconv.Itoa(n+1) + `"`
}

// newsMarks is a block's text with what is strong or stressed in it. Links are
// their words alone: the platform takes foreign ones out.
func newsMarks(block content.Block) string {
	text := block.Text
	type edge struct {
		at  int
		tag string
	}
	var edges []edge
	end := 0
	for _, m := range block.Marks {
		name := map[string]string{"strong": "strong", "em": "em"}[m.Style]
		// Only such as do not overlap: markup can never come out crossed.
		if name == "" || m.Start < end || m.End <= m.Start || m.End > len(text) || !boundary(text, m.Start) || !boundary(text, m.End) {
			continue
		}
		edges = append(edges, edge{m.Start, "<" + name + ">"}, edge{m.End, "</" + name + ">"})
		end = m.End
	}
	var b strings.Builder
	at := 0
	for _, e := range edges {
		b.WriteString(newsText(text[at:e.at], block.Kind) + e.tag)
		at = e.at
	}
	b.WriteString(newsText(text[at:], block.Kind))
	return b.String()
}

func boundary(text string, at int) bool { return at == len(text) || utf8.RuneStart(text[at]) }

// newsText escapes text; spaces at its ends are kept, because a mark may follow.
func newsText(text string, kind content.Kind) string {
	text = strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || r >= ' ' && r != 0x7F && inXML(r) {
			return r
		}
		return -1
	}, strings.ToValidUTF8(text, ""))
	text = html.EscapeString(text)
	if kind == content.Code {
		return text
	}
	return strings.ReplaceAll(text, "\n", "<br/>")
}
