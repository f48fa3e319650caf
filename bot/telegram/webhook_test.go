package telegram_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"newsie/bot"
	"newsie/bot/telegram"
	"newsie/bot/telegram/telegramtest"
)

// startWebhook runs a channel in webhook mode, with a server of its own in
// front of it.
func startWebhook(t *testing.T, h bot.Handler, o setup) *rig {
	t.Helper()
	o.server.Local = true
	mux := http.NewServeMux()
	front := httptest.NewServer(mux)
	s := telegramtest.New(o.server)
	given := o.config
	o.config = func(c *telegram.Config) {
		c.Mode, c.PublicURL = telegram.Webhook, front.URL+"/"
		if given != nil {
			given(c)
		}
	}
	r := &rig{Server: s}
	r.channel, r.config, r.db, r.log = build(t, s, h, o)
	mux.Handle(r.channel.WebhookPath(), r.channel)
	t.Cleanup(func() { s.Close(); front.Close() })
	r.stop = run(t, r.channel)
	if err := s.Until(patient(t), func() bool { return len(s.Calls("setWebhook")) > 0 }); err != nil {
		t.Fatalf("no setWebhook: %v\n%s", err, r.log)
	}
	return r
}

func TestWebhookIsSetWithSecretAndKinds(t *testing.T) {
	r := startWebhook(t, echo, setup{})
	call := r.Calls("setWebhook")[0]
	if call.Code != 200 || len(call.Params["secret_token"]) < 32 || !strings.HasSuffix(call.Params["url"], "/hooks/telegram/tg") {
		t.Errorf("setWebhook = %+v", call)
	}
	for _, kind := range []string{"message", "edited_message", "callback_query", "my_chat_member"} {
		if !strings.Contains(call.Params["allowed_updates"], `"`+kind+`"`) {
			t.Errorf("%s is not asked for: %s", kind, call.Params["allowed_updates"])
		}
	}
	if strings.Contains(call.Params["secret_token"], strings.Split(telegramtest.Token, ":")[1]) {
		t.Error("the secret gives the token away")
	}
}

func TestWebhookRefusesStrangers(t *testing.T) {
	r := startWebhook(t, echo, setup{})
	secret := r.Calls("setWebhook")[0].Params["secret_token"]
	update := `{"update_id":5,"message":{"message_id":1,"date":1,"chat":{"id":1,"type":"private"},"from":{"id":1},"text":"hi"}}`
	for _, test := range []struct {
		name, method, secret, body string
		want                       int
	}{
		{"no secret", "POST", "", update, 401},
		{"a wrong secret", "POST", secret + "x", update, 401},
		{"another method", "GET", secret, "", 405},
		{"a body without end", "POST", secret, `"` + strings.Repeat("x", 2<<20) + `"`, 413},
		{"not JSON: skipped, not repeated for ever", "POST", secret, `{"update_id":`, 200},
		{"of no concern", "POST", secret, `{"update_id":6,"poll":{}}`, 200},
	} {
		t.Run(test.name, func(t *testing.T) {
			req := httptest.NewRequest(test.method, r.channel.WebhookPath(), strings.NewReader(test.body))
			if test.secret != "" {
				req.Header.Set(telegram.SecretHeader, test.secret)
			}
			w := httptest.NewRecorder()
			r.channel.ServeHTTP(w, req)
			if w.Code != test.want {
				t.Errorf("status = %d, want %d", w.Code, test.want)
			}
		})
	}
	if n := len(r.Chat(1).Answers()); n != 0 {
		t.Errorf("%d answers to strangers", n)
	}
}

func TestWebhookAsksForRepetitionBeforeItIsReady(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{Local: true})
	c, config, _, _ := build(t, s, echo, setup{config: func(c *telegram.Config) {
		c.Mode, c.PublicURL, c.Secret = telegram.Webhook, "https://news.example.org", "sesame"
	}})
	req := httptest.NewRequest("POST", c.WebhookPath(), strings.NewReader(`{"update_id":1}`))
	req.Header.Set(telegram.SecretHeader, config.Secret)
	w := httptest.NewRecorder()
	c.ServeHTTP(w, req)
	if w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Errorf("status = %d, Retry-After %q; want 503 and some seconds", w.Code, w.Header().Get("Retry-After"))
	}
}

func TestWebhookSwitchesFromPollingAndBack(t *testing.T) {
	r := start(t, echo, setup{server: telegramtest.Options{Local: true}})
	r.Chat(1).Say("polled")
	r.wait(t, r.Chat(1), 1)
	r.stop()

	mux := http.NewServeMux()
	front := httptest.NewServer(mux)
	defer front.Close()
	hooked, _, _, log := build(t, r.Server, echo, setup{db: r.db, config: func(c *telegram.Config) {
		c.Mode, c.PublicURL = telegram.Webhook, front.URL
	}})
	mux.Handle(hooked.WebhookPath(), hooked)
	stop := run(t, hooked)
	r.Chat(1).Say("hooked")
	r.log = log
	r.wait(t, r.Chat(1), 2)
	r.quiet(t)
	stop()

	join(t, r.Server, echo, setup{db: r.db})
	r.Chat(1).Say("polled again")
	r.wait(t, r.Chat(1), 3)
}
