package origin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"
)

// How long what was counted is remembered, so that it does not count again:
// messages as long as their answers are, the rest for as long as somebody may
// come upon the same article or topic again.
const (
	keepMessages   = 48 * time.Hour
	keepDeeds      = 400 * 24 * time.Hour
	keepInvitation = 90 * 24 * time.Hour // that nobody owns or came by
)

const stayBatch = 500

// Stay counts who has stayed for 7 or 30 days, on channels that tell of leaving,
// and forgets what need not be known any more.
func (c *Credits) Stay(ctx context.Context) error {
	return errors.Join(c.stays(ctx), c.prune(ctx))
}

func (c *Credits) stays(ctx context.Context) error {
	for {
		now := c.now().UnixMilli()
		var refs []int64
		err := c.db.Reader().NewRaw("SELECT ref FROM readers WHERE stay_due > 0 AND stay_due <= ? ORDER BY stay_due LIMIT ?", now, stayBatch).Scan(ctx, &refs)
		if err != nil {
			return fmt.Errorf("look for readers who stayed: %w", err)
		}
		if len(refs) == 0 {
			return nil
		}
		err = c.db.Write(ctx, func(ctx context.Context, tx bun.IDB) error {
			rows, err := c.lock(ctx, tx, refs)
			if err != nil || len(rows) == 0 {
				return err
			}
			sums := c.sums()
			for i := range rows { // one that another replica counted is not due any more
				sums.stay(&rows[i], now)
			}
			if err := save(ctx, tx, rows); err != nil {
				return err
			}
			return sums.write(ctx, tx)
		})
		if err != nil {
			return fmt.Errorf("count readers who stayed: %w", err)
		}
		if len(refs) < stayBatch {
			return nil
		}
	}
}

// prune deletes a little at a time, so that nobody waits for long.
func (c *Credits) prune(ctx context.Context) error {
	now := c.now()
	var errs []error
	for kind, keep := range map[int64]time.Duration{scanned: keepMessages, asked: keepMessages, followed: keepDeeds, opened: keepDeeds} {
		errs = append(errs, c.pruneEvents(ctx, kind, now.Add(-keep).UnixMilli()))
	}
	_, err := c.db.ExecContext(ctx, `DELETE FROM origins WHERE kind = 'invitation' AND owner_chat = '' AND created_at < ?
		AND NOT EXISTS (SELECT 1 FROM origin_totals t WHERE t.origin = origins.id)`, now.Add(-keepInvitation).UnixMilli())
	return errors.Join(append(errs, err)...)
}

func (c *Credits) pruneEvents(ctx context.Context, kind, before int64) error {
	const most = 500
	for {
		var n int64
		err := c.db.WriteOne(ctx, func(ctx context.Context, tx bun.IDB) error {
			result, err := tx.ExecContext(ctx, `DELETE FROM origin_events WHERE (ref, kind, what) IN (
				SELECT ref, kind, what FROM origin_events WHERE kind = ? AND at < ? ORDER BY at LIMIT ?)`, kind, before, most)
			if err != nil {
				return err
			}
			n, err = result.RowsAffected()
			return err
		})
		if err != nil {
			return fmt.Errorf("forget what was counted: %w", err)
		}
		if n < most {
			return nil
		}
	}
}
