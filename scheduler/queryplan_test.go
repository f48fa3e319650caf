package scheduler_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"newsie/internal/database/databasetest"
	"newsie/scheduler"
)

// What the publisher asks, and what is done every hour, does not read the whole
// ledger: SQLite says so itself of each statement.
func TestTheLedgerIsAskedByItsIndexes(t *testing.T) {
	if databasetest.Second() {
		return // the plans are SQLite's
	}
	h := newHouse(t, filepath.Join(t.TempDir(), "newsie.db"))
	seen := &statements{}
	db := databasetest.Open(t, h.address)
	db.DB = db.WithQueryHook(seen)
	reads := db.Reader()
	*reads = *reads.WithQueryHook(seen)
	ledger := scheduler.NewLedger(db, h.clock)
	h.exec(`INSERT INTO editions (id, kind, edition_key, articles, created_at) VALUES (1, 'follow', 'x', '[1]', 1)`)
	fill := func() {
		h.exec(`INSERT INTO deliveries (edition, channel, chat, state, due_at, updated_at)
			WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
			SELECT 1, CASE WHEN i % 2 = 0 THEN 'tg' ELSE 'wx' END, i, CASE WHEN i > 290 THEN 'unknown' WHEN i > 280 THEN 'gone' ELSE 'sent' END, 1, 1 FROM n`)
	}
	fill()
	for name, do := range map[string]func(ctx context.Context) (int, error){
		"deliveries --state unknown": func(ctx context.Context) (int, error) {
			list, err := ledger.List(ctx, scheduler.Filter{State: scheduler.Unknown}, 100)
			return len(list), err
		},
		"deliveries --state unknown --since": func(ctx context.Context) (int, error) {
			list, err := ledger.List(ctx, scheduler.Filter{State: scheduler.Unknown, Since: time.UnixMilli(1)}, 100)
			return len(list), err
		},
		"deliveries --state unknown --channel": func(ctx context.Context) (int, error) {
			list, err := ledger.List(ctx, scheduler.Filter{State: scheduler.Unknown, Channel: "tg"}, 100)
			return 2 * len(list), err
		},
		"deliveries retry --unknown --dry-run": func(ctx context.Context) (int, error) {
			counts, err := ledger.Retries(ctx, scheduler.RetryFilter{States: []scheduler.State{scheduler.Unknown}})
			if len(counts) != 2 {
				return 0, err
			}
			return int(counts[0].Count + counts[1].Count), err
		},
		"deliveries retry --unknown": func(ctx context.Context) (int, error) {
			ids, err := ledger.RetryAll(ctx, scheduler.RetryFilter{States: []scheduler.State{scheduler.Unknown}})
			return len(ids), err
		},
		"compact": func(ctx context.Context) (int, error) {
			n, err := ledger.Compact(ctx, time.UnixMilli(100))
			h.exec("INSERT INTO editions (id, kind, edition_key, articles, created_at) VALUES (1, 'follow', 'x', '[1]', 1)")
			fill()
			return n - 290, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			h.exec("UPDATE deliveries SET state = 'unknown', updated_at = 1 WHERE state = 'planned'")
			seen.queries = nil
			if n, err := do(t.Context()); err != nil || n != 10 {
				t.Errorf("%d deliveries (%v), want 10", n, err)
			}
			asked := 0
			for _, query := range slices.Clone(seen.queries) {
				if !strings.Contains(query, "deliveries") {
					continue
				}
				asked++
				var rows []struct {
					ID, Parent, Notused int
					Detail              string
				}
				if err := h.db.NewRaw("EXPLAIN QUERY PLAN "+strings.ReplaceAll(query, "?", "??")).Scan(t.Context(), &rows); err != nil {
					t.Fatal(err)
				}
				for _, row := range rows {
					if strings.HasPrefix(row.Detail, "SCAN") && !strings.Contains(row.Detail, "CONSTANT") {
						t.Errorf("%s\nreads all: %s", query, row.Detail)
					}
				}
			}
			if asked == 0 {
				t.Error("nothing was seen to be asked")
			}
		})
	}
}
