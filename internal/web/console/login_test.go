package console_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"newsie/internal/database"
	"newsie/internal/database/databasetest"
	"newsie/internal/web/console"
)

func TestAnotherSiteCanDoNothing(t *testing.T) {
	h := build(t, databasetest.SQLite(t), newClock(), "https://news.example")
	h.add("anna", secret)
	anna := h.person("203.0.113.7")
	if got := anna.login("anna", secret); got.status != 303 {
		t.Fatalf("the login answers %d", got.status)
	}
	anna.header.Set("Cookie", "__Secure-newsie_console="+anna.cookie(t, "anna", secret))
	link, _, err := h.users.Link(t.Context(), "anna")
	if err != nil {
		t.Fatal(err)
	}
	for _, headers := range []map[string]string{
		{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
		{"Sec-Fetch-Site": "same-site", "Origin": "https://other.news.example"},
		{"Sec-Fetch-Site": "", "Origin": "https://evil.example"},
		{"Sec-Fetch-Site": "", "Origin": "null"},
	} {
		for name, value := range headers {
			anna.header.Set(name, value)
			if value == "" {
				anna.header[name] = nil
			}
		}
		for _, path := range []string{"login", "logout", "account", "sessions/revoke", "enter/" + link, "nowhere"} {
			got := anna.post("/console/"+path, "name", "anna", "password", secret, "id", "others")
			if got.status != http.StatusForbidden || got.header.Get("Set-Cookie") != "" {
				t.Errorf("%v: %s answers %d", headers, path, got.status)
			}
		}
	}
	// Behind a proxy that rewrites Host, the public address is the console's own.
	anna.header.Set("Origin", "https://news.example")
	if got := anna.post("/console/enter/" + link); got.status != http.StatusSeeOther {
		t.Errorf("the link lets in with %d after others tried it in vain", got.status)
	}
}

// cookie logs in and gives the session's token, which a jar for http keeps back.
func (p *person) cookie(t *testing.T, name, password string) string {
	t.Helper()
	got := p.login(name, password)
	_, value, ok := strings.Cut(got.header.Get("Set-Cookie"), "newsie_console=")
	value, _, _ = strings.Cut(value, ";")
	if !ok || value == "" {
		t.Fatalf("the login answers %d without a cookie", got.status)
	}
	return value
}

func TestCookiesSuitThePublicAddress(t *testing.T) {
	db := databasetest.SQLite(t)
	local := build(t, db, newClock(), "http://localhost:8080")
	local.add("anna", secret)
	for _, tt := range []struct{ public, host, want string }{
		{"https://news.example", "news.example", "__Secure-newsie_console=*; Path=/console/; Max-Age=2592000; HttpOnly; Secure; SameSite=Lax"},
		{"https://news.example/papers/", "127.0.0.1:8080", "__Secure-newsie_console=*; Path=/papers/console/; Max-Age=2592000; HttpOnly; Secure; SameSite=Lax"},
		{"http://localhost:8080", "localhost:8080", "newsie_console=*; Path=/console/; Max-Age=2592000; HttpOnly; SameSite=Lax"},
		{"http://127.0.0.1:8080", "127.0.0.1:8080", "newsie_console=*; Path=/console/; Max-Age=2592000; HttpOnly; SameSite=Lax"},
		{"http://[::1]:8080", "[::1]:8080", "newsie_console=*; Path=/console/; Max-Age=2592000; HttpOnly; SameSite=Lax"},
		{"http://news.example", "localhost", "newsie_console=*; Path=/console/; Max-Age=2592000; HttpOnly; SameSite=Lax"},
		// Whoever listens on the way would read the password: nobody is asked for it.
		{"http://news.example", "news.example", ""},
		{"http://localhost:8080", "192.168.1.5:8080", ""},
		{"http://localhost:8080", "localhost.evil.example", ""},
	} {
		h := build(t, db, newClock(), tt.public)
		anna := h.person("203.0.113.7")
		anna.header.Set("Host", tt.host)
		got := anna.login("anna", secret)
		cookie := regexp.MustCompile(`=[A-Za-z0-9_-]{43};`).ReplaceAllString(got.header.Get("Set-Cookie"), "=*;")
		if cookie != tt.want {
			t.Errorf("%s at %s: %d with the cookie %q, want %q", tt.public, tt.host, got.status, cookie, tt.want)
		}
		safe := strings.HasPrefix(tt.public, "https:")
		if got := got.header.Get("Strict-Transport-Security"); (got != "") != safe {
			t.Errorf("%s at %s: Strict-Transport-Security %q", tt.public, tt.host, got)
		}
		if tt.want == "" {
			if form := anna.get("/console/login"); form.status != 403 || strings.Contains(form.body, `type="password"`) {
				t.Errorf("%s at %s: the login is shown with %d", tt.public, tt.host, form.status)
			}
			if got.status != 403 {
				t.Errorf("%s at %s: the login answers %d", tt.public, tt.host, got.status)
			}
		}
	}
}

func TestALoginDoesNotTellWhoExists(t *testing.T) {
	h := build(t, databasetest.SQLite(t), newClock(), "")
	h.add("bruno", secret)
	answers := func(who *person) (list []page) {
		for _, password := range []string{"wrong but long enough", "", strings.Repeat("x", 300), another} {
			got := who.login("anna", password)
			got.header.Del("Date")
			list = append(list, got)
		}
		return list
	}
	before := answers(h.person("203.0.113.7"))
	h.add("anna", secret)
	known := answers(h.person("203.0.113.8"))
	if _, err := h.db.ExecContext(t.Context(), "UPDATE users SET password = '' WHERE name = 'anna'"); err != nil {
		t.Fatal(err)
	}
	byLink := answers(h.person("203.0.113.9"))
	for name, got := range map[string][]page{"who exists": known, "who comes by links": byLink} {
		if diff := cmp.Diff(before, got, cmp.AllowUnexported(page{})); diff != "" {
			t.Errorf("the answers about a stranger and %s differ: %s", name, diff)
		}
	}
	if before[0].status != http.StatusUnauthorized {
		t.Errorf("a wrong password is answered with %d", before[0].status)
	}
	if log := h.log.String(); strings.Contains(log, "wrong but") || strings.Contains(log, "anna") {
		t.Errorf("the log tells what was typed: %s", log)
	}
}

func TestTriesAreBoundedOnAllReplicas(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		clock := newClock()
		one := build(t, db, clock, "")
		two := build(t, db, clock, "")
		one.add("anna", secret)
		replicas := []*house{one, two}
		guess := func(i int, from, name string) page {
			return replicas[i%2].person(from).login(name, "guess number "+strconv.Itoa(i))
		}
		for i := range 10 {
			if got := guess(i, "203.0.113.7", "user"+strconv.Itoa(i)); got.status != http.StatusUnauthorized {
				t.Fatalf("try %d is answered with %d", i, got.status)
			}
		}
		got := guess(11, "203.0.113.7", "anna")
		if got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") != "30" || !strings.Contains(got.body, "again in 30 seconds") {
			t.Errorf("the eleventh try is answered with %d, Retry-After %q: %s", got.status, got.header.Get("Retry-After"), got.body)
		}
		// The right password is not tried either.
		if got := two.person("203.0.113.7").login("anna", secret); got.status != http.StatusTooManyRequests {
			t.Errorf("the right password is answered with %d", got.status)
		}
		clock.move(30 * time.Second)
		one.person("203.0.113.7").mustLogin("anna", secret)
	})
}

func TestAStrangerCannotKeepAUserOut(t *testing.T) {
	clock := newClock()
	h := build(t, databasetest.SQLite(t), clock, "")
	h.add("anna", secret)
	refused := 0
	for i := range 40 { // from ten networks of IPv6, with as many addresses as they like
		from := fmt.Sprintf("2001:db8:0:%x::%x", i%10, i)
		if h.person(from).login("anna", "a guess").status == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused != 0 {
		t.Fatalf("%d of 40 tries had to wait, before anybody was to", refused)
	}
	for i := range 40 {
		if h.person(fmt.Sprintf("2001:db8:0:%x::%x", i%10, i)).login("anna", "a guess").status == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused != 30 { // three of each network were free, and of 50 others the name allows 20
		t.Errorf("%d of 80 tries had to wait, want 30", refused)
	}
	h.person("203.0.113.7").mustLogin("anna", secret)
	if got := h.person("203.0.113.8").login("bruno", "a guess"); got.status != http.StatusUnauthorized {
		t.Errorf("another name is answered with %d", got.status)
	}
}

func TestATokenFromBeforeTheLoginIsWorthNothing(t *testing.T) {
	h := build(t, databasetest.SQLite(t), newClock(), "")
	h.add("anna", secret)
	chosen := strings.Repeat("a", 43)
	anna := h.person("203.0.113.7")
	u, err := url.Parse(h.server.URL + "/console/")
	if err != nil {
		t.Fatal(err)
	}
	anna.client.Jar.SetCookies(u, []*http.Cookie{{Name: "newsie_console", Value: chosen, Path: "/console/"}})
	anna.mustLogin("anna", secret)
	first := anna.token("newsie_console")
	if first == chosen || len(first) != 43 {
		t.Fatalf("the session has the token %q", first)
	}
	anna.mustLogin("anna", secret)
	for _, token := range []string{chosen, first} {
		thief := h.person("198.51.100.1")
		thief.header.Set("Cookie", "newsie_console="+token)
		if thief.in() {
			t.Errorf("the token %q from before the login is in", token)
		}
	}
	// One that a stranger put before hers does not log her out.
	anna.header.Set("Cookie", "newsie_console="+chosen+"; newsie_console="+anna.token("newsie_console"))
	anna.client.Jar = nil
	if !anna.in() {
		t.Error("a stranger's cookie before hers logs her out")
	}
}

func TestALinkLetsInOnce(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		clock := newClock()
		h := build(t, db, clock, "")
		h.add("anna", "")
		link := func() string {
			t.Helper()
			token, until, err := h.users.Link(t.Context(), "Anna")
			if err != nil || !until.Equal(clock.now().Add(15*time.Minute)) {
				t.Fatalf("a link until %v, %v", until, err)
			}
			return console.EnterPath(token)
		}
		over := func(why, path string) {
			t.Helper()
			thief := h.person("198.51.100.1")
			form, done := thief.get(path), thief.post(path)
			if form.status != http.StatusGone || done.status != http.StatusGone || thief.in() {
				t.Errorf("a link that %s answers %d and %d, in: %v", why, form.status, done.status, thief.in())
			}
		}
		replaced := link()
		path := link()
		over("was replaced", replaced)
		// Whoever looks at the link before its owner does not use it up.
		preview := h.person("198.51.100.2")
		for _, method := range []string{"GET", "HEAD", "GET"} {
			if got := preview.do(method, path, nil); got.status != http.StatusOK || got.header.Get("Set-Cookie") != "" {
				t.Errorf("%s answers %d", method, got.status)
			}
		}
		clock.move(15*time.Minute - time.Second)
		var in atomic.Int32
		var group sync.WaitGroup
		for range 4 {
			someone := h.person("203.0.113.7")
			group.Go(func() {
				if got := someone.post(path); got.status == http.StatusSeeOther && got.to() == "/console/account" && someone.in() {
					in.Add(1)
				}
			})
		}
		group.Wait()
		if in.Load() != 1 {
			t.Errorf("%d of four came in by one link", in.Load())
		}
		over("was used", path)
		old := link()
		clock.move(15 * time.Minute)
		over("is too old", old)
		over("was never made", console.EnterPath(strings.Repeat("A", 26)))
		gone := link()
		if err := h.users.Remove(t.Context(), "anna"); err != nil {
			t.Fatal(err)
		}
		h.add("anna", "")
		over("was a removed user's", gone)
		changed := link()
		if err := h.users.SetPassword(t.Context(), "anna", secret); err != nil {
			t.Fatal(err)
		}
		over("is from before the password", changed)
	})
}

func TestNothingSecretIsKept(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := build(t, db, newClock(), "")
		if _, err := console.NewUsers(db, h.clock.now).Add(t.Context(), "anna", secret); err != nil {
			t.Fatal(err)
		}
		anna := h.person("203.0.113.7")
		anna.mustLogin("anna", secret)
		link, _, err := h.users.Link(t.Context(), "anna")
		if err != nil {
			t.Fatal(err)
		}
		anna.get(console.EnterPath(link))
		var kept string
		err = db.Reader().QueryRowContext(t.Context(), `SELECT u.password || l.token || s.token || s.id || s.agent FROM users u, user_links l, sessions s`).Scan(&kept)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(kept, "$argon2id$v=19$m=47104,t=1,p=1$") {
			t.Errorf("the password is kept as %q", kept)
		}
		var data []byte
		if err := db.Reader().QueryRowContext(t.Context(), "SELECT data FROM sessions").Scan(&data); err != nil {
			t.Fatal(err)
		}
		for _, hidden := range []string{secret, link, anna.token("newsie_console")} {
			if strings.Contains(kept+string(data), hidden) {
				t.Errorf("%q is kept as it is", hidden)
			}
			if strings.Contains(h.log.String(), hidden) {
				t.Errorf("%q is in the log", hidden)
			}
		}
	})
}

func TestALoginLeadsOnWithinTheConsoleAlone(t *testing.T) {
	for to, want := range map[string]string{
		"account": "account", "origins?by=day&from=2026-11-01": "origins?by=day&from=2026-11-01", "/account": "account", "": "",
		"https://evil.example/": "", "//evil.example/x": "", `\\evil.example`: "evil.example", `/\evil.example`: "evil.example", "../../a/3": "a/3",
		"javascript:alert(1)": "", "logout": "", "enter/X": "", "login?next=login": "", "a\r\nSet-Cookie: x=y": "", "x/%0d%0aY": "x/%0D%0AY",
		"origins?x=%zz": "", strings.Repeat("a", 501): "",
	} {
		if got := console.Next(to); got != want {
			t.Errorf("after a login %q leads to %q, want %q", to, got, want)
		}
	}
	h := build(t, databasetest.SQLite(t), newClock(), "http://localhost/papers")
	h.add("anna", secret)
	anna := h.person("203.0.113.7")
	if got := anna.post("/console/login", "name", "anna", "password", secret, "next", "//evil.example/"); got.to() != "/papers/console/" {
		t.Errorf("the login leads to %q", got.to())
	}
}

func TestTooManyLoginsAtOnceWait(t *testing.T) {
	h := build(t, databasetest.SQLite(t), newClock(), "")
	h.add("anna", secret)
	release := h.users.Occupy()
	anna := h.person("203.0.113.7")
	for _, name := range []string{"anna", "nobody"} {
		if got := anna.login(name, secret); got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") != "5" {
			t.Errorf("a login of %s that finds no turn is answered with %d", name, got.status)
		}
	}
	release()
	anna.mustLogin("anna", secret)
}
