package index

import (
	"bytes"
	"context"
	"hash/maphash"
	"math/bits"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	bleve "github.com/blevesearch/bleve_index_api"
)

// A lexicon is the list of the words that the articles are written with, in
// scripts with spaces: typos are repaired from it, accents put back, and
// suggestions made.
//
// Storage carries each word in fieldForms of a few documents, not of all, which
// keeps the index small and survives the removal of some; how often a word is
// used is asked of the index itself. The list lives in memory, is read when the
// index opens and grows with every Update. It takes some 40 bytes a word: words
// lie one behind the other in few long slices, as a large library has hundreds
// of thousands.
type lexicon struct {
	ready chan struct{} // closed when the stored words are read
	seed  maphash.Seed

	mu      sync.RWMutex
	stored  map[uint64]uint8  // how many documents carry a word, by its hash
	shapes  map[shape]*bucket // words
	accents map[uint64]string // words with accents, joined by wordEnd, by the hash of the plain one
}

// A shape is what a word and one with a typo in it mostly share.
type shape struct {
	first rune
	runes int
}

// A form is a word without and with its accents.
type form struct{ plain, text string }

// Words have letters and digits only, so these stand between them.
const (
	wordEnd    = '\n' // of accents
	accentsGap = '\t' // of buckets: the word with its accents follows the plain one
)

// copies is how many documents carry a word in storage.
const copies = 3

func newLexicon() *lexicon {
	return &lexicon{
		ready: make(chan struct{}), seed: maphash.MakeSeed(),
		shapes: map[shape]*bucket{}, accents: map[uint64]string{},
	}
}

// lexiconWait is how long Open waits for the word list: small ones are there
// for the first query, large ones follow beside the first queries.
const lexiconWait = 100 * time.Millisecond

// loadLexicon reads the stored words. Close waits for it.
func (x *Index) loadLexicon() {
	x.loading.Add(1)
	go func() {
		defer x.loading.Done()
		if err := x.readForms(); err != nil {
			x.log.Warn("word list of the index cannot be read; typos stay as they are", "err", err)
		}
		close(x.lexicon.ready)
		syllables() // the table takes a moment, which no reader shall wait for
	}()
	select {
	case <-x.lexicon.ready:
	case <-time.After(lexiconWait):
	}
}

// Words waits until all stored words are known, without which typos stay as they are.
func (x *Index) Words(ctx context.Context) error {
	select {
	case <-x.lexicon.ready:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (x *Index) readForms() error {
	v, err := x.own()
	if err != nil {
		return err
	}
	defer v.close()
	for _, s := range v.segments {
		dict, err := s.segment.Dictionary(fieldForms)
		if err != nil {
			return err
		}
		// Until all are read nobody else looks at them.
		x.lexicon.mu.Lock()
		if x.lexicon.stored == nil { // the first segment is the largest
			x.lexicon.stored = make(map[uint64]uint8, dict.Cardinality())
		}
		for terms := dict.AutomatonIterator(nil, nil, nil); ; {
			var e *bleve.DictEntry
			if e, err = terms.Next(); err != nil || e == nil {
				break
			}
			x.lexicon.learn(e.Term, int(e.Count))
		}
		x.lexicon.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

// learn notes that n more documents carry a word. The lock is held.
func (l *lexicon) learn(word string, n int) {
	hash := maphash.String(l.seed, word)
	if l.stored == nil {
		l.stored = map[uint64]uint8{}
	}
	have, known := l.stored[hash]
	l.stored[hash] = uint8(min(int(have)+n, copies))
	if known {
		return
	}
	f := form{plain: plain(word), text: word}
	if f.plain != word {
		key := maphash.String(l.seed, f.plain)
		l.accents[key] += word + string(wordEnd)
	}
	first, _ := utf8.DecodeRuneInString(f.plain)
	key := shape{first, utf8.RuneCountInString(f.plain)}
	b := l.shapes[key]
	if b == nil {
		b = &bucket{}
		l.shapes[key] = b
	}
	b.add(f)
}

// A bucket is the words of one shape.
type bucket struct {
	words   []byte   // one behind the other: plain, and accentsGap and the word when it has accents
	ends    []uint32 // where each ends
	letters []uint32 // of each: see lettersOf
}

func (b *bucket) add(f form) {
	b.words = append(b.words, f.plain...)
	if f.text != f.plain {
		b.words = append(append(b.words, accentsGap), f.text...)
	}
	b.ends = append(b.ends, uint32(len(b.words)))
	b.letters = append(b.letters, lettersOf([]rune(f.plain)))
}

// lettersOf has a bit for each letter of a word; some share one. An edit changes
// two of them at most.
func lettersOf(word []rune) (set uint32) {
	for _, r := range word {
		set |= 1 << (uint32(r) % 31)
	}
	return set
}

// at returns the word of a number, plain and, when that is another, as it is
// written.
func (b *bucket) at(i int) (word, accented []byte) {
	from := uint32(0)
	if i > 0 {
		from = b.ends[i-1]
	}
	word = b.words[from:b.ends[i]]
	if at := bytes.IndexByte(word, accentsGap); at >= 0 {
		return word[:at], word[at+1:]
	}
	return word, nil
}

// formOf makes a form of what bucket.at gives.
func formOf(word, accented []byte) form {
	f := form{plain: string(word)}
	f.text = f.plain
	if accented != nil {
		f.text = string(accented)
	}
	return f
}

// take returns which words of a document it is to carry, as counted terms, and
// learns them.
func (l *lexicon) take(words map[string]bool) map[string]int {
	<-l.ready
	l.mu.Lock()
	defer l.mu.Unlock()
	carried := map[string]int{}
	for w := range words {
		if l.stored[maphash.String(l.seed, w)] < copies {
			l.learn(w, 1)
			carried[w] = 1
		}
	}
	return carried
}

// loaded tells whether the stored words are all read.
func (l *lexicon) loaded() bool {
	select {
	case <-l.ready:
		return true
	default:
		return false
	}
}

// accented returns the words that a plain one may stand for.
func (l *lexicon) accented(word string) []string {
	if !l.loaded() {
		return nil
	}
	l.mu.RLock()
	list := l.accents[maphash.String(l.seed, word)]
	l.mu.RUnlock()
	if list == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(list, string(wordEnd)), string(wordEnd))
}

// near calls visit for the words at most two edits away from a plain one, with
// the number of edits. Of two edits none may be in the first letter.
func (l *lexicon) near(word string, most int, visit func(f form, edits int)) {
	if !l.loaded() {
		return
	}
	w := []rune(word)
	if len(w) < 2 {
		return
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	var d distance
	letters := lettersOf(w)
	among := func(key shape, most int) {
		b := l.shapes[key]
		if b == nil {
			return
		}
		for i, set := range b.letters {
			if bits.OnesCount32(set^letters) > 2*most {
				continue
			}
			plain, accented := b.at(i)
			if e := d.edits(w, plain, most); e <= most && string(plain) != word {
				visit(formOf(plain, accented), e)
			}
		}
	}
	for n := len(w) - most; n <= len(w)+most; n++ {
		among(shape{w[0], n}, most)
	}
	if most == 1 {
		for _, other := range firstLetter(w) {
			for _, f := range l.written(other) {
				visit(f, 1)
			}
		}
	}
}

// has tells whether an article writes a plain word so, with or without accents.
// It says yes until the words are read.
func (l *lexicon) has(plain string) bool {
	if !l.loaded() {
		return true
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	hash := maphash.String(l.seed, plain)
	return l.stored[hash] > 0 || l.accents[hash] != ""
}

// written returns the words that are a plain one without their accents. The
// lock is held.
func (l *lexicon) written(plain string) []form {
	var list []form
	hash := maphash.String(l.seed, plain)
	if l.stored[hash] > 0 {
		list = append(list, form{plain, plain})
	}
	for w := range strings.Lines(l.accents[hash]) {
		list = append(list, form{plain, strings.TrimSuffix(w, string(wordEnd))})
	}
	return list
}

// firstLetter returns what a word may be whose first letter is wrong: it
// changed places with the second, is another one, is missing or is too many.
func firstLetter(w []rune) []string {
	list := []string{string(w[1:])}
	if w[0] != w[1] {
		list = append(list, string(w[1])+string(w[0])+string(w[2:]))
	}
	for _, alphabet := range [...][2]rune{{'a', 'z'}, {'α', 'ω'}, {'а', 'я'}} {
		if w[1] < alphabet[0] || w[1] > alphabet[1] {
			continue
		}
		for r := alphabet[0]; r <= alphabet[1]; r++ {
			if r != w[0] {
				list = append(list, string(r)+string(w[1:]), string(r)+string(w))
			}
		}
	}
	return list
}

// starting calls visit for the words that begin with a plain prefix, longer
// than it by at most some runes, until visit returns false.
func (l *lexicon) starting(prefix string, longer int, visit func(form) bool) {
	first, _ := utf8.DecodeRuneInString(prefix)
	n := utf8.RuneCountInString(prefix)
	l.mu.RLock()
	defer l.mu.RUnlock()
	for size := n; size <= n+longer; size++ {
		b := l.shapes[shape{first, size}]
		if b == nil {
			continue
		}
		for i := range b.ends {
			plain, accented := b.at(i)
			if bytes.HasPrefix(plain, []byte(prefix)) && !visit(formOf(plain, accented)) {
				return
			}
		}
	}
}

// distance computes Damerau–Levenshtein distances in its variant of "optimal
// string alignment" (Damerau, 1964): an insertion, deletion, substitution or
// exchange of neighbours is one edit.
type distance struct {
	other []rune
	rows  []int
}

// edits returns the distance of w and other, or most+1 when it is more.
func (d *distance) edits(w []rune, other []byte, most int) int {
	d.other = d.other[:0]
	for len(other) > 0 {
		r, n := utf8.DecodeRune(other)
		d.other, other = append(d.other, r), other[n:]
	}
	o := d.other
	// What they begin and end with in common costs nothing.
	for len(w) > 0 && len(o) > 0 && w[0] == o[0] {
		w, o = w[1:], o[1:]
	}
	for len(w) > 0 && len(o) > 0 && w[len(w)-1] == o[len(o)-1] {
		w, o = w[:len(w)-1], o[:len(o)-1]
	}
	if len(w) == 0 || len(o) == 0 {
		return min(len(w)+len(o), most+1)
	}
	if most == 1 {
		switch {
		case len(w) == 1 && len(o) == 1:
			return 1
		case len(w) == 2 && len(o) == 2 && w[0] == o[1] && w[1] == o[0]:
			return 1
		}
		return 2
	}
	n := len(o) + 1
	if cap(d.rows) < 3*n {
		d.rows = make([]int, 3*n)
	}
	before, last, row := d.rows[:n], d.rows[n:2*n], d.rows[2*n:3*n]
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(w); i++ {
		row[0] = i
		least := i
		for j := 1; j <= len(o); j++ {
			cost := 1
			if w[i-1] == o[j-1] {
				cost = 0
			}
			e := min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && w[i-1] == o[j-2] && w[i-2] == o[j-1] {
				e = min(e, before[j-2]+1)
			}
			row[j] = e
			least = min(least, e)
		}
		if least > most {
			return most + 1
		}
		before, last, row = last, row, before
	}
	return min(last[len(o)], most+1)
}
