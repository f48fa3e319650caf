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
	boxA, boxB := bot.NewInbox(a, time.Now), bot.NewInbox(b, time.Now)
	mine := func(box *bot.Inbox, want bool) {
		t.Helper()
		if got, err := box.Mine(t.Context(), chat, "1"); err != nil || got != want {
			t.Errorf("it is its own: %v, %v; want %v", got, err, want)
		}
	}
	mine(boxA, true)
	mine(boxB, false)
	if err := boxB.Release(t.Context(), chat, "1"); err != nil || begin(b) {
		t.Errorf("one replica gives back what another has: %v", err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if _, err := b.ExecContext(t.Context(), "UPDATE replicas SET seen_at = seen_at - 4000"); err != nil {
		t.Fatal(err)
	}
	// The server notices in its own time that the connection has ended.
	limit, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	taken := begin(b)
	for !taken && limit.Err() == nil {
		taken = begin(b)
	}
	if !taken || begin(a) {
		t.Error("what a dead replica had is not taken over once")
	}
	// It only stood still, and goes on: the other's answer stays.
	mine(boxA, true) // b is a replica that nobody sees, so nobody can tell
	if _, err := b.ExecContext(t.Context(), "UPDATE inbox SET replica = ?", b.Name()); err != nil {
		t.Fatal(err)
	}
	mine(boxA, false)
	mine(boxB, true)
	for _, answer := range []struct {
		box  *bot.Inbox
		text string
	}{{boxA, "early"}, {boxB, "the answer"}, {boxA, "late"}} {
		if err := answer.box.Finish(t.Context(), chat, "1", answer.text); err != nil {
			t.Fatal(err)
		}
	}
	if reply, done, err := boxA.Reply(t.Context(), chat.Channel, "1"); err != nil || !done || reply != "the answer" {
		t.Errorf("the message is answered by %q, %v, %v", reply, done, err)
	}
	// Nobody has it: whoever comes first.
	if err := boxA.Free(t.Context(), chat, "1"); err != nil {
		t.Fatal(err)
	}
	if reply, _, _ := boxA.Reply(t.Context(), chat.Channel, "1"); reply != "the answer" {
		t.Error("an answer is given back")
	}
	if _, err := a.ExecContext(t.Context(), "DELETE FROM inbox"); err != nil {
		t.Fatal(err)
	}
	mine(boxA, true)
	var claimed int
	if err := a.QueryRowContext(t.Context(), "SELECT count(*) FROM inbox WHERE answered = 0").Scan(&claimed); err != nil || claimed != 1 {
		t.Errorf("what nobody has is claimed %d times, %v", claimed, err)
	}
}

// While the database was away nobody could tell who has the message: the replica
// that gave up takes it when it comes again, the others do not.
func TestAMessageThatCouldNotBeGivenBackIsTakenByTheSameReplica(t *testing.T) {
	address := databasetest.PostgresAddress(t)
	gate := databasetest.NewGate(t, address)
	a, b := databasetest.Open(t, gate.Address()), databasetest.Open(t, address)
	ctx, cancel := context.WithCancel(t.Context())
	heard, ended := make(chan database.Signal, 100), make(chan error, 1)
	go func() { ended <- a.Listen(ctx, func(s database.Signal) { heard <- s }, nil) }()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	<-heard
	chat := bot.ChatID{Channel: "gzh", ID: "r"}
	boxA, boxB := bot.NewInbox(a, time.Now), bot.NewInbox(b, time.Now)
	begin := func(box *bot.Inbox) bool {
		t.Helper()
		fresh, _, _, err := box.Begin(t.Context(), chat, "1")
		if err != nil {
			t.Fatal(err)
		}
		return fresh
	}
	if !begin(boxA) {
		t.Fatal("a new message is somebody's")
	}
	gate.Shut()
	if err := boxA.Release(t.Context(), chat, "1"); !database.Away(err) {
		t.Errorf("released without a database: %v", err)
	}
	if _, _, _, err := boxA.Begin(t.Context(), chat, "1"); !database.Away(err) {
		t.Errorf("claimed without a database: %v", err)
	}
	gate.Open()
	<-heard
	if begin(boxB) {
		t.Error("another took what a living replica has")
	}
	if !begin(boxA) || begin(boxA) {
		t.Error("the replica does not take once what it gave up")
	}
}
