// Package webchat is the chat in the browser: a channel like the others, with
// a page instead of a platform. A reader is a random id in a signed cookie.
//
// Questions and answers work without JavaScript (post, redirect, page); with it
// the same forms are sent in the background and what newsie says unasked
// arrives by server-sent events.
//
// It owns the table webchat_messages, which keeps a chat's last 30 days.
package webchat

import (
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"newsie/bot"
	"newsie/internal/database"
	"newsie/internal/locale"
)

// kept is how long messages stay in a chat's history.
const kept = 30 * 24 * time.Hour

//go:embed static
var static embed.FS

//go:embed templates/*.html
var templates embed.FS

// Config is what a browser chat needs. Name, DB, Handler, Inbox, Settings and
// Catalog are required.
type Config struct {
	Name      string // the channel's name, which is also its address: /chat/NAME/
	Title     string // the publication's name, shown on top; "newsie" when empty
	PublicURL string // where readers reach this server; pages and cookies depend on it
	Home      string // where the reader pages begin; "/" when empty

	// Suggestions are words worth typing first, offered in an empty chat.
	Suggestions []string
	// Suggest offers what a reader who has typed something may mean, at most n;
	// lang is the reader's language. Nothing is offered when it is nil.
	Suggest func(ctx context.Context, prefix, lang string, n int) ([]bot.Suggestion, error)
	// TrustedProxies may tell a reader's address in X-Forwarded-For.
	TrustedProxies []netip.Prefix

	DB       *database.DB
	Handler  bot.Handler
	Inbox    *bot.Inbox
	Settings *bot.Settings
	Catalog  *locale.Catalog
	Logger   *slog.Logger     // slog.Default when nil
	Now      func() time.Time // time.Now when nil

	// Heartbeat is how often an idle event stream shows that it lives; 25 s when zero.
	Heartbeat time.Duration
	// WriteTimeout is how long an event stream may take to send one message; 10 s when zero.
	WriteTimeout time.Duration
	// Poll is how often an event stream looks into the database for what other
	// replicas said and no signal told of; 10 s when zero. On SQLite there are no
	// others.
	Poll time.Duration
}

// A Channel is one browser chat. It is an http.Handler for everything below
// /chat/NAME/ and a bot.Sender.
type Channel struct {
	config  Config
	base    string // "/chat/NAME/"
	public  *url.URL
	pages   *template.Template
	assets  assets
	history history
	hub     *hub
	origin  *http.CrossOriginProtection
	closing chan struct{} // closed when Run ends: event streams let go
	close   sync.Once

	replica string // this Channel among those of one name

	welcomes   welcomes
	suggesting chan struct{} // holds one for each request that suggests
}

var validName = regexp.MustCompile(`^[\pL\pN][\pL\pN._-]*$`)

// New makes a browser chat. It does nothing until it is served and Run.
func New(config Config) (*Channel, error) {
	if !validName.MatchString(config.Name) {
		return nil, fmt.Errorf("the channel name %q is no good for an address: use letters, digits, dots and hyphens", config.Name)
	}
	if config.DB == nil || config.Handler == nil || config.Inbox == nil || config.Settings == nil || config.Catalog == nil {
		return nil, fmt.Errorf("channel %s: a database, handler, inbox, settings and catalog are needed", config.Name)
	}
	setDefaults(&config)
	c := &Channel{
		config:  config,
		base:    "/chat/" + config.Name + "/",
		history: history{db: config.DB, channel: config.Name, now: config.Now},
		hub:     newHub(),
		origin:  http.NewCrossOriginProtection(),
		closing: make(chan struct{}),
		replica: rand.Text(),

		suggesting: make(chan struct{}, suggestAtOnce),
	}
	public, err := url.Parse(config.PublicURL)
	if err != nil {
		return nil, fmt.Errorf("channel %s: the public address: %w", config.Name, err)
	}
	c.public = public
	if public.Scheme != "" && public.Host != "" {
		// Behind a proxy that rewrites Host, the browser's Origin is the public one.
		if err := c.origin.AddTrustedOrigin(public.Scheme + "://" + public.Host); err != nil {
			return nil, fmt.Errorf("channel %s: the public address: %w", config.Name, err)
		}
	}
	if c.assets, err = readAssets(); err != nil {
		return nil, err
	}
	if c.pages, err = template.New("").Funcs(c.functions()).ParseFS(templates, "templates/*.html"); err != nil {
		return nil, fmt.Errorf("read the chat's templates: %w", err)
	}
	return c, nil
}

// functions are what the templates ask beside what they are shown.
func (c *Channel) functions() template.FuncMap {
	return template.FuncMap{
		"asset":    func(name string) string { return c.link(c.assets.names[name]) },
		"suggests": func() bool { return c.config.Suggest != nil },
	}
}

func setDefaults(config *Config) {
	if config.Title == "" {
		config.Title = "newsie"
	}
	if config.Home == "" {
		config.Home = "/"
	}
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Heartbeat == 0 {
		config.Heartbeat = 25 * time.Second
	}
	if config.WriteTimeout == 0 {
		config.WriteTimeout = 10 * time.Second
	}
	if config.Poll == 0 {
		config.Poll = 10 * time.Second
	}
	config.Logger = config.Logger.With("channel", config.Name)
	config.PublicURL = strings.TrimRight(config.PublicURL, "/")
}

// Name is the channel's name.
func (c *Channel) Name() string { return c.config.Name }

// Path is where the chat is to be mounted, "/chat/NAME/".
func (c *Channel) Path() string { return c.base }

// Run prunes the history until ctx ends, then lets every event stream go, so
// that the server can stop at once. It returns nil.
func (c *Channel) Run(ctx context.Context) error {
	defer c.close.Do(func() { close(c.closing) })
	every := time.NewTicker(time.Hour)
	defer every.Stop()
	for {
		if err := c.Prune(ctx); err != nil && ctx.Err() == nil {
			c.config.Logger.Error("prune the browser chat's history", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-every.C:
		}
	}
}

// Prune deletes the messages that are older than 30 days.
func (c *Channel) Prune(ctx context.Context) error {
	return c.history.prune(ctx, c.config.Now().Add(-kept))
}

// Send puts a message into a chat and shows it in every open tab. A message
// whose Key the chat already has is not put there again. It returns bot.ErrGone
// for a chat that has no history and follows nothing.
func (c *Channel) Send(ctx context.Context, o bot.Outgoing) (bot.Receipt, error) {
	if o.To.Channel != c.config.Name {
		return bot.Receipt{}, fmt.Errorf("send to %s by the channel %s", o.To.Channel, c.config.Name)
	}
	if o.Reply.Empty() {
		return bot.Receipt{}, errors.New("send: the message is empty")
	}
	id, err := c.history.push(ctx, o.To.ID, o.Key, o.Reply)
	if err != nil {
		return bot.Receipt{}, err
	}
	c.wake(o.To.ID)
	return bot.Receipt{ProviderID: fmt.Sprint(id), Way: "message"}, nil
}

// Forget deletes everything a chat said and was told. Called while a message
// of that chat is being answered, it also keeps that exchange out of the history.
func (c *Channel) Forget(ctx context.Context, chat bot.ChatID) error {
	if chat.Channel != c.config.Name {
		return nil
	}
	if err := c.history.forget(ctx, chat.ID); err != nil {
		return err
	}
	c.hub.forget(chat.ID)
	c.announce(signalForget, c.replica+" "+chat.ID)
	return nil
}

// Check tells newsie doctor how the channel is.
func (c *Channel) Check(ctx context.Context) []bot.Finding {
	what := "channel " + c.config.Name + ": the browser chat is at " + c.config.PublicURL + c.base
	if _, err := c.key(ctx); err != nil {
		return []bot.Finding{{What: what + ": " + err.Error(), Advice: "see the findings about the database"}}
	}
	local := c.public.Hostname() == "localhost"
	if addr, err := netip.ParseAddr(c.public.Hostname()); err == nil {
		local = addr.IsLoopback() || addr.IsPrivate()
	}
	if c.public.Scheme != "https" && !local {
		return []bot.Finding{{What: what + " without encryption", Advice: "serve it by https and set public_url to that address"}}
	}
	return []bot.Finding{{OK: true, What: what}}
}
