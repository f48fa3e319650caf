package bot_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"newsie/bot"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

type clock struct{ at time.Time }

func newClock() *clock                   { return &clock{time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)} }
func (c *clock) now() time.Time          { return c.at }
func (c *clock) advance(d time.Duration) { c.at = c.at.Add(d) }

func TestInboxAnswersOnce(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, now := t.Context(), newClock()
		inbox := bot.NewInbox(db, now.now)
		chat := bot.ChatID{Channel: "wx", ID: "r1"}
		if fresh, _, _, err := inbox.Begin(ctx, chat, "m1"); err != nil || !fresh {
			t.Fatalf("first try: fresh %v, %v", fresh, err)
		}
		if fresh, _, done, err := inbox.Begin(ctx, chat, "m1"); err != nil || fresh || done {
			t.Fatalf("second try while the first runs: fresh %v, done %v, %v", fresh, done, err)
		}
		if err := inbox.Finish(ctx, chat, "m1", "<xml/>"); err != nil {
			t.Fatal(err)
		}
		fresh, reply, done, err := inbox.Begin(ctx, chat, "m1")
		if err != nil || fresh || !done || reply != "<xml/>" {
			t.Fatalf("third try: %v %q %v %v", fresh, reply, done, err)
		}
		now.advance(time.Hour)
		if fresh, _, _, _ := inbox.Begin(ctx, chat, "m1"); fresh {
			t.Error("an answered message became fresh with age")
		}
		if fresh, _, _, _ := inbox.Begin(ctx, bot.ChatID{Channel: "wx2", ID: "r1"}, "m1"); !fresh {
			t.Error("the same id on another channel is another message")
		}
	})
}

func TestInboxOfAProcessAloneNeedNotWaitForDeadClaims(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		now := newClock()
		inbox := bot.NewInbox(db, now.now)
		chat := bot.ChatID{Channel: "tg", ID: "7"}
		for _, id := range []string{"answered", "dead"} {
			if fresh, _, _, err := inbox.Begin(t.Context(), chat, id); err != nil || !fresh {
				t.Fatalf("Begin(%s) = %v, %v", id, fresh, err)
			}
		}
		if err := inbox.Finish(t.Context(), chat, "answered", "42"); err != nil {
			t.Fatal(err)
		}
		if err := inbox.Abandon(t.Context()); err != nil {
			t.Fatal(err)
		}
		if fresh, _, _, err := inbox.Begin(t.Context(), chat, "dead"); err != nil || !fresh {
			t.Errorf("a dead claim: fresh %v, %v", fresh, err)
		}
		if fresh, reply, done, err := inbox.Begin(t.Context(), chat, "answered"); err != nil || fresh || !done || reply != "42" {
			t.Errorf("an answered message: fresh %v, %q, done %v, %v", fresh, reply, done, err)
		}
	})
}

func TestInboxGivesUpDeadClaims(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, now := t.Context(), newClock()
		inbox := bot.NewInbox(db, now.now)
		chat := bot.ChatID{Channel: "tg", ID: "1"}
		for i, step := range []struct {
			after time.Duration
			want  bool
		}{{0, true}, {time.Minute, false}, {31 * time.Second, true}, {time.Second, false}} {
			now.advance(step.after)
			if fresh, _, _, err := inbox.Begin(ctx, chat, "m"); err != nil || fresh != step.want {
				t.Errorf("try %d: fresh %v, want %v (%v)", i, fresh, step.want, err)
			}
		}
		if err := inbox.Release(ctx, chat, "m"); err != nil {
			t.Fatal(err)
		}
		if fresh, _, _, _ := inbox.Begin(ctx, chat, "m"); !fresh {
			t.Error("a released message is not fresh")
		}
		if err := inbox.Prune(ctx, now.at.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if fresh, _, _, _ := inbox.Begin(ctx, chat, "m"); !fresh {
			t.Error("a pruned message is not fresh")
		}
	})
}

func TestSettingsExpireAndAgree(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, now := t.Context(), newClock()
		s := bot.NewSettings(db, now.now)
		if kept, created, err := s.Create(ctx, "key", "a", time.Minute); err != nil || !created || kept != "a" {
			t.Fatalf("create: %q %v %v", kept, created, err)
		}
		if kept, created, err := s.Create(ctx, "key", "b", time.Minute); err != nil || created || kept != "a" {
			t.Fatalf("create again: %q %v %v, want the first value", kept, created, err)
		}
		now.advance(2 * time.Minute)
		if _, ok, _ := s.Load(ctx, "key"); ok {
			t.Error("an expired value was loaded")
		}
		if kept, created, _ := s.Create(ctx, "key", "c", 0); !created || kept != "c" {
			t.Errorf("create after expiry: %q %v", kept, created)
		}
		now.advance(1000 * time.Hour)
		if v, ok, _ := s.Load(ctx, "key"); !ok || v != "c" {
			t.Errorf("a value for ever: %q %v", v, ok)
		}
		if err := s.Save(ctx, "key", "d", time.Second); err != nil {
			t.Fatal(err)
		}
		if v, _, _ := s.Load(ctx, "key"); v != "d" {
			t.Errorf("after Save: %q", v)
		}
		if err := s.Delete(ctx, "key"); err != nil {
			t.Fatal(err)
		}
		if _, ok, _ := s.Load(ctx, "key"); ok {
			t.Error("a deleted value was loaded")
		}
	})
}

func TestPacerHoldsTheRate(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, now := t.Context(), newClock()
		p := bot.NewPacer(db, now.now)
		reserve := func(want time.Duration) {
			t.Helper()
			got, err := p.Reserve(ctx, "b", 10, 3, 1)
			if err != nil || got != want {
				t.Errorf("wait %v, want %v (%v)", got, want, err)
			}
		}
		// A burst of three at once, then one each tenth of a second.
		reserve(0)
		reserve(0)
		reserve(0)
		reserve(100 * time.Millisecond)
		reserve(200 * time.Millisecond)
		now.advance(10 * time.Second)
		reserve(0)
		if err := p.Push(ctx, "b", now.at.Add(5*time.Second)); err != nil {
			t.Fatal(err)
		}
		reserve(5 * time.Second)
		if err := p.Push(ctx, "b", now.at.Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		reserve(5*time.Second + 100*time.Millisecond)
	})
}

func TestSettingsAreReadAndReplacedByTheDozen(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := bot.NewSettings(db, time.Now)
		if err := s.SaveAll(t.Context(), map[string]string{"a:1": "x", "a:2": "y", "b:1": "z"}, time.Hour); err != nil {
			t.Fatal(err)
		}
		names, err := s.Names(t.Context(), "a:")
		if err != nil || !slices.Equal(names, []string{"a:1", "a:2"}) {
			t.Errorf("names = %q, %v", names, err)
		}
		won, err := s.SwapAll(t.Context(), []bot.Swap{{Name: "a:2", From: "stale", To: "n"}, {Name: "a:1", From: "x", To: "m"}, {Name: "a:3", From: "", To: "n"}})
		if err != nil || !won["a:1"] || won["a:2"] || won["a:3"] {
			t.Errorf("won = %v, %v", won, err)
		}
		got, err := s.LoadAll(t.Context(), []string{"a:1", "a:2", "a:3"})
		if err != nil || !maps.Equal(got, map[string]string{"a:1": "m", "a:2": "y"}) {
			t.Errorf("values = %v, %v", got, err)
		}
	})
}
