package bot

import (
	"context"
	"fmt"
	"slices"

	"github.com/uptrace/bun"
)

// Audience reports whether f is the schedule of an audience, not of a reader.
func (f Follow) Audience() bool { return ChatID{f.Channel, f.Chat}.Audience() }

// KeepAudiences makes want the schedules that audiences have; others end. Of one
// channel no two may have the same audience and query. A schedule that is
// unchanged keeps its next time, so that a digest missed meanwhile still comes,
// and one that has changed keeps what it has offered already: SinceSeq is for a
// new one.
func (c *Chats) KeepAudiences(ctx context.Context, want []Follow) error {
	err := c.db.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var have []Follow
		if err := tx.NewRaw("SELECT "+followColumns+" FROM follows WHERE chat LIKE ? ORDER BY id", Everybody+"%").Scan(ctx, &have); err != nil {
			return err
		}
		for _, f := range want {
			if !f.Audience() {
				return fmt.Errorf("%s/%s is no audience", f.Channel, f.Chat)
			}
		}
		before, ended := sameSchedules(want, have)
		for _, f := range ended {
			if _, err := tx.ExecContext(ctx, "DELETE FROM follows WHERE id = ?", f.ID); err != nil {
				return err
			}
		}
		for i, f := range want {
			if err := c.keepAudience(ctx, tx, f, before[i]); err != nil {
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

// sameSchedules finds which of have each wanted schedule was before, and those
// that none is any more. A schedule is the same when little of it has changed:
// first its time alone, then its topic, then its audience, and at last all of it
// where it is its channel's only one.
func sameSchedules(want, have []Follow) (before []*Follow, ended []Follow) {
	before = make([]*Follow, len(want))
	taken := map[int64]bool{}
	match := func(same func(a, b Follow) bool) {
		for i, f := range want {
			for j := range have {
				if old := &have[j]; before[i] == nil && !taken[old.ID] && old.Channel == f.Channel && same(f, *old) {
					before[i], taken[old.ID] = old, true
				}
			}
		}
	}
	match(func(a, b Follow) bool { return a.Chat == b.Chat && sameQuery(b.Query, a.Query) })
	match(func(a, b Follow) bool { return a.Chat == b.Chat })
	match(func(a, b Follow) bool { return sameQuery(b.Query, a.Query) })
	only := func(list []Follow, channel string) bool {
		return len(slices.DeleteFunc(slices.Clone(list), func(f Follow) bool { return f.Channel != channel })) == 1
	}
	match(func(a, _ Follow) bool { return only(want, a.Channel) && only(have, a.Channel) })
	for _, f := range have {
		if !taken[f.ID] {
			ended = append(ended, f)
		}
	}
	return before, ended
}

func (c *Chats) keepAudience(ctx context.Context, tx bun.Tx, f Follow, old *Follow) error {
	if old != nil {
		if old.Spec == f.Spec && old.Zone == f.Zone && old.State == "active" {
			f.NextDueAt = old.NextDueAt
		}
		_, err := tx.ExecContext(ctx, "UPDATE follows SET chat = ?, topic = ?, query = ?, lang = ?, spec = ?, zone = ?, state = 'active', next_due_at = ? WHERE id = ?",
			f.Chat, f.Topic, f.Query, f.Lang, f.Spec, f.Zone, f.NextDueAt, old.ID)
		return err
	}
	// Another replica may start at this moment.
	_, err := tx.ExecContext(ctx, `INSERT INTO follows (channel, chat, topic, query, lang, spec, zone, next_due_at, since_seq, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (channel, chat, query) DO UPDATE SET topic = excluded.topic`,
		f.Channel, f.Chat, f.Topic, f.Query, f.Lang, f.Spec, f.Zone, f.NextDueAt, f.SinceSeq, c.now().UnixMilli())
	return err
}
