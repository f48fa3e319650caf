package scheduler_test

import (
	"sync/atomic"
	"testing"
	"time"

	"newsie/bot"
	"newsie/content"
	"newsie/scheduler"
)

// However many follow the same words in the same language, their digests take
// one search and one rendering, over all pages of the planner and all batches of
// the deliverer.
func TestFollowersOfTheSameShareOneSearchAndOneRendering(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var renderings atomic.Int64
		s := h.replica(func(c *scheduler.Config) {
			c.Cards = func(articles []content.Article, lang string, first int) []bot.Card {
				renderings.Add(1)
				return cards(articles, lang, first)
			}
		})
		h.library.add("tea", "coffee", "tea")
		h.exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
			INSERT INTO follows (channel, chat, topic, query, lang, spec, zone, next_due_at, since_seq, created_at)
			SELECT 'tg', CAST(i AS TEXT), 'tea', 'tea', CASE WHEN i <= 1200 THEN 'en' ELSE 'it' END, '0 8 * * *', 'UTC', ?, 0, 0 FROM n`, monday.UnixMilli())
		h.plan(s)
		if h.library.searches != 2 {
			t.Errorf("%d searches for one topic in two languages", h.library.searches)
		}
		if n := h.int("SELECT COUNT(*) FROM editions"); n != 2 {
			t.Errorf("%d editions", n)
		}
		h.deliver(s)
		h.wantStates("sent 2000")
		if n := renderings.Load(); n != 2 {
			t.Errorf("%d renderings", n)
		}
		for _, o := range h.platform.got {
			if got := titles(o.Reply); got != "Article 3, Article 1" {
				t.Fatalf("%s got %q", o.To.ID, got)
			}
		}
	})
}

const flood = `The river rose by four metres during the night and broke through the old dam above the market town shortly before dawn.
Firefighters brought more than two hundred people to safety in boats, the mayor told reporters in front of the flooded school.
The railway to the coast is closed until further notice, and the motorway can be used in one direction only.`

// The same story from two feeds comes once: in one digest, and not again in the
// next one when the copy joined after the first.
func TestAStoryOfTwoFeedsComesOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		l, err := content.Open(h.db, t.TempDir(), content.Options{Now: h.clock, PublicURL: "https://news.example"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		join := func(source, key, title, text string) {
			t.Helper()
			_, _, err := l.Add(t.Context(), content.Article{
				Source: source, Key: key, Title: title, Lang: "en", Hash: source + title + text, Published: h.clock(),
				Body: []content.Block{{Kind: content.Paragraph, Text: text + "\nRead more from " + source + "."}},
			}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := l.Follow(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		s := h.replica(func(c *scheduler.Config) { c.Finder = l })
		heldBy := func() string {
			return h.text(`SELECT COALESCE(` + h.joined("title", ", ") + `, '') FROM (SELECT a.title FROM editions e JOIN articles a
				ON ',' || substr(e.articles, 2, length(e.articles) - 2) || ',' LIKE '%,' || a.id || ',%'
				WHERE e.id = (SELECT MAX(edition) FROM deliveries) ORDER BY a.title) x`)
		}
		h.follow("1", "river", "0 8 * * *", "UTC", monday)
		join("herald", "1", "River breaks dam", flood)
		join("gazette", "2", "Dam breaks: river floods market town", flood)
		join("herald", "3", "Painted boats on the river", "The boats of the river are painted every spring.")
		if tick := h.plan(s); tick.Planned != 1 {
			t.Fatalf("first: %+v", tick)
		}
		if got, want := heldBy(), "Painted boats on the river, River breaks dam"; got != want {
			t.Errorf("the first digest holds %q, want %q", got, want)
		}
		h.pass(24 * time.Hour)
		join("courier", "4", "River breaks dam", flood)
		if tick := h.plan(s); tick.Planned != 0 || tick.Nothing != 1 {
			t.Errorf("a copy that joined later: %+v", tick)
		}
		h.pass(24 * time.Hour)
		join("courier", "5", "River falls again", "The river fell by three metres on Friday and people went home to clean their cellars.")
		join("observer", "6", "Dam breaks: river floods market town", flood)
		h.plan(s)
		if got, want := heldBy(), "River falls again"; got != want {
			t.Errorf("the third digest holds %q, want %q", got, want)
		}
	})
}
