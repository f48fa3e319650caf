package database_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

// Ways are from which kind of database to which.
var ways = []string{"sqlite to postgres", "postgres to sqlite", "sqlite to sqlite", "postgres to postgres"}

func emptyAddress(t *testing.T, kind string) string {
	t.Helper()
	if kind == "postgres" {
		return databasetest.BarePostgresAddress(t)
	}
	return filepath.Join(t.TempDir(), "newsie.db")
}

func eachWay(t *testing.T, test func(t *testing.T, from, to *database.DB)) {
	t.Helper()
	for _, way := range ways {
		t.Run(way, func(t *testing.T) {
			one, other, _ := strings.Cut(way, " to ")
			from := databasetest.SQLite(t)
			if one == "postgres" {
				from = databasetest.Postgres(t)
			}
			to, err := database.Open(t.Context(), emptyAddress(t, other))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = to.Close() })
			test(t, from, to)
		})
	}
}

func exec(t *testing.T, db *database.DB, statement string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// grow fills every table, with what is awkward: no bytes and all bytes, empty
// texts, keys whose order languages disagree about, ids that are gone.
func grow(t *testing.T, db *database.DB) {
	t.Helper()
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	exec(t, db, "INSERT INTO pictures (hash, type, data) VALUES ('a', 'image/png', ?), ('B', '', ?)", every, []byte{})
	for i, name := range []string{"b", "A", "a", "Ä", "ä", "_", "-", "é", "中", "🍵", "Z", ""} {
		exec(t, db, "INSERT INTO chats (channel, id, since) VALUES (?, ?, ?)", "c"+name, name, i)
		exec(t, db, "INSERT INTO settings (name, value) VALUES (?, ?)", name, "tab\t, 'quote', \"double\", \\ and\nline "+name)
	}
	exec(t, db, "INSERT INTO sessions (token, id, user_name, data, created_at, seen_at, expires_at) VALUES ('t', 'i', 'u', ?, 1, 1, 1)", every)
	exec(t, db, "UPDATE counters SET value = 9007199254740993 WHERE name = 'seq'")
	exec(t, db, "INSERT INTO sources (name, kind, location) VALUES ('s', 'feed', 'x')")
	const numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 700) "
	exec(t, db, numbers+"INSERT INTO editions (id, kind, edition_key, created_at) SELECT i, 'follow', 'k' || i, -1 FROM n")
	exec(t, db, numbers+"INSERT INTO deliveries (edition, channel, chat, state, due_at, updated_at, slot) SELECT i, 'c', 'r', 'sent', 1, 1, '' FROM n")
	exec(t, db, "INSERT INTO articles (source, source_key, state, title, slug, hash, seq) VALUES ('s', 'k', 'published', 'T', 't', 'h', -9223372036854775808)")
	exec(t, db, "INSERT INTO lists (id, channel, chat, kind, query, articles, created_at) VALUES (1, 'c', 'r', 'search', '', '[]', 1), (500, 'c', 'r', 'search', '', '[]', 1)")
	if db.Postgres() {
		exec(t, db, "SELECT setval('lists_id_seq', 500)")
		exec(t, db, "SELECT setval('editions_id_seq', 700)")
	}
	exec(t, db, "DELETE FROM lists WHERE id = 500")
	for _, statement := range []string{
		"INSERT INTO follows (channel, chat, topic, query, spec, zone, next_due_at, since_seq, created_at) VALUES ('c', 'r', 't', 't', '0 8 * * *', 'UTC', 1, 0, 1)",
		"INSERT INTO questions (text, lang, channel, results, asked_at) VALUES ('q', 'en', 'c', 0, 1)",
		"INSERT INTO inbox (channel, message_id, chat, received_at) VALUES ('c', 'm', 'r', 1)",
		"INSERT INTO buckets (name, free_at) VALUES ('b', 1)",
		"INSERT INTO quotas (name, period, used) VALUES ('q', 'p', 1)",
		"INSERT INTO webchat_messages (channel, chat, who, body, sent_at) VALUES ('c', 'r', 'bot', '', 1)",
		"INSERT INTO article_pictures (hash, article) VALUES ('a', 1)",
		"INSERT INTO prints (article, sim, key1, key2, key3, key4, key5, key6) VALUES (1, -1, 2, 3, 4, 5, 6, 7)",
		"INSERT INTO saved (channel, chat, article, saved_at) VALUES ('c', 'r', 1, 1)",
		"INSERT INTO sends (articles, audience, state, starts_at, created_at, updated_at) VALUES ('[1]', 'everyone', 'planned', 1, 1, 1)",
		"INSERT INTO pins (article, until, pinned_at) VALUES (1, 2, 3)",
		"INSERT INTO origins (code, kind, name, created_at) VALUES ('c', 'publisher', 'n', 1)",
		"INSERT INTO origin_codes (channel, payload, origin, url, permanent, made_at) VALUES ('c', 'oc', 1, 'u', 1, 1)",
		"INSERT INTO readers (channel, chat, ref) VALUES ('c', 'r', -9223372036854775808)",
		"INSERT INTO origin_events (ref, kind, what, at) VALUES (9223372036854775807, 1, -1, 1)",
		"INSERT INTO origin_totals (touch, day, origin, channel) VALUES (1, 20261123, -1, 'c')",
		"INSERT INTO users (name, created_at) VALUES ('u', 1)",
		"INSERT INTO user_links (token, user_name, expires_at) VALUES ('t', 'u', 1)",
		"INSERT INTO replicas (id, pid, host, began_at, seen_at) VALUES ('a', 1, 'h', 1, 1)",
	} {
		exec(t, db, statement)
	}
}

// tableNames asks the database itself for the tables that a copy holds.
func tableNames(t *testing.T, db *database.DB) []string {
	t.Helper()
	query := "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT IN ('goose_db_version', 'replicas', 'sqlite_sequence', 'sqlite_stat1') ORDER BY name"
	if db.Postgres() {
		query = `SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename NOT IN ('goose_db_version', 'replicas') ORDER BY tablename COLLATE "C"`
	}
	var names []string
	if err := db.NewRaw(query).Scan(t.Context(), &names); err != nil {
		t.Fatal(err)
	}
	return names
}

func TestACopyHoldsAllThatTheSourceDoes(t *testing.T) {
	eachWay(t, func(t *testing.T, from, to *database.DB) {
		grow(t, from)
		var steps, last, total int64
		report, err := database.Copy(t.Context(), from, to, database.CopyOptions{Progress: func(_ string, done, all int64) { steps, last, total = steps+1, done, all }})
		if err != nil {
			t.Fatal(err)
		}
		if last != total || total < 1400 || steps < total {
			t.Errorf("progress ended at %d of %d, after %d steps", last, total, steps)
		}
		var got []string
		rows := map[string]int64{}
		for _, c := range report {
			got = append(got, c.Table)
			rows[c.Table] = c.Rows
			if c.Rows == 0 {
				t.Errorf("grow leaves %s empty: it is not tested", c.Table)
			}
			if c.Replaced != 0 || len(c.Hash) != 64 {
				t.Errorf("%s: %+v", c.Table, c)
			}
		}
		names := tableNames(t, from)
		for _, name := range names {
			if rows[name] == 0 {
				t.Errorf("%s is not copied", name)
			}
		}
		if slices.Contains(got, "replicas") {
			t.Error("who serves the source is copied")
		}
		if len(got) != len(names) {
			t.Errorf("copied are %v, there are %v", got, names)
		}
		if diff := cmp.Diff(contents(t, from), contents(t, to)); diff != "" {
			t.Errorf("source and target differ (-source +target):\n%s", diff)
		}
		again(t, from, to, report)
		// Numbers that were given are not given again.
		var id int64
		if err := to.QueryRowContext(t.Context(), "INSERT INTO lists (channel, chat, kind, query, articles, created_at) VALUES ('c', 'r', 'search', '', '[]', 1) RETURNING id").Scan(&id); err != nil || id != 501 {
			t.Errorf("the next list has number %d, %v; want 501", id, err)
		}
		if err := to.Migrate(t.Context()); err != nil {
			t.Errorf("a finished copy cannot be used: %v", err)
		}
	})
}

// contents are some values as a program reads them.
func contents(t *testing.T, db *database.DB) map[string]any {
	t.Helper()
	all := map[string]any{}
	var pictures []struct {
		Hash string
		Data []byte
	}
	if err := db.NewRaw("SELECT hash, data FROM pictures").Scan(t.Context(), &pictures); err != nil {
		t.Fatal(err)
	}
	for _, p := range pictures {
		all["picture "+p.Hash] = fmt.Sprintf("%x", p.Data)
	}
	var settings []struct{ Name, Value string }
	if err := db.NewRaw("SELECT name, value FROM settings").Scan(t.Context(), &settings); err != nil {
		t.Fatal(err)
	}
	for _, s := range settings {
		all["setting "+s.Name] = s.Value
	}
	for _, query := range []string{
		"SELECT value FROM counters WHERE name = 'seq'", "SELECT min(seq) FROM articles", "SELECT sum(id * edition) FROM deliveries",
		"SELECT count(*) FROM pictures WHERE data IS NULL",
	} {
		var v int64
		if err := db.QueryRowContext(t.Context(), query).Scan(&v); err != nil {
			t.Fatal(err)
		}
		all[query] = v
	}
	return all
}

// again copies what is equal already.
func again(t *testing.T, from, to *database.DB, first []database.TableCopy) {
	t.Helper()
	report, err := database.Copy(t.Context(), from, to, database.CopyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range first {
		want := first[i]
		want.Copied = false
		if report[i] != want {
			t.Errorf("the second time: %+v, want %+v", report[i], want)
		}
	}
}

// Cut off at any moment, a copy is refused as a database, and finished by the
// next run.
func TestACopyThatWasCutOffIsFinished(t *testing.T) {
	eachWay(t, func(t *testing.T, from, to *database.DB) {
		grow(t, from)
		// A table is read before it is copied: each is cut off in the middle of that.
		for _, cut := range []struct {
			table string
			rows  int
		}{{"chats", 12 + 6}, {"editions", 700 + 300}, {"deliveries", 700 + 699}} {
			ctx, cancel := context.WithCancel(t.Context())
			writing := 0
			_, err := database.Copy(ctx, from, to, database.CopyOptions{Progress: func(table string, done, _ int64) {
				if table == cut.table {
					if writing++; writing == cut.rows {
						cancel()
					}
				}
			}})
			cancel()
			if err == nil {
				t.Fatalf("cut off at %s, it goes on", cut.table)
			}
			if err := to.Migrate(t.Context()); !errors.Is(err, database.ErrCopying) {
				t.Errorf("half a copy is taken for a database: %v", err)
			}
		}
		// What the source got meanwhile counts, too, and what else came in does not.
		exec(t, from, "UPDATE editions SET topic = 'changed' WHERE id = 3")
		exec(t, to, "INSERT INTO settings (name, value) VALUES ('stray', 'x')")
		if _, err := database.Copy(t.Context(), from, to, database.CopyOptions{}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(contents(t, from), contents(t, to)); diff != "" {
			t.Errorf("source and target differ (-source +target):\n%s", diff)
		}
		if err := to.Migrate(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestOtherDataIsNeverOverwritten(t *testing.T) {
	eachWay(t, func(t *testing.T, from, to *database.DB) {
		grow(t, from)
		if err := to.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		exec(t, to, "INSERT INTO chats (channel, id, since) VALUES ('web', 'x', 1)")
		var full *database.NotEmptyError
		_, err := database.Copy(t.Context(), from, to, database.CopyOptions{})
		if !errors.As(err, &full) || !strings.Contains(err.Error(), "chats") {
			t.Errorf("err = %v", err)
		}
		if n := countRows(t, to, "chats"); n != 1 {
			t.Errorf("the target has %d chats", n)
		}
	})
}

// As many rows, but not the same.
func TestADifferenceInOneValueIsFound(t *testing.T) {
	eachWay(t, func(t *testing.T, from, to *database.DB) {
		grow(t, from)
		if _, err := database.Copy(t.Context(), from, to, database.CopyOptions{}); err != nil {
			t.Fatal(err)
		}
		exec(t, to, "UPDATE settings SET value = value || ' ' WHERE name = 'Z'")
		var full *database.NotEmptyError
		_, err := database.Copy(t.Context(), from, to, database.CopyOptions{})
		if !errors.As(err, &full) || !strings.Contains(err.Error(), "settings") {
			t.Errorf("err = %v", err)
		}
	})
}

func countRows(t *testing.T, db *database.DB, table string) (n int) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// PostgreSQL takes neither NUL nor what is no UTF-8.
func TestTextsThatPostgresDoesNotTake(t *testing.T) {
	from, to := databasetest.SQLite(t), databasetest.Postgres(t)
	exec(t, from, "INSERT INTO settings (name, value) VALUES ('nul', 'a' || char(0) || 'b'), ('broken', CAST(x'61ff62' AS TEXT)), ('blob', x'616263')")
	report, err := database.Copy(t.Context(), from, to, database.CopyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range report {
		if c.Table == "settings" && c.Replaced != 2 {
			t.Errorf("settings: %+v, want 2 replaced", c)
		}
	}
	for name, want := range map[string]string{"nul": "a\uFFFDb", "broken": "a\uFFFDb", "blob": "abc"} {
		var got string
		if err := to.QueryRowContext(t.Context(), "SELECT value FROM settings WHERE name = ?", name).Scan(&got); err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", name, got, err, want)
		}
	}
	again(t, from, to, report)

	other := databasetest.Postgres(t)
	exec(t, from, "INSERT INTO chats (channel, id, since) VALUES ('web', 'x' || char(0), 1)")
	_, err = database.Copy(t.Context(), from, other, database.CopyOptions{})
	if err == nil || !strings.Contains(err.Error(), `chats, where channel = "web" and id = "x\x00": column id: PostgreSQL takes neither NUL`) {
		t.Errorf("a key: %v", err)
	}
	// To SQLite everything goes as it is.
	if _, err := database.Copy(t.Context(), from, databasetest.SQLite(t), database.CopyOptions{}); err != nil {
		t.Error(err)
	}
}

func TestOnlyDataOfThisSchemaIsCopied(t *testing.T) {
	to := databasetest.SQLite(t)
	for name, c := range map[string]struct {
		prepare func(t *testing.T, from *database.DB)
		want    string
	}{
		"nothing at all": {func(t *testing.T, from *database.DB) {}, "holds no data"},
		"an older schema": {func(t *testing.T, from *database.DB) {
			if err := from.MigrateTo(t.Context(), 6); err != nil {
				t.Fatal(err)
			}
		}, "bring it up to date"},
		"a newer schema": {func(t *testing.T, from *database.DB) {
			if err := from.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			upgraded(t, from, 9999, 6)
		}, "use the newer newsie"},
		"half a copy": {func(t *testing.T, from *database.DB) {
			if err := from.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			exec(t, from, "INSERT INTO counters (name, value) VALUES ('store_copy', 1)")
		}, "has not finished"},
		"a wrong kind of value": {func(t *testing.T, from *database.DB) {
			if err := from.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			exec(t, from, "INSERT INTO buckets (name, free_at) VALUES ('b', 'soon')")
		}, `buckets, where name = "b": column free_at: string is no integer`},
	} {
		t.Run(name, func(t *testing.T) {
			from, err := database.Open(t.Context(), filepath.Join(t.TempDir(), "newsie.db"))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = from.Close() }()
			c.prepare(t, from)
			if _, err := database.Copy(t.Context(), from, to, database.CopyOptions{}); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("err = %v, want %q", err, c.want)
			}
		})
	}
}

func TestOneCopierATarget(t *testing.T) {
	from, address := databasetest.SQLite(t), databasetest.PostgresAddress(t)
	grow(t, from)
	to, second := databasetest.Open(t, address), databasetest.Open(t, address)
	var err error
	_, firstErr := database.Copy(t.Context(), from, to, database.CopyOptions{Progress: func(_ string, done, _ int64) {
		if done == 1 && err == nil {
			_, err = database.Copy(t.Context(), from, second, database.CopyOptions{})
		}
	}})
	if firstErr != nil || err == nil || !strings.Contains(err.Error(), "another newsie migrate-store") {
		t.Errorf("the first: %v; the second: %v", firstErr, err)
	}
}
