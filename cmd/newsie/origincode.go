package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"newsie/bot"
	"newsie/bot/origin"
	"newsie/bot/telegram"
	"newsie/bot/webchat"
	"newsie/bot/wechat"
	"newsie/internal/web/console"
)

// says tells what the code of an origin says: the code or link of a channel, or
// the address of the page that knows them all.
func (cs *channels) says(ctx context.Context, w origin.Wanted) (origin.Saying, error) {
	if now := time.Now(); !w.Origin.Ends.IsZero() && !w.Origin.Ends.After(now) {
		return origin.Saying{}, fmt.Errorf("%s is closed since %s: newsie origin edit gives it another end", w.Origin.Name, said(w.Origin.Ends))
	}
	payload, ok := bot.Payload{Origin: w.Origin.Code, Article: w.Article}.Encode()
	if !ok {
		return origin.Saying{}, fmt.Errorf("no code can carry %s with article %d", w.Origin.Code, w.Article)
	}
	names := cs.in.config.channelNames()
	if w.Channel == "" && len(names) == 1 {
		w.Channel = names[0]
	}
	if kind := cs.in.config.Channels[w.Channel].Kind; w.Temporary && kind != "wechat" {
		return origin.Saying{}, errors.New("codes of WeChat accounts alone are temporary; the others last as long as their origin")
	}
	var s origin.Saying
	var err error
	switch a := cs.adapters[w.Channel].(type) {
	case *wechat.Channel:
		s, err = cs.saysWeChat(ctx, a, payload, w)
	case *telegram.Channel:
		s, err = saysTelegram(ctx, a, payload)
	case *webchat.Channel:
		s, err = cs.saysWebchat(a, payload)
	default:
		if w.Channel != "" {
			return s, fmt.Errorf("there is no channel %q, there is %s", w.Channel, strings.Join(names, ", "))
		}
		s, err = cs.saysPage(w)
	}
	if err != nil {
		return s, err
	}
	s.Typed = w.Origin.Code
	if page, err := cs.page(w); err == nil {
		_, s.Typed, _ = strings.Cut(page, "://")
	}
	return s, nil
}

// saysWeChat is a code that WeChat made, else the page where the account has none.
func (cs *channels) saysWeChat(ctx context.Context, a *wechat.Channel, payload string, w origin.Wanted) (origin.Saying, error) {
	until := w.Origin.Ends
	// From midnight on, so that whoever prints again on the same day has the same.
	if month := time.Now().UTC().Truncate(24 * time.Hour).Add(wechat.LongestCode); w.Temporary && (until.IsZero() || until.After(month)) {
		until = month
	}
	var code origin.Code
	var err error
	if w.Kept {
		code, err = a.KeptCode(ctx, payload, until)
	} else {
		code, err = a.Code(ctx, w.Origin.ID, payload, until)
	}
	if errors.Is(err, wechat.ErrNoCodes) {
		s, err := cs.saysPage(w)
		s.Note = a.Name() + " makes no codes of its own: WeChat lets verified service accounts alone"
		return s, err
	}
	if err != nil {
		return origin.Saying{}, told(err)
	}
	return origin.Saying{Text: code.URL, Channel: a.Name(), Opens: "the WeChat account " + a.Name(), Until: code.Expires}, nil
}

func saysTelegram(ctx context.Context, a *telegram.Channel, payload string) (origin.Saying, error) {
	if err := a.Learn(ctx); err != nil { // which asks Telegram at most once
		return origin.Saying{}, fmt.Errorf("channel %s: %w", a.Name(), err)
	}
	link := a.DeepLink(payload)
	if link == "" {
		return origin.Saying{}, fmt.Errorf("channel %s: Telegram tells no name of the bot", a.Name())
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(link, "https://t.me/"), "?")
	return origin.Saying{Text: link, Channel: a.Name(), Opens: "the Telegram bot @" + name}, nil
}

func (cs *channels) saysWebchat(a *webchat.Channel, payload string) (origin.Saying, error) {
	base, err := cs.printable()
	return origin.Saying{
		Text: base + escaped(a.Path()) + "?start=" + url.QueryEscape(payload), Channel: a.Name(), Opens: "the chat in the browser " + a.Name(),
	}, err
}

func (cs *channels) saysPage(w origin.Wanted) (origin.Saying, error) {
	page, err := cs.page(w)
	return origin.Saying{Text: page, Opens: "the page " + page + ", which leads to the reader's app"}, err
}

// page is the address of the page that knows all channels.
func (cs *channels) page(w origin.Wanted) (string, error) {
	base, err := cs.printable()
	page := base + "/o/" + w.Origin.Code
	if w.Article != 0 {
		page += "/" + strconv.FormatInt(w.Article, 10)
	}
	return page, err
}

// printable is our own address, if it is one that lasts longer than this process.
func (cs *channels) printable() (string, error) {
	if cs.in.config.PublicURL == "" {
		return "", console.ErrNoAddress
	}
	return strings.TrimSuffix(cs.in.config.PublicURL, "/"), nil
}

// escaped is a path as it stands in an address.
func escaped(path string) string { return (&url.URL{Path: path}).EscapedPath() }
