package index

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"newsie/internal/problem"
)

// Synonyms are a publisher's rules about words that find each other. They do
// not change; SetSynonyms puts others in their place.
type Synonyms struct {
	rules   int
	entries []*synonym
	first   map[string][]*synonym // those that may be typed, by their first atom, the longest first

	mu      sync.Mutex
	stemmed map[string]map[string][]*synonym // by language, those that begin with a word, by its stem
}

// A synonym is one entry of the rules, however many of them name it.
type synonym struct {
	text  string // as it was written first
	atoms []atom
	units []*unit    // as a query of it is cut
	also  []*synonym // what it finds too, in the order of the file
}

// An atom is what synonyms are recognised by: a word, or one character of a
// run. Unlike words characters need no space around them.
type atom struct {
	key        string // without accents; hiragana as katakana
	spelled    string // the same with umlauts as ae, oe, ue; "" without them
	word       string // with accents, to be stemmed; "" for characters
	alone      bool   // a character that is a run by itself
	start, end int    // bytes of the text
}

// Bounds of a file of synonyms.
const (
	maxSynonymFile = 8 << 20 // bytes
	maxSynonym     = 80      // characters of an entry
	maxSynonyms    = 100     // entries of a rule
	maxProblems    = 100     // reported at once
)

// A SynonymProblem is a rule that cannot be understood.
type SynonymProblem = problem.Problem

// SynonymProblems are all of them at once, in the order of lines.
type SynonymProblems = problem.Problems

// ParseSynonyms reads rules in the form that Solr and Elasticsearch read, one a
// line, UTF-8:
//
//	# a comment has a line of its own
//	jd, jd.com, 京东, jingdong     each finds all
//	京东, jingdong => jd.com       the left finds the right too, not the other way
//
// Entries may have several words, and are compared as the index compares texts:
// in any case, width and Chinese script, with or without accents. A comma that
// belongs to an entry is written \, and Chinese commas separate as well. An
// entry that several rules name finds what any of them says; rules are not
// chained.
//
// Everything wrong is reported at once, as SynonymProblems; other errors are
// r's.
func ParseSynonyms(r io.Reader) (*Synonyms, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxSynonymFile+1))
	if err != nil {
		return nil, fmt.Errorf("read the synonyms: %w", err)
	}
	p := synonymParser{byKey: map[string]*synonym{}, result: &Synonyms{stemmed: map[string]map[string][]*synonym{}}}
	if len(data) > maxSynonymFile {
		return nil, SynonymProblems{{Line: 1, What: fmt.Sprintf("the file is longer than %d MB", maxSynonymFile>>20)}}
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, maxSynonymFile+1)
	for lines.Scan() {
		p.line++
		p.rule(lines.Text())
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read the synonyms: %w", err)
	}
	if len(p.problems) > 0 {
		return nil, p.problems
	}
	p.result.sort()
	return p.result, nil
}

// Rules is how many rules there are; 0 for nil.
func (s *Synonyms) Rules() int {
	if s == nil {
		return 0
	}
	return s.rules
}

// SetSynonyms makes s the synonyms of the searches that begin from now on; nil
// is none.
func (x *Index) SetSynonyms(s *Synonyms) { x.synonyms.Store(s) }

type synonymParser struct {
	line     int
	worker   worker
	byKey    map[string]*synonym
	result   *Synonyms
	problems SynonymProblems
	more     bool
}

func (p *synonymParser) wrong(format string, args ...any) {
	switch {
	case len(p.problems) < maxProblems:
		p.problems = append(p.problems, SynonymProblem{Line: p.line, What: fmt.Sprintf(format, args...)})
	case !p.more:
		p.more = true
		p.problems = append(p.problems, SynonymProblem{Line: p.line, What: "this line is wrong too, and maybe others after it"})
	}
}

// rule reads one line.
func (p *synonymParser) rule(line string) {
	if !utf8.ValidString(line) {
		p.wrong("this is not UTF-8: save the file in that encoding")
		return
	}
	line = strings.TrimSpace(line)
	if line == "" || line[0] == '#' {
		return
	}
	before := len(p.problems)
	sides := strings.Split(strings.ReplaceAll(line, "＝＞", "=>"), "=>")
	if len(sides) > 2 {
		p.wrong("there are %d arrows (=>): a rule has one at most", len(sides)-1)
		return
	}
	left := p.side(sides[0], len(sides) == 2, "left")
	right := left
	if len(sides) == 2 {
		right = p.side(sides[1], true, "right")
	}
	if len(p.problems) > before {
		return
	}
	finds := false
	for _, from := range left {
		for _, to := range right {
			if from == to {
				continue
			}
			finds = true
			if !slices.Contains(from.also, to) {
				from.also = append(from.also, to)
			}
		}
	}
	switch {
	case finds:
		p.result.rules++
	case len(sides) == 1 && len(splitEntries(line)) == 1:
		p.wrong("%q stands alone: a rule has two entries at least, with commas or => between them", left[0].text)
	default:
		p.wrong("all that stands here is the same to newsie, which ignores case, width, accents and Chinese script by itself")
	}
}

// side reads the entries of one side of a rule.
func (p *synonymParser) side(text string, arrow bool, name string) []*synonym {
	var list []*synonym
	if arrow && strings.TrimSpace(text) == "" {
		p.wrong("nothing stands on the %s of the arrow", name)
		return nil
	}
	fields := splitEntries(text)
	if len(fields) > maxSynonyms {
		p.wrong("%d entries are too many: %d at most", len(fields), maxSynonyms)
		return nil
	}
	for _, field := range fields {
		if s := p.entry(strings.TrimSpace(field)); s != nil && !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}

// splitEntries splits at commas that have no backslash before them.
func splitEntries(text string) []string {
	var list []string
	var b strings.Builder
	escaped := false
	for _, r := range text {
		switch {
		case escaped:
			b.WriteRune(r)
			escaped = false
		case r == '\\':
			escaped = true
		case r == ',' || r == '，' || r == '、':
			list = append(list, b.String())
			b.Reset()
		default:
			b.WriteRune(r)
		}
	}
	return append(list, b.String())
}

// entry returns the synonym that a text names; nil when it names none.
func (p *synonymParser) entry(text string) *synonym {
	switch n := utf8.RuneCountInString(text); {
	case text == "":
		p.wrong("nothing stands before, between or after a comma")
		return nil
	case n > maxSynonym:
		p.wrong("%q… has %d characters: %d at most", string([]rune(text)[:20]), n, maxSynonym)
		return nil
	}
	if at := strings.IndexByte(text, '#'); at > 0 && unicode.IsSpace(rune(text[at-1])) {
		p.wrong("%q has a # in it: a comment has a line of its own", text)
		return nil
	}
	atoms := atomsOf(&p.worker, text)
	if len(atoms) == 0 {
		p.wrong("%q has no letters or digits to look for", text)
		return nil
	}
	var key strings.Builder
	for _, a := range atoms {
		key.WriteString(a.key)
		if a.word != "" {
			key.WriteByte(' ')
		}
	}
	s := p.byKey[key.String()]
	if s == nil {
		s = &synonym{text: text, atoms: atoms}
		cut := plan{text: text}
		cut.cut(&p.worker, text)
		s.units = cut.units
		p.byKey[key.String()] = s
		p.result.entries = append(p.result.entries, s)
	}
	return s
}

// sort makes the table of what may be typed.
func (s *Synonyms) sort() {
	s.first = map[string][]*synonym{}
	for _, e := range s.entries {
		if len(e.also) > 0 {
			s.first[e.atoms[0].key] = append(s.first[e.atoms[0].key], e)
			if other := e.atoms[0].spelled; other != "" {
				s.first[other] = append(s.first[other], e)
			}
		}
	}
	for _, list := range s.first {
		longestFirst(list)
	}
}

func longestFirst(list []*synonym) {
	slices.SortStableFunc(list, func(a, b *synonym) int { return len(b.atoms) - len(a.atoms) })
}

// stems returns the table of those that begin with a word, by its stem in a
// language: who types smartphones means the rule about the smartphone.
func (s *Synonyms) stems(w *worker, lang string) map[string][]*synonym {
	s.mu.Lock()
	defer s.mu.Unlock()
	table, ok := s.stemmed[lang]
	if !ok {
		table = map[string][]*synonym{}
		for _, e := range s.entries {
			if word := e.atoms[0].word; word != "" && len(e.also) > 0 {
				table[w.term(lang, word)] = append(table[w.term(lang, word)], e)
			}
		}
		for _, list := range table {
			longestFirst(list)
		}
		s.stemmed[lang] = table
	}
	return table
}

// atomsOf returns the atoms of a text in order.
func atomsOf(w *worker, text string) []atom {
	var list []atom
	whole := -1 // the unit whose word came whole; its parts say nothing more
	run := 0
	w.analyze(text, func(t token) {
		switch t.kind {
		case kindWord:
			whole = t.unit
			list = append(list, wordAtom(t))
		case kindPart:
			if whole != t.unit {
				list = append(list, wordAtom(t))
			}
		case kindChar:
			run++
			r, _ := utf8.DecodeRuneInString(t.text)
			list = append(list, atom{key: string(katakana(r)), alone: t.last && run == 1, start: t.start, end: t.end})
			if t.last {
				run = 0
			}
		}
	})
	return list
}

func wordAtom(t token) atom {
	a := atom{key: plain(t.text), word: t.text, start: t.start, end: t.end}
	if w := plain(fromUmlauts.Replace(t.text)); w != a.key {
		a.spelled = w
	}
	return a
}

// katakana returns a hiragana as katakana, and any other rune as it is.
func katakana(r rune) rune {
	if r >= 0x3041 && r <= 0x3096 {
		return r + 0x60
	}
	return r
}

// A typed synonym is where one stands among the atoms of a query.
type typed struct {
	synonym  *synonym
	from, to int
}

// find returns the synonyms that were typed: from the left, at each place the
// longest. Words count in any form they take in one of the languages.
func (s *Synonyms) find(w *worker, langs []string, atoms []atom) []typed {
	var list []typed
	for i := 0; i < len(atoms); {
		var best *synonym
		consider := func(candidates []*synonym) {
			for _, e := range candidates {
				if best != nil && len(e.atoms) <= len(best.atoms) {
					return
				}
				if e.at(w, langs, atoms[i:]) {
					best = e
					return
				}
			}
		}
		consider(s.first[atoms[i].key])
		if atoms[i].word != "" {
			for _, lang := range langs {
				consider(s.stems(w, lang)[w.term(lang, atoms[i].word)])
			}
		}
		if best == nil {
			i++
			continue
		}
		list = append(list, typed{best, i, i + len(best.atoms)})
		i += len(best.atoms)
	}
	return list
}

// at tells whether atoms begin with a synonym. One that is a single character
// must stand alone: 茶 is not the tea of 茶叶蛋.
func (e *synonym) at(w *worker, langs []string, atoms []atom) bool {
	if len(atoms) < len(e.atoms) {
		return false
	}
	if len(e.atoms) == 1 && e.atoms[0].word == "" && !atoms[0].alone {
		return false
	}
	for i, a := range e.atoms {
		b := atoms[i]
		same := (a.key == b.key || a.spelled != "" && a.spelled == b.key) && (a.word == "") == (b.word == "")
		if !same && a.word != "" && b.word != "" {
			same = slices.ContainsFunc(langs, func(lang string) bool { return w.term(lang, a.word) == w.term(lang, b.word) })
		}
		if !same {
			return false
		}
	}
	return true
}
