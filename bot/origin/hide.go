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
	tally tally
	own   tally
	parts []*group
	shown [kinds]Figure
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
		*figure = g.shown[k]
	}
}

// hide decides how the figures of the whole tree are shown. One that fewer than
// Few readers are behind is hidden. A total is shown in full where those that are
// hidden of it cannot be told from each other; else it leaves them out, and says so.
//
// Each total that is shown in full is an equation for what is hidden below it, and
// nothing hidden is in two of them: so none can be solved for one figure alone.
func (g *group) hide() {
	for k := range kinds {
		g.hideIn(k)
	}
}

// A remainder is what is not shown of a total: several figures together.
type remainder struct {
	tally  tally
	parts  int64 // how many figures
	secret bool  // one of them must not be seen
}

// hideIn decides on a figure and all below it, and gives what is not known of it.
func (g *group) hideIn(k int) remainder {
	var rest remainder
	add := func(r remainder) {
		rest.tally.then(r.tally)
		rest.parts += r.parts
		rest.secret = rest.secret || r.secret
	}
	for _, part := range g.parts {
		add(part.hideIn(k))
	}
	if g.own.n[k] > 0 && len(g.parts) > 0 {
		add(remainder{g.own, 1, g.own.few(k)})
	}
	n := g.tally.n[k]
	if rest.tally.n[k] == n { // nothing of it is shown: it is the whole, of which more is known
		rest.tally = g.tally
	}
	switch {
	case g.tally.few(k):
		g.shown[k] = Figure{Hidden: true}
		return remainder{g.tally, 1, true}
	case rest.tells(k):
		g.shown[k] = Figure{N: max(n-rest.tally.n[k], Few), More: true}
		return rest
	}
	g.shown[k] = Figure{N: n}
	return remainder{}
}

// tells reports whether the remainder, when it is known, tells of one figure that
// must not be seen, or of fewer than Few readers together. Where it is as many as
// there are figures, each is 1: that the sum of a chain is seen is worth more.
func (r remainder) tells(k int) bool {
	return r.secret && (r.parts == 1 || r.tally.few(k))
}

// undecided reports whether readers may be more than what is known so far says,
// and it matters.
func (t *tally) undecided() bool {
	return slices.ContainsFunc([]int{5, 6, 7, 8}, t.few)
}
