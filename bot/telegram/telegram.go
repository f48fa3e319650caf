// Package telegram connects newsie to Telegram: one Channel is one bot.
//
// It receives by long polling or by webhook, has every update answered once,
// and sends. The library underneath, telegram-bot-api v5.5.1, is used for its
// requests alone; polling, the webhook, the updates and today's fields are here.
//
// It owns no table: what came in and which message answered which is kept in
// bot.Inbox, small facts in bot.Settings, the pace in bot.Pacer.
package telegram

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"newsie/bot"
	"newsie/internal/locale"
)

// publicAPI is Telegram's own Bot API server.
const publicAPI = "https://api.telegram.org"

// Ways in which updates come in.
const (
	Poll    = "poll"
	Webhook = "webhook"
)

// Config says what a Channel is and what it stands on. Name, Token, Handler,
// Inbox, Settings and Catalog are needed.
type Config struct {
	Name      string // the channel's name, ChatID.Channel
	Token     string // from @BotFather
	APIURL    string // of a self-hosted Bot API server; "" is Telegram's own
	Mode      string // Poll ("" too) or Webhook
	PublicURL string // what the webhook's address is made from
	Secret    string // of the webhook; "" derives one from the token

	// Rate is how many messages a second go out over all chats; 0: DefaultRate,
	// infinite: no rate is kept, not even a chat's.
	Rate float64
	Paid bool // digests are paid broadcasts, of which Telegram takes up to 1,000 a second

	Rich string // RichAuto ("" too) or RichOff: digests as rich messages where the server has them

	Handler bot.Handler
	// Inline answers what readers type after the bot's name in other chats; nil:
	// nobody does, and Telegram is not asked for it.
	Inline   func(ctx context.Context, q bot.InlineQuery) (bot.InlineAnswer, error)
	Inbox    *bot.Inbox
	Settings *bot.Settings
	Pacer    *bot.Pacer // nil: answers are not paced
	Catalog  *locale.Catalog
	Commands []Command
	Language string       // of the menu of those whose app speaks none of ours; "": English
	Posts    []string     // where the publisher posts: @name or an id, maybe with a topic's number, -100…:5
	Logger   *slog.Logger // nil: slog.Default

	Now func() time.Time // nil: time.Now
	// Grace is how long answers in flight may take when Run ends; 0: 8 seconds.
	Grace time.Duration
	// Wait pauses; nil waits in real time. Tests pass one that does not.
	Wait func(ctx context.Context, d time.Duration) error
	// Alone: no other process serves this bot, so that whatever an earlier one
	// left unanswered is taken up at once.
	Alone bool
	// Patience is how long a webhook request waits for its answer before the
	// update is written down and the server may forget it; 0: a second.
	Patience time.Duration
	// Shelf is how many updates may wait in the settings beyond those in hand before
	// no more are taken; 0: 20,000.
	Shelf int
	// SweepEvery is how often a replica looks for updates that a dead one left; 0: 5 seconds.
	SweepEvery time.Duration
	// Notify tells the publisher something, once per key. It may be nil.
	Notify func(ctx context.Context, key, text string)
	// Moved is told that a group has a new id; everything of it must follow.
	// It may be nil.
	Moved func(ctx context.Context, from, to bot.ChatID) error
	// Gone is told that a chat takes no messages, with everything of it to be
	// suspended until it is heard again. It may be nil.
	Gone func(ctx context.Context, chat bot.ChatID) error
	// Count counts events for the metrics: "html_refused" (a bug of ours),
	// "button_dropped" (another), "photo_refused" (a cover that Telegram does not
	// take), "rich_refused", "update_undecodable", "update_ignored",
	// "update_flooded" (one chat sent far too many); of inline mode "inline_dropped"
	// (too many type at once), "inline_failed", "inline_refused", "inline_late". It
	// may be nil.
	Count func(event string)
}

// A Command is one entry of the bot's menu. An empty description keeps the
// command out of the menu; in groups it is still known as ours.
type Command struct {
	Name        string // [a-z0-9_]{1,32}
	Description func(lang string) string
	Groups      bool // it stands in the menu of groups too
	Managers    bool // in groups, of administrators alone
}

// A Channel is one bot. Its methods may be used concurrently, Run once.
type Channel struct {
	config  Config
	client  *client
	log     *slog.Logger
	secret  string
	layouts layouts
	refused atomic.Pointer[refusal] // the last one, while no other message got through
	skipped ration                  // lines about updates that cannot be read
	poor    atomic.Bool             // the server has no rich messages
	session atomic.Pointer[session] // nil until Run knows the bot's own name, and after it ended
	account account

	standings standings
}

var tokenShape = regexp.MustCompile(`^[0-9]{1,20}:[A-Za-z0-9_-]{1,100}$`)
var secretShape = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)

// New checks the configuration; it does not need the network.
func New(config Config) (*Channel, error) {
	config = config.complete()
	if problems := config.problems(); len(problems) > 0 {
		return nil, fmt.Errorf("channel %s: %w", config.Name, errors.Join(problems...))
	}
	return &Channel{
		config: config,
		client: newClient(config.APIURL, config.Token),
		log:    config.Logger.With("channel", config.Name),
		secret: config.Secret,
	}, nil
}

// complete is a configuration with everything that may be left out.
func (c Config) complete() Config {
	c.APIURL = strings.TrimRight(cmp.Or(c.APIURL, publicAPI), "/")
	c.Mode = cmp.Or(c.Mode, Poll)
	c.Secret = cmp.Or(c.Secret, derivedSecret(c.Token, c.Name))
	c.Rate = cmp.Or(c.Rate, DefaultRate)
	c.Logger = cmp.Or(c.Logger, slog.Default())
	c.Grace = cmp.Or(c.Grace, 8*time.Second)
	c.Patience = cmp.Or(c.Patience, time.Second)
	c.Shelf = cmp.Or(c.Shelf, shelfMost)
	c.SweepEvery = cmp.Or(c.SweepEvery, 5*time.Second)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Wait == nil {
		c.Wait = wait
	}
	return c
}

// problems tells what is wrong with a complete configuration, all at once.
func (c Config) problems() (problems []error) {
	complain := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if c.Name == "" {
		complain("the channel has no name")
	}
	if !tokenShape.MatchString(c.Token) {
		complain("the token does not look like one of @BotFather's (digits, a colon, letters)")
	}
	if u, err := url.Parse(c.APIURL); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		complain("api_url must be an http or https address")
	}
	switch {
	case c.Mode == Webhook && c.PublicURL == "":
		complain("mode webhook needs public_url")
	case c.Mode != Poll && c.Mode != Webhook:
		complain("mode %q: must be %s or %s", c.Mode, Poll, Webhook)
	}
	if !slices.Contains([]string{"", RichAuto, RichOff}, c.Rich) {
		complain("rich %q: must be %s or %s", c.Rich, RichAuto, RichOff)
	}
	if !secretShape.MatchString(c.Secret) {
		complain("webhook_secret may hold 1 to 256 of A-Z a-z 0-9 _ -")
	}
	if err := CheckRate(c.Rate, c.Paid); err != nil {
		problems = append(problems, err)
	}
	if c.Handler == nil || c.Inbox == nil || c.Settings == nil || c.Catalog == nil {
		complain("Handler, Inbox, Settings and Catalog are needed")
	}
	for _, command := range c.Commands {
		if !commandShape.MatchString(command.Name) {
			complain("the command %q: names are 1 to 32 of a-z 0-9 _", command.Name)
		}
	}
	return problems
}

// derivedSecret is the same on every replica and after every restart, and does
// not give the token away.
func derivedSecret(token, name string) string {
	mac := hmac.New(sha256.New, []byte(token))
	mac.Write([]byte("webhook of " + name))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// Name is the channel's name.
func (c *Channel) Name() string { return c.config.Name }

// Run receives and answers until ctx ends; then answers in flight are finished
// and it returns nil. A network that is down and a token that is refused are
// waited for, not returned.
func (c *Channel) Run(ctx context.Context) error {
	defer c.client.close()
	me, ok := c.hello(ctx)
	if !ok {
		return nil
	}
	c.remember(ctx, me)
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	s := &session{Channel: c, me: me, owner: c.newOwner(), work: work, lanes: newLanes(workers), acks: newLanes(ackers), pending: newPending(c.config.Shelf)}
	s.desk = newDesk(work, inlineHands, inlineReaders, s.answerInline)
	// What is older comes first.
	if s.insist(ctx, "resume", func(ctx context.Context) error { return s.sweep(ctx, c.config.Alone) }) == nil {
		c.session.Store(s)
		c.log.Info("telegram is connected", "bot", me.Username, "mode", c.config.Mode)
		s.receive(ctx)
		c.session.Store(nil)
	}
	stop := time.AfterFunc(c.config.Grace, cancel)
	defer stop.Stop()
	s.desk.wait()
	s.acks.wait()
	s.lanes.wait()
	if err := s.retire(); err != nil {
		c.log.Error("updates wait at the server", "error", err)
	}
	return nil
}

// receive takes updates until ctx ends, and does beside it what else is to be done.
func (s *session) receive(ctx context.Context) {
	var beside sync.WaitGroup
	beside.Go(func() { s.sweepUntil(ctx) })
	beside.Go(func() { s.refillUntil(ctx) })
	beside.Go(func() { s.watchUntil(ctx) })
	beside.Go(func() { s.offerCommands(ctx, s.me) })
	if s.config.Mode == Webhook {
		s.webhookUntil(ctx)
	} else {
		s.poll(ctx)
	}
	beside.Wait()
}

// newOwner names a replica. Those that started earlier sort first.
func (c *Channel) newOwner() string {
	return fmt.Sprintf("%013d-%s", c.config.Now().UnixMilli(), rand.Text()[:8])
}

// hello learns who the bot is, however long that takes; false: ctx ended.
func (c *Channel) hello(ctx context.Context) (user, bool) {
	var me user
	err := c.insist(ctx, "getMe", func(ctx context.Context) error {
		return c.client.call(ctx, "getMe", nil, sendTimeout, &me)
	})
	return me, err == nil
}

// insist calls fn until it succeeds; an error means that ctx ended.
func (c *Channel) insist(ctx context.Context, what string, fn func(ctx context.Context) error) error {
	pause := newPause()
	for {
		err := fn(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		c.complain(ctx, what, err)
		if err := c.config.Wait(ctx, pause.after(err)); err != nil {
			return err
		}
	}
}

// tell tells the publisher something about this channel, once a day.
func (c *Channel) tell(ctx context.Context, key, text string) {
	if c.config.Notify != nil {
		c.config.Notify(ctx, c.bucket()+":"+key, "channel "+c.config.Name+": "+text)
	}
}

// complain logs an error of the receiving side, and tells the publisher when
// only the publisher can help.
func (c *Channel) complain(ctx context.Context, what string, err error) {
	var platform *Error
	if !errors.As(err, &platform) { // everything Telegram does wrong is an *Error
		c.log.Error("newsie's own database does not answer as it should", "step", what, "error", err)
		return
	}
	c.log.Warn("telegram does not answer as it should", "call", what, "error", err)
	var fault *bot.ConfigError
	if errors.As(c.sendError(err, bot.ChatID{}), &fault) && c.config.Notify != nil {
		c.config.Notify(ctx, c.bucket()+":config", fault.Error())
	}
}

func (c *Channel) count(event string) {
	if c.config.Count != nil {
		c.config.Count(event)
	}
}

// WebhookPath is where the program must mount Channel.ServeHTTP.
func (c *Channel) WebhookPath() string { return "/hooks/telegram/" + url.PathEscape(c.config.Name) }

var _ bot.Sender = (*Channel)(nil)
var _ http.Handler = (*Channel)(nil)

func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
