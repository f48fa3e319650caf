package main

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"newsie/bot"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

type senderFunc func() error

func (f senderFunc) Send(context.Context, bot.Outgoing) (bot.Receipt, error) {
	return bot.Receipt{}, f()
}

// What did not reach the publisher is told again soon, what did once a day.
func TestANoticeIsToldUntilItArrives(t *testing.T) {
	refused := errors.New("refused")
	for _, test := range []struct {
		name       string
		err        error
		hold       error
		sent, held int // when told now, a minute, eleven minutes and 23 hours later
	}{
		{"it arrives", nil, nil, 1, 0},
		{"it cannot be sent", refused, nil, 3, 0},
		{"it waits", bot.ErrNotNow, nil, 1, 1},
		{"it cannot even wait", bot.ErrNotNow, refused, 3, 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			databasetest.Each(t, func(t *testing.T, db *database.DB) {
				now := time.UnixMilli(1_700_000_000_000)
				sent, held := 0, 0
				n := &notice{
					settings: bot.NewSettings(db, func() time.Time { return now }), log: slog.New(slog.DiscardHandler),
					to:     bot.ChatID{Channel: "gzh", ID: "me"},
					sender: func(string) bot.Sender { return senderFunc(func() error { sent++; return test.err }) },
					hold:   func(context.Context, bot.ChatID, bot.Reply) error { held++; return test.hold },
				}
				for _, after := range []time.Duration{0, time.Minute, 10 * time.Minute, 22 * time.Hour} {
					now = now.Add(after)
					n.give(t.Context(), "fault", "A fault.")
				}
				if sent != test.sent || held != test.held {
					t.Errorf("sent %d and held %d times, want %d and %d", sent, held, test.sent, test.held)
				}
				now = now.Add(2 * time.Hour)
				if n.give(t.Context(), "fault", "A fault."); sent != test.sent+1 {
					t.Errorf("a day later it is not told again: %d", sent)
				}
			})
		})
	}
}
