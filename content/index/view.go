package index

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/blevesearch/bleve/v2/index/scorch"
	segment "github.com/blevesearch/scorch_segment_api/v2"

	"newsie/content/language"
)

// A view is the index as it is at one moment. It holds files open until it is
// closed, and is for one goroutine.
type view struct {
	reader   *scorch.IndexSnapshot
	release  func()
	segments []*segmentView
	docs     uint64       // live ones
	byLang   []population // by the numbers of statsCache.langs
	langs    []string
}

// A population is the live documents of one language.
type population struct {
	docs, length uint64
	longest      uint64  // of deleted documents too
	average      float64 // length, smoothed by that of all documents
}

// A segmentView is one segment of a view.
type segmentView struct {
	id      uint64
	segment segment.Segment
	deleted *roaring.Bitmap // nil: none
	dead    uint64          // how many these are
	stats   *segmentStats
	hot     *hotLists
	dicts   map[string]segment.TermDictionary
}

// own opens the present state of this very index. Close it.
func (x *Index) own() (*view, error) {
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
	for _, s := range v.reader.Segments() {
		sv := &segmentView{id: s.Id(), segment: s.Segment(), deleted: s.Deleted(), hot: &cache.hot, dicts: map[string]segment.TermDictionary{}}
		if sv.deleted != nil {
			sv.dead = sv.deleted.GetCardinality()
		}
		stats, err := cache.of(sv)
		if err != nil {
			return fmt.Errorf("read index: %w", err)
		}
		sv.stats = stats
		v.byLang = stats.live(sv.deleted, v.byLang)
		v.segments = append(v.segments, sv)
	}
	v.langs = cache.keep(v.segments)
	if more := len(v.langs) - len(v.byLang); more > 0 {
		v.byLang = append(v.byLang, make([]population, more)...)
	}
	// The largest first: its best documents set a high bar for the others.
	slices.SortStableFunc(v.segments, func(a, b *segmentView) int { return len(b.stats.lengths) - len(a.stats.lengths) })
	var all population
	for _, p := range v.byLang[:len(v.langs)] {
		all.docs += p.docs
		all.length += p.length
	}
	v.docs = all.docs
	if v.docs == 0 {
		return nil
	}
	all.average = float64(all.length) / float64(all.docs)
	for i := range v.langs {
		p := &v.byLang[i]
		p.average = (float64(p.length) + smoothing*all.average) / (float64(p.docs) + smoothing)
	}
	return nil
}

// smoothing is how many documents of average length a language is given on top
// of its own, so that the first few do not decide what is long in it.
const smoothing = 10

// population returns how many documents are in a language, or in the whole
// index when it is not known or has none.
func (v *view) population(lang string) uint64 {
	if i := slices.Index(v.langs, lang); i >= 0 && v.byLang[i].docs > 0 {
		return v.byLang[i].docs
	}
	return v.docs
}

// average returns the length of documents in a language.
func (v *view) average(lang string) float64 {
	if i := slices.Index(v.langs, language.Base(lang)); i >= 0 && v.byLang[i].average > 0 {
		return v.byLang[i].average
	}
	return max(v.byLang[0].average, 1)
}

func (v *view) close() {
	_ = v.reader.Close()
	v.release()
}

// list returns the postings of a term, without deleted documents; nil when the
// segment has none.
func (s *segmentView) list(field, term string) (segment.PostingsList, error) {
	dict, err := s.dictionary(field)
	if err != nil {
		return nil, err
	}
	list, err := dict.PostingsList([]byte(term), s.deleted, nil)
	if err != nil {
		return nil, err
	}
	switch n := list.Count(); {
	case n == 0:
		return nil, nil
	case n >= hotFrom:
		return &hotPostings{PostingsList: list, key: hotKey{s.id, s.dead, field, term}, lists: s.hot}, nil
	}
	return list, nil
}

// dictionary returns the terms of a field.
func (s *segmentView) dictionary(field string) (segment.TermDictionary, error) {
	if dict, ok := s.dicts[field]; ok {
		return dict, nil
	}
	dict, err := s.segment.Dictionary(field)
	if err == nil {
		s.dicts[field] = dict
	}
	return dict, err
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

// ofLang returns the live documents in a language.
func (s *segmentView) ofLang(tag string) (*roaring.Bitmap, error) {
	return s.docsWith(fieldFilters, "l:"+strings.ToLower(tag))
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
	lang    []uint8 // by document: which of statsCache.langs it is in

	mu    sync.Mutex
	dead  uint64 // deletes only grow, so their number tells which they are
	alive []population
	times []int64 // Unix seconds by document, 0 unknown; nil: not read yet
}

// live adds the documents that are not deleted, and their lengths, to a table
// by language.
func (s *segmentStats) live(deleted *roaring.Bitmap, sum []population) []population {
	var dead uint64
	if deleted != nil {
		dead = deleted.GetCardinality()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.alive == nil || s.dead != dead {
		s.dead, s.alive = dead, make([]population, int(slices.Max(append([]uint8{0}, s.lang...)))+1)
		for doc, n := range s.lengths {
			p := &s.alive[s.lang[doc]]
			p.docs++
			p.length += uint64(n)
			p.longest = max(p.longest, uint64(n))
		}
		if dead > 0 {
			for it := deleted.Iterator(); it.HasNext(); {
				doc := it.Next()
				p := &s.alive[s.lang[doc]]
				p.docs--
				p.length -= uint64(s.lengths[doc])
			}
		}
	}
	if more := len(s.alive) - len(sum); more > 0 {
		sum = append(sum, make([]population, more)...)
	}
	for i := range s.alive {
		sum[i].docs += s.alive[i].docs
		sum[i].length += s.alive[i].length
		sum[i].longest = max(sum[i].longest, s.alive[i].longest)
	}
	return sum
}

// statsCache keeps the statistics of the segments in use, and numbers the
// languages; number 0 is a document without one.
type statsCache struct {
	mu    sync.Mutex
	byID  map[uint64]*segmentStats
	langs []string
	hot   hotLists
}

func (c *statsCache) of(s *segmentView) (*segmentStats, error) {
	c.mu.Lock()
	stats := c.byID[s.id]
	c.mu.Unlock()
	if stats != nil && len(stats.lengths) == int(s.segment.Count()) {
		return stats, nil
	}
	stats = &segmentStats{lengths: make([]uint32, s.segment.Count()), lang: make([]uint8, s.segment.Count())}
	dict, err := s.segment.Dictionary(fieldAll)
	if err != nil {
		return nil, err
	}
	var wrong error
	err = eachDoc(dict, allTerm, func(p segment.Posting) {
		lp, ok := p.(lengthPosting)
		if !ok || p.Number() >= uint64(len(stats.lengths)) {
			wrong = fmt.Errorf("segment %d: length of document %d cannot be read", s.id, p.Number())
			return
		}
		stats.lengths[p.Number()] = uint32(lp.NormUint64())
	})
	if err = cmp.Or(err, wrong); err != nil {
		return nil, err
	}
	if err := c.readLangs(s, stats); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byID == nil {
		c.byID = map[uint64]*segmentStats{}
	}
	c.byID[s.id] = stats
	return stats, nil
}

// readLangs finds the language of each document.
func (c *statsCache) readLangs(s *segmentView, stats *segmentStats) error {
	dict, err := s.segment.Dictionary(fieldFilters)
	if err != nil {
		return err
	}
	terms := dict.AutomatonIterator(nil, []byte("l:"), []byte("l;"))
	for {
		e, err := terms.Next()
		if err != nil {
			return err
		}
		if e == nil {
			return nil
		}
		lang := e.Term[len("l:"):]
		if language.Base(lang) != lang {
			continue
		}
		n := c.number(lang)
		if err := eachDoc(dict, e.Term, func(p segment.Posting) { stats.lang[p.Number()] = n }); err != nil {
			return err
		}
	}
}

// number returns the number of a language, 0 when there are too many.
func (c *statsCache) number(lang string) uint8 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.langs) == 0 {
		c.langs = []string{""}
	}
	n := slices.Index(c.langs, lang)
	if n < 0 && len(c.langs) < 256 {
		n = len(c.langs)
		c.langs = append(c.langs, lang)
	}
	return uint8(max(n, 0))
}

// eachDoc visits the postings of a term, of deleted documents too.
func eachDoc(dict segment.TermDictionary, term string, visit func(segment.Posting)) error {
	list, err := dict.PostingsList([]byte(term), nil, nil)
	if err != nil {
		return err
	}
	for it := list.Iterator(true, true, false, nil); ; {
		p, err := it.Next()
		if err != nil || p == nil {
			return err
		}
		visit(p)
	}
}

// keep forgets segments that were merged away, now and then, and returns the
// languages there are.
func (c *statsCache) keep(used []*segmentView) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.byID) > 2*len(used)+8 {
		byID := make(map[uint64]*segmentStats, len(used))
		for _, s := range used {
			byID[s.id] = s.stats
		}
		c.byID = byID
	}
	if len(c.langs) == 0 {
		return []string{""}
	}
	return c.langs[:len(c.langs):len(c.langs)]
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
	for {
		e, err := terms.Next()
		if err != nil {
			return nil, err
		}
		if e == nil {
			break
		}
		at := timeOfTerm(e.Term)
		if err := eachDoc(dict, e.Term, func(p segment.Posting) { times[p.Number()] = at }); err != nil {
			return nil, err
		}
	}
	s.stats.times = times
	return times, nil
}
