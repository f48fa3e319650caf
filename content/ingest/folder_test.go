package ingest_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"newsie/content"
	"newsie/content/ingest"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

func put(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func page(title string) string { return "# " + title + "\n\nThe text of " + title + " is short.\n" }

func (h *house) states(t *testing.T) string {
	t.Helper()
	var all []string
	for _, state := range []content.State{content.Published, content.Gone, content.Withdrawn} {
		list, err := h.library.Latest(t.Context(), content.Filter{State: state}, 50, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range list {
			all = append(all, string(state)+" "+a.Title)
		}
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

func TestAFolderSourceIsTheTruth(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h, root := build(t, db), filepath.Join(t.TempDir(), "shelf")
		one, two := put(t, filepath.Join(root, "one.md"), page("One")), put(t, filepath.Join(root, "two.md"), page("Two"))
		feed := put(t, filepath.Join(root, "feed.xml"), `<rss version="2.0"><channel><title>S</title><item><guid>g:1</guid><title>Item</title><description>An item.</description></item></channel></rss>`)
		shelf := ingest.SourceConfig{Name: "shelf", Kind: "folder", Location: root}
		look := func(want string, fails bool) ingest.Result {
			t.Helper()
			r, err := h.Refresh(t.Context(), shelf)
			if got := h.states(t); got != want || (err != nil) != fails {
				t.Errorf("%q, %v; want %q", got, err, want)
			}
			return r
		}
		look("published Item, published One, published Two", false)
		remove(t, one)
		if r := look("gone One, published Item, published Two", false); len(r.Gone) != 1 || r.Gone[0].Path != "one.md" {
			t.Errorf("gone: %+v", r.Gone)
		}
		put(t, one, page("One"))
		if r := look("published Item, published One, published Two", false); len(r.Gone) != 0 || r.Updated != 1 {
			t.Errorf("returned: %+v", r)
		}
		// A feed forgets old items; they are not gone, but with their file they are.
		put(t, feed, `<rss version="2.0"><channel><title>S</title></channel></rss>`)
		look("published Item, published One, published Two", false)
		remove(t, feed)
		look("gone Item, published One, published Two", false)

		list, err := h.library.Latest(t.Context(), content.Filter{}, 1, 0)
		if err != nil || h.library.Withdraw(t.Context(), list[0].ID) != nil {
			t.Fatal(err)
		}
		remove(t, two)
		look("gone Item, published One, withdrawn Two", false)
		put(t, two, page("Two"))
		look("gone Item, published One, withdrawn Two", false)

		// An empty or missing folder is a disk that is not there.
		remove(t, one)
		remove(t, two)
		look("gone Item, published One, withdrawn Two", true)
		remove(t, root)
		look("gone Item, published One, withdrawn Two", true)
	})
}

func TestCopiesAreLeftOutAndMovesFollowed(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h, root := build(t, db), t.TempDir()
		first := put(t, filepath.Join(root, "a", "first.md"), page("Story"))
		r := h.bring(t, ingest.Options{}, root)
		id := r.Articles[0].ID
		put(t, filepath.Join(root, "b", "copy.md"), page("Story"))
		put(t, filepath.Join(root, "b", "other.md"), page("Other"))
		put(t, filepath.Join(root, "b", "twin.md"), page("Other"))
		if r := h.bring(t, ingest.Options{DryRun: true}, root); counts(r) != "1 added, 0 updated, 1 unchanged, 0 refused" || len(r.Duplicates) != 2 {
			t.Errorf("dry: %s, %+v", counts(r), r.Duplicates)
		}
		if r := h.bring(t, ingest.Options{}, root); counts(r) != "1 added, 0 updated, 1 unchanged, 0 refused" || len(r.Duplicates) != 2 ||
			!strings.Contains(r.Duplicates[0].Path, "copy.md") || !strings.Contains(r.Duplicates[0].Reason, "first.md") {
			t.Errorf("%s, %+v", counts(r), r.Duplicates)
		}
		remove(t, filepath.Join(root, "b", "copy.md"))
		moved := filepath.Join(root, "c", "moved.md")
		put(t, moved, page("Story"))
		remove(t, first)
		r = h.bring(t, ingest.Options{}, root)
		if a := h.article(t, id); r.Moved != 1 || counts(r) != "0 added, 0 updated, 2 unchanged, 0 refused" || !strings.HasSuffix(a.Key, "/c/moved.md") || a.Source != "c" {
			t.Errorf("moved: %s, %+v, %s", counts(r), r, h.article(t, id).Key)
		}
		if len(r.Missing) != 0 {
			t.Errorf("missing: %+v", r.Missing)
		}
		remove(t, moved)
		if r := h.bring(t, ingest.Options{}, root); len(r.Missing) != 1 || r.Missing[0].ID != id {
			t.Errorf("missing: %+v", r.Missing)
		}
	})
}

// A file imported by hand belongs to the source whose folder is configured later.
func TestAFolderConfiguredLaterTakesItsArticlesOver(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h, root := build(t, db), t.TempDir()
		put(t, filepath.Join(root, "story.md"), page("Story"))
		id := h.bring(t, ingest.Options{}, root).Articles[0].ID
		r, err := h.Refresh(t.Context(), ingest.SourceConfig{Name: "shelf", Kind: "folder", Location: root})
		if a := h.article(t, id); err != nil || r.Moved != 1 || a.Source != "shelf" || a.Key != "story.md" {
			t.Errorf("%+v, %v: %s %s", r, err, a.Source, a.Key)
		}
	})
}

func TestARefusedFileIsToldOnceUntilItChanges(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h, root := build(t, db), t.TempDir()
		bad := put(t, filepath.Join(root, "bad.md"), "---\ntitle: [\n---\nText.\n")
		shelf := []ingest.SourceConfig{{Name: "shelf", Kind: "folder", Location: root}}
		for i, want := range []int{1, 0, 0, 1, 0} {
			if i == 3 {
				put(t, bad, "---\ntitle: [[\n---\nText.\n")
			}
			done, err := h.RefreshDue(t.Context(), shelf, time.Minute)
			if err != nil || len(done) != 1 || len(done[0].Result.Refused) != 1 || len(done[0].Refused) != want {
				t.Errorf("look %d: %+v, %v; want %d told", i, done, err, want)
			}
			h.wait(time.Minute - 3*time.Millisecond) // as tickers do
		}
	})
}
