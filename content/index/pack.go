package index

import (
	"encoding/binary"
	"strings"
	"sync"

	bleve "github.com/blevesearch/bleve_index_api"
)

// storedField is one field with its terms counted. The terms of all documents of
// a batch wait in memory until storage has seen the last one, so they are packed:
// length, term, count, one after the other, in a tenth of what maps of them take.
type storedField struct {
	name   string
	length int
	packed string
	count  int // terms
	open   *unpacked
}

var _ bleve.Field = (*storedField)(nil)

func (f *storedField) Name() string                        { return f.name }
func (f *storedField) Value() []byte                       { return nil }
func (f *storedField) ArrayPositions() []uint64            { return nil }
func (f *storedField) EncodedFieldType() byte              { return 't' }
func (f *storedField) Analyze()                            {}
func (f *storedField) Options() bleve.FieldIndexingOptions { return bleve.IndexField }
func (f *storedField) AnalyzedLength() int                 { return f.length }
func (f *storedField) NumPlainTextBytes() uint64           { return 0 }

// newField packs counted terms.
func newField(name string, counts map[string]int) *storedField {
	size := 0
	for term := range counts {
		size += len(term) + 2
	}
	var b strings.Builder
	b.Grow(size + 8)
	var n [binary.MaxVarintLen64]byte
	for term, count := range counts {
		b.Write(n[:binary.PutUvarint(n[:], uint64(len(term)))])
		b.WriteString(term)
		b.Write(n[:binary.PutUvarint(n[:], uint64(count))])
	}
	return &storedField{name: name, length: 1, packed: b.String(), count: len(counts)}
}

// AnalyzedTokenFrequencies unpacks the terms. The map is good until the same
// field of the next document is asked for: storage takes one document after the
// other.
func (f *storedField) AnalyzedTokenFrequencies() bleve.TokenFrequencies {
	freqs, slab := f.open.of(f)
	for rest := f.packed; len(rest) > 0; {
		size, at := uvarint(rest)
		term := rest[at : at+size]
		count, n := uvarint(rest[at+size:])
		rest = rest[at+size+n:]
		slab[0].SetFrequency(count)
		freqs[term] = &slab[0]
		slab = slab[1:]
	}
	return freqs
}

func uvarint(s string) (value, size int) {
	for shift := 0; ; shift += 7 {
		c := s[size]
		size++
		value |= int(c&0x7f) << shift
		if c < 0x80 {
			return value, size
		}
	}
}

// unpacked is memory for the unpacked fields of one document.
type unpacked struct {
	mu    sync.Mutex
	freqs map[string]bleve.TokenFrequencies
	slabs map[string][]bleve.TokenFreq
}

func (u *unpacked) of(f *storedField) (bleve.TokenFrequencies, []bleve.TokenFreq) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.freqs == nil {
		u.freqs, u.slabs = map[string]bleve.TokenFrequencies{}, map[string][]bleve.TokenFreq{}
	}
	freqs, slab := u.freqs[f.name], u.slabs[f.name]
	if freqs == nil || len(slab) > 4*f.count+1000 { // not as large as the longest document for ever
		freqs, slab = make(bleve.TokenFrequencies, f.count), nil
	}
	if len(slab) < f.count {
		slab = make([]bleve.TokenFreq, f.count+f.count/4)
	}
	clear(freqs)
	u.freqs[f.name], u.slabs[f.name] = freqs, slab
	return freqs, slab
}
