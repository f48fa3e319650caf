package bot

import (
	"context"
	"fmt"
	"strings"

	"github.com/clipperhouse/uax29/v2/graphemes"

	"newsie/content"
	"newsie/content/index"
)

// Cards shows articles by their summaries, numbered from first; 0 numbers none.
func (b *Bot) Cards(articles []content.Article, lang string, first int) []Card {
	p := b.catalog.Printer(lang)
	cards := make([]Card, len(articles))
	for i, a := range articles {
		cards[i] = Card{
			Article: a.ID, Title: a.Title, URL: b.link(a), Snippet: Snippet{Text: a.Summary},
			Source: byline(a), Date: p.Date(a.Published), Lang: a.Lang, Cover: b.cover(a),
			Open: fmt.Sprintf("/read %d", a.ID),
		}
		if first > 0 {
			cards[i].Number = first + i
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
	cards := b.Cards(articles, t.Printer.Lang(), first)
	for i, h := range hits {
		cards[i].Snippet = snippet(h.Snippet)
	}
	return cards
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
