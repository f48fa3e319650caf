package telegram

import (
	"encoding/json"
	"slices"
	"sync"
	"time"
)

const (
	// crowd is how many updates this process has in hand, with all their text.
	crowd = 1000
	// handful is how many of them may be one chat's.
	handful = 20
	// shelfMost is how many more may wait in the settings. In memory one of them
	// costs about 200 bytes, in the database its own text.
	shelfMost = 20_000
)

// pending are the updates taken from the server and not answered yet. So many
// are in hand, each in its chat's lane. The others are on the shelf: written down
// in the settings, and here no more than a number. While one of a chat is on the
// shelf, all that chat's later ones go there too.
type pending struct {
	most int // on the shelf

	mu      sync.Mutex
	updates map[int64]*taken
	shelf   []*taken // by id
	chats   map[string]*share
	hand    int
	open    int // in hand and not written down
	full    bool
	changed chan struct{} // closed when one is done
	wake    chan struct{} // there may be room for one of the shelf
}

// A share is what one chat has of the pending updates.
type share struct{ hand, shelf int }

// A taken update waits for its answer.
type taken struct {
	id       int64
	lane     string
	raw      json.RawMessage // nil on the shelf, once it is written down
	kept     bool            // written down: the server may forget it
	shelved  bool
	answered chan struct{} // closed when nothing is left to do; nil on the shelf
	begun    time.Time     // zero: it waits in its lane
	slow     bool          // and that was told
}

func newPending(most int) *pending {
	return &pending{most: most, updates: map[int64]*taken{}, chats: map[string]*share{}, changed: make(chan struct{}), wake: make(chan struct{}, 1)}
}

// take enters an update unless it is here already, and has work put it into its
// lane, or puts it on the shelf.
func (p *pending) take(t *taken, work func()) *taken {
	p.mu.Lock()
	defer p.mu.Unlock()
	if old := p.updates[t.id]; old != nil {
		return old
	}
	chat := p.chats[t.lane]
	if chat == nil {
		chat = &share{}
		p.chats[t.lane] = chat
	}
	p.updates[t.id] = t
	if chat.shelf == 0 && chat.hand < handful && p.hand < crowd {
		t.answered = make(chan struct{})
		p.hand++
		chat.hand++
		if !t.kept {
			p.open++
		}
		work()
		return t
	}
	t.shelved = true
	if t.kept {
		t.raw = nil
	}
	chat.shelf++
	at, _ := slices.BinarySearchFunc(p.shelf, t.id, func(x *taken, id int64) int {
		return int(min(1, max(-1, x.id-id)))
	})
	p.shelf = slices.Insert(p.shelf, at, t)
	return t
}

// done strikes out an update in hand, and tells whether it had been written down.
func (p *pending) done(t *taken) (kept bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hand--
	if !t.kept {
		p.open--
	}
	p.chats[t.lane].hand--
	p.strike(t)
	close(t.answered)
	return t.kept
}

// drop strikes out an update on the shelf that is, or is not, written down.
func (p *pending) drop(t *taken, kept bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t.shelved && t.kept == kept && p.updates[t.id] == t {
		p.unshelve(t)
		p.strike(t)
	}
}

func (p *pending) strike(t *taken) {
	delete(p.updates, t.id)
	if c := p.chats[t.lane]; c.hand == 0 && c.shelf == 0 {
		delete(p.chats, t.lane)
	}
	p.stir()
}

func (p *pending) unshelve(t *taken) {
	p.shelf = slices.DeleteFunc(p.shelf, func(x *taken) bool { return x == t })
	t.shelved = false
	p.chats[t.lane].shelf--
}

// stir tells who waits that something has changed.
func (p *pending) stir() {
	close(p.changed)
	p.changed = make(chan struct{})
	if len(p.shelf) > 0 {
		select {
		case p.wake <- struct{}{}:
		default:
		}
	}
}

// next lists what may leave the shelf now, oldest first.
func (p *pending) next() (list []*taken) {
	p.mu.Lock()
	defer p.mu.Unlock()
	passed := map[string]int{} // how many of a chat may go; -1: no more
	for _, t := range p.shelf {
		if p.hand+len(list) >= crowd || len(list) == shelfBatch {
			break
		}
		switch n := passed[t.lane]; {
		case n < 0:
		case !t.kept || p.chats[t.lane].hand+n >= handful:
			passed[t.lane] = -1
		default:
			passed[t.lane]++
			list = append(list, t)
		}
	}
	return list
}

// place takes an update off the shelf and has work put it into its lane; nothing
// of its chat can come between.
func (p *pending) place(t *taken, raw json.RawMessage, work func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !t.shelved || p.updates[t.id] != t {
		return
	}
	p.unshelve(t)
	t.raw, t.answered = raw, make(chan struct{})
	p.hand++
	p.chats[t.lane].hand++
	work()
	p.stir()
}

// unwritten tells how many in hand are not written down yet.
func (p *pending) unwritten() (n int, changed <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open, p.changed
}

// state tells whether no more may be taken, and whether that is new. Once the
// shelf is full, half of it must be free again.
func (p *pending) state() (full, turned bool, changed <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	was := p.full
	p.full = len(p.shelf) >= p.most || was && len(p.shelf) > p.most/2
	return p.full, p.full != was, p.changed
}

func (p *pending) find(id int64) *taken {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.updates[id]
}

// answer is closed when an update in hand is answered; nil: it is on the shelf.
func (p *pending) answer(t *taken) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t.shelved {
		return nil
	}
	return t.answered
}

// of is how many updates of a chat are here.
func (p *pending) of(lane string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.chats[lane]; c != nil {
		return c.hand + c.shelf
	}
	return 0
}

// unkept lists what is neither answered nor written down.
func (p *pending) unkept() []*taken {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []*taken
	for _, t := range p.updates {
		if !t.kept {
			list = append(list, t)
		}
	}
	return list
}

// texts gives what is to be written down of some updates.
func (p *pending) texts(list []*taken) map[int64]json.RawMessage {
	p.mu.Lock()
	defer p.mu.Unlock()
	texts := make(map[int64]json.RawMessage, len(list))
	for _, t := range list {
		if !t.kept && p.updates[t.id] == t {
			texts[t.id] = t.raw
		}
	}
	return texts
}

// keep notes what was written down, and returns those that were answered meanwhile.
func (p *pending) keep(list []*taken) (gone []*taken) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range list {
		if p.updates[t.id] != t {
			t.kept = true
			gone = append(gone, t)
			continue
		}
		if t.kept {
			continue
		}
		t.kept = true
		if t.shelved {
			t.raw = nil
		} else {
			p.open--
		}
	}
	p.stir()
	return gone
}

// begin notes when the answer to an update began.
func (p *pending) begin(t *taken, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t.begun = now
}

// late lists the updates in hand that were begun before a time, each once,
// the oldest first.
func (p *pending) late(before time.Time) (list []*taken) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range p.updates {
		if !t.slow && !t.begun.IsZero() && t.begun.Before(before) {
			t.slow = true
			list = append(list, t)
		}
	}
	slices.SortFunc(list, func(a, b *taken) int { return a.begun.Compare(b.begun) })
	return list
}
