package index

import (
	"math"
	"slices"
	"sort"

	"github.com/RoaringBitmap/roaring/v2"
	segment "github.com/blevesearch/scorch_segment_api/v2"
)

// BM25's parameters. They were chosen on one half of the queries of several
// sets and confirmed on the other; 1.2 and .75, the usual ones, were clearly
// worse on short documents.
const (
	bm25K1 = 0.9
	bm25B  = 0.5
)

// A variant is one term of storage that counts for a group.
type variant struct {
	field, term string
	weight      float64 // of its frequency, at most 1
}

// A group is what counts as one term for ranking: a word in its stems, its
// repairs, or one pair of characters. Frequencies of the variants add up.
type group struct {
	variants []variant
	synonyms []*alternatives // other ways to have it
	boost    float64
	flat     bool // worth its boost wherever it stands, whatever the frequency
	unit     int

	df     uint64
	idf    float64
	bound  float64 // the most that it can add to a score
	inSegs []groupSegment
}

// groupSegment is what a group has in one segment.
type groupSegment struct {
	lists   []segment.PostingsList
	weights []float64
	docs    *roaring.Bitmap // live documents with any variant; shared, not to be changed
}

// lookup finds a group's postings in all segments, and its document frequency.
func (v *view) lookup(g *group) error {
	g.df = 0
	g.inSegs = make([]groupSegment, len(v.segments))
	for i, s := range v.segments {
		gs := &g.inSegs[i]
		for _, t := range g.variants {
			list, err := s.list(t.field, t.term)
			if err != nil {
				return err
			}
			if list == nil {
				continue
			}
			gs.lists = append(gs.lists, list)
			gs.weights = append(gs.weights, t.weight)
		}
		for _, alt := range g.synonyms {
			list, err := alt.in(s)
			if err != nil {
				return err
			}
			if list != nil {
				gs.lists, gs.weights = append(gs.lists, list), append(gs.weights, synonymWeight)
			}
		}
		for n, list := range gs.lists {
			docs := bitmapOf(list.Iterator(false, false, false, nil))
			if n == 0 {
				gs.docs = docs
			} else {
				gs.docs = roaring.Or(gs.docs, docs)
			}
		}
		if gs.docs != nil {
			g.df += gs.docs.GetCardinality()
		}
	}
	return nil
}

// weigh sets idf and bound, for a collection of n documents, df of which have
// the group.
func (g *group) weigh(n, df uint64) {
	if g.df == 0 {
		g.idf, g.bound = 0, 0
		return
	}
	if g.flat {
		g.idf, g.bound = 1, g.boost
		return
	}
	n = max(n, df)
	g.idf = math.Log(1 + (float64(n-df)+.5)/(float64(df)+.5))
	g.bound = g.boost * g.idf * (bm25K1 + 1)
}

// A scored document of one segment.
type scored struct {
	score float64
	seg   int
	doc   uint32
}

// A ranking takes the best documents for some groups.
//
// It goes term at a time, from the rarest to the commonest. Once what the
// remaining terms can add together is less than the k-th best score so far,
// documents not met yet are out, and the remaining lists are read only where a
// candidate stands: MaxScore (Turtle & Flood, "Query Evaluation: Strategies and
// Optimizations", 1995). The result is exactly that of scoring everything.
type ranking struct {
	view       *view
	groups     []*group          // falling bound
	rest       []float64         // rest[i]: the sum of the bounds from group i on
	essential  int               // a hit has at least one of the first so many groups
	allowed    []*roaring.Bitmap // by segment, nil entries and nil: all
	k          int
	slack      float64 // the most that prior returns
	floor      float64 // documents with less, without their prior, are not wanted
	exhaustive bool    // no pruning, for tests

	// prior is what a document's score is multiplied by, from 1 to slack; nil: 1.
	prior func(seg int, doc uint32) float64
	// most is the most that prior returns, by the number of a document's
	// language; nil: slack for all.
	most []float64

	slope []float64 // by language: what a document's length is multiplied by
	bars  []float64 // by language; see setBars
	best  minHeap   // the k best scores so far, with their priors
	found []scored  // every document that may be among the best, with its prior
}

func (r *ranking) prepare() {
	sort.SliceStable(r.groups, func(i, j int) bool { return r.groups[i].bound > r.groups[j].bound })
	r.rest = make([]float64, len(r.groups)+1)
	for i := len(r.groups) - 1; i >= 0; i-- {
		r.rest[i] = r.rest[i+1] + r.groups[i].bound
	}
	r.slope = make([]float64, len(r.view.byLang))
	for i := range r.view.byLang {
		if average := r.view.byLang[i].average; average > 0 {
			r.slope[i] = bm25K1 * bm25B / average
		}
	}
	r.slack = max(r.slack, 1)
	if r.most == nil {
		r.most = slices.Repeat([]float64{r.slack}, len(r.view.byLang))
	}
	r.bars = make([]float64, len(r.view.byLang))
	r.best = make(minHeap, 0, r.k)
}

// run returns the k best documents and those that score as the last of them.
func (r *ranking) run(scratch *scratch) ([]scored, error) {
	r.prepare()
	for i := range r.view.segments {
		if err := r.segment(i, scratch); err != nil {
			return nil, err
		}
	}
	bar := r.bar()
	r.found = slices.DeleteFunc(r.found, func(s scored) bool { return s.score < bar })
	return r.found, nil
}

// rounding is what may be lost when sums are made in another order, and more.
const rounding = 1 - 1e-12

// bar is the score, with its prior, below which a document is not among the best.
func (r *ranking) bar() float64 {
	if len(r.best) < r.k || r.k == 0 {
		return 0
	}
	return r.best[0] * rounding
}

// setBars turns a bar into what a document of each language must score without
// its prior, and returns the lowest.
func (r *ranking) setBars(bar float64) float64 {
	lowest := math.Inf(1)
	for i, most := range r.most {
		r.bars[i] = max(r.floor, bar/most*rounding)
		lowest = min(lowest, r.bars[i])
	}
	return lowest
}

// scratch is memory for scoring one segment.
type scratch struct {
	sum     []float64 // by document; 0: not met
	freq    []float64 // by document, for groups of several lists
	touched []uint32
	alive   []uint32 // sorted; those of touched that are still candidates, nil: all
	best    minHeap  // of partialBar
}

func (s *scratch) reset(docs int) {
	if len(s.sum) < docs {
		s.sum = make([]float64, docs)
		s.freq = make([]float64, docs)
	}
	s.touched = s.touched[:0]
}

// segment scores one segment and takes its best.
func (r *ranking) segment(i int, s *scratch) error {
	s.reset(len(r.view.segments[i].stats.lengths))
	defer func() {
		for _, doc := range s.touched {
			s.sum[doc] = 0
		}
	}()
	var allowed *roaring.Bitmap
	if r.allowed != nil {
		allowed = r.allowed[i]
	}
	if allowed != nil && allowed.IsEmpty() {
		return nil
	}
	var candidates *roaring.Bitmap // nil: new documents may still come in
	s.alive = nil
	for n, g := range r.groups {
		if n == r.essential && candidates == nil {
			r.setBars(0)
			candidates = r.survivors(i, s, math.Inf(1))
		}
		if !r.exhaustive && n > 0 {
			bar := r.setBars(max(r.bar(), r.partialBar(i, s, n, candidates != nil)))
			switch {
			case candidates == nil && r.rest[n] < bar:
				candidates = r.survivors(i, s, r.rest[n])
			case candidates != nil && bar > 0:
				if n%3 == 0 || len(s.alive) > 1000 {
					candidates = r.survivors(i, s, r.rest[n])
				}
			}
		}
		if candidates != nil && candidates.IsEmpty() {
			break
		}
		only := candidates
		if only == nil {
			only = allowed
		}
		if err := r.add(i, g, only, s); err != nil {
			return err
		}
	}
	r.take(i, s)
	return nil
}

// partialBar is the k-th best of the scores so far in this segment: sums only
// grow, so the k-th best score cannot be less.
func (r *ranking) partialBar(i int, s *scratch, n int, pruning bool) float64 {
	if len(s.touched) < r.k || r.k == 0 {
		return 0
	}
	// Not worth a pass while the rest outweighs what was seen.
	if !pruning && r.rest[n] > r.rest[0]-r.rest[n] {
		return 0
	}
	docs := s.touched
	if len(s.alive) >= r.k {
		docs = s.alive
	}
	s.best = s.best[:0]
	r.offer(&s.best, i, docs, s)
	if len(s.best) < r.k {
		return 0
	}
	return s.best[0] * rounding
}

// offer puts the scores of documents of segment i, with their priors, on a heap.
func (r *ranking) offer(h *minHeap, i int, docs []uint32, s *scratch) {
	langs := r.view.segments[i].stats.lang
	for _, doc := range docs {
		sum := s.sum[doc]
		if len(*h) == r.k && (r.k == 0 || sum*r.most[langs[doc]] <= (*h)[0]) {
			continue
		}
		h.offer(sum*r.priorOf(i, doc), r.k)
	}
}

func (r *ranking) priorOf(i int, doc uint32) float64 {
	if r.prior == nil {
		return 1
	}
	return r.prior(i, doc)
}

// survivors are the candidates, at first all documents met so far, that may
// still reach the bar of their language.
func (r *ranking) survivors(i int, s *scratch, rest float64) *roaring.Bitmap {
	from := s.alive
	if from == nil {
		from = s.touched
	}
	langs := r.view.segments[i].stats.lang
	alive := make([]uint32, 0, len(from))
	for _, doc := range from {
		if s.sum[doc]+rest >= r.bars[langs[doc]] {
			alive = append(alive, doc)
		}
	}
	if s.alive == nil {
		slices.Sort(alive)
	}
	s.alive = alive
	return roaring.BitmapOf(alive...)
}

// add adds a group's share to the sums, of the documents in only, or of all.
func (r *ranking) add(i int, g *group, only *roaring.Bitmap, s *scratch) error {
	gs := &g.inSegs[i]
	if len(gs.lists) == 0 {
		return nil
	}
	docs := gs.docs
	if only != nil {
		docs = roaring.And(docs, only)
		if docs.IsEmpty() {
			return nil
		}
	}
	stats := r.view.segments[i].stats
	lengths, langs := stats.lengths, stats.lang
	weight := g.boost * g.idf * (bm25K1 + 1)
	visit := func(doc uint32, freq float64) {
		if s.sum[doc] == 0 {
			s.touched = append(s.touched, doc)
		}
		if g.flat {
			s.sum[doc] += g.boost
			return
		}
		s.sum[doc] += weight * freq / (freq + bm25K1*(1-bm25B) + r.slope[langs[doc]]*float64(lengths[doc]))
	}
	if len(gs.lists) == 1 {
		w := gs.weights[0]
		return eachPosting(gs.lists[0], only, func(doc uint32, freq float64) { visit(doc, w*freq) })
	}
	for n, list := range gs.lists {
		w := gs.weights[n]
		if err := eachPosting(list, only, func(doc uint32, freq float64) { s.freq[doc] += w * freq }); err != nil {
			return err
		}
	}
	for it := docs.Iterator(); it.HasNext(); {
		doc := it.Next()
		visit(doc, s.freq[doc])
		s.freq[doc] = 0
	}
	return nil
}

// eachPosting visits a list, or the part of it that lies in only.
func eachPosting(list segment.PostingsList, only *roaring.Bitmap, visit func(doc uint32, freq float64)) error {
	if long, ok := list.(*hotPostings); ok {
		asked := uint64(math.MaxInt32)
		if only != nil {
			asked = only.GetCardinality()
		}
		if l, err := long.unpacked(asked); err != nil || l != nil {
			if l != nil {
				l.each(bitmapOf(long.Iterator(false, false, false, nil)), only, visit)
			}
			return err
		}
	}
	it := list.Iterator(true, true, false, nil)
	if only != nil {
		o, ok := it.(segment.OptimizablePostingsIterator)
		if ok && o.ActualBitmap() != nil {
			o.ReplaceActual(roaring.And(o.ActualBitmap(), only))
		} else if ok {
			if doc, one := o.DocNum1Hit(); !one || !only.Contains(uint32(doc)) {
				return nil
			}
		}
	}
	for {
		p, err := it.Next()
		if err != nil {
			return err
		}
		if p == nil {
			return nil
		}
		visit(uint32(p.Number()), float64(p.Frequency()))
	}
}

// take moves a segment's good documents into found.
func (r *ranking) take(i int, s *scratch) {
	r.offer(&r.best, i, s.touched, s)
	bar := r.bar()
	r.setBars(bar)
	langs := r.view.segments[i].stats.lang
	for _, doc := range s.touched {
		if sum := s.sum[doc]; sum >= r.bars[langs[doc]] && sum > 0 {
			if score := sum * r.priorOf(i, doc); score >= bar {
				r.found = append(r.found, scored{score, i, doc})
			}
		}
	}
}

// minHeap keeps the largest numbers it was offered; the least of them is first.
type minHeap []float64

// offer adds a number when it is among the k largest.
func (h *minHeap) offer(x float64, k int) {
	if len(*h) < k {
		*h = append(*h, x)
		s := *h
		for i := len(s) - 1; i > 0; {
			up := (i - 1) / 2
			if s[up] <= s[i] {
				break
			}
			s[up], s[i] = s[i], s[up]
			i = up
		}
		return
	}
	s := *h
	if k == 0 || x <= s[0] {
		return
	}
	s[0] = x
	for i := 0; ; {
		down := 2*i + 1
		if down >= len(s) {
			return
		}
		if down+1 < len(s) && s[down+1] < s[down] {
			down++
		}
		if s[i] <= s[down] {
			return
		}
		s[i], s[down] = s[down], s[i]
		i = down
	}
}
