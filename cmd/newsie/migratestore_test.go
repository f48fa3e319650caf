package main_test

import (
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"newsie/internal/database/databasetest"
)

// A reader pages, follows and waits; the installation moves to the other kind of
// database; and the conversation goes on as if nothing had been.
func TestReadersNoticeNothingOfAnotherDatabase(t *testing.T) {
	each(t, func(t *testing.T, in *installation) {
		address := freeAddress(t)
		in.write("newsie.yaml", "listen: "+address+"\nchannels:\n  web: {kind: webchat, min_interval: 1m, first_digest: archive}\n")
		p := in.serve("--demo")
		reader := func() *browser {
			t.Helper()
			b, err := newBrowser("http://" + address + "/chat/web/")
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		// dora is alone with her digest: it would come between a tap and its answer.
		anna, bruno, clara, dora := reader(), reader(), reader(), reader()
		say := func(b *browser, words string) shown {
			t.Helper()
			answer, err := b.say(t.Context(), words)
			if err != nil {
				t.Fatalf("%q: %v", words, err)
			}
			return answer
		}
		list := say(anna, "commerce")
		say(bruno, "commerce")
		say(clara, "commerce")
		next := articles(say(bruno, "more"))
		if len(next) == 0 {
			t.Fatal("the list has no second page")
		}
		say(anna, "save 2")
		if answer := say(dora, "follow commerce every minute"); !strings.Contains(answer.text, "You follow “commerce”") {
			t.Fatalf("the follow is answered by %q", answer.text)
		}
		if _, stderr, err := in.run("migrate-store", "--to", "sqlite://copy.db"); in.database == "" && (err == nil || !strings.Contains(stderr, "stop it first")) {
			t.Errorf("an installation that serves is moved: %v, %s", err, stderr)
		}
		if err := p.stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		to := "sqlite://moved/newsie.db"
		if in.database == "" {
			to = databasetest.BarePostgresAddress(t)
		}
		type tableRow struct {
			Table, SHA256 string
			Rows          int
		}
		var report struct {
			Copied bool
			Tables []tableRow
		}
		in.read(&report, "migrate-store", "--to", to, "--json")
		i := slices.IndexFunc(report.Tables, func(r tableRow) bool { return r.Table == "articles" })
		if !report.Copied || i < 0 || report.Tables[i].Rows < 30 || len(report.Tables[i].SHA256) != 64 {
			t.Errorf("the report is %+v", report)
		}
		if again := in.must("migrate-store", "--to", to); !strings.Contains(again, "Everything is equal") {
			t.Errorf("the second time it says %s", again)
		}
		if in.database == "" {
			mark, err := os.ReadFile(filepath.Join(in.data(), "newsie.db.moved"))
			if err != nil || !strings.Contains(string(mark), "postgres://") || strings.Contains(string(mark), ":newsie@") {
				t.Errorf("the old database is marked with %q, %v", mark, err)
			}
		}
		in.database = to

		p = in.serve("--demo")
		opened, err := anna.tap(t.Context(), list, "More") // a button from before
		if err != nil {
			t.Fatal(err)
		}
		if got := articles(opened); !slices.Equal(got, next) {
			t.Errorf("the old button leads to %v, want %v", got, next)
		}
		if got := articles(say(clara, "more")); !slices.Equal(got, next) {
			t.Errorf("more leads to %v, want %v", got, next)
		}
		if got, want := articles(say(anna, "saved")), articles(list)[1:2]; !slices.Equal(got, want) {
			t.Errorf("saved is %v, want %v", got, want)
		}
		in.until("the digest", func() bool { return in.deliveries("web", "sent") > 0 })
		var ledger []struct{ State string }
		if in.read(&ledger, "digest", "deliveries", "--json", "--limit", "1000"); len(ledger) != 1 {
			t.Errorf("the ledger has %v, want one digest", ledger)
		}
		if err := p.stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// An address without its password is none that could be copied.
func TestAMoveNamesTheAddressThatWasGiven(t *testing.T) {
	t.Parallel()
	in := install(t, "")
	in.write("library/tea.md", "# Tea on the night train\n\nThe water comes from a samovar.\n")
	in.must("import", "library")
	to, err := url.Parse(databasetest.BarePostgresAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, has := to.User.Password(); !has { // a server that asks for none
		to.User = url.UserPassword(to.User.Username(), "sesame")
	}
	out := in.must("migrate-store", "--to", to.String())
	if !strings.Contains(out, "Now set database to the address that you gave to --to, with its password, and start newsie.") || strings.Contains(out, "postgres://") {
		t.Errorf("it says %s", out)
	}
}
