package database

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
)

// A walk goes through the rows of a table in the order of its key, which is the
// same on both databases. It holds one row at a time.
type walk struct {
	rows     *sql.Rows
	table    table
	clean    bool
	step     func(table) // hears of each row; may be nil
	values   []any       // of the current row
	targets  []any
	replaced int64
	err      error
}

func (s side) walk(ctx context.Context, t table, step func(table)) (*walk, error) {
	order := make([]string, len(t.key))
	for i, name := range t.key {
		order[i] = quote(name)
		if s.db.postgres && t.kind(name) == text {
			order[i] += ` COLLATE "C"`
		}
	}
	rows, err := s.q.QueryContext(ctx, "SELECT "+quoted(t.columnNames())+" FROM "+t.rows()+" ORDER BY "+strings.Join(order, ", "))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", t.name, err)
	}
	w := &walk{rows: rows, table: t, clean: s.clean, step: step, values: make([]any, len(t.columns)), targets: make([]any, len(t.columns))}
	for i := range w.values {
		w.targets[i] = &w.values[i]
	}
	return w, nil
}

func (t table) kind(name string) kind {
	for _, c := range t.columns {
		if c.name == name {
			return c.kind
		}
	}
	return ""
}

// Next, Values and Err make a walk a source of PostgreSQL's COPY.
func (w *walk) Next() bool {
	if w.err != nil || !w.rows.Next() {
		return false
	}
	clear(w.values)
	if w.err = w.rows.Scan(w.targets...); w.err != nil {
		return false
	}
	for i, c := range w.table.columns {
		v, err := c.kind.value(w.values[i])
		if err == nil && w.clean {
			v, err = w.cleaned(c, v)
		}
		if err != nil {
			w.err = fmt.Errorf("%s, where %s: column %s: %w", w.table.name, w.where(), c.name, err)
			return false
		}
		w.values[i] = v
	}
	if w.step != nil {
		w.step(w.table)
	}
	return true
}

func (w *walk) Values() ([]any, error) { return w.values, nil }

func (w *walk) Err() error { return errors.Join(w.err, w.rows.Err()) }

// where names the current row.
func (w *walk) where() string {
	var list []string
	for i, c := range w.table.columns {
		if slices.Contains(w.table.key, c.name) {
			list = append(list, fmt.Sprintf("%s = %q", c.name, fmt.Sprint(w.values[i])))
		}
	}
	return strings.Join(list, " and ")
}

// value makes of what a driver gives what a column of this kind holds. SQLite
// keeps values of any kind in any column.
func (k kind) value(v any) (any, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case int64:
		if k == integer {
			return v, nil
		}
	case string:
		if k == text {
			return v, nil
		}
	case []byte:
		if k == text {
			return string(v), nil
		}
		if k == bytes {
			return append([]byte{}, v...), nil // never nil, which would be NULL
		}
	}
	return nil, fmt.Errorf("%T is no %s", v, k)
}

// cleaned is the value as PostgreSQL can keep it.
func (w *walk) cleaned(c column, v any) (any, error) {
	s, ok := v.(string)
	if !ok || utf8.ValidString(s) && !strings.Contains(s, "\x00") {
		return v, nil
	}
	if slices.Contains(w.table.key, c.name) {
		return nil, errors.New("PostgreSQL takes neither NUL nor invalid UTF-8; change or delete this row first")
	}
	w.replaced++
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", "\uFFFD"), "\uFFFD"), nil
}

// A digest is what two equal tables have in common.
type digest struct {
	rows, replaced int64
	hash           string
}

func (c *copier) digest(ctx context.Context, s side, t table, step func(table)) (d digest, err error) {
	w, err := s.walk(ctx, t, step)
	if err != nil {
		return d, err
	}
	defer func() { err = errors.Join(err, w.rows.Close()) }()
	sum := sha256.New()
	var line []byte
	for w.Next() {
		d.rows++
		line = addRow(sum, line[:0], w.values)
	}
	d.replaced, d.hash = w.replaced, hex.EncodeToString(sum.Sum(nil))
	return d, w.Err()
}

// addRow adds the text of one row to a hash: of each value, by the names of the
// columns, a letter for its kind, its length where it has one, and the value.
func addRow(sum hash.Hash, line []byte, values []any) []byte {
	for _, v := range values {
		switch v := v.(type) {
		case nil:
			line = append(line, 'n')
		case int64:
			line = append(strconv.AppendInt(append(line, 'i'), v, 10), ';')
		case string:
			line = append(append(strconv.AppendInt(append(line, 't'), int64(len(v)), 10), ':'), v...)
		case []byte:
			line = append(append(strconv.AppendInt(append(line, 'b'), int64(len(v)), 10), ':'), v...)
		}
	}
	line = append(line, '\n')
	_, _ = sum.Write(line)
	return line
}

// copyRows replaces a table's rows by the source's, in one transaction.
func (c *copier) copyRows(ctx context.Context, t table) (err error) {
	w, err := c.from.walk(ctx, t, c.step)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.rows.Close()) }()
	if c.to.db.postgres {
		return intoPostgres(ctx, c.to.db, t, w)
	}
	return intoSQLite(ctx, c.to.db, t, w)
}

func intoPostgres(ctx context.Context, db *DB, t table, w *walk) error {
	conn, err := db.DB.DB.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	return conn.Raw(func(driver any) error {
		pg := driver.(*stdlib.Conn).Conn()
		return pgx.BeginFunc(ctx, pg, func(tx pgx.Tx) error {
			empty := "TRUNCATE " + quote(t.name) + " CASCADE" // those that refer to it come after it
			if t.name == counters {
				empty = "DELETE FROM " + t.rows()
			}
			if _, err := tx.Exec(ctx, empty); err != nil {
				return err
			}
			_, err := tx.CopyFrom(ctx, pgx.Identifier{t.name}, t.columnNames(), w)
			return err
		})
	})
}

func intoSQLite(ctx context.Context, db *DB, t table, w *walk) error {
	return db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		for _, statement := range []string{"PRAGMA defer_foreign_keys = 1", "DELETE FROM " + t.rows()} {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		insert, err := tx.Tx.PrepareContext(ctx, "INSERT INTO "+quote(t.name)+" ("+quoted(t.columnNames())+") VALUES (?"+strings.Repeat(", ?", len(t.columns)-1)+")")
		if err != nil {
			return err
		}
		defer func() { _ = insert.Close() }()
		for w.Next() {
			if _, err := insert.ExecContext(ctx, w.values...); err != nil {
				return fmt.Errorf("where %s: %w", w.where(), err)
			}
		}
		return w.Err()
	})
}
