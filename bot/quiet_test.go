package bot_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"newsie/bot"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

func TestSilentGoesByEachChatsOwnClock(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		channels := map[string]bot.Channel{
			"tg":   {Zone: "Europe/Rome", Quiet: "22:00-08:00"},
			"loud": {Zone: "Europe/Rome"},
		}
		for _, row := range []struct{ channel, id, zone, quiet string }{
			{"tg", "off", "", "off"},
			{"tg", "own", "", "12:00-13:00"},
			{"tg", "far", "Asia/Shanghai", ""},
			{"tg", "broken", "Nowhere/Land", "22-8"},
			{"tg", "zoneless", "Nowhere/Land", ""},
			{"loud", "own", "", "23:00-23:30"},
			{"loud", "far", "Asia/Shanghai", "06:00-07:00"},
		} {
			if _, err := db.ExecContext(t.Context(), "INSERT INTO chats (channel, id, lang, zone, state, quiet, since) VALUES (?, ?, '', ?, 'active', ?, 0)", row.channel, row.id, row.zone, row.quiet); err != nil {
				t.Fatal(err)
			}
		}
		chats := []bot.ChatID{
			{"tg", "nobody"}, {"tg", "off"}, {"tg", "own"}, {"tg", "far"}, {"tg", "broken"}, {"tg", "zoneless"},
			{"loud", "nobody"}, {"loud", "own"}, {"loud", "far"}, {"loud", "off"}, {"unknown", "own"}, {"tg", "nobody"},
		}
		keeper := bot.NewChats(db, time.Now)
		for at, want := range map[time.Time]map[bot.ChatID]bool{
			// 23:10 in Rome, 06:10 in Shanghai.
			time.Date(2026, 11, 23, 22, 10, 0, 0, time.UTC): {
				{"tg", "nobody"}: true, {"tg", "far"}: true, {"tg", "zoneless"}: true, {"loud", "own"}: true, {"loud", "far"}: true,
			},
			// 12:30 in Rome, 19:30 in Shanghai.
			time.Date(2026, 11, 23, 11, 30, 0, 0, time.UTC): {{"tg", "own"}: true},
			// 15:30 in Rome, 22:30 in Shanghai.
			time.Date(2026, 11, 23, 14, 30, 0, 0, time.UTC): {{"tg", "far"}: true},
		} {
			got, err := keeper.Silent(t.Context(), channels, chats, at)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("at %s (-want +got):\n%s", at, diff)
			}
		}
		if got, err := keeper.Silent(t.Context(), channels, nil, time.Now()); err != nil || len(got) != 0 {
			t.Errorf("of no chats: %v, %v", got, err)
		}
	})
}

func TestSilentOfMoreChatsThanOneQueryTakes(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		channels := map[string]bot.Channel{"tg": {Zone: "UTC", Quiet: "00:00-24:00"}}
		if _, err := db.ExecContext(t.Context(), "INSERT INTO chats (channel, id, lang, zone, state, quiet, since) VALUES ('tg', 'r2300', '', '', 'active', 'off', 0)"); err != nil {
			t.Fatal(err)
		}
		var chats []bot.ChatID
		for i := range 2500 {
			chats = append(chats, bot.ChatID{Channel: "tg", ID: fmt.Sprintf("r%d", i)})
		}
		got, err := bot.NewChats(db, time.Now).Silent(t.Context(), channels, chats, time.Now())
		if err != nil || len(got) != 2499 || got[chats[2300]] || !got[chats[2499]] {
			t.Errorf("%d of 2499 silent, %v", len(got), err)
		}
	})
}
