package telegramtest

import (
	"math"
	"strconv"
	"time"
)

// The platform's rates. A refused message does not count.
const (
	freeRate  = 30   // messages in a second over all chats
	paidRate  = 1000 // with allow_paid_broadcast
	chatBurst = 3    // messages in a second in one chat
	chatRate  = 23   // messages in twenty seconds in a private chat: one a second with short bursts
	groupRate = 20   // messages in a minute in a group or channel
)

type rates struct {
	all   window
	chats map[int64]*window
	until time.Time // of a pause that was ordered
}

// Pause refuses all messages for a while, as the platform does when it has had
// enough of them, whether or not they keep its rates.
func (s *Server) Pause(d time.Duration) {
	s.change(func() { s.rates.until = s.options.Now().Add(d) })
}

// A window holds the times of what happened lately, oldest first.
type window struct {
	times []time.Time
	from  int // those before are forgotten
}

func (w *window) add(t time.Time) {
	if w.from > 64 && w.from*2 > len(w.times) {
		w.times = append(w.times[:0], w.times[w.from:]...)
		w.from = 0
	}
	w.times = append(w.times, t)
}

// forget drops what happened longer ago than d.
func (w *window) forget(now time.Time, d time.Duration) {
	for w.from < len(w.times) && now.Sub(w.times[w.from]) >= d {
		w.from++
	}
}

func (w *window) len() int { return len(w.times) - w.from }

// wait is how long until fewer than limit lie within d.
func (w *window) wait(now time.Time, limit int, d time.Duration) time.Duration {
	if w.len() < limit {
		return 0
	}
	return max(0, d-now.Sub(w.times[len(w.times)-limit]))
}

// over tells how many seconds a message to the chat must wait; 0: it may go.
func (r *rates) over(chat *Chat, now time.Time, all int) int {
	sent := r.chats[chat.ID]
	if sent == nil {
		sent = &window{}
		r.chats[chat.ID] = sent
	}
	limit, span := chatRate, 20*time.Second
	if chat.Type != "private" {
		limit, span = groupRate, time.Minute
	}
	r.all.forget(now, time.Second)
	sent.forget(now, span)
	wait := max(r.all.wait(now, all, time.Second), sent.wait(now, limit, span), sent.wait(now, chatBurst, time.Second))
	if wait > 0 {
		return max(1, int(math.Ceil(wait.Seconds())))
	}
	r.all.add(now)
	sent.add(now)
	return 0
}

// paced refuses what comes too fast, and counts.
func (s *Server) paced(c *Chat, p params) *refusal {
	now := s.options.Now()
	if left := s.rates.until.Sub(now); left > 0 {
		return tooMany(int(math.Ceil(left.Seconds())))
	}
	if s.options.Rates {
		all := freeRate
		if p["allow_paid_broadcast"] == "true" {
			if !s.options.Stars {
				return bad("BALANCE_TOO_LOW")
			}
			all = paidRate
		}
		if seconds := s.rates.over(c, now, all); seconds > 0 {
			return tooMany(seconds)
		}
	}
	s.meter.accept(now)
	return nil
}

func tooMany(seconds int) *refusal {
	return &refusal{code: 429, words: "Too Many Requests: retry after " + strconv.Itoa(seconds), retryAfter: seconds}
}

// Load is how much the bot sent and edited, by the server's clock.
type Load struct {
	Accepted  int   // messages sent and edited
	TooMany   int   // calls refused with 429
	PerSecond []int // accepted in each second, from the first on
	Most      int   // the most in any second, wherever it begins
	First     time.Time
	Last      time.Time
}

// Load tells it up to now.
func (s *Server) Load() Load {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.meter.Load
	l.PerSecond = append([]int(nil), l.PerSecond...)
	return l
}

// ResetLoad begins to count anew.
func (s *Server) ResetLoad() { s.change(func() { s.meter = meter{} }) }

type meter struct {
	Load
	lately window
}

func (m *meter) accept(now time.Time) {
	if m.Accepted == 0 {
		m.First = now
	}
	m.Accepted++
	m.Last = now
	second := int(now.Sub(m.First) / time.Second)
	for len(m.PerSecond) <= second {
		m.PerSecond = append(m.PerSecond, 0)
	}
	m.PerSecond[max(0, second)]++
	m.lately.forget(now, time.Second)
	m.lately.add(now)
	m.Most = max(m.Most, m.lately.len())
}
