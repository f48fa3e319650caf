package bot_test

import (
	"fmt"
	"testing"

	"newsie/bot"
	"newsie/internal/database/databasetest"
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
