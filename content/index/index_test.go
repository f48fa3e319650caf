package index_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"newsie/content/index"
)

var quiet = index.Options{Logger: slog.New(slog.DiscardHandler)}

func openDir(t testing.TB, dir string) *index.Index {
	t.Helper()
	x, err := index.Open(dir, quiet)
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Words(context.Background()); err != nil {
		t.Fatal(err)
	}
	return x
}

// open returns an index of some documents that is closed with the test.
func open(t testing.TB, docs ...index.Doc) *index.Index {
	t.Helper()
	x := openDir(t, filepath.Join(t.TempDir(), "index"))
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
	update(t, x, 1, docs...)
	return x
}

func update(t testing.TB, x *index.Index, seq int64, docs ...index.Doc) {
	t.Helper()
	if err := x.Update(seq, docs); err != nil {
		t.Fatal(err)
	}
}

func search(t testing.TB, x *index.Index, q index.Query) index.Result {
	t.Helper()
	r, err := x.Search(context.Background(), q)
	if err != nil {
		t.Fatalf("search %q: %v", q.Text, err)
	}
	if q.Limit == 0 && r.Total < len(r.Hits) {
		t.Errorf("search %q: total %d of %d hits", q.Text, r.Total, len(r.Hits))
	}
	return r
}

func ids(r index.Result) []int64 {
	list := []int64{}
	for _, h := range r.Hits {
		list = append(list, h.ID)
	}
	return list
}

func closeIndex(t testing.TB, x *index.Index) {
	t.Helper()
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestNewIndexIsEmpty(t *testing.T) {
	x := open(t)
	if x.Count() != 0 || x.Rebuilt() || x.Seq() != 1 {
		t.Errorf("count %d, rebuilt %v, seq %d", x.Count(), x.Rebuilt(), x.Seq())
	}
	if r := search(t, x, index.Query{Text: "anything 什么"}); len(r.Hits) != 0 || r.Total != 0 {
		t.Errorf("found %v in nothing", r)
	}
	if s := x.Snippet(index.Result{}, index.Sentences("en", "")); s.Text != "" || s.Matched {
		t.Errorf("snippet of nothing: %v", s)
	}
}

func TestUpdateReplacesAndRemoves(t *testing.T) {
	x := open(t, index.Doc{ID: 1, Lang: "en", Title: "Lemons"}, index.Doc{ID: 2, Lang: "en", Title: "Oranges"})
	update(t, x, 2, index.Doc{ID: 1, Lang: "en", Title: "Apples"}, index.Doc{ID: 2, Deleted: true}, index.Doc{ID: 9, Deleted: true})
	for text, want := range map[string][]int64{"lemons": {}, "oranges": {}, "apples": {1}} {
		if got := ids(search(t, x, index.Query{Text: text, Exact: true})); !cmp.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", text, got, want)
		}
	}
	if x.Count() != 1 || x.Seq() != 2 {
		t.Errorf("count %d, seq %d", x.Count(), x.Seq())
	}
}

func TestReopenKeepsEverything(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "index")
	x := openDir(t, dir)
	update(t, x, 7, index.Doc{ID: 1, Lang: "it", Title: "Perché no", Body: "La città di Torino."})
	update(t, x, 8, index.Doc{ID: 2, Lang: "it", Title: "Addio"})
	update(t, x, 9, index.Doc{ID: 2, Deleted: true})
	closeIndex(t, x)
	if err := x.Update(10, nil); !errors.Is(err, index.ErrClosed) {
		t.Errorf("update of a closed index: %v", err)
	}
	if _, err := x.Search(context.Background(), index.Query{Text: "x"}); !errors.Is(err, index.ErrClosed) {
		t.Errorf("search of a closed index: %v", err)
	}
	x = openDir(t, dir)
	defer closeIndex(t, x)
	if x.Seq() != 9 || x.Count() != 1 || x.Rebuilt() {
		t.Errorf("seq %d, count %d, rebuilt %v", x.Seq(), x.Count(), x.Rebuilt())
	}
	// The word list comes back with the index.
	if r := search(t, x, index.Query{Text: "torinno"}); r.Corrected != "torino" || !cmp.Equal(ids(r), []int64{1}) {
		t.Errorf("typo after reopening: %q, %v", r.Corrected, ids(r))
	}
}

func TestOpenInUse(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "index")
	x := openDir(t, dir)
	defer closeIndex(t, x)
	if _, err := index.Open(dir, quiet); !errors.Is(err, index.ErrInUse) {
		t.Errorf("second open: %v", err)
	}
}

// TestDamage breaks an index in every way a disk might.
func TestDamage(t *testing.T) {
	files := func(dir, pattern string) []string {
		list, err := filepath.Glob(filepath.Join(dir, "store", pattern))
		if err != nil || len(list) == 0 {
			t.Fatalf("no %s: %v", pattern, err)
		}
		return list
	}
	for name, damage := range map[string]func(dir string) error{
		"older format": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "FORMAT"), []byte("newsie index 0\n"), 0o600)
		},
		"no format": func(dir string) error { return os.Remove(filepath.Join(dir, "FORMAT")) },
		"segment cut": func(dir string) error {
			return errors.Join(os.Truncate(files(dir, "*.zap")[0], 100))
		},
		"segment empty": func(dir string) error { return os.Truncate(files(dir, "*.zap")[0], 0) },
		"segment gone":  func(dir string) error { return os.Remove(files(dir, "*.zap")[0]) },
		"segment zeroed": func(dir string) error {
			info, err := os.Stat(files(dir, "*.zap")[0])
			if err != nil {
				return err
			}
			return os.WriteFile(files(dir, "*.zap")[0], make([]byte, info.Size()), 0o600)
		},
		"root cut":     func(dir string) error { return os.Truncate(files(dir, "root.bolt")[0], 4096) },
		"root garbage": func(dir string) error { return os.WriteFile(files(dir, "root.bolt")[0], []byte("garbage"), 0o600) },
		"other files": func(dir string) error {
			return errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o700), os.WriteFile(filepath.Join(dir, "x"), nil, 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "index")
			x := openDir(t, dir)
			update(t, x, 5, index.Doc{ID: 1, Lang: "en", Title: "Lemons"})
			closeIndex(t, x)
			if err := damage(dir); err != nil {
				t.Fatal(err)
			}
			x = openDir(t, dir)
			defer closeIndex(t, x)
			if !x.Rebuilt() || x.Seq() != 0 || x.Count() != 0 {
				t.Errorf("rebuilt %v, seq %d, count %d", x.Rebuilt(), x.Seq(), x.Count())
			}
			if _, err := os.Stat(dir + ".old"); err != nil {
				t.Errorf("not set aside: %v", err)
			}
			update(t, x, 1, index.Doc{ID: 1, Lang: "en", Title: "Lemons"})
			if got := ids(search(t, x, index.Query{Text: "lemon"})); !cmp.Equal(got, []int64{1}) {
				t.Errorf("after filling anew: %v", got)
			}
		})
	}
}

// TestCopyWhileWriting opens copies of the folder taken at any moment, as after
// a crash: each is whole at some position.
func TestCopyWhileWriting(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "index")
	x := openDir(t, dir)
	defer closeIndex(t, x)
	for n := int64(1); n <= 12; n++ {
		update(t, x, n, index.Doc{ID: n, Lang: "en", Title: "Lemons"})
	}
	copied := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Skip("a file was merged away while it was copied:", err)
	}
	y := openDir(t, copied)
	defer closeIndex(t, y)
	if !y.Rebuilt() && int64(y.Count()) != y.Seq() {
		t.Errorf("%d articles at position %d", y.Count(), y.Seq())
	}
}

// TestReadersAndWriters searches while articles come and go. Each article is
// one of a pair that is always changed in one batch, so that a reader must see
// both or none.
func TestReadersAndWriters(t *testing.T) {
	x := open(t)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				r, err := x.Search(ctx, index.Query{Text: "citrus", Limit: 100})
				if err != nil {
					t.Error(err)
					return
				}
				if r.Total%2 != 0 || r.Total != len(r.Hits) {
					t.Errorf("half a batch: %d of %d", len(r.Hits), r.Total)
					return
				}
				x.Snippet(r, index.Sentences("en", "Lemons are yellow. They grow on trees."))
				x.Count()
				if _, err := x.Nearest(ctx, "lemno", 3); err != nil {
					t.Error(err)
				}
				if _, err := x.Similar(ctx, index.Doc{ID: 1, Title: "Lemons", Lang: "en"}, 3); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for n := int64(1); n <= 40; n++ {
		id := n%10*2 + 1
		update(t, x, n,
			index.Doc{ID: id, Lang: "en", Title: "Lemons", Body: fmt.Sprint("citrus number ", n), Deleted: n%3 == 0},
			index.Doc{ID: id + 1, Lang: "zh-Hans", Title: "柠檬", Body: "也叫 citrus", Deleted: n%3 == 0})
	}
	close(done)
	readers.Wait()
}

func TestSearchStopsWithItsContext(t *testing.T) {
	x := open(t, index.Doc{ID: 1, Lang: "en", Title: "Lemons"})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := x.Search(ctx, index.Query{Text: "lemons"}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
