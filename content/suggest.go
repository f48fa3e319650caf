package content

import (
	"context"
	"fmt"

	"newsie/content/index"
)

// A Suggestion is a tag with the number of its articles, or an article (not 0)
// by its title.
type Suggestion = index.Suggestion

// Suggest gives up to n tags and titles that begin with what somebody has typed
// so far: published ones, each once, those in the language lang before others.
// A prefix without letters or digits, "" among them, suggests nothing.
func (l *Library) Suggest(ctx context.Context, prefix, lang string, filter Filter, n int) ([]Suggestion, error) {
	list, err := l.index.Suggest(ctx, index.SuggestQuery{
		Text: prefix, Lang: lang, Limit: n, Langs: filter.Langs, Tags: filter.Tags, Sources: filter.Sources, Authors: filter.Authors,
		After: filter.After, Before: filter.Before,
		Fetch: func(ids []int64) (map[int64]string, error) {
			shown, err := l.load(ctx, ids, "id, title")
			titles := make(map[int64]string, len(shown))
			for _, a := range shown {
				titles[a.ID] = a.Title
			}
			return titles, err
		},
	})
	if err != nil {
		return nil, fmt.Errorf("suggest: %w", err)
	}
	return list, nil
}
