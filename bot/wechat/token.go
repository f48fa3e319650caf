package wechat

import (
	"context"
	"errors"
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
	fetching      chan struct{} // holds one who fetches
}

func newTokens(cfg Config, log *slog.Logger) *tokens {
	return &tokens{appID: cfg.AppID, secret: cfg.Secret, settings: cfg.Settings, log: log, fetching: make(chan struct{}, 1)}
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

// current is the access token, fetched when there is none. Unlike the library,
// whose lock knows no context, nobody waits longer than ctx for another's fetch.
func (t *tokens) current(ctx context.Context) (string, error) {
	if token, _ := t.GetContext(ctx, t.key()).(string); token != "" {
		return token, nil
	}
	if err := t.lock(ctx); err != nil {
		return "", err
	}
	defer t.unlock()
	if token, _ := t.GetContext(ctx, t.key()).(string); token != "" {
		return token, nil
	}
	fresh, err := t.fetch(ctx, false)
	if err != nil {
		return "", err
	}
	return fresh.AccessToken, t.keep(ctx, fresh)
}

// renew replaces a token that the platform refused. Whoever comes while it is
// being replaced, here or on another replica, waits and uses the new one:
// replacing by force kills the token before, so two at once would kill each
// other's.
func (t *tokens) renew(ctx context.Context, refused string) error {
	if err := t.lock(ctx); err != nil {
		return err
	}
	defer t.unlock()
	tick := time.NewTicker(renewPoll)
	defer tick.Stop()
	for {
		if current, _ := t.GetContext(ctx, t.key()).(string); current != "" && current != refused {
			return nil
		}
		_, mine, err := t.settings.Create(ctx, t.renewing(), "", renewLease)
		if err != nil {
			return err
		}
		if mine {
			return t.replace(ctx, refused)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("wait for the new access token: %w", ctx.Err())
		}
	}
}

// A lease outlasts the two calls that a renewal may take, and frees the way
// when its holder died.
const (
	renewLease = 2*callTimeout + 2*settingsTimeout
	renewPoll  = 50 * time.Millisecond
)

func (t *tokens) renewing() string { return "wechat/renewing/" + t.appID }

// replace fetches another token than the refused one. The platform repeats a
// stable token as long as it deems it good, so that one it refuses nevertheless
// must be replaced by force.
func (t *tokens) replace(ctx context.Context, refused string) (err error) {
	defer func() {
		ctx, cancel := t.within(context.WithoutCancel(ctx))
		defer cancel()
		err = errors.Join(err, t.settings.Delete(ctx, t.renewing()))
	}()
	// The one before may have finished between our look and our turn.
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
	return t.keep(ctx, fresh)
}

// keep saves a token for everybody. As the library does, it forgets it five
// minutes before its end.
func (t *tokens) keep(ctx context.Context, fresh credential.ResAccessToken) error {
	return t.SetContext(ctx, t.key(), fresh.AccessToken, time.Duration(fresh.ExpiresIn-300)*time.Second)
}

func (t *tokens) lock(ctx context.Context) error {
	select {
	case t.fetching <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the access token: %w", ctx.Err())
	}
}

func (t *tokens) unlock() { <-t.fetching }

// fetch asks the platform, past the cache.
func (t *tokens) fetch(ctx context.Context, force bool) (credential.ResAccessToken, error) {
	handle := credential.NewStableAccessToken(t.appID, t.secret, credential.CacheKeyOfficialAccountPrefix, t)
	stable, ok := handle.(*credential.StableAccessToken)
	if !ok {
		return credential.ResAccessToken{}, fmt.Errorf("the library gave a %T for the stable token", handle)
	}
	return stable.GetAccessTokenDirectly(ctx, force)
}
