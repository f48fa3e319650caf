package main

import (
	"context"
	"log/slog"
	"time"

	"newsie/bot"
)

// A notice tells the publisher what must be known: in the log, and in the chat
// the publisher named. The same thing is told once a day, by all replicas
// together.
type notice struct {
	settings *bot.Settings
	log      *slog.Logger
	to       bot.ChatID
	sender   func(channel string) bot.Sender
}

func (n *notice) give(ctx context.Context, key, text string) {
	_, first, err := n.settings.Create(ctx, "notice:"+key, text, 24*time.Hour)
	if err != nil {
		n.log.Error("the notice cannot be kept", "notice", text, "error", err)
		return
	}
	if !first {
		return
	}
	n.log.Warn("the publisher should know", "notice", text)
	if n.to.Channel == "" || n.sender == nil {
		return
	}
	sender := n.sender(n.to.Channel)
	if sender == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	if _, err := sender.Send(ctx, bot.Outgoing{Key: "notice:" + key, To: n.to, Reply: bot.Reply{Lang: "en", Text: text}}); err != nil {
		n.log.Warn("the notice did not reach the publisher's chat", "error", err)
	}
}
