package database_test

import (
	"context"
	"os"
	"testing"
	"time"

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
	if a.Name() == "" || a.Name() == name {
		t.Errorf("two replicas have the names %q and %q", a.Name(), name)
	}
	set := func(name string, pid, ago int) {
		t.Helper()
		_, err := a.ExecContext(t.Context(), "INSERT INTO replicas (id, pid, host, began_at, seen_at) VALUES (?, ?, 'h', 0, "+a.Clock()+" - ?) ON CONFLICT (id) DO UPDATE SET pid = excluded.pid, seen_at = excluded.seen_at", name, pid, ago)
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
		{"whose connection's number another has by now", living, 4_000, false},
		{"whose connection's number another has", living, 16_000, true},
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
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	list, err := a.Replicas(t.Context())
	if err != nil || len(list) != 1 || list[0].Name != name || list[0].Host != host || time.Since(list[0].Since).Abs() > time.Minute {
		t.Errorf("those that live: %+v, %v", list, err)
	}
	set("yesterday's", -1, 3_700_000)
	if err := a.ForgetDead(t.Context()); err != nil {
		t.Fatal(err)
	}
	var left int
	if err := a.QueryRowContext(t.Context(), "SELECT count(*) FROM replicas").Scan(&left); err != nil || left != 2 {
		t.Errorf("%d are left, %v; want the one that lives and the one that died a moment ago", left, err)
	}
}

// A name that others would take for a dead one's is not put on claims.
func TestAReplicaHasANameOnlyWhileOthersSeeIt(t *testing.T) {
	address := databasetest.PostgresAddress(t)
	gate := databasetest.NewGate(t, address)
	a, b := databasetest.Open(t, address), databasetest.Open(t, gate.Address())
	heard, lost := make(chan database.Signal, 100), make(chan error, 100)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- b.Listen(ctx, func(s database.Signal) { heard <- s }, func(err error) { lost <- err })
	}()
	<-heard
	name := b.Replica()
	if name == "" || dead(t, a, name) {
		t.Fatalf("%q does not live", name)
	}
	gate.Shut()
	if err := <-lost; !database.Away(err) {
		t.Errorf("the loss is told as %v", err)
	}
	for b.Replica() != "" {
		if dead(t, a, name) && b.Replica() != "" {
			t.Error("it claims by the name of a dead one")
		}
	}
	for !dead(t, a, name) {
		<-time.After(10 * time.Millisecond)
	}
	gate.Open()
	<-heard // look everywhere
	if b.Replica() != name || dead(t, a, name) {
		t.Errorf("%q is %q when it is back", name, b.Replica())
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := b.Leave(t.Context()); err != nil || b.Replica() != "" || !dead(t, a, name) {
		t.Errorf("one that has left is %q, dead: %v; %v", b.Replica(), dead(t, a, name), err)
	}
}
