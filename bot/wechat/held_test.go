package wechat_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"newsie/bot"
	"newsie/bot/wechat"
	"newsie/bot/wechat/wechattest"
)

// What waited for a reader stands before the answer, whatever the reader did;
// and when both are too long, it is what waited that gives way.
func TestWhatWaitedGivesWayToTheAnswer(t *testing.T) {
	cards := func(n, first int, title string) []bot.Card {
		var list []bot.Card
		for i := range n {
			card := bot.Card{Article: int64(i + 1), Title: fmt.Sprintf("%s %d %s", title, i+1, strings.Repeat("电商", 12)), URL: fmt.Sprintf("https://news.example.org/a/%d/%s-%s", i+1, title, strings.Repeat("x", 40)),
				Snippet: bot.Snippet{Text: strings.Repeat("小程序商城。", 40)}, Source: "The Lantern", Date: "2026年11月22日"}
			if first > 0 {
				card.Number = first + i
			}
			list = append(list, card)
		}
		return list
	}
	for _, test := range []struct {
		name          string
		held, answers int
		long          int // characters of the answer's own words
		shown         int // of the held ones, at least
	}{
		{"one and one", 1, 1, 20, 1},
		{"many and a list", 5, 5, 20, 3},
		{"many and words", 5, 0, 120, 5},
		{"many and a long list", 5, 8, 20, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			answer := bot.Reply{Lang: "zh-Hans", Text: "答" + strings.Repeat("复", test.long), Actions: []bot.Action{{Label: "更多", Text: "/more 1 2"}}}
			if test.answers > 0 {
				answer.Groups = []bot.Group{{Cards: cards(test.answers, 1, "answer")}}
			}
			handed := 0
			s := start(t, func(context.Context, bot.Message) (bot.Reply, error) { return answer, nil }, func(_ *wechattest.Account, c *wechat.Config) {
				c.Held = func(_ context.Context, _ bot.ChatID, r bot.Reply) (bot.Reply, error) {
					handed++
					r.Groups = append([]bot.Group{{Heading: "星期一以来有 5 篇新文章", Cards: cards(test.held, 0, "held")}}, r.Groups...)
					r.Ahead = 1
					return r, nil
				}
			})
			r := s.Follower("r1")
			for doing, b := range map[string]wechattest.Bubble{"a word": r.Say("茶"), "a menu click": r.Click("/latest"), "a scan": r.Scan("poster"), "a follow": r.Subscribe()} {
				if len(b.Raw) > wechat.Budget {
					t.Errorf("%s: %d bytes", doing, len(b.Raw))
				}
				held := strings.Index(b.Text, "星期一以来有 5 篇新文章")
				words := strings.Index(b.Text, answer.Text)
				if held != 0 || words < held {
					t.Errorf("%s: what waited is at %d, the answer at %d of\n%s", doing, held, words, b.Text)
				}
				if got := strings.Count(b.Text, "held "); got < test.shown {
					t.Errorf("%s: %d of what waited are shown, want %d at least:\n%s", doing, got, test.shown, b.Text)
				}
				if got := strings.Count(b.Text, "answer "); got != test.answers {
					t.Errorf("%s: %d of the answer's %d articles are shown:\n%s", doing, got, test.answers, b.Text)
				}
				if len(b.Taps) == 0 {
					t.Errorf("%s: there is nothing to tap:\n%s", doing, b.Text)
				}
			}
			want(t, "handed over", handed, 4)
		})
	}
}
