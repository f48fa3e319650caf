package quality

import (
	"context"
	"math"
	"slices"
	"time"

	"newsie/content"
)

// depth is how many hits of a query are judged, as recall@100 asks.
const depth = 100

// A Retrieval is how well the queries of a set were answered, each figure the
// mean over the queries.
type Retrieval struct {
	Set       string  `json:"set"`
	Texts     int     `json:"texts"`
	Queries   int     `json:"queries"`
	NDCG10    float64 `json:"ndcg10"`    // Järvelin & Kekäläinen, 2002, with gains 2^score - 1 and log2 discounts
	MRR10     float64 `json:"mrr10"`     // one over the rank of the first good text, 0 after the tenth
	Success5  float64 `json:"success5"`  // share with a good text among the first five
	Recall100 float64 `json:"recall100"` // share of the good texts among the first hundred
	P50       float64 `json:"p50_ms"`    // of answering with five hits and their snippets, milliseconds
	P99       float64 `json:"p99_ms"`
	IndexMB   float64 `json:"index_mb"` // of the whole library
	Typos     *Typos  `json:"typos,omitempty"`
}

// Retrieve asks the queries of a set and judges what is found.
func (t *Trial) Retrieve(ctx context.Context, set Set) (Retrieval, error) {
	r := Retrieval{Set: set.Name, Texts: len(set.Texts), Queries: len(set.Queries), IndexMB: float64(t.Size()) / 1e6}
	var took []time.Duration
	for _, q := range set.Queries {
		start := time.Now()
		if _, err := t.library.Search(ctx, content.Query{Text: q.Text, Limit: 5}); err != nil {
			return r, err
		}
		took = append(took, time.Since(start))
		found, err := t.ask(ctx, content.Query{Text: q.Text, Limit: depth}, set.Name)
		if err != nil {
			return r, err
		}
		relevant := set.Relevant[q.ID]
		r.NDCG10 += ndcg(found, relevant, 10)
		r.MRR10 += reciprocal(found, relevant, 10)
		if reciprocal(found, relevant, 5) > 0 {
			r.Success5++
		}
		r.Recall100 += recall(found, relevant)
	}
	n := float64(len(set.Queries))
	r.NDCG10, r.MRR10, r.Success5, r.Recall100 = r.NDCG10/n, r.MRR10/n, r.Success5/n, r.Recall100/n
	slices.Sort(took)
	r.P50, r.P99 = milliseconds(took[len(took)/2]), milliseconds(took[len(took)*99/100])
	return r, nil
}

// ask returns the texts found, best first; "" is one of another set. A text that
// a set or two have twice is judged each time, though readers see it once.
func (t *Trial) ask(ctx context.Context, q content.Query, set string) ([]string, error) {
	q.Filter.Copies = true
	results, err := t.library.Search(ctx, q)
	if err != nil {
		return nil, err
	}
	found := make([]string, 0, len(results.IDs))
	for _, id := range results.IDs {
		text := ""
		if k := t.keys[id]; k.set == set {
			text = k.text
		}
		found = append(found, text)
	}
	return found, nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// ndcg is the normalized discounted cumulative gain of the first k.
func ndcg(found []string, relevant map[string]int, k int) float64 {
	gain := func(score, at int) float64 { return (math.Exp2(float64(score)) - 1) / math.Log2(float64(at)+2) }
	var got, best float64
	for i, text := range found[:min(k, len(found))] {
		got += gain(relevant[text], i)
	}
	var scores []int
	for _, score := range relevant {
		scores = append(scores, score)
	}
	slices.SortFunc(scores, func(a, b int) int { return b - a })
	for i, score := range scores[:min(k, len(scores))] {
		best += gain(score, i)
	}
	return got / best
}

func reciprocal(found []string, relevant map[string]int, k int) float64 {
	for i, text := range found[:min(k, len(found))] {
		if relevant[text] > 0 {
			return 1 / float64(i+1)
		}
	}
	return 0
}

func recall(found []string, relevant map[string]int) float64 {
	n := 0
	for _, text := range found {
		if relevant[text] > 0 {
			n++
		}
	}
	return float64(n) / float64(len(relevant))
}
