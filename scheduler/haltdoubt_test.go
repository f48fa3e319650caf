package scheduler_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"newsie/bot"
	"newsie/scheduler"
)

// answersLost lets the house's platform take every message and lose its answer
// until it is told otherwise, and counts its calls.
func answersLost(h *house) (calls *atomic.Int64, restore func()) {
	calls = &atomic.Int64{}
	var well atomic.Bool
	h.platform.answer = func(context.Context, bot.Outgoing, int) (bot.Receipt, error) {
		calls.Add(1)
		if well.Load() {
			return bot.Receipt{Way: "message"}, nil
		}
		return bot.Receipt{}, fmt.Errorf("%w: connection reset", bot.ErrUnknown)
	}
	return calls, func() { well.Store(true) }
}

// A platform that takes messages and loses its answers leaves a few in doubt, and
// not the whole digest.
func TestLostAnswersMakeAChannelStandStill(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		const chats, workers = 100, 8
		var told []string
		change := func(c *scheduler.Config) { c.Notify, c.Channels[0].Workers = notes(&told), workers }
		a, b := h.replica(change), h.replica(change)
		calls, restore := answersLost(h)
		h.planned(a, chats)
		h.deliver(a)
		began := calls.Load()
		if began < 5 || began > 5+workers {
			t.Fatalf("%d messages were sent into doubt, want five and no more than were under way", began)
		}
		h.wantStates(fmt.Sprintf("planned %d, unknown %d", chats-began, began))
		halts, err := b.Halts(t.Context())
		if err != nil || len(halts) != 1 || halts[0].Channel != "tg" || !halts[0].InDoubt || !strings.Contains(halts[0].Problem, "connection reset") || !strings.Contains(halts[0].Advice, "--state unknown --channel tg") {
			t.Fatalf("stands still: %+v (%v)", halts, err)
		}
		h.pass(30 * time.Second)
		h.deliver(a)
		h.deliver(b)
		if n := calls.Load() - began; n != 0 {
			t.Errorf("%d messages were tried on a channel that stands still", n)
		}
		var pauses []time.Duration
		for range 7 {
			halts, err := b.Halts(t.Context())
			if err != nil || len(halts) != 1 {
				t.Fatalf("%+v (%v)", halts, err)
			}
			pauses = append(pauses, halts[0].Probe.Sub(h.clock()).Round(time.Minute))
			h.set(halts[0].Probe)
			before := calls.Load()
			h.deliver(b)
			h.deliver(a)
			if n := calls.Load() - before; n != 1 {
				t.Errorf("after %v %d messages were tried, want 1", pauses, n)
			}
		}
		for i, minutes := range []time.Duration{2, 4, 8, 16, 30, 30} {
			if pauses[i+1] != minutes*time.Minute {
				t.Errorf("pauses %v", pauses)
				break
			}
		}
		if len(told) != 1 || !strings.Contains(told[0], "Nobody can tell whether messages on the channel tg arrive") || !strings.Contains(told[0], "newsie channel resume tg") {
			t.Errorf("the publisher was told %q, want one notice", told)
		}
		restore()
		h.pass(time.Hour)
		h.deliver(a)
		h.deliver(b)
		h.wantStates(fmt.Sprintf("sent %d, unknown %d", chats-began-7, began+7))
		if halts, err := a.Halts(t.Context()); err != nil || len(halts) != 0 {
			t.Errorf("still stands still: %+v (%v)", halts, err)
		}
	})
}

func TestDoubtsAreCountedInARow(t *testing.T) {
	for pattern, want := range map[string]int{"????": 0, "?????": 1, "????.????.????": 0, "????.?????": 1} {
		t.Run(pattern, func(t *testing.T) {
			each(t, func(t *testing.T, h *house) {
				s := h.replica(func(c *scheduler.Config) { c.Channels[0].Workers = 1 })
				h.planned(s, len(pattern))
				var n atomic.Int64
				h.platform.answer = func(context.Context, bot.Outgoing, int) (bot.Receipt, error) {
					if pattern[n.Add(1)-1] == '?' {
						return bot.Receipt{}, bot.ErrUnknown
					}
					return bot.Receipt{Way: "message"}, nil
				}
				h.deliver(s)
				if got := int(n.Load()); got != len(pattern) {
					t.Errorf("%d messages were tried, want %d", got, len(pattern))
				}
				if halts, err := s.Halts(t.Context()); err != nil || len(halts) != want {
					t.Errorf("stands still: %+v (%v)", halts, err)
				}
			})
		})
	}
}

// Where what is in doubt is sent again, it is not sent again and again.
func TestLostAnswersDoNotRepeatForEver(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		const chats = 30
		s := h.replica(func(c *scheduler.Config) { c.Channels[0].InDoubt, c.Channels[0].Workers = scheduler.Resend, 1 })
		calls, restore := answersLost(h)
		h.planned(s, chats)
		h.deliver(s)
		h.wantStates(fmt.Sprintf("planned %d", chats))
		h.pass(50 * time.Second)
		h.deliver(s)
		if n := calls.Load(); n > 6 {
			t.Errorf("%d messages were tried", n)
		}
		restore()
		h.pass(time.Hour)
		h.deliver(s)
		h.pass(time.Hour)
		h.deliver(s)
		h.wantStates(fmt.Sprintf("sent %d", chats))
	})
}

// The publisher hears when a channel whose answers were lost is refused instead,
// and reads the reason that it has now.
func TestAHaltThatChangesItsReasonIsTold(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var told []string
		s := h.replica(func(c *scheduler.Config) { c.Notify, c.Channels[0].Workers = notes(&told), 1 })
		answersLost(h)
		h.planned(s, 10)
		h.deliver(s)
		tokenRefused(h)
		h.pass(time.Minute)
		h.deliver(s)
		halts, err := s.Halts(t.Context())
		if err != nil || len(halts) != 1 || halts[0].InDoubt || halts[0].Problem != "broken" || halts[0].Probes != 1 {
			t.Errorf("stands still: %+v (%v)", halts, err)
		}
		if len(told) != 2 || !strings.Contains(told[1], "does not take messages") {
			t.Errorf("the publisher was told %q", told)
		}
	})
}

// What a process that ends cuts off says nothing about the platform.
func TestAProcessThatEndsHaltsNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		const chats = 8
		s := h.replica(func(c *scheduler.Config) { c.Channels[0].Workers, c.Grace = chats, time.Millisecond })
		ctx, end := context.WithCancel(t.Context())
		var n atomic.Int64
		h.platform.answer = func(ctx context.Context, _ bot.Outgoing, _ int) (bot.Receipt, error) {
			if n.Add(1) == chats {
				end()
			}
			<-ctx.Done()
			return bot.Receipt{}, ctx.Err()
		}
		h.planned(s, chats)
		_, _ = s.Deliver(ctx)
		h.wantStates(fmt.Sprintf("unknown %d", chats))
		if halts, err := h.replica().Halts(t.Context()); err != nil || len(halts) != 0 {
			t.Errorf("stands still: %+v (%v)", halts, err)
		}
	})
}
