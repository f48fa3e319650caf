package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"newsie/bot"
	"newsie/content"
	"newsie/internal/locale"
	"newsie/scheduler"
)

// PostConfig is a digest that a Telegram bot posts to a channel or group, for
// all its readers.
type PostConfig struct {
	To       string `yaml:"to"`       // @name, -100…, or one of them with a topic's number, -100…:5
	Schedule string `yaml:"schedule"` // "daily 18:00", or five cron fields
	Topic    string `yaml:"topic"`    // words, or * for everything
	Articles int    `yaml:"articles"` // shown at most, 1 to 10
	Language string `yaml:"language"` // of newsie's own words
}

// mostPosted is what one message shows readers too.
const mostPosted = 10

func (p *PostConfig) fillIn(ch ChannelConfig) {
	p.To, p.Topic = strings.TrimSpace(p.To), strings.TrimSpace(p.Topic)
	setDefault(&p.Topic, "*")
	setDefault(&p.Language, ch.Language)
	if p.Articles == 0 {
		p.Articles = mostPosted
	}
}

// chat is the audience that a post is for.
func (p PostConfig) chat() string { return bot.Everybody + p.To }

// A place is a public name, or the id of a group or channel, which is negative;
// a forum's topic follows a colon.
var placeRule = regexp.MustCompile(`^(@[A-Za-z][A-Za-z0-9_]{3,31}|-[1-9][0-9]{0,18})(:[1-9][0-9]{0,9})?$`)

func checkPosts(k *checker, key string, ch ChannelConfig) {
	if len(ch.Posts) > 0 && ch.Kind != "telegram" {
		k.add(key+".posts", "only a channel of kind telegram has posts")
		return
	}
	seen := map[string]bool{}
	for i, p := range ch.Posts {
		key := fmt.Sprintf("%s.posts.%d", key, i+1)
		switch {
		case p.To == "":
			k.add(key+".to", "is missing: @name of a channel, or its id such as -1001234567890")
		case !placeRule.MatchString(p.To):
			k.add(key+".to", "%q is no channel or group: @name, or an id such as -1001234567890, with :5 after it for a forum's topic", p.To)
		}
		if p.Schedule == "" {
			k.add(key+".schedule", "is missing: \"daily 18:00\", or five cron fields")
		} else if _, err := scheduleOf(p.Schedule); err != nil {
			k.add(key+".schedule", "%v", err)
		}
		if n := utf8.RuneCountInString(p.Topic); n > longestTopic {
			k.add(key+".topic", "has %d characters: %d at most", n, longestTopic)
		}
		if p.Articles < 1 || p.Articles > mostPosted {
			k.add(key+".articles", "%d is not from 1 to %d", p.Articles, mostPosted)
		}
		if p.Language != ch.Language {
			k.oneOf(key+".language", p.Language, locale.Languages()...)
		}
		same := strings.ToLower(p.To) + " " + audienceQuery(p.Topic, ch)
		if seen[same] && p.To != "" {
			k.add(key, "an earlier post brings the same topic to %s: one schedule can have several times, such as 0 8,18 * * *", p.To)
		}
		seen[same] = true
	}
}

// notePosts tells of places that several posts go to, of one channel or of several.
func (c Config) notePosts(k *checker) {
	first := map[string]string{}
	for _, name := range c.channelNames() {
		for i, p := range c.Channels[name].Posts {
			key, place := fmt.Sprintf("channels.%s.posts.%d", name, i+1), strings.ToLower(p.To)
			if earlier, ok := first[place]; ok {
				k.add(key, "another post goes to %s too, %s: its readers get both, in one message when they are due together", p.To, k.lines.where(earlier))
				continue
			}
			first[place] = key
		}
	}
}

// places are the chats that a channel posts to, each once.
func (ch ChannelConfig) places() []string {
	var list []string
	seen := map[string]bool{}
	for _, p := range ch.Posts {
		if !seen[p.To] {
			seen[p.To] = true
			list = append(list, p.To)
		}
	}
	return list
}

// posted is how many articles each post of a channel shows.
func posted(ch ChannelConfig) func(to bot.ChatID, query string) int {
	type schedule struct{ chat, query string }
	most := map[schedule]int{}
	for _, p := range ch.Posts {
		most[schedule{p.chat(), audienceQuery(p.Topic, ch)}] = p.Articles
	}
	return func(to bot.ChatID, query string) int {
		if n, ok := most[schedule{to.ID, query}]; ok {
			return n
		}
		return mostPosted // of a group that got another id since
	}
}

// posts are the schedules of a channel's posts.
func posts(name string, ch ChannelConfig, now time.Time) ([]bot.Follow, error) {
	var list []bot.Follow
	for _, p := range ch.Posts {
		f, err := audienceFollow(name, ch, p.Schedule, p.Topic, now)
		if err != nil {
			return nil, err
		}
		f.Chat, f.Lang = p.chat(), p.Language
		list = append(list, f)
	}
	return list, nil
}

// audienceFollow is the schedule of an audience of a channel.
func audienceFollow(name string, ch ChannelConfig, schedule, topic string, now time.Time) (bot.Follow, error) {
	spec, err := scheduleOf(schedule)
	if err != nil {
		return bot.Follow{}, fmt.Errorf("channel %s: %w", name, err)
	}
	zone, err := time.LoadLocation(ch.Zone)
	if err != nil {
		return bot.Follow{}, fmt.Errorf("channel %s: %w", name, err)
	}
	return bot.Follow{
		Channel: name, Chat: bot.Everybody, Topic: topic, Query: audienceQuery(topic, ch), Lang: ch.Language,
		Spec: spec.String(), Zone: zone.String(), NextDueAt: spec.Next(now, zone).At.UnixMilli(),
	}, nil
}

// keepAudiences makes the schedules of mass sends and posts what the
// configuration says.
func (s *server) keepAudiences(ctx context.Context) error {
	var want []bot.Follow
	now := time.Now()
	for _, name := range s.config.channelNames() {
		ch := s.config.Channels[name]
		list, err := posts(name, ch, now)
		if err != nil {
			return err
		}
		if ch.Mass.on() {
			f, err := massFollow(name, ch, now)
			if err != nil {
				return err
			}
			list = append(list, f)
		}
		for _, f := range list {
			if ch.FirstDigest != "archive" {
				if f.SinceSeq, err = s.library.Last(ctx); err != nil {
					return err
				}
			}
			want = append(want, f)
		}
	}
	return bot.NewChats(s.db, time.Now).KeepAudiences(ctx, want)
}

// outlets are the channels as the scheduler knows them, without their senders.
func (c Config) outlets() []scheduler.Channel {
	var list []scheduler.Channel
	for _, name := range c.channelNames() {
		ch := c.Channels[name]
		// WeChat counts messages to a reader, so that one of several topics is
		// better than several there too.
		outlet := scheduler.Channel{Name: name, InDoubt: scheduler.Policy(ch.InDoubt), Within: ch.filter(), Grouped: true, Config: ch.fingerprint()}
		switch ch.Kind {
		case "telegram":
			outlet.Shown, outlet.Most = mostPosted, posted(ch)
		case "wechat":
			outlet.Keyed = true // a mass send's clientmsgid
		}
		list = append(list, outlet)
	}
	return list
}

// fingerprint changes when the channel's configuration does, and tells nothing of it.
func (ch ChannelConfig) fingerprint() string {
	data, err := json.Marshal(ch)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

// filter is the part of the library that a channel serves.
func (ch ChannelConfig) filter() content.Filter {
	return content.Filter{Langs: ch.Languages, Tags: ch.Tags, Sources: ch.Sources}
}

// readOn is where everybody can read on: the reader pages, when they are for the
// world.
func (c Config) readOn() string {
	u, err := url.Parse(c.PublicURL)
	if c.PublicURL == "" || err != nil || private(u.Hostname()) {
		return ""
	}
	return c.PublicURL + "/"
}

// audience says whom the schedule of an audience is for; "" for a reader's.
func audience(f bot.Follow) string {
	part, ok := strings.CutPrefix(f.Chat, bot.Everybody)
	switch {
	case !ok:
		return ""
	case part == "":
		return " (to everybody)"
	case place(part):
		return " (to " + part + ")"
	}
	return " (to everybody with the tag " + part + ")"
}

func place(part string) bool { return strings.HasPrefix(part, "@") || strings.HasPrefix(part, "-") }

// shownChat is a delivery's chat as the publisher wrote it.
func shownChat(chat string) string {
	if part, ok := strings.CutPrefix(chat, bot.Everybody); ok && place(part) {
		return part
	}
	return chat
}
