package scheduler_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"newsie/bot"
	"newsie/content"
	"newsie/scheduler"
)

// published is the house's article as the library has it, joined at a time.
func published(id int64, at time.Time) content.Article {
	return content.Article{ID: id, Title: "Tea", State: content.Published, Lang: "en", AddedSeq: id, Added: at}
}

// Every answer to "why did this reader get it, or not", each from a ledger that
// came to be that way.
func TestWhy(t *testing.T) {
	before := monday.Add(-time.Hour)
	sent := func(h *house, s *scheduler.Scheduler) { h.plan(s); h.deliver(s) }
	for i, test := range []struct {
		name    string
		do      func(h *house, s *scheduler.Scheduler)
		article content.Article
		verdict scheduler.Verdict
		code    string // of the first reason
		text    string // in it
	}{
		{"it was sent", sent, published(1, before), scheduler.Got, "delivery-sent", "was sent at 2026-05-04 10:00 Europe/Rome"},
		{"it comes with the next", nil, published(1, before), scheduler.Coming, "due", "is due since"},
		{"the next digest is tomorrow", func(h *house, s *scheduler.Scheduler) { sent(h, s); h.library.add("tea") }, published(2, monday.Add(time.Minute)), scheduler.Coming, "next", "at 2026-05-05 08:00 Europe/Rome, holds it"},
		{"its words do not match", func(h *house, _ *scheduler.Scheduler) { h.library.add("coffee") }, published(2, before), scheduler.NotGot, "words", "does not match: its words"},
		{"a word keeps it out", func(h *house, _ *scheduler.Scheduler) { h.exec("UPDATE follows SET query = 'tea -green'") }, published(1, before), scheduler.NotGot, "query-excludes", "“-green” keeps it out"},
		{"another language", func(h *house, _ *scheduler.Scheduler) { h.exec("UPDATE follows SET query = 'tea lang:it'") }, published(1, before), scheduler.NotGot, "query-language", `wants another language than "en"`},
		{"the channel serves other sources", func(h *house, s *scheduler.Scheduler) { h.exec("UPDATE follows SET channel = 'narrow'") }, published(1, before), scheduler.NotGot, "channel-sources", "the channel narrow serves only sources elsewhere"},
		{"it joined before the follow began", func(h *house, _ *scheduler.Scheduler) {
			h.exec("UPDATE follows SET since_seq = 1, created_at = ?", monday.UnixMilli())
		}, published(1, before), scheduler.NotGot, "before-follow", "the article joined before"},
		{"it is older than the ledger", func(h *house, s *scheduler.Scheduler) { sent(h, s); h.exec("DELETE FROM deliveries") }, published(1, before), scheduler.NotGot, "passed", "no digest that is still in the ledger"},
		{"and 12 more", func(h *house, s *scheduler.Scheduler) {
			for range 61 {
				h.library.add("tea")
			}
			sent(h, s)
		}, published(1, before), scheduler.NotGot, "more", "“and 12 more” beyond the best 50"},
		{"behind more", func(h *house, s *scheduler.Scheduler) { h.library.add("tea", "tea", "tea", "tea", "tea"); sent(h, s) }, published(1, before), scheduler.Got, "delivery-sent-beyond", "number 6 of 6; a digest shows 5 at first"},
		{"left out of its digest", func(h *house, s *scheduler.Scheduler) { sent(h, s); h.exec("UPDATE editions SET articles = '[9]'") }, published(1, before), scheduler.NotGot, "left-out", "the same story or title stood in it"},
		{"the slot was missed", func(h *house, s *scheduler.Scheduler) { h.pass(8 * time.Hour); h.plan(s) }, published(1, monday.Add(-3*time.Hour)), scheduler.Coming, "slot-missed", "newsie did not run then, nor within 6h after"},
		{"the follow is paused", func(h *house, _ *scheduler.Scheduler) {
			h.exec("UPDATE follows SET paused_until = ?", monday.AddDate(0, 0, 7).UnixMilli())
		}, published(1, before), scheduler.Coming, "follow-paused", "paused it until 2026-05-11 10:00 Europe/Rome"},
		{"the reader said stop", func(h *house, _ *scheduler.Scheduler) {
			h.exec("INSERT INTO chats (channel, id, state, since) VALUES ('tg', '1', 'stopped', 0)")
		}, published(1, before), scheduler.NotGot, "stopped", "The reader said “stop”"},
		{"the chat is suspended", func(h *house, _ *scheduler.Scheduler) {
			h.exec("INSERT INTO chats (channel, id, state, since) VALUES ('tg', '1', 'suspended', 0)")
			h.exec("UPDATE follows SET state = 'suspended'")
		}, published(1, before), scheduler.NotGot, "suspended", "could not be reached"},
		{"in doubt", func(h *house, s *scheduler.Scheduler) { h.platform.answer = fail(bot.ErrUnknown); sent(h, s) }, published(1, before), scheduler.InDoubt, "delivery-unknown", "nobody can tell whether it arrived"},
		{"held", func(h *house, s *scheduler.Scheduler) { h.platform.answer = fail(bot.ErrNotNow); sent(h, s) }, published(1, before), scheduler.Coming, "delivery-held", "waits for the reader's next message"},
		{"refused", func(h *house, s *scheduler.Scheduler) { h.platform.answer = fail(errBroken); sent(h, s) }, published(1, before), scheduler.NotGot, "delivery-failed", "failed at 2026-05-04 10:00 Europe/Rome: broken"},
		{"the follow has ended", func(h *house, s *scheduler.Scheduler) { sent(h, s); h.exec("DELETE FROM follows") }, published(1, before), scheduler.Got, "delivery-sent", "a follow that has ended (“tea”)"},
		{"the chat follows nothing", func(h *house, _ *scheduler.Scheduler) {
			h.exec("DELETE FROM follows")
			h.exec("INSERT INTO chats (channel, id, since) VALUES ('tg', '1', 0)")
		}, published(1, before), scheduler.NotGot, "no-follow", "follows nothing"},
		{"nobody knows the chat", func(h *house, _ *scheduler.Scheduler) { h.exec("DELETE FROM follows") }, published(1, before), scheduler.NotGot, "no-chat", "knows no chat 1"},
		{"it is withdrawn", nil, content.Article{ID: 1, Title: "Tea", State: content.Withdrawn, AddedSeq: 1, Added: before}, scheduler.NotGot, "article-hidden", "is not published (withdrawn)"},
		{"the index is behind", nil, published(7, before), scheduler.Coming, "index-behind", "The index has not come to this article"},
	} {
		t.Run(test.name, func(t *testing.T) {
			on := each
			if i%6 > 0 { // the rest of the questions are the same ones
				on = func(t *testing.T, test func(t *testing.T, h *house)) {
					test(t, newHouse(t, filepath.Join(t.TempDir(), "newsie.db")))
				}
			}
			on(t, func(t *testing.T, h *house) {
				s := h.replica(func(c *scheduler.Config) {
					c.Channels = append(c.Channels, scheduler.Channel{Name: "narrow", Sender: h.platform, Within: content.Filter{Sources: []string{"elsewhere"}}})
				})
				h.library.add("tea")
				h.follow("1", "tea", "0 8 * * *", "Europe/Rome", monday.Add(-2*time.Hour))
				if test.do != nil {
					test.do(h, s)
				}
				chat := one
				if h.int("SELECT COUNT(*) FROM follows WHERE channel = 'narrow'") > 0 {
					chat.Channel = "narrow"
				}
				why, err := s.Why(t.Context(), chat, test.article)
				if err != nil {
					t.Fatal(err)
				}
				if why.Verdict != test.verdict || len(why.Reasons) == 0 {
					t.Fatalf("%s: %+v, want %s", why.Verdict, why.Reasons, test.verdict)
				}
				if r := why.Reasons[0]; r.Code != test.code || !strings.Contains(r.Text, test.text) {
					t.Errorf("%s: %q, want %s: %q", r.Code, r.Text, test.code, test.text)
				}
			})
		})
	}
}

// What everybody on the channel got is told beside.
func TestWhyTellsOfMessagesToEverybody(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		h.library.add("tea")
		h.follow("*@news", "tea", "0 8 * * *", "UTC", monday)
		h.plan(s)
		h.deliver(s)
		why, err := s.Why(t.Context(), one, published(1, monday))
		if err != nil {
			t.Fatal(err)
		}
		last := why.Reasons[len(why.Reasons)-1]
		if why.Verdict != scheduler.NotGot || last.Code != "audience" || !strings.Contains(last.Text, "took it to @news on tg: it is sent") {
			t.Errorf("%s: %+v", why.Verdict, why.Reasons)
		}
	})
}
