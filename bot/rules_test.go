package bot_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"newsie/bot"
	"newsie/bot/rules"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
	"newsie/internal/locale"
)

func ruleSet(t testing.TB, text string) *rules.Set {
	t.Helper()
	catalog, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	set, err := rules.Parse([]byte(text), rules.Options{Channels: []string{"web", "gzh"}, Command: bot.Understands(catalog)})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// TestRuleDialogues plays the conversations in testdata/rules, in which a
// publisher has rules: the file rules.yaml.
func TestRuleDialogues(t *testing.T) {
	files, err := filepath.Glob("testdata/rules/*.txtar")
	if err != nil || len(files) != 4 {
		t.Fatalf("dialogues in %d languages: %v", len(files), err)
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
				if scene.Name == "rules.yaml" {
					b.SetRules(ruleSet(t, string(scene.Data)))
					continue
				}
				got := play(t, b, bot.ChatID{Channel: "web", ID: filepath.Base(file) + scene.Name}, lang, string(scene.Data))
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

// TestOrder: stop and "forget me", then rules, then commands, then search.
func TestOrderOfRules(t *testing.T) {
	db := databasetest.SQLite(t)
	b := newBot(t, db, newClock())
	b.SetRules(ruleSet(t, `
- {keywords: [stop, basta, 停止, forget me, /stop, help, latest, "2", /help, /read 5], text: exact}
- {keywords: [stop, forget, commerce, read, "5", follow me], match: contains, text: within}
- {keywords: [comm, "/", 关注], match: prefix, text: begins}
`))
	for i, c := range []struct {
		kind bot.Kind
		text string
		want string // the rule's text; "" is none
	}{
		{bot.Text, "stop", ""},
		{bot.Text, "STOP!", ""},
		{bot.Text, "停止", ""},
		{bot.Text, "/stop", ""},
		{bot.Tap, "/stop", ""},
		{bot.Text, "forget me", ""},
		{bot.Text, "please stop it", "within"},
		{bot.Text, "help", "exact"},
		{bot.Text, "Latest!", "exact"},
		{bot.Text, "/help", "exact"},
		{bot.Tap, "/help", "exact"}, // by its own keyword
		{bot.Text, "/latest", "exact"},
		{bot.Tap, "/latest", ""}, // the button says the newest articles
		{bot.Tap, "/read 5", "exact"},
		{bot.Tap, "/read 6", ""},
		{bot.Text, "/read 6", ""},
		{bot.Tap, "/search commerce", ""},
		{bot.Tap, "commerce", "begins"}, // a button of the publisher's own
		{bot.Text, "1", ""},
		{bot.Text, "2", "exact"},
		{bot.Text, "5", ""},
		{bot.Text, "read 7", "within"},
		{bot.Text, "commerce", "begins"},
		{bot.Text, "chat commerce", "within"},
		{bot.Text, "follow commerce", ""}, // what a command is given is its own
		{bot.Text, "search commerce", ""},
		{bot.Text, "关注 commerce", "begins"},
		{bot.Text, "sport", ""},
		{bot.Join, "", ""},
		{bot.Media, "picture", ""},
	} {
		chat := bot.ChatID{Channel: "web", ID: fmt.Sprint(i)} // else they are too many at once
		if c.text == "1" {
			say(t, b, chat, "sport")
		}
		reply := tell(t, b, bot.Message{Kind: c.kind, Chat: chat, Text: c.text, Lang: "en"})
		got := ""
		if slices.Contains([]string{"exact", "within", "begins"}, reply.Text) {
			got = reply.Text
		}
		if got != c.want || reply.Empty() {
			t.Errorf("%s %q: the rule %q answers, want %q (%q)", c.kind, c.text, got, c.want, reply.Text)
		}
	}
}

func TestQuietHoursAreSilent(t *testing.T) {
	db, c := databasetest.SQLite(t), newClock() // Sunday 9:00 UTC
	b := newBot(t, db, c)
	chat := bot.ChatID{Channel: "web", ID: "r"}
	say(t, b, chat, "follow commerce daily 8:00")
	if err := bot.NewChats(db, c.now).Suspend(t.Context(), chat); err != nil {
		t.Fatal(err)
	}
	b.SetRules(ruleSet(t, `
quiet: "23:00-07:00"
welcome: hello
rules: [{keywords: tea, text: rule}, {on: voice, text: heard}]
`))
	all := []bot.Message{
		{Kind: bot.Text, Text: "commerce"}, {Kind: bot.Text, Text: "tea"}, {Kind: bot.Text, Text: "help"}, {Kind: bot.Text, Text: "1"},
		{Kind: bot.Media, Text: "voice"}, {Kind: bot.Join}, {Kind: bot.Tap, Text: "/latest"}, {Kind: bot.Tap, Text: "tea"}, {Kind: bot.Text, Text: "stop"},
	}
	for _, at := range []struct {
		after  time.Duration
		silent int // the first ones
	}{{0, 0}, {14 * time.Hour, 6}, {7*time.Hour + 59*time.Minute, 6}, {time.Minute, 0}} {
		c.advance(at.after)
		for i, m := range all {
			m.Chat, m.Lang = chat, "en"
			if got := tell(t, b, m).Empty(); got != (i < at.silent) {
				t.Errorf("at %s: %s %q: silent %v", c.at, m.Kind, m.Text, got)
			}
			if m.Kind == bot.Join && i < at.silent && at.after == 14*time.Hour {
				follows, err := bot.NewChats(db, c.now).Follows(t.Context(), chat)
				if err != nil || len(follows) != 0 { // "stop" of the first round ended them
					t.Errorf("follows: %+v, %v", follows, err)
				}
			}
		}
	}
}

func TestAReaderWhoComesBackInQuietHoursIsTakenUpAgain(t *testing.T) {
	db, c := databasetest.SQLite(t), newClock()
	b := newBot(t, db, c)
	chat := bot.ChatID{Channel: "web", ID: "r"}
	say(t, b, chat, "follow commerce daily 8:00")
	chats := bot.NewChats(db, c.now)
	if err := chats.Suspend(t.Context(), chat); err != nil {
		t.Fatal(err)
	}
	b.SetRules(ruleSet(t, `quiet: "00:00-24:00"`))
	if r := tell(t, b, bot.Message{Kind: bot.Join, Chat: chat}); !r.Empty() {
		t.Errorf("newsie says %q", r.Text)
	}
	follows, err := chats.Follows(t.Context(), chat)
	if err != nil || len(follows) != 1 || follows[0].State != "active" {
		t.Errorf("follows: %+v, %v", follows, err)
	}
}

func TestQuestionsAnsweredByRulesAreNotMissed(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock()
		b := newBot(t, db, c)
		b.SetRules(ruleSet(t, "default: sorry\nrules: [{keywords: 合作, match: contains, text: yes}]"))
		chat := bot.ChatID{Channel: "web", ID: "r"}
		say(t, b, chat, "想合作")
		say(t, b, chat, "zzzzzz")
		tell(t, b, bot.Message{Kind: bot.Tap, Chat: chat, Text: "合作"})
		lists := bot.NewLists(db, c.now)
		all, err := lists.Questions(t.Context(), time.UnixMilli(0), false, 10)
		if err != nil || len(all) != 2 {
			t.Fatalf("questions: %+v, %v", all, err)
		}
		missed, err := lists.Questions(t.Context(), time.UnixMilli(0), true, 10)
		if err != nil || len(missed) != 1 || missed[0].Text != "zzzzzz" {
			t.Errorf("missed: %+v, %v", missed, err)
		}
	})
}

func TestMissingArticlesAreToldAndLeftOut(t *testing.T) {
	db := databasetest.SQLite(t)
	b := newBot(t, db, newClock())
	told := map[string]string{}
	b.Notifies(func(_ context.Context, key, text string) { told[key] = text })
	b.SetRules(ruleSet(t, `
- {keywords: all, articles: [1, "https://lantern.example/a/2/la-bottega-nel-telefono", 微店里的橘子, "4", Marathon knees, "6", "https://nowhere.example/x"]}
- {keywords: commerce, articles: [4711]}
- {keywords: tea, text: only words, articles: [4712, 4713]}
- {keywords: key, articles: "7"}
`))
	chat := bot.ChatID{Channel: "web", ID: "r"}
	list := say(t, b, chat, "all")
	if len(list.Groups) != 1 || len(list.Groups[0].Cards) != 5 || list.Groups[0].Cards[2].Title != "微店里的橘子" {
		t.Fatalf("%+v", list)
	}
	if r := say(t, b, chat, "more"); len(r.Groups) != 1 || r.Groups[0].Cards[0].Number != 6 || r.Groups[0].Cards[0].Title != "Il rapporto agile" {
		t.Errorf("the sixth: %+v", r)
	}
	if r := say(t, b, chat, "2"); r.Groups[0].Cards[0].Article != 2 {
		t.Errorf("2 opens %+v", r.Groups)
	}
	if r := say(t, b, chat, "commerce"); len(r.Groups) == 0 || !strings.Contains(r.Text, "commerce") {
		t.Errorf("a rule without its article keeps the search from answering: %+v", r)
	}
	if r := say(t, b, chat, "tea"); r.Text != "only words" || len(r.Groups) != 0 {
		t.Errorf("%+v", r)
	}
	if r := say(t, b, chat, "key"); len(r.Groups) == 0 || r.Groups[0].Cards[0].Article != 7 {
		t.Errorf("%+v", r)
	}
	for _, name := range []string{"https://nowhere.example/x", "4711", "4712", "4713"} {
		if !strings.Contains(told["rule:"+name], fmt.Sprintf("%q", name)) {
			t.Errorf("the publisher is not told of %s: %v", name, told)
		}
	}
	if len(told) != 4 {
		t.Errorf("told %v", told)
	}
}

func TestArticlesAreFoundByTheirSourcesKey(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		l := library(t, db, newClock().now)
		a, ok, err := l.ByKey(t.Context(), "0")
		if err != nil || !ok || a.Title != "Shops inside a chat" {
			t.Errorf("%q, %v, %v", a.Title, ok, err)
		}
		if err := l.Withdraw(t.Context(), a.ID); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"0", "nowhere", ""} {
			if _, ok, err := l.ByKey(t.Context(), key); ok || err != nil {
				t.Errorf("%q: %v, %v", key, ok, err)
			}
		}
	})
}

func TestADefaultThatFindsNothingEnds(t *testing.T) {
	b := newBot(t, databasetest.SQLite(t), newClock())
	b.SetRules(ruleSet(t, "default: {text: \"Not {query}\", command: search qqqqqqq}"))
	chat := bot.ChatID{Channel: "web", ID: "r"}
	if r := say(t, b, chat, "zzzzzz {name}"); !strings.HasPrefix(r.Text, "Not zzzzzz {name}\n") {
		t.Errorf("%q", r.Text)
	}
}

func TestLinksOfRules(t *testing.T) {
	b := newBot(t, databasetest.SQLite(t), newClock())
	b.SetRules(ruleSet(t, `
default:
  text: "Not {query}: [look for {query}](https://s.example/{query}?q={query}&by={name}), please."
  links: [{label: Elsewhere, url: "https://e.example/?q={query}"}]
`))
	chat := bot.ChatID{Channel: "web", ID: "r"}
	r := say(t, b, chat, "zzzzz&q wwwww/?")
	if want := "Not zzzzz&q wwwww/?: look for zzzzz&q wwwww/?, please."; r.Text != want {
		t.Fatalf("%q, want %q", r.Text, want)
	}
	const query = "zzzzz%26q%20wwwww%2F%3F"
	if len(r.Links) != 1 || r.Text[r.Links[0].Start:r.Links[0].End] != "look for zzzzz&q wwwww/?" || r.Links[0].URL != "https://s.example/"+query+"?q="+query+"&by=Lantern" {
		t.Errorf("links %+v", r.Links)
	}
	if len(r.Actions) != 1 || r.Actions[0].URL != "https://e.example/?q="+query {
		t.Errorf("actions %+v", r.Actions)
	}
}

// A retry gets the same of several texts.
func TestOneOfSeveralTexts(t *testing.T) {
	b := newBot(t, databasetest.SQLite(t), newClock())
	b.SetRules(ruleSet(t, "[{keywords: hi, text: [a, b]}]"))
	seen := map[string]bool{}
	for id := range 6 {
		m := bot.Message{ID: fmt.Sprint(id), Kind: bot.Text, Chat: bot.ChatID{Channel: "web", ID: "r"}, Text: "hi"}
		first, again := tell(t, b, m), tell(t, b, m)
		if first.Text != again.Text {
			t.Errorf("message %d: %q, then %q", id, first.Text, again.Text)
		}
		seen[first.Text] = true
	}
	if !seen["a"] || !seen["b"] {
		t.Errorf("only %v was said", seen)
	}
}

// A message is answered by one set of rules, whenever they are exchanged.
func TestRulesAreExchangedWhileMessagesComeIn(t *testing.T) {
	b := newBot(t, databasetest.SQLite(t), newClock())
	sets := []*rules.Set{ruleSet(t, "[{keywords: tea, match: contains, text: old}]"), ruleSet(t, "[{keywords: tea, match: contains, text: new}]")}
	b.SetRules(sets[0])
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 1000 {
			b.SetRules(sets[i%2])
		}
	}()
	for i := range 50 {
		r := say(t, b, bot.ChatID{Channel: "web", ID: fmt.Sprint(i)}, "a cup of tea")
		if r.Text != "old" && r.Text != "new" {
			t.Fatalf("message %d: %q", i, r.Text)
		}
	}
	<-done
}
