package bot

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"
)

// Audience reports whether f is the schedule of an audience, not of a reader.
func (f Follow) Audience() bool { return ChatID{f.Channel, f.Chat}.Audience() }

// KeepAudiences makes want the schedules that audiences have, at most one a
// channel; those of other channels end. A schedule that is unchanged keeps its
// next time, so that a digest missed meanwhile still comes, and one that has
// changed keeps what it has offered already: SinceSeq is for a new one.
func (c *Chats) KeepAudiences(ctx context.Context, want []Follow) error {
	err := c.db.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var have []Follow
		if err := tx.NewRaw("SELECT "+followColumns+" FROM follows WHERE chat LIKE ? ORDER BY id", Everybody+"%").Scan(ctx, &have); err != nil {
			return err
		}
		kept := map[int64]bool{}
		for _, f := range want {
			if !f.Audience() {
				return fmt.Errorf("%s/%s is no audience", f.Channel, f.Chat)
			}
			id, err := c.keepAudience(ctx, tx, f, have)
			if err != nil {
				return err
			}
			kept[id] = true
		}
		for _, f := range have {
			if kept[f.ID] {
				continue
			}
			if _, err := tx.ExecContext(ctx, "DELETE FROM follows WHERE id = ?", f.ID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keep the schedules of audiences: %w", err)
	}
	return nil
}

func (c *Chats) keepAudience(ctx context.Context, tx bun.Tx, f Follow, have []Follow) (id int64, err error) {
	for _, old := range have {
		if old.Channel != f.Channel {
			continue
		}
		if old.Spec == f.Spec && old.Zone == f.Zone && old.State == "active" {
			f.NextDueAt = old.NextDueAt
		}
		_, err = tx.ExecContext(ctx, "UPDATE follows SET chat = ?, topic = ?, query = ?, lang = ?, spec = ?, zone = ?, state = 'active', next_due_at = ? WHERE id = ?",
			f.Chat, f.Topic, f.Query, f.Lang, f.Spec, f.Zone, f.NextDueAt, old.ID)
		return old.ID, err
	}
	// Another replica may start at this moment.
	err = tx.NewRaw(`INSERT INTO follows (channel, chat, topic, query, lang, spec, zone, next_due_at, since_seq, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (channel, chat, query) DO UPDATE SET topic = excluded.topic RETURNING id`,
		f.Channel, f.Chat, f.Topic, f.Query, f.Lang, f.Spec, f.Zone, f.NextDueAt, f.SinceSeq, c.now().UnixMilli()).Scan(ctx, &id)
	return id, err
}
