package wechat

import (
	"context"
	"fmt"
	"time"

	"newsie/internal/database"
)

// What the platform counts by the Beijing day; a way of sending has the same name.
const (
	quotaCustomer = "customer"
	quotaNotice   = "notice"
	quotaOnce     = "once"
	quotaTemplate = "template"
	quotaMass     = "mass"
)

// dayLimits are how many a day the platform takes; it tells no figure for the others.
var dayLimits = map[string]int64{quotaCustomer: 500_000, quotaTemplate: 100_000}

// A Quota is how much of an allowance is used up.
type Quota struct {
	Name   string // customer, notice, once, template, mass
	Used   int64
	Limit  int64  // 0: the platform tells none
	Period string // the Beijing day, "2026-11-22", or its month, "2026-11"
}

// Quotas tells what the account has sent today, by all replicas, in each way
// that it has; the mass sends of a service account are counted by the month.
func (c *Channel) Quotas(ctx context.Context) ([]Quota, error) {
	able := c.abilities(ctx)
	today := c.quotas.today()
	var list []Quota
	for _, way := range []struct {
		name string
		has  bool
	}{
		{quotaCustomer, able.Customer}, {quotaNotice, able.Notice && c.cfg.Notice.Template != ""},
		{quotaOnce, able.Once && c.cfg.Once.Template != ""}, {quotaTemplate, able.Template && c.cfg.Template.Template != ""},
		{quotaMass, able.Mass},
	} {
		if !way.has {
			continue
		}
		q := Quota{Name: way.name, Limit: dayLimits[way.name], Period: today}
		row := c.quotas.name(way.name)
		if way.name == quotaMass {
			q.Limit = massADay
			if able.Monthly {
				q.Limit, q.Period, row = massAMonth, today[:len("2006-01")], c.quotas.monthName(way.name)
			}
		}
		var used []int64
		if err := c.cfg.DB.Reader().NewRaw("SELECT used FROM quotas WHERE name = ? AND period = ?", row, q.Period).Scan(ctx, &used); err != nil {
			return nil, fmt.Errorf("read the quota of %s: %w", way.name, err)
		}
		if len(used) > 0 {
			q.Used = used[0]
		}
		list = append(list, q)
	}
	return list, nil
}

// quotas counts what the platform counts, for all replicas, in rows of the
// table quotas named "wechat/CHANNEL/day:WHAT" whose period is the Beijing day.
type quotas struct {
	db      *database.DB
	channel string
	now     func() time.Time
}

func (q *quotas) name(what string) string { return "wechat/" + q.channel + "/day:" + what }

func (q *quotas) monthName(what string) string { return "wechat/" + q.channel + "/month:" + what }

func (q *quotas) today() string { return q.now().In(beijing).Format(time.DateOnly) }

// spend counts one of what, unless limit are used up today; 0 is no limit. It
// reports whether it did.
func (q *quotas) spend(ctx context.Context, what string, limit int64) (bool, error) {
	result, err := q.db.ExecContext(ctx, `INSERT INTO quotas (name, period, used) VALUES (?, ?, 1)
		ON CONFLICT (name, period) DO UPDATE SET used = quotas.used + 1 WHERE ? = 0 OR quotas.used < ?`,
		q.name(what), q.today(), limit, limit)
	if err != nil {
		return false, fmt.Errorf("count against the quota of %s: %w", what, err)
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

// refund undoes a spend of what surely did not go out.
func (q *quotas) refund(ctx context.Context, what string) error {
	_, err := q.db.ExecContext(ctx, "UPDATE quotas SET used = used - 1 WHERE name = ? AND period = ? AND used > 0", q.name(what), q.today())
	if err != nil {
		return fmt.Errorf("give back to the quota of %s: %w", what, err)
	}
	return nil
}

// exhaust notes that the platform takes no more today.
func (q *quotas) exhaust(ctx context.Context, what string, limit int64) error {
	_, err := q.db.ExecContext(ctx, `INSERT INTO quotas (name, period, used) VALUES (?, ?, ?)
		ON CONFLICT (name, period) DO UPDATE SET used = excluded.used WHERE quotas.used < excluded.used`,
		q.name(what), q.today(), limit)
	if err != nil {
		return fmt.Errorf("close the quota of %s: %w", what, err)
	}
	return nil
}

// keepQuotas is how many days the counts are kept for the publisher.
const keepQuotas = 40

// prune forgets the counts of long ago.
func (q *quotas) prune(ctx context.Context) error {
	before := q.now().In(beijing).AddDate(0, 0, -keepQuotas).Format(time.DateOnly)
	names := []string{q.monthName(quotaMass)}
	for _, what := range []string{quotaCustomer, quotaNotice, quotaOnce, quotaTemplate, quotaMass} {
		names = append(names, q.name(what))
	}
	for _, name := range names {
		// A month, "2026-11", comes before each of its days.
		if _, err := q.db.ExecContext(ctx, "DELETE FROM quotas WHERE name = ? AND period < ?", name, before); err != nil {
			return fmt.Errorf("forget old counts: %w", err)
		}
	}
	return nil
}
