package scheduler

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"
)

// compactBatch is how many rows one commit of Compact deletes.
const compactBatch = 500

// Compact deletes what ended before a time, and returns how many deliveries that
// was. It looks for them beside whoever writes and deletes some in each commit, so
// that nobody waits for long. Held messages of that age are dropped too: they are
// no news any more.
func (l *Ledger) Compact(ctx context.Context, before time.Time) (int, error) {
	total, err := l.compactDeliveries(ctx, before.UnixMilli())
	if err != nil {
		return total, fmt.Errorf("compact the deliveries: %w", err)
	}
	if err := l.compactEditions(ctx, before.UnixMilli()); err != nil {
		return total, fmt.Errorf("compact the editions: %w", err)
	}
	return total, nil
}

// endedRow is a delivery that may be forgotten.
type endedRow struct {
	ID      int64
	Edition int64
	Channel string
	Chat    string
}

// compactDeliveries goes by the editions: nothing ended before its edition was
// made, and when a delivery changed last is in no index, which each of its states
// would have to be written into. What was planned again, or is being sent,
// meanwhile stays.
func (l *Ledger) compactDeliveries(ctx context.Context, before int64) (total int, err error) {
	var newest []int64
	err = l.db.Reader().NewRaw("SELECT id FROM editions WHERE created_at < ? ORDER BY created_at DESC, id DESC LIMIT 1", before).Scan(ctx, &newest)
	if err != nil || len(newest) == 0 {
		return 0, err
	}
	const old = "updated_at < ? AND state NOT IN (?, ?, ?)"
	var at endedRow
	for {
		var rows []endedRow
		err := l.db.Reader().NewRaw("SELECT id, edition, channel, chat FROM deliveries WHERE (edition, channel, chat) > (?, ?, ?) AND edition <= ? AND "+old+
			" ORDER BY edition, channel, chat LIMIT ?", at.Edition, at.Channel, at.Chat, newest[0], before, Planned, Claimed, Sending, compactBatch).Scan(ctx, &rows)
		if err != nil || len(rows) == 0 {
			return total, err
		}
		ids := make([]int64, len(rows))
		for i, row := range rows {
			ids[i] = row.ID
		}
		result, err := l.db.ExecContext(ctx, "DELETE FROM deliveries WHERE id IN (?) AND "+old, bun.List(ids), before, Planned, Claimed, Sending)
		if err != nil {
			return total, err
		}
		n, err := result.RowsAffected()
		if total += int(n); err != nil || len(rows) < compactBatch {
			return total, err
		}
		at = rows[len(rows)-1]
	}
}

// compactEditions deletes editions that nobody has any more.
func (l *Ledger) compactEditions(ctx context.Context, before int64) error {
	var at editionRow
	for {
		var rows []editionRow
		err := l.db.Reader().NewRaw(`SELECT e.id, e.created_at FROM editions e WHERE e.created_at < ? AND (e.created_at, e.id) > (?, ?)
			AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.edition = e.id) ORDER BY e.created_at, e.id LIMIT ?`,
			before, at.CreatedAt, at.ID, compactBatch).Scan(ctx, &rows)
		if err != nil || len(rows) == 0 {
			return err
		}
		ids := make([]int64, len(rows))
		for i, row := range rows {
			ids[i] = row.ID
		}
		err = l.db.Tx(ctx, func(ctx context.Context, tx bun.Tx) error { return dropUnsent(ctx, tx, l.db, ids) })
		if err != nil || len(rows) < compactBatch {
			return err
		}
		at = rows[len(rows)-1]
	}
}
