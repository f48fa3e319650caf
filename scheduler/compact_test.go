package scheduler_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"newsie/internal/database/databasetest"
	"newsie/scheduler"
)

// ancient is when what Compact deletes in these tests was made.
var ancient = monday.AddDate(0, 0, -100)

// editions inserts editions that nobody has, made at a time, and returns the first.
func (h *house) editions(n int, at time.Time) (first int64) {
	h.t.Helper()
	h.exec(`INSERT INTO editions (kind, edition_key, topic, query, to_seq, articles, created_at)
		WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
		SELECT 'follow', 'of ' || ? || ' ' || CAST(i AS TEXT), 'tea', 'tea', 1, '[1]', CAST(? AS BIGINT) FROM n`, n, at.Format(time.RFC3339), at.UnixMilli())
	return h.int("SELECT MIN(id) FROM editions WHERE created_at = ?", at.UnixMilli())
}

// meanwhile runs do while a transaction with some statements is open, and commits
// that when do has ended or waits for it.
func (h *house) meanwhile(statement string, args []any, do func(ctx context.Context) error) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), time.Minute)
	defer cancel()
	tx, err := h.db.BeginTx(ctx, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(ctx, statement, args...); err != nil {
		h.t.Fatal(err)
	}
	done := make(chan error, 1)
	before := h.db.DB.Stats().WaitCount
	go func() { done <- do(ctx) }()
	for waits := false; !waits; {
		select {
		case err := <-done:
			done <- err
			waits = true
		case <-time.After(2 * time.Millisecond):
			if h.db.Postgres() {
				waits = h.int("SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'DELETE%' AND datname = current_database()") > 0
			} else {
				waits = h.db.DB.Stats().WaitCount > before
			}
		}
	}
	if err := tx.Commit(); err != nil {
		h.t.Fatal(err)
	}
	if err := <-done; err != nil {
		h.t.Fatal(err)
	}
}

// An edition that nobody has any more is given to somebody at the moment at which
// it is compacted.
func TestCompactLeavesAnEditionThatIsBeingPlanned(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		first := h.editions(3, ancient)
		ledger := scheduler.NewLedger(h.db, h.clock)
		h.meanwhile(`INSERT INTO deliveries (edition, follow, channel, chat, state, due_at, updated_at) VALUES (?, 1, 'tg', '1', 'planned', ?, ?)`,
			[]any{first + 1, monday.UnixMilli(), monday.UnixMilli()}, func(ctx context.Context) error {
				_, err := ledger.Compact(ctx, monday.AddDate(0, 0, -90))
				return err
			})
		h.wantStates("planned 1")
		if got := h.text("SELECT " + h.joined("CAST(id AS TEXT)", ",") + " FROM editions"); got != fmt.Sprint(first+1) {
			t.Errorf("the editions %s are left, want %d", got, first+1)
		}
	})
}

// Deliveries that the publisher sends again at that moment stay, and go out.
func TestCompactLeavesWhatIsPlannedAgain(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		edition := h.editions(1, ancient)
		for _, state := range []string{"unknown", "sent"} {
			h.exec("INSERT INTO deliveries (edition, follow, channel, chat, state, due_at, updated_at) VALUES (?, 1, 'tg', ?, ?, ?, ?)",
				edition, state, state, ancient.UnixMilli(), ancient.UnixMilli())
		}
		ledger := scheduler.NewLedger(h.db, h.clock)
		h.meanwhile("UPDATE deliveries SET state = 'planned', updated_at = ? WHERE state = 'unknown'", []any{monday.UnixMilli()}, func(ctx context.Context) error {
			_, err := ledger.Compact(ctx, monday.AddDate(0, 0, -90))
			return err
		})
		h.wantStates("planned 1")
		if n := h.int("SELECT COUNT(*) FROM editions"); n != 1 {
			t.Errorf("%d editions are left, want that of what is planned", n)
		}
	})
}

// statements remembers what was asked of a database.
type statements struct {
	mu      sync.Mutex
	queries []string
	deleted int64                                        // by one statement, at most
	after   func(ctx context.Context, e *bun.QueryEvent) // nil: nothing
}

func (*statements) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

func (s *statements) AfterQuery(ctx context.Context, e *bun.QueryEvent) {
	s.mu.Lock()
	s.queries = append(s.queries, e.Query)
	if strings.HasPrefix(e.Query, "DELETE") && e.Result != nil {
		if n, err := e.Result.RowsAffected(); err == nil {
			s.deleted = max(s.deleted, n)
		}
	}
	s.mu.Unlock()
	if s.after != nil {
		s.after(ctx, e)
	}
}

// A quarter's rows are compacted while digests go out: each commit deletes some
// hundred rows, and between two of them others have their turn.
func TestCompactHoldsUpNobody(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		const old, readers = 3000, 40
		first := h.editions(600, ancient)
		h.exec(`INSERT INTO deliveries (edition, follow, channel, chat, state, due_at, updated_at)
			WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
			SELECT ? + i % 600, 0, 'tg', 'r' || CAST(i AS TEXT), CASE WHEN i % 2 = 0 THEN 'sent' ELSE 'unknown' END, 0, CAST(? AS BIGINT) FROM n`,
			old-1, first, ancient.UnixMilli())
		// What is old and open stays, and so does what changed lately.
		h.exec("UPDATE deliveries SET state = 'planned', due_at = ? WHERE chat = 'r7'", monday.AddDate(1, 0, 0).UnixMilli())
		h.exec("UPDATE deliveries SET updated_at = ? WHERE chat = 'r8'", monday.UnixMilli())
		s := h.replica()
		h.planned(s, readers)
		seen := &statements{}
		watched := h.replica(func(c *scheduler.Config) { c.DB.DB = c.DB.WithQueryHook(seen) })
		sent := 0
		seen.after = func(ctx context.Context, e *bun.QueryEvent) {
			if !strings.HasPrefix(e.Query, "DELETE FROM deliveries") || sent > 0 {
				return
			}
			n, err := s.Deliver(context.WithoutCancel(ctx)) // in the middle, by another process
			if err != nil {
				t.Error(err)
			}
			sent += n
		}
		n, err := watched.Compact(t.Context(), monday.AddDate(0, 0, -90))
		if err != nil || n != old-2 {
			t.Errorf("%d deleted (%v), want %d", n, err, old-2)
		}
		if sent != readers {
			t.Errorf("%d digests went out between the first part and the next, want %d", sent, readers)
		}
		if seen.deleted == 0 || seen.deleted > 500 {
			t.Errorf("one statement deleted %d rows, want up to 500", seen.deleted)
		}
		h.wantStates(fmt.Sprintf("planned 1, sent %d", readers+1))
		if n := h.int("SELECT COUNT(*) FROM editions"); n != 3 {
			t.Errorf("%d editions are left, want those of the two old ones and the new one", n)
		}
	})
}

// The planner finds an edition that others have had, which Compact deletes before
// it is given to one more: it is made again, with no tick lost. On SQLite nobody
// comes between.
func TestPlanningMakesAnEditionAgainThatIsCompacted(t *testing.T) {
	h := newHouse(t, databasetest.PostgresAddress(t))
	h.planned(h.replica(), 1)
	h.exec("DELETE FROM deliveries")
	h.follow("2", "tea", "0 8 * * *", "UTC", monday)
	seen, between := &statements{}, 0
	s := h.replica(func(c *scheduler.Config) { c.DB.DB = c.DB.WithQueryHook(seen) })
	seen.after = func(_ context.Context, e *bun.QueryEvent) {
		if strings.HasPrefix(e.Query, "SELECT id, edition_key FROM editions") && between == 0 {
			between++
			h.exec("UPDATE editions SET created_at = ?", ancient.UnixMilli())
			if _, err := scheduler.NewLedger(h.db, h.clock).Compact(t.Context(), monday); err != nil {
				t.Error(err)
			}
			if n := h.int("SELECT COUNT(*) FROM editions"); n != 0 {
				t.Errorf("%d editions are left: nothing comes between", n)
			}
		}
	}
	if tick := h.plan(s); tick.Planned != 1 || between != 1 {
		t.Errorf("%+v, %d times in between", tick, between)
	}
	h.wantStates("planned 1")
	if n := h.int("SELECT COUNT(*) FROM editions"); n != 1 {
		t.Errorf("%d editions, want one", n)
	}
}
