package wechat_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"newsie/bot"
	"newsie/bot/bottest"
	"newsie/bot/wechat"
	"newsie/bot/wechat/wechattest"
	"newsie/content"
	"newsie/internal/database/databasetest"
	"newsie/internal/locale"
	"newsie/scheduler"
)

// A house is the whole of newsie behind one account: a small library in one
// language, the bot, and the digests.
type house struct {
	*stage
	t         *testing.T
	lang      string
	name      string // of the publication
	library   *content.Library
	bot       *bot.Bot
	scheduler *scheduler.Scheduler
	late      chan struct{} // one for each answer kept for later
	hold      chan struct{} // while it is not nil, answers wait for its end
	shelf     map[string]content.Article
}

const lantern = "https://lantern.example"

func openHouse(t *testing.T, lang string, options ...option) *house {
	t.Helper()
	h := &house{t: t, lang: lang, late: make(chan struct{}, 1), shelf: map[string]content.Article{}}
	db := databasetest.SQLite(t)
	options = append([]option{mode(wechattest.Plain), answers(wechat.Auto, lantern), func(a *wechattest.Account, c *wechat.Config) {
		a.ID, c.Language = "gh_lantern00001", lang
		c.Late = func(ctx context.Context, chat bot.ChatID, r bot.Reply) error {
			defer func() { h.late <- struct{}{} }()
			return h.scheduler.Late(ctx, chat, r)
		}
		c.Held = func(ctx context.Context, chat bot.ChatID, r bot.Reply) (bot.Reply, error) {
			return h.scheduler.Held(ctx, chat, r)
		}
	}}, options...)
	h.stage = startOn(t, db, h.handle, options...)
	catalog, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	h.library, err = content.Open(db, filepath.Join(t.TempDir(), "index"), content.Options{Now: h.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.library.Close() })
	h.name = h.fill()
	h.bot = bot.New(bot.Config{
		DB: db, Library: h.library, Catalog: catalog, Name: h.name, PublicURL: lantern, Now: h.clock.Now,
		Channels: map[string]bot.Channel{"wx": {Lang: lang, Zone: "Asia/Shanghai", MinInterval: time.Hour, Recency: .05, ForgetOnLeave: true}},
	})
	h.scheduler, err = scheduler.New(scheduler.Config{
		DB: db, Finder: h.library, Articles: h.library, Cards: h.bot.Cards, Lists: bot.NewLists(db, h.clock.Now), Catalog: catalog,
		Channels: []scheduler.Channel{{Name: "wx", Sender: h.channel}}, Now: h.clock.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	h.bot.UseDigests(h.scheduler)
	h.bot.Forgets(h.scheduler.Forget)
	return h
}

func (h *house) handle(ctx context.Context, m bot.Message) (bot.Reply, error) {
	if h.hold != nil {
		<-h.hold
	}
	return h.bot.Handle(ctx, m)
}

// fill takes in the library of the house's language, all but the article
// "later", and returns the publication's name.
func (h *house) fill() string {
	h.t.Helper()
	name, articles := bottest.Library(h.t, h.lang)
	for _, a := range articles {
		h.shelf[a.Key] = a
		if a.Key != "later" {
			h.add(a.Key)
		}
	}
	h.follow()
	return name
}

func (h *house) add(name string) {
	h.t.Helper()
	if _, _, err := h.library.Add(h.t.Context(), h.shelf[name], nil); err != nil {
		h.t.Fatal(err)
	}
}

// follow brings the index up to date.
func (h *house) follow() {
	h.t.Helper()
	if _, err := h.library.Follow(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

// push plans what is due and tries to deliver it.
func (h *house) push() {
	h.t.Helper()
	if _, err := h.scheduler.Plan(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.scheduler.Deliver(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}
