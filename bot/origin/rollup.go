package origin

import (
	"context"
	"strings"
	"time"

	"github.com/uptrace/bun"
)

// A rollup adds the tallies of origins up along the tree. The first of them is all
// together, then come the origins in order, then None, Unknown and Invitations.
type rollup struct {
	tree    Tree
	below   int64 // the only origin at the top; 0: all
	tallies []tally
	above   []int // the one that each is part of; -1: none
	rows    []Row // of all but the first
	place   map[int64]int
}

func newRollup(tree Tree, below int64) *rollup {
	u := &rollup{tree: tree, below: below, above: []int{-1}, place: map[int64]int{}}
	put := func(row Row, above int) {
		u.place[row.Origin] = len(u.above)
		u.above, u.rows = append(u.above, above), append(u.rows, row)
	}
	var names []string
	top := 0
	for depth, o := range tree.All() {
		names = append(names[:depth], o.Name)
		above, in := u.place[o.Parent]
		switch {
		case below == 0:
		case o.ID == below:
			top, above, in = depth, 0, true
		case !in:
			continue
		}
		if !in {
			above = 0
		}
		put(Row{Label: o.Name, Origin: o.ID, Path: strings.Join(names, "/"), Code: o.Code, Depth: depth - top}, above)
	}
	if below == 0 {
		for _, id := range []int64{Invitations, None, Unknown} {
			put(Row{Origin: id}, 0)
		}
	}
	u.tallies = make([]tally, len(u.above))
	return u
}

// of is the place of an origin: one that is not in the tree is an invitation.
func (u *rollup) of(origin int64) int {
	if at, ok := u.place[origin]; ok {
		return at
	}
	return u.place[Invitations]
}

// add adds to an origin and to all that it is part of. What is known of readers on
// one day is of this origin alone.
func (u *rollup) add(origin int64, t tally) {
	for at := u.of(origin); at >= 0; at = u.above[at] {
		u.tallies[at].then(t)
	}
}

// byOrigin fills a report by origin.
func (r *Reports) byOrigin(ctx context.Context, p period, tree Tree, out *Report) error {
	u := newRollup(tree, p.Below)
	where, args := p.where(tree)
	var origin int64
	err := r.read(ctx, "SELECT origin"+summed("MAX")+" FROM origin_totals"+where+" GROUP BY origin", args, []any{&origin}, func(t tally) { u.add(origin, t) })
	if err != nil {
		return err
	}
	if err := r.decide(ctx, p, u); err != nil {
		return err
	}
	out.Total = u.tallies[0].figures()
	for i := range u.rows {
		u.rows[i].Figures = u.tallies[i+1].figures()
	}
	out.Rows = u.shown(p.from, r.zone)
	return nil
}

// decide finds out how many readers there were on one day where it matters: a
// figure that is hidden for all that is known may have enough of them, over
// channels and over the origins of a group together.
func (r *Reports) decide(ctx context.Context, p period, u *rollup) error {
	marked := make([]bool, len(u.tallies))
	var ids []int64
	for i := range u.tallies {
		marked[i] = u.tallies[i].undecided() // and so is each part of one that is
		if i > 0 && marked[i] && u.rows[i-1].Origin != Invitations {
			ids = append(ids, u.rows[i-1].Origin)
		}
	}
	invitations := p.Below == 0 && marked[u.place[Invitations]]
	if len(ids) == 0 && !invitations {
		return nil
	}
	where, args := p.where(u.tree)
	if !invitations {
		where, args = where+" AND origin IN (?)", append(args, bun.List(ids))
	} else if !marked[0] {
		where += " AND (origin IN (?) OR origin > 0 AND origin NOT IN (SELECT id FROM origins WHERE kind = ?))"
		args = append(args, bun.List(append(ids, Invitations)), ofPublisher)
	}
	return r.peaks(ctx, where, args, u)
}

// peaks reads the totals by day and origin and takes, for each tally, the day with
// the most readers.
func (r *Reports) peaks(ctx context.Context, where string, args []any, u *rollup) error {
	var day, origin, before int64
	all := map[int]tally{}
	flush := func() {
		for at, t := range all {
			u.tallies[at].atLeast(t)
		}
		clear(all)
	}
	err := r.read(ctx, "SELECT day, origin"+summed("SUM")+" FROM origin_totals"+where+" GROUP BY day, origin ORDER BY day", args, []any{&day, &origin}, func(t tally) {
		if day != before {
			flush()
			before = day
		}
		for at := u.of(origin); at >= 0; at = u.above[at] {
			sum := all[at]
			sum.beside(t)
			all[at] = sum
		}
	})
	flush()
	return err
}

// atLeast takes what is known of one day.
func (t *tally) atLeast(day tally) {
	for k := firstAction; k < kinds; k++ {
		t.peak[k] = max(t.peak[k], day.peak[k])
	}
}

// shown are the rows without origins that were closed before the period and of
// which, or of what is below them, there is nothing to say.
func (u *rollup) shown(from time.Time, zone *time.Location) []Row {
	start := time.Date(from.Year(), from.Month(), from.Day(), 0, 0, 0, 0, zone)
	keep := make([]bool, len(u.tallies))
	for i := len(u.rows); i > 0; i-- {
		o, ok := u.tree.ByID(u.rows[i-1].Origin)
		over := ok && !o.Ends.IsZero() && !o.Ends.After(start)
		keep[i] = keep[i] || !over || u.tallies[i].n != [kinds]int64{} || u.above[i] == 0 && u.below != 0
		keep[u.above[i]] = keep[u.above[i]] || keep[i]
	}
	rows := []Row{}
	for i, row := range u.rows {
		if keep[i+1] {
			rows = append(rows, row)
		}
	}
	return rows
}
