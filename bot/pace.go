package bot

import (
	"context"
	"fmt"
	"time"

	"newsie/internal/database"
)

// A Bucket is one rate a platform allows: so many messages a second, after a
// burst. Every message to a chat takes a slot in each bucket that concerns it.
type Bucket struct {
	Name      string
	PerSecond float64
	Burst     int
}

// A Pacer is the rate governor that all replicas share: one row a bucket holds
// the time at which its next slot is free (the virtual scheduling form of the
// generic cell rate algorithm, ITU-T I.371).
type Pacer struct {
	db  *database.DB
	now func() time.Time
}

// NewPacer keeps its rows in db.
func NewPacer(db *database.DB, now func() time.Time) *Pacer { return &Pacer{db: db, now: now} }

// Reserve takes n slots of a bucket and tells how long to wait before using
// them. Reserved slots are not given back.
func (p *Pacer) Reserve(ctx context.Context, bucket string, perSecond float64, burst, n int) (wait time.Duration, err error) {
	now := p.now().UnixMicro()
	gap := int64(1e6 / perSecond)
	cost := gap * int64(n)
	// free_at may lag behind now by the burst; a slot is usable at the value
	// before its cost was added.
	floor := now - gap*int64(max(burst, 1)-1)
	var next int64
	err = p.db.QueryRowContext(ctx, `INSERT INTO buckets (name, free_at) VALUES (?, ?)
		ON CONFLICT (name) DO UPDATE SET free_at = CASE WHEN buckets.free_at > ? THEN buckets.free_at ELSE ? END + ?
		RETURNING free_at`, bucket, floor+cost, floor, floor, cost).Scan(&next)
	if err != nil {
		return 0, fmt.Errorf("reserve in the bucket %s: %w", bucket, err)
	}
	return max(0, time.Duration(next-gap-now)*time.Microsecond), nil
}

// Push moves a bucket forward for everyone: the platform said to wait.
func (p *Pacer) Push(ctx context.Context, bucket string, until time.Time) error {
	at := until.UnixMicro()
	_, err := p.db.ExecContext(ctx, `INSERT INTO buckets (name, free_at) VALUES (?, ?)
		ON CONFLICT (name) DO UPDATE SET free_at = excluded.free_at WHERE buckets.free_at < excluded.free_at`, bucket, at)
	if err != nil {
		return fmt.Errorf("push the bucket %s: %w", bucket, err)
	}
	return nil
}

// Prune forgets buckets that have been free since a time.
func (p *Pacer) Prune(ctx context.Context, before time.Time) error {
	_, err := p.db.ExecContext(ctx, "DELETE FROM buckets WHERE free_at < ?", before.UnixMicro())
	return err
}
