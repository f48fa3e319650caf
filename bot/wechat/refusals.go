package wechat

import (
	"log/slog"
	"maps"
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

func (r *refusals) add(reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.total == nil {
		r.total, r.silent, r.told = map[string]int64{}, map[string]int64{}, map[string]time.Time{}
	}
	r.total[reason]++
	r.silent[reason]++
	now := r.now()
	if last, ok := r.told[reason]; ok && now.Sub(last) < tellEvery {
		return
	}
	r.log.Warn("refused a request", "reason", reason, "times", r.silent[reason])
	r.told[reason], r.silent[reason] = now, 0
}

func (r *refusals) counts() map[string]int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.total)
}
