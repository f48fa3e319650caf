package index

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"newsie/content/language"
)

// A SuggestQuery asks what somebody may be about to type.
type SuggestQuery struct {
	Text string // as far as it is typed; operators mean nothing here
	Lang string // the reader's language, preferred; "": none

	// Filters, as a Query's.
	Langs, Tags, Sources, Authors []string
	After, Before                 time.Time

	Limit int // 0 is 8

	// Fetch returns the titles of those of some articles that readers may see.
	Fetch func(ids []int64) (map[int64]string, error)
}

// A Suggestion is a tag, or an article by its title.
type Suggestion struct {
	Text     string
	Article  int64 // 0 for tags
	Articles int   // how many have the tag
}

const (
	defaultSuggestions = 8
	maxSuggestions     = 50
	maxPrefix          = 64   // runes of what was typed that count
	maxSuggestTerms    = 3000 // words or tags that are looked at
	someOfTag          = 4    // articles of a tag asked whether readers may see them
)

// Suggest returns tags and titles that begin with a text, or have a word that
// does; of Chinese ones, that have it anywhere, or are spelled so in pinyin or
// its initials. Tags that match whole come first, the most used first, then
// titles, in the reader's language before others and the newest first, then
// other tags. A text without letters or digits brings nothing.
func (x *Index) Suggest(ctx context.Context, q SuggestQuery) ([]Suggestion, error) {
	v, err := x.view()
	if err != nil {
		return nil, err
	}
	defer v.close()
	w := x.workers.Get().(*worker)
	defer x.workers.Put(w)
	s := &suggester{view: v, worker: w, query: &q, limit: q.Limit}
	if s.limit <= 0 {
		s.limit = defaultSuggestions
	}
	s.limit = min(s.limit, maxSuggestions)
	text := cutRunes(strings.TrimSpace(cutRunes(q.Text, 4*maxPrefix)), maxPrefix)
	s.key, _ = w.suggestKey(text)
	if s.key == "" {
		return nil, nil
	}
	s.atoms = atomsOf(w, text)
	if spells(s.key) {
		s.pinyin = s.key
	}
	f, err := x.filterOf(v, &Query{Langs: q.Langs, Tags: q.Tags, Sources: q.Sources, Authors: q.Authors, After: q.After, Before: q.Before}, &Parsed{})
	if err != nil {
		return nil, fmt.Errorf("suggest: %w", err)
	}
	for i := range v.segments {
		pass, err := f.docs(v, i)
		if err != nil {
			return nil, fmt.Errorf("suggest: %w", err)
		}
		s.pass = append(s.pass, pass)
	}
	list, err := s.run(ctx)
	if err != nil {
		return nil, fmt.Errorf("suggest: %w", err)
	}
	return list, nil
}

// cutRunes returns at most n runes of a text.
func cutRunes(text string, n int) string {
	for i := range text {
		if n == 0 {
			return text[:i]
		}
		n--
	}
	return text
}

// spells tells whether a text may be pinyin: letters alone, two at least.
func spells(key string) bool {
	return len(key) >= 2 && !strings.ContainsFunc(key, func(r rune) bool { return r < 'a' || r > 'z' })
}

// A suggester makes the suggestions for one text.
type suggester struct {
	view   *view
	worker *worker
	query  *SuggestQuery
	limit  int
	key    string // what was typed, as suggestKey makes it
	atoms  []atom
	pinyin string            // the same, when it may be pinyin
	pass   []*roaring.Bitmap // by segment, what the filters let through; nil: all
	own    []*roaring.Bitmap // by segment, what is in the reader's language
}

func (s *suggester) run(ctx context.Context) ([]Suggestion, error) {
	if s.query.Lang != "" {
		for _, seg := range s.view.segments {
			docs, err := seg.ofLang(language.Base(s.query.Lang))
			if err != nil {
				return nil, err
			}
			s.own = append(s.own, docs)
		}
	}
	tags, err := s.tags()
	if err != nil {
		return nil, err
	}
	whole := 0
	for whole < len(tags) && tags[whole].whole && whole < (s.limit+1)/2 {
		whole++
	}
	others := len(tags) - whole
	room := s.limit - whole - min(others, s.limit/4)
	titles, err := s.titles(ctx, room, tags)
	if err != nil {
		return nil, err
	}
	var list []Suggestion
	add := func(tags []tag) {
		for _, t := range tags {
			if t.seen && len(list) < s.limit {
				list = append(list, Suggestion{Text: t.text, Articles: t.articles})
			}
		}
	}
	add(tags[:whole])
	list = append(list, titles...)
	add(tags[whole:])
	return list, nil
}

// A tag is one that begins as was typed.
type tag struct {
	key, text string // as compared; as most articles write it
	most      uint64
	whole     bool
	count     uint64 // of articles, deleted ones too
	articles  int
	own       int     // of them, in the reader's language
	some      []int64 // of them
	seen      bool    // readers may see one of them
}

// tags returns the tags that begin as was typed, those that match whole first,
// then by how many articles have them.
func (s *suggester) tags() ([]tag, error) {
	byKey := map[string]*tag{}
	var found []*tag
	prefix := tagTerm + s.key
	for _, seg := range s.view.segments {
		err := seg.terms(fieldSuggest, prefix, maxSuggestTerms, func(term string, count uint64) {
			at := strings.IndexAny(term, wholeTag+innerTag)
			if at < 0 {
				return
			}
			whole, text := term[:at+1] == prefix+wholeTag, term[at+1:]
			name := nameKey(text)
			t := byKey[name]
			if t == nil {
				t = &tag{key: name}
				byKey[name] = t
				found = append(found, t)
			}
			t.whole = t.whole || whole
			t.count += count
			if count > t.most {
				t.text, t.most = text, count
			}
		})
		if err != nil {
			return nil, err
		}
	}
	byUse := func(a, b *tag) int {
		if a.whole != b.whole {
			if a.whole {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(b.own, a.own), cmp.Compare(b.articles, a.articles), cmp.Compare(b.count, a.count), cmp.Compare(a.key, b.key))
	}
	slices.SortFunc(found, byUse)
	found = found[:min(len(found), 2*s.limit)]
	for _, t := range found {
		if err := s.use(t); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(found, byUse)
	var list []tag
	for _, t := range found {
		// One letter is no pinyin.
		if t.articles > 0 && len(list) < s.limit && (len(s.key) > 1 || s.begins(t.text)) {
			list = append(list, *t)
		}
	}
	return list, nil
}

// use counts the articles of a tag.
func (s *suggester) use(t *tag) error {
	for i, seg := range s.view.segments {
		docs, err := seg.docsWith(fieldFilters, "t:"+t.key)
		if err != nil {
			return err
		}
		if s.pass[i] != nil {
			docs = roaring.And(docs, s.pass[i])
		}
		t.articles += int(docs.GetCardinality())
		if s.own != nil {
			t.own += int(docs.AndCardinality(s.own[i]))
		}
		for it := docs.ReverseIterator(); it.HasNext() && len(t.some) < someOfTag; {
			id, err := seg.article(it.Next())
			if err != nil {
				return err
			}
			t.some = append(t.some, id)
		}
	}
	return nil
}

// A dated document.
type dated struct {
	at  int64 // when it was published
	seg int
	doc uint32
	id  int64
}

// newest returns the n documents published last, the last first; of those of
// one day, or of no known one, the articles added last, as far as they are
// among the first few of the day that storage has.
func (s *suggester) newest(docs []*roaring.Bitmap, n int) ([]dated, error) {
	var best []dated
	newer := func(a, b dated) int {
		return cmp.Or(cmp.Compare(b.at, a.at), cmp.Compare(s.view.segments[b.seg].id, s.view.segments[a.seg].id), cmp.Compare(b.doc, a.doc))
	}
	most := 3 * n // with others of the last one's day
	for i, seg := range s.view.segments {
		if docs[i] == nil || docs[i].IsEmpty() {
			continue
		}
		times, err := seg.readTimes()
		if err != nil {
			return nil, err
		}
		for it := docs[i].ReverseIterator(); it.HasNext(); {
			doc := it.Next()
			d := dated{at: times[doc], seg: i, doc: doc}
			if len(best) == most {
				if d.at < best[most-1].at || newer(best[most-1], d) <= 0 {
					continue
				}
				best = best[:most-1]
			}
			place, _ := slices.BinarySearchFunc(best, d, newer)
			best = slices.Insert(best, place, d)
		}
	}
	for len(best) > n && best[len(best)-1].at < best[n-1].at {
		best = best[:len(best)-1]
	}
	for i := range best {
		var err error
		if best[i].id, err = s.view.segments[best[i].seg].article(best[i].doc); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(best, func(a, b dated) int { return cmp.Or(cmp.Compare(b.at, a.at), cmp.Compare(b.id, a.id)) })
	return best[:min(n, len(best))], nil
}

// article returns the number of the article that a document is.
func (s *segmentView) article(doc uint32) (int64, error) {
	key, err := s.segment.DocID(uint64(doc))
	if err != nil {
		return 0, err
	}
	return docID(key)
}

// terms calls visit for the terms of a field that begin with a prefix, at most
// so many, with how many documents have them, deleted ones too.
func (s *segmentView) terms(field, prefix string, most int, visit func(term string, count uint64)) error {
	dict, err := s.dictionary(field)
	if err != nil {
		return err
	}
	terms := dict.AutomatonIterator(nil, []byte(prefix), []byte(prefix+"\xff"))
	for range most {
		e, err := terms.Next()
		if err != nil {
			return err
		}
		if e == nil {
			break
		}
		visit(e.Term, e.Count)
	}
	return nil
}

// A way is one in which titles match: the documents of a segment that may, and
// whether one does. A segment that has none may return nil.
type way struct {
	docs    func(*segmentView) (*roaring.Bitmap, error)
	matches func(title string) bool
}

// A tier is the documents that may match in one way, by segment.
type tier struct {
	docs    []*roaring.Bitmap
	matches func(title string) bool
}

// titles returns up to n titles, and notes on the tags which readers may see.
func (s *suggester) titles(ctx context.Context, n int, tags []tag) ([]Suggestion, error) {
	tiers, err := s.tiers(n)
	if err != nil {
		return nil, err
	}
	var list []Suggestion
	said := map[string]bool{}
	for most := n + 4; ; most *= 4 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		more := false
		var ids []int64
		tierOf := map[int64]int{}
		for i, t := range tiers {
			if len(ids) >= 3*most {
				more = true
				break
			}
			docs, err := s.newest(t.docs, most)
			if err != nil {
				return nil, err
			}
			more = more || len(docs) == most
			for _, d := range docs {
				if _, met := tierOf[d.id]; !met {
					tierOf[d.id] = i
					ids = append(ids, d.id)
				}
			}
		}
		ask := ids
		for _, t := range tags {
			ask = append(ask, t.some...)
		}
		seen, err := s.query.Fetch(ask)
		if err != nil {
			return nil, err
		}
		for i := range tags {
			tags[i].seen = slices.ContainsFunc(tags[i].some, func(id int64) bool { _, ok := seen[id]; return ok })
		}
		list = list[:0]
		clear(said)
		for _, id := range ids {
			title, ok := seen[id]
			if !ok || len(list) == n || !tiers[tierOf[id]].matches(title) {
				continue
			}
			if key := nameKey(title); !said[key] {
				said[key] = true
				list = append(list, Suggestion{Text: title, Article: id})
			}
		}
		if len(list) == n || !more || most > 8*(n+4) {
			return list, nil
		}
	}
}

// tiers returns the ways in which titles match, the best first: the typed
// itself, its pinyin, its initials at the beginning and elsewhere, first in the
// reader's language and then in the others.
func (s *suggester) tiers(n int) ([]tier, error) {
	if n <= 0 {
		return nil, nil
	}
	ways := []way{{s.beginning, s.begins}}
	if s.pinyin != "" {
		ways = append(ways, way{s.spelled, s.isSpelled}, way{s.initialsFirst, s.hasInitials}, way{s.initials, s.hasInitials})
	}
	var own, others []tier
	for _, way := range ways {
		mine, rest := tier{matches: way.matches}, tier{matches: way.matches}
		for i, seg := range s.view.segments {
			docs, err := way.docs(seg)
			if err != nil {
				return nil, err
			}
			if docs != nil && s.pass[i] != nil {
				docs = roaring.And(docs, s.pass[i])
			}
			if s.own == nil || docs == nil {
				mine.docs, rest.docs = append(mine.docs, docs), append(rest.docs, nil)
				continue
			}
			mine.docs, rest.docs = append(mine.docs, roaring.And(docs, s.own[i])), append(rest.docs, roaring.AndNot(docs, s.own[i]))
		}
		own, others = append(own, mine), append(others, rest)
	}
	return append(own, others...), nil
}
