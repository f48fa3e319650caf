package telegram_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"newsie/bot"
	"newsie/bot/telegram"
	"newsie/bot/telegram/telegramtest"
)

// gate is a handler whose answers hang until it is opened.
func gate() (h bot.Handler, open func()) {
	opened := make(chan struct{})
	return func(ctx context.Context, m bot.Message) (bot.Reply, error) {
		if m.Text == "menu" {
			return bot.Reply{Lang: "en", Text: "menu", Actions: []bot.Action{{Label: "Tap me", Text: "/tapped"}}}, nil
		}
		select {
		case <-opened:
			return echo(ctx, m)
		case <-ctx.Done():
			return bot.Reply{}, ctx.Err()
		}
	}, func() { close(opened) }
}

// Whatever number of answers hang, fetching goes on, taps are acknowledged and
// inline queries answered; what is too much to be held in memory is written down,
// and answered in its order once there is room.
func TestWhateverHangsUpdatesAreFetchedAndTapsAcknowledged(t *testing.T) {
	databases(t, func(t *testing.T, o, _ setup) {
		h, open := gate()
		o.server.Inline = true
		o.config = func(c *telegram.Config) {
			c.Grace = time.Nanosecond
			c.Inline = func(context.Context, bot.InlineQuery) (bot.InlineAnswer, error) {
				return bot.InlineAnswer{Lang: "en", Personal: true}, nil
			}
		}
		r := start(t, h, o)
		tapper := r.Chat(7)
		tapper.Say("menu")
		r.wait(t, tapper, 1)
		talker := r.Chat(8) // more than one chat may have in hand
		for i := range 30 {
			talker.Say(fmt.Sprint("a", i))
		}
		for i := range int64(1100) {
			r.Chat(1000 + i).Say("hang")
		}
		r.forgotten(t)
		if _, err := tapper.Tap("Tap me"); err != nil {
			t.Fatal(err)
		}
		asked := r.Between(9).Ask("tea")
		if err := r.Until(patient(t), func() bool { return len(r.Calls("answerCallbackQuery")) == 1 }); err != nil {
			t.Errorf("the button spins: %v", err)
		}
		if _, err := asked.Wait(patient(t)); err != nil {
			t.Errorf("inline: %v", err)
		}
		r.forgotten(t)
		talker.Say("a30")
		r.forgotten(t)
		if n := strings.Count(r.kept(t), `"update_id"`); n != 30+1100+2 {
			t.Errorf("%d updates are written down, want all 1132", n)
		}
		open()
		r.quiet(t)
		for i, m := range talker.Answers() {
			if want := fmt.Sprint("a", i); m.Text != want {
				t.Fatalf("answer %d is %q, want %q", i, m.Text, want)
			}
		}
		if n := len(talker.Answers()); n != 31 {
			t.Errorf("%d answers, want 31", n)
		}
		for i := range int64(1100) {
			if n := len(r.Chat(1000 + i).Answers()); n != 1 {
				t.Errorf("chat %d has %d answers", 1000+i, n)
			}
		}
		if n := len(tapper.Answers()); n != 2 {
			t.Errorf("the tap: %d messages, want 2", n)
		}
		if n := len(r.Calls("answerCallbackQuery")); n != 1 {
			t.Errorf("the tap was acknowledged %d times", n)
		}
	})
}

// What is kept has a bound: then fetching waits, and the log says so once.
func TestWhatWaitsHasABound(t *testing.T) {
	h, open := gate()
	r := start(t, h, setup{config: func(c *telegram.Config) { c.Shelf, c.Grace = 100, time.Nanosecond }})
	for i := range int64(1400) {
		r.Chat(1000 + i).Say("hang")
	}
	said := func(what string) int { return strings.Count(r.log.String(), what) }
	for ctx := patient(t); said("too many updates wait") == 0; {
		if ctx.Err() != nil {
			t.Fatalf("nobody was told:\n%s", r.log)
		}
	}
	if n := r.Pending(); n < 1400-1000-200-100 {
		t.Errorf("%d are left at the server; more than 1,200 were taken", n)
	}
	if n := said("too many updates wait"); n != 1 {
		t.Errorf("told %d times", n)
	}
	open()
	r.quiet(t)
	for i := range int64(1400) {
		if n := len(r.Chat(1000 + i).Answers()); n != 1 {
			t.Errorf("chat %d has %d answers", 1000+i, n)
		}
	}
	if said("updates are taken again") != said("too many updates wait") {
		t.Errorf("told %d times of too many, %d times of their end", said("too many updates wait"), said("updates are taken again"))
	}
}

// By a webhook, too, what cannot be in hand is written down; a crash loses none
// of it, and another replica keeps the order.
func TestACrashLosesNothingOfTheShelf(t *testing.T) {
	databases(t, func(t *testing.T, o, other setup) {
		h, _ := gate()
		s := telegramtest.Start(t, telegramtest.Options{Local: true})
		r := hook(t, s, h, setup{db: o.db, config: func(c *telegram.Config) { c.Patience, c.Grace, c.Shelf = time.Nanosecond, time.Nanosecond, 20 }})
		one := s.Chat(1)
		for i := range int64(40) {
			if code := r.post(said(100+i, 1, fmt.Sprint("a", i))); code != 200 {
				t.Fatalf("update %d: status %d", i, code)
			}
		}
		s.Chat(2)
		if code := r.post(said(200, 2, "too much")); code != 503 {
			t.Errorf("status = %d, want 503: the shelf is full", code)
		}
		if code := r.post(said(139, 1, "a39")); code != 200 {
			t.Errorf("a repeated one is safe, status = %d", code)
		}
		heir := hook(t, s, echo, ahead(t, other))
		for i, m := range heir.wait(t, one, 40) {
			if want := fmt.Sprint("a", i); m.Text != want {
				t.Fatalf("answer %d is %q, want %q", i, m.Text, want)
			}
		}
		heir.quiet(t)
	})
}

func TestTheShelfCannotBeFilledWhileTheDatabaseIsAway(t *testing.T) {
	h, _ := gate()
	s := telegramtest.Start(t, telegramtest.Options{Local: true})
	r := hook(t, s, h, setup{config: func(c *telegram.Config) { c.Patience, c.Grace = time.Nanosecond, time.Nanosecond }})
	s.Chat(1)
	for i := range int64(20) {
		if code := r.post(said(100+i, 1, "in hand")); code != 200 {
			t.Fatalf("status = %d", code)
		}
	}
	if err := r.db.Close(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if code := r.post(said(200, 1, "for the shelf")); code != 503 {
			t.Errorf("status = %d, want 503", code)
		}
	}
}

func TestNothingOvertakesTheShelf(t *testing.T) {
	if telegram.Overtakes() {
		t.Error("an update went before an earlier one of its chat")
	}
}
