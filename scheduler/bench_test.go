package scheduler_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"newsie/internal/database/databasetest"
	"newsie/scheduler"
)

// BenchmarkPlan plans follows of a hundred topics; ns/op is of one follow.
func BenchmarkPlan(b *testing.B) {
	benchmark(b, func(b *testing.B, h *house) {
		s := h.replica()
		h.fill(b.N)
		b.ResetTimer()
		h.plan(s)
		b.StopTimer()
		h.wantStates(fmt.Sprintf("planned %d", b.N))
	})
}

// BenchmarkDeliver claims, sends and settles; ns/op is of one message.
func BenchmarkDeliver(b *testing.B) {
	benchmark(b, func(b *testing.B, h *house) {
		s := h.replica(func(c *scheduler.Config) { c.Channels[0].Workers = 64 })
		h.fill(b.N)
		h.plan(s)
		b.ResetTimer()
		h.deliver(s)
		b.StopTimer()
		h.wantStates(fmt.Sprintf("sent %d", b.N))
	})
}

// BenchmarkBareCommits is the yardstick of BenchmarkDeliver: nothing but two
// commits for each 64 rows.
func BenchmarkBareCommits(b *testing.B) {
	benchmark(b, func(b *testing.B, h *house) {
		s := h.replica()
		h.fill(b.N)
		h.plan(s)
		b.ResetTimer()
		for from := 0; from < b.N; from += 64 {
			h.exec("UPDATE deliveries SET state = 'sending', attempt = attempt + 1, updated_at = ? WHERE id > ? AND id <= ? AND state = 'planned'", 1, from, from+64)
			h.exec("UPDATE deliveries SET state = 'sent', way = 'message', provider_id = 'p', updated_at = ? WHERE id > ? AND id <= ? AND state = 'sending'", 1, from, from+64)
		}
		b.StopTimer()
		h.wantStates(fmt.Sprintf("sent %d", b.N))
	})
}

func benchmark(b *testing.B, run func(b *testing.B, h *house)) {
	b.Run("sqlite", func(b *testing.B) { run(b, newHouse(b, filepath.Join(b.TempDir(), "newsie.db"))) })
	b.Run("postgres", func(b *testing.B) { run(b, newHouse(b, databasetest.PostgresAddress(b))) })
}

// fill makes n follows of a hundred topics, each with one article.
func (h *house) fill(n int) {
	h.t.Helper()
	for i := range 100 {
		h.library.add(fmt.Sprintf("topic-%02d", i))
	}
	_, err := h.db.ExecContext(context.Background(), `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
		INSERT INTO follows (channel, chat, topic, query, lang, spec, zone, next_due_at, since_seq, created_at)
		SELECT 'tg', CAST(i AS TEXT), 'topic-' || CAST((i % 90) + 10 AS TEXT), 'topic-' || CAST((i % 90) + 10 AS TEXT), 'en', '0 8 * * *', 'UTC', ?, 0, 0 FROM n`,
		n, monday.UnixMilli())
	if err != nil {
		h.t.Fatal(err)
	}
}
