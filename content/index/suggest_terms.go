package index

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/RoaringBitmap/roaring/v2"

	"newsie/content/language"
)

// What stands in fieldSuggest of a document. A title is found by its words and
// characters, and what they leave open is settled on the title itself; for the
// shortest beginnings, which most words have, there are terms of their own.
const (
	wordTerm     = "w" // a word of the title, and each part of a compound
	letterTerm   = "1" // the first letter of one
	lettersTerm  = "2" // the first two
	charTerm     = "c" // one character of a run
	pairTerm     = "b" // two neighbours
	syllableTerm = "z" // the pinyin of a run's first character
	initialsTerm = "i" // the initials of two neighbours
	firstTerm    = "I" // … that begin a run
	tagTerm      = "T" // a tag: a key that it may be typed by, then wholeTag or innerTag, then the tag
)

// These stand between the key and the tag: the key is all of the tag, or not.
const (
	wholeTag = "\x00"
	innerTag = "\x01"
)

// Bounds of what is taken from a title or tag.
const (
	maxTitleRunes = 200
	maxTagRunes   = 60
)

// suggestKey returns a text as suggestions compare it: folded, without accents,
// spaces and signs; and where in it a word or character begins. The tokens of
// the text stay in the worker's glyphs.
func (w *worker) suggestKey(text string) (key string, starts []int) {
	begins := map[int32]bool{}
	w.analyze(text, func(t token) {
		if t.kind != kindPair {
			begins[int32(t.start)] = true
		}
	})
	var b strings.Builder
	inside := false
	for _, g := range w.glyphs {
		switch g.class {
		case classWord, classPair, classPlus, classHash:
		default:
			inside = false
			continue
		}
		n := b.Len()
		if g.class == classPair {
			b.WriteRune(katakana(g.r))
		} else {
			plainRune(&b, g.r)
		}
		if (!inside || begins[g.start]) && b.Len() > n && (len(starts) == 0 || starts[len(starts)-1] != n) {
			starts = append(starts, n)
		}
		inside = true
	}
	return b.String(), starts
}

// suggestTerms returns the terms that a document is suggested by.
func (w *worker) suggestTerms(d *Doc) map[string]int {
	terms := map[string]int{}
	w.titleTerms(cutRunes(d.Title, maxTitleRunes), func(term string) { terms[term] = 1 })
	for _, t := range d.Tags {
		w.tagTerms(t, func(term string) { terms[term] = 1 })
	}
	return terms
}

func (w *worker) titleTerms(title string, add func(string)) {
	word := func(word string) {
		word = plain(word)
		add(wordTerm + word)
		add(letterTerm + cutRunes(word, 1))
		add(lettersTerm + cutRunes(word, 2))
	}
	w.analyze(title, func(t token) {
		switch t.kind {
		case kindWord, kindPart:
			word(t.text)
		}
	})
	for from := 0; from < len(w.glyphs); {
		g := w.glyphs[from:]
		switch n := runOf(g); {
		case n == 0:
			from++
			continue
		case g[0].class == classWord: // also what an apostrophe cuts off
			word(text(g[:n]))
			from += n
		default:
			runTerms(g[:n], add)
			from += n
		}
	}
}

// runOf returns how many glyphs at the beginning are of one word or run.
func runOf(g []glyph) int {
	n := 0
	for n < len(g) && (g[n].class == classWord || g[n].class == classPair) && g[n].class == g[0].class {
		n++
	}
	return n
}

// runTerms adds the terms of a run of characters.
func runTerms(g []glyph, add func(string)) {
	for i := range g {
		r := katakana(g[i].r)
		add(charTerm + string(r))
		if i == 0 {
			for _, s := range readings(g[0].r) {
				add(syllableTerm + s)
			}
		}
		if i+1 == len(g) {
			break
		}
		add(pairTerm + string(r) + string(katakana(g[i+1].r)))
		for _, a := range initialsOf(g[i].r) {
			for _, b := range initialsOf(g[i+1].r) {
				add(initialsTerm + a + b)
				if i == 0 {
					add(firstTerm + a + b)
				}
			}
		}
	}
}

// initialsOf returns the letters that a character's pinyin may begin with.
func initialsOf(r rune) []string {
	var list []string
	for _, s := range readings(r) {
		list = appendNew(list, s[:1])
	}
	return list
}

// tagTerms adds the terms of a tag: its words, and of Chinese ones the pinyin
// of the whole and its initials.
func (w *worker) tagTerms(name string, add func(string)) {
	name = strings.TrimSpace(name)
	if name == "" || utf8.RuneCountInString(name) > maxTagRunes || strings.ContainsAny(name, wholeTag+innerTag) {
		return
	}
	key, starts := w.suggestKey(name)
	if key == "" {
		return
	}
	add(tagTerm + key + wholeTag + name)
	for _, at := range starts {
		if r, _ := utf8.DecodeRuneInString(key[at:]); at > 0 && (classOf(r) != classPair || classBefore(key, at) != classPair) {
			add(tagTerm + key[at:] + innerTag + name)
		}
	}
	run := []rune(key)
	if len(run) > 12 || slices.ContainsFunc(run, func(r rune) bool { return !language.IsHan(r) }) {
		return
	}
	for _, p := range joinedPinyin(run) {
		add(tagTerm + p + wholeTag + name)
	}
	if len(run) > 1 {
		for _, p := range joinedInitials(run) {
			add(tagTerm + p + innerTag + name)
		}
	}
}

func classBefore(key string, at int) class {
	r, _ := utf8.DecodeLastRuneInString(key[:at])
	if r < utf8.RuneSelf {
		return asciiClass(r)
	}
	return classOf(r)
}

// joinedInitials returns the initials of a run in all readings.
func joinedInitials(run []rune) []string {
	list := []string{""}
	for _, r := range run {
		letters := initialsOf(r)
		if len(letters) == 0 {
			return nil
		}
		var next []string
		for _, a := range letters {
			for _, p := range list {
				if len(next) < maxReadings {
					next = append(next, p+a)
				}
			}
		}
		list = next
	}
	return list
}

// beginning returns the documents whose title has the words that were typed,
// the last as a beginning.
func (s *suggester) beginning(seg *segmentView) (*roaring.Bitmap, error) {
	var all *roaring.Bitmap
	and := func(docs *roaring.Bitmap, err error) error {
		switch {
		case err != nil:
			return err
		case all == nil:
			all = docs
		default:
			all = roaring.And(all, docs)
		}
		return nil
	}
	for i, a := range s.atoms {
		last := i+1 == len(s.atoms)
		var err error
		switch {
		case a.word == "" && a.alone:
			err = and(seg.docsWith(fieldSuggest, charTerm+a.key))
		case a.word == "":
			if i > 0 && s.atoms[i-1].word == "" && s.atoms[i-1].end == a.start {
				err = and(seg.docsWith(fieldSuggest, pairTerm+s.atoms[i-1].key+a.key))
			}
		case !last:
			err = and(seg.docsWith(fieldSuggest, wordTerm+a.key))
		default:
			err = and(seg.wordsBeginning(a.key))
		}
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// wordsBeginning returns the documents with a word in the title that begins so.
func (s *segmentView) wordsBeginning(prefix string) (*roaring.Bitmap, error) {
	switch utf8.RuneCountInString(prefix) {
	case 1:
		return s.docsWith(fieldSuggest, letterTerm+prefix)
	case 2:
		return s.docsWith(fieldSuggest, lettersTerm+prefix)
	}
	var words []string
	if err := s.terms(fieldSuggest, wordTerm+prefix, maxSuggestTerms, func(term string, _ uint64) { words = append(words, term) }); err != nil {
		return nil, err
	}
	return s.docsWithAny(fieldSuggest, words)
}

// docsWithAny returns the live documents that have one of the terms.
func (s *segmentView) docsWithAny(field string, terms []string) (*roaring.Bitmap, error) {
	var lists []*roaring.Bitmap
	for _, t := range terms {
		docs, err := s.docsWith(field, t)
		if err != nil {
			return nil, err
		}
		if !docs.IsEmpty() {
			lists = append(lists, docs)
		}
	}
	return roaring.FastOr(lists...), nil
}

// begins tells whether a title, or a word of it, or a run of it from any
// character on, begins as was typed.
func (s *suggester) begins(title string) bool {
	key, starts := s.worker.suggestKey(title)
	return slices.ContainsFunc(starts, func(at int) bool { return strings.HasPrefix(key[at:], s.key) })
}

// spelled returns the documents that may have characters in the title that are
// spelled as was typed, the last perhaps not to its end. Names of authors are
// spelled in the same field.
func (s *suggester) spelled(seg *segmentView) (*roaring.Bitmap, error) {
	sum := roaring.New()
	first, err := seg.docsWithAny(fieldSuggest, withPrefix(syllableTerm, syllablesBeginning(s.pinyin)))
	if err != nil {
		return nil, err
	}
	sum.Or(first)
	budget := 500 // lookups
	var follow func(rest, before string, so *roaring.Bitmap) error
	follow = func(rest, before string, so *roaring.Bitmap) error {
		for n := 1; n <= min(6, len(rest)); n++ {
			syllable := rest[:n]
			var ends []string
			switch {
			case n == len(rest):
				ends = syllablesBeginning(rest)
			case syllables()[syllable]:
				ends = []string{syllable}
			}
			if len(ends) == 0 || budget <= 0 {
				continue
			}
			docs := so
			if before != "" {
				budget -= len(ends)
				with, err := seg.docsWithAny(fieldPinyin, withPrefix(before, ends))
				if err != nil {
					return err
				}
				if docs == nil {
					docs = with
				} else {
					docs = roaring.And(docs, with)
				}
				if docs.IsEmpty() {
					continue
				}
			}
			if n < len(rest) {
				if err := follow(rest[n:], syllable, docs); err != nil {
					return err
				}
			} else if docs != nil {
				sum.Or(docs)
			}
		}
		return nil
	}
	return sum, follow(s.pinyin, "", nil)
}

func withPrefix(prefix string, list []string) []string {
	terms := make([]string, len(list))
	for i, s := range list {
		terms[i] = prefix + s
	}
	return terms
}

// syllablesBeginning returns the syllables of pinyin that begin so, sorted.
func syllablesBeginning(prefix string) []string {
	var list []string
	if len(prefix) > 6 {
		return nil
	}
	for s := range syllables() {
		if strings.HasPrefix(s, prefix) {
			list = append(list, s)
		}
	}
	slices.Sort(list)
	return list
}

// isSpelled tells whether a title has characters that are spelled as was typed;
// a single one must begin a run.
func (s *suggester) isSpelled(title string) bool {
	return s.anywhere(title, func(g []glyph, first bool) bool { return spelledSo(g, s.pinyin, first) })
}

// spelledSo tells whether a run begins with characters spelled so, at least two
// of them unless one will do.
func spelledSo(g []glyph, word string, one bool) bool {
	if len(g) == 0 {
		return false
	}
	for _, s := range readings(g[0].r) {
		if one && strings.HasPrefix(s, word) {
			return true
		}
		if rest, ok := strings.CutPrefix(word, s); ok && rest != "" && spelledSo(g[1:], rest, true) {
			return true
		}
	}
	return false
}

// initials returns the documents that may have characters in the title with the
// initials that were typed.
func (s *suggester) initials(seg *segmentView) (*roaring.Bitmap, error) {
	return s.withInitials(seg, initialsTerm)
}

// initialsFirst is initials for those that begin a run.
func (s *suggester) initialsFirst(seg *segmentView) (*roaring.Bitmap, error) {
	return s.withInitials(seg, firstTerm)
}

func (s *suggester) withInitials(seg *segmentView, first string) (*roaring.Bitmap, error) {
	if len(s.pinyin) > 10 {
		return nil, nil
	}
	all, err := seg.docsWith(fieldSuggest, first+s.pinyin[:2])
	for i := 1; err == nil && i+2 <= len(s.pinyin) && !all.IsEmpty(); i++ {
		var docs *roaring.Bitmap
		if docs, err = seg.docsWith(fieldSuggest, initialsTerm+s.pinyin[i:i+2]); err == nil {
			all = roaring.And(all, docs)
		}
	}
	return all, err
}

func (s *suggester) hasInitials(title string) bool {
	return s.anywhere(title, func(g []glyph, _ bool) bool {
		if len(g) < len(s.pinyin) {
			return false
		}
		for i := range len(s.pinyin) {
			if !slices.Contains(initialsOf(g[i].r), s.pinyin[i:i+1]) {
				return false
			}
		}
		return true
	})
}

// anywhere tells whether a run of a title matches from one of its characters
// on; first is true at its beginning.
func (s *suggester) anywhere(title string, matches func(g []glyph, first bool) bool) bool {
	g := fold(nil, title)
	for from := 0; from < len(g); {
		n := runOf(g[from:])
		if n == 0 {
			from++
			continue
		}
		for i := from; i < from+n && g[from].class == classPair; i++ {
			if matches(g[i:from+n], i == from) {
				return true
			}
		}
		from += n
	}
	return false
}
