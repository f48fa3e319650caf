package scheduler

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"newsie/bot"
)

// longestBackoff is the longest that one message waits for its next try,
// unless the platform asks for more.
const longestBackoff = 15 * time.Minute

// givenUp begins the note of what could not be sent in time.
const givenUp = "given up"

// judge tells what becomes of a message's jobs after Send.
func (c *courier) judge(ctx context.Context, m message, receipt bot.Receipt, err error) []outcome {
	o := outcome{}
	var retry *bot.RetryError
	var moved *bot.MovedError
	var fault *bot.ConfigError
	if err != nil {
		o.problem = err.Error()
	}
	switch {
	case err == nil:
		o.state, o.way, o.provider = Sent, receipt.Way, receipt.ProviderID
		if receipt.Pending {
			o.state = Accepted
		}
		c.works(ctx)
	case m.to().Audience() && (errors.Is(err, bot.ErrGone) || errors.Is(err, bot.ErrNotNow)):
		o.state = Failed // an audience neither goes away nor writes to us
		c.refused(ctx, m, err)
	case errors.Is(err, bot.ErrGone):
		o.state = Gone
		c.works(ctx)
	case errors.Is(err, bot.ErrNotNow):
		o.state = Held
		c.works(ctx)
	case errors.As(err, &moved):
		o.state, o.due, o.moved = Planned, c.now(), &moved.To
		if m.attempt() > 2 { // two chats that name each other
			o.due = o.due.Add(backoff(m.attempt()))
		}
		if m.to().Audience() {
			c.notify(context.WithoutCancel(ctx), "post-moved-"+m.to().String(),
				fmt.Sprintf("The channel %s posts to %s, which is now %s: write that into its posts.", c.channel.Name, placeOf(m.to()), placeOf(moved.To)))
		}
	case errors.As(err, &retry):
		o = c.again(ctx, m, o, retry)
	case errors.As(err, &fault):
		o.state, o.due = Planned, c.now().Add(c.refusedAll(ctx, m.attempt(), fault))
	case doubtful(err) || ctx.Err() != nil: // some adapters' errors do not tell that time ran out
		if !errors.Is(ctx.Err(), context.Canceled) { // this process ends: nothing that the platform did
			c.unanswered(ctx, err)
		}
		return c.doubt(m, o)
	default:
		o.state = Failed
	}
	outcomes := m.each(o)
	for i := range outcomes {
		outcomes[i] = c.orGiveUp(outcomes[i])
	}
	return outcomes
}

// doubt leaves the jobs to the publisher, or sends them again: by the channel's
// policy, or because the platform takes the key of an audience's message once.
func (c *courier) doubt(m message, o outcome) []outcome {
	o.state = Unknown
	outcomes := m.each(o)
	if c.channel.InDoubt != Resend && !c.keyed(m.to()) {
		return outcomes
	}
	due := c.now().Add(wiggle(backoff(m.attempt())))
	for i, o := range outcomes {
		if !c.expired(o.job, due) {
			outcomes[i].state, outcomes[i].due = Planned, due
		}
	}
	return outcomes
}

// refused tells the publisher that an audience does not take its messages: no
// reader sees that, and the next ones will fare the same.
func (c *courier) refused(ctx context.Context, m message, err error) {
	c.notify(context.WithoutCancel(ctx), "post-refused-"+m.to().String(), fmt.Sprintf("The channel %s could not post to %s: %v", c.channel.Name, placeOf(m.to()), err))
}

// placeOf is an audience as the publisher knows it.
func placeOf(audience bot.ChatID) string {
	return cmp.Or(strings.TrimPrefix(audience.ID, bot.Everybody), "everybody")
}

// doubtful: the message may have gone out.
func doubtful(err error) bool {
	return errors.Is(err, bot.ErrUnknown) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// again plans the message later, as the platform asked.
func (c *courier) again(ctx context.Context, m message, o outcome, retry *bot.RetryError) outcome {
	wait := max(retry.After, 0)
	until := c.now().Add(max(retry.After, time.Second))
	if retry.All {
		c.pause.extend(until)
	}
	if retry.All || wait > 0 {
		c.push(context.WithoutCancel(ctx), m.to(), retry.All, until)
	}
	if m.to().Audience() && wait > 0 {
		// One message, asked to wait until a certain time: nobody to be spread
		// from, and its reason is what the publisher reads.
		o.state, o.due = Planned, c.now().Add(wait)
		if retry.Err != nil {
			o.problem = retry.Err.Error()
		}
		if next, ok := c.takesNext(ctx, m.jobs[0], retry.Takes); ok {
			o.state = Failed
			o.problem = fmt.Sprintf("%s: its articles come with the next one, at %s, whose place it would take: %s", givenUp, next, o.problem)
		}
		return o
	}
	if m.attempt() > 1 || wait == 0 {
		wait = max(wait, backoff(m.attempt()))
	}
	o.state, o.due = Planned, c.now().Add(wiggle(wait))
	return o
}

// takesNext tells when the next of an audience's schedule comes, if it needs the
// allowance that this message would take. Were it to wait for that one, every
// later one would have to wait as well. What is given up here the planner takes
// into the next; so there must not be a next one planned already, or about to be.
func (c *courier) takesNext(ctx context.Context, j job, takes time.Time) (at string, ok bool) {
	if takes.IsZero() || j.Follow == 0 {
		return "", false
	}
	var rows []struct {
		NextDueAt int64
		Zone      string
	}
	err := c.db.Reader().NewRaw(`SELECT f.next_due_at, f.zone FROM follows f
		WHERE f.id = ? AND f.state = 'active' AND f.next_due_at > ? AND f.next_due_at < ?
			AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.follow = f.id AND d.channel = ? AND d.chat = ? AND d.id > ?)`,
		j.Follow, c.now().Add(time.Minute).UnixMilli(), takes.UnixMilli(), j.to().Channel, j.to().ID, j.ID).Scan(ctx, &rows)
	if err != nil {
		c.logger.Warn("read when an audience's next digest comes", "delivery", j.ID, "error", err)
		return "", false
	}
	if len(rows) == 0 {
		return "", false
	}
	zone, err := time.LoadLocation(rows[0].Zone)
	if err != nil {
		zone = time.UTC
	}
	return fmt.Sprintf("%s (%s)", time.UnixMilli(rows[0].NextDueAt).In(zone).Format("2006-01-02 15:04"), zone), true
}

// orGiveUp ends what would come too late.
func (c *courier) orGiveUp(o outcome) outcome {
	if o.state == Planned && c.expired(o.job, o.due) {
		o.state = Failed
		o.problem = fmt.Sprintf("%s after %d tries: %s", givenUp, o.job.Attempt, o.problem)
	}
	return o
}

// expired: due then, a job would be tried for longer than anything may be.
func (c *courier) expired(j job, due time.Time) bool { return due.Sub(j.edition.Created) > c.giveUp }

// wiggle adds up to a fifth and a second: many that were told the same shall not
// come back at the same moment.
func wiggle(wait time.Duration) time.Duration {
	return wait + rand.N(min(wait/5, longestBackoff)+time.Second)
}

// backoff doubles from five seconds on.
func backoff(attempt int) time.Duration {
	return min(5*time.Second<<min(max(attempt-1, 0), 10), longestBackoff)
}
