package content

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"newsie/content/language"
	"newsie/content/story"
)

// A story is a text that several published articles have, as when two feeds
// print one report. It is known by the article that readers could see first,
// whose address so stays the story's; when that is withdrawn or rewritten, the
// next in age takes its place. Column story names it on all of them, and is 0
// where there is one alone.

// A Copy is another article with the same story.
type Copy struct {
	ID                       int64
	Source, URL, Title, Slug string
}

// storyText is what is compared of an article.
func storyText(a *Article) story.Text {
	return story.Text{Source: a.Source, Title: a.Title, Body: a.Text(), At: a.Published}
}

// group puts an article that was kept, changed or taken back into its story,
// and what it leaves behind into theirs. The caller holds the counter, so that
// no two do it at a time.
func group(ctx context.Context, tx bun.Tx, a *Article, print story.Print) error {
	rest, err := leave(ctx, tx, a.ID)
	if err != nil {
		return err
	}
	if err := join(ctx, tx, a, print); err != nil {
		return err
	}
	for i := range rest {
		if err := join(ctx, tx, &rest[i], story.Of(storyText(&rest[i]))); err != nil {
			return err
		}
	}
	return nil
}

// leave breaks up the story that an article is in and returns the others of
// it: what they had in common may have been this one.
func leave(ctx context.Context, tx bun.Tx, id int64) ([]Article, error) {
	var of int64
	if err := tx.NewRaw("SELECT story FROM articles WHERE id = ?", id).Scan(ctx, &of); err != nil {
		return nil, fmt.Errorf("read the story of article %d: %w", id, err)
	}
	if of <= 0 {
		return nil, nil
	}
	var rows []row
	err := tx.NewRaw("SELECT "+meta+", body FROM articles WHERE story = ? AND story <> 0 AND id <> ? ORDER BY added_seq, id", of, id).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("read the story of article %d: %w", id, err)
	}
	if _, err := tx.ExecContext(ctx, "UPDATE articles SET story = 0 WHERE story = ? AND story <> 0", of); err != nil {
		return nil, fmt.Errorf("break up the story of article %d: %w", id, err)
	}
	if err := storiesChanged(ctx, tx); err != nil {
		return nil, err
	}
	return articles(rows)
}

// join finds the story that an article without one tells, if it is published
// and another tells it already.
func join(ctx context.Context, tx bun.Tx, a *Article, print story.Print) error {
	a.Story = 0
	if a.State != Published || print.None() {
		if _, err := tx.ExecContext(ctx, "DELETE FROM prints WHERE article = ?", a.ID); err != nil {
			return fmt.Errorf("forget the print of article %d: %w", a.ID, err)
		}
		return nil
	}
	keys := print.Keys()
	_, err := tx.ExecContext(ctx, `INSERT INTO prints (article, sim, key1, key2, key3, key4, key5, key6) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (article) DO UPDATE SET sim = excluded.sim, key1 = excluded.key1, key2 = excluded.key2, key3 = excluded.key3,
			key4 = excluded.key4, key5 = excluded.key5, key6 = excluded.key6`,
		a.ID, int64(print.Sim), keys[0], keys[1], keys[2], keys[3], keys[4], keys[5])
	if err != nil {
		return fmt.Errorf("keep the print of article %d: %w", a.ID, err)
	}
	first, err := twin(ctx, tx, a, print)
	if err != nil || first.ID == 0 {
		return err
	}
	of := first.ID
	if a.AddedSeq < first.AddedSeq { // one that was published again
		of = a.ID
	}
	_, err = tx.ExecContext(ctx, "UPDATE articles SET story = ? WHERE id IN (?) OR story = ? AND story <> 0", of, bun.List([]int64{a.ID, first.ID}), first.ID)
	if err != nil {
		return fmt.Errorf("join article %d with %d: %w", a.ID, first.ID, err)
	}
	a.Story = of
	return storiesChanged(ctx, tx)
}

// storiesChanged tells every replica's memory, once the transaction is done.
func storiesChanged(ctx context.Context, tx bun.Tx) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO counters (name, value) VALUES ('stories', 1) ON CONFLICT (name) DO UPDATE SET value = counters.value + 1")
	if err != nil {
		return fmt.Errorf("count a change of stories: %w", err)
	}
	return nil
}

// What is compared with one article at most: prints by their keys, and texts.
const (
	mostPrints = 400
	mostTexts  = 6
)

// twin finds the first article of the story that a tells; the zero Article is none.
func twin(ctx context.Context, tx bun.Tx, a *Article, print story.Print) (Article, error) {
	near, err := nearPrints(ctx, tx, a.ID, print)
	if err != nil || len(near) == 0 {
		return Article{}, err
	}
	same := story.With(storyText(a))
	var apart []int64 // stories that were found to be others
	for _, id := range near {
		other, err := publishedIn(ctx, tx, id, a.Lang)
		if err != nil {
			return Article{}, err
		}
		if other.ID == 0 || slices.Contains(apart, other.Story) || !same(storyText(&other)) {
			continue
		}
		if other.Story == 0 || other.Story == other.ID {
			return other, nil
		}
		// A third text may be near the second and no longer the first.
		first, err := publishedIn(ctx, tx, other.Story, a.Lang)
		if err != nil {
			return Article{}, err
		}
		if first.ID != 0 && same(storyText(&first)) {
			return first, nil
		}
		apart = append(apart, other.Story)
	}
	return Article{}, nil
}

// nearPrints lists the articles with prints like one, the nearest first.
func nearPrints(ctx context.Context, tx bun.Tx, id int64, print story.Print) ([]int64, error) {
	keys := print.Keys()
	var found []struct{ Article, Sim, Key5, Key6 int64 }
	// One by one, so that each has its index.
	const by = "SELECT article, sim, key5, key6 FROM prints WHERE "
	err := tx.NewRaw(by+"key5 = ? UNION "+by+"key6 = ? UNION "+by+"key1 = ? UNION "+by+"key2 = ? UNION "+by+"key3 = ? UNION "+by+"key4 = ? LIMIT ?",
		keys[4], keys[5], keys[0], keys[1], keys[2], keys[3], mostPrints).Scan(ctx, &found)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("look for prints like that of article %d: %w", id, err)
	}
	var near []int64
	distance := map[int64]int{}
	for _, f := range found {
		other := story.Print{Sim: uint64(f.Sim), Least: [2]uint64{uint64(f.Key5), uint64(f.Key6)}}
		if f.Article != id && print.Near(other) {
			near = append(near, f.Article)
			distance[f.Article] = print.Distance(other)
		}
	}
	slices.SortStableFunc(near, func(a, b int64) int { return distance[a] - distance[b] })
	return near[:min(len(near), mostTexts)], nil
}

// publishedIn reads an article with its body when it is published, in a
// language; otherwise the zero Article. Both Chinese scripts count as
// languages: who reads one of them wants that.
func publishedIn(ctx context.Context, tx bun.Tx, id int64, lang string) (Article, error) {
	var rows []row
	err := tx.NewRaw("SELECT "+meta+", body FROM articles WHERE id = ? AND state = ?", id, Published).Scan(ctx, &rows)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return Article{}, fmt.Errorf("read article %d: %w", id, err)
	}
	if len(rows) == 0 {
		return Article{}, nil
	}
	a, err := rows[0].article()
	if err != nil {
		return Article{}, err
	}
	if base := language.Base(lang); base != language.Base(a.Lang) || base == "zh" && lang != a.Lang {
		return Article{}, nil
	}
	return a, nil
}

// compared bounds what one step of Compare holds the database for.
const compared = 50

// Compare finds the stories of some articles that were kept before stories were
// told apart, in the order in which they came, and tells whether there are
// more. It may stop anywhere and goes on where it stopped.
func (l *Library) Compare(ctx context.Context) (more bool, err error) {
	var waiting int
	// Also what is not published, which needs no comparing until it is.
	err = l.db.Reader().NewRaw("SELECT count(*) FROM (SELECT 1 AS one FROM articles WHERE story = -1 AND story <> 0 LIMIT 1) AS waiting").Scan(ctx, &waiting)
	if err != nil || waiting == 0 {
		return false, err
	}
	err = l.db.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := nextSeq(ctx, tx, 0); err != nil { // one at a time
			return err
		}
		var rows []row
		err := tx.NewRaw("SELECT "+meta+", body FROM articles WHERE story = -1 AND story <> 0 ORDER BY added_seq, id LIMIT ?", compared).Scan(ctx, &rows)
		if err != nil {
			return err
		}
		list, err := articles(rows)
		if err != nil {
			return err
		}
		more = len(list) == compared
		for i := range list {
			// What was found related to it is to be found again: it may have come
			// from before that had to be near.
			if _, err := tx.ExecContext(ctx, "UPDATE articles SET story = 0, related_count = 0 WHERE id = ?", list[i].ID); err != nil {
				return err
			}
			if err := join(ctx, tx, &list[i], story.Of(storyText(&list[i]))); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("compare articles that were kept before: %w", err)
	}
	return more, nil
}

// withCopies fills in where else the stories of listed articles are told.
func (l *Library) withCopies(ctx context.Context, list []Article) error {
	var stories []int64
	for _, a := range list {
		if a.Story > 0 && !slices.Contains(stories, a.Story) {
			stories = append(stories, a.Story)
		}
	}
	if len(stories) == 0 {
		return nil
	}
	var found []struct {
		ID, Story int64
		Source    string
		URL       string `bun:"url"`
		Title     string
		Slug      string
	}
	// Only published articles have a story. A condition on their state would lead
	// SQLite away from the index.
	err := l.db.Reader().NewRaw("SELECT id, source, url, title, slug, story FROM articles WHERE story IN (?) AND story <> 0 ORDER BY added_seq, id",
		bun.List(stories)).Scan(ctx, &found)
	if err != nil {
		return fmt.Errorf("look where else stories are told: %w", err)
	}
	for i := range list {
		for _, f := range found {
			if f.Story == list[i].Story && f.ID != list[i].ID {
				list[i].Also = append(list[i].Also, Copy{f.ID, f.Source, f.URL, f.Title, f.Slug})
			}
		}
	}
	return nil
}

// once takes each story once out of articles that stand in some order: at the
// first place that any of its articles has, but by its own first article when
// that is among them.
func once(list []Article) []Article {
	byID := make(map[int64]Article, len(list))
	for _, a := range list {
		byID[a.ID] = a
	}
	seen := map[int64]bool{}
	kept := make([]Article, 0, len(list))
	for _, a := range list {
		if a.Story > 0 {
			if seen[a.Story] {
				continue
			}
			seen[a.Story] = true
			if first, ok := byID[a.Story]; ok {
				a = first
			}
		}
		kept = append(kept, a)
	}
	return kept
}

// oncePerTitle takes the first of articles that sources gave the same title: in
// one digest even two texts of their own tell the same. Equal titles in one
// source are its series', whose parts differ.
func oncePerTitle(list []Article) []Article {
	const least = 12 // bytes; "Weather" says nothing
	sources := map[string]string{}
	return slices.DeleteFunc(list, func(a Article) bool {
		title := language.FoldHan(strings.ToLower(strings.TrimSpace(a.Title)))
		source, told := sources[title]
		if !told {
			sources[title] = a.Source
		}
		return told && source != a.Source && len(title) >= least
	})
}

// copies counts the articles that pass f with an earlier one of the same story.
func (f Filter) copies(via string) (string, []any) {
	where, args := f.conditions("c.")
	earlier, more := f.conditions("o.")
	return "SELECT count(*) FROM articles AS c" + via + " WHERE c.story > 0 AND c.story <> 0 AND " + strings.Join(where, " AND ") +
		" AND EXISTS (SELECT 1 FROM articles AS o WHERE o.story = c.story AND o.story <> 0 AND o.added_seq < c.added_seq AND " +
		strings.Join(earlier, " AND ") + ")", append(args, more...)
}

// firstOf is the condition that no earlier article of the same story passes f
// too, for articles that pass it.
func (f Filter) firstOf() (string, []any) {
	where, args := f.conditions("o.")
	return "(story <= 0 OR NOT EXISTS (SELECT 1 FROM articles o WHERE o.story = articles.story AND o.story <> 0 AND o.added_seq < articles.added_seq AND " +
		strings.Join(where, " AND ") + "))", args
}
