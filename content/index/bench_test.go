package index

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/analysis"
	"github.com/blevesearch/bleve/v2/mapping"
	"github.com/blevesearch/bleve/v2/registry"

	"newsie/content/sentence"
)

// BenchmarkLibrary measures the index on a made-up library of BENCH_DOCS
// articles (2,000 when not set) in seven languages, from a seeded generator, or
// composed of the sentences of the sets in the folders BENCH_DATA (corpus.jsonl
// with "title", "text" and metadata.lang). Beside each figure for queries is
// that of Bleve's own bm25 on the same documents and tokens:
//
//	BENCH_DOCS=100000 go test -run '^$' -bench Library -benchtime 1x -timeout 2h ./content/index
//
// BENCH_BASELINE=no leaves Bleve out.
func BenchmarkLibrary(b *testing.B) {
	size := 2000
	if s := os.Getenv("BENCH_DOCS"); s != "" {
		var err error
		if size, err = strconv.Atoi(s); err != nil {
			b.Fatal(err)
		}
	}
	gen := newGenerator(b)
	for b.Loop() {
		benchLibrary(b, gen, size)
	}
}

func benchLibrary(b *testing.B, gen *generator, size int) {
	dir := filepath.Join(b.TempDir(), "index")
	x, err := Open(dir, Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	var text int64
	var queries []string
	started := time.Now()
	for n := 0; n < size; {
		docs := make([]Doc, 0, 500)
		for ; len(docs) < cap(docs) && n < size; n++ {
			d := gen.doc(n)
			text += int64(len(d.Title) + len(d.Body))
			if n%max(size/500, 1) == 0 {
				queries = append(queries, gen.query(d))
			}
			docs = append(docs, d)
		}
		if err := x.Update(int64(n), docs); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(time.Since(started).Seconds(), "build-s")
	settle(x)
	b.ReportMetric(float64(x.Size())/float64(text), "disk/text")
	if err := x.Close(); err != nil {
		b.Fatal(err)
	}
	ask := func(x *Index) func(string) {
		return func(q string) {
			if _, err := x.Search(context.Background(), Query{Text: q}); err != nil {
				b.Error(err)
			}
		}
	}
	started = time.Now()
	if x, err = Open(dir, Options{Logger: slog.New(slog.DiscardHandler)}); err != nil {
		b.Fatal(err)
	}
	ask(x)(queries[0])
	b.ReportMetric(float64(time.Since(started).Milliseconds()), "open-ms")
	<-x.lexicon.ready
	perSecond := queryMetrics(b, "", queries, ask(x))
	b.ReportMetric(anonymousMB(), "anon-MB")
	typos := make([]string, len(queries))
	for i, q := range queries {
		typos[i] = withTypo(q)
	}
	queryMetrics(b, "typo-", typos, ask(x))
	addMetrics(b, x, gen, size)
	if err := x.Close(); err != nil {
		b.Fatal(err)
	}
	if os.Getenv("BENCH_BASELINE") != "no" {
		b.ReportMetric(perSecond/baseline(b, gen, size, queries), "times-bleve")
	}
}

// settle waits until storage has merged and removed what it will.
func settle(x *Index) {
	for last, same := int64(-1), 0; same < 4; {
		time.Sleep(250 * time.Millisecond)
		if size := x.Size(); size == last {
			same++
		} else {
			last, same = size, 0
		}
	}
}

// queryMetrics asks all queries one by one, then on two goroutines, and returns
// how many a second the two manage.
func queryMetrics(b *testing.B, name string, queries []string, ask func(string)) float64 {
	var took []time.Duration
	for range 3 {
		took = took[:0]
		for _, q := range queries {
			started := time.Now()
			ask(q)
			took = append(took, time.Since(started))
		}
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, name+"p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, name+"p99-ms")
	var both sync.WaitGroup
	const rounds = 4
	started := time.Now()
	for i := range 2 {
		both.Go(func() {
			for n := range rounds * len(queries) / 2 {
				ask(queries[(2*n+i)%len(queries)])
			}
		})
	}
	both.Wait()
	perSecond := float64(rounds*len(queries)) / time.Since(started).Seconds()
	b.ReportMetric(perSecond, name+"q/s")
	return perSecond
}

// addMetrics measures how long one article takes until it can be found.
func addMetrics(b *testing.B, x *Index, gen *generator, size int) {
	var took []time.Duration
	for n := range 50 {
		d := gen.doc(size + n)
		started := time.Now()
		if err := x.Update(int64(size+n+1), []Doc{d}); err != nil {
			b.Fatal(err)
		}
		if x.Count() != size+n+1 {
			b.Fatalf("%d articles", x.Count())
		}
		took = append(took, time.Since(started))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "add-p50-ms")
}

// anonymousMB is the memory that is not a file's, where the system tells.
func anonymousMB() float64 {
	runtime.GC()
	text, err := os.ReadFile("/proc/self/smaps_rollup")
	if err != nil {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.Sys) / (1 << 20)
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "Anonymous:" {
			kb, _ := strconv.Atoi(fields[1])
			return float64(kb) / 1024
		}
	}
	return 0
}

func withTypo(q string) string {
	words := strings.Fields(q)
	for i, w := range words {
		if r := []rune(w); len(r) > 5 && r[0] < 0x500 {
			r[2], r[3] = r[3], r[2]
			words[i] = string(r)
			break
		}
	}
	return strings.Join(words, " ")
}

// baseline returns how many queries a second Bleve's own search manages on two
// goroutines, with the same documents cut into the same terms.
func baseline(b *testing.B, gen *generator, size int, queries []string) float64 {
	// A second registration, when the benchmark runs again, is refused.
	_ = registry.RegisterAnalyzer("newsie", func(map[string]any, *registry.Cache) (analysis.Analyzer, error) {
		return &benchAnalyzer{sync.Pool{New: func() any { return new(worker) }}}, nil
	})
	m := bleve.NewIndexMapping()
	m.ScoringModel = "bm25"
	m.DefaultMapping = mapping.NewDocumentStaticMapping()
	field := mapping.NewTextFieldMapping()
	field.Store, field.DocValues, field.IncludeTermVectors, field.IncludeInAll = false, false, false, false
	field.Analyzer = "newsie"
	m.DefaultMapping.AddFieldMappingsAt("text", field)
	if err := m.AddCustomAnalyzer("newsie", map[string]any{"type": "newsie"}); err != nil {
		b.Fatal(err)
	}
	x, err := bleve.New(filepath.Join(b.TempDir(), "bleve"), m)
	if err != nil {
		b.Fatal(err)
	}
	defer x.Close()
	batch := x.NewBatch()
	for n := range size {
		d := gen.doc(n)
		if err := batch.Index(strconv.Itoa(n), map[string]any{"text": d.Lang + "\n" + d.Title + "\n" + d.Title + "\n" + d.Body}); err != nil {
			b.Fatal(err)
		}
		if batch.Size() == 250 || n == size-1 {
			if err := x.Batch(batch); err != nil {
				b.Fatal(err)
			}
			batch.Reset()
		}
	}
	time.Sleep(2 * time.Second)
	return queryMetrics(b, "bleve-", queries, func(q string) {
		match := bleve.NewMatchQuery("\n" + q)
		match.SetField("text")
		if _, err := x.Search(bleve.NewSearchRequest(match)); err != nil {
			b.Error(err)
		}
	})
}

// benchAnalyzer gives Bleve our terms. The first line of a text is its language.
type benchAnalyzer struct{ pool sync.Pool }

func (a *benchAnalyzer) Analyze(text []byte) analysis.TokenStream {
	w := a.pool.Get().(*worker)
	defer a.pool.Put(w)
	lang, rest, _ := bytes.Cut(text, []byte("\n"))
	var stream analysis.TokenStream
	w.analyze(string(rest), func(t token) {
		term := t.text
		switch t.kind {
		case kindChar:
			return
		case kindWord, kindPart:
			term = w.term(string(lang), term)
		}
		stream = append(stream, &analysis.Token{Term: []byte(term), Position: len(stream) + 1})
	})
	return stream
}

// A generator makes the same documents for the same numbers.
type generator struct {
	langs  map[string][]string // words by rank; characters for zh and ja
	cum    map[string][]float64
	pieces map[string][]string // sentences of BENCH_DATA by language
	order  []string
}

// newGenerator makes vocabularies of 20,000 words in each of five alphabetic
// languages, and takes the characters of Chinese and Japanese, with
// frequencies that fall as Zipf's law has it (with Mandelbrot's offset).
func newGenerator(b *testing.B) *generator {
	g := &generator{langs: map[string][]string{}, cum: map[string][]float64{}, pieces: map[string][]string{}}
	g.order = []string{"zh-Hans", "en", "it", "ja", "ru", "de", "ko"}
	for i, lang := range g.order {
		rng := rand.New(rand.NewPCG(uint64(i), 1))
		var words []string
		offset := 2.7
		switch lang {
		case "zh-Hans", "ja":
			offset = 20 // characters fall off more slowly than words do
			for n := range 3500 {
				words = append(words, string(rune(0x4E00+n*5)))
			}
			if lang == "ja" {
				for n := range 80 {
					words[n] = string(rune(0x3042 + n))
				}
			}
		default:
			words = vocabulary(rng, lang)
		}
		g.langs[lang] = words
		sum := 0.0
		cum := make([]float64, len(words))
		for r := range words {
			sum += 1 / math.Pow(float64(r)+offset, 1.05)
			cum[r] = sum
		}
		g.cum[lang] = cum
	}
	if dirs := os.Getenv("BENCH_DATA"); dirs != "" {
		g.read(b, filepath.SplitList(dirs))
	}
	return g
}

// vocabulary makes words of syllables in the script of a language, short ones first.
func vocabulary(rng *rand.Rand, lang string) []string {
	consonants, vowels := strings.Split("b c d f g l m n p r s t v st tr", " "), strings.Split("a e i o u", " ")
	switch lang {
	case "ru":
		consonants, vowels = strings.Split("б в г д ж з к л м н п р с т ст пр", " "), strings.Split("а е и о у ы я", " ")
	case "en":
		consonants = strings.Split("b c d f g h l m n p r s t w th sh ck", " ")
	case "de":
		consonants = strings.Split("b d f g h k l m n r s t w sch ch", " ")
	}
	seen := map[string]bool{}
	var words []string
	for len(words) < 20000 {
		var w strings.Builder
		if lang == "ko" {
			for range 1 + rng.IntN(3) {
				w.WriteRune(rune(0xAC00 + rng.IntN(1200)*9))
			}
		} else {
			for range 1 + rng.IntN(2) + len(words)/3000 {
				w.WriteString(consonants[rng.IntN(len(consonants))] + vowels[rng.IntN(len(vowels))])
			}
		}
		if s := w.String(); !seen[s] {
			seen[s] = true
			words = append(words, s)
		}
	}
	return words
}

func (g *generator) read(b *testing.B, dirs []string) {
	for _, dir := range dirs {
		text, err := os.ReadFile(filepath.Join(dir, "corpus.jsonl"))
		if err != nil {
			b.Fatal(err)
		}
		for line := range bytes.Lines(text) {
			var d struct {
				Text     string
				Metadata struct{ Lang string }
			}
			if err := json.Unmarshal(line, &d); err != nil {
				b.Fatal(err)
			}
			for _, s := range sentence.Split(d.Metadata.Lang, d.Text) {
				g.pieces[d.Metadata.Lang] = append(g.pieces[d.Metadata.Lang], d.Text[s.Start:s.End])
			}
		}
	}
	g.order = g.order[:0]
	for lang := range g.pieces {
		g.order = append(g.order, lang)
	}
	slices.Sort(g.order)
}

// doc makes document n: 1,000 to 4,000 characters.
func (g *generator) doc(n int) Doc {
	rng := rand.New(rand.NewPCG(uint64(n), 2))
	lang := g.order[rng.IntN(len(g.order))]
	d := Doc{ID: int64(n + 1), Lang: lang, Title: g.sentence(rng, lang), Tags: []string{fmt.Sprint("tag", rng.IntN(50))}, Published: time.Unix(1.6e9+int64(n)*600, 0)}
	var body strings.Builder
	for runes, want := 0, 1000+rng.IntN(3000); runes < want; {
		s := g.sentence(rng, lang)
		runes += len([]rune(s))
		body.WriteString(s)
		if rng.IntN(6) == 0 {
			body.WriteString("\n")
		}
	}
	d.Body = body.String()
	return d
}

func (g *generator) sentence(rng *rand.Rand, lang string) string {
	if list := g.pieces[lang]; len(list) > 0 {
		return list[rng.IntN(len(list))] + " "
	}
	words, cum := g.langs[lang], g.cum[lang]
	space, stop, n := " ", ". ", 6+rng.IntN(14)
	if lang == "zh-Hans" || lang == "ja" {
		space, stop, n = "", "。", 10+rng.IntN(30)
	}
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(space)
		}
		at, _ := slices.BinarySearch(cum, rng.Float64()*cum[len(cum)-1])
		b.WriteString(words[min(at, len(words)-1)])
	}
	return b.String() + stop
}

// query takes some words, or a run of characters, out of a document.
func (g *generator) query(d Doc) string {
	rng := rand.New(rand.NewPCG(uint64(d.ID), 3))
	if words := strings.Fields(d.Body); d.Lang[:2] != "zh" && d.Lang != "ja" {
		at := rng.IntN(len(words) - 6)
		return strings.Trim(strings.Join(words[at:at+1+rng.IntN(6)], " "), ".")
	}
	runes := []rune(d.Body)
	at := rng.IntN(len(runes) - 12)
	return string(runes[at : at+2+rng.IntN(10)])
}
