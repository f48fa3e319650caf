package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	"github.com/spf13/cobra"

	"newsie/internal/database"
)

func backupCommand(p *program) *cobra.Command {
	return &cobra.Command{
		Use: "backup FILE", Short: "Write a consistent copy of all state, also while serving", Args: one("which file to write"),
		Long: `Backup writes articles, pictures, follows, lists and the delivery ledger into
one SQLite file. The index is left out: it is built again. With PostgreSQL use
pg_dump.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd, func(in *installation) error {
				start := time.Now()
				size, err := in.backup(cmd.Context(), args[0])
				if err == nil {
					_, err = fmt.Fprintf(p.stdout, "Backed up to %s: %.1f MB in %.1f s.\n", args[0], float64(size)/1e6, time.Since(start).Seconds())
				}
				return err
			})
		},
	}
}

// backup writes to a new file beside the target and renames it, so that a
// backup is whole or not there.
func (in *installation) backup(ctx context.Context, target string) (size int64, err error) {
	if in.db.Postgres() {
		return 0, errors.New("this installation is on PostgreSQL: use pg_dump")
	}
	if _, err := os.Stat(target); err == nil {
		return 0, fmt.Errorf("%s exists already; choose another name", target)
	}
	temporary := target + ".part"
	if err := os.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	if _, err := in.db.ExecContext(ctx, "VACUUM INTO ?", temporary); err != nil {
		return 0, fmt.Errorf("write the backup: %w", err)
	}
	if err := os.Chmod(temporary, 0o600); err != nil {
		return 0, err
	}
	if err := check(ctx, temporary); err != nil {
		return 0, fmt.Errorf("check the backup: %w", err)
	}
	info, err := os.Stat(temporary)
	if err != nil {
		return 0, err
	}
	return info.Size(), os.Rename(temporary, target)
}

// check refuses a file that is no whole database of newsie's.
func check(ctx context.Context, path string) error {
	if _, err := os.Stat(path); err != nil {
		return err
	}
	db, err := database.Open(ctx, "sqlite://"+path)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	var result string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check").Scan(&result); err != nil || result != "ok" {
		return fmt.Errorf("check its integrity: %w", errors.Join(err, errors.New(result)))
	}
	var articles int
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM articles").Scan(&articles); err != nil {
		return fmt.Errorf("look for its articles: %w", err)
	}
	return nil
}

func restoreCommand(p *program) *cobra.Command {
	var force bool
	c := &cobra.Command{
		Use: "restore FILE", Short: "Put a backup in the place of the data", Args: one("which backup to take"),
		Long: "Restore needs newsie to be stopped. What is in the data folder is kept beside it under another name.",
		RunE: func(cmd *cobra.Command, args []string) error {
			config, err := p.config()
			if err != nil {
				return err
			}
			if config.Database != "" {
				return errors.New("this installation has a database of its own: restore it with that database's tools")
			}
			return p.restore(cmd.Context(), config, args[0], force)
		},
	}
	c.Flags().BoolVar(&force, "force", false, "also when the data folder holds data")
	return c
}

func (p *program) restore(ctx context.Context, config Config, from string, force bool) (err error) {
	copied := filepath.Join(config.Data, "restoring.db")
	if err := os.MkdirAll(config.Data, 0o700); err != nil {
		return err
	}
	lock := flock.New(filepath.Join(config.Data, "index.lock"))
	ok, err := lock.TryLock()
	if err != nil {
		return fmt.Errorf("lock the data folder: %w", err)
	}
	if !ok {
		return fmt.Errorf("%w: stop it first", errInUse)
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	target := filepath.Join(config.Data, "newsie.db")
	_, statErr := os.Stat(target)
	if statErr == nil && !force {
		return fmt.Errorf("%s holds data already; with --force it is set aside and replaced", config.Data)
	}
	if err := copyFile(from, copied); err != nil {
		return fmt.Errorf("copy the backup: %w", err)
	}
	if err := check(ctx, copied); err != nil {
		return errors.Join(fmt.Errorf("%s is damaged or no backup of newsie's: %w", from, err), os.Remove(copied))
	}
	if statErr == nil {
		aside := filepath.Join(config.Data, "before-restore-"+time.Now().UTC().Format("20060102-150405"))
		if err := os.Mkdir(aside, 0o700); err != nil {
			return err
		}
		for _, name := range []string{"newsie.db", "newsie.db-wal", "newsie.db-shm", filepath.Base(movedMark(target))} {
			if err := os.Rename(filepath.Join(config.Data, name), filepath.Join(aside, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		_, _ = fmt.Fprintln(p.stdout, "What was there is now in", aside)
	}
	for _, suffix := range []string{"-wal", "-shm"} {
		_ = os.Remove(copied + suffix)
	}
	if err := os.Rename(copied, target); err != nil {
		return err
	}
	if err := unmarkMoved(target); err != nil {
		return err
	}
	// The index belongs to the data that was there.
	if err := os.RemoveAll(filepath.Join(config.Data, "index")); err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.stdout, "Restored. The index is built again at the next start.")
	return err
}

func copyFile(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	return out.Sync()
}
