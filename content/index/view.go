package index

import (
	"fmt"
	"slices"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/blevesearch/bleve/v2/index/scorch"
	segment "github.com/blevesearch/scorch_segment_api/v2"
)

// A view is the index as it is at one moment. It holds files open until it is
// closed, and is for one goroutine.
type view struct {
	reader   *scorch.IndexSnapshot
	release  func()
	segments []*segmentView
	docs     uint64  // live ones
	average  float64 // length
}

// A segmentView is one segment of a view.
type segmentView struct {
	id      uint64
	segment segment.Segment
	deleted *roaring.Bitmap // nil: none
	stats   *segmentStats
	dicts   map[string]segment.TermDictionary
}

// view opens the present state. Close it.
func (x *Index) view() (*view, error) {
	x.using.RLock()
	if x.closed || x.store == nil {
		x.using.RUnlock()
		return nil, ErrClosed
	}
	r, err := x.store.Reader()
	if err != nil {
		x.using.RUnlock()
		return nil, fmt.Errorf("read index: %w", err)
	}
	snapshot, ok := r.(*scorch.IndexSnapshot)
	if !ok || snapshot == nil {
		x.using.RUnlock()
		return nil, ErrClosed
	}
	v := &view{reader: snapshot, release: x.using.RUnlock}
	if err := v.load(&x.stats); err != nil {
		v.close()
		return nil, err
	}
	return v, nil
}

func (v *view) load(cache *statsCache) error {
	var total uint64
	for _, s := range v.reader.Segments() {
		sv := &segmentView{id: s.Id(), segment: s.Segment(), deleted: s.Deleted(), dicts: map[string]segment.TermDictionary{}}
		stats, err := cache.of(sv)
		if err != nil {
			return fmt.Errorf("read index: %w", err)
		}
		sv.stats = stats
		n, length := stats.live(sv.deleted)
		v.docs += n
		total += length
		v.segments = append(v.segments, sv)
	}
	cache.keep(v.segments)
	// The largest first: its best documents set a high bar for the others.
	slices.SortStableFunc(v.segments, func(a, b *segmentView) int { return len(b.stats.lengths) - len(a.stats.lengths) })
	if v.docs > 0 {
		v.average = float64(total) / float64(v.docs)
	}
	return nil
}

func (v *view) close() {
	_ = v.reader.Close()
	v.release()
}

// list returns the postings of a term, without deleted documents; nil when the
// segment has none.
func (s *segmentView) list(field, term string) (segment.PostingsList, error) {
	dict, ok := s.dicts[field]
	if !ok {
		var err error
		if dict, err = s.segment.Dictionary(field); err != nil {
			return nil, err
		}
		s.dicts[field] = dict
	}
	list, err := dict.PostingsList([]byte(term), s.deleted, nil)
	if err != nil || list.Count() == 0 {
		return nil, err
	}
	return list, nil
}

// docsWith returns the live documents that have a term. The bitmap may be
// shared: do not change it.
func (s *segmentView) docsWith(field, term string) (*roaring.Bitmap, error) {
	list, err := s.list(field, term)
	if err != nil || list == nil {
		return roaring.New(), err
	}
	return bitmapOf(list.Iterator(false, false, false, nil)), nil
}

// live returns a bitmap of all documents that are not deleted.
func (s *segmentView) live() *roaring.Bitmap {
	b := roaring.New()
	b.AddRange(0, uint64(len(s.stats.lengths)))
	if s.deleted != nil {
		b.AndNot(s.deleted)
	}
	return b
}

// bitmapOf returns what an iterator that has not moved would visit.
func bitmapOf(it segment.PostingsIterator) *roaring.Bitmap {
	o, ok := it.(segment.OptimizablePostingsIterator)
	if !ok {
		return roaring.New()
	}
	if b := o.ActualBitmap(); b != nil {
		return b
	}
	if doc, ok := o.DocNum1Hit(); ok {
		return roaring.BitmapOf(uint32(doc))
	}
	return roaring.New()
}

// A posting of storage that tells the exact length of its field.
type lengthPosting interface {
	segment.Posting
	NormUint64() uint64
}

// segmentStats is what is computed once for a segment, which never changes.
type segmentStats struct {
	lengths []uint32
	total   uint64
	langs   []string // of its documents, as far as there are stemmers

	mu        sync.Mutex
	deadCount uint64 // deletes only grow, so their number tells which they are
	deadTotal uint64
	times     []int64 // Unix seconds by document, 0 unknown; nil: not read yet
}

// live returns how many documents are not deleted, and their length.
func (s *segmentStats) live(deleted *roaring.Bitmap) (n, length uint64) {
	n = uint64(len(s.lengths))
	if deleted == nil || deleted.IsEmpty() {
		return n, s.total
	}
	dead := deleted.GetCardinality()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.deadCount != dead {
		s.deadCount, s.deadTotal = dead, 0
		for it := deleted.Iterator(); it.HasNext(); {
			s.deadTotal += uint64(s.lengths[it.Next()])
		}
	}
	return n - dead, s.total - s.deadTotal
}

// statsCache keeps the statistics of the segments in use.
type statsCache struct {
	mu   sync.Mutex
	byID map[uint64]*segmentStats
}

func (c *statsCache) of(s *segmentView) (*segmentStats, error) {
	c.mu.Lock()
	stats := c.byID[s.id]
	c.mu.Unlock()
	if stats != nil && len(stats.lengths) == int(s.segment.Count()) {
		return stats, nil
	}
	stats = &segmentStats{lengths: make([]uint32, s.segment.Count())}
	dict, err := s.segment.Dictionary(fieldAll)
	if err != nil {
		return nil, err
	}
	list, err := dict.PostingsList([]byte(allTerm), nil, nil)
	if err != nil {
		return nil, err
	}
	it := list.Iterator(true, true, false, nil)
	for {
		p, err := it.Next()
		if err != nil {
			return nil, err
		}
		if p == nil {
			break
		}
		lp, ok := p.(lengthPosting)
		if !ok || p.Number() >= uint64(len(stats.lengths)) {
			return nil, fmt.Errorf("segment %d: length of document %d cannot be read", s.id, p.Number())
		}
		stats.lengths[p.Number()] = uint32(lp.NormUint64())
		stats.total += lp.NormUint64()
	}
	for lang := range stemmers {
		l, err := s.list(fieldFilters, "l:"+lang)
		if err != nil {
			return nil, err
		}
		if l != nil {
			stats.langs = append(stats.langs, lang)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byID == nil {
		c.byID = map[uint64]*segmentStats{}
	}
	c.byID[s.id] = stats
	return stats, nil
}

// keep forgets segments that were merged away, now and then.
func (c *statsCache) keep(used []*segmentView) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.byID) <= 2*len(used)+8 {
		return
	}
	byID := make(map[uint64]*segmentStats, len(used))
	for _, s := range used {
		byID[s.id] = s.stats
	}
	c.byID = byID
}

// readTimes returns when each document was published.
func (s *segmentView) readTimes() ([]int64, error) {
	s.stats.mu.Lock()
	defer s.stats.mu.Unlock()
	if s.stats.times != nil {
		return s.stats.times, nil
	}
	times := make([]int64, len(s.stats.lengths))
	dict, err := s.segment.Dictionary(fieldTime)
	if err != nil {
		return nil, err
	}
	terms := dict.AutomatonIterator(nil, nil, nil)
	var list segment.PostingsList
	for {
		e, err := terms.Next()
		if err != nil {
			return nil, err
		}
		if e == nil {
			break
		}
		if list, err = dict.PostingsList([]byte(e.Term), nil, list); err != nil {
			return nil, err
		}
		at := timeOfTerm(e.Term)
		for it := list.Iterator(false, false, false, nil); ; {
			p, err := it.Next()
			if err != nil {
				return nil, err
			}
			if p == nil {
				break
			}
			times[p.Number()] = at
		}
	}
	s.stats.times = times
	return times, nil
}
