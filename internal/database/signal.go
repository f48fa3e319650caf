package database

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun"
)

// A Signal tells the replicas of an installation that there is news: articles,
// deliveries, something for the reader of one chat. It says where to look, not
// what is there: one may come twice, or, while a connection is down, not at all.
type Signal struct {
	Name string // what it is about; "" when some may have been missed: look everywhere
	What string // which one, such as a chat; may be ""
}

func (s Signal) payload() string { return s.Name + " " + s.What }

// Signal tells all replicas, this one among them, when the transaction commits;
// outside of one, at once. What may have up to 500 bytes. On SQLite, where there
// is one process, it does nothing: who makes news wakes the others of the process
// itself.
func (db *DB) Signal(ctx context.Context, tx bun.IDB, s Signal) error {
	if !db.postgres {
		return nil
	}
	if len(s.What) > 500 || s.Name == "" || strings.Contains(s.Name, " ") {
		return fmt.Errorf("%q is no signal", s.Name)
	}
	if _, err := tx.ExecContext(ctx, "SELECT pg_notify('newsie_' || current_schema(), ?)", s.payload()); err != nil {
		return fmt.Errorf("signal %s: %w", s.Name, err)
	}
	return nil
}

// Listen calls heard for each signal, one after the other, until ctx ends; heard
// should only wake who does the work. On PostgreSQL it keeps a connection of its
// own, by which the others see that this replica lives (see Replica), and makes
// another when that is lost: then, and at the start, heard gets the zero Signal.
// lost, which may be nil, hears of each failure.
func (db *DB) Listen(ctx context.Context, heard func(Signal), lost func(error)) error {
	if !db.postgres {
		heard(Signal{})
		<-ctx.Done()
		return nil
	}
	steps := backoff.NewExponentialBackOff()
	for ctx.Err() == nil {
		err := db.listen(ctx, func(s Signal) {
			steps.Reset()
			heard(s)
		})
		if ctx.Err() != nil {
			break
		}
		if lost != nil {
			lost(err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(min(steps.NextBackOff(), maxRelisten)):
		}
	}
	return nil
}

// maxRelisten bounds how long a lost connection is left alone.
const maxRelisten = 2 * time.Second

// listen listens through one connection until that ends.
func (db *DB) listen(ctx context.Context, heard func(Signal)) error {
	dial, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	conn, err := pgx.Connect(dial, db.address)
	if err != nil {
		return fmt.Errorf("connect to %s to listen: %w", Redact(db.address), err)
	}
	defer func() {
		// The context that ends everything has ended already.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(ctx)
	}()
	var schema string
	if err := conn.QueryRow(dial, "SELECT current_schema()").Scan(&schema); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if _, err := conn.Exec(dial, "LISTEN "+pgx.Identifier{"newsie_" + schema}.Sanitize()); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if err := db.beat(ctx, conn); err != nil {
		return err
	}
	heard(Signal{})
	for beaten := time.Now(); ; {
		// A connection that died without a word is found by its next beat.
		wait, cancel := context.WithDeadline(ctx, beaten.Add(beatEvery))
		n, err := conn.WaitForNotification(wait)
		silent := wait.Err() != nil && ctx.Err() == nil
		cancel()
		switch {
		case err == nil:
			name, what, _ := strings.Cut(n.Payload, " ")
			heard(Signal{Name: name, What: what})
		case !silent || conn.IsClosed():
			return fmt.Errorf("listen: %w", err)
		}
		if time.Since(beaten) < beatEvery {
			continue
		}
		beaten = time.Now()
		if err := db.beat(ctx, conn); err != nil {
			return err
		}
	}
}
