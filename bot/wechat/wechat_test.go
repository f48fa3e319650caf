package wechat_test

import (
	"context"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/silenceper/wechat/v2/util"
	"go.uber.org/goleak"

	"newsie/bot"
	"newsie/bot/bottest"
	"newsie/bot/wechat"
	"newsie/bot/wechat/wechattest"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
	"newsie/internal/locale"
)

func TestMain(m *testing.M) {
	code := m.Run()
	util.DefaultHTTPClient.CloseIdleConnections()
	if err := goleak.Find(); err != nil && code == 0 {
		println(err.Error())
		code = 1
	}
	os.Exit(code)
}

// A stage is an account on the platform with a channel behind it.
type stage struct {
	*wechattest.Server
	clock   *wechattest.Clock
	channel *wechat.Channel
	db      *database.DB
	log     *strings.Builder
	config  wechat.Config
}

type option func(*wechattest.Account, *wechat.Config)

func verified(a *wechattest.Account, c *wechat.Config) {
	a.Verified, c.Account = true, wechat.Subscription
}

func mode(m wechattest.Mode) option {
	return func(a *wechattest.Account, c *wechat.Config) { a.Mode, c.Mode = m, wechat.Mode(m) }
}

func start(t testing.TB, h bot.Handler, options ...option) *stage {
	t.Helper()
	return startOn(t, databasetest.SQLite(t), h, options...)
}

func startOn(t testing.TB, db *database.DB, h bot.Handler, options ...option) *stage {
	t.Helper()
	catalog, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{clock: wechattest.NewClock(time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC)), db: db, log: &strings.Builder{}}
	s.config = wechat.Config{
		Name: "wx", TapLines: true, Handler: h, Catalog: catalog, DB: db, Now: s.clock.Now,
		Inbox: bot.NewInbox(db, s.clock.Now), Settings: bot.NewSettings(db, s.clock.Now),
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	var account wechattest.Account
	for _, o := range options {
		o(&account, &s.config)
	}
	s.Server = wechattest.New(t, account, s.clock)
	s.config.AppID, s.config.Secret, s.config.Token, s.config.AESKey = s.AppID, s.Secret, s.Token, s.AESKey
	s.config.APIURL = s.URL
	s.channel = s.replica(t)
	s.Connect(s.channel)
	return s
}

// replica is another process on the same database.
func (s *stage) replica(t testing.TB, options ...func(*wechat.Config)) *wechat.Channel {
	t.Helper()
	config := s.config
	for _, o := range options {
		o(&config)
	}
	channel, err := wechat.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return channel
}

func (s *stage) chat(reader string) bot.ChatID { return bot.ChatID{Channel: "wx", ID: reader} }

// echo answers every message with its kind and text.
func echo(_ context.Context, m bot.Message) (bot.Reply, error) {
	return bot.Reply{Lang: "en", Text: string(m.Kind) + ": " + m.Text}, nil
}

type platform struct {
	stage  *stage
	reader *wechattest.Reader
}

func (p platform) seen(b wechattest.Bubble) bottest.Seen {
	seen := bottest.Seen{Text: b.Text, Size: len(b.Raw), Limit: wechat.Budget, Nothing: b.Text == ""}
	for _, l := range b.Links {
		seen.Links = append(seen.Links, l.Target)
	}
	for _, l := range b.Taps {
		seen.Buttons = append(seen.Buttons, l.Label)
	}
	return seen
}

func (p platform) Say(_ *testing.T, text string) bottest.Seen { return p.seen(p.reader.Say(text)) }
func (p platform) Repeat(*testing.T) bottest.Seen             { return p.seen(p.reader.Repeat()) }

func (p platform) Tap(t *testing.T, label string) bottest.Seen {
	t.Helper()
	b, err := p.reader.Tap(label)
	if err != nil {
		t.Fatal(err)
	}
	return p.seen(b)
}

func (p platform) Push(t *testing.T, r bot.Reply) bottest.Seen {
	t.Helper()
	before := len(p.reader.Phone())
	if _, err := p.stage.channel.Send(t.Context(), bot.Outgoing{To: p.stage.chat(p.reader.OpenID), Reply: r}); err != nil {
		t.Fatal(err)
	}
	phone := p.reader.Phone()
	if len(phone) != before+1 {
		t.Fatalf("%d new messages on the phone", len(phone)-before)
	}
	return p.seen(phone[before])
}

func TestConform(t *testing.T) {
	for _, m := range []wechattest.Mode{wechattest.Safe, wechattest.Compatible, wechattest.Plain} {
		t.Run(string(m), func(t *testing.T) {
			bottest.Conform(t, func(t *testing.T, h bot.Handler) bottest.Platform {
				s := start(t, h, verified, mode(m))
				return platform{s, s.Reader("o-reader-1")}
			})
		})
	}
}

func TestNewNamesEveryMistake(t *testing.T) {
	_, err := wechat.New(wechat.Config{Name: "wx", Mode: "sfae", Token: "a", AESKey: "short", Account: wechat.Service})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"app_id is missing", "token must", "aes_key", `"sfae"`, "needs app_secret", "handler"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	s := start(t, echo, verified)
	s.Reader("r1").Say("hi")
	s.clock.Advance(49 * time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.channel.Run(ctx) }()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
