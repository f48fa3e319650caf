package webchat_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"newsie/bot"
	"newsie/bot/webchat"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
	"newsie/internal/locale"
)

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
