package index

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"newsie/internal/corpus"
)

// BenchmarkLibrary measures the index on a library of BENCH_DOCS articles
// (2,000 when not set), made up or composed of the texts in the folder
// BENCH_DATA; see package corpus. It prints a table with the goal of each figure
// and, beside it, what Bleve's own bm25 query does on the same documents, fed
// the same terms by the same analyzer, with nothing stored:
//
//	BENCH_DOCS=100000 go test -run '^$' -bench Library -benchtime 1x -timeout 2h ./content/index
//
// Each index is filled in one process and asked in another, so that what one
// leaves in memory is not taken for the other's.
func BenchmarkLibrary(b *testing.B) {
	size := 2000
	if s := os.Getenv("BENCH_DOCS"); s != "" {
		var err error
		if size, err = strconv.Atoi(s); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		dir := os.Getenv("BENCH_KEEP") // of an earlier run: its indexes are asked again
		if dir == "" {
			dir = b.TempDir()
		}
		var ours, theirs figures
		run(b, "fill newsie", dir, size, &ours)
		run(b, "fill bleve", dir, size, &theirs)
		run(b, "ask newsie", dir, size, &ours)
		run(b, "ask bleve", dir, size, &theirs)
		printTable(size, &ours, &theirs)
		b.ReportMetric(ours.PerSecond, "queries/s")
		b.ReportMetric(ours.PerSecond/theirs.PerSecond, "x-bleve")
		b.ReportMetric(0, "ns/op")
	}
}

// figures are what the processes of the benchmark measured, in milliseconds and
// bytes where no unit is told.
type figures struct {
	Text        int64   `json:",omitempty"`
	Disk        int64   `json:",omitempty"`
	FillSeconds float64 `json:",omitempty"`
	FillPeak    int64   `json:",omitempty"` // anonymous memory

	Open      float64         `json:",omitempty"` // with the first answer
	All       span            `json:",omitzero"`
	Kinds     map[string]span `json:",omitempty"`
	PerSecond float64         `json:",omitempty"` // on two goroutines
	Asked     int             `json:",omitempty"`
	Anonymous int64           `json:",omitempty"`
	Typo      float64         `json:",omitempty"` // what a typo adds, half the time
	Pinyin    float64         `json:",omitempty"`
	Add       float64         `json:",omitempty"` // until one article more is found, half the time
}

// A span is the middle and the end of what some queries took.
type span struct{ P50, P99 float64 }

// run does one step in a process of its own and adds its figures.
func run(b *testing.B, task, dir string, size int, into *figures) {
	b.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), "BENCH_CHILD="+task, "BENCH_DIR="+dir, fmt.Sprint("BENCH_DOCS=", size))
	child.Stderr = os.Stderr
	out, err := child.Output()
	if err != nil {
		b.Fatalf("%s: %v", task, err)
	}
	if err := json.Unmarshal(out, into); err != nil {
		b.Fatalf("%s: %v: %s", task, err, out)
	}
}

func printTable(size int, ours, theirs *figures) {
	source := "made up"
	if dir := os.Getenv(corpus.Variable); dir != "" {
		source = "composed of the texts in " + filepath.Base(dir)
	}
	fmt.Printf("\n%d articles, %.0f MB of text, %s; the goals are for 100,000 on a quiet machine\n\n", size, mb(ours.Text), source)
	fmt.Printf("%-46s %12s %14s %-7s %12s\n", "", "newsie", "goal", "", "Bleve")
	row := func(what, got, goal string, met bool, bleve string) {
		verdict := "met"
		switch {
		case goal == "":
			verdict = ""
		case !met:
			verdict = "MISSED"
		}
		fmt.Printf("%-46s %12s %14s %-7s %12s\n", what, got, goal, verdict, bleve)
	}
	ms := func(what string, got, goal, bleve float64) {
		limit, beside := "", ""
		if goal > 0 {
			limit = fmt.Sprintf("≤ %g ms", goal)
		}
		if bleve > 0 {
			beside = fmt.Sprintf("%.2f ms", bleve)
		}
		row(what, fmt.Sprintf("%.2f ms", got), limit, got <= goal, beside)
	}
	times := ours.PerSecond / theirs.PerSecond
	row("queries a second on two goroutines", fmt.Sprintf("%.0f", ours.PerSecond), "≥ 5 x Bleve", times >= 5, fmt.Sprintf("%.0f", theirs.PerSecond))
	row("… times Bleve's", fmt.Sprintf("%.1f", times), "", true, "")
	ms("a query, half the time", ours.All.P50, 2.5, theirs.All.P50)
	worst, theirWorst := 0.0, 0.0
	for _, kind := range corpus.Kinds {
		worst, theirWorst = max(worst, ours.Kinds[kind].P99), max(theirWorst, theirs.Kinds[kind].P99)
	}
	ms("a query of the slowest kind, 99 of 100", worst, 12, theirWorst)
	for _, kind := range corpus.Kinds {
		o, t := ours.Kinds[kind], theirs.Kinds[kind]
		row("  "+kind+", half the time; 99 of 100", fmt.Sprintf("%.2f; %.2f", o.P50, o.P99), "", true, fmt.Sprintf("%.2f; %.2f", t.P50, t.P99))
	}
	ms("a typo adds, half the time", ours.Typo, 1, 0)
	ms("a name in pinyin adds, half the time", ours.Pinyin, 1, 0)
	ms("open and first query", ours.Open, 500, theirs.Open)
	row(fmt.Sprintf("anonymous memory after %d queries", ours.Asked), fmt.Sprintf("%.0f MB", mb(ours.Anonymous)), "≤ 80 MB",
		mb(ours.Anonymous) <= 80, fmt.Sprintf("%.0f MB", mb(theirs.Anonymous)))
	share := func(f *figures) float64 { return float64(f.Disk) / float64(f.Text) }
	row("disk, times the text", fmt.Sprintf("%.2f", share(ours)), "≤ 1.6", share(ours) <= 1.6, fmt.Sprintf("%.2f", share(theirs)))
	ms("one article added and found, half the time", ours.Add, 50, theirs.Add)
	row("filling the index alone", fmt.Sprintf("%.0f s", ours.FillSeconds), "", true, fmt.Sprintf("%.0f s", theirs.FillSeconds))
	row("… articles a second", fmt.Sprintf("%.0f", float64(size)/ours.FillSeconds), "", true, fmt.Sprintf("%.0f", float64(size)/theirs.FillSeconds))
	row("… anonymous memory at its peak", fmt.Sprintf("%.0f MB", mb(ours.FillPeak)), "", true, fmt.Sprintf("%.0f MB", mb(theirs.FillPeak)))
	fmt.Println(strings.Repeat("–", 95))
}

func mb(bytes int64) float64 { return float64(bytes) / 1e6 }
