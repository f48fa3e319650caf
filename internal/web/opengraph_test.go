package web_test

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/PuerkitoBio/goquery"
	"github.com/chromedp/chromedp"

	"newsie/bot"
	"newsie/content"
	"newsie/internal/browsertest"
	"newsie/internal/web"
)

// crawl reads a page as Telegram's crawler does, and as Twitter's, whose name it
// also gives: the head alone, no languages, no redirects, and HEAD first.
func crawl(t *testing.T, h http.Handler, path string, status int) map[string]string {
	t.Helper()
	ask := func(method string) *http.Response {
		r := httptest.NewRequest(method, path, nil)
		r.Header.Set("User-Agent", "TelegramBot (like TwitterBot)")
		r.Header.Set("Accept", "text/html")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != status {
			t.Fatalf("%s %s: status %d, want %d", method, path, w.Code, status)
		}
		return w.Result()
	}
	head, r := ask(http.MethodHead), ask(http.MethodGet)
	if kind := head.Header.Get("Content-Type"); kind != "text/html; charset=utf-8" || kind != r.Header.Get("Content-Type") {
		t.Errorf("%s: type %q", path, kind)
	}
	if body, _ := io.ReadAll(head.Body); len(body) > 0 {
		t.Errorf("HEAD %s has a body", path)
	}
	html, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	// What previews need comes first, however long the page is.
	html, _, _ = bytes.Cut(html, []byte("</head>"))
	html = html[:min(len(html), 6<<10)]
	d, err := goquery.NewDocumentFromReader(bytes.NewReader(html))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{"lang": attr(d, "html", "lang")}
	d.Find("meta[property], meta[name]").Each(func(_ int, m *goquery.Selection) {
		name, open := m.Attr("property")
		if !open {
			name, _ = m.Attr("name")
		}
		if strings.HasPrefix(name, "og:") != open && !strings.HasPrefix(name, "article:") {
			t.Errorf("%s: %s is in the wrong attribute", path, name)
		}
		if found[name] != "" && name != "article:tag" && name != "theme-color" {
			t.Errorf("%s: %s twice", path, name)
		}
		found[name] = m.AttrOr("content", "")
	})
	return found
}

func picture(t testing.TB, width, height int) content.Figure {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, width, height))); err != nil {
		t.Fatal(err)
	}
	return content.Figure{Type: "image/png", Data: b.Bytes()}
}

func TestPreviewsInEveryLanguage(t *testing.T) {
	long := strings.Repeat("x", 400)
	library := &shelf{pictures: map[string]content.Figure{"large.png": picture(t, 1600, 900), "small.png": picture(t, 320, 200), "drawing.svg": {Type: "image/svg+xml", Data: []byte("<svg/>")}}}
	for i, a := range []content.Article{
		{Lang: "zh-Hans", Title: "微店的“二维码”", Slug: "微店的二维码", Author: "李明", Summary: "小店用二维码找到读者。", Cover: "/media/large.png", Tags: []string{"电商"}},
		{Lang: "zh-Hant", Title: "巷口的團購", Slug: "巷口的團購", Author: "陳嶼", Summary: "鄰居們只相信團媽。"},
		{Lang: "en", Title: `"Tom" & <Jerry>'s 👩🏽‍🍳 {{.}}`, Slug: "tom", Author: `A "B" <c>`, Summary: "Line one.\n\nLine\ttwo   & <b>more</b>.", Cover: "/media/small.png"},
		{Lang: "it", Title: "L’oste dell’«isola»", Slug: "oste", Summary: strings.Repeat("Una frase lunga quanto basta. ", 20), Cover: "https://img.example.net/a.jpg?x=1&y=2"},
		{Lang: "ja", Title: "小さな店のQRコード", Slug: "小さな店", Summary: strings.Repeat("小さな店の物語。", 60), Cover: "/media/drawing.svg"},
		{Lang: "ko", Title: "작은 가게", Slug: "작은-가게", Summary: strings.Repeat("가", 400), Cover: "/media/missing.png"},
		{Lang: "ru", Title: "Маленький магазин", Slug: "магазин", Body: []content.Block{{Kind: content.Heading, Text: "Глава"}, {Kind: content.Paragraph, Text: "Первый абзац."}}, Cover: "javascript:alert(1)"},
		{Lang: "he", Title: "שלום \u202eעולם", Slug: "x", Summary: "\u202eשלום\u202c עולם"},
		{Title: long, Slug: "y", Summary: long},
	} {
		a.ID, a.State, a.Published, a.Added = int64(i+1), content.Published, day(i+1), day(i+1)
		if a.Lang == "ru" {
			a.URL, a.Published = "https://publisher.example/ru", time.Time{}
		}
		library.articles = append(library.articles, a)
	}
	h := open(t, library)
	none := func(card string) map[string]string {
		return map[string]string{"og:image": "", "og:image:width": "", "og:image:type": "", "twitter:card": card}
	}
	for i, want := range []map[string]string{
		{"lang": "zh-Hans", "og:title": "微店的“二维码”", "og:description": "小店用二维码找到读者。", "og:locale": "zh_CN", "article:author": "李明", "article:tag": "电商", "article:published_time": "2026-03-01T08:00:00Z",
			"og:image": "https://paper.example/media/large.png?cover=1200x630", "og:image:width": "1200", "og:image:height": "630", "og:image:type": "image/jpeg", "og:image:alt": "微店的“二维码”", "twitter:card": "summary_large_image",
			"og:type": "article", "og:site_name": "The Paper", "og:url": "https://paper.example/a/1/%E5%BE%AE%E5%BA%97%E7%9A%84%E4%BA%8C%E7%BB%B4%E7%A0%81"},
		{"lang": "zh-Hant", "og:title": "巷口的團購", "og:description": "鄰居們只相信團媽。", "og:locale": "zh_TW", "og:image": "", "twitter:card": "summary"},
		{"lang": "en", "og:title": `"Tom" & <Jerry>'s 👩🏽‍🍳 {{.}}`, "og:description": "Line one. Line two & <b>more</b>.", "article:author": `A "B" <c>`, "og:locale": "en_US",
			"og:image": "https://paper.example/media/small.png", "og:image:width": "320", "og:image:height": "200", "og:image:type": "image/png", "twitter:card": "summary"},
		{"lang": "it", "og:title": "L’oste dell’«isola»", "og:description": strings.TrimSpace(strings.Repeat("Una frase lunga quanto basta. ", 9)), "og:locale": "it_IT",
			"og:image": "https://img.example.net/a.jpg?x=1&y=2", "og:image:width": "", "twitter:card": "summary_large_image", "article:author": ""},
		{"lang": "ja", "og:title": "小さな店のQRコード", "og:description": strings.Repeat("小さな店の物語。", 34), "og:locale": "ja_JP"},
		{"lang": "ko", "og:title": "작은 가게", "og:description": strings.Repeat("가", 279) + "…", "og:locale": "ko_KR"},
		{"lang": "ru", "og:title": "Маленький магазин", "og:description": "Первый абзац.", "og:locale": "ru_RU", "og:url": "https://publisher.example/ru", "article:published_time": ""},
		{"lang": "he", "og:description": "שלום עולם", "og:locale": "he_IL"},
		{"lang": "und", "og:title": long, "og:description": strings.Repeat("x", 279) + "…", "og:locale": ""},
	} {
		a := library.articles[i]
		address := bot.PagePath("https://paper.example", a)
		got := crawl(t, h, strings.TrimPrefix(address, "https://paper.example"), http.StatusOK)
		if i >= 4 {
			for name, value := range none("summary") {
				want[name] = value
			}
		}
		for name, value := range want {
			if got[name] != value {
				t.Errorf("%s: %s is %q, want %q", a.Title, name, got[name], value)
			}
		}
		if n := utf8.RuneCountInString(got["og:description"]); n > 280 {
			t.Errorf("%s: a description of %d characters", a.Title, n)
		}
		if a.URL == "" && got["og:url"] != address {
			t.Errorf("the bot links %s, which calls itself %s", address, got["og:url"])
		}
		if image := got["og:image"]; strings.HasPrefix(image, "https://paper.example/") {
			wantKind := got["og:image:type"]
			r := get(t, h, strings.TrimPrefix(image, "https://paper.example"), "User-Agent", "TelegramBot (like TwitterBot)")
			config, _, err := decode(text(t, r, http.StatusOK))
			if err != nil || r.Header.Get("Content-Type") != wantKind || fmt.Sprint(config.Width) != got["og:image:width"] || fmt.Sprint(config.Height) != got["og:image:height"] {
				t.Errorf("%s: %s of %dx%d, %v", image, r.Header.Get("Content-Type"), config.Width, config.Height, err)
			}
		}
	}
}

func decode(data string) (image.Config, string, error) {
	return image.DecodeConfig(strings.NewReader(data))
}

func TestPreviewsOfLists(t *testing.T) {
	h := open(t, stock())
	for path, want := range map[string]map[string]string{
		"/":             {"og:type": "website", "og:title": "The Paper", "og:url": "https://paper.example/", "og:site_name": "The Paper", "og:locale": "en_US", "twitter:card": "summary", "og:description": "微店的二维码 · QR codes on the shelf · Older news"},
		"/tag/commerce": {"og:type": "website", "og:title": "commerce – The Paper", "og:url": "https://paper.example/tag/commerce", "og:description": "QR codes on the shelf"},
	} {
		got := crawl(t, h, path, http.StatusOK)
		for name, value := range want {
			if got[name] != value {
				t.Errorf("%s: %s is %q, want %q", path, name, got[name], value)
			}
		}
	}
	if r := get(t, h, "/feed.xml", "User-Agent", "TelegramBot (like TwitterBot)"); r.StatusCode != http.StatusOK || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/atom+xml") {
		t.Errorf("the feed: %d %s", r.StatusCode, r.Header.Get("Content-Type"))
	}
	if got := crawl(t, open(t, &shelf{}), "/", http.StatusOK); got["og:title"] != "The Paper" || got["og:description"] != "" {
		t.Errorf("an empty library: %v", got)
	}
}

// What is not there, or no more, has no preview, so that the apps forget theirs.
func TestNoPreviewOfWhatIsGone(t *testing.T) {
	h := open(t, stock())
	for path, status := range map[string]int{"/a/7/gone": http.StatusGone, "/a/8/tomorrow": http.StatusNotFound, "/a/99": http.StatusNotFound, "/nowhere": http.StatusNotFound} {
		got := crawl(t, h, path, status)
		for name := range got {
			if strings.HasPrefix(name, "og:") || strings.HasPrefix(name, "twitter:") || strings.HasPrefix(name, "article:") {
				t.Errorf("%s says %s = %q", path, name, got[name])
			}
		}
		if got["robots"] != "noindex" {
			t.Errorf("%s: robots %q", path, got["robots"])
		}
	}
}

func TestPreviewsInTheDOM(t *testing.T) {
	tab := browsertest.Start(t, "preview", "/nowhere")
	library := stock()
	library.pictures["aa.png"] = content.Figure{Type: "image/png", Data: browsertest.Picture()}
	library.pictures["bb.png"] = library.pictures["aa.png"]
	library.articles[1].Title = `A "title" & <more> 👩🏽‍🍳`
	server := httptest.NewServer(open(t, library, func(c *web.Config) { c.PublicURL = "http://paper.example" }))
	t.Cleanup(server.Close)
	tab.Do("open", chromedp.Navigate(server.URL+"/a/3/qr-codes"))
	read := func(selector string) string {
		return browsertest.Read[string](tab, fmt.Sprintf(`(document.head.querySelector(%q) || {content: "none"}).content`, selector))
	}
	for selector, want := range map[string]string{
		`meta[property="og:title"]`: `A "title" & <more> 👩🏽‍🍳`, `meta[property="og:image"]`: "http://paper.example/media/aa.png?cover=1200x630",
		`meta[property="og:image:width"]`: "1200", `meta[name="twitter:card"]`: "summary_large_image", `meta[property="article:author"]`: "Ada Byron",
	} {
		if got := read(selector); got != want {
			t.Errorf("%s = %q, want %q", selector, got, want)
		}
	}
	if lang := browsertest.Read[string](tab, `document.documentElement.lang`); lang != "en" {
		t.Errorf("lang %q", lang)
	}
	// The picture loads in the size that is told.
	src := strings.Replace(read(`meta[property="og:image"]`), "http://paper.example", "", 1)
	tab.Do("load", browsertest.Run(fmt.Sprintf(`document.body.append(Object.assign(new Image(), {id: "preview", src: %q}))`, src)),
		browsertest.Until(`document.getElementById("preview").naturalWidth === 1200 && document.getElementById("preview").naturalHeight === 630`))
}
