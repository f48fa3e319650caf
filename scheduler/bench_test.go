package scheduler_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"newsie/bot"
	"newsie/internal/database/databasetest"
	"newsie/scheduler"
)

// BenchmarkPlan plans follows of ninety topics; ns/op is of one follow.
func BenchmarkPlan(b *testing.B) {
	benchmark(b, func(b *testing.B, h *house) {
		s := h.replica()
		h.fill(b.N, 90)
		b.ResetTimer()
		h.plan(s)
		b.StopTimer()
		h.wantStates(fmt.Sprintf("planned %d", b.N))
	})
}

// BenchmarkPlanMillion plans BENCH_FOLLOWS follows of a hundred topics that are
// due at one moment.
func BenchmarkPlanMillion(b *testing.B) {
	n := follows(b)
	benchmark(b, func(b *testing.B, h *house) {
		for range b.N {
			s := h.replica()
			h.fill(n, 100)
			before := h.size()
			watch := startWatch(b)
			start := time.Now()
			tick := h.plan(s)
			took := time.Since(start)
			watch.report(b)
			if tick.Planned != n {
				b.Fatalf("planned %d of %d", tick.Planned, n)
			}
			if searches := h.library.searches; searches != 100 {
				b.Errorf("%d searches for 100 topics", searches)
			}
			b.ReportMetric(took.Seconds(), "s")
			b.ReportMetric(float64(n)/took.Seconds(), "follows/s")
			b.ReportMetric(float64(h.size()-before)/float64(n), "MB/million")
			b.ReportMetric(0, "ns/op")
		}
	})
}

// BenchmarkSendMillion plans a send of the publisher's to BENCH_FOLLOWS chats, and
// tells how much memory newsie has to itself meanwhile, which is no more at the end
// than in the beginning.
func BenchmarkSendMillion(b *testing.B) {
	n := follows(b)
	benchmark(b, func(b *testing.B, h *house) {
		for range b.N {
			s := h.replica()
			h.fill(n, 100)
			h.launch(everyone, "", 1)
			before := h.size()
			watch := startWatch(b)
			start := time.Now()
			planned := h.planSends(s)
			took := time.Since(start)
			watch.report(b)
			if l := h.sends(); planned != n || l.Chats != int64(n) || l.Left != int64(n) || l.State != scheduler.SendPlanned {
				b.Fatalf("planned %d of %d: %+v", planned, n, l)
			}
			if chats := h.int("SELECT COUNT(DISTINCT chat) FROM deliveries"); chats != int64(n) {
				b.Fatalf("planned for %d chats of %d", chats, n)
			}
			b.ReportMetric(took.Seconds(), "s")
			b.ReportMetric(float64(n)/took.Seconds(), "chats/s")
			b.ReportMetric(float64(h.size()-before)/float64(n), "MB/million")
			b.ReportMetric(0, "ns/op")
		}
	})
}

// BenchmarkEditionMillion delivers to BENCH_FOLLOWS readers of a hundred topics,
// through a platform that costs nothing, and tells how much memory newsie has to
// itself meanwhile.
func BenchmarkEditionMillion(b *testing.B) {
	n := follows(b)
	benchmark(b, func(b *testing.B, h *house) {
		for range b.N {
			out := &nowhere{}
			s := h.replica(func(c *scheduler.Config) { c.Channels[0].Sender, c.Channels[0].Workers, c.Lists = out, 0, nil })
			h.fill(n, 100)
			h.plan(s)
			watch := startWatch(b)
			for _, percent := range []int64{10, 50, 100} {
				out.at(int64(n)*percent/100, func() { b.ReportMetric(memory(b), fmt.Sprintf("MB-at-%d%%", percent)) })
			}
			start := time.Now()
			h.deliver(s)
			took := time.Since(start)
			watch.report(b)
			h.wantStates(fmt.Sprintf("sent %d", n))
			b.ReportMetric(float64(n)/took.Seconds(), "deliveries/s")
			b.ReportMetric(0, "ns/op")
		}
	})
}

// BenchmarkDeliver claims, sends and settles; ns/op is of one message. The same
// rows are before that, and after it, brought through the two commits that every
// 64 of them need, and nothing else: x-bare is how much of that rate is left.
func BenchmarkDeliver(b *testing.B) {
	benchmark(b, func(b *testing.B, h *house) {
		n := max(b.N, 256)
		s := h.replica(func(c *scheduler.Config) {
			c.Channels[0].Sender, c.Channels[0].Workers, c.Lists = &nowhere{}, 0, nil
		})
		h.fill(2*n, 90)
		h.plan(s)
		first := h.int("SELECT MIN(id) FROM deliveries")
		// What the bare loop takes is another channel's.
		h.exec("UPDATE deliveries SET channel = 'bare' WHERE id < ? OR id >= ?", first+int64(n/2), first+int64(n/2+n))
		bare := h.bare(first, first+int64(n/2))
		start := time.Now()
		b.ResetTimer()
		h.deliver(s)
		took := time.Since(start)
		b.StopTimer()
		bare += h.bare(first+int64(n/2+n), first+int64(2*n))
		h.wantStates(fmt.Sprintf("sent %d", 2*n))
		b.ReportMetric(float64(n)/took.Seconds(), "deliveries/s")
		b.ReportMetric(float64(n)/bare.Seconds(), "bare/s")
		b.ReportMetric(bare.Seconds()/took.Seconds(), "x-bare")
		b.ReportMetric(float64(took.Nanoseconds())/float64(n), "ns/op")
	})
}

// bare makes nothing but two commits for each 64 rows.
func (h *house) bare(from, to int64) time.Duration {
	start := time.Now()
	for ; from < to; from += 64 {
		end := min(from+64, to)
		h.exec("UPDATE deliveries SET state = 'sending', attempt = attempt + 1, lease_until = ?, updated_at = ? WHERE id >= ? AND id < ? AND state = 'planned'", 1, 1, from, end)
		h.exec("UPDATE deliveries SET state = 'sent', way = 'message', provider_id = 'p', lease_until = 0, updated_at = ? WHERE id >= ? AND id < ? AND state = 'sending'", 1, from, end)
	}
	return time.Since(start)
}

func benchmark(b *testing.B, run func(b *testing.B, h *house)) {
	b.Run("sqlite", func(b *testing.B) { run(b, newHouse(b, filepath.Join(b.TempDir(), "newsie.db"))) })
	b.Run("postgres", func(b *testing.B) { run(b, newHouse(b, databasetest.PostgresAddress(b))) })
}

// follows is how many there are to be in the large benchmarks.
func follows(b *testing.B) int {
	b.Helper()
	text := os.Getenv("BENCH_FOLLOWS")
	if text == "" {
		return 1_000_000
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 100 {
		b.Fatalf("BENCH_FOLLOWS=%s is not a number from 100", text)
	}
	return n
}

// fill makes n follows of some topics, each with one article.
func (h *house) fill(n, topics int) {
	h.t.Helper()
	for i := range topics {
		h.library.add(fmt.Sprintf("topic-%03d", i))
	}
	h.exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
		INSERT INTO follows (channel, chat, topic, query, lang, spec, zone, next_due_at, since_seq, created_at)
		SELECT 'tg', CAST(100000000 + i AS TEXT), 'topic-' || substr(CAST(1000 + i % ? AS TEXT), 2), 'topic-' || substr(CAST(1000 + i % ? AS TEXT), 2),
			'en', '0 8 * * *', 'UTC', ?, 0, 0 FROM n`, n, topics, topics, monday.UnixMilli())
	if h.db.Postgres() {
		h.exec("ANALYZE follows") // as the server does by itself within a minute
	}
}

// size is how much the tables of the house take, in bytes.
func (h *house) size() int64 {
	h.t.Helper()
	if h.db.Postgres() {
		return h.int("SELECT COALESCE(SUM(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'")
	}
	n, err := h.db.Size(context.Background())
	if err != nil {
		h.t.Fatal(err)
	}
	return n
}

// nowhere takes every message, at no rate, and keeps none.
type nowhere struct {
	sent  atomic.Int64
	marks []mark
}

type mark struct {
	sent int64
	do   func()
}

// at has do called when so many messages were sent.
func (n *nowhere) at(sent int64, do func()) { n.marks = append(n.marks, mark{sent, do}) }

func (n *nowhere) Send(context.Context, bot.Outgoing) (bot.Receipt, error) {
	sent := n.sent.Add(1)
	for _, m := range n.marks {
		if m.sent == sent {
			m.do()
		}
	}
	return bot.Receipt{ProviderID: "p", Way: "message"}, nil
}

func (n *nowhere) Buckets(bot.ChatID) []bot.Bucket { return nil }

// memory is how much this process has to itself, in MB: what Go holds and what
// SQLite does, without files that the system keeps in memory.
func memory(b *testing.B) float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.Sys-m.HeapReleased) / 1e6
	}
	for line := range strings.Lines(string(status)) {
		if kb, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			n, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(kb), " kB"), 64)
			if err != nil {
				b.Fatal(err)
			}
			return n * 1024 / 1e6
		}
	}
	b.Fatal("/proc/self/status has no RssAnon")
	return 0
}

// A watch looks at the memory ten times a second.
type watch struct {
	stop chan struct{}
	done chan struct{}
	base float64
	peak float64
}

func startWatch(b *testing.B) *watch {
	debug.FreeOSMemory() // what came before is not counted
	w := &watch{stop: make(chan struct{}), done: make(chan struct{}), base: memory(b)}
	go func() {
		defer close(w.done)
		ticker := time.NewTicker(100 * time.Millisecond)
		defer ticker.Stop()
		for {
			w.peak = max(w.peak, memory(b))
			select {
			case <-w.stop:
				return
			case <-ticker.C:
			}
		}
	}()
	return w
}

func (w *watch) report(b *testing.B) {
	close(w.stop)
	<-w.done
	b.ReportMetric(w.base, "MB-before")
	b.ReportMetric(w.peak, "MB-peak")
}
