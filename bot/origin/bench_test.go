package origin_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"newsie/bot/origin"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

// BenchmarkOriginReport reports a year in which a million readers came, to a chain
// of 300 shops in ten regions, on two channels: 440,000 rows of totals, both
// touches together. ms/report is of one report; x-count is how many times longer
// that takes than to count the same rows, and no more.
func BenchmarkOriginReport(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { benchmarkReport(b, databasetest.SQLite(b)) })
	b.Run("postgres", func(b *testing.B) { benchmarkReport(b, databasetest.Postgres(b)) })
}

func benchmarkReport(b *testing.B, db *database.DB) {
	region := fillYear(b, db)
	for _, q := range []struct {
		name string
		origin.Query
	}{
		{"day", origin.Query{By: origin.ByDay}}, {"week", origin.Query{By: origin.ByWeek}}, {"origin", origin.Query{By: origin.ByOrigin}},
		{"channel", origin.Query{By: origin.ByChannel}}, {"region", origin.Query{By: origin.ByOrigin, Below: region}},
		{"thirtydays", origin.Query{By: origin.ByOrigin, From: "2026-11-24"}}, // as it is without --from and --to
	} {
		q.To, q.Touch = "2026-12-23", origin.Last
		if q.From == "" {
			q.From = "2025-12-24"
		}
		b.Run(q.name, func(b *testing.B) {
			var took, bare time.Duration
			for range b.N {
				start := time.Now()
				r := report(b, db, q.Query)
				took += time.Since(start)
				if q.name != "region" && q.name != "thirtydays" && r.Total.Came.N < 1_000_000 {
					b.Fatalf("it tells of %s readers", r.Total.Came)
				}
				bare += count(b, db)
			}
			b.ReportMetric(float64(took.Microseconds())/1000/float64(b.N), "ms/report")
			b.ReportMetric(float64(bare.Microseconds())/1000/float64(b.N), "ms/count")
			b.ReportMetric(took.Seconds()/bare.Seconds(), "x-count")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// count is how long it takes to count the rows of a year.
func count(b *testing.B, db *database.DB) time.Duration {
	start := time.Now()
	var n int
	if err := db.Reader().NewRaw("SELECT count(*) FROM origin_totals WHERE touch = 2 AND day BETWEEN 20251224 AND 20261223").Scan(b.Context(), &n); err != nil {
		b.Fatal(err)
	}
	if n < 200_000 {
		b.Fatalf("%d rows", n)
	}
	return time.Since(start)
}

// fillYear keeps a chain and the totals of a year, and returns one of the regions.
func fillYear(b *testing.B, db *database.DB) (region int64) {
	book := newBook(db)
	chain := add(b, book, "Chain", origin.None)
	for i := range 10 {
		o := add(b, book, fmt.Sprint("Region ", i), chain.ID)
		region = o.ID
		for shop := range 30 {
			if _, err := db.ExecContext(b.Context(), "INSERT INTO origins (code, kind, name, parent, created_at) VALUES (?, 'publisher', ?, ?, 0)",
				origin.NewCode(), fmt.Sprint("Shop ", i*30+shop), o.ID); err != nil {
				b.Fatal(err)
			}
		}
	}
	// Days are numbered so that the next after 20251231 is 20260101.
	if _, err := db.ExecContext(b.Context(), `INSERT INTO origin_totals (touch, day, origin, channel, scans, came, stayed7, stayed30, lost,
			follows, followers, followers_new, questions, askers, askers_new, opens, openers, openers_new, digests, receivers, receivers_new)
		WITH RECURSIVE days (n, y, m, d, longest) AS (
			SELECT 1, 2025, 12, 24, 31
			UNION ALL
			SELECT n + 1, CASE WHEN m = 12 AND d = longest THEN y + 1 ELSE y END, CASE WHEN d < longest THEN m ELSE m % 12 + 1 END,
				CASE WHEN d < longest THEN d + 1 ELSE 1 END,
				CASE WHEN d < longest THEN longest WHEN m % 12 + 1 = 2 THEN 28 WHEN m % 12 + 1 IN (4, 6, 9, 11) THEN 30 ELSE 31 END
			FROM days WHERE n < 365),
		touches (touch) AS (SELECT 1 UNION ALL SELECT 2),
		channels (channel, c) AS (SELECT 'telegram', 1 UNION ALL SELECT 'wechat', 2),
		places (id) AS (SELECT id FROM origins WHERE name LIKE 'Shop%' UNION ALL SELECT 0 UNION ALL SELECT -1),
		mixed (touch, day, id, channel, x) AS (
			SELECT touch, y * 10000 + m * 100 + d, id, channel, (n * 7919 + id * 104729 + c * 1299709 + touch * 31) % 9973
			FROM days CROSS JOIN touches CROSS JOIN places CROSS JOIN channels ORDER BY touch, n, id, c)
		SELECT touch, day, id, channel, abs(x) % 15, abs(x) % 11, abs(x) % 7, abs(x) % 5, abs(x) % 3, abs(x) % 9, abs(x) % 5, abs(x) % 3,
			abs(x) % 40, abs(x) % 17, abs(x) % 4, abs(x) % 90, abs(x) % 29, abs(x) % 8, abs(x) % 200, abs(x) % 200, abs(x) % 2
		FROM mixed`); err != nil {
		b.Fatal(err)
	}
	if db.Postgres() {
		if _, err := db.ExecContext(b.Context(), "VACUUM ANALYZE origin_totals"); err != nil { // as the server does by itself within minutes
			b.Fatal(err)
		}
	}
	return region
}

// BenchmarkOriginImport brings in a chain of 10,000 shops in fifty regions, and the
// same file again, which changes nothing.
func BenchmarkOriginImport(b *testing.B) {
	var file strings.Builder
	file.WriteString("name,parent,code,welcome\nChain,,,\n")
	for i := range 50 {
		fmt.Fprintf(&file, "Region %d,Chain,,\n", i)
	}
	for i := range 10_000 {
		fmt.Fprintf(&file, "Shop %d,Region %d,shop-%d,Welcome to shop %d\n", i, i%50, i, i)
	}
	for name, open := range map[string]func(testing.TB) *database.DB{"sqlite": databasetest.SQLite, "postgres": databasetest.Postgres} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				book := newBook(open(b))
				for _, again := range []bool{false, true} {
					start := time.Now()
					done := imported(b, book, file.String())
					took := time.Since(start)
					if again {
						b.ReportMetric(took.Seconds(), "s/again")
					} else {
						b.ReportMetric(took.Seconds(), "s/import")
					}
					if again && done.Unchanged != 10_051 || !again && done.Added != 10_051 {
						b.Fatalf("%d were added, %d unchanged", done.Added, done.Unchanged)
					}
				}
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}
