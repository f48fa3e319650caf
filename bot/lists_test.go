package bot_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/uptrace/bun"

	"newsie/bot"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

// Each list of a batch gets its own number, whichever chat it is of.
func TestListsAreKeptTogether(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		lists := bot.NewLists(db, newClock().now)
		var all []bot.NewList
		for i := range 64 {
			all = append(all, bot.NewList{
				Chat: bot.ChatID{Channel: fmt.Sprint("ch", i%3), ID: fmt.Sprint("chat", (i*37)%50)}, Kind: "digest",
				Query: fmt.Sprint("q", i), IDs: []int64{int64(i), 7}, Shown: i,
			})
		}
		var ids []int64
		err := db.Tx(t.Context(), func(ctx context.Context, tx bun.Tx) (err error) {
			ids, err = lists.MakeAll(ctx, tx, all)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		seen := map[int64]bool{}
		for i, want := range all {
			var got struct {
				Channel, Chat, Query, Articles string
				Shown                          int
			}
			if err := db.NewRaw("SELECT channel, chat, query, articles, shown FROM lists WHERE id = ?", ids[i]).Scan(t.Context(), &got); err != nil {
				t.Fatal(err)
			}
			if got.Channel != want.Chat.Channel || got.Chat != want.Chat.ID || got.Query != want.Query || got.Articles != fmt.Sprintf("[%d,7]", i) || got.Shown != i {
				t.Errorf("list %d of %s is %+v", i, want.Chat, got)
			}
			seen[ids[i]] = true
		}
		if len(seen) != len(all) {
			t.Errorf("%d numbers for %d lists", len(seen), len(all))
		}
		if ids, err := lists.MakeAll(t.Context(), db, nil); err != nil || len(ids) != 0 {
			t.Errorf("of nothing: %v, %v", ids, err)
		}
	})
}
