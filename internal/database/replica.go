package database

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Replicas see each other's death by two signs, both on the database's clock:
// no beat for lifetime; or none for hushed while the connection that beat is
// gone, which PostgreSQL knows at once when a process is killed. The second alone
// would take all for dead whose connections a restart of the database cut.
const (
	beatEvery = time.Second
	lifetime  = 15 * time.Second
	hushed    = 3 * time.Second
)

// Replica names this process among those on one database, for claims that others
// may take over when it is dead. It is "" on SQLite, where there are no others,
// and before Listen has shown for the first time that the process lives.
func (db *DB) Replica() string {
	if name := db.replica.Load(); name != nil {
		return *name
	}
	return ""
}

// beat shows that this process lives.
func (db *DB) beat(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	_, err := conn.Exec(ctx, `INSERT INTO replicas (id, pid, seen_at) VALUES ($1, pg_backend_pid(), `+db.Clock()+`)
		ON CONFLICT (id) DO UPDATE SET pid = excluded.pid, seen_at = excluded.seen_at`, db.name)
	if err != nil {
		return fmt.Errorf("show that this replica lives: %w", err)
	}
	db.replica.CompareAndSwap(nil, &db.name)
	return nil
}

// Leave tells the others that this process has ended, and what it claimed is
// theirs; it also forgets who died without doing so. Listen must have ended.
func (db *DB) Leave(ctx context.Context) error {
	if db.Replica() == "" {
		return nil
	}
	if _, err := db.ExecContext(ctx, "DELETE FROM replicas WHERE id = ? OR seen_at < "+db.Clock()+" - ?", db.name, time.Hour.Milliseconds()); err != nil {
		return fmt.Errorf("leave the other replicas: %w", err)
	}
	return nil
}

// Dead is the condition that the replica named in a column is dead; "" names none.
func (db *DB) Dead(column string) string {
	if !db.postgres {
		return "(1 = 0)"
	}
	return fmt.Sprintf(`(%[1]s <> '' AND NOT EXISTS (SELECT 1 FROM replicas r WHERE r.id = %[1]s AND r.seen_at > %[2]s - %[3]d
		AND (r.seen_at > %[2]s - %[4]d OR EXISTS (SELECT 1 FROM pg_stat_activity a WHERE a.pid = r.pid))))`,
		column, db.Clock(), lifetime.Milliseconds(), hushed.Milliseconds())
}

// Clock is the expression of the database's clock in Unix milliseconds: the one
// clock that all replicas share.
func (db *DB) Clock() string {
	if db.postgres {
		return "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"
	}
	return "CAST(unixepoch('subsec') * 1000 AS INTEGER)"
}
