package telegram

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"newsie/bot"
)

// keepFor is how long the server keeps updates, and so do we.
const keepFor = 24 * time.Hour

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

// enter puts an update in hand or on the shelf, unless it is here already; nil:
// nothing is left to do about it.
func (s *session) enter(id int64, raw json.RawMessage, kept bool) *taken {
	if t := s.pending.find(id); t != nil {
		return t
	}
	in, ours := s.look(raw, kept)
	if !ours {
		if kept {
			s.unkeep([]*taken{{id: id}})
		}
		return nil
	}
	return s.hold(id, in, raw, kept)
}

// hold puts an update in hand or on the shelf.
func (s *session) hold(id int64, in incoming, raw json.RawMessage, kept bool) *taken {
	t := &taken{id: id, lane: in.lane, raw: raw, kept: kept}
	return s.pending.take(t, func() { s.begin(t, in) })
}

// begin gives an update to its chat's lane.
func (s *session) begin(t *taken, in incoming) {
	s.lanes.do(in.lane, func() {
		s.pending.begin(t, s.config.Now())
		if s.persist(in) == nil { // otherwise it is kept for the next start
			s.finish(t)
		}
	})
}

// finish strikes out an update that is answered.
func (s *session) finish(t *taken) {
	if s.pending.done(t) {
		s.unkeep([]*taken{t})
	}
}

// keep writes updates down, so that the server may forget them.
func (s *session) keep(list []*taken) error {
	texts := s.pending.texts(list)
	if len(texts) == 0 {
		return nil
	}
	values := make(map[string]string, len(texts))
	for id, raw := range texts {
		text, err := keptUpdate{s.owner, raw}.text()
		if err != nil {
			return err
		}
		values[s.keptName(id)] = text
	}
	ctx, cancel := s.briefly()
	defer cancel()
	if err := s.config.Settings.SaveAll(ctx, values, keepFor); err != nil {
		return err
	}
	list = slices.DeleteFunc(slices.Clone(list), func(t *taken) bool { return texts[t.id] == nil })
	s.unkeep(s.pending.keep(list))
	return nil
}

// shelfBatch is how many updates are read from the settings at once.
const shelfBatch = 200

// refillUntil takes updates off the shelf when there is room for them, until ctx
// ends.
func (s *session) refillUntil(ctx context.Context) {
	pause := newPause()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.pending.wake:
		}
		for list := s.pending.next(); len(list) > 0 && ctx.Err() == nil; list = s.pending.next() {
			if err := s.refill(ctx, list); err == nil {
				pause.reset()
			} else if ctx.Err() == nil {
				s.log.Error("updates that are written down wait", "count", len(list), "error", err)
				_ = s.config.Wait(ctx, min(pause.after(err), 5*time.Second))
			}
		}
	}
}

// refill puts updates of the shelf in hand.
func (s *session) refill(ctx context.Context, list []*taken) error {
	names := make([]string, len(list))
	for i, t := range list {
		names[i] = s.keptName(t.id)
	}
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	rows, err := s.config.Settings.LoadAll(ctx, names)
	if err != nil {
		return err
	}
	for i, t := range list {
		var kept keptUpdate
		if json.Unmarshal([]byte(rows[names[i]]), &kept) != nil || kept.Owner != s.owner {
			s.pending.drop(t, true) // it is too old, or another replica's by now
			continue
		}
		u, err := decode(kept.Update)
		if err != nil { // it was decoded before: somebody has changed the row
			s.pending.drop(t, true)
			continue
		}
		in, _ := s.read(u)
		s.pending.place(t, kept.Update, func() { s.begin(t, in) })
	}
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

// slow is how long the answer to an update may take before the log hears of it.
const slow = 5 * time.Second

// watchUntil tells the log, until ctx ends, of updates that take long: once of
// each, in one line of those found together, and never what readers said.
func (s *session) watchUntil(ctx context.Context) {
	ticker := time.NewTicker(min(time.Second, s.config.SweepEvery))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now := s.config.Now()
		if late := s.pending.late(now.Add(-slow)); len(late) > 0 {
			t := late[0]
			s.log.Warn("an update takes long", "update", t.id, "lane", t.lane, "for", now.Sub(t.begun).Round(time.Millisecond), "others", len(late)-1)
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
	names, err := s.config.Settings.Names(ctx, s.keptPrefix())
	if err != nil {
		return err
	}
	ids := s.foreign(names)
	if len(ids) == 0 {
		return nil
	}
	alive, err := s.config.Settings.List(ctx, s.replicaPrefix())
	if err != nil {
		return err
	}
	for batch := range slices.Chunk(ids, shelfBatch) {
		if full, _ := s.full(); full {
			return nil
		}
		err := s.adopt(ctx, batch, func(owner string) bool {
			_, works := alive[s.replicaPrefix()+owner]
			return all || owner == s.owner || !works
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// adopt takes up those of some updates whose owners are dead.
func (s *session) adopt(ctx context.Context, ids []int64, dead func(owner string) bool) error {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = s.keptName(id)
	}
	rows, err := s.config.Settings.LoadAll(ctx, names)
	if err != nil {
		return err
	}
	updates := map[string]json.RawMessage{}
	var swaps []bot.Swap
	for _, name := range names {
		var kept keptUpdate
		if json.Unmarshal([]byte(rows[name]), &kept) != nil || !dead(kept.Owner) {
			continue // what cannot be read goes when it expires
		}
		mine, err := keptUpdate{s.owner, kept.Update}.text()
		if err != nil {
			return err
		}
		updates[name] = kept.Update
		swaps = append(swaps, bot.Swap{Name: name, From: rows[name], To: mine})
	}
	won, err := s.config.Settings.SwapAll(ctx, swaps)
	if err != nil {
		return err
	}
	for i, id := range ids {
		if won[names[i]] {
			s.enter(id, updates[names[i]], true)
		}
	}
	return nil
}

// foreign lists the updates of some rows that are not here, oldest first.
func (s *session) foreign(names []string) []int64 {
	var ids []int64
	for _, name := range names {
		id, err := strconv.ParseInt(strings.TrimPrefix(name, s.keptPrefix()), 10, 64)
		if err == nil && s.pending.find(id) == nil {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// full tells whether no more updates may be taken for now. The log hears of each
// change once.
func (s *session) full() (full bool, changed <-chan struct{}) {
	full, turned, changed := s.pending.state()
	switch {
	case turned && full:
		s.log.Warn("too many updates wait: no more are taken until some are answered", "waiting", s.pending.most)
	case turned:
		s.log.Info("updates are taken again")
	}
	return full, changed
}

// room waits until more updates may be taken; false: ctx ended.
func (s *session) room(ctx context.Context) bool {
	for ctx.Err() == nil {
		full, changed := s.full()
		if !full {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
	return false
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
