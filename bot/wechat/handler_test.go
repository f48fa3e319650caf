package wechat_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"newsie/bot"
	"newsie/bot/wechat"
	"newsie/bot/wechat/wechattest"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

func TestVerification(t *testing.T) {
	s := start(t, echo)
	if err := s.Verify(); err != nil {
		t.Error(err)
	}
}

// The vectors come from the platform's documentation.
func TestOfficialSignatures(t *testing.T) {
	for _, v := range []struct{ timestamp, nonce, signature string }{
		{"1714036504", "1514711492", "f464b24fc39322e44b38aa78f5edd27bd1441696"},
		{"1714037059", "486452656", "899cf89e464efb63f54ddac96b0a0a235f53aa78"},
	} {
		if got := wechattest.Sign("AAAAA", v.timestamp, v.nonce); got != v.signature {
			t.Errorf("wechattest.Sign(%s) = %s", v.timestamp, got)
		}
		seconds, _ := strconv.ParseInt(v.timestamp, 10, 64)
		s := start(t, echo, func(a *wechattest.Account, c *wechat.Config) {
			a.Token = "AAAAA"
			c.Now = func() time.Time { return time.Unix(seconds, 0) }
		})
		q := url.Values{"timestamp": {v.timestamp}, "nonce": {v.nonce}, "signature": {v.signature}, "echostr": {"hello"}}
		w := httptest.NewRecorder()
		s.channel.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/?"+q.Encode(), nil))
		if w.Code != http.StatusOK || w.Body.String() != "hello" {
			t.Errorf("%s: %d %q", v.timestamp, w.Code, w.Body)
		}
	}
}

func message(openid, text string) string {
	return "<ToUserName>gh</ToUserName><FromUserName>" + openid + "</FromUserName><CreateTime>1</CreateTime><MsgType>text</MsgType><Content>" + text + "</Content><MsgId>7</MsgId>"
}

func TestRefusals(t *testing.T) {
	const safe, plain, compatible = wechattest.Safe, wechattest.Plain, wechattest.Compatible
	resign := func(s *stage, r *wechattest.Request) {
		r.Query.Set("signature", wechattest.Sign(s.Token, r.Query.Get("timestamp"), r.Query.Get("nonce")))
	}
	set := func(name string, values ...string) func(*stage, *wechattest.Request) {
		return func(_ *stage, r *wechattest.Request) { r.Query[name] = values }
	}
	at := func(d time.Duration) func(*stage, *wechattest.Request) {
		return func(s *stage, r *wechattest.Request) {
			r.Query.Set("timestamp", strconv.FormatInt(s.clock.Now().Add(d).Unix(), 10))
			resign(s, r)
		}
	}
	body := func(text string) func(*stage, *wechattest.Request) {
		return func(_ *stage, r *wechattest.Request) { r.Body = text }
	}
	// sealed is an encrypted message with what is inside given whole.
	sealed := func(inside string, appID, key func(*stage) string) func(*stage, *wechattest.Request) {
		return func(s *stage, r *wechattest.Request) {
			cipher, err := wechattest.Encrypt(inside, appID(s), key(s))
			if err != nil {
				t.Fatal(err)
			}
			r.Body = "<xml><Encrypt>" + cipher + "</Encrypt></xml>"
			r.Query.Set("msg_signature", wechattest.Sign(s.Token, r.Query.Get("timestamp"), r.Query.Get("nonce"), cipher))
		}
	}
	ours := func(s *stage) string { return s.AppID }
	key := func(s *stage) string { return s.AESKey }
	good := "<xml>" + message("r", "hi") + "</xml>"

	for _, test := range []struct {
		name   string
		mode   wechattest.Mode
		tamper func(*stage, *wechattest.Request)
		want   int
		reason string
	}{
		{"untouched, safe", safe, func(*stage, *wechattest.Request) {}, 200, ""},
		{"untouched, plain", plain, func(*stage, *wechattest.Request) {}, 200, ""},
		{"untouched, compatible", compatible, func(*stage, *wechattest.Request) {}, 200, ""},
		{"plain with encrypt_type=raw", plain, set("encrypt_type", "raw"), 200, ""},
		{"no signature", safe, set("signature"), 403, "signature"},
		{"empty signature", safe, set("signature", ""), 403, "signature"},
		{"two signatures", safe, set("signature", "a", "b"), 403, "signature"},
		{"wrong signature", safe, set("signature", strings.Repeat("a", 40)), 403, "signature"},
		{"two timestamps", safe, func(_ *stage, r *wechattest.Request) {
			r.Query["timestamp"] = append(r.Query["timestamp"], "1")
		}, 403, "signature"},
		{"two nonces", safe, func(_ *stage, r *wechattest.Request) { r.Query["nonce"] = append(r.Query["nonce"], "1") }, 403, "signature"},
		{"timestamp is no number", safe, func(s *stage, r *wechattest.Request) {
			r.Query.Set("timestamp", "soon")
			resign(s, r)
		}, 403, "timestamp"},
		{"ten minutes old", plain, at(-10 * time.Minute), 200, ""},
		{"older", plain, at(-10*time.Minute - time.Second), 403, "timestamp"},
		{"ten minutes ahead", plain, at(10 * time.Minute), 200, ""},
		{"further ahead", plain, at(10*time.Minute + time.Second), 403, "timestamp"},
		{"plain body in safe mode", safe, func(_ *stage, r *wechattest.Request) {
			r.Query.Del("encrypt_type")
			r.Body = good
		}, 403, "plain body in safe mode"},
		{"raw body in safe mode", safe, func(_ *stage, r *wechattest.Request) {
			r.Query.Set("encrypt_type", "raw")
			r.Body = good
		}, 403, "plain body in safe mode"},
		{"unknown encrypt_type", safe, set("encrypt_type", "rot13"), 403, "encrypt_type"},
		{"two encrypt_types", safe, set("encrypt_type", "aes", "raw"), 403, "encrypt_type"},
		{"no msg_signature", safe, set("msg_signature"), 403, "msg_signature"},
		{"two msg_signatures", safe, func(_ *stage, r *wechattest.Request) {
			r.Query["msg_signature"] = append(r.Query["msg_signature"], "x")
		}, 403, "msg_signature"},
		{"wrong msg_signature", safe, set("msg_signature", strings.Repeat("0", 40)), 403, "msg_signature"},
		{"tampered cipher", safe, func(_ *stage, r *wechattest.Request) {
			r.Body = strings.Replace(r.Body, "<Encrypt><![CDATA[", "<Encrypt><![CDATA[A", 1)
		}, 403, "msg_signature"},
		{"another appid", safe, sealed(good, func(*stage) string { return "wxother" }, key), 403, "cannot be decrypted, or is for another appid"},
		{"another key", safe, sealed(good, ours, func(*stage) string { return wechattest.NewAESKey() }), 403, "cannot be decrypted, or is for another appid"},
		{"cipher is no base64", safe, func(s *stage, r *wechattest.Request) {
			r.Body = "<xml><Encrypt>!!!</Encrypt></xml>"
			r.Query.Set("msg_signature", wechattest.Sign(s.Token, r.Query.Get("timestamp"), r.Query.Get("nonce"), "!!!"))
		}, 403, "cannot be decrypted, or is for another appid"},
		{"DOCTYPE inside", safe, sealed(`<!DOCTYPE xml [<!ENTITY a "b">]>`+good, ours, key), 400, "DOCTYPE"},
		{"DOCTYPE outside", safe, body(`<!DOCTYPE x SYSTEM "http://example.org/">` + good), 400, "DOCTYPE"},
		{"DOCTYPE, plain", plain, body(`<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]>` + good), 400, "DOCTYPE"},
		{"entity", plain, body("<xml>" + message("r", "&a;") + "</xml>"), 400, "not XML"},
		{"open CDATA", plain, body("<xml><Content><![CDATA[a</Content></xml>"), 400, "not XML"},
		{"not XML", plain, body(`{"MsgType":"text"}`), 400, "not XML"},
		{"not XML, safe", safe, body(`{"Encrypt":"x"}`), 400, "not XML"},
		{"not XML inside", safe, sealed("hello", ours, key), 400, "not XML"},
		{"another root", plain, body("<html></html>"), 400, "not XML"},
		{"empty", plain, body(""), 400, "not XML"},
		{"64 KiB", plain, body("<xml>" + message("r", "hi") + strings.Repeat(" ", 64<<10-len(good)) + "</xml>"), 200, ""},
		{"larger", plain, body("<xml>" + message("r", "hi") + strings.Repeat(" ", 64<<10-len(good)+1) + "</xml>"), 400, "body too large or broken off"},
		{"DOCTYPE as a reader's words", plain, body("<xml>" + message("r", "<![CDATA[<!DOCTYPE x> <!-- &a; ]]>") + "</xml>"), 200, ""},
		{"control characters as a reader's words", plain, body("<xml>" + message("r", "<![CDATA[a\x08b\xff]]>") + "</xml>"), 200, ""},
		{"a number that is none", plain, body("<xml>" + message("r", "hi") + "<bizmsgmenuid>abc</bizmsgmenuid></xml>"), 200, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := start(t, echo, mode(test.mode))
			r := s.Request("r", message("r", "hi"))
			test.tamper(s, &r)
			status, answer, err := s.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			if status != test.want {
				t.Fatalf("status %d (%q), want %d", status, answer, test.want)
			}
			if status == http.StatusOK {
				if answer != "success" && !strings.HasPrefix(answer, "<xml>") {
					t.Errorf("answer %q", answer)
				}
				return
			}
			if want := http.StatusText(status); strings.TrimSpace(answer) != want {
				t.Errorf("the sender learns %q", answer)
			}
			if got := s.channel.Refused(); got[test.reason] != 1 {
				t.Errorf("counted %v, want one for %q", got, test.reason)
			}
		})
	}
}

func TestPlainChannelRefusesWhatItCannotDecrypt(t *testing.T) {
	s := start(t, echo, mode(wechattest.Plain))
	s.channel = s.replica(t, func(c *wechat.Config) { c.AESKey = "" })
	s.Connect(s.channel)
	s.Mode = wechattest.Safe
	if status, _, err := s.Do(s.Request("r", message("r", "hi"))); err != nil || status != http.StatusForbidden {
		t.Errorf("status %d, %v", status, err)
	}
}

func TestMethods(t *testing.T) {
	s := start(t, echo)
	for method, want := range map[string]int{"PUT": 405, "HEAD": 405, "DELETE": 405, "OPTIONS": 405, "GET": 400} {
		signed := s.Request("r", message("r", "hi")).Query
		for query, want := range map[string]int{signed.Encode(): want, "": 403, "a=%zz": 403} {
			w := httptest.NewRecorder()
			s.channel.ServeHTTP(w, httptest.NewRequest(method, "/?"+query, nil))
			if w.Code != want {
				t.Errorf("%s with %q: %d, want %d", method, query, w.Code, want)
			}
		}
	}
	// The library's server would echo any echostr.
	r := s.Request("r", message("r", "hi"))
	r.Query.Set("echostr", "<script>")
	if _, answer, err := s.Do(r); err != nil || strings.Contains(answer, "script") {
		t.Errorf("%q, %v", answer, err)
	}
}

func TestBothKeysWhileOneIsChanged(t *testing.T) {
	s := start(t, echo)
	previous := s.AESKey
	s.Connect(s.replica(t, func(c *wechat.Config) { c.AESKey, c.PreviousAESKey = wechattest.NewAESKey(), previous }))
	// The platform still has the previous key, and checks the answer with it.
	if b := s.Reader("r1").Say("hi"); b.Text != "text: hi" {
		t.Errorf("with the previous key: %+v", b)
	}
	told := ""
	s.Connect(s.replica(t, func(c *wechat.Config) {
		c.AESKey = wechattest.NewAESKey()
		c.Notify = func(_ context.Context, key, text string) { told = key + " " + text }
	}))
	if b := s.Reader("r1").Say("hi"); b.Text != wechattest.OutOfService {
		t.Errorf("without it: %+v", b)
	}
	if !strings.Contains(told, "wechat/wx/aes_key") || !strings.Contains(told, "aes_key") {
		t.Errorf("the publisher was told %q", told)
	}
	s.Problems()
}

func TestRefusalsAreCountedAndToldOnceAMinute(t *testing.T) {
	var log bytes.Buffer
	s := start(t, echo, func(_ *wechattest.Account, c *wechat.Config) {
		c.Logger = slog.New(slog.NewTextHandler(&log, nil))
	})
	knock := func() {
		r := s.Request("r", message("r", "secret words"))
		r.Query.Set("signature", "wrong")
		if status, _, err := s.Do(r); err != nil || status != http.StatusForbidden {
			t.Fatalf("status %d, %v", status, err)
		}
	}
	for range 5 {
		knock()
	}
	if n := strings.Count(log.String(), "refused a request"); n != 1 {
		t.Errorf("%d lines:\n%s", n, &log)
	}
	s.clock.Advance(time.Minute)
	knock()
	if n := strings.Count(log.String(), "refused a request"); n != 2 || !strings.Contains(log.String(), "times=5") {
		t.Errorf("%d lines:\n%s", n, &log)
	}
	if strings.Contains(log.String(), "secret words") || strings.Contains(log.String(), s.Token) {
		t.Errorf("the log tells too much:\n%s", &log)
	}
}

func TestRetryGetsTheSameBytes(t *testing.T) {
	for _, m := range []wechattest.Mode{wechattest.Safe, wechattest.Plain} {
		for _, say := range []string{"hello", "nothing"} {
			t.Run(string(m)+" "+say, func(t *testing.T) {
				asked := 0
				s := start(t, func(ctx context.Context, in bot.Message) (bot.Reply, error) {
					asked++
					if in.Text == "nothing" {
						return bot.Reply{}, nil
					}
					return echo(ctx, in)
				}, mode(m))
				reader := s.Reader("r1")
				first := reader.Say(say)
				for range 14 { // 70 seconds of retries
					if again := reader.Repeat(); again.Response != first.Response {
						t.Fatalf("again: %q\nfirst: %q", again.Response, first.Response)
					}
				}
				if asked != 1 {
					t.Errorf("the bot was asked %d times", asked)
				}
				reader.Say(say)
				if asked != 2 {
					t.Errorf("the same words, said again, are another message: asked %d times", asked)
				}
			})
		}
	}
}

func TestLostAnswersAreGivenAgain(t *testing.T) {
	var asked atomic.Int32
	s := start(t, func(ctx context.Context, m bot.Message) (bot.Reply, error) {
		asked.Add(1)
		return echo(ctx, m)
	})
	s.Lose(2)
	if b := s.Reader("r1").Say("hi"); b.Text != "text: hi" || asked.Load() != 1 {
		t.Errorf("%+v, asked %d times", b, asked.Load())
	}
	s.Lose(3)
	if b := s.Reader("r1").Say("hi"); b.Text != wechattest.OutOfService {
		t.Errorf("%+v", b)
	}
	s.Problems()
}

func TestEventsAreRepeatedByWhatHappened(t *testing.T) {
	asked := 0
	s := start(t, func(ctx context.Context, m bot.Message) (bot.Reply, error) {
		asked++
		return echo(ctx, m)
	})
	r1, r2 := s.Reader("r1"), s.Reader("r2")
	// All in one second of the platform's clock.
	r1.Click("/latest")
	r1.Click("/help")
	r2.Click("/latest")
	r1.Click("/latest") // the platform says sender and time make it the same
	if asked != 3 {
		t.Errorf("asked %d times", asked)
	}
	s.clock.Advance(time.Second)
	r1.Click("/latest")
	r1.Repeat()
	if asked != 4 {
		t.Errorf("asked %d times", asked)
	}
}

func TestTwoReplicasAnswerOnce(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		var asked atomic.Int32
		begun, release := make(chan struct{}), make(chan struct{})
		s := startOn(t, db, func(ctx context.Context, m bot.Message) (bot.Reply, error) {
			asked.Add(1)
			close(begun)
			<-release
			return echo(ctx, m)
		})
		replicas := []*wechat.Channel{s.channel, s.replica(t)}
		answers := make([]string, len(replicas))
		var both sync.WaitGroup
		request := s.Request("r1", message("r1", "hi"))
		for i, c := range replicas {
			both.Go(func() {
				w := httptest.NewRecorder()
				c.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/?"+request.Query.Encode(), strings.NewReader(request.Body)))
				answers[i] = w.Body.String()
			})
		}
		<-begun
		close(release)
		both.Wait()
		if asked.Load() != 1 || answers[0] != answers[1] || !strings.HasPrefix(answers[0], "<xml>") {
			t.Errorf("asked %d times: %q", asked.Load(), answers)
		}
	})
}

func TestMessageOfADeadReplicaIsFreedForTheNextTry(t *testing.T) {
	s := start(t, echo, func(_ *wechattest.Account, c *wechat.Config) { c.Patience = 30 * time.Millisecond })
	if fresh, _, _, err := s.config.Inbox.Begin(t.Context(), s.chat("r1"), "7"); err != nil || !fresh {
		t.Fatal(fresh, err)
	}
	r := s.Request("r1", message("r1", "hi"))
	// The platform hangs up on the second try; the third is answered.
	ctx, hangUp := context.WithCancel(t.Context())
	time.AfterFunc(time.Second, hangUp)
	s.channel.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/?"+r.Query.Encode(), strings.NewReader(r.Body)).WithContext(ctx))
	w := httptest.NewRecorder()
	roomy := s.replica(t, func(c *wechat.Config) { c.Patience = 0 })
	roomy.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/?"+r.Query.Encode(), strings.NewReader(r.Body)))
	if !strings.Contains(w.Body.String(), "<Encrypt>") {
		t.Errorf("the third try got %q", w.Body)
	}
}

func TestSlowAnswersFollow(t *testing.T) {
	for _, test := range []struct {
		name    string
		options []option
		late    string // what Late keeps
		phone   string // what the reader has at the end
	}{
		{"verified: as a customer message", []option{verified}, "", "text: hi"},
		{"not verified: with the next message", nil, "text: hi", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			release, kept := make(chan struct{}), make(chan string, 1)
			var asked atomic.Int32
			options := append(test.options, func(_ *wechattest.Account, c *wechat.Config) {
				c.Patience = 500 * time.Millisecond
				c.Late = func(_ context.Context, chat bot.ChatID, r bot.Reply) error {
					if chat.ID != "r1" {
						t.Errorf("kept for %v", chat)
					}
					kept <- r.Text
					return nil
				}
			})
			s := start(t, func(ctx context.Context, m bot.Message) (bot.Reply, error) {
				asked.Add(1)
				<-release
				if ctx.Err() != nil {
					t.Error("the late answer was cancelled with its request")
				}
				return echo(ctx, m)
			}, options...)
			reader := s.Reader("r1")
			if b := reader.Say("hi"); b.Response != "success" {
				t.Errorf("at once: %q", b.Response)
			}
			for range 2 {
				if b := reader.Repeat(); b.Response != "success" {
					t.Errorf("the retry: %q", b.Response)
				}
			}
			close(release)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if err := s.channel.Run(ctx); err != nil { // waits for it
				t.Fatal(err)
			}
			if asked.Load() != 1 {
				t.Errorf("the bot was asked %d times", asked.Load())
			}
			late := ""
			select {
			case late = <-kept:
			default:
			}
			phone := reader.Phone()
			last := phone[len(phone)-1]
			if late != test.late || (last.Who == wechattest.Bot) != (test.phone != "") || test.phone != "" && last.Text != test.phone {
				t.Errorf("kept %q; the phone shows:\n%s", late, reader)
			}
		})
	}
}

func TestFaultsOfTheHandlerStayInside(t *testing.T) {
	var log bytes.Buffer
	s := start(t, func(_ context.Context, m bot.Message) (bot.Reply, error) {
		switch m.Text {
		case "panic":
			panic("the reader said " + m.Text)
		case "error":
			return bot.Reply{}, errors.New("out of order")
		}
		return bot.Reply{}, nil
	}, func(_ *wechattest.Account, c *wechat.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	for _, text := range []string{"panic", "error", "nothing"} {
		if b := s.Reader("r1").Say(text); b.Response != "success" {
			t.Errorf("%s: %q", text, b.Response)
		}
	}
	if !strings.Contains(log.String(), "panicked") || !strings.Contains(log.String(), "out of order") {
		t.Errorf("the publisher is not told:\n%s", &log)
	}
	if strings.Contains(log.String(), "the reader said") {
		t.Errorf("a reader's words in the log:\n%s", &log)
	}
}

func TestPlatformThatHangsUpGetsTheAnswerNextTime(t *testing.T) {
	asked := 0
	hungUp := make(chan struct{})
	s := start(t, func(ctx context.Context, m bot.Message) (bot.Reply, error) {
		asked++
		<-hungUp
		return echo(ctx, m)
	})
	r := s.Request("r1", message("r1", "hi"))
	post := func(ctx context.Context) string {
		w := httptest.NewRecorder()
		s.channel.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/?"+r.Query.Encode(), strings.NewReader(r.Body)).WithContext(ctx))
		return w.Body.String()
	}
	ctx, hangUp := context.WithCancel(t.Context())
	hangUp()
	close(hungUp)
	first := post(ctx)
	if second := post(t.Context()); second != first || !strings.HasPrefix(second, "<xml>") || asked != 1 {
		t.Errorf("asked %d times: %q, then %q", asked, first, second)
	}
}

func TestPanicsStayInside(t *testing.T) {
	s := start(t, echo, func(_ *wechattest.Account, c *wechat.Config) {
		c.Notify = func(context.Context, string, string) { panic("no chat to tell") }
	})
	r := s.Request("r1", "")
	cipher, err := wechattest.Encrypt("<xml/>", "another", s.AESKey)
	if err != nil {
		t.Fatal(err)
	}
	r.Body = "<xml><Encrypt>" + cipher + "</Encrypt></xml>"
	r.Query.Set("msg_signature", wechattest.Sign(s.Token, r.Query.Get("timestamp"), r.Query.Get("nonce"), cipher))
	if status, answer, err := s.Do(r); err != nil || status != http.StatusOK || answer != "success" {
		t.Errorf("%d %q %v", status, answer, err)
	}
}

func TestAnswerBearsOurTime(t *testing.T) {
	s := start(t, echo, mode(wechattest.Plain))
	b := s.Reader("r1").Say("hi")
	if want := "<CreateTime>" + strconv.FormatInt(s.clock.Now().Unix(), 10) + "</CreateTime>"; !strings.Contains(b.Response, want) {
		t.Errorf("%s is not in %s", want, b.Response)
	}
}

func TestHeldIsHandedOver(t *testing.T) {
	var fail bool
	s := start(t, echo, func(_ *wechattest.Account, c *wechat.Config) {
		c.Held = func(_ context.Context, chat bot.ChatID, r bot.Reply) (bot.Reply, error) {
			if fail {
				return bot.Reply{}, errors.New("no database")
			}
			r.Text = "held for " + chat.ID + "\n" + r.Text
			return r, nil
		}
	})
	if b := s.Reader("r1").Say("hi"); b.Text != "held for r1\ntext: hi" {
		t.Errorf("%q", b.Text)
	}
	fail = true
	if b := s.Reader("r1").Say("hi"); b.Text != "text: hi" {
		t.Errorf("%q", b.Text)
	}
}

// Hours of quiet are quiet: what waits for a reader waits on.
func TestSilenceHandsNothingOver(t *testing.T) {
	asked := 0
	silent := func(context.Context, bot.Message) (bot.Reply, error) { return bot.Reply{}, nil }
	s := start(t, silent, func(_ *wechattest.Account, c *wechat.Config) {
		c.Held = func(_ context.Context, _ bot.ChatID, r bot.Reply) (bot.Reply, error) {
			asked++
			r.Text = "held"
			return r, nil
		}
	})
	if b := s.Reader("r1").Say("hi"); string(b.Response) != "success" || asked != 0 {
		t.Errorf("the answer is %q, held messages asked for %d times", b.Response, asked)
	}
}

func FuzzHandler(f *testing.F) {
	var mu sync.Mutex
	s := start(f, echo, mode(wechattest.Safe))
	plain := s.replica(f, func(c *wechat.Config) { c.Mode, c.AESKey = wechat.Plain, "" })
	for _, seed := range []string{
		"<xml>" + message("r", "hi") + "</xml>", "", "<xml>", "<!DOCTYPE x>", "<xml><![CDATA[", "\xff\xfe<\x00x\x00",
		"<xml><FromUserName>r</FromUserName><CreateTime>1</CreateTime><MsgType>event</MsgType><Event>subscribe</Event><EventKey>qrscene_1</EventKey></xml>",
		"<xml><FromUserName>r</FromUserName><MsgType>text</MsgType><Content>/more%2093%202</Content><bizmsgmenuid>1</bizmsgmenuid></xml>",
		"<xml><FromUserName>r</FromUserName><MsgType>location</MsgType><Location_X>x</Location_X></xml>",
	} {
		f.Add(seed, "aes", true)
		f.Add(seed, "", false)
	}
	f.Fuzz(func(t *testing.T, body, kind string, sealed bool) {
		mu.Lock()
		defer mu.Unlock()
		s.clock.Advance(time.Second)
		r := s.Request("r", "")
		r.Body = body
		if sealed { // past the signature, into the parser
			cipher, err := wechattest.Encrypt(body, s.AppID, s.AESKey)
			if err != nil {
				t.Fatal(err)
			}
			r.Body = "<xml><Encrypt>" + cipher + "</Encrypt></xml>"
			r.Query.Set("msg_signature", wechattest.Sign(s.Token, r.Query.Get("timestamp"), r.Query.Get("nonce"), cipher))
		}
		r.Query.Set("encrypt_type", kind)
		for _, c := range []*wechat.Channel{s.channel, plain} {
			w := httptest.NewRecorder()
			c.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/?"+r.Query.Encode(), strings.NewReader(r.Body)))
			answer, _ := io.ReadAll(w.Body)
			switch w.Code {
			case http.StatusOK:
				if string(answer) != "success" && !bytes.HasPrefix(answer, []byte("<xml>")) {
					t.Fatalf("answer %q", answer)
				}
			case http.StatusBadRequest, http.StatusForbidden:
			default:
				t.Fatalf("status %d", w.Code)
			}
		}
	})
}
