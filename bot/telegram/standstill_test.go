package telegram_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"newsie/bot"
	"newsie/bot/telegram"
	"newsie/bot/telegram/telegramtest"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

// A process that stood still while it answered says nothing when another has
// answered meanwhile.
func TestAReplicaThatStoodStillDoesNotAnswerASecondTime(t *testing.T) {
	db := databasetest.Postgres(t)
	var ahead atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	handler := func(ctx context.Context, m bot.Message) (bot.Reply, error) {
		switch m.Text {
		case "taken":
			ahead.Add(int64(10 * time.Second))
			_, err := db.ExecContext(ctx, "UPDATE inbox SET replica = 'another', answered = 1")
			return bot.Reply{Text: "a second answer"}, err
		case "late":
			ahead.Add(int64(10 * time.Second))
		}
		return echo(ctx, m)
	}
	r := start(t, handler, setup{db: db, server: telegramtest.Options{}, config: func(c *telegram.Config) {
		c.Now = now
		c.Inbox, c.Settings = bot.NewInbox(db, now), bot.NewSettings(db, now)
	}})
	r.Chat(1).Say("taken")
	r.Chat(1).Say("late") // and still its own
	got := r.wait(t, r.Chat(1), 1)
	if got[0].Text != "late" {
		t.Errorf("the chat reads %q", got[0].Text)
	}
	if !strings.Contains(r.log.String(), "another replica answers") {
		t.Errorf("the log does not say why one is silent: %s", r.log)
	}
}

// An answer that was said when the database went away is noted when it is back,
// and not said again; a question that could not be looked up waits.
func TestUpdatesWaitForTheDatabase(t *testing.T) {
	gate := databasetest.NewGate(t, databasetest.PostgresAddress(t))
	db := databasetest.Open(t, gate.Address())
	// What a replica could not give back it takes by its name, which others must see.
	ctx, cancel := context.WithCancel(t.Context())
	heard, ended := make(chan database.Signal, 100), make(chan error, 1)
	go func() { ended <- db.Listen(ctx, func(s database.Signal) { heard <- s }, nil) }()
	<-heard
	defer func() {
		cancel()
		<-ended
	}()
	s := telegramtest.Start(t, telegramtest.Options{})
	asked, lost := make(chan string, 100), ""
	handler := func(ctx context.Context, m bot.Message) (bot.Reply, error) {
		if m.Text != "say, then lose it" && m.Text != "lose it" {
			return echo(ctx, m)
		}
		if m.Text != lost { // the first time
			lost = m.Text
			gate.Shut()
			asked <- m.Text
		}
		if m.Text == "lose it" {
			if _, err := db.ExecContext(ctx, "SELECT 1"); err != nil {
				return bot.Reply{}, err
			}
		}
		return bot.Reply{Text: "answer to " + m.Text}, nil
	}
	r := join(t, s, handler, setup{db: db})
	chat, patient := s.Chat(1), patient(t)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for i, words := range []string{"say, then lose it", "lose it"} {
		if i > 0 {
			<-heard // this replica lives again
		}
		chat.Say(words)
		<-asked
		if i == 0 {
			r.wait(t, chat, 1)
		}
		for told := []string{"is not noted yet", "an update waits"}[i]; !strings.Contains(r.log.String(), told); {
			select {
			case <-tick.C:
			case <-patient.Done():
				t.Fatalf("%q is not told: %s", told, r.log)
			}
		}
		gate.Open()
		r.wait(t, chat, i+1)
	}
	chat.Say("done")
	got := r.wait(t, chat, 3)
	for i, want := range []string{"answer to say, then lose it", "answer to lose it", "done"} {
		if got[i].Text != want {
			t.Errorf("message %d is %q, want %q", i+1, got[i].Text, want)
		}
	}
	r.stop()
	direct, err := database.Open(t.Context(), gate.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = direct.Close() }()
	var open int
	if err := direct.QueryRowContext(t.Context(), "SELECT count(*) FROM inbox WHERE answered = 0").Scan(&open); err != nil || open != 0 {
		t.Errorf("%d messages are not noted as answered, %v", open, err)
	}
}
