package database_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/uptrace/bun"

	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

func put(name string) func(ctx context.Context, tx bun.IDB) error {
	return func(ctx context.Context, tx bun.IDB) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO settings (name, value) VALUES (?, 'x')", name)
		return err
	}
}

func count(t *testing.T, db *database.DB) (n int) {
	t.Helper()
	if err := db.Reader().NewRaw("SELECT count(*) FROM settings").Scan(t.Context(), &n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestWritesTogetherSucceedAndFailAlone(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		var all sync.WaitGroup
		refused := errors.New("refused")
		for i := range 400 {
			all.Go(func() {
				name := fmt.Sprint("n", i)
				switch i % 100 {
				case 7: // after it has written
					err := db.Write(t.Context(), func(ctx context.Context, tx bun.IDB) error {
						return errors.Join(put(name)(ctx, tx), refused)
					})
					if !errors.Is(err, refused) {
						t.Errorf("%s: %v", name, err)
					}
				case 13: // too late
					ctx, cancel := context.WithCancel(t.Context())
					cancel()
					if err := db.Write(ctx, put(name)); !errors.Is(err, context.Canceled) {
						t.Errorf("%s: %v", name, err)
					}
				case 21: // a wrong statement
					if err := db.Write(t.Context(), put("n0")); err == nil && name != "n0" {
						if err := db.Write(t.Context(), put("n0")); err == nil {
							t.Errorf("%s: a name was written twice", name)
						}
					}
				case 33:
					func() {
						defer func() {
							if cause := recover(); cause != "out of order" {
								t.Errorf("%s: recovered %v", name, cause)
							}
						}()
						_ = db.Write(t.Context(), func(context.Context, bun.IDB) error { panic("out of order") })
					}()
				case 0:
				default:
					if err := db.Write(t.Context(), put(name)); err != nil {
						t.Errorf("%s: %v", name, err)
					}
				}
			})
		}
		all.Wait()
		if got, want := count(t, db), 400-5*4+1; got != want {
			t.Errorf("%d names, want %d", got, want)
		}
	})
}

func TestWritesWaitForTheirCommit(t *testing.T) {
	db := databasetest.SQLite(t)
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			name := fmt.Sprint("n", i)
			if err := db.Write(t.Context(), put(name)); err != nil {
				t.Error(err)
			}
			var n int
			if err := db.Reader().NewRaw("SELECT count(*) FROM settings WHERE name = ?", name).Scan(t.Context(), &n); err != nil || n != 1 {
				t.Errorf("%s is not there after its Write: %d, %v", name, n, err)
			}
		})
	}
	all.Wait()
}
