package scheduler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/uptrace/bun"

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
	readers readers

	settings *bot.Settings
	wake     chan struct{}
	pause    pause
	halt     halt
	stranded stranded
}

func newCourier(c Config, ch Channel, digests *Digests) *courier {
	return &courier{
		db: c.DB, channel: ch, digests: digests, pacer: c.Pacer, silent: c.Silent, notify: c.Notify, logger: c.Logger, now: c.Now, sleep: c.Sleep,
		giveUp: c.GiveUp, grace: c.Grace, readers: c.readers(), settings: bot.NewSettings(c.DB, c.Now), wake: make(chan struct{}, 1),
	}
}

// A pause keeps a channel quiet for a while, in this process: its platform said
// to wait, or the database is away.
type pause struct {
	mu    sync.Mutex
	until time.Time
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

// stranded are jobs that this process has claimed and could not give back.
type stranded struct {
	mu       sync.Mutex
	outcomes []outcome
}

func (s *stranded) add(outcomes []outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.outcomes) < 10*claimBatch { // the rest waits for its leases
		s.outcomes = append(s.outcomes, outcomes...)
	}
}

func (s *stranded) take() []outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	outcomes := s.outcomes
	s.outcomes = nil
	return outcomes
}

// paused: nothing is to be sent now.
func (c *courier) paused() bool {
	now := c.now()
	return c.pause.left(now) > 0 || c.halt.left(now) > 0
}

// prepare says what each job says and ends those with nothing to say. It returns
// what is ready, in the order of sending; on an error, everything that still is
// claimed.
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
	if _, err := c.settle(ctx, Claimed, ended); err != nil {
		return all, err
	}
	return c.bundle(ready), nil
}

// dispatch brings messages on their way, as many as may be at once. It returns
// those that it did not begin.
func (c *courier) dispatch(ctx context.Context, messages []message, flight *flight) ([]message, error) {
	until := c.now().Add(lease / 2) // with less left of a claim it is better given back
	full := queues{}
	for len(messages) > 0 {
		if ctx.Err() != nil || c.paused() || c.now().After(until) {
			return messages, nil
		}
		n := flight.wave(messages)
		wave, off, err := c.turns(ctx, messages[:n], full)
		if err == nil {
			err = c.putOff(ctx, off)
		}
		if err == nil {
			err = c.compose(ctx, wave)
		}
		if err != nil {
			return messages, err
		}
		if flight.gate != nil {
			flight.gate.put(wave)
		} else {
			if flight.take(ctx, wave) != nil {
				return messages, nil
			}
			if c.paused() { // meanwhile
				for _, m := range wave {
					flight.give(m)
				}
				return messages, nil
			}
			if err := c.begin(ctx, wave, flight); err != nil {
				return messages, err
			}
		}
		messages = messages[n:]
	}
	return nil, nil
}

// begin commits a wave, for which there is room, and starts its sends. On an
// error it has started none.
func (c *courier) begin(ctx context.Context, wave []message, flight *flight) error {
	if len(wave) == 0 {
		return nil
	}
	var mine map[int64]bool
	marked := c.now()
	clock, err := c.db.Now(ctx)
	if err == nil {
		err = c.db.Tx(ctx, func(ctx context.Context, tx bun.Tx) (err error) {
			mine, err = c.mark(ctx, tx, wave, clock, marked)
			return err
		})
	}
	if err != nil {
		// The commit may have happened all the same; then the lease tells.
		for _, m := range wave {
			flight.give(m)
		}
		return err
	}
	flight.pending.Add(int64(len(wave)))
	for _, m := range flight.own(wave, mine, marked) {
		flight.send(m)
	}
	return nil
}

// compose makes messages what their readers get.
func (c *courier) compose(ctx context.Context, wave []message) error {
	for i := range wave {
		if err := c.digests.pin(ctx, &wave[i], c.channel); err != nil {
			return err
		}
		c.digests.address(&wave[i], c.channel)
		wave[i].reply = c.digests.counted(wave[i].to(), wave[i].reply)
	}
	return c.hush(ctx, wave)
}

// mark marks the jobs of messages, which are of one claim, as being sent, and in
// the same commit keeps the lists that numbers in them mean. It tells which jobs
// still are this process's.
func (c *courier) mark(ctx context.Context, tx bun.IDB, wave []message, clock int64, now time.Time) (mine map[int64]bool, err error) {
	var ids []int64
	for _, m := range wave {
		ids = append(ids, m.ids()...)
	}
	if mine, err = markSending(ctx, tx, wave[0].claim(), ids, clock, now); err != nil {
		return nil, err
	}
	return mine, c.digests.keepLists(ctx, tx, wave, mine)
}

// hush takes the sound from digests that come at a quiet hour. A reader who
// waits for an answer is awake.
func (c *courier) hush(ctx context.Context, wave []message) error {
	if c.silent == nil {
		return nil
	}
	var chats []bot.ChatID
	for _, m := range wave {
		if !m.owed() {
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
		wave[i].silent = !m.owed() && silent[m.to()]
	}
	return nil
}

// send sends one message and tells what became of it.
func (c *courier) send(ctx context.Context, m message) []outcome {
	// A process that stood still may hold a claim that is another's by now. The
	// wall clock tells what the monotonic one sleeps through.
	if c.now().Sub(m.marked) > lease-sendTimeout-5*time.Second || c.now().Round(0).Sub(m.marked.Round(0)) > lease-sendTimeout-5*time.Second {
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
		Key: m.key(), To: m.to(), Reply: m.reply, Silent: m.silent, Answer: m.owed(), Delivery: m.jobs[0].ID, Topic: m.topic, Articles: m.articles,
	})
}
