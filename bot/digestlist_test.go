package bot_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"newsie/bot"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

// outline is a reply without its cards' words: the numbers under each heading,
// then what may be said next.
func outline(r bot.Reply) string {
	var lines []string
	for _, g := range r.Groups {
		line := g.Heading + ":"
		for _, c := range g.Cards {
			line += fmt.Sprint(" ", c.Number)
		}
		lines = append(lines, line)
	}
	for _, a := range r.Actions {
		if strings.HasPrefix(a.Text, "/more ") {
			lines = append(lines, a.Text)
			continue
		}
		lines = append(lines, a.Label+" → "+a.Text)
	}
	return strings.Join(lines, "\n")
}

// digested makes a chat follow topics and keeps a digest's list for it.
func digested(t *testing.T, db *database.DB, chat bot.ChatID, parts []bot.Part, topics ...string) int64 {
	t.Helper()
	chats, lists := bot.NewChats(db, time.Now), bot.NewLists(db, time.Now)
	for _, topic := range topics {
		f := bot.Follow{Channel: chat.Channel, Chat: chat.ID, Topic: topic, Query: topic, Lang: "en", Spec: "0 8 * * *", Zone: "UTC"}
		if _, _, err := chats.Follow(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	var ids []int64
	if err := db.NewRaw("SELECT id FROM articles WHERE state = 'published' ORDER BY id").Scan(t.Context(), &ids); err != nil {
		t.Fatal(err)
	}
	if len(ids) < 5 {
		t.Fatalf("the library has %d articles, a page has 5", len(ids))
	}
	var listed []int64
	for _, p := range parts {
		for range p.Count {
			listed = append(listed, ids[len(listed)%len(ids)])
		}
	}
	kind, query := bot.DigestList(parts)
	list, err := lists.Make(t.Context(), chat, kind, query, listed, 5)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestPagesOfADigestKeepItsTopicsAndButtons(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := newBot(t, db, newClock())
		chat := bot.ChatID{Channel: "web", ID: "r"}
		list := digested(t, db, chat, []bot.Part{
			{Topic: "tea", Query: "tea", Count: 3}, {Topic: "rice", Query: "rice", Count: 2}, // were shown
			{Topic: "tea", Query: "tea", Count: 2}, {Topic: "rice", Query: "rice", Count: 5, Beyond: 4},
		}, "tea", "rice")
		more := func(page int) bot.Reply { return say(t, b, chat, fmt.Sprintf("/more %d %d", list, page)) }
		for page, want := range map[int]string{
			1: "tea: 1 2 3\nrice: 4 5\n/more %[1]d 2\nChange the time → /when\nStop one of them → /unfollow",
			2: "tea: 6 7\nrice: 8 9 10\n/more %[1]d 1\n/more %[1]d 3\nChange the time → /when\nStop one of them → /unfollow",
			3: "rice: 11 12\n/more %[1]d 2\nrice: and 4 more → /search rice\nChange the time → /when\nStop one of them → /unfollow",
		} {
			if diff := cmp.Diff(fmt.Sprintf(want, list), outline(more(page))); diff != "" {
				t.Errorf("page %d (-want +got):\n%s", page, diff)
			}
		}
		if got := more(2).Replace; got != fmt.Sprint(list) {
			t.Errorf("a page replaces %q, want the list's message", got)
		}
		if got := outline(say(t, b, chat, "/when")); got != "tea → /when 1\nrice → /when 2" {
			t.Errorf("/when offers\n%s", got)
		}
		if got := outline(say(t, b, chat, "/when 2")); !strings.Contains(got, "/when 2 0 20 * * *") {
			t.Errorf("/when 2 offers\n%s", got)
		}
		if got := outline(say(t, b, chat, "/unfollow")); !strings.Contains(got, "/unfollow 1\n") || !strings.Contains(got, "/unfollow 2\n") {
			t.Errorf("/unfollow offers\n%s", got)
		}
		say(t, b, chat, "/unfollow 2")
		if got := outline(say(t, b, chat, "/when")); got != "tea → /when 1" {
			t.Errorf("/when offers\n%s", got)
		}
	})
}

func TestPagesOfADigestOfOneTopic(t *testing.T) {
	db := databasetest.SQLite(t)
	b := newBot(t, db, newClock())
	chat := bot.ChatID{Channel: "web", ID: "r"}
	list := digested(t, db, chat, []bot.Part{{Topic: "tea", Query: "tea", Count: 5}, {Topic: "tea", Query: "tea", Count: 3}}, "tea")
	want := fmt.Sprintf(": 6 7 8\n/more %d 1\nChange the time → /when 1\nUnfollow “tea” → /unfollow 1", list)
	if diff := cmp.Diff(want, outline(say(t, b, chat, fmt.Sprintf("/more %d 2", list)))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	// Nothing is left to stop.
	say(t, b, chat, "/unfollow 1")
	want = fmt.Sprintf(": 6 7 8\n/more %d 1", list)
	if diff := cmp.Diff(want, outline(say(t, b, chat, fmt.Sprintf("/more %d 2", list)))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// What no list holds is told and led to, also where no button can carry it.
func TestTheLastPageOfADigestHidesNothing(t *testing.T) {
	long := strings.Repeat("电子商务", 8)
	for topic, want := range map[string]string{"*": "everything: and 9 more → /latest", "tea": "tea: and 9 more → /search tea", long: long + ": and 9 more"} {
		db := databasetest.SQLite(t)
		b := newBot(t, db, newClock())
		chat := bot.ChatID{Channel: "web", ID: "r"}
		shown := strings.ReplaceAll(topic, "*", "everything")
		list := digested(t, db, chat, []bot.Part{{Topic: shown, Query: topic, Count: 5}, {Topic: shown, Query: topic, Count: 2, Beyond: 9}})
		r := say(t, b, chat, fmt.Sprintf("/more %d 2", list))
		if got := r.Text + "\n" + outline(r); !strings.Contains(got, want) {
			t.Errorf("%s: the last page says\n%s", topic, got)
		}
		if got := outline(say(t, b, chat, fmt.Sprintf("/more %d 1", list))); strings.Contains(got, "9 more") {
			t.Errorf("%s: the first page says\n%s", topic, got)
		}
	}
}
