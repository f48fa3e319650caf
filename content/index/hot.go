package index

import (
	"math"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"
	segment "github.com/blevesearch/scorch_segment_api/v2"
)

// Storage packs frequencies, and reading them is most of what a query costs;
// which documents a list has is told by a bitmap that needs no reading. The
// frequencies of long lists, which queries read again and again, are therefore
// kept unpacked, a byte each, as many as fit in hotBytes.
const (
	hotBytes = 8 << 20
	hotFrom  = 256 // shorter lists are read quickly enough
)

// A hotList is the frequencies of a list of postings, in order.
type hotList []uint8

// A hotKey names a list for ever: segments do not change, and deletes only grow.
type hotKey struct {
	segment, deleted uint64
	field, term      string
}

// hotLists keeps the lists used last: those used since half of hotBytes was
// filled, and those of the half before.
type hotLists struct {
	mu         sync.Mutex
	young, old map[hotKey]hotList
	size       int // of young
}

func (c *hotLists) get(key hotKey) hotList {
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

func (c *hotLists) put(key hotKey, l hotList) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(key, l)
}

func (c *hotLists) add(key hotKey, l hotList) {
	const entry = 150 // bytes of a list that is kept, beside its frequencies
	size := len(l) + entry
	if c.young == nil || c.size+size > hotBytes/2 {
		c.young, c.old, c.size = map[hotKey]hotList{}, c.young, 0
	}
	if c.young[key] == nil {
		c.size += size
	}
	c.young[key] = l
}

// hotPostings is a long list of storage whose frequencies may be kept.
type hotPostings struct {
	segment.PostingsList
	key   hotKey
	lists *hotLists
	list  hotList // once it is found
}

// unpacked returns the frequencies, or nil: when so few documents are asked for
// that reading them all does not pay, or one of them fills no byte.
func (p *hotPostings) unpacked(asked uint64) (hotList, error) {
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
	l := make(hotList, 0, count)
	for it := p.Iterator(true, true, false, nil); ; {
		posting, err := it.Next()
		if err != nil {
			return nil, err
		}
		if posting == nil {
			break
		}
		if posting.Frequency() > math.MaxUint8 {
			return nil, nil
		}
		l = append(l, uint8(posting.Frequency()))
	}
	p.lists.put(p.key, l)
	p.list = l
	return l, nil
}

// each visits the documents of a list, or those of them that lie in only.
func (l hotList) each(docs, only *roaring.Bitmap, visit func(doc uint32, freq float64)) {
	var all, some [256]uint32
	from := docs.ManyIterator()
	n := from.NextMany(all[:])
	if only == nil {
		for at := 0; n > 0; n = from.NextMany(all[:]) {
			for i, doc := range all[:n] {
				visit(doc, float64(l[at+i]))
			}
			at += n
		}
		return
	}
	at, i := 0, 0 // all[i] has frequency l[at+i]
	wanted := only.ManyIterator()
	for w := wanted.NextMany(some[:]); w > 0; w = wanted.NextMany(some[:]) {
		for _, doc := range some[:w] {
			for n > 0 && all[n-1] < doc {
				at += n
				n, i = from.NextMany(all[:]), 0
			}
			if n == 0 {
				return
			}
			for all[i] < doc {
				i++
			}
			if all[i] == doc {
				visit(doc, float64(l[at+i]))
			}
		}
	}
}
