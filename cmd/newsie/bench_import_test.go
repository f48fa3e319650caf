package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"newsie/internal/corpus"
)

// BenchmarkImport is newsie import of BENCH_DOCS (2,000 when not set) articles
// of 1,000 to 4,000 characters in Markdown files into an empty folder, all that
// is done with them included: reading, language, summary, store, index, related
// articles. Then the same once more, of which nothing has changed:
//
//	BENCH_DOCS=100000 go test -run '^$' -bench Import -benchtime 1x -timeout 3h ./cmd/newsie
//
// The articles are made up, or composed of the texts in BENCH_DATA; see package
// corpus.
func BenchmarkImport(b *testing.B) {
	all := 2000
	if s := os.Getenv("BENCH_DOCS"); s != "" {
		var err error
		if all, err = strconv.Atoi(s); err != nil {
			b.Fatal(err)
		}
	}
	in := install(b, "")
	text := writeCorpus(b, in.path("library"), all)
	for _, again := range []bool{false, true} {
		name := "new"
		if again {
			name = "unchanged"
		}
		b.Run(name, func(b *testing.B) {
			var peak memory
			var took time.Duration
			for b.Loop() {
				if !again {
					b.StopTimer()
					if err := os.RemoveAll(in.data()); err != nil {
						b.Fatal(err)
					}
					b.StartTimer()
				}
				took, peak = importAll(b, in)
			}
			fmt.Printf("\nimport of %d articles (%s), %.0f MB of text: %.0f s, %.0f a second\n", all, name, float64(text)/1e6, took.Seconds(), float64(all)/took.Seconds())
			fmt.Printf("peak memory: %.0f MB of its own (goal ≤ 500 MB, %s), %.0f MB with the files that the system keeps for it\n",
				peak.own, met(peak.own <= 500), peak.all)
			b.ReportMetric(float64(all)/took.Seconds(), "articles/s")
			b.ReportMetric(peak.own, "MB-peak")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func met(yes bool) string {
	if yes {
		return "met"
	}
	return "MISSED"
}

// memory is what a process takes, in MB; 0 where the system does not tell.
type memory struct{ own, all float64 }

// importAll runs newsie import and watches its memory.
func importAll(b *testing.B, in *installation) (time.Duration, memory) {
	b.Helper()
	started := time.Now()
	p := in.start("import", "library")
	var peak memory
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-p.exited:
			if p.err != nil {
				b.Fatalf("import: %v\n%s", p.err, p.stderr.String())
			}
			return time.Since(started), peak
		case <-tick.C:
			now := memoryOf(p.cmd.Process.Pid)
			peak.own, peak.all = max(peak.own, now.own), max(peak.all, now.all)
		}
	}
}

var memoryRule = regexp.MustCompile(`(?m)^(RssAnon|VmHWM):\s+([0-9]+) kB$`)

func memoryOf(pid int) (m memory) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return m
	}
	for _, found := range memoryRule.FindAllStringSubmatch(string(status), -1) {
		kilobytes, _ := strconv.ParseFloat(found[2], 64)
		if found[1] == "RssAnon" {
			m.own = kilobytes / 1000
		} else {
			m.all = kilobytes / 1000
		}
	}
	return m
}

// writeCorpus writes articles as Markdown that does not tell its language, and
// returns how long they are in bytes.
func writeCorpus(b *testing.B, dir string, all int) (text int64) {
	b.Helper()
	library, err := corpus.Open()
	if err != nil {
		b.Fatal(err)
	}
	for n := range all {
		a := library.Article(n)
		folder := filepath.Join(dir, fmt.Sprintf("%03d", n/1000))
		if n%1000 == 0 {
			if err := os.MkdirAll(folder, 0o700); err != nil {
				b.Fatal(err)
			}
		}
		file := fmt.Sprintf("---\ntitle: %q\ndate: %s\nauthor: %q\ntags: [%s]\n---\n%s\n", a.Title, a.Published.Format(time.DateOnly), a.Author,
			strings.Join(a.Tags, ", "), strings.Join(a.Paragraphs, "\n\n"))
		text += int64(len(a.Title) + len(a.Body()))
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%06d.md", n)), []byte(file), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	return text
}
