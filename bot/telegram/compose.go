package telegram

import (
	"strconv"
	"strings"
	"unicode"

	"newsie/bot"
)

// limits bound what compose writes: cards in number, snippets in room, the rest
// in UTF-16 units.
type limits struct {
	text, title, by, summary, snippet, cards int
	also                                     bool // tell where else a story is told
}

// roomy are the limits of a message that nothing has to be left out of.
// A snippet gets two lines of a phone: five of them are seen at once.
func roomy(cards int) limits {
	return limits{text: textLimit, title: 300, by: 120, summary: 3000, snippet: 84, cards: cards, also: true}
}

// compose lays a sheet out as one message.
func compose(s sheet, l limits) *markup {
	m := &markup{}
	s.writeText(m, l.text)
	left := l.cards
	marks := marksEach(min(s.total(), l.cards), s.asides(l.also))
	for i, b := range s.blocks {
		if left == 0 {
			break
		}
		if b.heading != "" {
			m.gap("\n\n")
			m.tag("b", "", func() { m.write(shorten(b.heading, 200)) })
		}
		pointers := s.view && i > 0
		for j, e := range b.entries {
			if left == 0 {
				break
			}
			left--
			if pointers && (j > 0 || b.heading != "") {
				m.gap("\n")
			} else {
				m.gap("\n\n")
			}
			if pointers {
				e.point(m, l)
			} else {
				e.write(m, l, marks, s.view)
			}
		}
	}
	return m
}

func (s sheet) total() (n int) {
	for _, b := range s.blocks {
		n += len(b.entries)
	}
	return n
}

// asides counts the entities that belong to no entry.
func (s sheet) asides(also bool) int {
	n := len(s.blocks) + len(s.links)
	if s.titled {
		n++
	}
	for _, b := range s.blocks {
		for _, e := range b.entries {
			if also {
				n += len(e.also.Places)
			}
		}
	}
	return n
}

// writeText writes the reply's own words with the links in them; one that the
// cut goes through is none any more.
func (s sheet) writeText(m *markup, limit int) {
	text := shorten(s.text, limit)
	links := s.links
	if text != s.text {
		links = bot.Until(links, max(0, len(text)-len("…")))
	}
	if s.titled && len(links) == 0 {
		title, rest, _ := strings.Cut(text, "\n")
		m.tag("b", "", func() { m.write(title) })
		if rest != "" {
			m.write("\n" + rest)
		}
		return
	}
	for _, p := range bot.Pieces(text, links) {
		if p.URL == "" {
			m.write(p.Text)
		} else {
			m.link(p.URL, func() { m.write(p.Text) })
		}
	}
}

// marksEach is how many marks each card may have: the server keeps a hundred
// entities of a message and drops the rest, links among them. others are those
// of headings and of the places where stories are told too.
func marksEach(cards, others int) int {
	if cards == 0 {
		return 0
	}
	return max(0, (maxEntities-others-entitiesPerCard*cards)/cards)
}

const maxEntities, entitiesPerCard = 100, 3

// write shows an entry: title, where it is from, and why it is here. The
// article being shown has its whole summary.
func (e entry) write(m *markup, l limits, marks int, whole bool) {
	if e.number > 0 {
		m.write(strconv.Itoa(e.number) + ". ")
	}
	m.tag("b", "", func() { e.writeTitle(m, l.title) })
	if by := e.by(l.by); by != "" {
		m.write("\n")
		if slanting(by) {
			m.tag("i", "", func() { m.write(by) })
		} else {
			m.write(by)
		}
	}
	why := e.snippet.shorten(l.snippet, room)
	if whole {
		why = e.snippet.shorten(l.summary, units)
	}
	if why.text != "" {
		m.write("\n")
		if whole {
			m.write("\n")
		}
		why.write(m, marks)
	}
	if l.also && len(e.also.Places) > 0 {
		m.write("\n")
		e.writeAlso(m)
	}
}

// point shows an entry by its title alone.
func (e entry) point(m *markup, l limits) {
	if e.number > 0 {
		m.write(strconv.Itoa(e.number) + ". ")
	}
	e.writeTitle(m, l.title)
}

func (e entry) writeTitle(m *markup, limit int) {
	title := func() { m.write(shorten(e.title, limit)) }
	if e.leads == "" {
		title()
	} else {
		m.link(e.leads, title)
	}
}

func (e entry) writeAlso(m *markup) {
	for i, p := range e.also.Places {
		if i == 0 {
			m.write(e.also.Label)
		} else {
			m.write(e.also.Comma)
		}
		name := func() { m.write(shorten(p.Name, 60)) }
		if p.URL == "" {
			name()
		} else {
			m.link(p.URL, name)
		}
	}
}

// by is the line of source and date. A right-to-left name beside a left-to-right
// date, or the reverse, is isolated, so that each keeps its own order.
func (e entry) by(limit int) string {
	source := shorten(e.source, limit)
	if source == "" || e.date == "" {
		return source + e.date
	}
	if rightToLeft(source) != rightToLeft(e.date) {
		source = "\u2068" + source + "\u2069"
	}
	return source + " · " + e.date
}

func rightToLeft(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool {
		return unicode.In(r, unicode.Arabic, unicode.Hebrew, unicode.Syriac, unicode.Thaana, unicode.Nko, unicode.Adlam)
	})
}

// slanting reports whether a text can be set in italics: only some scripts have
// them, and the apps lean the letters of the others by force.
func slanting(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsLetter(r) && !unicode.In(r, unicode.Latin, unicode.Greek, unicode.Cyrillic, unicode.Armenian)
	})
}

func (s snippet) write(m *markup, marks int) {
	at := 0
	for i, span := range s.marks {
		if i == marks {
			break
		}
		m.write(s.text[at:span.Start])
		m.tag("b", "", func() { m.write(s.text[span.Start:span.End]) })
		at = span.End
	}
	m.write(s.text[at:])
}

// A markup is a text with its HTML, and its length as the server counts it.
type markup struct {
	marked, bare strings.Builder
	units        int // UTF-16, without the tags
}

var (
	escapeText      = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	escapeAttribute = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")
)

func (m *markup) write(s string) {
	m.marked.WriteString(escapeText.Replace(s))
	m.bare.WriteString(s)
	m.units += units(s)
}

// gap separates what follows from what is there.
func (m *markup) gap(s string) {
	if m.units > 0 {
		m.write(s)
	}
}

func (m *markup) tag(name, attributes string, inner func()) {
	m.marked.WriteString("<" + name + attributes + ">")
	inner()
	m.marked.WriteString("</" + name + ">")
}

func (m *markup) link(address string, inner func()) {
	m.tag("a", ` href="`+escapeAttribute.Replace(address)+`"`, inner)
}

func (m *markup) html() string  { return m.marked.String() }
func (m *markup) plain() string { return m.bare.String() }
