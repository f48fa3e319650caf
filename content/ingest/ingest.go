// Package ingest brings articles in: it reads what a source has, finds the
// language, makes the summary, and hands finished articles to the library. It
// owns the table sources.
package ingest

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"newsie/content"
	"newsie/content/source"
	"newsie/internal/database"
)

// Library is where the articles go.
type Library interface {
	// AddAll keeps articles in one transaction and fills in their IDs.
	AddAll(ctx context.Context, arrivals []content.Arrival) ([]content.Change, error)
	// Known reports whether an article is kept with this hash.
	Known(ctx context.Context, source, key, hash string) (bool, error)
	// Exists reports whether it is kept at all.
	Exists(ctx context.Context, source, key string) (bool, error)
	// ByHash lists the articles that say the same.
	ByHash(ctx context.Context, hash string) ([]content.Article, error)
	// BySource lists the articles of a source.
	BySource(ctx context.Context, source string) ([]content.Article, error)
	// Under lists the articles readers may see, now or later, whose keys begin so.
	Under(ctx context.Context, prefix string) ([]content.Article, error)
	// Rekey gives an article another source and key.
	Rekey(ctx context.Context, id int64, source, key string) error
	// Lose takes an article back until its source brings it again.
	Lose(ctx context.Context, id int64) error
}

// An Ingester imports files and refreshes sources. It may be used by several
// goroutines.
type Ingester struct {
	db      *database.DB
	library Library
	fetcher *source.Fetcher
	log     *slog.Logger
	now     func() time.Time

	mu   sync.Mutex
	told map[string]map[string]string // by source, the refused files and how they were
}

// New makes an Ingester. A nil logger is silent, a nil now is the real clock.
func New(db *database.DB, library Library, fetcher *source.Fetcher, log *slog.Logger, now func() time.Time) *Ingester {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if now == nil {
		now = time.Now
	}
	return &Ingester{db: db, library: library, fetcher: fetcher, log: log, now: now, told: map[string]map[string]string{}}
}

// Options of an Import; the zero value is usable.
type Options struct {
	DryRun   bool // keep nothing, tell what would be kept
	Progress func(done, total int, name string)
}

// A Result counts what an Import did. Articles lists those added or updated.
type Result struct {
	Added, Updated, Unchanged int
	Refused                   []Refusal
	Warnings                  []string // what was left out of articles, such as a missing picture
	Articles                  []Outcome
	Moved                     int       // of the unchanged: their files have other names now
	Duplicates                []Refusal // files that say what another file says, left out
	Missing                   []Outcome // articles of the imported folders that have no file any more
	Gone                      []Outcome // articles taken back by Refresh, because their files are gone
}

// A Refusal is a file or address that gave no article, and why.
type Refusal struct{ Path, Reason string }

// An Outcome is what became of one article.
type Outcome struct {
	Change content.Change
	ID     int64 // 0 in a dry run
	Title  string
	Lang   string
	Source string
	State  content.State
	Path   string // of the file, or the name of the feed
}

func (r *Result) refuse(path string, err error) {
	var refused *source.RefusedError
	if errors.As(err, &refused) {
		r.Refused = append(r.Refused, Refusal{refused.Path, refused.Why()})
		return
	}
	r.Refused = append(r.Refused, Refusal{path, err.Error()})
}

// Import brings in files, folders and addresses of the web. What is refused is
// in the Result, and the rest is still imported; the error is for the library's
// failing or ctx's end, after which the Result holds what was kept. It can be
// stopped at any time: what was committed stays, and importing again goes on.
func (g *Ingester) Import(ctx context.Context, paths []string, o Options) (Result, error) {
	result, seen, err := g.bring(ctx, paths, o)
	if err == nil {
		err = g.missing(ctx, seen, &result)
	}
	return result, err
}

func (g *Ingester) bring(ctx context.Context, paths []string, o Options) (Result, *survey, error) {
	var result Result
	seen := newSurvey()
	named, err := g.sourceNames(ctx)
	if err != nil {
		return result, seen, err
	}
	jobs, err := g.jobs(ctx, paths, named, seen, &result)
	if err != nil {
		return result, seen, err
	}
	err = g.run(ctx, jobs, named, seen, o, &result)
	return result, seen, err
}

// jobs lists the work: addresses first, then the files in the order of paths.
func (g *Ingester) jobs(ctx context.Context, paths []string, named names, seen *survey, result *Result) ([]job, error) {
	var jobs []job
	for _, path := range paths {
		if source.IsAddress(path) {
			name := named.address(path)
			jobs = append(jobs, job{name: source.Shown(path), read: func(ctx context.Context) (source.Parsed, error) {
				got, err := g.fetcher.Fetch(ctx, path, "", "")
				if err != nil {
					return source.Parsed{}, err
				}
				return source.ParseFetched(got, name)
			}})
		}
	}
	files, refused, err := source.Walk(ctx, withoutAddresses(paths))
	if err != nil {
		return nil, err
	}
	for _, r := range refused {
		result.refuse(r.Path, r)
		seen.partial = true
	}
	for _, path := range withoutAddresses(paths) {
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			seen.folders = append(seen.folders, realPath(path))
		}
	}
	for _, f := range files {
		name, key := named.file(f)
		seen.add(f, name, key)
		at := &place{f.Abs, name, name != ""}
		if name == "" {
			at.source = f.Source()
		}
		jobs = append(jobs, job{name: f.Path, place: at, read: func(context.Context) (source.Parsed, error) {
			return source.ReadFile(f, name, key)
		}})
	}
	return jobs, nil
}

func withoutAddresses(paths []string) []string {
	var files []string
	for _, path := range paths {
		if !source.IsAddress(path) {
			files = append(files, path)
		}
	}
	return files
}

// names tells which configured source a file or an address belongs to, so that
// importing by hand what a source brings too does not double it.
type names []Status

func (n names) address(address string) string {
	for _, s := range n {
		if s.Location == address {
			return s.Name
		}
	}
	return host(address)
}

// file is the source of a file in a configured folder, and its path there, so
// that the folder may move; of nested folders the innermost counts. Other files
// are their own source, and name is "".
func (n names) file(f source.File) (name, key string) {
	longest := 0
	for _, s := range n {
		if s.Kind != KindFolder {
			continue
		}
		folder := realPath(s.Location)
		rel, err := filepath.Rel(folder, f.Abs)
		if err == nil && filepath.IsLocal(rel) && len(folder) > longest {
			name, key, longest = s.Name, filepath.ToSlash(rel), len(folder)
		}
	}
	return name, key
}
