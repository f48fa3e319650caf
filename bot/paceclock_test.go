package bot_test

import (
	"testing"
	"time"

	"newsie/bot"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

// Slots that were taken before the clock was set back by an hour are in the far
// future: nobody waits for them. What a platform orders is kept all the same, a
// quarter of an hour at a time.
func TestNobodyWaitsForSlotsFromBeforeTheClockWasSetBack(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock()
		p := bot.NewPacer(db, c.now)
		b := bot.Bucket{Name: "tg", PerSecond: 10, Burst: 1}
		take := map[string]func() (time.Duration, error){
			"an answer": func() (time.Duration, error) {
				wait, _, err := p.Next(t.Context(), []bot.Bucket{b})
				return wait, err
			},
			"a digest": func() (time.Duration, error) {
				wait, ok, err := p.Take(t.Context(), b, 2, 0, nil)
				if !ok && wait == 0 {
					wait = -1
				}
				return wait, err
			},
			"a digest's chat": func() (time.Duration, error) {
				waits, err := p.TakeEach(t.Context(), []bot.Bucket{b})
				return waits[0], err
			},
		}
		for name, f := range take {
			if _, err := db.ExecContext(t.Context(), "DELETE FROM buckets"); err != nil {
				t.Fatal(err)
			}
			if wait, err := f(); err != nil || wait != 0 {
				t.Errorf("%s waits %s for the first slot (%v)", name, wait, err)
			}
			c.advance(-time.Hour)
			if wait, err := f(); err != nil || wait != 0 {
				t.Errorf("the clock set back, %s waits %s (%v)", name, wait, err)
			}
			if wait, err := f(); err != nil || wait <= 0 || wait > time.Second {
				t.Errorf("and then %s waits %s (%v), want the gap", name, wait, err)
			}

			// Pushed for an hour, it asks again after a quarter of one.
			if err := p.Push(t.Context(), "tg", c.now().Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
			c.advance(14 * time.Minute)
			if !p.Pushed("tg") {
				t.Error("14 minutes later it is pushed no more")
			}
			if wait, err := f(); err != nil || wait < 59*time.Second || wait > time.Minute+time.Second {
				t.Errorf("pushed, %s waits %s after 14 minutes (%v), want a minute more", name, wait, err)
			}
			c.advance(2 * time.Minute)
			if p.Pushed("tg") {
				t.Error("16 minutes later it is still pushed")
			}
			if wait, err := f(); err != nil || wait > time.Second {
				t.Errorf("%s waits %s after 16 minutes (%v)", name, wait, err)
			}
			// A push from before the clock was set back gives way to a new one.
			c.advance(time.Hour)
			if err := p.Push(t.Context(), "tg", c.now().Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			c.advance(-time.Hour)
			if err := p.Push(t.Context(), "tg", c.now().Add(30*time.Second)); err != nil {
				t.Fatal(err)
			}
			if wait, err := f(); err != nil || wait < 20*time.Second || wait > 31*time.Second {
				t.Errorf("pushed anew, %s waits %s (%v), want half a minute", name, wait, err)
			}
		}
	})
}

func TestOnlyBucketsThatAreFreeAreForgotten(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock()
		p := bot.NewPacer(db, c.now)
		_, err := db.ExecContext(t.Context(), `INSERT INTO buckets (name, free_at) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1203)
			SELECT 'tg:' || CAST(i AS TEXT), CASE WHEN i % 401 = 0 THEN CAST(? AS BIGINT) ELSE 1 END FROM n`, c.now().UnixMicro())
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Prune(t.Context(), c.now().Add(-time.Hour)); err != nil {
			t.Fatal(err)
		}
		if n, used := count(t, db, "SELECT count(*) FROM buckets"), count(t, db, "SELECT count(*) FROM buckets WHERE name IN ('tg:401', 'tg:802', 'tg:1203')"); n != 3 || used != 3 {
			t.Errorf("%d buckets are left, %d of the 3 in use", n, used)
		}
	})
}
