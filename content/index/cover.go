package index

import (
	"math/bits"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"newsie/content/language"
)

// fewTerms is up to how many groups hits are counted exactly.
const fewTerms = 5

// cover is how much of a query a hit must have, by the weight of the terms: a
// document that shares only the small words of a question is no answer to it.
// Long questions are full of words that no answer repeats.
func (p *plan) cover() float64 {
	if len(p.units) == 1 && phonetic(p.units[0].run) {
		return .6 // half of a word in kana or Hangul is another word
	}
	switch n := len(p.units); {
	case n <= 3 && len(p.groups) <= fewTerms:
		return .25
	case len(p.groups) <= fewTerms:
		return .15
	}
	return .1
}

// phonetic reports whether a short run is kana or Hangul throughout: its pairs
// are syllables, which mean nothing by themselves.
func phonetic(run []rune) bool {
	return len(run) > shortRun && len(run) <= 8 && !slices.ContainsFunc(run, language.IsHan)
}

// covers tells whether a document with these groups is a hit, for a query that
// may demand a share of its own. Words that no document has count against the
// usual share, as the rarest would: they say that the answer may not be here.
// They do not against a demand, which could not be met otherwise.
func (p *plan) covers(has func(*group) bool, demand float64) bool {
	rarest := group{df: 1}
	rarest.weigh(p.docs, 1)
	return p.share(rarest.idf, has) >= p.cover() && (demand <= 0 || p.share(0, has) >= min(demand, 1)-1e-9)
}

// share returns how much of the query a document covers that has the groups
// for which has is true, with a weight for words that no document has.
func (p *plan) share(rarest float64, has func(*group) bool) float64 {
	var sum, got float64
	for _, u := range p.units {
		weight, part := u.cover(rarest, has)
		if u.little {
			weight *= littleShare
		}
		sum += weight
		got += weight * part
	}
	if sum == 0 {
		return 0
	}
	return got / sum
}

// littleShare is what a function word counts of its weight: nobody looks for
// it, so that a document which has no other word of a question is no hit.
const littleShare = .2

// goneWeight is what a pair that no document has counts, of the rarest: most
// such pairs only straddle two words.
const goneWeight = 0.3

// cover returns a unit's weight and the part of it that a document has.
func (u *unit) cover(rarest float64, has func(*group) bool) (weight, part float64) {
	if len(u.main) == 0 && u.also == nil {
		if len(u.run) > shortRun {
			rarest *= u.gone * goneWeight
		}
		return rarest, 0
	}
	if len(u.main) == 0 { // only its pinyin is known
		if has(u.also) {
			part = 1
		}
		return u.also.idf, part
	}
	var have float64
	count := 0
	for i, g := range u.main {
		idf := g.idf
		if u.small != nil {
			idf *= u.small[i]
		}
		weight += idf
		if has(g) {
			have += idf
			count++
		}
	}
	gone := goneWeight
	if phonetic(u.run) {
		gone = 1
	}
	weight += u.gone * rarest * gone
	switch {
	case u.run != nil && len(u.run) <= shortRun:
		if count == len(u.main) {
			part = 1
		}
	default:
		part = have / weight
	}
	if part < .5 && slices.ContainsFunc(u.half, has) {
		part = .5
	}
	if u.also != nil && has(u.also) {
		part = 1
	}
	return weight, part
}

// sufficient returns the sets of groups, as bits, that are enough for a hit and
// have no needless group. There must be at most fewTerms groups.
func (p *plan) sufficient(demand float64) []uint {
	var list []uint
	for mask := uint(1); mask < 1<<len(p.groups); mask++ {
		at := map[*group]bool{}
		for i, g := range p.groups {
			at[g] = mask&(1<<i) != 0
		}
		if p.covers(func(g *group) bool { return at[g] }, demand) {
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
func (p *plan) essential(groups []*group, demand float64) int {
	tail := map[*group]bool{}
	for n := len(groups); n > 1; n-- {
		tail[groups[n-1]] = true
		if p.covers(func(g *group) bool { return tail[g] }, demand) {
			return n
		}
	}
	return 1
}

// floor is a score that every document reaches which covers enough of a query:
// each of its words at least once, in the longest document there is. Ranking
// need not look below it.
func (p *plan) floor(v *view) float64 {
	longest := 1.0
	for i := range v.langs {
		if pop := v.byLang[i]; pop.average > 0 {
			longest = max(longest, float64(pop.longest)/pop.average)
		}
	}
	rarest := group{df: 1}
	rarest.weigh(p.docs, 1)
	var sum float64
	least, freq := 1.0, 1.0
	for _, u := range p.units {
		weight, _ := u.cover(rarest.idf, func(*group) bool { return false })
		if u.little {
			weight *= littleShare
		}
		sum += weight
		for _, g := range u.groups {
			for _, t := range g.variants {
				freq = min(freq, t.weight)
			}
			if len(g.synonyms) > 0 {
				freq = min(freq, synonymWeight)
			}
			if weight > 0 && !slices.Contains(u.main, g) {
				// Counts for the unit, or half of it, with a weight of its own.
				least = min(least, g.boost*g.idf/weight)
			}
		}
	}
	return .99 * p.cover() * sum * least * (bm25K1 + 1) * freq / (freq + bm25K1*(1-bm25B+bm25B*longest))
}
