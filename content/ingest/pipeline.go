package ingest

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"newsie/content"
	"newsie/content/source"
)

const (
	readers      = 2 // goroutines that parse and summarise while one writes
	ahead        = 8 // files that may be read and not written yet
	maxBatch     = 64
	maxBatchSize = 4 << 20
)

// A job reads one file or address.
type job struct {
	name  string
	place *place // of a file
	read  func(ctx context.Context) (source.Parsed, error)
}

// A reading is what a job gave: articles ready to be kept, in order.
type reading struct {
	name     string
	warnings []string
	items    []item
	feed     bool
	refused  error // the file's fault
	failed   error // ours: stop
}

type item struct {
	arrival content.Arrival
	known   bool // kept already as it is; arrival is empty
	size    int
	place   *place // of the file it is the one article of
}

// run does jobs and keeps their articles in the order of the jobs, whichever
// is read first, so that the same folder gives the same order every time.
func (g *Ingester) run(ctx context.Context, jobs []job, named names, seen *survey, o Options, result *Result) error {
	group, ctx := errgroup.WithContext(ctx)
	type task struct {
		job  job
		done chan reading
	}
	work, order := make(chan task), make(chan task, ahead)
	group.Go(func() error {
		defer close(work)
		defer close(order)
		for _, j := range jobs {
			t := task{j, make(chan reading, 1)}
			for _, to := range []chan task{order, work} {
				select {
				case to <- t:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
		}
		return nil
	})
	for range readers {
		group.Go(func() error {
			for t := range work {
				t.done <- g.read(ctx, t.job)
			}
			return nil
		})
	}
	group.Go(func() error {
		b := &batch{ingester: g, dryRun: o.DryRun, result: result, named: named, seen: seen, hashes: map[string]string{}}
		done := 0
		for t := range order {
			var r reading
			select {
			case r = <-t.done:
			case <-ctx.Done():
				return ctx.Err()
			}
			if err := b.take(ctx, r); err != nil {
				return err
			}
			if done++; o.Progress != nil {
				o.Progress(done, len(jobs), t.job.name)
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return b.flush(ctx)
	})
	return group.Wait()
}

func (g *Ingester) read(ctx context.Context, j job) reading {
	r := reading{name: j.name}
	parsed, err := j.read(ctx)
	if err != nil {
		if ctx.Err() != nil {
			r.failed = ctx.Err()
		} else {
			r.refused = err
		}
		return r
	}
	r.warnings = parsed.Warnings
	r.feed = parsed.Kind == source.Feed
	r.items, r.failed = g.prepare(ctx, parsed.Drafts)
	if j.place != nil && !r.feed {
		for i := range r.items {
			r.items[i].place = j.place
		}
	}
	return r
}

// prepare makes articles of drafts, except of those that are kept already.
func (g *Ingester) prepare(ctx context.Context, drafts []content.Draft) ([]item, error) {
	items := make([]item, 0, len(drafts))
	for _, d := range drafts {
		hash := fingerprint(d)
		known, err := g.library.Known(ctx, d.Source, d.Key, hash)
		if err != nil {
			return nil, err
		}
		if known {
			items = append(items, item{known: true})
			continue
		}
		items = append(items, item{arrival: content.Arrival{Article: g.article(d, hash), Pictures: d.Pictures}, size: source.Size(d)})
	}
	return items, nil
}

// A batch collects articles for one transaction.
type batch struct {
	ingester *Ingester
	dryRun   bool
	result   *Result
	named    names
	seen     *survey
	arrivals []content.Arrival
	paths    []string          // of the arrivals
	hashes   map[string]string // of the arrivals, and in a dry run of all before: the path of each
	size     int
}

func (b *batch) take(ctx context.Context, r reading) error {
	if r.failed != nil {
		return fmt.Errorf("import %s: %w", r.name, r.failed)
	}
	b.result.Warnings = append(b.result.Warnings, r.warnings...)
	b.seen.vague = b.seen.vague || r.feed || r.refused != nil
	if r.refused != nil {
		b.result.refuse(r.name, r.refused)
		return nil
	}
	for _, it := range r.items {
		if it.known {
			b.result.Unchanged++
			continue
		}
		if duplicate, err := b.duplicate(ctx, r.name, it); err != nil {
			return err
		} else if duplicate {
			continue
		}
		switch {
		case b.dryRun:
			if err := b.foresee(ctx, it.arrival.Article, r.name); err != nil {
				return err
			}
			continue
		case len(b.arrivals) > 0 && b.size+it.size > maxBatchSize:
			if err := b.flush(ctx); err != nil {
				return err
			}
		}
		b.arrivals = append(b.arrivals, it.arrival)
		b.paths = append(b.paths, r.name)
		b.size += it.size
		if len(b.arrivals) == maxBatch {
			if err := b.flush(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// duplicate leaves out a file that says what another one says.
func (b *batch) duplicate(ctx context.Context, path string, it item) (bool, error) {
	if it.place == nil {
		return false, nil
	}
	hash := it.arrival.Article.Hash
	first, pending := b.hashes[hash]
	if pending && b.dryRun {
		b.result.Duplicates = append(b.result.Duplicates, Refusal{path, "the same as " + first})
		return true, nil
	}
	if pending {
		if err := b.flush(ctx); err != nil {
			return false, err
		}
	}
	other, err := b.elsewhere(ctx, it)
	if err != nil {
		return false, err
	}
	if other != nil {
		b.result.Duplicates = append(b.result.Duplicates, Refusal{path, fmt.Sprintf("the same as article %d, %s", other.ID, other.Key)})
		return true, nil
	}
	b.hashes[hash] = path
	return false, nil
}

func (b *batch) foresee(ctx context.Context, a content.Article, path string) error {
	exists, err := b.ingester.library.Exists(ctx, a.Source, a.Key)
	if err != nil {
		return err
	}
	change := content.Added
	if exists {
		change = content.Updated
	}
	b.count(a, change, path)
	return nil
}

func (b *batch) flush(ctx context.Context) error {
	if len(b.arrivals) == 0 {
		return nil
	}
	changes, err := b.ingester.library.AddAll(ctx, b.arrivals)
	if err != nil {
		return err
	}
	for i, change := range changes {
		b.count(b.arrivals[i].Article, change, b.paths[i])
	}
	b.arrivals, b.paths, b.size = nil, nil, 0
	clear(b.hashes)
	return nil
}

func (b *batch) count(a content.Article, change content.Change, path string) {
	switch change {
	case content.Added:
		b.result.Added++
	case content.Updated:
		b.result.Updated++
	default:
		b.result.Unchanged++
		return
	}
	b.result.Articles = append(b.result.Articles, Outcome{Change: change, ID: a.ID, Title: a.Title, Lang: a.Lang, Source: a.Source, State: a.State, Path: path})
}
