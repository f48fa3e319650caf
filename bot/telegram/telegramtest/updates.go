package telegramtest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
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
		changed := s.changed
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
	s.wake()
}

// expire drops the updates that nobody fetched in time.
func (s *Server) expire() {
	now := s.options.Now()
	s.updates = slices.DeleteFunc(s.updates, func(u queued) bool { return !u.expires.After(now) })
}

func (s *Server) allow(text string) *refusal {
	if text == "" {
		return nil // the previous setting stays
	}
	var kinds []string
	if err := strict(text, &kinds); err != nil {
		return bad("can't parse allowed updates: %v", err)
	}
	s.allowed = map[string]bool{}
	for _, k := range kinds {
		s.allowed[k] = true
	}
	return nil
}

func (s *Server) getUpdates(r *http.Request, p params) (any, *refusal) {
	offset, _ := integer(p["offset"])
	limit, ok := integer(p["limit"])
	if !ok || limit < 1 || limit > 100 {
		limit = 100
	}
	seconds, _ := integer(p["timeout"])
	timer := time.NewTimer(time.Duration(min(max(seconds, 0), 50)) * time.Second)
	defer timer.Stop()

	s.mu.Lock()
	if s.hook.url != "" {
		s.mu.Unlock()
		return nil, &refusal{code: 409, words: "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"}
	}
	if refused := s.allow(p["allowed_updates"]); refused != nil {
		s.mu.Unlock()
		return nil, refused
	}
	if s.poller != nil {
		close(s.poller)
	}
	mine := make(chan struct{})
	s.poller = mine
	s.confirm(offset)
	s.wake()
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.poller == mine {
			s.poller = nil
		}
	}()
	for {
		s.mu.Lock()
		s.expire()
		batch := []json.RawMessage{}
		for _, u := range s.updates {
			if int64(len(batch)) < limit {
				batch = append(batch, u.body)
			}
		}
		changed := s.changed
		s.mu.Unlock()
		if len(batch) > 0 {
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

// Failing reports whether the webhook has refused an update.
func (s *Server) Failing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hook.failed != ""
}

type webhook struct {
	url, secret string
	failed      string
	failedAt    int64
	generation  int
}

var secretShape = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)

func (s *Server) setWebhook(p params) (any, *refusal) {
	u, err := url.Parse(p["url"])
	switch {
	case err != nil || u.Host == "":
		return nil, bad("bad webhook: invalid webhook URL specified")
	case u.Scheme != "https" && !s.options.Local:
		return nil, bad("bad webhook: An HTTPS URL must be provided for webhook")
	}
	if port := u.Port(); !s.options.Local && port != "" && port != "443" && port != "80" && port != "88" && port != "8443" {
		return nil, bad("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")
	}
	if secret := p["secret_token"]; secret != "" && !secretShape.MatchString(secret) {
		return nil, bad("secret token contains unallowed characters")
	}
	if refused := s.allow(p["allowed_updates"]); refused != nil {
		return nil, refused
	}
	if p["drop_pending_updates"] == "true" {
		s.updates = nil
	}
	s.hook = webhook{url: p["url"], secret: p["secret_token"], generation: s.hook.generation + 1}
	if s.poller != nil {
		close(s.poller)
		s.poller = nil
	}
	s.running.Add(1)
	go s.deliver(s.hook)
	return true, nil
}

func (s *Server) deleteWebhook(p params) (any, *refusal) {
	if p["drop_pending_updates"] == "true" {
		s.updates = nil
	}
	s.hook = webhook{generation: s.hook.generation + 1}
	return true, nil
}

func (s *Server) webhookInfo(params) (any, *refusal) {
	info := map[string]any{"url": s.hook.url, "has_custom_certificate": false, "pending_update_count": len(s.updates)}
	if s.hook.failed != "" {
		info["last_error_message"], info["last_error_date"] = s.hook.failed, s.hook.failedAt
	}
	return info, nil
}

// deliver posts updates to the webhook until another one is set: those of one
// chat in order, each until it is answered with a status of 200 to 299.
func (s *Server) deliver(hook webhook) {
	defer s.running.Done()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-s.stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
	busy := map[string]bool{}
	done := make(chan queued)
	waiting := 0
	defer func() {
		cancel()
		for ; waiting > 0; waiting-- {
			<-done
		}
	}()
	for {
		s.mu.Lock()
		if s.hook.generation != hook.generation {
			s.mu.Unlock()
			return
		}
		s.expire()
		var ready []queued
		for _, u := range s.updates {
			if !busy[u.queue] && waiting+len(ready) < 40 {
				busy[u.queue] = true
				ready = append(ready, u)
			}
		}
		changed := s.changed
		s.mu.Unlock()
		for _, u := range ready {
			waiting++
			go func() {
				s.post(ctx, client, hook, u)
				done <- u
			}()
		}
		select {
		case u := <-done:
			waiting--
			delete(busy, u.queue)
			s.change(func() { s.drop(u) })
		case <-changed:
		case <-s.stop:
			return
		}
	}
}

// drop forgets the first copy of an update.
func (s *Server) drop(u queued) {
	for i, other := range s.updates {
		if other.id == u.id {
			s.updates = append(s.updates[:i:i], s.updates[i+1:]...)
			return
		}
	}
}

// post repeats an update until the webhook takes it.
func (s *Server) post(ctx context.Context, client *http.Client, hook webhook, u queued) {
	for ctx.Err() == nil {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, hook.url, bytes.NewReader(u.body))
		if err != nil {
			return
		}
		req.Header.Set("Content-Type", "application/json")
		if hook.secret != "" {
			req.Header.Set("X-Telegram-Bot-Api-Secret-Token", hook.secret)
		}
		failed := ""
		resp, err := client.Do(req)
		if err != nil {
			failed = "Connection refused"
		} else {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
			if resp.StatusCode/100 == 2 {
				return
			}
			failed = "Wrong response from the webhook: " + strconv.Itoa(resp.StatusCode) + " " + http.StatusText(resp.StatusCode)
		}
		s.change(func() { s.hook.failed, s.hook.failedAt = failed, s.options.Now().Unix() })
		select {
		case <-time.After(s.options.RetryWebhook):
		case <-ctx.Done():
		}
	}
}
