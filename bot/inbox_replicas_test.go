package bot_test

import (
	"context"
	"testing"
	"time"

	"newsie/bot"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

// What a dead replica was answering, the next try gets from another at once.
func TestAMessageOfADeadReplicaIsTakenOver(t *testing.T) {
	address := databasetest.PostgresAddress(t)
	a, b := databasetest.Open(t, address), databasetest.Open(t, address)
	ctx, cancel := context.WithCancel(t.Context())
	heard, ended := make(chan database.Signal, 10), make(chan error, 1)
	go func() { ended <- a.Listen(ctx, func(s database.Signal) { heard <- s }, nil) }()
	<-heard
	chat := bot.ChatID{Channel: "gzh", ID: "r"}
	begin := func(db *database.DB) bool {
		t.Helper()
		fresh, _, _, err := bot.NewInbox(db, time.Now).Begin(t.Context(), chat, "1")
		if err != nil {
			t.Fatal(err)
		}
		return fresh
	}
	if !begin(a) || begin(b) {
		t.Error("a message is answered by one replica")
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if _, err := b.ExecContext(t.Context(), "UPDATE replicas SET seen_at = seen_at - 4000"); err != nil {
		t.Fatal(err)
	}
	if !begin(b) || begin(a) {
		t.Error("what a dead replica had is not taken over once")
	}
}
