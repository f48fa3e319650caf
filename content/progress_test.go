package content_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"newsie/content"
	"newsie/internal/database/databasetest"
)

// TestProgressWhileTheIndexIsFilled loses the index of a library, and makes it
// one of an older format.
func TestProgressWhileTheIndexIsFilled(t *testing.T) {
	ctx := context.Background()
	db := databasetest.SQLite(t)
	dir := filepath.Join(t.TempDir(), "index")
	var log bytes.Buffer
	clock := time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC)
	now := func() time.Time {
		clock = clock.Add(2 * time.Second) // so that a few batches are a long time
		return clock
	}
	open := func() *content.Library {
		t.Helper()
		l, err := content.Open(db, dir, content.Options{Logger: slog.New(slog.NewTextHandler(&log, nil)), Now: now})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	expect := func(l *content.Library, want string, answers bool) {
		t.Helper()
		p, err := l.Progress(ctx)
		if err != nil || p.String() != want || p.Answers != answers {
			t.Errorf("progress %s, answers %v, %v; want %s, %v", p, p.Answers, err, want, answers)
		}
	}
	follow := func(l *content.Library) {
		t.Helper()
		if _, err := l.Follow(ctx); err != nil {
			t.Fatal(err)
		}
	}
	l := open()
	expect(l, "0 of 0 articles (0%)", true)
	const all = 1250
	var arrivals []content.Arrival
	for n := range all {
		arrivals = append(arrivals, content.Arrival{Article: content.Article{
			Source: "test", Key: fmt.Sprint(n), Hash: fmt.Sprint(n), Title: fmt.Sprint("Lemons ", n), Slug: "lemons", Lang: "en",
		}})
	}
	if _, err := l.AddAll(ctx, arrivals); err != nil {
		t.Fatal(err)
	}
	expect(l, "0 of 1250 articles (0%)", false)
	follow(l)
	expect(l, "1250 of 1250 articles (100%)", true)
	if !strings.Contains(log.String(), "done=") || !strings.Contains(log.String(), "total=1250") {
		t.Errorf("the log does not tell the progress: %s", log.String())
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}

	if err := os.WriteFile(filepath.Join(dir, "FORMAT"), []byte("newsie index 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l = open()
	expect(l, "0 of 1250 articles (0%)", true)
	found, err := l.Search(ctx, content.Query{Text: "lemons 1249"})
	if err != nil || len(found.Hits) == 0 || found.Hits[0].Article.Title != "Lemons 1249" {
		t.Errorf("the old index does not answer: %v, %v", found.Hits, err)
	}
	follow(l)
	expect(l, "1250 of 1250 articles (100%)", true)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}

	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	l = open()
	defer l.Close()
	expect(l, "0 of 1250 articles (0%)", false)
}
