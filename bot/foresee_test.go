package bot_test

import (
	"fmt"
	"strings"
	"testing"

	"newsie/bot"
	"newsie/bot/origin"
	"newsie/internal/database/databasetest"
)

// Who looks at a chat's page is told what they would be, and nothing is kept.
func TestLookingAtAWelcomeKeepsNothing(t *testing.T) {
	f := newFair(t, databasetest.SQLite(t))
	f.add(origin.Origin{Code: "shop", Name: "Shop", Welcome: origin.Welcome{Text: "Welcome from the shop.", Article: 1, Topic: "commerce"}})
	kept := func() string {
		var rows []string
		for _, table := range []string{"chats", "follows", "lists", "saved", "readers", "origin_events", "origin_totals", "questions", "origins"} {
			rows = append(rows, fmt.Sprint(table, " ", count(t, f.db, "SELECT count(*) FROM "+table)))
		}
		return strings.Join(rows, ", ")
	}
	before := kept()
	for text, want := range map[string]string{
		"/start": "Lantern", "/start oshop": "Welcome from the shop.", "/start shop": "Welcome from the shop.", "/start oshop_a2": "", "/start oshop_fdGVh": "tea",
		"/start a2": "", "/start onobody": "Lantern", "/start _": "Lantern", "/start oinline": "Lantern", "/start fdGVh": "tea",
	} {
		r := f.tell(bot.Message{Kind: bot.Join, Chat: bot.ChatID{Channel: "web"}, Text: text})
		if r.Empty() || !strings.Contains(r.Text, want) {
			t.Errorf("%s is answered %q, want %q", text, r.Text, want)
		}
		if article := strings.HasSuffix(text, "_a2") || strings.HasSuffix(text, " a2") || strings.HasSuffix(text, "shop"); article != (len(r.Groups) > 0) {
			t.Errorf("%s shows %d groups", text, len(r.Groups))
		}
	}
	if err := f.credits.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := kept(); after != before {
		t.Errorf("before %s\nafter  %s", before, after)
	}
}
