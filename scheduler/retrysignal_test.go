package scheduler_test

import (
	"context"
	"testing"
	"time"

	"newsie/internal/database"
	"newsie/internal/database/databasetest"
	"newsie/scheduler"
)

// A command of another process, on PostgreSQL of another machine, tells those who
// serve at once that there is something to send again, and that a channel goes on.
func TestCommandsSignalThoseWhoServe(t *testing.T) {
	h := newHouse(t, databasetest.PostgresAddress(t))
	s := h.replica()
	h.planned(s, 2)
	h.deliver(s)
	tokenRefused(h)
	heard := make(chan database.Signal, 100)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	serving, ended := databasetest.Open(t, h.address), make(chan error, 1)
	go func() { ended <- serving.Listen(ctx, func(s database.Signal) { heard <- s }, func(error) {}) }()
	if s := <-heard; s != (database.Signal{}) { // it listens
		t.Fatalf("heard %+v first", s)
	}
	cli := scheduler.NewLedger(databasetest.Open(t, h.address), h.clock)
	for _, do := range []func() error{
		func() error {
			h.exec("UPDATE deliveries SET state = 'unknown'")
			ids, err := cli.RetryAll(ctx, scheduler.RetryFilter{States: []scheduler.State{scheduler.Unknown}})
			if len(ids) != 2 {
				t.Errorf("%v planned again", ids)
			}
			return err
		},
		func() error {
			h.deliver(s)
			h.exec("INSERT INTO settings (name, value) VALUES ('halt:tg', '{}') ON CONFLICT (name) DO NOTHING")
			ok, err := cli.ResumeChannel(ctx, "tg")
			if !ok {
				t.Error("the channel did not stand still")
			}
			return err
		},
	} {
		if err := do(); err != nil {
			t.Fatal(err)
		}
		want := database.Signal{Name: scheduler.SignalName, What: "tg"}
		for got := (database.Signal{}); got != want; {
			select {
			case got = <-heard:
			case <-ctx.Done():
				t.Fatal("no signal came")
			}
		}
	}
	cancel()
	<-ended
}
