package scheduler_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"newsie/bot"
	"newsie/scheduler"
)

// A group that became a supergroup has a new id: everything of it follows, its
// topics too, and nothing is doubled.
func TestAMovedChatKeepsEverything(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		run := func(query string, args ...any) {
			t.Helper()
			if _, err := h.db.ExecContext(t.Context(), query, args...); err != nil {
				t.Fatalf("%s: %v", query, err)
			}
		}
		edition := func(key string) (id int64) {
			t.Helper()
			if err := h.db.NewRaw("INSERT INTO editions (kind, edition_key, created_at) VALUES ('follow', ?, 1) RETURNING id", key).Scan(t.Context(), &id); err != nil {
				t.Fatal(err)
			}
			return id
		}
		one, two := edition("1"), edition("2")
		chat := func(id, lang, quiet, origin string) {
			run("INSERT INTO chats (channel, id, lang, quiet, origin, since) VALUES ('tg', ?, ?, ?, ?, 1)", id, lang, quiet, origin)
		}
		follow := func(chat, query string) {
			run("INSERT INTO follows (channel, chat, topic, query, spec, zone, next_due_at, since_seq, created_at) VALUES ('tg', ?, ?, ?, '0 8 * * *', 'UTC', 1, 0, 1)", chat, query, query)
		}
		saved := func(chat string, article int) {
			run("INSERT INTO saved (channel, chat, article, saved_at) VALUES ('tg', ?, ?, 1)", chat, article)
		}
		delivery := func(chat string, edition int64) {
			run("INSERT INTO deliveries (edition, channel, chat, state, due_at, updated_at) VALUES (?, 'tg', ?, 'planned', 1, 1)", edition, chat)
		}
		chat("-5", "it", "22:00-08:00", "poster")
		chat("-5:9", "zh-Hans", "", "")
		chat("-100", "en", "", "") // said in the new group before the move was heard of
		follow("-5", "tea")
		follow("-5", "sport")
		follow("-5:9", "tea")
		follow("-100", "tea")
		follow("-55", "tea") // another group
		saved("-5", 1)
		saved("-5", 2)
		saved("-100", 2)
		saved("-5:9", 3)
		delivery("-5", one)
		delivery("-5", two)
		delivery("-100", two)
		delivery("-5:9", one)
		run("INSERT INTO lists (channel, chat, kind, query, articles, created_at) VALUES ('tg', '-5', 'search', 'tea', '[1]', 1), ('tg', '-5:9', 'search', 'tea', '[1]', 1)")
		run("INSERT INTO inbox (channel, message_id, chat, received_at) VALUES ('tg', 'u1', '-5', 1), ('tg', 'u2', '-5:9', 1), ('wx', 'u1', '-5', 1)")
		for _, name := range []string{"-5 7", "-5 8", "-5:9 7", "-55 7", "-100 8", "-100 9"} {
			run("INSERT INTO settings (name, value, expires_at) VALUES (?, ?, 5)", "tongue:tg/"+name, "of "+name)
		}

		ledger := scheduler.NewLedger(h.db, h.clock)
		for range 2 { // it is heard of more than once
			if err := ledger.Move(context.Background(), bot.ChatID{Channel: "tg", ID: "-5"}, bot.ChatID{Channel: "tg", ID: "-100"}); err != nil {
				t.Fatal(err)
			}
		}
		for _, test := range []struct{ query, want string }{
			{"SELECT id || ' ' || lang || ' ' || quiet || ' ' || origin FROM chats ORDER BY id", "-100 en 22:00-08:00 poster, -100:9 zh-Hans  "},
			{"SELECT chat || ' ' || query FROM follows ORDER BY chat, query", "-100 sport, -100 tea, -100:9 tea, -55 tea"},
			{"SELECT chat || ' ' || article FROM saved ORDER BY chat, article", "-100 1, -100 2, -100:9 3"},
			{"SELECT chat || ' ' || edition FROM deliveries WHERE chat LIKE '-100%' ORDER BY chat, edition", fmt.Sprintf("-100 %d, -100 %d, -100:9 %d", one, two, one)},
			{"SELECT state FROM deliveries WHERE chat = '-5'", "cancelled"},
			{"SELECT chat FROM lists ORDER BY chat", "-100, -100:9"},
			{"SELECT name || '=' || value || expires_at FROM settings WHERE name LIKE 'tongue:%' ORDER BY replace(replace(name, ':', 'x'), ' ', 'a')",
				"tongue:tg/-100 7=of -5 75, tongue:tg/-100 8=of -100 85, tongue:tg/-100 9=of -100 95, tongue:tg/-100:9 7=of -5:9 75, tongue:tg/-55 7=of -55 75"},
			{"SELECT channel || ' ' || chat FROM inbox ORDER BY channel, chat", "tg -100, tg -100:9, wx -5"},
		} {
			var rows []string
			if err := h.db.Reader().NewRaw(test.query).Scan(t.Context(), &rows); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(rows, ", "); got != test.want {
				t.Errorf("%s:\n got %s\nwant %s", test.query, got, test.want)
			}
		}
	})
}
