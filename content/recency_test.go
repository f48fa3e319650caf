package content_test

import (
	"slices"
	"testing"
	"time"

	"newsie/content"
	"newsie/internal/database/databasetest"
)

// strongest is the most that a channel may be set to.
const strongest = 0.3

func TestNewerComesFirstOfEquals(t *testing.T) {
	l := open(t, databasetest.SQLite(t), t.TempDir(), func() time.Time { return start })
	dated := func(key, title, body string, age time.Duration) content.Article {
		a := article(key, title, body)
		a.Published = start.Add(-age)
		kept, _ := add(t, l, a)
		return kept
	}
	const day = 24 * time.Hour
	today := dated("1", "Harvest of olives in Umbria", "The mill runs day and night, and oil is dear this autumn.", day)
	month := dated("2", "Harvest of olives in Apulia", "The press runs day and night, and oil is rare this autumn.", 40*day)
	year := dated("3", "Harvest of olives in Sicily", "The yard runs day and night, and oil is good this autumn.", 400*day)
	for i, body := range []string{"The weather was fine and olives were seen at a fair, says a note on page nine of the paper.", "Nobody speaks of olives today, but of the harvest of votes that the mayor expects in the hills."} {
		dated(string(rune('5'+i)), "Notes of the week", body, day)
	}
	follow(t, l)
	// The last one added comes first of equals when nothing else tells.
	for recency, want := range map[float64][]int64{0: ids(year, month, today), 0.05: ids(today, month, year), 0.2: ids(today, month, year), strongest: ids(today, month, year)} {
		r, err := l.Search(t.Context(), content.Query{Text: "harvest olives", Recency: recency})
		if err != nil || len(r.IDs) < 3 || !slices.Equal(r.IDs[:3], want) {
			t.Errorf("at %v: %v, want %v first (%v)", recency, r.IDs, want, err)
		}
	}
}

// What is about the question stays before what mentions it today, and what has
// it as its title before what has it somewhere.
func TestABetterMatchStaysFirst(t *testing.T) {
	l := open(t, databasetest.SQLite(t), t.TempDir(), func() time.Time { return start })
	old := article("1", "Varroa mites", "Varroa mites weaken a hive within two years. Against varroa mites beekeepers use acid of ants; mites fall through a grid and are counted.")
	old.Published = start.AddDate(-6, 0, 0)
	best, _ := add(t, l, old)
	for i, body := range []string{
		"The fair had stands for honey, wax and tools; a talk on mites, among them varroa, drew few people on a fine day.",
		"A library in the capital bought books on gardens, on mites and on varroa, on wells, and on the roofs of barns.",
		"What a garden costs: seeds, water, a fence, and varroa treatment for the neighbour, whose mites are ours too.",
	} {
		a := article(string(rune('2'+i)), "News of the day", body)
		a.Title += string(rune('A' + i))
		a.Published = start.Add(-time.Hour)
		add(t, l, a)
	}
	follow(t, l)
	for _, question := range []string{"varroa mites", "mites in a hive", "varroa"} {
		r, err := l.Search(t.Context(), content.Query{Text: question, Recency: strongest})
		if err != nil || len(r.IDs) == 0 || r.IDs[0] != best.ID {
			t.Errorf("%s: %v, want %d first (%v)", question, r.IDs, best.ID, err)
		}
	}
}
