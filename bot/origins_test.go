package bot_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"newsie/bot"
	"newsie/bot/origin"
	"newsie/content"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
	"newsie/internal/locale"
)

// A fair is a bot that knows where its readers come from. tg and wx tell of
// leaving, and wx has the readers forgotten who do.
type fair struct {
	*bot.Bot
	t       *testing.T
	db      *database.DB
	clock   *clock
	book    *origin.Book
	credits *origin.Credits
	library *content.Library
	next    int
}

func newFair(t *testing.T, db *database.DB) *fair {
	t.Helper()
	f := &fair{t: t, db: db, clock: newClock()}
	f.book = origin.NewBook(db, f.clock.now)
	f.credits = origin.NewCredits(origin.Config{
		DB: db, Book: f.book, Now: f.clock.now,
		Key:    func(context.Context) ([]byte, error) { return []byte("a key of these tests"), nil },
		Leaves: func(channel string) bool { return channel != "web" },
	})
	catalog, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	f.library = library(t, db, f.clock.now)
	f.Bot = bot.New(bot.Config{
		DB: db, Library: f.library, Catalog: catalog, Name: "Lantern", PublicURL: "https://lantern.example", Now: f.clock.now,
		Origins: &bot.Origins{Credits: f.credits, Book: f.book},
		Channels: map[string]bot.Channel{
			"tg":  {Lang: "en", Zone: "UTC", DeepLink: func(payload string) string { return "https://t.me/lantern_bot?start=" + payload }},
			"wx":  {Lang: "zh-Hans", Zone: "Asia/Shanghai", ForgetOnLeave: true},
			"web": {Lang: "en", Zone: "UTC", MinInterval: 48 * time.Hour, InviteLink: func(payload string) string { return "https://lantern.example/chat/web/?start=" + payload }},
		},
		Limits: bot.Limits{ChatBurst: 10000, AddrBurst: 10000},
	})
	return f
}

func (f *fair) add(o origin.Origin) origin.Origin {
	f.t.Helper()
	o, err := f.book.Add(f.t.Context(), o)
	if err != nil {
		f.t.Fatal(err)
	}
	return o
}

// tell hears a message of a reader's, each with an id of its own unless it has one.
func (f *fair) tell(m bot.Message) bot.Reply {
	f.t.Helper()
	if f.next++; m.ID == "" {
		m.ID = fmt.Sprint("m", f.next)
	}
	if m.Kind == "" {
		m.Kind = bot.Text
	}
	if m.Lang == "" {
		m.Lang = "en"
	}
	return tell(f.t, f.Bot, m)
}

func (f *fair) say(channel, chat, text string) bot.Reply {
	f.t.Helper()
	return f.tell(bot.Message{Chat: bot.ChatID{Channel: channel, ID: chat}, Text: text})
}

func (f *fair) scan(channel, chat, text string) bot.Reply {
	f.t.Helper()
	return f.tell(bot.Message{Kind: bot.Scan, Chat: bot.ChatID{Channel: channel, ID: chat}, Text: text})
}

// sum is a figure of the totals, over all days and channels.
func (f *fair) sum(figure string, touch int, id int64) int {
	f.t.Helper()
	if err := f.credits.Flush(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
	return count(f.t, f.db, "SELECT COALESCE(SUM("+figure+"), 0) FROM origin_totals WHERE touch = ? AND origin = ?", touch, id)
}

// touches are where a reader came from first and last.
func (f *fair) touches(channel, chat string) (touches [2]int64) {
	f.t.Helper()
	err := f.db.Reader().QueryRowContext(f.t.Context(), "SELECT first_origin, last_origin FROM readers WHERE channel = ? AND chat = ?", channel, chat).Scan(&touches[0], &touches[1])
	if err != nil {
		f.t.Fatalf("%s/%s: %v", channel, chat, err)
	}
	return touches
}

func (f *fair) expect(what string, got, want any) {
	f.t.Helper()
	if got != want {
		f.t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestEveryWayToComeIsOneWay(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := newFair(t, db)
		shop := f.add(origin.Origin{Code: "shop12", Name: "Shop 12"})
		help := f.add(origin.Origin{Code: "help", Name: "The desk"}) // printed elsewhere, and a command
		odd := f.add(origin.Origin{Code: "o7", Name: "Begins like a payload"})
		ways := []bot.Message{
			{Text: "/start oshop12"},
			{Text: "/start oshop12_a7"},
			{Text: "/start shop12"},
			{Text: "/start oSHOP12"},
			{Kind: bot.Scan, Text: "oshop12"},
			{Kind: bot.Scan, Text: "shop12"},
			{Kind: bot.Join, Text: "oshop12_a7"},
			{Kind: bot.Join, Text: "shop12"},
		}
		for i, m := range ways {
			m.Chat = bot.ChatID{Channel: "tg", ID: fmt.Sprint(i)}
			if reply := f.tell(m); reply.Empty() {
				t.Errorf("%v %q is not welcomed", m.Kind, m.Text)
			}
			f.expect(m.Text, f.touches("tg", m.Chat.ID), [2]int64{shop.ID, shop.ID})
		}
		for _, touch := range []int{1, 2} {
			f.expect("came", f.sum("came", touch, shop.ID), len(ways))
			f.expect("scans", f.sum("scans", touch, shop.ID), len(ways))
		}
		if reply := f.scan("tg", "desk", "help"); !strings.HasPrefix(reply.Text, "Welcome to Lantern") {
			t.Errorf("the code help is answered %q", reply.Text)
		}
		f.expect("help", f.touches("tg", "desk"), [2]int64{help.ID, help.ID})
		f.scan("tg", "odd", "o7")
		f.expect("o7", f.touches("tg", "odd"), [2]int64{odd.ID, odd.ID})
		// By no code at all, also by what somebody shared.
		for i, m := range []bot.Message{{Text: "/start"}, {Text: "/start a7"}, {Text: "tea"}, {Kind: bot.Join}, {Kind: bot.Join, Text: "latest"}, {Kind: bot.Media, Text: "sticker"}} {
			m.Chat = bot.ChatID{Channel: "tg", ID: fmt.Sprint("plain", i)}
			f.tell(m)
			f.expect(m.Text, f.touches("tg", m.Chat.ID), [2]int64{})
		}
		f.expect("came by none", f.sum("came", 1, origin.None), 6)
		f.expect("scans of none", f.sum("scans", 1, origin.None), 0)
	})
}

func TestBadCodesWelcomeAndCountAsUnknown(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := newFair(t, db)
		f.add(origin.Origin{Code: "shop", Name: "Shop"})
		f.add(origin.Origin{Code: "over", Name: "Over", Ends: f.clock.now()})
		f.add(origin.Origin{Code: "soon", Name: "Soon", Starts: f.clock.now().Add(time.Minute), Welcome: origin.Welcome{Text: "Early bird"}})
		bad := []string{"onobody", "oover", "osoon", "over", "oshop_oshop", "oshop_", "oshop_a", "oshop_zzz", "nonsense_", "店", "o", "oshop oshop", strings.Repeat("x", 65)}
		for i, text := range bad {
			for j, m := range []bot.Message{{Text: "/start " + text}, {Kind: bot.Scan, Text: text}, {Kind: bot.Join, Text: text}} {
				m.Chat = bot.ChatID{Channel: "tg", ID: fmt.Sprint(i, "-", j)}
				if reply := f.tell(m); !strings.HasPrefix(reply.Text, "Welcome to Lantern") {
					t.Errorf("%v %q is answered %q", m.Kind, m.Text, reply.Text)
				}
				f.expect(m.Text, f.touches("tg", m.Chat.ID), [2]int64{origin.Unknown, origin.Unknown})
			}
		}
		f.expect("came by unknown codes", f.sum("came", 1, origin.Unknown), 3*len(bad))
		f.expect("unknown scans", f.sum("scans", 2, origin.Unknown), 3*len(bad))
		f.clock.advance(time.Minute)
		if reply := f.scan("tg", "late", "osoon"); !strings.HasPrefix(reply.Text, "Early bird") {
			t.Errorf("an origin that has begun says %q", reply.Text)
		}
	})
}

func TestARowIsWrittenOnceAndReadWithTheChat(t *testing.T) {
	db := databasetest.SQLite(t)
	f := newFair(t, db)
	shop := f.add(origin.Origin{Code: "shop", Name: "Shop"})
	f.say("tg", "1", "/start oshop")
	f.say("web", "2", "hello")
	f.tell(bot.Message{Kind: bot.Join, Chat: bot.ChatID{Channel: "web"}})
	f.tell(bot.Message{Kind: bot.Join, Chat: bot.ChatID{Channel: "web"}, Text: "/start"}) // a browser's greeting, with nobody there
	f.tell(bot.Message{Chat: bot.ChatID{Channel: "tg", ID: "-100:5"}, Text: "tea", Public: true})
	f.tell(bot.Message{Kind: bot.Join, Chat: bot.ChatID{Channel: "tg", ID: "-200"}, Public: true}) // a channel that took it along
	databasetest.Refuse(t, db, "readers", "a reader is noted again")
	for range 3 {
		f.clock.advance(time.Minute)
		f.say("tg", "1", "tea")
		f.say("web", "2", "/start")
		f.tell(bot.Message{Chat: bot.ChatID{Channel: "tg", ID: "-100:7"}, Text: "harvest", Public: true}) // another topic of the group
		f.tell(bot.Message{Chat: bot.ChatID{Channel: "tg", ID: "-100"}, Text: "harvest", Public: true})
	}
	f.expect("touches", f.touches("tg", "1"), [2]int64{shop.ID, shop.ID})
	f.expect("rows", count(t, db, "SELECT count(*) FROM readers"), 3)
	f.expect("what chats keep of origins", count(t, db, "SELECT count(*) FROM chats"), 0)
}

func TestWhoWasHereBeforeIsNoNewcomer(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := newFair(t, db)
		// What schema 7 kept, and its origin of the same code.
		for _, statement := range []string{
			"INSERT INTO chats (channel, id, origin, since) VALUES ('tg', 'coded', 'poster', 1)",
			"INSERT INTO chats (channel, id, lang, since) VALUES ('tg', 'chose', 'it', 1)",
			"INSERT INTO follows (channel, chat, topic, query, spec, zone, next_due_at, since_seq, created_at) VALUES ('tg', 'follows', 't', 't', '0 8 * * *', 'UTC', 1, 0, 1)",
			"INSERT INTO lists (channel, chat, kind, query, articles, created_at) VALUES ('tg', 'asked', 'search', '', '[]', 1), ('tg', '-7:3', 'search', '', '[]', 1)",
		} {
			if _, err := db.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		poster := f.add(origin.Origin{Code: "poster", Name: "poster", Welcome: origin.Welcome{Topic: "harvest"}})
		shop := f.add(origin.Origin{Code: "shop", Name: "Shop"})
		f.say("tg", "coded", "tea")
		f.expect("the code of an old chat", f.touches("tg", "coded"), [2]int64{poster.ID, poster.ID})
		f.scan("tg", "coded", "oshop")
		f.expect("its next code", f.touches("tg", "coded"), [2]int64{poster.ID, shop.ID})
		for _, chat := range []string{"chose", "follows", "asked"} {
			if reply := f.scan("tg", chat, "oposter"); offers(reply, "/follow harvest") == "" || offers(reply, "/unfollow") != "" {
				t.Errorf("who was here is not offered to follow: %+v", reply.Actions)
			}
			f.expect(chat, f.touches("tg", chat), [2]int64{poster.ID, poster.ID})
		}
		f.tell(bot.Message{Chat: bot.ChatID{Channel: "tg", ID: "-7:4"}, Text: "/start oshop", Public: true})
		f.expect("came", f.sum("came", 1, poster.ID)+f.sum("came", 1, shop.ID)+f.sum("came", 1, 0), 0)
		f.expect("scans", f.sum("scans", 1, poster.ID), 3)
		f.expect("scans", f.sum("scans", 1, shop.ID), 2)
	})
}

func TestTheOriginsOwnWelcome(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := newFair(t, db)
		f.add(origin.Origin{Code: "words", Name: "Words", Welcome: origin.Welcome{Text: "Hello from the tea house"}})
		f.add(origin.Origin{Code: "shows", Name: "Shows", Welcome: origin.Welcome{Text: "Hello", Article: 7}})
		f.add(origin.Origin{Code: "gone", Name: "Gone", Welcome: origin.Welcome{Article: 4711}})
		f.add(origin.Origin{Code: "topic", Name: "Topic", Welcome: origin.Welcome{Text: "Hello", Topic: "harvest"}})
		for _, lang := range []string{"en", "it", "zh-Hans", "zh-Hant"} {
			come := func(chat, text string) bot.Reply {
				return f.tell(bot.Message{Chat: bot.ChatID{Channel: "tg", ID: lang + chat}, Lang: lang, Text: "/start " + text})
			}
			usual := come("usual", "").Text
			_, hints, _ := strings.Cut(usual, "\n")
			if r := come("1", "owords"); r.Text != "Hello from the tea house\n"+hints || offers(r, "/latest") == "" {
				t.Errorf("%s: the words of an origin are %+v", lang, r)
			}
			if r := come("2", "oshows"); !strings.HasPrefix(r.Text, "Hello\n"+hints) || r.Groups[0].Cards[0].Article != 7 || offers(r, "/save 7") == "" {
				t.Errorf("%s: the article of an origin is %+v", lang, r)
			}
			if r := come("3", "oshows_a1"); r.Text != "Hello" || r.Groups[0].Cards[0].Article != 1 {
				t.Errorf("%s: the link's own article is %+v", lang, r)
			}
			if r := come("3", "oshows_a2"); r.Text != "" || r.Groups[0].Cards[0].Article != 2 {
				t.Errorf("%s: who is here gets %+v", lang, r)
			}
			if r := come("4", "ogone"); r.Text != usual || len(r.Groups) != 0 {
				t.Errorf("%s: an origin whose article is gone says %+v", lang, r)
			}
			r := come("5", "otopic")
			if !strings.HasPrefix(r.Text, "Hello\n"+hints) || !strings.Contains(r.Text, "harvest") || !strings.HasPrefix(r.Actions[0].Text, "/unfollow ") {
				t.Errorf("%s: a newcomer follows with %+v", lang, r)
			}
			// The words that end it are the last it says, and mean that.
			last := r.Text[strings.LastIndexAny(r.Text, ":：")+1:]
			last = strings.TrimSpace(strings.TrimPrefix(last, "："))
			if _, after, ok := strings.Cut(r.Text[strings.LastIndex(r.Text, "\n"):], "："); ok {
				last = after
			}
			if n := count(t, db, "SELECT count(*) FROM follows WHERE chat = ?", lang+"5"); n != 1 {
				t.Errorf("%s: a newcomer has %d follows", lang, n)
			}
			f.tell(bot.Message{Chat: bot.ChatID{Channel: "tg", ID: lang + "5"}, Lang: lang, Text: last})
			if n := count(t, db, "SELECT count(*) FROM follows WHERE chat = ?", lang+"5"); n != 0 {
				t.Errorf("%s: after %q there are %d follows", lang, last, n)
			}
			if r := come("1", "otopic"); offers(r, "/follow harvest") == "" || strings.Contains(r.Text, "harvest") {
				t.Errorf("%s: who is here is told %+v", lang, r)
			}
		}
		// As often as the channel lets it be.
		f.say("web", "w", "/start otopic")
		f.expect("schedules", count(t, db, "SELECT count(*) FROM follows WHERE chat = 'w' AND spec <> '0 8 * * *'"), 1)
		// In a group it is brief.
		if r := f.tell(bot.Message{Chat: bot.ChatID{Channel: "tg", ID: "-1"}, Text: "/start owords", Public: true}); r.Text != "Hello from the tea house" || len(r.Actions) != 1 {
			t.Errorf("a group hears %+v", r)
		}
	})
}

func TestLeavingAndComingBack(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := newFair(t, db)
		shop := f.add(origin.Origin{Code: "shop", Name: "Shop"})
		leave := func(channel, chat string) {
			f.tell(bot.Message{Kind: bot.Leave, Chat: bot.ChatID{Channel: channel, ID: chat}})
		}
		f.scan("tg", "1", "oshop")
		leave("tg", "1")
		leave("tg", "1") // told twice
		f.expect("lost", f.sum("lost", 1, shop.ID), 1)
		f.clock.advance(time.Hour)
		f.say("tg", "1", "/start")
		f.expect("lost who is back", f.sum("lost", 2, shop.ID), 0)
		f.scan("tg", "1", "oshop")
		f.expect("came", f.sum("came", 1, shop.ID), 1)
		f.expect("scans", f.sum("scans", 1, shop.ID), 2)
		leave("tg", "never seen")

		f.scan("wx", "2", "oshop")
		leave("wx", "2")
		f.expect("lost", f.sum("lost", 1, shop.ID), 1)
		f.expect("who left WeChat", count(t, db, "SELECT count(*) FROM readers WHERE channel = 'wx'"), 0)
		f.expect("rows", count(t, db, "SELECT count(*) FROM readers"), 1)
	})
}

func TestFollowsAndQuestionsAreCredited(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := newFair(t, db)
		first, last := f.add(origin.Origin{Code: "first", Name: "First"}), f.add(origin.Origin{Code: "last", Name: "Last"})
		f.scan("tg", "1", "ofirst")
		f.say("tg", "1", "follow harvest")
		f.say("tg", "1", "follow harvest daily 9:00") // another time is no other follow
		f.scan("tg", "1", "olast")
		for _, text := range []string{"unfollow harvest", "follow harvest", "follow tea", "help", "2", "latest"} {
			f.say("tg", "1", text)
		}
		question := bot.Message{ID: "same", Chat: bot.ChatID{Channel: "tg", ID: "1"}, Text: "harvest"}
		f.tell(question)
		f.tell(question)
		f.say("tg", "1", "xqzptlk")
		for figure, want := range map[string][3]int{"follows": {2, 0, 1}, "followers": {1, 0, 1}, "questions": {2, 0, 2}, "askers": {1, 0, 1}} {
			got := [3]int{f.sum(figure, 1, first.ID), f.sum(figure, 1, last.ID), f.sum(figure, 2, last.ID)}
			f.expect(figure, got, want)
		}
	})
}

func TestForgettingKeepsTheTotalsAndNobodysName(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := newFair(t, db)
		shop := f.add(origin.Origin{Code: "shop", Name: "Shop"})
		const name = "reader-4711"
		f.scan("tg", name, "oshop")
		f.say("tg", name, "follow harvest")
		f.say("tg", name, "invite")
		f.say("tg", name, "harvest") // counted, though it is pending still
		f.say("tg", name, "forget me")
		for figure, want := range map[string]int{"came": 1, "scans": 1, "follows": 1, "questions": 1, "lost": 0} {
			f.expect(figure, f.sum(figure, 1, shop.ID), want)
		}
		for _, table := range []string{"readers", "origin_events", "origins", "origin_totals", "chats", "follows", "lists", "saved"} {
			var rows []map[string]any
			if err := db.Reader().NewRaw("SELECT * FROM "+table).Scan(t.Context(), &rows); err != nil {
				t.Fatal(err)
			}
			for _, row := range rows {
				for column, value := range row {
					if b, ok := value.([]byte); ok {
						value = string(b)
					}
					if strings.Contains(fmt.Sprint(value), name) {
						t.Errorf("%s.%s still says %v", table, column, value)
					}
				}
			}
		}
		f.expect("rows", count(t, db, "SELECT (SELECT count(*) FROM readers) + (SELECT count(*) FROM origin_events)"), 0)
		f.expect("invitations", count(t, db, "SELECT count(*) FROM origins WHERE kind = 'invitation' AND owner_chat = ''"), 1)
		f.say("tg", "another", "forget me") // who says nothing else is not noted first
		f.expect("came", f.sum("came", 1, origin.None), 0)
	})
}

func TestInvitations(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := newFair(t, db)
		invited := f.say("tg", "owner", "share newsie")
		if len(invited.Links) != 1 || !strings.HasPrefix(invited.Links[0].URL, "https://t.me/lantern_bot?start=o") || len(invited.Actions) != 1 || !strings.HasPrefix(invited.Actions[0].URL, "https://t.me/share/url?") {
			t.Fatalf("the invitation is %+v", invited)
		}
		payload := strings.TrimPrefix(invited.Links[0].URL, "https://t.me/lantern_bot?start=")
		for _, text := range []string{"invite", "邀请", "邀請", "invita", "/invite"} {
			if r := f.say("tg", "owner", text); len(r.Links) != 1 || r.Links[0].URL != invited.Links[0].URL || !strings.Contains(r.Text, "0") {
				t.Errorf("%s: %+v", text, r)
			}
		}
		f.expect("invitations", count(t, db, "SELECT count(*) FROM origins"), 1)
		o, _, err := f.book.ByCode(t.Context(), payload[1:])
		if err != nil {
			t.Fatal(err)
		}
		f.say("tg", "owner", "/start "+payload) // one's own
		f.expect("own scans", f.sum("scans", 1, o.ID), 0)
		f.expect("the owner", f.touches("tg", "owner"), [2]int64{})
		for i := range 3 {
			f.say("tg", fmt.Sprint("friend", i), "/start "+payload)
		}
		f.say("tg", "friend0", "/start "+payload)
		if r := f.say("tg", "owner", "invite"); !strings.Contains(r.Text, "3 readers") {
			t.Errorf("three came: %q", r.Text)
		}
		if r := f.say("web", "w", "invite"); len(r.Links) != 1 || !strings.HasPrefix(r.Links[0].URL, "https://lantern.example/chat/web/?start=o") || len(r.Actions) != 0 {
			t.Errorf("in the browser: %+v", r)
		}
		if r := f.say("wx", "w", "邀请"); len(r.Links) != 1 || !strings.HasPrefix(r.Links[0].URL, "https://lantern.example/o/") {
			t.Errorf("on WeChat: %+v", r)
		}
		if r := f.tell(bot.Message{Chat: bot.ChatID{Channel: "tg", ID: "-1"}, Text: "/invite", Public: true}); len(r.Links) != 0 {
			t.Errorf("a group gets a link: %+v", r)
		}
	})
}

func TestInlineModeIsAnOrigin(t *testing.T) {
	f := newFair(t, databasetest.SQLite(t))
	f.say("tg", "1", "/start oinline")
	o, ok, err := f.book.ByCode(t.Context(), "inline")
	if err != nil || !ok {
		t.Fatalf("inline mode is no origin: %v", err)
	}
	f.say("tg", "2", "/start oinline")
	f.expect("came", f.sum("came", 1, o.ID), 2)
}

// An answer must not fail because it cannot be counted.
func TestWhatCannotBeCountedIsAnswered(t *testing.T) {
	db := databasetest.SQLite(t)
	f := newFair(t, db)
	f.add(origin.Origin{Code: "shop", Name: "Shop"})
	databasetest.Refuse(t, db, "origin_totals", "no room")
	for _, text := range []string{"/start oshop", "harvest", "follow harvest"} {
		if r := f.say("tg", "1", text); r.Empty() {
			t.Errorf("%q is not answered", text)
		}
	}
}

// A newcomer whose first answer failed is one still when the message comes again.
func TestACrashBeforeTheAnswerCountsOnce(t *testing.T) {
	db := databasetest.SQLite(t)
	f := newFair(t, db)
	shop := f.add(origin.Origin{Code: "shop", Name: "Shop", Welcome: origin.Welcome{Topic: "harvest"}})
	m := bot.Message{ID: "same", Kind: bot.Scan, Chat: bot.ChatID{Channel: "wx", ID: "1"}, Text: "oshop", Lang: "zh-Hans"}
	databasetest.Refuse(t, db, "follows", "no room")
	if r, err := f.Handle(t.Context(), m); err == nil {
		t.Fatalf("the answer did not fail: %+v", r)
	}
	databasetest.Permit(t, db, "follows")
	f.clock.advance(time.Second)
	if r := f.tell(m); !strings.HasPrefix(r.Actions[0].Text, "/unfollow ") {
		t.Errorf("the second try says %+v", r)
	}
	f.expect("came", f.sum("came", 1, shop.ID), 1)
	f.expect("scans", f.sum("scans", 1, shop.ID), 1)
	f.expect("follows", f.sum("follows", 1, shop.ID), 1)
}
