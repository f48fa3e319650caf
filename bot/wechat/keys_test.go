package wechat_test

import (
	"slices"
	"strings"
	"testing"

	"newsie/bot/wechat"
)

func TestWhatIsCopiedFromThePlatformIsChecked(t *testing.T) {
	good := wechat.Config{AppID: "wx0123456789abcdef", Token: "abc", AESKey: strings.Repeat("a", 43), PreviousAESKey: strings.Repeat("Z", 43)}
	for _, test := range []struct {
		name string
		set  func(c *wechat.Config)
		want []string
	}{
		{"all good", func(*wechat.Config) {}, nil},
		{"no keys", func(c *wechat.Config) { c.AESKey, c.PreviousAESKey = "", "" }, nil},
		{"nothing", func(c *wechat.Config) { *c = wechat.Config{} }, []string{"app_id is missing", "token is missing"}},
		{"the longest token", func(c *wechat.Config) { c.Token = strings.Repeat("t", 32) }, nil},
		{"a token too long", func(c *wechat.Config) { c.Token = strings.Repeat("t", 33) }, []string{"token must have 3 to 32"}},
		{"a token too short", func(c *wechat.Config) { c.Token = "ab" }, []string{"token must have 3 to 32"}},
		{"a token with other characters", func(c *wechat.Config) { c.Token = "a b{}" }, []string{"token must have 3 to 32 letters and digits"}},
		{"a short app_id", func(c *wechat.Config) { c.AppID = "wx012345" }, []string{"app_id is no AppID"}},
		{"a long app_id", func(c *wechat.Config) { c.AppID += "0" }, []string{"app_id is no AppID"}},
		{"an account's name instead", func(c *wechat.Config) { c.AppID = "gh_0123456789abcde" }, []string{"app_id is no AppID"}},
		{"keys that decode to nothing", func(c *wechat.Config) {
			c.AESKey, c.PreviousAESKey = "!!!!"+c.AESKey[4:], c.PreviousAESKey[:42]+"-"
		}, []string{"aes_key an EncodingAESKey has 43 letters and digits", "previous_aes_key an EncodingAESKey has 43 letters and digits"}},
		{"a key too short", func(c *wechat.Config) { c.AESKey = c.AESKey[1:] }, []string{"aes_key an EncodingAESKey has 43 characters, this one has 42"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := good
			test.set(&c)
			got := c.CheckKeys()
			if len(got) != len(test.want) {
				t.Fatalf("%d problems, want %d: %v", len(got), len(test.want), got)
			}
			for i, want := range test.want {
				told := got[i].Key + " " + got[i].What
				if !strings.HasPrefix(told, want) {
					t.Errorf("got %q, want %q", told, want)
				}
				for _, value := range nonEmpty(c.AppID, c.Token, c.AESKey, c.PreviousAESKey) {
					if slices.Contains(strings.Fields(told), value) {
						t.Errorf("%q tells a value", told)
					}
				}
			}
		})
	}
}

func nonEmpty(values ...string) []string {
	return slices.DeleteFunc(values, func(v string) bool { return v == "" })
}
