package telegram

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"newsie/bot"
)

const (
	standingFor   = time.Minute // what a member may do is not asked again so soon
	mostStandings = 4096
)

// standings remember who is an administrator where. What could not be found
// out is not remembered.
type standings struct {
	mu    sync.Mutex
	known map[standingKey]standing
}

type standingKey struct{ chat, user int64 }

type standing struct {
	manages bool
	until   time.Time
}

// Manages reports whether the one who speaks in a group, a Message's From, is an
// administrator of it; it implements bot.Channel's. An administrator who writes
// anonymously speaks as the group itself. Whoever speaks as a channel, the
// linked one too, is none: Telegram does not tell who that is.
func (c *Channel) Manages(ctx context.Context, in bot.ChatID, from string) (bool, error) {
	group, _, _ := strings.Cut(in.ID, ":") // topics have the administrators of their group
	chat, err := strconv.ParseInt(group, 10, 64)
	if err != nil {
		return false, fmt.Errorf("the group %s has no number", in)
	}
	user, err := strconv.ParseInt(from, 10, 64)
	switch {
	case err != nil: // a message of nobody's
		return false, nil
	case user == chat:
		return true, nil
	case user <= 0:
		return false, nil
	}
	key := standingKey{chat, user}
	if kept, ok := c.standings.find(key, c.config.Now()); ok {
		return kept, nil
	}
	var is member
	params := tgbotapi.Params{}
	params.AddNonZero64("chat_id", chat)
	params.AddNonZero64("user_id", user)
	if err := c.client.call(ctx, "getChatMember", params, sendTimeout, &is); err != nil {
		return false, err
	}
	manages := is.Status == "creator" || is.Status == "administrator"
	c.standings.keep(key, manages, c.config.Now())
	return manages, nil
}

func (s *standings) find(key standingKey, now time.Time) (manages, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept, ok := s.known[key]
	return kept.manages, ok && now.Before(kept.until)
}

func (s *standings) keep(key standingKey, manages bool, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.known) >= mostStandings {
		for old, kept := range s.known {
			if !now.Before(kept.until) {
				delete(s.known, old)
			}
		}
	}
	if s.known == nil || len(s.known) >= mostStandings { // all of this very minute: they are asked again
		s.known = map[standingKey]standing{}
	}
	s.known[key] = standing{manages, now.Add(standingFor)}
}
