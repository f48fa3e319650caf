package bot_test

import (
	"strings"
	"testing"

	"newsie/bot"
	"newsie/internal/database/databasetest"
)

func TestPagingHoldsItsListAndNobodyElses(t *testing.T) {
	db, c := databasetest.SQLite(t), newClock()
	b := newBot(t, db, c)
	chat := bot.ChatID{Channel: "web", ID: "r"}
	first := say(t, b, chat, "最新")
	var more string
	for _, a := range first.Actions {
		if strings.HasPrefix(a.Text, "/more ") {
			more = a.Text
		}
	}
	page := say(t, b, chat, more)
	if page.Replace == "" || len(page.Groups[0].Cards) == 0 || page.Groups[0].Cards[0].Number != 6 {
		t.Fatalf("%s: %+v", more, page)
	}
	say(t, b, chat, "commerce")
	if again := say(t, b, chat, more); again.Groups[0].Cards[0].Article != page.Groups[0].Cards[0].Article {
		t.Error("an old button means another list now")
	}
	if stranger := say(t, b, bot.ChatID{Channel: "web", ID: "s"}, more); len(stranger.Groups) != 0 {
		t.Error("a stranger reads another's list")
	}
}
