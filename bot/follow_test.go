package bot_test

import (
	"fmt"
	"testing"
	"time"

	"newsie/bot"
	"newsie/internal/database/databasetest"
)

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
