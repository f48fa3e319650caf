package database_test

import (
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

// An installation of the first schema keeps its rows through every migration.
func TestUpgradeFromTheFirstSchemaKeepsData(t *testing.T) {
	upgrade := func(t *testing.T, address string) {
		db, err := database.Open(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		if err := db.MigrateTo(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		for _, statement := range []string{
			"INSERT INTO articles (source, source_key, state, title, slug, hash, seq, cover, body) VALUES ('s', 'k', 'published', 'T', 't', 'h', 1, '/media/0123456789abcdef0123456789abcdef.png', '[{\"kind\":\"picture\",\"url\":\"/media/00000000000000000000000000000000.jpg\"},{\"kind\":\"picture\",\"url\":\"/media/0123456789abcdef0123456789abcdef.png\"},{\"kind\":\"picture\",\"url\":\"https://example.org/p.png\"}]')",
			"INSERT INTO follows (channel, chat, topic, query, spec, zone, next_due_at, since_seq, created_at) VALUES ('c', 'r', 't', 't', '0 8 * * *', 'UTC', 1, 0, 1)",
			"INSERT INTO editions (kind, edition_key, created_at) VALUES ('follow', '1@2026-05-04T08:00', 1)",
			"INSERT INTO deliveries (edition, follow, channel, chat, state, due_at, updated_at) VALUES (1, 1, 'c', 'r', 'planned', 1, 1)",
		} {
			if _, err := db.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, table := range []string{"articles", "follows", "editions", "deliveries"} {
			var n int
			if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil || n != 1 {
				t.Errorf("%s: %d rows, %v", table, n, err)
			}
		}
		var shown string
		err = db.QueryRowContext(t.Context(), "SELECT min(hash) || ' ' || max(hash) || ' ' || count(*) FROM article_pictures WHERE article = 1").Scan(&shown)
		if want := "00000000000000000000000000000000 0123456789abcdef0123456789abcdef 2"; err != nil || shown != want {
			t.Errorf("pictures of articles: %q, %v; want %q", shown, err, want)
		}
		var slot string
		if err := db.QueryRowContext(t.Context(), "SELECT slot FROM deliveries").Scan(&slot); err != nil || slot != "2026-05-04T08:00" {
			t.Errorf("a delivery's slot: %q, %v", slot, err)
		}
	}
	t.Run("sqlite", func(t *testing.T) { upgrade(t, filepath.Join(t.TempDir(), "old.db")) })
	t.Run("postgres", func(t *testing.T) { upgrade(t, databasetest.BarePostgresAddress(t)) })
}

// The codes that chats kept are origins, one each.
func TestUpgradeKeepsWhereReadersCameFrom(t *testing.T) {
	upgrade := func(t *testing.T, address string) {
		db, err := database.Open(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		if err := db.MigrateTo(t.Context(), 7); err != nil {
			t.Fatal(err)
		}
		_, err = db.ExecContext(t.Context(), "INSERT INTO chats (channel, id, origin, since) VALUES ('c', '1', 'Poster-7', 5), ('d', '2', 'Poster-7', 3), ('c', '3', 'poster-7', 4), ('c', '4', '', 1)")
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		var got []string
		err = db.NewRaw("SELECT code || ' ' || name || ' ' || kind || ' ' || parent || ' ' || created_at AS origin FROM origins ORDER BY created_at").Scan(t.Context(), &got)
		if want := []string{"Poster-7 Poster-7 publisher 0 3", "poster-7 poster-7 publisher 0 4"}; err != nil || cmp.Diff(want, got) != "" {
			t.Errorf("the origins are %q, %v; want %q", got, err, want)
		}
		var kept string
		err = db.QueryRowContext(t.Context(), "SELECT min(origin) || ' ' || count(*) FROM chats WHERE origin = 'Poster-7'").Scan(&kept)
		if err != nil || kept != "Poster-7 2" {
			t.Errorf("chats kept %q, %v", kept, err)
		}
	}
	t.Run("sqlite", func(t *testing.T) { upgrade(t, filepath.Join(t.TempDir(), "old.db")) })
	t.Run("postgres", func(t *testing.T) { upgrade(t, databasetest.BarePostgresAddress(t)) })
}

// Replicas that start together migrate once.
func TestReplicasMigrateTogether(t *testing.T) {
	address := databasetest.BarePostgresAddress(t)
	var replicas sync.WaitGroup
	for range 4 {
		replicas.Go(func() {
			db, err := database.Open(t.Context(), address)
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = db.Close() }()
			if err := db.Migrate(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	replicas.Wait()
}

// What tests begin with is what migrations make, on either database.
func TestTestsBeginWithTheMigratedSchema(t *testing.T) {
	describe := func(t *testing.T, db *database.DB, queries ...string) string {
		t.Helper()
		if err := db.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, query := range queries {
			rows, err := db.QueryContext(t.Context(), query)
			if err != nil {
				t.Fatalf("%s: %v", query, err)
			}
			n := 0
			for ; rows.Next(); n++ {
				var line string
				if err := rows.Scan(&line); err != nil {
					t.Fatal(err)
				}
				b.WriteString(line + "\n")
			}
			if err := rows.Err(); err != nil || n == 0 {
				t.Fatalf("%s: %d rows, %v", query, n, err)
			}
		}
		return b.String()
	}
	bare := func(t *testing.T, address string) *database.DB {
		t.Helper()
		db, err := database.Open(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		return db
	}
	versions, counters := "SELECT version_id || ' ' || is_applied FROM goose_db_version ORDER BY id", "SELECT name || ' ' || value FROM counters ORDER BY name"
	t.Run("sqlite", func(t *testing.T) {
		queries := []string{"SELECT coalesce(sql, name) FROM sqlite_schema ORDER BY type, name", versions, counters}
		got, want := describe(t, databasetest.SQLite(t), queries...), describe(t, bare(t, filepath.Join(t.TempDir(), "bare.db")), queries...)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("postgres", func(t *testing.T) {
		queries := []string{
			`SELECT concat_ws(' ', table_name, ordinal_position, column_name, data_type, column_default, is_nullable, is_identity, identity_generation)
				FROM information_schema.columns WHERE table_schema = current_schema() ORDER BY table_name, ordinal_position`,
			"SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema() ORDER BY tablename, indexname",
			`SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
				WHERE connamespace = current_schema()::regnamespace ORDER BY conrelid::regclass::text, conname`,
			versions, counters,
		}
		describe := func(db *database.DB) string {
			var schema string
			if err := db.QueryRowContext(t.Context(), "SELECT current_schema()").Scan(&schema); err != nil {
				t.Fatal(err)
			}
			return strings.ReplaceAll(describe(t, db, queries...), schema, "SCHEMA")
		}
		if diff := cmp.Diff(describe(bare(t, databasetest.BarePostgresAddress(t))), describe(databasetest.Postgres(t))); diff != "" {
			t.Error(diff)
		}
	})
}
