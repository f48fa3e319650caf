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

	"newsie/bot"
	"newsie/internal/database"
)

// A courier delivers for one channel.
type courier struct {
	db      *database.DB
	channel Channel
	digests *Digests
	pacer   *bot.Pacer
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
		db: c.DB, channel: ch, digests: digests, pacer: c.Pacer, notify: c.Notify, logger: c.Logger, now: c.Now, sleep: c.Sleep,
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
		all[i] = message{job: j}
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
			ready = append(ready, message{job: j, reply: reply})
		}
	}
	ready, off, err := c.pace(ctx, ready)
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
		for _, bucket := range limits.Buckets(m.job.to()) {
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
			off = append(off, outcome{job: m.job, state: Planned, due: late[i], problem: "waits for the platform's rate"})
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
		wave, err := flight.take(ctx, wave)
		if err != nil {
			return messages, nil
		}
		begun, err := c.begin(ctx, messages[:wave], flight)
		flight.give(wave - begun)
		if err != nil {
			return messages, err
		}
		messages = messages[wave:]
	}
	return nil, nil
}

// begin commits a wave and starts its sends. It returns how many it started.
func (c *courier) begin(ctx context.Context, wave []message, flight *flight) (int, error) {
	ids := make([]int64, len(wave))
	for i, m := range wave {
		ids[i] = m.job.ID
		reply, err := c.digests.personal(ctx, m.reply, m.job, c.channel.Shown)
		if err != nil {
			return 0, err
		}
		wave[i].reply = reply
		for _, group := range m.reply.Groups {
			wave[i].articles = append(wave[i].articles, articleIDs(group.Cards)...)
		}
	}
	marked := c.now()
	mine, err := commitSending(ctx, c.db, wave[0].job.claim, ids, marked)
	if err != nil {
		// The commit may have happened all the same; then the lease tells.
		return 0, err
	}
	begun := 0
	for _, m := range wave {
		if !slices.Contains(mine, m.job.ID) {
			continue
		}
		m.job.Attempt++
		begun++
		flight.launch(m, marked)
	}
	return begun, nil
}

// send sends one message and tells what became of it.
func (c *courier) send(ctx context.Context, m message, marked time.Time) (o outcome) {
	o = outcome{job: m.job}
	if wait := m.at.Sub(c.now()); wait > 0 {
		if err := c.sleep(ctx, wait); err != nil {
			o.state, o.due = Planned, c.now()
			return o
		}
	}
	// A process that stood still may hold a claim that is another's by now. The
	// wall clock tells what the monotonic one sleeps through.
	if c.now().Sub(marked) > lease-sendTimeout-5*time.Second || c.now().Round(0).Sub(marked.Round(0)) > lease-sendTimeout-5*time.Second {
		o.state, o.due = Planned, c.now()
		return o
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	receipt, err := c.call(ctx, m)
	return c.judge(ctx, o, receipt, err)
}

// call is Send with a panic turned into an error: whether the message went out
// nobody can tell then.
func (c *courier) call(ctx context.Context, m message) (receipt bot.Receipt, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: panic: %v", bot.ErrUnknown, r)
		}
	}()
	e := m.job.edition
	o := bot.Outgoing{Key: m.job.key(), To: m.job.to(), Reply: m.reply, Answer: e.Kind == KindLate, Delivery: m.job.ID}
	if !o.Answer {
		o.Topic, o.Articles = c.digests.topic(c.digests.catalog.Printer(e.Lang), e.Topic), m.articles
	}
	return c.channel.Sender.Send(ctx, o)
}

// A flight is the messages of a channel that are in doubt: marked as being
// sent, and not settled yet. There are never more than its slots.
type flight struct {
	c       *courier
	ctx     context.Context // outlives the one of Run by the grace
	cancel  func()
	slots   chan struct{}
	results chan outcome
	pending atomic.Int64 // sends that have no outcome yet
	sends   sync.WaitGroup
	settled chan struct{}
}

// start makes a flight. When ctx ends, what is under way has the grace to finish.
func (c *courier) start(ctx context.Context) *flight {
	f := &flight{c: c, slots: make(chan struct{}, c.channel.Workers), results: make(chan outcome, batch), settled: make(chan struct{})}
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

// take waits for a free slot and takes up to n.
func (f *flight) take(ctx context.Context, n int) (int, error) {
	select {
	case f.slots <- struct{}{}:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	for taken := 1; taken < n; taken++ {
		select {
		case f.slots <- struct{}{}:
		default:
			return taken, nil
		}
	}
	return n, nil
}

func (f *flight) give(n int) {
	for range n {
		<-f.slots
	}
}

func (f *flight) launch(m message, marked time.Time) {
	f.pending.Add(1)
	f.sends.Go(func() { f.results <- f.c.send(f.ctx, m, marked) })
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
		outcomes := []outcome{first}
		f.pending.Add(-1)
		timer := time.NewTimer(linger)
	collect:
		for len(outcomes) < batch && f.pending.Load() > 0 {
			select {
			case o, ok := <-f.results:
				if !ok {
					break collect
				}
				f.pending.Add(-1)
				outcomes = append(outcomes, o)
			case <-timer.C:
				break collect
			}
		}
		timer.Stop()
		f.write(outcomes)
		f.give(len(outcomes))
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
