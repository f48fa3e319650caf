package bot_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"newsie/bot"
	"newsie/content"
	"newsie/internal/database/databasetest"
)

func TestPagingHoldsItsListAndNobodyElses(t *testing.T) {
	db, c := databasetest.SQLite(t), newClock()
	b := newBot(t, db, c)
	chat := bot.ChatID{Channel: "web", ID: "r"}
	first := say(t, b, chat, "最新")
	var more string
	for _, a := range first.Actions {
		if strings.HasPrefix(a.Text, "/more ") {
			more = a.Text
		}
	}
	page := say(t, b, chat, more)
	if page.Replace == "" || len(page.Groups[0].Cards) == 0 || page.Groups[0].Cards[0].Number != 6 {
		t.Fatalf("%s: %+v", more, page)
	}
	say(t, b, chat, "commerce")
	if again := say(t, b, chat, more); again.Groups[0].Cards[0].Article != page.Groups[0].Cards[0].Article {
		t.Error("an old button means another list now")
	}
	if stranger := say(t, b, bot.ChatID{Channel: "web", ID: "s"}, more); len(stranger.Groups) != 0 {
		t.Error("a stranger reads another's list")
	}
}

// The newest show what is pinned on each page, also when it is paged back to or
// was pinned since.
func TestPinnedArticlesAreMarkedOnEveryPage(t *testing.T) {
	db, c := databasetest.SQLite(t), newClock()
	b := newBot(t, db, c)
	publisher := content.Store(db, content.Options{Now: c.now})
	if _, err := publisher.Pin(t.Context(), 1, c.now().AddDate(0, 0, 1)); err != nil {
		t.Fatal(err)
	}
	chat := bot.ChatID{Channel: "web", ID: "r"}
	pins := func(r bot.Reply) string {
		var marked []string
		for _, card := range r.Groups[0].Cards {
			if strings.Contains(card.Title, "📌") {
				marked = append(marked, strconv.FormatInt(card.Article, 10))
			}
		}
		return strings.Join(marked, " ")
	}
	first := say(t, b, chat, "newest")
	on := say(t, b, chat, "more")
	back := say(t, b, chat, on.Actions[0].Text)
	if pins(first) != "1" || pins(on) != "" || pins(back) != "1" {
		t.Errorf("pinned: first %q, second page %q, back %q", pins(first), pins(on), pins(back))
	}
	if ok, err := publisher.Unpin(t.Context(), 1); !ok || err != nil {
		t.Fatal(ok, err)
	}
	c.advance(time.Minute)
	if back := say(t, b, chat, on.Actions[0].Text); pins(back) != "" {
		t.Errorf("marked after it was let go: %q", pins(back))
	}
}
