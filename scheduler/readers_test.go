package scheduler_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"newsie/bot"
	"newsie/scheduler"
)

// heard is what the scheduler told of readers.
type heard struct {
	mu                    sync.Mutex
	received, gone, moved []string
}

func (d *heard) hooks(c *scheduler.Config) {
	add := func(to *[]string) func([]bot.ChatID) {
		return func(chats []bot.ChatID) {
			d.mu.Lock()
			defer d.mu.Unlock()
			for _, chat := range chats {
				*to = append(*to, chat.String())
			}
		}
	}
	c.Received, c.Gone = add(&d.received), add(&d.gone)
	c.Moved = func(ctx context.Context, tx bun.IDB, from, to bot.ChatID) error {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.moved = append(d.moved, from.ID+" to "+to.ID)
		return tx.NewRaw("SELECT 1").Scan(ctx, new(int)) // it is of the same transaction
	}
	c.Channels[0].Grouped = true
}

// take gives what was heard since, sorted.
func (d *heard) take() (received, gone, moved []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	received, gone, moved = d.received, d.gone, d.moved
	d.received, d.gone, d.moved = nil, nil, nil
	slices.Sort(received)
	slices.Sort(gone)
	return received, gone, moved
}

func TestWhoGotADigestIsTold(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		d := &heard{}
		s := h.replica(d.hooks)
		want := func(what string, received, gone, moved []string) {
			t.Helper()
			if r, g, m := d.take(); !slices.Equal(r, received) || !slices.Equal(g, gone) || !slices.Equal(m, moved) {
				t.Errorf("%s: received %q, gone %q, moved %q; want %q, %q, %q", what, r, g, m, received, gone, moved)
			}
		}
		h.library.add("tea", "milk")
		for _, chat := range []string{"1", "gone", "moves", "held", "slow", "slower", "doubt", "refused", "*"} {
			h.follow(chat, "tea", "0 8 * * *", "UTC", h.clock())
		}
		h.follow("1", "milk", "0 8 * * *", "UTC", h.clock()) // comes with the other, as one message
		if err := s.Late(t.Context(), bot.ChatID{Channel: "tg", ID: "asked"}, bot.Reply{Lang: "en", Text: "an answer"}); err != nil {
			t.Fatal(err)
		}
		if err := s.Late(t.Context(), bot.ChatID{Channel: "tg", ID: "late answer"}, bot.Reply{Lang: "en", Text: "an answer"}); err != nil {
			t.Fatal(err)
		}
		h.platform.answer = func(_ context.Context, o bot.Outgoing, _ int) (bot.Receipt, error) {
			switch o.To.ID {
			case "gone":
				return bot.Receipt{}, bot.ErrGone
			case "moves":
				return bot.Receipt{}, &bot.MovedError{To: bot.ChatID{Channel: "tg", ID: "-100"}}
			case "held":
				return bot.Receipt{}, bot.ErrNotNow
			case "slow", "slower", "late answer", "*":
				return bot.Receipt{ProviderID: "job of " + o.To.ID, Pending: true}, nil
			case "doubt":
				return bot.Receipt{}, bot.ErrUnknown
			case "refused":
				return bot.Receipt{}, errBroken
			}
			return bot.Receipt{Way: "message"}, nil
		}
		h.plan(s)
		h.deliver(s)
		h.pass(time.Minute)
		h.deliver(s)
		want("delivered", []string{"tg/-100", "tg/1"}, []string{"tg/gone"}, []string{"moves to -100"})
		if _, err := s.Held(t.Context(), bot.ChatID{Channel: "tg", ID: "held"}, bot.Reply{Lang: "en"}); err != nil {
			t.Fatal(err)
		}
		want("handed over", []string{"tg/held"}, nil, nil)
		for _, chat := range []string{"slow", "slow", "slower", "late answer", "*"} {
			if _, err := s.Result(t.Context(), "tg", "job of "+chat, chat != "slower", ""); err != nil {
				t.Fatal(err)
			}
		}
		if n := h.int("SELECT count(*) FROM deliveries WHERE state = 'accepted'"); n != 0 {
			t.Errorf("%d wait for their result", n)
		}
		want("the result", []string{"tg/slow"}, nil, nil)
		if err := s.Hold(t.Context(), bot.ChatID{Channel: "tg", ID: "late"}, bot.Reply{Lang: "en", Text: "an answer"}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Held(t.Context(), bot.ChatID{Channel: "tg", ID: "late"}, bot.Reply{Lang: "en"}); err != nil {
			t.Fatal(err)
		}
		want("a late answer", nil, nil, nil)
		if err := s.Suspend(t.Context(), bot.ChatID{Channel: "tg", ID: "blocked"}); err != nil {
			t.Fatal(err)
		}
		want("refused an answer", nil, []string{"tg/blocked"}, nil)
	})
}

// A crash after the commit may lose what is told, and a message settled by
// another is not told of twice.
func TestWhatAnotherSettledIsNotTold(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		d := &heard{}
		s := h.replica(d.hooks)
		h.library.add("tea")
		h.follow("1", "tea", "0 8 * * *", "UTC", h.clock())
		h.platform.answer = func(context.Context, bot.Outgoing, int) (bot.Receipt, error) {
			h.exec("UPDATE deliveries SET state = 'sent', claim = 'another'")
			return bot.Receipt{Way: "message"}, nil
		}
		h.plan(s)
		h.deliver(s)
		if received, _, _ := d.take(); len(received) != 0 {
			t.Errorf("received %q", received)
		}
	})
}
