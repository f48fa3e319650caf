package ingest

import (
	"context"
	"slices"

	"newsie/content"
	"newsie/content/source"
)

// keepTogether is how many drafts of Keep are made articles of at a time.
const keepTogether = 32

// Keep brings in drafts that somebody else has read, as Import does those of
// files.
func (g *Ingester) Keep(ctx context.Context, drafts []content.Draft, progress func(done, total int)) error {
	var jobs []job
	for some := range slices.Chunk(drafts, keepTogether) {
		jobs = append(jobs, job{read: func(context.Context) (source.Parsed, error) { return source.Parsed{Drafts: some}, nil }})
	}
	o := Options{Progress: func(done, _ int, _ string) {
		if progress != nil {
			progress(min(done*keepTogether, len(drafts)), len(drafts))
		}
	}}
	return g.run(ctx, jobs, nil, newSurvey(), o, new(Result))
}
