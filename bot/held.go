package bot

import (
	"slices"
	"time"
)

// Held are slots that were taken ahead and wait for their time. Until then an
// answer of the same process may trade its own, later one for the earliest of
// them: readers who ask do not wait behind a digest that has not left yet.
type Held struct {
	pacer  *Pacer
	bucket string
	times  []time.Time // ascending
	latest time.Time   // no slot is put off beyond this
}

// mostPutOff bounds how long answers put off who holds a slot.
const mostPutOff = 2 * time.Second

// Hold registers n slots of a bucket, the first at a time and each other one a
// gap later, which the caller has taken. Drop must be called after use.
func (p *Pacer) Hold(b Bucket, first time.Time, n int) *Held {
	h := &Held{pacer: p, bucket: b.Name, latest: first.Add(mostPutOff)}
	for i := range n {
		h.times = append(h.times, first.Add(time.Duration(i)*b.Gap()))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = append(p.held, h)
	return h
}

// Next uses the earliest slot if its time has come, and otherwise tells how long
// that is still; it may be put off meanwhile, so ask again. late is how long ago
// the slot used was. Not to be called more often than there are slots.
func (h *Held) Next(now time.Time) (wait, late time.Duration) {
	h.pacer.mu.Lock()
	defer h.pacer.mu.Unlock()
	if wait := h.times[0].Sub(now); wait > 0 {
		return wait, 0
	}
	late = now.Sub(h.times[0])
	h.times = h.times[1:]
	return 0, late
}

// Drop gives up what was not used.
func (h *Held) Drop() {
	h.pacer.mu.Lock()
	defer h.pacer.mu.Unlock()
	h.pacer.held = slices.DeleteFunc(h.pacer.held, func(other *Held) bool { return other == h })
}

// Trade gives an answer whose slot is due at a time the earliest slot that this
// process holds in the bucket and has not used, if that is earlier; its holder
// gets the answer's.
func (p *Pacer) Trade(bucket string, due time.Time) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	var from *Held
	var at int
	best := due
	for _, h := range p.held {
		if h.bucket != bucket || due.After(h.latest) {
			continue
		}
		for i, t := range h.times {
			if t.After(now) && t.Before(best) {
				from, at, best = h, i, t
			}
		}
	}
	if from != nil {
		from.times[at] = due
		slices.SortFunc(from.times, time.Time.Compare)
	}
	return best
}
