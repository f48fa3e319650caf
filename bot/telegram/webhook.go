package telegram

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"
)

// SecretHeader is where Telegram repeats the webhook's secret.
const SecretHeader = "X-Telegram-Bot-Api-Secret-Token"

// updateLimit bounds the body of a webhook request; the longest update is far shorter.
const updateLimit = 1 << 20

// webhookPatience is how long a request may wait for its answer to be said; the
// server repeats the update after that, and is told that it was answered.
const webhookPatience = 25 * time.Second

// ServeHTTP takes one update of the webhook. The status is 200 when the update
// has been answered, by whichever replica, and when it never can be; 503 asks
// the server to repeat it.
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
	answered := make(chan error, 1)
	s.begin(body, func(err error) { answered <- err })
	patience := time.NewTimer(webhookPatience)
	defer patience.Stop()
	select {
	case err := <-answered:
		if err != nil {
			later(w)
		}
	case <-patience.C:
		later(w)
	case <-r.Context().Done():
	}
}

func later(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "2")
	http.Error(w, "not yet", http.StatusServiceUnavailable)
}

// webhookUntil tells Telegram where to send updates, and serves until ctx ends.
func (c *Channel) webhookUntil(ctx context.Context) {
	err := c.insist(ctx, "setWebhook", func(ctx context.Context) error {
		return c.client.call(ctx, "setWebhook", tgbotapi.Params{
			"url":                  c.webhookURL(),
			"secret_token":         c.secret,
			"allowed_updates":      allowedUpdates,
			"max_connections":      "40",
			"drop_pending_updates": "false",
		}, sendTimeout, nil)
	})
	if err == nil {
		<-ctx.Done()
	}
}

func (c *Channel) webhookURL() string {
	return strings.TrimRight(c.config.PublicURL, "/") + c.WebhookPath()
}
