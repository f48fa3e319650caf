package index

import (
	"math/bits"

	"github.com/RoaringBitmap/roaring/v2"
)

// How much of a query a hit must cover, by the weight of the terms. A document
// that shares only the small words of a question is no answer to it.
const (
	coverShort = 0.4 // queries of few terms
	coverLong  = 0.15
	fewTerms   = 5 // groups; for so few the hits are counted exactly
)

// share returns how much of the query a document covers that has the groups
// for which has is true. Words that no document has count in long queries,
// where they say that the answer may not be here; in short ones they are
// reported instead.
func (p *plan) share(n uint64, has func(*group) bool) float64 {
	unknown := 0.0
	if len(p.groups) > fewTerms {
		g := group{df: 1}
		g.weigh(n, 1)
		unknown = g.idf
	}
	var sum, got float64
	for _, u := range p.units {
		weight, part := u.cover(unknown, has)
		sum += weight
		got += weight * part
	}
	if sum == 0 {
		return 0
	}
	return got / sum
}

// cover returns a unit's weight and the part of it that a document has.
func (u *unit) cover(unknown float64, has func(*group) bool) (weight, part float64) {
	if len(u.groups) == 0 {
		return unknown, 0
	}
	if len(u.main) == 0 { // only its pinyin is known
		weight = u.also.idf
		if has(u.also) {
			part = 1
		}
		return weight, part
	}
	var have float64
	count := 0
	for _, g := range u.main {
		weight += g.idf
		if has(g) {
			have += g.idf
			count++
		}
	}
	known := weight
	weight += u.gone * unknown
	switch {
	case u.run != nil && len(u.run) <= shortRun:
		if count == len(u.main) {
			part = 1
		}
	case known > 0:
		part = have / weight
	}
	if u.run == nil && part < 1 {
		for _, g := range u.groups {
			if g.boost < 1 && has(g) {
				part = max(part, partBoost) // a part of a compound
			}
		}
	}
	if u.also != nil && has(u.also) {
		part = 1
	}
	return weight, part
}

// sufficient returns the sets of groups, as bits, that are enough for a hit and
// have no needless group, when a hit must cover this share of the query. There must be at most fewTerms groups.
func (p *plan) sufficient(n uint64, cover float64) []uint {
	var list []uint
	for mask := uint(1); mask < 1<<len(p.groups); mask++ {
		at := map[*group]bool{}
		for i, g := range p.groups {
			at[g] = mask&(1<<i) != 0
		}
		if p.share(n, func(g *group) bool { return at[g] }) >= max(coverShort, cover) {
			list = append(list, mask)
		}
	}
	var least []uint
	for _, m := range list {
		needed := true
		for _, other := range list {
			if other != m && other&m == other && bits.OnesCount(other) < bits.OnesCount(m) {
				needed = false
				break
			}
		}
		if needed {
			least = append(least, m)
		}
	}
	return least
}

// covering returns the documents of segment i that have one of the sets.
func (p *plan) covering(i int, sets []uint) *roaring.Bitmap {
	sum := roaring.New()
	for _, set := range sets {
		var all *roaring.Bitmap
		for n, g := range p.groups {
			if set&(1<<n) == 0 {
				continue
			}
			docs := g.inSegs[i].docs
			switch {
			case docs == nil:
				all = roaring.New()
			case all == nil:
				all = docs
				continue
			default:
				all = roaring.And(all, docs)
			}
			if all.IsEmpty() {
				break
			}
		}
		if all != nil {
			sum.Or(all)
		}
	}
	return sum
}

// essential orders nothing: it returns how many of the groups, by falling
// weight, a hit must have one of, because the others together cover too little.
func (p *plan) essential(groups []*group, least float64) int {
	var sum float64
	for _, g := range groups {
		sum += g.bound
	}
	n, tail := len(groups), 0.0
	for n > 1 && tail+groups[n-1].bound < least*sum {
		tail += groups[n-1].bound
		n--
	}
	return n
}
