package database_test

import (
	"strings"
	"testing"

	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

func TestMigrateTwice(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		first, err := db.Schema(t.Context())
		if err != nil || first.Version < 7 || first.Version != first.Known || first.Oldest < 6 || first.Oldest > first.Version {
			t.Fatalf("the schema is %+v, %v", first, err)
		}
		if err := db.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if second, err := db.Schema(t.Context()); err != nil || second != first {
			t.Errorf("then the schema is %+v, %v", second, err)
		}
	})
}

// upgraded makes the database that of a newer newsie, whose schema supports
// programs that know at least oldest.
func upgraded(t *testing.T, db *database.DB, version, oldest int64) {
	t.Helper()
	for _, statement := range []string{
		"CREATE TABLE bookmarks (id BIGINT PRIMARY KEY)",
		"ALTER TABLE chats ADD COLUMN mood TEXT NOT NULL DEFAULT ''",
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (?, ?)", version, true); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "UPDATE counters SET value = ? WHERE name = 'schema_oldest'", oldest); err != nil {
		t.Fatal(err)
	}
}

func TestANewerSchemaThatSupportsThisProgramIsLeftAsItIs(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		known := mustSchema(t, db).Known
		upgraded(t, db, known+2, known)
		if err := db.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := database.Schema{Version: known + 2, Known: known, Oldest: known}
		if got := mustSchema(t, db); got != want {
			t.Errorf("the schema is %+v, want %+v", got, want)
		}
		var n int
		if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM bookmarks").Scan(&n); err != nil {
			t.Errorf("what the newer newsie added: %v", err)
		}
	})
}

func TestANewerSchemaThatThisProgramIsTooOldForIsRefused(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		upgraded(t, db, 9999, 9998)
		err := db.Migrate(t.Context())
		if err == nil || !strings.Contains(err.Error(), "has schema 9999, which needs a newsie that knows schema 9998 or newer; this one knows up to ") {
			t.Errorf("err = %v", err)
		}
	})
}

// A schema that does not say whom it supports supports nobody older.
func TestANewerSchemaWithoutAWordIsRefused(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		upgraded(t, db, 9999, 6)
		if _, err := db.ExecContext(t.Context(), "DELETE FROM counters WHERE name = 'schema_oldest'"); err != nil {
			t.Fatal(err)
		}
		if err := db.Migrate(t.Context()); err == nil || !strings.Contains(err.Error(), "knows schema 9999") {
			t.Errorf("err = %v", err)
		}
	})
}

// The newsie of schema 6 runs on schema 7, as that says, and does not on one
// that asks for more.
func TestAnOlderProgramRunsOnTheNextSchema(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		now := mustSchema(t, db)
		db.Know(6)
		if err := db.Migrate(t.Context()); err != nil {
			t.Error(err)
		}
		want := database.Schema{Version: now.Version, Known: 6, Oldest: now.Oldest}
		if got := mustSchema(t, db); got != want {
			t.Errorf("to schema 6 it is %+v, want %+v", got, want)
		}
		db.Know(5)
		if err := db.Migrate(t.Context()); err == nil || !strings.Contains(err.Error(), "knows schema 6 or newer; this one knows up to 5") {
			t.Errorf("schema 5: %v", err)
		}
	})
}

func mustSchema(t *testing.T, db *database.DB) database.Schema {
	t.Helper()
	s, err := db.Schema(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}
