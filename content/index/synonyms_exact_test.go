package index

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	segment "github.com/blevesearch/scorch_segment_api/v2"
	"github.com/google/go-cmp/cmp"
)

// TestPruningIsExactWithSynonyms is TestPruningIsExact for groups that may be
// had another way, of one word or of several.
func TestPruningIsExactWithSynonyms(t *testing.T) {
	for seed := uint64(1); seed <= 4; seed++ {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 11))
			x := randomLibrary(t, rng)
			v, err := x.view()
			if err != nil {
				t.Fatal(err)
			}
			defer v.close()
			for range 100 {
				groups := randomGroups(t, rng, v)
				for _, g := range groups {
					if rng.IntN(3) > 0 {
						g.synonyms = append(g.synonyms, randomAlternatives(rng))
					}
					if err := v.lookup(g); err != nil {
						t.Fatal(err)
					}
					g.weigh(v.docs, g.df)
				}
				k := []int{1, 3, 10}[rng.IntN(3)]
				run := func(exhaustive bool) []scored {
					r := &ranking{view: v, groups: slices.Clone(groups), essential: len(groups), k: k, slack: 1.1, exhaustive: exhaustive}
					found, err := r.run(new(scratch))
					if err != nil {
						t.Fatal(err)
					}
					slices.SortFunc(found, func(a, b scored) int {
						if a.seg != b.seg {
							return a.seg - b.seg
						}
						return int(a.doc) - int(b.doc)
					})
					return found
				}
				if want, got := run(true), run(false); !slices.Equal(want, got) {
					t.Fatalf("k %d: %v, want %v", k, got, want)
				}
			}
		})
	}
}

func randomAlternatives(rng *rand.Rand) *alternatives {
	alt := &alternatives{lists: map[*segmentView]segment.PostingsList{}}
	for range 1 + rng.IntN(3) {
		var way [][]variant
		for range 1 + rng.IntN(2) {
			var any []variant
			for range 1 + rng.IntN(2) {
				any = append(any, variant{fieldWords, fmt.Sprintf("w%dw", rng.IntN(1+rng.IntN(40))), 1})
			}
			way = append(way, any)
		}
		alt.ways = append(alt.ways, way)
	}
	return alt
}

// The frequency of a synonym of several words is that of the rarest of them,
// and of several synonyms the greatest.
func TestFrequencyOfSynonyms(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	v, err := randomLibrary(t, rng).view()
	if err != nil {
		t.Fatal(err)
	}
	defer v.close()
	count := func(list segment.PostingsList) map[uint32]uint64 {
		m := map[uint32]uint64{}
		if list != nil {
			if err := eachPosting(list, nil, func(doc uint32, freq float64) { m[doc] += uint64(freq) }); err != nil {
				t.Fatal(err)
			}
		}
		return m
	}
	met := 0
	for range 60 {
		alt := randomAlternatives(rng)
		for _, s := range v.segments {
			want := map[uint32]uint64{}
			for _, way := range alt.ways {
				var least map[uint32]uint64
				for _, any := range way {
					sum := map[uint32]uint64{}
					for _, t2 := range any {
						list, err := s.list(t2.field, t2.term)
						if err != nil {
							t.Fatal(err)
						}
						for doc, n := range count(list) {
							sum[doc] += n
						}
					}
					if least == nil {
						least = sum
					}
					for doc, n := range least {
						least[doc] = min(n, sum[doc])
					}
				}
				for doc, n := range least {
					if n > want[doc] {
						want[doc] = n
					}
				}
			}
			list, err := alt.in(s)
			if err != nil {
				t.Fatal(err)
			}
			got := count(list)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%v (-want +got): %s", alt.ways, diff)
			}
			met += len(got)
		}
	}
	if met == 0 {
		t.Error("no document has any synonym")
	}
}
