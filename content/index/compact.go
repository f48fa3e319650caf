package index

import (
	"context"

	"github.com/blevesearch/bleve/v2/index/scorch"
)

// What makes Compact worth its time: every word of a query is looked up in each
// segment, and merging reads and writes all there is.
const (
	fewSegments = 2
	smallIndex  = 5000 // articles; what is smaller is quick however it lies
)

// Compact begins to merge an index that was filled in many steps into one
// piece, which makes queries half as long again as fast. It does nothing where
// most articles are in one piece already, so that a library that grows is merged
// a number of times that grows with its logarithm. Merging takes a minute or two
// for a hundred thousand articles; searches and updates go on meanwhile, and
// Close ends it.
func (x *Index) Compact() {
	if !x.scattered() || !x.compacting.CompareAndSwap(false, true) {
		return
	}
	store, ok := x.store.(*scorch.Scorch)
	if !ok {
		return
	}
	x.merging.Go(func() {
		defer x.compacting.Store(false)
		if err := store.ForceMerge(context.Background(), nil); err != nil {
			x.log.Warn("the index stays in many pieces", "err", err)
		}
	})
}

func (x *Index) scattered() bool {
	v, err := x.own()
	if err != nil {
		return false
	}
	defer v.close()
	most, total := 0, 0
	for _, s := range v.segments {
		most, total = max(most, len(s.stats.lengths)), total+len(s.stats.lengths)
	}
	return len(v.segments) > fewSegments && total > smallIndex && most*10 < total*7
}
