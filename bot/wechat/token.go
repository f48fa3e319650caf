package wechat

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/silenceper/wechat/v2/credential"

	"newsie/bot"
)

// tokens is the library's cache, kept in the settings: replicas share one
// access token and a restart does not fetch another. (The library's own memory
// cache reads a map without its lock.) Values are strings.
type tokens struct {
	appID, secret string
	settings      *bot.Settings
	log           *slog.Logger
}

func newTokens(cfg Config, log *slog.Logger) *tokens {
	return &tokens{appID: cfg.AppID, secret: cfg.Secret, settings: cfg.Settings, log: log}
}

const settingsTimeout = 5 * time.Second

func (t *tokens) within(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, settingsTimeout)
}

// Get returns the value as a string, or nil.
func (t *tokens) Get(key string) any { return t.GetContext(context.Background(), key) }

// GetContext is Get within ctx.
func (t *tokens) GetContext(ctx context.Context, key string) any {
	ctx, cancel := t.within(ctx)
	defer cancel()
	value, ok, err := t.settings.Load(ctx, key)
	if err != nil {
		t.log.Warn("load the access token", "error", err)
	}
	if !ok {
		return nil
	}
	ways.own(value, t.appID)
	return value
}

// Set keeps a value. It never fails: the library would withhold a token it
// could not keep, and a token that was not kept is only fetched again.
func (t *tokens) Set(key string, value any, timeout time.Duration) error {
	return t.SetContext(context.Background(), key, value, timeout)
}

// SetContext is Set within ctx.
func (t *tokens) SetContext(ctx context.Context, key string, value any, timeout time.Duration) error {
	token := fmt.Sprint(value)
	ways.own(token, t.appID)
	ctx, cancel := t.within(ctx)
	defer cancel()
	if err := t.settings.Save(ctx, key, token, max(timeout, time.Second)); err != nil {
		t.log.Warn("keep the access token", "error", err)
	}
	return nil
}

// IsExist reports whether there is a value.
func (t *tokens) IsExist(key string) bool { return t.Get(key) != nil }

// IsExistContext is IsExist within ctx.
func (t *tokens) IsExistContext(ctx context.Context, key string) bool {
	return t.GetContext(ctx, key) != nil
}

// Delete forgets a value.
func (t *tokens) Delete(key string) error { return t.DeleteContext(context.Background(), key) }

// DeleteContext is Delete within ctx.
func (t *tokens) DeleteContext(ctx context.Context, key string) error {
	ctx, cancel := t.within(ctx)
	defer cancel()
	return t.settings.Delete(ctx, key)
}

// key is what the library keeps the stable token under.
func (t *tokens) key() string {
	return credential.CacheKeyOfficialAccountPrefix + "_stable_access_token_" + t.appID
}

// renew replaces a token that the platform refused. Another replica may have
// done so already; and the platform repeats a stable token as long as it deems
// it good, so that one it refuses nevertheless must be replaced by force.
func (t *tokens) renew(ctx context.Context, refused string) error {
	if current, _ := t.GetContext(ctx, t.key()).(string); current != "" && current != refused {
		return nil
	}
	fresh, err := t.fetch(ctx, false)
	if err == nil && fresh.AccessToken == refused {
		fresh, err = t.fetch(ctx, true)
	}
	if err != nil {
		return err
	}
	// As the library does: five minutes before the end it fetches the next one.
	return t.SetContext(ctx, t.key(), fresh.AccessToken, time.Duration(fresh.ExpiresIn-300)*time.Second)
}

// fetch asks the platform, past the cache.
func (t *tokens) fetch(ctx context.Context, force bool) (credential.ResAccessToken, error) {
	handle := credential.NewStableAccessToken(t.appID, t.secret, credential.CacheKeyOfficialAccountPrefix, t)
	stable, ok := handle.(*credential.StableAccessToken)
	if !ok {
		return credential.ResAccessToken{}, fmt.Errorf("the library gave a %T for the stable token", handle)
	}
	return stable.GetAccessTokenDirectly(ctx, force)
}
