package content_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"newsie/content"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

const report = `The river rose by four metres during the night and broke through the old dam above the market town shortly before dawn.
Firefighters brought more than two hundred people to safety in boats, the mayor told reporters in front of the flooded school.
The railway to the coast is closed until further notice, and the motorway can be used in one direction only.`

// from is the report as a source prints it.
func from(source, key, title string) content.Article {
	a := article(key, title, report+"\nRead more from "+source+".")
	a.Source = source
	return a
}

func ids(list ...content.Article) []int64 {
	out := []int64{}
	for _, a := range list {
		out = append(out, a.ID)
	}
	return out
}

func also(a content.Article) string {
	var names []string
	for _, c := range a.Also {
		names = append(names, fmt.Sprintf("%s:%d", c.Source, c.ID))
	}
	return strings.Join(names, " ")
}

func latest(t *testing.T, l *content.Library, f content.Filter) []content.Article {
	t.Helper()
	list, err := l.Latest(t.Context(), f, 50, 0)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := l.Count(t.Context(), f); err != nil || min(n, 50) != len(list) {
		t.Errorf("%d are counted and %d listed, %v", n, len(list), err)
	}
	return list
}

func TestAStoryOfTwoSourcesIsShownOnce(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		l := open(t, db, t.TempDir(), func() time.Time { return start })
		a, _ := add(t, l, from("herald", "1", "River breaks dam"))
		other, _ := add(t, l, article("9", "Boats on the river", "The boats of the river are painted every spring, dam or no dam."))
		b, _ := add(t, l, from("gazette", "2", "River breaks dam"))
		c, _ := add(t, l, from("courier", "3", "Dam breaks: river floods market town"))
		follow(t, l)

		if got := ids(latest(t, l, content.Filter{})...); !slices.Equal(got, ids(other, a)) {
			t.Errorf("latest: %v, want %v", got, ids(other, a))
		}
		if got := latest(t, l, content.Filter{Copies: true}); len(got) != 4 {
			t.Errorf("with copies: %v", ids(got...))
		}
		if got := latest(t, l, content.Filter{Sources: []string{"courier"}}); !slices.Equal(ids(got...), ids(c)) || also(got[0]) != fmt.Sprintf("herald:%d gazette:%d", a.ID, b.ID) {
			t.Errorf("of one source: %v", got)
		}
		if got := latest(t, l, content.Filter{Sources: []string{"courier", "gazette"}}); !slices.Equal(ids(got...), ids(b)) {
			t.Errorf("of two sources without the first: %v", ids(got...))
		}
		for query, want := range map[string][]int64{
			"dawn firefighters": ids(a), "river source:courier": ids(c), "source:gazette": ids(b), "market town floods": ids(a),
		} {
			r, err := l.Search(t.Context(), content.Query{Text: query})
			if err != nil || !slices.Equal(r.IDs, want) || r.Total != len(want) || r.Hits[0].Article.ID != want[0] {
				t.Errorf("%s: %v of %d, want %v (%v)", query, r.IDs, r.Total, want, err)
			}
			if got := also(r.Hits[0].Article); strings.Count(got, ":") != 2 {
				t.Errorf("%s: also in %q", query, got)
			}
		}
		hits, err := l.Show(t.Context(), "river", "en", ids(a))
		if err != nil || also(hits[0].Article) != fmt.Sprintf("gazette:%d courier:%d", b.ID, c.ID) {
			t.Errorf("shown again: %+v, %v", hits, err)
		}
		if one, err := l.Article(t.Context(), b.ID); err != nil || one.Story != a.ID || also(one) != fmt.Sprintf("herald:%d courier:%d", a.ID, c.ID) {
			t.Errorf("one of them: %+v, %v", one, err)
		}
		if related, err := l.Related(t.Context(), b.ID, 5); err != nil || slices.Contains(ids(related...), a.ID) || slices.Contains(ids(related...), c.ID) {
			t.Errorf("related to one: %v, %v", ids(related...), err)
		}
		if related, err := l.Related(t.Context(), other.ID, 5); err != nil || len(related) > 1 {
			t.Errorf("related to another: %v, %v", ids(related...), err)
		}
	})
}

// Search pages through what it found: no story comes twice, and as many cards
// as there are.
func TestPagesHoldEachStoryOnce(t *testing.T) {
	l := open(t, databasetest.SQLite(t), t.TempDir(), func() time.Time { return start })
	var firsts []int64
	for i := range 9 {
		name := strings.Repeat(string(rune('a'+i)), 4)
		body := fmt.Sprintf("Harbour news: %[1]s, said %[1]sson, has %[1]sly %[1]sed the %[1]sing of %[1]sers and %[1]sware in a %[1]sish %[1]sdom.", name)
		for _, source := range []string{"herald", "gazette", "courier"} {
			a := article(name, "Harbour "+name, body)
			a.Source = source
			kept, _ := add(t, l, a)
			if source == "herald" {
				firsts = append(firsts, kept.ID)
			}
		}
	}
	follow(t, l)
	for _, limit := range []int{1, 5, 9, 20} {
		r, err := l.Search(t.Context(), content.Query{Text: "harbour", Limit: limit})
		if err != nil || r.Total != 9 || len(r.Hits) != min(limit, 9) {
			t.Fatalf("%d of %d asked, %d in all, %v", len(r.Hits), limit, r.Total, err)
		}
		got := slices.Clone(r.IDs)
		slices.Sort(got)
		if !slices.Equal(got, firsts) {
			t.Errorf("found %v, want %v", got, firsts)
		}
		for i := 1; i < len(r.Hits); i++ {
			if r.Hits[i].Score > r.Hits[i-1].Score {
				t.Errorf("scores rise: %v", r.Hits)
			}
		}
	}
}

func TestTheFirstOfAStoryGoesAndComesBack(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		l := open(t, db, t.TempDir(), func() time.Time { return start })
		a, _ := add(t, l, from("herald", "1", "River breaks dam"))
		b, _ := add(t, l, from("gazette", "2", "River breaks dam"))
		c, _ := add(t, l, from("courier", "3", "River breaks dam"))
		shown := func(step string, want ...content.Article) {
			t.Helper()
			if got := ids(latest(t, l, content.Filter{})...); !slices.Equal(got, ids(want...)) {
				t.Errorf("%s: %v, want %v", step, got, ids(want...))
			}
		}
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		shown("at first", a)
		must(l.Withdraw(t.Context(), a.ID))
		shown("withdrawn", b)
		if one, _ := l.Article(t.Context(), b.ID); also(one) != fmt.Sprintf("courier:%d", c.ID) {
			t.Errorf("a withdrawn one is still told: %q", also(one))
		}
		must(l.Withdraw(t.Context(), c.ID))
		if one, _ := l.Article(t.Context(), b.ID); one.Story != 0 || one.Also != nil {
			t.Errorf("the last one alone: %+v", one)
		}
		must(l.Restore(t.Context(), c.ID))
		must(l.Restore(t.Context(), a.ID))
		shown("restored", a)
		_, err := l.Edit(t.Context(), a.ID, func(a *content.Article) {
			a.Title, a.Body = "Correction", []content.Block{{Kind: content.Paragraph, Text: "What stood here was about another town. We are sorry, and will look twice."}}
		})
		must(err)
		shown("rewritten", b, a)
		again := from("herald", "1", "River breaks dam")
		again.Hash = "new"
		add(t, l, again)
		shown("brought again", a)
		must(l.Lose(t.Context(), a.ID))
		shown("its file went", b)
	})
}

func TestAWaitingCopyJoinsWhenItsDateComes(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		now := start
		l := open(t, db, t.TempDir(), func() time.Time { return now })
		early := from("herald", "1", "River breaks dam")
		early.State, early.Published = content.Waiting, start.Add(time.Hour)
		a, _ := add(t, l, early)
		b, _ := add(t, l, from("gazette", "2", "River breaks dam"))
		if one, _ := l.Article(t.Context(), b.ID); one.Story != 0 {
			t.Errorf("one that waits is told: %+v", one)
		}
		now = now.Add(2 * time.Hour)
		if n, err := l.Release(t.Context()); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		if one, _ := l.Article(t.Context(), a.ID); one.Story != b.ID {
			t.Errorf("released: story %d, want %d, which readers saw first", one.Story, b.ID)
		}
	})
}

func TestOneStoryKeepsToOneLanguage(t *testing.T) {
	l := open(t, databasetest.SQLite(t), t.TempDir(), func() time.Time { return start })
	for source, lang := range map[string]string{"herald": "zh-Hans", "gazette": "zh-Hant", "courier": "en", "mirror": "en-GB"} {
		a := from(source, "1", "River breaks dam")
		a.Lang = lang
		add(t, l, a)
	}
	if got := latest(t, l, content.Filter{}); len(got) != 3 {
		t.Errorf("%v", ids(got...))
	}
}

func TestADigestTellsAStoryOnce(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		l := open(t, db, t.TempDir(), func() time.Time { return start })
		a, _ := add(t, l, from("herald", "1", "River breaks dam"))
		between := a.AddedSeq
		b, _ := add(t, l, from("gazette", "2", "River breaks dam"))
		c, _ := add(t, l, from("courier", "3", "River breaks dam"))
		follow(t, l)
		for _, test := range []struct {
			topic    string
			from, to int64
			want     []int64
		}{
			{"*", 0, l.Seq(), ids(a)},
			{"river dam", 0, l.Seq(), ids(a)},
			{"*", between, l.Seq(), nil},
			{"river dam", between, l.Seq(), nil},
			{"source:courier", between, l.Seq(), ids(c)},
			{"river source:courier", between, l.Seq(), ids(c)},
			{"source:gazette", 0, b.AddedSeq, ids(b)},
		} {
			got, more, err := l.Matches(t.Context(), test.topic, "en", content.Filter{}, test.from, test.to, 5)
			if err != nil || more != 0 || !slices.Equal(got, test.want) {
				t.Errorf("%s from %d to %d: %v and %d more, want %v (%v)", test.topic, test.from, test.to, got, more, test.want, err)
			}
		}
	})
}

// Of a story that a part of the library tells later, that part's digest brings
// the part's own telling; and operators narrow the part further.
func TestADigestOfAPartOfTheLibrary(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		l := open(t, db, t.TempDir(), func() time.Time { return start })
		a, _ := add(t, l, from("herald", "1", "River breaks dam"))
		between := a.AddedSeq
		b, _ := add(t, l, from("gazette", "2", "River breaks dam"))
		follow(t, l)
		gazette := content.Filter{Sources: []string{"gazette"}}
		for _, test := range []struct {
			topic  string
			within content.Filter
			from   int64
			want   []int64
		}{
			{"*", gazette, 0, ids(b)},
			{"*", gazette, between, ids(b)},
			{"river dam", gazette, between, ids(b)},
			{"river dam", content.Filter{Langs: []string{"it"}}, 0, nil},
			{"river dam", content.Filter{Tags: []string{"sport"}}, 0, nil},
			{"source:herald", gazette, 0, nil},
			{"river source:herald", gazette, 0, nil},
			{"*", gazette, b.AddedSeq, nil},
		} {
			got, _, err := l.Matches(t.Context(), test.topic, "en", test.within, test.from, l.Seq(), 5)
			if err != nil || !slices.Equal(got, test.want) {
				t.Errorf("%s within %+v from %d: %v, want %v (%v)", test.topic, test.within, test.from, got, test.want, err)
			}
		}
	})
}

// Articles kept before stories were told apart are compared some at a time.
func TestCompareGoesOnWhereItStopped(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		l := open(t, db, t.TempDir(), func() time.Time { return start })
		a, _ := add(t, l, from("herald", "1", "River breaks dam"))
		for i := range 70 {
			add(t, l, article(fmt.Sprint("n", i), fmt.Sprint("Number ", i), fmt.Sprintf("A body of its own, %d of %d, and %d.", i*7919, i*104729, i*i)))
		}
		b, _ := add(t, l, from("gazette", "2", "River breaks dam"))
		if err := l.Withdraw(t.Context(), b.ID-1); err != nil {
			t.Fatal(err)
		}
		for _, statement := range []string{"UPDATE articles SET story = -1", "DELETE FROM prints"} {
			if _, err := db.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		if got := latest(t, l, content.Filter{}); len(got) != 50 {
			t.Errorf("before: %d are listed", len(got))
		}
		steps := 0
		for more := true; more; steps++ {
			var err error
			if more, err = l.Compare(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if one, _ := l.Article(t.Context(), b.ID); one.Story != a.ID || steps != 2 {
			t.Errorf("story %d after %d steps, want %d", one.Story, steps, a.ID)
		}
		if more, err := l.Compare(t.Context()); more || err != nil {
			t.Errorf("once more: %v, %v", more, err)
		}
	})
}
