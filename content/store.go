package content

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"
)

// ErrNotFound: there is no such article, or readers may not see it.
var ErrNotFound = errors.New("no such article")

// ErrWithdrawn: there was such an article, and the publisher took it back.
var ErrWithdrawn = errors.New("the article was withdrawn")

// meta are the columns that lists need; the body is read only where it is shown.
const meta = `id, source, source_key, state, url, title, slug, author, note, lang, published_at, tags, cover,
	summary, previous, next, recommended, story, hash, seq, added_seq, added_at`

// A row is an article as the table holds it.
type row struct {
	ID          int64
	Source      string
	SourceKey   string
	State       string
	URL         string `bun:"url"`
	Title       string
	Slug        string
	Author      string
	Note        string
	Lang        string
	PublishedAt int64
	Tags        string
	Cover       string
	Body        string
	Summary     string
	Previous    string
	Next        string
	Recommended string
	Story       int64
	// How many articles there were when the related ones were found.
	RelatedCount int64
	Hash         string
	Seq          int64
	AddedSeq     int64
	AddedAt      int64
}

func (r row) article() (Article, error) {
	a := Article{
		ID: r.ID, Source: r.Source, Key: r.SourceKey, State: State(r.State),
		URL: r.URL, Title: r.Title, Slug: r.Slug, Author: r.Author, Note: r.Note, Lang: r.Lang,
		Published: fromMillis(r.PublishedAt), Cover: r.Cover, Summary: r.Summary,
		Previous: r.Previous, Next: r.Next, Story: max(r.Story, 0),
		Hash: r.Hash, Seq: r.Seq, AddedSeq: r.AddedSeq, Added: fromMillis(r.AddedAt),
	}
	for _, field := range []struct {
		from string
		to   any
	}{{r.Tags, &a.Tags}, {r.Body, &a.Body}, {r.Recommended, &a.Recommended}} {
		if field.from == "" {
			continue
		}
		if err := json.Unmarshal([]byte(field.from), field.to); err != nil {
			return Article{}, fmt.Errorf("read article %d: %w", r.ID, err)
		}
	}
	return a, nil
}

func articles(rows []row) ([]Article, error) {
	list := make([]Article, 0, len(rows))
	for _, r := range rows {
		a, err := r.article()
		if err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, nil
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func toMillis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func asJSON(v any) string {
	data, err := json.Marshal(v)
	if err != nil || string(data) == "null" {
		return "[]" // only slices of plain structs come here: they always marshal
	}
	return string(data)
}

// nextSeq takes n positions. It also locks the counter until the transaction
// ends, so that positions become visible in their order.
func nextSeq(ctx context.Context, tx bun.Tx, n int) (last int64, err error) {
	err = tx.NewRaw("UPDATE counters SET value = value + ? WHERE name = 'seq' RETURNING value", n).Scan(ctx, &last)
	if err != nil {
		return 0, fmt.Errorf("take a position in the store: %w", err)
	}
	return last, nil
}

// Article gives one article whole, whatever its state is: the caller decides
// what a waiting or withdrawn one means. ErrNotFound when there is none.
func (l *Library) Article(ctx context.Context, id int64) (Article, error) {
	var rows []row
	err := l.db.Reader().NewRaw("SELECT "+meta+", body FROM articles WHERE id = ?", id).Scan(ctx, &rows)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return Article{}, fmt.Errorf("read article %d: %w", id, err)
	}
	if len(rows) == 0 {
		return Article{}, fmt.Errorf("article %d: %w", id, ErrNotFound)
	}
	a, err := rows[0].article()
	if err != nil {
		return Article{}, err
	}
	list := []Article{a}
	return list[0], l.withCopies(ctx, list)
}

// Articles gives the published ones of the articles with these ids, in this
// order, without their bodies.
func (l *Library) Articles(ctx context.Context, ids []int64) ([]Article, error) {
	return l.load(ctx, ids, meta)
}

func (l *Library) load(ctx context.Context, ids []int64, columns string) ([]Article, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var rows []row
	err := l.db.Reader().NewRaw("SELECT "+columns+" FROM articles WHERE id IN (?) AND state = ?", bun.List(ids), Published).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("read articles: %w", err)
	}
	list, err := articles(rows)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(columns, meta) {
		if err := l.withCopies(ctx, list); err != nil {
			return nil, err
		}
	}
	byID := make(map[int64]Article, len(list))
	for _, a := range list {
		byID[a.ID] = a
	}
	ordered := list[:0]
	for _, id := range ids {
		if a, ok := byID[id]; ok {
			ordered = append(ordered, a)
		}
	}
	return ordered, nil
}

// A Filter narrows a list; empty fields do not. In one field any value will do;
// "zh" stands for both scripts.
type Filter struct {
	Langs, Tags, Sources, Authors []string
	After, Before                 time.Time // published at or after; before
	State                         State     // "" is Published
	Copies                        bool      // every article of a story, not its first alone

	within *Filter // to be passed as well
	named  bool    // Authors are whole names
}

// where is the condition that an article passes f.
func (f Filter) where() (string, []any) {
	where, args := f.conditions("")
	if !f.Copies {
		first, more := f.firstOf()
		where, args = append(where, first), append(args, more...)
	}
	return strings.Join(where, " AND "), args
}

// conditions are those on an article alone, whose columns are called by a prefix.
func (f Filter) conditions(of string) ([]string, []any) {
	state := f.State
	if state == "" {
		state = Published
	}
	where, args := []string{of + "state = ?"}, []any{state}
	if f.within != nil {
		where, args = f.within.conditions(of)
	}
	if len(f.Langs) > 0 {
		langs := append([]string(nil), f.Langs...)
		for _, lang := range f.Langs {
			if lang == "zh" {
				langs = append(langs, "zh-Hans", "zh-Hant")
			}
		}
		where, args = append(where, of+"lang IN (?)"), append(args, bun.List(langs))
	}
	if len(f.Sources) > 0 {
		where, args = append(where, of+"source IN (?)"), append(args, bun.List(f.Sources))
	}
	if len(f.Authors) > 0 && f.named {
		where, args = append(where, of+"author IN (?)"), append(args, bun.List(f.Authors))
	} else if len(f.Authors) > 0 {
		var any []string
		for _, author := range f.Authors {
			any = append(any, of+`author = ? OR lower(`+of+`author) LIKE ? ESCAPE '\'`)
			args = append(args, author, "%"+escapeLike(strings.ToLower(author))+"%")
		}
		where = append(where, "("+strings.Join(any, " OR ")+")")
	}
	if !f.After.IsZero() {
		where, args = append(where, of+"published_at >= ?"), append(args, f.After.UnixMilli())
	}
	if !f.Before.IsZero() {
		where, args = append(where, of+"published_at < ? AND "+of+"published_at <> 0"), append(args, f.Before.UnixMilli())
	}
	if len(f.Tags) > 0 {
		var any []string
		for _, tag := range f.Tags {
			any = append(any, `lower(`+of+`tags) LIKE ? ESCAPE '\'`)
			args = append(args, "%"+escapeLike(strings.ToLower(asJSON(tag)))+"%")
		}
		where = append(where, "("+strings.Join(any, " OR ")+")")
	}
	return where, args
}

func escapeLike(s string) string {
	return strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(s)
}

// Latest lists articles, the newest first, without their bodies: each story
// once, by the first of its articles that passes f.
func (l *Library) Latest(ctx context.Context, f Filter, limit, offset int) ([]Article, error) {
	where, args := f.where()
	var rows []row
	err := l.db.Reader().NewRaw("SELECT "+meta+" FROM articles WHERE "+where+
		" ORDER BY published_at DESC, id DESC LIMIT ? OFFSET ?", append(args, limit, offset)...).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("list the latest articles: %w", err)
	}
	list, err := articles(rows)
	if err != nil {
		return nil, err
	}
	return list, l.withCopies(ctx, list)
}

// Count counts the articles that pass f, each story once.
func (l *Library) Count(ctx context.Context, f Filter) (int, error) {
	where, args := f.conditions("")
	query := "SELECT count(*) FROM articles WHERE " + strings.Join(where, " AND ")
	if !f.Copies {
		// Subtracted, because most articles are no copies and reading the story of
		// each takes longer.
		copies, more := f.copies(l.db.Via("articles_story"))
		query = "SELECT (" + query + ") - (" + copies + ")"
		args = append(args, more...)
	}
	var n int
	if err := l.db.Reader().NewRaw(query, args...).Scan(ctx, &n); err != nil {
		return 0, fmt.Errorf("count articles: %w", err)
	}
	return n, nil
}

// Sides counts the articles, in whatever state, of one source and of all others.
func (l *Library) Sides(ctx context.Context, source string) (own, others int, err error) {
	query := "SELECT count(CASE WHEN source = ? THEN 1 END), count(CASE WHEN source <> ? THEN 1 END) FROM articles"
	if err := l.db.Reader().QueryRowContext(ctx, query, source, source).Scan(&own, &others); err != nil {
		return 0, 0, fmt.Errorf("count the articles by source: %w", err)
	}
	return own, others, nil
}

// ByTitle finds the newest published article with exactly this title.
func (l *Library) ByTitle(ctx context.Context, title string) (Article, bool, error) {
	return l.first(ctx, "title = ?", title)
}

// ByURL finds the published article with this canonical address.
func (l *Library) ByURL(ctx context.Context, url string) (Article, bool, error) {
	return l.first(ctx, "url = ?", url)
}

// ByKey finds the newest published article that its source knows by this key: a
// file's path, a feed's id of the item.
func (l *Library) ByKey(ctx context.Context, key string) (Article, bool, error) {
	if key == "" {
		return Article{}, false, nil
	}
	// The ids come from an index alone: no source is named that would lead to one.
	var ids []int64
	if err := l.db.Reader().NewRaw("SELECT id FROM articles WHERE source_key = ?", key).Scan(ctx, &ids); err != nil {
		return Article{}, false, fmt.Errorf("look for an article by its key: %w", err)
	}
	list, err := l.Articles(ctx, ids)
	if err != nil || len(list) == 0 {
		return Article{}, false, err
	}
	return slices.MaxFunc(list, func(a, b Article) int { return a.Published.Compare(b.Published) }), true, nil
}

func (l *Library) first(ctx context.Context, condition, value string) (Article, bool, error) {
	if value == "" {
		return Article{}, false, nil
	}
	var rows []row
	err := l.db.Reader().NewRaw("SELECT "+meta+" FROM articles WHERE state = ? AND "+condition+
		" ORDER BY published_at DESC, id DESC LIMIT 1", Published, value).Scan(ctx, &rows)
	if err != nil {
		return Article{}, false, fmt.Errorf("look for an article: %w", err)
	}
	if len(rows) == 0 {
		return Article{}, false, nil
	}
	a, err := rows[0].article()
	return a, err == nil, err
}

// Since lists the changes after a position in their order, withdrawals and
// waiting articles included, with bodies.
func (l *Library) Since(ctx context.Context, seq int64, limit int) ([]Article, error) {
	var rows []row
	err := l.db.Reader().NewRaw("SELECT "+meta+", body FROM articles WHERE seq > ? ORDER BY seq LIMIT ?", seq, limit).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("read the changes since %d: %w", seq, err)
	}
	return articles(rows)
}

// Last is the position of the newest change in the store.
func (l *Library) Last(ctx context.Context) (int64, error) {
	var last int64
	if err := l.db.Reader().NewRaw("SELECT coalesce(max(seq), 0) FROM articles").Scan(ctx, &last); err != nil {
		return 0, fmt.Errorf("read the position of the store: %w", err)
	}
	return last, nil
}

// TagCount is a tag with the number of its published articles.
type TagCount struct {
	Tag   string
	Count int
}

// Tags lists the tags that most published articles of a language have; "" is
// all languages. Tags that more articles of other languages have are an
// archive's common labels, no words of this language; they come last, except
// in English, which such labels are written in.
func (l *Library) Tags(ctx context.Context, lang string, limit int) ([]TagCount, error) {
	elements := "json_each(articles.tags) AS t"
	if l.db.Postgres() {
		elements = "jsonb_array_elements_text(articles.tags::jsonb) AS t(value)"
	}
	var counts []TagCount
	err := l.db.Reader().NewRaw(`SELECT tag, own AS count FROM (
			SELECT t.value AS tag, sum(CASE WHEN articles.lang = ? OR ? = '' THEN 1 ELSE 0 END) AS own, count(*) AS everywhere
			FROM articles, `+elements+` WHERE state = ? GROUP BY t.value) AS counted
		WHERE own > 0
		ORDER BY CASE WHEN ? IN ('', 'en') OR own * 2 > everywhere THEN 0 ELSE 1 END, own DESC, tag LIMIT ?`,
		lang, lang, Published, lang, limit).Scan(ctx, &counts)
	if err != nil {
		return nil, fmt.Errorf("count the tags: %w", err)
	}
	return counts, nil
}
