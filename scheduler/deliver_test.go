package scheduler_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"newsie/bot"
	"newsie/scheduler"
)

// planned makes n chats whose digest is planned.
func (h *house) planned(s *scheduler.Scheduler, n int) {
	h.t.Helper()
	h.library.add("tea")
	for i := range n {
		h.follow(fmt.Sprint(i+1), "tea", "0 8 * * *", "UTC", monday)
	}
	h.plan(s)
}

func TestADigestArrives(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		id := h.follow("1", "tea", "0 8 * * *", "UTC", monday)
		h.library.add("tea", "tea", "tea", "tea", "tea", "tea", "tea")
		h.plan(s)
		h.library.withdraw(6)
		h.deliver(s)
		want := []bot.Outgoing{{
			Key: "newsie-1", To: bot.ChatID{Channel: "tg", ID: "1"}, Topic: "tea", Articles: []int64{7, 5, 4, 3, 2, 1}, Delivery: 1,
			Reply: bot.Reply{
				Lang: "en", Text: "Your digest: tea · 6 new articles",
				Groups: []bot.Group{{Cards: []bot.Card{
					{Number: 1, Article: 7, Title: "Article 7", Open: "/read 7"}, {Number: 2, Article: 5, Title: "Article 5", Open: "/read 5"},
					{Number: 3, Article: 4, Title: "Article 4", Open: "/read 4"}, {Number: 4, Article: 3, Title: "Article 3", Open: "/read 3"},
					{Number: 5, Article: 2, Title: "Article 2", Open: "/read 2"},
				}}},
				Actions: []bot.Action{
					{Label: "and 1 more", Text: "/more 1 2", Role: bot.PageOn}, {Label: "Change the time", Text: "/when 1"},
					{Label: "Stop this digest", Text: fmt.Sprintf("/unfollow %d", id)},
				},
			},
		}}
		if diff := cmp.Diff(want, h.platform.got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		if diff := cmp.Diff([]string{"tg/1 digest tea [7 5 4 3 2 1] 5"}, h.lists.made); diff != "" {
			t.Errorf("lists (-want +got):\n%s", diff)
		}
		h.wantStates("sent 1")
		if got := h.text("SELECT way || ' ' || provider_id || ' ' || attempt FROM deliveries"); got != "message p1 1" {
			t.Errorf("settled as %q", got)
		}
		h.deliver(s)
		if len(h.platform.got) != 1 {
			t.Errorf("sent %d times", len(h.platform.got))
		}
	})
}

func TestNobodyOrNothingLeft(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		h.planned(s, 3)
		h.library.add("coffee", "coffee")
		h.follow("4", "coffee", "0 8 * * *", "UTC", monday)
		h.plan(s)
		h.exec("DELETE FROM follows WHERE chat = '1'")
		h.exec("UPDATE follows SET state = 'suspended' WHERE chat = '2'")
		h.exec("INSERT INTO chats (channel, id, state, since) VALUES ('tg', '3', 'stopped', 0)")
		h.library.withdraw(2)
		h.library.withdraw(3)
		h.deliver(s)
		h.wantStates("cancelled 4")
		if got := h.text("SELECT " + h.joined("error", "; ") + " FROM (SELECT error FROM deliveries ORDER BY id) AS e"); got != strings.Repeat("nobody wants it any more; ", 3)+"its articles were withdrawn" {
			t.Errorf("the reasons are %s", got)
		}
		if len(h.platform.got) != 0 {
			t.Errorf("sent %v", h.platform.received())
		}
	})
}

func TestWhatBecomesOfAMessage(t *testing.T) {
	retry := &bot.RetryError{After: 30 * time.Second, Err: errBroken}
	for _, test := range []struct {
		name   string
		err    error
		policy scheduler.Policy
		want   string
		later  string // after an hour and another try
	}{
		{"gone", fmt.Errorf("403: %w", bot.ErrGone), "", "gone 1", "gone 1"},
		{"not now", bot.ErrNotNow, "", "held 1", "held 1"},
		{"refused for good", errBroken, "", "failed 1", "failed 1"},
		{"told to wait", retry, "", "planned 1", "sent 1"},
		{"the whole channel told to wait", &bot.RetryError{After: 30 * time.Second, All: true, Err: errBroken}, "", "planned 1", "sent 1"},
		{"a wrong token", &bot.ConfigError{Channel: "tg", Advice: "set it", Err: errBroken}, "", "planned 1", "sent 1"},
		{"moved", &bot.MovedError{To: bot.ChatID{Channel: "tg", ID: "-100"}}, "", "sent 1", "sent 1"},
		{"unknown, skip", bot.ErrUnknown, scheduler.Skip, "unknown 1", "unknown 1"},
		{"unknown, resend", bot.ErrUnknown, scheduler.Resend, "planned 1", "sent 1"},
		{"timed out, skip", context.DeadlineExceeded, scheduler.Skip, "unknown 1", "unknown 1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			each(t, func(t *testing.T, h *house) {
				s := h.replica(func(c *scheduler.Config) { c.Channels[0].InDoubt = test.policy })
				h.planned(s, 1)
				h.platform.answer = failOnce(test.err)
				h.platform.tries = map[string]int{"-100": 1}
				h.deliver(s)
				h.wantStates(test.want)
				h.pass(time.Hour)
				h.deliver(s)
				h.wantStates(test.later)
			})
		})
	}
}

func TestAPanickingSenderLeavesDoubt(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		h.planned(s, 2)
		h.platform.answer = func(_ context.Context, o bot.Outgoing, _ int) (bot.Receipt, error) {
			if o.To.ID == "1" {
				panic("oh")
			}
			return bot.Receipt{}, nil
		}
		h.deliver(s)
		h.wantStates("sent 1, unknown 1")
	})
}

// A chat that took no answer would take no digest either.
func TestAChatThatTookNoAnswerIsSuspendedUntilItIsHeard(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		h.library.add("tea")
		h.exec("INSERT INTO chats (channel, id, since) VALUES ('tg', '1', 0), ('tg', '2', 0)")
		h.follow("1", "tea", "0 8 * * *", "UTC", monday)
		h.follow("2", "tea", "0 8 * * *", "UTC", monday)
		h.plan(s)
		if err := s.Suspend(t.Context(), bot.ChatID{Channel: "tg", ID: "1"}); err != nil {
			t.Fatal(err)
		}
		h.deliver(s)
		h.wantStates("gone 1, sent 1")
		if got := h.text("SELECT state FROM follows WHERE chat = '1'") + " " + h.text("SELECT state FROM chats WHERE id = '1'") + " " +
			h.text("SELECT state FROM follows WHERE chat = '2'"); got != "suspended suspended active" {
			t.Errorf("follow, chat and another's follow are %s", got)
		}
		if err := bot.NewChats(h.db, h.clock).Resume(t.Context(), bot.ChatID{Channel: "tg", ID: "1"}); err != nil {
			t.Fatal(err)
		}
		if got := h.text("SELECT state FROM follows WHERE chat = '1'") + " " + h.text("SELECT state FROM chats WHERE id = '1'"); got != "active active" {
			t.Errorf("heard again, follow and chat are %s", got)
		}
	})
}

func TestAGoneChatIsSuspended(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		h.library.add("tea coffee")
		h.exec("INSERT INTO chats (channel, id, since) VALUES ('tg', '1', 0), ('tg', '2', 0)")
		h.follow("1", "tea", "0 8 * * *", "UTC", monday)
		h.follow("1", "coffee", "0 9 * * *", "UTC", monday.Add(time.Hour))
		h.follow("2", "tea", "0 8 * * *", "UTC", monday)
		h.platform.answer = func(_ context.Context, o bot.Outgoing, _ int) (bot.Receipt, error) {
			if o.To.ID == "1" {
				return bot.Receipt{}, bot.ErrGone
			}
			return bot.Receipt{}, nil
		}
		h.plan(s)
		for i, state := range []string{"held", "planned"} {
			h.exec("INSERT INTO deliveries (edition, channel, chat, state, due_at, updated_at) VALUES (?, 'tg', '1', ?, ?, 0)",
				h.editions(1, ancient.Add(time.Duration(i)*time.Hour)), state, monday.AddDate(0, 0, 1).UnixMilli())
		}
		h.deliver(s)
		if n := h.int("SELECT COUNT(*) FROM follows WHERE chat = '1' AND state = 'suspended'"); n != 2 {
			t.Errorf("%d follows suspended, want 2", n)
		}
		h.wantStates("gone 3, sent 1") // what waited for its time or for the reader, too
		if got := h.text("SELECT state FROM chats WHERE id = '1'") + " " + h.text("SELECT state FROM chats WHERE id = '2'"); got != "suspended active" {
			t.Errorf("chats are %s", got)
		}
		h.pass(time.Hour)
		if tick := h.plan(s); tick.Due != 0 {
			t.Errorf("still due: %+v", tick)
		}
	})
}

func TestAChatMoves(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		h.library.add("tea coffee")
		h.exec("INSERT INTO chats (channel, id, lang, since) VALUES ('tg', '1', 'it', 0)")
		h.follow("1", "tea", "0 8 * * *", "UTC", monday)
		h.follow("1", "coffee", "0 9 * * *", "UTC", monday.Add(time.Hour))
		h.follow("-100", "coffee", "0 9 * * *", "UTC", monday.Add(time.Hour)) // the new one has this already
		h.plan(s)
		h.platform.answer = func(_ context.Context, o bot.Outgoing, _ int) (bot.Receipt, error) {
			if o.To.ID == "1" {
				return bot.Receipt{}, &bot.MovedError{To: bot.ChatID{Channel: "tg", ID: "-100"}}
			}
			return bot.Receipt{}, nil
		}
		h.deliver(s)
		if diff := cmp.Diff([]string{"-100: Article 1"}, h.platform.received()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		h.wantStates("sent 1")
		if n := h.int("SELECT COUNT(*) FROM follows WHERE chat = '-100'"); n != 2 {
			t.Errorf("%d follows at the new id, want 2", n)
		}
		if n := h.int("SELECT COUNT(*) FROM follows WHERE chat = '1'") + h.int("SELECT COUNT(*) FROM chats WHERE id = '1'"); n != 0 {
			t.Errorf("%d rows at the old id", n)
		}
		if got := h.text("SELECT lang FROM chats WHERE id = '-100'"); got != "it" {
			t.Errorf("the chat's language is %q", got)
		}
	})
}

func TestAFaultyChannelIsPausedAndToldOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var told []string
		var mu sync.Mutex
		well := &platform{}
		s := h.replica(func(c *scheduler.Config) {
			c.Channels = append(c.Channels, scheduler.Channel{Name: "wx", Sender: well})
			c.Notify = func(_ context.Context, key, _ string) {
				mu.Lock()
				defer mu.Unlock()
				told = append(told, key)
			}
		})
		h.planned(s, 200)
		h.exec("UPDATE deliveries SET channel = 'wx' WHERE CAST(chat AS BIGINT) > 150")
		h.exec("UPDATE follows SET channel = 'wx' WHERE CAST(chat AS BIGINT) > 150")
		h.platform.answer = fail(&bot.ConfigError{Channel: "tg", Advice: "set the token", Err: errBroken})
		for range 5 {
			h.deliver(s)
		}
		h.wantStates("planned 150, sent 50")
		tries := len(h.platform.tries)
		if tries > 64 {
			t.Errorf("%d messages were tried on a channel at fault", tries)
		}
		h.pass(2 * time.Minute)
		h.deliver(s)
		if diff := cmp.Diff([]string{"channel-fault-tg"}, told); diff != "" {
			t.Errorf("told (-want +got):\n%s", diff)
		}
		h.platform.answer = nil
		h.pass(time.Hour)
		h.deliver(s)
		h.wantStates("sent 200")
	})
}

func TestBackOffAndGivingUp(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		h.planned(s, 1)
		h.platform.answer = fail(&bot.RetryError{Err: errBroken})
		var waits []time.Duration
		for h.states() == "planned 1" && len(waits) < 500 {
			due := time.UnixMilli(h.int("SELECT due_at FROM deliveries"))
			waits = append(waits, due.Sub(h.clock()))
			h.set(later(due, h.clock()))
			h.deliver(s)
		}
		h.wantStates("failed 1")
		if n := len(waits); n < 60 || n > 130 {
			t.Errorf("%d tries in a day", n)
		}
		for i := 1; i < len(waits); i++ {
			if waits[i] < 5*time.Second || waits[i] > 19*time.Minute {
				t.Errorf("wait %d is %s", i, waits[i])
			}
		}
		if spent := h.clock().Sub(monday); spent < 20*time.Hour || spent > 25*time.Hour {
			t.Errorf("given up after %s, want about a day", spent)
		}
	})
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Without lists nothing is numbered, and nothing is kept.
func TestDigestsWithoutLists(t *testing.T) {
	for _, paced := range []bool{false, true} {
		each(t, func(t *testing.T, h *house) {
			s := h.replica(func(c *scheduler.Config) {
				c.Lists = nil
				if paced {
					c.Pacer = bot.NewPacer(c.DB, h.clock)
					h.platform.buckets = func(bot.ChatID) []bot.Bucket { return []bot.Bucket{{Name: "tg", PerSecond: 25, Burst: 1}} }
				}
			})
			h.follow("*", "tea", "0 8 * * *", "UTC", monday)
			h.follow("1", "tea", "0 8 * * *", "UTC", monday)
			h.library.add("tea", "tea", "tea", "tea", "tea", "tea")
			h.plan(s)
			h.deliver(s)
			h.wantStates("sent 2")
			want := []string{"*: Article 6, Article 5, Article 4, Article 3, Article 2, Article 1", "1: Article 6, Article 5, Article 4, Article 3, Article 2"}
			if diff := cmp.Diff(want, h.platform.received()); diff != "" {
				t.Errorf("paced %v (-want +got):\n%s", paced, diff)
			}
			for _, o := range h.platform.got {
				if o.To.ID == "1" && (!strings.HasSuffix(o.Reply.Text, "\nand 1 more") || o.Reply.Groups[0].Cards[0].Number != 0) {
					t.Errorf("paced %v: the reader gets %+v", paced, o.Reply)
				}
			}
		})
	}
}
