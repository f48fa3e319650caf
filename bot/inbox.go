package bot

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/uptrace/bun"

	"newsie/internal/database"
)

// An Inbox remembers what came in lately, so that a repeated message gets the
// same answer, also when two replicas receive the two tries at once.
type Inbox struct {
	db  *database.DB
	now func() time.Time

	mu   sync.Mutex
	left map[string]bool // claimed here, maybe, by those who have given up: the database went away
}

// NewInbox keeps its rows in db.
func NewInbox(db *database.DB, now func() time.Time) *Inbox { return &Inbox{db: db, now: now} }

// abandoned is how long a claimed message may stay unanswered before another
// try may answer it, though nobody saw the process die that claimed it.
const abandoned = 90 * time.Second

// Begin claims a message. When it is fresh, nobody has answered it and the
// caller does. Otherwise reply is what Finish stored, and done is false while
// another request is still answering.
func (b *Inbox) Begin(ctx context.Context, chat ChatID, messageID string) (fresh bool, reply string, done bool, err error) {
	now, own := b.now().UnixMilli(), 0
	if b.takeLeft(chat, messageID) {
		own = 1
	}
	err = b.db.WriteOne(ctx, func(ctx context.Context, tx bun.IDB) error {
		result, err := tx.ExecContext(ctx, `INSERT INTO inbox (channel, message_id, chat, received_at, replica) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (channel, message_id) DO UPDATE SET received_at = excluded.received_at, replica = excluded.replica
			WHERE inbox.answered = 0 AND (inbox.received_at < ? OR ? = 1 AND inbox.replica = ? OR `+b.db.Dead("inbox.replica")+`)`,
			chat.Channel, messageID, chat.ID, now, b.db.Replica(), now-abandoned.Milliseconds(), own, b.db.Name())
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		fresh = n > 0
		return err
	})
	if err != nil {
		b.leave(chat, messageID) // it may be claimed all the same
		return false, "", false, fmt.Errorf("claim the message %s: %w", messageID, err)
	}
	if fresh {
		return true, "", false, nil
	}
	reply, done, err = b.Reply(ctx, chat.Channel, messageID)
	return false, reply, done, err
}

// Mine tells whether a message that this process claimed some time ago is its
// own still, and claims it again when nobody has it. It is not when the process
// stood still, was taken for dead, and another has the message by now.
func (b *Inbox) Mine(ctx context.Context, chat ChatID, messageID string) (mine bool, err error) {
	err = b.db.WriteOne(ctx, func(ctx context.Context, tx bun.IDB) error {
		result, err := tx.ExecContext(ctx, `INSERT INTO inbox (channel, message_id, chat, received_at, replica) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (channel, message_id) DO UPDATE SET received_at = inbox.received_at WHERE inbox.replica IN ('', ?)`,
			chat.Channel, messageID, chat.ID, b.now().UnixMilli(), b.db.Replica(), b.db.Name())
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		mine = n == 1
		return err
	})
	if err != nil {
		return false, fmt.Errorf("look whose the message %s is: %w", messageID, err)
	}
	return mine, nil
}

// Finish stores the answer of a message; reply is whatever the adapter wants
// back when the message comes again. What another process has answered meanwhile,
// taking this one for dead, stays.
func (b *Inbox) Finish(ctx context.Context, chat ChatID, messageID, reply string) error {
	err := b.db.WriteOne(ctx, func(ctx context.Context, tx bun.IDB) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO inbox (channel, message_id, chat, reply, answered, received_at) VALUES (?, ?, ?, ?, 1, ?)
			ON CONFLICT (channel, message_id) DO UPDATE SET reply = excluded.reply, answered = 1 WHERE inbox.replica IN ('', ?)`,
			chat.Channel, messageID, chat.ID, reply, b.now().UnixMilli(), b.db.Name())
		return err
	})
	if err != nil {
		return fmt.Errorf("keep the answer to the message %s: %w", messageID, err)
	}
	return nil
}

// Release gives a claimed message back: answering it failed before anything
// went out, and a repeated delivery may try again.
func (b *Inbox) Release(ctx context.Context, chat ChatID, messageID string) error {
	_, err := b.db.ExecContext(ctx, "DELETE FROM inbox WHERE channel = ? AND message_id = ? AND answered = 0 AND replica IN ('', ?)", chat.Channel, messageID, b.db.Name())
	if err != nil {
		b.leave(chat, messageID)
		return fmt.Errorf("release the message %s: %w", messageID, err)
	}
	return nil
}

// Free gives back what another has claimed, who should have answered long ago.
func (b *Inbox) Free(ctx context.Context, chat ChatID, messageID string) error {
	if _, err := b.db.ExecContext(ctx, "DELETE FROM inbox WHERE channel = ? AND message_id = ? AND answered = 0", chat.Channel, messageID); err != nil {
		return fmt.Errorf("free the message %s: %w", messageID, err)
	}
	return nil
}

// leave notes that a message which this process may have claimed is nobody's: the
// next Begin here takes it.
func (b *Inbox) leave(chat ChatID, messageID string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.left == nil || len(b.left) >= 10_000 { // the rest waits until it is abandoned
		b.left = map[string]bool{}
	}
	b.left[chat.Channel+" "+messageID] = true
}

func (b *Inbox) takeLeft(chat ChatID, messageID string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	left := b.left[chat.Channel+" "+messageID]
	delete(b.left, chat.Channel+" "+messageID)
	return left
}

// Abandon gives back all messages that were claimed and not answered. Only a
// process that knows itself alone may call it, before it takes messages: those
// who claimed them are dead, and their readers need not wait.
func (b *Inbox) Abandon(ctx context.Context) error {
	if _, err := b.db.ExecContext(ctx, "DELETE FROM inbox WHERE answered = 0"); err != nil {
		return fmt.Errorf("give back messages that were being answered: %w", err)
	}
	return nil
}

// Reply is what Finish stored for a message; done tells whether it did.
func (b *Inbox) Reply(ctx context.Context, channel, messageID string) (reply string, done bool, err error) {
	var answered int
	err = b.db.Reader().QueryRowContext(ctx, "SELECT reply, answered FROM inbox WHERE channel = ? AND message_id = ?", channel, messageID).Scan(&reply, &answered)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("look for the message %s: %w", messageID, err)
	}
	return reply, answered == 1, nil
}

// Prune forgets what came in before a time.
func (b *Inbox) Prune(ctx context.Context, before time.Time) error {
	return b.db.Prune(ctx, "inbox", "(channel, message_id)", "received_at", before.UnixMilli())
}
