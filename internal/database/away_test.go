package database_test

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/uptrace/bun"

	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

func TestADatabaseThatIsAway(t *testing.T) {
	address := databasetest.PostgresAddress(t)
	direct := databasetest.Open(t, address)
	gate := databasetest.NewGate(t, address)
	open := func(t *testing.T) *database.DB {
		t.Helper()
		gate.Shut()
		gate.Open()
		return databasetest.Open(t, gate.Address())
	}
	for _, c := range []struct {
		name string
		away bool
		err  func(t *testing.T, ctx context.Context) error
	}{
		{"a connection that the server ends", true, func(t *testing.T, ctx context.Context) error {
			_, err := open(t).ExecContext(ctx, "SELECT pg_terminate_backend(pg_backend_pid())")
			return err
		}},
		{"connections refused", true, func(t *testing.T, ctx context.Context) error {
			db := open(t)
			gate.Shut()
			_, err := db.ExecContext(ctx, "SELECT 1")
			return err
		}},
		{"a connection that breaks in a transaction", true, func(t *testing.T, ctx context.Context) error {
			return open(t).RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
				gate.Shut()
				_, err := tx.ExecContext(ctx, "SELECT 1")
				return err
			})
		}},
		{"a connection that breaks during a statement", true, func(t *testing.T, ctx context.Context) error {
			db, ended := open(t), make(chan error)
			go func() {
				_, err := db.ExecContext(ctx, "SELECT pg_sleep(60) /* breaks "+db.Name()+" */")
				ended <- err
			}()
			for n := 0; n == 0; {
				query := "SELECT count(*) FROM pg_stat_activity WHERE query LIKE ? AND pid <> pg_backend_pid()"
				if err := direct.QueryRowContext(ctx, query, "%breaks "+db.Name()+" */").Scan(&n); err != nil {
					t.Fatal(err)
				}
			}
			gate.Shut()
			return <-ended
		}},
		{"a commit that breaks", true, func(t *testing.T, ctx context.Context) error {
			return open(t).RunInTx(ctx, nil, func(context.Context, bun.Tx) error {
				gate.Shut()
				return nil
			})
		}},
		{"a server that starts", true, func(t *testing.T, _ context.Context) error {
			return refusedBy(t, "57P03", "the database system is starting up")
		}},
		{"a server that is full", true, func(t *testing.T, _ context.Context) error {
			return refusedBy(t, "53300", "sorry, too many clients already")
		}},
		{"a server that stops", true, func(t *testing.T, ctx context.Context) error {
			return raised(ctx, direct, "57P01")
		}},
		{"a server that crashes", true, func(t *testing.T, ctx context.Context) error {
			return raised(ctx, direct, "57P02")
		}},

		{"no error", false, func(*testing.T, context.Context) error { return nil }},
		{"no rows", false, func(*testing.T, context.Context) error { return sql.ErrNoRows }},
		{"a statement that is none", false, func(t *testing.T, ctx context.Context) error {
			_, err := direct.ExecContext(ctx, "SELEC 1")
			return err
		}},
		{"a row that is there already", false, func(t *testing.T, ctx context.Context) error {
			_, err := direct.ExecContext(ctx, "INSERT INTO counters (name, value) VALUES ('seq', 1)")
			return err
		}},
		{"a statement that somebody cancels", false, func(t *testing.T, ctx context.Context) error {
			return raised(ctx, direct, "57014")
		}},
		{"a statement that takes longer than anybody waits", false, func(t *testing.T, ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
			defer cancel()
			_, err := direct.ExecContext(ctx, "SELECT pg_sleep(60)")
			return err
		}},
		{"nobody who waits", false, func(t *testing.T, ctx context.Context) error {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			_, err := direct.ExecContext(ctx, "SELECT 1")
			return err
		}},
		{"something else", false, func(*testing.T, context.Context) error { return errors.New("the index is closed") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.err(t, t.Context())
			if got := database.Away(err); got != c.away {
				t.Errorf("away: %v, want %v: %#v: %v", got, c.away, err, err)
			}
		})
	}
}

// raised is the error that the server gives with a code.
func raised(ctx context.Context, db *database.DB, code string) error {
	_, err := db.ExecContext(ctx, "DO $$ BEGIN RAISE EXCEPTION SQLSTATE '"+code+"'; END $$")
	return err
}

// refusedBy is the error of connecting to a server that refuses everybody.
func refusedBy(t *testing.T, code, words string) error {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			backend := pgproto3.NewBackend(conn, conn)
			if _, err := backend.ReceiveStartupMessage(); err == nil {
				backend.Send(&pgproto3.ErrorResponse{Severity: "FATAL", Code: code, Message: words})
				_ = backend.Flush()
			}
			_ = conn.Close()
		}
	}()
	_, err = database.Open(t.Context(), "postgres://newsie@"+listener.Addr().String()+"/newsie?sslmode=disable")
	return err
}
