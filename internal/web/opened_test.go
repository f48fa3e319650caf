package web_test

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"newsie/bot/origin"
	"newsie/content"
	"newsie/internal/web"
)

// browser is what a reader's browser says it is.
const browser = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"

type opening struct {
	ref, article int64
	at           time.Time
}

// openings remembers what was counted.
type openings struct {
	list []opening
	wait func()
}

func (o *openings) Opened(ref, article int64, at time.Time) {
	if o.wait != nil {
		o.wait()
	}
	o.list = append(o.list, opening{ref, article, at})
}

var (
	openKey  = []byte("0123456789abcdef0123456789abcdef")
	openNow  = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	aReader  = origin.Reader{Channel: "web", Chat: "reader"}
	allLinks = origin.NewLinks(openKey, "")
)

// counting are pages that count into o.
func counting(t *testing.T, library web.Library, o web.Opens, change ...func(*web.Config)) http.Handler {
	return open(t, library, append([]func(*web.Config){func(c *web.Config) {
		c.Tokens, c.Opens, c.Now = allLinks, o, func() time.Time { return openNow }
	}}, change...)...)
}

// ask sends one request of any method.
func ask(h http.Handler, method, path string, header ...string) *http.Response {
	request := httptest.NewRequest(method, "https://news.example.org"+path, nil)
	request.Header.Set("User-Agent", browser)
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	recorder := httptest.NewRecorder()
	h.ServeHTTP(recorder, request)
	return recorder.Result()
}

func TestALinkLeadsToItsArticleAndCounts(t *testing.T) {
	for _, tt := range []struct {
		name    string
		article int64
		query   string
		to      string
		counts  bool
	}{
		{"its own address", 2, "", "https://www.example.net/older", true},
		{"our page", 3, "", "/a/3/qr-codes", true},
		{"our page in Chinese", 4, "", "/a/4/%E5%BE%AE%E5%BA%97%E7%9A%84%E4%BA%8C%E7%BB%B4%E7%A0%81", true},
		{"withdrawn: our page says so", 7, "", "/a/7/gone", false},
		{"withdrawn, with an address of its own", 51, "", "/a/51/left", false},
		{"what was found beside it: our page", 2, "?with=3.4", "/a/2/older-news?with=3.4", true},
		{"with what is no list", 2, "?with=https://evil.example", "https://www.example.net/older", true},
		{"to what the request wants", 3, "?url=https://evil.example&to=//evil.example&next=%0d%0aLocation:x", "/a/3/qr-codes", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o, library := &openings{}, stock()
			library.articles = append(library.articles, content.Article{ID: 51, State: content.Withdrawn, Title: "Left", Slug: "left", URL: "https://www.example.net/left"})
			got := ask(counting(t, library, o), http.MethodGet, allLinks.URL(aReader, tt.article)+tt.query, "X-Forwarded-Host", "evil.example", "Referer", "https://evil.example/")
			if got.StatusCode != http.StatusFound || got.Header.Get("Location") != tt.to {
				t.Errorf("it leads to %q with %d, want %q", got.Header.Get("Location"), got.StatusCode, tt.to)
			}
			for name, want := range map[string]string{"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow"} {
				if got := got.Header.Get(name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
			var want []opening
			if tt.counts {
				want = []opening{{allLinks.Ref(aReader), tt.article, openNow}}
			}
			if !slices.Equal(o.list, want) {
				t.Errorf("counted %v, want %v", o.list, want)
			}
		})
	}
}

func TestALinkBelowAPath(t *testing.T) {
	o := &openings{}
	h := counting(t, stock(), o, func(c *web.Config) { c.PublicURL = "https://example.org/news" })
	if to := ask(h, http.MethodGet, allLinks.URL(aReader, 3)).Header.Get("Location"); to != "/news/a/3/qr-codes" || len(o.list) != 1 {
		t.Errorf("it leads to %q and counted %v", to, o.list)
	}
}

// answer is all that a visitor gets.
type answer struct {
	status int
	header http.Header
	body   string
}

func answerOf(t *testing.T, r *http.Response) answer {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{r.StatusCode, r.Header, string(body)}
}

func TestWhateverIsWrongWithALinkLooksTheSame(t *testing.T) {
	o := &openings{}
	h := counting(t, stock(), o)
	good := allLinks.URL(aReader, 3)
	changed := good[:len(good)-1] + "A"
	if changed == good {
		changed = good[:len(good)-1] + "B"
	}
	for _, lang := range []string{"en", "it", "zh-CN", "zh-TW"} {
		var first answer
		for i, path := range []string{
			"/r/x", "/r/", "/r/a/b", "/r/x%20y", changed, good + "=", good + "/", good + "/x", "/r/" + strings.Repeat("A", 4000), "/r/%00", "/r/%2e%2e",
			origin.NewLinks([]byte("another key"), "").URL(aReader, 3),
			allLinks.URL(aReader, 999), // no such article
			allLinks.URL(aReader, 8),   // not published yet
			changed + "?with=2.3",
		} {
			got := answerOf(t, ask(h, http.MethodGet, path, "Accept-Language", lang))
			if got.status != http.StatusNotFound || got.header.Get("Referrer-Policy") != "no-referrer" || got.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s answers %d %v", path, got.status, got.header)
			}
			if i == 0 {
				first = got
				if !strings.Contains(got.body, map[string]string{"en": "This page isn", "it": "pagina", "zh-CN": "页面", "zh-TW": "頁面"}[lang]) {
					t.Errorf("in %s it says:\n%s", lang, got.body)
				}
			} else if got.body != first.body || !maps.EqualFunc(got.header, first.header, slices.Equal) {
				t.Errorf("%s looks different in %s: %v\n%s", path, lang, got.header, got.body)
			}
		}
	}
	if len(o.list) > 0 {
		t.Errorf("counted %v", o.list)
	}
}

func TestOnlyAReaderCounts(t *testing.T) {
	for _, tt := range []struct {
		name, method string
		header       []string
		counts       bool
	}{
		{"a browser", "GET", nil, true},
		{"WeChat's browser", "GET", []string{"User-Agent", "Mozilla/5.0 (Linux; Android 13; M2012K11AC Build/TKQ1.220829.002; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/116.0.0.0 Mobile Safari/537.36 XWEB/1160117 MMWEBSDK/20231202 MicroMessenger/8.0.47.2560(0x28002F35) WeChat/arm64 Weixin NetType/WIFI Language/zh_CN ABI/arm64"}, true},
		{"Telegram's browser", "GET", []string{"User-Agent", "Mozilla/5.0 (Linux; Android 14; SM-S911B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Mobile Safari/537.36 Telegram-Android/10.14.5 (Samsung SM-S911B; Android 14; SDK 34; HIGH)"}, true},
		{"a phone called Cubot", "GET", []string{"User-Agent", "Mozilla/5.0 (Linux; Android 13; CUBOT X30) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36"}, true},
		{"a desktop", "GET", []string{"User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"}, true},
		{"Opera Mini", "GET", []string{"User-Agent", "Opera/9.80 (J2ME/MIDP; Opera Mini/9.80 (S60; SymbOS; Opera Mobi/23.348/37.5518; U; en) Presto/2.12.423 Version/12.16"}, true},
		{"another Purpose", "GET", []string{"Sec-Purpose", "navigate"}, true},
		{"HEAD", "HEAD", nil, false},
		{"prefetch", "GET", []string{"Sec-Purpose", "prefetch"}, false},
		{"prerender", "GET", []string{"Sec-Purpose", "prefetch;prerender"}, false},
		{"anonymous prefetch", "GET", []string{"Sec-Purpose", "Prefetch;anonymous-client-ip"}, false},
		{"older Chrome", "GET", []string{"Purpose", "prefetch"}, false},
		{"Firefox", "GET", []string{"X-Moz", "prefetch"}, false},
		{"Safari's top sites", "GET", []string{"X-Purpose", "preview"}, false},
		{"Telegram's preview", "GET", []string{"User-Agent", "TelegramBot (like TwitterBot)"}, false},
		{"WhatsApp's preview", "GET", []string{"User-Agent", "WhatsApp/2.23.20.0 A"}, false},
		{"iMessage's preview", "GET", []string{"User-Agent", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0"}, false},
		{"Facebook's preview", "GET", []string{"User-Agent", "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)"}, false},
		{"Skype's preview", "GET", []string{"User-Agent", "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5"}, false},
		{"Slack's preview", "GET", []string{"User-Agent", "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"}, false},
		{"Discord's preview", "GET", []string{"User-Agent", "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)"}, false},
		{"Mastodon's preview", "GET", []string{"User-Agent", "Mastodon/4.2.1 (http.rb/5.1.1; +https://mastodon.social/)"}, false},
		{"Viber's preview", "GET", []string{"User-Agent", "Viber/13.3.0.5 CFNetwork/1121.2.2 Darwin/19.3.0"}, false},
		{"Google", "GET", []string{"User-Agent", "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"}, false},
		{"Baidu", "GET", []string{"User-Agent", "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)"}, false},
		{"Sogou", "GET", []string{"User-Agent", "Sogou web spider/4.0(+http://www.sogou.com/docs/help/webmasters.htm#07)"}, false},
		{"Yisou", "GET", []string{"User-Agent", "Mozilla/5.0 (Windows; U; Windows NT 5.1; zh-CN) YisouSpider/5.0"}, false},
		{"Bytedance", "GET", []string{"User-Agent", "Mozilla/5.0 (Linux; Android 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Mobile Safari/537.36 (compatible; Bytespider; spider-feedback@bytedance.com)"}, false},
		{"Bing's pictures", "GET", []string{"User-Agent", "Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/534+ (KHTML, like Gecko) BingPreview/1.0b"}, false},
		{"a script", "GET", []string{"User-Agent", "python-requests/2.31.0"}, false},
		{"curl", "GET", []string{"User-Agent", "curl/8.5.0"}, false},
		{"nobody", "GET", []string{"User-Agent", ""}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := &openings{}
			got := ask(counting(t, stock(), o), tt.method, allLinks.URL(aReader, 2), tt.header...)
			if got.StatusCode != http.StatusFound || got.Header.Get("Location") != "https://www.example.net/older" {
				t.Errorf("it gets %d and leads to %q", got.StatusCode, got.Header.Get("Location"))
			}
			if counted := len(o.list) == 1; counted != tt.counts {
				t.Errorf("counted: %v, want %v", o.list, tt.counts)
			}
		})
	}
}

func TestALinkIsOnlyRead(t *testing.T) {
	o := &openings{}
	h := counting(t, stock(), o)
	for _, path := range []string{allLinks.URL(aReader, 2), "/r/x"} {
		for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"} {
			got := ask(h, method, path)
			if got.StatusCode != http.StatusMethodNotAllowed || got.Header.Get("Allow") != "GET, HEAD" || got.Header.Get("Location") != "" {
				t.Errorf("%s %s answers %d, Allow %q", method, path, got.StatusCode, got.Header.Get("Allow"))
			}
		}
	}
	if len(o.list) > 0 {
		t.Errorf("counted %v", o.list)
	}
}

func TestLinksWithoutTheLibrary(t *testing.T) {
	library := stock()
	library.broken = errors.New("the disk is full")
	o := &openings{}
	got := ask(counting(t, library, o), http.MethodGet, allLinks.URL(aReader, 2))
	if got.StatusCode != http.StatusInternalServerError || got.Header.Get("Location") != "" || len(o.list) > 0 {
		t.Errorf("it answers %d to %q and counted %v", got.StatusCode, got.Header.Get("Location"), o.list)
	}
	// A link of which nothing is looked up is refused all the same.
	if got := ask(counting(t, library, o), http.MethodGet, "/r/x"); got.StatusCode != http.StatusNotFound {
		t.Errorf("a damaged link answers %d", got.StatusCode)
	}
}

func TestLinksThatAreNotCountedStillLead(t *testing.T) {
	h := open(t, stock(), func(c *web.Config) { c.Tokens = allLinks })
	if got := ask(h, http.MethodGet, allLinks.URL(aReader, 2)); got.Header.Get("Location") != "https://www.example.net/older" {
		t.Errorf("it answers %d to %q", got.StatusCode, got.Header.Get("Location"))
	}
	if got := ask(open(t, stock()), http.MethodGet, allLinks.URL(aReader, 2)); got.StatusCode != http.StatusNotFound {
		t.Errorf("without links it answers %d", got.StatusCode)
	}
}

// The count may hang or break: the reader has gone on by then.
func TestTheReaderDoesNotWaitForTheCount(t *testing.T) {
	for name, wait := range map[string]func(release <-chan struct{}){
		"it hangs":  func(release <-chan struct{}) { <-release },
		"it breaks": func(<-chan struct{}) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			release := make(chan struct{})
			var once sync.Once
			free := func() { once.Do(func() { close(release) }) }
			server := httptest.NewServer(counting(t, stock(), &openings{wait: func() { wait(release) }}))
			defer server.Close()
			defer free()
			client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Timeout: 10 * time.Second}
			request, err := http.NewRequest(http.MethodGet, server.URL+allLinks.URL(aReader, 2), nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("User-Agent", browser)
			got, err := client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = got.Body.Close() }()
			if got.StatusCode != http.StatusFound || got.Header.Get("Location") != "https://www.example.net/older" {
				t.Errorf("it answers %d to %q", got.StatusCode, got.Header.Get("Location"))
			}
		})
	}
}

func TestRobotsKeepOutOfLinks(t *testing.T) {
	if got := text(t, get(t, open(t, stock()), "/robots.txt"), http.StatusOK); !strings.Contains(got, "Disallow: /r/\n") {
		t.Errorf("robots.txt says:\n%s", got)
	}
}

// An article's address may be anything that a source wrote.
func TestALinkLeadsToWebAddressesAlone(t *testing.T) {
	for _, address := range []string{"javascript:alert(1)", "//evil.example/x", "/evil", "data:text/html,x", "ftp://example.net/x", "https://", "http://exa mple.net/"} {
		library := stock()
		library.articles = append(library.articles, content.Article{ID: 50, State: content.Published, Title: "x", Slug: "x", URL: address})
		if to := ask(counting(t, library, &openings{}), http.MethodGet, allLinks.URL(aReader, 50)).Header.Get("Location"); to != "/a/50/x" {
			t.Errorf("an article at %q leads to %q", address, to)
		}
	}
}
