package scheduler

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"newsie/internal/database"
)

// A flight is the messages of a channel that are in doubt: marked as being
// sent, and not settled yet. There are never more of their deliveries than the
// channel's Workers, or a batch where those are fewer. What waits at the gate is
// not among them.
type flight struct {
	c       *courier
	until   context.Context // Run's: what waits at the gate does not outlive it
	ctx     context.Context // outlives the one of Run by the grace
	cancel  func()
	slots   *semaphore.Weighted
	rows    *semaphore.Weighted
	gate    *gate // nil: messages keep no pace
	results chan landed
	pending atomic.Int64 // messages that have no outcome yet, or wait at the gate
	sends   sync.WaitGroup
	settled chan struct{}
}

// landed is a message with its outcomes.
type landed struct {
	message  message
	outcomes []outcome
}

// start makes a flight. When ctx ends, what is under way has the grace to finish.
func (c *courier) start(ctx context.Context) *flight {
	f := &flight{
		c: c, until: ctx, slots: semaphore.NewWeighted(int64(c.channel.Workers)), rows: semaphore.NewWeighted(int64(max(c.channel.Workers, batch))),
		results: make(chan landed, batch), settled: make(chan struct{}),
	}
	inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f.ctx = inner
	var timer *time.Timer
	var mu sync.Mutex
	stop := context.AfterFunc(ctx, func() {
		mu.Lock()
		defer mu.Unlock()
		timer = time.AfterFunc(c.grace, cancel)
	})
	f.cancel = func() {
		stop()
		mu.Lock()
		defer mu.Unlock()
		if timer != nil {
			timer.Stop()
		}
		cancel()
	}
	f.gate = newGate(f)
	go f.settle()
	return f
}

// wave is how many of the messages are brought on their way at once. Without a
// gate one commit marks them as being sent: at most a batch of rows, and a quarter
// of what may be under way, so that commits and sends overlap. At a gate it is half
// of what may wait there, and no chat is in it twice, so that its buckets are asked
// once.
func (f *flight) wave(messages []message) int {
	most := max(1, f.c.channel.Workers/4)
	if f.gate != nil {
		most = max(1, min(most, waiting(f.gate.bucket)/2))
	}
	chats := map[string]bool{}
	n, rows := 0, 0
	for n < min(most, len(messages)) {
		m := messages[n]
		if rows += len(m.jobs); n > 0 && (rows > batch || f.gate != nil && chats[m.to().ID]) {
			break
		}
		chats[m.to().ID] = true
		n++
	}
	return n
}

// take waits for room for a whole wave.
func (f *flight) take(ctx context.Context, wave []message) error {
	rows := int64(0)
	for _, m := range wave {
		rows += int64(len(m.jobs))
	}
	if err := f.slots.Acquire(ctx, int64(len(wave))); err != nil {
		return err
	}
	if err := f.rows.Acquire(ctx, rows); err != nil {
		f.slots.Release(int64(len(wave)))
		return err
	}
	return nil
}

func (f *flight) give(m message) {
	f.rows.Release(int64(len(m.jobs)))
	f.slots.Release(1)
}

// own keeps those messages of a wave that are this process's as a whole: mine are
// the jobs that were marked as being sent.
func (f *flight) own(wave []message, mine map[int64]bool, marked time.Time) (own []message) {
	for _, m := range wave {
		jobs := slices.DeleteFunc(slices.Clone(m.jobs), func(j job) bool { return !mine[j.ID] })
		for i := range jobs {
			jobs[i].Attempt++
		}
		switch {
		case len(jobs) == 0:
			f.pending.Add(-1)
			f.give(m)
		case len(jobs) == len(m.jobs):
			m.jobs, m.marked = jobs, marked
			own = append(own, m)
		default:
			// One of its digests was cancelled, or is another's by now: the
			// others go out without it, in the next round.
			f.results <- landed{m, message{jobs: jobs}.each(outcome{state: Planned, due: f.c.now()})}
		}
	}
	return own
}

// send sends a message that is marked as being sent.
func (f *flight) send(m message) {
	f.sends.Go(func() { f.results <- landed{m, f.c.send(f.ctx, m)} })
}

// finish waits for the messages under way and settles them.
func (f *flight) finish() {
	if f.gate != nil {
		f.gate.close()
	}
	f.sends.Wait()
	close(f.results)
	<-f.settled
	f.cancel()
}

// linger is how long an outcome may wait for others to be settled with.
const linger = 100 * time.Millisecond

// settle writes outcomes in batches: when one is full, when nothing else is
// under way, or after a moment.
func (f *flight) settle() {
	defer close(f.settled)
	next, ok := <-f.results
	for ok {
		done, outcomes := []landed{next}, next.outcomes
		f.pending.Add(-1)
		next, ok = landed{}, true
		timer := time.NewTimer(linger)
	collect:
		for len(outcomes) < batch && f.pending.Load() > 0 {
			select {
			case next, ok = <-f.results:
				if !ok || len(outcomes)+len(next.outcomes) > batch {
					break collect
				}
				f.pending.Add(-1)
				done, outcomes, next = append(done, next), append(outcomes, next.outcomes...), landed{}
			case <-timer.C:
				break collect
			}
		}
		timer.Stop()
		f.write(done, outcomes)
		for _, l := range done {
			f.give(l.message)
		}
		if slices.ContainsFunc(outcomes, func(o outcome) bool { return o.state == Planned }) {
			f.c.rouse()
		}
		if ok && next.outcomes == nil {
			next, ok = <-f.results
		}
	}
}

// write settles a batch and tries again while the database is away: what is
// not settled when the leases run out is in doubt for ever.
func (f *flight) write(landed []landed, outcomes []outcome) {
	for attempt := 1; ; attempt++ {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(f.ctx), 5*time.Second)
		done, err := f.c.settle(ctx, Sending, outcomes)
		cancel()
		if err == nil {
			f.c.readers.hear(landed, done)
			return
		}
		if attempt == 1 {
			f.c.logger.Error("outcomes are not written yet", "channel", f.c.channel.Name, "count", len(outcomes), "error", err)
		}
		// News that come after the lease are believed, too.
		lost := attempt >= 10 && !database.Away(err)
		if lost || f.ctx.Err() != nil || f.c.sleep(f.ctx, min(time.Duration(attempt)*200*time.Millisecond, 2*time.Second)) != nil {
			f.c.logger.Error("outcomes are lost; these deliveries will be listed as unknown", "channel", f.c.channel.Name, "count", len(outcomes), "error", err)
			return
		}
	}
}
