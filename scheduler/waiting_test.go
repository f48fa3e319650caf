package scheduler_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"newsie/internal/database/databasetest"
	"newsie/scheduler"
)

func (h *house) wantSent(want ...string) {
	h.t.Helper()
	if got := strings.Join(h.sentTo(), ", "); got != strings.Join(want, ", ") {
		h.t.Errorf("sent to %s, want %s", got, strings.Join(want, ", "))
	}
}

// sentTo lists the chats of all deliveries, the oldest first.
func (h *house) sentTo() []string {
	h.t.Helper()
	var chats []string
	if err := h.db.NewRaw("SELECT chat FROM deliveries ORDER BY id").Scan(h.t.Context(), &chats); err != nil {
		h.t.Fatal(err)
	}
	return chats
}

func TestWhatComesAsItHappens(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		id := h.follow("a", "tea", "@new 3h", "Europe/Rome", h.clock())
		tick := func(pass time.Duration) { h.pass(pass); h.plan(s); h.deliver(s) }
		tick(0)
		h.wantSent()
		h.library.add("coffee")
		tick(time.Minute)
		h.wantSent() // nothing for it
		h.library.add("tea")
		tick(time.Minute)
		h.wantSent("a") // at once
		if got := h.int("SELECT next_due_at FROM follows WHERE id = ?", id); got != h.clock().Add(3*time.Hour).UnixMilli() {
			t.Errorf("next at %s, want three hours later", time.UnixMilli(got).UTC())
		}
		h.library.add("tea", "tea")
		tick(time.Hour)
		h.wantSent("a") // not before three hours
		tick(119 * time.Minute)
		h.wantSent("a")
		tick(time.Minute)
		h.wantSent("a", "a") // both
		if got := h.text("SELECT articles FROM editions ORDER BY id DESC LIMIT 1"); got != "[4,3]" {
			t.Errorf("articles %s, want [4,3]", got)
		}
		searches := h.library.searches
		for range 60 {
			tick(time.Hour) // nothing comes: nothing is sent, and hardly anything is looked for
		}
		h.wantSent("a", "a")
		if n := h.library.searches - searches; n > 4 {
			t.Errorf("%d searches while nothing came", n)
		}
		h.library.add("tea")
		tick(time.Second)
		h.wantSent("a", "a", "a")
		h.wantStates("sent 3")
	})
}

func TestWaitingFollowsOfOneQueryShareASearch(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		const readers = 2500
		h.exec(`INSERT INTO follows (channel, chat, topic, query, lang, spec, zone, next_due_at, since_seq, created_at, waits)
			WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
			SELECT 'tg', 'r' || CAST(i AS TEXT), 'tea', 'tea', 'en', '@new 1h', 'UTC', ?, 0, 0, 1 FROM n`, readers, h.clock().Add(24*time.Hour).UnixMilli())
		s := h.replica()
		h.library.add("coffee")
		h.plan(s)
		if h.library.searches != 1 {
			t.Errorf("%d searches for what did not come, want 1", h.library.searches)
		}
		h.library.add("tea")
		h.pass(time.Minute)
		if tick := h.plan(s); tick.Planned != readers || h.library.searches > 3 {
			t.Errorf("planned %d with %d searches, want %d with one to wake and one to plan", tick.Planned, h.library.searches-1, readers)
		}
		if n := h.int("SELECT COUNT(*) FROM editions"); n != 1 {
			t.Errorf("%d editions, want one that all share", n)
		}
		if n := h.int("SELECT COUNT(*) FROM follows WHERE waits <> 0 OR since_seq <> 2"); n != 0 {
			t.Errorf("%d follows were left", n)
		}
	})
}

func TestReplicasWakeAWaitingFollowOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		a, b := h.replica(), h.replica()
		h.follow("a", "tea", "@new 2h", "UTC", h.clock())
		h.plan(a)
		h.plan(b)
		h.library.add("tea")
		done := make(chan error, 2)
		for _, s := range []*scheduler.Scheduler{a, b} {
			go func() { _, err := s.Plan(t.Context()); done <- err }()
		}
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		h.plan(a)
		h.plan(b)
		h.wantSent("a")
		if n := h.int("SELECT COUNT(*) FROM follows WHERE waits = 0 AND next_due_at = ?", h.clock().Add(2*time.Hour).UnixMilli()); n != 1 {
			t.Error("the follow does not keep its two hours")
		}
	})
}

// A replica died after it woke the follow, or before anybody did.
func TestWhatWaitsSurvivesACrash(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		woken := h.follow("woken", "tea", "@new 2h", "UTC", h.clock())
		h.follow("asleep", "tea", "@new 2h", "UTC", h.clock())
		h.plan(h.replica())
		h.library.add("tea")
		h.exec("UPDATE follows SET waits = 0, next_due_at = ? WHERE id = ?", h.clock().UnixMilli(), woken)
		h.plan(h.replica()) // another, which knows nothing of the first
		h.wantSent("woken", "asleep")
	})
}

// An article that the search of a replica missed comes within a day.
func TestWhatWaitsIsLookedAtOnceADay(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		h.follow("a", "tea", "@new 2h", "UTC", h.clock())
		h.plan(s)
		h.library.add("oolong")
		h.plan(s)
		h.library.articles[0].topics = "oolong tea" // a synonym that came later
		h.pass(23 * time.Hour)
		h.plan(s)
		h.wantSent()
		h.pass(time.Hour)
		h.plan(s)
		h.wantSent("a")
	})
}

func TestABrokenSearchLeavesWhatWaits(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		h.follow("a", "tea", "@new 2h", "UTC", h.clock())
		h.plan(s)
		h.library.add("tea")
		h.library.broken = errors.New("no index")
		h.plan(s)
		h.library.broken = nil
		h.plan(s)
		h.wantSent("a")
	})
}

func TestSilentChatsWaitWithoutBeingWoken(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		h.exec("INSERT INTO chats (channel, id, state, since) VALUES ('tg', 'a', 'stopped', 0)")
		h.follow("a", "tea", "@new 2h", "UTC", h.clock())
		h.plan(s)
		h.library.add("tea")
		for range 3 {
			if tick := h.plan(s); tick.Due != 0 {
				t.Errorf("%d due", tick.Due)
			}
		}
		h.wantSent()
	})
}

// One that joins those who wait for the same, and was offered less than they, as a
// lagging replica leaves it, gets what was not for them.
func TestWhoJoinsThoseWhoWaitMissesNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		h.library.add("tea")
		h.follow("a", "tea", "@new 2h", "UTC", h.clock())
		h.exec("UPDATE follows SET since_seq = 1")
		h.plan(s)
		h.library.add("coffee")
		h.plan(s) // looked for, and not found
		b := h.follow("b", "tea", "@new 2h", "UTC", h.clock().AddDate(0, 0, 1))
		h.exec("UPDATE follows SET waits = 1 WHERE id = ?", b)
		h.library.add("coffee")
		h.plan(s)
		h.wantSent("b")
	})
}

// What another process has at hand when it is to be woken is woken later, though
// nothing more comes.
func TestWhatIsAtHandElsewhereIsWokenLater(t *testing.T) {
	h := newHouse(t, databasetest.PostgresAddress(t)) // SQLite has one writer
	s := h.replica()
	h.follow("a", "tea", "@new 2h", "UTC", h.clock())
	h.plan(s)
	h.library.add("tea")
	tx, err := h.db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("UPDATE follows SET topic = topic"); err != nil {
		t.Fatal(err)
	}
	h.plan(s)
	h.wantSent()
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	h.plan(s)
	h.wantSent("a")
}
