package webchat_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	"newsie/bot"
	"newsie/bot/webchat"
	"newsie/internal/browsertest"
	"newsie/internal/database/databasetest"
)

// A prompter suggests what begins as was typed.
type prompter struct {
	mu    sync.Mutex
	asked []string
}

func (p *prompter) suggest(_ context.Context, prefix, lang string, n int) ([]bot.Suggestion, error) {
	p.mu.Lock()
	p.asked = append(p.asked, lang+":"+prefix)
	p.mu.Unlock()
	var list []bot.Suggestion
	for _, s := range []bot.Suggestion{
		{Action: bot.Action{Label: "commerce", Text: "/search commerce"}, Articles: 23},
		{Action: bot.Action{Label: "Commerce begins with a conversation: what forty crates of oranges taught a cooperative about chats, shops and mornings", Text: "/read 1"}},
		{Action: bot.Action{Label: "QR codes on the shelf label", Text: "/read 2"}},
		{Action: bot.Action{Label: "微店与社区团购：巷口小店的第二个春天", Text: "/read 3"}},
		{Action: bot.Action{Label: "commercio elettronico", Text: "/search commercio elettronico"}, Articles: 1},
	} {
		if prefix == "broken" {
			return nil, errors.New("the index is away")
		}
		if strings.HasPrefix(strings.ToLower(s.Label), prefix) || prefix == "wd" && strings.HasPrefix(s.Label, "微店") || prefix == "c" {
			list = append(list, s)
		}
	}
	return list[:min(n, len(list))], nil
}

func (p *prompter) heard() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

func TestSuggestionsAsJSON(t *testing.T) {
	p := &prompter{}
	s := serve(t, databasetest.SQLite(t), (&parrot{}).handle, func(c *webchat.Config) { c.Suggest = p.suggest })
	for _, c := range []struct {
		typed, lang, want string
		status            int
	}{
		{"commer", "it", `[{"label":"commerce","tap":"/search commerce","note":"23 articoli"},{"label":"Commerce begins with a conversation: what forty crates of oranges taught a cooperative about chats, shops and mornings","tap":"/read 1"},{"label":"commercio elettronico","tap":"/search commercio elettronico","note":"1 articolo"}]`, 200},
		{" wd ", "zh-CN", `[{"label":"微店与社区团购：巷口小店的第二个春天","tap":"/read 3"}]`, 200},
		{"zebra", "", `[]`, 200}, {"", "", `[]`, 200}, {"/help", "", `[]`, 200}, {"\xff", "", `[]`, 200},
		{strings.Repeat("c", 10000), "", `[]`, 200},
		{"broken", "en", "", 500},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"suggest?q="+url.QueryEscape(c.typed), nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Accept-Language", c.lang)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || response.StatusCode != c.status {
			t.Errorf("%.20q: %s, %v", c.typed, response.Status, err)
		}
		if c.status == 200 && (string(body) != c.want || !json.Valid(body)) {
			t.Errorf("%.20q: got %s, want %s", c.typed, body, c.want)
		}
		if strings.Contains(string(body), "index is away") {
			t.Errorf("readers see internals: %s", body)
		}
		if len(response.Cookies()) > 0 {
			t.Errorf("%.20q: a cookie for looking", c.typed)
		}
	}
	if got, want := p.heard(), []string{"it:commer", "zh-CN:wd", ":zebra", "en:broken"}; !cmp.Equal(got, want) {
		t.Errorf("asked %q, want %q", got, want)
	}
	if n := s.count(t); n != 0 {
		t.Errorf("%d rows", n)
	}
}

// A chat that suggests nothing has no trace of it, and neither has the form
// that works without the script.
func TestNoSuggestions(t *testing.T) {
	s := serve(t, databasetest.SQLite(t), (&parrot{}).handle)
	response, err := http.Get(s.url + "suggest?q=c")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusNotFound {
		t.Errorf("%s", response.Status)
	}
	page := s.reader(t, false).open(t)
	if n := page.Find(`[data-suggest], script[src*="suggest"], [role="listbox"]`).Length(); n != 0 {
		t.Errorf("%d traces", n)
	}
}

// key presses one in the box.
func key(name string) browsertest.Step {
	return browsertest.Run(fmt.Sprintf(`document.getElementById('text').dispatchEvent(new KeyboardEvent('keydown', {key: %q, bubbles: true, cancelable: true}))`, name))
}

// types puts words into the box as a keyboard does, without sending them.
func types(words string) browsertest.Step { return chromedp.SendKeys(chromedp.CSS("#text"), words) }

const (
	offered = `!document.getElementById('suggestions').hidden && document.querySelectorAll('#suggestions li').length`
	box     = `document.getElementById('text').value`
)

func TestSuggestionsInABrowser(t *testing.T) {
	tab := browsertest.Start(t, "suggestions")
	room, p := &newsroom{}, &prompter{}
	s := serve(t, databasetest.SQLite(t), room.handle, func(c *webchat.Config) {
		c.Now = time.Now
		room.media = c.PublicURL
		c.Suggest = p.suggest
	})
	tab.Do("open", browsertest.Look(375, 812, "light"), chromedp.Navigate(s.url), browsertest.Until(`document.getElementById("suggestions")`))
	tab.Do("type", types("c"), browsertest.Until(offered+" === 5"))
	tab.Shoot("suggestions-phone")
	tab.Do("keys", key("ArrowDown"), key("ArrowDown"),
		browsertest.Until(`document.getElementById('text').getAttribute('aria-activedescendant') === 'suggestion1' && document.getElementById('suggestion1').getAttribute('aria-selected') === 'true'`))
	tab.Do("to the last and around", key("ArrowUp"), key("ArrowUp"), browsertest.Until(`!document.getElementById('text').hasAttribute('aria-activedescendant')`),
		key("ArrowUp"), browsertest.Until(`document.getElementById('text').getAttribute('aria-activedescendant') === 'suggestion4'`))
	tab.Do("escape", key("Escape"), browsertest.Until(`document.getElementById('suggestions').hidden && `+box+` === 'c' && document.getElementById('text').getAttribute('aria-expanded') === 'false'`))

	tab.Do("an article by the keys", types("ommerce b"), browsertest.Until(offered+" === 1"), key("ArrowDown"), key("Enter"), browsertest.Until(box+` === '' && [...document.querySelectorAll('.me[data-id]')].some(e => e.textContent.includes('forty crates'))`))
	if m := room.last(); m.Kind != bot.Tap || m.Text != "/read 1" {
		t.Errorf("the bot heard %+v", m)
	}
	tab.Do("a tag by a click", types("commerce"), browsertest.Until(offered+" === 2"), browsertest.Run(`document.querySelector('#suggestions li').click()`), browsertest.Until(`document.querySelectorAll('.me[data-id]').length === 2`))
	if m := room.last(); m.Kind != bot.Tap || m.Text != "/search commerce" {
		t.Errorf("the bot heard %+v", m)
	}
	tab.Do("Enter says what is typed", types("wd"), browsertest.Until(offered+" === 1"), types("\r"), browsertest.Until(says("Nothing found for “wd”")), browsertest.Until(`document.getElementById('suggestions').hidden`))
	if m := room.last(); m.Kind != bot.Text || m.Text != "wd" {
		t.Errorf("the bot heard %+v", m)
	}
	tab.Do("nothing to offer", types("zebra"), browsertest.Until(`document.getElementById('suggestions').hidden`))
	tab.Do("half of a word in an input method", browsertest.Run(`(() => { const i = document.getElementById('text'); i.value = 'c'; i.dispatchEvent(new CompositionEvent('compositionstart')); i.dispatchEvent(new InputEvent('input', {bubbles: true, isComposing: true})); })()`))
	n := len(p.heard())
	tab.Do("the whole word", browsertest.Run(`(() => { const i = document.getElementById('text'); i.value = 'qr'; i.dispatchEvent(new CompositionEvent('compositionend')); })()`), browsertest.Until(offered+" === 1"))
	if got := p.heard()[n:]; len(got) != 1 || !strings.HasSuffix(got[0], ":qr") {
		t.Errorf("asked %q", got)
	}
	tab.Do("elsewhere", browsertest.Run(`document.getElementById('text').blur()`), browsertest.Until(`document.getElementById('suggestions').hidden`))
	tab.Do("on a desk, in the dark", browsertest.Look(1280, 800, "dark"), browsertest.Run(`(() => { const i = document.getElementById('text'); i.value = ''; i.focus(); })()`), types("c"), browsertest.Until(offered+" === 5"), key("ArrowDown"))
	tab.Shoot("suggestions-desktop-dark")
	if wide := browsertest.Read[bool](tab, `document.documentElement.scrollWidth > innerWidth`); wide {
		t.Error("the page scrolls sideways")
	}
}
