package wechat_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"newsie/bot"
	"newsie/bot/wechat"
	"newsie/bot/wechat/wechattest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// shows is what a reader gets for reply, whole; the fake platform checks it.
func shows(t *testing.T, reply bot.Reply, options ...option) wechattest.Bubble {
	t.Helper()
	s := start(t, func(context.Context, bot.Message) (bot.Reply, error) { return reply, nil }, options...)
	b := s.Reader("r1").Say("x")
	if len(b.Raw) > wechat.Budget {
		t.Errorf("%d bytes", len(b.Raw))
	}
	return b
}

func noTaps(_ *wechattest.Account, c *wechat.Config) { c.TapLines = false }

func card(n int, title, snippet, mark string) bot.Card {
	c := bot.Card{
		Number: n, Article: int64(4710 + n), Title: title, URL: fmt.Sprintf("https://example.org/a/%d/weidian", 4710+n),
		Snippet: bot.Snippet{Text: snippet}, Source: "渡口周刊", Date: "2026年3月1日", Open: fmt.Sprintf("/read %d", 4710+n),
	}
	if i := strings.Index(snippet, mark); mark != "" && i >= 0 {
		c.Snippet.Marks = []bot.Span{{Start: i, End: i + len(mark)}}
	}
	return c
}

var moreAndFollow = []bot.Action{{Label: "更多", Text: "/more 93 2"}, {Label: "关注 微店", Text: "/follow 微店"}}

const sentence = "小店主在微信里开张，顾客扫一扫货架上的二维码就能下单，付款以后店主当面打包。"

func TestGolden(t *testing.T) {
	list := func(n int, title, snippet string) []bot.Group {
		var cards []bot.Card
		for i := 1; i <= n; i++ {
			cards = append(cards, card(i, title, snippet, "二维码"))
		}
		return []bot.Group{{Cards: cards}}
	}
	longURL := card(1, "没有地址的文章", sentence, "")
	longURL.URL = "https://example.org/" + strings.Repeat("%E7", 300)
	noURL := card(2, "站内文章", sentence, "")
	noURL.URL = ""
	for name, test := range map[string]struct {
		reply   bot.Reply
		options []option
	}{
		"list": {reply: bot.Reply{Lang: "zh-Hans", Text: "“微店”：3 篇", Groups: list(3, "微店怎样开张", sentence), Actions: moreAndFollow}},
		"list-without-taps": {reply: bot.Reply{Lang: "zh-Hans", Text: "“微店”：3 篇", Groups: list(3, "微店怎样开张", sentence), Actions: moreAndFollow},
			options: []option{noTaps}},
		"list-long": {reply: bot.Reply{Lang: "zh-Hans", Text: "“微店”：5 篇", Actions: moreAndFollow,
			Groups: list(5, strings.Repeat("微店怎样开张又怎样关张", 6), strings.Repeat(sentence, 20))}},
		"digest-and-list": {reply: bot.Reply{Lang: "zh-Hans", Text: "周一以来有 8 篇新文章", Actions: moreAndFollow,
			Groups: append(list(8, strings.Repeat("微店怎样开张", 8), sentence), bot.Group{Heading: "“微店”：5 篇", Cards: list(5, strings.Repeat("二维码贴在哪里", 8), sentence)[0].Cards})}},
		"article": {reply: bot.Reply{Lang: "zh-Hans", Groups: []bot.Group{
			{Cards: []bot.Card{card(0, "微店怎样开张", strings.Repeat(sentence, 3), "")}},
			{Heading: "相关文章", Cards: []bot.Card{card(1, "二维码贴在哪里", sentence, ""), card(2, "渡口的早市", sentence, "")}},
		}, Actions: []bot.Action{{Label: "上一篇：渡口", Text: "/read 4709"}, {Label: "阅读全文", URL: "https://example.org/a/4710"}}}},
		"actions-without-taps": {reply: bot.Reply{Lang: "it", Text: "Fatto.", Actions: []bot.Action{
			{Label: "← Il mercato", Text: "/read 4709"}, {Label: "Altro", Text: "/more 93 3"}, {Label: "Pagina prima", Text: "/more 93 1"},
			{Label: "Cerca «albicoche»", Text: "/exact albicoche"}, {Label: "Segui «commercio»", Text: "/follow commercio"}, {Label: "English", Text: "/lang en"},
			{Label: "Continua a leggere", URL: "https://example.org/a/4710"},
		}}, options: []option{noTaps}},
		"match-far-inside":  {reply: bot.Reply{Lang: "zh-Hans", Groups: []bot.Group{{Cards: []bot.Card{card(1, "渡口", strings.Repeat("清晨的江面上起了雾。", 12)+sentence, "二维码")}}}}},
		"without-addresses": {reply: bot.Reply{Lang: "zh-Hans", Groups: []bot.Group{{Cards: []bot.Card{longURL, noURL}}}}},
		"help-italian": {reply: bot.Reply{Lang: "it", Text: "Scrivi una parola e ti rispondo con gli articoli.\nScrivi «segui sport» per riceverli ogni mattina.",
			Actions: []bot.Action{{Label: "Ultimi articoli", Text: "/latest"}, {Label: "Il mio riassunto", Text: "/digest"}}}, options: []option{noTaps}},
		"unclean": {reply: bot.Reply{Lang: "en", Text: "a\x00b\u2028c <a href=\"x\">d</A> <b>e</b> &amp; ]]> \xff\ufffe שלום 👨‍👩‍👧‍👦",
			Groups: []bot.Group{{Cards: []bot.Card{{Number: 1, Title: "Line\nbreak </a> \"quoted\"", URL: `https://example.org/?a=1&b="<x>"&c=微`, Open: "/read 1"}}}}}},
		"taiwan": {reply: bot.Reply{Lang: "zh-Hant", Groups: list(12, strings.Repeat("微店怎樣開張", 20), sentence), Actions: moreAndFollow}, options: []option{noTaps}},
	} {
		t.Run(name, func(t *testing.T) {
			got := shows(t, test.reply, test.options...).Raw
			path := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestEveryLengthFits(t *testing.T) {
	for name, unit := range map[string]string{
		"Chinese": "微", "emoji": "👨‍👩‍👧‍👦", "Latin": "word ", "one word": "w", "right to left": "שלום ", "accents": "e\u0301\u0302",
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, func(_ context.Context, m bot.Message) (bot.Reply, error) {
				var n, cards int
				if _, err := fmt.Sscanf(m.Text, "%d %d", &n, &cards); err != nil {
					t.Error(err)
				}
				text := strings.Repeat(unit, n/len(unit)) + strings.Repeat("x", n%len(unit))
				r := bot.Reply{Lang: "en", Text: text, Actions: moreAndFollow}
				if cards == 0 {
					r.Actions = nil
					return r, nil
				}
				r.Text = ""
				r.Groups = []bot.Group{{}}
				for i := 1; i <= cards; i++ {
					r.Groups[0].Cards = append(r.Groups[0].Cards, card(i, text, text, ""))
				}
				return r, nil
			})
			for _, cards := range []int{0, 1, 5, 40} {
				for _, n := range []int{1, 50, wechat.Budget - 1, wechat.Budget, wechat.Budget + 1, 20000} {
					b := s.Reader("r1").Say(fmt.Sprint(n, " ", cards))
					if b.Text == "" || len(b.Raw) > wechat.Budget || !utf8.ValidString(b.Raw) {
						t.Errorf("%d cards of %d bytes: %d bytes", cards, n, len(b.Raw))
					}
					if cards == 0 && n <= wechat.Budget && strings.Contains(b.Text, "…") {
						t.Errorf("%d bytes fit and were cut", n)
					}
					if cards == 0 && n > wechat.Budget && (!strings.HasSuffix(b.Text, "…") || len(b.Raw) < wechat.Budget*3/4) {
						t.Errorf("%d bytes were cut to %d", n, len(b.Raw))
					}
					for _, l := range b.Links {
						if !strings.HasSuffix(l.Target, "/weidian") {
							t.Errorf("a cut link %q", l.Target)
						}
					}
					lines := 0
					for _, tap := range b.Taps {
						if !strings.HasPrefix(tap.Label, "[") { // a number
							lines++
						}
					}
					if cards > 0 && (len(b.Links) == 0 || lines != 2) {
						t.Errorf("%d cards of %d bytes: %d links, %d lines", cards, n, len(b.Links), lines)
					}
				}
			}
		})
	}
}

func TestPiledAccentsFit(t *testing.T) {
	zalgo := "z" + strings.Repeat("\u0301", 5000)
	b := shows(t, bot.Reply{Lang: "en", Text: "Text", Groups: []bot.Group{{Cards: []bot.Card{card(1, zalgo, zalgo, "")}}}})
	if len(b.Links) != 1 {
		t.Errorf("%+v", b)
	}
}

func TestWhatDoesNotFitCanBeAskedFor(t *testing.T) {
	var cards []bot.Card
	for i := 1; i <= 30; i++ {
		cards = append(cards, card(i, strings.Repeat("微店怎样开张", 5), "", ""))
	}
	b := shows(t, bot.Reply{Lang: "en", Groups: []bot.Group{{Cards: cards}}})
	for i := 1; i <= 30; i++ {
		if !strings.Contains(b.Text, fmt.Sprint(i)) {
			t.Errorf("number %d is not told:\n%s", i, b.Text)
		}
	}
	if !strings.Contains(b.Text, "more did not fit") {
		t.Errorf("not told:\n%s", b.Text)
	}
}
