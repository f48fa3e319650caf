package wechat_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"newsie/bot"
	"newsie/bot/wechat"
	"newsie/bot/wechat/wechattest"
	"newsie/content"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

// A wire stands between the account and the platform, and breaks when told.
type wire struct {
	to string

	mu     sync.Mutex
	calls  []string
	breaks int    // the call that it breaks at, from 1
	after  bool   // the platform has done it by then
	broken func() // what else happens at that moment
	then   *memory
}

// death is what the database knew when the wire broke, told once.
func (w *wire) death() *memory {
	w.mu.Lock()
	defer w.mu.Unlock()
	then := w.then
	w.then = nil
	return then
}

func (w *wire) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	w.calls = append(w.calls, r.URL.Path)
	breaks := len(w.calls) == w.breaks
	w.mu.Unlock()
	if breaks && !w.after {
		w.break_(out)
		return
	}
	request, err := http.NewRequestWithContext(r.Context(), r.Method, w.to+r.URL.RequestURI(), r.Body)
	if err != nil {
		panic(err)
	}
	request.Header = r.Header
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		panic(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, _ := io.ReadAll(response.Body)
	if breaks {
		w.break_(out)
		return
	}
	out.WriteHeader(response.StatusCode)
	_, _ = out.Write(body)
}

func (w *wire) break_(out http.ResponseWriter) {
	w.broken()
	if conn, _, err := http.NewResponseController(out).Hijack(); err == nil {
		_ = conn.Close()
	}
}

// A memory is what the database knew at a moment.
type memory struct{ settings, quotas []map[string]any }

func remember(t *testing.T, db *database.DB) memory {
	var m memory
	if err := db.NewRaw("SELECT name, value, expires_at FROM settings").Scan(context.Background(), &m.settings); err != nil {
		t.Error(err)
	}
	if err := db.NewRaw("SELECT name, period, used FROM quotas").Scan(context.Background(), &m.quotas); err != nil {
		t.Error(err)
	}
	return m
}

func (m memory) restore(t *testing.T, db *database.DB) {
	t.Helper()
	exec := func(query string, args ...any) {
		if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
			t.Fatal(err)
		}
	}
	exec("DELETE FROM settings")
	exec("DELETE FROM quotas")
	for _, row := range m.settings {
		exec("INSERT INTO settings (name, value, expires_at) VALUES (?, ?, ?)", row["name"], row["value"], row["expires_at"])
	}
	for _, row := range m.quotas {
		exec("INSERT INTO quotas (name, period, used) VALUES (?, ?, ?)", row["name"], row["period"], row["used"])
	}
}

// However a process ends, before or after any of its calls, the next one sends
// what is left to send, once. What the dying process would have written after
// that call is undone: it never came to it.
func TestAMassSendSurvivesACrashAtEveryCall(t *testing.T) {
	for at := 1; ; at++ {
		ended := false
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("call %d, after %v", at, after), func(t *testing.T) {
				ended = crash(t, at, after)
			})
		}
		if ended {
			if at < 8 {
				t.Errorf("only %d calls were made", at-1)
			}
			break
		}
	}
}

// crash reports whether there were fewer calls than at.
func crash(t *testing.T, at int, after bool) bool {
	db := databasetest.SQLite(t)
	var w *wire
	d := newDesk(t, db, func(_ *wechattest.Account, c *wechat.Config) {
		c.Mass.Preview, c.Mass.Lead = "publisher-1", 15*time.Minute
	})
	w = &wire{to: d.URL, breaks: at, after: after}
	server := httptest.NewServer(w)
	defer server.Close()
	reborn := func() { d.channel = d.replica(t, func(c *wechat.Config) { c.APIURL = server.URL }) }
	reborn()
	d.Reader("publisher-1").Subscribe()
	d.pictures["/media/one.png"] = picture(t, 10, 10)
	r := d.write(content.Article{Cover: "/media/one.png", Body: []content.Block{{Kind: content.Picture, URL: "/media/one.png"}}}, content.Article{})

	w.broken = func() {
		m := remember(t, db)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.then = &m
	}
	for try := 0; len(d.results) == 0; try++ {
		if try == 30 {
			t.Fatal("it never ends")
		}
		receipt, err := d.mass("key-1", r)
		if then := w.death(); then != nil {
			then.restore(t, db)
			reborn()
			continue
		}
		var retry *bot.RetryError
		switch {
		case errors.As(err, &retry):
			d.clock.Advance(retry.After)
			continue
		case errors.Is(err, bot.ErrUnknown):
			d.clock.Advance(time.Minute)
			continue
		case err != nil:
			t.Fatal(err)
		}
		if receipt.ProviderID != fmt.Sprint(d.Masses()[0].ID) {
			t.Errorf("receipt %+v", receipt)
		}
		if d.Masses()[0].Status == "SENDING" {
			if err := d.FinishMass(wechattest.MassSuccess); err != nil {
				t.Fatal(err)
			}
		}
		_ = d.channel.FollowUp(t.Context()) // which may be where it dies
	}
	if n := len(d.Masses()); n != 1 {
		t.Errorf("%d mass sends", n)
	}
	sent := 0
	for _, b := range d.Reader("publisher-1").Phone() {
		if b.Kind == "mass" {
			sent++
		}
	}
	if sent != 1 {
		t.Errorf("the reader got it %d times", sent)
	}
	// Of what was done without an answer, at most one is there twice.
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := strings.Count(strings.Join(w.calls, " "), wechattest.DraftAdd); n > 2 {
		t.Errorf("%d drafts were made", n)
	}
	var used []int64
	if err := db.NewRaw("SELECT used FROM quotas WHERE name = 'wechat/wx/day:mass'").Scan(t.Context(), &used); err != nil || len(used) != 1 || used[0] != 1 {
		t.Errorf("used of the day: %v (%v)", used, err)
	}
	return len(w.calls) < at
}

// An answer that was read and never written down: the key brings it back.
func TestAMassSendThatWasAnsweredAndNotWritten(t *testing.T) {
	d := newDesk(t, databasetest.SQLite(t))
	d.Reader("reader-1").Subscribe()
	r := d.write(content.Article{})
	before := remember(t, d.db)
	first := d.mustMass(t, "key", r)
	if again := d.mustMass(t, "key", r); again != first {
		t.Errorf("%+v, before %+v", again, first)
	}
	// Even by somebody who knows nothing of the first time.
	if err := d.FinishMass(wechattest.MassSuccess); err != nil {
		t.Fatal(err)
	}
	before.restore(t, d.db)
	d.channel = d.replica(t)
	if again := d.mustMass(t, "key", r); again != first {
		t.Errorf("%+v, before %+v", again, first)
	}
	if n := len(d.Masses()); n != 1 {
		t.Errorf("%d mass sends", n)
	}
}

// The platform remembers a key for a day; later it would send again.
func TestDoubtIsNotAskedAboutForEver(t *testing.T) {
	d := newDesk(t, databasetest.SQLite(t))
	r := d.write(content.Article{})
	d.Cut(wechattest.MassSendAll)
	if _, err := d.mass("key", r); kind(err) != "unknown" {
		t.Fatal(err)
	}
	d.clock.Advance(23*time.Hour + time.Minute)
	calls := d.Calls(wechattest.MassSendAll)
	if _, err := d.mass("key", r); kind(err) != "unknown" || d.Calls(wechattest.MassSendAll) != calls {
		t.Errorf("%v, %d more calls", err, d.Calls(wechattest.MassSendAll)-calls)
	}
	if len(d.Masses()) != 0 {
		t.Error("it was sent after the platform had forgotten it")
	}
}

func TestDoubtIsAskedAboutUntilItIsTold(t *testing.T) {
	d := newDesk(t, databasetest.SQLite(t))
	r := d.write(content.Article{})
	d.Cut(wechattest.MassSendAll)
	if _, err := d.mass("key", r); kind(err) != "unknown" {
		t.Fatal(err)
	}
	// A refusal now says nothing about the first time.
	for _, code := range []int{45028, 40007, -1, 45011, 99999} {
		d.Fail(wechattest.MassSendAll, code)
		if _, err := d.mass("key", r); kind(err) != "wait" {
			t.Errorf("%d: %v", code, err)
		}
	}
	d.mustMass(t, "key", r)
	if n := len(d.Masses()); n != 1 {
		t.Errorf("%d mass sends", n)
	}
}

func TestErrorCodesOfAMassSend(t *testing.T) {
	const config, wait, given, unknown = "config", "wait", "given up", "unknown"
	for code, want := range map[int]string{
		40001: "", 42001: "", // a fresh token helps
		40013: config, 40164: config, 50002: config,
		48001: given, 48004: given, // only this way is closed; readers' messages go on
		45028: wait, 45009: wait, 45011: wait, -1: wait,
		40007: given, 45002: given, 45008: given, 45159: given, 99999: given,
	} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			d := newDesk(t, databasetest.SQLite(t))
			r := d.write(content.Article{})
			d.Fail(wechattest.MassSendAll, code)
			_, err := d.mass("key", r)
			if got := kind(err); got != want {
				t.Fatalf("%v is %q, want %q", err, got, want)
			}
			if err != nil && !strings.Contains(err.Error(), fmt.Sprint("errcode=", code)) {
				t.Errorf("the code is not in: %v", err)
			}
			if (want == config || want == given) != (len(d.told) > 0) {
				t.Errorf("the publisher was told %q", d.told)
			}
			var retry *bot.RetryError
			if errors.As(err, &retry) && retry.All {
				t.Error("readers' messages have to wait too")
			}
			if want == wait && (code == 45028 || code == 45009) {
				// The stage's clock says nine in the morning in Beijing.
				if retry.After != 23*time.Hour {
					t.Errorf("until %s later", retry.After)
				}
				d.clock.Advance(retry.After)
			}
			if want == given && len(d.Drafts()) != 0 {
				t.Errorf("%d drafts are left of what was given up", len(d.Drafts()))
			}
			if want != "" && want != unknown {
				d.mustMass(t, "key", r) // nothing was used up
			}
			if n := len(d.Masses()); n != 1 {
				t.Errorf("%d mass sends", n)
			}
		})
	}
}

func TestTroubleOfTheNetworkInAMassSend(t *testing.T) {
	for name, test := range map[string]struct {
		break_ func(t *testing.T, d *desk)
		want   string
	}{
		"5xx":              {func(_ *testing.T, d *desk) { d.FailStatus(wechattest.MassSendAll, http.StatusBadGateway) }, "unknown"},
		"429":              {func(_ *testing.T, d *desk) { d.FailStatus(wechattest.MassSendAll, http.StatusTooManyRequests) }, "wait"},
		"draft broken off": {func(_ *testing.T, d *desk) { d.Cut(wechattest.DraftAdd) }, "wait"},
		"cover broken off": {func(_ *testing.T, d *desk) { d.Cut(wechattest.MaterialAdd) }, "wait"},
		"nobody there": {func(t *testing.T, d *desk) {
			d.channel = d.replica(t, func(c *wechat.Config) { c.APIURL = "http://127.0.0.1:1" })
		}, "wait"},
		"draft too long for once": {func(_ *testing.T, d *desk) { d.Fail(wechattest.DraftAdd, 45002) }, "given up"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, databasetest.SQLite(t))
			r := d.write(content.Article{})
			test.break_(t, d)
			if _, err := d.mass("key", r); kind(err) != test.want {
				t.Errorf("%v", err)
			}
			d.channel = d.replica(t)
			d.mustMass(t, "key", r)
			if n := len(d.Masses()); n != 1 {
				t.Errorf("%d mass sends", n)
			}
		})
	}
}
