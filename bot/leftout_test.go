package bot_test

import (
	"strings"
	"testing"

	"newsie/bot"
	"newsie/internal/database/databasetest"
)

func TestAWordThatIsLeftOutIsNamedOnce(t *testing.T) {
	b := newBot(t, databasetest.SQLite(t), newClock())
	r := say(t, b, bot.ChatID{Channel: "web", ID: "r"}, "what commerce on chat platforms costs a small shop qqzzvw QQZZVW qqzzvw")
	if !strings.HasSuffix(r.Text, "found nowhere: qqzzvw") {
		t.Errorf("%q", r.Text)
	}
}

func TestWhatIsOnlyLeftOutIsNotLookedFor(t *testing.T) {
	db := databasetest.SQLite(t)
	b := newBot(t, db, newClock())
	chat := bot.ChatID{Channel: "web", ID: "r"}
	for _, text := range []string{"-commerce", "/search -commerce", "－commerce -\"small shop\"", "/exact -commerce", "follow -commerce"} {
		r := say(t, b, chat, text)
		if len(r.Groups) != 0 || !strings.Contains(r.Text, "leave out") || offers(r, "/follow") != "" || offers(r, "/search ") == "" {
			t.Errorf("%s: %+v", text, r)
		}
	}
	if n := count(t, db, "SELECT count(*) FROM follows"); n != 0 {
		t.Errorf("%d follows of what is left out", n)
	}
	for _, text := range []string{"commerce -telefono", "tag:commerce", "tag:commerce -price", "tag:nothing-such commerce", "5-commerce"} {
		if r := say(t, b, chat, text); strings.Contains(r.Text, "leave out") {
			t.Errorf("%s: %+v", text, r)
		}
	}
}
