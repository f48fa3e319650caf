package database

import (
	"context"
	"encoding/json"
	"sync"
	"time"
)

// Announce is Signal for what is written often: after a commit, without waiting,
// and together with what else is announced in the same moment. NOTIFY has all
// commits that carry it wait for each other. What cannot be told, because the
// database is away, is not told: replicas look for themselves now and then.
func (db *DB) Announce(s Signal) {
	if !db.postgres {
		return
	}
	a := &db.announced
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return
	}
	if a.waiting == nil {
		a.waiting = map[Signal]bool{}
	}
	if len(a.waiting) >= mostAnnounced {
		s.What = "" // all of its kind
	}
	if !a.waiting[s] {
		a.waiting[s] = true
		a.order = append(a.order, s)
	}
	if !a.telling {
		a.telling = true
		a.end.Go(func() { db.tellAnnounced() })
	}
}

const (
	mostAnnounced = 1000
	announceEvery = 20 * time.Millisecond
)

// announced are the signals to be told in a moment.
type announced struct {
	mu      sync.Mutex
	waiting map[Signal]bool
	order   []Signal
	telling bool // a goroutine is at it, which ends when none is left
	closed  bool
	end     sync.WaitGroup
}

// take empties what waits; nil: there is nothing, and the teller ends.
func (a *announced) take() []Signal {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := a.order
	a.waiting, a.order = nil, nil
	if len(list) == 0 {
		a.telling = false
		return nil
	}
	return list
}

// close tells what is left, and takes no more.
func (a *announced) close() {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	a.end.Wait()
}

func (db *DB) tellAnnounced() {
	for list := db.announced.take(); list != nil; list = db.announced.take() {
		payloads := make([]string, 0, len(list))
		for _, s := range list {
			payloads = append(payloads, s.payload())
		}
		data, err := json.Marshal(payloads)
		if err != nil {
			continue // strings always marshal
		}
		// Of its own: who announced has gone on long ago.
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		_, _ = db.ExecContext(ctx, "SELECT pg_notify('newsie_' || current_schema(), s) FROM jsonb_array_elements_text(CAST(? AS jsonb)) AS t(s)", string(data))
		cancel()
		// What comes in this moment goes together.
		timer := time.NewTimer(announceEvery)
		<-timer.C
	}
}
