package bot_test

import (
	"strings"
	"testing"

	"newsie/bot"
	"newsie/content"
	"newsie/internal/database/databasetest"
	"newsie/internal/locale"
)

func TestBestTellsWhatTheFirstArticleIs(t *testing.T) {
	b := newBot(t, databasetest.SQLite(t), newClock())
	for _, test := range []struct {
		name, said string
		want       bot.Best
	}{
		{"the only one", "marathon", bot.Clear},
		{"its title, written otherwise", "the PRICE of  commerce!", bot.Clear},
		{"its title in the other script", "巷口的团购", bot.Clear},
		{"twice as good as the next", "code on the shelf commerce", bot.Clear},
		{"a topic of several", "commerce", bot.Ranked},
		{"a tag that two of them have", "电商", bot.Ranked},
		{"repaired", "maratohn", bot.OneOfMany},
		{"words left out", "marathon xylophonics", bot.OneOfMany},
		{"nothing", "zzzzqqq", bot.OneOfMany},
		{"the newest", "latest", bot.OneOfMany},
		{"opened by number", "1", bot.OneOfMany},
		{"a page", "more", bot.OneOfMany},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := say(t, b, bot.ChatID{Channel: "web", ID: "best"}, test.said)
			if r.Best != test.want {
				t.Errorf("%q: best %d, want %d:\n%s", test.said, r.Best, test.want, show(r))
			}
		})
	}
}

func TestATagIsMeantWhereOneAloneHasItAndNoneComesNear(t *testing.T) {
	db, c := databasetest.SQLite(t), newClock()
	l := library(t, db, c.now)
	add := func(key, text string, tags ...string) {
		t.Helper()
		_, _, err := l.Add(t.Context(), content.Article{
			Source: "test", Key: key, Title: key, Lang: "en", Tags: tags, Hash: key, Summary: text,
			Body: []content.Block{{Kind: content.Paragraph, Text: text}},
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
	}
	add("Nets", "Boats come home to the harbour at six.", "harbour")
	add("Tides", "The harbour is empty when the tide is out, and the harbour master sleeps.")
	add("Gulls", "A gull of the harbour eats what the boats of the harbour leave.", "birds")
	add("Terns", "A tern fishes for itself.", "birds")
	add("Lamps", "The keeper of the lighthouse lights its lamp at dusk, and the lighthouse turns until the sun is up.", "lighthouse")
	add("Rocks", "The rocks below the lighthouse are black at low tide and white with foam at high tide, and nobody has walked on them since the old pier fell.")
	if _, err := l.Follow(t.Context()); err != nil {
		t.Fatal(err)
	}
	catalog, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	b := bot.New(bot.Config{DB: db, Library: l, Catalog: catalog, Channels: map[string]bot.Channel{"web": {Lang: "en"}}, Now: c.now})
	for said, want := range map[string]bot.Best{"lighthouse": bot.Clear, "Lighthouse!": bot.Clear, "harbour": bot.Ranked, "birds": bot.Ranked, "boats": bot.Ranked} {
		if r := say(t, b, bot.ChatID{Channel: "web", ID: "r"}, said); r.Best != want || len(r.Groups[0].Cards) < 2 {
			t.Errorf("%q: best %d, want %d:\n%s", said, r.Best, want, show(r))
		}
	}
}

func TestTopicsAreOffered(t *testing.T) {
	b := newBot(t, databasetest.SQLite(t), newClock())
	for _, test := range []struct{ said, lang, text, first string }{
		{"topics", "en", "What most articles here are about:", "commerce"},
		{"话题", "zh-Hans", "文章最多的话题：", "烹饪"},
		{"熱門話題", "zh-Hant", "文章最多的主題：", "電商"},
		{"argomenti", "it", "Gli argomenti con più articoli:", "commercio"},
		{"/topics", "fr", "What most articles here are about:", "commerce"},
	} {
		r := tell(t, b, bot.Message{Kind: bot.Text, Chat: bot.ChatID{Channel: "web", ID: test.lang}, Text: test.said, Lang: test.lang})
		if r.Text != test.text || len(r.Actions) == 0 {
			t.Fatalf("%s: %s", test.said, show(r))
		}
		seen := false
		for _, a := range r.Actions {
			if a.Text != "/search "+a.Label {
				t.Errorf("%s: %q says %q", test.said, a.Label, a.Text)
			}
			seen = seen || a.Label == test.first || a.Label == "电商" && test.first == "電商"
		}
		if !seen {
			t.Errorf("%s: %s is not offered:\n%s", test.said, test.first, show(r))
		}
	}
}

func TestWelcomeTeachesInThreeLines(t *testing.T) {
	b := newBot(t, databasetest.SQLite(t), newClock())
	for _, lang := range []string{"en", "zh-Hans", "zh-Hant", "it"} {
		r := tell(t, b, bot.Message{Kind: bot.Join, Chat: bot.ChatID{Channel: "web", ID: lang}, Lang: lang})
		lines := strings.Split(r.Text, "\n")
		if len(lines) != 4 || !strings.Contains(lines[0], "Lantern") {
			t.Errorf("%s: want the greeting and three lines:\n%s", lang, r.Text)
		}
		var topics int
		for _, a := range r.Actions {
			if strings.HasPrefix(a.Text, "/search ") {
				topics++
			}
		}
		if topics == 0 || topics > 3 {
			t.Errorf("%s: %d topics", lang, topics)
		}
	}
}

func TestSharedLinks(t *testing.T) {
	b := newBot(t, databasetest.SQLite(t), newClock())
	share := func(link, title string) bot.Reply {
		return tell(t, b, bot.Message{Kind: bot.Media, Chat: bot.ChatID{Channel: "web", ID: "sharer"}, Link: link, Text: title, Lang: "en"})
	}
	ours := share("https://lantern.example/a/1", "help")
	if len(ours.Groups) != 2 || ours.Groups[0].Cards[0].Article != 1 || ours.Groups[0].Cards[0].Number != 0 || len(ours.Groups[1].Cards) == 0 {
		t.Errorf("our article is not opened with its related ones:\n%s", show(ours))
	}
	other := share("https://elsewhere.example/x", "What marathon runners do to their knees")
	if !strings.HasPrefix(other.Text, "That page is none of ours. These") || other.Best != bot.OneOfMany || other.Groups[0].Cards[0].Title != "Marathon knees" {
		t.Errorf("another page:\n%s", show(other))
	}
	if two := say(t, b, bot.ChatID{Channel: "web", ID: "sharer"}, "1"); two.Groups[0].Cards[0].Title != "Marathon knees" {
		t.Errorf("its number opens:\n%s", show(two))
	}
	for name, title := range map[string]string{"no words": "2026 · 11", "words of nothing here": "Zeppelinfahrt überm Bodensee kostet Nerven commerce", "mostly": "Marathon xylophonics", "none": "", "a command": "stop"} {
		r := share("https://elsewhere.example/x", title)
		if !strings.HasPrefix(r.Text, "That page is none of ours. Type") || len(r.Groups) != 0 || len(r.Actions) < 3 {
			t.Errorf("%s:\n%s", name, show(r))
		}
	}
	long := share("https://elsewhere.example/x", strings.Repeat("marathon 微信 ", 500))
	if long.Empty() {
		t.Error("nothing is said to a long title")
	}
}

func TestASingleCharacterIsNoSuggestion(t *testing.T) {
	b := newBot(t, databasetest.SQLite(t), newClock())
	r := tell(t, b, bot.Message{Kind: bot.Text, Chat: bot.ChatID{Channel: "web", ID: "r"}, Text: "商机", Lang: "zh-Hans"})
	if !strings.HasPrefix(r.Text, "没有找到") {
		t.Fatalf("something was found:\n%s", show(r))
	}
	if strings.Contains(r.Text, "试试") || len(r.Actions) > 1 {
		t.Errorf("it suggests:\n%s", show(r))
	}
}
