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

// What the newsie of schema 6 writes is right on the newest schema: it knows no
// slots, so that two of one follow do not refuse each other.
func TestTheStatementsOfSchema6GoOn(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		exec(t, db, "INSERT INTO chats (channel, id, since) VALUES ('c', 'r', 1)")
		exec(t, db, "INSERT INTO follows (channel, chat, topic, query, lang, spec, zone, next_due_at, since_seq, created_at) VALUES ('c', 'r', 't', 't', 'en', '0 8 * * *', 'UTC', 1, 0, 1)")
		for _, slot := range []string{"2026-05-04T08:00", "2026-05-05T08:00"} {
			var edition int64
			err := db.QueryRowContext(t.Context(), `INSERT INTO editions (kind, edition_key, topic, query, lang, from_seq, to_seq, articles, payload, created_at)
				VALUES ('follow', ?, 't', 't', 'en', 0, 1, '[1]', '', 1) ON CONFLICT (kind, edition_key) DO NOTHING RETURNING id`, "1@"+slot).Scan(&edition)
			if err != nil {
				t.Fatal(err)
			}
			exec(t, db, "INSERT INTO deliveries (edition, follow, channel, chat, state, due_at, updated_at) VALUES (?, 1, 'c', 'r', 'planned', 1, 1)", edition)
			exec(t, db, "UPDATE follows SET last_slot = ?, next_due_at = next_due_at + 1, since_seq = 1 WHERE id = 1", slot)
		}
		// One that the newer newsie planned is delivered by the older one, too.
		exec(t, db, "INSERT INTO editions (id, kind, edition_key, created_at) VALUES (77, 'follow', 'shared', 1)")
		exec(t, db, "INSERT INTO deliveries (edition, follow, channel, chat, state, due_at, updated_at, slot) VALUES (77, 1, 'c', 'r', 'planned', 1, 1, '2026-05-06T08:00')")
		exec(t, db, "UPDATE deliveries SET state = 'claimed', claim = 'x', lease_until = 9, updated_at = 2 WHERE state = 'planned'")
		exec(t, db, "UPDATE deliveries SET state = 'sending', attempt = attempt + 1, lease_until = 9, updated_at = 3 WHERE state = 'claimed' AND claim = 'x'")
		exec(t, db, "UPDATE deliveries SET state = 'sent', way = 'message', provider_id = '1', error = '', lease_until = 0, updated_at = 4 WHERE state = 'sending' AND claim = 'x'")
		var sent, slots int
		if err := db.QueryRowContext(t.Context(), "SELECT count(*), count(DISTINCT slot) FROM deliveries WHERE state = 'sent'").Scan(&sent, &slots); err != nil || sent != 3 || slots != 2 {
			t.Errorf("%d deliveries with %d slots, %v; want 3 with 2", sent, slots, err)
		}
	})
}
