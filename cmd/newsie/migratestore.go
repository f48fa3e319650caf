package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"github.com/spf13/cobra"

	"newsie/internal/database"
)

// A storeReport is what `newsie migrate-store --json` prints.
type storeReport struct {
	From    string               `json:"from"`
	To      string               `json:"to"`
	Rows    int64                `json:"rows"`
	Copied  bool                 `json:"copied"` // false: everything was equal already
	Seconds float64              `json:"seconds"`
	Tables  []database.TableCopy `json:"tables"`
	Mark    string               `json:"mark,omitempty"` // the file that keeps serve from the source
}

func migrateStoreCommand(p *program) *cobra.Command {
	var from, to string
	var asJSON bool
	c := &cobra.Command{
		Use: "migrate-store --to ADDRESS", Short: "Move all data from SQLite to PostgreSQL, or back", Args: cobra.NoArgs,
		Long: `Migrate-store copies everything newsie keeps into an empty database, and compares
both by the number of rows and a SHA-256 of each table. Addresses are
sqlite://FILE and postgres://…; without --from it is the database of this
installation. Ids stay, so that numbers, old buttons and links go on meaning
what they mean. The source is not changed.

Stop newsie first: while it serves from either, nothing is copied. Interrupted,
run it again; finished, it says that everything is equal. Then set database to
the new address, start newsie, and do not start it on the old one again: it would
send the same digests. In a data folder a file newsie.db.moved, beside newsie.db,
keeps serve from that until it is deleted.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if to == "" {
				return errors.New("say where to: --to postgres://… or --to sqlite://FILE")
			}
			if from == "" {
				config, err := p.config()
				if err != nil {
					return err
				}
				from = config.databaseAddress()
			}
			report, err := p.migrateStore(cmd.Context(), from, to)
			if err != nil {
				return err
			}
			if asJSON {
				return p.printJSON(report)
			}
			p.printStore(report, to)
			return nil
		},
	}
	c.Flags().StringVar(&from, "from", "", "the database to read (default: of this installation)")
	c.Flags().StringVar(&to, "to", "", "the empty database to fill")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func (p *program) migrateStore(ctx context.Context, from, to string) (report storeReport, err error) {
	began := time.Now()
	source, err := openStore(ctx, from, true)
	if err != nil {
		return report, fmt.Errorf("--from: %w", err)
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	if same(source.Path(), sqlitePath(to)) || from == to {
		return report, errors.New("--from and --to are the same database")
	}
	target, err := openStore(ctx, to, false)
	if err != nil {
		return report, fmt.Errorf("--to: %w", err)
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	for _, side := range []struct {
		flag string
		db   *database.DB
	}{{"--from", source.DB}, {"--to", target.DB}} {
		if err := unserved(ctx, side.db); err != nil {
			return report, fmt.Errorf("%s: %w", side.flag, err)
		}
	}
	others, err := source.Others(ctx)
	if err != nil {
		return report, fmt.Errorf("--from: %w", err)
	}
	if others > 0 {
		_, _ = fmt.Fprintf(p.stderr, "warning: the source has %s; what is written there from now on is not copied\n", number(others, "other session"))
	}
	show := newProgress(p.stderr)
	show.what, show.unit = "copying", "rows"
	report.Tables, err = database.Copy(ctx, source.DB, target.DB, database.CopyOptions{
		Progress: func(table string, done, total int64) { show.step(int(done), int(total), table) },
	})
	show.end()
	var full *database.NotEmptyError
	if errors.As(err, &full) {
		err = fmt.Errorf("%w; nothing was changed there: give an empty database, such as a new schema (?search_path=NAME) or a new file", err)
	}
	report.From, report.To, report.Seconds = database.Redact(from), database.Redact(to), time.Since(began).Seconds()
	for _, t := range report.Tables {
		report.Rows += t.Rows
		report.Copied = report.Copied || t.Copied
	}
	if err != nil {
		return report, err
	}
	if path := target.Path(); path != "" {
		err = unmarkMoved(path)
	}
	if source.lock != nil { // other files, such as backups, are nobody's to serve from
		report.Mark = movedMark(source.Path())
		err = errors.Join(err, markMoved(source.Path(), report.To))
	}
	return report, err
}

// unserved refuses a database on PostgreSQL that a living replica serves.
func unserved(ctx context.Context, db *database.DB) error {
	if schema, err := db.Schema(ctx); err != nil || schema.Version < schema.Known {
		return err // one to be filled, or refused later
	}
	replicas, err := db.Replicas(ctx)
	if err != nil || len(replicas) == 0 {
		return err
	}
	return fmt.Errorf("newsie serves from this database, on %s: stop it first", hosts(replicas))
}

// hosts lists where replicas run.
func hosts(replicas []database.Replica) string {
	count := map[string]int{}
	for _, r := range replicas {
		count[cmp.Or(r.Host, "a machine without a name")]++
	}
	var list []string
	for _, host := range sortedKeys(count) {
		if n := count[host]; n > 1 {
			host += fmt.Sprintf(" (%d)", n)
		}
		list = append(list, host)
	}
	return strings.Join(list, ", ")
}

func (p *program) printStore(r storeReport, to string) {
	rows := [][]string{{"table", "rows", "sha256", ""}}
	for _, t := range r.Tables {
		state := "equal already"
		switch {
		case t.Copied:
			state = "copied"
		case t.Rows == 0:
			state = "empty"
		}
		if t.Replaced > 0 {
			state += fmt.Sprintf(", � for what PostgreSQL does not take in %s", number(int(t.Replaced), "text"))
		}
		rows = append(rows, []string{t.Table, fmt.Sprint(t.Rows), t.Hash[:16], state})
	}
	p.printTable(rows)
	if !r.Copied {
		_, _ = fmt.Fprintf(p.stdout, "\nEverything is equal: %s, compared in %.1f s.\n", number(int(r.Rows), "row"), r.Seconds)
		return
	}
	set := "set database: " + r.To
	if r.To != to {
		set = "set database to the address that you gave to --to, with its password,"
	}
	_, _ = fmt.Fprintf(p.stdout, "\nCopied %s in %.1f s; both sides are equal. Now %s and start newsie.\n", number(int(r.Rows), "row"), r.Seconds, set)
	if r.Mark != "" {
		_, _ = fmt.Fprintf(p.stdout, "Serve refuses to start on the old database, which would send the same digests, as long as %s is there.\n", r.Mark)
	}
}

// A store is one of the two databases, and the lock of its data folder when it
// lies in one.
type store struct {
	*database.DB
	lock *flock.Flock
}

// openStore opens a database that nobody serves; one to read must exist.
func openStore(ctx context.Context, address string, read bool) (*store, error) {
	if err := database.CheckAddress(address); err != nil {
		return nil, err
	}
	s := &store{}
	if path := sqlitePath(address); path != "" {
		if _, err := os.Stat(path); read && err != nil {
			return nil, err
		}
		folder := filepath.Dir(path)
		_, err := os.Stat(filepath.Join(folder, "index.lock"))
		// Other files, such as backups, belong to no data folder.
		if filepath.Base(path) == "newsie.db" && (err == nil || !read) {
			if err := s.keep(folder); err != nil {
				return nil, err
			}
		}
	}
	named, err := nameOurs(address)
	if err != nil {
		return nil, err
	}
	if s.DB, err = database.Open(ctx, named); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// nameOurs tells the server which connections are this process's.
func nameOurs(address string) (string, error) {
	if sqlitePath(address) != "" {
		return address, nil
	}
	u, err := url.Parse(address)
	if err != nil {
		return "", fmt.Errorf("%s is no address", database.Redact(address))
	}
	q := u.Query()
	q.Set("application_name", fmt.Sprintf("newsie migrate-store %d", os.Getpid()))
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// keep locks a data folder, so that nobody serves it.
func (s *store) keep(folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	lock := flock.New(filepath.Join(folder, "index.lock"))
	ok, err := lock.TryLock()
	if err != nil {
		return fmt.Errorf("lock the data folder: %w", err)
	}
	if !ok {
		return fmt.Errorf("%w: %s: stop it first", errInUse, folder)
	}
	s.lock = lock
	return nil
}

func (s *store) Close() error {
	var err error
	if s.DB != nil {
		err = s.DB.Close()
	}
	if s.lock != nil {
		err = errors.Join(err, s.lock.Unlock())
	}
	return err
}

// sqlitePath is the file of an address, or "" for PostgreSQL.
func sqlitePath(address string) string {
	if strings.HasPrefix(address, "postgres://") || strings.HasPrefix(address, "postgresql://") {
		return ""
	}
	return strings.TrimPrefix(address, "sqlite://")
}

func same(a, b string) bool {
	one, err := os.Stat(a)
	if err != nil {
		return false
	}
	other, err := os.Stat(b)
	return err == nil && os.SameFile(one, other)
}
