package content

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"newsie/content/index"
	"newsie/internal/database"
)

// A Library is the archive: articles in the database, found through the index.
// It is safe for concurrent use.
type Library struct {
	db    *database.DB
	index *index.Index
	log   *slog.Logger
	now   func() time.Time

	public string // of the reader pages

	woken     chan struct{}
	following sync.Mutex
	behind    atomic.Pointer[time.Time] // since when; nil: it is not
	moved     atomic.Pointer[time.Time] // when the index last followed something
	memory    memory
	pins      pinned
}

// Options of a Library; the zero value is usable.
type Options struct {
	Logger    *slog.Logger
	Now       func() time.Time
	PublicURL string // of the reader pages, whose addresses lead to articles
}

// Open opens the library kept in db, with its index in the folder dir. The
// index may lag behind until Follow or Run has caught up.
func Open(db *database.DB, dir string, o Options) (*Library, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	x, err := index.Open(dir, index.Options{Logger: o.Logger})
	if err != nil {
		return nil, fmt.Errorf("open the index in %s: %w", dir, err)
	}
	return &Library{db: db, index: x, log: o.Logger, now: o.Now, public: o.PublicURL, woken: make(chan struct{}, 1)}, nil
}

// Words waits until typing errors can be repaired: soon after Open, with many
// articles a moment later.
func (l *Library) Words(ctx context.Context) error { return l.index.Words(ctx) }

// Close closes the index; the database stays open.
func (l *Library) Close() error { return l.index.Close() }

// A Query is what a reader asks.
type Query struct {
	Text   string
	Lang   string // the reader's language, preferred at equal merit
	Filter Filter
	IDs    []int64 // only among these; nil is everywhere
	Limit  int     // how many to show; 0 is 5
	Exact  bool    // as typed: no typo repair, no pinyin

	// Unfinished: the reader is still typing, and the last word may be half a one.
	Unfinished bool

	// Recency is how much better an article of today is than the same one of long
	// ago, falling by half every thirty days: 0 not at all, .05 mildly, .2 as news.
	Recency float64
}

// A Hit is an article with the reason why it was found.
type Hit struct {
	Article Article
	Score   float64
	Snippet index.Snippet
}

// Results are what a search found, best first.
type Results struct {
	Hits      []Hit
	IDs       []int64 // of the best Depth articles, the shown ones first
	Total     int
	Corrected string   // the words as repaired; "" when they were taken as typed
	Dropped   []string // words that match nothing and were left out
	Synonyms  []index.SynonymUse
	Took      time.Duration
}

// Depth is how many articles of one search a reader can page through.
const Depth = 50

// Search finds the articles that answer a query. The address of one of our
// articles finds that article.
func (l *Library) Search(ctx context.Context, q Query) (Results, error) {
	start := time.Now()
	if q.Limit <= 0 {
		q.Limit = 5
	}
	if a, ok, err := l.ByAddress(ctx, strings.TrimSpace(q.Text)); err != nil || ok {
		hit := Hit{Article: a, Score: 1, Snippet: index.Snippet{Text: a.Summary}}
		return Results{Hits: []Hit{hit}, IDs: []int64{a.ID}, Total: 1, Took: time.Since(start)}, err
	}
	if parsed := index.ParseQuery(q.Text); strings.TrimSpace(parsed.Text) == "" && parsed.Filtered() {
		return l.browse(ctx, q, parsed, start)
	}
	if err := l.remember(ctx); err != nil {
		return Results{}, err
	}
	found, hits, err := l.distinct(ctx, q)
	if err != nil {
		return Results{}, err
	}
	results := Results{Total: found.Total - len(found.Hits) + len(hits), Corrected: found.Corrected, Dropped: found.Dropped, Synonyms: found.Synonyms}
	scores := make(map[int64]float64, len(hits))
	for _, hit := range hits {
		results.IDs = append(results.IDs, hit.ID)
		scores[hit.ID] = hit.Score
	}
	shown, err := l.tellings(ctx, results.IDs[:min(q.Limit, len(results.IDs))])
	if err != nil {
		return Results{}, err
	}
	for _, t := range shown {
		results.Hits = append(results.Hits, l.hit(found, t, scores[t.ID]))
	}
	results.Took = time.Since(start)
	return results, nil
}

// operators are what a query asks beside words, as a filter.
func operators(p index.Parsed) Filter {
	return Filter{Langs: p.Langs, Tags: p.Tags, Sources: p.Sources, Authors: p.Authors, After: p.After, Before: p.Before}
}

// mostBrowsed is how many articles are looked at for words that are left out.
const mostBrowsed = 10_000

// browse answers a query that has operators and no words: the newest articles
// that they admit.
func (l *Library) browse(ctx context.Context, q Query, p index.Parsed, start time.Time) (Results, error) {
	f := operators(p)
	f.within, f.Copies = &q.Filter, q.Filter.Copies
	results := Results{}
	if some, err := l.nameThem(ctx, &f, 0, math.MaxInt64); err != nil || !some {
		results.Took = time.Since(start)
		return results, err
	}
	var list []Article
	var err error
	if len(p.Not) > 0 {
		list, results.Total, err = l.browseWithout(ctx, f, p.Not, max(Depth, q.Limit))
	} else {
		if results.Total, err = l.Count(ctx, f); err != nil {
			return Results{}, err
		}
		list, err = l.Latest(ctx, f, max(Depth, q.Limit), 0)
	}
	if err != nil {
		return Results{}, err
	}
	for i, a := range list {
		results.IDs = append(results.IDs, a.ID)
		if i < q.Limit {
			results.Hits = append(results.Hits, Hit{Article: a, Snippet: index.Snippet{Text: a.Summary}})
		}
	}
	results.Took = time.Since(start)
	return results, nil
}

// browseWithout lists the newest articles that pass f and have none of some words
// in them, and counts them, as far as they are among the newest.
func (l *Library) browseWithout(ctx context.Context, f Filter, not []string, limit int) (list []Article, total int, err error) {
	where, args := f.where()
	var ids []int64
	err = l.db.Reader().NewRaw("SELECT id FROM articles WHERE "+where+" ORDER BY published_at DESC, id DESC LIMIT ?", append(args, mostBrowsed)...).Scan(ctx, &ids)
	if err != nil {
		return nil, 0, fmt.Errorf("list the latest articles: %w", err)
	}
	if ids, err = l.index.Lacking(ctx, ids, not); err != nil {
		return nil, 0, err
	}
	list, err = l.Articles(ctx, ids[:min(limit, len(ids))])
	return list, len(ids), err
}

// nameThem writes the authors, sources and tags of a filter as the store does,
// which compares letter by letter, going by the articles that joined after from
// and up to position to, and by those that tell the same stories: müller for
// Muller, 電商 for 电商. some is false when none of them has one of the names.
func (l *Library) nameThem(ctx context.Context, f *Filter, from, to int64) (some bool, err error) {
	for _, c := range []struct {
		asked  *[]string
		column string
		whole  bool
	}{
		{&f.Authors, "author", false},
		{&f.Sources, "source", false},
		{&f.Tags, "tags", true},
	} {
		if len(*c.asked) == 0 {
			continue
		}
		query, args := "SELECT DISTINCT "+c.column+" FROM articles WHERE state = ? AND added_seq > ? AND added_seq <= ?", []any{Published, from, to}
		if from > 0 { // and those who told their stories before
			query += " UNION SELECT o." + c.column + ` FROM articles w JOIN articles o ON o.story = w.story AND o.story <> 0
				WHERE w.added_seq > ? AND w.added_seq <= ? AND w.story > 0 AND o.state = ?`
			args = append(args, from, to, Published)
		}
		var names []string
		if err := l.db.Reader().NewRaw(query, args...).Scan(ctx, &names); err != nil {
			return false, fmt.Errorf("list names: %w", err)
		}
		if c.whole {
			if names, err = tagsIn(names); err != nil {
				return false, err
			}
		}
		meant := slices.DeleteFunc(names, func(name string) bool {
			return !slices.ContainsFunc(*c.asked, func(asked string) bool { return index.SameName(asked, name, c.whole) })
		})
		if len(meant) == 0 {
			return false, nil
		}
		*c.asked = meant
	}
	f.named = true
	return true, nil
}

// tagsIn are the tags in lists of them, as the store keeps these, each once.
func tagsIn(lists []string) ([]string, error) {
	var all []string
	for _, list := range lists {
		var tags []string
		if err := json.Unmarshal([]byte(list), &tags); err != nil {
			return nil, fmt.Errorf("read the tags of an article: %w", err)
		}
		all = append(all, tags...)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// Show gives articles that an earlier search found, with their snippets.
func (l *Library) Show(ctx context.Context, text, lang string, ids []int64) ([]Hit, error) {
	return l.ShowFound(ctx, Query{Text: text, Lang: lang, IDs: ids})
}

// ShowFound gives the articles with the ids of a query, of which nothing is
// left out, in their order with the snippets that the query makes.
func (l *Library) ShowFound(ctx context.Context, q Query) ([]Hit, error) {
	if err := l.remember(ctx); err != nil {
		return nil, err
	}
	shown, err := l.tellings(ctx, q.IDs)
	if err != nil || len(shown) == 0 {
		return nil, err
	}
	var found index.Result
	if strings.TrimSpace(q.Text) != "" {
		if found, err = l.find(ctx, q, len(q.IDs)); err != nil {
			return nil, err
		}
	}
	hits := make([]Hit, 0, len(shown))
	for _, t := range shown {
		hits = append(hits, l.hit(found, t, 0))
	}
	return hits, nil
}

func (l *Library) find(ctx context.Context, q Query, limit int) (index.Result, error) {
	found, err := l.index.Search(ctx, index.Query{
		Text: q.Text, Lang: q.Lang, IDs: q.IDs, Limit: limit, Exact: q.Exact, Unfinished: q.Unfinished, Now: l.now(), Recency: q.Recency,
		Langs: q.Filter.Langs, Tags: q.Filter.Tags, Sources: q.Filter.Sources, Authors: q.Filter.Authors,
		Fetch: l.fetch(ctx),
	})
	if err != nil {
		return index.Result{}, fmt.Errorf("search: %w", err)
	}
	return found, nil
}

// fetch reads the title and text of an article that a phrase is looked for in.
func (l *Library) fetch(ctx context.Context) func(id int64) (string, error) {
	return func(id int64) (string, error) {
		list, err := l.tellings(ctx, []int64{id})
		if err != nil || len(list) == 0 {
			return "", err
		}
		return list[0].Title + "\n" + list[0].whole, nil
	}
}

// hit makes the snippet: the telling sentences of the body, or the summary
// when the match is elsewhere.
func (l *Library) hit(found index.Result, t telling, score float64) Hit {
	snippet := l.index.Snippet(found, t.text)
	if !snippet.Matched {
		snippet = l.index.Snippet(found, index.Sentences(t.Lang, t.Summary))
		if !snippet.Matched {
			snippet = index.Snippet{Text: t.Summary}
		}
	}
	return Hit{Article: t.Article, Score: score, Snippet: snippet}
}

// snippetText leaves headings and code out: they are no sentences.
func snippetText(a Article) string {
	body := make([]Block, 0, len(a.Body))
	for _, block := range a.Body {
		if block.Kind != Heading && block.Kind != Code {
			body = append(body, block)
		}
	}
	return BodyText(body)
}

// distinct finds what readers may see now, each story once: the index may not
// have heard of a withdrawal yet, and knows nothing of stories.
func (l *Library) distinct(ctx context.Context, q Query) (index.Result, []index.Hit, error) {
	for limit := max(Depth, q.Limit); ; limit *= 2 {
		found, err := l.find(ctx, q, limit)
		if err != nil {
			return index.Result{}, nil, err
		}
		hits := l.seen(found.Hits, q.Filter.Copies)
		// A list of copies alone is too short to be shown.
		if len(hits) >= q.Limit || len(found.Hits) < limit {
			return found, hits, nil
		}
	}
}

// seen keeps the hits that readers may see, each story once, with the scores of
// the places that they get.
func (l *Library) seen(hits []index.Hit, copies bool) []index.Hit {
	list := l.sight(hits)
	best := make(map[int64]float64, len(hits)) // of an article, or of its story
	for _, hit := range slices.Backward(hits) {
		best[hit.ID] = hit.Score
	}
	for _, a := range slices.Backward(list) {
		if a.Story > 0 {
			best[a.Story] = best[a.ID]
		}
	}
	kept := list
	if !copies {
		kept = once(list)
	}
	shown := make([]index.Hit, len(kept))
	for i, a := range kept {
		shown[i] = index.Hit{ID: a.ID, Score: best[a.ID]}
		if a.Story > 0 {
			shown[i].Score = best[a.Story]
		}
	}
	return shown
}

// Nearest gives words near to what was asked that do find something.
func (l *Library) Nearest(ctx context.Context, text string, n int) ([]string, error) {
	return l.index.Nearest(ctx, text, n)
}

// topicCover is how much of a topic an article must be about: what is sent
// unasked must be closer to the point than an answer.
const topicCover = 0.75

// Matches gives the published articles within a part of the library that became
// visible after position from and up to position to and match a topic, best
// first, each story once; more is how many of them are beyond limit. The topic
// "*" is everything, and one of operators alone (tag:sport) all that they admit.
func (l *Library) Matches(ctx context.Context, topic, lang string, within Filter, from, to int64, limit int) (ids []int64, more int, err error) {
	parsed := index.ParseQuery(topic)
	wordless := topic == "*" || strings.TrimSpace(parsed.Text) == "" && parsed.Filtered()
	var filter, told Filter
	if topic != "*" {
		told = operators(parsed)
		if some, err := l.nameThem(ctx, &told, from, to); err != nil || !some {
			return nil, 0, err
		}
	}
	if wordless {
		filter = told // with words the index goes by the operators
	}
	fresh, err := l.fresh(ctx, within, filter, told, from, to)
	if err != nil || len(fresh) == 0 {
		return nil, 0, err
	}
	list := fresh
	if !wordless || len(parsed.Not) > 0 {
		if list, err = l.rank(ctx, fresh, topic, lang, parsed, wordless); err != nil {
			return nil, 0, fmt.Errorf("match the topic: %w", err)
		}
	}
	list = oncePerTitle(once(list))
	for _, a := range list[:min(limit, len(list))] {
		ids = append(ids, a.ID)
	}
	return ids, max(0, len(list)-limit), nil
}

// rank gives those of some articles that a topic is about, best first; of one
// without words those that have nothing of what it leaves out, as they stand.
func (l *Library) rank(ctx context.Context, fresh []Article, topic, lang string, parsed index.Parsed, wordless bool) ([]Article, error) {
	ids := make([]int64, len(fresh))
	byID := make(map[int64]Article, len(fresh))
	for i, a := range fresh {
		ids[i], byID[a.ID] = a.ID, a
	}
	if wordless {
		left, err := l.index.Lacking(ctx, ids, parsed.Not)
		ids = left
		if err != nil {
			return nil, err
		}
	} else {
		if len(parsed.Phrases) > 0 {
			if err := l.remember(ctx); err != nil {
				return nil, err
			}
		}
		found, err := l.index.Search(ctx, index.Query{
			Text: topic, Lang: lang, IDs: ids, Limit: len(ids), Cover: topicCover, Exact: true, Now: l.now(), Fetch: l.fetch(ctx),
		})
		if err != nil {
			return nil, err
		}
		ids = ids[:0]
		for _, hit := range found.Hits {
			ids = append(ids, hit.ID)
		}
	}
	list := make([]Article, len(ids))
	for i, id := range ids {
		list[i] = byID[id]
	}
	return list, nil
}

// fresh lists the articles that pass within and f and became visible after
// position from and up to position to, the newest first, without the copies of
// stories that an article told before which passes within and told.
func (l *Library) fresh(ctx context.Context, within, f, told Filter, from, to int64) ([]Article, error) {
	f.Copies, within.Copies = true, true
	where, args := f.where()
	part, partArgs := within.where()
	where, args = where+" AND "+part, append(args, partArgs...)
	earlier, more := told.conditions("o.")
	partEarlier, partMore := within.conditions("o.")
	earlier, more = append(earlier, partEarlier...), append(more, partMore...)
	var rows []row
	err := l.db.Reader().NewRaw("SELECT id, story, title, source FROM articles WHERE added_seq > ? AND added_seq <= ? AND "+where+`
		AND (story <= 0 OR NOT EXISTS (SELECT 1 FROM articles o
			WHERE o.story = articles.story AND o.story <> 0 AND o.added_seq <= ? AND `+strings.Join(earlier, " AND ")+`))
		ORDER BY published_at DESC, id DESC`, slices.Concat([]any{from, to}, args, []any{from}, more)...).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("list the articles since %d: %w", from, err)
	}
	return articles(rows)
}

// Store gives a library without an index, for a process that only changes what
// is kept while another one answers. Search, Nearest and Matches need Open.
func Store(db *database.DB, o Options) *Library {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Library{db: db, log: o.Logger, now: o.Now, public: o.PublicURL, woken: make(chan struct{}, 1)}
}
