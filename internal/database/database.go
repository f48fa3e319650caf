// Package database opens the one database of an installation, SQLite or
// PostgreSQL, and brings its schema up to date. Tables belong to the packages
// that query them; what differs between the two databases stays here.
package database

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"modernc.org/sqlite"
)

// A DB is an open database. Statements run through the embedded bun.DB; plain
// reads should go through Reader, which on SQLite does not wait for writers.
//
// On SQLite there is one writing connection: using the DB inside a function
// given to Tx, instead of the transaction, waits for ever.
type DB struct {
	*bun.DB
	reader   *bun.DB
	postgres bool
	path     string
	address  string // of PostgreSQL
	known    int    // the newest schema to know of; 0 is all, others are for tests
	writes   writes

	announced announced
	name      string                    // of this process among replicas
	host      string                    // of the machine
	beatAt    atomic.Pointer[time.Time] // when the others last saw this process live
}

// Open opens "postgres://…", "sqlite://PATH" or a plain path of a SQLite file,
// one with a slash or an ending such as .db; its folder is made when it does not
// exist.
func Open(ctx context.Context, address string) (*DB, error) {
	if err := CheckAddress(address); err != nil {
		return nil, err
	}
	var db *DB
	var err error
	if strings.HasPrefix(address, "postgres://") || strings.HasPrefix(address, "postgresql://") {
		db, err = openPostgres(address)
	} else {
		db, err = openSQLite(strings.TrimPrefix(address, "sqlite://"))
	}
	if err != nil {
		return nil, err
	}
	if err := db.reach(ctx); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("open the database %s: %w", Redact(address), err)
	}
	return db, nil
}

// reach refuses a database that does not answer, and one on PostgreSQL whose
// schema is not there: tables have no place then, and each statement an error of
// its own.
func (db *DB) reach(ctx context.Context) error {
	if !db.postgres {
		return db.PingContext(ctx)
	}
	var schema sql.NullString
	var path string
	if err := db.QueryRowContext(ctx, "SELECT current_schema(), current_setting('search_path')").Scan(&schema, &path); err != nil {
		return err
	}
	switch {
	case schema.Valid:
		return nil
	case strings.ContainsAny(path, `,$"`) || path == "":
		return fmt.Errorf("none of the schemas in its search_path (%s) exists on this PostgreSQL, or its user may not use them", path)
	}
	return fmt.Errorf("the schema %s does not exist on this PostgreSQL, or its user may not use it: CREATE SCHEMA %s", path, path)
}

// Empty reports whether nothing was ever kept in the database: it has no schema.
func (db *DB) Empty(ctx context.Context) (bool, error) {
	query := "SELECT count(*) FROM sqlite_master WHERE name = 'goose_db_version'"
	if db.postgres {
		query = "SELECT count(to_regclass('goose_db_version'))"
	}
	var n int
	if err := db.reader.QueryRowContext(ctx, query).Scan(&n); err != nil {
		return false, fmt.Errorf("look for tables: %w", err)
	}
	return n == 0, nil
}

var scheme = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.-]+):`)

// CheckAddress refuses an address that Open cannot mean, without opening it.
// Its error shows no password.
func CheckAddress(address string) error {
	m := scheme.FindStringSubmatch(address)
	switch {
	case m == nil && strings.Contains(address, "=") && !strings.ContainsAny(address, `/\`):
		return errors.New("write the database's settings as an address: postgres://user@host:5432/newsie")
	case m == nil && address != "" && !strings.ContainsAny(address, `/\`) && !slices.Contains([]string{".db", ".sqlite", ".sqlite3"}, filepath.Ext(address)):
		return fmt.Errorf("%q is neither postgres://… nor sqlite://FILE, nor does it look like a file's path: write ./%s if it is one", address, address)
	case m == nil:
		return nil
	case m[1] == "postgres" || m[1] == "postgresql":
		if _, err := pgconn.ParseConfig(address); err != nil || !strings.HasPrefix(address, m[0]+"//") {
			return fmt.Errorf("%s is no address such as postgres://user@host:5432/newsie", Redact(address))
		}
		return nil
	case m[1] == "sqlite" && strings.HasPrefix(address, "sqlite://") && len(address) > len("sqlite://"):
		return nil
	}
	return fmt.Errorf("there is no support for %s: databases: give postgres://… or sqlite://FILE, or nothing for SQLite in the data folder", m[1])
}

func openPostgres(address string) (*DB, error) {
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, fmt.Errorf("open the database %s: %w", Redact(address), err)
	}
	if !strings.Contains(address, "default_query_exec_mode=") {
		// bun writes values into statements, so hardly any comes twice: to prepare
		// and keep each costs a round trip and memory at both ends.
		config.DefaultQueryExecMode = pgx.QueryExecModeExec
	}
	pool := stdlib.OpenDB(*config, stdlib.OptionAfterConnect(func(ctx context.Context, conn *pgx.Conn) error {
		// A machine that stands still in the middle of a transaction would keep
		// what it has locked from all others for as long. Set, and not a parameter
		// of the connection, which poolers before PostgreSQL refuse.
		_, err := conn.Exec(ctx, "SET idle_in_transaction_session_timeout = '1min'")
		return err
	}))
	pool.SetMaxOpenConns(16)
	pool.SetMaxIdleConns(8)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	b := bun.NewDB(pool, pgdialect.New())
	host, err := os.Hostname()
	if err != nil {
		host = ""
	}
	return &DB{DB: b, reader: b, postgres: true, address: address, name: rand.Text(), host: host}, nil
}

func openSQLite(path string) (*DB, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	// SQLite would make it readable for everybody, and the files beside it like it.
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	if err := file.Close(); err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	pragmas := "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_pragma=temp_store(MEMORY)"
	escaped := (&url.URL{Path: path}).EscapedPath()
	writer, err := sql.Open("sqlite", "file:"+escaped+pragmas+"&_txlock=immediate")
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	writer.SetMaxOpenConns(1)
	readers, err := sql.Open("sqlite", "file:"+escaped+pragmas+"&_pragma=query_only(1)")
	if err != nil {
		_ = writer.Close()
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	readers.SetMaxOpenConns(4)
	return &DB{
		DB:     bun.NewDB(writer, sqlitedialect.New()),
		reader: bun.NewDB(readers, sqlitedialect.New()),
		path:   path,
	}, nil
}

// Close tells what was announced, and closes every connection.
func (db *DB) Close() error {
	db.announced.close()
	err := db.DB.Close()
	if db.reader != db.DB {
		err = errors.Join(err, db.reader.Close())
	}
	return err
}

// Reader is for queries outside a transaction.
func (db *DB) Reader() *bun.DB { return db.reader }

// Postgres reports whether this is PostgreSQL, for the few statements that differ.
func (db *DB) Postgres() bool { return db.postgres }

// Path is the SQLite file, or "".
func (db *DB) Path() string { return db.path }

// SkipLocked is the clause that lets replicas take different rows of a queue;
// on SQLite, where a transaction has the database to itself, it is empty.
func (db *DB) SkipLocked() string {
	if db.postgres {
		return " FOR UPDATE SKIP LOCKED"
	}
	return ""
}

// Via is the clause that makes SQLite, which knows nothing of how long rows are,
// read a table by an index that holds all that is asked for; PostgreSQL finds out.
func (db *DB) Via(index string) string {
	if db.postgres {
		return ""
	}
	return " INDEXED BY " + index
}

// Tx runs fn in a transaction and commits it unless fn fails. A transaction
// that lost against another one (serialization, deadlock, busy) runs again, up
// to five times, so fn must not have effects of its own.
func (db *DB) Tx(ctx context.Context, fn func(ctx context.Context, tx bun.Tx) error) error {
	for attempt := 1; ; attempt++ {
		err := db.RunInTx(ctx, nil, fn)
		if err == nil || attempt == 5 || !transient(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(attempt*attempt) * 10 * time.Millisecond):
		}
	}
}

// transient reports whether the same transaction may succeed when run again.
func transient(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		// 23503: what a new row refers to was deleted a moment ago.
		return pg.Code == "40001" || pg.Code == "40P01" || pg.Code == "23503"
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		const busy, locked = 5, 6
		return lite.Code()&0xff == busy || lite.Code()&0xff == locked
	}
	return false
}

// Now reads the database's Clock.
func (db *DB) Now(ctx context.Context) (int64, error) {
	var now int64
	if err := db.reader.QueryRowContext(ctx, "SELECT "+db.Clock()).Scan(&now); err != nil {
		return 0, fmt.Errorf("read the database's clock: %w", err)
	}
	return now, nil
}

// Size is the database's size in bytes.
func (db *DB) Size(ctx context.Context) (int64, error) {
	query := "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
	if db.postgres {
		query = "SELECT pg_database_size(current_database())"
	}
	var size int64
	err := db.reader.QueryRowContext(ctx, query).Scan(&size)
	return size, err
}

// Others is how many connections other programs have to a database on
// PostgreSQL, told apart by their application_name, as far as its user may see;
// on SQLite it is 0.
func (db *DB) Others(ctx context.Context) (n int, err error) {
	if !db.postgres {
		return 0, nil
	}
	err = db.reader.QueryRowContext(ctx, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = current_user
		AND application_name <> current_setting('application_name')`).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("look for other programs: %w", err)
	}
	return n, nil
}

// Redact hides the password of a database address.
func Redact(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "(address not shown)"
	}
	return u.Redacted()
}
