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

func TestATopicHasSoManyCharacters(t *testing.T) {
	db, c := databasetest.SQLite(t), newClock()
	b := newBot(t, db, c)
	for i, test := range []struct {
		topic string
		fits  bool
	}{
		{strings.Repeat("茶", 40), true},
		{strings.Repeat("茶", 41), false},
		{strings.Repeat("茶", 92) + " lang:en", true},
		{strings.Repeat("茶", 93) + " lang:en", false},
	} {
		r := say(t, b, bot.ChatID{Channel: "web", ID: fmt.Sprint(i)}, "follow "+test.topic)
		if followed := count(t, db, "SELECT count(*) FROM follows WHERE chat = ?", fmt.Sprint(i)) == 1; followed != test.fits {
			t.Errorf("%d characters: %t, %q", len([]rune(test.topic)), followed, r.Text)
		}
	}
}

// A follow that was kept before queries had one form is the same topic still.
func TestFollowsKeptBeforeAreKnown(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock()
		b := newBot(t, db, c)
		chat := bot.ChatID{Channel: "web", ID: "r"}
		say(t, b, chat, "follow chat lang:it weekdays 7:30")
		if _, err := db.ExecContext(t.Context(), `UPDATE follows SET query = 'lang:IT chat', topic = 'lang:IT chat'`); err != nil {
			t.Fatal(err)
		}
		if r := say(t, b, chat, "follow chat lingua:italiano"); !strings.Contains(r.Text, "already") || !strings.Contains(r.Text, "7:30") {
			t.Errorf("followed again: %q", r.Text)
		}
		if r := say(t, b, chat, "pause chat lang:it for 3 days"); !strings.Contains(r.Text, "now pauses until") {
			t.Errorf("paused: %q", r.Text)
		}
		if r := say(t, b, chat, "unfollow chat lang:it"); count(t, db, "SELECT count(*) FROM follows") != 0 {
			t.Errorf("unfollowed: %q", r.Text)
		}
	})
}

// Where digests begin with the archive, a new follow is offered what is there.
func TestAFirstDigestFromTheArchive(t *testing.T) {
	db, c := databasetest.SQLite(t), newClock()
	catalog, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	b := bot.New(bot.Config{DB: db, Library: library(t, db, c.now), Catalog: catalog, Channels: map[string]bot.Channel{"old": {FromArchive: true}, "new": {}}, Now: c.now})
	for channel, want := range map[string]int{"old": 0, "new": 8} {
		say(t, b, bot.ChatID{Channel: channel, ID: "r"}, "follow commerce")
		if got := count(t, db, "SELECT since_seq FROM follows WHERE channel = ?", channel); got != want {
			t.Errorf("%s: offered from %d on, want %d", channel, got, want)
		}
	}
}

// A pause ends before what comes at its very end.
func TestWhatComesWhenAPauseEndsComes(t *testing.T) {
	db, c := databasetest.SQLite(t), newClock()
	b := newBot(t, db, c)
	chat := bot.ChatID{Channel: "web", ID: "r"}
	say(t, b, chat, "follow commerce 0 0 * * *")
	say(t, b, chat, "pause until 2026-11-25")
	if got, want := count(t, db, "SELECT next_due_at FROM follows"), time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC).UnixMilli(); int64(got) != want {
		t.Errorf("comes next at %s, want %s", time.UnixMilli(int64(got)).UTC(), time.UnixMilli(want).UTC())
	}
}

// What waits for something to come is not woken by it while it is paused.
func TestAPauseEndsWaiting(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock()
		b := newBot(t, db, c)
		chat := bot.ChatID{Channel: "web", ID: "r"}
		say(t, b, chat, "follow commerce as it happens")
		for _, text := range []string{"pause for a week", "resume", "follow commerce weekdays 7:30"} {
			if _, err := db.ExecContext(t.Context(), "UPDATE follows SET waits = 1"); err != nil {
				t.Fatal(err)
			}
			c.advance(time.Minute)
			say(t, b, chat, text)
			if count(t, db, "SELECT waits FROM follows") != 0 {
				t.Errorf("it waits after %q", text)
			}
		}
	})
}
