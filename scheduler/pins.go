package scheduler

import (
	"context"
	"fmt"
	"slices"

	"newsie/bot"
	"newsie/internal/locale"
)

// pin gives a message the pinned articles of its channel. Answers and sends have
// none; nor has what goes out under a key that the platform takes once, which must
// hold the same at every try.
func (d *Digests) pin(ctx context.Context, m *message, outlet Channel) error {
	if m.owed() || m.launch() || outlet.Keyed && m.to().Audience() {
		return nil
	}
	cards, err := d.pinnedCards(ctx, m.shared[0].Lang, outlet)
	if err != nil {
		return err
	}
	m.pinned = cards
	if m.to().Audience() && outlet.Most != nil { // something new has its place whatever is pinned
		m.pinned = cards[:min(len(cards), max(0, outlet.Most(m.to(), m.jobs[0].edition.Query)-1))]
	}
	return nil
}

// pinnedCards are the pinned articles that a channel serves, the newest pin first.
func (d *Digests) pinnedCards(ctx context.Context, lang string, outlet Channel) ([]bot.Card, error) {
	if d.pinned == nil {
		return nil, nil
	}
	key := fmt.Sprintf("pinned %d %q", d.finder.Seq(), []string{lang, outlet.Name})
	if reply, ok := d.kept(key); ok {
		return reply.Groups[0].Cards, nil
	}
	articles, err := d.pinned(ctx, outlet.Within)
	if err != nil {
		return nil, fmt.Errorf("load the pinned articles: %w", err)
	}
	cards := d.cards(articles, lang, 1)
	d.keep(key, bot.Reply{Groups: []bot.Group{{Cards: cards}}})
	return cards, nil
}

// pinnedFirst puts the pinned articles before what is new, in a part of their own
// where there are several, and nowhere else.
func pinnedFirst(p locale.Printer, pinned []bot.Card, sections []section) []section {
	if len(pinned) == 0 || len(sections) == 0 {
		return sections
	}
	is := func(c bot.Card) bool {
		return slices.ContainsFunc(pinned, func(p bot.Card) bool { return p.Article == c.Article })
	}
	rest := make([]section, len(sections))
	for i, s := range sections {
		rest[i] = s
		rest[i].cards = slices.DeleteFunc(slices.Clone(s.cards), is)
	}
	if len(rest) == 1 {
		rest[0].cards = append(slices.Clone(pinned), rest[0].cards...)
		return rest
	}
	return append([]section{{topic: p.T("scheduler.pinned"), cards: slices.Clone(pinned)}}, rest...)
}
