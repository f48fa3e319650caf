package index

import (
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/blevesearch/bleve/v2/document"
	bleve "github.com/blevesearch/bleve_index_api"

	"newsie/content/language"
)

// Doc is one article as the index sees it.
type Doc struct {
	ID             int64
	Deleted        bool   // remove it; nothing but ID counts
	Lang           string // BCP 47; "" is detected
	Title          string
	Names          []string // what else counts like the title: tags, author
	Body           string   // plain text, paragraphs separated by \n
	Tags           []string
	Source, Author string
	Published      time.Time // zero: unknown
}

// The fields of a document in storage. Every posting of a field stores a
// length; ours is the same 1 everywhere, and the real one stands in fieldAll.
const (
	fieldWords   = "w" // stemmed words
	fieldPairs   = "b" // neighbouring characters
	fieldChars   = "c" // single characters
	fieldPinyin  = "p" // joined pinyin of titles, tags and names
	fieldForms   = "x" // words as they are written, for repair and suggestions; see lexicon
	fieldTitle   = "e" // the whole title
	fieldSuggest = "s" // what titles and tags are suggested by; see suggest_terms.go
	fieldFilters = "f" // language, tags, source, author
	fieldTime    = "t" // when it was published
	fieldAll     = "n" // one term that every document has, with the document's length
)

// allTerm is the term of fieldAll.
const allTerm = "*"

// storedDoc is a Doc on its way into storage. Analysis happens when storage
// asks for the fields, on its workers.
type storedDoc struct {
	index  *Index
	doc    *Doc
	open   *unpacked // of the batch
	fields []*storedField
	id     bleve.Field
}

var _ bleve.Document = (*storedDoc)(nil)

func (d *storedDoc) ID() string                                 { return docKey(d.doc.ID) }
func (d *storedDoc) Size() int                                  { return len(d.doc.Body) + len(d.doc.Title) }
func (d *storedDoc) VisitComposite(bleve.CompositeFieldVisitor) {}
func (d *storedDoc) HasComposite() bool                         { return false }
func (d *storedDoc) NumPlainTextBytes() uint64                  { return uint64(d.Size()) }
func (d *storedDoc) StoredFieldsBytes() uint64                  { return 0 }
func (d *storedDoc) Indexed() bool                              { return true }

func (d *storedDoc) AddIDField() {
	d.id = document.NewTextFieldCustom("_id", nil, []byte(d.ID()), bleve.IndexField|bleve.StoreField, nil)
}

func (d *storedDoc) VisitFields(visit bleve.FieldVisitor) {
	if d.fields == nil {
		d.fields = d.index.fieldsOf(d.doc)
		for _, f := range d.fields {
			f.open = d.open
		}
	}
	if d.id != nil {
		visit(d.id)
	}
	for _, f := range d.fields {
		visit(f)
	}
}

// docKey and docID turn an article's number into storage's name for it and back.
func docKey(id int64) string { return strconv.FormatInt(id, 10) }

func docID(key []byte) (int64, error) { return strconv.ParseInt(string(key), 10, 64) }

// A tally counts the terms of one document.
type tally struct {
	words, pairs, chars map[string]int
	forms               map[string]bool
	length              int // words and pairs together: the document's length for ranking
}

// count adds a text to the tally.
func (t *tally) count(w *worker, lang, text string) {
	w.analyze(text, func(k token) {
		switch k.kind {
		case kindWord, kindPart:
			t.words[w.term(lang, k.text)]++
			t.length++
			if t.forms != nil && isForm(k.text) {
				t.forms[k.text] = true
			}
		case kindPair:
			t.pairs[k.text]++
			t.length++
		case kindChar:
			t.chars[k.text]++
		}
	})
}

// emptyTally returns a tally whose memory is the worker's: its next one takes it.
func (w *worker) emptyTally() *tally {
	t := &w.counts
	if t.words == nil || len(t.words)+len(t.pairs)+len(t.chars) > 1<<16 {
		*t = tally{words: map[string]int{}, pairs: map[string]int{}, chars: map[string]int{}, forms: map[string]bool{}}
	}
	clear(t.words)
	clear(t.pairs)
	clear(t.chars)
	clear(t.forms)
	t.length = 0
	return t
}

// isForm tells whether a word goes on the list that repairs typos.
func isForm(word string) bool {
	n := utf8.RuneCountInString(word)
	return n >= 3 && n <= 24 && mostlyLetters(word)
}

// fieldsOf analyses a document. The title counts once more, beside the body:
// of the ways to weigh titles that were measured this was the best that needs
// no second field.
func (x *Index) fieldsOf(d *Doc) []*storedField {
	w := x.workers.Get().(*worker)
	defer x.workers.Put(w)
	lang := docLang(d)
	t := w.emptyTally()
	t.count(w, lang, d.Title)
	t.count(w, lang, d.Title)
	for _, name := range d.Names {
		t.count(w, lang, name)
	}
	t.count(w, lang, d.Body)

	pinyin := map[string]int{}
	addPinyin := func(p string) { pinyin[p] = 1 }
	pinyinTerms(d.Title, addPinyin)
	for _, list := range [][]string{d.Names, d.Tags, {d.Author}} {
		for _, s := range list {
			pinyinTerms(s, addPinyin)
		}
	}
	filters := map[string]int{}
	for _, f := range filterTerms(d, lang) {
		filters[f] = 1
	}
	fields := []*storedField{
		newField(fieldWords, t.words), newField(fieldPairs, t.pairs), newField(fieldChars, t.chars),
		newField(fieldPinyin, pinyin), newField(fieldFilters, filters),
		newField(fieldSuggest, w.suggestTerms(d)),
		newField(fieldForms, x.lexicon.take(t.forms)),
		newField(fieldAll, map[string]int{allTerm: 1}),
	}
	fields[len(fields)-1].length = max(t.length, 1)
	if title := nameKey(d.Title); title != "" {
		fields = append(fields, newField(fieldTitle, map[string]int{title: 1}))
	}
	if !d.Published.IsZero() {
		fields = append(fields, newField(fieldTime, map[string]int{timeTerm(d.Published): 1}))
	}
	return fields
}

// docLang returns the language a document is analysed in.
func docLang(d *Doc) string {
	if d.Lang != "" {
		return d.Lang
	}
	return language.Detect(d.Title + "\n" + d.Body)
}

// filterTerms returns what a document can be filtered by.
func filterTerms(d *Doc, lang string) []string {
	var terms []string
	if lang != "" {
		lang = strings.ToLower(lang)
		terms = append(terms, "l:"+lang, "l:"+language.Base(lang))
	}
	for _, tag := range d.Tags {
		terms = append(terms, "t:"+nameKey(tag))
	}
	terms = append(terms, nameTerms("s:", d.Source)...)
	return append(terms, nameTerms("a:", d.Author)...)
}

// nameTerms lets a source or author be asked for by the whole name or a word of it.
func nameTerms(prefix, name string) []string {
	key := nameKey(name)
	if key == "" {
		return nil
	}
	terms := []string{prefix + key}
	for _, w := range strings.Fields(key) {
		if w != key {
			terms = append(terms, prefix+w)
		}
	}
	return terms
}

// SameName tells whether a name is the one asked for, or has it as one of its
// words unless whole is set; compared as filters compare names.
func SameName(asked, name string, whole bool) bool {
	key := nameKey(asked)
	if whole {
		return key != "" && key == nameKey(name)
	}
	return slices.Contains(nameTerms("", name), key)
}

// maxName bounds the key of a name, in bytes.
const maxName = 160

// nameKey returns a name or title as it is compared: folded, without accents
// and punctuation, words separated by one space.
func nameKey(name string) string {
	var b strings.Builder
	gap := false
	for _, g := range fold(nil, name) {
		if b.Len() >= maxName {
			break
		}
		if g.class == classWord || g.class == classPair || g.class == classPlus || g.class == classHash {
			if gap && b.Len() > 0 {
				b.WriteByte(' ')
			}
			gap = false
			plainRune(&b, g.r)
			continue
		}
		gap = gap || g.class != classApostrophe
	}
	return b.String()
}

// timeTerm encodes a day, in UTC, so that terms sort as times do. Operators and
// the recency prior need no more, and a term for every second would take most
// of a second to read in a library of a hundred thousand articles.
func timeTerm(t time.Time) string {
	t = t.UTC().Truncate(24 * time.Hour)
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(t.Unix())+1<<39)
	return string(b[3:])
}

func timeOfTerm(term string) int64 {
	var b [8]byte
	copy(b[3:], term)
	return int64(binary.BigEndian.Uint64(b[:]) - 1<<39)
}
