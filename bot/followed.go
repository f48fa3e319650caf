package bot

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Followed is a topic with how many follow it in one language.
type Followed struct {
	Topic    string // as one of them typed it
	Query    string
	Lang     string
	Channels []FollowedOn // sorted by name
	Next     time.Time    // when the first of them comes; zero: as soon as there is something
}

// A FollowedOn is the part of one channel.
type FollowedOn struct {
	Channel   string `json:"channel"`
	Followers int64  `json:"followers"` // chats
	Posts     int64  `json:"posts"`     // audiences that the configuration brings it to
}

// Followers counts the chats that follow it.
func (f Followed) Followers() (n int64) {
	for _, c := range f.Channels {
		n += c.Followers
	}
	return n
}

// Followed lists what is followed, by query and language, the most followed first.
func (c *Chats) Followed(ctx context.Context, limit int) ([]Followed, error) {
	var rows []struct {
		Topic, Query, Lang, Channel string
		Followers, Posts, Next      int64
	}
	err := c.db.Reader().NewRaw(`SELECT query, lang, channel, MIN(topic) AS topic,
			SUM(CASE WHEN chat LIKE '`+Everybody+`%' THEN 0 ELSE 1 END) AS followers,
			SUM(CASE WHEN chat LIKE '`+Everybody+`%' THEN 1 ELSE 0 END) AS posts,
			COALESCE(MIN(CASE WHEN waits = 1 THEN NULL ELSE next_due_at END), 0) AS next
		FROM follows WHERE state = 'active' GROUP BY query, lang, channel ORDER BY query, lang, channel`).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("list what is followed: %w", err)
	}
	list := []Followed{}
	for _, r := range rows {
		if last := len(list) - 1; last < 0 || list[last].Query != r.Query || list[last].Lang != r.Lang {
			list = append(list, Followed{Topic: r.Topic, Query: r.Query, Lang: r.Lang})
		}
		f := &list[len(list)-1]
		f.Channels = append(f.Channels, FollowedOn{r.Channel, r.Followers, r.Posts})
		if next := time.UnixMilli(r.Next); r.Next > 0 && (f.Next.IsZero() || next.Before(f.Next)) {
			f.Next = next
		}
	}
	slices.SortStableFunc(list, func(a, b Followed) int { return cmp.Compare(b.Followers(), a.Followers()) })
	return list[:min(limit, len(list))], nil
}

// A FollowFilter narrows a list of follows; empty fields do not.
type FollowFilter struct {
	Chat  ChatID
	Query string
}

// Listed lists active follows, those that come next first.
func (c *Chats) Listed(ctx context.Context, filter FollowFilter, limit int) ([]Follow, error) {
	terms, args := []string{"state = 'active'"}, []any{}
	if filter.Chat != (ChatID{}) {
		terms, args = append(terms, "channel = ? AND chat = ?"), append(args, filter.Chat.Channel, filter.Chat.ID)
	}
	if filter.Query != "" {
		terms, args = append(terms, "query = ?"), append(args, filter.Query)
	}
	var list []Follow
	err := c.db.Reader().NewRaw("SELECT "+followColumns+" FROM follows WHERE "+strings.Join(terms, " AND ")+" ORDER BY next_due_at, id LIMIT ?", append(args, limit)...).Scan(ctx, &list)
	if err != nil {
		return nil, fmt.Errorf("list the follows: %w", err)
	}
	return list, nil
}
