package main_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/silenceper/wechat/v2/cache"
	"github.com/silenceper/wechat/v2/officialaccount"
	"github.com/silenceper/wechat/v2/officialaccount/config"
	sdk "github.com/silenceper/wechat/v2/officialaccount/message"
	"github.com/uptrace/bun"

	"newsie/bot"
	"newsie/bot/wechat"
	"newsie/bot/wechat/wechattest"
	"newsie/content"
	"newsie/internal/corpus"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
	"newsie/internal/locale"
)

const (
	wechatArticles  = 10_000
	wechatMessages  = 2_000
	wechatPerSecond = 1_000
)

// BenchmarkWeChat answers 2,000 different encrypted messages that come at a
// constant 1,000 a second, each a search over 10,000 articles. Beside it, at the
// same pace: an echo on the same library's server, the database transactions
// that repetitions and numbered lists need, and Library.Search; and newsie at
// half the pace. Latency counts from the moment at which a message was due, so
// that a stall is not hidden. CPU is the whole process's, with the caller's side
// of HTTP.
func BenchmarkWeChat(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { benchWeChat(b, databasetest.SQLite(b)) })
	b.Run("postgres", func(b *testing.B) { benchWeChat(b, databasetest.Postgres(b)) })
}

func benchWeChat(b *testing.B, db *database.DB) {
	library, questions := wechatLibrary(b, db)
	platform := wechattest.New(b, wechattest.Account{}, nil)
	channel, echo := wechatChannel(b, platform, library, db), wechatEcho(platform)
	search := func(i int) error {
		_, err := library.Search(b.Context(), content.Query{Text: questions[i], Lang: "zh-Hans", Limit: 5})
		return err
	}
	for i := range questions { // as at any other hour than the first
		if err := search(i); err != nil {
			b.Fatal(err)
		}
	}
	for round := 0; b.Loop(); round++ {
		var sum time.Duration
		for _, part := range []struct {
			name      string
			do        func(i int) error
			perSecond time.Duration
		}{
			{"echo", wechatCaller(b, platform, echo, questions, 2*round), wechatPerSecond},
			{"database", func(i int) error { return wechatTransactions(b.Context(), db, round*wechatMessages+i) }, wechatPerSecond},
			{"search", search, wechatPerSecond},
			{"newsie", wechatCaller(b, platform, channel, questions, 2*round), wechatPerSecond},
			{"newsie-half", wechatCaller(b, platform, channel, questions, 2*round+1), wechatPerSecond / 2},
		} {
			took, cpu := steadily(b, part.perSecond, part.do)
			b.ReportMetric(float64(cpu.Microseconds())/1000, part.name+"-cpu-ms")
			b.ReportMetric(float64(percentile(took, 50).Microseconds())/1000, part.name+"-p50-ms")
			b.ReportMetric(float64(percentile(took, 99).Microseconds())/1000, part.name+"-p99-ms")
			switch part.name {
			case "newsie":
				b.ReportMetric(float64(cpu)/float64(sum), "x-sum-cpu")
			default:
				sum += cpu
			}
		}
	}
	b.ReportMetric(0, "ns/op")
}

// steadily does something wechatMessages times, so many a second. It returns the
// sorted latencies and the CPU time of one.
func steadily(b *testing.B, perSecond time.Duration, do func(i int) error) (took []time.Duration, cpu time.Duration) {
	b.Helper()
	took = make([]time.Duration, wechatMessages)
	failed := make([]error, wechatMessages)
	var all sync.WaitGroup
	before, start := cpuTime(b), time.Now()
	for i := range wechatMessages {
		due := start.Add(time.Duration(i) * time.Second / perSecond)
		<-time.After(time.Until(due))
		all.Go(func() {
			failed[i] = do(i)
			took[i] = time.Since(due)
		})
	}
	all.Wait()
	cpu = (cpuTime(b) - before) / wechatMessages
	failures := slices.DeleteFunc(failed, func(err error) bool { return err == nil })
	if len(failures) > 0 {
		b.Errorf("%d of %d failed: %v", len(failures), wechatMessages, failures[0])
	}
	slices.Sort(took)
	return took, cpu
}

func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// wechatLibrary is wechatArticles in seven languages, and a question for each message.
func wechatLibrary(b *testing.B, db *database.DB) (*content.Library, []string) {
	b.Helper()
	library, err := content.Open(db, b.TempDir(), content.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = library.Close() })
	made := corpus.New()
	var arrivals []content.Arrival
	for n := range wechatArticles {
		a := made.Article(n)
		body := make([]content.Block, len(a.Paragraphs))
		for i, p := range a.Paragraphs {
			body[i] = content.Block{Kind: content.Paragraph, Text: p}
		}
		arrivals = append(arrivals, content.Arrival{Article: content.Article{
			Source: "bench", Key: strconv.Itoa(n), State: content.Published, Title: a.Title, Slug: strconv.Itoa(n), Lang: a.Lang,
			Author: a.Author, Published: a.Published, Tags: a.Tags, Body: body, Summary: a.Paragraphs[0], Hash: strconv.Itoa(n),
		}})
		if len(arrivals) == 500 || n == wechatArticles-1 {
			if _, err := library.AddAll(b.Context(), arrivals); err != nil {
				b.Fatal(err)
			}
			arrivals = nil
		}
	}
	if _, err := library.Follow(b.Context()); err != nil {
		b.Fatal(err)
	}
	questions := make([]string, wechatMessages)
	for i := range questions {
		questions[i] = made.Question(i * wechatArticles / wechatMessages).Text
	}
	return library, questions
}

// wechatChannel is a channel as newsie serve connects it.
func wechatChannel(b *testing.B, platform *wechattest.Server, library *content.Library, db *database.DB) http.Handler {
	b.Helper()
	catalog, err := locale.Load()
	if err != nil {
		b.Fatal(err)
	}
	handler := bot.New(bot.Config{
		DB: db, Library: library, Catalog: catalog, Name: "bench", PublicURL: "https://bench.example",
		Channels: map[string]bot.Channel{"gzh": {Lang: "zh-Hans", Zone: "Asia/Shanghai"}},
		Limits:   bot.Limits{ChatBurst: 1 << 30, AddrBurst: 1 << 30},
	})
	channel, err := wechat.New(wechat.Config{
		Name: "gzh", AppID: platform.AppID, Token: platform.Token, AESKey: platform.AESKey, TapLines: true, PublicURL: "https://bench.example",
		Handler: handler.Handle, Inbox: bot.NewInbox(db, time.Now), Settings: bot.NewSettings(db, time.Now), DB: db, Catalog: catalog,
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	return channel
}

// wechatEcho is the least that the library needs to answer in safe mode.
func wechatEcho(platform *wechattest.Server) http.Handler {
	account := officialaccount.NewOfficialAccount(&config.Config{AppID: platform.AppID, Token: platform.Token, EncodingAESKey: platform.AESKey, Cache: cache.NewMemory()})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		server := account.GetServer(r, w)
		server.SetMessageHandler(func(in *sdk.MixMessage) *sdk.Reply {
			return &sdk.Reply{MsgType: sdk.MsgTypeText, MsgData: sdk.NewText(in.Content)}
		})
		if err := server.Serve(); err == nil {
			_ = server.Send()
		}
	})
}

// wechatCaller posts message i over HTTP, signed and encrypted beforehand;
// those of another round are other messages.
func wechatCaller(b *testing.B, platform *wechattest.Server, handler http.Handler, questions []string, round int) func(i int) error {
	b.Helper()
	server := httptest.NewServer(handler)
	b.Cleanup(server.Close)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 512}, Timeout: 5 * time.Second}
	b.Cleanup(client.CloseIdleConnections)
	requests := make([]wechattest.Request, wechatMessages)
	for i := range requests {
		reader := fmt.Sprint("reader", i%1000)
		requests[i] = platform.Request(reader, fmt.Sprintf("<ToUserName>%s</ToUserName><FromUserName>%s</FromUserName><CreateTime>%d</CreateTime>"+
			"<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[%s]]></Content><MsgId>%d</MsgId>",
			platform.ID, reader, time.Now().Unix(), questions[i], 1_000_000+round*wechatMessages+i))
	}
	return func(i int) error {
		response, err := client.Post(server.URL+"?"+requests[i].Query.Encode(), "text/xml", strings.NewReader(requests[i].Body))
		if err != nil {
			return err
		}
		defer func() { _ = response.Body.Close() }()
		body, err := io.ReadAll(response.Body)
		if err == nil && !strings.HasPrefix(string(body), "<xml>") {
			err = fmt.Errorf("message %d was answered with %d %q", i, response.StatusCode, body)
		}
		return err
	}
}

// wechatTransactions are what the database must do for one message: claim it
// before it is answered, and keep the list, the question and the answer.
func wechatTransactions(ctx context.Context, db *database.DB, i int) error {
	id := strconv.Itoa(i)
	now := time.Now().UnixMilli()
	if _, err := db.ExecContext(ctx, "INSERT INTO inbox (channel, message_id, chat, received_at) VALUES ('bare', ?, ?, ?) ON CONFLICT DO NOTHING", id, id, now); err != nil {
		return err
	}
	ids, reply := strings.Repeat("12345,", 50), strings.Repeat("x", 3000)
	return db.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		for _, statement := range []struct {
			query string
			args  []any
		}{
			{"INSERT INTO lists (channel, chat, kind, query, articles, shown, created_at) VALUES ('bare', ?, 'search', 'words', ?, 5, ?)", []any{id, ids, now}},
			{"INSERT INTO questions (text, lang, channel, results, asked_at) VALUES ('words', 'zh-Hans', 'bare', 5, ?)", []any{now}},
			{"UPDATE inbox SET reply = ?, answered = 1 WHERE channel = 'bare' AND message_id = ?", []any{reply, id}},
		} {
			if _, err := tx.ExecContext(ctx, statement.query, statement.args...); err != nil {
				return err
			}
		}
		return nil
	})
}
