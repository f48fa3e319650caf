package scheduler

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"newsie/bot"
)

// A gate lets a channel's messages go one by one, each at its slot in the bucket
// of all chats, which answers and other replicas share. Slots are taken just
// before they come, a few at a time, and held: an answer that comes meanwhile takes
// the place of one of them. The commit that takes them marks their messages as being sent: what
// still waits at the gate is only claimed, and a crash leaves no doubt about it.
type gate struct {
	flight *flight
	bucket bot.Bucket
	queue  chan message
	next   *message // left over: the group before had no room for it
	done   chan struct{}
}

// rushed is how many slots one commit takes when messages wait: two, or as many
// as come in a thirtieth of a second.
func rushed(b bot.Bucket) int { return max(2, min(int(b.PerSecond/30), batch)) }

// waiting is how many messages may wait at the gate: half a second's, to outlast
// a slow commit.
func waiting(b bot.Bucket) int { return max(2, min(int(b.PerSecond/2), 2*batch)) }

// patience is how long messages wait for a slot; for longer they are planned
// again.
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

// put lets messages wait for their slots.
func (g *gate) put(messages []message) {
	g.flight.pending.Add(int64(len(messages)))
	for _, m := range messages {
		g.queue <- m
	}
}

func (g *gate) run() {
	defer close(g.done)
	for {
		group := g.gather()
		if len(group) == 0 {
			return
		}
		if g.flight.take(g.flight.until, group) != nil {
			g.back(group)
			continue
		}
		for len(group) > 0 {
			group = g.pass(group)
		}
	}
}

// gather waits for messages and takes as many as one commit may mark; none: there
// will be no more.
func (g *gate) gather() (group []message) {
	rows := 0
	for len(group) < rushed(g.bucket) {
		m, ok := g.pull(len(group) == 0)
		if !ok {
			break
		}
		if rows += len(m.jobs); len(group) > 0 && (rows > batch || m.claim() != group[0].claim()) {
			g.next = &m
			break
		}
		group = append(group, m)
	}
	return group
}

// pull takes the next message, if there is one, or wait.
func (g *gate) pull(wait bool) (m message, ok bool) {
	if g.next != nil {
		m, g.next = *g.next, nil
		return m, true
	}
	if wait {
		m, ok = <-g.queue
		return m, ok
	}
	select {
	case m, ok = <-g.queue:
	default:
	}
	return m, ok
}

// pass takes slots for messages for which there is room, and lets them go. It
// returns those that could not use theirs and need new ones.
func (g *gate) pass(group []message) (left []message) {
	c, ctx := g.flight.c, g.flight.until
	slot, ready, ok := g.slots(ctx, group)
	if !ok {
		g.clear(group)
		return nil
	}
	held := c.pacer.Hold(g.bucket, slot, len(ready))
	defer held.Drop()
	for i, m := range ready {
		wait, late := held.Next(c.now())
		for ; wait > 0; wait, late = held.Next(c.now()) { // answers may have put it off
			if c.sleep(ctx, wait) != nil {
				g.clear(ready[i:])
				return nil
			}
		}
		if i > 0 && late > g.tolerance() {
			// The process stood still: what it had reserved would go out at once,
			// and with what comes next be more than a second may hold.
			return ready[i:]
		}
		if c.paused() {
			g.clear(ready[i:])
			return nil
		}
		g.flight.send(m)
	}
	return nil
}

// tolerance is how long after its time a slot may still be used.
func (g *gate) tolerance() time.Duration { return max(g.bucket.Gap()*3/2, 20*time.Millisecond) }

// slots waits until slots are near, takes one for each message and marks the
// messages as being sent. It returns those that still are this process's; false:
// there are no slots for a while.
func (g *gate) slots(ctx context.Context, group []message) (first time.Time, ready []message, ok bool) {
	c, ahead := g.flight.c, g.bucket.Gap()
	for ctx.Err() == nil && !c.paused() {
		wait, taken, ready, err := g.slotsNow(ctx, group, ahead)
		now := c.now()
		switch {
		case err != nil:
			if ctx.Err() == nil {
				c.logger.Error("no slot can be taken, digests wait", "channel", c.channel.Name, "error", err)
				c.pause.extend(now.Add(time.Second))
			}
			return first, nil, false
		case taken:
			return now.Add(wait), ready, true
		case wait > patience: // another replica, or an answer, was told to wait
			c.pause.extend(now.Add(wait - ahead))
			return first, nil, false
		}
		if c.sleep(ctx, max(wait-ahead, time.Millisecond)) != nil {
			return first, nil, false
		}
	}
	return first, nil, false
}

// slotsNow takes slots if the first of them is near, and marks in the same commit
// what is not marked yet.
func (g *gate) slotsNow(ctx context.Context, group []message, ahead time.Duration) (wait time.Duration, taken bool, ready []message, err error) {
	c := g.flight.c
	if !group[0].marked.IsZero() {
		wait, taken, err = c.pacer.Take(ctx, g.bucket, len(group), ahead, nil)
		return wait, taken, group, err
	}
	clock, err := c.db.Now(ctx)
	if err != nil {
		return 0, false, nil, err
	}
	var mine map[int64]bool
	marked := c.now()
	wait, taken, err = c.pacer.Take(ctx, g.bucket, len(group), ahead, func(ctx context.Context, tx bun.IDB) (err error) {
		mine, err = c.mark(ctx, tx, group, clock, marked)
		return err
	})
	if err != nil || !taken {
		return wait, false, nil, err
	}
	return wait, true, g.flight.own(group, mine, marked), nil
}

// clear plans a group again that was not sent, and all that waits behind it.
func (g *gate) clear(group []message) {
	for _, m := range group {
		g.flight.give(m)
	}
	g.back(group)
}

// back plans messages again for which there is no room taken, and all that wait.
func (g *gate) back(group []message) {
	for {
		m, ok := g.pull(false)
		if !ok {
			break
		}
		group = append(group, m)
	}
	g.flight.c.giveBack(g.flight.until, group)
	g.flight.pending.Add(-int64(len(group)))
	g.flight.c.rouse()
}

// queues tells until when chats are full, as far as it was seen.
type queues map[string]time.Time

// An early message is one whose own chat must wait.
type early struct {
	message
	due time.Time
}

// turns takes a slot in each message's own chat. It tells which messages may go,
// and which are early because their chats have had enough.
func (c *courier) turns(ctx context.Context, wave []message, full queues) (ready []message, off []early, err error) {
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
			off = append(off, early{m, due[i]})
		}
	}
	return ready, off, nil
}

func (c *courier) putOff(ctx context.Context, off []early) error {
	var outcomes []outcome
	for _, m := range off {
		outcomes = append(outcomes, m.each(outcome{state: Planned, due: m.due, problem: "waits for the platform's rate"})...)
	}
	_, err := c.settle(ctx, Claimed, outcomes)
	return err
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
