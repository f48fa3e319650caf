package database

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/uptrace/bun"
)

// A table as both databases have it.
type table struct {
	name     string
	columns  []column // by name
	key      []string // columns of the primary key, in its order
	parents  []string // tables it refers to
	identity string   // the column that numbers rows by itself, or ""
}

type column struct {
	name string
	kind kind
}

// A kind of column is what its values are in Go: int64, string, []byte.
type kind string

const (
	integer kind = "integer"
	text    kind = "text"
	bytes   kind = "bytes"
)

// counters is the table that the marker of an unfinished copy stands in.
const counters = "counters"

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// rows is the table with its rows that are copied, for a FROM.
func (t table) rows() string {
	if t.name == counters {
		return quote(t.name) + " WHERE name <> '" + marker + "'"
	}
	return quote(t.name)
}

func (t table) columnNames() []string {
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = c.name
	}
	return names
}

func quoted(names []string) string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = quote(name)
	}
	return strings.Join(list, ", ")
}

// tables are all of them, those that others refer to first.
func (c *copier) tables(ctx context.Context) ([]table, error) {
	from, err := c.from.tables(ctx)
	if err != nil {
		return nil, fmt.Errorf("the source: %w", err)
	}
	to, err := c.to.tables(ctx)
	if err != nil {
		return nil, fmt.Errorf("the target: %w", err)
	}
	if !reflect.DeepEqual(from, to) {
		return nil, fmt.Errorf("source and target have different tables: %v and %v", from, to)
	}
	return inOrder(from)
}

// inOrder puts each table after those it refers to.
func inOrder(tables []table) ([]table, error) {
	var ordered []table
	placed := map[string]bool{}
	for len(ordered) < len(tables) {
		before := len(ordered)
		for _, t := range tables {
			ready := !placed[t.name] && !slices.ContainsFunc(t.parents, func(p string) bool { return p != t.name && !placed[p] })
			if ready {
				placed[t.name] = true
				ordered = append(ordered, t)
			}
		}
		if len(ordered) == before {
			return nil, errors.New("tables refer to each other in a circle")
		}
	}
	return ordered, nil
}

// passing is the table of the processes that serve, which come and go by themselves.
const passing = "replicas"

// tables describes all tables by name, but for those of the databases themselves,
// the list of migrations, and passing.
func (s side) tables(ctx context.Context) ([]table, error) {
	query := "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite@_%' ESCAPE '@'"
	if s.db.postgres {
		query = "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'"
	}
	var names []string
	if err := s.q.NewRaw(query).Scan(ctx, &names); err != nil {
		return nil, fmt.Errorf("list the tables: %w", err)
	}
	slices.Sort(names)
	var tables []table
	for _, name := range names {
		if name == "goose_db_version" || name == passing {
			continue
		}
		t, err := s.table(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("describe %s: %w", name, err)
		}
		if len(t.key) == 0 {
			return nil, fmt.Errorf("table %s has no primary key", name)
		}
		slices.SortFunc(t.columns, func(a, b column) int { return cmp.Compare(a.name, b.name) })
		slices.Sort(t.parents)
		tables = append(tables, t)
	}
	return tables, nil
}

func (s side) table(ctx context.Context, name string) (table, error) {
	if s.db.postgres {
		return tableOnPostgres(ctx, s.q, name)
	}
	return tableOnSQLite(ctx, s.q, name)
}

func tableOnSQLite(ctx context.Context, q bun.IDB, name string) (table, error) {
	t := table{name: name}
	var rows []struct {
		Name string
		Type string
		Pk   int
	}
	if err := q.NewRaw("SELECT name, type, pk FROM pragma_table_info(?) ORDER BY pk", name).Scan(ctx, &rows); err != nil {
		return t, err
	}
	for _, row := range rows {
		k := map[string]kind{"INTEGER": integer, "BIGINT": integer, "TEXT": text, "BLOB": bytes}[strings.ToUpper(row.Type)]
		if k == "" {
			return t, fmt.Errorf("column %s is of a type that cannot be copied: %s", row.Name, row.Type)
		}
		t.columns = append(t.columns, column{row.Name, k})
		if row.Pk > 0 {
			t.key = append(t.key, row.Name)
		}
	}
	var numbered bool
	if err := q.NewRaw("SELECT upper(sql) LIKE '%AUTOINCREMENT%' FROM sqlite_master WHERE type = 'table' AND name = ?", name).Scan(ctx, &numbered); err != nil {
		return t, err
	}
	if numbered {
		t.identity = t.key[0]
	}
	return t, q.NewRaw(`SELECT DISTINCT "table" FROM pragma_foreign_key_list(?)`, name).Scan(ctx, &t.parents)
}

func tableOnPostgres(ctx context.Context, q bun.IDB, name string) (table, error) {
	t := table{name: name}
	var rows []struct {
		Name     string
		Type     string
		Numbered bool
	}
	err := q.NewRaw(`SELECT column_name AS name, data_type AS type, is_identity = 'YES' AS numbered FROM information_schema.columns
		WHERE table_schema = current_schema() AND table_name = ?`, name).Scan(ctx, &rows)
	if err != nil {
		return t, err
	}
	for _, row := range rows {
		k := map[string]kind{"integer": integer, "bigint": integer, "text": text, "bytea": bytes}[row.Type]
		if k == "" {
			return t, fmt.Errorf("column %s is of a type that cannot be copied: %s", row.Name, row.Type)
		}
		t.columns = append(t.columns, column{row.Name, k})
		if row.Numbered {
			t.identity = row.Name
		}
	}
	const this = "CAST(quote_ident(current_schema()) || '.' || quote_ident(?) AS regclass)"
	err = q.NewRaw(`SELECT a.attname FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY k (num, place)
		JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.num
		WHERE i.indisprimary AND i.indrelid = `+this+` ORDER BY k.place`, name).Scan(ctx, &t.key)
	if err != nil {
		return t, err
	}
	return t, q.NewRaw(`SELECT DISTINCT c.relname FROM pg_constraint f JOIN pg_class c ON c.oid = f.confrelid
		WHERE f.contype = 'f' AND f.conrelid = `+this, name).Scan(ctx, &t.parents)
}
