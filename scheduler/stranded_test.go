package scheduler_test

import (
	"context"
	"testing"
	"time"

	"newsie/bot"
	"newsie/internal/database/databasetest"
	"newsie/scheduler"
)

// What was claimed when the database went away is given back when it is there
// again, and not when the leases have run out.
func TestWhatWasClaimedWhenTheDatabaseWentAwayGoesOutWhenItIsBack(t *testing.T) {
	h := newHouse(t, databasetest.PostgresAddress(t))
	gate := databasetest.NewGate(t, h.address)
	away := true
	s := h.replica(func(c *scheduler.Config) {
		c.DB = databasetest.Open(t, gate.Address())
		c.Silent = func(context.Context, []bot.ChatID, time.Time) (map[bot.ChatID]bool, error) {
			if away { // just before the first are marked as being sent
				gate.Shut()
			}
			return nil, nil
		}
	})
	h.planned(s, 20)
	for range 2 { // the second time it is still away
		if _, err := s.Deliver(t.Context()); err == nil {
			t.Fatal("the database was not missed")
		}
		h.wantStates("claimed 20")
	}
	away = false
	gate.Open()
	h.deliver(s)
	h.wantStates("sent 20")
	if n := len(h.platform.received()); n != 20 {
		t.Errorf("%d messages for 20 chats", n)
	}
}

// What went out while the database was away is noted when it is back, however
// long that takes.
func TestWhatWentOutWhenTheDatabaseWasAwayIsNoted(t *testing.T) {
	h := newHouse(t, databasetest.PostgresAddress(t))
	gate := databasetest.NewGate(t, h.address)
	tries := 0
	s := h.replica(func(c *scheduler.Config) {
		c.DB = databasetest.Open(t, gate.Address())
		c.Sleep = func(ctx context.Context, _ time.Duration) error {
			if tries++; tries == 30 {
				gate.Open()
			}
			return ctx.Err()
		}
	})
	h.planned(s, 1)
	h.platform.answer = func(_ context.Context, o bot.Outgoing, _ int) (bot.Receipt, error) {
		gate.Shut()
		return bot.Receipt{ProviderID: o.Key, Way: "message"}, nil
	}
	_, _ = s.Deliver(t.Context()) // which may miss it when it looks for more
	h.wantStates("sent 1")
	if tries != 30 {
		t.Errorf("%d pauses", tries)
	}
}
