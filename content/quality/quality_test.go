package quality_test

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"newsie/content/quality"
)

// write makes a set in a folder.
func write(t *testing.T, name string, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	for path, text := range files {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func harbour() map[string]string {
	return map[string]string{
		"corpus.jsonl": "\ufeff" + `{"_id": "a", "title": "The lighthouse", "text": "The lighthouse keeper lights the lamp at dusk.\nHe counts the ships."}
{"_id": "b", "title": "The ferry", "text": "The ferry crosses the harbour twice a day and carries the mail.", "metadata": {"lang": "en"}}

{"_id": "c", "title": "The market", "text": "Fishermen sell herring on the harbour market before sunrise."}
`,
		"queries.jsonl": `{"_id": "1", "text": "lighthouse keeper"}
{"_id": "2", "text": "harbour"}
{"_id": "3", "text": "submarine"}
{"_id": "4", "text": "nobody judged this"}
`,
		"qrels/test.tsv": "query-id\tcorpus-id\tscore\n1\ta\t1\n2\tb\t1\n2\tc\t2\n2\ta\t0\n3\ta\t1\n",
	}
}

func TestRetrieval(t *testing.T) {
	set, err := quality.ReadSet(write(t, "harbour", harbour()))
	if err != nil {
		t.Fatal(err)
	}
	trial, err := quality.NewTrial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := trial.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := trial.Add(t.Context(), set, nil); err != nil {
		t.Fatal(err)
	}
	r, err := trial.Retrieve(t.Context(), set)
	if err != nil {
		t.Fatal(err)
	}
	if r.Set != "harbour" || r.Texts != 3 || r.Queries != 3 {
		t.Errorf("%s: %d texts, %d queries", r.Set, r.Texts, r.Queries)
	}
	// Query 1 is answered first, 2 finds both its texts, 3 finds nothing.
	if !near(r.MRR10, 2.0/3) || !near(r.Success5, 2.0/3) || !near(r.Recall100, 2.0/3) {
		t.Errorf("MRR %f, success %f, recall %f", r.MRR10, r.Success5, r.Recall100)
	}
	// The shorter b and c are near; whichever is first, gains are 3 for c and 1 for b.
	best, worst := (1+1.0)/3, (1+(1+3/math.Log2(3))/(3+1/math.Log2(3)))/3
	if !near(r.NDCG10, best) && !near(r.NDCG10, worst) {
		t.Errorf("nDCG %f, want %f or %f", r.NDCG10, best, worst)
	}
	if r.IndexMB <= 0 || r.P50 <= 0 || r.P99 < r.P50 {
		t.Errorf("index %f MB, p50 %f, p99 %f", r.IndexMB, r.P50, r.P99)
	}

	typos, err := trial.Misspell(t.Context(), set, 7)
	if err != nil {
		t.Fatal(err)
	}
	again, err := trial.Misspell(t.Context(), set, 7)
	if err != nil || again != typos {
		t.Errorf("the same seed gave %+v, then %+v, %v", typos, again, err)
	}
	if typos.Queries != 2 || typos.Clean != 1 || typos.Typo >= typos.Clean || typos.Repaired <= typos.Typo {
		t.Errorf("%+v", typos)
	}
	if err := trial.Add(t.Context(), set, nil); err == nil {
		t.Error("a set was added twice")
	}
}

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

func TestBadSets(t *testing.T) {
	for name, c := range map[string]struct{ file, text, want string }{
		"no corpus":          {"corpus.jsonl", "", "no such file"},
		"broken line":        {"corpus.jsonl", "{\"_id\": \"a\", \"text\": \"x\"}\n{", "corpus.jsonl: line 2: unexpected end"},
		"an id twice":        {"corpus.jsonl", "{\"_id\": \"a\"}\n{\"_id\": \"a\"}", "line 2: _id \"a\" is empty or used before"},
		"not UTF-8":          {"corpus.jsonl", "{\"_id\": \"\xff\"}", "line 1: not UTF-8"},
		"fields missing":     {"qrels/test.tsv", "query-id\tcorpus-id\tscore\n1 a 1", "test.tsv: line 2: there must be three fields"},
		"a score in words":   {"qrels/test.tsv", "1\ta\tone", "line 1: score \"one\" is not a whole number"},
		"an unknown text":    {"qrels/test.tsv", "1\tz\t1", "line 1: corpus-id \"z\" is not in corpus.jsonl"},
		"nothing judged":     {"qrels/test.tsv", "query-id\tcorpus-id\tscore\n", "no query has a text that answers it"},
		"a query without id": {"queries.jsonl", `{"text": "x"}`, "queries.jsonl: line 1: _id is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			files := harbour()
			if files[c.file] = c.text; c.text == "" {
				delete(files, c.file)
			}
			if _, err := quality.ReadSet(write(t, "bad", files)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestSnippetsInTheAnswer(t *testing.T) {
	dir := write(t, "s", map[string]string{
		"good.jsonl": `{"query": "who counts the ships", "title": "", "text": "The lamp is lit at dusk by a machine.\nThe keeper counts the ships every morning.", "answer": "The keeper counts the ships every morning.", "lang": "en"}
{"query": "", "text": "A line without a question.", "answer": "A line without a question."}
{"query": "when is the lamp lit", "text": "The keeper counts the ships every morning.\nThe lamp is lit at dusk.", "answer": "The keeper counts the ships every morning.", "lang": "en"}
`,
		"bad.jsonl": `{"query": "a", "text": "b", "answer": "c"}`,
	})
	trial, err := quality.NewTrial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = trial.Close() }()
	got, err := trial.ShowSnippets(t.Context(), filepath.Join(dir, "good.jsonl"))
	if want := (quality.Snippets{Set: "good", Queries: 2, Skipped: 1, Share: .5}); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if _, err := trial.ShowSnippets(t.Context(), filepath.Join(dir, "bad.jsonl")); err == nil || !strings.Contains(err.Error(), "line 1: the answer does not stand in the text") {
		t.Errorf("got %v", err)
	}
}
