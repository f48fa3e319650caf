package telegram_test

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"newsie/bot/telegram/telegramtest"
	"newsie/internal/browsertest"
	"newsie/internal/locale"
	"newsie/internal/thumbnail"
)

// shownScenes are the chats of a picture, one a phone.
var shownScenes = [][]string{
	{"welcome", "list"}, {"article with a cover", "article without a cover"}, {"follow", "digest", "corrected"}, {"digest of several topics", "saved"},
}

// TestAnswersOnAPhone shows the bytes of answers in a browser, as the app would,
// and looks for what a reader would find ugly. With NEWSIE_ARTIFACTS it keeps
// telegram-LANG.png there; those in docs/images are made so.
func TestAnswersOnAPhone(t *testing.T) {
	tab := browsertest.Start(t, "telegram")
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
		h.play()
		// Every scene is looked at; the picture shows some.
		for _, all := range []bool{true, false} {
			chats := shownScenes
			if all {
				chats = nil
				for _, s := range h.scenes {
					chats = append(chats, []string{s.name})
				}
			}
			wide := int64(len(chats)*412 + 20)
			pages.Store("/"+lang, h.phones(chats))
			tab.Do(lang, browsertest.Look(wide, 900, "light"), chromedp.Navigate(server.URL+"/"+lang),
				browsertest.Until(`[...document.images].every(i => i.complete && i.naturalWidth == 900)`))
			if !all {
				tall := browsertest.Read[int64](tab, `Math.ceil(document.querySelector('main').getBoundingClientRect().bottom)`)
				tab.Do(lang, browsertest.Look(wide, tall, "light"))
				tab.Shoot("telegram-" + lang)
			}
			if over := browsertest.Read[string](tab, `[...document.querySelectorAll('.bubble, .text, .card, .rich')].filter(b => b.scrollWidth > b.clientWidth + 1).map(b => b.innerText).join('\n')`); over != "" {
				t.Errorf("%s: wider than the phone:\n%s", lang, over)
			}
			if cut := browsertest.Read[string](tab, `[...document.querySelectorAll('.key span')].filter(b => b.scrollWidth > b.clientWidth + 1).map(b => b.innerText).join('\n')`); cut != "" {
				t.Errorf("%s: labels that are cut:\n%s", lang, cut)
			}
			// A thumb needs room.
			if narrow := browsertest.Read[string](tab, `[...document.querySelectorAll('.key')].filter(b => b.getBoundingClientRect().width < 36).map(b => b.innerText).join('\n')`); narrow != "" {
				t.Errorf("%s: too narrow to touch:\n%s", lang, narrow)
			}
		}
	}
}

const phoneStyle = `*{box-sizing:border-box}body{margin:0;background:#e8ebee;font:15.5px/1.34 "Noto Sans CJK SC","Noto Sans",sans-serif;color:#000}
:lang(zh-Hant){font-family:"Noto Sans CJK TC","Noto Sans",sans-serif}:lang(en),:lang(it){font-family:"Noto Sans","Noto Sans CJK SC","DejaVu Sans",sans-serif;font-feature-settings:"pwid"}
main{display:flex;gap:22px;padding:20px;align-items:flex-start;width:max-content}
.phone{width:390px;background:linear-gradient(160deg,#dbe7c4,#b9d6b4 55%,#9cc7ad);border-radius:30px;overflow:hidden;box-shadow:0 4px 24px #0003;padding-bottom:18px}
.bar{height:58px;background:#fffffff2;border-bottom:1px solid #0001;display:flex;align-items:center;gap:11px;padding:0 16px;margin-bottom:8px}
.bar i{width:38px;height:38px;border-radius:50%;background:linear-gradient(#6fc3e8,#2a8fd0);color:#fff;font:600 17px/38px inherit;text-align:center;font-style:normal}
.bar b{display:block;font-weight:600;line-height:1.2}.bar small{color:#8a949e;font-size:13px}
.row{padding:3px 9px;display:flex;flex-direction:column;align-items:flex-start}.row.me{align-items:flex-end}
.bubble{position:relative;background:#fff;border-radius:16px 16px 16px 5px;box-shadow:0 1px 1px #0000001f;max-width:336px;overflow:hidden}
.me .bubble{background:#e6fecb;border-radius:16px 16px 5px 16px}.keyed .bubble,.keyed .keys{width:336px}
.text{padding:7px 11px 0;white-space:pre-wrap;overflow-wrap:anywhere;unicode-bidi:plaintext}.time{display:block;text-align:right;color:#93a0aa;font-size:11.5px;padding:1px 10px 5px;line-height:1.2}.me .time{color:#5fb246}
a{color:#1378c4;text-decoration:none}b,strong{font-weight:600}
.photo{display:block;width:100%;aspect-ratio:900/500;object-fit:cover}
.card{margin:7px 11px 1px;padding:6px 9px 7px;border-left:3px solid #3290d5;border-radius:5px;background:#edf5fc;font-size:13.8px;line-height:1.3;overflow:hidden}
.card u{display:block;text-decoration:none;color:#2481cc;font-weight:600}.card b{display:block}.card p{margin:0;display:-webkit-box;-webkit-box-orient:vertical;-webkit-line-clamp:3;overflow:hidden;overflow-wrap:anywhere}
.card img{float:right;width:58px;height:58px;object-fit:cover;border-radius:5px;margin:1px 0 2px 8px}.card.large img{float:none;width:100%;height:auto;margin:6px 0 0}
.keys{display:grid;gap:4px;margin-top:4px;width:100%;max-width:336px}.keys div{display:flex;gap:4px}
.key{position:relative;flex:1 1 0;min-width:0;background:#36533e73;color:#fff;border-radius:9px;height:40px;padding:0 9px;display:flex;align-items:center;justify-content:center;font-size:14.6px;font-weight:500}
.keys div:last-child .key:first-child{border-bottom-left-radius:14px}.keys div:last-child .key:last-child{border-bottom-right-radius:14px}
.key span{overflow:hidden;white-space:nowrap;text-overflow:ellipsis;text-align:center}.key.url::after{content:"↗";position:absolute;right:6px;top:2px;font-size:11px;opacity:.85}
.rich{padding:8px 11px 0;overflow-wrap:anywhere}.rich h3{font-size:18px;margin:0 0 6px;line-height:1.25}.rich h4{font-size:16px;margin:12px 0 5px;color:#222}.rich p{margin:0 0 9px}.rich details{margin:0 0 9px;border-top:1px solid #0001;padding-top:6px}.rich summary{color:#1378c4;font-weight:500}`

// phones is a page that shows chats as the app does.
func (h *house) phones(chats [][]string) string {
	byName := map[string]scene{}
	for _, s := range h.scenes {
		byName[s.name] = s
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<!DOCTYPE html><html lang="%s"><meta charset="utf-8"><title>%s</title><style>%s</style><main>`, h.lang, html.EscapeString(h.name), phoneStyle)
	first := []rune(strings.TrimPrefix(h.name, "The "))[:1]
	for _, chat := range chats {
		fmt.Fprintf(&b, `<section class="phone"><div class="bar"><i>%s</i><div><b>%s</b><small>bot</small></div></div>`, html.EscapeString(string(first)), html.EscapeString(h.name))
		for _, name := range chat {
			s, ok := byName[name]
			if !ok {
				h.t.Errorf("no scene %q", name)
			}
			if s.said != "" {
				fmt.Fprintf(&b, `<div class="row me"><div class="bubble"><div class="text">%s</div>%s</div></div>`, html.EscapeString(s.said), at(s.shown[0].Date))
			}
			for _, m := range s.shown {
				h.bubble(&b, m)
			}
		}
		b.WriteString(`</section>`)
	}
	return b.String() + `</main></html>`
}

func at(date int64) string {
	return `<span class="time">` + time.Unix(date, 0).UTC().Add(8*time.Hour).Format("15:04") + `</span>`
}

func (h *house) bubble(b *strings.Builder, m telegramtest.Message) {
	keyed := ""
	if len(m.Buttons) > 0 {
		keyed = " keyed"
	}
	fmt.Fprintf(b, `<div class="row%s"><div class="bubble">`, keyed)
	if m.Photo != nil {
		fmt.Fprintf(b, `<img class="photo" alt="" src="%s">`, html.EscapeString(strings.TrimPrefix(m.Photo.URL, lantern)))
	}
	if m.Preview.Above {
		h.card(b, m.Preview)
	}
	if m.Rich != nil {
		b.WriteString(`<div class="rich">` + strings.ReplaceAll(m.Rich.HTML, ` href="`, ` href="#`) + `</div>`)
	} else {
		b.WriteString(`<div class="text">` + mark(m, tags, html.EscapeString) + `</div>`)
	}
	if !m.Preview.Above {
		h.card(b, m.Preview)
	}
	b.WriteString(at(m.Date) + `</div>`)
	if len(m.Buttons) > 0 {
		b.WriteString(`<div class="keys">`)
		for _, row := range m.Buttons {
			b.WriteString(`<div>`)
			for _, button := range row {
				kind := "key"
				if button.URL != "" {
					kind = "key url"
				}
				fmt.Fprintf(b, `<div class="%s"><span>%s</span></div>`, kind, html.EscapeString(button.Text))
			}
			b.WriteString(`</div>`)
		}
		b.WriteString(`</div>`)
	}
	b.WriteString(`</div>`)
}

// tags are an entity's as HTML.
func tags(e telegramtest.Entity) (before, after string) {
	switch e.Type {
	case "text_link":
		return `<a href="#">`, `</a>`
	case "bold":
		return `<b>`, `</b>`
	case "italic":
		return `<i>`, `</i>`
	}
	return "", ""
}

// card is the preview of a page, made of what its Open Graph says.
func (h *house) card(b *strings.Builder, p telegramtest.Preview) {
	if p.Disabled || p.URL == "" {
		return
	}
	for _, a := range h.shelf {
		if !strings.HasSuffix(p.URL, "/"+a.Slug) {
			continue
		}
		kind, image := "card", ""
		if p.Large {
			kind = "card large"
		}
		if a.Cover != "" {
			image = `<img alt="" src="` + a.Cover + `?cover=900x500">`
		}
		before, after := image, ""
		if p.Large {
			before, after = "", image
		}
		fmt.Fprintf(b, `<div class="%s">%s<u>%s</u><b>%s</b><p>%s</p>%s</div>`, kind, before, html.EscapeString(h.name), html.EscapeString(a.Title), html.EscapeString(a.Summary), after)
		return
	}
	h.t.Errorf("no page for the preview of %s", p.URL)
}
