package wechat_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"newsie/bot"
	"newsie/bot/wechat"
	"newsie/bot/wechat/wechattest"
)

func answers(a wechat.Answer, public string) option {
	return func(_ *wechattest.Account, c *wechat.Config) { c.Answer, c.PublicURL = a, public }
}

// found is an answer with n articles, the first one's picture our own.
func found(best bot.Best, n int) bot.Reply {
	r := bot.Reply{Lang: "zh-Hans", Text: "找到 3 篇", Best: best, Groups: []bot.Group{{}}, Actions: moreAndFollow[1:]}
	for i := 1; i <= n; i++ {
		c := card(i, "微店怎样开张", sentence, "二维码")
		c.Cover = "https://example.org/media/abc.png"
		r.Groups[0].Cards = append(r.Groups[0].Cards, c)
	}
	return r
}

func TestACardIsAnsweredWhereItIsWanted(t *testing.T) {
	for _, test := range []struct {
		answer wechat.Answer
		best   bot.Best
		card   bool
	}{
		{"", bot.Clear, true}, {"", bot.Ranked, false}, {"", bot.OneOfMany, false},
		{wechat.Auto, bot.Clear, true}, {wechat.Auto, bot.Ranked, false}, {wechat.Auto, bot.OneOfMany, false},
		{wechat.Card, bot.Clear, true}, {wechat.Card, bot.Ranked, true}, {wechat.Card, bot.OneOfMany, false},
		{wechat.List, bot.Clear, false}, {wechat.List, bot.Ranked, false}, {wechat.List, bot.OneOfMany, false},
	} {
		b := shows(t, found(test.best, 3), answers(test.answer, "https://example.org"))
		if got := len(b.News) == 1; got != test.card || got == (b.Text != "") {
			t.Errorf("answer %q, best %d: a card %v, want %v", test.answer, test.best, got, test.card)
		}
	}
}

func TestACardSaysWhatItIsAndWhereTheOthersAre(t *testing.T) {
	many := found(bot.Clear, 5)
	many.Actions = moreAndFollow
	long := found(bot.Clear, 12)
	strange := found(bot.Clear, 1)
	strange.Lang = "it"
	strange.Groups[0].Cards[0].Title = "a ]]> <b>\x00 & \ufffe\u202e微 👨‍👩‍👧‍👦"
	strange.Groups[0].Cards[0].URL = `https://example.org/?a=1&b="<x>"&c=微`
	strange.Groups[0].Cards[0].Snippet = bot.Snippet{Text: "e\u0301 ]]> \x08שלום"}
	remote := found(bot.Clear, 2)
	remote.Groups[0].Cards[0].Cover = "https://pictures.example.net/a.jpg?w=100"
	remote.Groups[0].Cards[0].URL = "https://original.example.net/4711"
	bare := found(bot.Clear, 2)
	bare.Groups[0].Cards[0].Cover = "data:image/png;base64,AAAA"
	bare.Groups[0].Cards[0].Snippet = bot.Snippet{}
	bare.Groups[0].Cards[0].Source, bare.Groups[0].Cards[0].Date = "", ""
	for name, test := range map[string]struct {
		reply bot.Reply
		want  wechattest.News
	}{
		"the only one": {found(bot.Clear, 1), wechattest.News{
			Title: "微店怎样开张", Description: sentence + "\n渡口周刊 · 2026年3月1日",
			PicURL: "https://example.org/media/abc.png?cover=900x500", URL: "https://example.org/a/4711/weidian"}},
		"one of five and more": {many, wechattest.News{
			Title: "微店怎样开张", Description: sentence + "\n渡口周刊 · 2026年3月1日\n还有更多：回复 2–5 或“更多”，或点开查看",
			PicURL: "https://example.org/media/abc.png?cover=900x500", URL: "https://example.org/a/4711?with=4712.4713.4714.4715"}},
		"one of twelve": {long, wechattest.News{
			Title: "微店怎样开张", Description: sentence + "\n渡口周刊 · 2026年3月1日\n另有 11 篇：回复 2–12，或点开查看",
			PicURL: "https://example.org/media/abc.png?cover=900x500", URL: "https://example.org/a/4711?with=4712.4713.4714.4715.4716.4717.4718.4719"}},
		"a remote picture, the article elsewhere": {remote, wechattest.News{
			Title: "微店怎样开张", Description: sentence + "\n渡口周刊 · 2026年3月1日\n另有 1 篇：回复 2，或点开查看",
			PicURL: "https://pictures.example.net/a.jpg?w=100", URL: "https://example.org/a/4711?with=4712"}},
		"with nothing to say": {bare, wechattest.News{
			Title: "微店怎样开张", Description: "另有 1 篇：回复 2，或点开查看", URL: "https://example.org/a/4711?with=4712"}},
		"hard characters": {strange, wechattest.News{
			Title: "a ]]> <b> & 微 👨‍👩‍👧‍👦", Description: "e\u0301 ]]> שלום\n渡口周刊 · 2026年3月1日",
			PicURL: "https://example.org/media/abc.png?cover=900x500", URL: "https://example.org/?a=1&b=%22%3Cx%3E%22&c=%E5%BE%AE"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := shows(t, test.reply, answers(wechat.Auto, "https://example.org/"))
			if diff := cmp.Diff([]wechattest.News{test.want}, b.News); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestWithoutAWayToTheArticlesACardBecomesAList(t *testing.T) {
	noAddress, ftp := found(bot.Clear, 1), found(bot.Clear, 1)
	noAddress.Groups[0].Cards[0].URL = ""
	ftp.Groups[0].Cards[0].URL = "ftp://example.org/a"
	two := found(bot.Clear, 1)
	two.Groups = append(two.Groups, bot.Group{Heading: "新文章", Cards: two.Groups[0].Cards})
	untitled := found(bot.Clear, 1)
	untitled.Groups[0].Cards[0].Title = "\x00\x01"
	for name, test := range map[string]struct {
		reply  bot.Reply
		public string
	}{
		"several, no pages of ours": {found(bot.Clear, 2), ""},
		"no address":                {noAddress, "https://example.org"},
		"none the app opens":        {ftp, "https://example.org"},
		"two groups":                {two, "https://example.org"},
		"no title":                  {untitled, "https://example.org"},
		"no card":                   {bot.Reply{Text: "x", Best: bot.Clear}, "https://example.org"},
	} {
		if b := shows(t, test.reply, answers(wechat.Card, test.public)); len(b.News) != 0 || b.Text == "" {
			t.Errorf("%s: %+v", name, b)
		}
	}
	// With one alone no page of ours is needed.
	if b := shows(t, found(bot.Clear, 1), answers(wechat.Card, "")); len(b.News) != 1 || b.News[0].PicURL != "https://example.org/media/abc.png" {
		t.Errorf("%+v", b)
	}
}

func TestEveryCardFits(t *testing.T) {
	for name, unit := range map[string]string{"Chinese": "微", "emoji": "👨‍👩‍👧‍👦", "accents": "e\u0301\u0302", "Latin": "word ", "one word": "w"} {
		for _, n := range []int{1, 63, 64, 65, 500, 20000} {
			r := found(bot.Clear, 5)
			text := strings.Repeat(unit, n)
			c := &r.Groups[0].Cards[0]
			c.Title, c.Snippet, c.Cover = text, bot.Snippet{Text: text}, "https://example.org/"+strings.Repeat("p", 650)
			b := shows(t, r, answers(wechat.Auto, "https://example.org"))
			if len(b.News) == 0 { // too wide even alone: a list
				if b.Text == "" {
					t.Errorf("%d × %s: nothing", n, name)
				}
				continue
			}
			a := b.News[0]
			if size := len(a.Title) + len(a.Description) + len(a.URL) + len(a.PicURL); size > wechat.Budget {
				t.Errorf("%d × %s: %d bytes", n, name, size)
			}
			if !utf8.ValidString(a.Title+a.Description) || !strings.HasSuffix(a.Description, "另有 4 篇：回复 2–5，或点开查看") {
				t.Errorf("%d × %s: %q", n, name, a.Description)
			}
		}
	}
}

func TestACardIsRepeatedByteForByte(t *testing.T) {
	for _, m := range []wechattest.Mode{wechattest.Safe, wechattest.Compatible, wechattest.Plain} {
		calls := 0
		s := start(t, func(context.Context, bot.Message) (bot.Reply, error) {
			calls++
			return found(bot.Clear, 1+calls), nil
		}, mode(m), answers(wechat.Auto, "https://example.org"))
		r := s.Reader("r1")
		first := r.Say("微店")
		again := r.Repeat()
		if len(first.News) != 1 || first.Response != again.Response || calls != 1 {
			t.Errorf("%s: asked %d times:\n%s\n%s", m, calls, first.Response, again.Response)
		}
	}
}

func TestADigestBeforeAnAnswerMakesItText(t *testing.T) {
	for name, held := range map[string]func(bot.Reply) bot.Reply{
		"articles": func(r bot.Reply) bot.Reply {
			r.Groups = append([]bot.Group{{Heading: "周一以来有 1 篇新文章", Cards: []bot.Card{card(0, "渡口", "", "")}}}, r.Groups...)
			return r
		},
		"words": func(r bot.Reply) bot.Reply { r.Text = "刚才的回答\n" + r.Text; return r },
	} {
		s := start(t, func(context.Context, bot.Message) (bot.Reply, error) { return found(bot.Clear, 1), nil },
			answers(wechat.Auto, "https://example.org"), func(_ *wechattest.Account, c *wechat.Config) {
				c.Held = func(_ context.Context, _ bot.ChatID, r bot.Reply) (bot.Reply, error) { return held(r), nil }
			})
		if b := s.Reader("r1").Say("微店"); len(b.News) != 0 || !strings.Contains(b.Text, "微店怎样开张") {
			t.Errorf("%s: %+v", name, b)
		}
	}
}

func TestAnUnknownAnswerIsRefused(t *testing.T) {
	_, err := wechat.New(wechat.Config{Name: "wx", AppID: "wx1", Token: "token", Answer: "cards"})
	if err == nil || !strings.Contains(err.Error(), `answer "cards" is none of list, card, auto`) {
		t.Errorf("%v", fmt.Sprint(err))
	}
}
