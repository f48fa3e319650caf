package bot_test

import (
	"fmt"
	"testing"
	"time"

	"newsie/bot"
	"newsie/content"
	"newsie/internal/database/databasetest"
	"newsie/internal/locale"
)

// A channel of news puts the newer of two equals first, one of an archive not.
func TestRecencyIsTheChannels(t *testing.T) {
	db, c := databasetest.SQLite(t), newClock()
	l, err := content.Open(db, t.TempDir(), content.Options{Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	for i, body := range []string{"The olives of Umbria go to the mill.", "The olives of Apulia go to the mill."} {
		_, _, err := l.Add(t.Context(), content.Article{
			Source: "s", Key: fmt.Sprint(i), Title: fmt.Sprintf("Harvest %c", 'A'+i), Lang: "en", Hash: body, Summary: body,
			Published: c.now().AddDate(-i, 0, 0), Body: []content.Block{{Kind: content.Paragraph, Text: body}},
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Follow(t.Context()); err != nil {
		t.Fatal(err)
	}
	catalog, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	b := bot.New(bot.Config{DB: db, Library: l, Catalog: catalog, Name: "Lantern", Now: c.now, Channels: map[string]bot.Channel{
		"news": {Lang: "en", Zone: "UTC", MinInterval: time.Hour, Recency: .2}, "archive": {Lang: "en", Zone: "UTC", MinInterval: time.Hour},
	}})
	for channel, want := range map[string]string{"news": "Harvest A", "archive": "Harvest B"} {
		r, err := b.Handle(t.Context(), bot.Message{ID: "m", Kind: bot.Text, Chat: bot.ChatID{Channel: channel, ID: "r"}, Text: "olives mill", Lang: "en"})
		if err != nil || len(r.Groups) == 0 {
			t.Fatalf("%v, %v", r, err)
		}
		if got := r.Groups[0].Cards[0].Title; got != want {
			t.Errorf("%s: %s first, want %s", channel, got, want)
		}
	}
}
