package wechattest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"newsie/bot/wechat/wechattest"
)

func newServer(t *testing.T, account wechattest.Account) (*wechattest.Server, *wechattest.Clock) {
	t.Helper()
	clock := wechattest.NewClock(time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC))
	return wechattest.New(t, account, clock), clock
}

func plain(t *testing.T) *wechattest.Server {
	t.Helper()
	s, _ := newServer(t, wechattest.Account{Mode: wechattest.Plain})
	return s
}

// answer makes the account's server one that always answers the same.
func answer(s *wechattest.Server, status int, body string) {
	s.Connect(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
}

func text(s *wechattest.Server, content string) string {
	return "<xml><ToUserName>r1</ToUserName><FromUserName>" + s.ID + "</FromUserName><CreateTime>1</CreateTime><MsgType>text</MsgType><Content><![CDATA[" + content + "]]></Content></xml>"
}

func news(s *wechattest.Server, n int) string {
	return "<xml><ToUserName>r1</ToUserName><FromUserName>" + s.ID + "</FromUserName><CreateTime>1</CreateTime><MsgType>news</MsgType><ArticleCount>" +
		fmt.Sprint(n) + "</ArticleCount><Articles>" + strings.Repeat("<item><Title>T</Title><Url>https://example.org</Url></item>", n) + "</Articles></xml>"
}

func TestAnswersAreChecked(t *testing.T) {
	const line = `<a href="weixin://bizmsgmenu?msgmenucontent=%s&msgmenuid=%s">more</a>`
	for name, test := range map[string]struct {
		status  int
		body    func(*wechattest.Server) string
		problem string // "" is taken
		shown   string
	}{
		"good":             {200, func(s *wechattest.Server) string { return text(s, `a <a href="https://example.org/1">b</a>`) }, "", "a b"},
		"success":          {200, func(*wechattest.Server) string { return "success" }, "", ""},
		"empty":            {200, func(*wechattest.Server) string { return "" }, "", ""},
		"status":           {500, func(*wechattest.Server) string { return "success" }, "status 500", wechattest.OutOfService},
		"JSON":             {200, func(*wechattest.Server) string { return `{"a":1}` }, "not XML", wechattest.OutOfService},
		"empty Content":    {200, func(s *wechattest.Server) string { return text(s, " ") }, "empty Content", wechattest.OutOfService},
		"the longest text": {200, func(s *wechattest.Server) string { return text(s, strings.Repeat("x", 2048)) }, "", strings.Repeat("x", 2048)},
		"a byte too long":  {200, func(s *wechattest.Server) string { return text(s, strings.Repeat("x", 2049)) }, "2049 bytes", wechattest.OutOfService},
		"too long in UTF-8": {200, func(s *wechattest.Server) string { return text(s, strings.Repeat("微", 683)) }, "2049 bytes",
			wechattest.OutOfService},
		"not UTF-8":         {200, func(s *wechattest.Server) string { return text(s, "\xff") }, "not UTF-8", wechattest.OutOfService},
		"control character": {200, func(s *wechattest.Server) string { return text(s, "a\x08") }, "not XML", wechattest.OutOfService},
		"names not swapped": {200, func(s *wechattest.Server) string {
			return strings.NewReplacer("<ToUserName>r1", "<ToUserName>"+s.ID, "<FromUserName>"+s.ID, "<FromUserName>r1").Replace(text(s, "a"))
		}, "from \"r1\"", wechattest.OutOfService},
		"XML and more":      {200, func(s *wechattest.Server) string { return text(s, "a") + "success" }, "something follows", wechattest.OutOfService},
		"one article":       {200, func(s *wechattest.Server) string { return news(s, 1) }, "", ""},
		"two articles":      {200, func(s *wechattest.Server) string { return news(s, 2) }, "2 articles", wechattest.OutOfService},
		"menu line":         {200, func(s *wechattest.Server) string { return text(s, fmt.Sprintf(line, "/more", "1")) }, "", "more"},
		"menu id of words":  {200, func(s *wechattest.Server) string { return text(s, fmt.Sprintf(line, "/more", "x")) }, "not a number", "more"},
		"menu line, silent": {200, func(s *wechattest.Server) string { return text(s, fmt.Sprintf(line, "", "1")) }, "says nothing", "more"},
		"cut link":          {200, func(s *wechattest.Server) string { return text(s, `a <a href="https://exa`) }, "a broken link", `a <a href="https://exa`},
		"strange link":      {200, func(s *wechattest.Server) string { return text(s, `<a href="ftp://x/">a</a>`) }, "does not open", "a"},
		"unknown type": {200, func(s *wechattest.Server) string {
			return strings.Replace(text(s, "a"), ">text<", ">poem<", 1)
		}, "poem", wechattest.OutOfService},
	} {
		t.Run(name, func(t *testing.T) {
			s := plain(t)
			answer(s, test.status, test.body(s))
			b := s.Reader("r1").Say("hi")
			if b.Text != test.shown {
				t.Errorf("shown %q, want %q", b.Text, test.shown)
			}
			problems := strings.Join(s.Problems(), "; ")
			if (problems == "") != (test.problem == "") || !strings.Contains(problems, test.problem) {
				t.Errorf("problems %q, want %q", problems, test.problem)
			}
		})
	}
}

func TestNewsAfterAnEvent(t *testing.T) {
	for n, good := range map[int]bool{8: true, 9: false} {
		s := plain(t)
		answer(s, 200, news(s, n))
		if b := s.Reader("r1").Subscribe(); (len(b.News) == n) != good || (len(s.Problems()) == 0) != good {
			t.Errorf("%d articles: %+v", n, b)
		}
	}
}

func TestSafeModeIsChecked(t *testing.T) {
	seal := func(s *wechattest.Server, appID, key, signedFor string) string {
		cipher, err := wechattest.Encrypt(text(s, "a"), appID, key)
		if err != nil {
			t.Fatal(err)
		}
		return "<xml><Encrypt>" + cipher + "</Encrypt><MsgSignature>" + wechattest.Sign(signedFor, "1", "2", cipher) + "</MsgSignature><TimeStamp>1</TimeStamp><Nonce>2</Nonce></xml>"
	}
	for name, test := range map[string]struct {
		body    func(*wechattest.Server) string
		problem string
	}{
		"good":            {func(s *wechattest.Server) string { return seal(s, s.AppID, s.AESKey, s.Token) }, ""},
		"plain":           {func(s *wechattest.Server) string { return text(s, "a") }, "a plain answer in safe mode"},
		"another appid":   {func(s *wechattest.Server) string { return seal(s, "wx", s.AESKey, s.Token) }, "for another appid"},
		"another key":     {func(s *wechattest.Server) string { return seal(s, s.AppID, wechattest.NewAESKey(), s.Token) }, "decrypt"},
		"wrong signature": {func(s *wechattest.Server) string { return seal(s, s.AppID, s.AESKey, "x") }, "MsgSignature"},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := newServer(t, wechattest.Account{})
			answer(s, 200, test.body(s))
			s.Reader("r1").Say("hi")
			problems := strings.Join(s.Problems(), "; ")
			if (problems == "") != (test.problem == "") || !strings.Contains(problems, test.problem) {
				t.Errorf("problems %q, want %q", problems, test.problem)
			}
		})
	}
}

func TestVerifyIsStrict(t *testing.T) {
	s := plain(t)
	for _, handler := range []http.HandlerFunc{
		func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.FormValue("echostr")+"\n") },
		func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, r.FormValue("echostr"))
		},
		func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) },
	} {
		s.Connect(handler)
		if err := s.Verify(); err == nil {
			t.Error("taken")
		}
	}
}

// call calls the API and returns its error code and the answer.
func call(t *testing.T, s *wechattest.Server, method, path string, query url.Values, body any) (int, map[string]any) {
	t.Helper()
	var data strings.Builder
	encoder := json.NewEncoder(&data)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body); err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, s.URL+path+"?"+query.Encode(), strings.NewReader(data.String()))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var answer map[string]any
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	code, _ := answer["errcode"].(float64)
	return int(code), answer
}

func stable(t *testing.T, s *wechattest.Server, force bool) (int, string) {
	t.Helper()
	code, answer := call(t, s, "POST", wechattest.StableToken, nil,
		map[string]any{"grant_type": "client_credential", "appid": s.AppID, "secret": s.Secret, "force_refresh": force})
	token, _ := answer["access_token"].(string)
	return code, token
}

func unstable(t *testing.T, s *wechattest.Server) (int, string) {
	t.Helper()
	code, answer := call(t, s, "GET", wechattest.Token, url.Values{"grant_type": {"client_credential"}, "appid": {s.AppID}, "secret": {s.Secret}}, nil)
	token, _ := answer["access_token"].(string)
	return code, token
}

func probe(t *testing.T, s *wechattest.Server, token string) int {
	t.Helper()
	code, _ := call(t, s, "GET", wechattest.CallbackIP, url.Values{"access_token": {token}}, nil)
	return code
}

func TestTokens(t *testing.T) {
	s, clock := newServer(t, wechattest.Account{})
	_, first := stable(t, s, false)
	if _, again := stable(t, s, false); again != first {
		t.Error("the stable token changed")
	}
	if code := probe(t, s, first); code != 0 {
		t.Errorf("a good token: %d", code)
	}
	_, forced := stable(t, s, true)
	if forced == first || probe(t, s, first) != 40001 || probe(t, s, forced) != 0 {
		t.Error("a forced token does not kill the one before")
	}
	_, one := unstable(t, s)
	if probe(t, s, one) != 0 || probe(t, s, forced) != 0 {
		t.Error("the two kinds disturb each other")
	}
	_, two := unstable(t, s)
	if probe(t, s, one) != 40001 || probe(t, s, two) != 0 {
		t.Error("an unstable token does not kill the one before")
	}
	clock.Advance(2 * time.Hour)
	if got := probe(t, s, forced); got != 42001 {
		t.Errorf("an old token: %d", got)
	}
	if got := probe(t, s, ""); got != 41001 {
		t.Errorf("no token: %d", got)
	}
	_, fresh := stable(t, s, false)
	s.Revoke()
	if got := probe(t, s, fresh); got != 40001 {
		t.Errorf("a revoked token: %d", got)
	}
}

func TestTokenQuotas(t *testing.T) {
	s, clock := newServer(t, wechattest.Account{})
	for i := range 21 {
		if code, _ := stable(t, s, true); (code == 45009) != (i == 20) {
			t.Fatalf("forced call %d: %d", i+1, code)
		}
	}
	for i := range 2001 {
		if code, _ := unstable(t, s); (code == 45009) != (i == 2000) {
			t.Fatalf("call %d: %d", i+1, code)
		}
	}
	clock.Advance(15 * time.Hour) // midnight in Beijing
	if code, _ := unstable(t, s); code != 0 {
		t.Errorf("the next day: %d", code)
	}
}

func TestCredentials(t *testing.T) {
	s, _ := newServer(t, wechattest.Account{})
	ask := func(appID, secret string) (int, map[string]any) {
		return call(t, s, "POST", wechattest.StableToken, nil, map[string]any{"grant_type": "client_credential", "appid": appID, "secret": secret})
	}
	if code, _ := ask("wx", s.Secret); code != 40013 {
		t.Errorf("appid: %d", code)
	}
	if code, _ := ask(s.AppID, "x"); code != 40125 {
		t.Errorf("secret: %d", code)
	}
	s.Block("203.0.113.9")
	if code, answer := ask(s.AppID, s.Secret); code != 40164 || !strings.Contains(fmt.Sprint(answer["errmsg"]), "invalid ip 203.0.113.9") {
		t.Errorf("address: %d %v", code, answer)
	}
}

func TestCustomerMessages(t *testing.T) {
	s, clock := newServer(t, wechattest.Account{Verified: true, Mode: wechattest.Plain})
	answer(s, 200, "success")
	_, token := stable(t, s, false)
	send := func(to, content string) int {
		code, _ := call(t, s, "POST", wechattest.CustomSend, url.Values{"access_token": {token}},
			map[string]any{"touser": to, "msgtype": "text", "text": map[string]string{"content": content}})
		return code
	}
	want := func(when string, got, want int) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %d, want %d", when, got, want)
		}
	}
	r := s.Reader("r1")
	want("a stranger", send("r9", "a"), 40003)
	want("not a follower", send("r1", "a"), 43004)
	r.Subscribe()
	for i := range 3 {
		want(fmt.Sprint("after a follow, ", i+1), send("r1", "a"), 0)
	}
	want("the fourth", send("r1", "a"), 45047)
	clock.Advance(time.Minute)
	want("a minute later", send("r1", "a"), 45015)
	r.Say("hi")
	for i := range 5 {
		want(fmt.Sprint("after a message, ", i+1), send("r1", "a"), 0)
	}
	want("the sixth", send("r1", "a"), 45047)
	clock.Advance(48 * time.Hour)
	_, token = stable(t, s, false)
	want("two days later", send("r1", "a"), 45015)
	r.Say("hi")
	want("empty", send("r1", " "), 44004)
	want("too long", send("r1", strings.Repeat("x", 2049)), 45002)
	want("longest", send("r1", strings.Repeat("x", 2048)), 0)
	want("menu id of words", send("r1", `<a href="weixin://bizmsgmenu?msgmenucontent=a&msgmenuid=b">c</a>`), 0)
	if p := s.Problems(); len(p) != 1 || !strings.Contains(p[0], "not a number") {
		t.Errorf("problems %q", p)
	}
	r.Unsubscribe()
	want("after leaving", send("r1", "a"), 43004)
	code, _ := call(t, s, "POST", wechattest.CustomSend, url.Values{"access_token": {token}}, "no object")
	want("not a message", code, 47001)

	s, _ = newServer(t, wechattest.Account{})
	_, token = stable(t, s, false)
	want("not verified", send("r1", "a"), 48001)
}

func TestFaultsAreOrdered(t *testing.T) {
	s, _ := newServer(t, wechattest.Account{})
	_, token := stable(t, s, false)
	for _, code := range []int{-1, 40001, 40003, 40013, 40014, 40125, 40164, 40243, 42001, 43004, 43101, 45002, 45008, 45009, 45011, 45015, 45028, 45047, 45067, 47001, 48001, 48004, 50002} {
		s.Fail(wechattest.CallbackIP, code)
		got, answer := call(t, s, "GET", wechattest.CallbackIP, url.Values{"access_token": {token}}, nil)
		if got != code || answer["errmsg"] == "" {
			t.Errorf("%d: %v", code, answer)
		}
	}
	if code := probe(t, s, token); code != 0 {
		t.Errorf("afterwards: %d", code)
	}
}

func TestRetries(t *testing.T) {
	s := plain(t)
	var bodies []string
	s.Connect(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies = append(bodies, string(body))
		if len(bodies) < 3 {
			panic(http.ErrAbortHandler) // no answer
		}
		_, _ = io.WriteString(w, text(s, "at last"))
	}))
	if b := s.Reader("r1").Say("hi"); b.Text != "at last" {
		t.Errorf("%+v", b)
	}
	if len(bodies) != 3 || bodies[0] != bodies[1] || bodies[1] != bodies[2] || !strings.Contains(bodies[0], "<MsgId>") {
		t.Errorf("tries: %q", bodies)
	}
	s.Lose(3)
	if b := s.Reader("r1").Say("hi"); b.Text != wechattest.OutOfService || len(s.Problems()) != 1 {
		t.Errorf("%+v", b)
	}
	if phone := s.Reader("r1").String(); !strings.Contains(phone, "[reader]\nhi") || !strings.Contains(phone, "[account]\nat last") {
		t.Errorf("the phone:\n%s", phone)
	}
}
