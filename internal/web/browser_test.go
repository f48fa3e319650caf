package web_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"newsie/content"
	"newsie/internal/browsertest"
	"newsie/internal/web"
)

func TestPagesInABrowser(t *testing.T) {
	tab := browsertest.Start(t, "page", "/nowhere")
	library := stock()
	library.pictures["aa.png"] = content.Figure{Type: "image/png", Data: browsertest.Picture()}
	library.pictures["bb.png"] = library.pictures["aa.png"]
	en, zh := &library.articles[1], &library.articles[0]
	for range 2 {
		en.Body = append(en.Body, content.Block{Kind: content.Paragraph, Text: "The square on the shelf label ties the shelf to the chat. Shops that tried it report that one scan in five becomes a question, and one question in three a sale; what surprised them was that the questions came at night, when nobody was in the shop."})
	}
	zh.Cover = "/media/aa.png"
	zh.Summary = "社区里的小店用微店接单，邻居在群里下单，傍晚取货。"
	zh.Body = []content.Block{
		{Kind: content.Paragraph, Text: "社区里的小店用微店接单，邻居在群里下单，傍晚取货。老板娘说，最忙的不是白天，而是晚上九点以后：孩子睡了，大家才有空看手机。"},
		{Kind: content.Heading, Level: 2, Text: "从一张二维码开始"},
		{Kind: content.Paragraph, Text: strings.Repeat("货架上贴一张小小的二维码，顾客扫一扫，就能问到产地、做法和明天的价格。", 3)},
		{Kind: content.Quote, Text: "“以前是我等客人，现在是客人等我。”"},
		{Kind: content.Paragraph, Text: strings.Repeat("电商不再只是大平台的生意，也可以是巷口的一盏灯。", 4)},
	}
	server := httptest.NewServer(open(t, library, func(c *web.Config) {
		c.Chat, c.Doors = "/chat/demo/", []web.Door{webDoor(), telegramDoor(), wechatDoor("okf7x_a4")}
	}))
	t.Cleanup(server.Close)
	for _, size := range []struct {
		name          string
		width, height int64
	}{{"phone", 375, 812}, {"desktop", 1280, 800}} {
		for _, scheme := range []string{"light", "dark"} {
			for name, path := range map[string]string{"article-en": "/a/3/qr-codes", "article-zh": "/a/4/微店的二维码", "article-with": "/a/3/qr-codes?with=4.2", "home": "/", "origin": "/o/kf7x", "origin-article": "/o/kf7x/4?lang=zh", "missing": "/nowhere"} {
				if name == "missing" && scheme == "dark" {
					continue
				}
				name = fmt.Sprintf("page-%s-%s-%s", name, size.name, scheme)
				tab.Do(name, browsertest.Look(size.width, size.height, scheme), chromedp.Navigate(server.URL+path))
				tab.Shoot(name)
				if browsertest.Read[bool](tab, `document.documentElement.scrollWidth > innerWidth`) {
					t.Errorf("%s: the page is wider than the window", name)
				}
				if strings.HasPrefix(name, "page-article") {
					tab.Do(name, browsertest.Until(`[...document.images].every(i => i.loading === 'lazy' || i.complete && i.naturalWidth > 0)`))
					tab.Do(name, browsertest.Run(`scrollTo(0, document.body.scrollHeight * 0.55)`))
					tab.Shoot(name + "-below")
				}
			}
		}
	}
	// The measure: about 34 em on a wide screen.
	tab.Do("measure", browsertest.Look(1280, 800, "light"), chromedp.Navigate(server.URL+"/a/3/qr-codes"))
	if em := browsertest.Read[float64](tab, `(() => { const b = document.querySelector('.body'); return b.clientWidth / parseFloat(getComputedStyle(b).fontSize); })()`); em < 28 || em > 38 {
		t.Errorf("lines are %.1f em long", em)
	}
}
