package content_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"newsie/content"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

// mixed adds articles of two sources and tells the number of each by its key.
func mixed(t *testing.T, db *database.DB) (*content.Library, func(keys string) []int64) {
	t.Helper()
	l := open(t, db, t.TempDir(), func() time.Time { return start })
	byKey := map[string]int64{}
	for i, one := range []struct{ key, source, author, lang, title, body, tags string }{
		{"green", "Morning Herald", "Mario Rossi", "en", "Green tea", "Green tea is picked in spring.", "Tè drinks"},
		{"apart", "Morning Herald", "Mario Rossini", "en", "Tea under green trees", "Tea tastes best where the leaves are green.", "drinks"},
		{"payments", "gazette", "Zoë Müller", "en", "Paying for tea", "WeChat payments reach the tea house.", "电商"},
		{"sport", "gazette", "Zoë Müller", "en", "A run in the park", "A thousand people ran.", "sport"},
		{"italian", "gazette", "", "it", "Il tè verde", "Il tè verde si coglie in primavera.", "Tè"},
	} {
		a := article(one.key, one.title, one.body)
		a.Source, a.Author, a.Lang, a.Published = one.source, one.author, one.lang, start.Add(-time.Duration(i)*time.Hour)
		a.Tags = strings.Fields(one.tags)
		kept, _ := add(t, l, a)
		byKey[one.key] = kept.ID
	}
	follow(t, l)
	return l, func(keys string) []int64 {
		ids := []int64{}
		for _, key := range strings.Fields(keys) {
			ids = append(ids, byKey[key])
		}
		slices.Sort(ids)
		return ids
	}
}

func sorted(ids []int64) []int64 {
	ids = append([]int64{}, ids...)
	slices.Sort(ids)
	return ids
}

// What a follow of each kind brings, and what a search for the same words finds,
// which asks for less.
func TestKindsOfTopics(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		l, ids := mixed(t, db)
		for topic, want := range map[string]string{
			"*":                            "green apart payments sport italian",
			"tea":                          "green apart payments",
			"green tea":                    "green apart",
			`"green tea"`:                  "green", // the other has both words apart
			"tea -payments":                "green apart",
			`tea -"tea house"`:             "green apart",
			"tag:drinks":                   "green apart",
			"tag:te":                       "green italian", // written Tè
			"tag:drink":                    "",
			"tag:電商":                       "payments", // written 电商
			"author:rossi":                 "green",    // and not Rossini
			"author:ross":                  "",
			"author:muller":                "payments sport",
			`author:"mario rossini"`:       "apart",
			"source:herald":                "green apart",
			"source:GAZETTE":               "payments sport italian",
			"source:gaz":                   "",
			"lang:it":                      "italian",
			"tea lang:it":                  "",
			"tag:te lang:en":               "green",
			"tag:drinks tag:sport":         "green apart sport",
			"source:gazette author:muller": "payments sport",
			"source:gazette -payments":     "sport italian",
			"lang:en -tea":                 "sport",
			"* -tea":                       "sport italian",
			`* -"green tea" -wechat`:       "sport italian", // a phrase leaves out what has its words
			"after:2026-11-22":             "green apart payments sport italian",
			"before:2026-11-22":            "",
		} {
			got, more, err := l.Matches(t.Context(), topic, "en", content.Filter{}, 0, l.Seq(), 9)
			if err != nil || more != 0 || !slices.Equal(sorted(got), ids(want)) {
				t.Errorf("%s: %v, want %v (%v)", topic, sorted(got), ids(want), err)
			}
			if topic == "*" {
				continue
			}
			found, err := l.Search(t.Context(), content.Query{Text: topic, Limit: 9})
			for _, id := range ids(want) {
				if err != nil || !slices.Contains(found.IDs, id) {
					t.Errorf("a search for %s finds %v of %d, want %v (%v)", topic, sorted(found.IDs), found.Total, ids(want), err)
				}
			}
			if wordless := strings.Contains(topic, ":") && !strings.HasPrefix(topic, "tea"); wordless && (!slices.Equal(sorted(found.IDs), ids(want)) || found.Total != len(found.IDs)) {
				t.Errorf("a search for %s finds %v of %d, want %v", topic, sorted(found.IDs), found.Total, ids(want))
			}
		}
	})
}

// A reader's operators narrow what the channel serves and never widen it.
func TestOperatorsNarrowWhatTheChannelServes(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		l, ids := mixed(t, db)
		for _, test := range []struct {
			within content.Filter
			query  string
			want   string
		}{
			{content.Filter{Sources: []string{"gazette"}}, "source:herald", ""},
			{content.Filter{Sources: []string{"gazette"}}, "source:gazette", "payments sport italian"},
			{content.Filter{Sources: []string{"gazette"}}, "tag:drinks", ""},
			{content.Filter{Sources: []string{"gazette"}}, "* -tea", "sport italian"},
			{content.Filter{Sources: []string{"gazette"}}, "tea source:herald", ""},
			{content.Filter{Langs: []string{"en"}}, "lang:it", ""},
			{content.Filter{Langs: []string{"en"}}, "tag:te", "green"},
			{content.Filter{Tags: []string{"sport"}}, "tag:drinks", ""},
			{content.Filter{Tags: []string{"sport"}}, "author:muller", "sport"},
			{content.Filter{Authors: []string{"Mario Rossi"}}, "author:muller", ""},
		} {
			found, err := l.Search(t.Context(), content.Query{Text: test.query, Filter: test.within, Limit: 9})
			if err != nil || !slices.Equal(sorted(found.IDs), ids(test.want)) || found.Total != len(found.IDs) || len(found.Hits) != len(found.IDs) {
				t.Errorf("%s within %+v: %v of %d, want %v (%v)", test.query, test.within, sorted(found.IDs), found.Total, ids(test.want), err)
			}
			got, _, err := l.Matches(t.Context(), test.query, "en", test.within, 0, l.Seq(), 9)
			if err != nil || !slices.Equal(sorted(got), ids(test.want)) {
				t.Errorf("a follow of %s within %+v: %v, want %v (%v)", test.query, test.within, sorted(got), ids(test.want), err)
			}
		}
	})
}

// The same story from several feeds comes once in an edition, whatever kind of
// topic brings it, and not again in a later one.
func TestEachKindTellsAStoryOnce(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		l := open(t, db, t.TempDir(), func() time.Time { return start })
		tell := func(source, author, title string) content.Article {
			a := from(source, source+title, title)
			a.Author, a.Tags = author, []string{"Floods"}
			kept, _ := add(t, l, a)
			follow(t, l)
			return kept
		}
		first := tell("Morning Herald", "Mario Rossi", "River breaks dam")
		tell("Evening Herald", "Mario Rossi", "Dam breaks: river floods market town")
		between := l.Seq()
		tell("Sunday Herald", "Mario Rossi", "River breaks dam")
		for _, topic := range []string{"*", "river", `"market town"`, "tag:floods", "author:rossi", "source:herald", "lang:en", "river tag:floods", "tag:floods -sport", "* -sport"} {
			if got, more, err := l.Matches(t.Context(), topic, "en", content.Filter{}, 0, l.Seq(), 5); err != nil || more != 0 || !slices.Equal(got, ids(first)) {
				t.Errorf("%s: %v and %d more, want %d alone (%v)", topic, got, more, first.ID, err)
			}
			if got, _, err := l.Matches(t.Context(), topic, "en", content.Filter{}, between, l.Seq(), 5); err != nil || len(got) != 0 {
				t.Errorf("%s again: %v (%v)", topic, got, err)
			}
		}
	})
}

// What is left out is compared with an article as it is now.
func TestWhatIsLeftOutGoesByTheArticleAsItIs(t *testing.T) {
	l := open(t, databasetest.SQLite(t), t.TempDir(), func() time.Time { return start })
	var all []int64
	for i := range 3 {
		kept, _ := add(t, l, article(strconv.Itoa(i), "Part "+strconv.Itoa(i), "About lamps."))
		all = append(all, kept.ID)
	}
	follow(t, l)
	add(t, l, article("1", "Part 1", "About bread."))
	follow(t, l)
	for query, want := range map[string][]int64{"* -bread": {all[0], all[2]}, "* -lamps": {all[1]}, "lang:en -lamps -bread": nil} {
		found, err := l.Search(t.Context(), content.Query{Text: query})
		if err != nil || !slices.Equal(sorted(found.IDs), sorted(want)) {
			t.Errorf("%s: %v, want %v (%v)", query, found.IDs, want, err)
		}
	}
}
