package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"newsie/bot"
	"newsie/bot/webchat"
	"newsie/bot/wechat"
	"newsie/content/source"
	"newsie/scheduler"
)

// An adapter is one running channel.
type adapter interface {
	bot.Sender
	Run(ctx context.Context) error
	Check(ctx context.Context) []bot.Finding
}

// channels are the adapters of an installation, connected to its bot.
type channels struct {
	in       *installation
	bot      *bot.Bot
	public   string
	metrics  *metrics
	notice   *notice
	pacer    *bot.Pacer                  // of answers and digests
	digests  func() *scheduler.Scheduler // made after the channels it sends through
	adapters map[string]adapter
	handlers map[string]http.Handler // by path
	accounts []*wechat.Channel       // those of the adapters that are WeChat's
	webchats []*webchat.Channel      // those that are the browser's
	chat     string                  // path of the first chat in the browser
}

// connect makes every configured channel's adapter.
func (cs *channels) connect() error {
	cs.adapters, cs.handlers = map[string]adapter{}, map[string]http.Handler{}
	for _, name := range cs.in.config.channelNames() {
		c := cs.in.config.Channels[name]
		var err error
		switch c.Kind {
		case "webchat":
			err = cs.webchat(name, c)
		case "telegram":
			err = cs.telegram(name, c)
		case "wechat":
			err = cs.wechat(name, c)
		}
		if err != nil {
			return err // it names the channel
		}
	}
	return nil
}

func (cs *channels) webchat(name string, c ChannelConfig) error {
	proxies, err := cs.in.config.proxies()
	if err != nil {
		return fmt.Errorf("channel %s: %w", name, err)
	}
	a, err := webchat.New(webchat.Config{
		Name: name, Title: cs.in.config.Name, PublicURL: cs.public, Suggestions: c.Suggestions, TrustedProxies: proxies,
		Suggest: func(ctx context.Context, prefix, lang string, n int) ([]bot.Suggestion, error) {
			return cs.bot.Suggest(ctx, name, prefix, lang, n)
		},
		DB: cs.in.db, Handler: cs.bot.Handle, Inbox: cs.inbox(), Settings: cs.settings(), Catalog: cs.in.catalog, Logger: cs.in.log,
	})
	if err != nil {
		return err
	}
	cs.adapters[name], cs.handlers[a.Path()] = a, a
	cs.webchats = append(cs.webchats, a)
	cs.bot.InviteLinks(name, func(payload string) string { return cs.public + a.Path() + "?start=" + payload })
	if cs.chat == "" {
		cs.chat = a.Path()
	}
	cs.bot.Forgets(func(ctx context.Context, chat bot.ChatID) error {
		if chat.Channel != name {
			return nil
		}
		return a.Forget(ctx, chat)
	})
	return nil
}

// account makes a WeChat account's adapter.
func (cs *channels) account(name string, c ChannelConfig) (*wechat.Channel, error) {
	tap := c.TapLines == nil || *c.TapLines
	var menu MenuConfig
	if c.Menu != nil {
		menu = *c.Menu
	}
	zone, err := time.LoadLocation(c.Zone)
	if err != nil {
		return nil, fmt.Errorf("channel %s: %w", name, err)
	}
	forms := c.forms()
	mass, err := cs.mass(c.Mass)
	if err != nil {
		return nil, fmt.Errorf("channel %s: %w", name, err)
	}
	return wechat.New(wechat.Config{
		Name: name, AppID: c.AppID, Secret: c.AppSecret, Token: c.Token, AESKey: c.AESKey, PreviousAESKey: c.PreviousAESKey,
		Mode: wechat.Mode(c.Mode), Account: wechat.Account(c.Account), TapLines: tap, Answer: wechat.Answer(c.Answer), Language: c.Language, APIURL: c.APIURL, PublicURL: cs.in.config.PublicURL,
		Title: cs.in.config.title(name), Zone: zone, Notice: forms.Notice, Once: forms.Once, Template: forms.Template,
		Handler: cs.bot.Handle, Inbox: cs.inbox(), Settings: cs.settings(), DB: cs.in.db, Catalog: cs.in.catalog, Logger: cs.in.log,
		Menu: menu.Buttons, MenuOff: menu.Off,
		Notify: cs.notice.give,
		Late:   func(ctx context.Context, chat bot.ChatID, r bot.Reply) error { return cs.digests().Late(ctx, chat, r) },
		Held: func(ctx context.Context, chat bot.ChatID, r bot.Reply) (bot.Reply, error) {
			return cs.digests().Held(ctx, chat, r)
		},
		Mass: mass, Articles: cs.wholeArticles,
		Picture: cs.picture(source.NewFetcher(version(), cs.in.config.AllowPrivateSources, time.Now)),
		Result: func(ctx context.Context, id string, sent bool, note string) (bool, error) {
			return cs.digests().Result(ctx, name, id, sent, note)
		},
		Settle: func(ctx context.Context, id, problem string) error {
			return cs.digests().Settle(ctx, name, id, problem)
		},
	})
}

func (cs *channels) wechat(name string, c ChannelConfig) error {
	a, err := cs.account(name, c)
	if err != nil {
		return err
	}
	cs.adapters[name], cs.handlers[wechat.Path(name)] = a, a
	cs.handlers[wechat.GrantedPath(name)] = http.HandlerFunc(a.Granted)
	cs.accounts = append(cs.accounts, a)
	cs.handlers[wechat.Path("")] = wechat.Elsewhere(cs.in.log, time.Now, cs.metrics.events.WithLabelValues("", "unknown_wechat_channel").Inc)
	windows := wechat.NewWindows(cs.in.db, name, time.Now)
	cs.bot.Forgets(func(ctx context.Context, chat bot.ChatID) error {
		if chat.Channel != name {
			return nil
		}
		return windows.Forget(ctx, chat.ID)
	})
	return nil
}

func (cs *channels) inbox() *bot.Inbox       { return bot.NewInbox(cs.in.db, time.Now) }
func (cs *channels) settings() *bot.Settings { return bot.NewSettings(cs.in.db, time.Now) }

// outlets are the channels as the scheduler sends through them.
func (cs *channels) outlets() []scheduler.Channel {
	list := cs.in.config.outlets()
	for i := range list {
		list[i].Sender = cs.adapters[list[i].Name]
	}
	return list
}
