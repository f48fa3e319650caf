package origin_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"newsie/bot/origin"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

// BenchmarkOriginReaders tells how many bytes each of a million readers takes,
// with two things each that counted, and how many scans a second are counted,
// those of newcomers and those of readers who are there, beside inserts of one
// bare row each.
func BenchmarkOriginReaders(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) {
		benchmarkReaders(b, databasetest.Open(b, filepath.Join(b.TempDir(), "newsie.db")))
	})
	b.Run("postgres", func(b *testing.B) { benchmarkReaders(b, databasetest.Open(b, databasetest.PostgresAddress(b))) })
}

func benchmarkReaders(b *testing.B, db *database.DB) {
	const readers, scans, together = 1_000_000, 4000, 8
	ctx := b.Context()
	book := origin.NewBook(db, time.Now)
	shop, err := book.Add(ctx, origin.Origin{Code: "shop", Name: "Shop"})
	if err != nil {
		b.Fatal(err)
	}
	credits := origin.NewCredits(origin.Config{DB: db, Book: book, Leaves: func(string) bool { return true },
		Key: func(context.Context) ([]byte, error) { return []byte("a key of these benchmarks"), nil }})
	exec := func(query string, args ...any) {
		if _, err := db.ExecContext(ctx, query, args...); err != nil {
			b.Fatal(err)
		}
	}
	size := func() int64 {
		n, err := db.Size(ctx)
		if err != nil {
			b.Fatal(err)
		}
		return n
	}
	// Refs have no order, and chats' names are as long as WeChat's.
	random, wide := "random()", "hex(randomblob(14))"
	if db.Postgres() {
		random, wide = "hashint8extended(i, 7)", "substr(md5(i::text), 1, 28)"
	}
	numbers := fmt.Sprintf("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) ", readers)
	empty := size()
	at := time.Now().UnixMilli()
	exec(numbers+"INSERT INTO readers (channel, chat, ref, first_origin, first_at, last_origin, last_at, came_at, stay_due, followed_on, asked_on, opened_on, received_on) SELECT 'wechat', "+wide+", "+random+", ?, ?, ?, ?, ?, ?, 20261123, 20261123, 20261123, 20261123 FROM n", shop.ID, at, shop.ID, at, at, at)
	full := size()
	exec("INSERT INTO origin_events (ref, kind, what, at) SELECT ref, 4, 4711, ? FROM readers UNION ALL SELECT ref, 2, ref, ? FROM readers", at, at)
	withEvents := size()
	exec("CREATE TABLE bare (a BIGINT PRIMARY KEY, b BIGINT NOT NULL)")

	var next atomic.Int64
	rate := func(do func(ctx context.Context, i int64) error) float64 {
		start := time.Now()
		var all sync.WaitGroup
		for range together {
			all.Go(func() {
				for range scans / together {
					if err := do(ctx, next.Add(1)); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		all.Wait()
		return scans / time.Since(start).Seconds()
	}
	come := func(ctx context.Context, i int64) error {
		_, _, err := credits.Arrive(ctx, origin.Arrival{Reader: origin.Reader{Channel: "tg", Chat: fmt.Sprint((i - 1) % scans)}, Message: fmt.Sprint(i), Code: "shop", At: time.Now()})
		return err
	}
	for b.Loop() {
		bare := rate(func(ctx context.Context, i int64) error {
			return db.WriteOne(ctx, func(ctx context.Context, tx bun.IDB) error {
				_, err := tx.ExecContext(ctx, "INSERT INTO bare (a, b) VALUES (?, ?)", i, i)
				return err
			})
		})
		next.Store(0)
		newcomers := rate(come)
		again := rate(come)
		b.ReportMetric(float64(full-empty)/readers, "B/reader")
		b.ReportMetric(float64(withEvents-full)/readers/2, "B/event")
		b.ReportMetric(bare, "inserts/s")
		b.ReportMetric(newcomers, "newcomers/s")
		b.ReportMetric(again, "scans/s")
		b.ReportMetric(0, "ns/op")
		exec("DELETE FROM readers WHERE channel = 'tg'")
		exec("DELETE FROM bare")
	}
}
