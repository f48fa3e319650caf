package web

import (
	"html"
	"html/template"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"newsie/content"
)

// body renders blocks as HTML. Every text is escaped here and no address but
// those of pictures and of safe links gets in, so the result is trusted.
// picture turns a picture's address into what src says, "" to leave it out.
func (s *site) body(blocks []content.Block, picture func(string) string) template.HTML {
	var b strings.Builder
	open := "" // the list or quote we are in
	enter := func(tag string) {
		if open == tag {
			return
		}
		if open != "" {
			b.WriteString("</" + open + ">\n")
		}
		if tag != "" {
			b.WriteString("<" + tag + ">\n")
		}
		open = tag
	}
	for _, block := range blocks {
		switch block.Kind {
		case content.Item:
			enter(map[bool]string{true: "ol", false: "ul"}[block.Level == 2])
			wrap(&b, "li", marked(block))
		case content.Quote:
			enter("blockquote")
			wrap(&b, "p", marked(block))
		case content.Heading:
			enter("")
			level := min(max(block.Level, 2), 4)
			wrap(&b, "h"+string(rune('0'+level)), marked(block))
		case content.Code:
			enter("")
			b.WriteString("<pre tabindex=\"0\"><code>" + html.EscapeString(block.Text) + "</code></pre>\n")
		case content.Picture:
			enter("")
			if src := picture(block.URL); src != "" {
				b.WriteString(`<figure><img src="` + html.EscapeString(src) + `" alt="` + html.EscapeString(block.Text) + `" loading="lazy" decoding="async"></figure>` + "\n")
			}
		default:
			enter("")
			wrap(&b, "p", marked(block))
		}
	}
	enter("")
	return template.HTML(b.String())
}

func wrap(b *strings.Builder, tag, inner string) {
	if strings.TrimSpace(inner) == "" {
		return
	}
	b.WriteString("<" + tag + ` dir="auto">` + inner + "</" + tag + ">\n")
}

// marked renders a block's text with its marks. A mark that reaches beyond the
// text, splits a character or crosses another one is left out.
func marked(block content.Block) string {
	text := block.Text
	marks := slices.Clone(block.Marks)
	slices.SortStableFunc(marks, func(a, b content.Mark) int {
		if a.Start != b.Start {
			return a.Start - b.Start
		}
		return b.End - a.End
	})
	var b strings.Builder
	var ends []content.Mark // the open ones, the innermost last
	at := 0
	upTo := func(offset int) {
		for len(ends) > 0 && ends[len(ends)-1].End <= offset {
			last := ends[len(ends)-1]
			b.WriteString(lines(text[at:last.End]) + closing(last))
			at, ends = last.End, ends[:len(ends)-1]
		}
		b.WriteString(lines(text[at:offset]))
		at = offset
	}
	for _, m := range marks {
		if m.Start < 0 || m.End <= m.Start || m.End > len(text) || !whole(text, m.Start) || !whole(text, m.End) {
			continue
		}
		upTo(m.Start)
		if len(ends) > 0 && m.End > ends[len(ends)-1].End {
			continue
		}
		if tag := opening(m, ends); tag != "" {
			b.WriteString(tag)
			ends = append(ends, m)
		}
	}
	upTo(len(text))
	return b.String()
}

func whole(text string, at int) bool { return at == len(text) || utf8.RuneStart(text[at]) }

func lines(text string) string {
	return strings.ReplaceAll(html.EscapeString(text), "\n", "<br>\n")
}

func opening(m content.Mark, outer []content.Mark) string {
	switch m.Style {
	case "strong", "em", "code":
		return "<" + m.Style + ">"
	case "link":
		inLink := slices.ContainsFunc(outer, func(o content.Mark) bool { return o.Style == "link" })
		if address := linkAddress(m.URL); address != "" && !inLink {
			return `<a href="` + html.EscapeString(address) + `" rel="noopener">`
		}
	}
	return ""
}

func closing(m content.Mark) string {
	if m.Style == "link" {
		return "</a>"
	}
	return "</" + m.Style + ">"
}

// linkAddress lets web and mail addresses through.
func linkAddress(address string) string {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil {
		return ""
	}
	switch {
	case (u.Scheme == "http" || u.Scheme == "https") && u.Host != "", u.Scheme == "mailto" && u.Opaque != "":
		return u.String()
	}
	return ""
}

// host is the name of the site an address is on.
func host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.TrimPrefix(u.Hostname(), "www.")
}
