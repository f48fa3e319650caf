package wechat_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"newsie/bot"
	"newsie/bot/wechat"
	"newsie/bot/wechat/wechattest"
	"newsie/content"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

// internet leads every call to a handler, whatever its address.
type internet struct{ http.Handler }

func (i internet) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	i.ServeHTTP(w, r)
	return w.Result(), nil
}

// broken is an internet without a connection.
type broken struct{ err error }

func (b broken) RoundTrip(*http.Request) (*http.Response, error) { return nil, b.err }

// public is a channel of the stage that the internet reaches.
func (s *stage) public(t *testing.T, options ...func(*wechat.Config)) *wechat.Channel {
	t.Helper()
	serving := s.replica(t)
	return s.replica(t, append([]func(*wechat.Config){func(c *wechat.Config) {
		c.PublicURL, c.Transport = "https://news.example.org", internet{serving}
	}}, options...)...)
}

// bad are the findings that are not OK: what and advice.
func bad(t *testing.T, s *stage, findings []bot.Finding) []string {
	t.Helper()
	var list []string
	for _, f := range findings {
		if !f.OK {
			list = append(list, f.What+" -> "+f.Advice)
		}
		if f.What == "" || !f.OK && f.Advice == "" || strings.Contains(f.What+f.Advice, s.Secret) || strings.Contains(f.What+f.Advice, s.Token) {
			t.Errorf("finding %+v", f)
		}
	}
	return list
}

func TestCheck(t *testing.T) {
	configure := func(set func(*wechat.Config)) option {
		return func(_ *wechattest.Account, c *wechat.Config) { set(c) }
	}
	menu := configure(func(c *wechat.Config) { c.Menu = []wechat.Button{say("A", "a")} })
	for _, test := range []struct {
		name    string
		options []option
		break_  func(*stage)
		want    []string // findings that are not OK: parts of what and advice
	}{
		{"all well", []option{verified}, func(*stage) {}, nil},
		{"an unverified account", nil, func(*stage) {}, nil},
		{"plain mode", []option{verified, mode(wechattest.Plain)}, func(*stage) {}, []string{"choose safe mode"}},
		{"compatible mode", []option{verified, mode(wechattest.Compatible)}, func(*stage) {}, []string{"in compatible mode"}},
		{"not whitelisted", []option{verified}, func(s *stage) { s.Block("203.0.113.99") }, []string{"add 203.0.113.99 to the IP whitelist"}},
		{"wrong secret", nil, func(s *stage) { s.config.Secret = "other" }, []string{"AppSecret is wrong"}},
		{"frozen secret", nil, func(s *stage) { s.Fail(wechattest.StableToken, 40243) }, []string{"unfreeze it"}},
		{"unknown appid", nil, func(s *stage) { s.Fail(wechattest.StableToken, 40013) }, []string{"app_id is not known to WeChat"}},
		{"the API refuses", nil, func(s *stage) { s.Fail(wechattest.CallbackIP, 50002) }, []string{"the account is restricted"}},
		{"a token died", nil, func(s *stage) { s.Fail(wechattest.CallbackIP, 40001) }, nil},
		{"unreachable", nil, func(s *stage) { s.Cut(wechattest.StableToken) }, []string{"look at the network"}},
		{"no secret", nil, func(s *stage) { s.config.Secret, s.config.PreviousAESKey = "", s.config.AESKey }, nil},
		{"clock five minutes behind", nil, func(s *stage) { s.Skew(5 * time.Minute) }, nil},
		{"clock further behind", nil, func(s *stage) { s.Skew(5*time.Minute + time.Second) }, []string{"5m1s behind WeChat's"}},
		{"clock ahead", nil, func(s *stage) { s.Skew(-time.Hour) }, []string{"1h0m0s ahead of WeChat's"}},
		{"the configured menu is not there", []option{verified, menu}, func(*stage) {}, []string{"menu push wx"}},
		{"the configured menu is another", []option{verified, menu}, func(s *stage) { s.MakeMenu(wechattest.Button{Name: "A", Type: "text"}) }, []string{"menu show wx"}},
		{"the configured menu is there", []option{verified, menu}, func(s *stage) { s.MakeMenu(wechattest.Button{Name: "A", Type: "click", Key: "a"}) }, nil},
		{"and hidden", []option{verified, menu}, func(s *stage) {
			s.MakeMenu(wechattest.Button{Name: "A", Type: "click", Key: "a"})
			s.HideMenu()
		}, []string{"does not show it"}},
		{"a menu where none may be", []option{menu}, func(*stage) {}, []string{"menu: off"}},
		{"nothing left", []option{verified}, func(s *stage) { s.Use(wechattest.CustomSend, 500_000) }, []string{"customer messages today, by WeChat's count: 500000 of 500000 used -> none is left"}},
		{"no quota told", []option{verified}, func(s *stage) { s.Fail(wechattest.QuotaOf, 45009) }, []string{"ask for the quota of access tokens"}},
		{"no public_url", nil, func(s *stage) { s.config.PublicURL = "none" }, []string{"set public_url"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := start(t, echo, test.options...)
			test.break_(s)
			channel := s.public(t, func(c *wechat.Config) {
				if s.config.PublicURL == "none" {
					c.PublicURL = ""
				}
			})
			found := bad(t, s, channel.Check(t.Context()))
			if len(found) != len(test.want) {
				t.Fatalf("found %q, want %q", found, test.want)
			}
			for i, want := range test.want {
				if !strings.Contains(found[i], want) {
					t.Errorf("found %q, want %q", found[i], want)
				}
			}
		})
	}
}

func TestDoctorTellsWhatIsLeft(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := startOn(t, db, echo, verified)
		s.Reader("r1").Say("hi")
		for range 3 {
			if err := s.push(t, "r1", "news"); err != nil {
				t.Fatal(err)
			}
		}
		var sent wechat.CallQuota
		report := s.public(t).Doctor(t.Context())
		for _, q := range report.Calls {
			if q.Path == wechattest.CustomSend {
				sent = q
			}
		}
		if diff := cmp.Diff(wechat.CallQuota{Path: wechattest.CustomSend, Limit: 500_000, Used: 3, Left: 499_997}, sent); diff != "" {
			t.Error(diff)
		}
		want := wechat.Quota{Name: "customer", Limit: 500_000, Used: 3, Period: "2026-11-22"}
		if len(report.Sent) == 0 || report.Sent[0] != want {
			t.Errorf("by our count %+v", report.Sent)
		}
		told := ""
		for _, f := range report.Findings {
			told += f.What + "\n"
		}
		for _, want := range []string{"customer messages today, by WeChat's count: 3 of 500000 used", "customer messages sent today, by newsie's count: 3 of 500000"} {
			if !strings.Contains(told, want) {
				t.Errorf("%q is not in\n%s", want, told)
			}
		}
	})
}

func TestAbilitiesAreAskedFor(t *testing.T) {
	undeclared := func(a *wechattest.Account, c *wechat.Config) { a.Verified, a.Service = true, true }
	massOn := func(_ *stage, c *wechat.Config) {
		c.Mass = wechat.Mass{On: true}
		c.Articles = func(context.Context, []int64) ([]content.Article, error) { return nil, nil }
		c.Result = func(context.Context, string, bool, string) (bool, error) { return true, nil }
	}
	form := wechat.Form{Template: "OPENTM-0123456789_abcdefghijklmnopqrstuvw", Fields: map[string]string{"thing1": "{topic}"}}
	for _, test := range []struct {
		name    string
		options []option
		set     func(*stage, *wechat.Config)
		want    []string // among the findings
		account wechat.Account
	}{
		{"nothing declared, service", []option{undeclared}, nil, []string{"ok a verified service account", "ok customer messages: yes", "ok template messages: yes, and none are configured", "ok mass sends: yes, and none are configured"}, wechat.Service},
		{"nothing declared, unverified", nil, nil, []string{"ok not verified, or a personal one", "ok customer messages: no", "ok mass sends: no", "ok digests wait, and stand in front of the reader's next answer"}, wechat.Unverified},
		{"declared less", []option{undeclared}, func(_ *stage, c *wechat.Config) { c.Account = wechat.Unverified }, []string{"ok customer messages: the account may, and newsie does not"}, wechat.Unverified},
		{"declared more", nil, func(_ *stage, c *wechat.Config) { c.Account = wechat.Service }, []string{"FAIL customer messages: the account may not", "ok template messages: no"}, wechat.Service},
		{"declared more, and used", []option{verified}, func(_ *stage, c *wechat.Config) { c.Account, c.Template = wechat.Service, form }, []string{"FAIL template messages: the account may not", "ok customer messages: yes"}, wechat.Service},
		{"templates configured", []option{undeclared}, func(_ *stage, c *wechat.Config) { c.Template = form }, []string{"ok template messages: yes", "ok digests, 2: a template message", "ok digests, 3: otherwise"}, wechat.Service},
		{"mass sends configured", []option{undeclared}, massOn, []string{"ok mass sends: yes\n", "ok the channel's own digest: a mass send at its schedule, of which each reader gets four a month"}, wechat.Service},
		{"mass sends of a subscription account", []option{func(a *wechattest.Account, _ *wechat.Config) { a.Verified = true }}, massOn, []string{"ok the channel's own digest: a mass send at its schedule, one a day"}, wechat.Subscription},
		{"mass sends configured in vain", nil, massOn, []string{"FAIL mass sends: configured, and the account may not", "ok the channel's own digest: not sent"}, wechat.Unverified},
		{"cannot be asked", []option{undeclared}, func(s *stage, _ *wechat.Config) { s.Fail(wechattest.CustomStaff, 45011) }, []string{"FAIL ask what the account may do"}, wechat.Unverified},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := start(t, echo, test.options...)
			report := s.public(t, func(c *wechat.Config) {
				if test.set != nil {
					test.set(s, c)
				}
			}).Doctor(t.Context())
			told := ""
			for _, f := range report.Findings {
				told += map[bool]string{true: "ok ", false: "FAIL "}[f.OK] + strings.TrimPrefix(f.What, "the account is ") + "\n"
			}
			for _, want := range test.want {
				if !strings.Contains(told, want) {
					t.Errorf("%q is not in\n%s", want, told)
				}
			}
			if report.Account != test.account {
				t.Errorf("account %q, want %q", report.Account, test.account)
			}
		})
	}
}

func TestDoctorDisturbsNobody(t *testing.T) {
	s := start(t, echo, verified)
	s.MakeMenu(wechattest.Button{Name: "A", Type: "text", Key: "hello"})
	reader := s.Reader("r1")
	reader.Say("hi")
	phone := len(reader.Phone())
	s.public(t).Doctor(t.Context())
	if len(reader.Phone()) != phone || s.Menu() != nil || s.Calls(wechattest.CustomSend)+s.Calls(wechattest.MenuCreate)+s.Calls(wechattest.Token) != 0 {
		t.Errorf("the doctor did something:\n%s", reader)
	}
}

func TestServerAddress(t *testing.T) {
	status := func(code int) func(*stage, *wechat.Config) {
		return func(_ *stage, c *wechat.Config) {
			c.Transport = internet{http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })}
		}
	}
	at := func(address string) func(*stage, *wechat.Config) {
		return func(_ *stage, c *wechat.Config) { c.PublicURL = address }
	}
	for _, test := range []struct {
		name string
		set  func(*stage, *wechat.Config)
		want string // of the last finding, what and advice
		ok   bool
	}{
		{"https", at("https://news.example.org"), "answers as WeChat wants it", true},
		{"http", at("http://news.example.org"), "answers as WeChat wants it", true},
		{"the port said", at("https://news.example.org:443"), "answers as WeChat wants it", true},
		{"below a path", at("https://example.org/news"), "answers as WeChat wants it", true},
		{"an address of the internet", at("http://93.184.216.34"), "answers as WeChat wants it", true},
		{"another port", at("https://news.example.org:8443"), "no port 8443", false},
		{"the other scheme's port", at("http://news.example.org:443"), "no port 443 by http", false},
		{"this machine", at("http://localhost"), "on this machine", false},
		{"this machine, by number", at("http://127.0.0.1"), "on this machine", false},
		{"this network", at("https://192.168.1.4"), "or its network", false},
		{"a name of this network", at("https://intranet"), "or its network", false},
		{"another token there", func(s *stage, c *wechat.Config) {
			c.Transport = internet{s.replica(t, func(c *wechat.Config) { c.Token = "another" })}
		}, "another token", false},
		{"another clock there", func(s *stage, c *wechat.Config) {
			c.Transport = internet{s.replica(t, func(c *wechat.Config) {
				c.Now = func() time.Time { return s.clock.Now().Add(time.Hour) }
			})}
		}, "a clock more than ten minutes off", false},
		{"a redirect", status(http.StatusMovedPermanently), "does not follow", false},
		{"not there", status(http.StatusNotFound), "has no channel wx", false},
		{"a proxy without a server", status(http.StatusBadGateway), "look at the reverse proxy", false},
		{"another site", status(http.StatusOK), "answers 200 and not what was asked", false},
		{"nobody", func(_ *stage, c *wechat.Config) { c.Transport = broken{errors.New("connection refused")} }, "start newsie serve", false},
		{"a certificate of one's own", func(_ *stage, c *wechat.Config) {
			c.Transport = broken{&tls.CertificateVerificationError{Err: errors.New("unknown authority")}}
		}, "a certificate that everybody trusts", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := start(t, echo)
			channel := s.public(t, func(c *wechat.Config) { test.set(s, c) })
			var about []bot.Finding
			for _, f := range channel.Check(t.Context()) {
				if strings.HasPrefix(f.What, "server address") || strings.HasPrefix(f.What, "the server address") {
					about = append(about, f)
				}
			}
			if len(about) == 0 {
				t.Fatal("nothing is said of the address")
			}
			last := about[len(about)-1]
			if last.OK != test.ok || !strings.Contains(last.What+" -> "+last.Advice, test.want) || strings.Contains(last.What, "signature") {
				t.Errorf("%+v, want %v %q", last, test.ok, test.want)
			}
			if test.ok && !strings.HasSuffix(about[0].What, ": "+channel.Address()) {
				t.Errorf("the address is not told: %+v", about)
			}
		})
	}
}

func TestNothingSecretIsTold(t *testing.T) {
	for _, path := range []string{wechattest.StableToken, wechattest.CallbackIP, wechattest.QuotaOf, wechattest.MenuGet, wechattest.SelfMenu, wechattest.MenuCreate} {
		for name, fault := range map[string]func(*stage){
			"broken off": func(s *stage) { s.Cut(path) },
			"502":        func(s *stage) { s.FailStatus(path, http.StatusBadGateway) },
			"refused":    func(s *stage) { s.Fail(path, 40001, 40001) },
			"unknown":    func(s *stage) { s.Fail(path, 99999) },
		} {
			t.Run(path+" "+name, func(t *testing.T) {
				var told bytes.Buffer
				s := start(t, echo, verified, func(_ *wechattest.Account, c *wechat.Config) {
					c.Logger = slog.New(slog.NewTextHandler(&told, &slog.HandlerOptions{Level: slog.LevelDebug}))
				})
				var tokens []string
				note := func() {
					token, _, err := s.config.Settings.Load(context.Background(), "gowechat_officialaccount__stable_access_token_"+s.AppID)
					if err != nil {
						t.Fatal(err)
					}
					if token != "" {
						tokens = append(tokens, token)
					}
				}
				log := slog.New(slog.NewTextHandler(&told, nil))
				for _, do := range []func(c *wechat.Channel) error{
					func(c *wechat.Channel) error {
						for _, f := range c.Check(t.Context()) {
							log.Info("finding", "what", f.What, "advice", f.Advice)
						}
						return nil
					},
					func(c *wechat.Channel) error { _, err := c.Menu(t.Context()); return err },
					func(c *wechat.Channel) error { return c.PushMenu(t.Context(), []wechat.Button{say("A", "a")}) },
				} {
					fault(s)
					channel := s.public(t)
					note()
					if err := do(channel); err != nil {
						log.Info("error", "error", err)
					}
					note()
				}
				if len(tokens) == 0 && path != wechattest.StableToken {
					t.Fatal("there was no token")
				}
				for _, secret := range append(tokens, s.Secret, s.Token, s.AESKey, "signature=") {
					if strings.Contains(told.String(), secret) {
						t.Errorf("%q is in\n%s", secret, &told)
					}
				}
			})
		}
	}
}
