package bot_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"newsie/bot"
	"newsie/internal/database/databasetest"
	"newsie/internal/locale"
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

func TestATimeThatIsNotUnderstoodIsAskedAbout(t *testing.T) {
	db := databasetest.SQLite(t)
	b := newBot(t, db, newClock())
	for _, text := range []string{
		"follow commerce at 25:99", "follow commerce every 1 second", "follow commerce every second", "follow commerce every 30 seconds",
		"follow commerce each 5 secs", "follow commerce every one second", "follow commerce every 400 years",
		"segui commercio alle 1 secondo", "segui commercio ogni 1 secondo", "segui commercio ogni secondo", "segui commercio ogni dieci secondi",
		"关注 电商 每1秒", "关注电商每秒", "关注 电商 每隔３０秒", "關注 電商 每秒鐘", "关注电商每十秒一次",
	} {
		r := say(t, b, bot.ChatID{Channel: "web", ID: text}, text)
		if n := count(t, db, "SELECT count(*) FROM follows"); n != 0 {
			t.Fatalf("%s is followed: %q", text, r.Text)
		}
		if !strings.Contains(r.Text, "cron") && !strings.Contains(r.Text, "8:00") {
			t.Errorf("%s: %q", text, r.Text)
		}
	}
	for i, text := range []string{"follow second hand shops", "follow minute repeaters", "segui secondo tempo", "关注 秒杀", "关注每日优鲜 每天 8:00", "follow every man daily 8:00"} {
		r := say(t, b, bot.ChatID{Channel: "web", ID: text}, text)
		if n := count(t, db, "SELECT count(*) FROM follows"); n != i+1 {
			t.Fatalf("%s is not followed: %q", text, r.Text)
		}
	}
}

func TestEverythingHasOneName(t *testing.T) {
	db, c := databasetest.SQLite(t), newClock()
	b := newBot(t, db, c)
	catalog, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range locale.Languages() {
		name := catalog.Printer(lang).T("scheduler.everything") // as its digests say
		for i, topic := range []string{"*", "everything", "tutto", "全部", name} {
			chat := bot.ChatID{Channel: "tg", ID: fmt.Sprint(lang, i)}
			ask := func(text string) bot.Reply {
				c.advance(time.Minute)
				return tell(t, b, bot.Message{Kind: bot.Tap, Chat: chat, Text: text, Lang: lang})
			}
			payload, _ := bot.Payload{Topic: topic}.Encode()
			replies := []bot.Reply{ask("/unfollow " + topic), ask("/start " + payload), ask("/follow " + topic + " 0 * * * *"), ask("/follow " + topic), ask("/following")}
			unfollow := replies[2].Actions[0]
			replies = append(replies, ask(strings.Replace(unfollow.Text, "/unfollow", "/when", 1)))
			if got := count(t, db, "SELECT count(*) FROM follows WHERE query = '*' AND topic = '*' AND chat = ?", chat.ID); got != 1 {
				t.Fatalf("%s: %s is no follow of everything", lang, topic)
			}
			for _, r := range replies {
				said := r.Text
				for _, a := range r.Actions {
					said += "\n" + a.Label
				}
				if !strings.Contains(said, name) || strings.Contains(said, "*") || topic != name && strings.Contains(strings.ReplaceAll(said, name, ""), topic) {
					t.Errorf("%s: %s is called %q, want %q", lang, topic, said, name)
				}
			}
			c.advance(time.Minute)
			tell(t, b, bot.Message{Kind: bot.Text, Chat: chat, Text: unfollow.Label, Lang: lang})
			if got := count(t, db, "SELECT count(*) FROM follows WHERE chat = ?", chat.ID); got != 0 {
				t.Errorf("%s: who types %q follows on", lang, unfollow.Label)
			}
		}
	}
}
