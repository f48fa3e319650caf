package index

import (
	"sync"
	"time"
	"unicode/utf8"
)

// A lexicon is the list of the words that the articles are written with, in
// scripts with spaces: typos are repaired from it, accents put back, and
// suggestions made.
//
// Storage carries each word in fieldForms of a few documents, not of all, which
// keeps the index small and survives the removal of some; how often a word is
// used is asked of the index itself. The list lives in memory, is read when the
// index opens and grows with every Update.
type lexicon struct {
	ready chan struct{} // closed when the stored words are read

	mu      sync.RWMutex
	stored  map[string]uint8 // how many documents carry a word
	shapes  map[shape][]form
	accents map[string][]string // words with accents by the plain ones
}

// A shape is what a word and one with a typo in it mostly share.
type shape struct {
	first rune
	runes int
}

// A form is a word without and with its accents.
type form struct{ plain, text string }

// copies is how many documents carry a word in storage.
const copies = 3

func newLexicon() *lexicon {
	return &lexicon{
		ready: make(chan struct{}), stored: map[string]uint8{}, shapes: map[shape][]form{}, accents: map[string][]string{},
	}
}

// loadLexicon reads the stored words: at once when they are few, otherwise
// beside the first queries. Close waits for it.
func (x *Index) loadLexicon() {
	x.loading.Add(1)
	go func() {
		defer x.loading.Done()
		defer close(x.lexicon.ready)
		if err := x.readForms(); err != nil {
			x.log.Warn("word list of the index cannot be read; typos stay as they are", "err", err)
		}
	}()
	select {
	case <-x.lexicon.ready:
	case <-time.After(100 * time.Millisecond):
	}
}

func (x *Index) readForms() error {
	v, err := x.view()
	if err != nil {
		return err
	}
	defer v.close()
	for _, s := range v.segments {
		dict, err := s.segment.Dictionary(fieldForms)
		if err != nil {
			return err
		}
		for terms := dict.AutomatonIterator(nil, nil, nil); ; {
			e, err := terms.Next()
			if err != nil {
				return err
			}
			if e == nil {
				break
			}
			x.lexicon.mu.Lock()
			x.lexicon.learn(e.Term, int(e.Count))
			x.lexicon.mu.Unlock()
		}
	}
	return nil
}

// learn notes that n more documents carry a word. The lock is held.
func (l *lexicon) learn(word string, n int) {
	have, known := l.stored[word]
	l.stored[word] = uint8(min(int(have)+n, copies))
	if known {
		return
	}
	f := form{plain: plain(word), text: word}
	if f.plain != word {
		l.accents[f.plain] = append(l.accents[f.plain], word)
	}
	first, _ := utf8.DecodeRuneInString(f.plain)
	key := shape{first, utf8.RuneCountInString(f.plain)}
	l.shapes[key] = append(l.shapes[key], f)
}

// take returns which words of a document it is to carry, as counted terms, and
// learns them.
func (l *lexicon) take(words map[string]bool) map[string]int {
	<-l.ready
	l.mu.Lock()
	defer l.mu.Unlock()
	carried := map[string]int{}
	for w := range words {
		if l.stored[w] < copies {
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
	defer l.mu.RUnlock()
	return append([]string(nil), l.accents[word]...)
}

// near calls visit for the words at most two edits away from a plain one, with
// the number of edits. Typos in the first letter are not looked for, except
// that it changed places with the second.
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
	for n := len(w) - most; n <= len(w)+most; n++ {
		for _, f := range l.shapes[shape{w[0], n}] {
			if f.plain == word {
				continue
			}
			if e := d.edits(w, f.plain, most); e <= most {
				visit(f, e)
			}
		}
	}
	if w[0] == w[1] {
		return
	}
	for _, f := range l.shapes[shape{w[1], len(w)}] {
		if e := d.edits(w, f.plain, 1); e <= 1 {
			visit(f, e)
		}
	}
}

// starting calls visit for the words that begin with a plain prefix, longer
// than it by at most some runes, until visit returns false.
func (l *lexicon) starting(prefix string, longer int, visit func(form) bool) {
	first, _ := utf8.DecodeRuneInString(prefix)
	n := utf8.RuneCountInString(prefix)
	l.mu.RLock()
	defer l.mu.RUnlock()
	for size := n; size <= n+longer; size++ {
		for _, f := range l.shapes[shape{first, size}] {
			if len(f.plain) >= len(prefix) && f.plain[:len(prefix)] == prefix && !visit(f) {
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
func (d *distance) edits(w []rune, other string, most int) int {
	d.other = d.other[:0]
	for _, r := range other {
		d.other = append(d.other, r)
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
