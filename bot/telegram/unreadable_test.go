package telegram_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"newsie/bot/telegram"
)

// Whatever a server sends, the log has a line for each of the first few updates
// that cannot be read, the metrics count them all, and readers are answered.
func TestUnreadableUpdatesFillNoLog(t *testing.T) {
	counted, clock := &counter{}, &calendar{at: time.Unix(1_800_000_000, 0)}
	r := startWebhook(t, echo, setup{config: func(c *telegram.Config) {
		counted.into(c)
		c.Now = clock.Now
	}})
	r.Chat(1).Say("hello")
	r.wait(t, r.Chat(1), 1) // it receives
	secret := r.Calls("setWebhook")[0].Params["secret_token"]
	post := func(body string) {
		t.Helper()
		request := httptest.NewRequest(http.MethodPost, r.channel.WebhookPath(), strings.NewReader(body))
		request.Header.Set(telegram.SecretHeader, secret)
		w := httptest.NewRecorder()
		r.channel.ServeHTTP(w, request)
		if w.Code != http.StatusOK {
			t.Fatalf("%s: status %d", body, w.Code)
		}
	}
	lines := func() (n int) {
		for line := range strings.Lines(r.log.String()) {
			if strings.Contains(line, "level=WARN") || strings.Contains(line, "level=ERROR") {
				n++
			}
		}
		return n
	}
	post("no JSON at all")
	if n := lines(); n != 1 {
		t.Errorf("an update without an id makes %d lines\n%s", n, r.log)
	}
	post(`{"update_id":900000,"message":"text"}`)
	if n := lines(); n != 2 || !strings.Contains(r.log.String(), "update=900000") {
		t.Errorf("an undecodable update makes %d lines, or none with its number\n%s", n-1, r.log)
	}
	for i := range 50 {
		post(fmt.Sprintf(`{"update_id":%d,"message":"text"}`, 900001+i))
		post(`[]`)
	}
	if n := lines(); n != 10 || strings.Count(r.log.String(), "rest of the hour") != 1 {
		t.Errorf("%d lines, want 10, of which one tells that it is the last\n%s", n, r.log)
	}
	if n := counted.of("update_undecodable"); n != 102 {
		t.Errorf("counted %d, want 102", n)
	}
	clock.Advance(time.Hour)
	post(`[]`)
	if n := lines(); n != 11 {
		t.Errorf("%d lines an hour later, want one more than 10", n)
	}
	r.Chat(1).Say("still there?")
	r.wait(t, r.Chat(1), 2)
}
