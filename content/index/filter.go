package index

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
)

// A filter is what a hit must be, apart from its words.
type filter struct {
	any    [][]string // of each list of terms of fieldFilters, one
	must   []*plan    // phrases: all their words
	not    []*plan
	after  time.Time
	before time.Time
	ids    []string // nil: all
}

// filterOf puts a query's filters and operators together.
func (x *Index) filterOf(v *view, q *Query, parsed *Parsed) (*filter, error) {
	f := &filter{after: q.After, before: q.Before}
	if parsed.After.After(f.after) {
		f.after = parsed.After
	}
	if f.before.IsZero() || !parsed.Before.IsZero() && parsed.Before.Before(f.before) {
		f.before = parsed.Before
	}
	add := func(prefix string, key func(string) string, values []string) {
		if len(values) == 0 {
			return
		}
		var terms []string
		for _, s := range values {
			terms = append(terms, prefix+key(s))
		}
		f.any = append(f.any, terms)
	}
	for _, list := range [][]string{q.Langs, parsed.Langs} {
		add("l:", strings.ToLower, list)
	}
	for _, list := range [][]string{q.Tags, parsed.Tags} {
		add("t:", nameKey, list)
	}
	for _, list := range [][]string{q.Sources, parsed.Sources} {
		add("s:", nameKey, list)
	}
	for _, list := range [][]string{q.Authors, parsed.Authors} {
		add("a:", nameKey, list)
	}
	if q.IDs != nil {
		f.ids = make([]string, 0, len(q.IDs))
		for _, id := range q.IDs {
			f.ids = append(f.ids, docKey(id))
		}
	}
	for _, text := range parsed.Phrases {
		p, err := x.compile(v, &Query{Exact: true, literal: true}, text)
		if err != nil {
			return nil, err
		}
		f.must = append(f.must, p)
	}
	for _, text := range parsed.Not {
		p, err := x.compile(v, &Query{Exact: true, literal: true}, text)
		if err != nil {
			return nil, err
		}
		f.not = append(f.not, p)
	}
	return f, nil
}

// Lacking gives those of some articles that have none of several words or
// phrases in them, in their order. What the index does not know is left out.
func (x *Index) Lacking(ctx context.Context, ids []int64, words []string) ([]int64, error) {
	v, err := x.view()
	if err != nil {
		return nil, err
	}
	defer v.close()
	f, err := x.filterOf(v, &Query{IDs: append([]int64{}, ids...)}, &Parsed{Not: words})
	if err != nil {
		return nil, fmt.Errorf("look for what is left out: %w", err)
	}
	lacking := make(map[int64]bool, len(ids))
	for i, s := range v.segments {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		docs, err := f.docs(v, i)
		if err != nil {
			return nil, fmt.Errorf("look for what is left out: %w", err)
		}
		docs.And(s.live()) // an older state of an article says nothing
		for it := docs.Iterator(); it.HasNext(); {
			key, err := s.segment.DocID(uint64(it.Next()))
			if err != nil {
				return nil, err
			}
			id, err := docID(key)
			if err != nil {
				return nil, err
			}
			lacking[id] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(ids), func(id int64) bool { return !lacking[id] }), nil
}

// docs returns the documents of segment i that pass, nil for all.
func (f *filter) docs(v *view, i int) (*roaring.Bitmap, error) {
	s := v.segments[i]
	var pass *roaring.Bitmap
	and := func(b *roaring.Bitmap) {
		if pass == nil {
			pass = b.Clone()
		} else {
			pass.And(b)
		}
	}
	if f.ids != nil {
		b, err := s.segment.DocNumbers(f.ids)
		if err != nil {
			return nil, err
		}
		and(b)
	}
	for _, terms := range f.any {
		some := roaring.New()
		for _, t := range terms {
			b, err := s.docsWith(fieldFilters, t)
			if err != nil {
				return nil, err
			}
			some.Or(b)
		}
		and(some)
	}
	if !f.after.IsZero() || !f.before.IsZero() {
		b, err := f.between(s)
		if err != nil {
			return nil, err
		}
		and(b)
	}
	for _, p := range f.must {
		if b := p.everything(i); b != nil {
			and(b)
		} else {
			and(roaring.New())
		}
	}
	for _, p := range f.not {
		if b := p.everything(i); b != nil {
			if pass == nil {
				pass = s.live()
			}
			pass.AndNot(b)
		}
	}
	return pass, nil
}

// between returns the documents published in the time asked for. Documents
// without a time are in none.
func (f *filter) between(s *segmentView) (*roaring.Bitmap, error) {
	times, err := s.readTimes()
	if err != nil {
		return nil, err
	}
	b := roaring.New()
	for doc, t := range times {
		if t == 0 || !f.after.IsZero() && t < f.after.Unix() || !f.before.IsZero() && t >= f.before.Unix() {
			continue
		}
		b.Add(uint32(doc))
	}
	return b, nil
}

// everything returns the documents of segment i that have all words of a plan;
// nil for none. (A document with all pairs of a run counts as having the run.)
func (p *plan) everything(i int) *roaring.Bitmap {
	var all *roaring.Bitmap
	for _, u := range p.units {
		if len(u.main) == 0 {
			return nil
		}
		for _, g := range u.main {
			docs := g.inSegs[i].docs
			if docs == nil {
				return nil
			}
			if all == nil {
				all = docs.Clone()
			} else {
				all.And(docs)
			}
		}
	}
	return all
}
