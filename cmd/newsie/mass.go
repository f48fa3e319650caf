package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"newsie/bot"
	"newsie/bot/wechat"
	"newsie/content"
	"newsie/content/index"
	"newsie/content/source"
	"newsie/internal/thumbnail"
	"newsie/scheduler/timetable"
)

// MassConfig is the digest that a WeChat channel sends to all its followers, or
// to those with a tag. Without a schedule there is none.
type MassConfig struct {
	Schedule    string   `yaml:"schedule"`     // "daily 18:00", or five cron fields
	Topic       string   `yaml:"topic"`        // words, or * for everything
	Tag         int      `yaml:"tag"`          // WeChat's number of a tag; 0: everybody
	Articles    int      `yaml:"articles"`     // at most, 1 to 8
	Content     string   `yaml:"content"`      // full, summary
	Cover       string   `yaml:"cover"`        // picture for articles without one
	Preview     string   `yaml:"preview"`      // openid that sees it first
	PreviewLead Duration `yaml:"preview_lead"` // by how much
}

func (m MassConfig) on() bool { return m.Schedule != "" }

func (m *MassConfig) fillIn() {
	if !m.on() {
		return
	}
	setDefault(&m.Topic, "*")
	setDefault(&m.Content, "full")
	if m.Articles == 0 {
		m.Articles = wechat.MostNews
	}
	if m.PreviewLead == 0 {
		m.PreviewLead = Duration(15 * time.Minute)
	}
}

// resolveCovers makes pictures that the file names lie beside it.
func (c *Config) resolveCovers(config string, lines lineIndex) {
	for name, ch := range c.Channels {
		ch.Mass.Cover = besideConfig(ch.Mass.Cover, config, lines["channels."+name+".mass.cover"])
		c.Channels[name] = ch
	}
}

var openidRule = regexp.MustCompile(`^[A-Za-z0-9_-]{6,64}$`)

// Between its preview and its end, a mass send must not be given up as late.
const longestLead = 12 * time.Hour

// longestTopic is what a reader's topic may have too.
const longestTopic = 40

func checkMass(k *checker, key string, ch ChannelConfig) {
	m := ch.Mass
	if m == (MassConfig{}) {
		return
	}
	key += ".mass"
	if ch.Kind != "wechat" {
		k.add(key, "only a channel of kind wechat has mass sends")
		return
	}
	if !m.on() {
		k.add(key+".schedule", "is missing: \"daily 18:00\", or five cron fields")
		return
	}
	switch {
	case ch.Account == "unverified":
		k.add(key, "WeChat takes mass sends from verified accounts only, and this one is declared as unverified")
	case ch.AppSecret == "":
		k.add(key, "needs app_secret: without it nothing can be sent")
	}
	checkMassSchedule(k, key+".schedule", m.Schedule, ch.Account)
	if n := utf8.RuneCountInString(m.Topic); n > longestTopic {
		k.add(key+".topic", "has %d characters: %d at most", n, longestTopic)
	}
	if m.Tag < 0 {
		k.add(key+".tag", "%d is no number of a tag", m.Tag)
	}
	if m.Articles < 1 || m.Articles > wechat.MostNews {
		k.add(key+".articles", "%d is not from 1 to %d", m.Articles, wechat.MostNews)
	}
	k.oneOf(key+".content", m.Content, "full", "summary")
	if m.Preview != "" && !openidRule.MatchString(m.Preview) {
		k.add(key+".preview", "%q is no openid: the id of your own chat with the account", m.Preview)
	}
	if lead := time.Duration(m.PreviewLead); lead < time.Minute || lead > longestLead {
		k.add(key+".preview_lead", "%s is not from 1m to %s", lead, "12h")
	}
	if m.Cover != "" {
		if _, err := readCover(m.Cover); err != nil {
			k.add(key+".cover", "%v", err)
		}
	}
}

// checkMassSchedule refuses what WeChat would: more than one a day, and of a
// service account, whose readers take four a month, more than one a week.
func checkMassSchedule(k *checker, key, text, account string) {
	spec, err := scheduleOf(text)
	if err != nil {
		k.add(key, "%v", err)
		return
	}
	const day = 24 * time.Hour
	switch often := spec.MinInterval(); {
	case often < day:
		k.add(key, "%q is more often than once a day, which is all that WeChat takes", text)
	case account == "service" && often < 7*day:
		k.add(key, "%q is more often than once a week: a service account has four mass sends a month", text)
	}
}

// scheduleOf reads "daily 18:00", in any of the four languages, or five cron fields.
func scheduleOf(text string) (timetable.Spec, error) {
	text = strings.TrimSpace(text)
	if words, rest, ok := timetable.ParseWords(text); ok && strings.TrimSpace(rest) == "" {
		text = words
	}
	spec, err := timetable.Parse(text)
	if err == nil && spec.AsItComes() {
		return timetable.Spec{}, fmt.Errorf("%q: only readers' digests come as it happens; name a time, such as daily 18:00", text)
	}
	return spec, err
}

const maxCover = 10 << 20

// readCover reads a picture that can be made into a cover.
func readCover(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("the picture %s cannot be read: %w", path, cause(err))
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no file", path)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxCover+1))
	if err != nil {
		return nil, fmt.Errorf("the picture %s cannot be read: %w", path, cause(err))
	}
	if len(data) > maxCover {
		return nil, fmt.Errorf("the picture %s has more than %d MiB", path, maxCover>>20)
	}
	if _, err := thumbnail.Cover(data, 90, 50); err != nil {
		return nil, fmt.Errorf("%s cannot be used: %w", path, err)
	}
	return data, nil
}

// mass is a channel's mass send as its adapter takes it.
func (cs *channels) mass(m MassConfig) (wechat.Mass, error) {
	if !m.on() {
		return wechat.Mass{}, nil
	}
	mass := wechat.Mass{On: true, Articles: m.Articles, Summary: m.Content == "summary", Preview: m.Preview, Lead: time.Duration(m.PreviewLead)}
	if m.Cover != "" {
		var err error
		if mass.Cover, err = readCover(m.Cover); err != nil {
			return mass, err
		}
	}
	return mass, nil
}

// wholeArticles loads articles with their texts, without those that readers may
// not see.
func (cs *channels) wholeArticles(ctx context.Context, ids []int64) ([]content.Article, error) {
	var list []content.Article
	for _, id := range ids {
		a, err := cs.in.library.Article(ctx, id)
		switch {
		case errors.Is(err, content.ErrNotFound):
		case err != nil:
			return nil, err
		case a.State == content.Published:
			list = append(list, a)
		}
	}
	return list, nil
}

// picture gets a picture of an article: a kept one from the store, any other
// from the web, as sources are read.
func (cs *channels) picture(fetcher *source.Fetcher) func(ctx context.Context, address string) ([]byte, error) {
	return func(ctx context.Context, address string) ([]byte, error) {
		if name, kept := strings.CutPrefix(address, "/media/"); kept {
			figure, err := cs.in.library.Picture(ctx, name)
			return figure.Data, err
		}
		if !source.IsAddress(address) {
			return nil, errors.New("the picture has no address on the web")
		}
		got, err := fetcher.Fetch(ctx, address, "", "")
		return got.Data, err
	}
}

// audienceQuery is a topic within what the channel serves, in the operators of a
// search. Those that the topic has itself say it better.
func audienceQuery(topic string, ch ChannelConfig) string {
	query := bot.TopicQuery(topic)
	p := index.ParseQuery(query)
	if query == "*" {
		p = index.Parsed{}
	}
	narrowed := false
	for _, by := range []struct {
		operator *[]string
		names    []string
	}{{&p.Langs, ch.Languages}, {&p.Tags, ch.Tags}, {&p.Sources, ch.Sources}} {
		if len(*by.operator) == 0 && len(by.names) > 0 {
			*by.operator, narrowed = by.names, true
		}
	}
	if !narrowed {
		return query
	}
	return bot.TopicQuery(p.String())
}

// massFollow is the schedule of a channel's mass send.
func massFollow(name string, ch ChannelConfig, now time.Time) (bot.Follow, error) {
	f, err := audienceFollow(name, ch, ch.Mass.Schedule, strings.TrimSpace(ch.Mass.Topic), now)
	if ch.Mass.Tag != 0 {
		f.Chat = fmt.Sprintf("%s%d", bot.Everybody, ch.Mass.Tag)
	}
	return f, err
}
