package content

import (
	"context"
	"fmt"
)

// Neighbours gives the articles before and after one, as its source named
// them; where it named none, those next to it by date in the same source and
// language. The zero Article is none.
func (l *Library) Neighbours(ctx context.Context, a Article) (previous, next Article, err error) {
	if a.Previous != "" || a.Next != "" {
		if previous, _, err = l.ByTitle(ctx, a.Previous); err != nil {
			return Article{}, Article{}, err
		}
		next, _, err = l.ByTitle(ctx, a.Next)
		return previous, next, err
	}
	if a.Published.IsZero() {
		return Article{}, Article{}, nil
	}
	at := toMillis(a.Published)
	if previous, err = l.beside(ctx, a, "(published_at < ? OR published_at = ? AND id < ?) ORDER BY published_at DESC, id DESC", at); err != nil {
		return Article{}, Article{}, err
	}
	next, err = l.beside(ctx, a, "(published_at > ? OR published_at = ? AND id > ?) ORDER BY published_at, id", at)
	return previous, next, err
}

func (l *Library) beside(ctx context.Context, a Article, condition string, at int64) (Article, error) {
	var rows []row
	err := l.db.Reader().NewRaw("SELECT "+meta+" FROM articles WHERE state = ? AND source = ? AND lang = ? AND published_at > 0 AND "+condition+" LIMIT 1",
		Published, a.Source, a.Lang, at, at, a.ID).Scan(ctx, &rows)
	if err != nil {
		return Article{}, fmt.Errorf("look for the neighbours of article %d: %w", a.ID, err)
	}
	if len(rows) == 0 {
		return Article{}, nil
	}
	return rows[0].article()
}
