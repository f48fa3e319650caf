package scheduler

import (
	"context"
	"time"

	"newsie/bot"
)

// A gate lets a channel's messages go one by one, each at its slot in the bucket
// of all chats, which answers and other replicas share. Slots are taken just
// before they come, so that an answer waits behind two or three digests at most;
// and only for messages that are marked as being sent, so that no commit stands
// between a slot and its message.
type gate struct {
	flight *flight
	bucket bot.Bucket
	queue  chan message
	done   chan struct{}
}

// rushed is how many slots one statement takes when messages wait: two, or as
// many as come in a thirtieth of a second.
func rushed(b bot.Bucket) int { return max(2, min(int(b.PerSecond/30), batch)) }

// waiting is how many messages that are marked as being sent may wait for their
// slots: half a second's, to outlast a slow commit.
func waiting(b bot.Bucket) int { return max(2, min(int(b.PerSecond/2), 2*batch)) }

// patience is how long marked messages wait for a slot; for longer they are
// planned again.
const patience = 2 * time.Second

// all gives the bucket of all chats; ok is false when messages keep no pace.
func (c *courier) all() (b bot.Bucket, ok bool) {
	buckets := c.buckets(bot.ChatID{Channel: c.channel.Name})
	if len(buckets) == 0 {
		return b, false
	}
	return buckets[0], true
}

// buckets are those of a chat; the first one is that of all chats.
func (c *courier) buckets(to bot.ChatID) []bot.Bucket {
	limits, ok := c.channel.Sender.(Pacing)
	if !ok || c.pacer == nil {
		return nil
	}
	return limits.Buckets(to)
}

// newGate opens a flight's gate; nil: the channel has none.
func newGate(f *flight) *gate {
	b, ok := f.c.all()
	if !ok {
		return nil
	}
	g := &gate{flight: f, bucket: b, queue: make(chan message, waiting(b)), done: make(chan struct{})}
	go g.run()
	return g
}

// close waits until everything has passed or was given back.
func (g *gate) close() {
	close(g.queue)
	<-g.done
}

func (g *gate) run() {
	defer close(g.done)
	for m := range g.queue {
		group := []message{m}
	gather:
		for len(group) < rushed(g.bucket) {
			select {
			case m, ok := <-g.queue:
				if !ok {
					break gather
				}
				group = append(group, m)
			default:
				break gather
			}
		}
		for len(group) > 0 {
			group = g.pass(group)
		}
	}
}

// pass takes slots for messages and lets them go. It returns those that could
// not use theirs and need new ones.
func (g *gate) pass(group []message) (left []message) {
	c, ctx := g.flight.c, g.flight.until
	slot, ok := g.slots(ctx, len(group))
	if !ok {
		g.back(group)
		return nil
	}
	for i, m := range group {
		at := slot.Add(time.Duration(i) * g.bucket.Gap())
		if wait := at.Sub(c.now()); wait > 0 {
			if c.sleep(ctx, wait) != nil {
				g.back(group[i:])
				return nil
			}
		} else if i > 0 && -wait > g.tolerance() {
			// The process stood still: what it had reserved would go out at once,
			// and with what comes next be more than a second may hold.
			return group[i:]
		}
		if c.paused() {
			g.back(group[i:])
			return nil
		}
		g.flight.send(m)
	}
	return nil
}

// tolerance is how late a slot may still be used.
func (g *gate) tolerance() time.Duration { return max(g.bucket.Gap()*3/2, 20*time.Millisecond) }

// slots waits until n slots in a row are near and takes them; false: there are
// none for a while.
func (g *gate) slots(ctx context.Context, n int) (first time.Time, ok bool) {
	c, ahead := g.flight.c, g.bucket.Gap()
	for ctx.Err() == nil && !c.paused() {
		wait, taken, err := c.pacer.Take(ctx, g.bucket, n, ahead)
		now := c.now()
		switch {
		case err != nil:
			if ctx.Err() == nil {
				c.logger.Error("no slot can be taken, digests wait", "channel", c.channel.Name, "error", err)
				c.pause.extend(now.Add(time.Second))
			}
			return first, false
		case taken:
			return now.Add(wait), true
		case wait > patience: // another replica, or an answer, was told to wait
			c.pause.extend(now.Add(wait - ahead))
			return first, false
		}
		if c.sleep(ctx, max(wait-ahead, time.Millisecond)) != nil {
			return first, false
		}
	}
	return first, false
}

// back plans messages again that were not sent.
func (g *gate) back(group []message) {
	for _, m := range group {
		outcomes := m.each(outcome{state: Planned})
		for i := range outcomes {
			outcomes[i].due = time.UnixMilli(outcomes[i].job.DueAt)
		}
		g.flight.results <- landed{m, outcomes}
	}
}

// queues tells until when chats are full, as far as it was seen.
type queues map[string]time.Time

// late is a message whose own chat must wait.
type late struct {
	message
	due time.Time
}

// turns takes a slot in each message's own chat. It tells which messages may go,
// and which are late because their chats have had enough.
func (c *courier) turns(ctx context.Context, wave []message, full queues) (ready []message, off []late, err error) {
	due := make([]time.Time, len(wave))
	for level := 1; ; level++ { // 0 is the bucket of all chats
		var members []int
		var asked []bot.Bucket
		for i, m := range wave {
			buckets := c.buckets(m.to())
			if level >= len(buckets) || !due[i].IsZero() {
				continue
			}
			b := buckets[level]
			if until, ok := full[b.Name]; ok {
				due[i], full[b.Name] = until, until.Add(b.Gap())
				continue
			}
			members, asked = append(members, i), append(asked, b)
		}
		if len(members) == 0 {
			break
		}
		waits, err := c.pacer.TakeEach(ctx, asked)
		if err != nil {
			return wave, nil, err
		}
		now := c.now()
		for n, i := range members {
			if waits[n] > 0 {
				due[i] = now.Add(waits[n])
				full[asked[n].Name] = due[i].Add(asked[n].Gap())
			}
		}
	}
	for i, m := range wave {
		if due[i].IsZero() {
			ready = append(ready, m)
		} else {
			off = append(off, late{m, due[i]})
		}
	}
	return ready, off, nil
}

func (c *courier) putOff(ctx context.Context, off []late) error {
	var outcomes []outcome
	for _, m := range off {
		outcomes = append(outcomes, m.each(outcome{state: Planned, due: m.due, problem: "waits for the platform's rate"})...)
	}
	return settle(ctx, c.db, Claimed, outcomes, c.now())
}

// push tells every replica what the platform said: that the whole channel must
// wait, or one chat.
func (c *courier) push(ctx context.Context, to bot.ChatID, all bool, until time.Time) {
	buckets := c.buckets(to)
	if all {
		buckets = buckets[:min(1, len(buckets))]
	} else {
		buckets = buckets[min(1, len(buckets)):]
	}
	for _, b := range buckets {
		if err := c.pacer.Push(ctx, b.Name, until); err != nil {
			c.logger.Error("the other replicas could not be told to wait", "channel", c.channel.Name, "error", err)
		}
	}
}
