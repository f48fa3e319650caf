package telegramtest

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// queued is an update that the bot has not confirmed.
type queued struct {
	id      int64
	queue   string // updates of one queue reach a webhook in order
	expires time.Time
	body    json.RawMessage
}

// Raw queues an update as it stands, decodable or not; its update_id must be in
// it. Known ids: NextUpdate.
func (s *Server) Raw(id int64, body string) {
	s.change(func() {
		s.updates = append(s.updates, queued{id: id, queue: "raw" + strconv.FormatInt(id, 10), expires: s.options.Now().Add(dayOld), body: json.RawMessage(body)})
		s.nextID = max(s.nextID, id+1)
		s.tell()
	})
}

// NextUpdate is the id the next update will have.
func (s *Server) NextUpdate() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.nextID
}

// Repeat queues the last update of a chat once more, with its id.
func (s *Server) Repeat(chat int64) {
	s.change(func() {
		if c := s.chats[chat]; c != nil && c.last.id != 0 {
			s.updates = append(s.updates, c.last)
			s.tell()
		}
	})
}

// Pending counts the updates the bot has not confirmed.
func (s *Server) Pending() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.updates)
}

// Polling reports whether a poll is waiting.
func (s *Server) Polling() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.poller != nil
}

// Until waits until fn, called under no lock at every change, is true.
func (s *Server) Until(ctx context.Context, fn func() bool) error {
	for {
		s.mu.Lock()
		changed := s.watch()
		s.mu.Unlock()
		if fn() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// dayOld is how long most updates wait for the bot.
const dayOld = 24 * time.Hour

// push queues an update of a chat; the lock is held.
func (s *Server) push(c *Chat, kind string, value any) {
	s.pushTo(c, strconv.FormatInt(c.ID, 10), dayOld, kind, value)
}

// pushTo queues an update for as long as its kind is kept.
func (s *Server) pushTo(c *Chat, queue string, lifetime time.Duration, kind string, value any) {
	if s.allowed != nil && !s.allowed[kind] {
		return
	}
	u := queued{id: s.nextID, queue: queue, expires: s.options.Now().Add(lifetime),
		body: raw(map[string]any{"update_id": s.nextID, kind: value})}
	s.nextID++
	c.last = u
	s.updates = append(s.updates, u)
	s.tell()
}

// expire drops the updates that nobody fetched in time.
func (s *Server) expire() {
	now := s.options.Now()
	s.updates = slices.DeleteFunc(s.updates, func(u queued) bool { return !u.expires.After(now) })
}

const updateKinds = `message edited_message channel_post edited_channel_post business_connection business_message
	edited_business_message deleted_business_messages message_reaction message_reaction_count inline_query
	chosen_inline_result callback_query shipping_query pre_checkout_query purchased_paid_media poll poll_answer
	my_chat_member chat_member chat_join_request chat_boost removed_chat_boost`

func (s *Server) allow(text string) *refusal {
	if text == "" {
		return nil // the previous setting stays
	}
	var kinds []string
	if err := strict(text, &kinds); err != nil {
		return bad("can't parse allowed updates: %v", err)
	}
	if len(kinds) == 0 {
		s.allowed = nil // all but the few that must be asked for, which this server has not
		return nil
	}
	known := set(updateKinds)
	for _, k := range kinds {
		if !known[k] {
			return bad("can't parse allowed updates: unknown kind %q", k)
		}
	}
	s.allowed = names(kinds)
	return nil
}

func (s *Server) getUpdates(r *http.Request, p params) (any, *refusal) {
	limit, ok := integer(p["limit"])
	if !ok || limit < 1 || limit > 100 {
		limit = 100
	}
	seconds, _ := integer(p["timeout"])
	timer := time.NewTimer(time.Duration(min(max(seconds, 0), 50)) * time.Second)
	defer timer.Stop()
	mine, refused := s.takeOver(p)
	if refused != nil {
		return nil, refused
	}
	defer s.giveUp(mine)
	for {
		batch, changed := s.batch(limit)
		if len(batch) > 0 || s.options.NoHold {
			return batch, nil
		}
		select {
		case <-changed:
		case <-timer.C:
			return batch, nil
		case <-mine:
			return nil, &refusal{code: 409, words: "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"}
		case <-r.Context().Done():
			return batch, nil
		case <-s.stop:
			return batch, nil
		}
	}
}

// takeOver begins a poll, which ends the one that waits: its channel is closed.
func (s *Server) takeOver(p params) (mine chan struct{}, refused *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hook.url != "" {
		return nil, &refusal{code: 409, words: "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"}
	}
	if refused := s.allow(p["allowed_updates"]); refused != nil {
		return nil, refused
	}
	if s.poller != nil {
		close(s.poller)
	}
	s.poller = make(chan struct{})
	offset, _ := integer(p["offset"])
	s.confirm(offset)
	s.wake()
	return s.poller, nil
}

// giveUp ends a poll, unless another has taken over.
func (s *Server) giveUp(mine chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.poller == mine {
		s.poller = nil
	}
}

// batch is what a poll gets now, and a channel that is closed when there is more.
func (s *Server) batch(limit int64) (list []json.RawMessage, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	list = []json.RawMessage{}
	for _, u := range s.updates[:min(len(s.updates), int(limit))] {
		list = append(list, u.body)
	}
	return list, s.news
}

// confirm forgets the updates below an offset; a negative one keeps the last so many.
func (s *Server) confirm(offset int64) {
	if offset < 0 {
		s.updates = s.updates[max(0, len(s.updates)+int(offset)):]
		return
	}
	kept := s.updates[:0:0]
	for _, u := range s.updates {
		if u.id >= offset {
			kept = append(kept, u)
		}
	}
	if len(kept) != len(s.updates) {
		s.wake()
	}
	s.updates = kept
}
