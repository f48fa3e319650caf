package telegram_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"newsie/bot"
	"newsie/bot/telegram"
	"newsie/bot/telegram/telegramtest"
	"newsie/internal/database/databasetest"
)

// A group that talks to a bot that may not write there fills no log, and its
// digests end until it may.
func TestAGroupWhereTheBotMayNotWriteIsToldOfOnceAnHour(t *testing.T) {
	db, clock := databasetest.SQLite(t), &calendar{at: time.Unix(1_800_000_000, 0)}
	var mu sync.Mutex
	gone := map[string]int{}
	r := start(t, echo, setup{db: db, config: func(c *telegram.Config) {
		known(c)
		c.Settings = bot.NewSettings(db, clock.Now)
		c.Gone = func(_ context.Context, chat bot.ChatID) error {
			mu.Lock()
			defer mu.Unlock()
			gone[chat.ID]++
			return nil
		}
	}})
	lines := func() (about, loud int) {
		for line := range strings.Lines(r.log.String()) {
			if strings.Contains(line, "may not write") {
				about++
			} else if strings.Contains(line, "level=WARN") || strings.Contains(line, "level=ERROR") {
				loud++
			}
		}
		return about, loud
	}
	g, other := r.Supergroup(-100), r.Supergroup(-200)
	g.Mute()
	for range 5 {
		g.SayAs(telegramtest.Said{From: 7}, "/search tea")
	}
	r.quiet(t)
	if about, loud := lines(); about != 1 || loud != 0 {
		t.Errorf("five messages in one group: %d lines and %d others\n%s", about, loud, r.log)
	}
	other.Mute()
	other.SayAs(telegramtest.Said{From: 7}, "/search tea")
	r.quiet(t)
	if about, _ := lines(); about != 2 {
		t.Errorf("another group: %d lines\n%s", about, r.log)
	}
	clock.Advance(time.Hour + time.Second)
	g.SayAs(telegramtest.Said{From: 7}, "/search tea")
	r.quiet(t)
	if about, _ := lines(); about != 3 {
		t.Errorf("an hour later: %d lines\n%s", about, r.log)
	}
	mu.Lock()
	defer mu.Unlock()
	if gone["-100"] != 6 || gone["-200"] != 1 {
		t.Errorf("told of as gone: %v", gone)
	}
}

// A group may take texts and no pictures: its articles come without covers, and
// nothing of it is suspended.
func TestAGroupWithoutPicturesGetsTexts(t *testing.T) {
	s := openStudio(t)
	g := s.Supergroup(-100)
	g.NoPhotos()
	if _, err := s.channel.Send(patient(t), bot.Outgoing{To: to("-100"), Reply: shown("https://pictures.example/a.jpg")}); err != nil {
		t.Fatal(err)
	}
	if got := g.Answers(); len(got) != 1 || got[0].Photo != nil || !strings.HasPrefix(got[0].Text, "La farinata") {
		t.Errorf("the group has %+v", got)
	}
	if m := s.send(shown("https://pictures.example/a.jpg")); m.Photo == nil {
		t.Error("the picture is left out elsewhere, too")
	}
}
