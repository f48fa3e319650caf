package origin

// Hide decides what is hidden of newcomers in a tree: each place has a parent
// before it, the first has none, and its own newcomers.
func Hide(parents []int, own []int64) (totals []int64, hidden []bool) {
	groups := make([]group, len(parents))
	for i := len(parents) - 1; i >= 0; i-- {
		var t tally
		t.n[cameAt], t.fresh[cameAt] = own[i], own[i]
		groups[i].own = t
		groups[i].tally.then(t)
		if i > 0 {
			groups[parents[i]].tally.then(groups[i].tally)
		}
	}
	for i := 1; i < len(parents); i++ {
		groups[parents[i]].parts = append(groups[parents[i]].parts, &groups[i])
	}
	groups[0].hide()
	for _, g := range groups {
		totals, hidden = append(totals, g.tally.n[cameAt]), append(hidden, g.hidden[cameAt])
	}
	return totals, hidden
}

// cameAt is the place of newcomers among the figures.
const cameAt = 1
