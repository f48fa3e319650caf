package bot_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"newsie/bot"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
	"newsie/internal/locale"
)

// of says how a group stands: what it follows, and what was chosen for it.
func standingOf(t *testing.T, db *database.DB, id string) string {
	t.Helper()
	var rows []string
	err := db.Reader().NewRaw(`SELECT topic || ' ' || spec || ' ' || zone || ' ' || lang FROM follows WHERE chat = ?
		UNION ALL SELECT lang || ' ' || zone || ' ' || quiet || ' ' || origin FROM chats WHERE id = ? ORDER BY 1`, id, id).Scan(t.Context(), &rows)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(rows, "\n")
}

func TestOnlyWhoManagesAGroupChangesWhatIsItsOwn(t *testing.T) {
	catalog, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock()
		b := newBot(t, db, c)
		asked := 0
		b.Manages("tg", func(_ context.Context, chat bot.ChatID, from string) (bool, error) {
			asked++
			if !strings.HasPrefix(chat.ID, "-100") {
				t.Errorf("asked about %s", chat)
			}
			return from == "1", nil
		})
		for _, id := range []string{"-100", "-100:5"} {
			group := bot.ChatID{Channel: "tg", ID: id}
			from := func(who string, kind bot.Kind, text, lang string) bot.Reply {
				c.advance(2 * time.Second) // as fast as a chat may go on
				return tell(t, b, bot.Message{Kind: kind, Chat: group, From: who, Text: text, Lang: lang, Public: true})
			}
			from("1", bot.Text, "/follow commerce daily 8:00", "en")
			from("1", bot.Text, "/quiet 22-8", "en")
			list := from("2", bot.Text, "/following", "en")
			if !strings.Contains(list.Text, "commerce") || len(list.Actions) < 2 {
				t.Fatalf("everybody sees the follows: %s", show(list))
			}
			before := standingOf(t, db, id)
			stop := list.Actions[0].Text
			when := strings.Replace(stop, "/unfollow", "/when", 1)
			for lang, words := range map[string][]string{
				"en":      {"follow tea daily 9:00", "/follow commerce 0 20 * * *", "/follow", "unfollow commerce", "/unfollow all", "time zone Rome", "language italiano", "/lang it", "quiet 21-9", "stop", "forget me", "/start fc3BvcnQ", "/start oshelf-7_fc3BvcnQ"},
				"it":      {"segui sport ogni lunedì 9:00", "basta"},
				"zh-Hans": {"关注电商 每天 9:00"},
				"zh-Hant": {"關注電商 每天 9:00"},
			} {
				want := catalog.Printer(lang).T("bot.managers_only")
				for _, said := range words {
					if r := from("2", bot.Text, said, lang); r.Text != want || r.Replace != "" {
						t.Errorf("%q is answered %s", said, show(r))
					}
				}
			}
			for _, tap := range []string{stop, when, "/unfollow", "/when", "/follow tea", "/quiet off", "/stop", "/forget", "/lang it"} {
				if r := from("2", bot.Tap, tap, "it"); r.Text != catalog.Printer("it").T("bot.managers_only") {
					t.Errorf("a tap on %q is answered %s", tap, show(r))
				}
			}
			if after := standingOf(t, db, id); after != before {
				t.Errorf("a stranger made\n%s\nof\n%s", after, before)
			}
			// Who may not follow for all may for themselves.
			if r := from("2", bot.Tap, "/follow sport daily 8:00", "en"); len(r.Actions) != 1 || r.Actions[0].URL != "https://t.me/lantern_bot?start=fc3BvcnQ" {
				t.Errorf("a refused follow offers %s", show(r))
			}
			was := asked
			for _, said := range []string{"commerce", "/search tea", "2", "more", "/latest", "/topics", "/following", "/digest", "/help", "/share 1", "/zone", "/quiet", "/start a1", "/start"} {
				if r := from("2", bot.Text, said, "en"); r.Empty() || r.Text == catalog.Printer("en").T("bot.managers_only") {
					t.Errorf("%q is answered %s", said, show(r))
				}
			}
			if asked != was {
				t.Errorf("who only reads was asked about %d times", asked-was)
			}
			from("1", bot.Tap, stop, "en")
			if got := standingOf(t, db, id); strings.Contains(got, "commerce") {
				t.Errorf("an administrator cannot stop it:\n%s", got)
			}
		}
		// Alone with newsie everybody decides.
		say(t, b, bot.ChatID{Channel: "tg", ID: "2"}, "follow tea")
		if got := standingOf(t, db, "2"); !strings.Contains(got, "tea") {
			t.Errorf("a private chat follows %q", got)
		}
	})
}

func TestWhoseStandingIsUnknownChangesNothingAndARuleIsNoWayRound(t *testing.T) {
	db := databasetest.SQLite(t)
	b := newBot(t, db, newClock())
	b.SetRules(ruleSet(t, "rules:\n  - keywords: [sign us up]\n    command: follow sport daily 8:00\n"))
	fault := errors.New("the platform is slow")
	b.Manages("tg", func(context.Context, bot.ChatID, string) (bool, error) { return true, fault })
	group := bot.Message{Kind: bot.Text, Chat: bot.ChatID{Channel: "tg", ID: "-100"}, From: "1", Lang: "en", Public: true}
	for _, said := range []string{"follow tea", "sign us up"} {
		group.Text = said
		if r := tell(t, b, group); !strings.Contains(r.Text, "could not check") {
			t.Errorf("%q is answered %s", said, show(r))
		}
	}
	fault = nil
	b.Manages("tg", func(context.Context, bot.ChatID, string) (bool, error) { return false, nil })
	if r := tell(t, b, group); !strings.Contains(r.Text, "administrators") {
		t.Errorf("a rule that follows is answered %s", show(r))
	}
	if got := standingOf(t, db, "-100"); got != "" {
		t.Errorf("the group has %q", got)
	}
	// A program that stops leaves the message to come again.
	ctx, cancel := context.WithCancel(t.Context())
	b.Manages("tg", func(context.Context, bot.ChatID, string) (bool, error) { cancel(); return false, ctx.Err() })
	if _, err := b.Handle(ctx, group); !errors.Is(err, context.Canceled) {
		t.Errorf("a message at the end: %v", err)
	}
}

func TestRefusalsAreNoWayToFlood(t *testing.T) {
	b := newBot(t, databasetest.SQLite(t), newClock())
	b.Manages("tg", func(context.Context, bot.ChatID, string) (bool, error) { return false, nil })
	answered := 0
	for range 60 {
		if r := tell(t, b, bot.Message{Kind: bot.Tap, Chat: bot.ChatID{Channel: "tg", ID: "-100"}, From: "2", Text: "/stop", Lang: "en", Public: true}); !r.Empty() {
			answered++
		}
	}
	if answered != bot.DefaultLimits.ChatBurst+1 { // and one word about it
		t.Errorf("%d answers to 60 taps", answered)
	}
}
