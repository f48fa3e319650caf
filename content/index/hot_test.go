package index

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
)

// TestHotListVisitsWhatIsAsked compares a list with a map, for any share of it.
func TestHotListVisitsWhatIsAsked(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 300 {
		docs, freqs, l := roaring.New(), map[uint32]float64{}, hotList{}
		for doc, most := uint32(rng.IntN(3)), rng.IntN(3000); len(l) < most; doc += 1 + uint32(rng.IntN(1+rng.IntN(40))) {
			docs.Add(doc)
			l = append(l, uint8(1+rng.IntN(9)))
			freqs[doc] = float64(l[len(l)-1])
		}
		only, want, got := roaring.New(), []uint32{}, []uint32{}
		for range rng.IntN(600) {
			only.Add(uint32(rng.IntN(40000)))
		}
		if rng.IntN(2) == 0 {
			only.Or(docs)
			only.RemoveRange(0, uint64(rng.IntN(20000)))
		}
		for it := only.Iterator(); it.HasNext(); {
			if doc := it.Next(); freqs[doc] > 0 {
				want = append(want, doc)
			}
		}
		check := func(doc uint32, freq float64) {
			if freqs[doc] != freq {
				t.Errorf("document %d: frequency %v, want %v", doc, freq, freqs[doc])
			}
			got = append(got, doc)
		}
		if l.each(docs, only, check); !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
		got = []uint32{}
		if l.each(docs, nil, check); !slices.Equal(got, docs.ToArray()) {
			t.Fatalf("whole: got %v, want %v", got, docs)
		}
	}
}

func TestHotListsForgetWhatIsNotUsed(t *testing.T) {
	var c hotLists
	list := func() hotList { return make(hotList, hotBytes/10) }
	key := func(n int) hotKey { return hotKey{segment: uint64(n)} }
	for n := range 100 {
		c.put(key(n), list())
		if c.get(key(0)) == nil {
			t.Fatalf("the list in use is gone after %d others", n)
		}
		if size := len(c.young) + len(c.old); size > 12 {
			t.Fatalf("%d lists are kept", size)
		}
	}
	if c.get(key(50)) != nil {
		t.Error("a list that nobody uses is kept")
	}
}
