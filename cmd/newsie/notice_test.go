package main_test

import (
	"fmt"
	"strings"
	"testing"

	"newsie/bot/wechat/wechattest"
)

// A publisher whose account cannot send is told with the next answer, once.
func TestANoticeWaitsForThePublishersNextMessage(t *testing.T) {
	each(t, func(t *testing.T, in *installation) {
		account := wechattest.New(t, wechattest.Account{}, nil)
		address := freeAddress(t)
		in.write("newsie.yaml", fmt.Sprintf(`
name: The Lantern
listen: %[1]s
public_url: http://%[1]s
channels:
  gzh: {kind: wechat, language: en, account: unverified, app_id: %[2]q, app_secret: %[3]q, token: %[4]q, aes_key: %[5]q, api_url: %[6]q}
publisher: {channel: gzh, chat: publisher-1}
rules:
  - {keywords: [contact], articles: [nowhere]}
`, address, account.AppID, account.Secret, account.Token, account.AESKey, account.URL))
		account.ConnectURL("http://" + address + "/hooks/wechat/gzh")
		server := in.serve("--demo")
		account.Reader("reader-1").Say("contact")
		publisher := account.Reader("publisher-1")
		in.until("the notice stands before an answer", func() bool {
			return strings.Contains(publisher.Say("help").Text, "nowhere")
		})
		if answer := publisher.Say("help").Text; strings.Contains(answer, "nowhere") {
			t.Errorf("told again: %s", answer)
		}
		if answer := account.Reader("reader-1").Say("help").Text; strings.Contains(answer, "nowhere") {
			t.Errorf("a reader is told: %s", answer)
		}
		if told := in.must("doctor", "--offline"); !strings.Contains(told, "publisher: gzh sends nothing by itself: notices wait there for your next message") {
			t.Errorf("the doctor says %s", told)
		}
		account.Wait()
		if err := server.stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
