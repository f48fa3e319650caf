package scheduler

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"
)

const (
	// recheck is when a follow that waits for something to come is looked at
	// although nothing was seen to come: whatever went wrong mends by then.
	recheck = 24 * time.Hour

	wakeBatch = 1000 // waiting follows made due in one transaction
)

// A waitingGroup is the follows that wait for the same: they are looked for with
// one search, however many they are.
type waitingGroup struct{ Query, Lang, Channel string }

// looked is how far a group was searched for without finding anything: nothing
// that joined after since and up to seq is for it.
type looked struct{ since, seq int64 }

// rouse makes due those follows that wait for something and now have it. What no
// search of this process has covered yet is searched; after a start that is
// everything since the least of a group's positions.
func (t *planning) rouse(ctx context.Context) error {
	t.Planner.mu.Lock()
	defer t.Planner.mu.Unlock()
	if t.seq <= t.Planner.roused {
		return nil
	}
	var groups []struct {
		waitingGroup
		Since int64
	}
	err := t.db.Reader().NewRaw(`SELECT query, lang, channel, MIN(since_seq) AS since FROM follows
		WHERE waits = 1 AND state = 'active' GROUP BY query, lang, channel`).Scan(ctx, &groups)
	if err != nil {
		return fmt.Errorf("read what follows wait for: %w", err)
	}
	covered := make(map[waitingGroup]looked, len(groups))
	unsure := false // whether there is more to look for, or to wake
	for _, g := range groups {
		from := g.Since
		// A follow that joined the group later than that has nothing in what was
		// searched for the others.
		if before, ok := t.Planner.covered[g.waitingGroup]; ok && before.since <= g.Since {
			from = max(from, before.seq)
		}
		within := t.outlets[g.Channel].Within
		hits := t.search(ctx, t.question(g.Query, g.Lang, g.Channel, from, within), within)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case hits.err != nil:
			t.logger.Error("what follows wait for could not be searched for", "query", g.Query, "error", hits.err)
			unsure = true
		case len(hits.ids) == 0:
			covered[g.waitingGroup] = looked{since: g.Since, seq: max(from, t.seq)}
		default:
			unsure = true // another replica may have had some of them at hand
			if err := t.wakeAll(ctx, g.waitingGroup); err != nil {
				return err
			}
		}
	}
	t.Planner.covered = covered
	if !unsure {
		t.Planner.roused = t.seq
	}
	return nil
}

// wakeAll makes a group's follows due. Those that another replica has at hand
// are left to it.
func (t *planning) wakeAll(ctx context.Context, g waitingGroup) error {
	for {
		var woken []int64
		err := t.db.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
			woken = nil
			return tx.NewRaw(`UPDATE follows SET waits = 0, next_due_at = ? WHERE waits = 1 AND id IN (
				SELECT id FROM follows WHERE waits = 1 AND state = 'active' AND query = ? AND lang = ? AND channel = ? AND since_seq < ?
				ORDER BY id LIMIT ?`+t.db.SkipLocked()+`) RETURNING id`,
				t.now.UnixMilli(), g.Query, g.Lang, g.Channel, t.seq, wakeBatch).Scan(ctx, &woken)
		})
		if err != nil {
			return fmt.Errorf("wake the follows of %q: %w", g.Query, err)
		}
		if len(woken) < wakeBatch {
			return nil
		}
	}
}
