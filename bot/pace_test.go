package bot_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun"

	"newsie/bot"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

// replicas are two Pacers, each with connections of its own.
func replicas(t *testing.T, test func(t *testing.T, now *clock, a, b *bot.Pacer)) {
	t.Helper()
	for name, address := range map[string]string{"sqlite": t.TempDir() + "/newsie.db", "postgres": ""} {
		t.Run(name, func(t *testing.T) {
			if address == "" {
				address = databasetest.PostgresAddress(t)
			}
			now := newClock()
			test(t, now, bot.NewPacer(databasetest.Open(t, address), now.now), bot.NewPacer(databasetest.Open(t, address), now.now))
		})
	}
}

func TestSlotsAreTakenJustInTime(t *testing.T) {
	replicas(t, func(t *testing.T, now *clock, a, b *bot.Pacer) {
		bucket := bot.Bucket{Name: "all", PerSecond: 10, Burst: 1}
		take := func(p *bot.Pacer, n int, want time.Duration, wantOK bool) {
			t.Helper()
			got, ok, err := p.Take(t.Context(), bucket, n, 200*time.Millisecond, nil)
			if err != nil || got != want || ok != wantOK {
				t.Errorf("wait %v, taken %v, want %v %v (%v)", got, ok, want, wantOK, err)
			}
		}
		take(a, 1, 0, true)
		take(b, 1, 100*time.Millisecond, true)
		take(a, 1, 200*time.Millisecond, true)
		take(b, 1, 300*time.Millisecond, false) // nothing is taken
		// An answer gets the next slot, however far ahead.
		for _, want := range []time.Duration{300, 400} {
			if wait, err := b.Reserve(t.Context(), "all", 10, 1, 1); err != nil || wait != want*time.Millisecond {
				t.Errorf("an answer waits %v, want %v ms (%v)", wait, want, err)
			}
		}
		now.advance(200 * time.Millisecond)
		take(a, 1, 300*time.Millisecond, false)
		now.advance(100 * time.Millisecond)
		take(a, 3, 200*time.Millisecond, true) // three in a row: 200, 300 and 400 ms
		take(b, 1, 500*time.Millisecond, false)
		now.advance(time.Minute)
		take(b, 2, 0, true) // what was not used while it was quiet is gone
		take(a, 1, 200*time.Millisecond, true)
	})
}

// What is written with slots is written when they are taken, and only then; and
// no slot is taken when it cannot be written.
func TestSlotsAreTakenWithWhatIsWritten(t *testing.T) {
	replicas(t, func(t *testing.T, _ *clock, a, _ *bot.Pacer) {
		bucket := bot.Bucket{Name: "all", PerSecond: 10, Burst: 1}
		refused := errors.New("refused")
		written := 0
		write := func(ctx context.Context, tx bun.IDB) error {
			written++
			_, err := tx.ExecContext(ctx, "INSERT INTO settings (name, value) VALUES (?, 'x')", strconv.Itoa(written))
			return err
		}
		if _, ok, err := a.Take(t.Context(), bucket, 2, 0, func(context.Context, bun.IDB) error { return refused }); ok || !errors.Is(err, refused) {
			t.Errorf("taken %v (%v), want %v", ok, err, refused)
		}
		if wait, ok, err := a.Take(t.Context(), bucket, 2, 0, write); !ok || wait != 0 || err != nil || written != 1 {
			t.Errorf("after a refusal: wait %v, taken %v, written %d times (%v)", wait, ok, written, err)
		}
		if wait, ok, err := a.Take(t.Context(), bucket, 1, 0, write); ok || wait != 200*time.Millisecond || err != nil || written != 1 {
			t.Errorf("where no slot is near: wait %v, taken %v, written %d times (%v)", wait, ok, written, err)
		}
	})
}

func TestSlotsOfManyChatsAreTakenAtOnce(t *testing.T) {
	replicas(t, func(t *testing.T, now *clock, a, b *bot.Pacer) {
		chats := func(names ...string) (list []bot.Bucket) {
			for _, name := range names {
				list = append(list, bot.Bucket{Name: name, PerSecond: 1, Burst: 2})
			}
			return list
		}
		take := func(p *bot.Pacer, names []bot.Bucket, want ...time.Duration) {
			t.Helper()
			got, err := p.TakeEach(t.Context(), names)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		}
		take(a, chats("c", "a", "b"), 0, 0, 0)
		take(b, chats("b", "a"), 0, 0)
		take(a, chats("b", "c", "d"), time.Second, 0, 0)
		now.advance(400 * time.Millisecond)
		take(b, chats("d", "c", "b", "a"), 0, 600*time.Millisecond, 600*time.Millisecond, 600*time.Millisecond)
		now.advance(600 * time.Millisecond)
		take(b, chats("c", "b", "a"), 0, 0, 0)
		if got, err := a.TakeEach(t.Context(), nil); err != nil || len(got) != 0 {
			t.Errorf("of no chats: %v, %v", got, err)
		}
	})
}

// A message that must wait for its own chat takes no place among all meanwhile.
func TestAChatsOwnSlotComesFirst(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		now := newClock()
		p := bot.NewPacer(db, now.now)
		buckets := []bot.Bucket{{Name: "all", PerSecond: 10, Burst: 1}, {Name: "chat", PerSecond: 1, Burst: 1}, {Name: "minute", PerSecond: 0.25, Burst: 2}}
		next := func(buckets []bot.Bucket, want time.Duration, left int) []bot.Bucket {
			t.Helper()
			wait, rest, err := p.Next(t.Context(), buckets)
			if err != nil || wait != want || len(rest) != left {
				t.Errorf("wait %v with %d left, want %v with %d (%v)", wait, len(rest), want, left, err)
			}
			return rest
		}
		next(buckets, 0, 0)
		rest := next(buckets, time.Second, 1) // the chat's second, not yet one of all
		now.advance(time.Second)
		next(rest, 0, 0)
		next(buckets, 3*time.Second, 2) // the group's minute
		next(buckets[:1], 100*time.Millisecond, 0)
	})
}

func TestAPauseMovesEverybody(t *testing.T) {
	replicas(t, func(t *testing.T, now *clock, a, b *bot.Pacer) {
		bucket := bot.Bucket{Name: "all", PerSecond: 10, Burst: 1}
		if a.Pushed("all") {
			t.Error("pushed before anything")
		}
		if err := a.Push(t.Context(), "all", now.at.Add(7*time.Second)); err != nil {
			t.Fatal(err)
		}
		if !a.Pushed("all") || a.Pushed("other") {
			t.Error("who holds an old slot does not hear of the pause")
		}
		if wait, ok, err := b.Take(t.Context(), bucket, 1, time.Second, nil); err != nil || ok || wait != 7*time.Second {
			t.Errorf("the other replica: wait %v, taken %v, %v", wait, ok, err)
		}
		if wait, err := b.Reserve(t.Context(), "all", 10, 1, 1); err != nil || wait != 7*time.Second {
			t.Errorf("an answer of the other replica: wait %v, %v", wait, err)
		}
		now.advance(7 * time.Second)
		if a.Pushed("all") {
			t.Error("the pause does not end")
		}
	})
}

// However many ask at once, no slot is given twice.
func TestReplicasNeverShareASlot(t *testing.T) {
	replicas(t, func(t *testing.T, _ *clock, a, b *bot.Pacer) {
		var mu sync.Mutex
		slots := map[time.Duration]int{}
		var all sync.WaitGroup
		for i := range 40 {
			all.Go(func() {
				p := []*bot.Pacer{a, b}[i%2]
				bucket := bot.Bucket{Name: "all", PerSecond: 10, Burst: 1}
				for range 3 {
					wait, ok, err := p.Take(t.Context(), bucket, 2, time.Hour, nil)
					if err != nil || !ok {
						t.Errorf("taken %v, %v", ok, err)
					}
					mu.Lock()
					slots[wait]++
					slots[wait+bucket.Gap()]++
					mu.Unlock()
				}
			})
		}
		all.Wait()
		for at := range 240 {
			if n := slots[time.Duration(at)*100*time.Millisecond]; n != 1 {
				t.Fatalf("slot %d was given %d times", at, n)
			}
		}
	})
}
