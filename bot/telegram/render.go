package telegram

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"newsie/bot"
)

// A sheet is a reply cleaned for Telegram: what fit shortens and compose lays out.
type sheet struct {
	text   string
	links  []bot.Link // in text
	titled bool       // the first line of text is a title
	view   bool       // the first entry is an article that is being shown; the rest only points
	blocks []block
	left   int // cards that did not get in
}

type block struct {
	heading string
	entries []entry
}

type entry struct {
	number  int
	title   string
	url     string // "" when Telegram would not take it
	leads   string // where the title leads, instead
	source  string
	date    string
	snippet snippet
	open    string
	also    bot.Also
	cover   string // "" when Telegram would not take it
	lang    string
}

// A snippet is one line of text; the bytes of marks are the matched words.
type snippet struct {
	text  string
	marks []bot.Span
}

// maxCards keeps a message below the hundred entities that the server keeps.
const maxCards = 20

// newSheet takes at most so many cards.
func newSheet(r bot.Reply, most int) sheet {
	s := sheet{}
	s.text, s.links = cleanLinks(r.Text, r.Links)
	cards := 0
	for _, g := range r.Groups {
		b := block{heading: clean(g.Heading, false)}
		for _, c := range g.Cards {
			if cards++; cards > most {
				s.left++
				continue
			}
			b.entries = append(b.entries, newEntry(c))
		}
		if len(b.entries) > 0 {
			s.blocks = append(s.blocks, b)
		}
	}
	s.view = shows(s.blocks)
	return s
}

// shows reports whether the first entry is an article that is being shown: the
// only one without a number.
func shows(blocks []block) bool {
	if len(blocks) == 0 || len(blocks[0].entries) != 1 {
		return false
	}
	for i, b := range blocks {
		for _, e := range b.entries {
			if (e.number == 0) != (i == 0) {
				return false
			}
		}
	}
	return true
}

func newEntry(c bot.Card) entry {
	e := entry{
		number: c.Number, title: clean(c.Title, false), url: linkable(c.URL), leads: c.Leads(linkable),
		source: clean(c.Source, false), date: clean(c.Date, false),
		snippet: newSnippet(c.Snippet), open: c.Open,
		cover: linkable(c.Cover), lang: c.Lang,
		also: bot.Also{Label: c.Also.Label, Comma: c.Also.Comma},
	}
	for _, p := range c.Also.Places {
		e.also.Places = append(e.also.Places, bot.Place{Name: clean(p.Name, false), URL: p.Leads(linkable)})
	}
	for _, other := range []string{e.source, e.url, "—"} {
		if e.title == "" {
			e.title = other
		}
	}
	return e
}

// newSnippet cleans the text between the marks, so that they stay where they were.
func newSnippet(s bot.Snippet) snippet {
	var out strings.Builder
	var marks []bot.Span
	space := true // at the start none is wanted
	add := func(part string) {
		for _, r := range cleanRunes(part, false) {
			if r == ' ' && space {
				continue
			}
			space = r == ' '
			out.WriteRune(r)
		}
	}
	at := 0
	for _, m := range s.Marks {
		start, end := onRune(s.Text, max(m.Start, at)), onRune(s.Text, m.End)
		if start >= end {
			continue
		}
		add(s.Text[at:start])
		from := out.Len()
		add(s.Text[start:end])
		if out.Len() > from {
			marks = append(marks, bot.Span{Start: from, End: out.Len()})
		}
		at = end
	}
	add(s.Text[at:])
	text := strings.TrimRight(out.String(), " ")
	return snippet{text, clip(marks, 0, len(text))}
}

// onRune moves i to the start of the rune it is in, within s.
func onRune(s string, i int) int {
	if i >= len(s) {
		return len(s)
	}
	for i > 0 && !utf8.RuneStart(s[i]) {
		i--
	}
	return max(i, 0)
}

// clip keeps what of the marks lies within start and end, counted from start.
func clip(marks []bot.Span, start, end int) []bot.Span {
	var kept []bot.Span
	for _, m := range marks {
		m = bot.Span{Start: max(m.Start, start) - start, End: min(m.End, end) - start}
		if m.Start < m.End {
			kept = append(kept, m)
		}
	}
	return kept
}

// clean makes text that is not ours fit to be shown: valid UTF-8, without
// controls and overrides of the writing direction, which would turn the lines
// after it around; the server drops those too, and would count less than we do.
func clean(s string, lines bool) string {
	s = string(cleanRunes(s, lines))
	if !lines {
		return strings.Join(strings.Fields(s), " ")
	}
	for strings.Contains(s, "\n\n\n") {
		s = strings.ReplaceAll(s, "\n\n\n", "\n\n")
	}
	return strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) })
}

// cleanLinks cleans a text of several lines and keeps the links in it that
// Telegram takes.
func cleanLinks(text string, links []bot.Link) (string, []bot.Link) {
	if len(links) == 0 {
		return clean(text, true), nil
	}
	pieces := bot.Pieces(text, links)
	for i, p := range pieces {
		p.Text = string(cleanRunes(p.Text, true))
		for strings.Contains(p.Text, "\n\n\n") {
			p.Text = strings.ReplaceAll(p.Text, "\n\n\n", "\n\n")
		}
		pieces[i] = bot.Piece{Text: p.Text, URL: linkable(p.URL)}
	}
	return bot.Joined(pieces)
}

func cleanRunes(s string, lines bool) []rune {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\r\n", "\n")
	out := make([]rune, 0, len(s))
	for _, r := range s {
		switch {
		case r == '\n' || r == '\r' || r == '\v' || r == '\f' || r == '\u0085' || r == '\u2028' || r == '\u2029':
			r = '\n'
			if !lines {
				r = ' '
			}
		case r == '\t' || r == '\u00a0' && !lines || r == '\u3000' && !lines:
			r = ' '
		case unicode.IsControl(r), r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069',
			r == '\ufeff', r == '\ufffd', r&0xfffe == 0xfffe, r >= 0xfdd0 && r <= 0xfdef:
			continue
		}
		out = append(out, r)
	}
	return out
}

// linkable gives an address as Telegram takes it, or "": the server refuses a
// whole message for one button with an address such as http://localhost:8080,
// and silently drops such a link from a text.
func linkable(address string) string {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || len(address) > 2048 {
		return ""
	}
	host := u.Hostname()
	if !strings.Contains(strings.Trim(host, "."), ".") && !strings.Contains(host, ":") || strings.ContainsFunc(host, noHost) {
		return ""
	}
	if strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || r == '"' || r == '<' || r == '>' || r == utf8.RuneError }) {
		return escapeAddress.Replace(u.String())
	}
	return address
}

// noHost reports whether no host's name has r.
func noHost(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-._:", r)
}

var escapeAddress = strings.NewReplacer(`"`, "%22", "<", "%3C", ">", "%3E", " ", "%20", "\uFFFD", "%EF%BF%BD")
