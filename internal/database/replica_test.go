package database_test

import (
	"context"
	"testing"

	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

// dead tells whether db takes the replica of a name for dead.
func dead(t *testing.T, db *database.DB, name string) bool {
	t.Helper()
	var is bool
	if err := db.QueryRowContext(context.Background(), "SELECT "+db.Dead("v.name")+" FROM (SELECT CAST(? AS TEXT) AS name) AS v", name).Scan(&is); err != nil {
		t.Fatal(err)
	}
	return is
}

func TestReplicasSeeWhoIsDead(t *testing.T) {
	address := databasetest.PostgresAddress(t)
	a, b := databasetest.Open(t, address), databasetest.Open(t, address)
	if b.Replica() != "" {
		t.Error("a process that nobody can see claims by a name")
	}
	listen(t, b, nil)
	name := b.Replica()
	if name == "" || dead(t, a, name) {
		t.Fatalf("%q is taken for dead while it listens", name)
	}
	set := func(name string, pid, ago int) {
		t.Helper()
		_, err := a.ExecContext(t.Context(), "INSERT INTO replicas (id, pid, seen_at) VALUES (?, ?, "+a.Clock()+" - ?) ON CONFLICT (id) DO UPDATE SET pid = excluded.pid, seen_at = excluded.seen_at", name, pid, ago)
		if err != nil {
			t.Fatal(err)
		}
	}
	var living int
	if err := a.QueryRowContext(t.Context(), "SELECT pg_backend_pid()").Scan(&living); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what     string
		pid, ago int
		dead     bool
	}{
		{"that is slow to beat", living, 14_000, false},
		{"that beats no more, its connection not closed", living, 16_000, true},
		{"whose connection was cut this moment", -1, 1_000, false},
		{"whose connection is gone", -1, 4_000, true},
	} {
		set("x", c.pid, c.ago)
		if got := dead(t, a, "x"); got != c.dead {
			t.Errorf("a replica %s: dead %v, want %v", c.what, got, c.dead)
		}
	}
	if dead(t, a, "") {
		t.Error("a claim of nobody's is taken over")
	}
	if err := b.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
}
