package origin

import "slices"

// Few is how many readers must be behind a figure at least that anybody sees.
const Few = 5

// A tally is what is behind figures, in their order: how many, and readers who
// are behind that for certain.
type tally struct {
	n     [kinds]int64
	fresh [kinds]int64 // who did so for the first time
	peak  [kinds]int64 // who did so on one day
}

// firstAction is the first of the kinds of which one reader may have several:
// follows, questions, opens and digests. Of those before it each is one reader.
const firstAction = 5

// then adds what is of other days.
func (t *tally) then(later tally) {
	for k := range kinds {
		t.n[k] += later.n[k]
		t.fresh[k] += later.fresh[k]
		t.peak[k] = max(t.peak[k], later.peak[k])
	}
}

// readers is how many are behind a figure at least.
func (t *tally) readers(k int) int64 { return max(t.fresh[k], t.peak[k]) }

// few tells of a figure that must not be seen.
func (t *tally) few(k int) bool { return t.n[k] > 0 && t.readers(k) < Few }

// figures are what is shown of it. A total is shown as it is, with the parts that
// are hidden in it: that the sum of a chain is true is worth more than that nobody
// can reckon what one of its shops must have.
func (t *tally) figures() Figures {
	var f Figures
	for k, figure := range f.all() {
		if figure.Hidden = t.few(k); !figure.Hidden {
			figure.N = t.n[k]
		}
	}
	return f
}

// undecided reports whether readers may be more than what is known so far says,
// and it matters.
func (t *tally) undecided() bool {
	return slices.ContainsFunc([]int{5, 6, 7, 8}, t.few)
}
