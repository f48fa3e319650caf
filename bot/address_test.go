package bot_test

import (
	"strings"
	"testing"

	"newsie/bot"
	"newsie/internal/database/databasetest"
)

func TestAnAddressOfOurPagesOpensItsArticle(t *testing.T) {
	b := newBot(t, databasetest.SQLite(t), newClock())
	for _, test := range []struct {
		address string
		article int64 // 0: none is opened
	}{
		{"https://lantern.example/a/5/marathon-knees", 5},
		{"https://lantern.example/a/5/x", 5},
		{"https://lantern.example/a/5", 5},
		{"https://lantern.example/a/5/", 5},
		{"https://lantern.example/a/5/an/older/slug", 5},
		{"http://lantern.example/a/5/x", 5},
		{"https://Lantern.EXAMPLE:443/a/5/x", 5},
		{"https://lantern.example/a/5/x?utm_source=tg&n=2#more", 5},
		{"https://lantern.example/a/5?from=x", 5},
		{"read https://lantern.example/a/5/x, please", 5},
		{"lantern.example/a/5/x", 5},
		{"https://lantern.example:8443/a/5/x", 0},
		{"https://lantern.example.evil.example/a/5/x", 0},
		{"https://other.example/a/5/x", 0},
		{"https://lantern.example/b/5/x", 0},
		{"https://lantern.example/a/5x/x", 0},
		{"https://lantern.example/a/-5/x", 0},
	} {
		for _, m := range []bot.Message{
			{Kind: bot.Text, Text: test.address},
			{Kind: bot.Media, Text: "Qwertz", Link: test.address},
		} {
			if m.Kind == bot.Media && !strings.HasPrefix(test.address, "http") {
				continue
			}
			m.Chat, m.Lang = bot.ChatID{Channel: "web", ID: test.address}, "en"
			var got int64
			if r := tell(t, b, m); len(r.Groups) > 0 && r.Groups[0].Cards[0].Number == 0 {
				got = r.Groups[0].Cards[0].Article
			}
			if got != test.article {
				t.Errorf("%s %s opens %d, want %d", m.Kind, test.address, got, test.article)
			}
		}
	}
	if r := say(t, b, bot.ChatID{Channel: "web", ID: "r"}, "https://lantern.example/a/4711/x"); !strings.Contains(r.Text, "no longer here") {
		t.Errorf("a page that is no more: %+v", r)
	}
}
