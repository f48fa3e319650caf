package main_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"newsie/bot/telegram/telegramtest"
)

// A reader of two topics gets one message, leafs through all of it, changes a
// time and stops a topic by its buttons; and when the connection breaks after the
// server took the next one, it is listed for both topics and not sent again.
func TestADigestOfTwoTopics(t *testing.T) {
	each(t, func(t *testing.T, in *installation) {
		telegram := telegramtest.Start(t, telegramtest.Options{})
		chat := telegram.Chat(7)
		slot := time.Now().UTC().Add(-10 * time.Minute)
		in.write("newsie.yaml", fmt.Sprintf("listen: %s\npublic_url: https://news.example.org\nchannels:\n  tg: {kind: telegram, token: %q, api_url: %q, zone: UTC, first_digest: archive, rich: off}\n",
			freeAddress(t), telegram.Token(), telegram.URL()))
		for i := range 14 {
			in.write(fmt.Sprintf("library/shop-%d.md", i), fmt.Sprintf("---\ntitle: Shop %s opens\ndate: 2026-01-%02d\n---\nA place of commerce number %d sells %s to whoever comes by.\n",
				names[i], i+1, i, names[i]))
		}
		for i := range 3 {
			in.write(fmt.Sprintf("library/tea-%d.md", i), fmt.Sprintf("---\ntitle: The %s harvest\ndate: 2026-02-%02d\n---\nThis tea of the %s is picked by hand, leaf by leaf.\n", names[i], i+1, names[i]))
		}
		in.must("import", "library")
		server := in.serve()
		for _, topic := range []string{"commerce", "tea"} {
			sayTelegram(t, chat, fmt.Sprintf("follow %s daily %s", topic, slot.Format("15:04")))
		}
		db := in.open()
		due := func() {
			t.Helper()
			if _, err := db.ExecContext(t.Context(), "UPDATE follows SET since_seq = 0, next_due_at = ?, last_slot = ''", slot.Truncate(time.Minute).UnixMilli()); err != nil {
				t.Fatal(err)
			}
		}
		before := len(chat.Answers())
		due()
		in.until("both digests are sent", func() bool { return in.deliveries("tg", "sent") == 2 })
		if n := len(chat.Answers()) - before; n != 1 {
			t.Fatalf("%d messages for two topics", n)
		}
		digest := chat.Answers()[before]
		for _, words := range []string{"Your digest: commerce, tea · 17 new articles", "\ncommerce\n", "\ntea\n", "\n10. "} {
			if !strings.Contains(digest.Text, words) {
				t.Errorf("the digest lacks %q:\n%s", words, digest.Text)
			}
		}
		if got := fmt.Sprint(digest.Labels()[10:]); got != "[and 7 more › Change the time Stop one of them]" {
			t.Errorf("its buttons are %v", digest.Labels())
		}

		tap := func(message int64, label, want string) telegramtest.Message {
			t.Helper()
			if _, err := chat.TapOn(message, label); err != nil {
				t.Fatal(err)
			}
			var got telegramtest.Message
			in.until(label+" is answered with "+want, func() bool {
				for _, m := range chat.Answers() {
					if strings.Contains(m.Text, want) {
						got = m
						return true
					}
				}
				return false
			})
			return got
		}
		page := tap(digest.ID, "and 7 more", "11–15")
		if page.ID != digest.ID || !strings.Contains(page.Text, "\ncommerce\n") {
			t.Errorf("the next page is message %d:\n%s", page.ID, page.Text)
		}
		page = tap(digest.ID, "More", "16–17")
		if !strings.Contains(fmt.Sprint(page.Labels()), "Change the time Stop one of them") {
			t.Errorf("the last page has the buttons %v", page.Labels())
		}
		which := tap(digest.ID, "Change the time", "Which digest")
		tap(which.ID, "tea", "When shall “tea” come?")
		stop := tap(digest.ID, "Stop one of them", "You follow:")
		tap(stop.ID, "Unfollow “tea”", "that follow is ended")
		if n := count(t, db, "SELECT COUNT(*) FROM follows"); n != 1 {
			t.Errorf("%d follows are left, want commerce", n)
		}

		sayTelegram(t, chat, fmt.Sprintf("follow tea daily %s", slot.Format("15:04")))
		before = len(chat.Answers())
		telegram.Fail("sendMessage", telegramtest.ResetAfter)
		if _, err := db.ExecContext(t.Context(), "UPDATE deliveries SET slot = 'yesterday ' || id"); err != nil {
			t.Fatal(err)
		}
		due()
		in.until("both digests are in doubt", func() bool { return in.deliveries("tg", "unknown") == 2 })
		server.kill()
		in.serve()
		if out := in.must("digest", "deliveries", "--state", "unknown"); strings.Count(out, "\n") != 3 {
			t.Errorf("what is in doubt is listed as\n%s", out)
		}
		if out, _, _ := in.run("doctor", "--offline"); !strings.Contains(out, "2 deliveries are in doubt") {
			t.Errorf("doctor says\n%s", out)
		}
		sayTelegram(t, chat, "help") // it works on
		if n := len(chat.Answers()) - before; n != 2 {
			t.Errorf("%d messages, want the digest and the help", n)
		}
	})
}

var names = []string{"Amber", "Birch", "Cedar", "Dahlia", "Elder", "Fennel", "Ginger", "Hazel", "Indigo", "Juniper", "Koala", "Lotus", "Mango", "Nutmeg"}
