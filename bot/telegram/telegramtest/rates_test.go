package telegramtest_test

import (
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"newsie/bot/telegram/telegramtest"
)

// clock is a time that passes when told.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time       { c.mu.Lock(); defer c.mu.Unlock(); return c.now }
func (c *clock) pass(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.now = c.now.Add(d) }

func TestEveryMethodThatSpeaksIsHeldToTheRates(t *testing.T) {
	for _, test := range []struct {
		method string
		params []string
	}{
		{"sendMessage", []string{"text", "x"}},
		{"sendPhoto", []string{"photo", "PHOTO"}},
		{"sendRichMessage", []string{"rich_message", `{"html":"x"}`}},
		{"editMessageText", []string{"message_id", "1", "text", "y"}},
		{"editMessageCaption", []string{"message_id", "2", "caption", "y"}},
		{"editMessageMedia", []string{"message_id", "2", "media", `{"type":"photo","media":"PHOTO","caption":"z"}`}},
		{"editMessageReplyMarkup", []string{"message_id", "1", "reply_markup", keys(`{"text":"b","callback_data":"x"}`)}},
	} {
		t.Run(test.method, func(t *testing.T) {
			c := &clock{now: time.Unix(1000, 0)}
			s := telegramtest.Start(t, telegramtest.Options{Rates: true, Rich: true, Now: c.Now})
			reader := s.Chat(1)
			call(t, s, "sendMessage", "chat_id", "1", "text", "x")
			upload(t, s, "photo", telegramtest.PNG(30, 20), "chat_id", "1")
			call(t, s, "sendMessage", "chat_id", "1", "text", "x")
			photo := reader.Answers()[1].Photo.FileID()
			params := []string{"chat_id", "1"}
			for _, p := range test.params {
				params = append(params, strings.ReplaceAll(p, "PHOTO", photo))
			}
			if a := call(t, s, test.method, params...); a.Code != 429 || a.Parameters.RetryAfter != 1 || a.Description != "Too Many Requests: retry after 1" {
				t.Errorf("the 4th in a second: %d %q %+v", a.Code, a.Description, a.Parameters)
			}
			c.pass(time.Second)
			if a := call(t, s, test.method, params...); !a.OK {
				t.Errorf("a second later: %q", a.Description)
			}
		})
	}
}

func TestPaidBroadcasts(t *testing.T) {
	c := &clock{now: time.Unix(1000, 0)}
	s := telegramtest.Start(t, telegramtest.Options{Rates: true, Stars: true, Now: c.Now})
	send := func(i int, paid string) answer {
		s.Chat(int64(i + 1))
		return call(t, s, "sendMessage", "chat_id", fmt.Sprint(i+1), "text", "x", "allow_paid_broadcast", paid)
	}
	for i := range 1000 {
		if a := send(i, "true"); !a.OK {
			t.Fatalf("paid message %d: %q", i+1, a.Description)
		}
	}
	if a := send(1000, "true"); a.Code != 429 {
		t.Errorf("the 1,001st in a second: %d", a.Code)
	}
	if a := send(1000, "false"); a.Code != 429 {
		t.Errorf("one that is not paid for: %d", a.Code)
	}
	poor := telegramtest.Start(t, telegramtest.Options{Rates: true})
	poor.Chat(1)
	if a := call(t, poor, "sendMessage", "chat_id", "1", "text", "x", "allow_paid_broadcast", "true"); a.Description != "Bad Request: BALANCE_TOO_LOW" {
		t.Errorf("without Stars: %q", a.Description)
	}
}

func TestLoad(t *testing.T) {
	c := &clock{now: time.Unix(1000, 0)}
	s := telegramtest.Start(t, telegramtest.Options{Rates: true, NoCalls: true, Now: c.Now})
	for i := range 50 {
		s.Chat(int64(i + 1))
	}
	send := func(from, n int) (refused int) {
		for i := range n {
			if a := call(t, s, "sendMessage", "chat_id", fmt.Sprint(from+i), "text", "x"); a.Code == 429 {
				refused++
			}
		}
		return refused
	}
	send(1, 5)
	c.pass(900 * time.Millisecond)
	send(6, 20)
	c.pass(200 * time.Millisecond)
	if n := send(26, 15); n != 5 {
		t.Errorf("%d refused, want 5", n)
	}
	l := s.Load()
	if l.Accepted != 35 || l.TooMany != 5 || fmt.Sprint(l.PerSecond) != "[25 10]" || l.Most != 30 || l.Last.Sub(l.First) != 1100*time.Millisecond {
		t.Errorf("load = %+v", l)
	}
	if n := len(s.Calls("")); n != 0 {
		t.Errorf("%d calls are kept", n)
	}
	s.ResetLoad()
	if l := s.Load(); l.Accepted != 0 || len(l.PerSecond) != 0 {
		t.Errorf("after the reset: %+v", l)
	}
}

func TestChaosIsTheSameForASeed(t *testing.T) {
	run := func(seed uint64) (fates string, arrived int) {
		s := telegramtest.Start(t, telegramtest.Options{Chaos: telegramtest.Chaos{Seed: seed, ResetBefore: 0.2, ResetAfter: 0.2, Delay: time.Microsecond}})
		reader := s.Chat(1)
		for range 100 {
			before := len(reader.Answers())
			resp, err := client.PostForm(s.URL()+"/bot"+s.Token()+"/sendMessage", url.Values{"chat_id": {"1"}, "text": {"x"}})
			done := len(reader.Answers()) > before
			switch {
			case err == nil:
				_ = resp.Body.Close()
				fates += "."
				if !done {
					t.Error("answered and not done")
				}
			case done:
				fates += "a"
			default:
				fates += "b"
			}
		}
		if got, want := s.Broken("sendMessage"), (telegramtest.Broken{Before: strings.Count(fates, "b"), After: strings.Count(fates, "a")}); got != want {
			t.Errorf("the server counts %+v, the client %+v", got, want)
		}
		return fates, len(reader.Answers())
	}
	first, arrived := run(1)
	again, _ := run(1)
	other, _ := run(2)
	if first != again || first == other {
		t.Errorf("seed 1: %s\nseed 1: %s\nseed 2: %s", first, again, other)
	}
	before, after := strings.Count(first, "b"), strings.Count(first, "a")
	if before < 10 || after < 10 || arrived != 100-before {
		t.Errorf("%d reset before, %d after, %d arrived", before, after, arrived)
	}
}

func TestAPauseIsOrdered(t *testing.T) {
	c := &clock{now: time.Unix(1000, 0)}
	s := telegramtest.Start(t, telegramtest.Options{Now: c.Now})
	s.Chat(1)
	s.Pause(1500 * time.Millisecond)
	if a := call(t, s, "sendMessage", "chat_id", "1", "text", "x"); a.Code != 429 || a.Parameters.RetryAfter != 2 {
		t.Errorf("in the pause: %+v", a)
	}
	c.pass(1500 * time.Millisecond)
	if a := call(t, s, "sendMessage", "chat_id", "1", "text", "x"); !a.OK {
		t.Errorf("after it: %+v", a)
	}
}

func TestOldMessagesAreForgottenOnRequest(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{Keep: 5})
	reader := s.Chat(1)
	for i := range 30 {
		call(t, s, "sendMessage", "chat_id", "1", "text", fmt.Sprint(i))
	}
	all := reader.Messages()
	if n := len(all); n < 5 || n > 10 || all[n-1].Text != "29" || all[n-1].ID != 30 {
		t.Errorf("%d messages are kept: %+v", n, all)
	}
	if a := call(t, s, "editMessageText", "chat_id", "1", "message_id", "30", "text", "x"); !a.OK {
		t.Errorf("an edit of the last: %q", a.Description)
	}
}
