package wechattest

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"time"
)

type token struct {
	value   string
	expires time.Time
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
