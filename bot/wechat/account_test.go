package wechat_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"newsie/bot"
	"newsie/bot/wechat"
	"newsie/bot/wechat/wechattest"
)

const staffList = "/cgi-bin/customservice/getkflist"

func TestAbilitiesAreAsked(t *testing.T) {
	subscription := wechat.Abilities{Customer: true, Once: true, Mass: true}
	everything := wechat.Abilities{Customer: true, Notice: true, Once: true, Template: true, Mass: true, Monthly: true}
	for _, test := range []struct {
		name    string
		options []option
		want    wechat.Abilities
		account wechat.Account
	}{
		{"unverified", nil, wechat.Abilities{}, wechat.Unverified},
		{"subscription", []option{verified, asking}, subscription, wechat.Subscription},
		{"service", []option{verified, asking, func(a *wechattest.Account, _ *wechat.Config) { a.Service = true }}, everything, wechat.Service},
		{"declared", []option{func(_ *wechattest.Account, c *wechat.Config) { c.Account = wechat.Service }}, everything, wechat.Service},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := start(t, echo, test.options...)
			got, err := s.channel.Abilities(t.Context(), false)
			if err != nil {
				t.Fatal(err)
			}
			want(t, "abilities", got, test.want)
			want(t, "account", got.Account(), test.account)
			asked := s.Calls(staffList)
			want(t, "asked", asked, map[bool]int{true: 0, false: 1}[test.name == "declared"])
			// A restart and a replica need not ask for a day.
			s.clock.Advance(24*time.Hour - time.Second)
			if got, err := s.replica(t).Abilities(t.Context(), false); err != nil || got != test.want {
				t.Errorf("%+v, %v", got, err)
			}
			want(t, "asked again within a day", s.Calls(staffList), asked)
			s.clock.Advance(time.Second)
			if got, err := s.channel.Abilities(t.Context(), false); err != nil || got != test.want {
				t.Errorf("%+v, %v", got, err)
			}
			want(t, "asked after a day", s.Calls(staffList), asked*2)
		})
	}
}

func TestWithoutASecretNothingIsAsked(t *testing.T) {
	s := start(t, echo)
	mute := s.replica(t, func(c *wechat.Config) { c.Secret = "" })
	if able, err := mute.Abilities(t.Context(), true); err != nil || able != (wechat.Abilities{}) {
		t.Errorf("%+v, %v", able, err)
	}
	want(t, "calls", s.Calls(wechattest.StableToken), 0)
}

// Until it is known, nothing is sent; and the reader's window, which opened
// before, is known.
func TestWhatIsNotKnownIsNotDone(t *testing.T) {
	s := start(t, echo, verified, asking)
	s.Reader("r1").Say("hi")
	s.Cut(wechattest.StableToken)
	if _, err := s.channel.Abilities(t.Context(), false); err == nil {
		t.Error("the platform could not be asked, and there is no error")
	}
	if err := s.push(t, "r1", "news"); kind(err) != "not now" {
		t.Error(err)
	}
	want(t, "calls", s.Calls(wechattest.CustomSend), 0)
	if _, err := s.channel.Abilities(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	if err := s.push(t, "r1", "news"); err != nil {
		t.Error(err)
	}
	// What was known stays so while the platform does not answer.
	s.clock.Advance(25 * time.Hour)
	s.FailStatus(staffList, 502)
	if _, err := s.channel.Abilities(t.Context(), false); err == nil {
		t.Error("no error")
	}
	s.Reader("r1").Say("hi")
	if err := s.push(t, "r1", "news"); err != nil {
		t.Error(err)
	}
}

// The other replica asked, and this one learns of it within a minute.
func TestReplicasLearnFromEachOther(t *testing.T) {
	s := start(t, echo, verified, asking)
	s.Reader("r1").Say("hi")
	if err := s.push(t, "r1", "news"); kind(err) != "not now" {
		t.Fatal(err)
	}
	if _, err := s.replica(t).Abilities(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	s.clock.Advance(time.Minute)
	if err := s.push(t, "r1", "news"); err != nil {
		t.Error(err)
	}
}

// A way that the platform refuses is left alone for a day, unless the
// configuration says that the account has it.
func TestARefusedWayIsRemembered(t *testing.T) {
	for _, test := range []struct {
		name    string
		options []option
		want    string
	}{
		{"asked", []option{service, asking}, ""},
		{"declared", []option{service}, "config"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var told string
			s := start(t, echo, append(test.options, func(_ *wechattest.Account, c *wechat.Config) {
				c.Notify = func(_ context.Context, _, text string) { told += text }
			})...)
			s.templates()
			if _, err := s.channel.Abilities(t.Context(), false); err != nil {
				t.Fatal(err)
			}
			r := s.Follower("r1")
			r.Say("hi")
			for range 4 {
				s.clock.Advance(time.Second)
				r.Grant(noticeID)
			}
			s.Fail(wechattest.CustomSend, 48001)
			receipt, err := s.send(t, "r1")
			want(t, "the first digest", kind(err), test.want)
			if test.want == "config" {
				if !strings.Contains(told, "only verified accounts can") {
					t.Errorf("the publisher was told %q", told)
				}
				return
			}
			want(t, "its way", receipt.Way, "notice")
			// By a replica, and although the platform is asked once more.
			other := s.replica(t)
			if _, err := other.Abilities(t.Context(), true); err != nil {
				t.Fatal(err)
			}
			s.clock.Advance(24*time.Hour - time.Second)
			r.Say("hi")
			send := func() string {
				t.Helper()
				receipt, err := other.Send(t.Context(), bot.Outgoing{To: s.chat("r1"), Reply: digest()})
				if err != nil {
					t.Fatal(err)
				}
				return receipt.Way
			}
			want(t, "within a day", send(), "notice")
			want(t, "calls", s.Calls(wechattest.CustomSend), 1)
			s.clock.Advance(time.Second)
			if _, err := other.Abilities(t.Context(), true); err != nil {
				t.Fatal(err)
			}
			r.Say("hi")
			want(t, "after a day", send(), "customer")
		})
	}
}

func TestRunAsksWhatTheAccountMayDo(t *testing.T) {
	s := start(t, echo, verified, asking)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- s.channel.Run(ctx) }()
	for s.Calls("/wxaapi/newtmpl/gettemplate") == 0 {
		select {
		case err := <-done:
			t.Fatal(err)
		case <-time.After(time.Millisecond):
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A mistake in the configuration is told as a notice, and not in the log as well.
func TestAFaultOfAskingIsSaidOnce(t *testing.T) {
	var log strings.Builder
	told := make(chan string, 8)
	s := start(t, echo, verified, asking, func(_ *wechattest.Account, c *wechat.Config) {
		c.Logger = slog.New(slog.NewTextHandler(&log, nil))
		c.Notify = func(_ context.Context, _, text string) { told <- text }
	})
	s.Fail(wechattest.StableToken, 40125)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.channel.Run(ctx) }()
	text := <-told
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text, "put the new one into app_secret") || !strings.Contains(text, "digests wait") {
		t.Errorf("told %q", text)
	}
	if strings.Contains(log.String(), "is not known") {
		t.Errorf("logged as well: %s", log.String())
	}
}
