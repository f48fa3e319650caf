package index

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"newsie/content/language"
	"newsie/internal/corpus"
)

// asked is how many different questions are measured, rounds how often.
const (
	asked  = 2100
	rounds = 3
)

// An engine is one of the two that are compared.
type engine interface {
	fill(l *corpus.Library, size int) (seconds float64, err error) // settled, closed
	open() error
	ask(q corpus.Question) error
	add(l *corpus.Library, n int) error // until it can be found
	folder() string
}

// benchChild does one step of BenchmarkLibrary and prints its figures; it
// returns the exit status.
func benchChild() int {
	task, name, _ := strings.Cut(os.Getenv("BENCH_CHILD"), " ")
	dir := os.Getenv("BENCH_DIR")
	size, err := strconv.Atoi(os.Getenv("BENCH_DOCS"))
	if err != nil {
		return fail(err)
	}
	library, err := corpus.Open()
	if err != nil {
		return fail(err)
	}
	var e engine = &ourEngine{dir: filepath.Join(dir, "newsie")}
	if name == "bleve" {
		e = &bleveEngine{dir: filepath.Join(dir, "bleve")}
	}
	var f any
	if task == "fill" {
		f, err = fillOne(e, library, size)
	} else {
		f, err = askOne(e, library, size)
	}
	if err != nil {
		return fail(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(f); err != nil {
		return fail(err)
	}
	return 0
}

func fail(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// fillOne makes an index, or takes the one that an earlier run left.
func fillOne(e engine, library *corpus.Library, size int) (any, error) {
	kept := e.folder() + ".json"
	if b, err := os.ReadFile(kept); err == nil {
		return json.RawMessage(b), nil
	}
	stop := make(chan struct{})
	peak := make(chan int64)
	go func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for most := int64(0); ; {
			most = max(most, anonymous())
			select {
			case <-tick.C:
			case <-stop:
				peak <- most
				return
			}
		}
	}()
	seconds, err := e.fill(library, size)
	close(stop)
	f := map[string]any{"FillSeconds": seconds, "FillPeak": <-peak, "Disk": folderSize(e.folder())}
	if err != nil {
		return nil, err
	}
	var text int64
	for n := range size {
		a := library.Article(n)
		text += int64(len(a.Title) + 1 + len(a.Body()))
	}
	f["Text"] = text
	b, err := json.Marshal(f)
	if err != nil {
		return nil, err
	}
	return json.RawMessage(b), os.WriteFile(kept, b, 0o600)
}

func askOne(e engine, library *corpus.Library, size int) (any, error) {
	questions := make([]corpus.Question, asked)
	for i := range questions {
		questions[i] = library.Question(i * max(size/asked, 1) % size)
	}
	// What makes the questions is not what is measured.
	*library = corpus.Library{}
	debug.FreeOSMemory()
	started := time.Now()
	if err := e.open(); err != nil {
		return nil, err
	}
	if err := e.ask(questions[0]); err != nil {
		return nil, err
	}
	f := &figures{Open: millis(time.Since(started)), Kinds: map[string]span{}}
	all := map[string][]time.Duration{}
	for range rounds {
		for _, q := range questions {
			started := time.Now()
			if err := e.ask(q); err != nil {
				return nil, err
			}
			took := time.Since(started)
			all[q.Kind], all[""] = append(all[q.Kind], took), append(all[""], took)
		}
	}
	for kind, list := range all {
		slices.Sort(list)
		f.Kinds[kind] = span{millis(list[len(list)/2]), millis(list[len(list)*99/100])}
	}
	f.All = f.Kinds[""]
	if err := askBoth(e, questions, f); err != nil {
		return nil, err
	}
	f.Asked = rounds*asked + len(questions)*2
	f.Anonymous = anonymous()
	if x, ok := e.(*ourEngine); ok {
		if err := x.extras(questions, f); err != nil {
			return nil, err
		}
	}
	if os.Getenv("BENCH_KEEP") != "" {
		return f, nil // kept as it is
	}
	again, err := corpus.Open()
	if err != nil {
		return nil, err
	}
	var took []time.Duration
	for n := range 30 {
		started := time.Now()
		if err := e.add(again, size+n); err != nil {
			return nil, err
		}
		took = append(took, time.Since(started))
	}
	f.Add = millis(median(took))
	return f, nil
}

// askBoth asks all questions twice on two goroutines.
func askBoth(e engine, questions []corpus.Question, f *figures) error {
	var both sync.WaitGroup
	errs := make([]error, 2)
	started := time.Now()
	for i := range 2 {
		both.Go(func() {
			for n := range len(questions) {
				if err := e.ask(questions[(2*n+i)%len(questions)]); err != nil {
					errs[i] = err
					return
				}
			}
		})
	}
	both.Wait()
	f.PerSecond = float64(2*len(questions)) / time.Since(started).Seconds()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// ourEngine is the index of this package.
type ourEngine struct {
	dir   string
	index *Index
}

func (e *ourEngine) folder() string { return e.dir }

func (e *ourEngine) open() (err error) {
	e.index, err = Open(e.dir, Options{Logger: slog.New(slog.DiscardHandler)})
	return err
}

func (e *ourEngine) fill(l *corpus.Library, size int) (float64, error) {
	if err := e.open(); err != nil {
		return 0, err
	}
	started := time.Now()
	for n := 0; n < size; {
		var docs []Doc
		for ; len(docs) < 400 && n < size; n++ {
			docs = append(docs, benchDoc(l, n))
		}
		if err := e.index.Update(int64(n), docs); err != nil {
			return 0, err
		}
	}
	e.index.Compact()
	e.index.merging.Wait()
	took := time.Since(started).Seconds()
	settle(e.dir)
	return took, e.index.Close()
}

func benchDoc(l *corpus.Library, n int) Doc {
	a := l.Article(n)
	return Doc{ID: int64(n + 1), Lang: a.Lang, Title: a.Title, Body: a.Body(), Names: append(slices.Clone(a.Tags), a.Author),
		Tags: a.Tags, Author: a.Author, Source: "bench", Published: a.Published}
}

func (e *ourEngine) ask(q corpus.Question) error { return e.search(Query{Text: q.Text}) }

func (e *ourEngine) search(q Query) error {
	_, err := e.index.Search(context.Background(), q)
	return err
}

func (e *ourEngine) add(l *corpus.Library, n int) error {
	if err := e.index.Update(int64(n+1), []Doc{benchDoc(l, n)}); err != nil {
		return err
	}
	if got := e.index.Seq(); got != int64(n+1) {
		return fmt.Errorf("article %d is not found: position %d", n, got)
	}
	return nil
}

// extras measures what a typo, and a name typed in pinyin, add to the same
// question without.
func (e *ourEngine) extras(questions []corpus.Question, f *figures) error {
	<-e.index.lexicon.ready
	var typos, pinyin []time.Duration
	for _, q := range questions {
		typo, ok := corpus.Typo(q.Text)
		if ok {
			more, err := e.compare(q.Text, typo)
			if err != nil {
				return err
			}
			typos = append(typos, more)
		}
		if runes := []rune(q.Text); q.Kind == "a name" && language.IsHan(runes[0]) && language.IsHan(runes[1]) {
			more, err := e.compare(string(runes[:2]), joinedPinyin(runes[:2])[0])
			if err != nil {
				return err
			}
			pinyin = append(pinyin, more)
		}
	}
	f.Typo, f.Pinyin = millis(median(typos)), millis(median(pinyin))
	return nil
}

// compare returns how much longer one question takes than another.
func (e *ourEngine) compare(without, with string) (time.Duration, error) {
	var took [2]time.Duration
	for i, text := range []string{without, with} {
		var list []time.Duration
		for range 3 {
			started := time.Now()
			if err := e.search(Query{Text: text}); err != nil {
				return 0, err
			}
			list = append(list, time.Since(started))
		}
		took[i] = median(list)
	}
	return took[1] - took[0], nil
}

func median(list []time.Duration) time.Duration {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return list[len(list)/2]
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// settle waits until storage has merged and removed what it will.
func settle(dir string) {
	for last, same := int64(-1), 0; same < 6; {
		time.Sleep(250 * time.Millisecond)
		if size := folderSize(dir); size == last {
			same++
		} else {
			last, same = size, 0
		}
	}
}

func folderSize(dir string) int64 {
	var sum int64
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			if info, err := d.Info(); err == nil {
				sum += info.Size()
			}
		}
		return nil
	})
	return sum
}

// anonymous is the resident memory that is not a file's, where the system
// tells, otherwise what Go asked for.
func anonymous() int64 {
	text, err := os.ReadFile("/proc/self/status")
	if err == nil {
		for line := range strings.Lines(string(text)) {
			if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "RssAnon:" {
				kb, _ := strconv.ParseInt(fields[1], 10, 64)
				return kb << 10
			}
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys)
}
