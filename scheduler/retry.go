package scheduler

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"newsie/internal/database"
)

// retryBatch is how many deliveries one commit plans again.
const retryBatch = 500

// A RetryFilter names deliveries to be sent again; empty fields do not narrow it.
type RetryFilter struct {
	IDs     []int64
	States  []State // of Unknown, Failed and Gone; none: all three
	Channel string
	Edition int64
	Since   time.Time // editions made at or after; zero: all
}

// Retryable are the states that end a delivery without its message having
// arrived for certain.
func Retryable() []State { return []State{Unknown, Failed, Gone} }

// where narrows the deliveries d and their editions e, for the index of channels
// too unless their numbers are given.
func (f RetryFilter) where(ctx context.Context, db *database.DB) (string, []any, error) {
	states := f.States
	if len(states) == 0 {
		states = Retryable()
	}
	states = slices.DeleteFunc(slices.Clone(states), func(s State) bool { return !slices.Contains(Retryable(), s) })
	terms, args := []string{"d.state IN (?)"}, []any{listed(states)}
	if len(f.IDs) > 0 {
		terms, args = append(terms, "d.id IN (?)"), append(args, bun.List(f.IDs))
	}
	if f.Channel != "" {
		terms, args = append(terms, "d.channel = ?"), append(args, f.Channel)
	} else if len(f.IDs) == 0 && f.Edition == 0 {
		channels, err := channelsOf(ctx, db)
		if err != nil {
			return "", nil, err
		}
		terms, args = append(terms, "d.channel IN (?)"), append(args, listed(channels))
	}
	if f.Edition != 0 {
		terms, args = append(terms, "d.edition = ?"), append(args, f.Edition)
	}
	if !f.Since.IsZero() {
		terms, args = append(terms, "e.created_at >= ?"), append(args, f.Since.UnixMilli())
	}
	return strings.Join(terms, " AND "), args, nil
}

// Retries counts what RetryAll would send again, by channel and state.
func (l *Ledger) Retries(ctx context.Context, f RetryFilter) ([]Count, error) {
	where, args, err := f.where(ctx, l.db)
	if err != nil {
		return nil, err
	}
	var rows []Count
	err = l.db.Reader().NewRaw("SELECT d.channel, d.state, COUNT(*) AS count FROM deliveries d JOIN editions e ON e.id = d.edition WHERE "+where+
		" GROUP BY d.channel, d.state ORDER BY d.channel, d.state", args...).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("count what may be sent again: %w", err)
	}
	return rows, nil
}

// RetryAll plans deliveries again, some at a time, and returns their numbers: the
// publisher's decision, since an unknown one may have arrived. Chats that were
// given up as gone are taken up again with their follows, so that theirs are wanted.
// Whoever serves hears of it.
func (l *Ledger) RetryAll(ctx context.Context, f RetryFilter) ([]int64, error) {
	where, args, err := f.where(ctx, l.db)
	if err != nil {
		return nil, err
	}
	var all []int64
	channels := map[string]bool{}
	var after int64
	for {
		var rows []struct {
			ID            int64
			Channel, Chat string
			State         State
		}
		err := l.db.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
			rows = nil
			err := tx.NewRaw("SELECT d.id, d.channel, d.chat, d.state FROM deliveries d JOIN editions e ON e.id = d.edition WHERE "+where+" AND d.id > ? ORDER BY d.id LIMIT ?",
				append(slices.Clone(args), after, retryBatch)...).Scan(ctx, &rows)
			if err != nil || len(rows) == 0 {
				return err
			}
			ids := make([]int64, len(rows))
			for i, row := range rows {
				ids[i] = row.ID
				if row.State == Gone {
					if err := reviveChat(ctx, tx, row.Channel, row.Chat); err != nil {
						return err
					}
				}
			}
			now := l.now().UnixMilli()
			var done []int64
			// Answers that came late go before digests still.
			err = tx.NewRaw(`UPDATE deliveries SET state = ?, due_at = CASE follow WHEN 0 THEN ? ELSE ? END, claim = '', lease_until = 0, updated_at = ?, error = ''
				WHERE id IN (?) AND state IN (?) RETURNING id`,
				Planned, now-time.Hour.Milliseconds(), now, now, bun.List(ids), bun.List(Retryable())).Scan(ctx, &done)
			if err != nil {
				return err
			}
			all = append(all, done...)
			return nil
		})
		if err != nil {
			return all, fmt.Errorf("plan deliveries again: %w", err)
		}
		for _, row := range rows {
			after, channels[row.Channel] = row.ID, true
		}
		if len(rows) < retryBatch {
			break
		}
	}
	if len(all) > 0 {
		l.wake()
		for channel := range channels {
			l.db.Announce(database.Signal{Name: SignalName, What: channel})
		}
	}
	slices.Sort(all)
	return all, nil
}

// reviveChat takes back that a chat is gone.
func reviveChat(ctx context.Context, tx bun.Tx, channel, chat string) error {
	if _, err := tx.ExecContext(ctx, "UPDATE follows SET state = 'active' WHERE channel = ? AND chat = ? AND state = 'suspended'", channel, chat); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "UPDATE chats SET state = 'active' WHERE channel = ? AND id = ? AND state = 'suspended'", channel, chat)
	return err
}
