package database_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/uptrace/bun"

	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

func TestTxRollsBack(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		boom := errors.New("boom")
		err := db.Tx(t.Context(), func(ctx context.Context, tx bun.Tx) error {
			if _, err := tx.ExecContext(ctx, "UPDATE counters SET value = 7 WHERE name = 'seq'"); err != nil {
				return err
			}
			return boom
		})
		if !errors.Is(err, boom) {
			t.Fatalf("err = %v", err)
		}
		var value int64
		if err := db.Reader().NewRaw("SELECT value FROM counters WHERE name = ?", "seq").Scan(t.Context(), &value); err != nil {
			t.Fatal(err)
		}
		if value != 0 {
			t.Errorf("value = %d after a rollback, want 0", value)
		}
	})
}

func TestNowAndSize(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		now, err := db.Now(t.Context())
		if err != nil || now < 1_700_000_000_000 {
			t.Errorf("now = %d, %v", now, err)
		}
		if size, err := db.Size(t.Context()); err != nil || size <= 0 {
			t.Errorf("size = %d, %v", size, err)
		}
	})
}

func TestRedact(t *testing.T) {
	if got := database.Redact("postgres://u:secret@h/db"); strings.Contains(got, "secret") {
		t.Errorf("Redact = %q", got)
	}
}

func TestAnOldPostgreSQLIsRefused(t *testing.T) {
	if err := database.Supported(140011); err == nil || !strings.Contains(err.Error(), "is PostgreSQL 14; newsie needs 15 or newer") {
		t.Errorf("PostgreSQL 14.11: %v", err)
	}
	for _, number := range []int{150000, 150004, 180001} {
		if err := database.Supported(number); err != nil {
			t.Errorf("%d: %v", number, err)
		}
	}
}

func TestASchemaThatIsNotThereIsNamed(t *testing.T) {
	u, err := url.Parse(databasetest.BarePostgresAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"none":         "the schema none does not exist on this PostgreSQL, or its user may not use it: CREATE SCHEMA none",
		"none,neither": "none of the schemas in its search_path (none,neither) exists",
	} {
		q := u.Query()
		q.Set("search_path", path)
		u.RawQuery = q.Encode()
		db, err := database.Open(t.Context(), u.String())
		if err == nil {
			_ = db.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
}

func TestADatabaseIsEmptyUntilItHasASchema(t *testing.T) {
	for name, address := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite://" + t.TempDir() + "/newsie.db" },
		"postgres": func(t *testing.T) string { return databasetest.BarePostgresAddress(t) },
	} {
		t.Run(name, func(t *testing.T) {
			db, err := database.Open(t.Context(), address(t))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = db.Close() }()
			empty, err := db.Empty(t.Context())
			if err != nil || !empty {
				t.Errorf("before: %v, %v", empty, err)
			}
			if err := db.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			if empty, err = db.Empty(t.Context()); err != nil || empty {
				t.Errorf("after: %v, %v", empty, err)
			}
		})
	}
}
