package console_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"newsie/bot"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
	"newsie/internal/locale"
	"newsie/internal/web/console"
)

const (
	secret  = "four odd brass lamps"
	another = "a kettle on the night train"
)

// A clock stands still until it is moved.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.at.Store(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC).UnixMilli())
	return c
}

func (c *clock) now() time.Time        { return time.UnixMilli(c.at.Load()) }
func (c *clock) move(by time.Duration) { c.at.Add(by.Milliseconds()) }

// A house is one server with a console.
type house struct {
	t      *testing.T
	db     *database.DB
	clock  *clock
	users  *console.Users
	server *httptest.Server
	log    *bytes.Buffer
}

// build serves a console whose public address is public, "" for the server's own.
func build(t *testing.T, db *database.DB, clock *clock, public string, change ...func(*console.Config)) *house {
	t.Helper()
	catalog, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, db: db, clock: clock, users: console.NewUsers(db, clock.now), log: &bytes.Buffer{}}
	h.users.Hash(64, 1) // a real one takes its time
	h.server = httptest.NewUnstartedServer(nil)
	if public == "" {
		public = "http://" + h.server.Listener.Addr().String()
	}
	config := console.Config{
		Users: h.users, Catalog: catalog, Pacer: bot.NewPacer(db, clock.now), PublicURL: public, Name: "The Lamp", Now: clock.now,
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Logger: slog.New(slog.NewTextHandler(h.log, nil)),
	}
	for _, f := range change {
		f(&config)
	}
	c, err := console.New(config)
	if err != nil {
		t.Fatal(err)
	}
	h.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/favicon.svg" { // of the reader pages
			w.Header().Set("Content-Type", "image/svg+xml")
			_, _ = io.WriteString(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="60" rx="14" fill="#0e6b5e"/></svg>`)
			return
		}
		c.ServeHTTP(w, r)
	})
	h.server.Start()
	t.Cleanup(h.server.Close)
	return h
}

func (h *house) add(name, password string) {
	h.t.Helper()
	if _, err := h.users.Add(h.t.Context(), name, password); err != nil {
		h.t.Fatal(err)
	}
}

// A person has a browser, with cookies, at an address.
type person struct {
	h      *house
	client *http.Client
	from   string
	header http.Header
}

func (h *house) person(from string) *person {
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return &person{h, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, from, http.Header{}}
}

// A page is what a server answered.
type page struct {
	status int
	header http.Header
	body   string
}

func (p page) to() string { return p.header.Get("Location") }

func (p *person) do(method, path string, form url.Values) page {
	p.h.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(p.h.t.Context(), method, p.h.server.URL+path, body)
	if err != nil {
		p.h.t.Fatal(err)
	}
	r.Header.Set("Accept-Language", "en")
	r.Header.Set("X-Forwarded-For", p.from)
	r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for name, values := range p.header {
		r.Header[name] = values
	}
	if host := p.header.Get("Host"); host != "" {
		r.Host = host
	}
	response, err := p.client.Do(r)
	if err != nil {
		p.h.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		p.h.t.Fatal(err)
	}
	return page{response.StatusCode, response.Header, string(data)}
}

func (p *person) get(path string) page { p.h.t.Helper(); return p.do("GET", path, nil) }
func (p *person) post(path string, pairs ...string) page {
	p.h.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return p.do("POST", path, form)
}

func (p *person) login(name, password string) page {
	p.h.t.Helper()
	return p.post("/console/login", "name", name, "password", password)
}

// in reports whether the person sees what is behind the login.
func (p *person) in() bool {
	p.h.t.Helper()
	return p.get("/console/account").status == http.StatusOK
}

// mustLogin fails the test unless the person gets in.
func (p *person) mustLogin(name, password string) {
	p.h.t.Helper()
	if got := p.login(name, password); got.status != http.StatusSeeOther || !p.in() {
		p.h.t.Fatalf("the login of %s answers %d: %s", name, got.status, got.body)
	}
}

func (p *person) token(name string) string {
	u, err := url.Parse(p.h.server.URL + "/console/")
	if err != nil {
		p.h.t.Fatal(err)
	}
	for _, cookie := range p.client.Jar.Cookies(u) {
		if cookie.Name == name {
			return cookie.Value
		}
	}
	return ""
}

func ctx(t *testing.T) context.Context { return t.Context() }

func TestAPublisherLogsInAndOut(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := build(t, db, newClock(), "")
		h.add("Anna", secret)
		anna := h.person("203.0.113.7")
		if got := anna.get("/console/account"); got.status != 303 || got.to() != "/console/login?next=account" {
			t.Fatalf("a stranger is sent with %d to %q", got.status, got.to())
		}
		if got := anna.post("/console/login", "name", " ANNA", "password", secret, "next", "account"); got.status != 303 || got.to() != "/console/account" {
			t.Fatalf("the login answers %d to %q: %s", got.status, got.to(), got.body)
		}
		account := anna.get("/console/account")
		for _, want := range []string{"<strong dir=\"auto\">anna</strong>", "Firefox on Linux", "203.0.113.7", "this browser"} {
			if !strings.Contains(account.body, want) {
				t.Errorf("the account page lacks %q: %s", want, account.body)
			}
		}
		if got := anna.post("/console/logout"); got.status != 303 || got.to() != "/console/login" {
			t.Errorf("the logout answers %d to %q", got.status, got.to())
		}
		if anna.in() {
			t.Error("anna is in after she logged out")
		}
		if sessions, err := h.users.Sessions(ctx(t), ""); err != nil || len(sessions) != 0 {
			t.Errorf("there are %v, %v after the logout", sessions, err)
		}
	})
}
