package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/uptrace/bun"
)

// ErrCopying refuses a database that Copy has not filled completely.
var ErrCopying = errors.New("newsie migrate-store has not finished filling this database: run it again")

// A NotEmptyError refuses to copy into a database that holds something else.
type NotEmptyError struct {
	Tables []string // in which they differ
}

func (e *NotEmptyError) Error() string {
	return "the target holds other data, in " + strings.Join(e.Tables, ", ")
}

// A TableCopy tells what became of one table.
type TableCopy struct {
	Table    string `json:"table"`
	Rows     int64  `json:"rows"`
	Hash     string `json:"sha256"`   // of all rows, the same on both sides
	Copied   bool   `json:"copied"`   // false: it was equal already
	Replaced int64  `json:"replaced"` // texts in which characters were replaced
}

// CopyOptions say how Copy tells what it does.
type CopyOptions struct {
	// Progress hears how many rows of how many are done; nil: nobody does.
	Progress func(table string, done, total int64)
}

// Copy fills a database with all that another one holds, on either kind of
// database, and compares both: every row of every table, by a hash. Ids stay as
// they are, and numbers that were used are not used again.
//
// The source is read as it is at one moment and never changed; its schema must
// be the newest. The target must be empty, or one that Copy did not finish, or
// equal already; else Copy returns a *NotEmptyError. Until it has finished, the
// target is refused by Migrate. PostgreSQL takes neither NUL nor invalid UTF-8 in
// a text: U+FFFD stands for them there, but in a key it is an error.
func Copy(ctx context.Context, from, to *DB, o CopyOptions) ([]TableCopy, error) {
	schema, err := from.Schema(ctx)
	switch {
	case err != nil:
		return nil, fmt.Errorf("the source: %w", err)
	case schema.Version == 0:
		return nil, errors.New("the source holds no data of newsie's")
	case schema.Version < schema.Known:
		return nil, fmt.Errorf("the source has schema %d, this newsie's is %d: bring it up to date with this newsie first, such as by newsie doctor", schema.Version, schema.Known)
	case schema.Version > schema.Known:
		return nil, fmt.Errorf("the source has schema %d, this newsie knows up to %d: use the newer newsie", schema.Version, schema.Known)
	}
	if copying, err := from.copying(ctx); err != nil || copying {
		return nil, fmt.Errorf("the source: %w", errors.Join(err, onlyIf(copying, ErrCopying)))
	}
	snapshot := &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	if !from.postgres {
		snapshot = nil
	}
	tx, err := from.reader.BeginTx(ctx, snapshot)
	if err != nil {
		return nil, fmt.Errorf("read the source: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	if from.postgres { // while the target is read it waits for longer than a session may
		if _, err := tx.ExecContext(ctx, "SET LOCAL idle_in_transaction_session_timeout = 0"); err != nil {
			return nil, fmt.Errorf("read the source: %w", err)
		}
	}
	unlock, err := to.lockForCopy(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if target, err := to.migrate(ctx); err != nil || target.Version != schema.Version {
		return nil, fmt.Errorf("prepare the target: %w", errors.Join(err, onlyIf(err == nil, fmt.Errorf("it has schema %d, the source %d", target.Version, schema.Version))))
	}
	c := &copier{from: side{db: from, q: tx}, to: side{db: to, q: to.reader, clean: to.postgres}, progress: o.Progress}
	c.from.clean = c.to.clean
	return c.run(ctx)
}

func onlyIf(condition bool, err error) error {
	if condition {
		return err
	}
	return nil
}

// marker is the counter that stands in a target until it is complete.
const marker = "store_copy"

// copying reports whether the database is the target of a Copy that did not finish.
func (db *DB) copying(ctx context.Context) (bool, error) {
	var n int
	if err := db.reader.QueryRowContext(ctx, "SELECT count(*) FROM counters WHERE name = ?", marker).Scan(&n); err != nil {
		return false, fmt.Errorf("look for an unfinished copy: %w", err)
	}
	return n > 0, nil
}

// lockForCopy keeps other copiers away. On SQLite the caller has the folder.
func (db *DB) lockForCopy(ctx context.Context) (unlock func(), err error) {
	if !db.postgres {
		return func() {}, nil
	}
	conn, err := db.DB.DB.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("open the target: %w", err)
	}
	var mine bool
	err = conn.QueryRowContext(ctx, "SELECT pg_try_advisory_lock(hashtext('newsie_copy_' || current_schema()))").Scan(&mine)
	if err == nil && !mine {
		err = errors.New("another newsie migrate-store fills the target at this moment")
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return func() {
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock(hashtext('newsie_copy_' || current_schema()))")
		_ = conn.Close()
	}, nil
}

// A side is one of the two databases as Copy reads it.
type side struct {
	db    *DB
	q     bun.IDB
	clean bool // texts are read as PostgreSQL can keep them
}

type copier struct {
	from, to    side
	progress    func(table string, done, total int64)
	done, total int64
}

func (c *copier) run(ctx context.Context) ([]TableCopy, error) {
	tables, err := c.tables(ctx)
	if err != nil {
		return nil, err
	}
	unfinished, err := c.to.db.copying(ctx)
	if err != nil {
		return nil, err
	}
	differ, empty, err := c.count(ctx, tables)
	if err != nil {
		return nil, err
	}
	switch {
	case unfinished:
	case empty:
		if _, err := c.to.db.ExecContext(ctx, "INSERT INTO counters (name, value) VALUES (?, 1)", marker); err != nil {
			return nil, fmt.Errorf("mark the target: %w", err)
		}
		unfinished = true
	case len(differ) > 0:
		return nil, &NotEmptyError{differ}
	}
	var report []TableCopy
	for _, t := range tables {
		done, err := c.table(ctx, t, unfinished)
		if err != nil {
			return report, err
		}
		report = append(report, done)
	}
	if !unfinished {
		return report, nil
	}
	for _, t := range tables {
		if err := c.keepNumbers(ctx, t); err != nil {
			return report, fmt.Errorf("number new rows of %s: %w", t.name, err)
		}
	}
	if c.to.db.postgres { // so that it plans well from the start
		if _, err := c.to.db.ExecContext(ctx, "ANALYZE"); err != nil {
			return report, fmt.Errorf("analyze the target: %w", err)
		}
	}
	if _, err := c.to.db.ExecContext(ctx, "DELETE FROM counters WHERE name = ?", marker); err != nil {
		return report, fmt.Errorf("finish the target: %w", err)
	}
	return report, nil
}

// count finds how much there is to do, which tables differ in their number of
// rows, and whether the target is empty but for what its schema brings.
func (c *copier) count(ctx context.Context, tables []table) (differ []string, empty bool, err error) {
	empty = true
	for _, t := range tables {
		var n [2]int64
		for i, s := range []side{c.from, c.to} {
			if err := s.q.QueryRowContext(ctx, "SELECT count(*) FROM "+t.rows()).Scan(&n[i]); err != nil {
				return nil, false, fmt.Errorf("count the rows of %s: %w", t.name, err)
			}
		}
		c.total += n[0]
		if n[0] != n[1] {
			differ = append(differ, t.name)
		}
		if t.name != counters && n[1] > 0 {
			empty = false
		}
	}
	return differ, empty, nil
}

// table compares one table, and copies it when it differs and may be written.
func (c *copier) table(ctx context.Context, t table, write bool) (TableCopy, error) {
	begun := c.done
	want, err := c.digest(ctx, c.from, t, c.step)
	if err != nil {
		return TableCopy{}, err
	}
	got, err := c.digest(ctx, c.to, t, nil)
	if err != nil {
		return TableCopy{}, err
	}
	report := TableCopy{Table: t.name, Rows: want.rows, Hash: want.hash, Replaced: want.replaced}
	if want.hash == got.hash {
		return report, nil
	}
	if !write {
		return report, &NotEmptyError{[]string{t.name}}
	}
	c.done = begun
	if err := c.copyRows(ctx, t); err != nil {
		return report, fmt.Errorf("copy %s: %w", t.name, err)
	}
	if got, err = c.digest(ctx, c.to, t, nil); err != nil {
		return report, err
	}
	if want.hash != got.hash {
		return report, fmt.Errorf("%s differs after it was copied: %d rows of %d", t.name, got.rows, want.rows)
	}
	report.Copied = true
	return report, nil
}

func (c *copier) step(t table) {
	c.done++
	if c.progress != nil {
		c.progress(t.name, c.done, c.total)
	}
}

// keepNumbers makes the target number new rows after all that the source ever had.
func (c *copier) keepNumbers(ctx context.Context, t table) error {
	if t.identity == "" {
		return nil
	}
	last, err := c.from.lastNumber(ctx, t)
	if err != nil || last == 0 {
		return err
	}
	own, err := c.to.lastNumber(ctx, t)
	if err != nil {
		return err
	}
	last = max(last, own)
	if c.to.db.postgres {
		_, err = c.to.db.ExecContext(ctx, "SELECT setval(pg_get_serial_sequence(quote_ident(current_schema()) || '.' || ?, ?), ?)", quote(t.name), t.identity, last)
		return err
	}
	return c.to.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM sqlite_sequence WHERE name = ?", t.name); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", t.name, last)
		return err
	})
}

// lastNumber is the highest number that the table ever gave to a row.
func (s side) lastNumber(ctx context.Context, t table) (last int64, err error) {
	var given int64
	if s.db.postgres {
		var sequence string
		err = s.q.QueryRowContext(ctx, "SELECT pg_get_serial_sequence(quote_ident(current_schema()) || '.' || ?, ?)", quote(t.name), t.identity).Scan(&sequence)
		if err == nil {
			err = s.q.QueryRowContext(ctx, "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM "+sequence).Scan(&given)
		}
	} else {
		err = s.q.QueryRowContext(ctx, "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = ?", t.name).Scan(&given)
	}
	if err == nil {
		err = s.q.QueryRowContext(ctx, "SELECT coalesce(max("+quote(t.identity)+"), 0) FROM "+t.rows()).Scan(&last)
	}
	return max(last, given), err
}
