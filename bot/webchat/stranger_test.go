package webchat_test

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"newsie/bot"
	"newsie/bot/webchat"
	"newsie/internal/database/databasetest"
)

func TestForgedCookie(t *testing.T) {
	db := databasetest.SQLite(t)
	s := serve(t, db, (&parrot{}).handle)
	other := serve(t, db, (&parrot{}).handle, func(c *webchat.Config) { c.Name = "second" })
	victim := s.reader(t, false)
	victim.Say(t, "my secret")
	at, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	cookie := victim.client.Jar.Cookies(at)[0]
	id, signature, _ := strings.Cut(cookie.Value, ".")
	for name, test := range map[string]struct {
		site  *site
		value string
		sees  bool
	}{
		"the real one":       {s, cookie.Value, true},
		"no signature":       {s, id, false},
		"an empty signature": {s, id + ".", false},
		"another signature":  {s, id + "." + strings.Repeat("A", len(signature)), false},
		"another id":         {s, "0" + cookie.Value[1:], cookie.Value[0] == '0'},
		"nonsense":           {s, "%%%", false},
		"on another channel": {other, cookie.Value, false},
	} {
		for _, path := range []string{"", "events"} {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, test.site.url+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Cookie", "newsie_chat="+test.value)
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			var sees bool
			if path == "" {
				sees = strings.Contains(parse(t, response, http.StatusOK).Text(), "my secret")
			} else {
				sees = response.StatusCode == http.StatusOK
				_ = response.Body.Close()
			}
			if sees != test.sees {
				t.Errorf("%s, %q: sees the chat: %v, want %v", name, path, sees, test.sees)
			}
		}
	}
}

func TestCookie(t *testing.T) {
	s := serve(t, databasetest.SQLite(t), (&parrot{}).handle, func(c *webchat.Config) { c.PublicURL = "https://paper.example/news" })
	response, err := http.Get(s.url)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	c := response.Cookies()[0]
	if !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/news/chat/demo/" || len(c.Value) != 32+1+43 {
		t.Errorf("cookie: %+v", c)
	}
}

func TestOtherSitesCannotPost(t *testing.T) {
	p := &parrot{}
	s := serve(t, databasetest.SQLite(t), p.handle, func(c *webchat.Config) { c.PublicURL = "https://paper.example" })
	for _, test := range []struct {
		name   string
		header map[string]string
		status int
	}{
		{"another site", map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, 403},
		{"a neighbour", map[string]string{"Sec-Fetch-Site": "same-site", "Origin": "https://evil.paper.example"}, 403},
		{"an old browser on another site", map[string]string{"Origin": "https://evil.example"}, 403},
		{"a sandboxed frame", map[string]string{"Origin": "null"}, 403},
		{"our page", map[string]string{"Sec-Fetch-Site": "same-origin"}, 200},
		{"our page behind a proxy that changes Host", map[string]string{"Origin": "https://paper.example"}, 200},
		{"no browser", nil, 200},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url, strings.NewReader("text=hi"))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for name, value := range test.header {
			request.Header.Set(name, value)
		}
		heard := p.count("hi")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != test.status || (p.count("hi") > heard) != (test.status == 200) {
			t.Errorf("%s: %s", test.name, response.Status)
		}
	}
}

func TestTooLong(t *testing.T) {
	s := serve(t, databasetest.SQLite(t), (&parrot{}).handle)
	response, err := http.PostForm(s.url, url.Values{"text": {strings.Repeat("长", 30_000)}})
	if err != nil {
		t.Fatal(err)
	}
	if got := parse(t, response, http.StatusRequestEntityTooLarge).Find("main").Text(); !strings.Contains(got, "too long") {
		t.Errorf("the page says %q", got)
	}
}

func TestMessageCarriesWhatTheBrowserTells(t *testing.T) {
	p := &parrot{}
	s := serve(t, databasetest.SQLite(t), p.handle, func(c *webchat.Config) {
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")}
	})
	post := func(form url.Values, header ...string) bot.Message {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for i := 0; i < len(header); i += 2 {
			request.Header.Add(header[i], header[i+1])
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		parse(t, response, http.StatusOK)
		return p.last()
	}
	m := post(url.Values{"tap": {"/read 7"}, "label": {"Seven"}, "zone": {"Asia/Shanghai"}}, "Accept-Language", "fr;q=0.9, zh-TW;q=0.8")
	if m.Kind != bot.Tap || m.Text != "/read 7" || m.Zone != "Asia/Shanghai" || m.Lang != "zh-TW" || m.Addr != "127.0.0.1" || len(m.Chat.ID) != 32 || m.Public {
		t.Errorf("message: %+v", m)
	}
	m = post(url.Values{"text": {" a\x00b\r\nc\xff "}, "zone": {"../../etc/passwd"}}, "Accept-Language", "ja")
	if m.Kind != bot.Text || m.Text != "ab\nc" || m.Zone != "" || m.Lang != "ja" {
		t.Errorf("message: %+v", m)
	}
	for forwarded, want := range map[string]string{
		"203.0.113.9":                         "203.0.113.9",
		"198.51.100.1, 203.0.113.9":           "203.0.113.9", // the first was written by the reader
		"198.51.100.1, 203.0.113.9, 10.1.2.3": "203.0.113.9",
		"::ffff:203.0.113.9":                  "203.0.113.9",
		"nonsense":                            "127.0.0.1",
		"10.0.0.1":                            "10.0.0.1",
	} {
		if m := post(url.Values{"text": {"x"}}, "X-Forwarded-For", forwarded); m.Addr != want {
			t.Errorf("%s: %q, want %q", forwarded, m.Addr, want)
		}
	}
	s = serve(t, databasetest.SQLite(t), p.handle)
	if m := post(url.Values{"text": {"x"}}, "X-Forwarded-For", "203.0.113.9"); m.Addr != "127.0.0.1" {
		t.Errorf("a stranger chose the address %q", m.Addr)
	}
}

func TestHostileReply(t *testing.T) {
	evil := `"'><script>alert(1)</script><img src=x onerror=alert(1)>` + "\u2028"
	s := serve(t, databasetest.SQLite(t), func(context.Context, bot.Message) (bot.Reply, error) {
		return bot.Reply{
			Lang: evil, Text: evil + " https://example.org/a?b=(c)). 看https://example.org/路径。 javascript:alert(1)",
			Groups: []bot.Group{{Heading: evil, Cards: []bot.Card{
				{Number: 1, Title: evil, URL: "javascript:alert(1)", Source: evil, Date: evil, Lang: evil, Cover: "javascript:alert(1)", Open: evil, Snippet: bot.Snippet{Text: evil, Marks: []bot.Span{{Start: 2, End: 11}, {Start: 5, End: 7}, {Start: 20, End: 9999}}}},
				{Title: evil, URL: "https://example.org/\"onclick=alert(1)", Cover: "data:text/html,x"},
			}}},
			Actions: []bot.Action{{Label: evil, Text: evil}, {Label: "x", URL: "javascript:alert(1)"}, {Label: "", Text: "y"}},
		}, nil
	})
	r := s.reader(t, false)
	seen := r.Say(t, evil)
	page := r.open(t)
	if got := page.Find("#log").Find("script, [onerror], [onclick], img[src=x], [href^='javascript'], [src^='javascript'], [src^='data']").Length(); got != 0 {
		html, _ := page.Find("#log").Html()
		t.Errorf("%d dangerous elements in %s", got, html)
	}
	if !strings.Contains(seen.Text, `<script>alert(1)</script>`) {
		t.Errorf("seen: %q", seen.Text)
	}
	want := []string{"https://example.org/a?b=%28c%29", "https://example.org/%e8%b7%af%e5%be%84"}
	if diff := cmp.Diff(want, seen.Links[:2]); diff != "" {
		t.Error(diff)
	}
	if got := page.Find("mark").First().Text(); got != "><script>" {
		t.Errorf("marked: %q", got)
	}
}

func TestHeaders(t *testing.T) {
	s := serve(t, databasetest.SQLite(t), (&parrot{}).handle)
	page := s.reader(t, false).open(t)
	style, _ := page.Find("link[rel=stylesheet]").Attr("href")
	script, _ := page.Find("script").Attr("src")
	origin := strings.TrimSuffix(s.url, s.Path())
	for path, want := range map[string]string{s.Path(): "no-store", style: "public, max-age=31536000, immutable", script: "public, max-age=31536000, immutable"} {
		response, err := http.Get(origin + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		h := response.Header
		if response.StatusCode != 200 || h.Get("Cache-Control") != want || h.Get("X-Content-Type-Options") != "nosniff" ||
			!strings.HasPrefix(h.Get("Content-Security-Policy"), "default-src 'none'; ") || strings.Contains(h.Get("Content-Security-Policy"), "unsafe") {
			t.Errorf("%s: %s %v", path, response.Status, h)
		}
	}
	for path, want := range map[string]int{"nothing": 404, "chat.css": 404} {
		response, err := http.Get(s.url + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("%s: %s", path, response.Status)
		}
	}
	request, _ := http.NewRequestWithContext(t.Context(), http.MethodDelete, s.url, nil)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("DELETE: %s", response.Status)
	}
}
