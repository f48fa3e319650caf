package index

import (
	"math"
	"slices"
	"unicode/utf8"

	"github.com/RoaringBitmap/roaring/v2"
	segment "github.com/blevesearch/scorch_segment_api/v2"
)

// synonymWeight is what an occurrence of a synonym counts beside one of the
// word that was typed: an article that says it once scores four fifths.
const synonymWeight = 0.65

// A SynonymUse is a word of a query with what was looked for in its stead.
type SynonymUse struct {
	Typed string
	Also  []string // as the rules write it
}

// A group's synonyms are other ways to have it: 京东, when jd.com was asked for.
// A document has one when it has all words of it. How often is how often it
// has the rarest of them, and of several synonyms the most frequent counts:
// JD.com is one word and not also JD. A group with synonyms is ranked as one
// term, as Lucene's SynonymQuery does, with the frequency and idf of all.
type alternatives struct {
	synonyms []*synonym
	ways     [][][]variant // by synonym: of each of these lists, one
	lists    map[*segmentView]segment.PostingsList
}

// A stand is where alternatives count: for the word that the unit is, or for
// the characters from..to of its run.
type stand struct {
	from, to int
	*alternatives
}

// addSynonyms notes on the units of the plan what else they may be had by.
func (c *compiler) addSynonyms(s *Synonyms) {
	if s == nil {
		return
	}
	atoms := atomsOf(c.worker, c.plan.text)
	langs := c.langs
	if c.plan.lang != "" {
		langs = []string{c.plan.lang}
	}
	for _, t := range s.find(c.worker, langs, atoms) {
		alt := &alternatives{synonyms: t.synonym.also, lists: map[*segmentView]segment.PostingsList{}}
		use := SynonymUse{Typed: c.plan.text[atoms[t.from].start:atoms[t.to-1].end]}
		for _, other := range t.synonym.also {
			alt.ways = append(alt.ways, c.wayOf(other))
			use.Also = append(use.Also, other.text)
		}
		c.plan.synonyms = append(c.plan.synonyms, use)
		for _, u := range c.plan.units {
			u.stand(alt, atoms, t)
		}
	}
}

// stand notes the part of a unit that a synonym was typed for.
func (u *unit) stand(alt *alternatives, atoms []atom, t typed) {
	first := -1 // the unit's first atom
	from, to := -1, -1
	for i, a := range atoms {
		if a.start < u.start || a.end > u.end {
			continue
		}
		if first < 0 {
			first = i
		}
		if i >= t.from && i < t.to {
			if from < 0 {
				from = i - first
			}
			to = i - first + 1
		}
	}
	if from >= 0 {
		u.stands = append(u.stands, stand{from, to, alt})
	}
}

// synonymsOf returns the alternatives for the characters from..to of a run; for
// words, of the whole.
func (u *unit) synonymsOf(from, to int) []*alternatives {
	var list []*alternatives
	for _, s := range u.stands {
		if u.run == nil || u.word != "" || s.from <= from && to <= s.to {
			list = append(list, s.alternatives)
		}
	}
	return list
}

// spelledBy tells whether a word is one of the unit's synonyms, in which case
// its pinyin need not find it again.
func (u *unit) spelledBy(word string) bool {
	return slices.ContainsFunc(u.stands, func(s stand) bool {
		return slices.ContainsFunc(s.synonyms, func(e *synonym) bool { return len(e.atoms) == 1 && e.atoms[0].key == word })
	})
}

// wayOf returns the terms of a synonym: all of its words, in any language of
// the library, and all pairs of its runs.
func (c *compiler) wayOf(s *synonym) [][]variant {
	var all [][]variant
	for _, u := range s.units {
		switch {
		case u.run == nil:
			list := c.stemsIn(c.langs, u.word)
			if p := plain(u.word); !slices.ContainsFunc(list, func(v variant) bool { return v.term == p }) {
				list = append(list, variant{fieldWords, p, 1})
			}
			all = append(all, list)
		case u.word != "":
			all = append(all, []variant{{fieldPairs, u.word, 1}})
		case len(u.run) == 1:
			all = append(all, []variant{{fieldChars, string(u.run), 1}})
		default:
			other := otherKana(u.run)
			for n := 0; n+1 < len(u.run); n++ {
				list := []variant{{fieldPairs, string(u.run[n : n+2]), 1}}
				if other != nil {
					list = append(list, variant{fieldPairs, string(other[n : n+2]), 1})
				}
				all = append(all, list)
			}
		}
	}
	return all
}

// in returns the postings of alternatives in a segment, nil when it has none.
func (alt *alternatives) in(s *segmentView) (segment.PostingsList, error) {
	if list, ok := alt.lists[s]; ok {
		return list, nil
	}
	sum := &synonymList{docs: roaring.New()}
	for _, way := range alt.ways {
		w, err := wholeIn(s, way)
		if err != nil {
			return nil, err
		}
		if w.docs != nil && !w.docs.IsEmpty() {
			sum.ways = append(sum.ways, w)
			sum.docs.Or(w.docs)
		}
	}
	var list segment.PostingsList
	if len(sum.ways) > 0 {
		list = sum
	}
	alt.lists[s] = list
	return list, nil
}

// A wholeList is the documents that have something of each of several lists.
type wholeList struct {
	docs  *roaring.Bitmap
	parts [][]segment.PostingsList
}

func wholeIn(s *segmentView, way [][]variant) (wholeList, error) {
	var whole wholeList
	for _, any := range way {
		var lists []segment.PostingsList
		docs := roaring.New()
		for _, v := range any {
			list, err := s.list(v.field, v.term)
			if err != nil {
				return wholeList{}, err
			}
			if list != nil {
				lists = append(lists, list)
				docs.Or(bitmapOf(list.Iterator(false, false, false, nil)))
			}
		}
		if whole.docs == nil {
			whole.docs = docs
		} else {
			whole.docs.And(docs)
		}
		if whole.docs.IsEmpty() {
			return wholeList{}, nil
		}
		whole.parts = append(whole.parts, lists)
	}
	return whole, nil
}

// unread answers storage's questions about the bytes read: none of our own.
type unread struct{}

func (unread) BytesRead() uint64     { return 0 }
func (unread) ResetBytesRead(uint64) {}
func (unread) BytesWritten() uint64  { return 0 }

// A synonymList is the postings of alternatives in one segment.
type synonymList struct {
	unread
	docs *roaring.Bitmap
	ways []wholeList
}

var _ segment.PostingsList = (*synonymList)(nil)

func (l *synonymList) Count() uint64 { return l.docs.GetCardinality() }
func (l *synonymList) Size() int     { return int(l.docs.GetSizeInBytes()) }

// Iterator returns an *synonymIterator, which tells numbers and frequencies only.
func (l *synonymList) Iterator(_, _, _ bool, _ segment.PostingsIterator) segment.PostingsIterator {
	return &synonymIterator{list: l, docs: l.docs}
}

// A synonymIterator visits the documents of a synonymList. Frequencies are read
// at the first step, of the documents that are still wanted then.
type synonymIterator struct {
	unread
	list    *synonymList
	docs    *roaring.Bitmap
	numbers []uint32 // nil: not read yet
	freqs   []uint64
	at      int
	posting synonymPosting
}

var _ segment.OptimizablePostingsIterator = (*synonymIterator)(nil)

func (it *synonymIterator) ActualBitmap() *roaring.Bitmap      { return it.docs }
func (it *synonymIterator) DocNum1Hit() (uint64, bool)         { return 0, false }
func (it *synonymIterator) ReplaceActual(docs *roaring.Bitmap) { it.docs = docs }
func (it *synonymIterator) Size() int                          { return 12 * len(it.numbers) }

func (it *synonymIterator) Next() (segment.Posting, error) {
	if it.numbers == nil {
		if err := it.read(); err != nil {
			return nil, err
		}
	}
	for it.at < len(it.numbers) {
		i := it.at
		it.at++
		if it.freqs[i] > 0 {
			it.posting = synonymPosting{number: uint64(it.numbers[i]), freq: it.freqs[i]}
			return &it.posting, nil
		}
	}
	return nil, nil
}

func (it *synonymIterator) Advance(number uint64) (segment.Posting, error) {
	for {
		p, err := it.Next()
		if err != nil || p == nil || p.Number() >= number {
			return p, err
		}
	}
}

// read works the frequencies out.
func (it *synonymIterator) read() error {
	it.numbers = it.docs.ToArray()
	it.freqs = make([]uint64, len(it.numbers))
	least, sum := make([]uint64, len(it.numbers)), make([]uint64, len(it.numbers))
	for _, way := range it.list.ways {
		docs := roaring.And(way.docs, it.docs)
		if docs.IsEmpty() {
			continue
		}
		for i := range least {
			least[i] = math.MaxUint64
		}
		for _, lists := range way.parts {
			clear(sum)
			for _, list := range lists {
				i := 0
				err := eachPosting(list, docs, func(doc uint32, freq float64) {
					for it.numbers[i] < doc {
						i++
					}
					sum[i] += uint64(freq)
				})
				if err != nil {
					return err
				}
			}
			for i, n := range sum {
				least[i] = min(least[i], n)
			}
		}
		for i, n := range least {
			it.freqs[i] = max(it.freqs[i], n)
		}
	}
	return nil
}

// synonymPosting is one document of a synonymList.
type synonymPosting struct{ number, freq uint64 }

func (p *synonymPosting) Number() uint64                { return p.number }
func (p *synonymPosting) Frequency() uint64             { return p.freq }
func (p *synonymPosting) Norm() float64                 { return 0 }
func (p *synonymPosting) Locations() []segment.Location { return nil }
func (p *synonymPosting) Size() int                     { return 16 }

// synonymMatches finds where the synonyms of a plan stand in a text, so that
// they are marked in it.
func (p *plan) synonymMatches(w *worker, lang, text string) []match {
	groups := map[*synonym][]*group{}
	first := map[string][]*synonym{} // by the first character, or the stem of the first word
	for _, g := range p.groups {
		for _, alt := range g.synonyms {
			for _, s := range alt.synonyms {
				if slices.Contains(groups[s], g) {
					continue
				}
				if groups[s] == nil {
					key := s.atoms[0].key
					if word := s.atoms[0].word; word != "" {
						key = w.term(lang, word)
					}
					first[key] = append(first[key], s)
				}
				groups[s] = append(groups[s], g)
			}
		}
	}
	if len(groups) == 0 {
		return nil
	}
	atoms := atomsOf(w, text)
	langs := []string{lang}
	var list []match
	for i, a := range atoms {
		key := a.key
		if a.word != "" {
			key = w.term(lang, a.word)
		}
		for _, s := range first[key] {
			if !s.at(w, langs, atoms[i:]) {
				continue
			}
			for _, g := range groups[s] {
				list = append(list, match{a.start, atoms[i+len(s.atoms)-1].end, g})
			}
		}
	}
	return list
}

// partMatches finds synonyms that are a part of a compound: JD in JD.com.
func (p *plan) partMatches(w *worker, lang, text string) []match {
	byTerm := map[string][]*group{}
	for _, g := range p.groups {
		for _, alt := range g.synonyms {
			for _, s := range alt.synonyms {
				if len(s.atoms) == 1 && s.atoms[0].word != "" && utf8.RuneCountInString(s.atoms[0].word) > 1 {
					key := w.term(lang, s.atoms[0].word)
					byTerm[key] = append(byTerm[key], g)
				}
			}
		}
	}
	var list []match
	if len(byTerm) == 0 {
		return nil
	}
	w.analyze(text, func(t token) {
		if t.kind == kindPart {
			for _, g := range byTerm[w.term(lang, t.text)] {
				list = append(list, match{t.start, t.end, g})
			}
		}
	})
	return list
}
