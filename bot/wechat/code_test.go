package wechat_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"newsie/bot"
	"newsie/bot/origin"
	"newsie/bot/wechat"
	"newsie/bot/wechat/wechattest"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

const shop = 7 // an origin

func (s *stage) code(t *testing.T, payload string, until time.Time) origin.Code {
	t.Helper()
	code, err := s.channel.Code(t.Context(), shop, payload, until)
	if err != nil {
		t.Fatalf("the code of %s: %v", payload, err)
	}
	return code
}

func TestCodeLeadsHere(t *testing.T) {
	s := start(t, echo, service)
	code := s.code(t, "ok7mq2x9pd", time.Time{})
	if !strings.HasPrefix(code.URL, "http://weixin.qq.com/q/") || !code.Permanent || !code.Expires.IsZero() || code.Origin != shop {
		t.Fatalf("%+v", code)
	}
	for _, reader := range []*wechattest.Reader{s.Reader("newcomer"), s.Follower("follower")} {
		b, err := reader.ScanCode(code.URL)
		if err != nil {
			t.Fatal(err)
		}
		heard := map[string]string{"newcomer": "join: ok7mq2x9pd", "follower": "scan: ok7mq2x9pd"}[reader.OpenID]
		if b.Text != heard {
			t.Errorf("%s scans, and the bot heard %q, want %q", reader.OpenID, b.Text, heard)
		}
	}
	if _, err := s.Reader("lost").ScanCode("http://weixin.qq.com/q/another"); err == nil {
		t.Error("the code of another account leads here")
	}
}

func TestCodesAreKept(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := startOn(t, db, echo, service)
		now := s.clock.Now()
		steps := []struct {
			what      string
			until     time.Time
			after     time.Duration
			made      int // codes asked of the platform so far
			permanent bool
			expires   time.Duration // from the beginning
		}{
			{"temporary", now.Add(10 * 24 * time.Hour), 0, 1, false, 10 * 24 * time.Hour},
			{"the same again", now.Add(10 * 24 * time.Hour), 0, 1, false, 10 * 24 * time.Hour},
			{"for less long", now.Add(3 * 24 * time.Hour), 0, 1, false, 10 * 24 * time.Hour},
			{"the same, much later", now.Add(10 * 24 * time.Hour), 9 * 24 * time.Hour, 1, false, 10 * 24 * time.Hour},
			{"for half a minute longer", now.Add(10*24*time.Hour + 30*time.Second), 0, 1, false, 10 * 24 * time.Hour},
			{"for longer", now.Add(20 * 24 * time.Hour), 0, 2, false, 20 * 24 * time.Hour},
			{"for two minutes longer", now.Add(20*24*time.Hour + 2*time.Minute), 0, 3, false, 20*24*time.Hour + 2*time.Minute},
			{"exactly 30 days from then", now.Add(39 * 24 * time.Hour), 0, 4, false, 39 * 24 * time.Hour},
			{"when it has expired", now.Add(60 * 24 * time.Hour), 31 * 24 * time.Hour, 5, false, 60 * 24 * time.Hour},
			{"more than 30 days", now.Add(200 * 24 * time.Hour), 0, 6, true, 0},
			{"for ever", time.Time{}, 0, 6, true, 0},
			{"temporary where there is a permanent one", now.Add(50 * 24 * time.Hour), 0, 6, true, 0},
			{"after years", time.Time{}, 2000 * 24 * time.Hour, 6, true, 0},
		}
		for _, step := range steps {
			s.clock.Advance(step.after)
			code := s.code(t, "oshop", step.until)
			want(t, step.what+", permanent", code.Permanent, step.permanent)
			want(t, step.what+", calls", s.Calls(wechattest.QRCreate), step.made)
			if !step.permanent {
				want(t, step.what+", expires after", code.Expires.Sub(now), step.expires)
			}
			if _, err := s.Reader("r").ScanCode(code.URL); err != nil {
				t.Errorf("%s: %v", step.what, err)
			}
		}
		if s.code(t, "oother", time.Time{}).URL == s.code(t, "oshop", time.Time{}).URL {
			t.Error("two origins have one code")
		}
	})
}

func TestTemporaryCodeEnds(t *testing.T) {
	s := start(t, echo, service)
	code := s.code(t, "oshop", s.clock.Now().Add(time.Hour))
	s.clock.Advance(time.Hour - time.Second)
	if _, err := s.Reader("r").ScanCode(code.URL); err != nil {
		t.Error(err)
	}
	s.clock.Advance(time.Second)
	if _, err := s.Reader("r").ScanCode(code.URL); err == nil {
		t.Error("an expired code still works")
	}
	if _, err := s.Reader("r").ScanCode(s.code(t, "oshop", s.clock.Now().Add(30*time.Second)).URL); err != nil {
		t.Errorf("a code asked for when the one before had expired: %v", err)
	}
	if _, err := s.channel.Code(t.Context(), shop, "oshop", s.clock.Now()); err == nil {
		t.Error("a code was made for an origin that is over")
	}
	if code := s.code(t, "obrief", s.clock.Now().Add(time.Second)); code.Expires.Sub(s.clock.Now()) != time.Minute {
		t.Errorf("the shortest lives until %v", code.Expires)
	}
}

func TestTwoProcessesMakeOneCode(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := startOn(t, db, echo, service)
		channels := []*wechat.Channel{s.channel, s.replica(t), s.replica(t)}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // nobody waits for a claim that nobody gives back
		defer cancel()
		urls := make([]string, 12)
		var all sync.WaitGroup
		for i := range urls {
			all.Go(func() {
				code, err := channels[i%len(channels)].Code(ctx, shop, fmt.Sprintf("oshop%d", i%2), time.Time{})
				if err != nil {
					t.Error(err)
				}
				urls[i] = code.URL
			})
		}
		all.Wait()
		want(t, "calls", s.Calls(wechattest.QRCreate), 2)
		for i, got := range urls {
			want(t, "the code", got, urls[i%2])
		}
	})
}

func TestCodeOfWhoDied(t *testing.T) {
	s := start(t, echo, service)
	claim := "wechat/" + s.AppID + "/code/oshop"
	if _, _, err := s.config.Settings.Create(t.Context(), claim, "of the dead", 45*time.Second); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	var wait *bot.RetryError
	if _, err := s.channel.Code(ctx, shop, "oshop", time.Time{}); !errors.As(err, &wait) && !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("somebody makes it: %v", err)
	}
	want(t, "calls", s.Calls(wechattest.QRCreate), 0)
	s.clock.Advance(46 * time.Second)
	s.code(t, "oshop", time.Time{})
	if _, claimed, err := s.config.Settings.Load(t.Context(), claim); err != nil || claimed {
		t.Errorf("the claim is still there: %v", err)
	}
}

func TestWhoMayMakeCodes(t *testing.T) {
	asked := func(a *wechattest.Account, c *wechat.Config) { c.Account = "" }
	for name, tt := range map[string]struct {
		option option
		calls  int
	}{
		"declared unverified":          {func(_ *wechattest.Account, c *wechat.Config) { c.Account = wechat.Unverified }, 0},
		"declared subscription":        {verified, 0},
		"subscription, asked":          {func(a *wechattest.Account, c *wechat.Config) { verified(a, c); asked(a, c) }, 1},
		"not verified, asked":          {asked, 1},
		"declared service, but is not": {func(_ *wechattest.Account, c *wechat.Config) { c.Account = wechat.Service }, 1},
	} {
		s := start(t, echo, tt.option)
		for range 3 {
			if _, err := s.channel.Code(t.Context(), shop, "oshop", time.Time{}); !errors.Is(err, wechat.ErrNoCodes) {
				t.Errorf("%s: %v", name, err)
			}
		}
		want(t, name+", calls", s.Calls(wechattest.QRCreate), tt.calls)
	}
	s := start(t, echo, service, asking)
	s.Fail(wechattest.QRCreate, 48001)
	if _, err := s.channel.Code(t.Context(), shop, "oshop", time.Time{}); !errors.Is(err, wechat.ErrNoCodes) {
		t.Error(err)
	}
	s.clock.Advance(25 * time.Hour)
	s.code(t, "oshop", time.Time{})
	if _, err := s.replica(t, func(c *wechat.Config) { c.Account, c.Secret = "", "" }).Code(t.Context(), shop, "onew", time.Time{}); !errors.Is(err, wechat.ErrNoCodes) {
		t.Errorf("without a secret: %v", err)
	}
}

func TestPermanentCodesAreWatched(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		var told []string
		s := startOn(t, db, echo, service, func(_ *wechattest.Account, c *wechat.Config) {
			c.Notify = func(_ context.Context, _, text string) { told = append(told, text) }
		})
		// One less than nine tenths, made by this account and by another.
		_, err := db.ExecContext(t.Context(), `INSERT INTO origin_codes (channel, payload, origin, url, permanent, made_at)
			WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 89998)
			SELECT 'wx', 'old' || i, 1, 'u', 1, 0 FROM n UNION ALL SELECT 'another', 'p', 1, 'u', 1, 0`)
		if err != nil {
			t.Fatal(err)
		}
		s.FillCodes(99_997)
		doctor := func(says string, ok bool) {
			t.Helper()
			for _, found := range s.channel.Doctor(t.Context()).Findings {
				if strings.Contains(found.What, "permanent QR codes") {
					want(t, "found", found.What, says+" of the account's 100000 permanent QR codes are made")
					want(t, "well", found.OK, ok)
					return
				}
			}
			t.Error("the doctor says nothing of codes")
		}
		s.code(t, "o1", time.Time{})
		want(t, "told", len(told), 0)
		doctor("89999", true)
		s.code(t, "otemporary", s.clock.Now().Add(time.Hour))
		want(t, "told", len(told), 0)
		s.code(t, "o2", time.Time{})
		if len(told) != 1 || !strings.Contains(told[0], "90000 of the account's 100000 permanent QR codes") {
			t.Errorf("told %q", told)
		}
		doctor("90000", false)
		s.code(t, "o3", time.Time{})
		if _, err := s.channel.Code(t.Context(), shop, "o4", time.Time{}); !errors.Is(err, wechat.ErrCodesUsedUp) {
			t.Errorf("no permanent one is left: %v", err)
		}
		if s.code(t, "o4", s.clock.Now().Add(time.Hour)).Permanent {
			t.Error("a temporary one is permanent")
		}
		s.code(t, "o1", time.Time{}) // is kept
	})
}

func TestCodeRefusals(t *testing.T) {
	secret := regexp.MustCompile(`access_token=[A-Za-z0-9]`)
	s := start(t, echo, service)
	for code, check := range map[int]func(error) bool{
		-1:    func(err error) bool { var w *bot.RetryError; return errors.As(err, &w) },
		45009: func(err error) bool { var w *bot.RetryError; return errors.As(err, &w) && w.After > time.Hour },
		40164: func(err error) bool { var w *bot.ConfigError; return errors.As(err, &w) },
		48004: func(err error) bool { var w *bot.ConfigError; return errors.As(err, &w) },
		40053: func(err error) bool { return err != nil },
	} {
		s.Fail(wechattest.QRCreate, code)
		_, err := s.channel.Code(t.Context(), shop, "oshop", time.Time{})
		if !check(err) {
			t.Errorf("%d: %v", code, err)
		}
	}
	s.Cut(wechattest.QRCreate)
	if _, err := s.channel.Code(t.Context(), shop, "oshop", time.Time{}); err == nil || secret.MatchString(err.Error()) {
		t.Errorf("without an answer, or with a secret: %v", err)
	}
	s.ForceToken() // another program took the token away
	calls := s.Calls(wechattest.QRCreate)
	s.code(t, "oshop", time.Time{})
	want(t, "calls, with a fresh token", s.Calls(wechattest.QRCreate)-calls, 2)
	for _, payload := range []string{"", strings.Repeat("o", 65)} {
		if _, err := s.channel.Code(t.Context(), shop, payload, time.Time{}); err == nil {
			t.Errorf("a payload of %d characters was taken", len(payload))
		}
	}
	s.code(t, strings.Repeat("o", 64), time.Time{})
}
