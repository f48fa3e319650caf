package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"newsie/bot"
)

// listedFollows are the flags of a list of what is followed.
type listedFollows struct {
	chats, asJSON bool
	chat, topic   string
	limit         int
}

func digestFollows(p *program) *cobra.Command {
	var f listedFollows
	c := &cobra.Command{
		Use: "follows", Short: "List what readers follow, by topic", Args: cobra.NoArgs,
		Long: `Follows lists the topics that are followed, by language, the most followed first:
how many chats follow each on which channel, in how many places it is posted, and
when the next digest of it comes. --chats lists the follows themselves, those that
come next first, and so do --chat and --topic for one chat or topic. With --json,
times are RFC 3339 in UTC.`,
		Example: "  newsie digest follows\n  newsie digest follows --topic commerce --limit 20",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkLimit(f.limit); err != nil {
				return err
			}
			var filter bot.FollowFilter
			if f.chat != "" {
				chat, err := parseChat(f.chat)
				if err != nil {
					return err
				}
				filter.Chat = chat
			}
			if strings.TrimSpace(f.topic) != "" {
				filter.Query = bot.TopicQuery(f.topic)
			}
			return p.with(cmd, func(in *installation) error {
				chats := bot.NewChats(in.db, time.Now)
				if f.chats || filter != (bot.FollowFilter{}) {
					list, err := chats.Listed(cmd.Context(), filter, f.limit)
					if err != nil {
						return err
					}
					return p.printFollows(list, filter != (bot.FollowFilter{}), f.asJSON)
				}
				list, err := chats.Followed(cmd.Context(), f.limit)
				if err != nil {
					return err
				}
				return p.printFollowed(list, f.asJSON)
			})
		},
	}
	flags := c.Flags()
	flags.BoolVar(&f.chats, "chats", false, "the follow of each chat in a line")
	flags.StringVar(&f.chat, "chat", "", "only this chat's follows: CHANNEL/CHAT")
	flags.StringVar(&f.topic, "topic", "", "only the follows of this topic")
	flags.IntVar(&f.limit, "limit", 100, "how many")
	flags.BoolVar(&f.asJSON, "json", false, "print JSON")
	return c
}

// followedJSON is a topic with its followers for programs.
type followedJSON struct {
	Topic     string           `json:"topic"`
	Query     string           `json:"query"`
	Language  string           `json:"language"`
	Followers int64            `json:"followers"`
	Channels  []bot.FollowedOn `json:"channels"`
	Next      *time.Time       `json:"next,omitempty"` // none: as soon as there is something
}

func (p *program) printFollowed(list []bot.Followed, asJSON bool) error {
	if asJSON {
		out := make([]followedJSON, len(list))
		for i, f := range list {
			out[i] = followedJSON{Topic: f.Topic, Query: f.Query, Language: f.Lang, Followers: f.Followers(), Channels: f.Channels}
			if next := f.Next.UTC(); !f.Next.IsZero() {
				out[i].Next = &next
			}
		}
		return p.printJSON(out)
	}
	if len(list) == 0 {
		_, err := fmt.Fprintln(p.stdout, "Nobody follows anything yet.")
		return err
	}
	t := newTable("followers", "next (UTC)", "language", "topic", "channels").numbers(0)
	for _, f := range list {
		next := "when new"
		if !f.Next.IsZero() {
			next = f.Next.UTC().Format(minuteLayout)
		}
		t.row(fmt.Sprint(f.Followers()), next, f.Lang, shownTopic(f.Topic), channelsOf(f))
	}
	return t.print(p.stdout)
}

// shownTopic is a topic as people read it.
func shownTopic(topic string) string {
	if topic == "*" {
		return "everything"
	}
	return topic
}

// channelsOf is "tg 12, web 3 (and 1 post)".
func channelsOf(f bot.Followed) string {
	var parts []string
	for _, c := range f.Channels {
		switch {
		case c.Posts == 0:
			parts = append(parts, fmt.Sprintf("%s %d", c.Channel, c.Followers))
		case c.Followers == 0:
			parts = append(parts, fmt.Sprintf("%s %s", c.Channel, number(int(c.Posts), "post")))
		default:
			parts = append(parts, fmt.Sprintf("%s %d and %s", c.Channel, c.Followers, number(int(c.Posts), "post")))
		}
	}
	return strings.Join(parts, ", ")
}

func (p *program) printFollows(list []bot.Follow, narrowed, asJSON bool) error {
	if asJSON {
		out := make([]followJSON, len(list))
		for i, f := range list {
			out[i] = followFor(f)
		}
		return p.printJSON(out)
	}
	if len(list) == 0 {
		words := "Nobody follows anything yet."
		if narrowed {
			words = "No follows match."
		}
		_, err := fmt.Fprintln(p.stdout, words)
		return err
	}
	t := newTable("follow", "next (UTC)", "chat", "schedule", "zone", "topic").numbers(0)
	for _, f := range list {
		next, note := time.UnixMilli(f.NextDueAt).UTC().Format(minuteLayout), ""
		if until := time.UnixMilli(f.PausedUntil); until.After(time.Now()) {
			note = "  (paused until " + said(until.UTC()) + ")"
		} else if f.Waits {
			next = "when new"
		}
		t.row(fmt.Sprint(f.ID), next, f.Channel+"/"+shownChat(f.Chat), f.Spec, f.Zone, shownTopic(f.Topic)+audience(f)+note)
	}
	return t.print(p.stdout)
}

// followJSON is a follow for programs.
type followJSON struct {
	ID       int64      `json:"id"`
	Channel  string     `json:"channel"`
	Chat     string     `json:"chat"`
	Topic    string     `json:"topic"`
	Query    string     `json:"query"`
	Language string     `json:"language"`
	Schedule string     `json:"schedule"`
	Zone     string     `json:"zone"`
	Next     *time.Time `json:"next,omitempty"` // none: as soon as there is something
	Paused   *time.Time `json:"paused_until,omitempty"`
}

func followFor(f bot.Follow) followJSON {
	out := followJSON{ID: f.ID, Channel: f.Channel, Chat: f.Chat, Topic: f.Topic, Query: f.Query, Language: f.Lang, Schedule: f.Spec, Zone: f.Zone}
	if next := time.UnixMilli(f.NextDueAt).UTC(); !f.Waits {
		out.Next = &next
	}
	if until := time.UnixMilli(f.PausedUntil).UTC(); until.After(time.Now()) {
		out.Paused = &until
	}
	return out
}
