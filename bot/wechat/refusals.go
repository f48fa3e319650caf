package wechat

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

// refusals counts refused requests by reason and tells the publisher of each
// reason at most once a minute: anybody may knock at a public address, and
// must not be able to fill the log.
type refusals struct {
	now func() time.Time
	log *slog.Logger

	mu     sync.Mutex
	total  map[string]int64
	silent map[string]int64 // not yet told
	told   map[string]time.Time
}

const tellEvery = time.Minute

// add counts a refusal; attributes go with the line of the log.
func (r *refusals) add(reason string, attributes ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.total == nil {
		r.total, r.silent, r.told = map[string]int64{}, map[string]int64{}, map[string]time.Time{}
	}
	r.total[reason]++
	r.silent[reason]++
	if last, ok := r.told[reason]; ok && r.now().Sub(last) < tellEvery {
		return
	}
	r.tell(reason, attributes...)
}

func (r *refusals) tell(reason string, attributes ...any) {
	r.log.Warn("refused a request", append([]any{"reason", reason, "times", r.silent[reason]}, attributes...)...)
	r.told[reason], r.silent[reason] = r.now(), 0
}

// tellRest tells of what a burst left untold.
func (r *refusals) tellRest() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, reason := range slices.Sorted(maps.Keys(r.silent)) {
		if r.silent[reason] > 0 && r.now().Sub(r.told[reason]) >= tellEvery {
			r.tell(reason)
		}
	}
}

// run tells of refusals every minute until ctx ends.
func (r *refusals) run(ctx context.Context) {
	tick := time.NewTicker(tellEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			r.tellRest()
		}
	}
}

// Elsewhere answers what is called below Path("") without being a channel's: the
// caller learns nothing, the publisher, who may have typed the address wrong on
// the platform, is told at most once a minute. count, which may be nil, is called
// for each.
func Elsewhere(log *slog.Logger, now func() time.Time, count func()) http.Handler {
	r := &refusals{now: now, log: log}
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		path := request.URL.Path
		r.add("unknown channel", "path", path[:min(len(path), 100)])
		if count != nil {
			count()
		}
		http.Error(w, http.StatusText(http.StatusNotFound), http.StatusNotFound)
	})
}

func (r *refusals) counts() map[string]int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.total)
}
