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
// would take all for dead whose connections a restart of the database cut. Where
// another connection has got the number of the dead one's, the first sign is left.
const (
	beatEvery = time.Second
	lifetime  = 15 * time.Second
	hushed    = 3 * time.Second
)

// Name is this process's among the replicas on one database, which claims of
// others never carry; "" on SQLite, where there are no others.
func (db *DB) Name() string { return db.name }

// Replica is the Name for claims that others may take over when this process is
// dead. It is "" as well while nobody has seen it live for the last two seconds:
// what it claims then, such as on the return of a database that was away, would
// seem a dead one's.
func (db *DB) Replica() string {
	at := db.beatAt.Load()
	if at == nil || time.Since(*at) > hushed-beatEvery {
		return ""
	}
	return db.name
}

// beat shows that this process lives.
func (db *DB) beat(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	began := time.Now()
	_, err := conn.Exec(ctx, `INSERT INTO replicas (id, pid, host, began_at, seen_at) VALUES ($1, pg_backend_pid(), $2, `+db.Clock()+", "+db.Clock()+`)
		ON CONFLICT (id) DO UPDATE SET pid = excluded.pid, seen_at = excluded.seen_at`, db.name, db.host)
	if err != nil {
		return fmt.Errorf("show that this replica lives: %w", err)
	}
	db.beatAt.Store(&began)
	return nil
}

// Leave tells the others that this process has ended, and what it claimed is
// theirs. Listen must have ended.
func (db *DB) Leave(ctx context.Context) error {
	if db.beatAt.Swap(nil) == nil {
		return nil
	}
	if _, err := db.ExecContext(ctx, "DELETE FROM replicas WHERE id = ?", db.name); err != nil {
		return fmt.Errorf("leave the other replicas: %w", err)
	}
	return nil
}

// ForgetDead removes what is left of replicas that died an hour ago or earlier.
func (db *DB) ForgetDead(ctx context.Context) error {
	_, err := db.ExecContext(ctx, "DELETE FROM replicas WHERE seen_at < "+db.Clock()+" - ?", time.Hour.Milliseconds())
	return err
}

// A Replica is a process that serves from a database on PostgreSQL.
type Replica struct {
	Name  string
	Host  string
	Since time.Time // by the database's clock
}

// Replicas lists those that live, the eldest first; on SQLite there are none.
func (db *DB) Replicas(ctx context.Context) ([]Replica, error) {
	if !db.postgres {
		return nil, nil
	}
	var rows []struct {
		ID      string
		Host    string
		BeganAt int64
	}
	if err := db.reader.NewRaw("SELECT id, host, began_at FROM replicas r WHERE "+db.lives()+" ORDER BY began_at, id").Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("look for replicas: %w", err)
	}
	list := make([]Replica, len(rows))
	for i, row := range rows {
		list[i] = Replica{row.ID, row.Host, time.UnixMilli(row.BeganAt)}
	}
	return list, nil
}

// Dead is the condition that the replica named in a column is dead; "" names none.
func (db *DB) Dead(column string) string {
	if !db.postgres {
		return "(1 = 0)"
	}
	return fmt.Sprintf("(%[1]s <> '' AND NOT EXISTS (SELECT 1 FROM replicas r WHERE r.id = %[1]s AND %[2]s))", column, db.lives())
}

// lives is the condition that a row r of replicas is of one that lives.
func (db *DB) lives() string {
	return fmt.Sprintf(`(r.seen_at > %[1]s - %[2]d AND (r.seen_at > %[1]s - %[3]d OR EXISTS (SELECT 1 FROM pg_stat_activity a WHERE a.pid = r.pid)))`,
		db.Clock(), lifetime.Milliseconds(), hushed.Milliseconds())
}

// Clock is the expression of the database's clock in Unix milliseconds: the one
// clock that all replicas share.
func (db *DB) Clock() string {
	if db.postgres {
		return "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"
	}
	return "CAST(unixepoch('subsec') * 1000 AS INTEGER)"
}
