package database_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun"

	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

// listen hears of db's signals until the test ends. The first has come already.
func listen(t *testing.T, db *database.DB, lost func(error)) <-chan database.Signal {
	t.Helper()
	heard := make(chan database.Signal, 100)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- db.Listen(ctx, func(s database.Signal) { heard <- s }, lost) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Listen ended with %v", err)
		}
	})
	if s := <-heard; s != (database.Signal{}) {
		t.Errorf("the first signal is %v, want the zero one: look everywhere", s)
	}
	return heard
}

func TestSignalsReachEveryReplicaAtTheCommit(t *testing.T) {
	address := databasetest.PostgresAddress(t)
	a, b := databasetest.Open(t, address), databasetest.Open(t, address)
	stranger := databasetest.Postgres(t)
	heardA, heardB, heardStranger := listen(t, a, nil), listen(t, b, nil), listen(t, stranger, nil)

	undone := errors.New("undone")
	err := a.Tx(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		return errors.Join(a.Signal(ctx, tx, database.Signal{Name: "articles"}), undone)
	})
	if !errors.Is(err, undone) {
		t.Fatal(err)
	}
	want := database.Signal{Name: "webchat", What: "web with a space"}
	if err := a.Tx(t.Context(), func(ctx context.Context, tx bun.Tx) error { return a.Signal(ctx, tx, want) }); err != nil {
		t.Fatal(err)
	}
	for name, heard := range map[string]<-chan database.Signal{"the one that signals": heardA, "the other": heardB} {
		if diff := cmp.Diff(want, <-heard); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	// Its own comes, and nothing of the other installation's before.
	own := database.Signal{Name: "own"}
	if err := stranger.Signal(t.Context(), stranger.DB, own); err != nil {
		t.Fatal(err)
	}
	if got := <-heardStranger; got != own {
		t.Errorf("another installation heard %v", got)
	}
}

func TestAListenerConnectsAgain(t *testing.T) {
	db := databasetest.Postgres(t)
	failures := make(chan error, 10)
	heard := listen(t, db, func(err error) { failures <- err })
	_, err := db.ExecContext(t.Context(), "SELECT pg_terminate_backend(CAST(pid AS INT)) FROM replicas")
	if err != nil {
		t.Fatal(err)
	}
	if err := <-failures; err == nil {
		t.Error("the loss was not told")
	}
	if got := <-heard; got != (database.Signal{}) {
		t.Errorf("after the loss came %v, want the zero signal: some may have been missed", got)
	}
	want := database.Signal{Name: "deliveries"}
	if err := db.Signal(t.Context(), db.DB, want); err != nil {
		t.Fatal(err)
	}
	if got := <-heard; got != want {
		t.Errorf("heard %v, want %v", got, want)
	}
}

func TestOnSQLiteThereIsNobodyToSignalTo(t *testing.T) {
	db := databasetest.SQLite(t)
	heard := listen(t, db, nil)
	if err := db.Signal(t.Context(), db.DB, database.Signal{Name: "articles"}); err != nil || len(heard) != 0 {
		t.Errorf("%v, and %d were heard", err, len(heard))
	}
}

func TestSignalsAreShort(t *testing.T) {
	db := databasetest.Postgres(t)
	for _, s := range []database.Signal{{}, {Name: "two words"}, {Name: "long", What: string(make([]byte, 501))}} {
		if err := db.Signal(t.Context(), db.DB, s); err == nil {
			t.Errorf("a signal named %q with %d bytes was taken", s.Name, len(s.What))
		}
	}
}
