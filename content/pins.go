package content

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/uptrace/bun"
)

// Pins are articles that stay at the top of the newest and of digests until a
// time (table pins).

// MostPins is how many articles may be pinned at once: what is new must have
// room below them.
const MostPins = 3

// keepPins is how long a replica goes by what it knows of the pins.
const keepPins = 3 * time.Second

var (
	// ErrTooManyPins: MostPins articles are pinned.
	ErrTooManyPins = errors.New("too many articles are pinned")
	// ErrNotPublished: readers may not see the article, or not yet.
	ErrNotPublished = errors.New("the article is not published")
)

// A Pin keeps an article at the top until a time.
type Pin struct {
	Article Article // as it is now: one that was withdrawn is shown nowhere
	Until   time.Time
	Since   time.Time
}

type pinRow struct {
	Article  int64
	Until    int64
	PinnedAt int64
}

// pinned are the pins as a replica has read them.
type pinned struct {
	mu   sync.Mutex
	rows []pinRow // the newest first
	good time.Time
}

// Pin keeps a published article at the top until a time; one that is pinned has
// the new time. It returns the article.
func (l *Library) Pin(ctx context.Context, id int64, until time.Time) (Article, error) {
	a, err := l.Article(ctx, id)
	switch {
	case err != nil:
		return a, err
	case a.State == Withdrawn || a.State == Gone:
		return a, ErrWithdrawn
	case a.State != Published:
		return a, ErrNotPublished
	}
	now := l.now().UnixMilli()
	err = l.db.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM pins WHERE until <= ?", now); err != nil {
			return err
		}
		var others int
		if err := tx.NewRaw("SELECT COUNT(*) FROM pins WHERE article <> ?", id).Scan(ctx, &others); err != nil {
			return err
		}
		if others >= MostPins {
			return ErrTooManyPins
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO pins (article, until, pinned_at) VALUES (?, ?, ?)
			ON CONFLICT (article) DO UPDATE SET until = excluded.until`, id, until.UnixMilli(), now)
		return err
	})
	l.pins.forget()
	if err != nil {
		return a, fmt.Errorf("pin article %d: %w", id, err)
	}
	return a, nil
}

// Unpin lets an article take its place among the others again; false: it was not
// pinned.
func (l *Library) Unpin(ctx context.Context, id int64) (bool, error) {
	result, err := l.db.ExecContext(ctx, "DELETE FROM pins WHERE article = ? AND until > ?", id, l.now().UnixMilli())
	l.pins.forget()
	if err != nil {
		return false, fmt.Errorf("unpin article %d: %w", id, err)
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

// Pins lists the pins that last, the newest first, those of withdrawn articles
// among them.
func (l *Library) Pins(ctx context.Context) ([]Pin, error) {
	rows, err := l.readPins(ctx)
	if err != nil {
		return nil, err
	}
	var list []Pin
	for _, row := range rows {
		a, err := l.Article(ctx, row.Article)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, Pin{Article: a, Until: time.UnixMilli(row.Until), Since: time.UnixMilli(row.PinnedAt)})
	}
	return list, nil
}

// Pinned gives the pinned articles that pass f, the newest pin first, marked as
// such. What another replica changed it learns within seconds; a withdrawal counts
// at once.
func (l *Library) Pinned(ctx context.Context, f Filter) ([]Article, error) {
	ids, err := l.pinnedNow(ctx)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	f.Copies = true // chosen by its number, whatever else tells its story
	where, args := f.where()
	var rows []row
	err = l.db.Reader().NewRaw("SELECT "+meta+" FROM articles WHERE id IN (?) AND "+where, append([]any{bun.List(ids)}, args...)...).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("read the pinned articles: %w", err)
	}
	list, err := articles(rows)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(list, func(a, b Article) int { return slices.Index(ids, a.ID) - slices.Index(ids, b.ID) })
	for i := range list {
		list[i].Pinned = true
	}
	return list, nil
}

// Atop puts the pinned articles before others, each article once.
func Atop(pinned, others []Article) []Article {
	if len(pinned) == 0 {
		return others
	}
	is := func(a Article) bool { return slices.ContainsFunc(pinned, func(p Article) bool { return p.ID == a.ID }) }
	return append(slices.Clone(pinned), slices.DeleteFunc(slices.Clone(others), is)...)
}

func (l *Library) pinnedNow(ctx context.Context) ([]int64, error) {
	p := &l.pins
	p.mu.Lock()
	defer p.mu.Unlock()
	now := l.now()
	if !now.Before(p.good) || p.good.Sub(now) > keepPins { // or the clock was put back
		rows, err := l.readPins(ctx)
		if err != nil {
			return nil, err
		}
		p.rows, p.good = rows, now.Add(keepPins)
	}
	var ids []int64
	for _, row := range p.rows {
		if row.Until > now.UnixMilli() {
			ids = append(ids, row.Article)
		}
	}
	return ids, nil
}

func (l *Library) readPins(ctx context.Context) ([]pinRow, error) {
	var rows []pinRow
	err := l.db.Reader().NewRaw("SELECT article, until, pinned_at FROM pins WHERE until > ? ORDER BY pinned_at DESC, article DESC", l.now().UnixMilli()).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("read the pins: %w", err)
	}
	return rows, nil
}

func (p *pinned) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.good = time.Time{}
}
