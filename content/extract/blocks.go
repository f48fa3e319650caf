package extract

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"newsie/content"
)

// leftOut are elements whose whole content is no text of the article.
var leftOut = map[atom.Atom]bool{
	atom.Script: true, atom.Style: true, atom.Noscript: true, atom.Template: true, atom.Iframe: true,
	atom.Object: true, atom.Embed: true, atom.Svg: true, atom.Math: true, atom.Canvas: true, atom.Head: true,
	atom.Form: true, atom.Input: true, atom.Button: true, atom.Select: true, atom.Textarea: true,
	atom.Video: true, atom.Audio: true, atom.Nav: true, atom.Dialog: true, atom.Title: true,
}

// blockLevel are elements that begin and end a paragraph.
var blockLevel = map[atom.Atom]bool{
	atom.P: true, atom.Div: true, atom.Section: true, atom.Article: true, atom.Main: true, atom.Header: true,
	atom.Footer: true, atom.Aside: true, atom.Figure: true, atom.Ul: true, atom.Ol: true, atom.Dl: true,
	atom.Dt: true, atom.Dd: true, atom.Table: true, atom.Address: true, atom.Hr: true, atom.Details: true,
	atom.Summary: true, atom.Center: true, atom.Fieldset: true, atom.Body: true, atom.Html: true,
}

var inlineStyle = map[atom.Atom]string{
	atom.Strong: "strong", atom.B: "strong", atom.Em: "em", atom.I: "em", atom.Cite: "em",
	atom.Code: "code", atom.Kbd: "code", atom.Samp: "code", atom.Tt: "code",
}

// A writer walks a tree and collects blocks.
type writer struct {
	base   *url.URL
	blocks []content.Block
	text   inline
	kind   content.Kind
	level  int
	lists  []atom.Atom
	after  []content.Block // pictures within the paragraph under way, which follow it
}

func blocksOf(root *html.Node, base *url.URL) []content.Block {
	w := &writer{base: base, kind: content.Paragraph}
	w.walk(root)
	w.flush()
	return w.blocks
}

func (w *writer) children(n *html.Node) {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		w.walk(c)
	}
}

func (w *writer) walk(n *html.Node) {
	switch n.Type {
	case html.TextNode:
		w.text.write(n.Data)
		return
	case html.ElementNode:
	case html.DocumentNode:
		w.children(n)
		return
	default:
		return
	}
	if leftOut[n.DataAtom] || hidden(n) {
		return
	}
	switch n.DataAtom {
	case atom.Br:
		w.text.newline()
	case atom.Img:
		w.picture(n, "")
	case atom.Pre:
		w.pre(n)
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		level := min(max(int(n.Data[1]-'0'), 2), 4)
		w.within(content.Heading, level, n)
	case atom.Li:
		level := 1
		if len(w.lists) > 0 && w.lists[len(w.lists)-1] == atom.Ol {
			level = 2
		}
		w.within(content.Item, level, n)
	case atom.Ul, atom.Ol:
		w.flush()
		w.lists = append(w.lists, n.DataAtom)
		w.children(n)
		w.flush()
		w.lists = w.lists[:len(w.lists)-1]
	case atom.Blockquote:
		w.within(content.Quote, 0, n)
	case atom.Figure:
		w.figure(n)
	case atom.Tr:
		w.row(n)
	case atom.A:
		w.link(n)
	case atom.Sup:
		if !footnoteMark(n) {
			w.children(n)
		}
	default:
		w.element(n)
	}
}

func (w *writer) element(n *html.Node) {
	switch style := inlineStyle[n.DataAtom]; {
	case style != "":
		w.text.open(style, "")
		w.children(n)
		w.text.close()
	case blockLevel[n.DataAtom]:
		w.flush()
		w.children(n)
		w.flush()
	default:
		w.children(n)
	}
}

// within walks n with blocks of another kind. Only the first paragraph of a
// list's item is the item; a heading inside a quote is one of the quote's.
func (w *writer) within(kind content.Kind, level int, n *html.Node) {
	w.flush()
	outerKind, outerLevel := w.kind, w.level
	if w.kind != content.Quote || kind != content.Heading {
		w.kind, w.level = kind, level
	}
	w.children(n)
	w.flush()
	w.kind, w.level = outerKind, outerLevel
}

// flush ends the block under way.
func (w *writer) flush() {
	for _, p := range w.text.paragraphs() {
		b := content.Block{Kind: w.kind, Level: w.level, Text: p.text, Marks: p.marks}
		if b.Kind == content.Heading && utf8.RuneCountInString(b.Text) > 300 {
			b.Kind, b.Level = content.Paragraph, 0
		}
		if b.Kind == content.Heading {
			b.Marks = nil
		}
		w.blocks = append(w.blocks, b)
		if w.kind == content.Item {
			w.kind, w.level = content.Paragraph, 0
		}
	}
	w.blocks = append(w.blocks, w.after...)
	w.after = w.after[:0]
}

func (w *writer) pre(n *html.Node) {
	w.flush()
	text := strings.Trim(plain(n), "\n\r")
	if strings.TrimSpace(text) != "" {
		w.blocks = append(w.blocks, content.Block{Kind: content.Code, Text: strings.ReplaceAll(text, "\r\n", "\n")})
	}
}

// row writes a table's row as one paragraph, its cells apart.
func (w *writer) row(n *html.Node) {
	w.flush()
	firstCell := true
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type != html.ElementNode || c.DataAtom != atom.Td && c.DataAtom != atom.Th {
			continue
		}
		if layoutCell(c) { // a table that lays out a page, not one of data
			w.flush()
			w.children(c)
			w.flush()
			continue
		}
		if !firstCell && !w.text.empty() {
			w.text.write(" | ")
		}
		firstCell = false
		w.children(c)
	}
	w.flush()
}

func layoutCell(cell *html.Node) bool {
	blocks := 0
	for n := range cell.Descendants() {
		if n.Type == html.ElementNode && (n.DataAtom == atom.P || n.DataAtom == atom.Table || n.DataAtom == atom.Div) {
			if blocks++; blocks > 1 {
				return true
			}
		}
	}
	return false
}

func (w *writer) link(n *html.Node) {
	target := ""
	if u, err := url.Parse(strings.TrimSpace(attribute(n, "href"))); err == nil {
		if w.base != nil && u.Scheme != "mailto" && (u.Path != "" || u.RawQuery != "" || u.Host != "") {
			u = w.base.ResolveReference(u)
		}
		if isWeb(u) || u.Scheme == "mailto" && u.Opaque != "" {
			target = u.String()
		}
	}
	if target != "" {
		w.text.open("link", target)
	}
	w.children(n)
	if target != "" {
		w.text.close()
	}
}

func (w *writer) figure(n *html.Node) {
	w.flush()
	caption := ""
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && d.DataAtom == atom.Figcaption {
			caption = squeeze(plain(d))
		}
	}
	pictures := 0
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && d.DataAtom == atom.Img && w.picture(d, caption) {
			pictures++
		}
	}
	if pictures == 0 {
		w.children(n)
		w.flush()
	}
}

// picture writes a picture and reports whether it was one worth keeping.
func (w *writer) picture(n *html.Node, caption string) bool {
	if tracker(n) {
		return false
	}
	src := source(n)
	address := picture(src, w.base)
	if address == "" {
		return false
	}
	text := caption
	if text == "" {
		text = squeeze(attribute(n, "alt"))
	}
	b := content.Block{Kind: content.Picture, Text: text, URL: address}
	if w.text.lineBegins() {
		w.flush()
		w.blocks = append(w.blocks, b)
	} else {
		w.after = append(w.after, b)
	}
	return true
}

// source is the picture's address; pages that load pictures late keep it in
// another attribute.
func source(n *html.Node) string {
	for _, name := range []string{"data-src", "data-original", "data-lazy-src", "data-actualsrc", "src"} {
		if s := strings.TrimSpace(attribute(n, name)); s != "" && !strings.HasPrefix(s, "data:") {
			return s
		}
	}
	best, width := "", 0.0
	for candidate := range strings.SplitSeq(attribute(n, "srcset"), ",") {
		fields := strings.Fields(candidate)
		if len(fields) == 0 {
			continue
		}
		size := 1.0
		if len(fields) > 1 {
			size, _ = strconv.ParseFloat(strings.TrimRight(fields[1], "wx"), 64)
		}
		if best == "" || size > width {
			best, width = fields[0], size
		}
	}
	return best
}

// picture resolves a picture's address. Without a base a relative one stays.
func picture(src string, base *url.URL) string {
	u, err := url.Parse(strings.TrimSpace(src))
	if err != nil || src == "" {
		return ""
	}
	if base != nil {
		u = base.ResolveReference(u)
	}
	switch {
	case isWeb(u):
		return u.String()
	case base == nil && u.Scheme == "" && u.Host == "" && u.Path != "":
		return u.Path // unescaped: the name of a file
	}
	return ""
}

var trackers = regexp.MustCompile(`(?i)feedburner\.com/~|doubleclick\.net|/pixel(\.|/|\?|$)|stats\.wordpress\.com|pixel\.wp\.com|google-analytics\.com|scorecardresearch\.com|/track(ing)?/open|facebook\.com/tr\b|hm\.baidu\.com|counter\.yadro\.ru|mc\.yandex\.ru`)

func tracker(n *html.Node) bool {
	for _, name := range []string{"width", "height"} {
		if v := strings.TrimSuffix(strings.TrimSpace(attribute(n, name)), "px"); v == "0" || v == "1" || v == "2" {
			return true
		}
	}
	return trackers.MatchString(attribute(n, "src"))
}

var invisible = regexp.MustCompile(`(?i)(display\s*:\s*none|visibility\s*:\s*hidden)`)

func hidden(n *html.Node) bool {
	for _, a := range n.Attr {
		switch {
		case a.Key == "hidden":
			return true
		case a.Key == "aria-hidden" && a.Val == "true" && n.DataAtom != atom.Img:
			return true
		case a.Key == "style" && invisible.MatchString(a.Val):
			// WeChat's own pages hide the article until a script shows it.
			return attribute(n, "id") != "js_content"
		}
	}
	return false
}

// footnoteMark tells the raised number of a reference, which means nothing
// once the page around it is gone.
func footnoteMark(n *html.Node) bool {
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && d.DataAtom == atom.A && strings.HasPrefix(attribute(d, "href"), "#") {
			return true
		}
	}
	return false
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func plain(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		switch {
		case d.Type == html.TextNode && (d.Parent == nil || !leftOut[d.Parent.DataAtom]):
			b.WriteString(d.Data)
		case d.Type == html.ElementNode && d.DataAtom == atom.Br:
			b.WriteByte('\n')
		}
	}
	return b.String()
}
