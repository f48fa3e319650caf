package wechat

import (
	"context"
	"errors"
	"fmt"
	"time"

	"newsie/bot"
)

// What the platform allows of mass sends: a subscription account one a day, the
// readers of a service account four a month. Ours are counted in rows of the
// table quotas named "wechat/CHANNEL/day:mass", whose period is the Beijing day,
// and "…/month:mass", whose period is the month.
const (
	massADay   = 1
	massAMonth = 4
)

type allowance struct {
	name   string
	period string
	limit  int64
}

func (c *Channel) massAllowance(ctx context.Context) allowance {
	now := c.cfg.Now().In(beijing)
	if c.abilities(ctx).Monthly {
		return allowance{"wechat/" + c.cfg.Name + "/month:mass", now.Format("2006-01"), massAMonth}
	}
	return allowance{"wechat/" + c.cfg.Name + "/day:mass", now.Format(time.DateOnly), massADay}
}

// allow takes one mass send of what is left. It is noted before it is taken,
// because the other way round a crash in between would cost the day's only one.
func (c *Channel) allow(ctx context.Context, k *campaign) error {
	a := c.massAllowance(ctx)
	if k.Spent == a.period {
		return nil
	}
	k.Spent = a.period
	if err := c.keep(ctx, k); err != nil {
		return err
	}
	result, err := c.cfg.DB.ExecContext(ctx, `INSERT INTO quotas (name, period, used) VALUES (?, ?, 1)
		ON CONFLICT (name, period) DO UPDATE SET used = quotas.used + 1 WHERE quotas.used < ?`, a.name, a.period, a.limit)
	if err != nil {
		return storeError(fmt.Errorf("count a mass send: %w", err))
	}
	if n, err := result.RowsAffected(); err != nil || n > 0 {
		return err
	}
	k.Spent = ""
	if err := c.keep(ctx, k); err != nil {
		return err
	}
	if a.limit == massAMonth {
		return c.until(c.nextMonth(), fmt.Errorf("all %d mass sends of this month are used up", a.limit))
	}
	return c.until(c.nextMorning(), errors.New("the mass send of this day is used up"))
}

// until asks to wait for an allowance to be renewed. The day on which it is may
// be that of another mass send.
func (c *Channel) until(after time.Duration, err error) *bot.RetryError {
	y, m, d := c.cfg.Now().Add(after).In(beijing).Date()
	return &bot.RetryError{After: after, Err: err, Takes: time.Date(y, m, d+1, 0, 0, 0, 0, beijing)}
}

// disallow gives back what surely did not go out.
func (c *Channel) disallow(ctx context.Context, k *campaign) {
	a := c.massAllowance(ctx)
	if k.Spent != a.period {
		return
	}
	k.Spent = ""
	if _, err := c.cfg.DB.ExecContext(ctx, "UPDATE quotas SET used = used - 1 WHERE name = ? AND period = ? AND used > 0", a.name, a.period); err != nil {
		c.log.Error("give a mass send back", "error", err)
	}
}

// usedUp notes that the platform counts more than we do: others send too.
func (c *Channel) usedUp(ctx context.Context, k *campaign) error {
	a := c.massAllowance(ctx)
	k.Spent = ""
	_, err := c.cfg.DB.ExecContext(ctx, `INSERT INTO quotas (name, period, used) VALUES (?, ?, ?)
		ON CONFLICT (name, period) DO UPDATE SET used = excluded.used WHERE quotas.used < excluded.used`, a.name, a.period, a.limit)
	return err
}

func (c *Channel) nextMonth() time.Duration {
	now := c.cfg.Now()
	y, m, _ := now.In(beijing).Date()
	return time.Date(y, m+1, 1, massMorning, 0, 0, 0, beijing).Sub(now)
}

// storeError asks to try again when the database answers.
func storeError(err error) error {
	return &bot.RetryError{After: retryStore, Err: fmt.Errorf("%w: %w", errStore, err)}
}

var errStore = errors.New("the database does not answer")
