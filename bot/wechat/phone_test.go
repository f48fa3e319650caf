package wechat_test

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"

	"newsie/internal/browsertest"
	"newsie/internal/locale"
	"newsie/internal/thumbnail"
)

// shownScenes are the chats of a picture, one a phone.
var shownScenes = [][]string{{"welcome", "list"}, {"card", "article", "link-other"}, {"follow", "digest", "voice"}}

// TestAnswersOnAPhone shows the bytes of answers in a browser, as the app would,
// and looks for what a reader would find ugly. With NEWSIE_ARTIFACTS it keeps
// wechat-LANG.png there; those in docs/images are made so.
func TestAnswersOnAPhone(t *testing.T) {
	tab := browsertest.Start(t, "wechat")
	picture, err := thumbnail.Cover(browsertest.Picture(), 900, 500)
	if err != nil {
		t.Fatal(err)
	}
	var pages sync.Map // of texts by path; a picture may be asked for late
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch page, ok := pages.Load(r.URL.Path); {
		case ok:
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = w.Write([]byte(page.(string)))
		case strings.HasPrefix(r.URL.Path, "/media/") && r.URL.RawQuery == "cover=900x500":
			w.Header().Set("Content-Type", "image/jpeg")
			_, _ = w.Write(picture)
		case r.URL.Path == "/favicon.ico":
			w.WriteHeader(http.StatusNoContent)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	for _, lang := range locale.Languages() {
		h := openHouse(t, lang)
		pages.Store("/"+lang, phones(h.play(), lang, h.name))
		tab.Do(lang, browsertest.Look(1260, 900, "light"), chromedp.Navigate(server.URL+"/"+lang),
			browsertest.Until(`[...document.images].every(i => i.complete && i.naturalWidth == 900)`))
		tall := browsertest.Read[int64](tab, `Math.ceil(document.querySelector('main').getBoundingClientRect().bottom)`)
		tab.Do(lang, browsertest.Look(1260, tall, "light"))
		tab.Shoot("wechat-" + lang)
		if wide := browsertest.Read[string](tab, `[...document.querySelectorAll('.bubble, .news')].filter(b => b.scrollWidth > b.clientWidth + 1).map(b => b.innerText).join('\n')`); wide != "" {
			t.Errorf("%s: wider than the phone:\n%s", lang, wide)
		}
		// A thumb needs room: the numbers must not touch.
		if narrow := browsertest.Read[string](tab, `[...document.querySelectorAll('a')].filter(a => /^\[\d\]$/.test(a.innerText) && a.getBoundingClientRect().width < 20).map(a => a.innerText).join()`); narrow != "" {
			t.Errorf("%s: too narrow to touch: %s", lang, narrow)
		}
	}
}

const phoneStyle = `*{box-sizing:border-box}body{margin:0;background:#d9dcdf;font:17px/1.4 "Noto Sans CJK SC","Noto Sans",sans-serif}
:lang(zh-Hant){font-family:"Noto Sans CJK TC","Noto Sans",sans-serif}:lang(en),:lang(it){font-family:"Noto Sans","DejaVu Sans",sans-serif;font-size:16px}
main{display:flex;gap:30px;padding:30px;width:1260px;align-items:flex-start}
.phone{width:380px;background:#ededed;border-radius:26px;overflow:hidden;box-shadow:0 4px 24px #0003}
.bar{height:52px;line-height:52px;text-align:center;font-weight:600;border-bottom:1px solid #d5d5d5}
.row{display:flex;gap:9px;padding:8px 12px;align-items:flex-start}.row.me{flex-direction:row-reverse}
.face{flex:none;width:40px;height:40px;border-radius:5px;background:#07737a;color:#fff;text-align:center;line-height:40px}.me .face{background:#8aa0b8}
.bubble{background:#fff;border-radius:5px;padding:9px 12px;max-width:268px;white-space:pre-wrap;overflow-wrap:anywhere;unicode-bidi:plaintext}.me .bubble{background:#95ec69}
a{color:#576b95;text-decoration:none}.row:last-child{margin-bottom:14px}
.news{margin:8px 16px;background:#fff;border-radius:6px;overflow:hidden;padding:14px}.news b{display:block;font-weight:600;font-size:1.06em}
.news img{display:block;width:100%;aspect-ratio:900/500;object-fit:cover;margin:10px 0}.news p{margin:0;color:#8a8a8a;font-size:.86em;white-space:pre-wrap;overflow-wrap:anywhere}`

// phones is a page that shows chats as the app does.
func phones(scenes []scene, lang, name string) string {
	byName := map[string]scene{}
	for _, s := range scenes {
		byName[s.name] = s
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<!DOCTYPE html><html lang="%s"><meta charset="utf-8"><title>%s</title><style>%s</style><main>`, lang, html.EscapeString(name), phoneStyle)
	for _, chat := range shownScenes {
		fmt.Fprintf(&b, `<section class="phone"><div class="bar">%s</div>`, html.EscapeString(name))
		for _, each := range chat {
			s := byName[each]
			if s.said != "" {
				fmt.Fprintf(&b, `<div class="row me"><div class="face">☺</div><div class="bubble">%s</div></div>`, html.EscapeString(s.said))
			}
			for _, n := range s.bubble.News {
				image := ""
				if n.PicURL != "" {
					image = `<img alt="" src="` + html.EscapeString(strings.TrimPrefix(n.PicURL, lantern)) + `">`
				}
				fmt.Fprintf(&b, `<div class="news"><b>%s</b>%s<p>%s</p></div>`, html.EscapeString(n.Title), image, html.EscapeString(n.Description))
			}
			if s.bubble.Raw != "" {
				fmt.Fprintf(&b, `<div class="row"><div class="face">%s</div><div class="bubble">%s</div></div>`, html.EscapeString(string([]rune(strings.TrimPrefix(name, "The "))[:1])), anchored(s.bubble.Raw))
			}
		}
		b.WriteString(`</section>`)
	}
	return b.String() + `</main></html>`
}

var anchorIn = regexp.MustCompile(`<a href="([^"]*)">(.*?)</a>`)

// anchored is text as HTML in which <a> alone is markup, as in the app.
func anchored(text string) string {
	var b strings.Builder
	last := 0
	for _, m := range anchorIn.FindAllStringSubmatchIndex(text, -1) {
		b.WriteString(html.EscapeString(text[last:m[0]]) + `<a href="#">` + html.EscapeString(text[m[4]:m[5]]) + `</a>`)
		last = m[1]
	}
	return b.String() + html.EscapeString(text[last:])
}
