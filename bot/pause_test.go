package bot_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"newsie/bot"
	"newsie/content"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
	"newsie/internal/locale"
	"newsie/scheduler/timetable"
)

func TestAPauseOutlivesChangesOfZoneAndTime(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock()
		b := newBot(t, db, c)
		chat := bot.ChatID{Channel: "web", ID: "a"}
		chats := bot.NewChats(db, c.now)
		say := func(text string) bot.Reply {
			t.Helper()
			reply, err := b.Handle(t.Context(), bot.Message{Kind: bot.Text, Chat: chat, Text: text, Lang: "en"})
			if err != nil {
				t.Fatal(err)
			}
			return reply
		}
		next := func() string {
			t.Helper()
			follows, err := chats.Follows(t.Context(), chat)
			if err != nil || len(follows) != 1 {
				t.Fatalf("%d follows, %v", len(follows), err)
			}
			return time.UnixMilli(follows[0].NextDueAt).UTC().Format("01-02 15:04")
		}
		end := c.now().AddDate(0, 0, 7)
		day := func(at time.Time) string { return at.UTC().Format("01-02") }
		say("follow tea daily 8:00")
		say("pause for a week") // until 9:00
		after := end.AddDate(0, 0, 1)
		for _, step := range []struct{ text, want string }{
			{"following", day(after) + " 08:00"},
			{"follow tea daily 10:00", day(end) + " 10:00"},
			{"time zone Shanghai", day(after) + " 02:00"},
			{"resume", day(c.now().AddDate(0, 0, 1)) + " 02:00"},
			{"follow tea as it happens", day(c.now()) + " " + c.now().UTC().Format("15:04")},
			{"pause tea for 3 days", day(c.now().AddDate(0, 0, 3)) + " " + c.now().UTC().Format("15:04")},
			{"time zone UTC", day(c.now().AddDate(0, 0, 3)) + " " + c.now().UTC().Format("15:04")},
		} {
			say(step.text)
			if got := next(); got != step.want {
				t.Errorf("after %q next at %s, want %s", step.text, got, step.want)
			}
		}
		// Blocked and come back, it still pauses.
		state := func() (state string) {
			t.Helper()
			if err := db.NewRaw("SELECT state FROM follows").Scan(t.Context(), &state); err != nil {
				t.Fatal(err)
			}
			return state
		}
		if err := chats.Suspend(t.Context(), chat); err != nil {
			t.Fatal(err)
		}
		if got := state(); got != "suspended" {
			t.Errorf("blocked, the follow is %s", got)
		}
		if _, err := b.Handle(t.Context(), bot.Message{Kind: bot.Join, Chat: chat, Lang: "en"}); err != nil {
			t.Fatal(err)
		}
		if text := say("following").Text; !strings.Contains(text, "paused until") {
			t.Errorf("after a return: %s", text)
		}
		if got := state(); got != "active" {
			t.Errorf("after a return the follow is %s", got)
		}
		if say("stop"); fmt.Sprint(chats.Follows(t.Context(), chat)) != "[] <nil>" {
			t.Error("stop left a paused follow")
		}
	})
}

// What comes at most every three hours comes no sooner because the reader paused
// it, or followed it again, meanwhile.
func TestAsItHappensKeepsItsDistance(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock()
		b, chats := newBot(t, db, c), bot.NewChats(db, c.now)
		chat := bot.ChatID{Channel: "web", ID: "r"}
		due := func() time.Time {
			t.Helper()
			list, err := chats.Follows(t.Context(), chat)
			if err != nil || len(list) != 1 {
				t.Fatal(list, err)
			}
			return time.UnixMilli(list[0].NextDueAt).UTC()
		}
		planned := c.at
		say(t, b, chat, "follow commerce as it happens at most every 3 hours")
		if got := due(); !got.Equal(c.at) {
			t.Errorf("a new one is due at %s, want now, %s", got, c.at)
		}
		// As the planner leaves one that got its digest.
		exec := func(query string, args ...any) {
			t.Helper()
			if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
				t.Fatal(err)
			}
		}
		exec("UPDATE follows SET last_slot = ?, next_due_at = ?", planned.Format(timetable.WallLayout)+"Z", planned.Add(3*time.Hour).UnixMilli())
		for _, text := range []string{"pause for a day", "resume", "follow commerce as it happens at most every 3 hours", "time zone Tokyo"} {
			c.advance(time.Minute)
			say(t, b, chat, text)
			want := planned.Add(3 * time.Hour)
			if text == "pause for a day" {
				want = c.at.AddDate(0, 0, 1)
			}
			if got := due(); !got.Equal(want) {
				t.Errorf("after %q: due at %s, want %s", text, got, want)
			}
		}
		say(t, b, chat, "follow commerce as it happens at most every 6 hours")
		if got, want := due(), planned.Add(6*time.Hour); !got.Equal(want) {
			t.Errorf("with another distance: due at %s, want %s", got, want)
		}
		// One that waits for something got nothing in so long.
		exec("UPDATE follows SET waits = 1")
		c.advance(time.Minute)
		say(t, b, chat, "follow commerce as it happens at most every 3 hours")
		if got := due(); !got.Equal(c.at) {
			t.Errorf("one that waits is due at %s, want now, %s", got, c.at)
		}
	})
}

// What begins as a command and goes on as none is still a question where an
// article has those words.
func TestAPauseThatArticlesTellOfIsAQuestion(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock()
		catalog, err := locale.Load()
		if err != nil {
			t.Fatal(err)
		}
		l := library(t, db, c.now)
		for i, title := range []string{"The pause button", "A pause for thought", "Pause for 3 years, then run"} {
			if _, _, err := l.Add(t.Context(), content.Article{Source: "test", Key: title, Title: title, Lang: "en", Published: c.at.AddDate(0, 0, -i), Hash: title}, nil); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := l.Follow(t.Context()); err != nil {
			t.Fatal(err)
		}
		b := bot.New(bot.Config{DB: db, Library: l, Catalog: catalog, Name: "Lantern", Now: c.now,
			Channels: map[string]bot.Channel{"web": {Lang: "en", Zone: "UTC", MinInterval: time.Hour}}})
		chat := bot.ChatID{Channel: "web", ID: "r"}
		for _, test := range []struct {
			said     string
			question bool
		}{
			{"pause button", true}, {"Pause button?", true}, {"pause for thought", true}, {"pause banana", false}, {"pause thought", false},
			{"pause for 3 years", false},                                                // is a time, whatever there is to read
			{"resume button", false}, {"resume commerce that a small shop wants", true}, // so many words are no follow's name
		} {
			reply := say(t, b, chat, test.said)
			if got := len(reply.Groups) > 0; got != test.question {
				t.Errorf("%q is a question: %t, want %t: %s", test.said, got, test.question, reply.Text)
			}
		}
	})
}
