package scheduler_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"newsie/bot"
	"newsie/bot/origin"
	"newsie/content"
	"newsie/internal/database/databasetest"
	"newsie/scheduler"
)

// Whoever gets a digest, or what waited, opens it by addresses of their own,
// though all share one rendering; what everybody reads has none.
func TestEachReadersDigestIsCounted(t *testing.T) {
	if databasetest.Second() { // no SQL is tried
		return
	}
	h := newHouse(t, filepath.Join(t.TempDir(), "newsie.db"))
	links := origin.NewLinks([]byte("0123456789abcdef"), "https://news.example.org")
	b := bot.New(bot.Config{DB: h.db, Catalog: h.catalog, Channels: map[string]bot.Channel{"tg": {Links: links}}, Now: h.clock})
	renderings := 0
	s := h.replica(func(c *scheduler.Config) {
		posts(map[string]int{"tea": 3})(c)
		c.Counted = b.Counted
		c.Cards = func(articles []content.Article, lang string, first int) []bot.Card {
			renderings++
			list := cards(articles, lang, first)
			for i := range list {
				list[i].URL = fmt.Sprintf("https://example.org/%d", list[i].Article)
			}
			return list
		}
	})
	h.library.add("tea", "tea")
	for _, chat := range []string{"1", "2", "-100:5", "*@news"} {
		h.follow(chat, "tea", "0 8 * * *", "UTC", monday)
	}
	h.plan(s)
	h.deliver(s)
	h.wantStates("sent 4")
	if renderings != 1 {
		t.Errorf("%d renderings", renderings)
	}
	check := func(chat string, r bot.Reply, want int) {
		t.Helper()
		n := 0
		for _, g := range r.Groups {
			for _, card := range g.Cards {
				if card.URL != fmt.Sprintf("https://example.org/%d", card.Article) {
					t.Errorf("%s: article %d is at %q", chat, card.Article, card.URL)
				}
				if card.Counted == "" {
					continue
				}
				n++
				ref, article, ok := links.Parse(strings.TrimPrefix(card.Counted, "https://news.example.org/r/"))
				if !ok || article != card.Article || ref != links.Ref(origin.Reader{Channel: "tg", Chat: chat}) {
					t.Errorf("%s: article %d leads to %q", chat, card.Article, card.Counted)
				}
			}
		}
		if n != want {
			t.Errorf("%s: %d articles are counted, want %d", chat, n, want)
		}
	}
	for _, o := range h.platform.got {
		want := 2
		if o.To.Audience() {
			want = 0
		}
		check(o.To.ID, o.Reply, want)
	}
	h.held(s, "milk")
	r, err := s.Held(t.Context(), one, bot.Reply{Lang: "en", Groups: []bot.Group{{Cards: []bot.Card{{Article: 9, URL: "https://example.org/9"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	check("1", r, 2+1)
}
