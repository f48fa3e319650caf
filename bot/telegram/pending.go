package telegram

import (
	"context"
	"encoding/json"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

// keepFor is how long the server keeps updates, and so do we.
const keepFor = 24 * time.Hour

// crowd is how many updates this process takes before it asks the server to wait.
const crowd = 1000

// pending are the updates taken from the server and not answered yet.
type pending struct {
	mu      sync.Mutex
	updates map[int64]*taken
	changed chan struct{} // closed when one is done
}

// A taken update is at work in this process.
type taken struct {
	id       int64
	raw      json.RawMessage
	kept     bool          // written down: the server may forget it
	answered chan struct{} // closed when nothing is left to do
}

func newPending() *pending {
	return &pending{updates: map[int64]*taken{}, changed: make(chan struct{})}
}

// take enters an update; fresh: it was not at work already.
func (p *pending) take(id int64, raw json.RawMessage, kept bool) (t *taken, fresh bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t := p.updates[id]; t != nil {
		return t, false
	}
	t = &taken{id: id, raw: raw, kept: kept, answered: make(chan struct{})}
	p.updates[id] = t
	return t, true
}

// done strikes an update out, and tells whether it had been written down.
func (p *pending) done(t *taken) (kept bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.updates, t.id)
	close(t.answered)
	close(p.changed)
	p.changed = make(chan struct{})
	return t.kept
}

func (p *pending) state() (size int, changed <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.updates), p.changed
}

func (p *pending) has(id int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.updates[id] != nil
}

// unkept lists what is neither answered nor written down.
func (p *pending) unkept() []*taken {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []*taken
	for _, t := range p.updates {
		if !t.kept {
			list = append(list, t)
		}
	}
	return list
}

// keep notes what was written down, and returns those that were answered meanwhile.
func (p *pending) keep(list []*taken) (gone []*taken) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range list {
		t.kept = true
		if p.updates[t.id] != t {
			gone = append(gone, t)
		}
	}
	return gone
}

// A keptUpdate is an update in the settings: taken from the server, told to be
// safe, not answered yet.
type keptUpdate struct {
	Owner  string          `json:"owner"` // the replica that works on it
	Update json.RawMessage `json:"update"`
}

func (k keptUpdate) text() (string, error) {
	b, err := json.Marshal(k)
	return string(b), err
}

func (s *session) keptPrefix() string    { return s.bucket() + ":update:" }
func (s *session) replicaPrefix() string { return s.bucket() + ":replica:" }

func (s *session) keptName(id int64) string { return s.keptPrefix() + strconv.FormatInt(id, 10) }

// enter gives an update to its chat's lane, unless it is there already.
func (s *session) enter(id int64, raw json.RawMessage, kept bool) *taken {
	t, fresh := s.pending.take(id, raw, kept)
	if fresh {
		s.begin(raw, func(err error) {
			if err == nil { // otherwise it is kept for the next start
				s.finish(t)
			}
		})
	}
	return t
}

// finish strikes out an update that is answered.
func (s *session) finish(t *taken) {
	if s.pending.done(t) {
		s.unkeep([]*taken{t})
	}
}

// keep writes updates down, so that the server may forget them.
func (s *session) keep(list []*taken) error {
	if len(list) == 0 {
		return nil
	}
	values := make(map[string]string, len(list))
	for _, t := range list {
		text, err := keptUpdate{s.owner, t.raw}.text()
		if err != nil {
			return err
		}
		values[s.keptName(t.id)] = text
	}
	ctx, cancel := s.briefly()
	defer cancel()
	if err := s.config.Settings.SaveAll(ctx, values, keepFor); err != nil {
		return err
	}
	s.unkeep(s.pending.keep(list))
	return nil
}

// unkeep forgets updates that are answered. One that stays is found answered by
// the next sweep.
func (s *session) unkeep(list []*taken) {
	if len(list) == 0 {
		return
	}
	names := make([]string, len(list))
	for i, t := range list {
		names[i] = s.keptName(t.id)
	}
	ctx, cancel := s.briefly()
	defer cancel()
	if err := s.config.Settings.DeleteAll(ctx, names...); err != nil {
		s.log.Warn("an answered update stays written down for a while", "error", err)
	}
}

// briefly is for a write that must also be tried when the session ends.
func (s *session) briefly() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(s.work), 5*time.Second)
}

// sweepUntil takes up, until ctx ends, what dead replicas left unanswered.
func (s *session) sweepUntil(ctx context.Context) {
	ticker := time.NewTicker(s.config.SweepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if err := s.sweep(ctx, false); err != nil && ctx.Err() == nil {
			s.log.Warn("updates of other replicas are not looked after", "error", err)
		}
	}
}

// sweep says that this replica is alive and takes up what belongs to none that
// is. all: no other process can be, whatever the settings say.
func (s *session) sweep(ctx context.Context, all bool) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	// Three sweeps may fail before others take this replica for dead.
	if err := s.config.Settings.Save(ctx, s.replicaPrefix()+s.owner, s.config.Mode, 3*s.config.SweepEvery); err != nil {
		return err
	}
	rows, err := s.config.Settings.List(ctx, s.keptPrefix())
	if err != nil || len(rows) == 0 {
		return err
	}
	alive, err := s.config.Settings.List(ctx, s.replicaPrefix())
	if err != nil {
		return err
	}
	for _, id := range s.keptIDs(rows) {
		var kept keptUpdate
		text := rows[s.keptName(id)]
		if json.Unmarshal([]byte(text), &kept) != nil {
			continue // it goes when it expires
		}
		if _, works := alive[s.replicaPrefix()+kept.Owner]; s.pending.has(id) || works && kept.Owner != s.owner && !all {
			continue
		}
		if size, _ := s.pending.state(); size >= crowd {
			return nil
		}
		mine, err := keptUpdate{s.owner, kept.Update}.text()
		if err != nil {
			return err
		}
		if ok, err := s.config.Settings.Swap(ctx, s.keptName(id), text, mine); err != nil {
			return err
		} else if ok {
			s.enter(id, kept.Update, true)
		}
	}
	return nil
}

// keptIDs lists the updates of some rows, oldest first.
func (s *session) keptIDs(rows map[string]string) []int64 {
	var ids []int64
	for name := range rows {
		if id, err := strconv.ParseInt(strings.TrimPrefix(name, s.keptPrefix()), 10, 64); err == nil {
			ids = append(ids, id)
		}
	}
	sort.Slice(ids, func(i, j int) bool { return ids[i] < ids[j] })
	return ids
}

// others lists the replicas of one mode that are alive, but for this one.
func (s *session) others(ctx context.Context, mode string) ([]string, error) {
	alive, err := s.config.Settings.List(ctx, s.replicaPrefix())
	if err != nil {
		return nil, err
	}
	var names []string
	for name, value := range alive {
		if owner := strings.TrimPrefix(name, s.replicaPrefix()); owner != s.owner && value == mode {
			names = append(names, owner)
		}
	}
	return names, nil
}

// retire writes down what is left, and says that this replica is gone.
func (s *session) retire() error {
	if err := s.keep(s.pending.unkept()); err != nil {
		return err
	}
	ctx, cancel := s.briefly()
	defer cancel()
	return s.config.Settings.Delete(ctx, s.replicaPrefix()+s.owner)
}
