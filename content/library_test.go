package content_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"newsie/content"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

var start = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

func open(t testing.TB, db *database.DB, dir string, now func() time.Time) *content.Library {
	t.Helper()
	l, err := content.Open(db, dir, content.Options{Now: now, PublicURL: "https://news.example"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func article(key, title, body string) content.Article {
	return content.Article{
		Source: "s", Key: key, Title: title, Lang: "en", Hash: title + body, Published: start.Add(-time.Hour),
		Body: []content.Block{{Kind: content.Heading, Level: 2, Text: "Part"}, {Kind: content.Paragraph, Text: body, Marks: []content.Mark{{Start: 0, End: 2, Style: "strong"}}}},
	}
}

func add(t testing.TB, l *content.Library, a content.Article) (content.Article, content.Change) {
	t.Helper()
	kept, change, err := l.Add(t.Context(), a, nil)
	if err != nil {
		t.Fatal(err)
	}
	return kept, change
}

func follow(t testing.TB, l *content.Library) {
	t.Helper()
	if _, err := l.Follow(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func find(t testing.TB, l *content.Library, text string) []string {
	t.Helper()
	results, err := l.Search(t.Context(), content.Query{Text: text})
	if err != nil {
		t.Fatal(err)
	}
	titles := []string{}
	for _, h := range results.Hits {
		titles = append(titles, h.Article.Title)
	}
	return titles
}

func TestAddUpdateAndLeaveAlone(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		l := open(t, db, t.TempDir(), func() time.Time { return start })
		first, change := add(t, l, article("a", "Lighthouse keepers", "The lamp turns all night."))
		if change != content.Added || first.ID == 0 || first.AddedSeq != first.Seq || !first.Added.Equal(start) {
			t.Fatalf("first: %s %+v", change, first)
		}
		if again, change := add(t, l, article("a", "Lighthouse keepers", "The lamp turns all night.")); change != content.Unchanged || again.ID != first.ID {
			t.Errorf("again: %s, id %d", change, again.ID)
		}
		changed, change := add(t, l, article("a", "Lighthouse keepers", "The lamp stands still."))
		if change != content.Updated || changed.ID != first.ID || changed.Seq <= first.Seq || changed.AddedSeq != first.AddedSeq {
			t.Errorf("changed: %s %+v", change, changed)
		}
		read, err := l.Article(t.Context(), first.ID)
		if err != nil || read.Body[1].Text != "The lamp stands still." || read.Body[1].Marks[0].Style != "strong" || read.Slug != "lighthouse-keepers" {
			t.Errorf("read back: %+v, %v", read, err)
		}
		if _, err := l.Article(t.Context(), 999); !errors.Is(err, content.ErrNotFound) {
			t.Errorf("a missing article: %v", err)
		}
	})
}

func TestWithdrawnDisappearsAtOnceAndStaysAway(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		l := open(t, db, t.TempDir(), func() time.Time { return start })
		a, _ := add(t, l, article("a", "Lighthouse keepers", "The lamp turns all night."))
		follow(t, l)
		if got := find(t, l, "lamp"); !slices.Equal(got, []string{"Lighthouse keepers"}) {
			t.Fatalf("before: %q", got)
		}
		if err := l.Withdraw(t.Context(), a.ID); err != nil {
			t.Fatal(err)
		}
		for _, when := range []string{"before the index follows", "after"} {
			results, err := l.Search(t.Context(), content.Query{Text: "lamp"})
			if err != nil || len(results.Hits) != 0 || results.Total != 0 {
				t.Errorf("%s: %d hits of %d, %v", when, len(results.Hits), results.Total, err)
			}
			if list, _ := l.Latest(t.Context(), content.Filter{}, 10, 0); len(list) != 0 {
				t.Errorf("%s: still among the latest", when)
			}
			if ids, _, _ := l.Matches(t.Context(), "*", "en", content.Filter{}, 0, 1000, 10); len(ids) != 0 {
				t.Errorf("%s: still in digests", when)
			}
			follow(t, l)
		}
		if _, change := add(t, l, article("a", "Lighthouse keepers", "The lamp is repaired.")); change != content.Updated {
			t.Errorf("its source changed: %s", change)
		}
		follow(t, l)
		if got := find(t, l, "lamp"); len(got) != 0 {
			t.Errorf("a withdrawn article came back with its source: %q", got)
		}
		if err := l.Restore(t.Context(), a.ID); err != nil {
			t.Fatal(err)
		}
		follow(t, l)
		if got := find(t, l, "lamp"); len(got) != 1 {
			t.Errorf("restored: %q", got)
		}
	})
}

func TestFutureArticlesWaitAndDraftsStay(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		now := start
		l := open(t, db, t.TempDir(), func() time.Time { return now })
		future := article("f", "Tomorrow's news", "It will rain.")
		future.State, future.Published = content.Waiting, start.Add(time.Hour)
		draft := article("d", "A draft", "Not ready.")
		draft.State = content.Unready
		kept, _ := add(t, l, future)
		add(t, l, draft)
		if kept.AddedSeq != 0 {
			t.Error("a waiting article counts as seen")
		}
		for _, step := range []struct {
			after time.Duration
			want  int
		}{{0, 0}, {2 * time.Hour, 1}, {time.Hour, 0}} {
			now = now.Add(step.after)
			if n, err := l.Release(t.Context()); err != nil || n != step.want {
				t.Errorf("after %s: %d released, want %d (%v)", step.after, n, step.want, err)
			}
		}
		list, err := l.Latest(t.Context(), content.Filter{}, 10, 0)
		if err != nil || len(list) != 1 || list[0].Title != "Tomorrow's news" || list[0].AddedSeq == 0 {
			t.Errorf("published: %+v, %v", list, err)
		}
	})
}

func TestIndexIsRebuiltFromTheStore(t *testing.T) {
	db := databasetest.SQLite(t)
	dir := filepath.Join(t.TempDir(), "index")
	l := open(t, db, dir, func() time.Time { return start })
	for i := range 250 {
		add(t, l, article(fmt.Sprint(i), fmt.Sprintf("Article %d", i), fmt.Sprintf("The word w%d stands here.", i)))
	}
	follow(t, l)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	again := open(t, db, dir, func() time.Time { return start })
	if lag, err := again.Lag(t.Context()); err != nil || lag != 250 {
		t.Errorf("lag of an empty index: %d, %v", lag, err)
	}
	follow(t, again)
	if got := find(t, again, "w249"); !slices.Equal(got, []string{"Article 249"}) {
		t.Errorf("after the rebuild: %q", got)
	}
	if lag, _ := again.Lag(t.Context()); lag != 0 {
		t.Errorf("lag = %d", lag)
	}
}

// Positions become visible in their order, so a replica that follows never
// passes over a change: two writers and a reader that pages by position.
func TestPositionsAreSeenInOrder(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		l := content.Store(db, content.Options{Now: func() time.Time { return start }})
		var writers sync.WaitGroup
		for w := range 2 {
			writers.Go(func() {
				for i := range 40 {
					if _, _, err := l.Add(ctx, article(fmt.Sprintf("%d-%d", w, i), "T", fmt.Sprint(w, i)), nil); err != nil {
						t.Errorf("writer %d: %v", w, err)
						return
					}
				}
			})
		}
		finished := make(chan struct{})
		go func() { writers.Wait(); close(finished) }()
		seen, at := map[string]bool{}, int64(0)
		for last := false; ; {
			changes, err := l.Since(ctx, at, 7)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range changes {
				seen[a.Key], at = true, a.Seq
			}
			if len(changes) == 0 && last {
				break
			}
			select {
			case <-finished:
				last = true
			default:
			}
		}
		if len(seen) != 80 {
			t.Errorf("the follower saw %d of 80 articles", len(seen))
		}
	})
}

func TestMatchesTakesEachStoryOnceInItsWindow(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		l := open(t, db, t.TempDir(), func() time.Time { return start })
		old, _ := add(t, l, article("0", "Old lamps", "lamp"))
		a, _ := add(t, l, article("1", "Lamps at sea", "A lamp on a ship."))
		other := article("2", "Lamps At Sea ", "A lamp on a ship, from another feed.")
		other.Source = "another"
		add(t, l, other)
		b, _ := add(t, l, article("3", "A second lamp", "Another lamp."))
		c, _ := add(t, l, article("4", "Bread", "Flour and water."))
		follow(t, l)
		ids, more, err := l.Matches(t.Context(), "lamp", "en", content.Filter{}, old.AddedSeq, l.Seq(), 10)
		if err != nil || more != 0 || len(ids) != 2 || !slices.Contains(ids, b.ID) || slices.Contains(ids, old.ID) {
			t.Errorf("lamp: %v and %d more, %v", ids, more, err)
		}
		if ids, more, _ := l.Matches(t.Context(), "*", "en", content.Filter{}, 0, l.Seq(), 2); len(ids) != 2 || more != 2 {
			t.Errorf("everything: %v and %d more", ids, more)
		}
		if ids, _, _ := l.Matches(t.Context(), "lang:it", "en", content.Filter{}, 0, l.Seq(), 9); len(ids) != 0 {
			t.Errorf("a language that nothing is in: %v", ids)
		}
		if ids, _, _ := l.Matches(t.Context(), "lang:en", "en", content.Filter{}, old.AddedSeq, l.Seq(), 9); len(ids) != 3 {
			t.Errorf("operators alone: %v", ids)
		}
		if ids, _, _ := l.Matches(t.Context(), "bread", "en", content.Filter{}, 0, c.AddedSeq-1, 2); len(ids) != 0 {
			t.Errorf("beyond the window: %v", ids)
		}
		_ = a
	})
}

// A digest on two words does not bring what has only one of them.
func TestMatchesAreAboutTheWholeTopic(t *testing.T) {
	db := databasetest.SQLite(t)
	l := open(t, db, t.TempDir(), func() time.Time { return start })
	both, _ := add(t, l, article("1", "Tea gardens", "Tea grows in gardens on the hill."))
	add(t, l, article("2", "Tea time", "Tea at five."))
	add(t, l, article("3", "Gardens", "Gardens of stone."))
	follow(t, l)
	if ids, _, err := l.Matches(t.Context(), "tea gardens", "en", content.Filter{}, 0, l.Seq(), 10); err != nil || !slices.Equal(ids, []int64{both.ID}) {
		t.Errorf("%v, want %d (%v)", ids, both.ID, err)
	}
	if got := find(t, l, "tea gardens"); len(got) != 3 {
		t.Errorf("a reader's question finds %q", got)
	}
}

func TestPastedAddressFindsItsArticle(t *testing.T) {
	db := databasetest.SQLite(t)
	l := open(t, db, t.TempDir(), func() time.Time { return start })
	a := article("1", "Lamps", "A lamp.")
	a.URL = "https://example.org/lamps?x=1"
	kept, _ := add(t, l, a)
	follow(t, l)
	for _, text := range []string{"https://example.org/lamps?x=1", fmt.Sprintf("https://news.example/a/%d/lamps", kept.ID), fmt.Sprintf("https://news.example/a/%d", kept.ID)} {
		if got := find(t, l, text); !slices.Equal(got, []string{"Lamps"}) {
			t.Errorf("%s: %q", text, got)
		}
	}
}

func TestOperatorsAloneFoldNames(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		l := open(t, db, t.TempDir(), func() time.Time { return start })
		a := article("a", "Lamps", "The lamp turns.")
		a.Author, a.Tags = "Zoë Müller", []string{"电商", "Città"}
		add(t, l, a)
		b := article("b", "Ships", "The ship turns.")
		b.Author = "Королёв"
		add(t, l, b)
		follow(t, l)
		for query, want := range map[string]string{
			"author:muller": "Lamps", "author:zoe": "Lamps", "author:MÜLLER": "Lamps", "author:\"zoe muller\"": "Lamps", "author:королев": "Ships",
			"tag:電商": "Lamps", "tag:citta": "Lamps", "source:S author:zoe": "Lamps", "author:mull": "", "tag:cit": "",
		} {
			got := find(t, l, query)
			if want == "" && len(got) > 0 || want != "" && !slices.Equal(got, []string{want}) {
				t.Errorf("%s found %q, want %q", query, got, want)
			}
		}
	})
}

// Another site's page may have the very path of ours: only the public address,
// or a path without any host, is one of ours.
func TestOnlyOurOwnPagesAreOurs(t *testing.T) {
	for _, test := range []struct {
		public, address string
		ours            bool
	}{
		{"https://news.example", "https://news.example/a/%d", true},
		{"https://news.example", "http://NEWS.example:80/a/%d/lamps?with=2#top", true},
		{"https://news.example", "https://news.example/a/%d/an-older-title", true},
		{"https://news.example", "news.example/a/%d/lamps", true},
		{"https://example.org/news/", "https://example.org/news/a/%d/lamps", true},
		{"http://127.0.0.1:8080", "http://127.0.0.1:8080/a/%d", true},
		{"https://news.example", "/a/%d", true},
		{"", "/a/%d/lamps", true},
		{"https://news.example", "https://other.example/a/%d", false},
		{"https://news.example", "https://other.example/a/%d/lamps", false},
		{"https://news.example", "other.example/a/%d", false},
		{"https://news.example", "https://news.example:8443/a/%d", false},
		{"https://news.example", "https://news.example/blog/a/%d", false},
		{"https://example.org/news", "https://example.org/a/%d", false},
		{"", "https://news.example/a/%d", false},
		{"", "https://news.example/a/%d/lamps", false},
		{"https://news.example", "/b/a/%d", false},
	} {
		db := databasetest.SQLite(t)
		l := content.Store(db, content.Options{PublicURL: test.public})
		kept, _ := add(t, l, article("1", "Lamps", "A lamp."))
		a, ok, err := l.ByAddress(t.Context(), fmt.Sprintf(test.address, kept.ID))
		if err != nil || ok != test.ours || ok && a.ID != kept.ID {
			t.Errorf("of %q, %s: article %d, %v, %v; want %v", test.public, test.address, a.ID, ok, err, test.ours)
		}
	}
}

func TestAddressesOfOthersFindNothing(t *testing.T) {
	db := databasetest.SQLite(t)
	l := open(t, db, t.TempDir(), func() time.Time { return start })
	kept, _ := add(t, l, article("1", "Lamps", "A lamp."))
	for _, address := range []string{fmt.Sprintf("https://other.example/a/%d/x", kept.ID), "https://h/a/0", "/a/x", "https://other.example/", "ftp://h/a/1", "https://h/a/", "https://h/a/999999999999999999999"} {
		if a, ok, err := l.ByAddress(t.Context(), address); ok || err != nil {
			t.Errorf("%s: article %d, %v", address, a.ID, err)
		}
	}
}

func TestPicturesAreKeptOnce(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		l := content.Store(db, content.Options{})
		picture := content.Figure{Name: "a.png", Type: "image/png", Data: []byte("\x89PNG…")}
		for _, key := range []string{"1", "2"} {
			a := article(key, "T", key)
			a.Cover = content.MediaPath(picture)
			if _, _, err := l.Add(t.Context(), a, []content.Figure{picture}); err != nil {
				t.Fatal(err)
			}
		}
		name := filepath.Base(content.MediaPath(picture))
		got, err := l.Picture(t.Context(), name)
		if err != nil || string(got.Data) != string(picture.Data) || got.Type != "image/png" {
			t.Errorf("%+v, %v", got, err)
		}
		if _, err := l.Picture(t.Context(), name[:len(name)-3]+"gif"); !errors.Is(err, content.ErrNotFound) {
			t.Errorf("another ending: %v", err)
		}
	})
}

func TestTagsOfALanguage(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		l := content.Store(db, content.Options{})
		for i, tags := range [][]string{{"commerce", "shops"}, {"commerce"}, {"commerce", "commercio"}} {
			a := article(fmt.Sprint(i), "T", fmt.Sprint(i))
			a.Tags = tags
			if i == 2 {
				a.Lang = "it"
			}
			add(t, l, a)
		}
		for lang, want := range map[string]string{"en": "[{commerce 2} {shops 1}]", "it": "[{commercio 1} {commerce 1}]", "": "[{commerce 3} {commercio 1} {shops 1}]"} {
			got, err := l.Tags(t.Context(), lang, 5)
			if err != nil || fmt.Sprint(got) != want {
				t.Errorf("%q: %v, want %s (%v)", lang, got, want, err)
			}
		}
		list, err := l.Latest(t.Context(), content.Filter{Tags: []string{"COMMERCIO"}}, 5, 0)
		if err != nil || len(list) != 1 {
			t.Errorf("by tag: %d articles, %v", len(list), err)
		}
	})
}

func TestSlug(t *testing.T) {
	for title, want := range map[string]string{
		"Hello, World!": "hello-world", "微店里的橘子": "微店里的橘子", "Perché  no?": "perché-no", "!!!": "",
		"Quando diventerà più popolare l’e-commerce di WeChat, alimentato dal contributo": "quando-diventerà-più-popolare-l-e-commerce-di-wechat",
	} {
		if got := content.Slug(title); got != want {
			t.Errorf("Slug(%q) = %q, want %q", title, got, want)
		}
	}
}
