package telegram_test

import (
	"strings"
	"testing"

	"newsie/bot"
	"newsie/bot/rules"
	"newsie/bot/telegram/telegramtest"
	"newsie/internal/locale"
)

// In a group each asker's app tells a language of its own, and it is the
// asker's that counts: for newsie's words, for the publisher's rules, for taps.
func TestInAGroupEachAskerIsAnsweredInTheirOwnLanguage(t *testing.T) {
	h := openHouse(t, "en")
	catalog, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	set, err := rules.Parse([]byte("rules:\n  - keywords: [wifi]\n    text: {en: The key is tea., it: La chiave è tè., zh-Hans: 密码是茶叶。, zh-Hant: 密碼是茶葉。}\n"),
		rules.Options{Channels: []string{"tg"}, Command: bot.Understands(catalog)})
	if err != nil {
		t.Fatal(err)
	}
	h.bot.SetRules(set)
	g := h.Supergroup(-100).Language("it") // of whoever has no language of their own
	members := []struct {
		id         int64
		code, lang string
		key        string
	}{
		{21, "it", "it", "La chiave è tè."}, {22, "zh-hans", "zh-Hans", "密码是茶叶。"}, {23, "zh-hant", "zh-Hant", "密碼是茶葉。"},
		{24, "en", "en", "The key is tea."}, {25, "", "it", "La chiave è tè."},
	}
	said := 0
	answer := func() telegramtest.Message {
		t.Helper()
		said++
		return h.wait(t, g, said)[said-1]
	}
	for _, m := range members {
		if m.code != "" {
			h.Stranger(m.id).Language(m.code)
		}
		words := catalog.Printer(m.lang)
		asked := g.SayAs(telegramtest.Said{From: m.id}, "@newsie_bot wifi")
		if got := answer(); !strings.Contains(got.Text, m.key) || got.ReplyTo != asked {
			t.Errorf("%d, whose app speaks %q, asked by a rule's keyword and reads %q", m.id, m.code, got.Text)
		}
		g.SayAs(telegramtest.Said{From: m.id}, "/following@newsie_bot")
		if got := answer(); !strings.Contains(got.Text, words.T("bot.no_follows")) {
			t.Errorf("%d, whose app speaks %q, asked by a command and reads %q", m.id, m.code, got.Text)
		}
	}
	// One list, of which each opens an article.
	g.SayAs(telegramtest.Said{From: 21}, "/latest@newsie_bot")
	list := answer()
	for _, m := range members {
		if _, err := g.TapAs(m.id, list.ID, "1"); err != nil {
			t.Fatal(err)
		}
		want := catalog.Printer(m.lang).T("bot.read_on")
		if got := answer(); !strings.Contains(strings.Join(got.Labels(), "|"), want) {
			t.Errorf("%d, whose app speaks %q, tapped and has the buttons %q, want %q", m.id, m.code, got.Labels(), want)
		}
	}
}
