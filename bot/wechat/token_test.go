package wechat_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"newsie/bot"
	"newsie/bot/wechat"
	"newsie/bot/wechat/wechattest"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

// pushAll sends to n readers at once, each from another of the replicas in turn.
func (s *stage) pushAll(t *testing.T, n int, replicas ...*wechat.Channel) {
	t.Helper()
	for i := range n {
		s.Reader(fmt.Sprint("r", i)).Say("hi")
	}
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			out := bot.Outgoing{To: s.chat(fmt.Sprint("r", i)), Reply: bot.Reply{Text: "news"}}
			if _, err := replicas[i%len(replicas)].Send(t.Context(), out); err != nil {
				t.Errorf("reader %d: %v", i, err)
			}
		})
	}
	all.Wait()
}

func TestCallsAtOnceFetchOneToken(t *testing.T) {
	s := start(t, echo, verified)
	s.pushAll(t, 8, s.channel)
	if got := s.Calls(wechattest.StableToken); got != 1 {
		t.Errorf("%d tokens fetched, want 1", got)
	}
}

func TestReplicasDoNotKillEachOthersTokens(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := startOn(t, db, echo, verified)
		replicas := []*wechat.Channel{s.channel, s.replica(t), s.replica(t)}
		s.pushAll(t, 1, s.channel)
		before := s.Calls(wechattest.StableToken)
		// The platform refuses the token, and gives the same when asked: only
		// force helps, and each force kills the token before.
		s.Distrust()
		s.pushAll(t, 12, replicas...)
		if got := s.Calls(wechattest.StableToken) - before; got != 2 {
			t.Errorf("%d tokens fetched, want one asked for and one by force", got)
		}
		before = s.Calls(wechattest.StableToken)
		s.Revoke()
		s.pushAll(t, 12, replicas...)
		if got := s.Calls(wechattest.StableToken) - before; got != 1 {
			t.Errorf("%d tokens fetched after one was revoked, want 1", got)
		}
	})
}

func TestRenewalsWaitForTheOneThatIsUnderWay(t *testing.T) {
	const lease = "wechat/renewing/"
	hold := func(t *testing.T, s *stage) {
		t.Helper()
		s.pushAll(t, 1, s.channel)
		s.Distrust()
		if _, first, err := s.config.Settings.Create(t.Context(), lease+s.AppID, "", 30*time.Second); err != nil || !first {
			t.Fatal(first, err)
		}
	}
	t.Run("it ends", func(t *testing.T) {
		s := start(t, echo, verified)
		hold(t, s)
		fresh := s.ForceToken()
		before := s.Calls(wechattest.StableToken)
		done := make(chan error, 1)
		go func() { done <- s.push(t, "r0", "news") }()
		saved := make(chan error, 1)
		time.AfterFunc(100*time.Millisecond, func() {
			saved <- s.config.Settings.Save(context.Background(), "gowechat_officialaccount__stable_access_token_"+s.AppID, fresh, time.Hour)
		})
		if err := <-saved; err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil || s.Calls(wechattest.StableToken) != before {
			t.Errorf("%v, %d tokens fetched", err, s.Calls(wechattest.StableToken)-before)
		}
	})
	t.Run("its process died", func(t *testing.T) {
		s := start(t, echo, verified)
		hold(t, s)
		s.clock.Advance(31 * time.Second)
		if err := s.push(t, "r0", "news"); err != nil {
			t.Error(err)
		}
	})
	t.Run("it takes longer than we have", func(t *testing.T) {
		s := start(t, echo, verified)
		hold(t, s)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := s.channel.Send(ctx, bot.Outgoing{To: s.chat("r0"), Reply: bot.Reply{Text: "news"}})
		if kind(err) != "wait, all" || !errors.Is(ctx.Err(), context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	})
}

func TestNobodyWaitsLongerForATokenThanHeHas(t *testing.T) {
	release, asked := make(chan struct{}), make(chan struct{}, 8)
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		<-release
		_, _ = w.Write([]byte(`{"errcode":-1,"errmsg":"system error"}`))
	}))
	defer slow.Close()
	s := start(t, echo, verified)
	s.Reader("r1").Say("hi")
	s.channel = s.replica(t, func(c *wechat.Config) { c.APIURL = slow.URL })
	first := make(chan error, 1)
	go func() { first <- s.push(t, "r1", "one") }()
	<-asked // the first one is fetching
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err := s.channel.Send(ctx, bot.Outgoing{To: s.chat("r1"), Reply: bot.Reply{Text: "two"}})
	if kind(err) != "wait, all" {
		t.Errorf("while another fetches: %v", err)
	}
	close(release)
	if err := <-first; kind(err) != "wait" {
		t.Errorf("the one that fetches: %v", err)
	}
	if len(asked) != 0 {
		t.Error("two fetched at once")
	}
}
