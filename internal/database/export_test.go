package database

import "context"

// MigrateTo brings the schema to a version, as an older newsie did.
func (db *DB) MigrateTo(ctx context.Context, version int64) error {
	provider, err := db.migrations()
	if err != nil {
		return err
	}
	_, err = provider.UpTo(ctx, version)
	return err
}

// Know makes the DB that of a newsie that knows the schema up to version only.
func (db *DB) Know(version int) { db.known = version }

// Supported is supported.
var Supported = supported
