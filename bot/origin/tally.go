package origin

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"newsie/internal/database"
)

// The kinds of events. Digests need none: the ledger settles each once.
const (
	scanned  int64 = 1
	followed int64 = 2
	asked    int64 = 3
	opened   int64 = 4
	received int64 = 5
	gone     int64 = 6
)

// An event is what was counted, so that it counts once.
type event struct{ Ref, Kind, What, At int64 }

// once adds an event; fresh is false when it was there, since a time.
func once(ctx context.Context, tx bun.IDB, e event) (fresh bool, since int64, err error) {
	added, err := addEvents(ctx, tx, []event{e})
	if err != nil || added[e.same()] {
		return err == nil, e.At, err
	}
	err = tx.NewRaw("SELECT at FROM origin_events WHERE ref = ? AND kind = ? AND what = ?", e.Ref, e.Kind, e.What).Scan(ctx, &since)
	if err != nil {
		return false, 0, fmt.Errorf("look up what was counted: %w", err)
	}
	return false, since, nil
}

// same is what two events have in common that are one.
func (e event) same() event {
	e.At = 0
	return e
}

// addEvents adds events, no two the same, and tells which were not there.
func addEvents(ctx context.Context, tx bun.IDB, events []event) (map[event]bool, error) {
	added := map[event]bool{}
	slices.SortFunc(events, func(a, b event) int {
		return cmp.Or(cmp.Compare(a.Ref, b.Ref), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.What, b.What))
	})
	for part := range slices.Chunk(events, 500) {
		args := make([]any, 0, 4*len(part))
		for _, e := range part {
			args = append(args, e.Ref, e.Kind, e.What, e.At)
		}
		var rows []struct{ Ref, Kind, What int64 }
		err := tx.NewRaw("INSERT INTO origin_events (ref, kind, what, at) VALUES "+places(len(part), 4)+
			" ON CONFLICT (ref, kind, what) DO NOTHING RETURNING ref, kind, what", args...).Scan(ctx, &rows)
		if err != nil {
			return nil, fmt.Errorf("note what was counted: %w", err)
		}
		for _, r := range rows {
			added[event{Ref: r.Ref, Kind: r.Kind, What: r.What}] = true
		}
	}
	return added, nil
}

// mostPending bounds what waits for a database that is away: some minutes of a
// busy hour.
const mostPending = 100_000

// flushed is how many one transaction writes.
const flushed = 1000

// seen is something that a reader did, or that happened to them.
type seen struct {
	reader Reader // zero: ref tells
	ref    int64
	kind   int64
	what   int64  // of an article
	text   string // of a message: its id
	at     time.Time
}

// Asked notes that a reader asked a question; the same message counts once. Like
// Opened and Received it returns at once: Run writes it within a second.
func (c *Credits) Asked(reader Reader, message string, at time.Time) {
	c.note(seen{reader: reader, kind: asked, text: message, at: at})
}

// Opened notes that a reader opened an article, which counts once for each.
func (c *Credits) Opened(ref, article int64, at time.Time) {
	c.note(seen{ref: ref, kind: opened, what: article, at: at})
}

// Received notes that each of these readers got a digest.
func (c *Credits) Received(readers []Reader, at time.Time) {
	list := make([]seen, len(readers))
	for i, r := range readers {
		list[i] = seen{reader: r, kind: received, at: at}
	}
	c.note(list...)
}

// Gone notes that chats were found to take no more messages. A topic that was
// closed is not all of its group.
func (c *Credits) Gone(chats []Reader, at time.Time) {
	var list []seen
	for _, r := range chats {
		if r == r.Chatting() {
			list = append(list, seen{reader: r, kind: gone, at: at})
		}
	}
	c.note(list...)
}

func (c *Credits) note(list ...seen) {
	c.mu.Lock()
	defer c.mu.Unlock()
	room := max(mostPending-len(c.pending), 0)
	if room < len(list) {
		if !c.lost {
			c.log.Error("what readers did is not counted: too much waits for the database", "waiting", len(c.pending))
		}
		c.lost, list = true, list[:room]
	}
	c.pending = append(c.pending, list...)
}

// waits reports whether something that a reader did is pending, or being written.
func (c *Credits) waits(reader Reader, ref int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(c.pending, func(s seen) bool {
		if s.reader != (Reader{}) {
			return s.reader.Chatting() == reader
		}
		return s.ref == ref
	})
}

// Run writes what is pending once a second until ctx ends. What comes later is
// written by Flush.
func (c *Credits) Run(ctx context.Context) error {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	away := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		err := c.Flush(ctx)
		if err != nil && ctx.Err() == nil && !away {
			c.log.Error("what readers did is counted later", "error", err)
		}
		away = err != nil
	}
}

// Flush writes what is pending. What a database that is away does not take stays
// pending; what it refuses is given up.
func (c *Credits) Flush(ctx context.Context) error {
	c.flushing.Lock()
	defer c.flushing.Unlock()
	for {
		c.mu.Lock()
		batch := slices.Clone(c.pending[:min(len(c.pending), flushed)])
		c.mu.Unlock()
		if len(batch) == 0 {
			return nil
		}
		err := c.flush(ctx, batch)
		if err != nil && (ctx.Err() != nil || database.Away(err)) {
			return fmt.Errorf("count what readers did: %w", err)
		}
		// Nobody else takes from its beginning.
		c.mu.Lock()
		c.pending = append(c.pending[:0], c.pending[len(batch):]...)
		c.lost = c.lost && len(c.pending) > 0
		c.mu.Unlock()
		if err != nil {
			return fmt.Errorf("%d things that readers did are not counted: %w", len(batch), err)
		}
	}
}

func (c *Credits) flush(ctx context.Context, batch []seen) error {
	key, err := c.key(ctx)
	if err != nil {
		return err
	}
	refs := make([]int64, len(batch))
	for i, s := range batch {
		if s.reader != (Reader{}) {
			batch[i].ref = Ref(key, s.reader)
		}
		if s.text != "" {
			batch[i].what = hashed(key, "question", s.text)
		} else if s.kind == asked {
			batch[i].what = hashed(key, "question at", s.at.Format(time.RFC3339Nano))
		}
		refs[i] = batch[i].ref
	}
	slices.Sort(refs)
	refs = slices.Compact(refs)
	return c.db.Write(ctx, func(ctx context.Context, tx bun.IDB) error {
		rows, err := c.lock(ctx, tx, refs)
		if err != nil || len(rows) == 0 {
			return err
		}
		return c.credit(ctx, tx, rows, batch)
	})
}

// credit counts what is pending of those who have rows; whoever has none was
// forgotten, or never here.
func (c *Credits) credit(ctx context.Context, tx bun.IDB, rows []readerRow, batch []seen) error {
	byRef := make(map[int64]*readerRow, len(rows))
	for i := range rows {
		byRef[rows[i].Ref] = &rows[i]
	}
	events := map[event]int64{}
	for _, s := range batch {
		if e := s.event(); byRef[s.ref] != nil && (s.kind == asked || s.kind == opened) && events[e] == 0 {
			events[e] = s.at.UnixMilli()
		}
	}
	list := make([]event, 0, len(events))
	for e, at := range events {
		e.At = at
		list = append(list, e)
	}
	added, err := addEvents(ctx, tx, list)
	if err != nil {
		return err
	}
	sums := c.sums()
	changed := map[int64]bool{}
	for _, s := range batch {
		r := byRef[s.ref]
		if r == nil || !c.tally(r, s, sums, added) {
			continue
		}
		changed[s.ref] = true
	}
	rows = slices.DeleteFunc(rows, func(r readerRow) bool { return !changed[r.Ref] })
	if err := save(ctx, tx, rows); err != nil {
		return err
	}
	return sums.write(ctx, tx)
}

func (s seen) event() event { return event{Ref: s.ref, Kind: s.kind, What: s.what} }

func (c *Credits) tally(r *readerRow, s seen, sums *sums, added map[event]bool) bool {
	switch s.kind {
	case gone:
		return c.left(r, sums, s.at)
	case received:
		sums.count(r, received, s.at)
		return true
	}
	e := s.event()
	if !added[e] {
		return false
	}
	delete(added, e) // twice in one batch
	sums.count(r, s.kind, s.at)
	sums.seen(r, c.leaves(r.Channel), s.at.UnixMilli())
	return true
}
