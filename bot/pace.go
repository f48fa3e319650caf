package bot

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/uptrace/bun"

	"newsie/internal/database"
)

// A Bucket is one rate a platform allows: so many messages a second, after a
// burst. Every message to a chat takes a slot in each bucket that concerns it.
type Bucket struct {
	Name      string
	PerSecond float64
	Burst     int
}

// Gap is the time between two slots.
func (b Bucket) Gap() time.Duration { return time.Duration(b.gap()) * time.Microsecond }

func (b Bucket) gap() int64 { return max(1, int64(1e6/b.PerSecond)) }

// floor is where free_at begins again after a rest: it may lag behind now by the burst.
func (b Bucket) floor(now int64) int64 { return now - b.gap()*int64(max(b.Burst, 1)-1) }

// mostAhead is how far ahead a bucket's next slot may be. One that is farther was
// taken before the clock was set back, and nobody waits for it.
const mostAhead = 15 * time.Minute

// A Pacer is the rate governor that all replicas share: one row a bucket holds
// the time at which its next slot is free (the virtual scheduling form of the
// generic cell rate algorithm, ITU-T I.371). Slots are not given back.
//
// Who answers a reader takes the next slot there is, however far ahead (Reserve,
// Next). Who sends many messages takes a few slots at a time, just before they
// come (Take), and holds them (Hold), so that an answer trades places with one of
// these (Trade) and waits for no more than a slot. The
// replicas' clocks must agree to some milliseconds, as those of machines kept by
// NTP do.
type Pacer struct {
	db  *database.DB
	now func() time.Time

	mu     sync.Mutex
	pushed map[string]time.Time
	held   []*Held
}

// NewPacer keeps its rows in db.
func NewPacer(db *database.DB, now func() time.Time) *Pacer {
	return &Pacer{db: db, now: now, pushed: map[string]time.Time{}}
}

// Reserve takes n slots of a bucket and tells how long to wait before using
// the last of them.
func (p *Pacer) Reserve(ctx context.Context, bucket string, perSecond float64, burst, n int) (wait time.Duration, err error) {
	b := Bucket{Name: bucket, PerSecond: perSecond, Burst: burst}
	err = p.db.WriteOne(ctx, func(ctx context.Context, tx bun.IDB) (err error) {
		wait, err = p.reserve(ctx, tx, b, n)
		return err
	})
	return wait, err
}

// Next takes a slot in each bucket, from the last to the first, up to one whose
// slot has to be waited for: a message that its own chat holds up shall not take
// a place among those of all chats meanwhile. Wait, then go on with left. A
// negative wait tells how long ago the last slot was due: the commit took longer.
func (p *Pacer) Next(ctx context.Context, buckets []Bucket) (wait time.Duration, left []Bucket, err error) {
	var due time.Time
	write := p.db.Write
	if len(buckets) == 1 {
		write = p.db.WriteOne
	}
	err = write(ctx, func(ctx context.Context, tx bun.IDB) (err error) {
		wait, left = 0, buckets
		var begun time.Time
		for len(left) > 0 && wait == 0 && err == nil {
			last := len(left) - 1
			begun = p.now()
			wait, err = p.reserve(ctx, tx, left[last], 1)
			left = left[:last]
		}
		due = begun.Add(wait)
		return err
	})
	return due.Sub(p.now()), left, err
}

func (p *Pacer) reserve(ctx context.Context, tx bun.IDB, b Bucket, n int) (time.Duration, error) {
	// The clock is read as late as possible: a slot that passes while others
	// write is a slot lost.
	now := p.now().UnixMicro()
	floor, cost := b.floor(now), b.gap()*int64(n)
	// A slot is usable at the value before its cost was added.
	var next int64
	err := tx.NewRaw(`INSERT INTO buckets (name, free_at) VALUES (?, ?)
		ON CONFLICT (name) DO UPDATE SET free_at = CASE WHEN buckets.free_at > ? AND buckets.free_at <= ? THEN buckets.free_at ELSE ? END + ?
		RETURNING free_at`, b.Name, floor+cost, floor, now+mostAhead.Microseconds(), floor, cost).Scan(ctx, &next)
	if err != nil {
		return 0, fmt.Errorf("reserve in the bucket %s: %w", b.Name, err)
	}
	return max(0, time.Duration(next-b.gap()-now)*time.Microsecond), nil
}

// Take takes n slots in a row if the first of them is free within a time: it may
// be used after wait, each other one a gap later. Otherwise ok is false, no slot
// is taken, and wait tells when the next one is free, unless another takes it.
//
// with, which may be nil, is part of the commit that takes slots, and is not
// called where none is taken. It may run again, as in database.DB.Write.
func (p *Pacer) Take(ctx context.Context, b Bucket, n int, within time.Duration, with func(ctx context.Context, tx bun.IDB) error) (wait time.Duration, ok bool, err error) {
	var now int64
	var next []int64
	write := p.db.WriteOne
	if with != nil {
		write = p.db.Write
	}
	err = write(ctx, func(ctx context.Context, tx bun.IDB) error {
		now, next = p.now().UnixMicro(), nil
		floor, cost := b.floor(now), b.gap()*int64(n)
		err := tx.NewRaw(`INSERT INTO buckets (name, free_at) VALUES (?, ?)
			ON CONFLICT (name) DO UPDATE SET free_at = CASE WHEN buckets.free_at > ? AND buckets.free_at <= ? THEN buckets.free_at ELSE ? END + ?
			WHERE buckets.free_at <= ? OR buckets.free_at > ? RETURNING free_at`,
			b.Name, floor+cost, floor, now+mostAhead.Microseconds(), floor, cost, now+within.Microseconds(), now+mostAhead.Microseconds()).Scan(ctx, &next)
		if err != nil || with == nil || len(next) == 0 {
			return err
		}
		return with(ctx, tx)
	})
	if err == nil && len(next) == 0 {
		err = p.db.Reader().NewRaw("SELECT free_at FROM buckets WHERE name = ?", b.Name).Scan(ctx, &next)
	} else if err == nil {
		ok = true
		next[0] -= b.gap() * int64(n)
	}
	if err != nil {
		return 0, false, fmt.Errorf("take slots of the bucket %s: %w", b.Name, err)
	}
	if len(next) == 0 { // it was pruned this moment
		return 0, false, nil
	}
	return max(0, time.Duration(next[0]-now)*time.Microsecond), ok, nil
}

// TakeEach takes one slot in each of several buckets of the same rate where one
// is free now. waits tells for each of the others how long until one is; for
// those taken it is 0. The buckets' names must differ.
func (p *Pacer) TakeEach(ctx context.Context, buckets []Bucket) (waits []time.Duration, err error) {
	waits = make([]time.Duration, len(buckets))
	if len(buckets) == 0 {
		return waits, nil
	}
	at := make(map[string]int, len(buckets))
	for i, b := range buckets {
		at[b.Name] = i
	}
	names := slices.Sorted(maps.Keys(at)) // replicas that lock rows in one order do not lock each other out
	type row struct {
		Name   string
		FreeAt int64
	}
	var now int64
	var taken []row
	err = p.db.WriteOne(ctx, func(ctx context.Context, tx bun.IDB) error {
		now, taken = p.now().UnixMicro(), nil
		floor, gap := buckets[0].floor(now), buckets[0].gap()
		most := now + mostAhead.Microseconds()
		args := make([]any, 0, 2*len(names)+6)
		for _, name := range names {
			args = append(args, name, floor+gap)
		}
		return tx.NewRaw(`INSERT INTO buckets (name, free_at) VALUES `+places(len(names), 2)+`
			ON CONFLICT (name) DO UPDATE SET free_at = CASE WHEN buckets.free_at > ? AND buckets.free_at <= ? THEN buckets.free_at ELSE ? END + ?
			WHERE buckets.free_at <= ? OR buckets.free_at > ? RETURNING name, free_at`, append(args, floor, most, floor, gap, now, most)...).Scan(ctx, &taken)
	})
	if err != nil {
		return nil, fmt.Errorf("take slots of %d buckets: %w", len(buckets), err)
	}
	for _, r := range taken {
		delete(at, r.Name)
	}
	if len(at) == 0 {
		return waits, nil
	}
	var full []row
	err = p.db.Reader().NewRaw("SELECT name, free_at FROM buckets WHERE name IN (?)", bun.List(slices.Sorted(maps.Keys(at)))).Scan(ctx, &full)
	if err != nil {
		return nil, fmt.Errorf("read %d buckets: %w", len(at), err)
	}
	for _, i := range at {
		waits[i] = time.Microsecond
	}
	for _, r := range full {
		waits[at[r.Name]] = max(time.Microsecond, time.Duration(r.FreeAt-now)*time.Microsecond)
	}
	return waits, nil
}

// Push moves a bucket forward for everyone: the platform said to wait. When that
// is for more than a quarter of an hour it is asked again after that.
func (p *Pacer) Push(ctx context.Context, bucket string, until time.Time) error {
	most := p.now().Add(mostAhead)
	if until.After(most) {
		until = most
	}
	p.remember(bucket, until)
	err := p.db.WriteOne(ctx, func(ctx context.Context, tx bun.IDB) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO buckets (name, free_at) VALUES (?, ?)
			ON CONFLICT (name) DO UPDATE SET free_at = excluded.free_at WHERE buckets.free_at < excluded.free_at OR buckets.free_at > ?`,
			bucket, until.UnixMicro(), most.UnixMicro())
		return err
	})
	if err != nil {
		return fmt.Errorf("push the bucket %s: %w", bucket, err)
	}
	return nil
}

func (p *Pacer) remember(bucket string, until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	maps.DeleteFunc(p.pushed, func(_ string, old time.Time) bool { return !ahead(old, now) })
	if until.After(p.pushed[bucket]) {
		p.pushed[bucket] = until
	}
}

// Pushed reports whether a bucket was pushed through this Pacer beyond now: who
// holds a slot from before must take a new one.
func (p *Pacer) Pushed(bucket string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return ahead(p.pushed[bucket], p.now())
}

// ahead: a time is to come, and not one from before the clock was set back.
func ahead(at, now time.Time) bool { return at.After(now) && at.Sub(now) <= mostAhead }

// Prune forgets buckets that have been free since a time. Each chat has some, so
// it is a part at a time, and what is looked for is looked for beside the writers.
func (p *Pacer) Prune(ctx context.Context, before time.Time) error {
	const part = 500
	last := ""
	for {
		var names []string
		err := p.db.Reader().NewRaw("SELECT name FROM buckets WHERE name > ? AND free_at < ? ORDER BY name LIMIT ?", last, before.UnixMicro(), part).Scan(ctx, &names)
		if err == nil && len(names) > 0 {
			_, err = p.db.ExecContext(ctx, "DELETE FROM buckets WHERE name IN (?) AND free_at < ?", bun.List(names), before.UnixMicro())
		}
		if err != nil {
			return fmt.Errorf("forget buckets: %w", err)
		}
		if len(names) < part {
			return nil
		}
		last = names[len(names)-1]
	}
}

// places is n groups of width placeholders: "(?, ?), (?, ?)".
func places(n, width int) string {
	group := "(" + strings.TrimSuffix(strings.Repeat("?, ", width), ", ") + ")"
	return strings.TrimSuffix(strings.Repeat(group+", ", n), ", ")
}

// Move gives the slots taken in a bucket to another name: the chat whose rate
// it is has a new id.
func (p *Pacer) Move(ctx context.Context, from, to string) error {
	err := p.db.WriteOne(ctx, func(ctx context.Context, tx bun.IDB) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO buckets (name, free_at) SELECT ?, free_at FROM buckets WHERE name = ?
			ON CONFLICT (name) DO UPDATE SET free_at = excluded.free_at WHERE buckets.free_at < excluded.free_at`, to, from)
		return err
	})
	if err != nil {
		return fmt.Errorf("move the bucket %s to %s: %w", from, to, err)
	}
	return nil
}
