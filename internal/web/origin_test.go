package web_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"net/http"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"newsie/bot"
	"newsie/internal/locale"
	"newsie/internal/web"
)

const (
	inWeChat   = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.49(0x18003137) NetType/WIFI Language/zh_CN"
	inTelegram = "Mozilla/5.0 (Linux; Android 14; SM-S911B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Mobile Safari/537.36 Telegram-Android/10.14.5 (Samsung SM-S911B; Android 14; SDK 34; HIGH)"
	onAPhone   = browser
	onADesktop = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
	aPreview   = "TelegramBot (like TwitterBot)"
)

func telegramDoor() web.Door {
	return web.Door{Kind: "telegram", Channel: "tg", Link: func(payload string) string { return "https://t.me/paper_bot?start=" + payload }}
}

// wechatDoor has codes for some payloads.
func wechatDoor(codes ...string) web.Door {
	return web.Door{Kind: "wechat", Channel: "gzh", Name: "灯塔周刊", Code: func(_ context.Context, payload string) (string, bool, error) {
		for _, code := range codes {
			if code == payload {
				return "http://weixin.qq.com/q/" + code, true, nil
			}
		}
		return "", false, nil
	}}
}

func webDoor() web.Door { return web.Door{Kind: "webchat", Channel: "web"} }

func through(doors ...web.Door) func(*web.Config) {
	return func(c *web.Config) { c.Doors = doors }
}

func TestAnOriginLeadsStraightWhereThereIsNoChoice(t *testing.T) {
	closed := web.Door{Kind: "telegram", Channel: "new", Link: func(string) string { return "" }}
	hostile := web.Door{Kind: "telegram", Channel: "x", Link: func(string) string { return "javascript:alert(1)" }}
	for _, tt := range []struct {
		name, agent, path, to string // "": the page
		doors                 []web.Door
	}{
		{"Telegram alone", onAPhone, "/o/kf7x", "https://t.me/paper_bot?start=okf7x", []web.Door{telegramDoor()}},
		{"a slash at the end", onAPhone, "/o/kf7x/", "https://t.me/paper_bot?start=okf7x", []web.Door{telegramDoor()}},
		{"a slash after an article", onAPhone, "/o/kf7x/3/", "https://t.me/paper_bot?start=okf7x_a3", []web.Door{telegramDoor()}},
		{"with an article", onADesktop, "/o/kf7x/3", "https://t.me/paper_bot?start=okf7x_a3", []web.Door{telegramDoor()}},
		{"the browser chat alone", inWeChat, "/o/kf7x/3", "/chat/web/?start=okf7x_a3", []web.Door{webDoor()}},
		{"an article that is not public", onAPhone, "/o/kf7x/8", "/chat/web/?start=okf7x", []web.Door{webDoor()}},
		{"an article that is none", onAPhone, "/o/kf7x/99", "/chat/web/?start=okf7x", []web.Door{webDoor()}},
		{"no number", onAPhone, "/o/kf7x/x", "/chat/web/?start=okf7x", []web.Door{webDoor()}},
		{"a number too large", onAPhone, "/o/kf7x/99999999999999999999", "/chat/web/?start=okf7x", []web.Door{webDoor()}},
		{"a damaged code", onAPhone, "/o/kf7x%E3%80%82/3", "/chat/web/?start=o-_a3", []web.Door{webDoor()}},
		{"a code too long", onAPhone, "/o/" + strings.Repeat("x", 33), "/chat/web/?start=o-", []web.Door{webDoor()}},
		{"what the request wants", onAPhone, "/o/kf7x?start=evil&url=https://evil.example", "/chat/web/?start=okf7x", []web.Door{webDoor()}},
		{"Telegram's browser of several", inTelegram, "/o/kf7x", "https://t.me/paper_bot?start=okf7x", []web.Door{webDoor(), telegramDoor(), wechatDoor()}},
		{"a phone of several", onAPhone, "/o/kf7x", "", []web.Door{webDoor(), telegramDoor()}},
		{"a desktop of several", onADesktop, "/o/kf7x", "", []web.Door{webDoor(), telegramDoor()}},
		{"WeChat's browser of several", inWeChat, "/o/kf7x", "", []web.Door{webDoor(), telegramDoor(), wechatDoor()}},
		{"WeChat alone, which no address opens", inWeChat, "/o/kf7x", "", []web.Door{wechatDoor("okf7x")}},
		{"two bots", inTelegram, "/o/kf7x", "", []web.Door{telegramDoor(), telegramDoor()}},
		{"a bot whose name is not known yet", onAPhone, "/o/kf7x", "", []web.Door{closed}},
		{"a bot with a strange address", onAPhone, "/o/kf7x", "", []web.Door{hostile}},
		{"a preview", aPreview, "/o/kf7x", "", []web.Door{telegramDoor()}},
		{"nothing", onAPhone, "/o/kf7x", "", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := open(t, stock(), through(tt.doors...))
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				got := ask(h, method, tt.path, "User-Agent", tt.agent)
				status := http.StatusFound
				if tt.to == "" {
					status = http.StatusOK
				}
				if got.StatusCode != status || got.Header.Get("Location") != tt.to {
					t.Errorf("%s answers %d and leads to %q, want %q", method, got.StatusCode, got.Header.Get("Location"), tt.to)
				}
				if robots, vary := got.Header.Get("X-Robots-Tag"), strings.Join(got.Header.Values("Vary"), ", "); robots != "noindex" || !strings.Contains(vary, "User-Agent") {
					t.Errorf("%s: X-Robots-Tag %q, Vary %q", method, robots, vary)
				}
			}
		})
	}
}

// Nobody learns from the page which codes there are.
func TestEveryCodesPageIsTheSame(t *testing.T) {
	h := open(t, stock(), through(webDoor(), telegramDoor(), wechatDoor("oreal")))
	of := func(code string) string {
		return strings.ReplaceAll(text(t, ask(h, http.MethodGet, "/o/"+code, "User-Agent", onAPhone), http.StatusOK), code, "CODE")
	}
	if of("unknown") != of("closed") {
		t.Error("codes differ by more than themselves")
	}
	// Only a picture that was made for a code shows.
	if !strings.Contains(of("real"), "?qr=gzh") {
		t.Errorf("no picture:\n%s", of("real"))
	}
	for code, want := range map[string]string{"a_b": "o-", "-": "o-", "%20": "o-", "kf7x": "okf7x", "A-1": "oA-1"} {
		if got := attr(page(t, ask(h, http.MethodGet, "/o/"+code, "User-Agent", onAPhone)), ".telegram a", "href"); got != "https://t.me/paper_bot?start="+want {
			t.Errorf("%s leads to %s", code, got)
		}
		if p, ok := bot.ParsePayload(want); !ok || p.Origin == "" {
			t.Errorf("the bot does not read %s", want)
		}
	}
	chatty := open(t, stock(), through(webDoor(), telegramDoor()), func(c *web.Config) { c.Chat = "/chat/web/" })
	for _, a := range page(t, ask(chatty, http.MethodGet, "/o/kf7x")).Find("a[href^='/chat/']").EachIter() {
		if to, _ := a.Attr("href"); to != "/chat/web/?start=okf7x" {
			t.Errorf("a link leads past the code to %s", to)
		}
	}
	for _, path := range []string{"/o/", "/o", "/o/a/3/x", "/o/a/3/x/"} {
		if got := ask(h, http.MethodGet, path, "User-Agent", onAPhone); got.StatusCode != http.StatusNotFound {
			t.Errorf("%s answers %d", path, got.StatusCode)
		}
	}
}

func TestAnOriginShowsHowInEveryApp(t *testing.T) {
	shows := func(t *testing.T, agent string, codes ...string) string {
		t.Helper()
		h := open(t, stock(), through(webDoor(), telegramDoor(), wechatDoor(codes...)))
		d := page(t, ask(h, http.MethodGet, "/o/kf7x/3", "User-Agent", agent, "Accept-Language", "en"))
		if got := d.Find(".teaser h2").Text(); got != "QR codes on the shelf" {
			t.Errorf("the article is %q", got)
		}
		var order []string
		for _, door := range d.Find(".door").EachIter() {
			class, _ := door.Attr("class")
			order = append(order, strings.TrimPrefix(class, "door "))
		}
		how := d.Find(".wechat p").Text()
		if src := attr(d, ".qr", "src"); (src != "") != (len(codes) > 0) || src != "" && src != "/o/kf7x/3?qr=gzh" {
			t.Errorf("the picture is at %q", src)
		}
		return fmt.Sprint(order, " ", how)
	}
	for _, tt := range []struct{ agent, with, without string }{
		{inWeChat, "[wechat webchat telegram] Press and hold", "[wechat webchat telegram] In WeChat, search for the official account “灯塔周刊”"},
		{onAPhone, "[telegram wechat webchat] Keep a picture", "[telegram wechat webchat] In WeChat, search"},
		{onADesktop, "[telegram wechat webchat] Scan the code", "[telegram wechat webchat] In WeChat, search"},
	} {
		if got := shows(t, tt.agent, "okf7x_a3"); !strings.HasPrefix(got, tt.with) || strings.Contains(got, "/start") {
			t.Errorf("with a code: %s", got)
		}
		if got := shows(t, tt.agent, "okf7x"); !strings.HasPrefix(got, tt.with) {
			t.Errorf("with a code of the origin alone: %s", got)
		}
		if got := shows(t, tt.agent); !strings.HasPrefix(got, tt.without) || !strings.HasSuffix(got, "Then send it: /start okf7x_a3") {
			t.Errorf("without a code: %s", got)
		}
	}
}

func TestTwoBotsAreToldApart(t *testing.T) {
	other := telegramDoor()
	other.Channel = "tg-it"
	h := open(t, stock(), through(telegramDoor(), other, webDoor()))
	if got := page(t, ask(h, http.MethodGet, "/o/kf7x")).Find(".who").Text(); got != "tgtg-it" {
		t.Errorf("they are called %q", got)
	}
}

// What the picture says is read by another program's reader.
func TestTheCodesPictureCanBeRead(t *testing.T) {
	h := open(t, stock(), through(wechatDoor("okf7x"), telegramDoor()))
	for _, path := range []string{"/o/kf7x?qr=gzh", "/o/kf7x/3?qr=gzh"} {
		got := ask(h, http.MethodGet, path, "User-Agent", inWeChat)
		data := text(t, got, http.StatusOK)
		picture, _, err := image.Decode(bytes.NewReader([]byte(data)))
		if err != nil || got.Header.Get("Content-Type") != "image/png" || picture.Bounds().Dx() < 400 {
			t.Fatalf("%s: %v, %s", path, err, got.Header.Get("Content-Type"))
		}
		bitmap, err := gozxing.NewBinaryBitmapFromImage(picture)
		if err != nil {
			t.Fatal(err)
		}
		read, err := qrcode.NewQRCodeReader().Decode(bitmap, nil)
		if err != nil || read.GetText() != "http://weixin.qq.com/q/okf7x" {
			t.Errorf("%s: it says %v, %v", path, read, err)
		}
	}
	for _, path := range []string{"/o/other?qr=gzh", "/o/kf7x?qr=tg", "/o/kf7x?qr=nobody"} {
		if got := ask(h, http.MethodGet, path, "User-Agent", inWeChat); got.StatusCode != http.StatusNotFound {
			t.Errorf("%s answers %d", path, got.StatusCode)
		}
	}
}

func TestAnOriginIsPreviewed(t *testing.T) {
	h := open(t, stock(), through(telegramDoor()))
	og := crawl(t, h, "/o/kf7x", http.StatusOK)
	if og["og:title"] != "Read The Paper where you chat" || og["og:url"] != "https://paper.example/o/kf7x" || og["og:site_name"] != "The Paper" || og["og:description"] == "" {
		t.Errorf("the publication: %v", og)
	}
	og = crawl(t, h, "/o/kf7x/3", http.StatusOK)
	if og["og:title"] != "QR codes on the shelf" || og["og:url"] != "https://paper.example/o/kf7x/3" || og["og:description"] != "Shops print codes. Readers scan them." || og["og:type"] != "article" {
		t.Errorf("an article: %v", og)
	}
}

func TestAnOriginInEveryLanguage(t *testing.T) {
	h := open(t, stock(), through(webDoor(), telegramDoor(), wechatDoor()))
	seen := map[string]bool{}
	for _, lang := range locale.Languages() {
		d := page(t, ask(h, http.MethodGet, "/o/kf7x", "Accept-Language", lang))
		heading := d.Find("h1").Text()
		if !strings.Contains(heading, "The Paper") || seen[heading] || attr(d, "html", "lang") != lang {
			t.Errorf("%s: %q", lang, heading)
		}
		seen[heading] = true
		if words := d.Find("main").Text(); strings.Contains(words, "web.") || strings.Contains(words, "<no value>") {
			t.Errorf("%s: %s", lang, words)
		}
	}
}

func TestAnOriginWithoutTheDatabase(t *testing.T) {
	away := web.Door{Kind: "wechat", Channel: "gzh", Code: func(context.Context, string) (string, bool, error) { return "", false, errors.New("broken") }}
	h := open(t, stock(), through(away, telegramDoor()))
	for _, path := range []string{"/o/kf7x", "/o/kf7x?qr=gzh"} {
		if got := ask(h, http.MethodGet, path); got.StatusCode != http.StatusInternalServerError {
			t.Errorf("%s answers %d", path, got.StatusCode)
		}
	}
	library := stock()
	library.broken = errors.New("broken")
	if got := ask(open(t, library, through(telegramDoor())), http.MethodGet, "/o/kf7x/3"); got.StatusCode != http.StatusInternalServerError {
		t.Errorf("an article answers %d", got.StatusCode)
	}
	// Without an article nothing is looked up.
	if got := ask(open(t, library, through(telegramDoor())), http.MethodGet, "/o/kf7x"); got.StatusCode != http.StatusFound {
		t.Errorf("the origin alone answers %d", got.StatusCode)
	}
}

func TestAnOriginBelowAPath(t *testing.T) {
	h := open(t, stock(), through(webDoor(), wechatDoor("okf7x")), func(c *web.Config) { c.PublicURL = "https://example.org/news" })
	d := page(t, ask(h, http.MethodGet, "/o/kf7x"))
	if src, to := attr(d, ".qr", "src"), attr(d, ".webchat a", "href"); src != "/news/o/kf7x?qr=gzh" || to != "/news/chat/web/?start=okf7x" {
		t.Errorf("the picture is at %s, the chat at %s", src, to)
	}
}
