package bot

import (
	"context"
	"fmt"
	"unicode/utf8"

	"github.com/uptrace/bun"
)

// ofChat matches what belongs to a chat and to its topics, whose ids are the
// chat's, a colon and a number.
const ofChat = "channel = ? AND (chat = ? OR substr(chat, 1, ?) = ?)"

func ofChatArgs(chat ChatID) []any {
	topics := chat.ID + ":"
	return []any{chat.Channel, chat.ID, utf8.RuneCountInString(topics), topics}
}

// Suspend stops the digests of a chat and of its topics without forgetting
// their follows: the reader blocked us. Resume takes them up again.
func (c *Chats) Suspend(ctx context.Context, chat ChatID) error {
	return c.stir(ctx, chat, "suspend", "UPDATE follows SET state = 'suspended' WHERE state = 'active' AND "+ofChat)
}

// Resume takes the suspended follows of a chat and of its topics up again.
func (c *Chats) Resume(ctx context.Context, chat ChatID) error {
	return c.stir(ctx, chat, "resume",
		"UPDATE follows SET state = 'active' WHERE state = 'suspended' AND "+ofChat,
		// The scheduler suspends the chat itself when a digest cannot reach it.
		"UPDATE chats SET state = 'active' WHERE state = 'suspended' AND channel = ? AND (id = ? OR substr(id, 1, ?) = ?)")
}

// End deletes the follows of a chat and of its topics: whoever removed us did
// not leave for a while.
func (c *Chats) End(ctx context.Context, chat ChatID) error {
	return c.stir(ctx, chat, "end", "DELETE FROM follows WHERE "+ofChat)
}

func (c *Chats) stir(ctx context.Context, chat ChatID, what string, statements ...string) error {
	err := c.db.Write(ctx, func(ctx context.Context, tx bun.IDB) error {
		for _, statement := range statements {
			if _, err := tx.ExecContext(ctx, statement, ofChatArgs(chat)...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("%s the follows of %s: %w", what, chat, err)
	}
	return nil
}
