package index

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"reflect"
	"testing"
)

// TestCompact merges an index that was filled in many steps, while it is asked
// and changed, and ends one that is being merged.
func TestCompact(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "index")
	open := func() *Index {
		t.Helper()
		x, err := Open(dir, Options{Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	segments := func(x *Index) int {
		t.Helper()
		v, err := x.own()
		if err != nil {
			t.Fatal(err)
		}
		defer v.close()
		return len(v.segments)
	}
	ask := func(x *Index) Result {
		t.Helper()
		r, err := x.Search(context.Background(), Query{Text: "lemons number seven", Limit: 30})
		if err != nil || len(r.Hits) != 30 {
			t.Fatalf("%d hits, %v", len(r.Hits), err)
		}
		return r
	}
	x := open()
	n := int64(0)
	fill := func(many int) {
		t.Helper()
		var docs []Doc
		for range many {
			n++
			docs = append(docs, Doc{ID: n, Lang: "en", Title: fmt.Sprint("Lemons number ", n), Body: fmt.Sprint("seven", n%7)})
		}
		if err := x.Update(n, docs); err != nil {
			t.Fatal(err)
		}
	}
	for range 20 {
		fill(300)
	}
	x.Compact() // ended at once
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	x = open()
	if x.Rebuilt() || x.Count() != int(n) {
		t.Fatalf("rebuilt %v, %d articles of %d", x.Rebuilt(), x.Count(), n)
	}
	for !x.scattered() {
		fill(400)
	}
	before := segments(x)
	want := ask(x)
	x.Compact()
	got := ask(x)
	x.merging.Wait()
	if got, after := ask(x), segments(x); after >= before || !reflect.DeepEqual(got.Hits, want.Hits) {
		t.Errorf("%d segments of %d, same hits %v", after, before, reflect.DeepEqual(got.Hits, want.Hits))
	}
	if !reflect.DeepEqual(got.Hits, want.Hits) {
		t.Errorf("meanwhile: %v, want %v", got.Hits, want.Hits)
	}
	fill(1)
	if x.Compact(); x.compacting.Load() {
		t.Error("what lies well is merged again")
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
}
