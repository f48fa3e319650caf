package scheduler

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"newsie/bot"
	"newsie/internal/database"
)

// NewLedger reads and settles the ledger of db without sending anything.
func NewLedger(db *database.DB, now func() time.Time) *Ledger {
	return &Ledger{db: db, now: now, wake: func() {}, readers: Config{}.readers()}
}

// Move gives a chat its new id, with everything of it: the platform told us.
func (l *Ledger) Move(ctx context.Context, from, to bot.ChatID) error {
	return l.db.Tx(ctx, func(ctx context.Context, tx bun.Tx) error { return moveChat(ctx, tx, l.readers, from, to) })
}

// moveChat gives everything of a chat and of its topics to its new id.
func moveChat(ctx context.Context, tx bun.Tx, readers readers, from, to bot.ChatID) error {
	if from == to {
		return nil
	}
	topics, err := topicsOf(ctx, tx, from)
	if err != nil {
		return fmt.Errorf("move %s to %s: %w", from, to, err)
	}
	for _, topic := range append([]string{""}, topics...) {
		if err := moveOne(ctx, tx, bot.ChatID{Channel: from.Channel, ID: from.ID + topic}, bot.ChatID{Channel: to.Channel, ID: to.ID + topic}); err != nil {
			return fmt.Errorf("move %s%s to %s: %w", from, topic, to, err)
		}
	}
	return readers.moved(ctx, tx, from, to)
}

// topicsOf lists what follows the chat's id in those of its topics, ":5" for example.
func topicsOf(ctx context.Context, tx bun.Tx, chat bot.ChatID) ([]string, error) {
	prefix := chat.ID + ":"
	n := utf8.RuneCountInString(prefix)
	var ids []string
	var query []string
	var args []any
	for _, column := range []string{"chats id", "follows chat", "saved chat", "lists chat", "deliveries chat", "inbox chat"} {
		table, id, _ := strings.Cut(column, " ")
		query = append(query, "SELECT "+id+" AS id FROM "+table+" WHERE channel = ? AND substr("+id+", 1, ?) = ?")
		args = append(args, chat.Channel, n, prefix)
	}
	if err := tx.NewRaw(strings.Join(query, " UNION ")+" ORDER BY 1", args...).Scan(ctx, &ids); err != nil {
		return nil, err
	}
	for i := range ids {
		ids[i] = strings.TrimPrefix(ids[i], chat.ID)
	}
	return ids, nil
}

// moveOne moves one conversation, without doubling what the new id has already;
// what was chosen there wins.
func moveOne(ctx context.Context, tx bun.Tx, from, to bot.ChatID) error {
	for _, column := range []string{"lang", "zone", "quiet", "origin"} {
		if _, err := tx.ExecContext(ctx, "UPDATE chats SET "+column+" = COALESCE((SELECT o."+column+
			" FROM chats o WHERE o.channel = ? AND o.id = ?), '') WHERE channel = ? AND id = ? AND "+column+" = ''",
			from.Channel, from.ID, to.Channel, to.ID); err != nil {
			return err
		}
	}
	args := []any{to.Channel, to.ID, from.Channel, from.ID, to.Channel, to.ID}
	for _, statement := range []string{
		"UPDATE chats SET channel = ?, id = ? WHERE channel = ? AND id = ? AND NOT EXISTS (SELECT 1 FROM chats c WHERE c.channel = ? AND c.id = ?)",
		"UPDATE follows SET channel = ?, chat = ? WHERE channel = ? AND chat = ? AND NOT EXISTS (SELECT 1 FROM follows o WHERE o.channel = ? AND o.chat = ? AND o.query = follows.query)",
		"UPDATE saved SET channel = ?, chat = ? WHERE channel = ? AND chat = ? AND NOT EXISTS (SELECT 1 FROM saved o WHERE o.channel = ? AND o.chat = ? AND o.article = saved.article)",
		"UPDATE deliveries SET channel = ?, chat = ? WHERE channel = ? AND chat = ? AND NOT EXISTS (SELECT 1 FROM deliveries o WHERE o.channel = ? AND o.chat = ? AND o.edition = deliveries.edition)",
	} {
		if _, err := tx.ExecContext(ctx, statement, args...); err != nil {
			return err
		}
	}
	for _, table := range []string{"lists", "inbox"} {
		if _, err := tx.ExecContext(ctx, "UPDATE "+table+" SET channel = ?, chat = ? WHERE channel = ? AND chat = ?", args[:4]...); err != nil {
			return err
		}
	}
	if err := bot.MoveTongues(ctx, tx, from, to); err != nil {
		return err
	}
	// What the new id has already is not sent to the old one.
	if _, err := tx.ExecContext(ctx, "UPDATE deliveries SET state = ? WHERE channel = ? AND chat = ? AND state IN (?, ?)",
		Cancelled, from.Channel, from.ID, Planned, Held); err != nil {
		return err
	}
	for _, rest := range []string{"follows WHERE channel = ? AND chat", "saved WHERE channel = ? AND chat", "chats WHERE channel = ? AND id"} {
		if _, err := tx.ExecContext(ctx, "DELETE FROM "+rest+" = ?", from.Channel, from.ID); err != nil {
			return err
		}
	}
	return nil
}
