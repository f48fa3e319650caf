package scheduler_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"newsie/bot"
	"newsie/scheduler"
)

// tokenRefused lets the house's platform refuse everything until it is told
// otherwise, and counts its calls.
func tokenRefused(h *house) (calls *atomic.Int64, accept func()) {
	calls = &atomic.Int64{}
	var well atomic.Bool
	h.platform.answer = func(context.Context, bot.Outgoing, int) (bot.Receipt, error) {
		calls.Add(1)
		if well.Load() {
			return bot.Receipt{Way: "message"}, nil
		}
		return bot.Receipt{}, &bot.ConfigError{Channel: "tg", Advice: "set the token", Err: errBroken}
	}
	return calls, func() { well.Store(true) }
}

// halted brings the house's channel to a stand with many deliveries waiting.
func halted(h *house, s *scheduler.Scheduler) {
	h.t.Helper()
	h.planned(s, 30)
	h.deliver(s)
	halts, err := s.Halts(context.Background())
	if err != nil || len(halts) != 1 || halts[0].Channel != "tg" || halts[0].Problem != "broken" || !halts[0].Since.Equal(h.clock()) {
		h.t.Fatalf("stands still: %+v (%v)", halts, err)
	}
}

func TestAHaltIsSharedAndLastsOverRestartsAndIsToldOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var told []string
		telling := func(c *scheduler.Config) { c.Notify = notes(&told) }
		calls, accept := tokenRefused(h)
		halted(h, h.replica(telling))
		before := calls.Load()
		restarted, other := h.replica(telling), h.replica(telling)
		h.pass(30 * time.Second)
		h.deliver(restarted)
		h.deliver(other)
		if n := calls.Load(); n != before {
			t.Errorf("%d messages were tried on a channel that stands still", n-before)
		}
		// Each probe is one message of one replica, and the pauses grow to half an hour.
		var pauses []time.Duration
		for range 7 {
			halts, err := other.Halts(t.Context())
			if err != nil || len(halts) != 1 {
				t.Fatalf("%+v (%v)", halts, err)
			}
			pauses = append(pauses, halts[0].Probe.Sub(h.clock()).Round(time.Minute))
			h.set(halts[0].Probe)
			before := calls.Load()
			h.deliver(restarted)
			h.deliver(other)
			if n := calls.Load() - before; n != 1 {
				t.Errorf("the probe after %v was %d messages, want 1", pauses, n)
			}
		}
		want := []time.Duration{1, 2, 4, 8, 16, 30, 30}
		for i := range want {
			if i > 0 && pauses[i] != want[i]*time.Minute {
				t.Errorf("pauses %v, want %v minutes", pauses, want)
				break
			}
		}
		if len(told) != 1 {
			t.Errorf("the publisher was told %q, want one notice", told)
		}
		accept()
		h.pass(time.Hour)
		h.deliver(other)
		h.pass(time.Hour)
		h.deliver(restarted)
		h.wantStates("sent 30")
		if halts, err := other.Halts(t.Context()); err != nil || len(halts) != 0 {
			t.Errorf("still stands still: %+v (%v)", halts, err)
		}
	})
}

// Errors that come one at a time, with messages that arrive between them, stop nobody.
func TestAFewRefusalsAreNoHalt(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		h.platform.answer = failOnce(&bot.ConfigError{Channel: "tg", Err: errBroken})
		for range 5 {
			h.planned(s, 1)
			h.deliver(s)
			if halts, err := s.Halts(t.Context()); err != nil || len(halts) != 0 {
				t.Fatalf("stands still: %+v (%v)", halts, err)
			}
			h.pass(2 * time.Minute)
			h.deliver(s)
			h.platform.tries = nil
			h.exec("DELETE FROM deliveries")
			h.exec("DELETE FROM follows")
		}
		if halts, err := s.Halts(t.Context()); err != nil || len(halts) != 0 {
			t.Errorf("stands still: %+v (%v)", halts, err)
		}
	})
}

func TestThePublisherResumesAChannel(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		_, accept := tokenRefused(h)
		halted(h, s)
		accept()
		h.deliver(s)
		h.wantStates("planned 30")
		h.exec("INSERT INTO deliveries (edition, channel, chat, state, due_at, updated_at) VALUES (?, 'tg', 'later', 'planned', ?, 0)",
			h.editions(1, monday), distant.UnixMilli()) // its time has not come, whatever is resumed
		cli := scheduler.NewLedger(h.db, h.clock)
		for i, want := range []bool{true, false} {
			if ok, err := cli.ResumeChannel(t.Context(), "tg"); err != nil || ok != want {
				t.Errorf("resume %d: %v (%v), want %v", i+1, ok, err, want)
			}
		}
		h.deliver(s)
		h.wantStates("planned 1, sent 30")
		if due := h.int("SELECT due_at FROM deliveries WHERE chat = 'later'"); due != distant.UnixMilli() {
			t.Errorf("what was to come later is due at %s", time.UnixMilli(due).UTC())
		}
	})
}

func TestAChangedConfigurationResumesAChannel(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		configured := func(c *scheduler.Config) { c.Channels[0].Config = "first" }
		_, accept := tokenRefused(h)
		halted(h, h.replica(configured))
		accept()
		h.deliver(h.replica(configured))
		h.wantStates("planned 30")
		changed := h.replica(func(c *scheduler.Config) { c.Channels[0].Config = "second" })
		h.library.add("tea")
		h.follow("99", "tea", "0 8 * * *", "UTC", monday) // has not been tried
		h.plan(changed)
		h.deliver(changed)
		if halts, err := changed.Halts(t.Context()); err != nil || len(halts) != 0 {
			t.Errorf("still stands still: %+v (%v)", halts, err)
		}
		h.pass(2 * time.Minute)
		h.deliver(changed)
		if n := h.int("SELECT COUNT(*) FROM deliveries WHERE state <> 'sent'"); n != 0 {
			t.Errorf("%d are not sent: %s", n, h.states())
		}
	})
}

// A probe whose process died says nothing; another one follows.
func TestAProbeThatDiedIsFollowedByAnother(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		_, accept := tokenRefused(h)
		halted(h, s)
		h.pass(time.Minute)
		h.platform.answer = fail(bot.ErrUnknown) // as good as no answer
		h.deliver(s)
		accepted := h.replica()
		h.deliver(accepted)
		h.wantStates("planned 29, unknown 1")
		accept()
		h.platform.answer = nil
		h.pass(5 * time.Minute)
		h.deliver(accepted)
		h.wantStates("sent 29, unknown 1")
	})
}

// The message that is tried turns out to be nobody's any more: the next one is
// tried in its place, and not a minute later.
func TestAProbeThatNobodyWantsLeavesItsPlace(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		calls, accept := tokenRefused(h)
		halted(h, s)
		accept()
		before := calls.Load()
		first := h.text("SELECT chat FROM deliveries WHERE state = 'planned' ORDER BY due_at, id LIMIT 1")
		h.exec("UPDATE follows SET state = 'suspended' WHERE chat = ?", first)
		h.pass(time.Minute)
		h.deliver(s)
		if n := h.int("SELECT COUNT(*) FROM deliveries WHERE state = 'cancelled'"); n != 1 || calls.Load() == before {
			t.Errorf("%s after %d calls, want one cancelled and others tried", h.states(), calls.Load()-before)
		}
	})
}

// A channel is tried again in half an hour at most, also when the clock was set
// back by one since it was said when.
func TestAHaltDoesNotLastLongerWhenTheClockIsSetBack(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		calls, accept := tokenRefused(h)
		halted(h, s)
		accept()
		h.exec("UPDATE deliveries SET due_at = 0")
		before := calls.Load()
		h.pass(-20 * time.Minute)
		h.deliver(s)
		if calls.Load() != before {
			t.Error("set back by 20 minutes it is tried at once: its pause may be as long as that")
		}
		h.pass(-40 * time.Minute)
		h.deliver(s)
		h.wantStates("sent 30")
		if halts, err := s.Halts(t.Context()); err != nil || len(halts) != 0 {
			t.Errorf("still stands still: %+v (%v)", halts, err)
		}
	})
}

func TestThreeRefusalsInARowAreAHalt(t *testing.T) {
	for refusals, want := range map[int]int{2: 0, 3: 1} {
		each(t, func(t *testing.T, h *house) {
			s := h.replica()
			tokenRefused(h)
			h.planned(s, refusals)
			h.deliver(s)
			if halts, err := s.Halts(t.Context()); err != nil || len(halts) != want {
				t.Errorf("%d refusals: stands still: %+v (%v)", refusals, halts, err)
			}
		})
	}
}

// Resumed by the publisher, a channel has three tries again.
func TestAResumedChannelIsCountedAnew(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		tokenRefused(h)
		halted(h, s)
		if ok, err := scheduler.NewLedger(h.db, h.clock).ResumeChannel(t.Context(), "tg"); err != nil || !ok {
			t.Fatal(ok, err)
		}
		h.exec("UPDATE deliveries SET due_at = ? WHERE chat <> '1'", distant.UnixMilli())
		h.exec("UPDATE deliveries SET due_at = ? WHERE chat = '1'", h.clock().UnixMilli())
		h.deliver(s)
		if halts, err := s.Halts(t.Context()); err != nil || len(halts) != 0 {
			t.Errorf("one refusal after that, it stands still: %+v (%v)", halts, err)
		}
	})
}

// Two replicas are refused at the same moment: it is one halt, told once, and no
// longer for that.
func TestTwoReplicasHaltAChannelOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var told []string
		telling := func(c *scheduler.Config) { c.Notify = notes(&told) }
		a, b := h.replica(telling), h.replica(telling)
		refused := &bot.ConfigError{Channel: "tg", Err: errBroken}
		h.platform.answer = func(_ context.Context, o bot.Outgoing, _ int) (bot.Receipt, error) {
			if o.To.ID == "6" { // while it is on its way
				h.exec("UPDATE deliveries SET due_at = 0 WHERE chat IN ('3', '4', '5')")
				h.deliver(a)
			}
			return bot.Receipt{}, refused
		}
		h.planned(b, 6)
		h.exec("UPDATE deliveries SET due_at = ? WHERE chat > '2'", distant.UnixMilli())
		h.deliver(b)
		h.exec("UPDATE deliveries SET due_at = 0 WHERE chat = '6'")
		h.deliver(b)
		halts, err := b.Halts(t.Context())
		if err != nil || len(halts) != 1 || halts[0].Probes != 0 || halts[0].Probe.Sub(h.clock()) != time.Minute {
			t.Errorf("stands still: %+v (%v), want it for a minute", halts, err)
		}
		if len(told) != 1 {
			t.Errorf("the publisher was told %q", told)
		}
	})
}
