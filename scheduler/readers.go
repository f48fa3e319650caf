package scheduler

import (
	"context"

	"github.com/uptrace/bun"

	"newsie/bot"
)

// readers are who else must know what becomes of readers; see Config.
type readers struct {
	received func(chats []bot.ChatID)
	gone     func(chats []bot.ChatID)
	moved    func(ctx context.Context, tx bun.IDB, from, to bot.ChatID) error
}

// readers gives the hooks of c, those that are missing too.
func (c Config) readers() readers {
	r := readers{c.Received, c.Gone, c.Moved}
	if r.received == nil {
		r.received = func([]bot.ChatID) {}
	}
	if r.gone == nil {
		r.gone = func([]bot.ChatID) {}
	}
	if r.moved == nil {
		r.moved = func(context.Context, bun.IDB, bot.ChatID, bot.ChatID) error { return nil }
	}
	return r
}

// hear tells of messages that were settled: done are the deliveries that really
// were. What comes of one message counts once, and late answers do not.
func (r readers) hear(landed []landed, done []int64) {
	settled := make(map[int64]bool, len(done))
	for _, id := range done {
		settled[id] = true
	}
	var received, gone []bot.ChatID
	for _, l := range landed {
		to := l.message.to()
		if to.Audience() {
			continue
		}
		for _, o := range l.outcomes {
			if !settled[o.job.ID] {
				continue
			}
			if o.state == Sent && !l.message.owed() {
				received = append(received, to)
				break
			}
			if o.state == Gone {
				gone = append(gone, to)
				break
			}
		}
	}
	if len(received) > 0 {
		r.received(received)
	}
	if len(gone) > 0 {
		r.gone(gone)
	}
}
