package scheduler_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"newsie/bot"
	"newsie/scheduler"
)

// A year of daily digests leaves what the last 90 days left, and a database that
// has stopped growing.
func TestAYearOfDigestsStopsGrowing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		const readers = 4
		keep, days := 90, 360
		if h.db.Postgres() { // which does not give pages back, and takes long
			keep, days = 20, 60
		}
		s := h.replica()
		for i := range readers {
			h.follow(fmt.Sprint(i+1), "tea", "0 8 * * *", "UTC", monday)
		}
		// Some that nothing ends: they stay however old they are.
		h.library.add("tea")
		h.plan(s)
		h.deliver(s)
		h.exec("UPDATE deliveries SET state = 'planned', due_at = ? WHERE id = 1", monday.AddDate(10, 0, 0).UnixMilli())
		h.exec("UPDATE deliveries SET state = 'sending' WHERE id = 2")
		h.exec("UPDATE deliveries SET state = 'claimed' WHERE id = 3")
		var half int64
		for day := 1; day <= days; day++ {
			h.set(monday.AddDate(0, 0, day))
			h.library.add("tea")
			h.plan(s)
			h.deliver(s)
			if _, err := s.Compact(t.Context(), h.clock().AddDate(0, 0, -keep)); err != nil {
				t.Fatal(err)
			}
			if day == days/2 && !h.db.Postgres() {
				half = h.pages()
			}
		}
		if n := h.int("SELECT COUNT(*) FROM deliveries WHERE state = 'sent'"); int(n) != (keep+1)*readers {
			t.Errorf("%d sent deliveries are kept, want those of %d days: %d", n, keep+1, (keep+1)*readers)
		}
		if got := h.text("SELECT " + h.joined("state", ",") + " FROM (SELECT state FROM deliveries WHERE id <= 3 ORDER BY id) AS open"); got != "planned,sending,claimed" {
			t.Errorf("of what is open there are left %s", got)
		}
		// That of the first day is shared by what is open; its fourth reader's is gone.
		if n := h.int("SELECT COUNT(*) FROM editions"); int(n) != keep+2 {
			t.Errorf("%d editions are kept, want %d", n, keep+2)
		}
		if n := h.int("SELECT COUNT(*) FROM deliveries d WHERE NOT EXISTS (SELECT 1 FROM editions e WHERE e.id = d.edition)"); n != 0 {
			t.Errorf("%d deliveries have lost their editions", n)
		}
		if half > 0 && h.pages() > half {
			t.Errorf("the database has grown from %d to %d bytes in the second half of the year", half, h.pages())
		}
		if n := len(h.platform.got); n != (days+1)*readers {
			t.Errorf("%d digests arrived, want %d", n, (days+1)*readers)
		}
	})
}

// pages is how many bytes of the database are in use or were.
func (h *house) pages() int64 {
	h.t.Helper()
	n, err := h.db.Size(context.Background())
	if err != nil {
		h.t.Fatal(err)
	}
	return n
}

// The machine's clock jumps by an hour, and stands still for longer than a lease,
// while digests go out: each arrives once.
func TestClockJumpsWhileDigestsGoOut(t *testing.T) {
	for name, test := range map[string]struct {
		jump  time.Duration
		paced bool
	}{
		"an hour ahead": {time.Hour, false}, "an hour back": {-time.Hour, false},
		"an hour ahead, paced": {time.Hour, true}, "an hour back, paced": {-time.Hour, true},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, h *house) {
				const chats = 150
				paced := func(c *scheduler.Config) {
					if test.paced {
						c.Pacer = bot.NewPacer(c.DB, h.clock)
						h.platform.buckets = func(to bot.ChatID) []bot.Bucket {
							return []bot.Bucket{{Name: "tg", PerSecond: 25, Burst: 1}, {Name: "tg:" + to.ID, PerSecond: 1, Burst: 1}}
						}
					}
				}
				a, b := h.replica(paced), h.replica(paced)
				h.planned(a, chats)
				jumped := 0
				h.platform.answer = func(_ context.Context, o bot.Outgoing, _ int) (bot.Receipt, error) {
					if o.To.ID == "40" || o.To.ID == "90" {
						h.mu.Lock()
						if jumped++; jumped <= 2 {
							h.now = h.now.Add(test.jump)
						}
						h.mu.Unlock()
					}
					return bot.Receipt{Way: "message"}, nil
				}
				for range 3 {
					for _, s := range []*scheduler.Scheduler{a, b} {
						h.deliver(s)
						if _, err := s.Recover(t.Context()); err != nil {
							t.Fatal(err)
						}
					}
					h.pass(2 * time.Hour)
				}
				h.wantStates(fmt.Sprintf("sent %d", chats))
				if n := len(h.platform.got); n != chats {
					t.Errorf("%d arrived, want %d", n, chats)
				}
			})
		})
	}
}

func TestRetriesAreThePublishersChoice(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		h.planned(s, 6)
		h.exec("UPDATE deliveries SET state = 'unknown' WHERE chat IN ('1', '2')")
		h.exec("UPDATE deliveries SET state = 'failed' WHERE chat = '3'")
		h.exec("UPDATE deliveries SET state = 'gone' WHERE chat = '4'")
		h.exec("INSERT INTO chats (channel, id, state, since) VALUES ('tg', '4', 'suspended', 0)")
		h.exec("UPDATE follows SET state = 'suspended' WHERE chat = '4'")
		h.exec("UPDATE deliveries SET state = 'sent' WHERE chat = '5'")
		h.exec("UPDATE deliveries SET state = 'cancelled' WHERE chat = '6'")
		ledger := scheduler.NewLedger(h.db, h.clock)
		for _, test := range []struct {
			filter scheduler.RetryFilter
			want   int
		}{
			{scheduler.RetryFilter{States: []scheduler.State{scheduler.Sent, scheduler.Cancelled}}, 0},
			{scheduler.RetryFilter{States: []scheduler.State{scheduler.Unknown}, Channel: "wx"}, 0},
			{scheduler.RetryFilter{States: []scheduler.State{scheduler.Unknown}, Since: h.clock().Add(time.Hour)}, 0},
			{scheduler.RetryFilter{States: []scheduler.State{scheduler.Unknown}, Channel: "tg"}, 2},
			{scheduler.RetryFilter{States: []scheduler.State{scheduler.Unknown}}, 0}, // they are planned by now
			{scheduler.RetryFilter{IDs: []int64{3, 5, 6}}, 1},
			{scheduler.RetryFilter{States: []scheduler.State{scheduler.Gone}, Edition: 1}, 1},
		} {
			counts, err := ledger.Retries(t.Context(), test.filter)
			if err != nil {
				t.Fatal(err)
			}
			announced := 0
			for _, n := range counts {
				announced += int(n.Count)
			}
			ids, err := ledger.RetryAll(t.Context(), test.filter)
			if err != nil || len(ids) != test.want || announced != test.want {
				t.Errorf("%+v: %d announced, %v planned (%v), want %d", test.filter, announced, ids, err, test.want)
			}
		}
		h.deliver(s)
		h.wantStates("cancelled 1, sent 5")
		if n := h.int("SELECT COUNT(*) FROM follows WHERE state = 'active'"); n != 6 {
			t.Errorf("%d follows are active, want the one that was gone too", n)
		}
	})
}
