package ingest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"newsie/content"
	"newsie/content/ingest"
	"newsie/content/source"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("database/sql.(*DB).connectionOpener"))
}

// A house is an ingester with a library, and a clock that tests move.
type house struct {
	*ingest.Ingester
	library *content.Library
	db      *database.DB

	mu  sync.Mutex
	now time.Time
}

func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *house) wait(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

func build(t *testing.T, db *database.DB) *house {
	t.Helper()
	h := &house{db: db, now: time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)}
	h.library = content.Store(db, content.Options{Now: h.clock})
	h.Ingester = ingest.New(db, h.library, source.NewFetcher("test", true, h.clock), nil, h.clock)
	return h
}

func (h *house) bring(t *testing.T, o ingest.Options, paths ...string) ingest.Result {
	t.Helper()
	r, err := h.Import(t.Context(), paths, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (h *house) article(t *testing.T, id int64) content.Article {
	t.Helper()
	a, err := h.library.Article(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func counts(r ingest.Result) string {
	return fmt.Sprintf("%d added, %d updated, %d unchanged, %d refused", r.Added, r.Updated, r.Unchanged, len(r.Refused))
}

func write(t *testing.T, dir, name, data string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestImportAgainIsANoOpAndAChangeUpdates(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h, dir := build(t, db), t.TempDir()
		a := write(t, dir, "blog/a.md", "# The ferry\n\nThe ferry stopped this week after a hundred years. Its owner keeps the bell.")
		write(t, dir, "blog/b.txt", "渡船停航\n\n恩伯河上最后一条手摇渡船本周停航。船主说，新桥带走了几乎所有的乘客。")
		write(t, dir, "blog/empty.txt", "")
		write(t, dir, "blog/bad.bin", "a\x00b")
		first := h.bring(t, ingest.Options{}, dir)
		if got, want := counts(first), "2 added, 0 updated, 0 unchanged, 2 refused"; got != want {
			t.Fatalf("first: %s, want %s", got, want)
		}
		for i, want := range []ingest.Refusal{{Path: filepath.Join(dir, "blog/bad.bin"), Reason: "it is binary, not text (it holds zero bytes)"}, {Path: filepath.Join(dir, "blog/empty.txt"), Reason: "it is empty"}} {
			if first.Refused[i] != want {
				t.Errorf("refusal %v, want %v", first.Refused[i], want)
			}
		}
		t.Chdir(filepath.Join(dir, "blog")) // another working directory, other names for the same files
		again := h.bring(t, ingest.Options{}, "a.md", "../blog")
		if got, want := counts(again), "0 added, 0 updated, 2 unchanged, 2 refused"; got != want {
			t.Errorf("again: %s, want %s", got, want)
		}
		before := h.article(t, first.Articles[0].ID)
		write(t, dir, "blog/a.md", "# The ferry\n\nThe ferry sails again. Its owner rings the bell.")
		dry := h.bring(t, ingest.Options{DryRun: true}, a)
		if got, want := counts(dry), "0 added, 1 updated, 0 unchanged, 0 refused"; got != want {
			t.Errorf("dry: %s, want %s", got, want)
		}
		changed := h.bring(t, ingest.Options{}, a)
		if got, want := counts(changed), "0 added, 1 updated, 0 unchanged, 0 refused"; got != want {
			t.Errorf("changed: %s, want %s", got, want)
		}
		after := h.article(t, before.ID)
		if after.Summary != "The ferry sails again. Its owner rings the bell." || after.AddedSeq != before.AddedSeq || after.Seq <= before.Seq || after.Source != "blog" {
			t.Errorf("after: %+v", after)
		}
	})
}

func TestADumpBecomesAnArticle(t *testing.T) {
	h := build(t, databasetest.SQLite(t))
	r := h.bring(t, ingest.Options{}, "../source/testdata/dumps/it-full.txt", "../source/testdata/dumps/zh-hant-full.txt")
	it, zh := h.article(t, r.Articles[0].ID), h.article(t, r.Articles[1].ID)
	if it.Lang != "it" || zh.Lang != "zh-Hant" || it.Slug != "il-barbiere-che-ritagliava-le-nuvole" || it.State != content.Published {
		t.Errorf("languages %s, %s; slug %s, state %s", it.Lang, zh.Lang, it.Slug, it.State)
	}
	if !strings.HasPrefix(it.Note, "Elvira Montanari, ") || it.Previous != "La maestra che insegnava a perdere tempo" || it.Next != "Quattro modi di salutare una montagna" || len(it.Recommended) != 2 {
		t.Errorf("article %+v", it)
	}
	if !strings.HasPrefix(it.Summary, "A Montecapra, in via dei Lavatoi, c’è una bottega di barbiere") || strings.Contains(it.Text(), "Elvira") {
		t.Errorf("summary %q", it.Summary)
	}
}

func TestStates(t *testing.T) {
	h, dir := build(t, databasetest.SQLite(t)), t.TempDir()
	future := write(t, dir, "future.md", "---\ntitle: Later\ndate: 2024-06-01\n---\nSoon.")
	draft := write(t, dir, "draft.md", "---\ntitle: Draft\ndate: 2024-01-01\ndraft: true\n---\nNot yet.")
	r := h.bring(t, ingest.Options{}, future, draft)
	if a, b := r.Articles[0].State, r.Articles[1].State; a != content.Waiting || b != content.Unready {
		t.Errorf("states %s and %s", a, b)
	}
	h.wait(40 * 24 * time.Hour)
	if n, err := h.library.Release(t.Context()); n != 1 || err != nil {
		t.Errorf("released %d, %v", n, err)
	}
	if got := counts(h.bring(t, ingest.Options{}, dir)); got != "0 added, 0 updated, 2 unchanged, 0 refused" {
		t.Errorf("after release: %s", got)
	}
	write(t, dir, "draft.md", "---\ntitle: Draft\ndate: 2024-01-01\n---\nNot yet.")
	h.bring(t, ingest.Options{}, draft)
	for _, o := range r.Articles {
		if a := h.article(t, o.ID); a.State != content.Published {
			t.Errorf("%s is %s", a.Title, a.State)
		}
	}
}

func TestPicturesGetTheAddressTheyAreServedAt(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h, dir := build(t, db), t.TempDir()
		var data bytes.Buffer
		if err := png.Encode(&data, image.NewGray(image.Rect(0, 0, 2, 2))); err != nil {
			t.Fatal(err)
		}
		write(t, dir, "pics/a.png", data.String())
		path := write(t, dir, "a.md", "# A\n\n![one](pics/a.png)\n\n![two](pics/a.png)\n\n![gone](pics/gone.png)\n\n![web](https://example.org/w.png)\n\nText of the article.")
		r := h.bring(t, ingest.Options{}, path)
		a := h.article(t, r.Articles[0].ID)
		var got []string
		for _, b := range a.Body {
			got = append(got, b.Text+" "+b.URL)
		}
		address := content.MediaPath(content.Figure{Type: "image/png", Data: data.Bytes()})
		if diff := cmp.Diff([]string{"one " + address, "two " + address, "web https://example.org/w.png", "Text of the article. "}, got); diff != "" {
			t.Errorf("body (-want +got):\n%s", diff)
		}
		if a.Cover != address || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "gone.png") {
			t.Errorf("cover %s, warnings %v", a.Cover, r.Warnings)
		}
		kept, err := h.library.Picture(t.Context(), strings.TrimPrefix(address, "/media/"))
		if err != nil || !bytes.Equal(kept.Data, data.Bytes()) {
			t.Errorf("kept %d bytes, %v", len(kept.Data), err)
		}
	})
}

func TestStoppedImportsGoOn(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h, dir := build(t, db), t.TempDir()
		const files = 150
		for i := range files {
			write(t, dir, fmt.Sprintf("%03d.md", i), fmt.Sprintf("# Article %d\n\nThe text of article number %d.", i, i))
		}
		ctx, cancel := context.WithCancel(t.Context())
		r, err := h.Import(ctx, []string{dir}, ingest.Options{Progress: func(done, total int, name string) {
			if total != files || name == "" {
				t.Errorf("progress %d of %d: %q", done, total, name)
			}
			if done == 100 {
				cancel()
			}
		}})
		if !errors.Is(err, context.Canceled) || r.Added != 64 {
			t.Fatalf("stopped: %s, %v", counts(r), err)
		}
		if got, want := counts(h.bring(t, ingest.Options{}, dir)), "86 added, 0 updated, 64 unchanged, 0 refused"; got != want {
			t.Errorf("again: %s, want %s", got, want)
		}
		latest, err := h.library.Since(t.Context(), 0, 1000)
		if err != nil || len(latest) != files {
			t.Fatalf("%d articles, %v", len(latest), err)
		}
		for i, a := range latest {
			if want := fmt.Sprintf("Article %d", i); a.Title != want {
				t.Fatalf("article %d in the order of changes is %q", i, a.Title)
			}
		}
	})
}

// broken fails to keep anything.
type broken struct{ *content.Library }

var errBroken = errors.New("the disk is full")

func (broken) AddAll(context.Context, []content.Arrival) ([]content.Change, error) {
	return nil, errBroken
}

func TestAFailingLibraryStopsAnImport(t *testing.T) {
	h, dir := build(t, databasetest.SQLite(t)), t.TempDir()
	for i := range 200 {
		write(t, dir, fmt.Sprintf("%d.md", i), fmt.Sprintf("# Article %d\n\nText.", i))
	}
	g := ingest.New(h.db, broken{h.library}, source.NewFetcher("", true, h.clock), nil, h.clock)
	if r, err := g.Import(t.Context(), []string{dir}, ingest.Options{}); !errors.Is(err, errBroken) || r.Added != 0 {
		t.Errorf("%s, %v", counts(r), err)
	}
}

func TestLanguages(t *testing.T) {
	h, dir := build(t, databasetest.SQLite(t)), t.TempDir()
	english := "The ferry on the river stopped this week after a hundred and six years, and its owner says that he will keep the bell. "
	italian := "La barca sul fiume si è fermata questa settimana dopo cento anni, e il suo padrone dice che terrà la campana. "
	for i, c := range []struct{ declared, text, want string }{
		{"", english, "en"},
		{"en-GB", english, "en"},
		{"it_IT", italian, "it"},
		{"zh", "這條渡船在河上走了一百年，現在橋修好了，船還在那裡。", "zh-Hant"},
		{"zh-TW", "这条渡船在河上走了一百年，现在桥修好了，船还在那里。", "zh-Hans"},
		{"en", "这条渡船在河上走了一百年，现在桥修好了，船还在那里。", "zh-Hans"},
		{"en", strings.Repeat(italian, 6), "it"},
		{"not a tag!", italian, "it"},
		{"it", "OK", "it"},
	} {
		path := write(t, dir, fmt.Sprintf("%d.md", i), fmt.Sprintf("---\ntitle: \"\"\nlang: %q\n---\n%s", c.declared, c.text))
		r := h.bring(t, ingest.Options{}, path)
		if len(r.Articles) != 1 || r.Articles[0].Lang != c.want {
			t.Errorf("declared %q, text %.20q: %+v, want %s", c.declared, c.text, r, c.want)
		}
	}
}
