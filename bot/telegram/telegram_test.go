package telegram_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"newsie/bot"
	"newsie/bot/bottest"
	"newsie/bot/telegram"
	"newsie/bot/telegram/telegramtest"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
	"newsie/internal/locale"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

func patient(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// A rig is a channel that runs against the fake platform.
type rig struct {
	*telegramtest.Server
	channel *telegram.Channel
	config  telegram.Config
	db      *database.DB
	log     *journal
	stop    func() // ends Run and waits for it
}

// setup changes what start would build; all of it may be nil.
type setup struct {
	server telegramtest.Options
	db     *database.DB
	config func(*telegram.Config)
}

func build(t *testing.T, s *telegramtest.Server, h bot.Handler, o setup) (*telegram.Channel, telegram.Config, *database.DB, *journal) {
	t.Helper()
	db := o.db
	if db == nil {
		db = databasetest.SQLite(t)
	}
	catalog, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	log := &journal{}
	config := telegram.Config{
		Name: "tg", Token: s.Token(), APIURL: s.URL(), Handler: h,
		Inbox: bot.NewInbox(db, time.Now), Settings: bot.NewSettings(db, time.Now),
		Catalog: catalog, Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if o.config != nil {
		o.config(&config)
	}
	c, err := telegram.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return c, config, db, log
}

func start(t *testing.T, h bot.Handler, o setup) *rig {
	t.Helper()
	s := telegramtest.Start(t, o.server)
	return join(t, s, h, o)
}

// join runs one more channel on a server.
func join(t *testing.T, s *telegramtest.Server, h bot.Handler, o setup) *rig {
	t.Helper()
	r := &rig{Server: s}
	r.channel, r.config, r.db, r.log = build(t, s, h, o)
	r.stop = run(t, r.channel)
	return r
}

func run(t *testing.T, c *telegram.Channel) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// forgotten waits until the server has been told that every update is safe.
func (r *rig) forgotten(t *testing.T) {
	t.Helper()
	if err := r.Until(patient(t), func() bool { return r.Pending() == 0 }); err != nil {
		t.Fatalf("updates are left: %v\n%s", err, r.log)
	}
}

// quiet waits until every update is answered, also one that took so long that
// it was written down.
func (r *rig) quiet(t *testing.T) {
	t.Helper()
	r.forgotten(t)
	if r.config.Settings == nil {
		return
	}
	for ctx := patient(t); ; runtime.Gosched() {
		kept, err := r.config.Settings.List(ctx, "telegram:"+r.config.Name+":update:")
		if err != nil {
			t.Fatalf("updates are left: %v\n%s", err, r.log)
		}
		if len(kept) == 0 {
			return
		}
	}
}

func (r *rig) wait(t *testing.T, c *telegramtest.Chat, n int) []telegramtest.Message {
	t.Helper()
	messages, err := c.Wait(patient(t), n)
	if err != nil {
		t.Fatalf("%v\n%s", err, r.log)
	}
	return messages
}

// A journal collects what is logged.
type journal struct {
	mu   sync.Mutex
	text strings.Builder
}

var _ io.Writer = (*journal)(nil)

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// echo answers with what was said.
func echo(_ context.Context, m bot.Message) (bot.Reply, error) {
	return bot.Reply{Lang: "en", Text: m.Text}, nil
}

// platform is the reader's side for the conformance suite.
type platform struct {
	rig   *rig
	chat  *telegramtest.Chat
	heard func() int
}

func TestConformance(t *testing.T) {
	for _, mode := range []string{telegram.Poll, telegram.Webhook} {
		t.Run(mode, func(t *testing.T) {
			bottest.Conform(t, func(t *testing.T, h bot.Handler) bottest.Platform {
				return newPlatform(t, h, mode)
			})
		})
	}
}

func newPlatform(t *testing.T, h bot.Handler, mode string) *platform {
	var mu sync.Mutex
	heard := 0
	counted := func(ctx context.Context, m bot.Message) (bot.Reply, error) {
		defer func() { mu.Lock(); heard++; mu.Unlock() }()
		return h(ctx, m)
	}
	p := &platform{heard: func() int { mu.Lock(); defer mu.Unlock(); return heard }}
	if mode == telegram.Webhook {
		p.rig = startWebhook(t, counted, setup{})
	} else {
		p.rig = start(t, counted, setup{})
	}
	p.chat = p.rig.Chat(1)
	return p
}

// look lets the reader do something and returns what changed in the chat.
func (p *platform) look(t *testing.T, do func()) bottest.Seen {
	t.Helper()
	before := fmt.Sprint(p.chat.Answers())
	do()
	p.rig.quiet(t)
	answers := p.chat.Answers()
	if fmt.Sprint(answers) == before {
		return bottest.Seen{Nothing: true}
	}
	last := answers[0]
	for _, m := range answers {
		if !strings.Contains(before, fmt.Sprint(m)) {
			last = m
		}
	}
	links := last.Links()
	for _, row := range last.Buttons {
		for _, b := range row {
			if b.URL != "" {
				links = append(links, b.URL)
			}
		}
	}
	return bottest.Seen{Text: last.Text, Links: links, Buttons: last.Labels(), Size: last.Units(), Limit: 4096}
}

func (p *platform) Say(t *testing.T, text string) bottest.Seen {
	return p.look(t, func() { p.chat.Say(strings.ToValidUTF8(text, "")) })
}

func (p *platform) Tap(t *testing.T, label string) bottest.Seen {
	return p.look(t, func() {
		if _, err := p.chat.Tap(label); err != nil {
			t.Fatal(err)
		}
	})
}

func (p *platform) Repeat(t *testing.T) bottest.Seen {
	return p.look(t, func() { p.rig.Repeat(p.chat.ID) })
}

func (p *platform) Push(t *testing.T, r bot.Reply) bottest.Seen {
	return p.look(t, func() {
		receipt, err := p.rig.channel.Send(patient(t), bot.Outgoing{To: bot.ChatID{Channel: "tg", ID: "1"}, Reply: r})
		if err != nil || receipt.ProviderID == "" || receipt.Way != "message" {
			t.Fatalf("Send = %+v, %v", receipt, err)
		}
	})
}
