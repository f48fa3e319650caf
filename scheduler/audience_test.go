package scheduler_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"newsie/bot"
	"newsie/scheduler"
)

// audience plans one edition for everybody.
func (h *house) audience(s *scheduler.Scheduler, articles int) {
	h.t.Helper()
	for range articles {
		h.library.add("tea")
	}
	h.follow(bot.Everybody, "tea", "0 8 * * *", "UTC", monday)
	h.plan(s)
}

func TestAnAudienceGetsEveryCardAndNoList(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		h.audience(s, 12)
		h.deliver(s)
		if len(h.platform.got) != 1 {
			t.Fatalf("sent %d times", len(h.platform.got))
		}
		o := h.platform.got[0]
		cards := o.Reply.Groups[0].Cards
		if len(cards) != 12 || cards[0].Article != 12 || cards[0].Number != 0 || len(o.Reply.Actions) != 0 {
			t.Errorf("%d cards, first %+v, actions %v", len(cards), cards[0], o.Reply.Actions)
		}
		if len(h.lists.made) != 0 {
			t.Errorf("a list nobody can refer to: %v", h.lists.made)
		}
	})
}

// The platform takes a key once: it is the same at every try, fits into the 64
// bytes there are, and is never that of another edition.
func TestAnAudiencesKey(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica(func(c *scheduler.Config) { c.Channels[0].Keyed = true })
		h.audience(s, 1)
		var keys []string
		h.platform.answer = func(_ context.Context, o bot.Outgoing, _ int) (bot.Receipt, error) {
			if keys = append(keys, o.Key); len(keys) == 1 {
				return bot.Receipt{}, bot.ErrUnknown
			}
			return bot.Receipt{}, nil
		}
		h.deliver(s)
		h.pass(time.Minute)
		h.deliver(s)
		h.wantStates("sent 1")
		h.library.add("tea")
		h.pass(24 * time.Hour)
		h.plan(s)
		h.deliver(s)
		if len(keys) != 3 || keys[0] != keys[1] || keys[1] == keys[2] {
			t.Fatalf("keys: %q", keys)
		}
		if n := len(keys[0]); n > 64 || n < 40 {
			t.Errorf("a key of %d bytes", n)
		}
		// A database that was made anew counts its rows from one again.
		h.exec("UPDATE editions SET created_at = created_at + 1 WHERE id = (SELECT MAX(id) FROM editions)")
		h.exec("UPDATE deliveries SET state = 'planned'")
		h.deliver(s)
		if again := keys[3:]; len(keys) != 5 || !slices.Contains(again, keys[0]) || slices.Contains(again, keys[2]) {
			t.Errorf("another edition with the same row has the same key: %q", keys)
		}
	})
}

// Whatever the channel's policy is for readers, an audience's message goes out
// again under its key, where the platform takes keys.
func TestAnAudiencesDoubtIsSentAgain(t *testing.T) {
	for _, policy := range []scheduler.Policy{scheduler.Skip, scheduler.Resend} {
		t.Run(string(policy), func(t *testing.T) {
			each(t, func(t *testing.T, h *house) {
				s := h.replica(func(c *scheduler.Config) { c.Channels[0].InDoubt, c.Channels[0].Keyed = policy, true })
				h.audience(s, 1)
				h.platform.answer = failOnce(bot.ErrUnknown)
				h.deliver(s)
				h.wantStates("planned 1")
				h.pass(time.Minute)
				h.deliver(s)
				h.wantStates("sent 1")

				// A process that ended in the middle, with readers' messages beside it.
				h.exec("UPDATE deliveries SET state = 'sending', claim = 'x', lease_until = 1")
				h.exec(`INSERT INTO deliveries (edition, channel, chat, state, due_at, claim, lease_until, updated_at)
					SELECT edition, channel, 'reader', state, due_at, claim, lease_until, updated_at FROM deliveries`)
				if _, err := s.Recover(t.Context()); err != nil {
					t.Fatal(err)
				}
				want := map[scheduler.Policy]string{scheduler.Skip: "planned 1, unknown 1", scheduler.Resend: "planned 2"}[policy]
				h.wantStates(want)
				if got := h.text("SELECT state FROM deliveries WHERE chat = '*'"); got != "planned" {
					t.Errorf("the audience's is %s", got)
				}
			})
		})
	}
}

// A platform that takes no keys would show the post twice: the channel's policy
// decides.
func TestAnAudiencesDoubtWhereThereAreNoKeys(t *testing.T) {
	for policy, want := range map[scheduler.Policy]string{scheduler.Skip: "unknown 1", scheduler.Resend: "planned 1"} {
		t.Run(string(policy), func(t *testing.T) {
			each(t, func(t *testing.T, h *house) {
				s := h.replica(func(c *scheduler.Config) { c.Channels[0].InDoubt = policy })
				h.audience(s, 1)
				h.platform.answer = fail(bot.ErrUnknown)
				h.deliver(s)
				h.wantStates(want)
				h.exec("UPDATE deliveries SET state = 'sending', claim = 'x', lease_until = 1")
				if _, err := s.Recover(t.Context()); err != nil {
					t.Fatal(err)
				}
				h.wantStates(want)
			})
		})
	}
}

// What stays in doubt until it would come too late is not called failed.
func TestAnAudiencesDoubtThatStays(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica(func(c *scheduler.Config) { c.Channels[0].Keyed = true })
		h.audience(s, 1)
		h.platform.answer = fail(bot.ErrUnknown)
		for range 200 {
			h.deliver(s)
			h.pass(15 * time.Minute)
		}
		h.wantStates("unknown 1")
	})
}

func TestAnAudienceIsNeitherHeldNorGone(t *testing.T) {
	for _, err := range []error{bot.ErrNotNow, fmt.Errorf("no: %w", bot.ErrGone)} {
		t.Run(err.Error(), func(t *testing.T) {
			each(t, func(t *testing.T, h *house) {
				s := h.replica()
				h.audience(s, 1)
				h.platform.answer = fail(err)
				h.deliver(s)
				h.wantStates("failed 1")
				if n := h.int("SELECT COUNT(*) FROM follows WHERE state = 'active'"); n != 1 {
					t.Error("the audience's schedule is suspended")
				}
			})
		})
	}
}

// A time that is told to an audience is kept: neither spread nor stretched, and
// readers' messages go on meanwhile.
func TestAnAudienceWaitsAsLongAsTold(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		h.audience(s, 1)
		h.follow("1", "tea", "5 8 * * *", "UTC", monday.Add(5*time.Minute))
		h.platform.answer = func(_ context.Context, o bot.Outgoing, try int) (bot.Receipt, error) {
			if o.To.Audience() && try <= 3 {
				return bot.Receipt{}, &bot.RetryError{After: 15 * time.Minute, Err: errBroken}
			}
			return bot.Receipt{}, nil
		}
		for range 3 {
			before := h.clock()
			h.deliver(s)
			if got, want := h.int("SELECT due_at FROM deliveries WHERE chat = '*'"), before.Add(15*time.Minute).UnixMilli(); got != want {
				t.Errorf("due in %d ms, want 15 minutes", got-before.UnixMilli())
			}
			h.pass(15 * time.Minute)
			h.plan(s)
		}
		h.deliver(s)
		h.wantStates("sent 2")
	})
}

func TestCancelADelivery(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		h.planned(s, 5)
		h.exec("UPDATE deliveries SET state = 'held' WHERE id = 2")
		h.exec("UPDATE deliveries SET state = 'sending', claim = 'x', lease_until = 9000000000000 WHERE id = 3")
		h.exec("UPDATE deliveries SET state = 'sent' WHERE id = 4")
		h.exec("UPDATE deliveries SET state = 'claimed', claim = 'x', lease_until = 9000000000000 WHERE id = 5")
		for id, want := range map[int64]bool{1: true, 2: true, 3: false, 4: false, 5: true} {
			state, ok, err := s.Cancel(t.Context(), id)
			if err != nil || ok != want {
				t.Errorf("delivery %d, %s: cancelled %v (%v)", id, state, ok, err)
			}
		}
		if _, _, err := s.Cancel(t.Context(), 99); !errors.Is(err, scheduler.ErrNoDelivery) {
			t.Errorf("%v", err)
		}
		h.deliver(s)
		h.wantStates("cancelled 3, sending 1, sent 1")
		if len(h.platform.got) != 0 {
			t.Errorf("sent %v", h.platform.received())
		}
	})
}

func TestResultOfWhatWasAccepted(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		h.audience(s, 1)
		if ok, err := s.Result(t.Context(), "tg", "42", true, ""); ok || err != nil {
			t.Errorf("a result before its delivery was accepted: %v %v", ok, err)
		}
		h.platform.answer = func(context.Context, bot.Outgoing, int) (bot.Receipt, error) {
			return bot.Receipt{Way: "mass", ProviderID: "42", Pending: true}, nil
		}
		h.deliver(s)
		h.wantStates("accepted 1")
		if ok, _ := s.Result(t.Context(), "other", "42", true, ""); ok {
			t.Error("another channel's result was taken")
		}
		if ok, err := s.Result(t.Context(), "tg", "42", true, "75 readers"); !ok || err != nil {
			t.Errorf("%v %v", ok, err)
		}
		if ok, _ := s.Result(t.Context(), "tg", "42", false, "again"); ok {
			t.Error("a second result was taken")
		}
		h.wantStates("sent 1")
		if got := h.text("SELECT error FROM deliveries"); got != "75 readers" {
			t.Errorf("the note is %q", got)
		}
	})
}

// News that an audience never got, because no message could go out in time,
// comes with the next one; news that was refused does not.
func TestWhatWasGivenUpComesWithTheNext(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		h.audience(s, 2)
		h.platform.answer = func(_ context.Context, _ bot.Outgoing, try int) (bot.Receipt, error) {
			switch {
			case try <= 2: // no more this month
				return bot.Receipt{}, &bot.RetryError{After: 30 * time.Hour, Err: errBroken}
			case try == 3:
				return bot.Receipt{}, errBroken
			}
			return bot.Receipt{}, nil
		}
		var editions []string
		for range 5 {
			h.deliver(s)
			h.library.add("tea")
			h.pass(24 * time.Hour)
			h.plan(s)
			editions = append(editions, h.text("SELECT articles FROM editions ORDER BY id DESC LIMIT 1"))
		}
		h.deliver(s)
		if got, want := fmt.Sprint(editions), "[[3,2,1] [4,3,2,1] [5] [6] [7]]"; got != want {
			t.Errorf("editions hold %s, want %s", got, want)
		}
		h.wantStates("failed 3, sent 3")
		// A reader's digest that was given up was a reader's loss alone: it is listed.
		h.follow("1", "tea", "0 8 * * *", "UTC", h.clock())
		h.platform.answer = fail(&bot.RetryError{After: 30 * time.Hour, Err: errBroken})
		h.plan(s)
		h.deliver(s)
		h.library.add("tea")
		h.pass(24 * time.Hour)
		h.plan(s)
		if got := h.text("SELECT articles FROM editions e JOIN deliveries d ON d.edition = e.id WHERE d.chat = '1' ORDER BY e.id DESC LIMIT 1"); got != "[8]" {
			t.Errorf("the reader's next digest holds %s", got)
		}
	})
}

// A message that would take the next one's allowance gives way to it, unless
// that one is planned already and could not take its articles along.
func TestAnAudiencesMessageGivesWayToTheNext(t *testing.T) {
	for name, test := range map[string]struct {
		takes   time.Duration // from monday at eight; the next one comes a day later
		prepare []string
		want    string
	}{
		"the next one needs it":   {25 * time.Hour, nil, "failed 1"},
		"nothing is used up":      {0, nil, "planned 1"},
		"the next one comes then": {24 * time.Hour, nil, "planned 1"},
		"no next one":             {25 * time.Hour, []string{"UPDATE follows SET next_due_at = 0"}, "planned 1"},
		"the next one is due":     {25 * time.Hour, []string{"UPDATE follows SET next_due_at = next_due_at - 86400000 + 1000"}, "planned 1"},
		"planned already": {25 * time.Hour, []string{
			`INSERT INTO editions (kind, edition_key, topic, query, lang, from_seq, to_seq, articles, payload, created_at)
				SELECT kind, 'next', topic, query, lang, from_seq, to_seq, articles, payload, created_at FROM editions`,
			`INSERT INTO deliveries (edition, follow, channel, chat, state, due_at, updated_at)
				SELECT (SELECT MAX(id) FROM editions), follow, channel, chat, 'planned', due_at + 86400000, updated_at FROM deliveries`,
		}, "planned 2"},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, h *house) {
				s := h.replica()
				h.audience(s, 1)
				for _, query := range test.prepare {
					h.exec(query)
				}
				retry := &bot.RetryError{After: 20 * time.Hour, Err: errBroken}
				if test.takes != 0 {
					retry.Takes = monday.Add(test.takes)
				}
				h.platform.answer = fail(retry)
				h.deliver(s)
				h.wantStates(test.want)
			})
		})
	}
}
