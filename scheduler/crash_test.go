package scheduler_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"newsie/bot"
	"newsie/content"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
	"newsie/scheduler"
)

// A process that ends in the middle leaves its rows as they are.
func TestCrashes(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica(func(c *scheduler.Config) {
			c.Channels = append(c.Channels, scheduler.Channel{Name: "mass", Sender: h.platform, InDoubt: scheduler.Resend})
		})
		h.planned(s, 6)
		soon, past := "9999999999999", "1"
		for chat, set := range map[string]string{
			"1": "state = 'claimed', claim = 'x', lease_until = " + past,
			"2": "state = 'claimed', claim = 'x', lease_until = " + soon,
			"3": "state = 'sending', claim = 'x', lease_until = " + past,
			"4": "state = 'sending', claim = 'x', lease_until = " + soon,
			"5": "state = 'sending', claim = 'x', channel = 'mass', lease_until = " + past,
			"6": "state = 'sending', claim = 'x', channel = 'gone', lease_until = " + past,
		} {
			h.exec("UPDATE deliveries SET " + set + " WHERE chat = '" + chat + "'")
		}
		h.exec("UPDATE follows SET channel = 'mass' WHERE chat = '5'")
		got, err := s.Recover(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(scheduler.Recovered{Planned: 1, Resent: 1, Unknown: 2}, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		h.deliver(s)
		h.wantStates("claimed 1, sending 1, sent 2, unknown 2")
		if diff := cmp.Diff([]string{"1: Article 1", "5: Article 1"}, h.platform.received()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

// What nothing could be sent of for a day is given up, with its last reason.
func TestWhatCouldNotBeSentInTimeIsGivenUp(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		h.planned(s, 3)
		h.exec("UPDATE deliveries SET due_at = due_at - 3600000, error = 'broken' WHERE chat = '1'")
		h.exec("UPDATE deliveries SET state = 'held' WHERE chat = '3'")
		for _, step := range []struct {
			pass time.Duration
			want int64
		}{{23*time.Hour - time.Minute, 0}, {2 * time.Minute, 1}, {time.Hour, 1}} {
			h.pass(step.pass)
			if got, err := s.Recover(t.Context()); err != nil || got != (scheduler.Recovered{GivenUp: step.want}) {
				t.Errorf("%s later: %+v (%v), want %d given up", h.clock().Sub(monday), got, err, step.want)
			}
		}
		h.wantStates("failed 2, held 1")
		if got := h.text("SELECT error FROM deliveries WHERE chat = '1'"); got != "given up, it could not be sent in time: broken" {
			t.Errorf("the reason is %q", got)
		}
	})
}

// Who knows itself alone need not wait for the leases of the dead.
func TestTheLeasesOfTheDeadAreAbandoned(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica(func(c *scheduler.Config) {
			c.Channels = append(c.Channels, scheduler.Channel{Name: "mass", Sender: h.platform, InDoubt: scheduler.Resend})
		})
		h.planned(s, 4)
		h.exec("UPDATE deliveries SET claim = 'x', lease_until = 9999999999999, state = CASE chat WHEN '1' THEN 'claimed' ELSE 'sending' END WHERE chat <> '4'")
		h.exec("UPDATE deliveries SET channel = 'mass' WHERE chat = '3'")
		h.exec("UPDATE follows SET channel = 'mass' WHERE chat = '3'")
		if got, err := s.Recover(t.Context()); err != nil || got != (scheduler.Recovered{}) {
			t.Errorf("recovered %+v (%v) while the leases run", got, err)
		}
		got, err := s.Abandon(t.Context())
		if want := (scheduler.Recovered{Planned: 1, Resent: 1, Unknown: 1}); err != nil || got != want {
			t.Errorf("abandoned %+v (%v), want %+v", got, err, want)
		}
		h.deliver(s)
		h.wantStates("sent 3, unknown 1")
	})
}

// A process that stood still while its claim ran out must not send, nor settle
// what is another's by now.
func TestAProcessThatStoodStill(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		// The claim is taken over while the message is being rendered.
		stolen := &slowArticles{library: h.library, do: func() {
			h.exec("UPDATE deliveries SET claim = 'other', lease_until = 9999999999999 WHERE state = 'claimed' AND chat = '1'")
		}}
		s := h.replica(func(c *scheduler.Config) { c.Articles = stolen })
		h.planned(s, 2)
		h.deliver(s)
		if diff := cmp.Diff([]string{"2: Article 1"}, h.platform.received()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		h.wantStates("claimed 1, sent 1")

		// Its lease ran out meanwhile, and nobody has taken it over yet: others may
		// do so at any moment.
		h.exec("UPDATE deliveries SET state = 'planned', claim = '' WHERE chat = '1'")
		stolen.do = func() { h.exec("UPDATE deliveries SET lease_until = 1 WHERE state = 'claimed'") }
		h.library.add("coffee") // what was rendered is not kept
		h.deliver(s)
		h.wantStates("claimed 1, sent 1")
		stolen.do = func() {}
		if got, err := s.Recover(t.Context()); err != nil || got.Planned != 1 {
			t.Errorf("recovered %+v (%v)", got, err)
		}

		// It is listed as unknown while it is being sent; the late news is believed.
		h.exec("UPDATE deliveries SET state = 'planned', claim = '' WHERE chat = '1'")
		h.platform.answer = func(context.Context, bot.Outgoing, int) (bot.Receipt, error) {
			h.exec("UPDATE deliveries SET state = 'unknown' WHERE chat = '1'")
			return bot.Receipt{}, nil
		}
		h.deliver(s)
		h.wantStates("sent 2")

		// It was taken over while being sent; the late news is nobody's.
		h.exec("UPDATE deliveries SET state = 'planned', claim = '' WHERE chat = '1'")
		h.platform.answer = func(context.Context, bot.Outgoing, int) (bot.Receipt, error) {
			h.exec("UPDATE deliveries SET claim = 'other' WHERE chat = '1'")
			return bot.Receipt{}, bot.ErrGone
		}
		h.deliver(s)
		h.wantStates("sending 1, sent 1")
		if n := h.int("SELECT COUNT(*) FROM follows WHERE state = 'active'"); n != 2 {
			t.Errorf("%d active follows, want 2", n)
		}
	})
}

type slowArticles struct {
	*library
	do func()
}

func (s *slowArticles) Articles(ctx context.Context, ids []int64) ([]content.Article, error) {
	s.do()
	return s.library.Articles(ctx, ids)
}

func TestTwoReplicasSendEachMessageOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		a, b := h.replica(), h.replica()
		h.planned(a, 700)
		var all sync.WaitGroup
		for _, s := range []*scheduler.Scheduler{a, b, a, b} {
			all.Go(func() {
				if _, err := s.Deliver(context.Background()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		h.deliver(a)
		h.wantStates("sent 700")
		for chat, n := range h.platform.tries {
			if n != 1 {
				t.Errorf("chat %s was tried %d times", chat, n)
			}
		}
		if len(h.platform.tries) != 700 {
			t.Errorf("%d chats reached, want 700", len(h.platform.tries))
		}
	})
}

func TestShutdown(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica(func(c *scheduler.Config) { c.Channels[0].Workers = 4 })
		h.planned(s, 20)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var n atomic.Int64
		h.platform.answer = func(ctx context.Context, _ bot.Outgoing, _ int) (bot.Receipt, error) {
			if n.Add(1) == 3 {
				cancel()
			}
			if err := ctx.Err(); err != nil {
				t.Errorf("a message under way was broken off: %v", err)
			}
			return bot.Receipt{}, nil
		}
		if err := s.Deliverer.Run(ctx); err != nil {
			t.Fatal(err)
		}
		sent := h.int("SELECT COUNT(*) FROM deliveries WHERE state = 'sent'")
		planned := h.int("SELECT COUNT(*) FROM deliveries WHERE state = 'planned' AND claim <> ''")
		if sent != n.Load() || sent+h.int("SELECT COUNT(*) FROM deliveries WHERE state = 'planned'") != 20 {
			t.Errorf("%s after %d sends (%d given back)", h.states(), n.Load(), planned)
		}
		h.deliver(h.replica())
		h.wantStates("sent 20")
	})
}

func TestRunPlansAndDelivers(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		h.platform.answer = func(context.Context, bot.Outgoing, int) (bot.Receipt, error) {
			cancel()
			return bot.Receipt{}, nil
		}
		h.library.add("tea")
		h.follow("1", "tea", "0 8 * * *", "UTC", monday)
		ran := make(chan struct{})
		var once sync.Once
		s := h.replica(func(c *scheduler.Config) {
			c.Jobs = []scheduler.Job{
				{Name: "mine", Every: time.Hour, AtStart: true, Run: func(context.Context) error { once.Do(func() { close(ran) }); return nil }},
				{Name: "panics", Every: time.Hour, AtStart: true, Run: func(context.Context) error { panic("oh") }},
				{Name: "nightly", Spec: "0 3 * * *", Run: func(context.Context) error { return nil }},
			}
		})
		if err := s.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		<-ran
		h.wantStates("sent 1")
	})
}

// A job that is woken need not wait for its time, and neither what it fails with
// nor that it panics keeps it from being woken again.
func TestAJobIsWoken(t *testing.T) {
	h := newHouse(t, filepath.Join(t.TempDir(), "newsie.db"))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	woken, times := make(chan struct{}, 1), 0
	woken <- struct{}{}
	s := h.replica(func(c *scheduler.Config) {
		c.Jobs = []scheduler.Job{{Name: "mine", Every: 1000 * time.Hour, Woken: woken, Run: func(context.Context) error {
			switch times++; times {
			case 1:
				woken <- struct{}{}
				return errBroken
			case 2:
				woken <- struct{}{}
				panic("oh")
			}
			cancel()
			return nil
		}}}
	})
	if err := s.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if times != 3 {
		t.Errorf("ran %d times", times)
	}
}

// Whoever keeps a send tells all who serve.
func TestASendIsSignalled(t *testing.T) {
	h := newHouse(t, databasetest.PostgresAddress(t)) // SQLite has no signals
	ctx, cancel := context.WithCancel(t.Context())
	var heard []database.Signal
	err := h.db.Listen(ctx, func(s database.Signal) {
		heard = append(heard, s)
		if len(heard) == 1 { // it listens now
			h.launch(everyone, "", 1)
		}
		if s.Name == scheduler.SendsSignalName {
			cancel()
		}
	}, nil)
	if err != nil || heard[len(heard)-1].Name != scheduler.SendsSignalName {
		t.Errorf("heard %v, %v", heard, err)
	}
}

func TestAMessageThatOutlivesTheGraceIsInDoubt(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica(func(c *scheduler.Config) { c.Grace = time.Nanosecond })
		h.planned(s, 1)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		h.platform.answer = func(ctx context.Context, _ bot.Outgoing, _ int) (bot.Receipt, error) {
			cancel()
			<-ctx.Done()
			return bot.Receipt{}, errBroken // an adapter that does not tell why
		}
		if err := s.Deliverer.Run(ctx); err != nil {
			t.Fatal(err)
		}
		h.wantStates("unknown 1")
	})
}
