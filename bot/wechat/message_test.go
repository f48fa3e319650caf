package wechat_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"newsie/bot"
	"newsie/bot/wechat"
	"newsie/bot/wechat/wechattest"
)

func TestMessages(t *testing.T) {
	type heard struct {
		Kind bot.Kind
		Text string
	}
	for _, test := range []struct {
		name string
		do   func(*wechattest.Reader) wechattest.Bubble
		want []heard
	}{
		{"text", func(r *wechattest.Reader) wechattest.Bubble { return r.Say("微信电商") }, []heard{{bot.Text, "微信电商"}}},
		{"text with space around", func(r *wechattest.Reader) wechattest.Bubble { return r.Say(" a\r\nb\x00 ") }, []heard{{bot.Text, "a\nb"}}},
		{"text with XML in it", func(r *wechattest.Reader) wechattest.Bubble { return r.Say("a ]]> <b> &amp; 👨‍👩‍👧") }, []heard{{bot.Text, "a ]]> <b> &amp; 👨‍👩‍👧"}}},
		{"sticker", func(r *wechattest.Reader) wechattest.Bubble {
			return r.Say("【收到不支持的消息类型，暂无法显示】")
		}, []heard{{bot.Media, "sticker"}}},
		{"a command, typed", func(r *wechattest.Reader) wechattest.Bubble { return r.Say("/more 93 2") }, []heard{{bot.Text, "/more 93 2"}}},
		{"a command, escaped by an app", func(r *wechattest.Reader) wechattest.Bubble { return r.Say("/more%2093%202") }, []heard{{bot.Text, "/more 93 2"}}},
		{"words with a percent sign", func(r *wechattest.Reader) wechattest.Bubble { return r.Say("100%25 cotton") }, []heard{{bot.Text, "100%25 cotton"}}},
		{"image", func(r *wechattest.Reader) wechattest.Bubble { return r.Send("image") }, []heard{{bot.Media, "picture"}}},
		{"voice", func(r *wechattest.Reader) wechattest.Bubble { return r.Send("voice") }, []heard{{bot.Media, "voice"}}},
		{"video", func(r *wechattest.Reader) wechattest.Bubble { return r.Send("video") }, []heard{{bot.Media, "video"}}},
		{"short video", func(r *wechattest.Reader) wechattest.Bubble { return r.Send("shortvideo") }, []heard{{bot.Media, "video"}}},
		{"location", func(r *wechattest.Reader) wechattest.Bubble { return r.Send("location") }, []heard{{bot.Media, "place"}}},
		{"link", func(r *wechattest.Reader) wechattest.Bubble { return r.Send("link") }, []heard{{bot.Media, "A page"}}},
		{"file", func(r *wechattest.Reader) wechattest.Bubble { return r.Send("file") }, []heard{{bot.Media, "unknown"}}},
		{"template message sent", func(r *wechattest.Reader) wechattest.Bubble { return r.Event("TEMPLATESENDJOBFINISH", "") }, nil},
		{"an event of the future", func(r *wechattest.Reader) wechattest.Bubble { return r.Event("TELEPORT", "x") }, nil},
		{"unknown type", func(r *wechattest.Reader) wechattest.Bubble { return r.Send("hologram") }, []heard{{bot.Media, "unknown"}}},
		{"subscribe", func(r *wechattest.Reader) wechattest.Bubble { return r.Subscribe() }, []heard{{bot.Join, ""}}},
		{"subscribe by code", func(r *wechattest.Reader) wechattest.Bubble { return r.SubscribeBy("poster-7") }, []heard{{bot.Join, "poster-7"}}},
		{"scan", func(r *wechattest.Reader) wechattest.Bubble { return r.Scan("poster-7") }, []heard{{bot.Scan, "poster-7"}}},
		{"menu", func(r *wechattest.Reader) wechattest.Bubble { return r.Click("/latest") }, []heard{{bot.Tap, "/latest"}}},
		{"menu that opens a page", func(r *wechattest.Reader) wechattest.Bubble { return r.Event("VIEW", "https://example.org") }, nil},
		{"position on entering", func(r *wechattest.Reader) wechattest.Bubble { return r.Event("LOCATION", "") }, nil},
		{"mass send finished", func(r *wechattest.Reader) wechattest.Bubble { return r.Event("MASSSENDJOBFINISH", "") }, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []heard
			s := start(t, func(ctx context.Context, m bot.Message) (bot.Reply, error) {
				got = append(got, heard{m.Kind, m.Text})
				return echo(ctx, m)
			})
			if b := test.do(s.Reader("r1")); (b.Text != "") != (test.want != nil) {
				t.Errorf("the reader sees %q", b.Text)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestMessageIsWhole(t *testing.T) {
	var got bot.Message
	s := start(t, func(_ context.Context, m bot.Message) (bot.Reply, error) {
		got = m
		return bot.Reply{}, nil
	})
	s.Reader("r1").Say("hi")
	want := bot.Message{Kind: bot.Text, Chat: s.chat("r1"), Text: "hi", Lang: "zh-Hans", At: time.Unix(s.clock.Now().Unix(), 0)}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(bot.Message{}, "ID")); diff != "" || got.ID == "" {
		t.Errorf("id %q, -want +got:\n%s", got.ID, diff)
	}
}

func TestASharedLinkIsWhole(t *testing.T) {
	var got bot.Message
	s := start(t, func(ctx context.Context, m bot.Message) (bot.Reply, error) {
		got = m
		return echo(ctx, m)
	})
	for _, test := range []struct{ title, address, text, link string }{
		{"T & U\r\nx", " https://example.org/a?b=1&c=2 ", "T & U x", "https://example.org/a?b=1&c=2"},
		{"", "https://example.org/a", "", "https://example.org/a"},
		{"T", "", "link", ""},
	} {
		s.Reader("r1").Share(test.title, "about", test.address)
		if got.Kind != bot.Media || got.Text != test.text || got.Link != test.link {
			t.Errorf("%q, %q: heard %q, %q", test.title, test.address, got.Text, got.Link)
		}
	}
}

func TestTappedLineIsTheCommand(t *testing.T) {
	var got []bot.Message
	s := start(t, func(_ context.Context, m bot.Message) (bot.Reply, error) {
		got = append(got, m)
		return bot.Reply{Text: "x", Actions: []bot.Action{{Label: "关注电商", Text: `/follow 电商 & "100%" #1+1`}}}, nil
	})
	r := s.Reader("r1")
	r.Say("hi")
	if _, err := r.Tap("关注"); err != nil {
		t.Fatal(err)
	}
	if last := got[len(got)-1]; last.Kind != bot.Tap || last.Text != `/follow 电商 & "100%" #1+1` {
		t.Errorf("got %+v", last)
	}
}

func TestLeavingIsHeardAndNotAnswered(t *testing.T) {
	var got bot.Kind
	s := start(t, func(_ context.Context, m bot.Message) (bot.Reply, error) {
		got = m.Kind
		return bot.Reply{Text: "goodbye"}, nil
	}, verified)
	r := s.Reader("r1")
	r.Say("hi")
	if b := r.Unsubscribe(); b.Response != "success" || got != bot.Leave {
		t.Errorf("%q after %s", b.Response, got)
	}
	if _, open, err := wechat.NewWindows(s.db, "wx", s.clock.Now).Take(t.Context(), "r1", true); err != nil || open {
		t.Errorf("the window of a reader who left is open (%v)", err)
	}
}
