package wechat_test

import (
	"fmt"
	"strings"
	"testing"

	"newsie/bot"
	"newsie/bot/wechat"
	"newsie/bot/wechat/wechattest"
)

const countedBase = "https://example.org/r/AFRGejuoeYkCHBrYkdADOfKI"

// counting has each card and link of a reply count.
func counting(r bot.Reply) bot.Reply {
	for i := range r.Groups {
		for j := range r.Groups[i].Cards {
			card := &r.Groups[i].Cards[j]
			card.Counted = fmt.Sprint(countedBase, card.Article)
		}
	}
	for i, a := range r.Actions {
		if a.URL != "" {
			r.Actions[i].Counted = countedBase + "4711"
		}
	}
	return r
}

func TestACardThatIsTappedIsCounted(t *testing.T) {
	for name, test := range map[string]struct {
		reply  bot.Reply
		public string
		want   string
	}{
		"the only one":          {found(bot.Clear, 1), "https://example.org", countedBase + "4711"},
		"one of several":        {found(bot.Clear, 3), "https://example.org/", countedBase + "4711?with=4712.4713"},
		"that the app refuses":  {found(bot.Clear, 1), "https://example.org", "https://example.org/a/4711/weidian"},
		"without pages of ours": {found(bot.Clear, 1), "", countedBase + "4711"},
		"one of twelve":         {found(bot.Clear, 12), "https://example.org", countedBase + "4711?with=4712.4713.4714.4715.4716.4717.4718.4719"},
	} {
		t.Run(name, func(t *testing.T) {
			reply := counting(test.reply)
			if name == "that the app refuses" {
				reply.Groups[0].Cards[0].Counted = "weixin://x"
			}
			b := shows(t, reply, answers(wechat.Auto, test.public))
			if len(b.News) != 1 || b.News[0].URL != test.want {
				t.Errorf("it leads to %+v, want %s", b.News, test.want)
			}
		})
	}
}

func TestATextIsCountedWithinItsBudget(t *testing.T) {
	for _, n := range []int{1, 5, 12} {
		plain, counted := shows(t, found(bot.OneOfMany, n)), shows(t, counting(found(bot.OneOfMany, n)))
		if len(counted.Raw) > wechat.Budget {
			t.Errorf("%d cards: %d bytes of at most %d", n, len(counted.Raw), wechat.Budget)
		}
		if !strings.Contains(counted.Raw, `<a href="`+countedBase+`4711">`) || strings.Contains(counted.Raw, "https://example.org/a/") || strings.Contains(counted.Text, "/r/") {
			t.Errorf("%d cards:\n%s", n, counted.Raw)
		}
		if n == 1 && plain.Text != counted.Text {
			t.Errorf("another text:\n%s\n%s", plain.Text, counted.Text)
		}
	}
}

func TestANoticeIsCounted(t *testing.T) {
	s := start(t, echo, service, func(_ *wechattest.Account, c *wechat.Config) {
		c.Notice, c.Once, c.PublicURL = wechat.Form{}, wechat.Once{}, "https://example.org"
		c.Template.Fields = map[string]string{"thing1": "{title}"}
	})
	s.AddTemplate(wechattest.Template{ID: templateID, Content: "{{thing1.DATA}}"})
	r := s.Follower("r1")
	for _, test := range []struct {
		counted string
		ids     []int64
		want    string
	}{
		{countedBase + "7", []int64{7, 8, 9}, countedBase + "7?with=8.9"},
		{countedBase + "7", []int64{7}, countedBase + "7"},
		{"", []int64{7, 8, 9}, "https://example.org/a/7?with=8.9"},
	} {
		reply := bot.Reply{Lang: "zh-Hans", Text: "你的精选", Groups: []bot.Group{{Cards: []bot.Card{{Article: 7, Title: "茶", URL: "https://original.example.net/7", Counted: test.counted}}}}}
		if receipt, err := s.channel.Send(t.Context(), bot.Outgoing{To: s.chat("r1"), Topic: "茶", Articles: test.ids, Reply: reply}); err != nil || receipt.Way != "template" {
			t.Fatalf("%+v, %v", receipt, err)
		}
		phone := r.Phone()
		if got := phone[len(phone)-1].URL; got != test.want {
			t.Errorf("it leads to %s, want %s", got, test.want)
		}
	}
}
