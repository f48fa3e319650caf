package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/uptrace/bun"
	"golang.org/x/sync/errgroup"

	"newsie/bot"
	"newsie/bot/telegram"
	"newsie/content"
	"newsie/internal/corpus"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
	"newsie/internal/locale"
	"newsie/scheduler"
)

// BenchmarkTelegramFanout sends a digest to many chats, with the scheduler, the
// ledger and the adapter that newsie serve connects, to a played Telegram in a
// process of its own on the same machine, which takes 30 ms for every call.
//
// unlimited: as fast as it goes. Beside it, in the same run, what it stands on:
// the adapter's Send alone, and two commits for each 64 rows.
//
// limited: the server holds the bot to 30 messages a second and orders three
// pauses of two seconds, while 20 readers each ask again 1.5 s after their answer,
// over a library of 2,000 articles.
//
// BENCH_CHATS sets how many chats: 10,000 unlimited, 1,500 limited. It fails when
// a message is lost or comes twice.
func BenchmarkTelegramFanout(b *testing.B) {
	both := func(name string, run func(b *testing.B, db *database.DB)) {
		b.Run(name+"/sqlite", func(b *testing.B) { run(b, databasetest.SQLite(b)) })
		b.Run(name+"/postgres", func(b *testing.B) { run(b, databasetest.Postgres(b)) })
	}
	both("unlimited", func(b *testing.B, db *database.DB) { benchUnlimited(b, db, benchChats(b, 10_000)) })
	both("limited", func(b *testing.B, db *database.DB) { benchLimited(b, db, benchChats(b, 1_500)) })
}

func benchChats(b *testing.B, standard int) int {
	b.Helper()
	text := os.Getenv("BENCH_CHATS")
	if text == "" {
		return standard
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		b.Fatalf("BENCH_CHATS is %q", text)
	}
	return n
}

const benchLatency = 30 * time.Millisecond

func benchUnlimited(b *testing.B, db *database.DB, chats int) {
	h := newFanout(b, db)
	for b.Loop() {
		bare := h.bareSends(b, chats)
		commits := h.bareCommits(b, chats)
		counter := &ledgerRows{}
		t, cpu := h.send(b, crowd{Chats: chats, Latency: benchLatency}, math.Inf(1), counter)
		perSecond := float64(t.Messages) / t.Took.Seconds()
		b.ReportMetric(perSecond, "messages/s")
		b.ReportMetric(perSecond/bare, "x-bare-sends")
		b.ReportMetric(perSecond/commits, "x-bare-commits")
		b.ReportMetric(bare, "bare-sends/s")
		b.ReportMetric(commits, "bare-commits/s")
		b.ReportMetric(float64(counter.most.Load()), "rows/commit-most")
		b.ReportMetric(float64(cpu.Microseconds())/1000/float64(t.Messages), "newsie-cpu-ms/message")
		b.ReportMetric(float64(t.CPU.Microseconds())/1000/float64(t.Messages), "server-cpu-ms/message")
		t.report(b)
	}
	b.ReportMetric(0, "ns/op")
}

func benchLimited(b *testing.B, db *database.DB, chats int) {
	h := newFanout(b, db)
	for b.Loop() {
		c := crowd{
			Chats: chats, Latency: benchLatency, Rates: true, Readers: 20, Again: 1500 * time.Millisecond,
			Pauses: 3, Pause: 2 * time.Second, Within: time.Duration(chats/30) * time.Second, Words: h.words,
		}
		t, cpu := h.send(b, c, 0, &ledgerRows{})
		b.ReportMetric(float64(t.Messages)/t.Took.Seconds(), "messages/s")
		b.ReportMetric(float64(t.Messages)/(t.Took-t.Paused).Seconds(), "messages/s-outside-pauses")
		b.ReportMetric(float64(t.Most), "most/s")
		b.ReportMetric(float64(t.TooSoon), "refused")
		b.ReportMetric(float64(len(t.Answers)+len(t.InPauses)), "answers")
		b.ReportMetric(ms(t.Answers, 50), "answer-ms-p50")
		b.ReportMetric(ms(t.Answers, 99), "answer-ms-p99")
		b.ReportMetric(ms(t.InPauses, 99), "answer-in-pauses-ms-p99")
		b.ReportMetric(float64(cpu.Microseconds())/1000/float64(t.Messages), "newsie-cpu-ms/message")
		t.report(b)
	}
	b.ReportMetric(0, "ns/op")
}

func ms(sorted []time.Duration, p int) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return float64(sorted[min(len(sorted)*p/100, len(sorted)-1)].Microseconds()) / 1000
}

// report fails the benchmark when the ledger or an answer did.
func (t toll) report(b *testing.B) {
	b.Helper()
	b.ReportMetric(float64(t.Lost), "lost")
	b.ReportMetric(float64(t.Doubled), "doubled")
	if t.Lost > 0 || t.Doubled > 0 || t.Unanswered > 0 {
		b.Errorf("%d lost, %d doubled, %d unanswered", t.Lost, t.Doubled, t.Unanswered)
	}
	t.Answers, t.InPauses = nil, nil
	b.Logf("%+v", t)
}

// A fanout is an installation whose digests go to Telegram.
type fanout struct {
	db      *database.DB
	library *content.Library
	catalog *locale.Catalog
	words   []string // that find articles
	round   int
}

func newFanout(b *testing.B, db *database.DB) *fanout {
	b.Helper()
	library, err := content.Open(db, b.TempDir(), content.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = library.Close() })
	made := corpus.New()
	var arrivals []content.Arrival
	const articles = 2_000
	for n := range articles {
		a := made.Article(n)
		body := make([]content.Block, len(a.Paragraphs))
		for i, p := range a.Paragraphs {
			body[i] = content.Block{Kind: content.Paragraph, Text: p}
		}
		arrivals = append(arrivals, content.Arrival{Article: content.Article{
			Source: "bench", Key: strconv.Itoa(n), State: content.Published, Title: a.Title, Slug: strconv.Itoa(n), Lang: a.Lang,
			Author: a.Author, Published: a.Published, Tags: a.Tags, Body: body, Summary: a.Paragraphs[0], Hash: strconv.Itoa(n),
		}})
	}
	if _, err := library.AddAll(b.Context(), arrivals); err != nil {
		b.Fatal(err)
	}
	if _, err := library.Follow(b.Context()); err != nil {
		b.Fatal(err)
	}
	catalog, err := locale.Load()
	if err != nil {
		b.Fatal(err)
	}
	f := &fanout{db: db, library: library, catalog: catalog}
	for i := 0; len(f.words) < 90 && i < articles; i++ {
		word := made.Question(i).Text
		if ids, _, err := library.Matches(b.Context(), word, "en", content.Filter{}, 0, library.Seq(), 10); err == nil && len(ids) > 2 {
			f.words = append(f.words, word)
		}
	}
	if len(f.words) < 20 {
		b.Fatalf("only %d topics find articles", len(f.words))
	}
	return f
}

// follow lets so many chats follow a topic each; their digests are due now.
func (f *fanout) follow(b *testing.B, chats int) {
	b.Helper()
	f.round++
	for _, query := range []string{"DELETE FROM deliveries", "DELETE FROM editions", "DELETE FROM follows", "DELETE FROM chats", "DELETE FROM lists", "DELETE FROM buckets"} {
		if _, err := f.db.ExecContext(b.Context(), query); err != nil {
			b.Fatal(err)
		}
	}
	due := time.Now().Add(-time.Minute).Truncate(time.Minute).UTC()
	slot := fmt.Sprintf("%d %d * * *", due.Minute(), due.Hour())
	for from := 1; from <= chats; from += 500 {
		to := min(from+499, chats)
		var readers, follows []string
		var readerArgs, followArgs []any
		for id := from; id <= to; id++ {
			chat, word := strconv.Itoa(id), f.words[id%len(f.words)]
			readers, readerArgs = append(readers, "('tg', ?, 'en', 0)"), append(readerArgs, chat)
			follows = append(follows, "('tg', ?, ?, ?, 'en', ?, 'UTC', ?, 0, 0)")
			followArgs = append(followArgs, chat, word, word, slot, due.UnixMilli())
		}
		for _, insert := range []struct {
			query string
			args  []any
		}{
			{"INSERT INTO chats (channel, id, lang, since) VALUES " + strings.Join(readers, ", "), readerArgs},
			{"INSERT INTO follows (channel, chat, topic, query, lang, spec, zone, next_due_at, since_seq, created_at) VALUES " + strings.Join(follows, ", "), followArgs},
		} {
			if _, err := f.db.ExecContext(b.Context(), insert.query, insert.args...); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// connect makes the channel and the scheduler as newsie serve does.
func (f *fanout) connect(b *testing.B, server toll, rate float64) (*telegram.Channel, *scheduler.Scheduler) {
	b.Helper()
	pacer := bot.NewPacer(f.db, time.Now)
	handler := bot.New(bot.Config{
		DB: f.db, Library: f.library, Catalog: f.catalog, Name: "bench", PublicURL: "https://bench.example",
		Channels: map[string]bot.Channel{"tg": {Lang: "en", Zone: "UTC"}},
		Limits:   bot.Limits{ChatBurst: 1 << 30, AddrBurst: 1 << 30},
	})
	channel, err := telegram.New(telegram.Config{
		Name: "tg", Token: server.Token, APIURL: server.URL, Rate: rate, Handler: handler.Handle,
		Inbox: bot.NewInbox(f.db, time.Now), Settings: bot.NewSettings(f.db, time.Now), Pacer: pacer, Catalog: f.catalog,
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	s, err := scheduler.New(scheduler.Config{
		DB: f.db, Finder: f.library, Articles: f.library, Cards: handler.Cards, Lists: bot.NewLists(f.db, time.Now), Catalog: f.catalog,
		Pacer: pacer, Silent: handler.Silent, Channels: []scheduler.Channel{{Name: "tg", Sender: channel, Grouped: true, Shown: 10}},
		Logger: slog.New(slog.NewTextHandler(b.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		b.Fatal(err)
	}
	return channel, s
}

// send plans the digests, and sends them until none is left. It returns what the
// server counted and the CPU time of this process.
func (f *fanout) send(b *testing.B, c crowd, rate float64, counter *ledgerRows) (toll, time.Duration) {
	b.Helper()
	f.follow(b, c.Chats)
	server := startServer(b, c)
	channel, s := f.connect(b, server.told, rate)
	tick, err := s.Plan(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	if n := f.left(b); n != c.Chats {
		b.Fatalf("%d of %d digests are planned: %+v", n, c.Chats, tick)
	}
	unwatched := f.db.DB
	f.db.DB = unwatched.WithQueryHook(counter)
	defer func() { f.db.DB = unwatched }()
	ctx, cancel := context.WithCancel(b.Context())
	group, ctx := errgroup.WithContext(ctx)
	before := ownCPU()
	group.Go(func() error { return channel.Run(ctx) })
	server.tell(b, "go")
	group.Go(func() error { return s.Run(ctx) })
	for f.left(b) > 0 && rest(ctx, 100*time.Millisecond) {
	}
	cpu := ownCPU() - before
	counted := server.end(b) // the last answers still come
	cancel()
	if err := group.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		b.Fatal(err)
	}
	return counted, cpu
}

// left counts the digests that have not ended.
func (f *fanout) left(b *testing.B) (n int) {
	b.Helper()
	err := f.db.Reader().NewRaw("SELECT COUNT(*) FROM deliveries WHERE state IN ('planned', 'claimed', 'sending')").Scan(b.Context(), &n)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// bareSends sends the same messages with the adapter alone, as many at a time.
func (f *fanout) bareSends(b *testing.B, n int) (perSecond float64) {
	b.Helper()
	server := startServer(b, crowd{Chats: n, Latency: benchLatency})
	defer server.end(b)
	channel, s := f.connect(b, server.told, math.Inf(1))
	var replies []bot.Reply
	for _, word := range f.words {
		reply, err := s.Preview(b.Context(), word, word, "en", 0, 10)
		if err != nil {
			b.Fatal(err)
		}
		replies = append(replies, reply)
	}
	var group errgroup.Group
	group.SetLimit(256)
	begin := time.Now()
	for i := range n {
		group.Go(func() error {
			_, err := channel.Send(b.Context(), bot.Outgoing{To: bot.ChatID{Channel: "tg", ID: strconv.Itoa(i + 1)}, Reply: replies[i%len(replies)]})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		b.Fatal(err)
	}
	return float64(n) / time.Since(begin).Seconds()
}

// bareCommits makes the ledger's two commits for each 64 rows, and nothing else.
func (f *fanout) bareCommits(b *testing.B, n int) (perSecond float64) {
	b.Helper()
	f.follow(b, n)
	_, s := f.connect(b, toll{URL: "http://127.0.0.1:1", Token: "1:a"}, math.Inf(1))
	if _, err := s.Plan(b.Context()); err != nil {
		b.Fatal(err)
	}
	var ids []int64
	if err := f.db.Reader().NewRaw("SELECT id FROM deliveries ORDER BY id").Scan(b.Context(), &ids); err != nil {
		b.Fatal(err)
	}
	begin := time.Now()
	for from := 0; from < len(ids); from += 64 {
		batch := ids[from:min(from+64, len(ids))]
		for _, query := range []string{
			"UPDATE deliveries SET state = 'sending', attempt = attempt + 1, updated_at = 1 WHERE id IN (?) AND state = 'planned'",
			"UPDATE deliveries SET state = 'sent', way = 'message', provider_id = '1', updated_at = 2 WHERE id IN (?) AND state = 'sending'",
		} {
			if _, err := f.db.ExecContext(b.Context(), query, bun.List(batch)); err != nil {
				b.Fatal(err)
			}
		}
	}
	return float64(n) / time.Since(begin).Seconds()
}

// A ledgerRows sees how many deliveries one statement marks as being sent or settles.
type ledgerRows struct{ most atomic.Int64 }

func (*ledgerRows) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

func (r *ledgerRows) AfterQuery(_ context.Context, e *bun.QueryEvent) {
	if e.Result == nil || !strings.Contains(e.Query, "UPDATE deliveries SET state") || strings.Contains(e.Query, "'claimed', claim =") {
		return
	}
	if n, err := e.Result.RowsAffected(); err == nil {
		for old := r.most.Load(); n > old && !r.most.CompareAndSwap(old, n); old = r.most.Load() {
		}
	}
}

// A playedServer is the process of playTelegram.
type playedServer struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   *json.Decoder
	told  toll
	ended bool
}

func startServer(b *testing.B, c crowd) *playedServer {
	b.Helper()
	cmd := exec.Command("played-telegram")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	p := &playedServer{cmd: cmd, in: in, out: json.NewDecoder(bufio.NewReader(out))}
	b.Cleanup(func() {
		if !p.ended {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	})
	line, err := json.Marshal(c)
	if err != nil {
		b.Fatal(err)
	}
	p.tell(b, string(line))
	if err := p.out.Decode(&p.told); err != nil {
		b.Fatal(err)
	}
	return p
}

func (p *playedServer) tell(b *testing.B, line string) {
	b.Helper()
	if _, err := fmt.Fprintln(p.in, line); err != nil {
		b.Fatal(err)
	}
}

func (p *playedServer) end(b *testing.B) (t toll) {
	b.Helper()
	p.tell(b, "end")
	if err := p.out.Decode(&t); err != nil {
		b.Fatal(err)
	}
	p.ended = true
	_ = p.in.Close()
	if err := p.cmd.Wait(); err != nil {
		b.Fatal(err)
	}
	return t
}

func ownCPU() time.Duration {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
