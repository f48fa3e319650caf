package webchat_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"newsie/bot"
	"newsie/bot/bottest"
	"newsie/bot/webchat"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
	"newsie/internal/locale"
)

// clock is a time that only tests move.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

// site is a browser chat served over HTTP.
type site struct {
	*webchat.Channel
	db    *database.DB
	url   string // of the chat's page
	clock *clock
}

func serve(t *testing.T, db *database.DB, h bot.Handler, change ...func(*webchat.Config)) *site {
	t.Helper()
	catalog, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	s := &site{db: db, clock: &clock{time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	config := webchat.Config{
		Name: "demo", Title: "The Paper", PublicURL: server.URL, DB: db, Handler: h,
		Inbox: bot.NewInbox(db, s.clock.now), Settings: bot.NewSettings(db, s.clock.now), Catalog: catalog, Now: s.clock.now,
		Poll: 20 * time.Millisecond,
	}
	for _, f := range change {
		f(&config)
	}
	if s.Channel, err = webchat.New(config); err != nil {
		t.Fatal(err)
	}
	mux.Handle(s.Path(), s.Channel)
	mux.HandleFunc("/media/cover.png", picture)
	s.url = server.URL + s.Path()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return s
}

// count is how many rows the history has.
func (s *site) count(t *testing.T) int {
	t.Helper()
	var n int
	if err := s.db.Reader().NewRaw("SELECT COUNT(*) FROM webchat_messages").Scan(t.Context(), &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// reader is a person with a browser that runs no scripts, or with ours.
type reader struct {
	site   *site
	client *http.Client
	script bool
	chat   bot.ChatID // as the bot heard it
	shown  *goquery.Selection
	last   url.Values // what was posted last
	stream *stream
}

func (s *site) reader(t *testing.T, script bool) *reader {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &reader{site: s, script: script, client: &http.Client{Jar: jar}}
}

// open loads the page.
func (r *reader) open(t *testing.T) *goquery.Document {
	t.Helper()
	response, err := r.client.Get(r.site.url)
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, response, http.StatusOK)
}

func parse(t *testing.T, response *http.Response, status int) *goquery.Document {
	t.Helper()
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != status {
		t.Fatalf("status %d, want %d: %s", response.StatusCode, status, body)
	}
	page, err := goquery.NewDocumentFromReader(strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// post sends a form as the browser would and returns what the answer shows.
func (r *reader) post(t *testing.T, form url.Values) bottest.Seen {
	t.Helper()
	r.last = form
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.site.url, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", strings.TrimSuffix(r.site.url, r.site.Path()))
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	if r.script {
		request.Header.Set("Newsie-Fragment", "1")
	}
	response, err := r.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	page := parse(t, response, response.StatusCode)
	if response.StatusCode != http.StatusOK {
		r.shown = page.Find("nothing")
		return bottest.Seen{Nothing: true, Text: page.Text()}
	}
	entries := page.Find(".entry")
	if !r.script {
		// The redirect leads to the reader's own words; the answer follows them.
		at := response.Request.URL.Fragment
		entries = page.Find("#" + at).NextAll()
		if at == "end" || entries.Length() == 0 {
			entries = page.Find("nothing")
		}
	}
	r.shown = entries.Filter(".it")
	return see(r.shown)
}

// see reads entries as a reader does.
func see(entries *goquery.Selection) bottest.Seen {
	seen := bottest.Seen{Nothing: entries.Length() == 0}
	visible := entries.Clone()
	visible.Find(".hidden, .row, form").Remove()
	var text []string
	visible.Find("p, h3, h4, span.meta").Each(func(_ int, s *goquery.Selection) { text = append(text, s.Text()) })
	seen.Text = strings.Join(text, "\n")
	entries.Find("a[href]").Each(func(_ int, s *goquery.Selection) {
		link, _ := s.Attr("href")
		seen.Links = append(seen.Links, link)
	})
	entries.Find("form.tap button").Each(func(_ int, s *goquery.Selection) { seen.Buttons = append(seen.Buttons, s.Text()) })
	return seen
}

// fields reads a form's hidden fields.
func fields(form *goquery.Selection) url.Values {
	values := url.Values{}
	form.Find("input[type=hidden]").Each(func(_ int, s *goquery.Selection) {
		name, _ := s.Attr("name")
		value, _ := s.Attr("value")
		values.Set(name, value)
	})
	return values
}

// Say is part of bottest.Platform, as are Tap, Repeat and Push.
func (r *reader) Say(t *testing.T, text string) bottest.Seen {
	t.Helper()
	form := fields(r.open(t).Find("#composer"))
	form.Set("text", text)
	return r.post(t, form)
}

func (r *reader) Tap(t *testing.T, label string) bottest.Seen {
	t.Helper()
	button := r.shown.Find("form.tap button").FilterFunction(func(_ int, s *goquery.Selection) bool {
		return strings.Contains(s.Text(), label)
	}).First()
	if button.Length() == 0 {
		t.Fatalf("no button %q", label)
	}
	form := fields(button.Closest("form"))
	value, _ := button.Attr("value")
	form.Set("tap", value)
	return r.post(t, form)
}

func (r *reader) Repeat(t *testing.T) bottest.Seen {
	t.Helper()
	return r.post(t, r.last)
}

func (r *reader) Push(t *testing.T, reply bot.Reply) bottest.Seen {
	t.Helper()
	if r.script {
		r.listen(t, "")
	}
	if _, err := r.site.Send(t.Context(), bot.Outgoing{To: r.chat, Reply: reply}); err != nil {
		t.Fatal(err)
	}
	if r.script {
		return see(r.stream.next(t).entries(t))
	}
	return see(r.open(t).Find("#log .entry").Last())
}

// stream is an open event stream.
type stream struct{ lines *bufio.Scanner }

type event struct{ id, kind, data string }

func (e event) entries(t *testing.T) *goquery.Selection {
	t.Helper()
	page, err := goquery.NewDocumentFromReader(strings.NewReader(e.data))
	if err != nil {
		t.Fatal(err)
	}
	return page.Find(".entry")
}

// listen opens the event stream, after an event id when it is not empty.
func (r *reader) listen(t *testing.T, after string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.site.url+"events", nil)
	if err != nil {
		t.Fatal(err)
	}
	if after != "" {
		request.Header.Set("Last-Event-ID", after)
	}
	response, err := r.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	if response.StatusCode != http.StatusOK || !strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream") {
		t.Fatalf("events: %s %s", response.Status, response.Header.Get("Content-Type"))
	}
	r.stream = &stream{bufio.NewScanner(response.Body)}
	r.stream.lines.Buffer(nil, 1<<20)
	if line := r.stream.line(t); line != "retry: 2000" {
		t.Fatalf("the stream begins with %q", line)
	}
}

func (s *stream) line(t *testing.T) string {
	t.Helper()
	if !s.lines.Scan() {
		t.Fatalf("the stream ended: %v", s.lines.Err())
	}
	return s.lines.Text()
}

// next waits for an event; comments are passed over.
func (s *stream) next(t *testing.T) event {
	t.Helper()
	var e event
	for {
		line := s.line(t)
		name, value, _ := strings.Cut(line, ": ")
		switch {
		case name == "id":
			e.id = value
		case name == "event":
			e.kind = value
		case name == "data":
			e.data += value + "\n"
		case line == "" && e.kind != "":
			return e
		}
	}
}

// platform is a reader whose chat id the suite's Push can use.
func platform(t *testing.T, db *database.DB, h bot.Handler, script bool) bottest.Platform {
	var r *reader
	r = serve(t, db, func(ctx context.Context, m bot.Message) (bot.Reply, error) {
		if m.Chat.ID != "" {
			r.chat = m.Chat
		}
		return h(ctx, m)
	}).reader(t, script)
	return r
}

func TestConformance(t *testing.T) {
	t.Run("without a script", func(t *testing.T) {
		bottest.Conform(t, func(t *testing.T, h bot.Handler) bottest.Platform {
			return platform(t, databasetest.SQLite(t), h, false)
		})
	})
	t.Run("with the script", func(t *testing.T) {
		bottest.Conform(t, func(t *testing.T, h bot.Handler) bottest.Platform {
			return platform(t, databasetest.SQLite(t), h, true)
		})
	})
	t.Run("postgres", func(t *testing.T) {
		bottest.Conform(t, func(t *testing.T, h bot.Handler) bottest.Platform {
			return platform(t, databasetest.Postgres(t), h, true)
		})
	})
}
