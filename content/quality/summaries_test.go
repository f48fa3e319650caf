package quality_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"newsie/content"
	"newsie/content/quality"
	"newsie/content/summary"
)

const ferry = "The last rowing ferry on the Ember stopped this week. Its owner blames the new bridge for it. He will keep the bell.\\n" +
	"The fare was a penny until the year of the flood. Nobody was ever left on the bank of the river."

func TestSummaries(t *testing.T) {
	lines := `{"text":"` + ferry + `","summary":"The rowing ferry on the Ember stopped.","lang":"en"}` + "\n\n" +
		`{"text":"恩伯河上最后一条手摇渡船本周停航。船主说，新桥带走了几乎所有的乘客。他留下了那口钟。","summary":"恩伯河最后的渡船停航","title":"渡船","extra":1}`
	for _, start := range []string{"", "\ufeff"} {
		got, err := quality.Summaries(strings.NewReader(start + lines))
		if err != nil {
			t.Fatal(err)
		}
		if got.Items != 2 {
			t.Errorf("%d items", got.Items)
		}
		for name, score := range map[string]quality.SummaryScore{"ours": got.Ours, "lead1": got.Lead1, "lead3": got.Lead3, "lead": got.Lead} {
			if score.One <= 0 || score.One > 1 || score.Two <= 0 || score.Two > score.One || score.L <= 0 || score.L > score.One {
				t.Errorf("%s: %+v", name, score)
			}
			if score.Length > got.Ours.Length {
				t.Errorf("%s is longer than ours: %.1f, %.1f", name, score.Length, got.Ours.Length)
			}
		}
		if got.Lead.Length != got.Ours.Length {
			t.Errorf("the opening has %.1f words, ours %.1f", got.Lead.Length, got.Ours.Length)
		}
		if got.Lead1.Length >= got.Lead3.Length {
			t.Errorf("one sentence has %.1f words, three %.1f", got.Lead1.Length, got.Lead3.Length)
		}
	}
}

// The figures are those of the summary that an article would get, and of its
// first words by hand.
func TestSummariesScoreWhatReadersGet(t *testing.T) {
	const reference = "The rowing ferry on the Ember stopped."
	got, err := quality.Summaries(strings.NewReader(`{"text":"` + ferry + `","summary":"` + reference + `","lang":"en"}`))
	if err != nil {
		t.Fatal(err)
	}
	first, second, _ := strings.Cut(ferry, `\n`)
	ours := summary.Summarize("en", "", []content.Block{{Kind: content.Paragraph, Text: first}, {Kind: content.Paragraph, Text: second}}, "")
	length := len(strings.Fields(ours))
	words := strings.Fields(first + " " + second)
	for _, c := range []struct {
		name, text string
		got        quality.SummaryScore
	}{
		{"ours", ours, got.Ours},
		{"lead1", "The last rowing ferry on the Ember stopped this week.", got.Lead1},
		{"lead3", strings.Join(strings.Fields(first)[:min(length, len(strings.Fields(first)))], " "), got.Lead3},
		{"lead", strings.Join(words[:length], " "), got.Lead},
	} {
		if want := quality.Compare(c.text, reference); math.Abs(c.got.One-want.One)+math.Abs(c.got.Two-want.Two)+math.Abs(c.got.L-want.L) > 1e-9 {
			t.Errorf("%s: %+v, want %+v", c.name, c.got.Rouge, want)
		}
		if want := float64(len(strings.Fields(c.text))); c.got.Length != want {
			t.Errorf("%s: length %.1f, want %.1f", c.name, c.got.Length, want)
		}
	}
}

func TestSummariesSayWhichLineIsBad(t *testing.T) {
	good := `{"text":"The ferry stopped.","summary":"It stopped."}`
	for _, c := range []struct{ name, lines, want string }{
		{"broken", good + "\n\n{", "line 3: "},
		{"another kind", good + "\n[]", "line 2: "},
		{"no text", `{"summary":"It stopped."}`, `line 1: no "text"`},
		{"no summary", good + "\n" + `{"text":"The ferry stopped.","summary":" "}`, `line 2: no "summary"`},
		{"too long", good + "\n" + strings.Repeat("x", 17<<20), "line 2: longer than 16 MB"},
		{"nothing", "\n \n", "no texts"},
	} {
		_, err := quality.Summaries(strings.NewReader(c.lines))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
	long := `{"text":"` + strings.Repeat("The ferry stopped. ", 150_000) + `","summary":"It stopped."}`
	if _, err := quality.Summaries(strings.NewReader(long)); err != nil {
		t.Errorf("a text of 3 MB: %v", err)
	}
}

func TestSummaryReportAsJSON(t *testing.T) {
	b, err := json.Marshal(quality.SummaryReport{Set: "s", Items: 1, Ours: quality.SummaryScore{Rouge: quality.Rouge{One: .5, Two: .25, L: .5}, Length: 9}})
	if err != nil {
		t.Fatal(err)
	}
	if want := `"ours":{"rouge1":0.5,"rouge2":0.25,"rougel":0.5,"length":9}`; !strings.Contains(string(b), want) {
		t.Errorf("got %s, want %s in it", b, want)
	}
}
