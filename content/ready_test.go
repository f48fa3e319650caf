package content_test

import (
	"testing"
	"time"

	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

// An index that cannot be written stands still; one that has much to follow does not.
func TestAReplicaWhoseIndexStandsStillIsNotReady(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		now := start
		clock := func() time.Time { return now }
		l := open(t, db, t.TempDir(), clock)
		ready := func(want string) {
			t.Helper()
			got := ""
			if err := l.Ready(t.Context()); err != nil {
				got = err.Error()
			}
			if got != want {
				t.Errorf("after %v it is %q, want %q", now.Sub(start), got, want)
			}
		}
		add(t, l, article("1", "First", "A harbour."))
		follow(t, l)
		now = now.Add(time.Hour) // in which there was nothing to follow
		ready("")
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		add(t, l, article("2", "Second", "A lighthouse."))
		if n, err := l.Follow(t.Context()); err == nil {
			t.Fatalf("a closed index followed %d changes", n)
		}
		now = now.Add(time.Minute)
		ready("")
		add(t, l, article("3", "Third", "A ferry."))
		_, _ = l.Follow(t.Context()) // which changes nothing
		now = now.Add(time.Second)
		ready("the index does not follow: 3 changes behind for 1m1s") // a closed one has none of them
		if got := l.Behind(); got != 61*time.Second {
			t.Errorf("behind for %v", got)
		}

		again := open(t, db, t.TempDir(), clock)
		follow(t, again)
		if err := again.Ready(t.Context()); err != nil || again.Behind() != 0 || again.Stalled() != 0 {
			t.Errorf("an index that has followed: %v, behind for %v", err, again.Behind())
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if err := again.Ready(t.Context()); err == nil || err.Error() != "the database does not answer" {
			t.Errorf("without a database: %v", err)
		}
	})
}
