package database

import (
	"context"

	"github.com/uptrace/bun"
)

// pruneBatch is how many rows one commit of Prune deletes.
const pruneBatch = 500

// Prune deletes the rows of a table in whose column there is less than before: the
// lowest first, some in each commit, so that nobody else waits for long. key is the
// table's primary key, "id" or "(a, b)"; the column needs an index.
func (db *DB) Prune(ctx context.Context, table, key, column string, before int64) error {
	query := "DELETE FROM " + table + " WHERE " + column + " < ? AND " + key + " IN (SELECT " + columns(key) + " FROM " + table +
		" WHERE " + column + " < ? ORDER BY " + column + " LIMIT ?)"
	for {
		var n int64
		err := db.WriteOne(ctx, func(ctx context.Context, tx bun.IDB) error {
			result, err := tx.ExecContext(ctx, query, before, before, pruneBatch)
			if err != nil {
				return err
			}
			n, err = result.RowsAffected()
			return err
		})
		if err != nil || n < pruneBatch {
			return err
		}
	}
}

// columns is a key without its parentheses.
func columns(key string) string {
	if key[0] == '(' {
		return key[1 : len(key)-1]
	}
	return key
}
