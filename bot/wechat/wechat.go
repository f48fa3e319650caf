// Package wechat connects newsie to a WeChat Official Account: it receives
// what the platform posts, writes the answer into the HTTP response, and pushes
// by the ways that the account has (send.go).
//
// The receiving side trusts nothing: see handler.go. Rules of the platform and
// the traps of the library are told where the code obeys them. In the table
// quotas it owns the rows named "wechat/…" (windows.go, grant.go, quota.go); access tokens are kept
// in the settings (token.go).
package wechat

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"sync"
	"time"

	"github.com/silenceper/wechat/v2/officialaccount"
	"github.com/silenceper/wechat/v2/officialaccount/basic"
	"github.com/silenceper/wechat/v2/officialaccount/config"
	"github.com/silenceper/wechat/v2/officialaccount/draft"
	"github.com/silenceper/wechat/v2/officialaccount/material"
	"github.com/silenceper/wechat/v2/officialaccount/menu"
	"github.com/silenceper/wechat/v2/officialaccount/message"

	"newsie/bot"
	"newsie/content"
	"newsie/internal/database"
	"newsie/internal/locale"
)

// A Mode says how the platform is set to post messages.
type Mode string

const (
	Plain      Mode = "plain"
	Compatible Mode = "compatible" // both forms in one body; the encrypted one is used
	Safe       Mode = "safe"       // encrypted; plain bodies are refused
)

// Config is one account. Name, AppID, Token, Handler, Inbox, Settings, DB,
// Catalog and Logger are needed.
type Config struct {
	Name           string // of the channel
	AppID          string
	Secret         string         // the AppSecret; needed to push, not to answer
	Token          string         // the one typed into the platform's server settings
	AESKey         string         // EncodingAESKey, 43 characters
	PreviousAESKey string         // still accepted while the key is being changed
	Mode           Mode           // "": safe with an AESKey, plain without
	Account        Account        // "": the platform is asked
	TapLines       bool           // offer tappable lines; test accounts cannot
	Answer         Answer         // when a question is answered with a news card; "": Auto
	Language       string         // of readers who have not chosen; "": zh-Hans
	APIURL         string         // instead of https://api.weixin.qq.com
	PublicURL      string         // of the reader pages and of our own address; "": none is configured
	Title          string         // of the publication
	Zone           *time.Location // of dates in notices; nil: Beijing's

	Notice   Form // of subscription notices
	Template Form // of template messages
	Once     Once // one-time subscriptions

	Menu    []Button // the one the account should have; none: DefaultMenu
	MenuOff bool     // the account's menu is not newsie's

	Handler  bot.Handler
	Inbox    *bot.Inbox
	Settings *bot.Settings
	DB       *database.DB
	Catalog  *locale.Catalog
	Logger   *slog.Logger
	Now      func() time.Time
	// Notify tells the publisher something once per key; may be nil.
	Notify func(ctx context.Context, key, text string)
	// Late keeps an answer that missed the platform's patience, to be delivered
	// later; may be nil.
	Late func(ctx context.Context, chat bot.ChatID, r bot.Reply) error
	// Held adds what waits for this reader to an answer; may be nil.
	Held func(ctx context.Context, chat bot.ChatID, r bot.Reply) (bot.Reply, error)
	// Settle brings the result of a message that the platform had accepted;
	// problem is "" when it arrived. A *bot.RetryError: its receipt is still on
	// the way. May be nil.
	Settle func(ctx context.Context, providerID, problem string) error
	// Transport calls our own address, for Check; nil: http.DefaultTransport.
	Transport http.RoundTripper
	// Mass is the digest for an audience, which needs Articles and Result.
	Mass Mass
	// Articles loads whole articles in the order asked for, without those that
	// readers may not see; Picture gets a picture by its address, "/media/…" or on the
	// web, and may be nil.
	Articles func(ctx context.Context, ids []int64) ([]content.Article, error)
	Picture  func(ctx context.Context, address string) ([]byte, error)
	// Result tells what became of a mass send that the platform had accepted; ok
	// is false while nobody waits for it.
	Result func(ctx context.Context, providerID string, sent bool, note string) (ok bool, err error)
	// Patience is how long a request may take before the platform gets an empty
	// answer; 0 means 4.5 s, which leaves half a second of the platform's five.
	Patience time.Duration
}

// A Channel is one account. It is an http.Handler and a bot.Sender, safe for
// concurrent use.
type Channel struct {
	cfg      Config
	log      *slog.Logger
	account  *officialaccount.OfficialAccount
	customer *message.Manager
	menus    *menu.Menu
	basic    *basic.Basic
	draft    *draft.Draft
	material *material.Material
	tokens   *tokens
	windows  *Windows
	quotas   *quotas
	grants   *grants
	asked    asked
	template *message.Template
	granting seal
	refusals refusals
	late     crew
}

const (
	patience  = 4500 * time.Millisecond
	lateLimit = 30 * time.Second // for an answer nobody waits for any more
)

// New checks cfg, reporting every problem at once, and points the library at
// the account's API address. It makes no call.
func New(cfg Config) (*Channel, error) {
	cfg.setDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if err := point(cfg.AppID, cfg.APIURL); err != nil {
		return nil, fmt.Errorf("channel %s: %w", cfg.Name, err)
	}
	c := &Channel{cfg: cfg, log: cfg.Logger.With("channel", cfg.Name)}
	c.tokens = newTokens(cfg, c.log)
	c.windows = NewWindows(cfg.DB, cfg.Name, cfg.Now)
	c.quotas = &quotas{db: cfg.DB, channel: cfg.Name, now: cfg.Now}
	c.grants = &grants{db: cfg.DB, channel: cfg.Name, now: cfg.Now}
	c.refusals = refusals{now: cfg.Now, log: c.log}
	c.account = officialaccount.NewOfficialAccount(&config.Config{
		AppID: cfg.AppID, AppSecret: cfg.Secret, Token: cfg.Token, EncodingAESKey: cfg.AESKey,
		Cache: c.tokens, UseStableAK: true,
	})
	// The library makes these at first use without a lock.
	c.customer = c.account.GetCustomerMessageManager()
	c.menus = c.account.GetMenu()
	c.template = c.account.GetTemplate()
	c.basic = c.account.GetBasic()
	c.draft, c.material = c.account.GetDraft(), c.account.GetMaterial()
	return c, nil
}

func (cfg *Config) setDefaults() {
	if cfg.Mode == "" {
		cfg.Mode = Plain
		if cfg.AESKey != "" {
			cfg.Mode = Safe
		}
	}
	if cfg.Language == "" {
		cfg.Language = "zh-Hans"
	}
	if cfg.Answer == "" {
		cfg.Answer = Auto
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Patience == 0 {
		cfg.Patience = patience
	}
	if cfg.Zone == nil {
		cfg.Zone = beijing
	}
	if cfg.Once.Template != "" && cfg.Once.Scenes == 0 {
		cfg.Once.Scenes = usualScenes
	}
}

var (
	appIDRule = regexp.MustCompile(`^wx[0-9a-z]{16}$`)
	tokenRule = regexp.MustCompile(`^[0-9A-Za-z]{3,32}$`)
)

// CheckKeys finds every mistake in what is copied from the platform's pages:
// AppID, Token, AESKey and PreviousAESKey. What it says names none of their values.
func (cfg *Config) CheckKeys() []FieldProblem {
	var problems []FieldProblem
	wrong := func(key, what string) { problems = append(problems, FieldProblem{key, what}) }
	const stands = "is missing: it stands in the account's developer settings"
	switch {
	case cfg.AppID == "":
		wrong("app_id", stands)
	case !appIDRule.MatchString(cfg.AppID):
		wrong("app_id", "is no AppID, which is wx and 16 small letters and digits")
	}
	switch {
	case cfg.Token == "":
		wrong("token", stands)
	case !tokenRule.MatchString(cfg.Token):
		wrong("token", "must have 3 to 32 letters and digits, as in the platform's server settings")
	}
	for _, aes := range []struct{ key, value string }{{"aes_key", cfg.AESKey}, {"previous_aes_key", cfg.PreviousAESKey}} {
		if aes.value == "" {
			continue
		}
		if len(aes.value) != 43 {
			wrong(aes.key, fmt.Sprintf("an EncodingAESKey has 43 characters, this one has %d", len(aes.value)))
		} else if raw, err := base64.StdEncoding.DecodeString(aes.value + "="); err != nil || len(raw) != 32 {
			wrong(aes.key, "an EncodingAESKey has 43 letters and digits, this one has other characters")
		}
	}
	return problems
}

func (cfg *Config) validate() error {
	var problems []error
	wrong := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("channel %s: "+format, append([]any{cfg.Name}, args...)...))
	}
	if cfg.Name == "" {
		wrong("it has no name")
	}
	for _, problem := range cfg.CheckKeys() {
		wrong("%s %s", problem.Key, problem.What)
	}
	switch cfg.Mode {
	case Plain:
	case Compatible, Safe:
		if cfg.AESKey == "" {
			wrong("mode %s needs aes_key", cfg.Mode)
		}
	default:
		wrong("mode %q is none of plain, compatible, safe", cfg.Mode)
	}
	switch cfg.Answer {
	case List, Card, Auto:
	default:
		wrong("answer %q is none of list, card, auto", cfg.Answer)
	}
	switch cfg.Account {
	case "", Unverified:
	case Subscription, Service:
		if cfg.Secret == "" {
			wrong("a verified account sends messages by itself, which needs app_secret")
		}
	default:
		wrong("account %q is none of unverified, subscription, service", cfg.Account)
	}
	for _, problem := range cfg.checkForms() {
		wrong("%s: %s", problem.Key, problem.What)
	}
	if cfg.Handler == nil || cfg.Inbox == nil || cfg.Settings == nil || cfg.DB == nil || cfg.Catalog == nil || cfg.Logger == nil {
		wrong("handler, inbox, settings, database, catalog and logger must be given")
	}
	return errors.Join(problems...)
}

// Name is the channel's name.
func (c *Channel) Name() string { return c.cfg.Name }

// Run keeps house until ctx ends: it asks the platform once a day what the
// account may do, follows mass sends, forgets closed windows every hour and, at
// the end, gives late answers five seconds to be handed on.
func (c *Channel) Run(ctx context.Context) error {
	var beside sync.WaitGroup
	beside.Go(func() { c.followMass(ctx) })
	beside.Go(func() { c.refusals.run(ctx) })
	defer beside.Wait()
	for {
		again := c.keepAsking(ctx)
		if err := errors.Join(c.windows.Prune(ctx), c.quotas.prune(ctx)); err != nil && ctx.Err() == nil {
			c.log.Warn("forget closed windows", "error", err)
		}
		timer := time.NewTimer(again)
		select {
		case <-ctx.Done():
			timer.Stop()
			c.late.finish(5 * time.Second)
			return nil
		case <-timer.C:
		}
	}
}

// Buckets are the rates that a pushed message takes slots of. The platform
// documents no figure for customer messages; 50 a second stays well below what
// others report as refused.
func (c *Channel) Buckets(to bot.ChatID) []bot.Bucket {
	if to.Audience() { // 60 a minute; what it is told to wait concerns no reader
		return []bot.Bucket{{Name: "wechat/" + c.cfg.Name + "/mass", PerSecond: 1, Burst: 1}}
	}
	return []bot.Bucket{{Name: "wechat/" + c.cfg.Name + "/customer", PerSecond: 50, Burst: 50}}
}

// Refused counts the requests refused since the start, by reason.
func (c *Channel) Refused() map[string]int64 { return c.refusals.counts() }

func (c *Channel) notify(ctx context.Context, key, text string) {
	if c.cfg.Notify != nil {
		c.cfg.Notify(ctx, "wechat/"+c.cfg.Name+"/"+key, text)
	}
}

// A crew is the answers being worked on: they outlive their request when the
// platform does not wait, but not the channel.
type crew struct {
	mu     sync.Mutex
	closed bool
	busy   sync.WaitGroup
	cancel map[*context.CancelFunc]struct{}
}

// start runs work in a goroutine with a context that outlives ctx by lateLimit
// at most. It reports false once the crew has finished.
func (c *crew) start(ctx context.Context, work func(context.Context)) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lateLimit)
	if c.cancel == nil {
		c.cancel = map[*context.CancelFunc]struct{}{}
	}
	c.cancel[&cancel] = struct{}{}
	c.busy.Add(1)
	go func() {
		defer c.busy.Done()
		defer func() {
			cancel()
			c.mu.Lock()
			delete(c.cancel, &cancel)
			c.mu.Unlock()
		}()
		work(ctx)
	}()
	return true
}

// finish takes no more work, waits up to grace for the rest, then cancels it.
func (c *crew) finish(grace time.Duration) {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	stop := time.AfterFunc(grace, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		for cancel := range c.cancel {
			(*cancel)()
		}
	})
	defer stop.Stop()
	c.busy.Wait()
}
