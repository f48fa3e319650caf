package bot

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/clipperhouse/uax29/v2/graphemes"

	"newsie/content"
	"newsie/content/index"
	"newsie/internal/locale"
)

// Cards shows articles by their summaries, numbered from first; 0 numbers none.
func (b *Bot) Cards(articles []content.Article, lang string, first int) []Card {
	return b.cards(articles, b.catalog.Printer(lang), nil, first)
}

// cards are Cards of a channel that serves certain sources, or all.
func (b *Bot) cards(articles []content.Article, p locale.Printer, sources []string, first int) []Card {
	cards := make([]Card, len(articles))
	for i, a := range articles {
		cards[i] = Card{
			Article: a.ID, Title: a.Title, URL: b.link(a), Snippet: Snippet{Text: a.Summary},
			Source: byline(a), Date: p.Date(a.Published), Lang: a.Lang, Cover: b.cover(a),
			Open: fmt.Sprintf("/read %d", a.ID), Also: b.also(a, p, sources),
		}
		if first > 0 {
			cards[i].Number = first + i
		}
		if a.Pinned {
			cards[i].Title = p.T("bot.pinned", "Title", a.Title)
		}
	}
	return cards
}

// hits shows articles by the sentences that matched.
func (b *Bot) hits(hits []content.Hit, t *turn, first int) []Card {
	articles := make([]content.Article, len(hits))
	for i, h := range hits {
		articles[i] = h.Article
	}
	cards := b.cards(articles, t.Printer, t.channel.Filter.Sources, first)
	for i, h := range hits {
		cards[i].Snippet = snippet(h.Snippet)
	}
	return cards
}

// mostPlaces is how many other sources a card names.
const mostPlaces = 3

// also names where else a story is told, each other source once.
func (b *Bot) also(a content.Article, p locale.Printer, sources []string) Also {
	var places []Place
	named := []string{a.Source}
	for _, c := range a.Also {
		if slices.Contains(named, c.Source) || len(sources) > 0 && !slices.Contains(sources, c.Source) {
			continue
		}
		named = append(named, c.Source)
		places = append(places, Place{Name: c.Source, Article: c.ID, URL: b.link(content.Article{ID: c.ID, URL: c.URL, Slug: c.Slug})})
	}
	if len(places) == 0 {
		return Also{}
	}
	if more := len(places) - mostPlaces; more > 0 {
		places = append(places[:mostPlaces], Place{Name: fmt.Sprintf("+%d", more)})
	}
	label := p.T("bot.also_in")
	if !strings.HasSuffix(label, "：") { // which is as wide as a letter and its space
		label += " "
	}
	return Also{Label: label, Comma: p.T("bot.comma"), Places: places}
}

func snippet(s index.Snippet) Snippet {
	out := Snippet{Text: s.Text}
	for _, m := range s.Marks {
		out.Marks = append(out.Marks, Span{m.Start, m.End})
	}
	return out
}

// byline is who stands behind an article: its author, or else its source.
func byline(a content.Article) string {
	if a.Author != "" {
		return a.Author
	}
	return a.Source
}

// link leads to the canonical address when there is one, otherwise to our page.
func (b *Bot) link(a content.Article) string {
	if a.URL != "" {
		return a.URL
	}
	if b.public == "" {
		return ""
	}
	return PagePath(b.public, a)
}

func (b *Bot) cover(a content.Article) string {
	if strings.HasPrefix(a.Cover, "/") {
		if b.public == "" {
			return ""
		}
		return b.public + a.Cover
	}
	return a.Cover
}

// PagePath is the address of an article's own page below public.
func PagePath(public string, a content.Article) string {
	address := fmt.Sprintf("%s/a/%d", strings.TrimRight(public, "/"), a.ID)
	if a.Slug != "" {
		address += "/" + escapePath(a.Slug)
	}
	return address
}

// short cuts a text to n graphemes, with an ellipsis.
func short(text string, n int) string {
	tokens := graphemes.FromString(text)
	cut := 0
	for count := 0; tokens.Next(); count++ {
		if count == n-1 {
			cut = tokens.Start()
		}
		if count == n {
			return strings.TrimSpace(text[:cut]) + "…"
		}
	}
	return text
}

// Find searches for a program, as `newsie search` does.
func (b *Bot) Find(ctx context.Context, q content.Query) (content.Results, []Card, error) {
	results, err := b.library.Search(ctx, q)
	if err != nil {
		return content.Results{}, nil, err
	}
	t := &turn{Printer: b.catalog.Printer(q.Lang)}
	return results, b.hits(results.Hits, t, 1), nil
}
