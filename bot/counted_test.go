package bot_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"newsie/bot"
	"newsie/bot/origin"
	"newsie/internal/database/databasetest"
)

var testLinks = origin.NewLinks([]byte("0123456789abcdef0123456789abcdef"), "https://lantern.example")

// plainly is a reply as it is where nothing is counted, and how many addresses
// were counted ones; each must be the reader's, to the article it stands at.
func plainly(t *testing.T, chat bot.ChatID, r bot.Reply) (bot.Reply, int) {
	t.Helper()
	n := 0
	check := func(address string, article int64, what string) {
		t.Helper()
		n++
		token, ok := strings.CutPrefix(address, "https://lantern.example/r/")
		ref, id, good := testLinks.Parse(token)
		if !ok || !good || id != article || ref != testLinks.Ref(origin.Reader{Channel: chat.Channel, Chat: chat.ID}) {
			t.Errorf("%s of article %d leads to %q", what, article, address)
		}
	}
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var out bot.Reply
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	for _, g := range out.Groups {
		for i := range g.Cards {
			card := &g.Cards[i]
			if card.Counted != "" {
				check(card.Counted, card.Article, "the card")
				card.Counted = ""
			}
			for k := range card.Also.Places {
				if place := &card.Also.Places[k]; place.Counted != "" {
					check(place.Counted, place.Article, "the place "+place.Name)
					place.Counted = ""
				}
			}
		}
	}
	return out, n
}

// readOn takes out where "read on" leads, which is counted.
func readOn(r *bot.Reply) (address string) {
	for i, a := range r.Actions {
		if a.Article != 0 {
			address, r.Actions[i].Counted = a.Counted, ""
		}
	}
	return address
}

func TestOpensAreCountedInAnswersToAChat(t *testing.T) {
	db, c := databasetest.SQLite(t), newClock()
	b, plain := newBot(t, db, c), newBot(t, db, c)
	b.CountOpens("tg", testLinks)
	for _, m := range []bot.Message{
		{Chat: bot.ChatID{Channel: "tg", ID: "7"}},
		{Chat: bot.ChatID{Channel: "tg", ID: "-100"}, From: "7", Public: true},
	} {
		m.Kind, m.Lang = bot.Text, "en"
		other := m
		other.Chat.ID += "0"
		for _, tt := range []struct {
			text    string
			counted int // addresses on cards
			readOn  bool
		}{
			{"commerce", 3, false}, {"1", 2, true}, {"/share", 0, false}, {"/latest", 5, false}, {"/related 1", 1, false}, {"/help", 0, false}, {"/save 1", 0, false}, {"/saved", 1, false},
		} {
			m.Text, other.Text = tt.text, tt.text
			got, n := plainly(t, m.Chat, tell(t, b, m))
			want := tell(t, plain, other)
			if n != tt.counted {
				t.Errorf("%s: %q counts %d addresses on cards, want %d", m.Chat, tt.text, n, tt.counted)
			}
			address := readOn(&got)
			if none := readOn(&want); none != "" {
				t.Fatalf("where nothing is counted, %q reads on at %q", tt.text, none)
			}
			_, article, ok := testLinks.Parse(strings.TrimPrefix(address, "https://lantern.example/r/"))
			if ok != tt.readOn || ok && article != got.Groups[0].Cards[0].Article {
				t.Errorf("%s: %q reads on at %q", m.Chat, tt.text, address)
			}
			// Nothing else differs: what is shown, shared and saved.
			if diff := cmp.Diff(lessIDs(want), lessIDs(got)); diff != "" {
				t.Errorf("%s: %q differs:\n%s", m.Chat, tt.text, diff)
			}
		}
	}
}

// lessIDs is a reply without what depends on which list was the first.
func lessIDs(r bot.Reply) bot.Reply {
	for i, a := range r.Actions {
		if command, _, ok := strings.Cut(a.Text, " "); ok {
			r.Actions[i].Text = command
		}
	}
	r.Replace = ""
	return r
}

func TestOpensAreNotCountedElsewhere(t *testing.T) {
	db, c := databasetest.SQLite(t), newClock()
	b := newBot(t, db, c)
	b.CountOpens("tg", testLinks)
	for _, chat := range []bot.ChatID{{Channel: "tg"}, {Channel: "web", ID: "1"}} {
		if _, n := plainly(t, chat, say(t, b, chat, "commerce")); n != 0 {
			t.Errorf("%q counts %d addresses", chat, n)
		}
	}
	r := say(t, b, bot.ChatID{Channel: "web", ID: "2"}, "commerce")
	for _, id := range []string{bot.Everybody, "*2", "*@news"} {
		if _, n := plainly(t, bot.ChatID{}, b.Counted(bot.ChatID{Channel: "tg", ID: id}, r)); n != 0 {
			t.Errorf("the audience %q counts %d addresses", id, n)
		}
	}
	answer, err := b.Inline(t.Context(), bot.InlineQuery{Channel: "tg", From: "7", Text: "commerce"})
	if err != nil || len(answer.Cards) == 0 {
		t.Fatalf("inline mode answers %v, %v", answer, err)
	}
	data, err := json.Marshal(answer)
	if err != nil || strings.Contains(string(data), "/r/") {
		t.Errorf("inline mode: %v\n%s", err, data)
	}
}

func TestASharedReplyStaysAsItIs(t *testing.T) {
	b := newBot(t, databasetest.SQLite(t), newClock())
	b.CountOpens("tg", testLinks)
	shared := bot.Reply{
		Groups: []bot.Group{{Cards: []bot.Card{{
			Article: 1, URL: "https://example.net/1", Also: bot.Also{Places: []bot.Place{{Name: "a", Article: 2, URL: "https://example.net/2"}, {Name: "+1"}}},
		}, {Article: 3}, {URL: "https://example.net/4"}}}},
		Actions: []bot.Action{{Label: "read", URL: "https://example.net/1", Article: 1}, {Label: "elsewhere", URL: "https://example.net/x"}, {Label: "say", Text: "/help"}},
	}
	before, err := json.Marshal(shared)
	if err != nil {
		t.Fatal(err)
	}
	chat := bot.ChatID{Channel: "tg", ID: "7"}
	got := b.Counted(chat, shared)
	if after, err := json.Marshal(shared); err != nil || string(after) != string(before) {
		t.Errorf("%v: it became\n%s\nfrom\n%s", err, after, before)
	}
	anywhere := func(address string) string { return address }
	card := got.Groups[0].Cards[0]
	want := testLinks.URL(origin.Reader{Channel: "tg", Chat: "7"}, 1)
	if card.Counted != want || card.Leads(anywhere) != want || card.URL != "https://example.net/1" || got.Actions[0].Leads(anywhere) != want || got.Actions[0].URL != shared.Actions[0].URL || got.Actions[1].URL != "https://example.net/x" {
		t.Errorf("it is %+v", got)
	}
	if place := card.Also.Places[0]; place.Leads(anywhere) != testLinks.URL(origin.Reader{Channel: "tg", Chat: "7"}, 2) || card.Also.Places[1].Leads(anywhere) != "" {
		t.Errorf("its places are %+v", card.Also.Places)
	}
	if c := got.Groups[0].Cards[1]; c.Leads(anywhere) != "" {
		t.Errorf("an article without an address leads to %q", c.Leads(anywhere))
	}
	if c := got.Groups[0].Cards[2]; c.Leads(anywhere) != "https://example.net/4" {
		t.Errorf("what is no article leads to %q", c.Leads(anywhere))
	}
	// Where a platform does not take the address that counts, the other one does.
	if lead := card.Leads(func(address string) string { return strings.TrimPrefix(address, want) }); lead != card.URL {
		t.Errorf("where counted addresses are refused it leads to %q", lead)
	}
	if c := got.Groups[0].Cards[2]; c.Leads(func(string) string { return "" }) != "" {
		t.Error("an address that the platform refuses is used")
	}
	// What waited for one chat may be handed to another; it is always the reader's.
	again, other := b.Counted(chat, got), b.Counted(bot.ChatID{Channel: "tg", ID: "8"}, got)
	if diff := cmp.Diff(got, again); diff != "" {
		t.Errorf("counted twice it differs:\n%s", diff)
	}
	if c := other.Groups[0].Cards[0].Counted; c != testLinks.URL(origin.Reader{Channel: "tg", Chat: "8"}, 1) || other.Actions[0].Counted != c {
		t.Errorf("another chat's leads to %q and %q", c, other.Actions[0].Counted)
	}
}
