package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"newsie/bot"
	"newsie/bot/origin"
	"newsie/bot/telegram"
	"newsie/bot/wechat"
	"newsie/internal/web"
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

// gone notes who cannot be reached any more.
func (s *server) gone(chats []bot.ChatID) { s.credits.Gone(readersOf(chats), time.Now()) }

func (s *server) moved(ctx context.Context, tx bun.IDB, from, to bot.ChatID) error {
	return s.credits.Move(ctx, tx, bot.ReaderOf(from), bot.ReaderOf(to))
}

func readersOf(chats []bot.ChatID) []origin.Reader {
	readers := make([]origin.Reader, len(chats))
	for i, chat := range chats {
		readers[i] = origin.Reader{Channel: chat.Channel, Chat: chat.ID}
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

// opens counts what readers open; nil where that is switched off: the addresses
// that readers have lead on all the same.
func (s *server) opens() web.Opens {
	if s.config.Origins.Links == "off" {
		return nil
	}
	return s.credits
}

// doors are the channels by which readers come in.
func (cs *channels) doors() []web.Door {
	var list []web.Door
	codes := origin.NewCodes(cs.in.db, time.Now)
	for _, name := range cs.in.config.channelNames() {
		c := cs.in.config.Channels[name]
		door := web.Door{Kind: c.Kind, Channel: name}
		switch a := cs.adapters[name].(type) {
		case *telegram.Channel:
			door.Link = a.DeepLink
		case *wechat.Channel:
			door.Name = cs.in.config.title(name)
			door.Code = func(ctx context.Context, payload string) (string, bool, error) {
				code, ok, err := codes.Kept(ctx, name, payload)
				return code.URL, ok && (code.Permanent || code.Expires.After(time.Now())), err
			}
		}
		list = append(list, door)
	}
	return list
}

// inviting is how many codes for invitations are made at a time.
const inviting = 100

// inviteCodes makes the codes that the pages of invitations show to who looks at
// them in WeChat. An invitation is answered at once, and WeChat is asked later:
// temporary ones, made anew while their readers are there.
func (s *server) inviteCodes(ctx context.Context) error {
	codes := origin.NewCodes(s.db, time.Now)
	for _, a := range s.channels.accounts {
		list, err := codes.Codeless(ctx, a.Name(), time.Now().Add(24*time.Hour), inviting)
		if err != nil {
			return err
		}
		for _, o := range list {
			payload, ok := bot.Payload{Origin: o.Code}.Encode()
			if !ok {
				continue
			}
			_, err := a.Code(ctx, o.ID, payload, time.Now().Add(wechat.LongestCode-time.Hour))
			if errors.Is(err, wechat.ErrNoCodes) {
				break // their pages tell the account's name
			}
			if err != nil {
				return fmt.Errorf("make the code of an invitation: %w", told(err))
			}
		}
	}
	return nil
}
