package content_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"newsie/content"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

// What one replica remembers is what the store holds now, whoever changed it.
func TestReplicasRememberNothingOld(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		now := func() time.Time { return start }
		reader, writer := open(t, db, t.TempDir(), now), open(t, db, t.TempDir(), now)
		add(t, writer, article("other", "Harbour masters", "The tide turns."))
		a, _ := add(t, writer, article("a", "Lighthouse keepers", "The lamp turns all night."))
		follow(t, reader)
		snippet := func() string {
			t.Helper()
			results, err := reader.Search(t.Context(), content.Query{Text: "lamp"})
			if err != nil {
				t.Fatal(err)
			}
			if len(results.Hits) == 0 {
				return ""
			}
			return results.Hits[0].Article.Title + ": " + results.Hits[0].Snippet.Text
		}
		for range 2 { // the second time from memory
			if got, want := snippet(), "Lighthouse keepers: The lamp turns all night."; got != want {
				t.Fatalf("got %q, want %q", got, want)
			}
		}
		add(t, writer, article("a", "Lighthouse keepers", "A new lamp came by boat."))
		if got, want := snippet(), "Lighthouse keepers: A new lamp came by boat."; got != want {
			t.Errorf("after a change: got %q, want %q", got, want)
		}
		// More changes at once than are followed one by one.
		var many []content.Arrival
		for i := range 1200 {
			many = append(many, content.Arrival{Article: article(fmt.Sprint("n", i), fmt.Sprintf("Number %d", i), fmt.Sprintf("Body of number %d.", i))})
		}
		if _, err := writer.AddAll(t.Context(), many); err != nil {
			t.Fatal(err)
		}
		if got := snippet(); !strings.Contains(got, "A new lamp") {
			t.Errorf("after many changes: got %q", got)
		}
		if err := writer.Withdraw(t.Context(), a.ID); err != nil {
			t.Fatal(err)
		}
		if got := snippet(); got != "" {
			t.Errorf("withdrawn by another replica: got %q", got)
		}
	})
}
