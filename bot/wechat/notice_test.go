package wechat_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"newsie/bot"
	"newsie/bot/wechat"
	"newsie/bot/wechat/wechattest"
)

// Whatever a digest is about, each field gets something that the platform
// takes (the fake refuses the rest), as much of it as fits.
func TestFieldsFitTheirKinds(t *testing.T) {
	fields := map[string]string{
		"thing1": "{title}", "thing2": "{topic}: {title}", "phrase3": "{topic}", "name4": "{topic}", "name5": "{name}", "number6": "{count}",
		"character_string7": "No. {count} {date}", "time8": "{date}", "date9": "{date}", "thing10": "{date}", "thing11": "{text}", "const12": "已更新",
	}
	content := ""
	for field := range fields {
		content += "{{" + field + ".DATA}} "
	}
	s := start(t, echo, service, func(_ *wechattest.Account, c *wechat.Config) {
		c.Notice, c.Once, c.Template.Fields = wechat.Form{}, wechat.Once{}, fields
	})
	s.AddTemplate(wechattest.Template{ID: templateID, Content: content})
	r := s.Follower("r1")
	n := 0
	fill := func(topic, title, text string) map[string]string {
		t.Helper()
		n = n%9 + 1
		receipt, err := s.channel.Send(t.Context(), bot.Outgoing{To: s.chat("r1"), Topic: topic, Articles: ids(n),
			Reply: bot.Reply{Lang: "zh-Hans", Text: text, Groups: []bot.Group{{Cards: []bot.Card{{Article: 1, Title: title}}}}}})
		if err != nil || receipt.Way != "template" {
			t.Fatalf("%q, %q: %+v, %v", topic, title, receipt, err)
		}
		phone := r.Phone()
		got := map[string]string{}
		for _, f := range phone[len(phone)-1].Fields {
			got[f.Name] = f.Value
		}
		return got
	}
	han := strings.Repeat("微店小程序商城", 30)
	for _, test := range []struct {
		name               string
		topic, title, text string
		want               map[string]string
	}{
		{"exactly as long as it may be", "电商", "一二三四五六七八九十一二三四五六七八九十", "你的精选", map[string]string{
			"thing1": "一二三四五六七八九十一二三四五六七八九十", "thing2": "电商: 一二三四五六七八九十一二三四五…", "phrase3": "电商", "name4": "电商", "name5": "The Lantern",
			"number6": "1", "character_string7": "No. 1 2026-11-22 09:00", "time8": "2026年11月22日 09:00", "date9": "2026年11月22日",
			"thing10": "2026年11月22日", "thing11": "你的精选", "const12": "已更新",
		}},
		{"one over", "一二三四五六", "一二三四五六七八九十一二三四五六七八九十一", "", map[string]string{
			"thing1": "一二三四五六七八九十一二三四五六七八九…", "phrase3": "一二三四五", "name4": "一二三四五六", "thing11": "新文章",
		}},
		{"far too long", han, han, han, map[string]string{"phrase3": "微店小程序", "name4": "微店小程序商城微店小", "thing1": "微店小程序商城微店小程序商城微店小程序…"}},
		{"emoji", "😀😀", "👨‍👩‍👧‍👦 family day 🎉🎉🎉🎉🎉🎉", "👍🏽", map[string]string{"phrase3": "新文章", "name4": "newsie", "thing1": "👨👩👧👦 family day…", "thing11": "👍🏽"}},
		{"nothing", "", "", "", map[string]string{"thing1": "新文章", "thing2": ":", "phrase3": "新文章", "name4": "newsie"}},
		{"Latin", "commerce and trade in the valley", "Weidian opens its\n  doors to\u200b everybody", "", map[string]string{
			"phrase3": "新文章", "name4": "commerce and trade i", "thing1": "Weidian opens its d…"}},
		{"both", "微店 news", "<b>&amp;\x00", "", map[string]string{"phrase3": "微店", "name4": "微店", "thing1": "<b>&amp;"}},
		{"accents", "é" + strings.Repeat("\u0301", 50), "a" + strings.Repeat("\u0301", 50), "", map[string]string{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := fill(test.topic, test.title, test.text)
			for field, value := range test.want {
				want(t, field, got[field], value)
			}
			for field, value := range got {
				if !utf8.ValidString(value) || strings.TrimSpace(value) == "" {
					t.Errorf("%s is %q", field, value)
				}
			}
		})
	}
	if problems := s.Problems(); len(problems) > 0 {
		t.Errorf("the platform complains: %q", problems)
	}
}

// The words of a one-time message are as many as it takes, and no title is cut off
// at the end.
func TestOneTimeMessagesFit(t *testing.T) {
	s := start(t, echo, onlyOnce)
	r := s.Follower("r1")
	long := strings.Repeat("茶", 90)
	for _, test := range []struct {
		name   string
		topic  string
		titles []string
		title  string
		lines  int
	}{
		{"short", "茶", []string{"a", "b"}, "茶", 3},
		{"long", strings.Repeat("茶", 16), []string{long, long, long, long, long, long}, strings.Repeat("茶", 14) + "…", 5},
		{"emoji", strings.Repeat("🍵", 15), slices.Repeat([]string{strings.Repeat("🍵", 60)}, 9), strings.Repeat("🍵", 7) + "…", 5},
		{"no words", "", []string{""}, "The Lantern", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			s.allowOnce(t, "r1", 1)
			var cards []bot.Card
			for _, title := range test.titles {
				cards = append(cards, bot.Card{Article: 1, Title: title})
			}
			receipt, err := s.channel.Send(t.Context(), bot.Outgoing{To: s.chat("r1"), Topic: test.topic,
				Reply: bot.Reply{Text: "Digest", Groups: []bot.Group{{Cards: cards}}}})
			if err != nil || receipt.Way != "once" {
				t.Fatalf("%+v, %v", receipt, err)
			}
			phone := r.Phone()
			b := phone[len(phone)-1]
			want(t, "title", b.Title, test.title)
			if lines := strings.Count(b.Text, "\n") + 1; lines != test.lines {
				t.Errorf("%d lines: %q", lines, b.Text)
			}
		})
	}
}

func TestWrongFormsAreNamed(t *testing.T) {
	good := func(fields map[string]string) wechat.Form { return wechat.Form{Template: noticeID, Fields: fields} }
	for _, test := range []struct {
		name string
		form wechat.Form
		want string // "": it is right
	}{
		{"none", wechat.Form{}, ""},
		{"all kinds", good(map[string]string{"thing1": "{name} {topic} {title} {count} {date} {text}", "time2": "{date}", "number3": "{count}", "phrase4": "已更新",
			"time5": "15:01", "date6": "2026年1月2日", "character_string7": "A-{count}", "letter8": "Daily", "amount9": "0元", "first": "{text}", "keyword1": "x", "remark": "x"}), ""},
		{"no template", wechat.Form{Fields: map[string]string{"thing1": "x"}}, "notice.template is missing"},
		{"a template that is none", wechat.Form{Template: "our news", Fields: map[string]string{"thing1": "x"}}, "notice.template \"our news\" is no template id"},
		{"no fields", good(nil), "notice.fields is missing"},
		{"an unknown field", good(map[string]string{"headline1": "x"}), "there is no field \"headline1\""},
		{"a field without number", good(map[string]string{"thing": "x"}), "there is no field \"thing\""},
		{"an unknown placeholder", good(map[string]string{"thing1": "{headline}"}), "there is no {headline}"},
		{"an empty field", good(map[string]string{"thing1": " "}), "is empty"},
		{"too long by one", good(map[string]string{"thing1": "一二三四五六七八九十一二三四五六七八九十一"}), "is too long"},
		{"words for a number", good(map[string]string{"number1": "many"}), "holds digits"},
		{"a title for a number", good(map[string]string{"number1": "{title}"}), "of the placeholders {count}"},
		{"a title for a word of the template's", good(map[string]string{"const1": "{title}"}), "and no {title}"},
		{"no time", good(map[string]string{"time1": "soon"}), "holds a time"},
		{"Latin for a phrase", good(map[string]string{"phrase1": "news"}), "Chinese characters"},
		{"Chinese for a number of characters", good(map[string]string{"character_string1": "新 {count}"}), "without Chinese"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var found []string
			for _, problem := range test.form.Check("notice", "template") {
				found = append(found, problem.Key+" "+problem.What)
			}
			switch {
			case test.want == "" && len(found) > 0, test.want != "" && len(found) != 1:
				t.Errorf("found %q, want %q", found, test.want)
			case test.want != "" && !strings.Contains(found[0], test.want):
				t.Errorf("found %q, want %q", found[0], test.want)
			}
		})
	}
	_, err := wechat.New(wechat.Config{Name: "wx", Once: wechat.Once{Template: onceID, Scenes: -1}})
	for _, part := range []string{"once: needs public_url", "once.scenes: -1 is none of 1 to 100"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not in %v", part, err)
		}
	}
}

func ids(n int) []int64 {
	var list []int64
	for id := range n {
		list = append(list, int64(id+1))
	}
	return list
}
