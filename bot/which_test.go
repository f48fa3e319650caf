package bot_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"newsie/bot"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
	"newsie/internal/locale"
)

func TestNumbersSurviveARestart(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock()
		chat := bot.ChatID{Channel: "web", ID: "r"}
		list := say(t, newBot(t, db, c), chat, "commerce")
		second := list.Groups[0].Cards[1]
		for _, text := range []string{"2", "２", "2.", "#2", "read 2", "看2", "第2篇"} {
			// A new bot on the same database: nothing is kept in memory.
			again := newBot(t, db, c)
			say(t, again, chat, "commerce")
			if got := say(t, again, chat, text).Groups[0].Cards[0]; got.Article != second.Article || got.Number != 0 {
				t.Errorf("%q opens %d (%s), want %d", text, got.Article, got.Title, second.Article)
			}
		}
		other := bot.ChatID{Channel: "web", ID: "somebody else"}
		if r := say(t, newBot(t, db, c), other, "2"); len(r.Groups) != 0 {
			t.Error("a number means another reader's list")
		}
	})
}

func TestWithdrawnArticleCannotBeOpened(t *testing.T) {
	db, c := databasetest.SQLite(t), newClock()
	catalog, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	l := library(t, db, c.now)
	b := bot.New(bot.Config{DB: db, Library: l, Catalog: catalog, Now: c.now, Channels: map[string]bot.Channel{"web": {Lang: "en"}}})
	chat := bot.ChatID{Channel: "web", ID: "r"}
	list := say(t, b, chat, "commerce")
	if err := l.Withdraw(t.Context(), list.Groups[0].Cards[0].Article); err != nil {
		t.Fatal(err)
	}
	if r := say(t, b, chat, "1"); len(r.Groups) != 0 {
		t.Errorf("a withdrawn article opens: %+v", r)
	}
}

// A code that was scanned opens its article, as a deep link does.
func TestCodesOpenArticles(t *testing.T) {
	db, c := databasetest.SQLite(t), newClock()
	b := newBot(t, db, c)
	chat := bot.ChatID{Channel: "web", ID: "r"}
	for _, m := range []bot.Message{
		{Kind: bot.Text, Text: "/start a3"}, {Kind: bot.Scan, Text: "a3"}, {Kind: bot.Join, Text: "a3"},
	} {
		m.Chat = chat
		if r := tell(t, b, m); len(r.Groups) == 0 || r.Groups[0].Cards[0].Article != 3 {
			t.Errorf("%s %q: %+v", m.Kind, m.Text, r)
		}
	}
	if r := tell(t, b, bot.Message{Kind: bot.Scan, Text: "shop-7", Chat: chat}); !strings.Contains(r.Text, "Lantern") {
		t.Errorf("an unknown code: %q", r.Text)
	}
}

// A platform's menu offers the commands, and who takes one adds a number of the
// list above; a button means an article whatever stands above.
func TestTypedNumbersMeanTheListAndButtonsAnArticle(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock()
		b, _ := house(t, db, c)
		for i, test := range []struct {
			kind bot.Kind
			text string
			want func(second, id int64) int64
		}{
			{bot.Text, "/%s 2", func(second, _ int64) int64 { return second }},
			{bot.Text, "/%s@lantern_bot 2", func(second, _ int64) int64 { return second }},
			{bot.Text, "/%s #2", func(second, _ int64) int64 { return second }},
			{bot.Text, "%s 2", func(second, _ int64) int64 { return second }},
			{bot.Text, "/%s 99", func(int64, int64) int64 { return 0 }}, // no list has so many
			{bot.Text, "/%s 4711", func(int64, int64) int64 { return 0 }},
			{bot.Text, "/%s a2", func(_, id int64) int64 { return id }},
			{bot.Text, "/%s 2 v", func(_, id int64) int64 { return id }},
			{bot.Tap, "/%s 2", func(_, id int64) int64 { return id }},
			{bot.Tap, "/%s 2 v", func(_, id int64) int64 { return id }},
		} {
			for _, command := range []string{"read", "save", "share", "unsave"} {
				chat := bot.ChatID{Channel: "tg", ID: fmt.Sprint(i, command)}
				ask := func(kind bot.Kind, text string) bot.Reply {
					c.advance(time.Second)
					return tell(t, b, bot.Message{Kind: kind, Chat: chat, Text: text, Lang: "en"})
				}
				for _, id := range []int{1, 2, 3, 4, 5, 6, 7, 8} {
					if command == "unsave" {
						ask(bot.Tap, fmt.Sprintf("/save %d", id))
					}
				}
				list := ask(bot.Text, "latest").Groups[0].Cards
				if list[1].Article == 2 {
					t.Fatal("number 2 is article 2: nothing is told apart")
				}
				want := test.want(list[1].Article, 2)
				r := ask(test.kind, fmt.Sprintf(test.text, command))
				if got := concerned(t, db, chat, command, r); got != want {
					t.Errorf("%s %s: article %d, want %d: %+v", test.kind, fmt.Sprintf(test.text, command), got, want, r)
				}
			}
		}
	})
}

// concerned is the article that a reply to a command is about; 0: none.
func concerned(t *testing.T, db *database.DB, chat bot.ChatID, command string, r bot.Reply) int64 {
	t.Helper()
	switch command {
	case "read":
		if len(r.Groups) > 0 {
			return r.Groups[0].Cards[0].Article
		}
	case "save":
		return int64(count(t, db, "SELECT coalesce(max(article), 0) FROM saved WHERE chat = ?", chat.ID))
	case "unsave":
		return 36 - int64(count(t, db, "SELECT sum(article) FROM saved WHERE chat = ?", chat.ID)) // of 1 to 8
	case "share":
		for _, l := range r.Links {
			var id int64
			if _, err := fmt.Sscanf(l.URL, "https://lantern.example/a/%d", &id); err == nil {
				return id
			}
		}
	}
	return 0
}

func TestNumbersBeyondTheRelatedOnesMeanTheListBefore(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock()
		b, _ := house(t, db, c)
		chat := bot.ChatID{Channel: "tg", ID: "r"}
		ask := func(text string) bot.Reply {
			c.advance(time.Second)
			return say(t, b, chat, text)
		}
		list := ask("latest").Groups[0].Cards
		opened := ask("/read 1")
		if len(opened.Groups) != 2 || len(opened.Groups[1].Cards) >= 5 || list[0].Article != opened.Groups[0].Cards[0].Article {
			t.Fatalf("number 1 is opened as %+v", opened)
		}
		related := opened.Groups[1].Cards
		if list[4].Article == related[0].Article || list[0].Article == related[0].Article {
			t.Fatal("the lists cannot be told apart")
		}
		for _, text := range []string{"save 5", "/save 5", "share 5", "/share 5"} {
			if r := ask(text); !strings.Contains(r.Text, list[4].Title) {
				t.Errorf("%s: %q, want %q", text, r.Text, list[4].Title)
			}
		}
		if r := ask("save 1"); !strings.Contains(r.Text, related[0].Title) {
			t.Errorf("save 1: %q, want the related %q", r.Text, related[0].Title)
		}
		if r := ask("5"); len(r.Groups) == 0 || r.Groups[0].Cards[0].Article != list[4].Article {
			t.Errorf("5 opens %+v, want %q", r, list[4].Title)
		}
		if r := ask("99"); len(r.Groups) != 0 {
			t.Errorf("99 opens %+v", r)
		}
	})
}

func TestRelatedWithoutANumberMeansTheArticleOpened(t *testing.T) {
	db, c := databasetest.SQLite(t), newClock()
	b, _ := house(t, db, c)
	chat := bot.ChatID{Channel: "tg", ID: "r"}
	ask := func(text string) string {
		c.advance(time.Second)
		r := say(t, b, chat, text)
		var titles []string
		for _, g := range r.Groups {
			for _, card := range g.Cards {
				titles = append(titles, card.Title)
			}
		}
		return r.Text + strings.Join(titles, ", ")
	}
	if got := ask("/related"); !strings.Contains(got, "Which article") {
		t.Errorf("before anything was shown: %s", got)
	}
	like := map[string]string{}
	for _, number := range []string{"1", "2"} {
		ask("commerce")
		like[number] = ask("/related " + number)
	}
	if like["1"] == like["2"] {
		t.Fatalf("the articles cannot be told apart: %s", like["1"])
	}
	for _, command := range []string{"/related", "related"} {
		ask("commerce")
		if got := ask(command); got != like["1"] {
			t.Errorf("%s of a list: %s, want %s", command, got, like["1"])
		}
		ask("commerce")
		ask("2")
		if got := ask(command); got != like["2"] {
			t.Errorf("%s of the article opened: %s, want %s", command, got, like["2"])
		}
	}
}

// A platform's menu sends the bare command.
func TestABareCommandAsksWhichArticle(t *testing.T) {
	db, c := databasetest.SQLite(t), newClock()
	b, _ := house(t, db, c)
	for _, command := range []string{"read", "save", "share", "unsave"} {
		chat := bot.ChatID{Channel: "tg", ID: command}
		if r := say(t, b, chat, "/"+command); len(r.Actions) == 0 || strings.Contains(r.Text, "with that number") {
			t.Errorf("/%s before anything was shown: %+v", command, r)
		}
		first := say(t, b, chat, "latest")
		c.advance(time.Second)
		second := tap(t, b, chat, offers(first, "/more "))
		r := say(t, b, chat, "/"+command)
		if !strings.HasPrefix(r.Text, "Which article") || len(r.Actions) != 3 {
			t.Fatalf("/%s: %+v", command, r)
		}
		for i, card := range second.Groups[0].Cards {
			want := bot.Action{Label: fmt.Sprint(card.Number), Text: fmt.Sprintf("/%s %d", command, card.Article), Role: bot.Pick}
			if r.Actions[i] != want {
				t.Errorf("/%s offers %+v, want %+v", command, r.Actions[i], want)
			}
		}
		if r := tap(t, b, chat, r.Actions[1].Text); strings.Contains(r.Text, "Which") || strings.Contains(r.Text, "number") {
			t.Errorf("the button of /%s: %+v", command, r)
		}
	}
}

func TestMenusDescribeTheBareCommand(t *testing.T) {
	b, _ := house(t, databasetest.SQLite(t), newClock())
	for _, lang := range locale.Languages() {
		for _, c := range b.Commands(lang) {
			if strings.ContainsAny(c[1], "0123456789") {
				t.Errorf("%s: /%s is described as %q", lang, c[0], c[1])
			}
		}
	}
}
