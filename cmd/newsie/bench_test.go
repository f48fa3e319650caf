package main_test

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"newsie/bot"
	"newsie/bot/origin"
	"newsie/content"
	"newsie/internal/database"
	"newsie/internal/locale"
)

// BenchmarkStart is the time from the start of the program to the first answer
// in the browser, with the sample library: on an empty folder, and again.
func BenchmarkStart(b *testing.B) {
	for _, again := range []bool{false, true} {
		name := "first"
		if again {
			name = "again"
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				in := install(b, "")
				if again {
					if err := in.serve("--demo", "--listen", "127.0.0.1:0").stop(b.Context()); err != nil {
						b.Fatal(err)
					}
				}
				b.StartTimer()
				p := in.serve("--demo", "--listen", "127.0.0.1:0")
				firstAnswer(b, p)
				b.StopTimer()
				p.kill()
				b.StartTimer()
			}
			b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/start")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func firstAnswer(b *testing.B, p *process) {
	b.Helper()
	web, err := newBrowser(p.url() + "/chat/web/")
	if err != nil {
		b.Fatal(err)
	}
	answer, err := web.say(b.Context(), "Weidian")
	if err != nil {
		b.Fatal(err)
	}
	if len(articles(answer)) == 0 {
		b.Fatalf("the first answer is %q", answer.text)
	}
}

var residentRule = regexp.MustCompile(`(?m)^VmRSS:\s+([0-9]+) kB$`)

// BenchmarkIdleMemory is the resident memory of newsie with the sample library
// after an answer and five seconds of rest.
func BenchmarkIdleMemory(b *testing.B) {
	if runtime.GOOS != "linux" {
		b.Skip("resident memory is read from /proc")
	}
	var megabytes float64
	for b.Loop() {
		in := install(b, "")
		p := in.serve("--demo", "--listen", "127.0.0.1:0")
		firstAnswer(b, p)
		rest := time.NewTimer(5 * time.Second)
		<-rest.C
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
		if err != nil {
			b.Fatal(err)
		}
		m := residentRule.FindSubmatch(status)
		if m == nil {
			b.Fatalf("no resident memory in %s", status)
		}
		kilobytes, err := strconv.ParseFloat(string(m[1]), 64)
		if err != nil {
			b.Fatal(err)
		}
		megabytes += kilobytes / 1000
		p.kill()
	}
	b.ReportMetric(megabytes/float64(b.N), "MB-resident")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkAnswer asks a library of 10,000 generated articles: bot.Handle, which
// also keeps the list and the question, beside Library.Search alone.
func BenchmarkAnswer(b *testing.B) {
	library, db := benchLibrary(b, 10_000)
	catalog, err := locale.Load()
	if err != nil {
		b.Fatal(err)
	}
	credits, book := benchCredits(b, db)
	handler := bot.New(bot.Config{
		DB: db, Library: library, Catalog: catalog, Name: "bench", PublicURL: "http://bench.example",
		Origins:  &bot.Origins{Credits: credits, Book: book},
		Channels: map[string]bot.Channel{"web": {Lang: "en", Zone: "UTC"}},
		Limits:   bot.Limits{ChatBurst: 1 << 30, AddrBurst: 1 << 30},
	})
	questions := benchQuestions()
	// Enough for a 99th percentile even when -benchtime asks for one run.
	const asked = 400
	var search []time.Duration
	b.Run("search", func(b *testing.B) {
		search = measure(b, asked, func(ctx context.Context, i int) error {
			_, err := library.Search(ctx, content.Query{Text: questions[i%len(questions)], Lang: "en", Limit: 5})
			return err
		})
	})
	b.Run("handle", func(b *testing.B) {
		handle := measure(b, asked, func(ctx context.Context, i int) error {
			_, err := handler.Handle(ctx, bot.Message{
				ID: strconv.Itoa(i), Kind: bot.Text, Chat: bot.ChatID{Channel: "web", ID: strconv.Itoa(i % 50)},
				Text: questions[i%len(questions)], Lang: "en", At: time.Now(),
			})
			return err
		})
		if len(search) > 0 {
			b.ReportMetric(ratio(handle, search, 50), "x-search-p50")
			b.ReportMetric(ratio(handle, search, 99), "x-search-p99")
		}
	})
}

// benchCredits counts questions as a serving newsie does.
func benchCredits(b *testing.B, db *database.DB) (*origin.Credits, *origin.Book) {
	book := origin.NewBook(db, time.Now)
	credits := origin.NewCredits(origin.Config{DB: db, Book: book, Key: func(context.Context) ([]byte, error) { return []byte("a key of benchmarks"), nil }})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- credits.Run(ctx) }()
	b.Cleanup(func() {
		cancel()
		<-ended
	})
	return credits, book
}

// measure asks in rounds and reports the percentiles of single questions.
func measure(b *testing.B, round int, ask func(ctx context.Context, i int) error) []time.Duration {
	var took []time.Duration
	for b.Loop() {
		for range round {
			start := time.Now()
			if err := ask(b.Context(), len(took)); err != nil {
				b.Fatal(err)
			}
			took = append(took, time.Since(start))
		}
	}
	slices.Sort(took)
	b.ReportMetric(percentile(took, 50).Seconds()*1000, "ms-p50")
	b.ReportMetric(percentile(took, 99).Seconds()*1000, "ms-p99")
	b.ReportMetric(0, "ns/op")
	return took
}

func percentile(sorted []time.Duration, p int) time.Duration {
	return sorted[min(len(sorted)*p/100, len(sorted)-1)]
}

func ratio(a, b []time.Duration, p int) float64 {
	return float64(percentile(a, p)) / float64(percentile(b, p))
}

// benchQuestions are what readers type: one word, two, three, a rare one, a
// typo, one that finds everything.
func benchQuestions() []string {
	g := newGenerator()
	questions := []string{"harbour", name(4711), "harbuor"}
	for i := range 97 {
		words := make([]string, 1+i%3)
		for j := range words {
			words[j] = g.word()
		}
		questions = append(questions, strings.Join(words, " "))
	}
	return questions
}

// benchLibrary fills a library without files and summaries: BenchmarkImport
// measures those.
func benchLibrary(b *testing.B, articles int) (*content.Library, *database.DB) {
	b.Helper()
	in := install(b, "")
	db, err := database.Open(b.Context(), in.address())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	if err := db.Migrate(b.Context()); err != nil {
		b.Fatal(err)
	}
	library, err := content.Open(db, in.path("newsie-data", "index"), content.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = library.Close() })
	g := newGenerator()
	var arrivals []content.Arrival
	for n := range articles {
		title, date, body := g.article(n)
		arrivals = append(arrivals, content.Arrival{Article: content.Article{
			Source: "bench", Key: strconv.Itoa(n), State: content.Published, Title: title, Slug: strconv.Itoa(n), Lang: "en",
			Published: date, Tags: topics(n), Body: body, Summary: body[0].Text, Hash: strconv.Itoa(n),
		}})
		if len(arrivals) == 500 || n == articles-1 {
			if _, err := library.AddAll(b.Context(), arrivals); err != nil {
				b.Fatal(err)
			}
			arrivals = nil
		}
	}
	if _, err := library.Follow(b.Context()); err != nil {
		b.Fatal(err)
	}
	return library, db
}
