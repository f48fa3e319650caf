package origin

import (
	"context"
	"fmt"
	"strings"

	"github.com/uptrace/bun"
)

// counted are the columns of origin_totals that figures are made of: how many; and
// of follows, questions, opens and digests, who did so for the first time, and who
// did so on the day.
var (
	counted = []string{"scans", "came", "stayed7", "stayed30", "lost", "follows", "questions", "opens", "digests"}
	firsts  = []string{"followers_new", "askers_new", "openers_new", "receivers_new"}
	daily   = []string{"followers", "askers", "openers", "receivers"}
)

// where is the part of the totals that a report is of.
func (p period) where(tree Tree) (clause string, args []any) {
	clause, args = " WHERE touch = ? AND day BETWEEN ? AND ?", []any{int64(p.Touch), dayNumber(p.from), dayNumber(p.to)}
	if p.Below != 0 {
		var ids []int64
		for _, o := range tree.Below(p.Below) {
			ids = append(ids, o.ID)
		}
		clause, args = clause+" AND origin IN (?)", append(args, bun.List(ids))
	}
	return clause, args
}

// summed are the columns as an aggregate has them, the daily ones by their own.
func summed(ofDaily string) string {
	var b strings.Builder
	for _, column := range append(append([]string{}, counted...), firsts...) {
		fmt.Fprintf(&b, ", CAST(SUM(%s) AS BIGINT)", column)
	}
	for _, column := range daily {
		fmt.Fprintf(&b, ", CAST(%s(%s) AS BIGINT)", ofDaily, column)
	}
	return b.String()
}

// read runs a query whose rows have keys and then what summed says.
func (r *Reports) read(ctx context.Context, query string, args []any, keys []any, each func(t tally)) error {
	rows, err := r.db.Reader().QueryContext(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("read the totals: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var t tally
	to := append([]any{}, keys...)
	for k := range kinds {
		to = append(to, &t.n[k])
	}
	for k := firstAction; k < kinds; k++ {
		to = append(to, &t.fresh[k])
	}
	for k := firstAction; k < kinds; k++ {
		to = append(to, &t.peak[k])
	}
	for rows.Next() {
		if err := rows.Scan(to...); err != nil {
			return fmt.Errorf("read the totals: %w", err)
		}
		copy(t.fresh[:firstAction], t.n[:firstAction]) // each is one reader
		each(t)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read the totals: %w", err)
	}
	return nil
}

// days are the tallies of the days that have any.
func (r *Reports) days(ctx context.Context, p period, tree Tree) (map[int64]tally, error) {
	where, args := p.where(tree)
	days, day := map[int64]tally{}, int64(0)
	err := r.read(ctx, "SELECT day"+summed("SUM")+" FROM origin_totals"+where+" GROUP BY day", args, []any{&day}, func(t tally) { days[day] = t })
	return days, err
}

// channels are the tallies of the channels that have any, and that of all by "".
func (r *Reports) channels(ctx context.Context, p period, tree Tree) (map[string]tally, error) {
	where, args := p.where(tree)
	channels, all := map[string]tally{}, map[int64]tally{}
	var day int64
	var channel string
	err := r.read(ctx, "SELECT day, channel"+summed("SUM")+" FROM origin_totals"+where+" GROUP BY day, channel", args, []any{&day, &channel}, func(t tally) {
		sum := channels[channel]
		sum.then(t)
		channels[channel] = sum
		onDay := all[day]
		onDay.beside(t)
		all[day] = onDay
	})
	var total tally
	for _, t := range all {
		total.then(t)
	}
	channels[""] = total
	return channels, err
}

// beside adds what is of the same day.
func (t *tally) beside(other tally) {
	for k := range kinds {
		t.n[k] += other.n[k]
		t.fresh[k] += other.fresh[k]
		t.peak[k] += other.peak[k]
	}
}
