package bot_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"newsie/bot"
	"newsie/content"
	"newsie/internal/database/databasetest"
	"newsie/internal/locale"
)

// A card names the other sources of its story, each once, the first few.
func TestCardsTellWhereElseAStoryIs(t *testing.T) {
	b := newBot(t, databasetest.SQLite(t), newClock())
	copies := func(sources ...string) (list []content.Copy) {
		for i, s := range sources {
			list = append(list, content.Copy{ID: int64(20 + i), Source: s, Slug: "dam"})
		}
		return list
	}
	for _, test := range []struct {
		name string
		lang string
		also []content.Copy
		want string
	}{
		{"nowhere", "en", nil, ""},
		{"the same source again", "en", copies("herald"), ""},
		{"two", "en", copies("gazette", "courier"), "Also in: gazette=20, courier=21"},
		{"one of them twice", "it", copies("gazette", "gazette"), "Anche su: gazette=20"},
		{"many", "zh-Hans", copies("a", "b", "c", "d", "e"), "另见：a=20、b=21、c=22、+2="},
		{"in the other script", "zh-Hant", copies("a", "b"), "另見：a=20、b=21"},
	} {
		a := content.Article{ID: 1, Source: "herald", Title: "River breaks dam", Also: test.also}
		got := b.Cards([]content.Article{a}, test.lang, 1)[0].Also.Join(func(p bot.Place) string {
			number, _, _ := strings.Cut(strings.TrimPrefix(p.URL, "https://lantern.example/a/"), "/")
			return p.Name + "=" + number
		})
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

// What two sources tell is one card; a channel of one of them says nothing of
// the other.
func TestAStoryIsOneCard(t *testing.T) {
	db, c := databasetest.SQLite(t), newClock()
	l := library(t, db, c.now)
	for _, source := range []string{"herald", "gazette"} {
		_, _, err := l.Add(t.Context(), content.Article{
			Source: source, Key: "1", Title: "River breaks dam", Lang: "en", Hash: source, Summary: "The river broke the dam.",
			Body: []content.Block{{Kind: content.Paragraph, Text: "The river rose by four metres during the night and broke through the old dam above the town shortly before dawn."}},
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
	b := bot.New(bot.Config{DB: db, Library: l, Catalog: catalog, Name: "Lantern", PublicURL: "https://lantern.example", Now: c.now,
		Channels: map[string]bot.Channel{
			"web":  {Lang: "en", Zone: "UTC"},
			"part": {Lang: "en", Zone: "UTC", Filter: content.Filter{Sources: []string{"gazette"}}},
		}})
	for channel, want := range map[string]string{"web": "herald; gazette", "part": "gazette; "} {
		for _, text := range []string{"river dam", "/latest"} {
			r, err := b.Handle(t.Context(), bot.Message{ID: text, Kind: bot.Text, Chat: bot.ChatID{Channel: channel, ID: "r"}, Text: text, Lang: "en"})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, card := range r.Groups[0].Cards {
				if card.Title == "River breaks dam" {
					var names []string
					for _, p := range card.Also.Places {
						names = append(names, p.Name)
					}
					got = append(got, card.Source+"; "+strings.Join(names, ", "))
				}
			}
			if fmt.Sprint(got) != "["+want+"]" {
				t.Errorf("%s on %s: %q, want %q", text, channel, got, want)
			}
		}
	}
}
