package wechat

import (
	"slices"
	"strconv"
	"strings"

	"newsie/bot"
	"newsie/internal/locale"
)

// A shape says how much of a reply is shown.
type shape struct {
	also    bool // where else a story is told
	meta    bool // where an article is from, and when
	snippet int  // width of a card's text; 0: none
	title   int  // width of a title
	cards   int  // how many cards, from the front
	text    int  // width of the reply's own words
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
	if text := shorten(reply.Text, s.text); text != "" {
		parts = append(parts, literal(text))
	}
	left := s.cards
	var dropped []string
	for _, group := range reply.Groups {
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
	if len(dropped) > 0 {
		parts = append(parts, r.words.T("wechat.left_out", "Count", len(dropped), "Numbers", strings.Join(dropped, ", ")))
	}
	if text := r.actions(reply.Actions[:min(s.actions, len(reply.Actions))]); text != "" {
		parts = append(parts, text)
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
		return shorten(text, limit)
	}
	start, end := snippet.Marks[0].Start, snippet.Marks[0].End
	if columns(text[:end]) < limit {
		return shorten(text, limit)
	}
	// A few characters before the word say where it stands.
	return shorten("…"+lastColumns(text[:start], limit/4)+text[start:], limit)
}

func (r renderer) actions(actions []bot.Action) string {
	var lines, typed []string
	for _, action := range actions {
		label := action.Label
		switch {
		case label == "":
		case action.URL != "":
			lines = append(lines, link(action.URL, label))
		case r.taps:
			lines = append(lines, tap(action.Text, label))
		default:
			typed = append(typed, r.words.T("wechat.quoted", "Words", literal(label)))
		}
	}
	if len(typed) > 0 {
		lines = append(lines, r.words.T("wechat.type", "Words", strings.Join(typed, r.words.T("wechat.or"))))
	}
	return strings.Join(lines, "\n")
}

// tidy is reply with its words cleaned, and cut where no shape shows more of
// them: done once, however many shapes are tried.
func tidy(reply bot.Reply) bot.Reply {
	// A column takes a byte at least.
	reply.Text = shorten(forText(reply.Text), Budget)
	groups := make([]bot.Group, len(reply.Groups))
	for i, group := range reply.Groups {
		groups[i] = bot.Group{Heading: shorten(forLine(group.Heading), widest.title), Cards: make([]bot.Card, len(group.Cards))}
		for j, card := range group.Cards {
			card.Title = shorten(forLine(card.Title), widest.title)
			card.Snippet = tidySnippet(card.Snippet)
			card.Source, card.Date = shorten(forLine(card.Source), 40), shorten(forLine(card.Date), 40)
			card.Also.Places = slices.Clone(card.Also.Places)
			for k := range card.Also.Places {
				card.Also.Places[k].Name = shorten(forLine(card.Also.Places[k].Name), 40)
			}
			groups[i].Cards[j] = card
		}
	}
	reply.Groups = groups
	actions := make([]bot.Action, 0, len(reply.Actions))
	for _, action := range reply.Actions {
		if action.Label = shorten(forLine(action.Label), 60); action.Label != "" {
			actions = append(actions, action)
		}
	}
	reply.Actions = actions
	return reply
}

// tidySnippet cleans a snippet and keeps its first mark.
func tidySnippet(snippet bot.Snippet) bot.Snippet {
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
	return bot.Snippet{Text: before + rest, Marks: []bot.Span{{
		Start: len(before), End: len(before) + len(forLine(text[mark.Start:mark.End])),
	}}}
}
