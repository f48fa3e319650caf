package telegram

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sort"
	"strconv"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"
)

// poll asks for updates until ctx ends. The offset, which makes the server
// forget, moves only over updates that are answered or kept in the settings, so
// that a crash at any time loses none and one slow chat holds up nobody.
func (s *session) poll(ctx context.Context) {
	if s.insist(ctx, "deleteWebhook", s.dropWebhook) != nil {
		return
	}
	s.resume(ctx)
	pause := newPause()
	var offset int64
	for ctx.Err() == nil {
		raws, err := s.updates(ctx, offset)
		if err != nil {
			if ctx.Err() != nil {
				return
			}
			s.complain(ctx, "getUpdates", err)
			if s.config.Wait(ctx, pause.after(err)) != nil {
				return
			}
			if status(err) == http.StatusConflict {
				// Another program polls, or a webhook stands in the way.
				if err := s.dropWebhook(ctx); err != nil && ctx.Err() == nil {
					s.complain(ctx, "deleteWebhook", err)
				}
			}
			continue
		}
		pause.reset()
		next := s.take(raws, offset)
		if s.settle(ctx) {
			offset = next
		}
	}
}

func (s *session) updates(ctx context.Context, offset int64) ([]json.RawMessage, error) {
	params := tgbotapi.Params{"timeout": strconv.Itoa(pollSeconds), "limit": "100", "allowed_updates": allowedUpdates}
	params.AddNonZero64("offset", offset)
	var raws []json.RawMessage
	err := s.client.call(ctx, "getUpdates", params, pollTimeout, &raws)
	return raws, err
}

func (c *Channel) dropWebhook(ctx context.Context) error {
	return c.client.call(ctx, "deleteWebhook", tgbotapi.Params{"drop_pending_updates": "false"}, sendTimeout, nil)
}

// take gives each update to its chat's lane and returns the offset after them.
func (s *session) take(raws []json.RawMessage, offset int64) int64 {
	next := offset
	for _, raw := range raws {
		id, ok := updateID(raw)
		if !ok {
			s.log.Warn("an update was skipped: it has no readable id")
			s.count("update_undecodable")
			continue
		}
		next = max(next, id+1)
		if s.pending.add(id, raw) {
			s.begin(raw, func(err error) {
				if err == nil { // otherwise it is kept for the next start
					s.pending.done(id)
				}
			})
		}
	}
	if len(raws) > 0 && next == offset && offset > 0 {
		next++ // nothing in it could be read, and it must not come for ever
	}
	return next
}

// begin starts the handling of one update, with done called exactly once after
// it. Handling does not give up before the session ends.
func (s *session) begin(raw []byte, done func(error)) {
	u, err := decode(raw)
	if err != nil {
		s.log.Warn("an update was skipped", "update", u.ID, "error", err)
		s.count("update_undecodable")
		done(nil)
		return
	}
	if u.Inline != nil || u.Chosen != nil {
		// Whoever types on asks again: such a query is answered now or never.
		s.beginInline(u)
		done(nil)
		return
	}
	in, ours := s.read(u)
	if in.callback != "" {
		s.acknowledge(in.callback)
	}
	if !ours {
		s.count("update_ignored")
		done(nil)
		return
	}
	if !s.lanes.do(in.lane, func() { done(s.persist(in)) }) {
		done(errStopped)
	}
}

var errStopped = errors.New("the program is stopping")

// persist handles an update until that succeeds or the session ends: the
// database may be away for a moment, another process may have died over it.
func (s *session) persist(in incoming) error {
	pause := newPause()
	for {
		err := s.handle(s.work, in)
		if err == nil || s.work.Err() != nil {
			return err
		}
		if !errors.Is(err, errBusy) {
			s.log.Error("an update waits", "update", in.update, "error", err)
		}
		if err := s.config.Wait(s.work, min(pause.after(err), 5*time.Second)); err != nil {
			return err
		}
	}
}

// acknowledge answers a callback at once, ahead of what its chat still waits
// for: the reader's button stops spinning.
func (s *session) acknowledge(id string) {
	s.lanes.do("callback:"+id, func() {
		err := s.client.call(s.work, "answerCallbackQuery", tgbotapi.Params{"callback_query_id": id}, sendTimeout, nil)
		if err != nil {
			s.log.Debug("a callback was not acknowledged", "error", err) // too old: the answer still comes
		}
	})
}

// patience is how long a batch may hold up the next poll.
const patience = 150 * time.Millisecond

// crowd is how many updates may wait at most before polling waits for them.
const crowd = 1000

// settle waits for the updates at hand for a moment and keeps the unfinished
// ones in the settings; true: the server may forget them all.
func (s *session) settle(ctx context.Context) bool {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	late := false
	for {
		idle, changed, size := s.pending.state()
		if idle || late && size <= crowd {
			break
		}
		select {
		case <-changed:
		case <-timer.C:
			late = true
		case <-ctx.Done():
			return false
		}
	}
	if err := s.keepPending(); err != nil {
		s.log.Error("updates are asked for again", "error", err)
		return false
	}
	return true
}

// keepFor is how long the server keeps updates, and so do we.
const keepFor = 24 * time.Hour

func (s *session) pendingName() string { return s.bucket() + ":pending" }

// keepPending writes down the updates that are taken and not answered.
func (s *session) keepPending() error {
	raws, stale := s.pending.unsaved()
	if !stale {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.work), 5*time.Second)
	defer cancel()
	if len(raws) == 0 {
		if err := s.config.Settings.Delete(ctx, s.pendingName()); err != nil {
			return err
		}
	} else {
		list, err := json.Marshal(raws)
		if err != nil {
			return err
		}
		if err := s.config.Settings.Save(ctx, s.pendingName(), string(list), keepFor); err != nil {
			return err
		}
	}
	s.pending.saved(raws)
	return nil
}

// resume takes up what an earlier run had taken and not answered.
func (s *session) resume(ctx context.Context) {
	var kept string
	if s.insist(ctx, "resume", func(ctx context.Context) (err error) {
		kept, _, err = s.config.Settings.Load(ctx, s.pendingName())
		return err
	}) != nil || kept == "" {
		return
	}
	var raws []json.RawMessage
	if err := json.Unmarshal([]byte(kept), &raws); err != nil {
		s.log.Error("updates kept by an earlier run cannot be read", "error", err)
		return
	}
	s.pending.saved(raws)
	s.take(raws, 0)
}

// pending are the updates taken from the server and not answered yet.
type pending struct {
	mu      sync.Mutex
	raw     map[int64]json.RawMessage
	kept    map[int64]bool // what the settings hold
	changed chan struct{}  // closed when one is done
}

func newPending() *pending {
	return &pending{raw: map[int64]json.RawMessage{}, kept: map[int64]bool{}, changed: make(chan struct{})}
}

// add reports whether the update is not at work already.
func (p *pending) add(id int64, raw json.RawMessage) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, there := p.raw[id]; there {
		return false
	}
	p.raw[id] = raw
	return true
}

func (p *pending) done(id int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.raw, id)
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *pending) state() (idle bool, changed <-chan struct{}, size int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.raw) == 0, p.changed, len(p.raw)
}

// unsaved lists what is unanswered, oldest first, and tells whether the
// settings hold something else.
func (p *pending) unsaved() (raws []json.RawMessage, stale bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	stale = len(p.raw) != len(p.kept)
	ids := make([]int64, 0, len(p.raw))
	for id := range p.raw {
		ids = append(ids, id)
		stale = stale || !p.kept[id]
	}
	sort.Slice(ids, func(i, j int) bool { return ids[i] < ids[j] })
	for _, id := range ids {
		raws = append(raws, p.raw[id])
	}
	return raws, stale
}

func (p *pending) saved(raws []json.RawMessage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kept = map[int64]bool{}
	for _, raw := range raws {
		if id, ok := updateID(raw); ok {
			p.kept[id] = true
		}
	}
}

// A pause grows with each failure.
type pause struct{ steps *backoff.ExponentialBackOff }

func newPause() pause {
	steps := backoff.NewExponentialBackOff()
	steps.Multiplier = 2
	steps.Reset()
	return pause{steps}
}

func (p pause) reset() { p.steps.Reset() }

// after is how long to wait after err: as long as the server says, long enough
// not to fight another program, or a little longer each time.
func (p pause) after(err error) time.Duration {
	next := p.steps.NextBackOff()
	var failed *Error
	if !errors.As(err, &failed) {
		return next
	}
	switch {
	case failed.RetryAfter > 0:
		return failed.RetryAfter
	case failed.Code == http.StatusConflict:
		return max(next, 10*time.Second)
	case failed.Code == http.StatusUnauthorized || failed.Code == http.StatusNotFound:
		return max(next, 30*time.Second)
	}
	return next
}

func status(err error) int {
	var failed *Error
	if errors.As(err, &failed) {
		return failed.Code
	}
	return 0
}
