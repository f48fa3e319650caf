package wechat_test

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/binary"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
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

// sealed makes the body of r what an encrypted text is, signed as it should be.
func (s *stage) sealed(r *wechattest.Request, cipher string) {
	r.Body = "<xml><ToUserName>gh</ToUserName><Encrypt>" + cipher + "</Encrypt></xml>"
	r.Query.Set("encrypt_type", "aes")
	r.Query.Set("msg_signature", wechattest.Sign(s.Token, r.Query.Get("timestamp"), r.Query.Get("nonce"), cipher))
}

// rawSeal encrypts whole blocks as they are, with the account's key.
func (s *stage) rawSeal(t *testing.T, plain []byte) string {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(s.AESKey + "=")
	if err != nil {
		t.Fatal(err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]byte, len(plain))
	cipher.NewCBCEncrypter(block, key[:16]).CryptBlocks(out, plain)
	return base64.StdEncoding.EncodeToString(out)
}

// Nobody without the token can sign these; whoever learned it cannot make us
// read beyond what was sent, and a fault of the platform is refused as well.
func TestCiphersThatAreNone(t *testing.T) {
	const fill = 7 // what the message is short of whole blocks
	inside := func(s *stage) string {
		text := "<xml>" + message("r", "hi")
		for (20+len(text+"</xml>"+s.AppID)+fill)%32 != 0 {
			text += " "
		}
		return text + "</xml>"
	}
	// plain is a message whose length is told wrong by more, and whose last byte
	// tells the padding.
	plain := func(s *stage, more, pad int) []byte {
		text := inside(s)
		p := binary.BigEndian.AppendUint32(make([]byte, 16), uint32(len(text)+more))
		p = append(append(p, text...), s.AppID...)
		return append(p, bytes.Repeat([]byte{byte(pad)}, fill)...)
	}
	for _, m := range []wechattest.Mode{wechattest.Safe, wechattest.Compatible} {
		for _, test := range []struct {
			name   string
			cipher func(t *testing.T, s *stage) string
		}{
			{"no padding", func(t *testing.T, s *stage) string { return s.rawSeal(t, plain(s, 0, 0)) }},
			{"padding beyond a block", func(t *testing.T, s *stage) string { return s.rawSeal(t, plain(s, 0, 33)) }},
			{"less padding than there is", func(t *testing.T, s *stage) string { return s.rawSeal(t, plain(s, 0, fill-1)) }},
			{"padding that reaches into the appid", func(t *testing.T, s *stage) string { return s.rawSeal(t, plain(s, 0, fill+1)) }},
			{"a length beyond the end", func(t *testing.T, s *stage) string { return s.rawSeal(t, plain(s, 1000, fill)) }},
			{"the largest length", func(t *testing.T, s *stage) string { return s.rawSeal(t, plain(s, -1-len(inside(s)), fill)) }},
			{"a length too short", func(t *testing.T, s *stage) string { return s.rawSeal(t, plain(s, -1, fill)) }},
			{"a length into the appid", func(t *testing.T, s *stage) string { return s.rawSeal(t, plain(s, 1, fill)) }},
			{"only padding", func(t *testing.T, s *stage) string { return s.rawSeal(t, bytes.Repeat([]byte{32}, 32)) }},
			{"half a block", func(t *testing.T, s *stage) string { return s.rawSeal(t, make([]byte, 48)) }},
			{"empty", func(*testing.T, *stage) string { return "" }},
			{"another appid", func(t *testing.T, s *stage) string {
				text, err := wechattest.Encrypt(inside(s), s.AppID+"x", s.AESKey)
				if err != nil {
					t.Fatal(err)
				}
				return text
			}},
			{"the message itself, untouched", nil},
			{"a bit turned", func(t *testing.T, s *stage) string {
				text, err := wechattest.Encrypt(inside(s), s.AppID, s.AESKey)
				if err != nil {
					t.Fatal(err)
				}
				raw, err := base64.StdEncoding.DecodeString(text)
				if err != nil {
					t.Fatal(err)
				}
				raw[len(raw)-20] ^= 1
				return base64.StdEncoding.EncodeToString(raw)
			}},
		} {
			t.Run(string(m)+" "+test.name, func(t *testing.T) {
				asked := false
				s := start(t, func(context.Context, bot.Message) (bot.Reply, error) { asked = true; return bot.Reply{}, nil }, mode(m))
				r := s.Request("r", message("r", "hi"))
				if test.cipher == nil { // what the others are made of is good
					s.sealed(&r, s.rawSeal(t, plain(s, 0, fill)))
					if status, _, err := s.Do(r); err != nil || status != http.StatusOK || !asked {
						t.Errorf("status %d, %v; asked %v", status, err, asked)
					}
					return
				}
				s.sealed(&r, test.cipher(t, s))
				status, answer, err := s.Do(r)
				if err != nil || status != http.StatusForbidden || strings.TrimSpace(answer) != "Forbidden" || asked {
					t.Errorf("status %d %q, %v; asked %v", status, answer, err, asked)
				}
				if got := s.channel.Refused()["cannot be decrypted, or is for another appid"]; got != 1 {
					t.Errorf("counted %v", s.channel.Refused())
				}
			})
		}
	}
}

func TestCompatibleModeBelievesTheEncryptedForm(t *testing.T) {
	const refused = http.StatusForbidden
	plain := "<xml>" + message("r", "forged") + "</xml>"
	for _, test := range []struct {
		name   string
		tamper func(t *testing.T, s *stage, r *wechattest.Request)
		status int
		asked  string
	}{
		{"untouched", func(*testing.T, *stage, *wechattest.Request) {}, http.StatusOK, "hi"},
		{"the plain form changed", func(_ *testing.T, _ *stage, r *wechattest.Request) {
			r.Body = strings.Replace(r.Body, "<Content>hi</Content>", "<Content>forged</Content>", 1)
		}, http.StatusOK, "hi"},
		{"the cipher changed", func(_ *testing.T, _ *stage, r *wechattest.Request) {
			r.Body = strings.Replace(r.Body, "<Encrypt><![CDATA[", "<Encrypt><![CDATA[A", 1)
		}, refused, ""},
		{"the cipher taken out", func(_ *testing.T, _ *stage, r *wechattest.Request) { r.Body = plain }, refused, ""},
		{"another message's cipher", func(_ *testing.T, s *stage, r *wechattest.Request) {
			r.Body = s.Request("r", message("r", "other")).Body
		}, refused, ""},
		{"two ciphers", func(t *testing.T, s *stage, r *wechattest.Request) {
			forged, err := wechattest.Encrypt(plain, s.AppID, s.AESKey)
			if err != nil {
				t.Fatal(err)
			}
			r.Body = strings.Replace(r.Body, "</xml>", "<Encrypt>"+forged+"</Encrypt></xml>", 1)
		}, refused, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			asked := ""
			s := start(t, func(ctx context.Context, m bot.Message) (bot.Reply, error) { asked = m.Text; return echo(ctx, m) }, mode(wechattest.Compatible))
			r := s.Request("r", message("r", "hi"))
			test.tamper(t, s, &r)
			status, _, err := s.Do(r)
			if err != nil || status != test.status || asked != test.asked {
				t.Errorf("status %d, %v; the bot was asked %q, want %q", status, err, asked, test.asked)
			}
		})
	}
}

func TestEachPartOfTheSignatureStandsThereOnce(t *testing.T) {
	for _, name := range []string{"timestamp", "nonce", "signature"} {
		for what, values := range map[string]func(string) []string{
			"missing": func(string) []string { return nil },
			"empty":   func(string) []string { return []string{""} },
			"twice":   func(v string) []string { return []string{v, v} },
			"lists":   func(v string) []string { return []string{v + "," + v} },
		} {
			t.Run(name+" "+what, func(t *testing.T) {
				s := start(t, echo)
				for _, method := range []string{http.MethodGet, http.MethodPost} {
					r := s.Request("r", message("r", "hi"))
					r.Query.Set("echostr", "echo")
					r.Query[name] = values(r.Query.Get(name))
					w := httptest.NewRecorder()
					s.channel.ServeHTTP(w, httptest.NewRequest(method, "/?"+r.Query.Encode(), strings.NewReader(r.Body)))
					if w.Code != http.StatusForbidden || strings.Contains(w.Body.String(), "echo") {
						t.Errorf("%s: %d %q", method, w.Code, w.Body)
					}
				}
			})
		}
	}
}

// endless is a body of unknown length.
type endless struct{ read atomic.Int64 }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	e.read.Add(int64(len(p)))
	return len(p), nil
}

func TestEndlessBodiesAreNotRead(t *testing.T) {
	s := start(t, echo)
	body := &endless{}
	w := httptest.NewRecorder()
	r := s.Request("r", message("r", "hi"))
	s.channel.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/?"+r.Query.Encode(), io.NopCloser(body)))
	if w.Code != http.StatusBadRequest || body.read.Load() > 256<<10 {
		t.Errorf("%d after %d bytes", w.Code, body.read.Load())
	}
	// Nothing at all is read of whoever cannot sign.
	body = &endless{}
	w = httptest.NewRecorder()
	s.channel.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/?timestamp=1&nonce=2&signature=3", io.NopCloser(body)))
	if w.Code != http.StatusForbidden || body.read.Load() != 0 {
		t.Errorf("%d after %d bytes", w.Code, body.read.Load())
	}
}

func TestOtherReplicaRepeatsTheBytesForAMinute(t *testing.T) {
	for _, m := range []wechattest.Mode{wechattest.Safe, wechattest.Plain} {
		databasetest.Each(t, func(t *testing.T, db *database.DB) {
			var asked atomic.Int32
			s := startOn(t, db, func(ctx context.Context, m bot.Message) (bot.Reply, error) {
				asked.Add(1)
				return echo(ctx, m)
			}, mode(m))
			other := s.replica(t)
			for name, do := range map[string]func(*wechattest.Reader) wechattest.Bubble{
				"a text":       func(r *wechattest.Reader) wechattest.Bubble { return r.Say("hi") },
				"a menu click": func(r *wechattest.Reader) wechattest.Bubble { return r.Click("/latest") },
				"a picture":    func(r *wechattest.Reader) wechattest.Bubble { return r.Send("image") },
			} {
				asked.Store(0)
				s.Connect(s.channel)
				reader := s.Reader("r-" + string(m) + strings.Fields(name)[1])
				first := do(reader)
				s.Connect(other)
				s.clock.Advance(time.Minute)
				if again := reader.Repeat(); again.Response != first.Response || !strings.HasPrefix(first.Response, "<xml>") || asked.Load() != 1 {
					t.Errorf("%s, %s: asked %d times\n%q\n%q", m, name, asked.Load(), first.Response, again.Response)
				}
			}
		})
	}
}

func TestTriesAtOnceGetOneAnswer(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		const event = "<ToUserName>gh</ToUserName><FromUserName>r1</FromUserName><CreateTime>1</CreateTime><MsgType>event</MsgType><Event>CLICK</Event><EventKey>/latest</EventKey>"
		var asked atomic.Int32
		s := startOn(t, db, func(ctx context.Context, m bot.Message) (bot.Reply, error) {
			asked.Add(1)
			return echo(ctx, m)
		})
		replicas := []*wechat.Channel{s.channel, s.replica(t), s.replica(t)}
		for _, what := range []string{message("r1", "hi"), event} {
			asked.Store(0)
			answers := make([]string, 3*len(replicas))
			request := s.Request("r1", what)
			var all sync.WaitGroup
			for i := range answers {
				all.Go(func() {
					w := httptest.NewRecorder()
					replicas[i%len(replicas)].ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/?"+request.Query.Encode(), strings.NewReader(request.Body)))
					answers[i] = w.Body.String()
				})
			}
			all.Wait()
			if len(slices.Compact(answers)) != 1 || asked.Load() != 1 || !strings.HasPrefix(answers[0], "<xml>") {
				t.Errorf("asked %d times: %q", asked.Load(), answers)
			}
		}
	})
}

func TestPanicsAroundTheHandlerStayInside(t *testing.T) {
	var log bytes.Buffer
	var broken atomic.Bool
	s := start(t, echo, func(_ *wechattest.Account, c *wechat.Config) {
		c.Logger = slog.New(slog.NewTextHandler(&log, nil))
	})
	now := s.config.Now
	channel := s.replica(t, func(c *wechat.Config) {
		c.Now = func() time.Time {
			if broken.Load() {
				panic("no clock for " + s.AppID)
			}
			return now()
		}
	})
	r := s.Request("r", message("r", "hi"))
	broken.Store(true)
	w := httptest.NewRecorder()
	channel.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/?"+r.Query.Encode(), strings.NewReader(r.Body)))
	if w.Code != http.StatusOK || w.Body.String() != "success" {
		t.Errorf("%d %q", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), "panicked") || strings.Contains(log.String(), "no clock") {
		t.Errorf("logged:\n%s", &log)
	}
}

func TestUnknownChannels(t *testing.T) {
	var log bytes.Buffer
	clock := wechattest.NewClock(time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC))
	counted := 0
	handler := wechat.Elsewhere(slog.New(slog.NewTextHandler(&log, nil)), clock.Now, func() { counted++ })
	for range 5 {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, httptest.NewRequest(method, "/hooks/wechat/gzhh?signature=secret&echostr=echo", strings.NewReader("secret")))
			if w.Code != http.StatusNotFound || strings.TrimSpace(w.Body.String()) != "Not Found" {
				t.Errorf("%s: %d %q", method, w.Code, w.Body)
			}
		}
	}
	clock.Advance(time.Minute)
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/hooks/wechat/"+strings.Repeat("x", 9000), nil))
	text := log.String()
	if strings.Count(text, "refused a request") != 2 || !strings.Contains(text, "path=/hooks/wechat/gzhh") || !strings.Contains(text, "times=10") {
		t.Errorf("logged:\n%s", text)
	}
	if strings.Contains(text, "secret") || len(text) > 1000 || counted != 11 {
		t.Errorf("counted %d; logged:\n%s", counted, text)
	}
}
