package wechat_test

import (
	"fmt"
	"strings"
	"testing"

	"newsie/bot"
)

// Where else a story is told goes before anything else does.
func TestOtherSourcesAreLeftOutFirst(t *testing.T) {
	reply := func(cards int) bot.Reply {
		r := bot.Reply{Lang: "zh-Hans", Text: "“微店”", Groups: []bot.Group{{}}}
		for i := 1; i <= cards; i++ {
			c := card(i, "微店怎样开张", sentence, "")
			c.Also = bot.Also{Label: "另见：", Comma: "、", Places: []bot.Place{
				{Name: "江畔日报", URL: fmt.Sprintf("https://example.org/a/%d/%s", 4800+i, strings.Repeat("w", 100))}, {Name: "晚报</a>"},
			}}
			r.Groups[0].Cards = append(r.Groups[0].Cards, c)
		}
		return r
	}
	few := shows(t, reply(2)).Raw
	if n := strings.Count(few, "另见：<a href=\"https://example.org/a/480"); n != 2 || strings.Count(few, "晚报＜/a>") != 2 {
		t.Errorf("%d are named in:\n%s", n, few)
	}
	many := shows(t, reply(5)).Raw
	if strings.Contains(many, "另见") || strings.Count(many, "2026年3月1日") != 5 || strings.Count(many, sentence) != 5 {
		t.Errorf("other things went first:\n%s", many)
	}
}
