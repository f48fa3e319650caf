package content

import (
	"context"
	"fmt"
)

// mostNames bounds a list of names.
const mostNames = 10_000

// Sources lists the names of the sources that published articles have, that with
// most first.
func (l *Library) Sources(ctx context.Context) ([]string, error) { return l.names(ctx, "source") }

// Authors lists those that published articles have, that with most first.
func (l *Library) Authors(ctx context.Context) ([]string, error) { return l.names(ctx, "author") }

// Languages lists those that published articles are in, that with most first.
func (l *Library) Languages(ctx context.Context) ([]string, error) { return l.names(ctx, "lang") }

func (l *Library) names(ctx context.Context, column string) ([]string, error) {
	var names []string
	err := l.db.Reader().NewRaw("SELECT "+column+" FROM articles WHERE state = ? AND "+column+" <> '' GROUP BY "+column+
		" ORDER BY count(*) DESC, "+column+" LIMIT ?", Published, mostNames).Scan(ctx, &names)
	if err != nil {
		return nil, fmt.Errorf("list every %s: %w", column, err)
	}
	return names, nil
}
