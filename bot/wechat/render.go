package wechat

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"newsie/bot"
	"newsie/content/sentence"
	"newsie/internal/locale"
)

// A shape says how much of a reply is shown.
type shape struct {
	also    bool // where else a story is told
	meta    bool // where an article is from, and when
	snippet int  // width of a card's text; 0: none
	title   int  // width of a title
	cards   int  // how many cards, from the front
	ahead   int  // how many of those that had waited, from the front
	waited  int  // width of their text
	text    int  // width of the reply's own words
	numbers bool // a line of numbers that open the cards, beside the titles that lead away
	actions int  // how many actions, from the front
}

// A renderer writes replies as the app's text: <a> is all the markup there is,
// so matched words cannot be made bold.
type renderer struct {
	words locale.Printer
	taps  bool
}

// render writes a tidy reply in a shape.
func (r renderer) render(reply bot.Reply, s shape) string {
	var parts []string
	say := func() {
		if text := linked(shortenLinked(reply.Text, reply.Links, s.text)); text != "" {
			parts = append(parts, text)
		}
	}
	left, waiting := s.cards, s
	waiting.snippet, waiting.cards = s.waited, s.ahead
	var dropped []string
	for i, group := range reply.Groups {
		if i < reply.Ahead {
			shown := min(waiting.cards, len(group.Cards))
			waiting.cards -= shown
			if text := r.group(group, shown, waiting); text != "" {
				parts = append(parts, text)
			}
			continue
		}
		if i == reply.Ahead {
			say()
		}
		shown := min(left, len(group.Cards))
		left -= shown
		if text := r.group(group, shown, s); text != "" {
			parts = append(parts, text)
		}
		for _, card := range group.Cards[shown:] {
			if card.Number > 0 {
				dropped = append(dropped, strconv.Itoa(card.Number))
			}
		}
	}
	if reply.Ahead >= len(reply.Groups) {
		say()
	}
	if len(dropped) > 0 {
		parts = append(parts, r.words.T("wechat.left_out", "Count", len(dropped), "Numbers", strings.Join(dropped, ", ")))
	}
	if next := r.next(reply, s); len(next) > 0 {
		parts = append(parts, strings.Join(next, "\n"))
	}
	return strings.Join(parts, "\n\n")
}

func (r renderer) group(group bot.Group, shown int, s shape) string {
	if shown == 0 {
		return ""
	}
	var b strings.Builder
	if heading := shorten(group.Heading, s.title); heading != "" {
		b.WriteString(literal(heading) + "\n")
	}
	for i, card := range group.Cards[:shown] {
		if i > 0 {
			b.WriteByte('\n')
			if s.snippet > 0 { // air between cards of several lines
				b.WriteByte('\n')
			}
		}
		b.WriteString(r.card(card, s))
	}
	return b.String()
}

func (r renderer) card(card bot.Card, s shape) string {
	var lines []string
	title := shorten(card.Title, s.title)
	if title == "" {
		title = "…"
	}
	shownTitle := link(card.URL, title)
	if shownTitle == literal(title) && r.taps && card.Open != "" {
		shownTitle = tap(card.Open, title)
	}
	if card.Number > 0 {
		shownTitle = strconv.Itoa(card.Number) + ". " + shownTitle
	}
	lines = append(lines, shownTitle)
	room := s.snippet
	if card.Number == 0 {
		room *= 4 // the article itself: its whole summary
	}
	if text := excerpt(card.Snippet, room); text != "" {
		lines = append(lines, literal(text))
	}
	if s.meta {
		if line := byline(card); line != "" {
			lines = append(lines, literal(line))
		}
	}
	if also := card.Also.Join(func(p bot.Place) string { return link(p.URL, p.Name) }); s.also && also != "" {
		lines = append(lines, also)
	}
	return strings.Join(lines, "\n")
}

// excerpt is a tidy snippet within a width. When the first matched word lies
// beyond, the beginning is left out instead of the word.
func excerpt(snippet bot.Snippet, limit int) string {
	text := snippet.Text
	if limit <= 0 || len(snippet.Marks) == 0 {
		return sentences(text, limit)
	}
	start, end := snippet.Marks[0].Start, snippet.Marks[0].End
	if columns(text[:end]) < limit {
		return sentences(text, limit)
	}
	// A few characters before the word say where it stands; more when there is
	// little after it.
	before := max(limit/4, limit-2-columns(text[start:]))
	return sentences("…"+lastColumns(text[:start], before)+text[start:], limit)
}

// sentences is text within a width, cut after a sentence where that loses
// little.
func sentences(text string, limit int) string {
	cut := shorten(text, limit)
	if cut == text {
		return cut
	}
	// Only an end in the last third counts; a little before it is read for the
	// word before the dot. A column takes a byte at least, and four at most.
	from := max(0, min(2*limit/3, len(cut)*2/3)-64)
	for from > 0 && !utf8.RuneStart(cut[from]) {
		from--
	}
	ends := sentenceEnd.FindAllStringSubmatchIndex(cut[from:], -1)
	if len(ends) == 0 {
		return cut
	}
	last := ends[len(ends)-1]
	if end := from + max(last[3], last[5]); 3*columns(cut[:end]) >= 2*limit {
		return cut[:end]
	}
	return cut
}

// sentenceEnd captures the end of a sentence up to its closing quotes. A short
// word before a dot is an abbreviation.
var sentenceEnd = regexp.MustCompile(`((?:[\pL\pN]{4,}\.|[!?])["”’»)]*)(?:\s|…?$)|([。！？][”’」』）]*)`)

// mostNumbers is how many numbers one line of them has at most.
const mostNumbers = 8

// numbered are the shown cards that a number opens in the chat while their
// titles lead out of it; none when they are too many for a line.
func numbered(groups []bot.Group, shown int) []bot.Card {
	var list []bot.Card
	for _, group := range groups {
		n := min(shown, len(group.Cards))
		shown -= n
		for _, card := range group.Cards[:n] {
			if card.Number > 0 && card.Open != "" && webAddress(card.URL) != "" {
				list = append(list, card)
			}
		}
	}
	if len(list) > mostNumbers {
		return nil
	}
	return list
}

// numbers is the line of tappable numbers.
func (r renderer) numbers(cards []bot.Card) string {
	taps := make([]string, len(cards))
	for i, card := range cards {
		taps[i] = tap(card.Open, "["+strconv.Itoa(card.Number)+"]")
	}
	return r.words.T("wechat.numbers") + strings.Join(taps, "\u2002 ") // room for a thumb
}

// next is the lines of what a reader may do now: links, then the numbers, then
// what can be said.
func (r renderer) next(reply bot.Reply, s shape) []string {
	var lines, said []string
	cards := numbered(reply.Groups[min(reply.Ahead, len(reply.Groups)):], s.cards)
	if !r.taps && len(cards) > 0 {
		said = append(said, r.words.T("wechat.a_number"))
	}
	for _, action := range reply.Actions[:min(s.actions, len(reply.Actions))] {
		switch words := r.typed(action); {
		case action.URL != "":
			lines = append(lines, link(action.URL, action.Label))
		case r.taps:
			said = append(said, tap(action.Text, action.Label))
		case words != "":
			said = append(said, r.words.T("wechat.quoted", "Words", literal(words)))
		}
	}
	switch {
	case r.taps && s.numbers && len(cards) > 0:
		lines = append(lines, r.numbers(cards))
		fallthrough
	case r.taps:
		return append(lines, said...)
	case len(said) > 0:
		lines = append(lines, r.words.T("wechat.type", "Words", strings.Join(said, r.words.T("wechat.or"))))
	}
	return lines
}

// typed is what a reader types instead of tapping an action; "" when there are
// no words for it. Most labels are what they say.
func (r renderer) typed(action bot.Action) string {
	command, argument, _ := strings.Cut(strings.TrimPrefix(action.Text, "/"), " ")
	first := func(command string) string {
		word, _, _ := strings.Cut(r.words.T("command."+command+".words"), "|")
		return word
	}
	switch command {
	case "read": // by an id that nobody can remember
		return ""
	case "follow", "lang":
		return first(command) + " " + forLine(argument)
	case "more":
		if action.Label != r.words.T("bot.more") {
			return first("back")
		}
	case "exact", "when":
		return action.Text
	}
	return action.Label
}

// tidy is reply with its words cleaned, and cut where no shape shows more of
// them: done once, however many shapes are tried. No address is shown, so each is
// where a tap leads.
func tidy(reply bot.Reply) bot.Reply {
	reply.Text, reply.Links = tidyLinks(reply.Text, reply.Links)
	// A column takes a byte at least.
	reply.Text, reply.Links = shortenLinked(reply.Text, reply.Links, Budget)
	groups := make([]bot.Group, len(reply.Groups))
	for i, group := range reply.Groups {
		groups[i] = bot.Group{Heading: shorten(forLine(group.Heading), widest.title), Cards: make([]bot.Card, len(group.Cards))}
		for j, card := range group.Cards {
			card.Title = shorten(forLine(card.Title), widest.title)
			card.Snippet = tidySnippet(card.Snippet, card.Lang)
			card.URL = cmp.Or(card.Leads(opened), card.URL)
			card.Source, card.Date = shorten(forLine(card.Source), 40), shorten(forLine(card.Date), 40)
			card.Also.Places = slices.Clone(card.Also.Places)
			for k := range card.Also.Places {
				place := &card.Also.Places[k]
				place.Name, place.URL = shorten(forLine(place.Name), 40), cmp.Or(place.Leads(opened), place.URL)
			}
			groups[i].Cards[j] = card
		}
	}
	reply.Groups = groups
	actions := make([]bot.Action, 0, len(reply.Actions))
	for _, action := range reply.Actions {
		if action.Label = shorten(forLine(action.Label), 60); action.Label != "" {
			action.URL = cmp.Or(action.Leads(opened), action.URL)
			actions = append(actions, action)
		}
	}
	reply.Actions = actions
	return reply
}

// tidySnippet cleans a snippet and keeps its first mark. Of a long one, the
// sentences before the mark's go first.
func tidySnippet(snippet bot.Snippet, lang string) bot.Snippet {
	text := snippet.Text
	if len(snippet.Marks) == 0 {
		return bot.Snippet{Text: forLine(text)}
	}
	mark := snippet.Marks[0]
	if mark.Start < 0 || mark.End > len(text) || mark.Start > mark.End {
		return bot.Snippet{Text: forLine(text)}
	}
	before, rest := forLine(text[:mark.Start]), forLine(text[mark.Start:])
	if before != "" && strings.TrimSpace(text[mark.Start-1:mark.Start]) == "" {
		before += " "
	}
	out := bot.Snippet{Text: before + rest, Marks: []bot.Span{{
		Start: len(before), End: len(before) + len(forLine(text[mark.Start:mark.End])),
	}}}
	if columns(out.Text) <= widest.snippet {
		return out
	}
	start := 0
	for _, s := range sentence.Split(lang, out.Text) {
		if s.Start <= out.Marks[0].Start {
			start = s.Start
		}
	}
	out.Text = out.Text[start:]
	out.Marks[0].Start -= start
	out.Marks[0].End -= start
	return out
}
