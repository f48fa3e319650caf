package webchat_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"newsie/bot"
	"newsie/bot/webchat"
	"newsie/internal/database/databasetest"
)

// look opens the page by which a reader comes.
func (r *reader) look(t *testing.T, query string) *goquery.Document {
	t.Helper()
	response, err := r.client.Get(r.site.url + query)
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, response, http.StatusOK)
}

func (p *parrot) texts() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []string
	for _, m := range p.heard {
		who := "nobody"
		if m.Chat.ID != "" {
			who = "reader"
		}
		list = append(list, fmt.Sprintf("%s %s %s", who, m.Kind, m.Text))
	}
	return list
}

func TestLookingAtACodesPageIsNoBeginning(t *testing.T) {
	p := &parrot{}
	s := serve(t, databasetest.SQLite(t), p.handle, func(c *webchat.Config) { c.Suggestions = []string{"commerce"} })
	r := s.reader(t, false)
	for range 3 {
		page := r.look(t, "?start=oSHOP-1_a4711")
		if got := page.Find("#log .entry").Length(); got != 1 || !strings.Contains(page.Find("#log").Text(), "welcome") {
			t.Errorf("%d entries: %s", got, page.Find("#log").Text())
		}
		if got := fields(page.Find("#start")).Get("start"); got != "oSHOP-1_a4711" || page.Find("#start button").Text() != "Start" || page.Find("#chips").Length() != 0 {
			t.Errorf("the form begins with %q, its button says %q", got, page.Find("#start button").Text())
		}
	}
	if response, err := http.Head(s.url + "?start=oSHOP-1"); err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("HEAD: %v, %v", response, err)
	}
	// One welcome is for all who look within a minute.
	if got, want := fmt.Sprint(p.texts()), "[nobody join /start oSHOP-1_a4711 nobody join /start oSHOP-1]"; got != want {
		t.Errorf("the bot heard %s, want %s", got, want)
	}
	for _, table := range []string{"webchat_messages", "inbox", "chats", "lists", "readers"} {
		var n int
		if err := s.db.Reader().NewRaw("SELECT COUNT(*) FROM "+table).Scan(t.Context(), &n); err != nil || n != 0 {
			t.Errorf("%d rows of %s: %v", n, table, err)
		}
	}
	if page := r.look(t, "?start="); page.Find("#start").Length() != 0 || page.Find("#chips").Length() != 1 {
		t.Error("who comes by nothing is asked to begin")
	}
}

func TestBeginningIsTheFirstAct(t *testing.T) {
	p := &parrot{}
	s := serve(t, databasetest.SQLite(t), p.handle)
	r := s.reader(t, false)
	form := fields(r.look(t, "?start=oSHOP-1").Find("#start"))
	for range 2 { // a double click, or the form sent again by going back
		r.post(t, form)
	}
	if got, want := fmt.Sprint(p.texts()), "[nobody join /start oSHOP-1 reader join /start oSHOP-1]"; got != want {
		t.Errorf("the bot heard %s, want %s", got, want)
	}
	page := r.open(t)
	var shown []string
	page.Find("#log .entry").Each(func(_ int, e *goquery.Selection) { shown = append(shown, strings.TrimSpace(e.Find(".bubble").Text())) })
	if got := fmt.Sprint(shown); got != "[Start welcome]" || page.Find("input[name=start]").Length() != 0 {
		t.Errorf("the chat is %s", got)
	}

	// A known reader's code is heard too, below what was said.
	page = r.look(t, "?start=oSHOP-2")
	if n := page.Find("#log .entry").Length(); n != 3 || page.Find("#log .entry[data-id]").Length() != 2 || page.Find("#start").Length() != 1 {
		t.Errorf("a known reader sees %d entries", n)
	}
	r.post(t, fields(page.Find("#start")))
	if m := p.last(); m.Text != "/start oSHOP-2" || m.Kind != bot.Join || m.Chat.ID == "" || m.ID == "" {
		t.Errorf("the bot heard %+v", m)
	}
	if n := s.count(t); n != 4 {
		t.Errorf("%d messages are kept, want 4", n)
	}
}

// Who types or taps first instead of pressing the button came by the code all
// the same.
func TestWhateverIsDoneFirstBegins(t *testing.T) {
	p := &parrot{}
	s := serve(t, databasetest.SQLite(t), p.handle)
	r := s.reader(t, false)
	page := r.look(t, "?start=oSHOP-1")
	form := fields(page.Find("#composer"))
	form.Set("text", "tea")
	for range 2 {
		r.post(t, form)
	}
	form = fields(s.reader(t, false).look(t, "?start=oSHOP-1").Find("header form"))
	form.Set("tap", "/help")
	r.post(t, form)
	want := "[nobody join /start oSHOP-1 reader join /start oSHOP-1 reader text tea reader join /start oSHOP-1 reader tap /help]"
	if got := fmt.Sprint(p.texts()); got != want {
		t.Errorf("the bot heard %s, want %s", got, want)
	}
	if n := s.count(t); n != 8 {
		t.Errorf("%d messages are kept, want 8", n)
	}
	// What the welcome shows cannot be tapped before.
	if n := page.Find("#log form").Length(); n != 0 {
		t.Errorf("%d forms in the welcome", n)
	}
}

func TestADamagedCodeIsHeardAsOne(t *testing.T) {
	p := &parrot{}
	s := serve(t, databasetest.SQLite(t), p.handle)
	for _, given := range []string{"<script>alert(1)</script>", `"><img src=x>`, "o SHOP", "店", strings.Repeat("x", 65), "a\x00b", "oX\n", "\xff"} {
		r := s.reader(t, false)
		page := r.look(t, "?start="+url.QueryEscape(given))
		form := fields(page.Find("#start"))
		if form.Get("start") != "_" {
			t.Errorf("%q begins with %q", given, form.Get("start"))
		}
		if html, err := page.Html(); err != nil || strings.Contains(html, "alert(1)") || strings.Contains(html, "src=x") {
			t.Errorf("%q is in the page", given)
		}
		form.Set("start", given) // whatever is posted
		r.post(t, form)
		if m := p.last(); m.Text != "/start _" || m.Chat.ID == "" {
			t.Errorf("after %q the bot heard %+v", given, m)
		}
	}
	if longest := strings.Repeat("x", 64); fields(s.reader(t, false).look(t, "?start="+longest).Find("#start")).Get("start") != longest {
		t.Error("a code of 64 characters is damaged")
	}
}

// Codes are many and anybody can make some up: what is remembered of them is
// bounded, and they may come at once.
func TestWelcomesOfManyCodes(t *testing.T) {
	p := &parrot{}
	s := serve(t, databasetest.SQLite(t), p.handle)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for k := range 40 {
				response, err := http.Get(fmt.Sprintf("%s?start=o%d-%d", s.url, i%4, k))
				if err != nil {
					t.Error(err)
					return
				}
				_ = response.Body.Close()
			}
		})
	}
	all.Wait()
	before := len(p.texts())
	if before < 160 || before > 320 {
		t.Errorf("the bot was asked %d times for 160 welcomes", before)
	}
	for k := range 1000 { // more than are remembered: the first is asked for again
		s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, fmt.Sprintf("/chat/demo/?start=more-%d", k), nil))
	}
	s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/chat/demo/?start=o0-0", nil))
	if asked := len(p.texts()) - before; asked != 1001 {
		t.Errorf("the bot was asked %d times for 1001 more", asked)
	}
}
