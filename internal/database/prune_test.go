package database_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/uptrace/bun"

	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

// A deletion sees how many rows one statement deletes at most.
type deletion struct{ statements, most atomic.Int64 }

func (*deletion) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

func (d *deletion) AfterQuery(_ context.Context, e *bun.QueryEvent) {
	if e.Result == nil || !strings.HasPrefix(e.Query, "DELETE") {
		return
	}
	if n, err := e.Result.RowsAffected(); err == nil {
		d.statements.Add(1)
		d.most.Store(max(n, d.most.Load()))
	}
}

// A machine that stands still in a transaction does not keep its locks for ever.
func TestASessionMayNotStandStillInATransaction(t *testing.T) {
	db := databasetest.Postgres(t)
	var limit string
	if err := db.NewRaw("SHOW idle_in_transaction_session_timeout").Scan(t.Context(), &limit); err != nil || limit != "1min" {
		t.Errorf("the limit is %q (%v), want 1min", limit, err)
	}
}

func TestPruneDeletesALittleAtATime(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		seen := &deletion{}
		db.DB = db.WithQueryHook(seen)
		for table, test := range map[string]struct{ key, column, insert string }{
			"questions": {"id", "asked_at", "INSERT INTO questions (text, lang, channel, results, asked_at) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1600) SELECT 'tea', 'en', 'web', 1, i FROM n"},
			"inbox":     {"(channel, message_id)", "received_at", "INSERT INTO inbox (channel, message_id, chat, received_at) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1600) SELECT 'web', CAST(i AS TEXT), '1', i FROM n"},
		} {
			if _, err := db.ExecContext(t.Context(), test.insert); err != nil {
				t.Fatal(err)
			}
			seen.statements.Store(0)
			seen.most.Store(0)
			if err := db.Prune(t.Context(), table, test.key, test.column, 1501); err != nil {
				t.Fatal(err)
			}
			var left, first int
			if err := db.NewRaw("SELECT COUNT(*), MIN("+test.column+") FROM "+table).Scan(t.Context(), &left, &first); err != nil {
				t.Fatal(err)
			}
			if left != 100 || first != 1501 {
				t.Errorf("%s: %d rows are left from %d on, want 100 from 1501 on", table, left, first)
			}
			if n, most := seen.statements.Load(), seen.most.Load(); most != 500 || n != 4 {
				t.Errorf("%s: %d statements deleted up to %d rows, want 4 of up to 500", table, n, most)
			}
		}
	})
}
