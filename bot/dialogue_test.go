package bot_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"newsie/bot"
	"newsie/content"
	"newsie/content/index"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
	"newsie/internal/locale"
)

var update = flag.Bool("update", false, "write the dialogues as they are now")

// library holds eight articles, four of them on commerce.
func library(t testing.TB, db *database.DB, now func() time.Time) *content.Library {
	t.Helper()
	l, err := content.Open(db, filepath.Join(t.TempDir(), "index"), content.Options{Now: now, PublicURL: "https://lantern.example"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	for i, a := range []struct{ lang, title, body, tag string }{
		{"en", "Shops inside a chat", "Commerce moved into the chat window. A code on the shelf opens the shop.", "commerce"},
		{"it", "La bottega nel telefono", "Il commercio elettronico vive nella chat. Weidian apre una vetrina in pochi minuti.", "commercio"},
		{"zh-Hans", "微店里的橘子", "橘农用微信开了一家微店，电商不再是大平台的事。", "电商"},
		{"zh-Hant", "巷口的團購", "電商平台也學著做團購，鄰居們只相信團媽。", "電商"},
		{"en", "Marathon knees", "Runners keep their knees longer than walkers do.", "sport"},
		{"it", "Il rapporto agile", "In bicicletta conta la cadenza, non la forza.", "sport"},
		{"en", "The price of commerce", "What commerce on chat platforms costs a small shop.", "commerce"},
		{"zh-Hans", "茶下了锅", "龙井虾仁里的茶，先洗虾，后入锅。", "烹饪"},
	} {
		_, _, err := l.Add(t.Context(), content.Article{
			Source: "test", Key: fmt.Sprint(i), Title: a.title, Lang: a.lang, Author: "A. Author", Tags: []string{a.tag},
			Published: time.Date(2026, 3, i+1, 8, 0, 0, 0, time.UTC), Summary: a.body, Hash: fmt.Sprint(i),
			Body: []content.Block{{Kind: content.Paragraph, Text: a.body}},
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Follow(t.Context()); err != nil {
		t.Fatal(err)
	}
	synonyms, err := index.ParseSynonyms(strings.NewReader("网店 => 电商, commercio elettronico"))
	if err != nil {
		t.Fatal(err)
	}
	l.SetSynonyms(synonyms)
	return l
}

func newBot(t testing.TB, db *database.DB, c *clock) *bot.Bot {
	t.Helper()
	catalog, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	return bot.New(bot.Config{
		DB: db, Library: library(t, db, c.now), Catalog: catalog, Name: "Lantern", PublicURL: "https://lantern.example",
		Channels: map[string]bot.Channel{
			"web": {Lang: "en", Zone: "UTC", MinInterval: time.Hour},
			"tg": {Lang: "en", Zone: "Europe/Rome", MinInterval: time.Hour, Silent: true, Edits: true, DeepLink: func(payload string) string {
				return "https://t.me/lantern_bot?start=" + payload
			}},
		},
		Now: c.now,
	})
}

// show prints a reply so that a person can judge it.
func show(r bot.Reply) string {
	var b strings.Builder
	if r.Replace != "" {
		fmt.Fprintf(&b, "(in place of %s)\n", r.Replace)
	}
	if r.Text != "" {
		for _, p := range bot.Pieces(r.Text, r.Links) {
			if p.URL == "" {
				b.WriteString(p.Text)
			} else {
				fmt.Fprintf(&b, "[%s → %s]", p.Text, p.URL)
			}
		}
		b.WriteString("\n")
	}
	for _, g := range r.Groups {
		if g.Heading != "" {
			b.WriteString("— " + g.Heading + "\n")
		}
		for _, c := range g.Cards {
			fmt.Fprintf(&b, "%d. %s | %s | %s | %s\n", c.Number, c.Title, c.Source, c.Date, c.URL)
			if text := marked(c.Snippet); text != "" {
				b.WriteString("   " + text + "\n")
			}
		}
	}
	for _, a := range r.Actions {
		if a.URL != "" {
			fmt.Fprintf(&b, "[%s → %s]\n", a.Label, a.URL)
		} else {
			fmt.Fprintf(&b, "[%s: %s]\n", a.Label, a.Text)
		}
	}
	if b.Len() == 0 {
		return "(silence)\n"
	}
	return b.String()
}

func marked(s bot.Snippet) string {
	var b strings.Builder
	last := 0
	for _, m := range s.Marks {
		b.WriteString(s.Text[last:m.Start] + "*" + s.Text[m.Start:m.End] + "*")
		last = m.End
	}
	return b.String() + s.Text[last:]
}

// TestDialogues plays the conversations in testdata/dialogue: each line that
// begins with ">" is said by a reader whose platform speaks the language that
// the file's first line names, the rest is the answer.
func TestDialogues(t *testing.T) {
	files, err := filepath.Glob("testdata/dialogue/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no dialogues: %v", err)
	}
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := newBot(t, db, newClock())
		for _, file := range files {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			lang := strings.TrimSpace(string(archive.Comment))
			for i, scene := range archive.Files {
				chat := bot.ChatID{Channel: "web", ID: filepath.Base(file) + scene.Name}
				if strings.HasPrefix(scene.Name, "Telegram") {
					chat.Channel = "tg"
				}
				got := play(t, b, chat, lang, string(scene.Data))
				if *update && !db.Postgres() {
					archive.Files[i].Data = []byte(got)
				} else if diff := cmp.Diff(string(scene.Data), got); diff != "" {
					t.Errorf("%s: %s (-want +got):\n%s", file, scene.Name, diff)
				}
			}
			if *update && !db.Postgres() {
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

func play(t *testing.T, b *bot.Bot, chat bot.ChatID, lang, scene string) string {
	t.Helper()
	var out strings.Builder
	for i, line := range strings.Split(scene, "\n") {
		said, ok := strings.CutPrefix(line, "> ")
		if !ok {
			continue
		}
		m := bot.Message{ID: fmt.Sprint(i), Kind: bot.Text, Chat: chat, Text: said, Lang: lang, At: time.Unix(0, 0)}
		switch kind, text, _ := strings.Cut(said, "!"); kind {
		case "join", "media", "scan", "tap":
			m.Kind, m.Text = bot.Kind(kind), text
		case "group":
			m.Public, m.Text = true, text
		}
		reply, err := b.Handle(t.Context(), m)
		if err != nil {
			t.Errorf("%q: %v", said, err)
		}
		for _, a := range reply.Actions {
			if len(a.Text) > 64 || a.Label == "" || a.Text == "" && a.URL == "" {
				t.Errorf("%q offers what no button can carry: %+v", said, a)
			}
		}
		out.WriteString(line + "\n" + show(reply) + "\n")
	}
	return out.String()
}
