package console_test

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"newsie/internal/database"
	"newsie/internal/database/databasetest"
	"newsie/internal/web/console"
)

func TestSessionsEnd(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		clock := newClock()
		h := build(t, db, clock, "")
		h.add("anna", secret)
		rows := func() (n int) {
			t.Helper()
			if err := h.users.Prune(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := db.Reader().QueryRowContext(t.Context(), "SELECT count(*) FROM sessions").Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		anna := h.person("203.0.113.7")
		anna.mustLogin("anna", secret)
		clock.move(12*time.Hour - time.Second)
		if n := rows(); n != 1 || !anna.in() {
			t.Fatal("the session ended before twelve hours")
		}
		clock.move(12 * time.Hour)
		if anna.in() {
			t.Error("the session goes on twelve hours after the last visit")
		}
		if list, err := h.users.Sessions(t.Context(), "anna"); err != nil || len(list) != 0 {
			t.Errorf("it is listed: %v, %v", list, err)
		}
		if n := rows(); n != 0 {
			t.Error("it is kept")
		}
		anna.mustLogin("anna", secret)
		for i := range 72 {
			clock.move(10 * time.Hour)
			if in := anna.in(); in != (i < 71) {
				t.Fatalf("after %d hours she is in: %v", (i+1)*10, in)
			}
		}
		if n := rows(); n != 0 {
			t.Error("the session of 30 days is kept")
		}
		if _, _, err := h.users.Link(t.Context(), "anna"); err != nil {
			t.Fatal(err)
		}
		clock.move(15 * time.Minute)
		rows()
		var links int
		if err := db.Reader().QueryRowContext(t.Context(), "SELECT count(*) FROM user_links").Scan(&links); err != nil || links != 0 {
			t.Errorf("%d links are kept after their time, %v", links, err)
		}
	})
}

func TestSessionsAreListedAndRevoked(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		clock := newClock()
		h := build(t, db, clock, "")
		h.add("anna", secret)
		h.add("bruno", another)
		laptop, phone, bruno := h.person("203.0.113.7"), h.person("2001:db8::7"), h.person("198.51.100.4")
		phone.header.Set("User-Agent", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1 \t <script>"+strings.Repeat("长", 200))
		laptop.mustLogin("anna", secret)
		clock.move(time.Hour)
		phone.mustLogin("anna", secret)
		bruno.mustLogin("bruno", another)
		clock.move(time.Hour)
		sessions, err := h.users.Sessions(t.Context(), "anna")
		if err != nil || len(sessions) != 2 {
			t.Fatalf("anna has %d sessions, %v", len(sessions), err)
		}
		last, first := sessions[0], sessions[1]
		if last.Address != "2001:db8::7" || first.Address != "203.0.113.7" || !first.Created.Equal(clock.now().Add(-2*time.Hour)) || !last.Seen.Equal(clock.now().Add(-time.Hour)) {
			t.Errorf("the sessions are %+v", sessions)
		}
		if len(last.Agent) > 250 || strings.Contains(last.Agent, "\t") || !strings.Contains(last.Agent, "iPhone") {
			t.Errorf("the phone is kept as %q", last.Agent)
		}
		// When it was seen is written once a minute, and where it is at once.
		for _, step := range []struct {
			by   time.Duration
			from string
			want time.Duration // since it was seen
		}{{0, "203.0.113.7", 0}, {59 * time.Second, "203.0.113.7", 59 * time.Second}, {time.Second, "203.0.113.7", 0}, {time.Second, "203.0.113.10", 0}} {
			clock.move(step.by)
			laptop.from = step.from
			laptop.in()
			now, err := h.users.Sessions(t.Context(), "anna")
			if err != nil || now[0].Address != step.from || clock.now().Sub(now[0].Seen) != step.want {
				t.Errorf("after %v from %s the sessions are %+v, %v", step.by, step.from, now, err)
			}
		}
		page := laptop.get("/console/account").body
		for _, want := range []string{"Firefox on Linux", "Safari on iPhone", "this browser", "2001:db8::7", "23 November 2026, 10:00"} {
			if !strings.Contains(page, want) {
				t.Errorf("the page lacks %q", want)
			}
		}
		if strings.Contains(page, "198.51.100.4") || strings.Contains(page, "<script>长") {
			t.Error("the page shows bruno's session, or what a browser says as markup")
		}
		// Nobody ends another user's session.
		others, err := h.users.Sessions(t.Context(), "bruno")
		if err != nil {
			t.Fatal(err)
		}
		laptop.post("/console/sessions/revoke", "id", others[0].ID)
		if !bruno.in() {
			t.Fatal("anna has ended bruno's session")
		}
		if got := laptop.post("/console/sessions/revoke", "id", last.ID); got.status != http.StatusSeeOther || phone.in() || !laptop.in() {
			t.Errorf("revoking answers %d; the phone is in: %v", got.status, phone.in())
		}
		phone.mustLogin("anna", secret)
		tablet := h.person("203.0.113.9")
		tablet.mustLogin("anna", secret)
		laptop.post("/console/sessions/revoke", "id", "others")
		if phone.in() || tablet.in() || !laptop.in() || !bruno.in() {
			t.Error("all other sessions of anna, and no more, should have ended")
		}
		if err := h.users.Revoke(t.Context(), first.ID); err != nil || laptop.in() {
			t.Errorf("the session is in after it was revoked, %v", err)
		}
		if err := h.users.Revoke(t.Context(), first.ID); !errors.Is(err, console.ErrNoSession) {
			t.Errorf("revoking it again: %v", err)
		}
		if n, err := h.users.RevokeAll(t.Context(), "bruno", ""); n != 1 || err != nil || bruno.in() {
			t.Errorf("%d of bruno's sessions ended, %v", n, err)
		}
	})
}

func TestASessionThatEndedDoesNotComeBack(t *testing.T) {
	clock := newClock()
	var during atomic.Pointer[func()]
	h := build(t, databasetest.SQLite(t), clock, "", func(c *console.Config) {
		c.Now = func() time.Time {
			if do := during.Swap(nil); do != nil {
				(*do)()
			}
			return clock.now()
		}
	})
	h.add("anna", "")
	link, _, err := h.users.Link(t.Context(), "anna")
	if err != nil {
		t.Fatal(err)
	}
	anna := h.person("203.0.113.7")
	anna.post(console.EnterPath(link))
	// The page has something new for the session, so it is kept at its end.
	anna.post("/console/sessions/revoke", "id", "others")
	looked := 0
	var revoke func()
	revoke = func() {
		if looked++; looked < 2 { // the first time is asked for before the session is looked for
			during.Store(&revoke)
			return
		}
		if n, err := h.users.RevokeAll(t.Context(), "anna", ""); n != 1 || err != nil {
			t.Errorf("%d sessions ended, %v", n, err)
		}
	}
	during.Store(&revoke)
	if got := anna.get("/console/account"); got.status != http.StatusOK || !strings.Contains(got.body, "Signed out.") {
		t.Fatalf("the page under way answers %d", got.status)
	}
	if looked != 2 || anna.in() {
		t.Error("the session is there again after it was ended while a page was made")
	}
}

func TestAPasswordIsChanged(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		clock := newClock()
		h := build(t, db, clock, "")
		h.add("anna", secret)
		anna, phone := h.person("203.0.113.7"), h.person("203.0.113.8")
		anna.mustLogin("anna", secret)
		phone.mustLogin("anna", secret)
		before := anna.token("newsie_console")
		for name, form := range map[string][]string{
			"without the old one":      {"password", another, "again", another},
			"with a wrong old one":     {"current", "not this one", "password", another, "again", another},
			"with two that differ":     {"current", secret, "password", another, "again", another + "!"},
			"too short":                {"current", secret, "password", "short", "again", "short"},
			"one of the first guessed": {"current", secret, "password", "Password123!", "again", "Password123!"},
		} {
			if got := anna.post("/console/account", form...); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, `class="wrong"`) {
				t.Errorf("%s: %d", name, got.status)
			}
			clock.move(time.Minute)
		}
		if !phone.in() {
			t.Fatal("a refused change has ended a session")
		}
		got := anna.post("/console/account", "current", secret, "password", another, "again", another)
		if got.status != http.StatusSeeOther || !anna.in() || phone.in() {
			t.Errorf("the change answers %d; she is in: %v, her phone: %v: %s", got.status, anna.in(), phone.in(), got.body)
		}
		thief := h.person("198.51.100.1")
		thief.header.Set("Cookie", "newsie_console="+before)
		if thief.in() {
			t.Error("the token from before the change is in")
		}
		if got := phone.login("anna", secret); got.status != http.StatusUnauthorized {
			t.Errorf("the old password is answered with %d", got.status)
		}
		phone.mustLogin("anna", another)
		if err := h.users.SetPassword(t.Context(), "ANNA", secret); err != nil || anna.in() || phone.in() {
			t.Errorf("sessions go on after newsie user password, %v", err)
		}
		if err := h.users.SetPassword(t.Context(), "nobody", secret); !errors.Is(err, console.ErrNoUser) {
			t.Errorf("a password for nobody: %v", err)
		}
	})
}

func TestWhoCameByALinkSetsAPasswordForAQuarterOfAnHour(t *testing.T) {
	clock := newClock()
	h := build(t, databasetest.SQLite(t), clock, "")
	h.add("anna", "")
	enter := func() *person {
		t.Helper()
		link, _, err := h.users.Link(t.Context(), "anna")
		if err != nil {
			t.Fatal(err)
		}
		anna := h.person("203.0.113.7")
		anna.post(console.EnterPath(link))
		return anna
	}
	anna := enter()
	clock.move(time.Hour)
	if page := anna.get("/console/account"); !strings.Contains(page.body, "You have none yet") || strings.Contains(page.body, `name="current"`) {
		t.Error("who has no password is asked for it")
	}
	if got := anna.post("/console/account", "password", secret, "again", secret); got.status != http.StatusSeeOther {
		t.Fatalf("the first password is answered with %d: %s", got.status, got.body)
	}
	// Now she is in by her password.
	if got := anna.post("/console/account", "password", another, "again", another); got.status != http.StatusUnprocessableEntity {
		t.Errorf("another password without the first is answered with %d", got.status)
	}
	late := enter()
	clock.move(15 * time.Minute)
	if got := late.post("/console/account", "password", another, "again", another); got.status != http.StatusUnprocessableEntity {
		t.Errorf("a quarter of an hour after the link another password is answered with %d", got.status)
	}
	forgetful := enter()
	clock.move(15*time.Minute - time.Second)
	if got := forgetful.post("/console/account", "password", another, "again", another); got.status != http.StatusSeeOther || late.in() {
		t.Errorf("a forgotten password is set with %d", got.status)
	}
	forgetful.mustLogin("anna", another)
}

func TestARemovedUserIsOut(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := build(t, db, newClock(), "")
		h.add("anna", secret)
		h.add("bruno", secret)
		anna, bruno := h.person("203.0.113.7"), h.person("203.0.113.8")
		anna.mustLogin("anna", secret)
		bruno.mustLogin("bruno", secret)
		if err := h.users.Remove(t.Context(), "anna"); err != nil {
			t.Fatal(err)
		}
		if anna.in() || !bruno.in() {
			t.Error("anna is in after she was removed, or bruno is out")
		}
		h.add("anna", secret)
		if anna.in() {
			t.Error("another anna revives her sessions")
		}
		if err := h.users.Remove(t.Context(), "carla"); !errors.Is(err, console.ErrNoUser) {
			t.Errorf("removing nobody: %v", err)
		}
		if _, _, err := h.users.Link(t.Context(), "carla"); !errors.Is(err, console.ErrNoUser) {
			t.Errorf("a link for nobody: %v", err)
		}
		if _, err := h.users.Add(t.Context(), "ANNA", another); !errors.Is(err, console.ErrUserExists) {
			t.Errorf("a second anna: %v", err)
		}
		if got := h.person("203.0.113.9").login("anna", another); got.status != http.StatusUnauthorized {
			t.Errorf("the second anna's password is answered with %d", got.status)
		}
	})
}

func TestAPasswordThatChangesDuringALoginIsNotEnough(t *testing.T) {
	for name, change := range map[string]func(h *house) error{
		"changed": func(h *house) error { return h.users.SetPassword(h.t.Context(), "anna", another) },
		"removed": func(h *house) error { return h.users.Remove(h.t.Context(), "anna") },
		"anew": func(h *house) error {
			if err := h.users.Remove(h.t.Context(), "anna"); err != nil {
				return err
			}
			_, err := h.users.Add(h.t.Context(), "anna", "")
			return err
		},
	} {
		databasetest.Each(t, func(t *testing.T, db *database.DB) {
			clock := newClock()
			var during atomic.Pointer[func()]
			h := build(t, db, clock, "", func(c *console.Config) {
				c.Now = func() time.Time { // asked for when the password was right, and the session is to begin
					if do := during.Swap(nil); do != nil {
						(*do)()
					}
					return clock.now()
				}
			})
			h.add("anna", secret)
			do := func() {
				if err := change(h); err != nil {
					t.Error(err)
				}
			}
			during.Store(&do)
			anna := h.person("203.0.113.7")
			if got := anna.login("anna", secret); got.status != http.StatusUnauthorized || got.header.Get("Set-Cookie") != "" || during.Load() != nil {
				t.Errorf("%s: the login answers %d", name, got.status)
			}
			if list, err := h.users.Sessions(t.Context(), ""); err != nil || len(list) != 0 {
				t.Errorf("%s: there are sessions: %v, %v", name, list, err)
			}
		})
	}
}

func TestPasswordsAreHashedAnewWithMore(t *testing.T) {
	h := build(t, databasetest.SQLite(t), newClock(), "")
	h.add("anna", secret)
	kept := func() (encoded string) {
		t.Helper()
		if err := h.db.Reader().QueryRowContext(t.Context(), "SELECT password FROM users").Scan(&encoded); err != nil {
			t.Fatal(err)
		}
		return encoded
	}
	before := kept()
	anna := h.person("203.0.113.7")
	anna.mustLogin("anna", secret)
	if kept() != before {
		t.Error("the password was hashed anew for nothing")
	}
	h.users.Hash(128, 2)
	h.person("203.0.113.8").login("anna", another)
	if kept() != before {
		t.Error("a wrong password was hashed")
	}
	h.person("203.0.113.9").mustLogin("anna", secret)
	if got := kept(); !strings.HasPrefix(got, "$argon2id$v=19$m=128,t=2,p=1$") || !anna.in() {
		t.Errorf("the password is kept as %q; the session from before is in: %v", got, anna.in())
	}
	h.users.Hash(64, 1)
	h.person("203.0.113.10").mustLogin("anna", secret)
	if got := kept(); !strings.Contains(got, "m=128,t=2") {
		t.Errorf("the password was hashed with less: %q", got)
	}
}

func TestPasswordsThatAreGuessedFirstAreRefused(t *testing.T) {
	for password, want := range map[string]string{
		"": "console.weak_short", "ninechars": "console.weak_short", "九个字的密码不够长": "console.weak_short", "十个字的密码就够长了": "",
		"password12": "console.weak_common", "Password123!": "console.weak_common", "P@ssw0rd2026": "console.weak_common", "1234567890": "console.weak_common",
		"0987654321": "console.weak_common", "abcdefghij": "console.weak_common", "aaaaaaaaaaaa": "console.weak_common", "ababababab": "console.weak_common",
		"qwertyuiop": "console.weak_common", "newsie2026": "console.weak_common", "woaini1314520": "console.weak_common", "1990121219": "console.weak_common",
		"annabellissima": "console.weak_name", "Annabellissima1": "console.weak_name", "annabellissima annabellissima": "console.weak_name",
		secret: "", "annabellissima has a kettle": "", strings.Repeat("a kettle ", 28): "", strings.Repeat("a kettle ", 29): "console.weak_long",
		"bad \xff bytes here": "console.weak_text",
	} {
		err := console.CheckPassword("annabellissima", password)
		got := ""
		if weak := (*console.WeakError)(nil); errors.As(err, &weak) {
			got = weak.Key
		}
		if got != want {
			t.Errorf("%q: %q, want %q", password, got, want)
		}
		if err != nil && password != "" && strings.Contains(err.Error(), password) {
			t.Errorf("the error has the password %q in it", password)
		}
	}
}

func TestUserNames(t *testing.T) {
	for typed, want := range map[string]string{
		"Anna": "anna", " anna ": "anna", "ＡＮＮＡ": "anna", "安娜": "安娜", "anna@example.org": "anna@example.org", "anna.b-2_c+d": "anna.b-2_c+d",
		"e\u0301va": "éva",
	} {
		if got, err := console.UserName(typed); got != want || err != nil {
			t.Errorf("%q is called %q, %v; want %q", typed, got, err, want)
		}
	}
	for _, typed := range []string{"", " ", "a b", "-anna", "<b>", "anna\n", "a/b", "anna\x00", strings.Repeat("a", 65), strings.Repeat("a", 1e6), "\xff"} {
		if typed == "anna\n" {
			continue // what surrounds a name is left off
		}
		if got, err := console.UserName(typed); !errors.Is(err, console.ErrUserName) {
			t.Errorf("%.20q is called %q", typed, got)
		}
	}
}

func TestEveryAnswerIsGuarded(t *testing.T) {
	h := build(t, databasetest.SQLite(t), newClock(), "")
	h.add("anna", secret)
	anna := h.person("203.0.113.7")
	anna.mustLogin("anna", secret)
	large := strings.Repeat("x", 65<<10)
	for name, got := range map[string]page{
		"the login": h.person("203.0.113.8").get("/console/login"), "a login refused": h.person("203.0.113.8").login("anna", "no"),
		"sent to the login": h.person("203.0.113.8").get("/console/"), "the account": anna.get("/console/account"), "without its slash": anna.get("/console"),
		"nothing": anna.get("/console/nowhere"), "nothing for strangers": h.person("203.0.113.8").get("/console/nowhere"), "another method": anna.do("DELETE", "/console/account", nil),
		"a link": anna.get("/console/enter/x"), "too much": anna.post("/console/account", "password", large), "no file": anna.get("/console/static/x.css"),
		"refused": anna.do("PUT", "/console/account", nil), "a redirect": anna.post("/console/sessions/revoke", "id", "x"),
	} {
		for header, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
			"Cache-Control":           "no-store", "X-Robots-Tag": "noindex, nofollow", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
			"Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin", "Vary": "Accept-Language, Cookie",
		} {
			if values := got.header.Values(header); len(values) != 1 || values[0] != want {
				t.Errorf("%s (%d): %s is %q", name, got.status, header, values)
			}
		}
		if strings.Contains(got.body, "<style") || strings.Contains(got.body, " style=") || strings.Contains(got.body, "onclick") {
			t.Errorf("%s has style or script in it, which the policy forbids", name)
		}
	}
	if got := anna.post("/console/account", "password", large); got.status != http.StatusRequestEntityTooLarge {
		t.Errorf("a large form is answered with %d", got.status)
	}
	style := anna.get("/console/static/" + between(anna.get("/console/login").body+anna.get("/console/account").body, "/console/static/", `"`))
	if style.status != 200 || style.header.Get("Cache-Control") != "public, max-age=31536000, immutable" || style.header.Get("Content-Type") != "text/css; charset=utf-8" {
		t.Errorf("the style is answered with %d, %v", style.status, style.header)
	}
}

// between is what stands in a text between two others, the first time.
func between(text, before, after string) string {
	_, text, _ = strings.Cut(text, before)
	text, _, _ = strings.Cut(text, after)
	return text
}

func TestADatabaseThatIsAwayShowsNothing(t *testing.T) {
	h := build(t, databasetest.SQLite(t), newClock(), "")
	h.add("anna", secret)
	anna := h.person("203.0.113.7")
	anna.mustLogin("anna", secret)
	if _, err := h.db.ExecContext(t.Context(), "DROP TABLE sessions"); err != nil {
		t.Fatal(err)
	}
	got := anna.get("/console/account")
	if got.status != http.StatusInternalServerError || strings.Contains(got.body, "sessions") || !strings.Contains(got.body, "Something went wrong") {
		t.Errorf("answered with %d: %s", got.status, got.body)
	}
	anna.get("/console/enter/SECRETLINK")
	if bytes.Contains(h.log.Bytes(), []byte("SECRETLINK")) {
		t.Errorf("the log has a link's token: %s", h.log)
	}
}
