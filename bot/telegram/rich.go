package telegram

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"newsie/bot"
)

// Whether digests go out as rich messages where the server has them.
const (
	RichAuto = "auto"
	RichOff  = "off"
)

// Limits of a rich message, and how many entries of a topic are seen at once.
// With so many cards, each in a paragraph of its own, there are never more than
// half of the 500 blocks that the server takes.
const (
	richLimit = 32768 // units of text
	richCards = 60
	richOpen  = 3
)

// richMessage is the Bot API's InputRichMessage.
type richMessage struct {
	HTML string `json:"html"`
	RTL  bool   `json:"is_rtl,omitempty"`
	AsIs bool   `json:"skip_entity_detection"`
}

// putRich sends a digest as a rich message, or makes one of an earlier message.
// tried is false where it must go as HTML instead: it has one topic and HTML
// holds all of it, or the server has no rich messages, or refused this one.
func (c *Channel) putRich(ctx context.Context, o outgoing, l *layout) (id int64, tried bool, err error) {
	if c.config.Rich == RichOff || c.poor.Load() {
		return 0, false, nil
	}
	if l.sheet.view || l.sheet.total() == 0 || !severalTopics(l.sheet) && !l.short() {
		return 0, false, nil
	}
	s := newSheet(o.reply, richCards)
	s.titled = o.titled || severalTopics(s)
	page := c.fitRich(s, o.reply)
	for range 2 {
		id, err = c.postRich(ctx, o, page, s.rightToLeft())
		if err == nil || o.place == 0 || !notReplaceable(err) {
			break
		}
		o.place = 0
	}
	switch {
	case err == nil:
		c.arrived(page, o.begun)
		return id, true, nil
	case o.place != 0 && refused(err, notModified):
		return o.place, true, nil
	case unknownMethod(err), o.place != 0 && refused(err, "message text is empty"):
		// Or the token is: only when HTML goes through is it known which.
		id, err = c.putText(ctx, o, l)
		if err == nil && !c.poor.Swap(true) {
			c.log.Info("this Bot API server has no rich messages: digests go out as HTML")
		}
		return id, true, err
	case c.fault(err, o.to):
		c.count("rich_refused")
		c.log.Error("telegram refused a rich message: sent as HTML", "error", err)
		return 0, false, nil
	}
	return 0, true, c.sendError(err, o.to)
}

func unknownMethod(err error) bool {
	var failed *Error
	return errors.As(err, &failed) && failed.Code == http.StatusNotFound
}

func (c *Channel) postRich(ctx context.Context, o outgoing, page page, rtl bool) (int64, error) {
	method, params, err := c.destination(o, "sendRichMessage", "editMessageText")
	if err != nil {
		return 0, err
	}
	if err := addJSON(params, "rich_message", richMessage{HTML: page.text.html(), RTL: rtl, AsIs: true}); err != nil {
		return 0, err
	}
	if err := addKeyboard(params, page.keyboard); err != nil {
		return 0, err
	}
	return c.send(ctx, o, method, params)
}

// severalTopics reports whether a sheet has several headed lists.
func severalTopics(s sheet) bool {
	headed := 0
	for _, b := range s.blocks {
		if b.heading != "" {
			headed++
		}
	}
	return headed > 1
}

// rightToLeft reports whether all articles are in languages written so.
func (s sheet) rightToLeft() bool {
	for _, b := range s.blocks {
		for _, e := range b.entries {
			base, _, _ := strings.Cut(e.lang, "-")
			if !slices.Contains([]string{"ar", "dv", "fa", "he", "ku", "ps", "sd", "syr", "ug", "ur", "yi"}, base) {
				return false
			}
		}
	}
	return s.total() > 0
}

// fitRich renders a reply so that it is within the limits of a rich message, as
// fit does for a text.
func (c *Channel) fitRich(s sheet, r bot.Reply) page {
	l := roomy(s.total())
	rest := func(n int) string { return c.config.Catalog.Printer(r.Lang).T("telegram.rest", "Count", n) }
	m := composeRich(s, l, rest)
	for m.units > richLimit && l.cards > 0 {
		switch {
		case l.also:
			l.also = false
		case l.snippet > 40:
			l.snippet = l.snippet * 3 / 4
		case l.title > 120:
			l.title, l.by = 120, 60
		default:
			l.cards--
		}
		m = composeRich(s, l, rest)
	}
	p := page{text: m}
	p.keyboard, p.dropped = buttons(s, l.cards, r.Actions)
	return p
}

// composeRich lays a sheet out as a rich message: a heading for each topic, its
// first entries, and the others behind a line that opens them; rest says how
// many those are.
func composeRich(s sheet, l limits, rest func(n int) string) *markup {
	m := &markup{}
	s.writeRichText(m, l.text)
	left := l.cards
	for _, b := range s.blocks {
		entries := b.entries[:min(left, len(b.entries))]
		if left -= len(entries); len(entries) == 0 {
			continue
		}
		if b.heading != "" {
			m.tag("h4", "", func() { m.write(shorten(b.heading, 200)) })
		}
		open := entries
		if len(entries) > richOpen+1 { // a line that hides one entry saves nothing
			open = entries[:richOpen]
		}
		for _, e := range open {
			e.writeRich(m, l)
		}
		if hidden := entries[len(open):]; len(hidden) > 0 {
			m.tag("details", "", func() {
				m.tag("summary", "", func() { m.write(rest(len(hidden))) })
				for _, e := range hidden {
					e.writeRich(m, l)
				}
			})
		}
	}
	return m
}

// writeRichText writes the reply's own words: a title, and what is below it.
func (s sheet) writeRichText(m *markup, limit int) {
	if s.text == "" {
		return
	}
	text, links := shorten(s.text, limit), s.links
	if text != s.text {
		links = bot.Until(links, max(0, len(text)-len("…")))
	}
	if title, rest, _ := strings.Cut(text, "\n"); s.titled && len(links) == 0 {
		m.tag("h3", "", func() { m.write(title) })
		if text = rest; text == "" {
			return
		}
	}
	m.tag("p", "", func() {
		for _, p := range bot.Pieces(text, links) {
			if p.URL == "" {
				m.lines(p.Text)
			} else {
				m.link(p.URL, func() { m.lines(p.Text) })
			}
		}
	})
}

func (e entry) writeRich(m *markup, l limits) {
	m.tag("p", "", func() {
		m.tag("b", "", func() {
			if e.number > 0 {
				m.write(strconv.Itoa(e.number) + ". ")
			}
			e.writeTitle(m, l.title)
		})
		if by := e.by(l.by); by != "" {
			m.lines("\n")
			if slanting(by) {
				m.tag("i", "", func() { m.write(by) })
			} else {
				m.write(by)
			}
		}
		if why := e.snippet.shorten(l.snippet, room); why.text != "" {
			m.lines("\n")
			why.write(m, len(why.marks))
		}
		if l.also && len(e.also.Places) > 0 {
			m.lines("\n")
			e.writeAlso(m)
		}
	})
}

// lines writes text in which a line ends as rich messages end one.
func (m *markup) lines(s string) {
	for i, line := range strings.Split(s, "\n") {
		if i > 0 {
			m.marked.WriteString("<br>")
			m.bare.WriteString("\n")
		}
		m.write(line)
	}
}
