package main_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"newsie/bot"
	"newsie/bot/telegram/telegramtest"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

// open looks into the database of an installation, beside newsie.
func (in *installation) open() *database.DB {
	in.t.Helper()
	if in.opened == nil || in.openedAt != in.address() {
		if err := os.MkdirAll(in.data(), 0o700); err != nil {
			in.t.Fatal(err)
		}
		in.opened, in.openedAt = databasetest.Open(in.t, in.address()), in.address()
	}
	return in.opened
}

func count(t testing.TB, db *database.DB, query string, args ...any) int {
	t.Helper()
	var n int
	if err := db.Reader().NewRaw(query, args...).Scan(context.Background(), &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// A found is what a search printed.
type found struct {
	Total int
	Hits  []struct {
		ID    int64
		Title string
		URL   string
	}
}

func (in *installation) search(words ...string) found {
	in.t.Helper()
	var f found
	in.read(&f, append([]string{"search", "--json", "--limit", "1000"}, words...)...)
	return f
}

func TestAKilledImportIsTakenUpAgain(t *testing.T) {
	each(t, func(t *testing.T, in *installation) {
		const all = 300
		newGenerator().folder(t, in.path("library"), all)
		db := in.open()
		stored := func() int { return count(t, db, "SELECT count(*) FROM articles") }

		// In the middle of reading and storing.
		p := in.start("import", "library")
		in.until("the first articles", func() bool { return stored() > 0 || p.ended() })
		p.kill()
		t.Logf("killed with %d of %d articles stored", stored(), all)

		// In the middle of indexing, once everything is stored.
		p = in.start("import", "library")
		in.until("the index", func() bool {
			_, err := os.Stat(in.path("newsie-data", "index", "store"))
			return stored() == all && err == nil || p.ended()
		})
		p.kill()

		out := in.must("import", "library")
		if got := fmt.Sprintf("Imported 0 new, 0 updated, %d unchanged, 0 refused", all); !strings.HasPrefix(out, got) {
			t.Errorf("the last import said %q, want %q", out, got)
		}
		if got := stored(); got != all {
			t.Errorf("%d articles, want %d", got, all)
		}
		in.findsAll(all)
	})
}

// findsAll searches for what every generated article contains, and for one.
func (in *installation) findsAll(all int) {
	in.t.Helper()
	hits := in.search("harbour")
	titles := map[string]int{}
	for _, hit := range hits.Hits {
		titles[hit.Title]++
	}
	if hits.Total != all || len(titles) != all {
		in.t.Errorf("search finds %d articles (%d titles), want %d", hits.Total, len(titles), all)
	}
	one := in.search(name(17))
	if one.Total != 1 || !strings.HasSuffix(one.Hits[0].Title, " 17") {
		in.t.Errorf("search for one article finds %d", one.Total)
	}
}

// fanOut is a configuration with a Telegram bot alone.
func (in *installation) fanOut(server *telegramtest.Server) {
	in.write("newsie.yaml", fmt.Sprintf("listen: %s\nchannels:\n  tg: {kind: telegram, token: %q, api_url: %q}\n",
		freeAddress(in.t), server.Token(), server.URL()))
}

// Killed twice in the middle of a digest to 300 chats, newsie loses none of
// them, sends none of them twice, and names those it cannot be sure of.
func TestAKilledDigestIsNeverSentTwice(t *testing.T) {
	each(t, func(t *testing.T, in *installation) {
		const chats = 300
		server := telegramtest.Start(t, telegramtest.Options{Latency: 50 * time.Millisecond})
		in.fanOut(server)
		newGenerator().folder(t, in.path("library"), 12)
		in.must("import", "library")
		in.followers(server, chats)
		db := in.open()

		for _, sent := range []int{chats / 5, chats / 2} {
			p := in.serve()
			in.until("some digests", func() bool { return len(server.Calls("sendMessage")) >= sent || p.ended() })
			p.kill()
			t.Logf("killed after %d messages", len(server.Calls("sendMessage")))
			// On SQLite nobody else can hold a lease: what is alone does not wait
			// until they run out.
			if in.database == "" {
				if _, err := db.ExecContext(t.Context(), "UPDATE deliveries SET lease_until = 9999999999999 WHERE state IN ('claimed', 'sending')"); err != nil {
					t.Fatal(err)
				}
			}
		}
		p := in.serve()
		in.until("all digests", func() bool { return in.deliveries("tg", "sent")+in.deliveries("tg", "unknown") == chats })
		// The follows come every minute: another slot brings nothing, for
		// nothing is new.
		if err := p.stop(t.Context()); err != nil {
			t.Error(err)
		}
		in.balance(server, chats)
	})
}

// followers gives the library readers whose digest is due.
func (in *installation) followers(server *telegramtest.Server, n int) {
	in.t.Helper()
	follows := bot.NewChats(in.open(), time.Now)
	for i := range n {
		id := int64(1000 + i)
		server.Chat(id)
		_, _, err := follows.Follow(in.t.Context(), bot.Follow{
			Channel: "tg", Chat: strconv.FormatInt(id, 10), Topic: "commerce", Query: "commerce", Lang: "en",
			Spec: "* * * * *", Zone: "UTC", NextDueAt: time.Now().Truncate(time.Minute).UnixMilli(),
		})
		if err != nil {
			in.t.Fatal(err)
		}
	}
}

// balance compares the ledger with what readers have.
func (in *installation) balance(server *telegramtest.Server, chats int) {
	in.t.Helper()
	var ledger []struct {
		Chat  string
		State string
	}
	in.read(&ledger, "digest", "deliveries", "--json", "--limit", "5000")
	if len(ledger) != chats {
		in.t.Errorf("the ledger has %d deliveries, want one for each of %d chats", len(ledger), chats)
	}
	states := map[string]int{}
	missing := 0
	for _, d := range ledger {
		states[d.State]++
		id, err := strconv.ParseInt(d.Chat, 10, 64)
		if err != nil {
			in.t.Fatal(err)
		}
		got := len(server.Chat(id).Answers())
		switch {
		case got > 1:
			in.t.Errorf("chat %d has its digest %d times (%s)", id, got, d.State)
		case d.State == "sent" && got != 1:
			in.t.Errorf("chat %d has no digest, and the ledger says it was sent", id)
		case d.State != "sent" && d.State != "unknown":
			in.t.Errorf("the digest of chat %d is left as %s", id, d.State)
		case got == 0:
			missing++
		}
	}
	in.t.Logf("%v, %d of these did not arrive", states, missing)
	if most := 2 * 6; missing > most { // two of each crash were at the gate, some more between here and there
		in.t.Errorf("two crashes left %d readers without their digest, want at most %d", missing, most)
	}
	if states["unknown"] > 2*64 {
		in.t.Errorf("two crashes left %d in doubt, more than two batches", states["unknown"])
	}
}

// What a reader was told is true, whatever happens the moment after: the follow
// is there, the last list is the last list, and nothing is said twice.
func TestAKillRightAfterAnAnswer(t *testing.T) {
	each(t, func(t *testing.T, in *installation) {
		server := telegramtest.Start(t, telegramtest.Options{})
		address := freeAddress(t)
		in.write("newsie.yaml", fmt.Sprintf("listen: %s\nchannels:\n  web: {kind: webchat}\n  tg: {kind: telegram, token: %q, api_url: %q}\n",
			address, server.Token(), server.URL()))
		web, err := newBrowser("http://" + address + "/chat/web/")
		if err != nil {
			t.Fatal(err)
		}
		chat := server.Chat(7)
		p := in.serve("--demo")
		say := func(words string) shown {
			t.Helper()
			answer, err := web.say(t.Context(), words)
			if err != nil {
				t.Fatal(err)
			}
			return answer
		}

		list := say("commerce")
		say("follow commerce daily 8:00")
		p.kill()
		p = in.serve("--demo")
		if got := say("following").text; !strings.Contains(got, "commerce — daily at 8:00") {
			t.Errorf("after a kill the reader follows: %q", got)
		}
		second := say("2")
		if got, want := articles(second), articles(list)[1]; len(got) == 0 || got[0] != want {
			t.Errorf("after a kill \"2\" opens %v, want %s of the last list", got, want)
		}

		// Telegram gives messages again that were not confirmed. One that was
		// answered in the moment of the kill may be answered twice, never not at
		// all, and what the reader says next comes after it.
		list = sayTelegram(t, chat, "commerce")
		sayTelegram(t, chat, "follow commerce daily 8:00")
		p.kill()
		p = in.serve("--demo")
		chat.Say("2")
		chat.Say("following")
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		answers, err := chat.WaitFor(ctx, func(answers []telegramtest.Message) bool {
			return strings.Contains(last(answers).Text, "commerce — daily at 8:00")
		})
		if err != nil {
			t.Fatalf("after a kill the Telegram reader's follow is not there: %v", err)
		}
		if n := len(answers); n < 4 || n > 5 {
			t.Errorf("four messages, one of them in doubt, have %d answers", n)
		}
		opened := articles(message(answers[len(answers)-2]))
		if want := articles(list)[1]; len(opened) == 0 || opened[0] != want {
			t.Errorf("after a kill \"2\" opens %v on Telegram, want %s of the last list", opened, want)
		}
		if err := p.stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestAnIndexThatIsGoneOrDamagedIsFilledAnew(t *testing.T) {
	damages := map[string]func(file string, size int64) error{
		"truncated":   func(file string, size int64) error { return os.Truncate(file, size/2) },
		"emptied":     func(file string, _ int64) error { return os.Truncate(file, 0) },
		"overwritten": func(file string, size int64) error { return os.WriteFile(file, make([]byte, size), 0o600) },
	}
	t.Parallel()
	in := install(t, "")
	const all = 40
	newGenerator().folder(t, in.path("library"), all)
	in.must("import", "library")
	index := in.path("newsie-data", "index")

	if err := os.RemoveAll(index); err != nil {
		t.Fatal(err)
	}
	in.findsAll(all)

	for _, name := range slices.Sorted(maps.Keys(damages)) {
		err := filepath.WalkDir(index, func(file string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			info, err := entry.Info()
			if err != nil {
				return err
			}
			return damages[name](file, info.Size())
		})
		if err != nil {
			t.Fatal(err)
		}
		p := in.serve("--listen", "127.0.0.1:0")
		in.until("the index of "+name+" files to be filled", func() bool { return in.search("harbour").Total == all })
		in.findsAll(all)
		if !p.said("set aside") {
			t.Errorf("%s: the log does not say that the index was set aside: %s", name, p.stderr.String())
		}
		if _, err := os.Stat(index + ".old"); err != nil {
			t.Errorf("%s: what was damaged is not kept: %v", name, err)
		}
		if err := p.stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(filepath.Join(in.data(), "serving.json")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the control file stays behind: %v", err)
	}
}
