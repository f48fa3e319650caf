package telegramtest

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits of rich messages.
const (
	maxRichText    = 32_768 // UTF-16 units; the documentation says characters
	maxRichBlocks  = 500    // nested ones, list items and table rows count
	maxRichDepth   = 16
	maxRichMedia   = 50
	maxRichColumns = 20
)

// A Rich is a rich message: blocks instead of a text with entities.
type Rich struct {
	HTML string // as the bot sent it
	RTL  bool

	root     *richNode
	pictures map[string]*Picture
}

// A richNode is an element, or a text when it has no tag.
type richNode struct {
	tag, text string
	attrs     map[string]string
	children  []*richNode
}

func (n *richNode) block() bool { return strings.Contains(richBlockTags, " "+n.tag+" ") }

const (
	richBlockTags  = " h1 h2 h3 h4 h5 h6 p hr ul ol details blockquote table footer pre figure img "
	richInlineTags = " br a b strong i em u s del code mark sub sup tg-spoiler "
	richVoidTags   = " br hr img "
	// richParents are the elements that stand in certain others only.
	richFlow    = " details blockquote li "
	richPhrases = " h1 h2 h3 h4 h5 h6 p footer pre summary figcaption th td a b strong i em u s del code mark sub sup tg-spoiler "
)

// richParent is where an element may stand; "": anywhere its kind may.
func richParent(tag string) string {
	switch tag {
	case "li":
		return " ul ol "
	case "tr":
		return " table "
	case "th", "td":
		return " tr "
	case "summary":
		return " details "
	case "figcaption":
		return " figure "
	}
	return ""
}

// richAttributes are the attributes an element may have.
func richAttributes(tag string) string {
	switch tag {
	case "a":
		return " href "
	case "img":
		return " src alt "
	case "ol":
		return " start type reversed "
	case "li":
		return " value "
	case "details":
		return " open "
	case "th", "td":
		return " colspan rowspan align valign "
	case "table":
		return " bordered striped "
	case "code":
		return " class "
	}
	return " "
}

func within(list, tag string) bool { return strings.Contains(list, " "+tag+" ") }

type richParser struct {
	htmlParser
	stack []*richNode
	text  int // UTF-16 units
	count int // blocks
	media int
}

// parseRich reads the HTML of a rich message into a tree.
func parseRich(in string) (*richNode, *refusal) {
	p := &richParser{htmlParser: htmlParser{in: in}, stack: []*richNode{{tag: "message"}}}
	for p.at < len(p.in) {
		var err error
		switch {
		case strings.HasPrefix(p.in[p.at:], "</"):
			err = p.endElement()
		case p.in[p.at] == '<':
			err = p.startElement()
		default:
			err = p.words()
		}
		if err != nil {
			return nil, bad("can't parse rich message: %v", err)
		}
	}
	if n := len(p.stack); n > 1 {
		return nil, bad("can't parse rich message: Can't find end tag corresponding to start tag %q", p.stack[n-1].tag)
	}
	root := p.stack[0]
	if err := p.shape(root, 0); err != nil {
		return nil, bad("can't parse rich message: %v", err)
	}
	switch {
	case p.text == 0 && p.media == 0:
		return nil, bad("rich message must be non-empty")
	case p.text > maxRichText:
		return nil, bad("rich message is too long")
	case p.count > maxRichBlocks:
		return nil, bad("rich message has too many blocks")
	case p.media > maxRichMedia:
		return nil, bad("rich message has too many media")
	}
	return root, nil
}

func (p *richParser) top() *richNode { return p.stack[len(p.stack)-1] }

// words reads text up to the next tag.
func (p *richParser) words() error {
	var b strings.Builder
	for p.at < len(p.in) && p.in[p.at] != '<' {
		switch p.in[p.at] {
		case '>':
			return unparsable("Character '>' must be escaped at byte offset %d", p.at)
		case '&':
			r, size := decodeReference(p.in[p.at:])
			if size == 0 {
				return unparsable("Character '&' must be escaped at byte offset %d", p.at)
			}
			b.WriteRune(r)
			p.at += size
		default:
			_, size := utf8.DecodeRuneInString(p.in[p.at:])
			b.WriteString(p.in[p.at : p.at+size])
			p.at += size
		}
	}
	text := b.String()
	if !slices.ContainsFunc(p.stack, func(n *richNode) bool { return n.tag == "pre" }) {
		text = collapse(text)
	}
	if strings.TrimSpace(text) == "" && !within(richPhrases, p.top().tag) {
		return nil // between blocks
	}
	p.text += units(text)
	p.top().children = append(p.top().children, &richNode{text: text})
	return nil
}

// collapse makes one space of white space, as HTML does.
func collapse(text string) string {
	words := strings.Join(strings.Fields(text), " ")
	if text != "" && strings.TrimLeft(text, " \t\r\n") != text {
		words = " " + words
	}
	if words != " " && strings.TrimRight(text, " \t\r\n") != text {
		words += " "
	}
	return words
}

func (p *richParser) startElement() error {
	begin := p.at
	p.at++
	name := strings.ToLower(p.until(func(c byte) bool { return isSpace(c) || c == '>' || c == '/' }))
	if !within(richBlockTags+richInlineTags, name) && richParent(name) == "" {
		return unparsable("Unsupported start tag %q at byte offset %d", name, begin)
	}
	node := &richNode{tag: name, attrs: map[string]string{}}
	for {
		p.until(func(c byte) bool { return !isSpace(c) && c != '/' })
		if p.at >= len(p.in) {
			return unparsable("Unclosed start tag at byte offset %d", begin)
		}
		if p.in[p.at] == '>' {
			break
		}
		key, value, err := p.attribute(name, begin)
		if err != nil {
			return err
		}
		if !within(richAttributes(name), key) {
			return unparsable("Unsupported attribute %q in the tag %q at byte offset %d", key, name, begin)
		}
		node.attrs[key] = value
	}
	p.at++
	p.top().children = append(p.top().children, node)
	if !within(richVoidTags, name) {
		p.stack = append(p.stack, node)
	}
	return nil
}

func (p *richParser) endElement() error {
	begin := p.at
	p.at += 2
	name := strings.ToLower(p.until(func(c byte) bool { return isSpace(c) || c == '>' }))
	p.until(func(c byte) bool { return !isSpace(c) })
	if p.at >= len(p.in) || p.in[p.at] != '>' {
		return unparsable("Unclosed end tag at byte offset %d", begin)
	}
	p.at++
	if len(p.stack) == 1 {
		return unparsable("Unexpected end tag at byte offset %d", begin)
	}
	if last := p.top(); last.tag != name {
		return unparsable("Unmatched end tag at byte offset %d, expected \"</%s>\", found \"</%s>\"", begin, last.tag, name)
	}
	p.stack = p.stack[:len(p.stack)-1]
	return nil
}

// shape checks what stands in what, counts, and makes paragraphs of the bare
// text between blocks.
func (p *richParser) shape(n *richNode, depth int) error {
	if depth > maxRichDepth {
		return unparsable("the nesting is deeper than %d levels", maxRichDepth)
	}
	if n.tag == "message" || within(richFlow, n.tag) {
		p.paragraphs(n)
	}
	if n.tag == "pre" || n.block() || n.tag == "li" || n.tag == "tr" {
		p.count++
	}
	if n.tag == "img" {
		p.media++
		if !webAddress(n.attrs["src"]) {
			return unparsable("the picture %q has no HTTP URL", n.attrs["src"])
		}
	}
	columns := 0
	for i, child := range n.children {
		if err := placed(n, child, i); err != nil {
			return err
		}
		if child.tag == "th" || child.tag == "td" {
			span, ok := integer(child.attrs["colspan"])
			if !ok || span < 1 {
				span = 1
			}
			columns += int(min(span, maxRichColumns+1))
		}
		if child.tag != "" {
			if err := p.shape(child, depth+1); err != nil {
				return err
			}
		}
	}
	if columns > maxRichColumns {
		return unparsable("a table has more than %d columns", maxRichColumns)
	}
	return nil
}

// placed checks whether a child may stand in its parent.
func placed(parent, child *richNode, i int) error {
	if where := richParent(child.tag); where != "" {
		if !within(where, parent.tag) || child.tag == "summary" && i != 0 {
			return unparsable("Tag %q can't stand in %q", child.tag, parent.tag)
		}
		return nil
	}
	inline := child.tag == "" || within(richInlineTags, child.tag)
	ok := false
	switch {
	case within(richPhrases, parent.tag):
		ok = inline
	case parent.tag == "figure":
		ok = child.tag == "img"
	case parent.tag == "message" || within(richFlow, parent.tag):
		ok = child.block()
	}
	if !ok {
		name := child.tag
		if name == "" {
			name = "text"
		}
		return unparsable("Tag %q can't stand in %q", name, parent.tag)
	}
	return nil
}

// paragraphs puts runs of inline children into paragraphs.
func (p *richParser) paragraphs(n *richNode) {
	var out []*richNode
	var run *richNode
	for _, child := range n.children {
		if child.tag != "" && !within(richInlineTags, child.tag) {
			run = nil
			out = append(out, child)
			continue
		}
		if run == nil {
			run = &richNode{tag: "p"}
			out = append(out, run)
		}
		run.children = append(run.children, child)
	}
	n.children = out
}

func (n *richNode) walk(fn func(*richNode)) {
	fn(n)
	for _, child := range n.children {
		child.walk(fn)
	}
}

type inputRich struct {
	HTML     string `json:"html"`
	Markdown string `json:"markdown"`
	RTL      bool   `json:"is_rtl"`
	Skip     bool   `json:"skip_entity_detection"`
}

// loadRich fetches the pictures of a rich message.
func (s *Server) loadRich(ctx context.Context, p params, got *loaded) {
	var in inputRich
	if !s.options.Rich || p["rich_message"] == "" || strict(p["rich_message"], &in) != nil {
		return
	}
	if root, refused := parseRich(in.HTML); refused == nil {
		root.walk(func(n *richNode) {
			if _, known := got.refused[n.attrs["src"]]; n.tag == "img" && !known {
				s.load(ctx, got, n.attrs["src"])
			}
		})
	}
}

// rich reads a rich message.
func (s *Server) rich(text string, got loaded) (*Rich, *refusal) {
	var in inputRich
	if text == "" {
		return nil, bad("rich message is empty")
	}
	if err := strict(text, &in); err != nil {
		return nil, bad("can't parse rich message JSON object: %v", err)
	}
	if (in.HTML == "") == (in.Markdown == "") {
		return nil, bad("can't parse rich message: exactly one of \"html\" and \"markdown\" must be specified")
	}
	if in.Markdown != "" {
		return nil, bad("can't parse rich message: markdown is not played here")
	}
	if !utf8.ValidString(in.HTML) {
		return nil, bad("strings must be encoded in UTF-8")
	}
	root, refused := parseRich(in.HTML)
	if refused != nil {
		return nil, refused
	}
	out := &Rich{HTML: in.HTML, RTL: in.RTL, root: root, pictures: map[string]*Picture{}}
	root.walk(func(n *richNode) {
		if n.tag == "img" && refused == nil {
			out.pictures[n.attrs["src"]], refused = s.photo(n.attrs["src"], "", got)
		}
	})
	if refused != nil {
		return nil, refused
	}
	return out, nil
}

func (s *Server) sendRichMessage(p params, got loaded) (any, *refusal) {
	c, thread, refused := s.destination(p)
	if refused != nil {
		return nil, refused
	}
	var m Message
	if m.Rich, refused = s.rich(p["rich_message"], got); refused != nil {
		return nil, refused
	}
	if m.Buttons, refused = markup(p["reply_markup"]); refused != nil {
		return nil, refused
	}
	return s.publish(c, p, thread, m)
}
