package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// movedMark is the file beside a SQLite database that names the one its data was
// moved to: who serves from both sends the same digests twice.
func movedMark(path string) string { return path + ".moved" }

// markMoved marks a SQLite database as moved to an address, shown without password.
func markMoved(path, to string) error {
	if err := os.WriteFile(movedMark(path), []byte(to+"\n"), 0o600); err != nil {
		return fmt.Errorf("mark the old database: %w", err)
	}
	return nil
}

// unmarkMoved forgets that what was at path before was moved.
func unmarkMoved(path string) error {
	if err := os.Remove(movedMark(path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the mark of a database that was moved: %w", err)
	}
	return nil
}

// notMoved refuses to serve from a database that was moved.
func (c Config) notMoved() error {
	path := sqlitePath(c.databaseAddress())
	if path == "" {
		return nil
	}
	to, err := os.ReadFile(movedMark(path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look whether the database was moved: %w", err)
	}
	return fmt.Errorf("the data in %s was moved to %s: set database to that (or, if nobody serves from there, delete %s to go on with this one)",
		path, strings.TrimSpace(string(to)), movedMark(path))
}
