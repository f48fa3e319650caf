package wechat_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"newsie/bot"
	"newsie/bot/wechat"
	"newsie/bot/wechat/wechattest"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

func (s *stage) push(t *testing.T, reader, text string) error {
	t.Helper()
	receipt, err := s.channel.Send(t.Context(), bot.Outgoing{To: s.chat(reader), Reply: bot.Reply{Text: text}, Answer: true})
	if err == nil && receipt.Way != "customer" {
		t.Errorf("way %q", receipt.Way)
	}
	return err
}

func TestSendStaysWithinWindows(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := startOn(t, db, echo, verified)
		r := s.Reader("r1")
		check := func(when string, want int) {
			t.Helper()
			sent := 0
			for ; sent < 10; sent++ {
				if err := s.push(t, "r1", "news"); errors.Is(err, bot.ErrNotNow) {
					break
				} else if err != nil {
					t.Fatal(err)
				}
			}
			if sent != want {
				t.Errorf("%s: %d went out, want %d", when, sent, want)
			}
		}
		check("before any message", 0)
		r.Say("hi")
		check("after a message", 5)
		s.clock.Advance(time.Hour)
		check("an hour later", 0)
		r.Say("hi")
		s.clock.Advance(48*time.Hour - time.Second)
		check("just before 48 hours", 5)
		r.Say("hi")
		s.clock.Advance(48*time.Hour + time.Second)
		check("just after", 0)
		r.Click("/latest")
		check("after a menu click", 3)
		r.Say("hi")
		s.clock.Advance(time.Second)
		r.Click("/latest")
		check("after both", 8)
		r.Say("hi")
		s.clock.Advance(time.Second)
		r.Click("/latest")
		for range 3 { // from the window that closes sooner
			if err := s.push(t, "r1", "news"); err != nil {
				t.Fatal(err)
			}
		}
		s.clock.Advance(2 * time.Minute)
		check("when the shorter one has closed", 5)
		r.Scan("poster")
		s.clock.Advance(time.Minute + time.Second)
		check("a minute after a scan", 0)
		if calls := s.Calls(wechattest.CustomSend); calls != 29 {
			t.Errorf("%d calls: the platform was asked in vain", calls)
		}
		if err := wechat.NewWindows(db, "wx", func() time.Time { return s.clock.Now().Add(50 * time.Hour) }).Prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		var rows int
		if err := db.NewRaw("SELECT count(*) FROM quotas WHERE name NOT LIKE '%/day:%'").Scan(t.Context(), &rows); err != nil || rows != 0 {
			t.Errorf("%d rows are left of closed windows (%v)", rows, err)
		}
	})
}

func TestPruneKeepsOpenWindowsAndOtherChannels(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		clock := wechattest.NewClock(time.Unix(1_800_000_000, 0))
		ours, theirs := wechat.NewWindows(db, "wx", clock.Now), wechat.NewWindows(db, "wx2", clock.Now)
		for _, w := range []*wechat.Windows{ours, theirs} {
			for _, kind := range []wechat.Window{wechat.Said, wechat.Click} {
				if err := w.Open(t.Context(), "r1", kind); err != nil {
					t.Fatal(err)
				}
			}
		}
		clock.Advance(time.Hour)
		if err := ours.Prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		var rows int
		if err := db.NewRaw("SELECT count(*) FROM quotas").Scan(t.Context(), &rows); err != nil || rows != 6 {
			t.Errorf("%d rows, want 6 (%v)", rows, err)
		}
		if kind, open, err := ours.Take(t.Context(), "r1", false); err != nil || !open || kind != wechat.Said {
			t.Errorf("%v %v %v", kind, open, err)
		}
	})
}

func TestUnverifiedAccountsDoNotPush(t *testing.T) {
	s := start(t, echo)
	s.Reader("r1").Say("hi")
	if err := s.push(t, "r1", "news"); !errors.Is(err, bot.ErrNotNow) {
		t.Errorf("%v", err)
	}
	if s.Calls(wechattest.CustomSend)+s.Calls(wechattest.StableToken) != 0 {
		t.Error("the platform was asked")
	}
}

func TestErrorCodes(t *testing.T) {
	const now, config, wait, all, tomorrow, given = "not now", "config", "wait", "wait, all", "until tomorrow", "given up"
	for code, want := range map[int]string{
		40001: "", 40014: "", 42001: "", // once: a fresh token helps
		40013: config, 40125: config, 40164: config, 40243: config, 48001: config, 48004: config, 50002: config,
		40003: now, 43101: now, 45015: now, 45047: now, 43004: now,
		-1: wait, 45011: all, 45009: tomorrow, 45028: tomorrow,
		45002: given, 45008: given, 45067: given, 47001: given, 99999: given,
	} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			var told []string
			s := start(t, echo, verified, func(_ *wechattest.Account, c *wechat.Config) {
				c.Notify = func(_ context.Context, key, text string) { told = append(told, key+": "+text) }
			})
			s.Reader("r1").Say("hi")
			s.Fail(wechattest.CustomSend, code)
			err := s.push(t, "r1", "news")
			if got := kind(err); got != want {
				t.Fatalf("%v is %q, want %q", err, got, want)
			}
			if (want == config) != (len(told) == 1) {
				t.Errorf("the publisher was told %q", told)
			}
			if err != nil && !strings.Contains(err.Error(), fmt.Sprint("errcode=", code)) {
				t.Errorf("the code is not in: %v", err)
			}
			// Nothing went out, so nothing of the window is used, unless the
			// platform says it is closed; nor is it called again on a day on
			// which it takes no more.
			if want == tomorrow && code == 45009 {
				calls := s.Calls(wechattest.CustomSend)
				if err := s.push(t, "r1", "news"); kind(err) != tomorrow || s.Calls(wechattest.CustomSend) != calls {
					t.Errorf("%v, %d calls more", err, s.Calls(wechattest.CustomSend)-calls)
				}
				s.clock.Advance(15*time.Hour + time.Minute)
			}
			s.Reader("r1").Say("hi again")
			for i := range 5 {
				if err := s.push(t, "r1", "news"); err != nil {
					t.Errorf("message %d: %v", i+1, err)
				}
			}
		})
	}
}

func kind(err error) string {
	var retry *bot.RetryError
	var wrong *bot.ConfigError
	switch {
	case err == nil:
		return ""
	case errors.Is(err, bot.ErrNotNow):
		return "not now"
	case errors.Is(err, bot.ErrGone):
		return "gone"
	case errors.Is(err, bot.ErrUnknown):
		return "unknown"
	case errors.As(err, &wrong):
		return "config"
	case errors.As(err, &retry):
		// The stage's clock says nine in the morning in Beijing.
		if retry.After > 15*time.Hour && retry.After < 15*time.Hour+2*time.Minute {
			return "until tomorrow"
		}
		if retry.All {
			return "wait, all"
		}
		return "wait"
	}
	return "given up"
}

func TestWindowsFollowThePlatform(t *testing.T) {
	s := start(t, echo, verified)
	s.Reader("r1").Say("hi")
	s.Fail(wechattest.CustomSend, -1)
	if err := s.push(t, "r1", "news"); kind(err) != "wait" {
		t.Fatal(err)
	}
	for i := range 5 { // the failed one does not count
		if err := s.push(t, "r1", "news"); err != nil {
			t.Errorf("message %d: %v", i+1, err)
		}
	}
	s.Reader("r1").Say("hi")
	s.Fail(wechattest.CustomSend, 45047)
	calls := s.Calls(wechattest.CustomSend)
	for range 2 {
		if err := s.push(t, "r1", "news"); kind(err) != "not now" {
			t.Error(err)
		}
	}
	if got := s.Calls(wechattest.CustomSend) - calls; got != 1 {
		t.Errorf("asked %d times after the platform closed the window", got)
	}
}

func TestTokenIsSharedAndRenewedOnce(t *testing.T) {
	s := start(t, echo, verified)
	s.Reader("r1").Say("hi")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	fetched := func(want int) {
		t.Helper()
		if got := s.Calls(wechattest.StableToken); got != want {
			t.Errorf("%d tokens fetched, want %d", got, want)
		}
	}
	must(s.push(t, "r1", "one"))
	must(s.push(t, "r1", "two"))
	fetched(1)
	s.channel = s.replica(t) // also after a restart
	must(s.push(t, "r1", "three"))
	fetched(1)
	s.Revoke()
	must(s.push(t, "r1", "four"))
	fetched(2)
	s.clock.Advance(2 * time.Hour)
	must(s.push(t, "r1", "five"))
	fetched(3)
	if s.Calls(wechattest.Token) != 0 {
		t.Error("the unstable token was fetched")
	}
	// The platform insists: asked by force once, then given up until later.
	s.Reader("r1").Say("hi")
	s.Fail(wechattest.CustomSend, 40001, 40001)
	if err := s.push(t, "r1", "six"); kind(err) != "wait, all" {
		t.Error(err)
	}
	fetched(5)
}

func TestTokenTroubleIsConfiguration(t *testing.T) {
	s := start(t, echo, verified)
	s.Reader("r1").Say("hi")
	s.Block("203.0.113.99")
	err := s.push(t, "r1", "news")
	if kind(err) != "config" || !strings.Contains(err.Error(), "add 203.0.113.99 to the IP whitelist") {
		t.Errorf("%v", err)
	}
	s.Block("")
	wrong := s.replica(t, func(c *wechat.Config) { c.Secret = "topsecretvalue" })
	_, err = wrong.Send(t.Context(), bot.Outgoing{To: s.chat("r1"), Reply: bot.Reply{Text: "x"}})
	if kind(err) != "config" || strings.Contains(err.Error(), "topsecret") {
		t.Errorf("%v", err)
	}
}

func TestFaultsOfTheNetwork(t *testing.T) {
	for _, test := range []struct {
		name   string
		break_ func(*stage)
		want   string
	}{
		{"broken off while sending", func(s *stage) { s.Cut(wechattest.CustomSend) }, "unknown"},
		{"5xx while sending", func(s *stage) { s.FailStatus(wechattest.CustomSend, http.StatusBadGateway) }, "unknown"},
		{"429", func(s *stage) { s.FailStatus(wechattest.CustomSend, http.StatusTooManyRequests) }, "wait, all"},
		{"a redirect", func(s *stage) { s.FailStatus(wechattest.CustomSend, http.StatusFound) }, "given up"},
		{"404", func(s *stage) { s.FailStatus(wechattest.CustomSend, http.StatusNotFound) }, "given up"},
		{"broken off while fetching the token", func(s *stage) {
			s.Revoke()
			s.Cut(wechattest.StableToken)
			_ = s.config.Settings.Delete(context.Background(), "gowechat_officialaccount__stable_access_token_"+s.AppID)
		}, "wait, all"},
		{"nobody there", func(s *stage) {
			s.channel = s.replica(t, func(c *wechat.Config) { c.APIURL = "http://127.0.0.1:1" })
		}, "wait, all"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log bytes.Buffer
			s := start(t, echo, verified, func(_ *wechattest.Account, c *wechat.Config) {
				c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			})
			s.Reader("r1").Say("hi")
			if err := s.push(t, "r1", "first"); err != nil {
				t.Fatal(err)
			}
			token, _, err := s.config.Settings.Load(t.Context(), "gowechat_officialaccount__stable_access_token_"+s.AppID)
			if err != nil || token == "" {
				t.Fatalf("token %q, %v", token, err)
			}
			test.break_(s)
			err = s.push(t, "r1", "second")
			if got := kind(err); got != test.want {
				t.Fatalf("%v is %q, want %q", err, got, test.want)
			}
			for _, text := range []string{err.Error(), fmt.Sprintf("%+v", err), log.String()} {
				if strings.Contains(text, token) || strings.Contains(text, s.Secret) {
					t.Errorf("a secret in %q", text)
				}
			}
		})
	}
}

func TestLongPushFits(t *testing.T) {
	s := start(t, echo, verified)
	s.Reader("r1").Say("hi")
	if err := s.push(t, "r1", strings.Repeat("微店", 2000)); err != nil {
		t.Error(err)
	}
	if err := s.push(t, "r1", ""); kind(err) != "given up" {
		t.Error(err)
	}
	_, err := s.channel.Send(t.Context(), bot.Outgoing{To: bot.ChatID{Channel: "other", ID: "r1"}, Reply: bot.Reply{Text: "x"}})
	if kind(err) != "given up" {
		t.Error(err)
	}
}

func TestAccountsHaveTheirOwnAddresses(t *testing.T) {
	a, b := start(t, echo, verified), start(t, echo, verified)
	for _, s := range []*stage{a, b} {
		s.Reader("r1").Say("hi")
		if err := s.push(t, "r1", "news"); err != nil {
			t.Error(err)
		}
		if s.Calls(wechattest.StableToken) != 1 || s.Calls(wechattest.CustomSend) != 1 {
			t.Errorf("%d tokens, %d messages", s.Calls(wechattest.StableToken), s.Calls(wechattest.CustomSend))
		}
	}
}

func TestBuckets(t *testing.T) {
	s := start(t, echo)
	if b := s.channel.Buckets(s.chat("r1")); len(b) != 1 || b[0].PerSecond <= 0 || b[0].Burst < 1 || !strings.Contains(b[0].Name, "wx") {
		t.Errorf("%+v", b)
	}
}
