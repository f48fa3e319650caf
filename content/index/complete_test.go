package index_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"newsie/content/index"
)

// Half a word finds what a reader is about to type, where nothing has it whole.
func TestUnfinishedWordsFindWhatBeginsSo(t *testing.T) {
	x := library(t)
	for _, c := range []struct {
		query string
		want  []int64 // in any order
	}{
		{"progr", []int64{4}}, {"Programm", []int64{4}}, {"festiv", []int64{4}},
		{"econ", []int64{3, 11}}, {"negoz", []int64{3}}, {"artificiell", []int64{11}},
		{"rivals progr", []int64{4}}, {"shops progr", []int64{4}},
		{"мос", []int64{6}}, {"москов", []int64{6}}, {"größ", []int64{5}}, {"gros", []int64{5}}, {"munch", []int64{5}},
		{"weid", []int64{1, 3}}, {"chongq", []int64{12}}, // Chinese names as they are spelled
		{"微店", []int64{1, 3}}, {"微", []int64{1}},
		{"way", []int64{10}}, // is whole: nothing is added
		{"th", []int64{}},    // of function words
		{"p", []int64{}},     // is anything
		{"progr festiv", []int64{4}},
		{"xqz", []int64{}},
		{"", []int64{}},
		{strings.Repeat("a", 5000), []int64{}},
	} {
		got := map[int64]bool{}
		for _, id := range ids(search(t, x, index.Query{Text: c.query, Unfinished: true})) {
			got[id] = true
		}
		want := map[int64]bool{}
		for _, id := range c.want {
			want[id] = true
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.query, diff)
		}
	}
}

func TestOnlyTheLastWordOfAnUnfinishedQueryGoesOn(t *testing.T) {
	x := library(t)
	for _, q := range []index.Query{{Text: "progr"}, {Text: "progr", Unfinished: true, Exact: true}, {Text: "progr xqzptlk", Unfinished: true}} {
		if r := search(t, x, q); len(r.Hits) != 0 {
			t.Errorf("%+v finds %v", q, ids(r))
		}
	}
	r := search(t, x, index.Query{Text: "rivals progr", Unfinished: true})
	if len(r.Dropped) != 0 || r.Corrected != "" {
		t.Errorf("dropped %q, corrected %q: half a word is neither unknown nor a typo", r.Dropped, r.Corrected)
	}
}
