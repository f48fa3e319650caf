package telegram

import (
	"sync"
	"time"
)

// mostUnreadable is how many updates that cannot be read are logged in an hour:
// one tells the publisher as much as thousands, which a server of another make
// may send.
const mostUnreadable = 10

// A ration allows so many lines of a log an hour.
type ration struct {
	mu    sync.Mutex
	since time.Time
	used  int
}

// take reports whether a line is allowed, and whether it is the last of its hour.
func (r *ration) take(now time.Time, most int) (ok, last bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Sub(r.since) >= time.Hour {
		r.since, r.used = now, 0
	}
	r.used++
	return r.used <= most, r.used == most
}

// unreadable notes that an update was skipped, in one line; 0: its id cannot be
// read either.
func (c *Channel) unreadable(id int64) {
	c.count("update_undecodable")
	ok, last := c.skipped.take(c.config.Now(), mostUnreadable)
	if !ok {
		return
	}
	args := []any{"update", id}
	if last {
		args = append(args, "more", "are counted, and not logged for the rest of the hour")
	}
	c.log.Warn("an update that cannot be read was skipped", args...)
}
