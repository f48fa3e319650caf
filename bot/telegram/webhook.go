package telegram

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"
)

// SecretHeader is where Telegram repeats the webhook's secret.
const SecretHeader = "X-Telegram-Bot-Api-Secret-Token"

// updateLimit bounds the body of a webhook request; the longest update is far shorter.
const updateLimit = 1 << 20

// ServeHTTP takes one update of the webhook. The status is 200 when the update
// is safe: answered, by whichever replica, or written down, or one that never
// can be answered; 503 asks the server to repeat it.
func (c *Channel) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "only POST", http.StatusMethodNotAllowed)
		return
	}
	// Hashes are of one length: nothing is told by the time a comparison takes.
	given, own := sha256.Sum256([]byte(r.Header.Get(SecretHeader))), sha256.Sum256([]byte(c.secret))
	if c.config.Mode != Webhook || subtle.ConstantTimeCompare(given[:], own[:]) != 1 {
		http.Error(w, "the secret is wrong", http.StatusUnauthorized)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, updateLimit))
	if err != nil {
		var long *http.MaxBytesError
		if errors.As(err, &long) {
			http.Error(w, "too long", http.StatusRequestEntityTooLarge)
			return
		}
		http.Error(w, "the body ended early", http.StatusBadRequest)
		return
	}
	s := c.session.Load()
	if s == nil {
		later(w)
		return
	}
	id, ok := updateID(body)
	if !ok {
		c.unreadable(0)
		return
	}
	if !s.safe(r.Context(), id, body) {
		later(w)
	}
}

// safe takes one update, and tells, once it can, whether the server may forget it.
func (s *session) safe(ctx context.Context, id int64, body []byte) bool {
	t := s.pending.find(id)
	if t == nil {
		in, ours := s.look(body, false)
		if !ours {
			return true
		}
		if full, _ := s.full(); full {
			return false
		}
		t = s.hold(id, in, body, false)
	}
	if answered := s.pending.answer(t); answered != nil {
		patience := time.NewTimer(s.config.Patience)
		defer patience.Stop()
		select {
		case <-answered:
			return true
		case <-ctx.Done():
			return true // nobody hears it
		case <-patience.C:
		}
	}
	// The server sends few requests at a time: a slow chat must not hold them.
	if err := s.keep([]*taken{t}); err != nil {
		s.log.Error("the server repeats an update", "update", id, "error", err)
		s.pending.drop(t, false)
		return false
	}
	return true
}

func later(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "2")
	http.Error(w, "not yet", http.StatusServiceUnavailable)
}

// webhookUntil tells Telegram where to send updates, and sees to it that they
// keep coming until ctx ends. It is told at every start, because nobody can ask
// whether the secret is still ours.
func (s *session) webhookUntil(ctx context.Context) {
	if s.insist(ctx, "setWebhook", s.setWebhook) != nil {
		return
	}
	ticker := time.NewTicker(s.config.SweepEvery * 60)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			s.watchWebhook(ctx)
		}
	}
}

func (c *Channel) setWebhook(ctx context.Context) error {
	return c.client.call(ctx, "setWebhook", tgbotapi.Params{
		"url":                  c.webhookURL(),
		"secret_token":         c.secret,
		"allowed_updates":      c.updateKinds(),
		"max_connections":      "40",
		"drop_pending_updates": "false",
	}, sendTimeout, nil)
}

// watchWebhook sets the webhook again when somebody else has moved it. Of
// several replicas the one that started last knows the configuration best.
func (s *session) watchWebhook(ctx context.Context) {
	hook, err := s.webhookInfo(ctx)
	if err != nil || hook.URL == s.webhookURL() {
		if err != nil && ctx.Err() == nil {
			s.complain(ctx, "getWebhookInfo", err)
		}
		return
	}
	var younger bool
	for _, mode := range []string{Poll, Webhook} {
		others, err := s.others(ctx, mode)
		if err != nil {
			return // the next look tells
		}
		younger = younger || slices.ContainsFunc(others, func(o string) bool { return o > s.owner })
	}
	if younger {
		return
	}
	what := "another program removed this bot's webhook"
	if hook.URL != "" {
		what = "another program had Telegram send this bot's updates to " + s.client.redact(hook.URL)
	}
	s.tell(ctx, "conflict", what+", which newsie has undone; stop it, or give newsie a bot of its own")
	if err := s.setWebhook(ctx); err != nil && ctx.Err() == nil {
		s.complain(ctx, "setWebhook", err)
	}
}

// webhookInfo is where Telegram sends updates, and how that goes.
type webhookInfo struct {
	URL       string   `json:"url"`
	Pending   int      `json:"pending_update_count"`
	ErrorDate int64    `json:"last_error_date"`
	Error     string   `json:"last_error_message"`
	Allowed   []string `json:"allowed_updates"`
}

func (c *Channel) webhookInfo(ctx context.Context) (hook webhookInfo, err error) {
	err = c.client.call(ctx, "getWebhookInfo", nil, sendTimeout, &hook)
	return hook, err
}

func (c *Channel) webhookURL() string {
	return strings.TrimRight(c.config.PublicURL, "/") + c.WebhookPath()
}
