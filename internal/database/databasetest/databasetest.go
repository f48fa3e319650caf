// Package databasetest gives tests real databases: SQLite always, PostgreSQL
// where NEWSIE_TEST_POSTGRES names a server.
package databasetest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"newsie/internal/database"
)

// Variable names the environment variable that holds the address of a
// PostgreSQL database in which the tests may make schemas of their own.
const Variable = "NEWSIE_TEST_POSTGRES"

// Again, set in the environment, makes a second run of the tests, of those on one
// database: what runs on SQLite otherwise runs on PostgreSQL, and what has run on
// both does not run.
const Again = "NEWSIE_TEST_AGAIN_ON_POSTGRES"

// Second reports whether this is the second run.
func Second() bool { return os.Getenv(Again) != "" }

// Each runs test once on an empty SQLite database and once on an empty
// PostgreSQL schema. Without a server the second is skipped, which CI forbids.
func Each(t *testing.T, test func(t *testing.T, db *database.DB)) {
	t.Helper()
	if Second() {
		return
	}
	t.Run("sqlite", func(t *testing.T) { test(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, Postgres(t)) })
}

// SQLite opens an empty, migrated SQLite database in a temporary folder; in the
// second run an empty schema of PostgreSQL.
func SQLite(t testing.TB) *database.DB {
	t.Helper()
	if Second() {
		return Postgres(t)
	}
	return Open(t, filepath.Join(t.TempDir(), "newsie.db"))
}

// migrated is an empty SQLite database with the whole schema: the bytes of its
// file, because to migrate takes longer than most tests.
var migrated = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "newsie-migrated-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "newsie.db")
	db, err := database.Open(context.Background(), path)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(db.Migrate(context.Background()), db.Close()); err != nil {
		return nil, err
	}
	// Closing has brought everything from the log into the file.
	if _, err := os.Stat(path + "-wal"); !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the log of %s is still there: %w", path, err)
	}
	return os.ReadFile(path)
})

// fill makes the file that is to be a database one with the whole schema, unless
// it is there.
func fill(t testing.TB, path string) {
	t.Helper()
	data, err := migrated()
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.Write(data)
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
}

// Postgres opens an empty, migrated schema of the test server.
func Postgres(t testing.TB) *database.DB {
	t.Helper()
	return Open(t, PostgresAddress(t))
}

// Open opens and migrates the database at address; two calls with one address
// are two replicas.
func Open(t testing.TB, address string) *database.DB {
	t.Helper()
	if !strings.Contains(address, "://") {
		fill(t, address)
	}
	db, err := database.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db
}

// script makes a schema of PostgreSQL what Migrate would.
var script = sync.OnceValues(database.Script)

// PostgresAddress makes a schema with all tables, and nothing in them, on the
// test server and returns an address that uses it.
func PostgresAddress(t testing.TB) string {
	t.Helper()
	statements, err := script()
	if err != nil {
		t.Fatal(err)
	}
	return postgres(t, statements)
}

// BarePostgresAddress is PostgresAddress for a schema without tables.
func BarePostgresAddress(t testing.TB) string {
	t.Helper()
	return postgres(t, "")
}

// postgres makes a schema, runs statements in it, and returns its address.
func postgres(t testing.TB, statements string) string {
	t.Helper()
	server := os.Getenv(Variable)
	if server == "" {
		t.Skipf("%s is not set: no PostgreSQL to test on", Variable)
	}
	name := "t_" + strings.ToLower(rand.Text())
	run := func(ctx context.Context, statements string) error {
		conn, err := pgconn.Connect(ctx, server)
		if err != nil {
			return err
		}
		_, err = conn.Exec(ctx, statements).ReadAll()
		return errors.Join(err, conn.Close(ctx))
	}
	if err := run(t.Context(), fmt.Sprintf("CREATE SCHEMA %s; SET search_path TO %[1]s; %s", name, statements)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = run(context.Background(), fmt.Sprintf("DROP SCHEMA %s CASCADE", name)) })
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", name)
	u.RawQuery = q.Encode()
	return u.String()
}

// Refuse makes the database fail whoever inserts into a table, saying why, which
// has no quotes.
func Refuse(t testing.TB, db *database.DB, table, why string) {
	t.Helper()
	statements := []string{fmt.Sprintf("CREATE TRIGGER refused BEFORE INSERT ON %s BEGIN SELECT RAISE(ABORT, '%s'); END", table, why)}
	if db.Postgres() {
		statements = []string{
			fmt.Sprintf("CREATE FUNCTION refused() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '%s'; END $$", why),
			fmt.Sprintf("CREATE TRIGGER refused BEFORE INSERT ON %s FOR EACH ROW EXECUTE FUNCTION refused()", table),
		}
	}
	for _, statement := range statements {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
}

// Permit ends what Refuse began.
func Permit(t testing.TB, db *database.DB, table string) {
	t.Helper()
	statements := []string{"DROP TRIGGER refused"}
	if db.Postgres() {
		statements = []string{"DROP TRIGGER refused ON " + table, "DROP FUNCTION refused()"}
	}
	for _, statement := range statements {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
}
