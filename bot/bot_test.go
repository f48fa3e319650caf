package bot_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"newsie/bot"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
	"newsie/internal/locale"
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

func TestFloodIsWarnedOnceThenSilent(t *testing.T) {
	db, c := databasetest.SQLite(t), newClock()
	b := newBot(t, db, c)
	reader, other := bot.ChatID{Channel: "web", ID: "flooder"}, bot.ChatID{Channel: "web", ID: "other"}
	var spoken, silent int
	for range bot.DefaultLimits.ChatBurst + 10 {
		if say(t, b, reader, "commerce").Empty() {
			silent++
		} else {
			spoken++
		}
	}
	if spoken != bot.DefaultLimits.ChatBurst+1 || silent != 9 {
		t.Errorf("%d answers and %d silences, want %d and 9", spoken, silent, bot.DefaultLimits.ChatBurst+1)
	}
	if r := say(t, b, reader, "stop"); r.Empty() {
		t.Error("a flooder cannot stop the digests")
	}
	if r := say(t, b, other, "commerce"); len(r.Groups) == 0 {
		t.Error("another reader suffers")
	}
	c.advance(2 * bot.DefaultLimits.ChatEvery)
	if r := say(t, b, reader, "commerce"); len(r.Groups) == 0 {
		t.Errorf("after a pause: %+v", r)
	}
}

func TestFloodFromOneAddress(t *testing.T) {
	db, c := databasetest.SQLite(t), newClock()
	b := newBot(t, db, c)
	answered := 0
	for i := range bot.DefaultLimits.AddrBurst + 20 {
		m := bot.Message{Kind: bot.Text, Chat: bot.ChatID{Channel: "web", ID: fmt.Sprint(i)}, Text: "help", Addr: "192.0.2.1"}
		if r := tell(t, b, m); len(r.Actions) > 0 {
			answered++
		}
	}
	if answered != bot.DefaultLimits.AddrBurst {
		t.Errorf("%d chats of one address answered, want %d", answered, bot.DefaultLimits.AddrBurst)
	}
}

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

func TestForgetMeLeavesNothing(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock()
		b := newBot(t, db, c)
		called := 0
		b.Forgets(func(context.Context, bot.ChatID) error { called++; return nil })
		chat, other := bot.ChatID{Channel: "web", ID: "r"}, bot.ChatID{Channel: "web", ID: "o"}
		for _, who := range []bot.ChatID{chat, other} {
			for _, text := range []string{"commerce", "follow sport", "language italiano", "time zone Rome"} {
				say(t, b, who, text)
			}
		}
		// Older answers go; that of the very message is claimed, and finished later.
		inbox := bot.NewInbox(db, c.now)
		for id, who := range map[string]bot.ChatID{"old": chat, "theirs": other} {
			if err := inbox.Finish(t.Context(), who, id, "an answer"); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, _, err := inbox.Begin(t.Context(), chat, "this"); err != nil {
			t.Fatal(err)
		}
		say(t, b, chat, "forget me")
		for id, want := range map[string]bool{"old": true, "this": false, "theirs": false} {
			if fresh, _, _, err := inbox.Begin(t.Context(), bot.ChatID{Channel: "web", ID: "x"}, id); err != nil || fresh != want {
				t.Errorf("the message %s is forgotten: %v, want %v (%v)", id, fresh, want, err)
			}
		}
		for _, table := range []string{"lists", "follows"} {
			if n := count(t, db, "SELECT count(*) FROM "+table+" WHERE chat = 'r'"); n != 0 {
				t.Errorf("%d rows left in %s", n, table)
			}
			if n := count(t, db, "SELECT count(*) FROM "+table+" WHERE chat = 'o'"); n == 0 {
				t.Errorf("another reader's rows in %s are gone", table)
			}
		}
		if n := count(t, db, "SELECT count(*) FROM chats WHERE id = 'r'"); n != 0 || called != 1 {
			t.Errorf("%d chats left, %d others told", n, called)
		}
	})
}

func TestAGroupThatRemovedUsIsLeftAlone(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock()
		b := newBot(t, db, c)
		follows := func(state string) string {
			var chats []string
			if err := db.Reader().NewRaw("SELECT chat FROM follows WHERE state = ? ORDER BY chat", state).Scan(t.Context(), &chats); err != nil {
				t.Fatal(err)
			}
			return strings.Join(chats, " ")
		}
		for _, id := range []string{"-100", "-100:5", "-100:44", "-1001", "-1001:5", "7", "7:3"} {
			tell(t, b, bot.Message{Kind: bot.Text, Chat: bot.ChatID{Channel: "web", ID: id}, Text: "follow sport", Public: id[0] == '-'})
		}
		// The language of the reader in the private chat was chosen, so that it has a row.
		say(t, b, bot.ChatID{Channel: "web", ID: "7"}, "language italiano")

		tell(t, b, bot.Message{Kind: bot.Leave, Chat: bot.ChatID{Channel: "web", ID: "-100"}, Public: true})
		if got, want := follows("active"), "-1001 -1001:5 7 7:3"; got != want {
			t.Errorf("after the removal from -100: %s, want %s", got, want)
		}
		tell(t, b, bot.Message{Kind: bot.Leave, Chat: bot.ChatID{Channel: "web", ID: "7"}})
		if got, want := follows("suspended"), "7 7:3"; got != want {
			t.Errorf("after the block: %s suspended, want %s", got, want)
		}
		// As the scheduler does when a digest is refused.
		if _, err := db.ExecContext(t.Context(), "UPDATE chats SET state = 'suspended' WHERE id = '7'"); err != nil {
			t.Fatal(err)
		}
		tell(t, b, bot.Message{Kind: bot.Join, Chat: bot.ChatID{Channel: "web", ID: "7"}})
		if got := follows("suspended"); got != "" {
			t.Errorf("after the return: %s suspended", got)
		}
		if n := count(t, db, "SELECT count(*) FROM chats WHERE id = '7' AND state = 'active'"); n != 1 {
			t.Error("the chat itself stays suspended, and gets no digest")
		}
		// Who writes is there, whatever a digest was told.
		for _, table := range []string{"UPDATE chats SET state = 'suspended' WHERE id = '7'", "UPDATE follows SET state = 'suspended' WHERE chat = '7'"} {
			if _, err := db.ExecContext(t.Context(), table); err != nil {
				t.Fatal(err)
			}
		}
		say(t, b, bot.ChatID{Channel: "web", ID: "7"}, "commerce")
		if got := follows("suspended"); got != "" {
			t.Errorf("of a reader who writes: %s suspended", got)
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

func TestLeavingSuspendsOrForgets(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock()
		catalog, err := locale.Load()
		if err != nil {
			t.Fatal(err)
		}
		b := bot.New(bot.Config{
			DB: db, Library: library(t, db, c.now), Catalog: catalog, Now: c.now,
			Channels: map[string]bot.Channel{"tg": {Lang: "en", Zone: "UTC"}, "wx": {Lang: "zh-Hans", Zone: "UTC", ForgetOnLeave: true}},
		})
		for _, channel := range []string{"tg", "wx"} {
			chat := bot.ChatID{Channel: channel, ID: "r"}
			say(t, b, chat, "follow sport")
			if r := tell(t, b, bot.Message{Kind: bot.Leave, Chat: chat}); !r.Empty() {
				t.Errorf("%s: a reader who left is spoken to", channel)
			}
		}
		state := func() int { return count(t, db, "SELECT count(*) FROM follows WHERE state = 'suspended'") }
		if state() != 1 || count(t, db, "SELECT count(*) FROM follows") != 1 {
			t.Errorf("%d follows suspended of %d", state(), count(t, db, "SELECT count(*) FROM follows"))
		}
		tell(t, b, bot.Message{Kind: bot.Join, Chat: bot.ChatID{Channel: "tg", ID: "r"}})
		if state() != 0 {
			t.Error("a reader who came back stays suspended")
		}
	})
}

func TestFollowBeginsWithWhatComesNext(t *testing.T) {
	db, c := databasetest.SQLite(t), newClock()
	b := newBot(t, db, c)
	chat := bot.ChatID{Channel: "web", ID: "r"}
	say(t, b, chat, "time zone Rome")
	say(t, b, chat, "follow commerce daily 8:00")
	follows, err := bot.NewChats(db, c.now).Follows(t.Context(), chat)
	if err != nil || len(follows) != 1 {
		t.Fatalf("%+v, %v", follows, err)
	}
	f := follows[0]
	// 09:00 UTC is 10:00 in Rome, so the next 8:00 is tomorrow's, 07:00 UTC.
	want := time.Date(2026, 11, 23, 7, 0, 0, 0, time.UTC).UnixMilli()
	if f.NextDueAt != want || f.Zone != "Europe/Rome" || f.Spec != "0 8 * * *" || f.SinceSeq != 8 {
		t.Errorf("%+v, want due %d since 8", f, want)
	}
	say(t, b, chat, "time zone Shanghai")
	follows, _ = bot.NewChats(db, c.now).Follows(t.Context(), chat)
	if want := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC).UnixMilli(); follows[0].NextDueAt != want {
		t.Errorf("after moving to Shanghai: due %d, want %d", follows[0].NextDueAt, want)
	}
	for i := range 25 {
		say(t, b, bot.ChatID{Channel: "web", ID: "many"}, fmt.Sprintf("follow topic%d", i))
		c.advance(time.Minute)
	}
	if n := count(t, db, "SELECT count(*) FROM follows WHERE chat = 'many'"); n != 20 {
		t.Errorf("%d follows of one chat, want at most 20", n)
	}
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

// The platform's language breaks ties: characters alone do not make a Japanese
// reader Chinese, nor a reader in Taiwan a mainlander.
func TestRepliesSpeakTheReadersLanguage(t *testing.T) {
	db, c := databasetest.SQLite(t), newClock()
	b := newBot(t, db, c)
	for i, test := range []struct{ platform, text, want string }{
		{"zh-TW", "台灣", "zh-Hant"}, {"zh-TW", "群組", "zh-Hant"}, {"zh-TW", "茶", "zh-Hant"}, {"zh-CN", "茶", "zh-Hans"}, {"zh-CN", "電商", "zh-Hant"},
		{"ja", "茶", "en"}, {"ja", "風呂", "en"}, {"ko", "茶", "en"}, {"en", "茶", "zh-Hans"}, {"en", "微店怎么开", "zh-Hans"},
		{"it", "commerce", "it"}, {"en", "follow 电商", "en"}, {"en", "关注 commerce", "zh-Hans"}, {"", "perché la bicicletta", "it"}, {"de", "knees", "en"},
	} {
		chat := bot.ChatID{Channel: "web", ID: fmt.Sprint(i)}
		if r := tell(t, b, bot.Message{Kind: bot.Text, Chat: chat, Text: test.text, Lang: test.platform}); r.Lang != test.want {
			t.Errorf("%s typing %q is answered in %s, want %s", test.platform, test.text, r.Lang, test.want)
		}
	}
}

// A tap, a number and a bare command show no language: the conversation does.
func TestAConversationKeepsItsLanguage(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock()
		b := newBot(t, db, c)
		chat, group := bot.ChatID{Channel: "web", ID: "7"}, bot.ChatID{Channel: "web", ID: "-100"}
		for _, test := range []struct {
			name     string
			chat     bot.ChatID
			kind     bot.Kind
			text     string
			platform string
			want     string
			after    time.Duration
		}{
			{name: "the phone is the first guess", chat: chat, kind: bot.Tap, text: "/latest", platform: "zh-hant", want: "zh-Hant"},
			{name: "of two languages that newsie does not speak", chat: chat, kind: bot.Tap, text: "/latest", platform: "pt-br", want: "en"},
			{name: "words are the second", chat: chat, kind: bot.Text, text: "微店", platform: "en", want: "zh-Hans"},
			{name: "a tap goes on in them", chat: chat, kind: bot.Tap, text: "/latest", platform: "en", want: "zh-Hans"},
			{name: "a number too", chat: chat, kind: bot.Text, text: "1", platform: "en", want: "zh-Hans"},
			{name: "a command too", chat: chat, kind: bot.Text, text: "/help", platform: "en", want: "zh-Hans"},
			{name: "what /search is given is words", chat: chat, kind: bot.Text, text: "/search 電商", platform: "en", want: "zh-Hant"},
			{name: "other words change it", chat: chat, kind: bot.Text, text: "latest", platform: "en", want: "en"},
			{name: "tomorrow is another day", chat: chat, kind: bot.Tap, text: "/latest", platform: "en", want: "en", after: 25 * time.Hour},
			{name: "in a group the words of the asker", chat: group, kind: bot.Text, text: "/search 微店", platform: "it", want: "zh-Hans"},
			{name: "of somebody else the phone", chat: group, kind: bot.Text, text: "/latest", platform: "it", want: "it"},
			{name: "who taps reads on by their phone", chat: group, kind: bot.Tap, text: "/read 1", platform: "it", want: "it"},
			{name: "a choice is the last word", chat: chat, kind: bot.Tap, text: "/lang it", platform: "en", want: "it"},
			{name: "against words, too", chat: chat, kind: bot.Text, text: "微店", platform: "zh-hans", want: "it"},
		} {
			c.at = c.at.Add(test.after)
			r := tell(t, b, bot.Message{Kind: test.kind, Chat: test.chat, Text: test.text, Lang: test.platform, Public: test.chat == group, From: "8"})
			if r.Lang != test.want {
				t.Errorf("%s: %s in %q is answered in %s, want %s", test.name, test.text, test.platform, r.Lang, test.want)
			}
		}
		// Whoever turns a page in a group, it is the list's.
		var id int64
		if err := db.Reader().NewRaw("SELECT id FROM lists WHERE chat = '-100' AND kind = 'search'").Scan(t.Context(), &id); err != nil {
			t.Fatal(err)
		}
		more := fmt.Sprintf("/more %d 1", id)
		if r := tell(t, b, bot.Message{Kind: bot.Tap, Chat: group, Text: more, Lang: "it", Public: true, From: "8"}); r.Lang != "zh-Hans" {
			t.Errorf("the page is turned in %s", r.Lang)
		}
	})
}

// Who shares an address with a flooder is told so, once, too.
func TestEachChatOfAFloodedAddressIsWarned(t *testing.T) {
	db, c := databasetest.SQLite(t), newClock()
	b := newBot(t, db, c)
	speak := func(chat, addr string) bot.Reply {
		return tell(t, b, bot.Message{Kind: bot.Text, Chat: bot.ChatID{Channel: "web", ID: chat}, Text: "help", Addr: addr})
	}
	for i := range bot.DefaultLimits.AddrBurst {
		speak(fmt.Sprint(i), fmt.Sprintf("2001:db8::%x", i+1)) // one subscriber's many addresses
	}
	for _, chat := range []string{"a", "b"} {
		if r := speak(chat, "2001:db8::ffff"); r.Empty() || len(r.Actions) > 0 {
			t.Errorf("chat %s first: %+v, want a warning", chat, r)
		}
		if r := speak(chat, "2001:db8::ffff"); !r.Empty() {
			t.Errorf("chat %s again: %q, want silence", chat, r.Text)
		}
	}
	if r := speak("c", "2001:db8:1::1"); len(r.Actions) == 0 {
		t.Error("another network suffers")
	}
}
