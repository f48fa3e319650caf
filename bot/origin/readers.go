package origin

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"
)

// Chatting is the reader that a conversation belongs to: the topics of a group,
// whose ids are the group's, a colon and a number, are one reader with it.
func (r Reader) Chatting() Reader {
	r.Chat, _, _ = strings.Cut(r.Chat, ":")
	return r
}

// Ref names a reader in signed links and in what is counted, so that neither
// says who it is: the first 8 bytes of an HMAC-SHA256 of the channel, a zero byte
// and the chat.
func Ref(key []byte, r Reader) int64 {
	r = r.Chatting()
	return int64(binary.BigEndian.Uint64(mac(key, []byte(r.Channel+"\x00"+r.Chat))))
}

// hashed stands for a text in the table of events, where nobody can read it.
func hashed(key []byte, kind, text string) int64 {
	return int64(binary.BigEndian.Uint64(mac(key, []byte("\x00"+kind+"\x00"+text))))
}

// A readerRow is one of the table readers.
type readerRow struct {
	Channel, Chat string
	Ref           int64
	FirstOrigin   int64
	FirstAt       int64
	LastOrigin    int64
	LastAt        int64
	CameAt        int64
	LeftAt        int64
	Stayed        int64
	StayDue       int64
	FollowedOn    int64
	AskedOn       int64
	OpenedOn      int64
	ReceivedOn    int64

	// The same, since the latest origin is the one it is.
	FollowedLastOn, AskedLastOn, OpenedLastOn, ReceivedLastOn int64

	fresh bool `bun:"-"` // made just now
}

const rowColumns = "channel, chat, ref, first_origin, first_at, last_origin, last_at, came_at, left_at, stayed, stay_due, followed_on, asked_on, opened_on, received_on, " +
	"followed_last_on, asked_last_on, opened_last_on, received_last_on"

// touch notes by which origin a reader came now. The first stays; the last is
// the latest that is known.
func (r *readerRow) touch(origin, at int64) {
	if origin == None {
		return
	}
	if r.FirstOrigin == None {
		r.FirstOrigin, r.FirstAt = origin, at
	}
	if origin != Unknown || r.LastOrigin == None {
		if origin != r.LastOrigin { // where nothing was done yet
			r.FollowedLastOn, r.AskedLastOn, r.OpenedLastOn, r.ReceivedLastOn = 0, 0, 0, 0
		}
		r.LastOrigin, r.LastAt = origin, at
	}
}

// cameBy is the origin that brought the reader, which is not one scanned later.
func (r *readerRow) cameBy() int64 {
	if r.FirstAt == r.CameAt {
		return r.FirstOrigin
	}
	return None
}

// lock reads the rows of readers, in the order of their refs, and keeps other
// replicas from them.
func (c *Credits) lock(ctx context.Context, tx bun.IDB, refs []int64) ([]readerRow, error) {
	query := "SELECT " + rowColumns + " FROM readers WHERE ref IN (?) ORDER BY ref"
	if c.db.Postgres() {
		query += " FOR UPDATE"
	}
	var rows []readerRow
	if err := tx.NewRaw(query, bun.List(refs)).Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("look up readers: %w", err)
	}
	return rows, nil
}

// insert adds a row; made is false when there is one of that chat.
func insert(ctx context.Context, tx bun.IDB, r readerRow) (made bool, err error) {
	result, err := tx.ExecContext(ctx, "INSERT INTO readers (channel, chat, ref, first_origin, last_origin, came_at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (channel, chat) DO NOTHING",
		r.Channel, r.Chat, r.Ref, r.FirstOrigin, r.LastOrigin, r.CameAt)
	if err != nil {
		return false, fmt.Errorf("keep a reader: %w", err)
	}
	n, err := result.RowsAffected()
	return n == 1, err
}

// save writes rows that are locked.
func save(ctx context.Context, tx bun.IDB, rows []readerRow) error {
	const columns = 17
	for part := range slices.Chunk(rows, 200) {
		args := make([]any, 0, columns*len(part))
		for _, r := range part {
			args = append(args, r.Ref, r.FirstOrigin, r.FirstAt, r.LastOrigin, r.LastAt, r.CameAt, r.LeftAt, r.Stayed, r.StayDue,
				r.FollowedOn, r.AskedOn, r.OpenedOn, r.ReceivedOn, r.FollowedLastOn, r.AskedLastOn, r.OpenedLastOn, r.ReceivedLastOn)
		}
		_, err := tx.ExecContext(ctx, `WITH v (ref, first_origin, first_at, last_origin, last_at, came_at, left_at, stayed, stay_due,
				followed_on, asked_on, opened_on, received_on, followed_last_on, asked_last_on, opened_last_on, received_last_on) AS (VALUES `+places(len(part), columns)+`)
			UPDATE readers SET first_origin = v.first_origin, first_at = v.first_at, last_origin = v.last_origin, last_at = v.last_at,
				came_at = v.came_at, left_at = v.left_at, stayed = v.stayed, stay_due = v.stay_due, followed_on = v.followed_on,
				asked_on = v.asked_on, opened_on = v.opened_on, received_on = v.received_on, followed_last_on = v.followed_last_on,
				asked_last_on = v.asked_last_on, opened_last_on = v.opened_last_on, received_last_on = v.received_last_on
			FROM v WHERE readers.ref = v.ref`, args...)
		if err != nil {
			return fmt.Errorf("keep %d readers: %w", len(part), err)
		}
	}
	return nil
}

// places are n rows of placeholders.
func places(n, columns int) string {
	one := "(" + strings.Repeat("?, ", columns-1) + "?)"
	return strings.Repeat(one+", ", n-1) + one
}

// change locks the row of a reader, if there is one, changes it, and writes it
// with what it adds to the totals; nothing is written when do says false.
func (c *Credits) change(ctx context.Context, ref int64, do func(ctx context.Context, tx bun.IDB, r *readerRow, sums *sums) (bool, error)) error {
	return c.db.Write(ctx, func(ctx context.Context, tx bun.IDB) error {
		rows, err := c.lock(ctx, tx, []int64{ref})
		if err != nil || len(rows) == 0 {
			return err
		}
		sums := c.sums()
		changed, err := do(ctx, tx, &rows[0], sums)
		if err != nil || !changed {
			return err
		}
		if err := save(ctx, tx, rows); err != nil {
			return err
		}
		return sums.write(ctx, tx)
	})
}

// Followed notes that a reader follows what they did not: each query counts once.
func (c *Credits) Followed(ctx context.Context, reader Reader, query string, at time.Time) error {
	key, err := c.key(ctx)
	if err != nil {
		return err
	}
	return c.change(ctx, Ref(key, reader), func(ctx context.Context, tx bun.IDB, r *readerRow, sums *sums) (bool, error) {
		fresh, _, err := once(ctx, tx, event{Ref: r.Ref, Kind: followed, What: hashed(key, "follow", query), At: at.UnixMilli()})
		if err != nil || !fresh {
			return false, err
		}
		sums.count(r, followed, at)
		sums.seen(r, c.leaves(r.Channel), at.UnixMilli())
		return true, nil
	})
}

// Left notes that a reader left, who may come back; see Forget.
func (c *Credits) Left(ctx context.Context, reader Reader, at time.Time) error {
	key, err := c.key(ctx)
	if err != nil {
		return err
	}
	return c.change(ctx, Ref(key, reader), func(_ context.Context, _ bun.IDB, r *readerRow, sums *sums) (bool, error) {
		return c.left(r, sums, at), nil
	})
}

func (c *Credits) left(r *readerRow, sums *sums, at time.Time) bool {
	if r.LeftAt != 0 {
		return false
	}
	sums.stay(r, at.UnixMilli()) // what the job has not come to yet
	r.LeftAt, r.StayDue = at.UnixMilli(), 0
	sums.add(at, r.cameBy(), r.Channel, lost, 1)
	return true
}

// Forget deletes what is kept of a reader. What they brought stays in the totals,
// which do not tell of whom.
func (c *Credits) Forget(ctx context.Context, reader Reader) error {
	reader = reader.Chatting()
	key, err := c.key(ctx)
	if err != nil {
		return err
	}
	if err := c.Flush(ctx); err != nil { // what is pending finds nobody afterwards
		c.log.Warn("what a reader did last is not counted", "error", err)
	}
	ref := Ref(key, reader)
	return c.db.Write(ctx, func(ctx context.Context, tx bun.IDB) error {
		if _, err := c.lock(ctx, tx, []int64{ref}); err != nil {
			return err
		}
		for _, step := range []struct {
			query string
			args  []any
		}{
			{"DELETE FROM readers WHERE channel = ? AND chat = ?", []any{reader.Channel, reader.Chat}},
			{"DELETE FROM origin_events WHERE ref = ?", []any{ref}},
			{"UPDATE origins SET owner_channel = '', owner_chat = '' WHERE kind = 'invitation' AND owner_channel = ? AND owner_chat = ?", []any{reader.Channel, reader.Chat}},
		} {
			if _, err := tx.ExecContext(ctx, step.query, step.args...); err != nil {
				return fmt.Errorf("forget where a reader came from: %w", err)
			}
		}
		return nil
	})
}

// Move gives a reader its new id, within a transaction. One who is known by both
// was the same all the time: the first stays, and came once.
func (c *Credits) Move(ctx context.Context, tx bun.IDB, from, to Reader) error {
	from, to = from.Chatting(), to.Chatting()
	if from == to {
		return nil
	}
	key, err := c.key(ctx)
	if err != nil {
		return err
	}
	rows, err := c.lock(ctx, tx, []int64{Ref(key, from), Ref(key, to)})
	if err != nil || len(rows) == 0 {
		return err
	}
	if err := c.moveRows(ctx, tx, key, rows, from, to); err != nil {
		return fmt.Errorf("move a reader: %w", err)
	}
	return nil
}

func (c *Credits) moveRows(ctx context.Context, tx bun.IDB, key []byte, rows []readerRow, from, to Reader) error {
	old, now := Ref(key, from), Ref(key, to)
	at := slices.IndexFunc(rows, func(r readerRow) bool { return r.Ref == old })
	sums := c.sums()
	if at >= 0 {
		if twice := slices.IndexFunc(rows, func(r readerRow) bool { return r.Ref == now }); twice >= 0 {
			sums.takeBack(rows[twice])
			if _, err := tx.ExecContext(ctx, "DELETE FROM readers WHERE ref = ?", now); err != nil {
				return err
			}
		}
		// Being moved, it is there: what told of its end meant the old id.
		if _, err := tx.ExecContext(ctx, "UPDATE readers SET channel = ?, chat = ?, ref = ? WHERE ref = ?", to.Channel, to.Chat, now, old); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, "UPDATE origin_events SET ref = ? WHERE ref = ? AND NOT EXISTS (SELECT 1 FROM origin_events e WHERE e.ref = ? AND e.kind = origin_events.kind AND e.what = origin_events.what)", now, old, now); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM origin_events WHERE ref = ?", old); err != nil {
		return err
	}
	// The reader of an invitation has one.
	if _, err := tx.ExecContext(ctx, "UPDATE origins SET owner_channel = ?, owner_chat = ? WHERE kind = 'invitation' AND owner_channel = ? AND owner_chat = ?",
		to.Channel, to.Chat, from.Channel, from.Chat); err != nil {
		return err
	}
	return sums.write(ctx, tx)
}

// Invited tells how many came by an invitation.
func (c *Credits) Invited(ctx context.Context, id int64) (int64, error) {
	var n int64
	if err := c.db.Reader().NewRaw("SELECT COALESCE(SUM(came), 0) FROM origin_totals WHERE touch = ? AND origin = ?", firstTouch, id).Scan(ctx, &n); err != nil {
		return 0, fmt.Errorf("count who came by an invitation: %w", err)
	}
	return n, nil
}
