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

// A group is a total with its parts, each of which may be one too. What is left of
// the total without them is its own, which is not shown, but may be reckoned.
type group struct {
	tally  tally
	own    tally
	parts  []*group
	hidden [kinds]bool
}

// show writes the figures of a group of parts that have none themselves.
func (g *group) show(total *Figures, part func(i int) *Figures) {
	g.hide()
	g.write(total)
	for i, p := range g.parts {
		p.write(part(i))
	}
}

func (g *group) write(to *Figures) {
	for k, figure := range to.all() {
		if figure.Hidden = g.hidden[k]; !figure.Hidden {
			figure.N = g.tally.n[k]
		}
	}
}

// hide decides which figures of the whole tree are hidden: those that fewer than
// Few readers are behind, and as many others that none of these can be reckoned
// from what is shown.
//
// Each group is an equation, total = parts + own. When none that holds such a
// figure has but one unknown, none can be solved: groups stand in a tree, so two
// have one unknown in common at most, and whatever chain of them one follows ends
// in an unknown more. A total that is hidden for another's sake is treated as if it
// were seen, because with those beside it its parts make one equation.
func (g *group) hide() {
	for k := range kinds {
		g.hidden[k] = g.tally.few(k)
		g.hideBelow(k)
	}
}

func (g *group) hideBelow(k int) {
	for _, part := range g.parts {
		part.hidden[k] = part.tally.few(k)
	}
	for g.tells(k) {
		if !g.hideSmallest(k) {
			break
		}
	}
	for _, part := range g.parts {
		part.hideBelow(k)
	}
}

// tells reports whether what is shown of a group lets one reckon what must not be
// seen.
func (g *group) tells(k int) bool {
	var rest tally // what is hidden of it, together
	unknown, secret := int64(0), false
	add := func(t *tally) {
		if t.n[k] > 0 {
			rest.then(*t)
			unknown++
			secret = secret || t.few(k)
		}
	}
	for _, part := range g.parts {
		if part.hidden[k] {
			add(&part.tally)
		}
	}
	add(&g.own)
	switch {
	case g.tally.n[k] == 0:
		return false
	case g.hidden[k] && unknown == 0: // the sum of parts that are all seen would tell it
		return true
	case g.tally.few(k): // so are all its parts
		return false
	case !secret:
		return false
	}
	sum := rest.n[k]
	return unknown == 1 || rest.few(k) || // one figure, or several that few readers are behind
		sum == unknown || // each is 1, for none is 0
		k < firstAction && sum == unknown*(Few-1) // each would have to be 4
}

// hideSmallest hides the smallest part that is shown and not 0, if there is one.
func (g *group) hideSmallest(k int) bool {
	at := -1
	for i, part := range g.parts {
		if n := part.tally.n[k]; !part.hidden[k] && n > 0 && (at < 0 || n < g.parts[at].tally.n[k]) {
			at = i
		}
	}
	if at < 0 {
		return false
	}
	g.parts[at].hidden[k] = true
	return true
}

// undecided reports whether readers may be more than what is known so far says,
// and it matters.
func (t *tally) undecided() bool {
	return slices.ContainsFunc([]int{5, 6, 7, 8}, t.few)
}
