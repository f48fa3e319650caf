package index

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestPruningIsExact compares rankings with pruning against scoring everything,
// over random libraries in several segments, with deletes, filters, priors and
// groups of several terms. Documents, scores and their order must be the same.
func TestPruningIsExact(t *testing.T) {
	for seed := uint64(1); seed <= 6; seed++ {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 7))
			x := randomLibrary(t, rng)
			v, err := x.view()
			if err != nil {
				t.Fatal(err)
			}
			defer v.close()
			pruned := 0
			for range 120 {
				groups := randomGroups(t, rng, v)
				q := randomRanking(rng, v, groups)
				run := func(exhaustive bool) []scored {
					r := q
					r.groups, r.exhaustive = slices.Clone(groups), exhaustive
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
				want, got := run(true), run(false)
				if !slices.Equal(want, got) {
					t.Fatalf("k %d, essential %d of %d, slack %.1f: %d documents, want %d\n%v\n%v", q.k, q.essential, len(groups), q.slack, len(got), len(want), got, want)
				}
				if len(want) > 0 && q.k < 50 {
					pruned++
				}
			}
			if pruned == 0 {
				t.Error("nothing was ever pruned")
			}
		})
	}
}

// randomRanking asks in one of the ways that searches do: with a filter, a prior
// for being new or for a language, a floor, a title that is the query.
func randomRanking(rng *rand.Rand, v *view, groups []*group) ranking {
	r := ranking{view: v, k: []int{1, 3, 10, 50}[rng.IntN(4)], essential: 1 + rng.IntN(max(len(groups), 1))}
	if rng.IntN(2) == 0 {
		r.essential = len(groups)
	}
	if len(groups) > 0 && rng.IntN(4) == 0 {
		groups[rng.IntN(len(groups))].flat = true
		for _, g := range groups {
			g.weigh(v.docs, g.df)
		}
	}
	if rng.IntN(3) == 0 {
		for _, s := range v.segments {
			b := s.live()
			for doc := range s.stats.lengths {
				if rng.IntN(3) == 0 {
					b.Remove(uint32(doc))
				}
			}
			r.allowed = append(r.allowed, b)
		}
	}
	if rng.IntN(4) == 0 && len(groups) > 0 {
		r.floor = groups[0].bound / 3
	}
	switch seed := rng.Uint32(); rng.IntN(4) {
	case 0:
		r.slack = 1.1 // which no document gets
	case 1:
		r.slack = 1.5
		r.prior = func(seg int, doc uint32) float64 { return 1 + .5*float64((doc+uint32(seg))*seed%97)/97 }
	case 2:
		r.slack = 1.25 * 1.1
		loved := uint8(rng.IntN(len(v.langs)))
		r.most = slices.Repeat([]float64{1.1}, len(v.byLang))
		r.most[loved] = r.slack
		r.prior = func(seg int, doc uint32) float64 {
			prior := 1 + .1*float64((doc+uint32(seg))*seed%97)/97
			if v.segments[seg].stats.lang[doc] == loved {
				prior *= 1.25
			}
			return prior
		}
	}
	return r
}

// randomLibrary holds documents of words with a steep distribution, w0 in nearly
// all of them, in several segments, some replaced and some removed.
func randomLibrary(t *testing.T, rng *rand.Rand) *Index {
	x, err := Open(filepath.Join(t.TempDir(), "index"), Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.Close() })
	zipf := rand.NewZipf(rng, 1.2, 2, 400)
	for batch := range 5 {
		var docs []Doc
		for range 60 + rng.IntN(400) {
			d := Doc{ID: int64(rng.IntN(1500)), Lang: []string{"xx", "yy"}[rng.IntN(2)]}
			d.Deleted = batch > 0 && rng.IntN(4) == 0
			var b strings.Builder
			for range 1 + rng.IntN(60) {
				fmt.Fprintf(&b, "w%dw ", zipf.Uint64())
			}
			d.Body = b.String()
			docs = append(docs, d)
		}
		if err := x.Update(int64(batch), docs); err != nil {
			t.Fatal(err)
		}
	}
	return x
}

func randomGroups(t *testing.T, rng *rand.Rand, v *view) []*group {
	var groups []*group
	for range 1 + rng.IntN(8) {
		g := &group{boost: []float64{1, 1, .5, 2}[rng.IntN(4)]}
		for range 1 + rng.IntN(2)*rng.IntN(3) {
			word := rng.IntN(1 + rng.IntN(400))
			g.variants = append(g.variants, variant{fieldWords, fmt.Sprintf("w%dw", word), 1 - rng.Float64()/2})
		}
		if err := v.lookup(g); err != nil {
			t.Fatal(err)
		}
		if g.df == 0 {
			continue
		}
		g.weigh(v.docs, g.df)
		groups = append(groups, g)
	}
	return groups
}

// TestScoreIsBM25 checks a score against the formula written out.
func TestScoreIsBM25(t *testing.T) {
	x, err := Open(filepath.Join(t.TempDir(), "index"), Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	err = x.Update(1, []Doc{
		{ID: 1, Lang: "xx", Body: "a1 a1 b1 c1"}, {ID: 2, Lang: "xx", Body: "b1 c1"}, {ID: 3, Lang: "xx", Body: "c1 c1 c1 c1 c1 c1"},
		{ID: 4, Lang: "xx", Body: "a1"}, {ID: 4, Deleted: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	v, err := x.view()
	if err != nil {
		t.Fatal(err)
	}
	defer v.close()
	g := &group{variants: []variant{{fieldWords, "a1", 1}}, boost: 1}
	if err := v.lookup(g); err != nil {
		t.Fatal(err)
	}
	g.weigh(v.docs, g.df)
	found, err := (&ranking{view: v, groups: []*group{g}, essential: 1, k: 3}).run(new(scratch))
	if err != nil {
		t.Fatal(err)
	}
	// N = 3, df = 1: idf = ln(1 + 2.5/1.5) = .980829; tf = 2, length and average 4:
	// .980829 · 1.9 · 2 / (2 + .9) = 1.285224
	if len(found) != 1 || found[0].score < 1.285223 || found[0].score > 1.285225 {
		t.Errorf("got %v", found)
	}
}
