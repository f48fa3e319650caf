package bot_test

import (
	"fmt"
	"testing"
	"time"

	"newsie/bot"
	"newsie/internal/database/databasetest"
	"newsie/internal/locale"
)

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

// The warning says when the reader is heard again: then, and no second earlier.
func TestTheWarningSaysHowLongItIs(t *testing.T) {
	db := databasetest.SQLite(t)
	catalog, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	shared := library(t, db, newClock().now)
	for i, test := range []struct {
		name    string
		lang    string
		limits  bot.Limits
		after   time.Duration // from the message that used the limit up until the refused one
		others  bool          // of the same address have used it up
		want    string
		wait    time.Duration
		unheard time.Duration // is still too soon
	}{
		{name: "one second", lang: "en", limits: bot.Limits{ChatEvery: time.Second, ChatBurst: 3}, want: "That was a lot at once. Ask again in a second.", wait: time.Second},
		{name: "as by default", lang: "en", limits: bot.DefaultLimits, want: "That was a lot at once. Ask again in 2 seconds.", wait: 2 * time.Second, unheard: time.Second},
		{name: "what is left of it", lang: "en", limits: bot.Limits{ChatEvery: 30 * time.Second, ChatBurst: 2}, after: 10 * time.Second, want: "That was a lot at once. Ask again in 20 seconds.", wait: 20 * time.Second, unheard: 19 * time.Second},
		{name: "rounded up", lang: "en", limits: bot.Limits{ChatEvery: 30 * time.Second, ChatBurst: 2}, after: 10100 * time.Millisecond, want: "That was a lot at once. Ask again in 20 seconds.", wait: 20 * time.Second, unheard: 19 * time.Second},
		{name: "almost none", lang: "en", limits: bot.Limits{ChatEvery: 2 * time.Second, ChatBurst: 2}, after: 2*time.Second - 1, want: "That was a lot at once. Ask again in a second.", wait: time.Second},
		{name: "minutes", lang: "en", limits: bot.Limits{ChatEvery: 150 * time.Second, ChatBurst: 2}, want: "That was a lot at once. Ask again in 3 minutes.", wait: 3 * time.Minute, unheard: 2 * time.Minute},
		{name: "Italian", lang: "it", limits: bot.Limits{ChatEvery: time.Second, ChatBurst: 2}, want: "Tante domande in una volta sola. Riprova tra un secondo.", wait: time.Second},
		{name: "Italian", lang: "it", limits: bot.DefaultLimits, want: "Tante domande in una volta sola. Riprova tra 2 secondi.", wait: 2 * time.Second, unheard: time.Second},
		{name: "Italian", lang: "it", limits: bot.Limits{ChatEvery: 2 * time.Minute, ChatBurst: 2}, want: "Tante domande in una volta sola. Riprova tra 2 minuti.", wait: 2 * time.Minute, unheard: 119 * time.Second},
		{name: "Chinese", lang: "zh-Hans", limits: bot.DefaultLimits, want: "问得太快啦，请过 2 秒再试。", wait: 2 * time.Second, unheard: time.Second},
		{name: "Chinese", lang: "zh-Hans", limits: bot.Limits{ChatEvery: 2 * time.Minute, ChatBurst: 2}, want: "问得太快啦，请过 2 分钟再试。", wait: 2 * time.Minute, unheard: 119 * time.Second},
		{name: "traditional", lang: "zh-Hant", limits: bot.DefaultLimits, want: "問得太快了，請過 2 秒再試。", wait: 2 * time.Second, unheard: time.Second},
		{name: "traditional", lang: "zh-Hant", limits: bot.Limits{ChatEvery: 2 * time.Minute, ChatBurst: 2}, want: "問得太快了，請過 2 分鐘再試。", wait: 2 * time.Minute, unheard: 119 * time.Second},
		{name: "an address", lang: "en", limits: bot.Limits{ChatEvery: time.Second, ChatBurst: 99, AddrEvery: 10 * time.Second, AddrBurst: 2}, others: true, want: "That was a lot at once. Ask again in 10 seconds.", wait: 10 * time.Second, unheard: 9 * time.Second},
		{name: "both, the address longer", lang: "en", limits: bot.Limits{ChatEvery: time.Second, ChatBurst: 2, AddrEvery: 10 * time.Second, AddrBurst: 2}, want: "That was a lot at once. Ask again in 10 seconds.", wait: 10 * time.Second, unheard: 9 * time.Second},
		{name: "both, the chat longer", lang: "en", limits: bot.Limits{ChatEvery: 20 * time.Second, ChatBurst: 1, AddrEvery: 10 * time.Second, AddrBurst: 2}, others: true, want: "That was a lot at once. Ask again in 20 seconds.", wait: 20 * time.Second, unheard: 19 * time.Second},
	} {
		c := newClock()
		b := bot.New(bot.Config{DB: db, Library: shared, Catalog: catalog, Now: c.now, Limits: test.limits, Channels: map[string]bot.Channel{"web": {Lang: "en"}}})
		m := bot.Message{Kind: bot.Tap, Chat: bot.ChatID{Channel: "web", ID: fmt.Sprint(i)}, Text: "/help", Lang: test.lang, Addr: "192.0.2.1"}
		if test.limits.AddrBurst == 0 {
			m.Addr = ""
		}
		burst := test.limits.ChatBurst
		if test.others {
			burst = test.limits.AddrBurst
			other := m
			other.Chat.ID = "other"
			for range burst - 1 {
				tell(t, b, other)
			}
			burst = 1
		}
		for range burst {
			if r := tell(t, b, m); len(r.Actions) == 0 {
				t.Fatalf("%s: refused at once: %q", test.name, r.Text)
			}
		}
		c.advance(test.after)
		if r := tell(t, b, m); r.Text != test.want || r.Lang != test.lang {
			t.Errorf("%s: %q in %s, want %q", test.name, r.Text, r.Lang, test.want)
		}
		c.advance(test.unheard)
		if r := tell(t, b, m); test.unheard > 0 && len(r.Actions) != 0 {
			t.Errorf("%s: heard after %s already", test.name, test.unheard)
		}
		c.advance(test.wait - test.unheard)
		if r := tell(t, b, m); len(r.Actions) == 0 {
			t.Errorf("%s: not heard after %s", test.name, test.wait)
		}
	}
}
