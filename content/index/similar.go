package index

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"newsie/content/language"
)

// similarTerms is how many terms of a text are compared.
const similarTerms = 30

// foreign is what a likeness counts across languages: what is barely like a text
// in its own language still comes before most of what is in another, where
// names and numbers are all they can share, and after what clearly is like it.
const foreign = 0.6

// Similar returns the articles nearest to one, which may be in the index or
// not: those that share its most telling terms. A score of 1 is what the text
// would have with itself, so that near 1 is the same story.
func (x *Index) Similar(ctx context.Context, d Doc, n int) ([]Hit, error) {
	v, err := x.view()
	if err != nil {
		return nil, err
	}
	defer v.close()
	if n <= 0 || v.docs == 0 {
		return nil, nil
	}
	lang := docLang(&d)
	groups, self, err := x.telling(v, &d, lang)
	if err != nil {
		return nil, fmt.Errorf("similar: %w", err)
	}
	if err := ctx.Err(); err != nil || len(groups) == 0 {
		return nil, err
	}
	// Enough that those in other languages leave room for the same one.
	r := &ranking{view: v, groups: groups, essential: len(groups), k: 4*n + 1}
	scratch := x.scratch.Get().(*scratch)
	defer x.scratch.Put(scratch)
	found, err := r.run(scratch)
	if err != nil {
		return nil, fmt.Errorf("similar: %w", err)
	}
	list, err := v.nearest(found, &d, self, lang)
	if err != nil {
		return nil, fmt.Errorf("similar: %w", err)
	}
	return list[:min(n, len(list))], nil
}

// nearest names what was found for a document and orders it; self is the score
// that the document itself would have.
func (v *view) nearest(found []scored, d *Doc, self float64, lang string) ([]Hit, error) {
	var list []Hit
	for _, f := range found {
		s := v.segments[f.seg]
		key, err := s.segment.DocID(uint64(f.doc))
		if err != nil {
			return nil, err
		}
		id, err := docID(key)
		if err != nil {
			return nil, err
		}
		if id == d.ID {
			continue
		}
		same, err := s.ofLang(language.Base(lang))
		if err != nil {
			return nil, err
		}
		hit := Hit{id, min(f.score/self, 1)}
		if !same.Contains(f.doc) {
			hit.Score *= foreign
		}
		list = append(list, hit)
	}
	slices.SortFunc(list, func(a, b Hit) int { return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(b.ID, a.ID)) })
	return list, nil
}

// telling returns the terms of a document with the most tf-idf as groups, and
// the score that the document itself has for them.
func (x *Index) telling(v *view, d *Doc, lang string) ([]*group, float64, error) {
	w := x.workers.Get().(*worker)
	defer x.workers.Put(w)
	t := tally{words: map[string]int{}, pairs: map[string]int{}, chars: map[string]int{}}
	t.count(w, lang, d.Title)
	for _, name := range d.Names {
		t.count(w, lang, name)
	}
	t.count(w, lang, d.Body)
	stops := map[string]bool{} // they would stand for the language where it is rare
	w.analyze(d.Title+"\n"+d.Body, func(k token) {
		if k.kind == kindWord && language.Stopword(language.Base(lang), k.text) {
			stops[w.term(lang, k.text)] = true
		}
	})
	// Terms are looked up one by one, so those that the text repeats go first.
	type term struct {
		field, text string
		n           int
	}
	var terms []term
	for text, n := range t.words {
		if !stops[text] {
			terms = append(terms, term{fieldWords, text, n})
		}
	}
	for text, n := range t.pairs {
		terms = append(terms, term{fieldPairs, text, n})
	}
	slices.SortFunc(terms, func(a, b term) int { return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.text, b.text)) })
	terms = terms[:min(len(terms), 400)]
	// Rare is what is rare in the language: in a library of many, every word of
	// a small one would be.
	docs := v.population(language.Base(lang))
	var groups []*group
	counts := map[*group]int{}
	for _, t := range terms {
		g := &group{variants: []variant{{t.field, t.text, 1}}, boost: 1}
		if err := v.lookup(g); err != nil {
			return nil, 0, err
		}
		if g.df == 0 {
			continue
		}
		g.weigh(docs, g.df)
		counts[g] = t.n
		groups = append(groups, g)
	}
	value := func(g *group) float64 { return g.idf * (1 + math.Log(float64(counts[g]))) }
	slices.SortStableFunc(groups, func(a, b *group) int { return cmp.Compare(value(b), value(a)) })
	groups = groups[:min(len(groups), similarTerms)]
	average, self := v.average(lang), 0.0
	for _, g := range groups {
		g.boost = 1 + math.Log(float64(counts[g]))
		g.weigh(docs, g.df)
		f := float64(counts[g])
		self += g.boost * g.idf * (bm25K1 + 1) * f / (f + bm25K1*(1-bm25B+bm25B*float64(t.length)/average))
	}
	return groups, self, nil
}
