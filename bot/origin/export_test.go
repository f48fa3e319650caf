package origin

// Hide decides how newcomers are shown in a tree: each place has a parent before
// it, the first has none, and its own newcomers.
func Hide(parents []int, own []int64) (totals []int64, shown []Figure) {
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
		totals, shown = append(totals, g.tally.n[cameAt]), append(shown, g.shown[cameAt])
	}
	return totals, shown
}

// cameAt is the place of newcomers among the figures.
const cameAt = 1
