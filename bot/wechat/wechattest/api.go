package wechattest

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"
)

// Paths of the API that the platform plays.
const (
	StableToken = "/cgi-bin/stable_token"
	Token       = "/cgi-bin/token"
	CustomSend  = "/cgi-bin/message/custom/send"
	CallbackIP  = "/cgi-bin/getcallbackip"
)

type token struct {
	value   string
	expires time.Time
}

// A fault is an answer that a test orders.
type fault struct {
	code   int // errcode
	status int // HTTP status instead
	cut    bool
}

// Fail answers the next calls of a path with error codes, one each.
func (s *Server) Fail(path string, codes ...int) {
	for _, code := range codes {
		s.order(path, fault{code: code})
	}
}

// FailStatus answers the next call of a path with an HTTP status.
func (s *Server) FailStatus(path string, status int) { s.order(path, fault{status: status}) }

// Cut takes the next call of a path and breaks the connection without an answer.
func (s *Server) Cut(path string) { s.order(path, fault{cut: true}) }

func (s *Server) order(path string, f fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[path] = append(s.faults[path], f)
}

// Block takes the caller, seen as address, off the whitelist; "" puts it back.
func (s *Server) Block(address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.blocked = address
}

// Calls counts the calls of a path.
func (s *Server) Calls(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[path]
}

// messages are what the codes mean, as the platform words them.
var messages = map[int]string{
	-1: "system error", 40001: "invalid credential, access_token is invalid or not latest", 40003: "invalid openid",
	40008: "invalid message type", 40013: "invalid appid", 40014: "invalid access_token", 40125: "invalid appsecret",
	40243: "AppSecret has been frozen", 41001: "access_token missing", 42001: "access_token expired",
	43004: "require subscribe", 43101: "user refuse to accept the msg", 44004: "empty content",
	45002: "content size out of limit", 45008: "article size out of limit", 45009: "reach max api daily quota limit",
	45011: "api minute-quota reach limit", 45015: "response out of time limit or subscription is canceled",
	45028: "has no masssend quota", 45047: "out of response count limit", 45067: "text size out of limit",
	47001: "data format error", 48001: "api unauthorized", 48004: "api forbidden for irregularities", 50002: "user limited",
}

func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[r.URL.Path]++
	if orders := s.faults[r.URL.Path]; len(orders) > 0 {
		s.faults[r.URL.Path] = orders[1:]
		s.fault(w, orders[0])
		return
	}
	var answer any
	switch r.Method + " " + r.URL.Path {
	case "POST " + StableToken:
		answer = s.stableToken(r)
	case "GET " + Token:
		answer = s.unstableToken(r)
	case "POST " + CustomSend:
		answer = s.customSend(r)
	case "GET " + CallbackIP:
		if code := s.authorize(r); code != 0 {
			answer = s.failure(code)
		} else {
			answer = map[string]any{"ip_list": []string{"203.0.113.10", "203.0.113.11"}}
		}
	default:
		s.problem("%s %s: there is no such call", r.Method, r.URL.Path)
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json; encoding=utf-8")
	_ = json.NewEncoder(w).Encode(answer)
}

func (s *Server) fault(w http.ResponseWriter, f fault) {
	switch {
	case f.cut:
		if hijacker, ok := w.(http.Hijacker); ok {
			if conn, _, err := hijacker.Hijack(); err == nil {
				_ = conn.Close()
			}
		}
	case f.status != 0:
		http.Error(w, "Bad Gateway", f.status)
	default:
		_ = json.NewEncoder(w).Encode(s.failure(f.code))
	}
}

func (s *Server) failure(code int) map[string]any {
	text := messages[code]
	if code == 40164 {
		address := s.blocked
		if address == "" {
			address = "198.51.100.7"
		}
		text = fmt.Sprintf("invalid ip %s ipv6 ::ffff:%s, not in whitelist", address, address)
	}
	return map[string]any{"errcode": code, "errmsg": text + " rid: 67a1b2c3-0d4e5f60-11223344"}
}

// credentials checks who asks for a token.
func (s *Server) credentials(grant, appID, secret string) int {
	switch {
	case grant != "client_credential":
		return 40002
	case appID != s.AppID:
		return 40013
	case secret != s.Secret:
		return 40125
	case s.blocked != "":
		return 40164
	}
	return 0
}

// spend counts a call against what is allowed a Beijing day.
func (s *Server) spend(what string, allowed int) bool {
	day := what + s.now().In(time.FixedZone("", 8*60*60)).Format(" 2006-01-02")
	s.counts[day]++
	return s.counts[day] <= allowed
}

// stableToken repeats the token until five minutes before its end, or makes a
// new one when forced, which kills the previous.
func (s *Server) stableToken(r *http.Request) any {
	var in struct {
		Grant  string `json:"grant_type"`
		AppID  string `json:"appid"`
		Secret string `json:"secret"`
		Force  bool   `json:"force_refresh"`
	}
	if json.NewDecoder(r.Body).Decode(&in) != nil {
		return s.failure(47001)
	}
	if code := s.credentials(in.Grant, in.AppID, in.Secret); code != 0 {
		return s.failure(code)
	}
	if in.Force && !s.spend("forced", forcedADay) {
		return s.failure(45009)
	}
	if in.Force || s.now().After(s.stable.expires.Add(-5*time.Minute)) {
		s.stable = s.newToken()
	}
	return s.stable.answer(s.now())
}

// unstableToken makes a new token, which kills the previous one.
func (s *Server) unstableToken(r *http.Request) any {
	q := r.URL.Query()
	if code := s.credentials(q.Get("grant_type"), q.Get("appid"), q.Get("secret")); code != 0 {
		return s.failure(code)
	}
	if !s.spend("token", unstableADay) {
		return s.failure(45009)
	}
	s.unstable = s.newToken()
	return s.unstable.answer(s.now())
}

func (s *Server) newToken() token {
	return token{value: "99_" + rand.Text(), expires: s.now().Add(tokenLife)}
}

func (t token) answer(now time.Time) any {
	return map[string]any{"access_token": t.value, "expires_in": int(t.expires.Sub(now).Seconds())}
}

// Revoke kills the stable token, as a reset of the AppSecret does.
func (s *Server) Revoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stable = token{}
}

func (s *Server) authorize(r *http.Request) int {
	given := r.URL.Query().Get("access_token")
	switch {
	case given == "":
		return 41001
	case given != s.stable.value && given != s.unstable.value:
		return 40001
	}
	for _, t := range []token{s.stable, s.unstable} {
		if given == t.value && !s.now().Before(t.expires) {
			return 42001
		}
	}
	return 0
}

func (s *Server) customSend(r *http.Request) any {
	var in struct {
		To   string `json:"touser"`
		Type string `json:"msgtype"`
		Text struct {
			Content string `json:"content"`
		} `json:"text"`
	}
	if code := s.authorize(r); code != 0 {
		return s.failure(code)
	}
	if json.NewDecoder(r.Body).Decode(&in) != nil {
		return s.failure(47001)
	}
	reader := s.readers[in.To]
	content := in.Text.Content
	code := 0
	switch {
	case !s.Verified:
		code = 48001
	case reader == nil:
		code = 40003
	case !reader.follows:
		code = 43004
	case in.Type != "text":
		code = 40008
	case strings.TrimSpace(content) == "":
		code = 44004
	case len(content) > MaxText:
		code = 45002
	case !utf8.ValidString(content):
		code = 47001
	default:
		code = reader.spend(s.now())
	}
	if code == 0 {
		for _, p := range checkText(content) {
			s.problem("customer message: %s", p)
		}
		reader.see(show(content))
	}
	return s.failure(code)
}

// spend takes a customer message from the reader's open windows.
func (r *Reader) spend(now time.Time) int {
	said, click := now.Sub(r.said) < saidWindow, now.Sub(r.clicked) < clickWindow
	switch {
	case click && r.afterClick < clickMessages:
		r.afterClick++
	case said && r.afterSaid < saidMessages:
		r.afterSaid++
	case said || click:
		return 45047
	default:
		return 45015
	}
	return 0
}
