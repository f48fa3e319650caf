package content_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"newsie/content"
	"newsie/content/index"
	"newsie/internal/database"
)

// crashDir names the folder that a child process of TestKilledImport imports to.
const crashDir = "NEWSIE_TEST_CRASH_DIR"

// TestMain lets the test binary be its own child.
func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		fmt.Fprintln(os.Stderr, importForever(context.Background(), dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// importForever adds, edits and withdraws articles while the index follows, and
// says so when each is done, until it is killed. A word is on every article
// that tells which version of it is the last.
func importForever(ctx context.Context, dir string) error {
	db, err := database.Open(ctx, filepath.Join(dir, "newsie.db"))
	if err != nil {
		return err
	}
	if err := db.Migrate(ctx); err != nil {
		return err
	}
	l, err := content.Open(db, filepath.Join(dir, "index"), content.Options{})
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() { failed <- l.Run(ctx) }()
	last, err := l.Last(ctx)
	if err != nil {
		return err
	}
	for n := last; ; n++ {
		select {
		case err := <-failed:
			return err
		default:
		}
		var arrivals []content.Arrival
		for i := range n%7 + 1 {
			key := (n*5 + i) % 97 // many come again
			arrivals = append(arrivals, content.Arrival{Article: crashArticle(key, n)})
		}
		if _, err := l.AddAll(ctx, arrivals); err != nil {
			return err
		}
		if a := arrivals[0].Article; n%3 == 0 {
			if err := l.Withdraw(ctx, a.ID); err != nil {
				return err
			}
		} else if n%3 == 1 {
			if err := l.Restore(ctx, a.ID); err != nil {
				return err
			}
		}
		fmt.Println(n)
	}
}

func crashArticle(key, version int64) content.Article {
	body := fmt.Sprintf("Lemons number%d version%d.", key, version)
	return content.Article{
		Source: "crash", Key: fmt.Sprint(key), Hash: body, Title: fmt.Sprintf("number%d version%d", key, version), Slug: "lemons", Lang: "en",
		Published: start, Summary: "Lemons.", Body: []content.Block{{Kind: content.Paragraph, Text: body}},
	}
}

// TestKilledImport kills a process while it imports, several times, and expects
// that store and index agree after each: every published article is found in
// its last version, and nothing else is.
func TestKilledImport(t *testing.T) {
	dir := t.TempDir()
	for round, steps := range []int{1, 12, 3, 25, 40} {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), crashDir+"="+dir)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		child.Stderr = os.Stderr
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for range steps {
			if !lines.Scan() {
				t.Fatalf("round %d: the child ended by itself", round)
			}
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = child.Wait()
		agree(t, dir)
	}
}

// agree opens what a killed process left and compares store and index, the
// index by itself, without the library that hides what was withdrawn.
func agree(t *testing.T, dir string) {
	t.Helper()
	ctx := t.Context()
	db, err := database.Open(ctx, filepath.Join(dir, "newsie.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	l, err := content.Open(db, filepath.Join(dir, "index"), content.Options{})
	if err != nil {
		t.Fatal(err)
	}
	last, err := l.Last(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if seq := l.Seq(); seq > last {
		t.Errorf("the index is at %d, the store at %d", seq, last)
	}
	follow(t, l)
	if seq := l.Seq(); seq != last {
		t.Errorf("after following the index is at %d, the store at %d", seq, last)
	}
	var rows []struct {
		ID    int64
		Title string
	}
	if err := db.NewRaw("SELECT id, title FROM articles WHERE state = ?", content.Published).Scan(ctx, &rows); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	x, err := index.Open(filepath.Join(dir, "index"), index.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	if x.Rebuilt() || x.Count() != len(rows) {
		t.Errorf("rebuilt %v, %d articles in the index, %d in the store", x.Rebuilt(), x.Count(), len(rows))
	}
	for _, r := range rows {
		found, err := x.Search(ctx, index.Query{Text: r.Title, Cover: 1, Exact: true})
		if err != nil || len(found.Hits) != 1 || found.Hits[0].ID != r.ID {
			t.Errorf("%s, article %d: %v, %v", r.Title, r.ID, found.Hits, err)
		}
	}
}
