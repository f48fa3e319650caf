package bot_test

import (
	"fmt"
	"strings"
	"testing"

	"newsie/bot"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
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
