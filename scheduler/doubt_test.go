package scheduler_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"newsie/bot"
	"newsie/bot/telegram"
	"newsie/scheduler"
)

// What waits for its slot is not in doubt, but for the two whose slots are next.
func TestWhatWaitsForItsSlotIsNotInDoubt(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		const chats, patience = 120, 20 * time.Second
		h.platform.buckets = func(bot.ChatID) []bot.Bucket {
			return []bot.Bucket{{Name: "tg", PerSecond: telegram.DefaultRate, Burst: 1}}
		}
		var once sync.Once
		waits := 0
		s := h.replica(func(c *scheduler.Config) {
			c.Channels[0].Workers = 0
			c.Pacer = bot.NewPacer(c.DB, h.clock)
			c.Sleep = func(ctx context.Context, d time.Duration) error {
				if waits++; waits > 30 { // the gate stands still, and what has passed it comes to an end
					once.Do(func() {
						ctx, cancel := context.WithTimeout(ctx, patience)
						defer cancel()
						sending := func() int64 { return h.int("SELECT COUNT(*) FROM deliveries WHERE state = 'sending'") }
						for sending() > 2 && ctx.Err() == nil {
							<-time.After(time.Millisecond)
						}
						if n := sending(); n > 2 {
							t.Errorf("%d are in doubt that wait for their slots, want 2 at most", n)
						}
					})
				}
				return h.sleep(ctx, d)
			}
		})
		h.planned(s, chats)
		h.deliver(s)
		h.wantStates(fmt.Sprintf("sent %d", chats))
		if got := h.int("SELECT MAX(attempt) FROM deliveries"); got != 1 || waits < 40 {
			t.Errorf("%d tries, %d waits", got, waits)
		}
	})
}
