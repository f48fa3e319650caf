package content

import (
	"context"
	"fmt"
	"slices"

	"newsie/content/index"
)

// mostNames bounds a list of names.
const mostNames = 10_000

// Sources lists the names of the sources that published articles have, that with
// most first.
func (l *Library) Sources(ctx context.Context) ([]string, error) { return l.names(ctx, "source") }

// Authors lists those that published articles have, that with most first.
func (l *Library) Authors(ctx context.Context) ([]string, error) { return l.names(ctx, "author") }

func (l *Library) names(ctx context.Context, column string) ([]string, error) {
	var names []string
	err := l.db.Reader().NewRaw("SELECT "+column+" FROM articles WHERE state = ? AND "+column+" <> '' GROUP BY "+column+
		" ORDER BY count(*) DESC, "+column+" LIMIT ?", Published, mostNames).Scan(ctx, &names)
	if err != nil {
		return nil, fmt.Errorf("list every %s: %w", column, err)
	}
	return names, nil
}

// resolved names the sources of a query as the store does: the index knows them
// by any word and in any case, the store by the whole name.
func (l *Library) resolved(ctx context.Context, p index.Parsed) (index.Parsed, error) {
	if len(p.Sources) == 0 {
		return p, nil
	}
	all, err := l.Sources(ctx)
	if err != nil {
		return p, err
	}
	var names []string
	for _, asked := range p.Sources {
		meant := slices.DeleteFunc(slices.Clone(all), func(name string) bool { return !index.SameName(asked, name, false) })
		if len(meant) == 0 {
			meant = []string{asked}
		}
		names = append(names, meant...)
	}
	p.Sources = names
	return p, nil
}
