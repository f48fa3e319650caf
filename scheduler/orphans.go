package scheduler

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"
)

// TakeOver plans again what replicas had claimed that are dead, without waiting
// for their leases. What they were sending waits: its lease is also the time in
// which a process that only seemed dead may still hand it to the platform.
func (d *Deliverer) TakeOver(ctx context.Context) (int64, error) {
	if !d.db.Postgres() {
		return 0, nil
	}
	channels, err := channelsOf(ctx, d.db)
	if err != nil || len(channels) == 0 {
		return 0, err
	}
	// Claims begin with the name of their replica.
	result, err := d.db.ExecContext(ctx, `UPDATE deliveries SET state = ?, claim = '', lease_until = 0, updated_at = ?
		WHERE channel IN (?) AND state = ? AND claim LIKE '%/%' AND `+d.db.Dead("split_part(deliveries.claim, '/', 1)"),
		Planned, d.now().UnixMilli(), bun.List(channels), Claimed)
	if err != nil {
		return 0, fmt.Errorf("take over from dead replicas: %w", err)
	}
	n, err := result.RowsAffected()
	if n > 0 {
		d.logger.Info("took over from a dead replica", "deliveries", n)
		d.Wake()
	}
	return n, err
}
