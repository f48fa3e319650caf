package main_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"newsie/bot/telegram/telegramtest"
)

const postsConfig = `
name: The Lantern
listen: %[1]s
public_url: https://news.example.org
channels:
  tg:
    kind: telegram
    token: "%[2]s"
    api_url: "%[3]s"
    zone: UTC
    first_digest: archive
    posts:
      - {to: "@the_lantern", schedule: "%[4]s", topic: commerce, articles: 1}
      - {to: "@the_lantern", schedule: "%[4]s", topic: tea, language: it}
      - {to: -100300:5, schedule: "%[4]s"}
      - {to: "@elsewhere", schedule: "%[4]s"}
publisher: {channel: tg, chat: "7"}
`

// A channel and a forum's topic get what the publisher's schedules say, once,
// and without anything that is one reader's; one that nobody can tell of is listed
// and not sent again; one that the bot may not write to is told to the publisher.
func TestPostsGoOutAtTheirTime(t *testing.T) {
	each(t, func(t *testing.T, in *installation) {
		telegram := telegramtest.Start(t, telegramtest.Options{})
		channel, forum, publisher := telegram.Channel(-100200, "the_lantern"), telegram.Supergroup(-100300, 5), telegram.Chat(7)
		slot := time.Now().UTC().Add(-10 * time.Minute)
		in.write("newsie.yaml", fmt.Sprintf(postsConfig, freeAddress(t), telegram.Token(), telegram.URL(), slot.Format("4 15 * * *")))
		in.write("library/market.md", "---\ntitle: The Saturday market takes phones\ndate: 2026-01-10\ntags: [commerce]\n---\nAt six the square fills with stalls of commerce. The fishmonger has hung a code on his scale, and half of his customers pay with the phone.\n")
		in.write("library/shop.md", "---\ntitle: A shop that never closes\ndate: 2026-01-11\ntags: [commerce]\n---\nThe new kind of commerce needs no keeper. Nobody stands behind the till at night, and the door opens to who has paid before.\n")
		in.write("library/tea.md", "---\ntitle: Tea on the night train\ndate: 2026-02-01\n---\nThe attendant brings tea at ten in a glass with a metal holder. The water comes from a samovar at the end of the carriage.\n")
		in.must("import", "library")

		server := in.serve()
		if out := in.must("digest", "follows", "--chats"); strings.Count(out, "(to @the_lantern)") != 2 || !strings.Contains(out, "everything (to -100300:5)") {
			t.Errorf("the schedules are listed as\n%s", out)
		}
		// Today's time has come: as if newsie had been down ten minutes ago.
		db := in.open()
		if _, err := db.ExecContext(t.Context(), "UPDATE follows SET next_due_at = ?", slot.Truncate(time.Minute).UnixMilli()); err != nil {
			t.Fatal(err)
		}
		in.until("all posts have their results", func() bool { return in.deliveries("tg", "sent") == 3 && in.deliveries("tg", "failed") == 1 })

		posts := channel.Answers()
		if len(posts) != 1 {
			t.Fatalf("the channel has %d posts", len(posts))
		}
		if got := strings.SplitN(posts[0].Text, "\n", 2)[0]; got != "3 new articles" {
			t.Errorf("its title is %q", got)
		}
		for _, words := range []string{"\ncommerce\n", "\ntea\n", "Tea on the night train"} {
			if !strings.Contains(posts[0].Text, words) {
				t.Errorf("the post lacks %q:\n%s", words, posts[0].Text)
			}
		}
		if strings.Contains(posts[0].Text, "1. ") {
			t.Errorf("the post has numbers:\n%s", posts[0].Text)
		}
		if len(posts[0].Buttons) != 1 || len(posts[0].Buttons[0]) != 1 || posts[0].Buttons[0][0].URL != "https://news.example.org/" || posts[0].Buttons[0][0].Text != "and 1 more" {
			t.Errorf("its buttons are %+v", posts[0].Buttons)
		}
		if posts = forum.Answers(); len(posts) != 1 || posts[0].Thread != 5 || len(posts[0].Buttons) != 0 {
			t.Errorf("the forum has %+v", posts)
		}
		var told string
		in.until("the publisher hears of the channel that is not the bot's", func() bool {
			for _, m := range publisher.Answers() {
				told += m.Text
			}
			return told != ""
		})
		if !strings.Contains(told, "could not post to @elsewhere") || !strings.Contains(told, "make the bot an administrator there") {
			t.Errorf("the publisher was told %q", told)
		}
		if out := in.must("digest", "deliveries", "--state", "failed"); !strings.Contains(out, " tg/@elsewhere ") {
			t.Errorf("the failure is listed as %s", out)
		}

		// A restart sends nothing again.
		server.kill()
		server = in.serve()
		in.until("the schedules are kept", func() bool {
			return count(t, db, "SELECT COUNT(*) FROM follows WHERE next_due_at > ?", time.Now().UnixMilli()) == 4
		})

		// The connection breaks after the server took the post.
		telegram.Fail("sendMessage", telegramtest.ResetAfter)
		for _, earlier := range []string{"UPDATE editions SET edition_key = 'yesterday ' || id", "UPDATE deliveries SET slot = 'yesterday ' || id"} {
			if _, err := db.ExecContext(t.Context(), earlier); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := db.ExecContext(t.Context(), "UPDATE follows SET since_seq = 0, next_due_at = ?, last_slot = '' WHERE chat = '*-100300:5'", slot.Truncate(time.Minute).UnixMilli()); err != nil {
			t.Fatal(err)
		}
		in.until("the post is in doubt", func() bool { return in.deliveries("tg", "unknown") == 1 })
		server.kill()
		in.serve()
		if out := in.must("digest", "deliveries", "--state", "unknown"); !strings.Contains(out, " tg/-100300:5 ") {
			t.Errorf("what is in doubt is listed as %s", out)
		}
		out, _, _ := in.run("doctor", "--offline")
		if !strings.Contains(out, "1 delivery is in doubt") || !strings.Contains(out, "newsie deliveries --state unknown") {
			t.Errorf("doctor says\n%s", out)
		}
		in.until("a plan and a recovery after the restart", func() bool {
			return count(t, db, "SELECT COUNT(*) FROM follows WHERE next_due_at > ?", time.Now().UnixMilli()) == 4
		})
		if n := len(forum.Answers()); n != 2 {
			t.Errorf("the forum has %d posts, want the two that were sent", n)
		}
		if n := in.deliveries("tg", "unknown"); n != 1 {
			t.Errorf("%d are in doubt after the restart, want 1", n)
		}
	})
}
