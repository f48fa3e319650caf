package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"newsie/bot"
)

const (
	noticeEvery = 24 * time.Hour   // the same thing is told once in
	noticeAgain = 10 * time.Minute // until it has reached the publisher's chat
)

// A notice tells the publisher what must be known: in the log, and in the chat
// the publisher named. The same thing is told once a day, by all replicas
// together; what could not be sent is told again when it comes up after ten
// minutes, and what the chat cannot take now waits for the publisher's next message.
type notice struct {
	settings *bot.Settings
	log      *slog.Logger
	to       bot.ChatID
	sender   func(channel string) bot.Sender
	// hold keeps a message for the next one from a chat; may be nil.
	hold func(ctx context.Context, chat bot.ChatID, r bot.Reply) error
}

func (n *notice) give(ctx context.Context, key, text string) {
	name := "notice:" + key
	// For a short time at first: a crash must not swallow it for a day.
	_, first, err := n.settings.Create(ctx, name, text, noticeAgain)
	if err != nil {
		n.log.Error("the notice cannot be kept", "notice", text, "error", err)
		return
	}
	if !first {
		return
	}
	n.log.Warn("the publisher should know", "notice", text)
	if err := n.send(ctx, name, text); err != nil {
		n.log.Warn("the notice did not reach the publisher's chat", "error", err)
		return
	}
	if err := n.settings.Save(context.WithoutCancel(ctx), name, text, noticeEvery); err != nil {
		n.log.Error("the notice may be told twice", "error", err)
	}
}

func (n *notice) send(ctx context.Context, key, text string) error {
	if n.to.Channel == "" || n.sender == nil {
		return nil
	}
	sender := n.sender(n.to.Channel)
	if sender == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	reply := bot.Reply{Lang: "en", Text: text}
	_, err := sender.Send(ctx, bot.Outgoing{Key: key, To: n.to, Reply: reply})
	var moved *bot.MovedError
	if errors.As(err, &moved) {
		n.log.Warn("the publisher's chat has a new id: write it into publisher.chat", "chat", moved.To.ID)
		_, err = sender.Send(ctx, bot.Outgoing{Key: key, To: moved.To, Reply: reply})
	}
	if errors.Is(err, bot.ErrNotNow) && n.hold != nil {
		return n.hold(ctx, n.to, reply)
	}
	return err
}
