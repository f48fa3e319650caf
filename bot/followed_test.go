package bot_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"newsie/bot"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

func TestWhatIsFollowedIsCountedByTopicAndLanguage(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		chats := bot.NewChats(db, time.Now)
		follow := func(channel, chat, query, lang string, next int64, more string) {
			t.Helper()
			_, err := db.ExecContext(t.Context(), `INSERT INTO follows (channel, chat, topic, query, lang, spec, zone, next_due_at, since_seq, created_at)
				VALUES (?, ?, ?, ?, ?, '0 8 * * *', 'UTC', ?, 0, 0)`, channel, chat, query, query, lang, next)
			if err == nil && more != "" {
				_, err = db.ExecContext(t.Context(), "UPDATE follows SET "+more+" WHERE channel = ? AND chat = ? AND query = ?", channel, chat, query)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		follow("tg", "1", "tea", "en", 4000, "")
		follow("tg", "2", "tea", "en", 3000, "")
		follow("web", "3", "tea", "en", 1000, "waits = 1")
		follow("web", "4", "tea", "en", 500, "state = 'ended'")
		follow("tg", "5", "tea", "it", 9000, "")
		follow("tg", "*@place", "tea", "it", 8000, "")
		follow("tg", "6", "art", "it", 1, "waits = 1")
		follow("tg", "7", "art", "it", 1, "waits = 1")
		shown := func(limit int) string {
			list, err := chats.Followed(t.Context(), limit)
			if err != nil {
				t.Fatal(err)
			}
			var lines []string
			for _, f := range list {
				next := int64(0)
				if !f.Next.IsZero() {
					next = f.Next.UnixMilli()
				}
				lines = append(lines, fmt.Sprintf("%s %s %d %v %d", f.Topic, f.Lang, f.Followers(), f.Channels, next))
			}
			return strings.Join(lines, "; ")
		}
		const want = "tea en 3 [{tg 2 0} {web 1 0}] 3000; art it 2 [{tg 2 0}] 0; tea it 1 [{tg 1 1}] 8000"
		if got := shown(10); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if got, want := shown(1), "tea en 3 [{tg 2 0} {web 1 0}] 3000"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		for filter, want := range map[bot.FollowFilter]string{
			{}:             "6 7 3 2 1 *@place 5",
			{Query: "tea"}: "3 2 1 *@place 5",
			{Chat: bot.ChatID{Channel: "tg", ID: "5"}}:               "5",
			{Chat: bot.ChatID{Channel: "web", ID: "5"}}:              "",
			{Chat: bot.ChatID{Channel: "tg", ID: "5"}, Query: "art"}: "",
		} {
			list, err := chats.Listed(t.Context(), filter, 10)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range list {
				got = append(got, f.Chat)
			}
			if strings.Join(got, " ") != want {
				t.Errorf("%+v: %v, want %s", filter, got, want)
			}
		}
	})
}
