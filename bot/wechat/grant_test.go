package wechat_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"newsie/bot"
	"newsie/bot/wechat"
	"newsie/bot/wechat/wechattest"
)

// comeBack lets a reader open a link, confirm or cancel, and shows the page to
// which the app then goes.
func (s *stage) comeBack(t *testing.T, r *wechattest.Reader, link string, confirm bool) (status int, body string) {
	t.Helper()
	address, err := r.Confirm(link, confirm)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(address, s.config.PublicURL+"/hooks/wechat/wx/granted?") {
		t.Fatalf("the app goes to %s", address)
	}
	return s.openPage(t, http.MethodGet, address)
}

func (s *stage) openPage(t *testing.T, method, address string) (status int, body string) {
	t.Helper()
	w := httptest.NewRecorder()
	s.channel.Granted(w, httptest.NewRequestWithContext(t.Context(), method, address, nil))
	data, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	if policy := w.Header().Get("Content-Security-Policy"); w.Code == http.StatusOK && !strings.HasPrefix(policy, "default-src 'none'") {
		t.Errorf("the page's policy is %q", policy)
	}
	return w.Code, string(data)
}

// pageLink is the platform's link on a page, "" when there is none.
func pageLink(page string) string {
	_, after, ok := strings.Cut(page, `href="https://mp.weixin.qq.com/`)
	if !ok {
		return ""
	}
	link, _, _ := strings.Cut(after, `"`)
	return "https://mp.weixin.qq.com/" + strings.ReplaceAll(link, "&amp;", "&")
}

// onlyOnce has one-time messages and nothing else.
func onlyOnce(a *wechattest.Account, c *wechat.Config) {
	service(a, c)
	c.Notice, c.Template = wechat.Form{}, wechat.Form{}
}

func TestAReaderGrantsAsManyAsThereAreScenes(t *testing.T) {
	s := start(t, echo, onlyOnce)
	r := s.Follower("r1")
	link, err := s.channel.GrantLink(t.Context(), "r1", 1, "it")
	if err != nil {
		t.Fatal(err)
	}
	for scene := 1; scene <= 3; scene++ {
		status, page := s.comeBack(t, r, link, true)
		if status != http.StatusOK || !strings.Contains(page, "arriverà in automatico") || !strings.Contains(page, `lang="it"`) {
			t.Fatalf("status %d: %s", status, page)
		}
		// Opened again, it counts no second time: grants of one scene do not add up.
		address, err := r.Confirm(link, true)
		if err != nil {
			t.Fatal(err)
		}
		s.openPage(t, http.MethodGet, address)
		link = pageLink(page)
		want(t, "another one is offered", link != "", scene < 3)
	}
	sent := 0
	for ; sent < 10; sent++ {
		if receipt, err := s.send(t, "r1"); kind(err) == "not now" {
			break
		} else if err != nil || receipt.Way != "once" {
			t.Fatalf("%+v, %v", receipt, err)
		}
	}
	want(t, "digests that went out", sent, 3)
	want(t, "calls", s.Calls(wechattest.OnceSend), 3)
}

func TestNothingIsGrantedBy(t *testing.T) {
	s := start(t, echo, onlyOnce)
	r := s.Follower("r1")
	s.Follower("r2")
	link, err := s.channel.GrantLink(t.Context(), "r1", 1, "en")
	if err != nil {
		t.Fatal(err)
	}
	address, err := r.Confirm(link, true)
	if err != nil {
		t.Fatal(err)
	}
	changed := func(key, value string) string {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		q.Set(key, value)
		u.RawQuery = q.Encode()
		return u.String()
	}
	seal := func(change func(string) string) string {
		u, _ := url.Parse(address)
		return changed("reserved", change(u.Query().Get("reserved")))
	}
	for _, test := range []struct {
		name    string
		method  string
		address string
		status  int
	}{
		{"another reader", "GET", changed("openid", "r2"), 403},
		{"another scene", "GET", changed("scene", "2"), 403},
		{"no scene", "GET", changed("scene", "0"), 403},
		{"another template", "GET", changed("template_id", "OTHER_one"), 403},
		{"a forged seal", "GET", seal(func(s string) string { return strings.Repeat("0", 32) + s[32:] }), 403},
		{"a longer life", "GET", seal(func(s string) string { return s[:32] + "9" + s[33:] }), 403},
		{"no seal", "GET", changed("reserved", ""), 403},
		{"a short seal", "GET", changed("reserved", "abc"), 403},
		{"a second reader", "GET", address + "&openid=r2", 403},
		{"nothing at all", "GET", s.config.PublicURL + "/hooks/wechat/wx/granted", 403},
		{"cancelling", "GET", changed("action", "cancel"), 200},
		{"a preview", "HEAD", address, 200},
		{"a form", "POST", address, 405},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, page := s.openPage(t, test.method, test.address)
			want(t, "status", status, test.status)
			if strings.Contains(page, "will come by itself") {
				t.Errorf("the page says %q", page)
			}
			for _, reader := range []string{"r1", "r2"} {
				if receipt, err := s.send(t, reader); kind(err) != "not now" {
					t.Errorf("%s gets %+v, %v", reader, receipt, err)
				}
			}
		})
	}
	s.clock.Advance(30*24*time.Hour + time.Second)
	if status, _ := s.openPage(t, "GET", address); status != 403 {
		t.Errorf("a month later: status %d", status)
	}
	if n := s.channel.Refused()["grant"]; n != 11 {
		t.Errorf("%d refusals were counted", n)
	}
	// Another replica knows the key, another account does not.
	s.clock.Advance(-30 * 24 * time.Hour)
	s.channel = s.replica(t)
	if status, page := s.openPage(t, "GET", address); status != 200 || !strings.Contains(page, "will come by itself") {
		t.Errorf("on a replica: %d %s", status, page)
	}
	other := start(t, echo, onlyOnce)
	if status, _ := other.openPage(t, "GET", address); status != 403 {
		t.Errorf("on another account: %d", status)
	}
}

func TestWithoutOneTimeMessagesThereIsNoPage(t *testing.T) {
	s := start(t, echo, verified)
	if status, _ := s.openPage(t, "GET", "https://x/hooks/wechat/wx/granted?action=cancel"); status != http.StatusNotFound {
		t.Errorf("status %d", status)
	}
}

// The link is offered where a reader cares for digests, as long as none is granted.
func TestTheLinkIsOffered(t *testing.T) {
	replies := map[string]bot.Reply{
		"follow":    {Lang: "zh-Hans", Text: "已关注", Actions: []bot.Action{{Label: "取消", Text: "/unfollow 3"}, {Label: "我的关注", Text: "/following"}}},
		"following": {Lang: "zh-Hans", Text: "你的关注", Actions: []bot.Action{{Label: "取消", Text: "/unfollow 3"}}},
		"tea":       {Lang: "zh-Hans", Text: "找到 1 篇", Actions: []bot.Action{{Label: "关注 tea", Text: "/follow tea"}}},
	}
	held := false
	s := start(t, func(_ context.Context, m bot.Message) (bot.Reply, error) { return replies[m.Text], nil }, onlyOnce,
		func(_ *wechattest.Account, c *wechat.Config) {
			c.Held = func(_ context.Context, _ bot.ChatID, r bot.Reply) (bot.Reply, error) {
				if held {
					r.Groups = append([]bot.Group{{Heading: "星期一以来有 1 篇新文章", Cards: []bot.Card{{Title: "Oolong"}}}}, r.Groups...)
				}
				return r, nil
			}
		})
	r := s.Reader("r1")
	offered := func(words string) string {
		t.Helper()
		for _, l := range r.Say(words).Links {
			if l.Label == "允许主动推送下一期精选" {
				return l.Target
			}
		}
		return ""
	}
	if offered("tea") != "" {
		t.Error("with a search")
	}
	held = true
	if offered("tea") == "" {
		t.Error("not with a digest that is handed over")
	}
	held = false
	for _, words := range []string{"following", "follow"} {
		if offered(words) == "" {
			t.Errorf("not after %q", words)
		}
	}
	link := offered("follow")
	if status, page := s.comeBack(t, r, link, true); status != 200 || !strings.Contains(page, "主动推送给你") {
		t.Fatalf("%d %s", status, page)
	}
	if offered("follow") != "" {
		t.Error("although one is granted")
	}
	s.clock.Advance(49 * time.Hour)
	if receipt, err := s.send(t, "r1"); err != nil || receipt.Way != "once" {
		t.Errorf("%+v, %v", receipt, err)
	}
	if offered("follow") == "" {
		t.Error("not after the granted one was used")
	}
}

func TestNoticesAreGrantedAndWithdrawn(t *testing.T) {
	s := start(t, echo, service, func(_ *wechattest.Account, c *wechat.Config) { c.Template, c.Once = wechat.Form{}, wechat.Once{} })
	s.templates()
	r := s.Follower("r1")
	sent := func() int {
		t.Helper()
		for n := 0; ; n++ {
			if _, err := s.send(t, "r1"); kind(err) == "not now" {
				return n
			} else if err != nil {
				t.Fatal(err)
			}
		}
	}
	r.Grant("another template", noticeID)
	r.Grant(noticeID)
	r.Repeat() // the platform did not hear our answer
	r.Refuse(noticeID)
	want(t, "notices after two grants and a refusal", sent(), 2)
	r.Grant(noticeID)
	r.Withdraw("another template")
	want(t, "after another template's were withdrawn", sent(), 1)
	r.Grant(noticeID)
	r.Withdraw(noticeID)
	want(t, "after all were withdrawn", sent(), 0)
	r.Grant("another template")
	want(t, "after a grant of another template", sent(), 0)
	want(t, "calls", s.Calls(wechattest.NoticeSend), 3)
}
