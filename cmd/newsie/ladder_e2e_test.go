package main_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"newsie/bot/wechat/wechattest"
)

// A service account that nobody declared: newsie asks what it may do, and
// brings a reader's digest by the first way that is open.
func TestADigestGoesByNotice(t *testing.T) {
	each(t, func(t *testing.T, in *installation) {
		account := wechattest.New(t, wechattest.Account{Verified: true, Service: true, OneTime: "ONCE_news"}, nil)
		account.Auto()
		notice := account.AddNotice(wechattest.Template{Title: "News", Content: "Topic: {{thing1.DATA}} First: {{thing2.DATA}} Count: {{number3.DATA}}"})
		address := freeAddress(t)
		in.write("newsie.yaml", fmt.Sprintf(`
name: The Lantern
listen: %[1]s
public_url: http://%[1]s
channels:
  fwh:
    {kind: wechat, language: en, mode: safe, min_interval: 1m, first_digest: archive, app_id: %[2]q, app_secret: %[3]q, token: %[4]q, aes_key: %[5]q, api_url: %[6]q,
     notice: {template: %[7]q, fields: {thing1: "{topic}", thing2: "{title}", number3: "{count}"}}, once: {template: ONCE_news}}
`, address, account.AppID, account.Secret, account.Token, account.AESKey, account.URL, notice))
		account.ConnectURL("http://" + address + "/hooks/wechat/fwh")
		server := in.serve("--demo")
		in.until("newsie has asked what the account may do", func() bool { return account.Calls(wechattest.NoticeList) > 0 })

		phone := account.Reader("reader-1")
		in.until("the link to permit a digest is offered", func() bool {
			return grantLink(phone.Say("follow commerce every minute")) != ""
		})
		granted, err := phone.Confirm(grantLink(last(phone.Phone())), true)
		if err != nil {
			t.Fatal(err)
		}
		if page := fetch(t, granted); !strings.Contains(page, "Your next digest will come by itself") {
			t.Errorf("the page says %s", page)
		}
		phone.Grant(notice)
		account.Fail(wechattest.CustomSend, 45015) // the platform has closed the reader's window

		var digest wechattest.Bubble
		in.until("the digest comes as a notice", func() bool {
			digest = last(phone.Phone())
			return digest.Kind == "notice"
		})
		if !strings.HasPrefix(digest.Text, "Topic: commerce First: ") || !strings.HasPrefix(digest.URL, "http://"+address+"/r/") || articleAt(digest.URL) == "" {
			t.Errorf("the notice says %q and leads to %s", digest.Text, digest.URL)
		}
		if page := fetch(t, digest.URL); !strings.Contains(page, "<h1") {
			t.Errorf("the notice leads to %s", page)
		}
		in.until("the report settles it", func() bool { return in.deliveries("fwh", "sent") == 1 })
		ways := in.must("digest", "deliveries", "--channel", "fwh")
		if !strings.Contains(ways, "by subscription notice") {
			t.Errorf("the ledger says %s", ways)
		}
		metrics := strings.Split(fetch(t, "http://"+address+"/metrics"), "\n")
		for _, line := range []string{
			`newsie_wechat_quota_used{channel="fwh",quota="notice"} 1`, `newsie_wechat_quota_used{channel="fwh",quota="customer"} 0`,
			`newsie_wechat_quota_limit{channel="fwh",quota="customer"} 500000`, `newsie_wechat_quota_limit{channel="fwh",quota="mass"} 4`,
		} {
			if !slices.Contains(metrics, line) {
				t.Errorf("%s is not in the metrics", line)
			}
		}
		account.Wait()
		if err := server.stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// grantLink is the link by which a reader permits a digest, "" when there is none.
func grantLink(b wechattest.Bubble) string {
	for _, l := range b.Links {
		if strings.HasPrefix(l.Target, "https://mp.weixin.qq.com/mp/subscribemsg?") {
			return l.Target
		}
	}
	return ""
}

func fetch(t *testing.T, address string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Timeout: patience}
	defer client.CloseIdleConnections()
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: status %d, %v", address, response.StatusCode, err)
	}
	return string(body)
}
