package bot

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"newsie/internal/database"
	"newsie/scheduler/timetable"
)

// Chats keeps what must be known of a conversation (table chats) and its
// follows (table follows): a row exists only once the reader chose something.
type Chats struct {
	db  *database.DB
	now func() time.Time
}

// NewChats keeps its rows in db.
func NewChats(db *database.DB, now func() time.Time) *Chats { return &Chats{db: db, now: now} }

// A Chat is what a reader chose; the zero Chat chose nothing.
type Chat struct {
	Lang  string // one of the catalog's
	Zone  string // IANA name
	State string // active, suspended, stopped; "" is active
	Quiet string // hours without a sound, "22:00-08:00"; "off"; "" is the channel's

	Origin string // the code by which the reader came first, of times before there were origins
}

// Load gives what is known of a chat; the zero Chat when nothing is.
func (c *Chats) Load(ctx context.Context, id ChatID) (Chat, error) {
	chat, _, err := c.load(ctx, id)
	return chat, err
}

// load is Load, and tells with the same query whether the chat is a reader that
// has a row already.
func (c *Chats) load(ctx context.Context, id ChatID) (chat Chat, here presence, err error) {
	reader := ReaderOf(id)
	var left int64
	err = c.db.Reader().QueryRowContext(ctx, `SELECT COALESCE(c.lang, ''), COALESCE(c.zone, ''), COALESCE(c.state, ''), COALESCE(c.quiet, ''), COALESCE(c.origin, ''), COALESCE(r.left_at, -1)
		FROM (SELECT 1 AS one) AS o
		LEFT JOIN chats c ON c.channel = ? AND c.id = ?
		LEFT JOIN readers r ON r.channel = ? AND r.chat = ?`, id.Channel, id.ID, reader.Channel, reader.Chat).
		Scan(&chat.Lang, &chat.Zone, &chat.State, &chat.Quiet, &chat.Origin, &left)
	if err != nil {
		return Chat{}, presence{}, fmt.Errorf("look up the chat %s: %w", id, err)
	}
	return chat, presence{known: left >= 0, left: left > 0}, nil
}

func (c *Chats) save(ctx context.Context, tx bun.IDB, id ChatID, chat Chat) error {
	if chat.State == "" {
		chat.State = "active"
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO chats (channel, id, lang, zone, state, quiet, since) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (channel, id) DO UPDATE SET lang = excluded.lang, zone = excluded.zone, state = excluded.state,
			quiet = excluded.quiet`,
		id.Channel, id.ID, chat.Lang, chat.Zone, chat.State, chat.Quiet, c.now().UnixMilli())
	if err != nil {
		return fmt.Errorf("keep the chat %s: %w", id, err)
	}
	return nil
}

// A Follow is a saved query with a schedule.
type Follow struct {
	ID        int64
	Channel   string
	Chat      string
	Topic     string // as typed
	Query     string // folded; "*" is everything
	Lang      string
	Spec      string
	Zone      string
	State     string
	NextDueAt int64
	SinceSeq  int64
	LastSlot  string // the latest that was planned

	PausedUntil int64 // it rests until then; 0 or past: it does not
	Waits       bool  // as it happens: for something to come
}

const followColumns = "id, channel, chat, topic, query, lang, spec, zone, state, next_due_at, since_seq, last_slot, paused_until, waits"

// Follow keeps a follow and reports whether it is new. One with the same query
// in the same chat gets the new schedule and keeps what it has offered already.
func (c *Chats) Follow(ctx context.Context, f Follow) (Follow, bool, error) {
	fresh := false
	err := c.db.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var before int
		if err := tx.NewRaw("SELECT count(*) FROM follows WHERE channel = ? AND chat = ? AND query = ?", f.Channel, f.Chat, f.Query).Scan(ctx, &before); err != nil {
			return err
		}
		fresh = before == 0
		return tx.NewRaw(`INSERT INTO follows (channel, chat, topic, query, lang, spec, zone, next_due_at, since_seq, created_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (channel, chat, query) DO UPDATE SET topic = excluded.topic, lang = excluded.lang, spec = excluded.spec,
				zone = excluded.zone, next_due_at = excluded.next_due_at, state = 'active', waits = 0
			RETURNING `+followColumns,
			f.Channel, f.Chat, f.Topic, f.Query, f.Lang, f.Spec, f.Zone, f.NextDueAt, f.SinceSeq, c.now().UnixMilli()).Scan(ctx, &f)
	})
	if err != nil {
		return Follow{}, false, fmt.Errorf("keep the follow of %s/%s: %w", f.Channel, f.Chat, err)
	}
	return f, fresh, nil
}

// Follows lists a chat's follows, the oldest first.
func (c *Chats) Follows(ctx context.Context, id ChatID) ([]Follow, error) {
	var list []Follow
	err := c.db.Reader().NewRaw("SELECT "+followColumns+" FROM follows WHERE channel = ? AND chat = ? ORDER BY id", id.Channel, id.ID).Scan(ctx, &list)
	if err != nil {
		return nil, fmt.Errorf("list the follows of %s: %w", id, err)
	}
	return list, nil
}

// FollowByID gives one follow; ok is false when there is none.
func (c *Chats) FollowByID(ctx context.Context, id int64) (f Follow, ok bool, err error) {
	var list []Follow
	err = c.db.Reader().NewRaw("SELECT "+followColumns+" FROM follows WHERE id = ?", id).Scan(ctx, &list)
	if err != nil || len(list) == 0 {
		return Follow{}, false, err
	}
	return list[0], true, nil
}

// reschedule moves a follow to another zone's clock. What comes as it happens
// has no times on it that would change.
func (c *Chats) reschedule(ctx context.Context, f Follow, zone *time.Location) error {
	spec, err := timetable.Parse(f.Spec)
	if err != nil {
		return fmt.Errorf("the schedule of follow %d: %w", f.ID, err)
	}
	if spec.AsItComes() {
		_, err = c.db.ExecContext(ctx, "UPDATE follows SET zone = ? WHERE id = ?", zone.String(), f.ID)
		return err
	}
	_, err = c.db.ExecContext(ctx, "UPDATE follows SET zone = ?, next_due_at = ? WHERE id = ?", zone.String(), f.next(spec, c.now(), zone).UnixMilli(), f.ID)
	return err
}

// Unfollow ends follows of a chat and returns how many: the one with this id,
// those with this folded query, or all when both are empty.
func (c *Chats) Unfollow(ctx context.Context, chat ChatID, id int64, query string) (int64, error) {
	where, args := "channel = ? AND chat = ?", []any{chat.Channel, chat.ID}
	switch {
	case id != 0:
		where, args = where+" AND id = ?", append(args, id)
	case query != "":
		where, args = where+" AND query = ?", append(args, query)
	}
	result, err := c.db.ExecContext(ctx, "DELETE FROM follows WHERE "+where, args...)
	if err != nil {
		return 0, fmt.Errorf("end follows of %s: %w", chat, err)
	}
	return result.RowsAffected()
}

// Forget deletes all that this package keeps of a chat.
func (c *Chats) Forget(ctx context.Context, chat ChatID) error {
	names, err := tonguesOf(ctx, c.db.Reader(), chat) // found before others must wait
	if err != nil {
		return err
	}
	return c.db.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		for _, statement := range []string{
			"DELETE FROM follows WHERE channel = ? AND chat = ?",
			"DELETE FROM lists WHERE channel = ? AND chat = ?",
			"DELETE FROM saved WHERE channel = ? AND chat = ?",
			"DELETE FROM inbox WHERE channel = ? AND chat = ? AND answered = 1",
			"DELETE FROM chats WHERE channel = ? AND id = ?",
		} {
			if _, err := tx.ExecContext(ctx, statement, chat.Channel, chat.ID); err != nil {
				return fmt.Errorf("forget a chat: %w", err)
			}
		}
		return forgetTongues(ctx, tx, names)
	})
}
