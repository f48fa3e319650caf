package wechattest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/silenceper/wechat/v2/cache"
	"github.com/silenceper/wechat/v2/officialaccount"
	"github.com/silenceper/wechat/v2/officialaccount/config"
	"github.com/silenceper/wechat/v2/util"

	"newsie/bot/wechat/wechattest"
)

// library is the real library, pointed at the platform.
func library(t *testing.T, s *wechattest.Server) *officialaccount.OfficialAccount {
	t.Helper()
	util.SetURIModifier(func(uri string) string { return strings.Replace(uri, "https://api.weixin.qq.com", s.URL, 1) })
	t.Cleanup(func() { util.SetURIModifier(nil) })
	return officialaccount.NewOfficialAccount(&config.Config{
		AppID: s.AppID, AppSecret: s.Secret, Token: s.Token, EncodingAESKey: s.AESKey, Cache: cache.NewMemory(), UseStableAK: true,
	})
}

// An api calls the platform with a good token.
type api struct {
	*wechattest.Server
	t     *testing.T
	clock *wechattest.Clock
}

// start is a platform whose account answers "success" to everything.
func start(t *testing.T, account wechattest.Account) *api {
	t.Helper()
	if account.Mode == "" {
		account.Mode = wechattest.Plain
	}
	s, clock := newServer(t, account)
	answer(s, 200, "success")
	return &api{s, t, clock}
}

// service is a verified service account's platform, subscription that of a
// verified subscription account.
func service(t *testing.T) *api {
	t.Helper()
	return start(t, wechattest.Account{Verified: true, Service: true})
}

func subscription(t *testing.T) *api {
	t.Helper()
	return start(t, wechattest.Account{Verified: true})
}

type object = map[string]any

func (a *api) get(path string, query ...string) (int, object) {
	a.t.Helper()
	return a.do("GET", path, nil, query...)
}

func (a *api) post(path string, body any) (int, object) {
	a.t.Helper()
	return a.do("POST", path, body)
}

func (a *api) do(method, path string, body any, query ...string) (int, object) {
	a.t.Helper()
	_, token := stable(a.t, a.Server, false)
	values := map[string][]string{"access_token": {token}}
	for i := 0; i+1 < len(query); i += 2 {
		values[query[i]] = []string{query[i+1]}
	}
	return call(a.t, a.Server, method, path, values, body)
}

func (a *api) want(what string, got, want int) {
	a.t.Helper()
	if got != want {
		a.t.Errorf("%s: %d, want %d", what, got, want)
	}
}

// problem takes the problems so far and wants one with the words, or none with "".
func (a *api) problem(what, words string) {
	a.t.Helper()
	got := strings.Join(a.Problems(), "; ")
	if (got == "") != (words == "") || !strings.Contains(got, words) {
		a.t.Errorf("%s: problems %q, want %q", what, got, words)
	}
}

// tomorrow advances past midnight in Beijing.
func (a *api) tomorrow() { a.clock.Advance(24 * time.Hour) }

// recorded answers everything with body; the function it returns is what was
// posted since the last time.
func (a *api) recorded(body string) func() string {
	var mu sync.Mutex
	var posted strings.Builder
	a.Connect(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		posted.Write(data)
		posted.WriteString("\n")
		_, _ = io.WriteString(w, body)
	}))
	return func() string {
		mu.Lock()
		defer mu.Unlock()
		defer posted.Reset()
		return posted.String()
	}
}

// raw posts a body as it is.
func (a *api) raw(path, kind, body string, query ...string) (int, object) {
	a.t.Helper()
	_, token := stable(a.t, a.Server, false)
	address := a.URL + path + "?access_token=" + token
	for i := 0; i+1 < len(query); i += 2 {
		address += "&" + query[i] + "=" + query[i+1]
	}
	response, err := http.Post(address, kind, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var out object
	if err := json.NewDecoder(response.Body).Decode(&out); err != nil {
		a.t.Fatal(err)
	}
	code, _ := out["errcode"].(float64)
	return int(code), out
}
