package index

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"newsie/content/language"
)

// Query is what to look for.
type Query struct {
	Text string // what the reader typed, operators and all; see ParseQuery
	Lang string // the reader's language, preferred at equal merit; "": none

	// Filters, any of each; they and the operators must all hold.
	Langs, Tags, Sources, Authors []string  // "zh" takes zh-Hans and zh-Hant
	After, Before                 time.Time // published at or after; before
	IDs                           []int64   // only these; nil: all

	// Cover is the share of the query, by the weight of its words, that a hit
	// must have: 0 is what suits a reader's question, 1 is every word.
	Cover float64

	Limit, Offset int  // Limit 0 is 10
	Exact         bool // as typed: no repair of typos, no pinyin
	Unfinished    bool // the last word may go on: where nothing has it as it is, what begins so will do
	literal       bool // no synonyms either
	repaired      bool // of typos, which are not looked for again

	Now     time.Time // for Recency
	Recency float64   // how much newer is better: 0 not at all, .1 mildly, 1 doubles today's

	// Fetch returns an article's title and text, to verify phrases on. Without
	// it a phrase only demands its words.
	Fetch func(id int64) (string, error)
}

// Result is what was found.
type Result struct {
	Hits      []Hit    // best first
	Total     int      // how many there are in all
	Corrected string   // the query as repaired; "": as typed
	Dropped   []string // words left out, as typed, because nothing has them
	Terms     []Term   // what was looked for in the end
	Synonyms  []SynonymUse

	plan *plan
}

// Hit is one article found. Scores compare within one result only.
type Hit struct {
	ID    int64
	Score float64
}

// Term is one thing looked for, as the index knows it.
type Term struct {
	Field  string // words, pairs, characters or pinyin
	Text   string
	Weight float64 // rarer terms weigh more
}

// A unit is one word of the query, or one run of Chinese, Japanese, Korean or
// Thai characters, with the groups it is looked for by.
type unit struct {
	text       string // as typed
	start, end int    // in the text
	word       string // folded, of words
	run        []rune // folded, of runs
	parts      []string
	little     bool // a function word beside others that are none

	groups []*group  // all that belong to it
	main   []*group  // that a document must have; for short runs, all of them
	half   []*group  // that count for half of it: telling parts, what it may have been meant to be
	also   *group    // another way to have it all: a name's pinyin
	small  []float64 // of runs: what grammar leaves of the weight of each of main
	gone   float64   // pairs that no document has, weighed by grammar too
	typo   string    // what it was repaired to
	stands []stand   // its synonyms
}

// short runs are names and words: they count in whole or not at all. 林志玲 is
// not half of 林志颖.
const shortRun = 3

// A plan is a query turned into groups.
type plan struct {
	text     string
	lang     string // guessed from the text; "": unknown
	units    []*unit
	groups   []*group // that documents have, each once
	dropped  []string
	docs     uint64 // in its language
	synonyms []SynonymUse
	typos    bool
}

// compile plans a text against a view.
func (x *Index) compile(v *view, q *Query, text string) (*plan, error) {
	w := x.workers.Get().(*worker)
	defer x.workers.Put(w)
	p := &plan{text: text, lang: language.Guess(text)}
	if p.lang == "" {
		p.lang = v.onlyLanguage(text)
	}
	p.cut(w, text)
	c := compiler{index: x, view: v, worker: w, plan: p, exact: q.Exact, unfinished: q.Unfinished && !q.Exact, repaired: q.repaired, langs: v.languages()}
	if p.lang == "" && q.Lang != "" && !slices.Contains(c.langs, language.Base(q.Lang)) {
		c.langs = append(c.langs, language.Base(q.Lang))
	}
	p.stopwords(c.langs)
	if !q.Exact {
		if err := c.joinPinyin(); err != nil {
			return nil, err
		}
	}
	if !q.literal {
		c.addSynonyms(x.synonyms.Load())
	}
	for i, u := range p.units {
		var err error
		if u.run != nil {
			err = c.compileRun(u, i)
		} else {
			err = c.compileWord(u, i)
		}
		if err != nil {
			return nil, err
		}
	}
	for _, d := range c.doubts {
		if err := c.reinterpret(d.unit, d.group); err != nil {
			return nil, err
		}
		d.unit.settle(d.group, d.parts)
	}
	return p, c.finish()
}

// maxUnits bounds a query: nobody types more, and pasted articles would be slow.
const maxUnits = 64

// cut finds the units of a text.
func (p *plan) cut(w *worker, text string) {
	last := -1
	w.analyze(text, func(t token) {
		if t.unit != last {
			if len(p.units) == maxUnits {
				return
			}
			last = t.unit
			p.units = append(p.units, &unit{start: t.start, end: t.end})
		}
		u := p.units[len(p.units)-1]
		switch t.kind {
		case kindWord:
			u.word = t.text
			u.end = max(u.end, t.end)
		case kindPart:
			if u.word == "" {
				u.word = t.text // of a compound too long to be a word
			}
			u.parts = append(u.parts, t.text)
			u.end = max(u.end, t.end)
		case kindChar:
			r, _ := utf8.DecodeRuneInString(t.text)
			u.run = append(u.run, r)
			u.start, u.end = min(u.start, t.start), max(u.end, t.end)
		}
	})
	p.units = slices.DeleteFunc(p.units, func(u *unit) bool { return u.word == "" && u.run == nil })
	for _, u := range p.units {
		u.text = text[u.start:u.end]
	}
	p.joinEdges()
}

// joinEdges makes one unit of a short word and the lone character it touches:
// A股, B站, 5月.
func (p *plan) joinEdges() {
	for i := 0; i+1 < len(p.units); i++ {
		a, b := p.units[i], p.units[i+1]
		if a.end != b.start {
			continue
		}
		word, run := a, b
		if a.run != nil {
			word, run = b, a
		}
		if word.run != nil || len(run.run) != 1 || emoji(run.run[0]) || utf8.RuneCountInString(word.word) > 2 {
			continue
		}
		u := &unit{start: a.start, end: b.end, text: p.text[a.start:b.end]}
		if a.run != nil {
			u.run = []rune(string(a.run) + b.word)
		} else {
			u.run = []rune(a.word + string(b.run))
		}
		u.word = string(u.run) // both set: looked for as one pair
		p.units = slices.Replace(p.units, i, i+2, u)
	}
}

// stopwords leaves out the function words of the query's language: in a library
// of many languages the small words of the rarer ones look rare and telling.
// Where nothing tells the language they stay, and make no hit by themselves:
// see littleShare.
func (p *plan) stopwords(langs []string) {
	if p.lang != "" {
		langs = []string{p.lang}
	}
	content := 0
	for _, u := range p.units {
		u.little = u.run == nil && slices.ContainsFunc(langs, func(lang string) bool { return language.Stopword(lang, u.word) })
		if !u.little {
			content++
		}
	}
	for i := 0; i < len(p.units); i++ {
		switch u := p.units[i]; {
		case content == 0:
			u.little = false
		case u.little && p.lang != "":
			p.units = slices.Delete(p.units, i, i+1)
			i--
		}
	}
}

// terms lists what the plan looks for.
func (p *plan) terms() []Term {
	names := map[string]string{fieldWords: "words", fieldPairs: "pairs", fieldChars: "characters", fieldPinyin: "pinyin"}
	var list []Term
	for _, g := range p.groups {
		for _, t := range g.variants {
			if name := names[t.field]; name != "" {
				list = append(list, Term{name, t.term, g.boost * g.idf * t.weight})
			}
		}
	}
	return list
}

// corrected returns the query with its typos repaired, "" when there are none.
func (p *plan) corrected(typed string) string {
	if !p.typos {
		return ""
	}
	for _, u := range p.units {
		if u.typo != "" {
			typed = strings.Replace(typed, u.text, u.typo, 1)
		}
	}
	return typed
}
