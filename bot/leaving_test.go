package bot_test

import (
	"context"
	"strings"
	"testing"

	"newsie/bot"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
	"newsie/internal/locale"
)

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
