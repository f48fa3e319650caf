package index_test

import (
	"context"
	"testing"

	"newsie/content/index"
)

func open(t testing.TB, docs ...index.Doc) *index.Index {
	t.Helper()
	x, err := index.Open(t.TempDir(), index.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := x.Update(1, docs); err != nil {
		t.Fatal(err)
	}
	return x
}

func ids(t testing.TB, x *index.Index, q index.Query) []int64 {
	t.Helper()
	r, err := x.Search(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	list := []int64{}
	for _, h := range r.Hits {
		list = append(list, h.ID)
	}
	return list
}

func TestSmoke(t *testing.T) {
	x := open(t, index.Doc{ID: 1, Lang: "en", Title: "Hello world", Body: "Shops in Rome."}, index.Doc{ID: 2, Lang: "zh-Hans", Title: "微店开店", Body: "如何开微店"})
	t.Log(ids(t, x, index.Query{Text: "shop"}), ids(t, x, index.Query{Text: "微店"}), ids(t, x, index.Query{Text: "weidian"}))
}
