package bot_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"newsie/bot"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

// An utterance is what somebody says in a conversation, and the language that
// the answer is to be in.
type utterance struct {
	kind     bot.Kind
	text     string
	platform string
	want     string
	from     string // in a group
	after    time.Duration
}

// Typed words set the language, whatever comes of them, and what shows none goes on in it.
func TestTheLanguageFollowsTypedWords(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock()
		b := newBot(t, db, c)
		for i, test := range []struct{ name, platform, words, want string }{
			{"a search", "en", "电商", "zh-Hans"},
			{"a search", "en", "電商", "zh-Hant"},
			{"a search", "en", "la bottega nel telefono", "it"},
			{"a search", "zh-hans", "la bottega nel telefono", "it"},
			{"a search", "", "shops inside a chat that is open", "en"},
			{"a repaired search", "it", "微店里的桔子", "zh-Hans"},
			{"a repaired search", "en", "巷口的團溝", "zh-Hant"},
			{"a repaired search", "zh-hant", "la botega nel telefono", "it"},
			{"nothing found", "en", "区块链", "zh-Hans"},
			{"nothing found", "zh-hans", "區塊鏈", "zh-Hant"},
			{"nothing found", "en", "perché non ci sono zqxw", "it"},
			{"a command", "en", "帮助", "zh-Hans"},
			{"a command", "en", "說明", "zh-Hant"},
			{"a command", "en", "aiuto", "it"},
			{"a command with a topic", "zh-hans", "segui commerce", "it"},
			{"a command with a number", "en", "leggi 1", "it"},
			{"a command", "zh-hans", "help", "zh-Hans"}, // many write English
			{"a command", "en", "help", "en"},
			{"what /search is given", "en", "/search 电商", "zh-Hans"},
			{"what no search takes", "en", strings.Repeat("电", 301), "zh-Hans"},
		} {
			chat := bot.ChatID{Channel: "tg", ID: fmt.Sprint(i)}
			converse(t, b, c, chat, []utterance{
				{kind: bot.Text, text: test.words, platform: test.platform, want: test.want},
				{kind: bot.Tap, text: "/latest", platform: test.platform, want: test.want},
				{kind: bot.Tap, text: "/search commerce", platform: test.platform, want: test.want}, // a word that was offered
				{kind: bot.Text, text: "1", platform: test.platform, want: test.want},
				{kind: bot.Text, text: "/help", platform: test.platform, want: test.want},
				{kind: bot.Text, text: "/follow tea", platform: test.platform, want: test.want},
				{kind: bot.Text, text: "/search 2026", platform: test.platform, want: test.want},
				{kind: bot.Text, text: "https://elsewhere.example/x", platform: test.platform, want: test.want},
				{kind: bot.Text, text: "👍", platform: test.platform, want: test.want},
				{kind: bot.Media, text: "sticker", platform: test.platform, want: test.want},
				{kind: bot.Join, platform: test.platform, want: test.want, after: 23 * time.Hour},
			}, test.name+" "+test.words)
		}
	})
}

func TestTheLanguageOfAConversationChanges(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock()
		b := newBot(t, db, c)
		for i, test := range []struct {
			name string
			said []utterance
		}{
			{"a day later it is the phone's", []utterance{
				{bot.Text, "电商", "it", "zh-Hans", "", 0}, {bot.Tap, "/latest", "it", "zh-Hans", "", 23*time.Hour + 50*time.Minute}, {bot.Tap, "/latest", "it", "it", "", 2 * time.Hour},
			}},
			{"whoever goes on writing it is answered in it", []utterance{
				{bot.Text, "电商", "it", "zh-Hans", "", 0}, {bot.Text, "微店", "it", "zh-Hans", "", 20 * time.Hour}, {bot.Tap, "/latest", "it", "zh-Hans", "", 20 * time.Hour},
			}},
			{"also within the hour in which it was kept", []utterance{
				{bot.Text, "电商", "it", "zh-Hans", "", 0}, {bot.Text, "电商", "it", "zh-Hans", "", 58 * time.Minute}, {bot.Tap, "/latest", "it", "zh-Hans", "", 23*time.Hour + 50*time.Minute},
			}},
			{"words in the phone's language end it at once", []utterance{
				{bot.Text, "电商", "en", "zh-Hans", "", 0}, {bot.Text, "commerce", "en", "en", "", 0}, {bot.Tap, "/latest", "en", "en", "", 0},
			}},
			{"words in a third one", []utterance{
				{bot.Text, "電商", "en", "zh-Hant", "", 0}, {bot.Text, "ultimi articoli", "en", "it", "", 0}, {bot.Text, "1", "en", "it", "", 0},
			}},
			{"characters of both scripts go on in one", []utterance{
				{bot.Text, "茶", "en", "zh-Hans", "", 0}, {bot.Text, "電商", "en", "zh-Hant", "", 0}, {bot.Text, "茶", "en", "zh-Hant", "", 0}, {bot.Text, "微店", "zh-hans", "zh-Hant", "", 0},
				{bot.Text, "电商", "en", "zh-Hans", "", 0}, {bot.Text, "茶", "en", "zh-Hans", "", 0},
			}},
			{"a word in Latin letters goes on in a language that has them", []utterance{
				{bot.Text, "la bottega nel telefono", "en", "it", "", 0}, {bot.Text, "sport", "en", "it", "", 0}, {bot.Text, "help", "en", "en", "", 0}, {bot.Text, "sport", "en", "en", "", 0},
			}},
			{"but does not renew it", []utterance{
				{bot.Text, "la bottega nel telefono", "en", "it", "", 0}, {bot.Text, "sport", "en", "it", "", 20 * time.Hour}, {bot.Text, "sport", "en", "en", "", 20 * time.Hour},
			}},
			{"Cyrillic does not go on in Italian", []utterance{
				{bot.Text, "la bottega nel telefono", "en", "it", "", 0}, {bot.Text, "спорт", "en", "en", "", 0},
			}},
			{"the reader's choice is the last word", []utterance{
				{bot.Text, "电商", "en", "zh-Hans", "", 0}, {bot.Tap, "/lang it", "en", "it", "", 0}, {bot.Tap, "/latest", "en", "it", "", 0}, {bot.Text, "电商", "en", "it", "", 0}, {bot.Text, "1", "en", "it", "", 0},
			}},
			{"who is forgotten begins anew", []utterance{
				{bot.Text, "电商", "en", "zh-Hans", "", 0}, {bot.Text, "忘记我", "en", "zh-Hans", "", 0}, {bot.Tap, "/latest", "en", "en", "", 0},
			}},
			{"a restart changes nothing", []utterance{
				{bot.Text, "电商", "en", "zh-Hans", "", 0}, {kind: "restart"}, {bot.Tap, "/latest", "en", "zh-Hans", "", 0},
			}},
			{"in a group each asker has their own", []utterance{
				{bot.Text, "/search 电商", "en", "zh-Hans", "7", 0}, {bot.Text, "/latest", "en", "en", "8", 0}, {bot.Text, "ultimi articoli", "en", "it", "8", 0},
				{bot.Text, "/latest", "en", "zh-Hans", "7", 0}, {bot.Tap, "/latest", "en", "it", "8", 0}, {bot.Text, "1", "zh-hant", "zh-Hant", "9", 0},
				{bot.Media, "sticker", "en", "zh-Hans", "7", 0},
				{bot.Text, "forget me", "en", "en", "8", 0}, {bot.Text, "/latest", "en", "en", "7", 0}, {bot.Text, "/latest", "en", "en", "8", 0},
			}},
		} {
			chat := bot.ChatID{Channel: "tg", ID: fmt.Sprint(i)}
			for j, u := range test.said {
				if u.kind == "restart" {
					b = newBot(t, db, c)
					continue
				}
				converse(t, b, c, chat, []utterance{u}, fmt.Sprintf("%s (%d)", test.name, j))
			}
		}
	})
}

func converse(t *testing.T, b *bot.Bot, c *clock, chat bot.ChatID, said []utterance, name string) {
	t.Helper()
	for _, u := range said {
		c.advance(time.Minute + u.after)
		m := bot.Message{Kind: u.kind, Chat: chat, Text: u.text, Lang: u.platform, Public: u.from != "", From: u.from}
		if r := tell(t, b, m); r.Lang != u.want {
			t.Errorf("%s: %s %.20q in %q is answered in %s, want %s", name, u.kind, u.text, u.platform, r.Lang, u.want)
		}
	}
}

// A page of a group's list stays in the language it was asked in; where its
// words show none it is the reader's own conversation.
func TestAPageInAGroupStaysInItsLanguage(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock()
		b := newBot(t, db, c)
		group := bot.ChatID{Channel: "tg", ID: "-100"}
		lists := bot.NewLists(db, c.now)
		page := func(kind, query string) string {
			id, err := lists.Make(t.Context(), group, kind, query, []int64{1, 2, 3, 4, 5, 6, 7}, 5)
			if err != nil {
				t.Fatal(err)
			}
			return fmt.Sprintf("/more %d 2", id)
		}
		converse(t, b, c, group, []utterance{
			{bot.Text, "ultimi articoli", "en", "it", "7", 0},
			{bot.Tap, page("search", "电商"), "en", "zh-Hans", "7", 0},
			{bot.Tap, page("repaired", "電商"), "en", "zh-Hant", "7", 0},
			{bot.Tap, page("search", "电商"), "en", "zh-Hans", "8", 0},
			{bot.Tap, page("search", "commerce"), "en", "it", "7", 0},
			{bot.Tap, page("search", "commerce"), "en", "en", "8", 0},
			{bot.Tap, page("latest", ""), "en", "it", "7", 0},
			{bot.Tap, page("digest", "电商"), "en", "it", "7", 0},  // its topic
			{bot.Text, page("search", "电商"), "en", "it", "7", 0}, // no button was pressed
			{bot.Tap, page("search", "电商"), "en", "en", "", 0},   // nor by one of many
			{bot.Tap, "/more what", "en", "it", "7", 0},
			{bot.Tap, "/latest", "en", "it", "7", 0}, // whatever was turned
		}, "pages")
	})
}

// Those who write as their phones speak, nearly all, cost no write, and others
// one an hour.
func TestALanguageIsKeptOnlyWhereItMust(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock()
		b := newBot(t, db, c)
		rows := func() int { return count(t, db, "SELECT count(*) FROM settings WHERE name LIKE 'tongue:%'") }
		for i, u := range []utterance{
			{platform: "zh-hans", text: "电商"}, {platform: "zh-hant", text: "電商"}, {platform: "zh-TW", text: "茶"}, {platform: "en", text: "what is the price of commerce"},
			{platform: "it", text: "la bottega nel telefono"}, {platform: "it", text: "aiuto"}, {platform: "ru", text: "commerce"}, {platform: "ru", text: "help"}, {platform: "it", text: "commerce"}, {platform: "", text: "commerce"},
		} {
			say := bot.Message{Kind: bot.Text, Chat: bot.ChatID{Channel: "tg", ID: fmt.Sprint("same ", i)}, Text: u.text, Lang: u.platform}
			if tell(t, b, say); rows() != 0 {
				t.Fatalf("%q in %q is kept", u.text, u.platform)
			}
		}
		chat := bot.ChatID{Channel: "tg", ID: "other"}
		kept := func() (value string) {
			t.Helper()
			if err := db.Reader().NewRaw("SELECT value FROM settings WHERE name = 'tongue:tg/other'").Scan(t.Context(), &value); err != nil {
				t.Fatal(err)
			}
			return value
		}
		converse(t, b, c, chat, []utterance{{kind: bot.Text, text: "电商", platform: "en", want: "zh-Hans"}}, "first")
		first := kept()
		for range 50 {
			converse(t, b, c, chat, []utterance{{kind: bot.Text, text: "电商", platform: "en", want: "zh-Hans"}, {kind: bot.Tap, text: "/latest", platform: "en", want: "zh-Hans", after: -time.Minute}}, "again")
		}
		if got := kept(); got != first {
			t.Errorf("kept again within the hour: %s, then %s", first, got)
		}
		converse(t, b, c, chat, []utterance{{kind: bot.Text, text: "电商", platform: "en", want: "zh-Hans", after: 10 * time.Minute}}, "later")
		if got := kept(); got == first {
			t.Errorf("not kept again after an hour: %s", got)
		}
		converse(t, b, c, chat, []utterance{{kind: bot.Text, text: "commerce", platform: "en", want: "en"}}, "back")
		if rows() != 0 {
			t.Error("what the phone says is kept")
		}
		// French, which newsie does not speak, is what articles are wanted in, until a word in none.
		converse(t, b, c, chat, []utterance{{kind: bot.Text, text: "quel est le prix du commerce dans la ville", platform: "en", want: "en"}}, "French")
		if got := kept(); !strings.HasPrefix(got, "en fr ") {
			t.Errorf("kept of French: %s", got)
		}
		if converse(t, b, c, chat, []utterance{{kind: bot.Text, text: "sport", platform: "en", want: "en"}}, "no French"); rows() != 0 {
			t.Error("a word of no language goes on in one that newsie does not speak")
		}
		// And none for ever.
		converse(t, b, c, chat, []utterance{{kind: bot.Text, text: "电商", platform: "en", want: "zh-Hans"}}, "once more")
		settings := bot.NewSettings(db, c.now)
		if err := settings.Prune(t.Context()); err != nil || rows() != 1 {
			t.Fatalf("%d rows after housekeeping at once (%v), want 1", rows(), err)
		}
		c.advance(25 * time.Hour)
		if err := settings.Prune(t.Context()); err != nil || rows() != 0 {
			t.Errorf("%d rows after a day (%v), want none", rows(), err)
		}
	})
}

// What cannot be kept costs the next answer its language, not this one its reader.
func TestAnAnswerIsSaidThoughItsLanguageIsNotKept(t *testing.T) {
	db, c := databasetest.SQLite(t), newClock()
	b := newBot(t, db, c)
	databasetest.Refuse(t, db, "settings", "the disk is full")
	r := tell(t, b, bot.Message{Kind: bot.Text, Chat: bot.ChatID{Channel: "tg", ID: "1"}, Text: "电商", Lang: "en"})
	if r.Lang != "zh-Hans" || len(r.Groups) == 0 {
		t.Errorf("the answer is %+v", r)
	}
}

// Whoever is not answered has not changed the conversation, nor the database.
func TestAFloodersWordsAreNotKept(t *testing.T) {
	db, c := databasetest.SQLite(t), newClock()
	b := newBot(t, db, c)
	m := bot.Message{Kind: bot.Text, Chat: bot.ChatID{Channel: "tg", ID: "1"}, Text: "commerce", Lang: "en"}
	for range bot.DefaultLimits.ChatBurst {
		tell(t, b, m)
	}
	m.Text = "电商"
	tell(t, b, m)
	if n := count(t, db, "SELECT count(*) FROM settings WHERE name LIKE 'tongue:%'"); n != 0 {
		t.Errorf("%d languages of a flooder are kept", n)
	}
}

// Only the chat that asks is forgotten, with each reader of a group.
func TestForgettingIsOfOneChat(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock()
		b := newBot(t, db, c)
		for _, m := range []bot.Message{
			{Chat: bot.ChatID{Channel: "tg", ID: "-1"}, Public: true, From: "7"}, {Chat: bot.ChatID{Channel: "tg", ID: "-1"}, Public: true, From: "8"},
			{Chat: bot.ChatID{Channel: "tg", ID: "-10"}, Public: true, From: "7"}, {Chat: bot.ChatID{Channel: "tg", ID: "1"}},
		} {
			m.Kind, m.Text, m.Lang = bot.Text, "电商", "en"
			tell(t, b, m)
		}
		tell(t, b, bot.Message{Kind: bot.Text, Chat: bot.ChatID{Channel: "tg", ID: "-1"}, Text: "不要记住我", Lang: "en", Public: true, From: "8"})
		tell(t, b, bot.Message{Kind: bot.Text, Chat: bot.ChatID{Channel: "tg", ID: "-1"}, Text: "/forget", Lang: "en", Public: true, From: "8"})
		var names []string
		if err := db.Reader().NewRaw("SELECT name FROM settings WHERE name LIKE 'tongue:%' ORDER BY length(name)").Scan(t.Context(), &names); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(names, ", "); got != "tongue:tg/1, tongue:tg/-10 7" {
			t.Errorf("kept are %s", got)
		}
	})
}

// Who writes as the phone speaks does not wait for the one writer of SQLite,
// not even to find that nothing is to be forgotten.
func TestMostWordsWaitForNoWriter(t *testing.T) {
	db, c := databasetest.SQLite(t), newClock()
	b := newBot(t, db, c)
	err := db.Tx(t.Context(), func(ctx context.Context, _ bun.Tx) error {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		for _, m := range []bot.Message{{Text: "help", Lang: "en"}, {Text: "aiuto", Lang: "it"}, {Text: "帮助", Lang: "zh-hans"}, {Text: "說明", Lang: "zh-TW"}, {Text: "/help", Lang: "en"}} {
			m.Kind, m.Chat = bot.Text, bot.ChatID{Channel: "tg", ID: "1"}
			if _, err := b.Handle(ctx, m); err != nil || ctx.Err() != nil {
				return fmt.Errorf("%q in %q: %v, %v", m.Text, m.Lang, err, ctx.Err())
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
