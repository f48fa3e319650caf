package index_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"newsie/content/index"
)

// older makes the folder of an index of a readable older format, with articles
// 1 to n at positions 1 to n.
func older(t *testing.T, n int64) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "index")
	x := openDir(t, dir)
	for id := int64(1); id <= n; id++ {
		update(t, x, id, index.Doc{ID: id, Lang: "en", Title: fmt.Sprint("Lemons ", id)})
	}
	closeIndex(t, x)
	if err := os.WriteFile(filepath.Join(dir, "FORMAT"), []byte("newsie index 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func count(t *testing.T, x *index.Index) int {
	t.Helper()
	return search(t, x, index.Query{Text: "lemons"}).Total
}

func gone(dir string) bool {
	_, err := os.Stat(dir + ".old")
	return errors.Is(err, fs.ErrNotExist)
}

func TestOlderFormatAnswersUntilTheNewOneHasCaughtUp(t *testing.T) {
	dir := older(t, 4)
	x := openDir(t, dir)
	if !x.Rebuilt() || !x.StandsIn() || x.Seq() != 0 || x.Count() != 0 || count(t, x) != 4 {
		t.Fatalf("rebuilt %v, stands in %v, seq %d, count %d, found %d", x.Rebuilt(), x.StandsIn(), x.Seq(), x.Count(), count(t, x))
	}
	update(t, x, 2, index.Doc{ID: 1, Lang: "en", Title: "Lemons"}, index.Doc{ID: 2, Lang: "en", Title: "Lemons"})
	if !x.StandsIn() || x.Seq() != 2 || count(t, x) != 4 {
		t.Errorf("half way: stands in %v, seq %d, found %d", x.StandsIn(), x.Seq(), count(t, x))
	}
	// The process ends and goes on.
	closeIndex(t, x)
	x = openDir(t, dir)
	if x.Rebuilt() || !x.StandsIn() || x.Seq() != 2 || count(t, x) != 4 {
		t.Errorf("opened half way: rebuilt %v, stands in %v, seq %d, found %d", x.Rebuilt(), x.StandsIn(), x.Seq(), count(t, x))
	}
	if _, err := x.Similar(context.Background(), index.Doc{ID: 9, Title: "Lemons"}, 3); err != nil {
		t.Error(err)
	}
	update(t, x, 4, index.Doc{ID: 3, Lang: "en", Title: "Lemons"}, index.Doc{ID: 4, Lang: "en", Title: "Oranges"})
	if x.StandsIn() || count(t, x) != 3 {
		t.Errorf("caught up: stands in %v, found %d", x.StandsIn(), count(t, x))
	}
	closeIndex(t, x)
	if !gone(dir) {
		t.Error("the old index is still there")
	}
	x = openDir(t, dir)
	defer closeIndex(t, x)
	if x.Rebuilt() || x.StandsIn() || count(t, x) != 3 {
		t.Errorf("opened after: rebuilt %v, stands in %v, found %d", x.Rebuilt(), x.StandsIn(), count(t, x))
	}
}

// TestOlderFormatGivesWayToReaders searches while the new index takes over:
// every answer is from the one or the other, whole.
func TestOlderFormatGivesWayToReaders(t *testing.T) {
	dir := older(t, 6)
	x := openDir(t, dir)
	defer closeIndex(t, x)
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
				r, err := x.Search(context.Background(), index.Query{Text: "lemons"})
				if err != nil || r.Total != 6 {
					t.Errorf("found %d, %v", r.Total, err)
					return
				}
			}
		})
	}
	for id := int64(1); id <= 6; id++ {
		update(t, x, id, index.Doc{ID: id, Lang: "en", Title: "Lemons"})
	}
	close(done)
	readers.Wait()
	if x.StandsIn() {
		t.Error("the old index still answers")
	}
}

// TestDamageWhileAnOlderFormatAnswers breaks the new index before it caught up:
// the old one goes on answering.
func TestDamageWhileAnOlderFormatAnswers(t *testing.T) {
	dir := older(t, 3)
	x := openDir(t, dir)
	update(t, x, 1, index.Doc{ID: 1, Lang: "en", Title: "Lemons"})
	closeIndex(t, x)
	if err := os.WriteFile(filepath.Join(dir, "store", "root.bolt"), []byte("garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	x = openDir(t, dir)
	defer closeIndex(t, x)
	if !x.Rebuilt() || !x.StandsIn() || x.Seq() != 0 || count(t, x) != 3 {
		t.Errorf("rebuilt %v, stands in %v, seq %d, found %d", x.Rebuilt(), x.StandsIn(), x.Seq(), count(t, x))
	}
}

// TestDamagedOlderFormatIsNoHindrance: nothing can answer, and the new index
// begins all the same.
func TestDamagedOlderFormatIsNoHindrance(t *testing.T) {
	dir := older(t, 3)
	if err := os.WriteFile(filepath.Join(dir, "store", "root.bolt"), []byte("garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	x := openDir(t, dir)
	defer closeIndex(t, x)
	if x.StandsIn() || count(t, x) != 0 {
		t.Errorf("stands in %v, found %d", x.StandsIn(), count(t, x))
	}
	update(t, x, 1, index.Doc{ID: 1, Lang: "en", Title: "Lemons"})
	if got := ids(search(t, x, index.Query{Text: "lemons"})); !cmp.Equal(got, []int64{1}) {
		t.Errorf("found %v", got)
	}
}
