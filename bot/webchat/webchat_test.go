package webchat_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"

	"newsie/bot"
	"newsie/bot/bottest"
	"newsie/bot/webchat"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
	"newsie/internal/locale"
)

// parrot repeats what it hears.
type parrot struct {
	mu    sync.Mutex
	heard []bot.Message
}

func (p *parrot) handle(_ context.Context, m bot.Message) (bot.Reply, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heard = append(p.heard, m)
	if m.Kind == bot.Join {
		return bot.Reply{Lang: "en", Text: "welcome"}, nil
	}
	return bot.Reply{Lang: "en", Text: "you said " + m.Text}, nil
}

func (p *parrot) last() bot.Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.heard[len(p.heard)-1]
}

func (p *parrot) count(text string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, m := range p.heard {
		if m.Text == text {
			n++
		}
	}
	return n
}

// texts are the messages that a page shows, the reader's marked ">".
func texts(page *goquery.Document) []string {
	return page.Find("#log .entry").Map(func(_ int, s *goquery.Selection) string {
		text := strings.TrimSpace(s.Find(".bubble").Text())
		if s.HasClass("me") {
			return "> " + text
		}
		return text
	})
}

func TestLookingLeavesNothing(t *testing.T) {
	p := &parrot{}
	s := serve(t, databasetest.SQLite(t), p.handle)
	for range 3 {
		if diff := cmp.Diff([]string{"welcome"}, texts(s.reader(t, false).open(t))); diff != "" {
			t.Error(diff)
		}
	}
	if n := s.count(t); n != 0 {
		t.Errorf("%d rows", n)
	}
	if p.last().Chat.ID != "" || p.count("/start") != 1 {
		t.Errorf("the bot was asked %d times, last for the chat %q", p.count("/start"), p.last().Chat.ID)
	}
}

func TestConversationWithoutAScript(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := serve(t, db, (&parrot{}).handle)
		r := s.reader(t, false)
		r.Say(t, "one")
		r.Say(t, "two")
		want := []string{"welcome", "> one", "you said one", "> two", "you said two"}
		if diff := cmp.Diff(want, texts(r.open(t))); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"welcome"}, texts(s.reader(t, false).open(t))); diff != "" {
			t.Errorf("a stranger sees: %s", diff)
		}
	})
}

func TestAnswerWithoutCookies(t *testing.T) {
	s := serve(t, databasetest.SQLite(t), (&parrot{}).handle)
	response, err := http.PostForm(s.url, url.Values{"text": {"hello"}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"welcome", "> hello", "you said hello"}, texts(parse(t, response, http.StatusOK))); diff != "" {
		t.Error(diff)
	}
}

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

func TestDoubleClickIsAnsweredOnce(t *testing.T) {
	p := &parrot{}
	started, finish := make(chan bool, 10), make(chan bool)
	s := serve(t, databasetest.SQLite(t), func(ctx context.Context, m bot.Message) (bot.Reply, error) {
		if m.Text == "slow" {
			started <- true
			<-finish
		}
		return p.handle(ctx, m)
	})
	r := s.reader(t, true)
	form := fields(r.open(t).Find("#composer"))
	form.Set("text", "slow")
	seen := make(chan string, 2)
	for range 2 {
		again := &reader{site: s, script: true, client: r.client}
		go func() { seen <- again.post(t, form).Text }()
	}
	<-started
	close(finish)
	if a, b := <-seen, <-seen; !strings.Contains(a, "you said slow") || a != b {
		t.Errorf("seen %q and %q", a, b)
	}
	if n := p.count("slow"); n != 1 {
		t.Errorf("answered %d times", n)
	}
	// The same page, out of the browser's cache, says something else.
	form.Set("text", "other")
	if got := r.post(t, form); !strings.Contains(got.Text, "you said other") {
		t.Errorf("seen %q", got.Text)
	}
}

func TestFailureCanBeTriedAgain(t *testing.T) {
	broken := true
	p := &parrot{}
	s := serve(t, databasetest.SQLite(t), func(ctx context.Context, m bot.Message) (bot.Reply, error) {
		if broken {
			return bot.Reply{}, errors.New("secret detail")
		}
		return p.handle(ctx, m)
	})
	r := s.reader(t, true)
	if got := r.Say(t, "hello"); !strings.Contains(got.Text, "Something went wrong") || strings.Contains(got.Text, "secret") {
		t.Errorf("the reader is told %q", got.Text)
	}
	broken = false
	if got := r.Repeat(t); !strings.Contains(got.Text, "you said hello") {
		t.Errorf("seen %q", got.Text)
	}
}

func TestSilenceLeavesNothing(t *testing.T) {
	s := serve(t, databasetest.SQLite(t), func(context.Context, bot.Message) (bot.Reply, error) { return bot.Reply{}, nil })
	if got := s.reader(t, false).Say(t, "flood"); !got.Nothing {
		t.Errorf("seen %+v", got)
	}
	if n := s.count(t); n != 0 {
		t.Errorf("%d rows", n)
	}
}

func TestForgetMe(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		p := &parrot{}
		var s *site
		s = serve(t, db, func(ctx context.Context, m bot.Message) (bot.Reply, error) {
			if m.Text == "/forget" {
				if err := s.Forget(ctx, m.Chat); err != nil {
					return bot.Reply{}, err
				}
			}
			return p.handle(ctx, m)
		})
		r, other := s.reader(t, false), s.reader(t, false)
		other.Say(t, "stays")
		r.Say(t, "one")
		r.listen(t, "99999")
		page := r.open(t)
		form := fields(page.Find("#composer"))
		form.Set("text", "/forget")
		response, err := r.client.PostForm(s.url, form)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"> /forget", "you said /forget"}, texts(parse(t, response, http.StatusOK))); diff != "" {
			t.Error(diff)
		}
		if e := r.stream.next(t); e.kind != "forgotten" {
			t.Errorf("the other tab is told %+v", e)
		}
		if n := s.count(t); n != 3 {
			t.Errorf("%d rows are left, want the other reader's 3", n)
		}
		var left int
		if err := db.Reader().NewRaw("SELECT COUNT(*) FROM inbox WHERE answered = 0").Scan(t.Context(), &left); err != nil || left != 0 {
			t.Errorf("the inbox holds %d claims (%v)", left, err)
		}
		at, _ := url.Parse(s.url)
		if cookies := r.client.Jar.Cookies(at); len(cookies) != 0 {
			t.Errorf("cookies left: %v", cookies)
		}
	})
}

func TestStreamGoesOnWhereItBroke(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		p := &parrot{}
		s := serve(t, db, p.handle)
		r := s.reader(t, true)
		r.Say(t, "one")
		chat := p.last().Chat
		r.listen(t, "")
		push := func(text string) {
			if _, err := s.Send(t.Context(), bot.Outgoing{To: chat, Reply: bot.Reply{Text: text}}); err != nil {
				t.Fatal(err)
			}
		}
		push("first push")
		first := r.stream.next(t)
		if !strings.Contains(first.data, "first push") || first.id == "" || strings.Contains(first.data, "one") {
			t.Fatalf("event: %+v", first)
		}
		push("second push")
		r.Say(t, "two")
		tab := &reader{site: s, client: r.client}
		tab.listen(t, first.id)
		for _, want := range []string{"second push", "two", "you said two"} {
			if e := tab.stream.next(t); !strings.Contains(e.data, want) {
				t.Errorf("event %+v, want %q", e, want)
			}
			if e := r.stream.next(t); !strings.Contains(e.data, want) {
				t.Errorf("in the first tab: %+v, want %q", e, want)
			}
		}
	})
}

func TestStreamShowsThatItLives(t *testing.T) {
	s := serve(t, databasetest.SQLite(t), (&parrot{}).handle, func(c *webchat.Config) { c.Heartbeat = time.Millisecond })
	r := s.reader(t, true)
	r.open(t)
	r.listen(t, "")
	for line := ""; line != ": still here"; {
		line = r.stream.line(t)
	}
}

func TestStreamSeesOtherReplicas(t *testing.T) {
	address := databasetest.PostgresAddress(t)
	p := &parrot{}
	one := serve(t, databasetest.Open(t, address), p.handle)
	two := serve(t, databasetest.Open(t, address), p.handle)
	r := one.reader(t, true)
	r.Say(t, "hello")
	r.listen(t, "")
	if _, err := two.Send(t.Context(), bot.Outgoing{To: p.last().Chat, Reply: bot.Reply{Text: "from the other one"}}); err != nil {
		t.Fatal(err)
	}
	if e := r.stream.next(t); !strings.Contains(e.data, "from the other one") {
		t.Errorf("event: %+v", e)
	}
}

func TestStreamOutlivesTheTimeoutsOfPages(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		t.Run(fmt.Sprintf("http2 %v", http2), func(t *testing.T) {
			c := serve(t, databasetest.SQLite(t), (&parrot{}).handle, func(c *webchat.Config) { c.Heartbeat, c.WriteTimeout = 150*time.Millisecond, 100*time.Millisecond }).Channel
			server := httptest.NewUnstartedServer(c)
			server.Config.WriteTimeout = 500 * time.Millisecond
			server.EnableHTTP2 = http2
			if http2 {
				server.StartTLS()
			} else {
				server.Start()
			}
			t.Cleanup(server.Close)
			client := server.Client()
			client.Jar, _ = cookiejar.New(nil)
			r := &reader{site: &site{Channel: c, url: server.URL + c.Path()}, client: client}
			r.open(t)
			r.listen(t, "")
			for range 10 { // lines, five heartbeats: longer than a page may take
				r.stream.line(t)
			}
		})
	}
}

func TestOwnAddressesWorkByAnyName(t *testing.T) {
	s := serve(t, databasetest.SQLite(t), func(context.Context, bot.Message) (bot.Reply, error) {
		return bot.Reply{Text: "see https://paper.example/news/feed.xml", Groups: []bot.Group{{Cards: []bot.Card{
			{Number: 1, Title: "ours", URL: "https://paper.example/news/a/1/x?y=z", Cover: "https://paper.example/news/media/x.png"},
			{Number: 2, Title: "theirs", URL: "https://paper.example.evil/a", Cover: "http://other.example/x.png"},
		}}}}, nil
	}, func(c *webchat.Config) { c.PublicURL = "https://paper.example/news/" })
	page := s.reader(t, false).open(t)
	entries := page.Find("#log .entry")
	want := []string{"/news/feed.xml", "/news/a/1/x?y=z", "https://paper.example.evil/a"}
	if diff := cmp.Diff(want, see(entries).Links); diff != "" {
		t.Error(diff)
	}
	pictures := entries.Find("img").Map(func(_ int, s *goquery.Selection) string { src, _ := s.Attr("src"); return src })
	if diff := cmp.Diff([]string{"/news/media/x.png", "https://other.example/x.png"}, pictures); diff != "" {
		t.Error(diff)
	}
}

func TestStreamsEndWithTheServer(t *testing.T) {
	catalog, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	db := databasetest.SQLite(t)
	c, err := webchat.New(webchat.Config{Name: "demo", DB: db, Handler: (&parrot{}).handle, Inbox: bot.NewInbox(db, time.Now), Settings: bot.NewSettings(db, time.Now), Catalog: catalog})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	jar, _ := cookiejar.New(nil)
	r := &reader{site: &site{Channel: c, url: server.URL + c.Path()}, client: &http.Client{Jar: jar}}
	r.open(t)
	r.listen(t, "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Run(ctx); err != nil {
		t.Fatal(err)
	}
	for r.stream.lines.Scan() {
		if line := r.stream.lines.Text(); line != "" {
			t.Errorf("the stream says %q", line)
		}
	}
	if err := r.stream.lines.Err(); err != nil {
		t.Errorf("the stream broke: %v", err)
	}
}

func TestSend(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		p := &parrot{}
		s := serve(t, db, p.handle)
		hello := bot.Reply{Text: "hello"}
		if _, err := s.Send(t.Context(), bot.Outgoing{To: bot.ChatID{Channel: "demo", ID: "nobody"}, Reply: hello}); !errors.Is(err, bot.ErrGone) {
			t.Errorf("to nobody: %v", err)
		}
		if _, err := s.Send(t.Context(), bot.Outgoing{To: bot.ChatID{Channel: "other", ID: "x"}, Reply: hello}); err == nil {
			t.Error("it sent for another channel")
		}
		if _, err := s.Send(t.Context(), bot.Outgoing{To: bot.ChatID{Channel: "demo", ID: "x"}}); err == nil {
			t.Error("it sent nothing")
		}
		_, err := db.ExecContext(t.Context(), `INSERT INTO follows (channel, chat, topic, query, spec, zone, next_due_at, since_seq, created_at) VALUES ('demo', 'old', 'a', 'a', '* * * * *', 'UTC', 0, 0, 0)`)
		if err != nil {
			t.Fatal(err)
		}
		follower := bot.ChatID{Channel: "demo", ID: "old"}
		first, err := s.Send(t.Context(), bot.Outgoing{Key: `e/1"`, To: follower, Reply: hello})
		if err != nil || first.Way != "message" || first.ProviderID == "" {
			t.Fatalf("to a follower without history: %+v %v", first, err)
		}
		again, err := s.Send(t.Context(), bot.Outgoing{Key: `e/1"`, To: follower, Reply: hello})
		if err != nil || again != first || s.count(t) != 1 {
			t.Errorf("the same key again: %+v %v, %d rows", again, err, s.count(t))
		}
		for _, key := range []string{`e/1`, `e/12"`, ""} {
			if _, err := s.Send(t.Context(), bot.Outgoing{Key: key, To: follower, Reply: hello}); err != nil {
				t.Error(err)
			}
		}
		if n := s.count(t); n != 4 {
			t.Errorf("%d rows, want 4", n)
		}
	})
}

func TestHistoryIsKeptForThirtyDays(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := serve(t, db, (&parrot{}).handle)
		r := s.reader(t, false)
		r.Say(t, "old")
		s.clock.at = s.clock.at.Add(29 * 24 * time.Hour)
		r.Say(t, "young")
		s.clock.at = s.clock.at.Add(2 * 24 * time.Hour)
		if err := s.Prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"> young", "you said young"}, texts(r.open(t))); diff != "" {
			t.Error(diff)
		}
	})
}

func TestEarlierMessages(t *testing.T) {
	s := serve(t, databasetest.SQLite(t), (&parrot{}).handle)
	r := s.reader(t, false)
	for i := range 40 {
		r.Say(t, fmt.Sprint("message ", i))
	}
	page := r.open(t)
	if got := texts(page); len(got) != 60 || got[59] != "you said message 39" {
		t.Fatalf("the page shows %d messages, the last %q", len(got), got[len(got)-1])
	}
	link, _ := page.Find(".earlier a").Attr("href")
	response, err := r.client.Get(s.url + link)
	if err != nil {
		t.Fatal(err)
	}
	if got := texts(parse(t, response, http.StatusOK)); len(got) != 21 || got[0] != "welcome" || got[20] != "you said message 9" {
		t.Errorf("earlier: %q", got)
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

func TestRightToLeftIsLeftToTheBrowser(t *testing.T) {
	s := serve(t, databasetest.SQLite(t), (&parrot{}).handle)
	r := s.reader(t, false)
	r.Say(t, "שלום")
	if got, _ := r.open(t).Find(".me .bubble p").Attr("dir"); got != "auto" {
		t.Errorf("dir = %q", got)
	}
}

func TestWordsFollowTheReader(t *testing.T) {
	s := serve(t, databasetest.SQLite(t), func(_ context.Context, m bot.Message) (bot.Reply, error) {
		if m.Text == "/lang it" {
			return bot.Reply{Lang: "it", Text: "Va bene"}, nil
		}
		return bot.Reply{}, nil
	})
	r := s.reader(t, false)
	if got := r.open(t).Find("#log").Text(); !strings.Contains(got, "Hello!") || !strings.Contains(got, "The Paper") {
		t.Errorf("the welcome: %q", got)
	}
	r.Say(t, "/lang it")
	page := r.open(t)
	if got, _ := page.Find("html").Attr("lang"); got != "it" || page.Find(".top nav a").Text() != "Articoli" {
		t.Errorf("the page is in %q: %q", got, page.Find(".top").Text())
	}
}

func TestWelcomesDoNotMix(t *testing.T) {
	catalog, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	// The publisher's own language is Chinese; that of the first visitor nobody speaks.
	s := serve(t, databasetest.SQLite(t), func(_ context.Context, m bot.Message) (bot.Reply, error) {
		lang := "zh-Hans"
		if m.Lang != "" {
			lang = catalog.Match(m.Lang)
		}
		return bot.Reply{Lang: lang, Text: "welcome in " + lang}, nil
	})
	for _, test := range [][2]string{{"fi", "zh-Hans"}, {"en-GB", "en"}, {"ja", "zh-Hans"}, {"ja, it;q=0.5", "it"}, {"", "zh-Hans"}, {"x;;q", "zh-Hans"}} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Accept-Language", test[0])
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		page := parse(t, response, http.StatusOK)
		lang, _ := page.Find("html").Attr("lang")
		if diff := cmp.Diff([]string{"welcome in " + test[1]}, texts(page)); diff != "" || lang != test[1] {
			t.Errorf("%s: the page is in %q and says %s", test[0], lang, diff)
		}
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

func TestNewAndCheck(t *testing.T) {
	for _, name := range []string{"", "a/b", "..", "a b", "{x}"} {
		if _, err := webchat.New(webchat.Config{Name: name}); err == nil {
			t.Errorf("the name %q was accepted", name)
		}
	}
	if _, err := webchat.New(webchat.Config{Name: "demo"}); err == nil {
		t.Error("a chat without a database was made")
	}
	for public, ok := range map[string]bool{"https://paper.example": true, "http://127.0.0.1:8080": true, "http://localhost": true, "http://paper.example": false} {
		s := serve(t, databasetest.SQLite(t), (&parrot{}).handle, func(c *webchat.Config) { c.PublicURL = public })
		if f := s.Check(t.Context()); len(f) != 1 || f[0].OK != ok || (f[0].Advice == "") != ok {
			t.Errorf("%s: %+v", public, f)
		}
	}
}

var _ bot.Sender = (*webchat.Channel)(nil)
var _ bottest.Platform = (*reader)(nil)
