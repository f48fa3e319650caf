package telegramtest

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// Webhook is the address that the bot's updates go to; "": they wait for polls.
func (s *Server) Webhook() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hook.url
}

// Failing reports whether the webhook has refused an update.
func (s *Server) Failing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hook.failed != ""
}

type webhook struct {
	url, secret string
	connections int // at the same time
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
	connections, ok := integer(p["max_connections"])
	if !ok {
		connections = 40
	}
	s.hook = webhook{
		url: p["url"], secret: p["secret_token"], connections: int(min(max(connections, 1), 100)), generation: s.hook.generation + 1,
	}
	s.tell()
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
	s.tell()
	return true, nil
}

func (s *Server) webhookInfo(params) (any, *refusal) {
	info := map[string]any{"url": s.hook.url, "has_custom_certificate": false, "pending_update_count": len(s.updates)}
	if s.hook.url != "" {
		info["max_connections"] = s.hook.connections
	}
	if s.allowed != nil {
		info["allowed_updates"] = slices.Sorted(maps.Keys(s.allowed))
	}
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
	network := s.options.Webhooks
	if network == nil {
		network = &http.Transport{DisableKeepAlives: true}
	}
	client := &http.Client{
		Transport: network, Timeout: time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
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
		ready, changed, current := s.ready(hook, busy, hook.connections-waiting)
		if !current {
			return
		}
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

// ready takes the updates whose turn it is, at most so many and one of each
// queue, which is busy from then on; false: the webhook is another by now.
func (s *Server) ready(hook webhook, busy map[string]bool, most int) (list []queued, changed <-chan struct{}, current bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hook.generation != hook.generation {
		return nil, nil, false
	}
	s.expire()
	for _, u := range s.updates {
		if len(list) >= most {
			break
		}
		if !busy[u.queue] {
			busy[u.queue] = true
			list = append(list, u)
		}
	}
	return list, s.news, true
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

// longestPause is the longest pause between two tries, in seconds.
const longestPause = 60

// post repeats an update until the webhook takes it or it is too old: at once
// after the first refusal, then after 2, 4, 8 … seconds.
func (s *Server) post(ctx context.Context, client *http.Client, hook webhook, u queued) {
	for pause := 0; ctx.Err() == nil && u.expires.After(s.options.Now()); pause = min(max(1, pause)*2, longestPause) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, hook.url, bytes.NewReader(u.body))
		if err != nil {
			return
		}
		req.Header.Set("Content-Type", "application/json")
		if hook.secret != "" {
			req.Header.Set("X-Telegram-Bot-Api-Secret-Token", hook.secret)
		}
		failed, told := "", int64(0)
		resp, err := client.Do(req)
		if err != nil {
			failed = "Connection refused"
		} else {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
			if resp.StatusCode/100 == 2 {
				return
			}
			told, _ = integer(resp.Header.Get("Retry-After"))
			failed = "Wrong response from the webhook: " + strconv.Itoa(resp.StatusCode) + " " + http.StatusText(resp.StatusCode)
		}
		s.change(func() { s.hook.failed, s.hook.failedAt = failed, s.options.Now().Unix() })
		seconds := int64(pause)
		if told > 0 {
			seconds = min(told, 3600)
		}
		select {
		case <-time.After(time.Duration(seconds) * s.options.RetryWebhook):
		case <-ctx.Done():
		}
	}
}
