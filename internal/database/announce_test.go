package database_test

import (
	"fmt"
	"testing"

	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

// What is announced a thousand times in a moment is told, and told together.
func TestAnnouncementsGoTogether(t *testing.T) {
	address := databasetest.PostgresAddress(t)
	a, b := databasetest.Open(t, address), databasetest.Open(t, address)
	heard := listen(t, b, nil)
	const often = 1000
	for range often {
		a.Announce(database.Signal{Name: "deliveries"})
	}
	a.Announce(database.Signal{Name: "webchat", What: "web 1"})
	times := map[string]int{}
	for s := range heard {
		times[s.Name]++
		if s.Name == "webchat" {
			break
		}
	}
	if n := times["deliveries"]; n > often/10 {
		t.Errorf("%d announcements came as %d signals", often, n)
	}
}

func TestTooManyAnnouncementsNameTheirKindAlone(t *testing.T) {
	address := databasetest.PostgresAddress(t)
	a, b := databasetest.Open(t, address), databasetest.Open(t, address)
	heard := listen(t, b, nil)
	for i := range 5000 {
		a.Announce(database.Signal{Name: "webchat", What: fmt.Sprint("web ", i)})
	}
	a.Announce(database.Signal{Name: "last"})
	all := false
	for s := range heard {
		if s == (database.Signal{Name: "webchat"}) {
			all = true
		}
		if s.Name == "last" {
			break
		}
	}
	if !all {
		t.Error("what was left out is not told by its kind")
	}
}

// A command ends a moment after it announced something.
func TestCloseTellsWhatWasAnnounced(t *testing.T) {
	address := databasetest.PostgresAddress(t)
	b := databasetest.Open(t, address)
	heard := listen(t, b, nil)
	a := databasetest.Open(t, address)
	want := database.Signal{Name: "deliveries", What: "at the end"}
	a.Announce(want)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	a.Announce(database.Signal{Name: "late"}) // tells nobody and harms nobody
	if got := <-heard; got != want {
		t.Errorf("heard %v, want %v", got, want)
	}
}
