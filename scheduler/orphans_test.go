package scheduler_test

import (
	"context"
	"strings"
	"testing"

	"newsie/bot"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
	"newsie/scheduler"
)

// What a dead replica had only claimed goes out at once; what it was sending
// keeps its lease; what those that live have, or nobody could see, stays theirs.
func TestWhatADeadReplicaClaimedIsTakenOver(t *testing.T) {
	h := newHouse(t, databasetest.PostgresAddress(t))
	other := databasetest.Open(t, h.address)
	ctx, cancel := context.WithCancel(t.Context())
	heard, ended := make(chan database.Signal, 100), make(chan error, 1)
	go func() { ended <- other.Listen(ctx, func(s database.Signal) { heard <- s }, nil) }()
	<-heard
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	s := h.replica()
	h.planned(s, 5)
	h.exec("INSERT INTO replicas (id, pid, host, began_at, seen_at) VALUES ('DEAD', -1, 'h', 0, " + h.db.Clock() + " - 4000), ('STILL', -1, 'h', 0, " + h.db.Clock() + " - 1000)")
	for chat, row := range []struct{ state, claim string }{
		{"claimed", "DEAD/1"},
		{"sending", "DEAD/1"},
		{"claimed", other.Name() + "/2"},
		{"claimed", "/3"}, // by one that nobody has seen live
		{"claimed", "STILL/4"},
	} {
		h.exec("UPDATE deliveries SET state = ?, claim = ?, lease_until = "+h.db.Clock()+" + 60000 WHERE id = (SELECT id FROM deliveries ORDER BY id OFFSET ? LIMIT 1)", row.state, row.claim, chat)
	}
	take := func(want int64) {
		t.Helper()
		if n, err := s.TakeOver(t.Context()); err != nil || n != want {
			t.Errorf("%d are taken over, %v; want %d", n, err, want)
		}
	}
	take(1)
	h.wantStates("claimed 3, planned 1, sending 1")
	if claim := h.text("SELECT claim || lease_until FROM deliveries WHERE state = 'planned'"); claim != "0" {
		t.Errorf("it keeps the claim %s", claim)
	}
	h.exec("UPDATE replicas SET seen_at = seen_at - 3000 WHERE id = 'STILL'")
	take(1)
	take(0)
	h.deliver(s)
	h.wantStates("claimed 2, sending 1, sent 2")
}

// The claims of a replica that others see carry its name.
func TestClaimsCarryTheNameOfTheirReplica(t *testing.T) {
	h := newHouse(t, databasetest.PostgresAddress(t))
	var db *database.DB
	s := h.replica(func(c *scheduler.Config) { db = c.DB })
	ctx, cancel := context.WithCancel(t.Context())
	heard, ended := make(chan database.Signal, 100), make(chan error, 1)
	go func() { ended <- db.Listen(ctx, func(s database.Signal) { heard <- s }, nil) }()
	<-heard
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	h.planned(s, 1)
	claim := ""
	h.platform.answer = func(_ context.Context, o bot.Outgoing, _ int) (bot.Receipt, error) {
		claim = h.text("SELECT claim FROM deliveries")
		return bot.Receipt{ProviderID: o.Key, Way: "message"}, nil
	}
	h.deliver(s)
	if name, token, ok := strings.Cut(claim, "/"); !ok || name != db.Name() || token == "" {
		t.Errorf("the claim is %q, the replica %s", claim, db.Name())
	}
}
