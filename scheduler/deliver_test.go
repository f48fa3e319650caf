package scheduler_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun"

	"newsie/bot"
	"newsie/content"
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
		h.planned(s, 4)
		h.exec("DELETE FROM follows WHERE chat = '1'")
		h.exec("UPDATE follows SET state = 'suspended' WHERE chat = '2'")
		h.exec("INSERT INTO chats (channel, id, state, since) VALUES ('tg', '3', 'stopped', 0)")
		h.library.withdraw(1)
		h.deliver(s)
		h.wantStates("cancelled 4")
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
		h.deliver(s)
		if n := h.int("SELECT COUNT(*) FROM follows WHERE chat = '1' AND state = 'suspended'"); n != 2 {
			t.Errorf("%d follows suspended, want 2", n)
		}
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

// A channel may have many messages under way; a commit takes 64 of them at most,
// and a crash leaves no more in doubt than Workers, however many that are.
func TestNeverMoreInDoubtThanWorkers(t *testing.T) {
	for workers, want := range map[int]int64{8: 8, 1000: 256} {
		t.Run(fmt.Sprint(workers), func(t *testing.T) {
			each(t, func(t *testing.T, h *house) {
				rows := &rowCounter{}
				s := h.replica(func(c *scheduler.Config) {
					c.Channels[0].Workers = workers
					c.DB.DB = c.DB.WithQueryHook(rows)
				})
				h.planned(s, 900)
				var most atomic.Int64
				var mu sync.Mutex
				h.platform.answer = func(context.Context, bot.Outgoing, int) (bot.Receipt, error) {
					mu.Lock()
					defer mu.Unlock()
					if n := h.int("SELECT COUNT(*) FROM deliveries WHERE state = 'sending'"); n > most.Load() {
						most.Store(n)
					}
					return bot.Receipt{}, nil
				}
				h.deliver(s)
				h.wantStates("sent 900")
				if n := most.Load(); n > want || n < want/4 {
					t.Errorf("%d in doubt at once, want up to %d", n, want)
				}
				if n := rows.most.Load(); n > 64 || workers > 256 && n < 32 {
					t.Errorf("a commit changed %d rows in doubt, want up to 64", n)
				}
			})
		})
	}
}

// A rowCounter sees how many deliveries one statement marks as being sent, or settles.
type rowCounter struct{ most atomic.Int64 }

func (*rowCounter) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

func (r *rowCounter) AfterQuery(_ context.Context, e *bun.QueryEvent) {
	if e.Result == nil || !strings.Contains(e.Query, "UPDATE deliveries SET state") || strings.Contains(e.Query, "'claimed', claim =") {
		return
	}
	if n, err := e.Result.RowsAffected(); err == nil {
		for old := r.most.Load(); n > old && !r.most.CompareAndSwap(old, n); old = r.most.Load() {
		}
	}
}

func TestRatesAreKept(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var mu sync.Mutex
		var times []time.Time
		h.platform.buckets = func(to bot.ChatID) []bot.Bucket {
			return []bot.Bucket{{Name: "tg", PerSecond: 25, Burst: 2}, {Name: "tg:" + to.ID, PerSecond: 1, Burst: 1}}
		}
		h.platform.answer = func(context.Context, bot.Outgoing, int) (bot.Receipt, error) {
			mu.Lock()
			defer mu.Unlock()
			times = append(times, h.clock())
			return bot.Receipt{}, nil
		}
		s := h.replica(func(c *scheduler.Config) { c.Pacer = bot.NewPacer(c.DB, h.clock) })
		h.planned(s, 100)
		h.deliver(s)
		h.wantStates("sent 100")
		slices.SortFunc(times, time.Time.Compare)
		for i, at := range times { // 25 a second after a burst of two
			if earliest := monday.Add(time.Duration(i-1) * 40 * time.Millisecond); at.Before(earliest) {
				t.Errorf("message %d went %s too early", i, earliest.Sub(at))
			}
		}
	})
}

func TestAChatWithALongQueueIsPutOff(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.platform.buckets = func(to bot.ChatID) []bot.Bucket {
			return []bot.Bucket{{Name: "tg", PerSecond: 25, Burst: 25}, {Name: "tg:" + to.ID, PerSecond: 0.1, Burst: 1}}
		}
		s := h.replica(func(c *scheduler.Config) { c.Pacer = bot.NewPacer(c.DB, h.clock) })
		h.library.add("tea")
		for i := range 20 {
			h.follow("1", fmt.Sprint("te", "a"[:1], i), "0 8 * * *", "UTC", monday)
		}
		h.exec("UPDATE follows SET query = 'tea' WHERE id = 1")
		h.library.articles[0].topics = "tea tea0 tea1 tea2 tea3 tea4 tea5 tea6 tea7 tea8 tea9 tea10 tea11 tea12 tea13 tea14 tea15 tea16 tea17 tea18 tea19"
		h.follow("2", "tea", "0 8 * * *", "UTC", monday)
		h.plan(s)
		h.deliver(s)
		if n := h.platform.tries["2"]; n != 1 {
			t.Errorf("the other chat got %d messages, want 1", n)
		}
		if n := h.platform.tries["1"]; n < 1 || n > 4 {
			t.Errorf("the chat got %d messages at once", n)
		}
		for range 60 {
			h.pass(10 * time.Second)
			h.deliver(s)
		}
		h.wantStates("sent 21")
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
