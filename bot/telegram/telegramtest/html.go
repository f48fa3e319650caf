package telegramtest

import (
	"fmt"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// An Entity is a part of a text that is shown in a special way. Offset and
// Length count UTF-16 units.
type Entity struct {
	Type   string `json:"type"`
	Offset int    `json:"offset"`
	Length int    `json:"length"`
	URL    string `json:"url,omitempty"`
}

// maxEntities is how many entities of a message the server keeps.
const maxEntities = 100

var tagTypes = map[string]string{
	"a": "text_link", "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "s": "strikethrough",
	"strike": "strikethrough", "del": "strikethrough", "u": "underline", "ins": "underline", "code": "code",
	"pre": "pre", "tg-spoiler": "spoiler", "span": "spoiler", "tg-emoji": "custom_emoji", "blockquote": "blockquote",
}

// parseError is what the server says, word for word.
type parseError string

func (e parseError) Error() string { return string(e) }

func unparsable(format string, args ...any) error { return parseError(fmt.Sprintf(format, args...)) }

type openTag struct {
	name     string
	argument string
	at       int // UTF-16 units of text before it
}

// htmlParser reads the HTML of messages by the rules of the published server
// (tdlib's MessageEntity), errors and byte offsets included.
type htmlParser struct {
	in       string
	at       int
	text     strings.Builder
	units    int
	open     []openTag
	entities []Entity
}

// parseHTML gives the text that is shown and its entities.
func parseHTML(in string) (string, []Entity, error) {
	p := &htmlParser{in: in}
	for p.at < len(p.in) {
		var err error
		switch c := p.in[p.at]; {
		case c == '&':
			p.reference()
		case c != '<':
			_, size := utf8.DecodeRuneInString(p.in[p.at:])
			p.put(p.in[p.at : p.at+size])
			p.at += size
		case strings.HasPrefix(p.in[p.at:], "</"):
			err = p.end()
		default:
			err = p.start()
		}
		if err != nil {
			return "", nil, err
		}
	}
	if n := len(p.open); n > 0 {
		return "", nil, unparsable("Can't find end tag corresponding to start tag %q", p.open[n-1].name)
	}
	sort.SliceStable(p.entities, func(i, j int) bool {
		a, b := p.entities[i], p.entities[j]
		return a.Offset < b.Offset || a.Offset == b.Offset && a.Length > b.Length
	})
	return p.text.String(), p.entities, nil
}

func (p *htmlParser) put(s string) {
	p.text.WriteString(s)
	p.units += units(s)
}

func (p *htmlParser) reference() {
	if r, size := decodeReference(p.in[p.at:]); size > 0 {
		p.put(string(r))
		p.at += size
		return
	}
	p.put("&")
	p.at++
}

// decodeReference reads the four named references and numbers; size 0: none.
func decodeReference(s string) (rune, int) {
	end := 1
	for end < len(s) && (s[end] == '#' && end == 1 || isAlphanumeric(s[end])) {
		end++
	}
	name := s[1:end]
	var r rune
	switch {
	case strings.HasPrefix(name, "#x"):
		n, err := strconv.ParseUint(name[2:], 16, 32)
		if err != nil {
			return 0, 0
		}
		r = rune(n)
	case strings.HasPrefix(name, "#"):
		n, err := strconv.ParseUint(name[1:], 10, 32)
		if err != nil {
			return 0, 0
		}
		r = rune(n)
	case name == "lt":
		r = '<'
	case name == "gt":
		r = '>'
	case name == "amp":
		r = '&'
	case name == "quot":
		r = '"'
	}
	if r <= 0 || r >= 0x10ffff {
		return 0, 0
	}
	if end < len(s) && s[end] == ';' {
		end++
	}
	return r, end
}

func (p *htmlParser) start() error {
	begin := p.at
	p.at++
	name := strings.ToLower(p.until(func(c byte) bool { return isSpace(c) || c == '>' }))
	if p.at >= len(p.in) {
		return unparsable("Unclosed start tag at byte offset %d", begin)
	}
	if _, ok := tagTypes[name]; !ok {
		return unparsable("Unsupported start tag %q at byte offset %d", name, begin)
	}
	argument := ""
	for p.in[p.at] != '>' {
		p.until(func(c byte) bool { return !isSpace(c) })
		if p.at < len(p.in) && p.in[p.at] == '>' {
			break
		}
		key, value, err := p.attribute(name, begin)
		if err != nil {
			return err
		}
		if name == "a" && key == "href" || name == "span" && key == "class" || name == "tg-emoji" && key == "emoji-id" {
			argument = value
		}
		if p.at >= len(p.in) {
			return unparsable("Unclosed start tag at byte offset %d", begin)
		}
	}
	if name == "span" && argument != "tg-spoiler" {
		return unparsable("Tag \"span\" must have class \"tg-spoiler\" at byte offset %d", begin)
	}
	p.at++
	p.open = append(p.open, openTag{name, argument, p.units})
	return nil
}

func (p *htmlParser) attribute(tag string, begin int) (key, value string, err error) {
	key = p.until(func(c byte) bool { return isSpace(c) || strings.IndexByte("=>/\"'", c) >= 0 })
	if key == "" {
		return "", "", unparsable("Empty attribute name in the tag %q at byte offset %d", tag, begin)
	}
	p.until(func(c byte) bool { return !isSpace(c) })
	if p.at >= len(p.in) {
		return "", "", unparsable("Unclosed start tag %q at byte offset %d", tag, begin)
	}
	if p.in[p.at] != '=' {
		return strings.ToLower(key), "", nil
	}
	p.at++
	p.until(func(c byte) bool { return !isSpace(c) })
	if p.at >= len(p.in) {
		return "", "", unparsable("Unclosed start tag %q at byte offset %d", tag, begin)
	}
	quote := p.in[p.at]
	if quote != '"' && quote != '\'' {
		from := p.at
		value = p.until(func(c byte) bool { return !isAlphanumeric(c) && c != '.' && c != '-' })
		if p.at >= len(p.in) || !isSpace(p.in[p.at]) && p.in[p.at] != '>' {
			return "", "", unparsable("Unexpected end of name token at byte offset %d", from)
		}
		return strings.ToLower(key), strings.ToLower(value), nil
	}
	p.at++
	var b strings.Builder
	for p.at < len(p.in) && p.in[p.at] != quote {
		if p.in[p.at] == '&' {
			if r, size := decodeReference(p.in[p.at:]); size > 0 {
				b.WriteRune(r)
				p.at += size
				continue
			}
		}
		b.WriteByte(p.in[p.at])
		p.at++
	}
	if p.at >= len(p.in) {
		return "", "", unparsable("Unclosed start tag at byte offset %d", begin)
	}
	p.at++
	return strings.ToLower(key), b.String(), nil
}

func (p *htmlParser) end() error {
	begin := p.at
	if len(p.open) == 0 {
		return unparsable("Unexpected end tag at byte offset %d", begin)
	}
	p.at += 2
	name := strings.ToLower(p.until(func(c byte) bool { return isSpace(c) || c == '>' }))
	p.until(func(c byte) bool { return !isSpace(c) })
	if p.at >= len(p.in) || p.in[p.at] != '>' {
		return unparsable("Unclosed end tag at byte offset %d", begin)
	}
	p.at++
	last := p.open[len(p.open)-1]
	if name != "" && name != last.name {
		return unparsable("Unmatched end tag at byte offset %d, expected \"</%s>\", found \"</%s>\"", begin, last.name, name)
	}
	p.open = p.open[:len(p.open)-1]
	if p.units == last.at {
		return nil
	}
	e := Entity{Type: tagTypes[last.name], Offset: last.at, Length: p.units - last.at}
	if last.name == "a" {
		if e.URL = checkURL(last.argument); e.URL == "" {
			return nil // the text stays, the link goes, and nobody is told
		}
	}
	p.entities = append(p.entities, e)
	return nil
}

// until moves to the first byte that stop accepts and returns what it passed.
func (p *htmlParser) until(stop func(byte) bool) string {
	from := p.at
	for p.at < len(p.in) && !stop(p.in[p.at]) {
		p.at++
	}
	return p.in[from:p.at]
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == 0 || c == '\v'
}

func isAlphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// checkURL gives an address the server takes, or "".
func checkURL(address string) string {
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "tg" {
		return ""
	}
	host := u.Hostname()
	if u.Scheme != "tg" && !strings.Contains(host, ".") && !strings.Contains(host, ":") {
		return ""
	}
	return address
}

// tidy is what the server does to a text after parsing: characters that spoil
// other lines go, white space at both ends goes, entities follow, and of more
// than a hundred the last are forgotten.
func tidy(text string, entities []Entity) (string, []Entity) {
	spoils := func(r rune) bool { return r < ' ' && r != '\n' || r >= 0x2028 && r <= 0x202e }
	if !strings.ContainsFunc(text, spoils) && strings.TrimSpace(text) == text && len(entities) <= maxEntities {
		return text, nonEmpty(entities)
	}
	moved := make([]int, 0, units(text)+1) // old unit offset -> new one
	var b strings.Builder
	n := 0
	for _, r := range text {
		keep := r
		switch {
		case r == '\r' || r >= 0x2028 && r <= 0x202e:
			keep = 0
		case r < ' ' && r != '\n':
			keep = ' '
		}
		for range units(string(r)) {
			moved = append(moved, n)
		}
		if keep != 0 {
			b.WriteRune(keep)
			n += units(string(keep))
		}
	}
	moved = append(moved, n)
	whole := b.String()
	left := strings.TrimLeftFunc(whole, unicode.IsSpace)
	lead := units(whole) - units(left)
	text = strings.TrimRightFunc(left, unicode.IsSpace)
	length := units(text)
	var kept []Entity
	for _, e := range entities {
		from := max(0, moved[e.Offset]-lead)
		to := min(length, moved[e.Offset+e.Length]-lead)
		if from < to && len(kept) < maxEntities {
			e.Offset, e.Length = from, to-from
			kept = append(kept, e)
		}
	}
	return text, kept
}

func nonEmpty(entities []Entity) []Entity {
	var kept []Entity
	for _, e := range entities {
		if e.Length > 0 {
			kept = append(kept, e)
		}
	}
	return kept
}

func units(s string) int {
	n := 0
	for _, r := range s {
		if n++; r > 0xffff {
			n++
		}
	}
	return n
}
