package ingest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"newsie/content/source"
)

// Refresh looks at a source now and brings in what is new there. What it finds
// out about the source is kept, failures too. A feed or page that is as it was
// gives an empty Result.
func (g *Ingester) Refresh(ctx context.Context, s SourceConfig) (Result, error) {
	s = s.complete()
	if err := g.declare(ctx, s); err != nil {
		return Result{}, err
	}
	result, etag, modified, err := g.look(ctx, s)
	if ctx.Err() != nil {
		return result, ctx.Err() // not the source's fault
	}
	if err != nil {
		return result, errors.Join(err, g.failed(ctx, s.Name, err))
	}
	remark := ""
	if n := len(result.Refused); n > 0 {
		remark = result.Refused[0].Path + ": " + result.Refused[0].Reason
		if n > 1 {
			remark += " (and " + strconv.Itoa(n-1) + " more)"
		}
	}
	return result, g.succeeded(ctx, s.Name, etag, modified, remark)
}

func (s SourceConfig) complete() SourceConfig {
	if s.Kind == "" {
		s.Kind = KindFolder
		if source.IsAddress(s.Location) {
			s.Kind = KindFeed
		}
	}
	if s.Name == "" {
		s.Name = s.Location
	}
	return s
}

func (g *Ingester) look(ctx context.Context, s SourceConfig) (result Result, etag, modified string, err error) {
	if s.Kind == KindFolder {
		result, seen, err := g.bring(ctx, []string{s.Location}, Options{})
		if err == nil && len(result.Refused) > 0 && result.Refused[0].Path == s.Location {
			err = fmt.Errorf("%s: %s", s.Location, result.Refused[0].Reason)
		}
		if err == nil {
			err = g.loseGone(ctx, s, seen, &result)
		}
		return result, "", "", err
	}
	before, err := g.status(ctx, s.Name)
	if err != nil {
		return result, "", "", err
	}
	got, err := g.fetcher.Fetch(ctx, s.Location, before.etag, before.modified)
	if err != nil {
		return result, "", "", err
	}
	if got.NotModified {
		return result, before.etag, before.modified, nil
	}
	parsed, err := source.ParseFetched(got, s.Name)
	if err != nil {
		return result, "", "", err
	}
	if s.Kind == KindFeed && parsed.Kind != source.Feed {
		return result, "", "", fmt.Errorf("%s is no feed but %s", source.Shown(s.Location), parsed.Kind)
	}
	err = g.run(ctx, []job{{name: s.Name, read: func(context.Context) (source.Parsed, error) { return parsed, nil }}}, nil, newSurvey(), Options{}, &result)
	return result, got.ETag, got.LastModified, err
}

// Refreshed is what a refresh of one source gave.
type Refreshed struct {
	Source SourceConfig
	Status Status // after it
	Result Result
	Err    error

	// Refused are the files refused or left out as duplicates that were not told
	// before: each is logged once, until it changes.
	Refused []Refusal
}

// RefreshDue refreshes the sources that were not looked at for the time every,
// a few at once, and returns what came of those. A source that fails is asked
// half as often each time, at least once a day; what a server asks to wait is
// waited. Of several replicas one does each source.
func (g *Ingester) RefreshDue(ctx context.Context, sources []SourceConfig, every time.Duration) ([]Refreshed, error) {
	var mu sync.Mutex
	var all []Refreshed
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for _, s := range sources {
		group.Go(func() error {
			done, did, err := g.refreshDue(ctx, s.complete(), every)
			if err != nil || !did {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, done)
			return nil
		})
	}
	err := group.Wait()
	return all, err
}

func (g *Ingester) refreshDue(ctx context.Context, s SourceConfig, every time.Duration) (done Refreshed, did bool, err error) {
	if err := g.declare(ctx, s); err != nil {
		return done, false, err
	}
	before, err := g.status(ctx, s.Name)
	if err != nil {
		return done, false, err
	}
	wait := patience(every, before.Failures)
	claimed, err := g.claim(ctx, s.Name, wait-slack(wait))
	if err != nil || !claimed {
		return done, false, err
	}
	done.Source = s
	done.Result, done.Err = g.Refresh(ctx, s)
	if ctx.Err() != nil {
		return done, false, ctx.Err()
	}
	var status *source.StatusError
	if errors.As(done.Err, &status) && status.RetryAfter > 0 {
		wait := patience(every, before.Failures+1)
		err = g.postpone(ctx, s.Name, g.now().Add(status.RetryAfter), wait-slack(wait))
		if err != nil {
			return done, true, err
		}
	}
	done.Refused = g.fresh(s.Name, append(done.Result.Refused, done.Result.Duplicates...))
	for _, r := range done.Refused {
		g.log.Warn("a file is left out", "source", s.Name, "file", r.Path, "reason", r.Reason)
	}
	for _, gone := range done.Result.Gone {
		g.log.Info("an article is taken back: its file is gone", "source", s.Name, "file", gone.Path, "article", gone.ID, "title", gone.Title)
	}
	done.Status, err = g.status(ctx, s.Name)
	return done, true, err
}

// slack is how much too early a source is due: half the time between two calls
// of RefreshDue, which come now a little before the full time and now after it.
func slack(wait time.Duration) time.Duration { return min(30*time.Second, wait/2) }

// patience is how long to wait before the next look.
func patience(every time.Duration, failures int) time.Duration {
	wait := every << min(failures, 6)
	return max(every, min(wait, 24*time.Hour))
}
