package scheduler

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"newsie/bot"
	"newsie/internal/database"
)

// A courier delivers for one channel.
type courier struct {
	db      *database.DB
	channel Channel
	digests *Digests
	pacer   *bot.Pacer
	silent  func(ctx context.Context, chats []bot.ChatID, at time.Time) (map[bot.ChatID]bool, error)
	notify  func(ctx context.Context, key, text string)
	logger  *slog.Logger
	now     func() time.Time
	sleep   func(ctx context.Context, d time.Duration) error
	giveUp  time.Duration
	grace   time.Duration

	wake  chan struct{}
	pause pause
	mu    sync.Mutex
	free  map[string]time.Time // when a bucket's next slot is free, as far as is known here
}

func newCourier(c Config, ch Channel, digests *Digests) *courier {
	return &courier{
		db: c.DB, channel: ch, digests: digests, pacer: c.Pacer, silent: c.Silent, notify: c.Notify, logger: c.Logger, now: c.Now, sleep: c.Sleep,
		giveUp: c.GiveUp, grace: c.Grace, wake: make(chan struct{}, 1), free: map[string]time.Time{},
	}
}

// A pause keeps a channel quiet for a while.
type pause struct {
	mu     sync.Mutex
	until  time.Time
	faults int // configuration errors in a row
}

func (p *pause) left(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return max(0, p.until.Sub(now))
}

func (p *pause) extend(until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if until.After(p.until) {
		p.until = until
	}
}

// fault counts one configuration error, unless the channel is paused for one
// already, and tells for how long to stay quiet.
func (p *pause) fault(now time.Time) (d time.Duration, first bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if left := p.until.Sub(now); left > 0 && p.faults > 0 {
		return left, false
	}
	p.faults++
	d = min(time.Minute<<min(p.faults-1, 5), 30*time.Minute)
	p.until = now.Add(d)
	return d, p.faults == 1
}

func (p *pause) well() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = 0
}

// prepare says what each job says, ends those with nothing to say, and puts off
// those whose rates are used up. It returns what is ready, in the order of
// sending; on an error, everything that still is claimed.
func (c *courier) prepare(ctx context.Context, jobs []job) ([]message, error) {
	all := make([]message, len(jobs))
	for i, j := range jobs {
		all[i] = alone(j)
	}
	if err := load(ctx, c.db, jobs); err != nil {
		return all, err
	}
	var ready []message
	var ended []outcome
	for _, j := range jobs {
		switch {
		case j.broken != nil:
			ended = append(ended, outcome{job: j, state: Failed, problem: j.broken.Error()})
			continue
		case j.cancelled:
			ended = append(ended, outcome{job: j, state: Cancelled, problem: "nobody wants it any more"})
			continue
		}
		reply, err := c.digests.Digest(ctx, j.edition)
		switch {
		case errors.Is(err, ErrNothing):
			ended = append(ended, outcome{job: j, state: Cancelled, problem: "its articles were withdrawn"})
		case err != nil:
			return all, err
		default:
			ready = append(ready, alone(j, reply))
		}
	}
	ready, off, err := c.pace(ctx, c.bundle(ready))
	if err != nil {
		return all, err
	}
	if err := settle(ctx, c.db, Claimed, append(ended, off...), c.now()); err != nil {
		return all, err
	}
	return ready, nil
}

// pace gives each message the moment at which the platform's rates let it go.
// What would have to wait longer than a claim may last is put off.
func (c *courier) pace(ctx context.Context, messages []message) (ready []message, off []outcome, err error) {
	limits, ok := c.channel.Sender.(Pacing)
	if !ok || c.pacer == nil {
		return messages, nil, nil
	}
	now := c.now()
	type queue struct {
		bucket  bot.Bucket
		members []int
	}
	queues := map[string]*queue{}
	var names []string
	for i, m := range messages {
		messages[i].at = now
		for _, bucket := range limits.Buckets(m.to()) {
			q := queues[bucket.Name]
			if q == nil {
				q = &queue{bucket: bucket}
				queues[bucket.Name] = q
				names = append(names, bucket.Name)
			}
			q.members = append(q.members, i)
		}
	}
	// The buckets of single chats come first: a message that its own chat puts
	// off shall not take a slot of the whole channel.
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(len(queues[a].members), len(queues[b].members)) })
	late := make([]time.Time, len(messages))
	for _, name := range names {
		q := queues[name]
		members := slices.DeleteFunc(q.members, func(i int) bool { return !late[i].IsZero() })
		times, err := c.reserve(ctx, q.bucket, len(members), now)
		if err != nil {
			return nil, nil, err
		}
		for n, i := range members {
			if at := times[n]; at.Sub(now) > horizon {
				late[i] = at
			} else if at.After(messages[i].at) {
				messages[i].at = at
			}
		}
	}
	for i, m := range messages {
		if late[i].IsZero() {
			ready = append(ready, m)
		} else {
			off = append(off, m.each(outcome{state: Planned, due: late[i], problem: "waits for the platform's rate"})...)
		}
	}
	slices.SortStableFunc(ready, func(a, b message) int { return a.at.Compare(b.at) })
	return ready, off, nil
}

// reserve takes up to n slots of a bucket with one statement and gives n
// moments; those past the horizon are not reserved, only estimated.
func (c *courier) reserve(ctx context.Context, bucket bot.Bucket, n int, now time.Time) ([]time.Time, error) {
	if n == 0 {
		return nil, nil
	}
	gap := time.Duration(float64(time.Second) / bucket.PerSecond)
	free := c.knownFree(bucket.Name)
	if free.Before(now) {
		free = now
	}
	fit := 0
	if room := now.Add(horizon).Sub(free); room >= 0 {
		fit = min(n, int(room/gap)+1+max(bucket.Burst-1, 0))
	}
	times := make([]time.Time, n)
	if fit > 0 {
		wait, err := c.pacer.Reserve(ctx, bucket.Name, bucket.PerSecond, bucket.Burst, fit)
		if err != nil {
			return nil, err
		}
		last := now.Add(wait)
		for i := range fit {
			times[i] = last.Add(-time.Duration(fit-1-i) * gap)
		}
		free = last.Add(gap)
		c.setFree(bucket.Name, free)
	}
	for i := fit; i < n; i++ {
		times[i] = later(free.Add(time.Duration(i-fit)*gap), now.Add(horizon+time.Second))
	}
	return times, nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (c *courier) knownFree(bucket string) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.free[bucket]
}

func (c *courier) setFree(bucket string, free time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.free) > 10_000 {
		clear(c.free)
	}
	if free.After(c.free[bucket]) {
		c.free[bucket] = free
	}
}

// push tells every replica that the platform asked the whole channel to wait.
func (c *courier) push(ctx context.Context, to bot.ChatID, until time.Time) {
	limits, ok := c.channel.Sender.(Pacing)
	if !ok || c.pacer == nil {
		return
	}
	// The first bucket is the channel's own by contract.
	if buckets := limits.Buckets(to); len(buckets) > 0 {
		c.setFree(buckets[0].Name, until)
		if err := c.pacer.Push(ctx, buckets[0].Name, until); err != nil {
			c.logger.Error("the other replicas could not be told to wait", "channel", c.channel.Name, "error", err)
		}
	}
}

// dispatch marks messages as being sent, as many as may be in doubt at once,
// and lets them go. It returns those that it did not begin.
func (c *courier) dispatch(ctx context.Context, messages []message, flight *flight) ([]message, error) {
	for len(messages) > 0 {
		if wait := messages[0].at.Sub(c.now()); wait > 0 {
			if err := c.sleep(ctx, wait); err != nil {
				return messages, nil
			}
		}
		if ctx.Err() != nil || c.pause.left(c.now()) > 0 {
			return messages, nil
		}
		// A wave: what may go within the next second.
		limit := c.now().Add(time.Second)
		wave := 1
		for wave < len(messages) && !messages[wave].at.After(limit) {
			wave++
		}
		wave, err := flight.take(ctx, messages[:wave])
		if err != nil {
			return messages, nil
		}
		if err := c.begin(ctx, messages[:wave], flight); err != nil {
			return messages, err
		}
		messages = messages[wave:]
	}
	return nil, nil
}

// begin commits a wave, for which there is room, and starts its sends. On an
// error it has started none.
func (c *courier) begin(ctx context.Context, wave []message, flight *flight) error {
	mine, marked, err := c.commit(ctx, wave)
	if err != nil {
		// The commit may have happened all the same; then the lease tells.
		for _, m := range wave {
			flight.give(m)
		}
		return err
	}
	for _, m := range wave {
		jobs := slices.DeleteFunc(slices.Clone(m.jobs), func(j job) bool { return !slices.Contains(mine, j.ID) })
		for i := range jobs {
			jobs[i].Attempt++
		}
		whole := len(jobs) == len(m.jobs)
		switch {
		case len(jobs) == 0:
			flight.give(m)
		case whole:
			m.jobs = jobs
			flight.launch(m, func() []outcome { return c.send(flight.ctx, m, marked) })
		default:
			// One of its digests was cancelled, or is another's by now: the
			// others go out without it, in the next round.
			back := message{jobs: jobs}.each(outcome{state: Planned, due: c.now()})
			flight.launch(m, func() []outcome { return back })
		}
	}
	return nil
}

// commit makes a wave's messages what their readers get and marks their jobs as
// being sent. It tells which jobs still are this process's, and when that was.
func (c *courier) commit(ctx context.Context, wave []message) (mine []int64, marked time.Time, err error) {
	var ids []int64
	for i := range wave {
		if err := c.digests.address(ctx, &wave[i], c.channel); err != nil {
			return nil, marked, err
		}
		ids = append(ids, wave[i].ids()...)
	}
	if err := c.hush(ctx, wave); err != nil {
		return nil, marked, err
	}
	marked = c.now()
	mine, err = commitSending(ctx, c.db, wave[0].jobs[0].claim, ids, marked)
	return mine, marked, err
}

// hush takes the sound from digests that come at a quiet hour. A reader who
// waits for an answer is awake.
func (c *courier) hush(ctx context.Context, wave []message) error {
	if c.silent == nil {
		return nil
	}
	var chats []bot.ChatID
	for _, m := range wave {
		if !m.late() {
			chats = append(chats, m.to())
		}
	}
	if len(chats) == 0 {
		return nil
	}
	silent, err := c.silent(ctx, chats, c.now())
	if err != nil {
		return fmt.Errorf("read quiet hours: %w", err)
	}
	for i, m := range wave {
		wave[i].silent = !m.late() && silent[m.to()]
	}
	return nil
}

// send sends one message and tells what became of it.
func (c *courier) send(ctx context.Context, m message, marked time.Time) []outcome {
	if wait := m.at.Sub(c.now()); wait > 0 {
		if err := c.sleep(ctx, wait); err != nil {
			return m.each(outcome{state: Planned, due: c.now()})
		}
	}
	// A process that stood still may hold a claim that is another's by now. The
	// wall clock tells what the monotonic one sleeps through.
	if c.now().Sub(marked) > lease-sendTimeout-5*time.Second || c.now().Round(0).Sub(marked.Round(0)) > lease-sendTimeout-5*time.Second {
		return m.each(outcome{state: Planned, due: c.now()})
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	receipt, err := c.call(ctx, m)
	return c.judge(ctx, m, receipt, err)
}

// call is Send with a panic turned into an error: whether the message went out
// nobody can tell then.
func (c *courier) call(ctx context.Context, m message) (receipt bot.Receipt, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: panic: %v", bot.ErrUnknown, r)
		}
	}()
	return c.channel.Sender.Send(ctx, bot.Outgoing{
		Key: m.key(), To: m.to(), Reply: m.reply, Silent: m.silent, Answer: m.late(), Delivery: m.jobs[0].ID, Topic: m.topic, Articles: m.articles,
	})
}

// A flight is the messages of a channel that are in doubt: marked as being
// sent, and not settled yet. There are never more than its slots, and never more
// of their deliveries than one commit may hold.
type flight struct {
	c       *courier
	ctx     context.Context // outlives the one of Run by the grace
	cancel  func()
	slots   *semaphore.Weighted
	rows    *semaphore.Weighted
	results chan landed
	pending atomic.Int64 // sends that have no outcome yet
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
		c: c, slots: semaphore.NewWeighted(int64(c.channel.Workers)), rows: semaphore.NewWeighted(batch),
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
	go f.settle()
	return f
}

// take waits for room for the first of a wave and tells for how many there is.
func (f *flight) take(ctx context.Context, wave []message) (int, error) {
	if err := f.slots.Acquire(ctx, 1); err != nil {
		return 0, err
	}
	if err := f.rows.Acquire(ctx, int64(len(wave[0].jobs))); err != nil {
		f.slots.Release(1)
		return 0, err
	}
	for taken := 1; taken < len(wave); taken++ {
		if !f.slots.TryAcquire(1) {
			return taken, nil
		}
		if !f.rows.TryAcquire(int64(len(wave[taken].jobs))) {
			f.slots.Release(1)
			return taken, nil
		}
	}
	return len(wave), nil
}

func (f *flight) give(m message) {
	f.rows.Release(int64(len(m.jobs)))
	f.slots.Release(1)
}

func (f *flight) launch(m message, send func() []outcome) {
	f.pending.Add(1)
	f.sends.Go(func() { f.results <- landed{m, send()} })
}

// finish waits for the messages under way and settles them.
func (f *flight) finish() {
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
	for first := range f.results {
		done, outcomes := []landed{first}, first.outcomes
		f.pending.Add(-1)
		timer := time.NewTimer(linger)
	collect:
		for len(outcomes) < batch && f.pending.Load() > 0 {
			select {
			case l, ok := <-f.results:
				if !ok {
					break collect
				}
				f.pending.Add(-1)
				done, outcomes = append(done, l), append(outcomes, l.outcomes...)
			case <-timer.C:
				break collect
			}
		}
		timer.Stop()
		f.write(outcomes)
		for _, l := range done {
			f.give(l.message)
		}
		if slices.ContainsFunc(outcomes, func(o outcome) bool { return o.state == Planned }) {
			f.c.rouse()
		}
	}
}

// write settles a batch and tries again while the database is away: what is
// not settled when the leases run out is in doubt for ever.
func (f *flight) write(outcomes []outcome) {
	for attempt := 1; ; attempt++ {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(f.ctx), 5*time.Second)
		err := settle(ctx, f.c.db, Sending, outcomes, f.c.now())
		cancel()
		if err == nil {
			return
		}
		if attempt == 1 {
			f.c.logger.Error("outcomes are not written yet", "channel", f.c.channel.Name, "count", len(outcomes), "error", err)
		}
		if attempt == 10 || f.ctx.Err() != nil || f.c.sleep(f.ctx, time.Duration(attempt)*200*time.Millisecond) != nil {
			f.c.logger.Error("outcomes are lost; these deliveries will be listed as unknown", "channel", f.c.channel.Name, "count", len(outcomes), "error", err)
			return
		}
	}
}
