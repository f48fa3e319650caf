package index

import (
	"bytes"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/analysis"
	"github.com/blevesearch/bleve/v2/mapping"
	"github.com/blevesearch/bleve/v2/registry"
	"github.com/blevesearch/bleve/v2/search/query"

	"newsie/internal/corpus"
)

// bleveEngine is Bleve as it comes, with its bm25, nothing stored but the ids,
// and the terms of our analyzer: words and pairs of characters in one field,
// characters in another.
type bleveEngine struct {
	dir   string
	index bleve.Index
	pool  sync.Pool // of *worker
}

func (e *bleveEngine) folder() string { return e.dir }

func (e *bleveEngine) mapping() (*mapping.IndexMappingImpl, error) {
	m := bleve.NewIndexMapping()
	m.ScoringModel = "bm25"
	m.DefaultMapping = mapping.NewDocumentStaticMapping()
	for name, characters := range map[string]bool{"text": false, "characters": true} {
		err := registry.RegisterAnalyzer("newsie-"+name, func(map[string]any, *registry.Cache) (analysis.Analyzer, error) {
			return &benchAnalyzer{pool: &e.pool, characters: characters}, nil
		})
		if err != nil {
			return nil, err
		}
		if err := m.AddCustomAnalyzer(name, map[string]any{"type": "newsie-" + name}); err != nil {
			return nil, err
		}
		field := mapping.NewTextFieldMapping()
		field.Store, field.DocValues, field.IncludeTermVectors, field.IncludeInAll = false, false, false, false
		field.Analyzer = name
		m.DefaultMapping.AddFieldMappingsAt(name, field)
	}
	return m, nil
}

func (e *bleveEngine) fill(l *corpus.Library, size int) (float64, error) {
	e.pool.New = func() any { return new(worker) }
	m, err := e.mapping()
	if err != nil {
		return 0, err
	}
	if e.index, err = bleve.New(e.dir, m); err != nil {
		return 0, err
	}
	started := time.Now()
	batch := e.index.NewBatch()
	for n := range size {
		if err := batch.Index(strconv.Itoa(n), bleveDoc(l, n)); err != nil {
			return 0, err
		}
		if batch.Size() == 250 || n == size-1 {
			if err := e.index.Batch(batch); err != nil {
				return 0, err
			}
			batch.Reset()
		}
	}
	took := time.Since(started).Seconds()
	settle(e.dir)
	return took, e.index.Close()
}

func bleveDoc(l *corpus.Library, n int) map[string]any {
	a := l.Article(n)
	text := a.Lang + "\n" + a.Title + "\n" + a.Title + "\n" + a.Body()
	return map[string]any{"text": text, "characters": text}
}

func (e *bleveEngine) open() (err error) {
	e.pool.New = func() any { return new(worker) }
	// The analyzers are found by name when an index is opened.
	if _, err := e.mapping(); err != nil {
		return err
	}
	e.index, err = bleve.Open(e.dir)
	return err
}

// ask looks for the terms that our own query begins with: cut and stemmed in
// the language of the article, without the function words that ours leaves out.
func (e *bleveEngine) ask(q corpus.Question) error {
	w := e.pool.Get().(*worker)
	p := &plan{text: q.Text, lang: q.Lang}
	p.cut(w, q.Text)
	p.stopwords(nil)
	var terms []query.Query
	add := func(field, term string) {
		t := bleve.NewTermQuery(term)
		t.SetField(field)
		terms = append(terms, t)
	}
	for _, u := range p.units {
		switch {
		case u.run == nil:
			add("text", w.term(q.Lang, u.word))
		case len(u.run) == 1:
			add("characters", string(u.run))
		}
		for i := 0; i+1 < len(u.run); i++ {
			add("text", string(u.run[i:i+2]))
		}
	}
	e.pool.Put(w)
	_, err := e.index.Search(bleve.NewSearchRequest(bleve.NewDisjunctionQuery(terms...)))
	return err
}

func (e *bleveEngine) add(l *corpus.Library, n int) error {
	before, err := e.index.DocCount()
	if err != nil {
		return err
	}
	if err := e.index.Index(strconv.Itoa(n), bleveDoc(l, n)); err != nil {
		return err
	}
	after, err := e.index.DocCount()
	if err == nil && after != before+1 {
		err = errors.New("the new document is not found")
	}
	return err
}

// benchAnalyzer gives Bleve our terms. The first line of a text is its language.
type benchAnalyzer struct {
	pool       *sync.Pool
	characters bool
}

func (a *benchAnalyzer) Analyze(text []byte) analysis.TokenStream {
	w := a.pool.Get().(*worker)
	defer a.pool.Put(w)
	lang, rest, _ := bytes.Cut(text, []byte("\n"))
	var stream analysis.TokenStream
	w.analyze(string(rest), func(t token) {
		if (t.kind == kindChar) != a.characters {
			return
		}
		term := t.text
		if t.kind == kindWord || t.kind == kindPart {
			term = w.term(string(lang), term)
		}
		stream = append(stream, &analysis.Token{Term: []byte(term), Position: len(stream) + 1})
	})
	return stream
}
