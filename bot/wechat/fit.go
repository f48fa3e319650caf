package wechat

import (
	"cmp"
	"math"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"

	"newsie/bot"
)

// Budget is how many UTF-8 bytes the text of an answer may have. The platform
// documents no limit; about 2048 were measured.
const Budget = 1800

// text is reply as the app's text, within Budget; "" when it says nothing.
func (c *Channel) text(reply bot.Reply) string {
	return renderer{words: c.cfg.Catalog.Printer(c.language(reply)), taps: c.cfg.TapLines}.fit(reply, Budget)
}

// language is the one that a reply's own words are in.
func (c *Channel) language(reply bot.Reply) string { return cmp.Or(reply.Lang, c.cfg.Language) }

// widest is the shape that shows everything.
var widest = shape{also: true, meta: true, numbers: true, snippet: 96, waited: 96, title: 120, text: math.MaxInt}

// fit renders reply within a budget of bytes. It never cuts the result: it
// shows less of the reply, in the order in which a reader misses it least,
// until the result fits.
func (r renderer) fit(reply bot.Reply, budget int) string {
	reply = tidy(reply)
	s := widest
	s.actions = len(reply.Actions)
	for i, group := range reply.Groups {
		if i < reply.Ahead {
			s.ahead += len(group.Cards)
		} else {
			s.cards += len(group.Cards)
		}
	}
	cards := s.cards
	fits := func() (string, bool) {
		text := r.render(reply, s)
		return text, len(text) <= budget
	}
	// What had waited comes first and gives way first: the reader asked for the
	// rest just now.
	less := []func(){
		func() { s.also = false },
		func() { s.waited = 24 },
		func() { s.meta = false },
		func() { s.waited = 0 },
		func() { s.snippet = 76 },
		func() { s.snippet, s.title = 56, 80 },
		func() { s.snippet, s.title = 36, 60 },
		func() { s.numbers = false },
		func() { s.snippet = 0 },
		func() { s.title = 40 },
		func() {
			if cards > 0 { // a list whose introduction is long
				s.text = 160
			}
		},
	}
	for _, step := range less {
		if text, ok := fits(); ok {
			return text
		}
		step()
	}
	for s.ahead > 1 || s.cards > 1 {
		if text, ok := fits(); ok {
			return text
		}
		if s.ahead > 1 {
			s.ahead--
		} else {
			s.cards--
		}
	}
	// What remains is the reply's own words and what to say next.
	const least = 60
	if width := columns(reply.Text); width > least {
		s.text = least + sort.Search(width-least, func(n int) bool {
			s.text = least + n + 1
			_, ok := fits()
			return !ok
		})
	}
	for {
		text, ok := fits()
		if ok || s.cards+s.ahead+s.actions+len(reply.Links) == 0 {
			return text
		}
		switch {
		case s.cards+s.ahead+s.actions == 0: // addresses that have no room even beside few words
			reply.Links = reply.Links[:len(reply.Links)-1]
		case s.actions > 0:
			s.actions--
		case s.ahead > 0:
			s.ahead = 0
		default:
			s.cards = 0
		}
	}
}

// columns is the width of a text.
func columns(text string) int {
	n := 0
	for tokens := graphemes.FromString(text); tokens.Next(); {
		n += width(tokens.Value())
	}
	return n
}

// few columns are no loss where a clause begins.
const few = 24

// lastColumns is the end of a text, from the beginning of a clause or a word
// where there is one.
func lastColumns(text string, limit int) string {
	total, skip := columns(text), 0
	if total <= limit {
		return text
	}
	for tokens := graphemes.FromString(text); tokens.Next(); {
		skip += width(tokens.Value())
		if total-skip <= limit {
			rest := text[tokens.End():]
			for _, marks := range []string{"，、；：,;:", " "} {
				i := strings.IndexAny(rest, marks)
				if i < 0 {
					continue
				}
				_, size := utf8.DecodeRuneInString(rest[i:])
				if after := strings.TrimLeft(rest[i+size:], " "); limit <= few || len(after) > len(rest)/2 {
					return after
				}
			}
			return rest
		}
	}
	return ""
}
