package content_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"newsie/content"
	"newsie/content/index"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

func suggested(t testing.TB, l *content.Library, prefix string, filter content.Filter) []string {
	t.Helper()
	list, err := l.Suggest(t.Context(), prefix, "en", filter, 8)
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{}
	for _, s := range list {
		texts = append(texts, s.Text)
	}
	return texts
}

func TestSuggestions(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		l := open(t, db, t.TempDir(), func() time.Time { return start })
		tagged := func(key, title, lang string, tags ...string) content.Article {
			a := article(key, title, "Nothing about it.")
			a.Lang, a.Tags = lang, tags
			return a
		}
		first, _ := add(t, l, tagged("a", "Lighthouse keepers", "en", "Lighthouses", "sea"))
		add(t, l, tagged("b", "Lightning rods", "en", "weather"))
		add(t, l, tagged("c", "微店如何开店", "zh-Hans", "电商"))
		draft := tagged("d", "Lightly salted", "en", "Lighter")
		draft.State, draft.Published = content.Waiting, start.Add(time.Hour)
		add(t, l, draft)
		follow(t, l)
		want := []string{"Lightning rods", "Lighthouse keepers", "Lighthouses"}
		if diff := cmp.Diff(want, suggested(t, l, "light", content.Filter{})); diff != "" {
			t.Error(diff)
		}
		if got := suggested(t, l, "wd", content.Filter{}); !slices.Equal(got, []string{"微店如何开店"}) {
			t.Errorf("initials: %q", got)
		}
		if got := suggested(t, l, "light", content.Filter{Tags: []string{"weather"}}); !slices.Equal(got, []string{"Lightning rods"}) {
			t.Errorf("of one tag: %q", got)
		}
		// Withdrawn is gone at once, before the index has heard of it.
		if err := l.Withdraw(t.Context(), first.ID); err != nil {
			t.Fatal(err)
		}
		for _, when := range []string{"at once", "when the index knows"} {
			if got := suggested(t, l, "light", content.Filter{}); !slices.Equal(got, []string{"Lightning rods"}) {
				t.Errorf("withdrawn, %s: %q", when, got)
			}
			follow(t, l)
		}
		if got := suggested(t, l, strings.Repeat("light ", 2000), content.Filter{}); len(got) > 0 {
			t.Errorf("12,000 characters: %q", got)
		}
	})
}

// The summary stands in for the snippet when only a synonym was found, unless
// the text has it; topics and "search instead for" use synonyms too.
func TestSynonymsOfALibrary(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		l := open(t, db, t.TempDir(), func() time.Time { return start })
		inTitle := article("a", "The JD.com papers", "Nobody delivers faster. The vans leave at dawn.")
		inTitle.Summary = "Vans at dawn."
		inText := article("b", "Parcels", "Everybody knows it. Nobody delivers faster than JD.com does.")
		inText.Summary = "Parcels by noon."
		a, _ := add(t, l, inTitle)
		b, _ := add(t, l, inText)
		follow(t, l)
		rules, err := index.ParseSynonyms(strings.NewReader("jd, jd.com, 京东, jingdong"))
		if err != nil {
			t.Fatal(err)
		}
		l.SetSynonyms(rules)
		for _, exact := range []bool{false, true} {
			results, err := l.Search(t.Context(), content.Query{Text: "京東", Exact: exact})
			if err != nil || len(results.Hits) != 2 || len(results.Synonyms) != 1 {
				t.Fatalf("exact %v: %+v, %v", exact, results, err)
			}
			for _, hit := range results.Hits {
				s := hit.Snippet
				switch hit.Article.ID {
				case a.ID:
					if s.Text != "Vans at dawn." || len(s.Marks) > 0 {
						t.Errorf("in the title: %+v", s)
					}
				case b.ID:
					if len(s.Marks) != 1 || s.Text[s.Marks[0].Start:s.Marks[0].End] != "JD.com" {
						t.Errorf("in the text: %+v", s)
					}
				}
			}
		}
		ids, _, err := l.Matches(t.Context(), "京东", "zh-Hans", content.Filter{}, 0, b.Seq, 10)
		if err != nil || len(ids) != 2 {
			t.Errorf("the topic brings %v, %v", ids, err)
		}
	})
}

// BenchmarkSuggestions measures suggestions with their titles read from SQLite,
// on BENCH_DOCS articles (2,000 when not set):
//
//	BENCH_DOCS=100000 go test -run '^$' -bench Suggestions -benchtime 1x -timeout 1h ./content
func BenchmarkSuggestions(b *testing.B) {
	size := 2000
	if n, err := strconv.Atoi(os.Getenv("BENCH_DOCS")); err == nil {
		size = n
	}
	l := open(b, databasetest.SQLite(b), b.TempDir(), time.Now)
	for from := 0; from < size; from += 500 {
		var list []content.Arrival
		for i := from; i < min(from+500, size); i++ {
			words := strings.Fields("harbour report lighthouse keeper winter market price of tea and sugar in the northern provinces")
			title := fmt.Sprintf("%s %s %d", words[i%13], words[i*7%11], i)
			list = append(list, content.Arrival{Article: article(strconv.Itoa(i), title, "Text.")})
		}
		if _, err := l.AddAll(b.Context(), list); err != nil {
			b.Fatal(err)
		}
	}
	follow(b, l)
	prefixes := []string{"h", "ha", "harb", "harbour rep", "lighthouse keeper 1", "t", "te", "tea", "winter", "zz", "wd", "r"}
	suggested(b, l, "h", content.Filter{})
	for b.Loop() {
		var took []time.Duration
		for range 50 {
			for _, p := range prefixes {
				began := time.Now()
				suggested(b, l, p, content.Filter{})
				took = append(took, time.Since(began))
			}
		}
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
		b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
	}
	b.ReportMetric(0, "ns/op")
}
