package bot_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"newsie/bot"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

func say(t testing.TB, b *bot.Bot, chat bot.ChatID, text string) bot.Reply {
	t.Helper()
	return tell(t, b, bot.Message{Kind: bot.Text, Chat: chat, Text: text, Lang: "en"})
}

func tell(t testing.TB, b *bot.Bot, m bot.Message) bot.Reply {
	t.Helper()
	r, err := b.Handle(t.Context(), m)
	if err != nil {
		t.Fatalf("%q: %v", m.Text, err)
	}
	return r
}

func count(t testing.TB, db *database.DB, query string, args ...any) int {
	t.Helper()
	var n int
	if err := db.Reader().NewRaw(query, args...).Scan(t.Context(), &n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestQuestionsAreCountedWithoutTheirReaders(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock()
		b := newBot(t, db, c)
		for i, text := range []string{"commerce", "Commerce", "xqzptlk", "xqzptlk", "xqzptlk", "help", "2"} {
			say(t, b, bot.ChatID{Channel: "web", ID: fmt.Sprint(i)}, text)
		}
		lists := bot.NewLists(db, c.now)
		all, err := lists.Questions(t.Context(), time.UnixMilli(0), false, 10)
		if err != nil || len(all) != 2 || all[0].Text != "xqzptlk" || all[0].Count != 3 || all[1].Text != "commerce" || all[1].Count != 2 || all[1].Results != 3 {
			t.Errorf("all: %+v, %v", all, err)
		}
		none, err := lists.Questions(t.Context(), time.UnixMilli(0), true, 10)
		if err != nil || len(none) != 1 || none[0].Text != "xqzptlk" {
			t.Errorf("unanswered: %+v, %v", none, err)
		}
		if later, _ := lists.Questions(t.Context(), c.at.Add(time.Hour), false, 10); len(later) != 0 {
			t.Errorf("since later: %+v", later)
		}
	})
}

func TestAGroupIsGreetedShortly(t *testing.T) {
	db := databasetest.SQLite(t)
	b := newBot(t, db, newClock())
	r := tell(t, b, bot.Message{Kind: bot.Join, Chat: bot.ChatID{Channel: "web", ID: "-100"}, From: "7", Lang: "it", Public: true})
	if r.Lang != "it" || !strings.Contains(r.Text, "/search") || len(r.Actions) != 1 || len(r.Groups) != 0 || strings.Count(r.Text, "\n") > 1 {
		t.Errorf("the greeting is %+v", r)
	}
}

// Where an app has no buttons, readers type what the labels say.
func TestLabelsCanBeTyped(t *testing.T) {
	db, c := databasetest.SQLite(t), newClock()
	b := newBot(t, db, c)
	for _, lang := range []string{"en", "it", "zh-Hans", "zh-Hant"} {
		chat := bot.ChatID{Channel: "web", ID: lang}
		ask := func(text string) bot.Reply {
			c.advance(time.Minute)
			return tell(t, b, bot.Message{Kind: bot.Text, Chat: chat, Text: text, Lang: lang})
		}
		ask("/follow 电商")
		for _, from := range []string{"/following", "/latest", "/start", "/follow", "/search commerce"} {
			for _, a := range ask(from).Actions {
				if a.URL != "" || strings.HasPrefix(a.Text, "/search ") {
					continue
				}
				before := count(t, db, "SELECT count(*) FROM questions")
				r := ask(a.Label)
				if count(t, db, "SELECT count(*) FROM questions") != before {
					t.Errorf("%s: %q is taken for a question", lang, a.Label)
				}
				if r.Lang != lang {
					t.Errorf("%s: %q is answered in %s", lang, a.Label, r.Lang)
				}
			}
		}
	}
}

func TestActionsFitEveryPlatform(t *testing.T) {
	db, c := databasetest.SQLite(t), newClock()
	b := newBot(t, db, c)
	for i, text := range []string{
		"commerce", strings.Repeat("微信电商", 20), strings.Repeat("commerce ", 30), "comerce " + strings.Repeat("x", 100),
		"follow " + strings.Repeat("长", 39), "help", "latest", "1", strings.Repeat("a", 5000), "\x00\u200b", strings.Repeat("😀", 400),
	} {
		r := say(t, b, bot.ChatID{Channel: "web", ID: fmt.Sprint(i)}, text)
		if r.Empty() {
			t.Errorf("%.20q: no reply", text)
		}
		for _, a := range r.Actions {
			if len(a.Text) > 64 || a.Label == "" || (a.Text == "") == (a.URL == "") {
				t.Errorf("%.20q: action %+v", text, a)
			}
		}
		for _, g := range r.Groups {
			for _, card := range g.Cards {
				if len(card.Open) > 64 {
					t.Errorf("%.20q: card %+v", text, card)
				}
			}
		}
	}
}

func FuzzHandle(f *testing.F) {
	db, c := databasetest.SQLite(f), newClock()
	b := newBot(f, db, c)
	for _, seed := range []string{"commerce", "关注茶 每周一 9:00", "/more 1 2", "\"a phrase\" -x lang:it", "/lang", "follow x 0 0 30 2 *", "１２", "\xff\xfe", "/read -1", "第99999999999999999999篇"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c.advance(time.Minute)
		r, err := b.Handle(t.Context(), bot.Message{Kind: bot.Text, Chat: bot.ChatID{Channel: "web", ID: "fuzz"}, Text: text})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range r.Actions {
			if len(a.Text) > 64 {
				t.Errorf("%q: action %+v", text, a)
			}
		}
	})
}
