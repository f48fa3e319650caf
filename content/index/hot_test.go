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
		l, freqs := &hotList{}, map[uint32]float64{}
		for doc := uint32(rng.IntN(3)); len(l.docs) < rng.IntN(500); doc += 1 + uint32(rng.IntN(1+rng.IntN(40))) {
			l.docs, l.freqs = append(l.docs, doc), append(l.freqs, uint16(1+rng.IntN(9)))
			freqs[doc] = float64(l.freqs[len(l.freqs)-1])
		}
		only, want, got := roaring.New(), []uint32{}, []uint32{}
		for range rng.IntN(300) {
			only.Add(uint32(rng.IntN(6000)))
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
		if l.each(only, check); !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
		got = nil
		if l.each(nil, check); !slices.Equal(got, l.docs) {
			t.Fatalf("whole: got %v, want %v", got, l.docs)
		}
	}
}

func TestHotListsForgetWhatIsNotUsed(t *testing.T) {
	var c hotLists
	list := func() *hotList { return &hotList{docs: make([]uint32, hotBytes/hotSize/10)} }
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
