package main_test

import (
	"context"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"newsie/bot"
	"newsie/content"
	"newsie/internal/corpus"
	"newsie/internal/database"
	"newsie/internal/locale"
)

// BenchmarkInline answers what readers type in inline mode over 10,000 articles
// in seven languages, beside Library.Search alone with as many results: whole
// questions, the same cut off anywhere as while they are typed, the second page,
// and nothing typed at all.
func BenchmarkInline(b *testing.B) {
	const articles, asked = 10_000, 700
	texts := corpus.New()
	library, db := benchCorpus(b, texts, articles)
	catalog, err := locale.Load()
	if err != nil {
		b.Fatal(err)
	}
	answers := bot.New(bot.Config{
		DB: db, Library: library, Catalog: catalog, Name: "bench", PublicURL: "https://bench.example",
		Channels: map[string]bot.Channel{"tg": {Lang: "en", Zone: "UTC", Recency: .05}},
		Limits:   bot.Limits{ChatBurst: 1 << 30, AddrBurst: 1 << 30, InlineBurst: 1 << 30},
	})
	rng := rand.New(rand.NewPCG(7, 7))
	whole, typed := make([]string, asked), make([]string, asked)
	for i := range whole {
		whole[i] = texts.Question(rng.IntN(articles)).Text
		letters := []rune(whole[i])
		typed[i] = string(letters[:1+rng.IntN(len(letters))])
	}
	// What was shown lately is remembered, for all of them alike.
	for _, text := range whole {
		if _, err := library.Search(b.Context(), content.Query{Text: text, Lang: "en", Limit: 10}); err != nil {
			b.Fatal(err)
		}
	}
	var search []time.Duration
	b.Run("search", func(b *testing.B) {
		search = measure(b, asked, func(ctx context.Context, i int) error {
			_, err := library.Search(ctx, content.Query{Text: whole[i%asked], Lang: "en", Limit: 10, Recency: .05})
			return err
		})
	})
	for _, run := range []struct {
		name  string
		texts []string
		more  bool
	}{{"whole", whole, false}, {"typed", typed, false}, {"more", whole, true}, {"newest", []string{""}, false}} {
		b.Run(run.name, func(b *testing.B) {
			next := map[string]string{}
			if run.more {
				for _, text := range run.texts {
					a, err := answers.Inline(b.Context(), bot.InlineQuery{Channel: "tg", From: "1", Text: text, Lang: "en"})
					if err != nil {
						b.Fatal(err)
					}
					next[text] = a.Next
				}
			}
			found := 0
			took := measure(b, asked, func(ctx context.Context, i int) error {
				text := run.texts[i%len(run.texts)]
				a, err := answers.Inline(ctx, bot.InlineQuery{Channel: "tg", From: strconv.Itoa(i % 50), Text: text, Lang: "en", Offset: next[text]})
				found += len(a.Cards)
				return err
			})
			if found == 0 {
				b.Fatal("nothing is found")
			}
			if len(search) > 0 {
				b.ReportMetric(ratio(took, search, 50), "x-search-p50")
				b.ReportMetric(ratio(took, search, 99), "x-search-p99")
			}
		})
	}
}

// benchCorpus fills a library with made-up articles of several languages.
func benchCorpus(b *testing.B, texts *corpus.Library, articles int) (*content.Library, *database.DB) {
	b.Helper()
	library, db := benchLibrary(b, 0)
	var arrivals []content.Arrival
	for n := range articles {
		a := texts.Article(n)
		var body []content.Block
		for _, p := range a.Paragraphs {
			body = append(body, content.Block{Kind: content.Paragraph, Text: p})
		}
		arrivals = append(arrivals, content.Arrival{Article: content.Article{
			Source: "bench", Key: strconv.Itoa(n), State: content.Published, Title: a.Title, Slug: strconv.Itoa(n), Lang: a.Lang, Author: a.Author,
			Published: a.Published, Tags: a.Tags, Body: body, Summary: strings.TrimSpace(a.Paragraphs[0]), Hash: strconv.Itoa(n),
		}})
		if len(arrivals) == 500 || n == articles-1 {
			if _, err := library.AddAll(b.Context(), arrivals); err != nil {
				b.Fatal(err)
			}
			arrivals = nil
		}
	}
	if _, err := library.Follow(b.Context()); err != nil {
		b.Fatal(err)
	}
	return library, db
}
