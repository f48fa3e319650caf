package scheduler_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"newsie/bot"
	"newsie/scheduler"
	"newsie/scheduler/timetable"
)

// A walker is one follow under a clock that jumps and a newsie that is paused, and
// what it should have got.
type walker struct {
	id    int64
	chat  string
	spec  timetable.Spec
	zone  *time.Location
	last  time.Time // its latest slot that was planned or missed
	next  time.Time // as it happens: not before
	slots []string
}

// see is what a tick should do, told by the timetable alone: the latest slot once,
// if it is fresh.
func (w *walker) see(now time.Time) {
	slot := w.spec.Latest(now, w.zone)
	if w.spec.AsItComes() {
		if now.Before(w.next) {
			return
		}
		w.next = w.spec.Next(now, w.zone).At
	} else if !slot.At.After(w.last) {
		return
	}
	w.last = slot.At
	if now.Sub(slot.At) <= 6*time.Hour {
		w.slots = append(w.slots, slot.Wall)
	}
}

// Ten days with something new at each tick, in which newsie stands still for up to
// two days and its clock jumps by an hour: each follow gets the latest slot that is
// fresh, once, and each article once.
func TestEachSlotOnceWhateverTheClockDoes(t *testing.T) {
	specs := []string{
		"0 8 * * *", "30 18 * * *", "0 9 * * 1-5", "0 9 * * 3", // every morning, every evening, weekdays, weekly
		"15 */4 * * *", "0 7,12,19 * * *", "0 2 * * *", "@new 3h", "@new 24h",
	}
	zones := []string{"UTC", "Europe/Rome", "Asia/Shanghai", "America/New_York"}
	each(t, func(t *testing.T, h *house) {
		for seed := range uint64(2) {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				h.exec("DELETE FROM deliveries")
				h.exec("DELETE FROM editions")
				h.exec("DELETE FROM follows")
				rng := rand.New(rand.NewPCG(seed, 6))
				// Through the end of summer time in Rome, and in New York a week later.
				h.set(time.Date(2026, 10, 22, 6, 0, 0, 0, time.UTC))
				h.library.add("tea")
				var walkers []*walker
				for i, text := range specs {
					spec, err := timetable.Parse(text)
					if err != nil {
						t.Fatal(err)
					}
					zone, err := time.LoadLocation(zones[i%len(zones)])
					if err != nil {
						t.Fatal(err)
					}
					w := &walker{chat: fmt.Sprint(i), spec: spec, zone: zone, last: spec.Latest(h.clock(), zone).At}
					due := spec.Next(h.clock(), zone).At
					if spec.AsItComes() {
						due, w.next = h.clock(), h.clock()
					}
					w.id = h.follow(w.chat, "tea", text, zones[i%len(zones)], due)
					walkers = append(walkers, w)
				}
				replicas := []*scheduler.Scheduler{h.replica(), h.replica()}
				end := h.clock().AddDate(0, 0, 10)
				for h.clock().Before(end) {
					switch rng.IntN(60) {
					case 0: // for minutes up to two days
						h.pass(time.Duration(rng.IntN(48*60)) * time.Minute)
					case 1:
						h.pass(time.Hour)
					case 2:
						h.pass(-time.Hour)
					}
					h.library.add("tea")
					for _, w := range walkers {
						w.see(h.clock())
					}
					for _, s := range replicas {
						h.plan(s)
					}
					if rng.IntN(4) == 0 {
						h.deliver(replicas[rng.IntN(2)])
						if _, err := replicas[0].Recover(t.Context()); err != nil {
							t.Fatal(err)
						}
					}
					h.pass(30 * time.Minute)
				}
				h.pass(2 * time.Hour)
				h.deliver(replicas[0])
				for i, w := range walkers {
					h.wantWalked(w, specs[i])
				}
				if n := h.int("SELECT COUNT(*) FROM deliveries WHERE state <> 'sent'"); n != 0 {
					t.Errorf("%d are not sent: %s", n, h.states())
				}
			})
		}
	})
}

// wantWalked compares a follow's deliveries with what it should have got.
func (h *house) wantWalked(w *walker, spec string) {
	h.t.Helper()
	var rows []struct {
		Slot    string
		FromSeq int64
		ToSeq   int64
	}
	err := h.db.NewRaw("SELECT d.slot, e.from_seq, e.to_seq FROM deliveries d JOIN editions e ON e.id = d.edition WHERE d.follow = ? ORDER BY d.id", w.id).Scan(context.Background(), &rows)
	if err != nil {
		h.t.Fatal(err)
	}
	var slots []string
	at := int64(0)
	for _, row := range rows {
		slots = append(slots, row.Slot)
		if row.FromSeq != at {
			h.t.Errorf("%s: the edition of %s begins after %d, the one before ended with %d", spec, row.Slot, row.FromSeq, at)
		}
		at = row.ToSeq
	}
	if diff := cmp.Diff(w.slots, slots); diff != "" {
		h.t.Errorf("%s in %s (-want +got):\n%s", spec, w.zone, diff)
	}
	if got := h.int("SELECT since_seq FROM follows WHERE id = ?", w.id); got != at {
		h.t.Errorf("%s: offered up to %d, but its digests end with %d", spec, got, at)
	}
}

// The database's clock was set back by an hour. What a process that died had
// claimed before that comes back when a lease given now would end, and not an hour
// later; who lives and is sending keeps what it has.
func TestALeaseFromBeforeTheClockWasSetBack(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s, other := h.replica(), h.replica()
		h.planned(s, 4)
		now := func() int64 {
			clock, err := h.db.Now(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return clock
		}
		hour, usual := now()+time.Hour.Milliseconds(), now()+time.Minute.Milliseconds()
		h.exec("UPDATE deliveries SET state = 'claimed', claim = 'dead', lease_until = ? WHERE chat = '1'", hour)
		h.exec("UPDATE deliveries SET state = 'sending', claim = 'dead', lease_until = ? WHERE chat = '2'", hour)
		h.exec("UPDATE deliveries SET state = 'sending', claim = 'dead', lease_until = ? WHERE chat = '3'", usual)
		recoverNow := func() {
			t.Helper()
			if got, err := other.Recover(t.Context()); err != nil || got != (scheduler.Recovered{}) {
				t.Errorf("recovered %+v (%v): those who hold the leases may live", got, err)
			}
		}
		recoverNow()
		leases := func() string {
			return h.text("SELECT " + h.joined("CAST(lease_until AS TEXT)", ",") + " FROM (SELECT lease_until FROM deliveries WHERE lease_until > 0 ORDER BY id) AS l")
		}
		first := leases()
		if n := h.int("SELECT COUNT(*) FROM deliveries WHERE chat IN ('1', '2') AND lease_until BETWEEN ? AND ?", now(), now()+61_000); n != 2 {
			t.Errorf("the leases from before are %s, want a minute from now, %d", first, now())
		}
		if n := h.int("SELECT COUNT(*) FROM deliveries WHERE lease_until = ?", usual); n != 1 {
			t.Errorf("an ordinary lease was changed: %s", first)
		}
		if recoverNow(); leases() != first {
			t.Errorf("they last longer with each look: %s, then %s", first, leases())
		}
		h.exec("UPDATE deliveries SET lease_until = 1 WHERE lease_until > 0") // a minute passes
		if got, err := other.Recover(t.Context()); err != nil || got.Planned != 1 || got.Unknown != 2 {
			t.Errorf("recovered %+v (%v)", got, err)
		}

		h.exec("UPDATE deliveries SET state = 'planned', claim = '' WHERE chat IN ('2', '3')")
		h.platform.answer = func(context.Context, bot.Outgoing, int) (bot.Receipt, error) {
			h.exec("UPDATE deliveries SET lease_until = lease_until + 3600000 WHERE state = 'sending'")
			recoverNow()
			return bot.Receipt{}, nil
		}
		h.deliver(s)
		h.wantStates("sent 4")
		if n := len(h.platform.got); n != 4 {
			t.Errorf("%d arrived, want 4", n)
		}
	})
}

// A reader paused a follow for a week, and newsie stood still when the pause ended:
// one digest for the latest slot when that is fresh, with all that came since
// before the pause; otherwise the next one holds it.
func TestAPauseThatEndsDuringDowntime(t *testing.T) {
	for _, test := range []struct {
		spec string
		back time.Duration // when newsie is back, after the end of the pause
		slot string        // of the one digest; "": none yet
		next string        // of the one after
	}{
		{"0 8 * * *", 26 * time.Hour, "2026-05-12T08:00", "2026-05-13T08:00"},    // two slots missed, the second fresh
		{"0 8 * * *", 33 * time.Hour, "", "2026-05-13T08:00"},                    // both too old
		{"0 18 * * 1-5", 84 * time.Hour, "2026-05-14T18:00", "2026-05-15T18:00"}, // weekdays, the evening
		{"0 9 * * 3", 80 * time.Hour, "", "2026-05-20T09:00"},                    // weekly
		{"0 9 * * 3", 50 * time.Hour, "2026-05-13T09:00", "2026-05-20T09:00"},
		{"@new 3h", 33 * time.Hour, "2026-05-12T17:00Z", "2026-05-12T20:00Z"}, // always fresh
	} {
		t.Run(fmt.Sprintf("%s after %s", test.spec, test.back), func(t *testing.T) {
			each(t, func(t *testing.T, h *house) {
				spec, err := timetable.Parse(test.spec)
				if err != nil {
					t.Fatal(err)
				}
				resumes := monday.AddDate(0, 0, 7)
				due := resumes
				if !spec.AsItComes() {
					due = spec.Next(resumes.Add(-time.Second), time.UTC).At
				}
				id := h.follow("1", "tea", test.spec, "UTC", due)
				h.exec("UPDATE follows SET paused_until = ?", resumes.UnixMilli())
				s := h.replica()
				for range 6 { // a day each
					h.library.add("tea")
					if tick := h.plan(s); tick.Due != 0 {
						t.Errorf("while it pauses: %+v", tick)
					}
					h.pass(24 * time.Hour)
				}
				h.set(resumes.Add(test.back))
				var want []string
				if test.slot != "" {
					want = append(want, test.slot)
				}
				for range 3 {
					h.plan(h.replica())
				}
				w := &walker{id: id, spec: spec, zone: time.UTC, slots: want}
				h.wantWalked(w, test.spec)
				next, err := time.ParseInLocation(timetable.WallLayout, strings.TrimSuffix(test.next, "Z"), time.UTC)
				if err != nil {
					t.Fatal(err)
				}
				h.set(next)
				h.library.add("tea")
				h.plan(s)
				w.slots = append(w.slots, test.next)
				h.wantWalked(w, test.spec)
				h.deliver(s)
				h.wantStates(fmt.Sprintf("sent %d", len(w.slots)))
			})
		})
	}
}
