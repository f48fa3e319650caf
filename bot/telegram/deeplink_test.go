package telegram_test

import (
	"strings"
	"testing"

	"newsie/bot/telegram/telegramtest"
)

func TestDeepLinksKeepToTheirAlphabetAndAreKnownBeforeTheNetworkIs(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{})
	c, _, db, _ := build(t, s, echo, setup{})
	if got := c.DeepLink("a1"); got != "" {
		t.Errorf("a link to a bot without a name: %q", got)
	}
	stop := run(t, c)
	s.Chat(1).Say("hello")
	if _, err := s.Chat(1).Wait(patient(t), 1); err != nil {
		t.Fatal(err)
	}
	stop()
	for _, test := range []struct{ payload, want string }{
		{"a4711", "https://t.me/newsie_bot?start=a4711"},
		{strings.Repeat("x", 64), "https://t.me/newsie_bot?start=" + strings.Repeat("x", 64)},
		{"A-_9", "https://t.me/newsie_bot?start=A-_9"},
		{strings.Repeat("x", 65), ""}, {"", ""}, {"微店", ""}, {"a b", ""}, {"a&b", ""}, {"a1\n", ""},
	} {
		if got := c.DeepLink(test.payload); got != test.want {
			t.Errorf("DeepLink(%q) = %q, want %q", test.payload, got, test.want)
		}
	}
	// Another process, which has not asked Telegram.
	other, _, _, _ := build(t, s, echo, setup{db: db})
	if got, want := other.DeepLink("f12"), "https://t.me/newsie_bot?start=f12"; got != want {
		t.Errorf("before the network: %q, want %q", got, want)
	}
}
