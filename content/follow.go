package content

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"newsie/content/index"
)

// Seq is the position up to which the index has followed the store: what can
// be found now.
func (l *Library) Seq() int64 { return l.index.Seq() }

// Size is the index's size on disk, in bytes.
func (l *Library) Size() int64 { return l.index.Size() }

// Lag is how many changes the index has still to follow.
func (l *Library) Lag(ctx context.Context) (int64, error) {
	var n int64
	err := l.db.Reader().NewRaw("SELECT count(*) FROM articles WHERE seq > ?", l.index.Seq()).Scan(ctx, &n)
	if err != nil {
		return 0, fmt.Errorf("measure the lag of the index: %w", err)
	}
	return n, nil
}

// wake tells Run that there may be something to follow.
func (l *Library) wake() {
	select {
	case l.woken <- struct{}{}:
	default:
	}
}

// Run follows the store until ctx ends: at once after a change made here, and
// within a second after one made by another process.
func (l *Library) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	release := time.NewTicker(20 * time.Second)
	defer release.Stop()
	for {
		if _, err := l.Follow(ctx); err != nil && ctx.Err() == nil {
			l.log.Error("the index cannot follow the store; trying again", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-l.woken:
		case <-tick.C:
		case <-release.C:
			if n, err := l.Release(ctx); err != nil && ctx.Err() == nil {
				l.log.Error("articles whose date came stay hidden; trying again", "error", err)
			} else if n > 0 {
				l.log.Info("articles published on their date", "articles", n)
			}
		}
	}
}

// batch bounds what one step of Follow reads into memory.
const batch = 200

// Follow brings the index up to the store and returns how many changes that
// took. It then works out the related articles of what is new, which takes
// longer and gives way to changes that come meanwhile.
func (l *Library) Follow(ctx context.Context) (int, error) {
	l.following.Lock()
	defer l.following.Unlock()
	total := 0
	for {
		changes, err := l.Since(ctx, l.index.Seq(), batch)
		if err != nil {
			return total, err
		}
		if len(changes) == 0 {
			more, err := l.relate(ctx)
			if err != nil || !more || ctx.Err() != nil {
				return total, err
			}
			continue
		}
		docs := make([]index.Doc, len(changes))
		for i, a := range changes {
			docs[i] = doc(a)
		}
		if err := l.index.Update(changes[len(changes)-1].Seq, docs); err != nil {
			return total, fmt.Errorf("update the index: %w", err)
		}
		total += len(changes)
		if total >= 1000 {
			l.log.Info("the index follows the store", "articles", total, "seq", l.index.Seq())
		}
	}
}

func doc(a Article) index.Doc {
	if a.State != Published {
		return index.Doc{ID: a.ID, Deleted: true}
	}
	return index.Doc{
		ID: a.ID, Lang: a.Lang, Title: a.Title, Body: a.Text(),
		Names: append(append([]string(nil), a.Tags...), a.Author),
		Tags:  a.Tags, Source: a.Source, Author: a.Author, Published: a.Published,
	}
}

// keptRelated is how many related articles are kept with each article.
const keptRelated = 8

// relate works out the related articles of a few that have none yet, or whose
// were found when the library was less than half as large as it is now, and
// tells whether there were any. Each article is so looked at a number of times
// that grows with the logarithm of the library.
func (l *Library) relate(ctx context.Context) (more bool, err error) {
	count, err := l.Count(ctx, Filter{})
	if err != nil {
		return false, err
	}
	var rows []row
	err = l.db.Reader().NewRaw("SELECT "+meta+", body FROM articles WHERE state = ? AND related_count * 2 < ? AND seq <= ? ORDER BY related_count, id LIMIT 50",
		Published, count, l.index.Seq()).Scan(ctx, &rows)
	if err != nil {
		return false, fmt.Errorf("look for articles without related ones: %w", err)
	}
	if len(rows) == 0 {
		return false, nil
	}
	related := make([]string, len(rows))
	for i, r := range rows {
		a, err := r.article()
		if err != nil {
			return false, err
		}
		near, err := l.index.Similar(ctx, doc(a), keptRelated)
		if err != nil {
			return false, fmt.Errorf("look for articles like %d: %w", a.ID, err)
		}
		ids := make([]int64, 0, len(near))
		for _, hit := range near {
			if hit.ID != a.ID {
				ids = append(ids, hit.ID)
			}
		}
		related[i] = asJSON(ids)
	}
	return true, l.db.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		for i, r := range rows {
			// No new position: a list of neighbours is no change of the article.
			if _, err := tx.ExecContext(ctx, "UPDATE articles SET related = ?, related_count = ? WHERE id = ?", related[i], max(count, 1), r.ID); err != nil {
				return fmt.Errorf("keep the related articles of %d: %w", r.ID, err)
			}
		}
		return nil
	})
}

func (l *Library) related(ctx context.Context, id int64) ([]int64, error) {
	var kept string
	if err := l.db.Reader().NewRaw("SELECT related FROM articles WHERE id = ?", id).Scan(ctx, &kept); err != nil {
		return nil, fmt.Errorf("read the related articles of %d: %w", id, err)
	}
	var ids []int64
	if err := json.Unmarshal([]byte(kept), &ids); err != nil {
		return nil, fmt.Errorf("read the related articles of %d: %w", id, err)
	}
	return ids, nil
}
