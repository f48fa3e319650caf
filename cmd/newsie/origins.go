package main

import (
	"context"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"newsie/bot"
	"newsie/bot/origin"
)

// newCredits counts who comes by which origin, with a key of links.
func (in *installation) newCredits(key []byte) *origin.Credits {
	zone, err := time.LoadLocation(in.config.Zone)
	if err != nil { // which was checked
		zone = time.UTC
	}
	return origin.NewCredits(origin.Config{
		DB: in.db, Book: origin.NewBook(in.db, time.Now), Zone: zone, Logger: in.log, Now: time.Now,
		Key: func(context.Context) ([]byte, error) { return key, nil },
		Leaves: func(channel string) bool {
			kind := in.config.Channels[channel].Kind
			return kind == "telegram" || kind == "wechat"
		},
	})
}

// received credits digests.
func (s *server) received(chats []bot.ChatID) { s.credits.Received(readersOf(chats), time.Now()) }

// gone notes who cannot be reached any more. A topic that was closed is not all
// of its group.
func (s *server) gone(chats []bot.ChatID) {
	whole := chats[:0:0]
	for _, chat := range chats {
		if !strings.Contains(chat.ID, ":") {
			whole = append(whole, chat)
		}
	}
	s.credits.Gone(readersOf(whole), time.Now())
}

func (s *server) moved(ctx context.Context, tx bun.IDB, from, to bot.ChatID) error {
	return s.credits.Move(ctx, tx, bot.ReaderOf(from), bot.ReaderOf(to))
}

func readersOf(chats []bot.ChatID) []origin.Reader {
	readers := make([]origin.Reader, len(chats))
	for i, chat := range chats {
		readers[i] = bot.ReaderOf(chat)
	}
	return readers
}

// countTheRest writes what is still pending when all that counts has ended.
func (s *server) countTheRest(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if err := s.credits.Flush(ctx); err != nil {
		s.log.Warn("what readers did last is not counted", "error", err)
	}
}
