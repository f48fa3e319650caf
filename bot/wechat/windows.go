package wechat

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"newsie/internal/database"
)

// A Window is a time in which the platform takes customer messages to a reader.
type Window string

const (
	Said  Window = "said"  // after a message: 5 within 48 hours
	Click Window = "click" // after a menu click, a follow or a scan: 3 within a minute
)

func (w Window) length() time.Duration {
	if w == Click {
		return time.Minute
	}
	return 48 * time.Hour
}

func (w Window) limit() int {
	if w == Click {
		return 3
	}
	return 5
}

// Windows counts the customer messages of one account, shared by all replicas.
// A window is two rows of the table quotas, named "wechat/CHANNEL/READER": the
// period "…@" holds when it opened, the other how many messages it has taken.
type Windows struct {
	db      *database.DB
	channel string
	now     func() time.Time
}

// NewWindows keeps the windows of a channel in db.
func NewWindows(db *database.DB, channel string, now func() time.Time) *Windows {
	return &Windows{db: db, channel: channel, now: now}
}

func (w *Windows) name(reader string) string { return "wechat/" + w.channel + "/" + reader }

// Open notes that the reader did something that opens a window now.
func (w *Windows) Open(ctx context.Context, reader string, kind Window) error {
	err := w.db.WriteOne(ctx, func(ctx context.Context, tx bun.IDB) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO quotas (name, period, used) VALUES (?, ?, ?), (?, ?, 0)
			ON CONFLICT (name, period) DO UPDATE SET used = excluded.used`,
			w.name(reader), string(kind)+"@", w.now().UnixMilli(), w.name(reader), string(kind))
		return err
	})
	if err != nil {
		return fmt.Errorf("open a window: %w", err)
	}
	return nil
}

// Take uses one message of a reader's open window, the short-lived one first.
// Only an answer may use a window's last: no digest burns what an answer might
// need. It reports false when none is open or all are used up.
func (w *Windows) Take(ctx context.Context, reader string, answer bool) (Window, bool, error) {
	kept := 1
	if answer {
		kept = 0
	}
	for _, kind := range []Window{Click, Said} {
		result, err := w.db.ExecContext(ctx, `UPDATE quotas SET used = used + 1
			WHERE name = ? AND period = ? AND used < ?
			AND EXISTS (SELECT 1 FROM quotas o WHERE o.name = ? AND o.period = ? AND o.used > ?)`,
			w.name(reader), string(kind), kind.limit()-kept,
			w.name(reader), string(kind)+"@", w.now().Add(-kind.length()).UnixMilli())
		if err != nil {
			return "", false, fmt.Errorf("use a window: %w", err)
		}
		if n, err := result.RowsAffected(); err != nil || n > 0 {
			return kind, n > 0, err
		}
	}
	return "", false, nil
}

// GiveBack undoes a Take whose message did not go out.
func (w *Windows) GiveBack(ctx context.Context, reader string, kind Window) error {
	_, err := w.db.ExecContext(ctx, "UPDATE quotas SET used = used - 1 WHERE name = ? AND period = ? AND used > 0",
		w.name(reader), string(kind))
	return err
}

// Close closes a reader's windows: the platform says that they are.
func (w *Windows) Close(ctx context.Context, reader string) error {
	_, err := w.db.ExecContext(ctx, "DELETE FROM quotas WHERE name = ? AND period IN (?, ?, ?, ?)", w.name(reader),
		string(Said), string(Said)+"@", string(Click), string(Click)+"@")
	return err
}

// Forget deletes all that is counted of a reader who left or wants to be
// forgotten, grants included.
func (w *Windows) Forget(ctx context.Context, reader string) error {
	_, err := w.db.ExecContext(ctx, "DELETE FROM quotas WHERE name = ?", w.name(reader))
	return err
}

// Prune forgets windows that have closed by themselves, and offers that no link
// is good for any more. A window that a reader opens at this moment stays: what
// it is told by is deleted only while it is old, and holds others up until its
// count is deleted too.
func (w *Windows) Prune(ctx context.Context) error {
	prefix := w.name("")
	// The bounds are the names that begin with prefix; a LIKE would need the
	// channel's name escaped. "/" is followed by "0".
	from, to := prefix, prefix[:len(prefix)-1]+"0"
	return w.db.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		for _, kind := range []Window{Click, Said} {
			var names []string
			err := tx.NewRaw("DELETE FROM quotas WHERE name > ? AND name < ? AND period = ? AND used < ? RETURNING name",
				from, to, string(kind)+"@", w.now().Add(-kind.length()).UnixMilli()).Scan(ctx, &names)
			if err != nil {
				return err
			}
			for part := range slices.Chunk(names, 500) {
				if _, err := tx.ExecContext(ctx, "DELETE FROM quotas WHERE period = ? AND name IN (?)", string(kind), bun.List(part)); err != nil {
					return err
				}
			}
		}
		_, err := tx.ExecContext(ctx, "DELETE FROM quotas WHERE name > ? AND name < ? AND period >= 'asked:' AND period < 'asked;' AND used < ?",
			from, to, w.now().Unix())
		return err
	})
}
