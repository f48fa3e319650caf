package story_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"newsie/content/story"
)

var day = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

const (
	floods = `The river rose by four metres during the night and broke through the old dam above the market town shortly before dawn.
Firefighters brought more than two hundred people to safety in boats, the mayor told reporters in front of the flooded school.
The railway to the coast is closed until further notice, and the motorway can be used in one direction only.
Meteorologists expect the rain to move east in the course of the day. The government in the capital promised help for farmers whose fields are under water, but gave no figure.
Last autumn a report had called the dam unsafe. The province had put off its repair twice, for lack of money, as the opposition recalled in a heated debate.
Schools stay closed until the end of the week. Volunteers who want to help are asked to call the town hall first, because the roads must remain free for the rescue services.`

	weather = `Weather for %s on Monday. In the morning fog in the valleys, which clears by noon; in the afternoon sunny spells and a light wind from the %s.
Highest temperature %d degrees, lowest temperature %d degrees, chance of rain %d per cent. The night stays clear, with ground frost in exposed places.
Air quality is good. Pollen: little birch, little ash. The sun rises at %d:42 and sets at 18:%d. The forecast is updated four times a day by the duty meteorologist.`

	shops = `腾讯在深圳举行的开发者大会上介绍了微信小店的新功能。商家今后可以在公众号文章里直接放置商品，读者不用离开对话就能付款。
公司表示，过去一年通过小店完成的交易额增长了一倍，其中超过一半来自三线以下城市。分析人士认为，此举将加剧与传统电商平台的竞争。
大会上还展示了面向海外品牌的入驻流程，意大利和法国的几家时装品牌已经签约。新功能将从下个月开始分批开放，首批名额面向有实体门店的商家。
监管部门此前要求社交平台公平对待外部链接。腾讯方面回应称，新功能遵守相关规定，并欢迎其他支付方式接入。`
)

func forecast(city, wind string, numbers ...any) string {
	return fmt.Sprintf(weather, append([]any{city, wind}, numbers...)...)
}

func TestSame(t *testing.T) {
	for _, test := range []struct {
		name string
		a, b story.Text
		want bool
	}{
		{"two feeds print one report",
			story.Text{Source: "a", Title: "River breaks dam", Body: floods}, story.Text{Source: "b", Title: "River breaks dam", Body: floods}, true},
		{"under headlines of their own",
			story.Text{Source: "a", Title: "River breaks dam", Body: floods}, story.Text{Source: "b", Title: "Hundreds flee after night of storms", Body: floods}, true},
		{"with a byline, a time and a closing line of their own",
			story.Text{Source: "a", Title: "River breaks dam", Body: "From our correspondent, 7:15. " + floods},
			story.Text{Source: "b", Title: "Dam broken by river", Body: "By Ada Neri, agency, 8:02. " + floods + " All rights reserved; do not copy without permission."}, true},
		{"one cuts the last paragraph",
			story.Text{Source: "a", Title: "River breaks dam", Body: floods},
			story.Text{Source: "b", Title: "River breaks dam", Body: floods[:strings.LastIndexByte(floods, '\n')]}, true},
		{"in capitals, with other quotation marks and spaces",
			story.Text{Source: "a", Title: "River breaks dam", Body: floods},
			story.Text{Source: "b", Title: "RIVER BREAKS DAM", Body: strings.ReplaceAll(strings.ToUpper(floods), " ", "  ")}, true},
		{"a figure was corrected",
			story.Text{Source: "a", Title: "River breaks dam", Body: floods + strings.Repeat(" On 5 May and 6 May the council met in room 7.", 1) + " It has 31 members and 9 committees."},
			story.Text{Source: "b", Title: "River breaks dam", Body: floods + strings.Repeat(" On 5 May and 6 May the council met in room 7.", 1) + " It has 32 members and 9 committees."}, true},
		{"a flash and the report that follows",
			story.Text{Source: "a", Title: "River breaks dam", Body: floods[:strings.IndexByte(floods, '\n')]}, story.Text{Source: "b", Title: "River breaks dam", Body: floods}, false},
		{"Chinese, with a line of the site's",
			story.Text{Source: "a", Title: "微信小店推出新功能", Body: shops}, story.Text{Source: "b", Title: "微信小店推出新功能", Body: shops + "本文由通讯社首发，经授权转载。"}, true},
		{"Chinese in the other script",
			story.Text{Source: "a", Title: "國家發展", Body: "國家發展網絡經濟，開發者與商家會在對話裡說話。"},
			story.Text{Source: "b", Title: "国家发展", Body: "国家发展网络经济，开发者与商家会在对话里说话。"}, true},
		{"Chinese with other figures",
			story.Text{Source: "a", Title: "今日金价", Body: "今日上海黄金交易所足金报价为每克580元，较昨日上涨3元；铂金报价为每克231元，较昨日下跌2元。投资金条每克592元。以上价格仅供参考。"},
			story.Text{Source: "b", Title: "今日金价", Body: "今日上海黄金交易所足金报价为每克577元，较昨日上涨1元；铂金报价为每克229元，较昨日下跌4元。投资金条每克588元。以上价格仅供参考。"}, false},
		{"the weather of two days",
			story.Text{Source: "a", Title: "The weather", Body: forecast("Rome", "north", 17, 4, 10, 6, 11)},
			story.Text{Source: "b", Title: "The weather", Body: forecast("Rome", "north", 21, 8, 30, 6, 13)}, false},
		{"the weather of two cities",
			story.Text{Source: "a", Title: "The weather in Rome", Body: strings.Repeat(forecast("Rome", "Apennines", 17, 4, 10, 6, 11)+"\n", 2)},
			story.Text{Source: "b", Title: "The weather in Milan", Body: strings.Repeat(forecast("Milan", "Alps", 17, 4, 10, 6, 11)+"\n", 2)}, false},
		{"two articles of a law",
			story.Text{Source: "a", Title: "Article 17", Body: "Whoever offers goods for sale shall state their price, including taxes, in a form that everybody can read."},
			story.Text{Source: "b", Title: "Article 18", Body: "Whoever offers goods for sale shall state their price, including taxes, in a form that everybody can read."}, false},
		{"a form of one source filled in twice",
			story.Text{Source: "a", Title: "Opening hours", Body: floods + " The office in Rome is open."}, story.Text{Source: "a", Title: "Opening hours", Body: floods + " The office in Milan is open."}, false},
		{"one source brings it twice",
			story.Text{Source: "a", Title: "River breaks dam", Body: floods, At: day}, story.Text{Source: "a", Title: "River breaks dam", Body: floods, At: day.Add(time.Hour)}, true},
		{"one source brings it every month",
			story.Text{Source: "a", Title: "Reminder", Body: floods, At: day}, story.Text{Source: "a", Title: "Reminder", Body: floods, At: day.AddDate(0, 1, 0)}, false},
		{"a notice that two sources have on other days",
			story.Text{Source: "a", Title: "No paper today", Body: "There is no paper today because of the holiday.", At: day},
			story.Text{Source: "b", Title: "No paper today", Body: "There is no paper today because of the holiday.", At: day.AddDate(0, 0, 9)}, false},
		{"what stands in place of articles",
			story.Text{Source: "a", Title: "River breaks dam", Body: "To read this article, subscribe or log in. Subscribers read everything, without advertising."},
			story.Text{Source: "b", Title: "Bank raises rates", Body: "To read this article, subscribe or log in. Subscribers read everything, without advertising."}, false},
		{"titles alone", story.Text{Source: "a", Title: "Photo of the day"}, story.Text{Source: "b", Title: "Photo of the day"}, false},
		{"nothing in common", story.Text{Source: "a", Title: "River breaks dam", Body: floods}, story.Text{Source: "b", Title: "微信小店", Body: shops}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := story.Same(test.a, test.b); got != test.want {
				t.Errorf("got %v", got)
			}
			if got := story.Same(test.b, test.a); got != test.want {
				t.Errorf("the other way round: got %v", got)
			}
			if p, q := story.Of(test.a), story.Of(test.b); test.want && !(p.Near(q) && shared(p, q)) {
				t.Errorf("the prints %x and %x do not lead from one to the other", p, q)
			}
		})
	}
}

func shared(p, q story.Print) bool {
	a, b := p.Keys(), q.Keys()
	for i := range a {
		if a[i] == b[i] {
			return true
		}
	}
	return false
}

// What the prints leave to be compared is little, and all that is the same.
func TestPrintsLeadFromVersionToVersion(t *testing.T) {
	words := strings.Fields(floods)
	base := story.Of(story.Text{Title: "River breaks dam", Body: floods})
	missed := 0
	for i := range words {
		changed := strings.Join(words[:i], " ") + " yesterday " + strings.Join(words[i+1:], " ")
		p := story.Of(story.Text{Title: "Another headline for it", Body: changed})
		if !p.Near(base) || !shared(p, base) {
			missed++
		}
	}
	if missed > len(words)/50 {
		t.Errorf("%d of %d versions were missed", missed, len(words))
	}
	for _, other := range []string{shops, forecast("Rome", "north", 1, 2, 3, 4, 5), strings.Repeat("The committee of the council met in the room of the town hall. ", 8)} {
		if story.Of(story.Text{Body: other}).Near(base) {
			t.Errorf("an unrelated text is near: %.40s", other)
		}
	}
	if !story.Of(story.Text{Title: "Only a title"}).None() || base.None() {
		t.Error("a print of nothing, or none of a text")
	}
}
