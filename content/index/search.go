package index

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"newsie/content/language"
)

const (
	defaultLimit = 10
	// Weights of what is added to BM25; see prior.
	langPrior  = 0.25 // the reader's language
	titleBonus = 0.35 // the query is the title; a share of the best score there could be
	// recencyHalf is the age at which the recency prior has lost half.
	recencyHalf = 30 * 24 * time.Hour
	// deepest bounds how many documents are verified for phrases or coverage.
	deepest = 2000
)

// Search finds articles. Words are looked for in any number: documents are
// ranked by BM25, and one that covers too little of the query is no hit. An
// empty or unknown query finds nothing. Errors are those of storage and of
// Query.Fetch, and ctx's.
func (x *Index) Search(ctx context.Context, q Query) (Result, error) {
	v, err := x.view()
	if err != nil {
		return Result{}, err
	}
	defer v.close()
	parsed := ParseQuery(q.Text)
	p, err := x.compile(v, &q, parsed.Text)
	if err != nil {
		return Result{}, fmt.Errorf("search: %w", err)
	}
	corrected := p.corrected(q.Text)
	if corrected != "" {
		// What is announced is what is searched: with synonyms, and nothing else
		// that the typo may have meant.
		again := q
		again.repaired = true
		if p, err = x.compile(v, &again, p.corrected(parsed.Text)); err != nil {
			return Result{}, fmt.Errorf("search: %w", err)
		}
	}
	if q.Lang == "" {
		q.Lang = language.Base(p.lang)
	}
	r := Result{Corrected: corrected, Dropped: p.dropped, Terms: p.terms(), Synonyms: p.synonyms, plan: p}
	if len(p.groups) == 0 {
		return r, nil
	}
	f, err := x.filterOf(v, &q, &parsed)
	if err != nil {
		return Result{}, fmt.Errorf("search: %w", err)
	}
	s := &searcher{index: x, view: v, query: &q, parsed: &parsed, plan: p, filter: f}
	if err := s.prepare(ctx); err != nil {
		return Result{}, fmt.Errorf("search: %w", err)
	}
	if r.Hits, r.Total, err = s.page(ctx); err != nil {
		return Result{}, fmt.Errorf("search: %w", err)
	}
	if len(r.Hits) == 0 && r.Total == 0 {
		r.Corrected = "" // nothing is shown for it
	}
	return r, nil
}

// A searcher answers one query.
type searcher struct {
	index  *Index
	view   *view
	query  *Query
	parsed *Parsed
	plan   *plan
	filter *filter

	groups    []*group
	allowed   []*roaring.Bitmap
	essential int
	total     uint64            // documents that may be hits
	counted   bool              // total is exact as it is
	sameLang  []*roaring.Bitmap // by segment; see readPriors
	times     [][]int64
}

// prepare finds which documents may be hits at all.
func (s *searcher) prepare(ctx context.Context) error {
	s.groups = slices.Clone(s.plan.groups)
	slices.SortStableFunc(s.groups, func(a, b *group) int { return cmp.Compare(b.bound, a.bound) })
	var sets []uint
	if len(s.groups) <= fewTerms {
		sets = s.plan.sufficient(s.query.Cover)
		s.essential = len(s.groups)
		s.counted = true
	} else {
		s.essential = s.plan.essential(s.groups, s.query.Cover)
	}
	s.allowed = make([]*roaring.Bitmap, len(s.view.segments))
	for i := range s.view.segments {
		if err := ctx.Err(); err != nil {
			return err
		}
		pass, err := s.filter.docs(s.view, i)
		if err != nil {
			return err
		}
		var may *roaring.Bitmap
		if s.counted {
			may = s.plan.covering(i, sets)
		} else {
			var lists []*roaring.Bitmap
			for _, g := range s.groups[:s.essential] {
				if docs := g.inSegs[i].docs; docs != nil {
					lists = append(lists, docs)
				}
			}
			may = roaring.FastOr(lists...)
		}
		if pass != nil {
			may.And(pass)
		}
		s.total += may.GetCardinality()
		if s.counted || pass != nil {
			s.allowed[i] = may
		}
	}
	return s.addTitle()
}

// addTitle makes a group of the documents whose title is the query.
func (s *searcher) addTitle() error {
	key := nameKey(s.plan.text)
	if key == "" || len(s.plan.units) > 12 {
		return nil
	}
	var sum float64
	for _, g := range s.groups {
		sum += g.bound
	}
	g := &group{variants: []variant{{fieldTitle, key, 1}}, flat: true, boost: titleBonus * sum}
	if err := s.view.lookup(g); err != nil || g.df == 0 {
		return err
	}
	g.weigh(s.view.docs, g.df)
	// Where the title matches all words do, so that it makes no new hits.
	at := 0
	for at < len(s.groups) && s.groups[at].bound >= g.bound {
		at++
	}
	s.groups = slices.Insert(s.groups, at, g)
	if at < s.essential {
		s.essential++
	}
	return nil
}

// page returns the hits asked for and how many there are in all.
func (s *searcher) page(ctx context.Context) ([]Hit, int, error) {
	limit := s.query.Limit
	if limit <= 0 {
		limit = defaultLimit
	}
	offset := max(s.query.Offset, 0)
	if s.total == 0 {
		return nil, 0, nil
	}
	verify := !s.counted || len(s.parsed.Phrases) > 0 && s.query.Fetch != nil
	for k := offset + limit; ; k *= 4 {
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		k = min(k, int(s.total))
		ranked, err := s.rank(k)
		if err != nil {
			return nil, 0, err
		}
		hits, total := ranked, int(s.total)
		if verify {
			if hits, err = s.verify(ranked); err != nil {
				return nil, 0, err
			}
			if len(ranked) < k || k >= int(s.total) || k >= deepest {
				total = len(hits)
			} else if len(hits) < offset+limit {
				continue
			}
		}
		if err := s.lift(hits); err != nil {
			return nil, 0, err
		}
		page := hits[min(offset, len(hits)):min(offset+limit, len(hits))]
		list := make([]Hit, len(page))
		for i, h := range page {
			list[i] = Hit{h.id, h.score}
		}
		return list, total, nil
	}
}

// A candidate is a document that is ranked, with its article's number.
type candidate struct {
	scored
	id int64
}

// rank returns at least the best k documents, in order: by score with its
// priors, and of equals the newer article.
func (s *searcher) rank(k int) ([]candidate, error) {
	r := &ranking{view: s.view, groups: slices.Clone(s.groups), essential: s.essential, allowed: s.allowed, k: k, slack: s.slack()}
	if !s.counted {
		r.floor = s.plan.floor(s.view)
	}
	if r.slack > 1 {
		if err := s.readPriors(); err != nil {
			return nil, err
		}
		r.prior, r.most = s.prior, s.mostPrior()
	}
	scratch := s.index.scratch.Get().(*scratch)
	defer s.index.scratch.Put(scratch)
	found, err := r.run(scratch)
	if err != nil {
		return nil, err
	}
	list := make([]candidate, len(found))
	for i, f := range found {
		key, err := s.view.segments[f.seg].segment.DocID(uint64(f.doc))
		if err != nil {
			return nil, err
		}
		id, err := docID(key)
		if err != nil {
			return nil, err
		}
		list[i] = candidate{f, id}
	}
	slices.SortFunc(list, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(b.id, a.id))
	})
	return list[:min(k, len(list))], nil
}

// slack is the most that prior returns.
func (s *searcher) slack() float64 {
	slack := 1 + max(s.query.Recency, 0)
	if s.query.Lang != "" {
		slack *= 1 + langPrior
	}
	return slack
}

// readPriors reads what prior needs.
func (s *searcher) readPriors() error {
	for i, seg := range s.view.segments {
		if s.query.Lang != "" && len(s.sameLang) == i {
			b, err := seg.ofLang(s.query.Lang)
			if err != nil {
				return err
			}
			s.sameLang = append(s.sameLang, b)
		}
		if s.query.Recency > 0 && !s.query.Now.IsZero() && len(s.times) == i {
			times, err := seg.readTimes()
			if err != nil {
				return err
			}
			s.times = append(s.times, times)
		}
	}
	return nil
}

// prior is what a document's score is multiplied by, for what it is and not for
// what it says: a little for the reader's language, and for being new, falling
// by half each recencyHalf.
func (s *searcher) prior(seg int, doc uint32) float64 {
	prior := 1.0
	if s.sameLang != nil && s.sameLang[seg].Contains(doc) {
		prior *= 1 + langPrior
	}
	if s.times != nil {
		if t := s.times[seg][doc]; t != 0 {
			age := max(s.query.Now.Sub(time.Unix(t, 0)), 0)
			prior *= 1 + s.query.Recency*math.Exp2(-float64(age)/float64(recencyHalf))
		}
	}
	return prior
}

// mostPrior is the most that prior returns for documents of each language.
func (s *searcher) mostPrior() []float64 {
	most := make([]float64, len(s.view.byLang))
	for i := range most {
		most[i] = s.slack()
		// Number 0 is documents without a language, or one too many.
		if i > 0 && i < len(s.view.langs) && s.query.Lang != "" && s.view.langs[i] != language.Base(s.query.Lang) {
			most[i] /= 1 + langPrior
		}
	}
	return most
}

// verify leaves out what covers too little of a long query, and what lacks a
// phrase.
func (s *searcher) verify(list []candidate) ([]candidate, error) {
	var hits []candidate
	for _, c := range list {
		if !s.counted {
			covers := s.plan.covers(func(g *group) bool {
				docs := g.inSegs[c.seg].docs
				return docs != nil && docs.Contains(c.doc)
			}, s.query.Cover)
			if !covers {
				continue
			}
		}
		if len(s.parsed.Phrases) > 0 && s.query.Fetch != nil {
			text, err := s.query.Fetch(c.id)
			if err != nil {
				return nil, fmt.Errorf("fetch article %d: %w", c.id, err)
			}
			if !s.index.hasPhrases(text, s.parsed.Phrases) {
				continue
			}
		}
		hits = append(hits, c)
	}
	return hits, nil
}
