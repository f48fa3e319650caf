package scheduler

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"newsie/internal/database"
)

const (
	sendTimeout = 20 * time.Second
	poll        = 5 * time.Second // how soon a plan is noticed that no signal told of
)

// A Deliverer sends what is planned. Each channel works on its own.
type Deliverer struct {
	db       *database.DB
	couriers map[string]*courier
	resend   []string // channels whose doubtful messages go out again
	keyed    []string // those whose doubtful messages to audiences do
	now      func() time.Time
	giveUp   time.Duration
	logger   *slog.Logger
}

func newDeliverer(c Config, ledger *Ledger, digests *Digests) *Deliverer {
	d := &Deliverer{db: c.DB, couriers: map[string]*courier{}, now: c.Now, giveUp: c.GiveUp, logger: c.Logger}
	for _, ch := range c.Channels {
		d.couriers[ch.Name] = newCourier(c, ch, digests)
		if ch.InDoubt == Resend {
			d.resend = append(d.resend, ch.Name)
		}
		if ch.Keyed {
			d.keyed = append(d.keyed, ch.Name)
		}
	}
	return d
}

// Wake makes the Deliverer look for work now.
func (d *Deliverer) Wake() {
	for _, c := range d.couriers {
		c.rouse()
	}
}

func (c *courier) rouse() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Run delivers until ctx ends; then messages under way are finished and
// settled, and the rest is given back.
func (d *Deliverer) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, c := range d.couriers {
		group.Go(func() error { return c.run(ctx) })
	}
	return group.Wait()
}

// Deliver sends everything that is due now, settles it and returns how many
// messages it took on: what Run does until nothing is left, for tests and commands.
func (d *Deliverer) Deliver(ctx context.Context) (int, error) {
	total := 0
	var errs []error
	for _, c := range d.couriers {
		n, err := c.deliver(ctx)
		total += n
		errs = append(errs, err)
	}
	return total, errors.Join(errs...)
}

func (c *courier) deliver(ctx context.Context) (total int, err error) {
	for {
		flight := c.start(ctx)
		before := total
		for {
			n, err := c.round(ctx, flight)
			if total += n; err != nil {
				flight.finish()
				return total, err
			}
			if n == 0 {
				break
			}
		}
		// What was settled as planned again may be due already.
		if flight.finish(); total == before {
			return total, nil
		}
	}
}

// Recovered counts what Recover did.
type Recovered struct {
	Planned int64 // had been claimed by a process that ended
	Resent  int64 // in doubt, planned again by the channel's policy
	Unknown int64 // in doubt
	GivenUp int64 // could not be sent in time
}

// Recover takes back the deliveries of processes that ended in the middle, when
// their leases have run out.
func (d *Deliverer) Recover(ctx context.Context) (Recovered, error) {
	clock, err := d.db.Now(ctx)
	if err != nil {
		return Recovered{}, err
	}
	return d.takeBack(ctx, clock)
}

// Abandon takes back all deliveries, whether or not their leases have run out.
// Only a process that knows itself alone may call it, before it delivers: those who
// held the leases are dead, and readers need not wait.
func (d *Deliverer) Abandon(ctx context.Context) (Recovered, error) {
	return d.takeBack(ctx, math.MaxInt64)
}

// takeBack is Recover at a time of the database's clock.
func (d *Deliverer) takeBack(ctx context.Context, clock int64) (Recovered, error) {
	r, err := recoverLeases(ctx, d.db, d.resend, d.keyed, d.giveUp, clock, d.now())
	if r.Unknown > 0 || r.GivenUp > 0 {
		d.logger.Warn("deliveries need a look", "unknown", r.Unknown, "given up", r.GivenUp)
	}
	if r.Planned > 0 || r.Resent > 0 {
		d.Wake()
	}
	return r, err
}

// run works for one channel until ctx ends.
func (c *courier) run(ctx context.Context) error {
	flight := c.start(ctx)
	defer flight.finish()
	failing := 0
	for ctx.Err() == nil {
		n, err := c.round(ctx, flight)
		if err != nil && ctx.Err() == nil {
			failing++
			if failing == 1 { // once, not at every try
				c.logger.Error("deliveries stand still", "channel", c.channel.Name, "error", err)
			}
			most := time.Minute
			if database.Away(err) { // which costs nothing to ask, and readers wait
				most = 5 * time.Second
			}
			_ = c.sleep(ctx, min(time.Duration(failing)*time.Second, most))
			continue
		}
		failing = 0
		if n > 0 {
			continue
		}
		c.rest(ctx)
	}
	return nil
}

// rest waits until the next delivery is due or somebody wakes the channel.
func (c *courier) rest(ctx context.Context) {
	wait := poll
	if due, ok, err := nextDue(ctx, c.db, c.channel.Name); err == nil && ok {
		wait = min(wait, max(due.Sub(c.now()), 50*time.Millisecond))
	}
	switch left := c.halt.left(c.now()); {
	case left > 0: // no longer than others need to hear that it is over
		wait = min(left, poll)
	case c.halt.underWay():
		wait = poll
	}
	wait = max(wait, c.pause.left(c.now()))
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-c.wake:
	}
}

// round claims a batch and brings it on its way. It returns how many it claimed.
func (c *courier) round(ctx context.Context, flight *flight) (int, error) {
	if c.pause.left(c.now()) > 0 {
		return 0, nil
	}
	if err := c.rescue(ctx); err != nil {
		return 0, err
	}
	due, ok, err := nextDue(ctx, c.db, c.channel.Name)
	if err != nil || !ok || due.After(c.now()) {
		return 0, err
	}
	most, err := c.mayClaim(ctx)
	if err != nil || most == 0 {
		return 0, err
	}
	var jobs []job
	var left []message
	for {
		jobs, err = claim(ctx, c.db, c.channel.Name, c.now(), most, c.channel.Grouped)
		if err != nil || len(jobs) == 0 {
			return 0, err
		}
		// A probe that turns out to say nothing leaves its place to the next.
		if left, err = c.prepare(ctx, jobs); err != nil || len(left) > 0 || most > 1 {
			break
		}
	}
	if err == nil {
		left, err = c.dispatch(ctx, left, flight)
	}
	if len(left) > 0 {
		// Not begun: given back at once, for this or another replica.
		c.giveBack(ctx, left)
	}
	return len(jobs), err
}

func (c *courier) giveBack(ctx context.Context, messages []message) {
	var outcomes []outcome
	for _, m := range messages {
		for _, j := range m.jobs {
			outcomes = append(outcomes, outcome{job: j, state: Planned, due: time.UnixMilli(j.DueAt)})
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := c.replan(ctx, outcomes); err != nil {
		// The lease brings them back a minute later, if we do not.
		c.logger.Error("deliveries could not be given back", "channel", c.channel.Name, "error", err)
		c.stranded.add(outcomes)
	}
}

// replan plans jobs again that were not begun, and that still are this process's.
func (c *courier) replan(ctx context.Context, outcomes []outcome) error {
	// A commit that seemed to fail may have marked some as being sent.
	for _, from := range []State{Claimed, Sending} {
		for batch := range slices.Chunk(outcomes, claimBatch) {
			if _, err := c.settle(ctx, from, batch); err != nil {
				return err
			}
		}
	}
	return nil
}

// rescue gives back what could not be given back before: the database was away.
func (c *courier) rescue(ctx context.Context) error {
	outcomes := c.stranded.take()
	if err := c.replan(ctx, outcomes); err != nil {
		c.stranded.add(outcomes)
		return err
	}
	return nil
}
