package index

import (
	"math"
	"sort"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"
	segment "github.com/blevesearch/scorch_segment_api/v2"
)

// Storage packs frequencies, and reading them is most of what a query costs.
// The lists of common words and characters, which queries read again and again,
// are therefore kept unpacked, as many as fit in hotBytes.
const (
	hotBytes = 12 << 20
	hotFrom  = 256 // shorter lists are read quickly enough
	hotSize  = 6   // bytes of a posting
)

// A hotList is a list of postings, unpacked.
type hotList struct {
	docs  []uint32
	freqs []uint16 // what is more counts as the most
}

// A hotKey names a list for ever: segments do not change, and deletes only grow.
type hotKey struct {
	segment, deleted uint64
	field, term      string
}

// hotLists keeps the lists used last: those used since half of hotBytes was
// filled, and those of the half before.
type hotLists struct {
	mu         sync.Mutex
	young, old map[hotKey]*hotList
	size       int // of young
}

func (c *hotLists) get(key hotKey) *hotList {
	c.mu.Lock()
	defer c.mu.Unlock()
	if l := c.young[key]; l != nil {
		return l
	}
	l := c.old[key]
	if l != nil {
		c.add(key, l)
	}
	return l
}

func (c *hotLists) put(key hotKey, l *hotList) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(key, l)
}

func (c *hotLists) add(key hotKey, l *hotList) {
	size := len(l.docs) * hotSize
	if c.young == nil || c.size+size > hotBytes/2 {
		c.young, c.old, c.size = map[hotKey]*hotList{}, c.young, 0
	}
	if c.young[key] == nil {
		c.size += size
	}
	c.young[key] = l
}

// hotPostings is a long list of storage that may be kept unpacked.
type hotPostings struct {
	segment.PostingsList
	key   hotKey
	lists *hotLists
	list  *hotList // once it is found
}

// unpacked returns the list unpacked. One that is asked for so few of its
// documents that reading it whole does not pay is not unpacked: nil.
func (p *hotPostings) unpacked(asked uint64) (*hotList, error) {
	if p.list != nil {
		return p.list, nil
	}
	if p.list = p.lists.get(p.key); p.list != nil {
		return p.list, nil
	}
	count := p.Count()
	if asked*8 < count {
		return nil, nil
	}
	l := &hotList{docs: make([]uint32, 0, count), freqs: make([]uint16, 0, count)}
	for it := p.Iterator(true, true, false, nil); ; {
		posting, err := it.Next()
		if err != nil {
			return nil, err
		}
		if posting == nil {
			break
		}
		l.docs = append(l.docs, uint32(posting.Number()))
		l.freqs = append(l.freqs, uint16(min(posting.Frequency(), math.MaxUint16)))
	}
	p.lists.put(p.key, l)
	p.list = l
	return l, nil
}

// each visits the list, or the part of it that lies in only.
func (l *hotList) each(only *roaring.Bitmap, visit func(doc uint32, freq float64)) {
	if only == nil {
		for i, doc := range l.docs {
			visit(doc, float64(l.freqs[i]))
		}
		return
	}
	at := 0
	for it := only.Iterator(); it.HasNext(); {
		doc := it.Next()
		// The next is near when many are asked for, so steps double.
		step := 1
		for at+step < len(l.docs) && l.docs[at+step] < doc {
			step *= 2
		}
		end := min(at+step+1, len(l.docs))
		at += sort.Search(end-at, func(i int) bool { return l.docs[at+i] >= doc })
		if at == len(l.docs) {
			return
		}
		if l.docs[at] == doc {
			visit(doc, float64(l.freqs[at]))
			at++
		}
	}
}
