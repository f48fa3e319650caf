package telegram

import (
	"context"
	"sync"
)

// A desk answers the queries of inline mode: those of one reader one after the
// other, of which only the latest counts, and those of many at once. They wait
// for no chat, and no chat for them.
type desk struct {
	answer func(ctx context.Context, q inlineQuery)
	work   context.Context
	slots  chan struct{}
	most   int // readers at a time

	mu      sync.Mutex
	readers map[int64]*typist
	closed  bool
	running sync.WaitGroup
}

// A typist is a reader with a query that is being answered, and perhaps one
// that came meanwhile.
type typist struct {
	stop context.CancelCauseFunc // of the query at work; nil: there is none
	next *inlineQuery
}

func newDesk(work context.Context, hands, most int, answer func(ctx context.Context, q inlineQuery)) *desk {
	return &desk{answer: answer, work: work, slots: make(chan struct{}, hands), most: most, readers: map[int64]*typist{}}
}

// take answers a query unless a newer one of its reader comes first; false: too
// many others wait, or the desk is closed.
func (d *desk) take(q inlineQuery) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return false
	}
	if t := d.readers[q.From.ID]; t != nil {
		t.next = &q
		if t.stop != nil {
			t.stop(errSuperseded)
		}
		return true
	}
	if len(d.readers) >= d.most {
		return false
	}
	t := &typist{next: &q}
	d.readers[q.From.ID] = t
	d.running.Add(1)
	go d.serve(q.From.ID, t)
	return true
}

func (d *desk) serve(reader int64, t *typist) {
	defer d.running.Done()
	for {
		d.mu.Lock()
		q := t.next
		if q == nil {
			delete(d.readers, reader)
			d.mu.Unlock()
			return
		}
		ctx, stop := context.WithCancelCause(d.work)
		t.next, t.stop = nil, stop
		d.mu.Unlock()
		patient, cancel := context.WithTimeout(ctx, inlineTime)
		select {
		case d.slots <- struct{}{}:
			if ctx.Err() == nil {
				d.answer(ctx, *q)
			}
			<-d.slots
		case <-patient.Done(): // too late for an answer
		}
		cancel()
		d.mu.Lock()
		t.stop = nil
		d.mu.Unlock()
		stop(nil)
	}
}

// wait closes the desk and returns when everybody is answered.
func (d *desk) wait() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.running.Wait()
}
