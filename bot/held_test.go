package bot_test

import (
	"testing"
	"time"

	"newsie/bot"
	"newsie/internal/database/databasetest"
)

var tenth = bot.Bucket{Name: "all", PerSecond: 10, Burst: 1}

func TestAnAnswerTradesWithTheEarliestHeldSlot(t *testing.T) {
	c := newClock()
	p := bot.NewPacer(databasetest.SQLite(t), c.now)
	begin := c.now()
	after := func(ms int) time.Time { return begin.Add(time.Duration(ms) * time.Millisecond) }
	trade := func(bucket string, ms, want int) {
		t.Helper()
		if got := p.Trade(bucket, after(ms)); !got.Equal(after(want)) {
			t.Errorf("an answer due after %d ms goes after %s, want %d ms", ms, got.Sub(begin), want)
		}
	}
	trade("all", 300, 300) // nothing is held

	held := p.Hold(tenth, after(100), 2)
	trade("another", 300, 300)
	trade("all", 50, 50)   // it is earlier anyway
	trade("all", 300, 100) // held are 200 and 300 now
	trade("all", 400, 200) // 300 and 400
	if wait, _ := held.Next(after(250)); wait != 50*time.Millisecond {
		t.Errorf("the first slot comes in %s, want 50ms", wait)
	}
	if wait, late := held.Next(after(310)); wait != 0 || late != 10*time.Millisecond {
		t.Errorf("wait %s and %s late, want to use the slot 10ms late", wait, late)
	}
	trade("all", 2200, 2200) // nobody is put off for so long
	c.advance(450 * time.Millisecond)
	trade("all", 500, 500) // 400 has come: its holder uses it now
	other := p.Hold(tenth, after(700), 1)
	other.Drop()
	trade("all", 900, 900)
	if wait, late := held.Next(c.now()); wait != 0 || late != 50*time.Millisecond {
		t.Errorf("wait %s and %s late, want the last slot 50ms late", wait, late)
	}
	trade("all", 900, 900) // all are used
}
