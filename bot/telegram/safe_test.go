package telegram_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"newsie/bot"
	"newsie/bot/telegram"
	"newsie/bot/telegram/telegramtest"
)

// hook runs a channel in webhook mode to which the test itself posts updates.
func hook(t *testing.T, s *telegramtest.Server, h bot.Handler, o setup) *rig {
	t.Helper()
	given := o.config
	o.config = func(c *telegram.Config) {
		c.Mode, c.PublicURL, c.Secret, c.Patience = telegram.Webhook, "https://news.example.org", "sesame", time.Millisecond
		if given != nil {
			given(c)
		}
	}
	r := &rig{Server: s}
	r.channel, r.config, r.db, r.log = build(t, s, h, o)
	calls := len(s.Calls("setWebhook"))
	r.stop = run(t, r.channel)
	if err := s.Until(patient(t), func() bool { return len(s.Calls("setWebhook")) > calls }); err != nil {
		t.Fatalf("no setWebhook: %v\n%s", err, r.log)
	}
	return r
}

// post hands an update to the webhook and returns the status.
func (r *rig) post(body string) int {
	req := httptest.NewRequest("POST", r.channel.WebhookPath(), strings.NewReader(body))
	req.Header.Set(telegram.SecretHeader, "sesame")
	w := httptest.NewRecorder()
	r.channel.ServeHTTP(w, req)
	return w.Code
}

func said(id, chat int64, text string) string {
	return fmt.Sprintf(`{"update_id":%d,"message":{"message_id":%d,"date":1,"chat":{"id":%d,"type":"private"},"from":{"id":%d},"text":%q}}`, id, id, chat, chat, text)
}

// hanging answers everything but "hang", which it leaves until it is told to end.
func hanging(entered chan<- string) bot.Handler {
	return func(ctx context.Context, m bot.Message) (bot.Reply, error) {
		if m.Text != "hang" {
			return echo(ctx, m)
		}
		entered <- m.ID
		<-ctx.Done()
		return bot.Reply{}, ctx.Err()
	}
}

// later is a clock that is ahead of the others: to whoever goes by it, a
// replica that has just shown itself is long dead.
func later(c *telegram.Config) { c.Now = func() time.Time { return time.Now().Add(3 * time.Minute) } }

func ahead(t *testing.T, o setup) setup {
	t.Helper()
	db := o.db
	o.config = func(c *telegram.Config) {
		later(c)
		c.Inbox, c.Settings = bot.NewInbox(db, c.Now), bot.NewSettings(db, c.Now)
	}
	return o
}

func TestWebhookSays200OnceTheUpdateIsSafeAndACrashAfterItLosesNothing(t *testing.T) {
	databases(t, func(t *testing.T, first, second setup) {
		s := telegramtest.Start(t, telegramtest.Options{Local: true})
		one, two := s.Chat(1), s.Chat(2)
		entered := make(chan string, 9)
		first.config = func(c *telegram.Config) { c.Grace = time.Nanosecond }
		r := hook(t, s, hanging(entered), first)
		if code := r.post(said(50, 1, "hang")); code != 200 {
			t.Fatalf("status = %d, want 200: the update is written down", code)
		}
		<-entered
		if code := r.post(said(51, 1, "after")); code != 200 {
			t.Errorf("status of the next = %d", code)
		}
		if kept := r.kept(t); !strings.Contains(kept, `"hang"`) || !strings.Contains(kept, `"after"`) {
			t.Fatalf("kept against a crash: %s", kept)
		}
		// The server may repeat it all the same: it is not begun again.
		if code := r.post(said(50, 1, "hang")); code != 200 || len(entered) != 0 {
			t.Errorf("repeated: status %d, begun %d times more", code, len(entered))
		}
		if code := r.post(said(52, 2, "fine")); code != 200 {
			t.Errorf("status of another chat's = %d", code)
		}
		r.wait(t, two, 1)

		// A replica that starts while the first is alive leaves its updates alone.
		before := r.kept(t)
		bystander := hook(t, s, echo, setup{db: second.db, config: func(c *telegram.Config) { c.SweepEvery = 5 * time.Millisecond }})
		bystander.post(said(53, 2, "fine too"))
		r.wait(t, two, 2)
		for _, line := range strings.Split(before, "\n") { // with the name of the replica that works on it
			if after := r.kept(t); strings.Contains(line, `"after"`) && !strings.Contains(after, line) {
				t.Errorf("a replica took over what another works on:\n%s\n%s", line, after)
			}
		}
		bystander.stop()
		if n := len(one.Answers()); n != 0 {
			t.Errorf("%d answers by a replica that has no business with it", n)
		}
		// The first never comes back: to a replica long after, it is dead.
		heir := hook(t, s, echo, ahead(t, second))
		got := r.wait(t, one, 2)
		if got[0].Text != "hang" || got[1].Text != "after" {
			t.Errorf("the chat reads %q, %q", got[0].Text, got[1].Text)
		}
		heir.stop()
		if kept := heir.kept(t); kept != "" {
			t.Errorf("still kept: %s", kept)
		}
		r.stop()
		if n := len(one.Answers()); n != 2 {
			t.Errorf("%d answers in the end, want 2", n)
		}
	})
}

func TestALoneReplicaTakesUpAtOnceWhatACrashLeft(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{Local: true})
	entered := make(chan string, 1)
	r := hook(t, s, hanging(entered), setup{config: func(c *telegram.Config) { c.Grace = time.Nanosecond }})
	s.Chat(1)
	if code := r.post(said(50, 1, "hang")); code != 200 {
		t.Fatalf("status = %d", code)
	}
	<-entered
	// As newsie serve does when it has the data folder to itself.
	if err := r.config.Inbox.Abandon(t.Context()); err != nil {
		t.Fatal(err)
	}
	// By polling now: how updates come in is nothing to those that are here.
	heir := join(t, s, echo, setup{db: r.db, config: func(c *telegram.Config) { c.Alone = true }})
	heir.wait(t, s.Chat(1), 1)
}

func TestWebhookRefusesWhatItCannotMakeSafe(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{Local: true})
	s.Chat(1)
	r := hook(t, s, echo, setup{config: func(c *telegram.Config) { c.Grace = time.Nanosecond }})
	if code := r.post(said(50, 1, "fine")); code != 200 {
		t.Fatalf("status = %d", code)
	}
	if err := r.db.Close(); err != nil {
		t.Fatal(err)
	}
	if code := r.post(said(51, 1, "the database is down")); code != 503 {
		t.Errorf("status = %d, want 503", code)
	}
	if strings.Contains(r.log.String(), "the database is down") {
		t.Error("a reader's words are in the log")
	}
}

func TestManySlowChatsDoNotHoldUpTheWebhook(t *testing.T) {
	entered := make(chan string, 100)
	r := startWebhook(t, hanging(entered), setup{config: func(c *telegram.Config) {
		c.Patience, c.Grace = 5*time.Millisecond, time.Nanosecond
	}})
	for id := range int64(60) { // the server has 40 connections
		r.Chat(100 + id).Say("hang")
	}
	r.Chat(7).Say("quick")
	r.wait(t, r.Chat(7), 1)
	r.forgotten(t) // the server has been told that all of them are safe
	if kept := r.kept(t); strings.Count(kept, `"hang"`) != 60 {
		t.Errorf("%d of 60 are kept", strings.Count(kept, `"hang"`))
	}
}

func TestRepeatedWebhookUpdatesAreAnsweredOnceByAllReplicas(t *testing.T) {
	databases(t, func(t *testing.T, first, second setup) {
		s := telegramtest.Start(t, telegramtest.Options{Local: true})
		heard := &counter{}
		handler := func(ctx context.Context, m bot.Message) (bot.Reply, error) {
			heard.add(m.ID)
			return echo(ctx, m)
		}
		long := func(c *telegram.Config) { c.Patience = time.Minute }
		one, two := hook(t, s, handler, setup{db: first.db, config: long}), hook(t, s, handler, setup{db: second.db, config: long})
		s.Chat(1)
		codes := make(chan int)
		for _, r := range []*rig{one, two, one, two} {
			go func() { codes <- r.post(said(60, 1, "once")) }()
		}
		for range 4 {
			if code := <-codes; code != 200 {
				t.Errorf("status = %d", code)
			}
		}
		if n := len(s.Chat(1).Answers()); n != 1 || heard.of("u60") != 1 {
			t.Errorf("%d answers, heard %d times", n, heard.of("u60"))
		}
	})
}

func TestAFloodOfOneChatIsBounded(t *testing.T) {
	entered := make(chan string, 1)
	counted := &counter{}
	s := telegramtest.Start(t, telegramtest.Options{Local: true})
	r := hook(t, s, hanging(entered), setup{config: func(c *telegram.Config) {
		c.Patience, c.Grace = time.Nanosecond, time.Nanosecond
		counted.into(c)
	}})
	s.Chat(1)
	r.post(said(1, 1, "hang"))
	<-entered
	for id := range int64(250) {
		if code := r.post(said(100+id, 1, "flood")); code != 200 {
			t.Fatalf("status = %d", code)
		}
	}
	if n := counted.of("update_flooded"); n != 50 {
		t.Errorf("%d dropped, want those above 200 that wait", n)
	}
	// That the reader blocks the bot must be heard all the same.
	r.post(`{"update_id":900,"my_chat_member":{"chat":{"id":1,"type":"private"},"from":{"id":1},"date":1,"old_chat_member":{"status":"member"},"new_chat_member":{"status":"kicked"}}}`)
	if n := counted.of("update_flooded"); n != 50 {
		t.Error("a departure was dropped")
	}
}

func TestOfSeveralReplicasOnlyTheFirstPolls(t *testing.T) {
	notices := &counter{}
	standing, released := make(chan struct{}, 1), make(chan struct{})
	config := func(c *telegram.Config) {
		c.Notify = func(_ context.Context, key, _ string) { notices.add(key) }
		c.Wait = func(ctx context.Context, d time.Duration) error {
			if d != 3*time.Second { // which is for standing by
				return ctx.Err()
			}
			select {
			case standing <- struct{}{}:
			default:
			}
			select {
			case <-ctx.Done():
			case <-released:
			}
			return ctx.Err()
		}
	}
	s := telegramtest.Start(t, telegramtest.Options{})
	first := join(t, s, echo, setup{config: config})
	s.Chat(1).Say("one")
	first.wait(t, s.Chat(1), 1)
	second := join(t, s, echo, setup{db: first.db, config: config})
	select {
	case <-standing:
	case <-patient(t).Done():
		t.Fatalf("nobody stands by:\n%s", second.log)
	}
	if strings.Contains(first.log.String(), "stands by") {
		t.Error("the elder gave way")
	}
	s.Chat(1).Say("two")
	first.wait(t, s.Chat(1), 2)
	first.stop()
	close(released)
	s.Chat(1).Say("three")
	second.wait(t, s.Chat(1), 3)
	if n := notices.of("telegram:tg:conflict"); n != 0 {
		t.Errorf("the publisher was told of our own replicas %d times", n)
	}
}

func TestAnotherProgramsWebhookIsUndoneAndToldOf(t *testing.T) {
	for _, mode := range []string{telegram.Poll, telegram.Webhook} {
		t.Run(mode, func(t *testing.T) {
			notices := make(chan string, 100)
			config := func(c *telegram.Config) {
				(&waiter{}).into(c)
				c.SweepEvery = time.Millisecond
				c.Notify = func(_ context.Context, key, text string) {
					select {
					case notices <- key + " " + text:
					default:
					}
				}
			}
			var r *rig
			if mode == telegram.Poll {
				r = start(t, echo, setup{config: config, server: telegramtest.Options{Local: true}})
			} else {
				r = startWebhook(t, echo, setup{config: config})
			}
			r.Chat(1).Say("one")
			r.wait(t, r.Chat(1), 1)
			steal(t, r)
			r.Chat(1).Say("two")
			r.wait(t, r.Chat(1), 2)
			if got := <-notices; !strings.HasPrefix(got, "telegram:tg:conflict ") || !strings.Contains(got, "http://127.0.0.1:1/other") {
				t.Errorf("the publisher was told %q", got)
			}
		})
	}
}

// steal sets the bot's webhook as another program with the token would.
func steal(t *testing.T, r *rig) {
	t.Helper()
	resp, err := http.PostForm(r.URL()+"/bot"+telegramtest.Token+"/setWebhook", url.Values{"url": {"http://127.0.0.1:1/other"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != 200 {
		t.Fatalf("setWebhook: %s", resp.Status)
	}
	http.DefaultClient.CloseIdleConnections()
}
