package main

import (
	"context"
	"fmt"
	"slices"

	"newsie/bot"
	"newsie/bot/telegram"
)

// groupCommands stand in the menu of groups: what serves everybody there. The
// others are understood there, too.
func groupCommands() []string {
	return []string{"search", "latest", "topics", "follow", "following", "unfollow", "digest", "lang", "zone", "help"}
}

// managersCommands stand in the menu of a group's administrators alone, where
// they alone may use them.
func managersCommands() []string { return []string{"follow", "unfollow", "lang", "zone"} }

// Who may change what a group follows, and its language and clock.
const (
	groupsAdmins   = "admins" // "" too
	groupsEveryone = "everyone"
)

// telegram makes a Telegram bot's adapter.
func (cs *channels) telegram(name string, c ChannelConfig) error {
	commands := []telegram.Command{{Name: "start"}}
	for i, command := range cs.bot.Commands("en") {
		commands = append(commands, telegram.Command{
			Name: command[0], Description: func(lang string) string { return cs.bot.Commands(lang)[i][1] },
			Groups:   slices.Contains(groupCommands(), command[0]),
			Managers: c.Groups != groupsEveryone && slices.Contains(managersCommands(), command[0]),
		})
	}
	mode := telegram.Poll
	if c.Mode == "webhook" {
		mode = telegram.Webhook
	}
	rate, err := c.rate()
	if err != nil {
		return fmt.Errorf("channel %s: %w", name, err)
	}
	inline := cs.bot.Inline
	if c.Inline == "off" {
		inline = nil
	}
	a, err := telegram.New(telegram.Config{
		Name:      name,
		Token:     c.Token,
		APIURL:    c.APIURL,
		Mode:      mode,
		PublicURL: cs.in.config.PublicURL,
		Secret:    c.WebhookSecret,
		Handler:   cs.bot.Handle,
		Inline:    inline,
		Inbox:     cs.inbox(),
		Settings:  cs.settings(),
		Rate:      rate,
		Rich:      c.Rich,
		Paid:      c.Paid,
		Pacer:     cs.pacer,
		Catalog:   cs.in.catalog,
		Commands:  commands,
		Language:  c.Language,
		Posts:     c.places(),
		Logger:    cs.in.log,
		Notify:    cs.notice.give,
		Moved:     func(ctx context.Context, from, to bot.ChatID) error { return cs.digests().Move(ctx, from, to) },
		Gone:      func(ctx context.Context, chat bot.ChatID) error { return cs.digests().Suspend(ctx, chat) },
		Alone:     !cs.in.db.Postgres(), // the lock of the data folder says so
		Count:     func(event string) { cs.metrics.events.WithLabelValues(name, event).Inc() },
	})
	if err != nil {
		return err
	}
	cs.adapters[name] = a
	cs.bot.DeepLinks(name, a.DeepLink)
	if c.Groups != groupsEveryone {
		cs.bot.Manages(name, a.Manages)
	}
	if mode == telegram.Webhook {
		cs.handlers[a.WebhookPath()] = a
	}
	return nil
}
