package bot_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"newsie/bot"
	"newsie/content"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
	"newsie/internal/locale"
)

// house is a bot with its library, so that articles can be withdrawn.
func house(t *testing.T, db *database.DB, c *clock) (*bot.Bot, *content.Library) {
	t.Helper()
	catalog, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	l := library(t, db, c.now)
	return bot.New(bot.Config{
		DB: db, Library: l, Catalog: catalog, Name: "Lantern", PublicURL: "https://lantern.example", Now: c.now,
		Channels: map[string]bot.Channel{"tg": {Lang: "en", Zone: "Europe/Rome", Silent: true, Edits: true, Quiet: "23:00-06:00"}},
		Limits:   bot.Limits{ChatBurst: 10000, AddrBurst: 10000},
	}), l
}

func tap(t *testing.T, b *bot.Bot, chat bot.ChatID, text string) bot.Reply {
	t.Helper()
	return tell(t, b, bot.Message{Kind: bot.Tap, Chat: chat, Text: text, Lang: "en"})
}

// offers is what the reply's button that begins so says; "" when it has none.
func offers(r bot.Reply, begins string) string {
	for _, a := range r.Actions {
		if strings.HasPrefix(a.Text, begins) {
			return a.Text
		}
	}
	return ""
}

func TestSavedArticlesAreAListOfTheLastFirst(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock()
		b, _ := house(t, db, c)
		chat := bot.ChatID{Channel: "tg", ID: "r"}
		for id := 1; id <= 8; id++ {
			c.advance(time.Second)
			say(t, b, chat, fmt.Sprintf("/save %d", id))
		}
		first := say(t, b, chat, "saved")
		if cards := first.Groups[0].Cards; len(cards) != 5 || cards[0].Article != 8 || cards[4].Article != 4 || cards[0].Number != 1 {
			t.Fatalf("the first page: %+v", cards)
		}
		second := tap(t, b, chat, offers(first, "/more "))
		if cards := second.Groups[0].Cards; len(cards) != 3 || cards[0].Article != 3 || cards[0].Number != 6 || second.Replace == "" {
			t.Errorf("the second page: %+v", second)
		}
		if opened := say(t, b, chat, "7").Groups[0].Cards[0]; opened.Article != 2 {
			t.Errorf("7 opens %d, want 2", opened.Article)
		}
		if n := count(t, db, "SELECT count(*) FROM saved WHERE channel = 'tg' AND chat = 'r'"); n != 8 {
			t.Errorf("%d saved", n)
		}
	})
}

func TestSavingAgainChangesNothing(t *testing.T) {
	db, c := databasetest.SQLite(t), newClock()
	b, _ := house(t, db, c)
	chat := bot.ChatID{Channel: "tg", ID: "r"}
	say(t, b, chat, "/save 1")
	c.advance(time.Second)
	say(t, b, chat, "/save 2")
	c.advance(time.Second)
	if r := say(t, b, chat, "/save 1"); !strings.Contains(r.Text, "already") {
		t.Errorf("saved twice: %q", r.Text)
	}
	if cards := say(t, b, chat, "saved").Groups[0].Cards; cards[0].Article != 2 {
		t.Errorf("saving again moved the article: %+v", cards)
	}
}

func TestAChatSavesSoManyArticles(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b, _ := house(t, db, newClock())
		chat := bot.ChatID{Channel: "tg", ID: "r"}
		for i := range 499 {
			if _, err := db.ExecContext(t.Context(), "INSERT INTO saved (channel, chat, article, saved_at) VALUES ('tg', 'r', ?, 0)", 1000+i); err != nil {
				t.Fatal(err)
			}
		}
		if r := say(t, b, chat, "/save 1"); !strings.Contains(r.Text, "Saved") {
			t.Errorf("the 500th: %q", r.Text)
		}
		for _, r := range []bot.Reply{say(t, b, chat, "/save 2"), tap(t, b, chat, "/save 2 v")} {
			if !strings.Contains(r.Text, "500") || r.Replace != "" {
				t.Errorf("the 501st: %+v", r)
			}
		}
		if r := say(t, b, chat, "/save 1"); !strings.Contains(r.Text, "already") {
			t.Errorf("one that is saved, when full: %q", r.Text)
		}
		if r := say(t, b, bot.ChatID{Channel: "tg", ID: "s"}, "/save 2"); !strings.Contains(r.Text, "Saved") {
			t.Errorf("another chat: %q", r.Text)
		}
		if n := count(t, db, "SELECT count(*) FROM saved WHERE chat = 'r'"); n != 500 {
			t.Errorf("%d saved, want 500", n)
		}
	})
}

func TestWithdrawnArticlesLeaveTheSavedOnesOnce(t *testing.T) {
	db, c := databasetest.SQLite(t), newClock()
	b, l := house(t, db, c)
	chat := bot.ChatID{Channel: "tg", ID: "r"}
	for _, id := range []int{1, 7} {
		say(t, b, chat, fmt.Sprintf("/save %d", id))
	}
	if err := l.Withdraw(t.Context(), 7); err != nil {
		t.Fatal(err)
	}
	r := say(t, b, chat, "saved")
	if len(r.Groups[0].Cards) != 1 || r.Groups[0].Cards[0].Article != 1 || !strings.Contains(r.Text, "withdrawn") {
		t.Errorf("the list: %+v", r)
	}
	if r := say(t, b, chat, "saved"); strings.Contains(r.Text, "withdrawn") {
		t.Errorf("told twice: %q", r.Text)
	}
	for _, text := range []string{"/save 7", "/share 7", "/read 7", "/start a7", "/related 7"} {
		if r := tap(t, b, chat, text); !strings.Contains(r.Text, "no longer here") || offers(r, "/search ") != "/search commerce" || offers(r, "/latest") == "" {
			t.Errorf("%s of a withdrawn article: %+v", text, r)
		}
	}
}

func TestAPageWhoseArticlesWereWithdrawnSaysSo(t *testing.T) {
	db, c := databasetest.SQLite(t), newClock()
	b, l := house(t, db, c)
	chat := bot.ChatID{Channel: "tg", ID: "r"}
	for id := 1; id <= 6; id++ {
		say(t, b, chat, fmt.Sprintf("/save %d", id))
		c.advance(time.Second)
	}
	more := offers(say(t, b, chat, "saved"), "/more ")
	if err := l.Withdraw(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	page := tap(t, b, chat, more)
	if !strings.Contains(page.Text, "no longer here") || offers(page, "/more ") == "" {
		t.Errorf("%+v", page)
	}
}

func TestTheArticleShownTellsWhetherItIsSaved(t *testing.T) {
	db := databasetest.SQLite(t)
	b, _ := house(t, db, newClock())
	chat := bot.ChatID{Channel: "tg", ID: "r"}
	view := say(t, b, chat, "/read 7")
	for _, want := range []string{"/unsave 7 v", "/save 7 v", "/unsave 7 v"} {
		button := offers(view, "/save 7 v") + offers(view, "/unsave 7 v")
		view = tap(t, b, chat, button)
		if view.Replace != "a7" || len(view.Groups) == 0 || view.Groups[0].Cards[0].Article != 7 || offers(view, want) == "" {
			t.Fatalf("after %s: %+v, want it with %s", button, view, want)
		}
	}
	if typed := say(t, b, chat, "/unsave 7 v"); typed.Replace != "" {
		t.Errorf("what was typed takes a message's place: %+v", typed)
	}
}

func TestNobodyUsesWhatIsAnotherChats(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b, _ := house(t, db, newClock())
		mine, theirs := bot.ChatID{Channel: "tg", ID: "mine"}, bot.ChatID{Channel: "tg", ID: "theirs"}
		say(t, b, theirs, "/save 7")
		list := say(t, b, theirs, "latest")
		more := offers(list, "/more ")
		follow := offers(say(t, b, theirs, "follow commerce daily 9:00"), "/unfollow ")
		var page, id int64
		if _, err := fmt.Sscanf(more, "/more %d %d", &id, &page); err != nil {
			t.Fatal(err)
		}
		when := strings.Replace(follow, "/unfollow", "/when", 1)
		for _, guess := range []string{more, fmt.Sprintf("/more %d 1", id), fmt.Sprintf("/back %d", id), follow, when, "/unsave 7", "1", "more", "back", "saved", "save", "share", "/unsave 7 v"} {
			for _, r := range []bot.Reply{tap(t, b, mine, guess), say(t, b, mine, guess)} {
				for _, g := range r.Groups {
					if guess != "/unsave 7 v" { // which shows the article, as /read does
						t.Errorf("%s shows another chat's %+v", guess, g)
					}
				}
				if offers(r, "/follow commerce") != "" || strings.Contains(r.Text, "Done") {
					t.Errorf("%s does something to another chat's: %+v", guess, r)
				}
			}
		}
		if n := count(t, db, "SELECT count(*) FROM saved WHERE chat = 'theirs'"); n != 1 {
			t.Error("another chat's saved article is gone")
		}
		if n := count(t, db, "SELECT count(*) FROM follows WHERE chat = 'theirs'"); n != 1 {
			t.Error("another chat's follow is gone")
		}
		if r := say(t, b, theirs, "saved"); len(r.Groups) == 0 || offers(r, "/more") != "" {
			t.Errorf("theirs: %+v", r)
		}
	})
}

func TestAForgottenListIsSearchedForAgain(t *testing.T) {
	db, c := databasetest.SQLite(t), newClock()
	b, l := house(t, db, c)
	for i := range 6 { // more than a page
		_, _, err := l.Add(t.Context(), content.Article{
			Source: "test", Key: fmt.Sprint("more", i), Title: fmt.Sprintf("Harvest %c of the year", 'A'+i), Lang: "en", Hash: fmt.Sprint("more", i),
			Published: c.at, Body: []content.Block{{Kind: content.Paragraph, Text: strings.Repeat(string(rune('a'+i)), 9) + " brings the harvest home."}},
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Follow(t.Context()); err != nil {
		t.Fatal(err)
	}
	chat := bot.ChatID{Channel: "tg", ID: "r"}
	more := offers(say(t, b, chat, "harvest"), "/more ")
	if !strings.HasSuffix(more, " 2 harvest") {
		t.Fatalf("the button says %q", more)
	}
	page := tap(t, b, chat, more)
	if page.Replace == "" || len(page.Groups[0].Cards) != 1 || !strings.Contains(page.Text, "“harvest”") || offers(page, "/follow harvest") == "" || !strings.HasSuffix(offers(page, "/more "), " 1 harvest") {
		t.Errorf("page 2: %+v", page)
	}
	if err := bot.NewLists(db, c.now).Prune(t.Context(), c.at.Add(time.Hour), time.Time{}); err != nil {
		t.Fatal(err)
	}
	old := tap(t, b, chat, more)
	if old.Replace != "" || len(old.Groups) != 0 || offers(old, "/search ") != "/search harvest" {
		t.Errorf("a forgotten list: %+v", old)
	}
	say(t, b, chat, "follow harvest")
	if r := say(t, b, chat, "harvest"); offers(r, "/follow") != "" || offers(r, "/more") == "" {
		t.Errorf("what is followed is offered to follow: %+v", r.Actions)
	}
	if more := offers(say(t, b, chat, "harvest of the year"+strings.Repeat(", harvest of the year", 2)), "/more "); more == "" || len(more) > 64 || strings.Contains(more, "harvest") {
		t.Errorf("of words that are too long the button says %q", more)
	}
}

func TestChosenQuietHoursAreKept(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b, _ := house(t, db, newClock())
		night := time.Date(2026, 11, 23, 22, 30, 0, 0, time.UTC)  // 23:30 in Rome, 6:30 in Shanghai
		midday := time.Date(2026, 11, 23, 11, 30, 0, 0, time.UTC) // 12:30 in Rome, 19:30 in Shanghai
		silent := func(id string, at time.Time) bool {
			t.Helper()
			chat := bot.ChatID{Channel: "tg", ID: id}
			got, err := b.Silent(t.Context(), []bot.ChatID{chat}, at)
			if err != nil {
				t.Fatal(err)
			}
			return got[chat]
		}
		for _, c := range []struct {
			says          []string
			night, midday bool
		}{
			{nil, true, false},
			{[]string{"quiet off"}, false, false},
			{[]string{"quiet off", "quiet on"}, true, false},
			{[]string{"quiet 12-13"}, false, true},
			{[]string{"quiet 12-13", "quiet 99-100"}, false, true},
			{[]string{"quiet 12-13", "language italian"}, false, true},
			{[]string{"quiet 19-20", "time zone Shanghai"}, false, true},
			{[]string{"quiet 12-13", "forget me"}, true, false},
		} {
			id := strings.Join(c.says, ", ")
			for _, text := range c.says {
				say(t, b, bot.ChatID{Channel: "tg", ID: id}, text)
			}
			if n, m := silent(id, night), silent(id, midday); n != c.night || m != c.midday {
				t.Errorf("after %q: silent at night %v, at midday %v, want %v, %v", id, n, m, c.night, c.midday)
			}
		}
	})
}

func TestEveryCommandFitsAPlatformsMenu(t *testing.T) {
	b, _ := house(t, databasetest.SQLite(t), newClock())
	for _, lang := range locale.Languages() {
		seen := map[string]bool{}
		for _, c := range b.Commands(lang) {
			name, description := c[0], c[1]
			if seen[name] || len(name) < 1 || len(name) > 32 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
				t.Errorf("%s: /%s", lang, name)
			}
			if seen[name] = true; description == "" || strings.Contains(description, "command.") || len([]rune(description)) > 256 {
				t.Errorf("%s: /%s is described as %q", lang, name, description)
			}
		}
		for _, name := range []string{"save", "saved", "share", "quiet"} {
			if !seen[name] {
				t.Errorf("%s: no /%s in %v", lang, name, seen)
			}
		}
	}
}
