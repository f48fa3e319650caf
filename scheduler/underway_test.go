package scheduler_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"newsie/bot"
	"newsie/scheduler"
)

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
