package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"newsie/internal/database"
)

// An outage knows whether the database is away. Meanwhile each of those who try
// again says so in the log as often as it tries: as a slog.Handler it lets what
// says the same through once a minute.
type outage struct {
	slog.Handler
	*outageState
}

type outageState struct {
	now func() time.Time

	mu    sync.Mutex
	since time.Time // zero: the database is there
	told  map[string]toldLine
}

// A toldLine is when the log said something last, and how often it wanted to since.
type toldLine struct {
	at   time.Time
	left int
}

// tellAgain is how long a line that says the same is left out while the database is away.
const tellAgain = time.Minute

func newOutage(next slog.Handler, now func() time.Time) outage {
	return outage{next, &outageState{now: now, told: map[string]toldLine{}}}
}

// begin says that the database is away, and reports whether that is news.
func (s *outageState) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.since.IsZero() {
		return false
	}
	s.since = s.now()
	return true
}

// end says that the database is there, and reports how long it was away; 0 if it
// was not.
func (s *outageState) end() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.since.IsZero() {
		return 0
	}
	away := s.now().Sub(s.since)
	s.since = time.Time{}
	return max(away, 1)
}

// admit reports whether a line is to be said, and how many like it were not.
func (s *outageState) admit(words string) (left int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	last, said := s.told[words]
	if !s.since.IsZero() && said && now.Sub(last.at).Abs() < tellAgain {
		last.left++
		s.told[words] = last
		return 0, false
	}
	s.told[words] = toldLine{at: now}
	return last.left, true
}

// Handle leaves out what was said a moment ago of a database that is away.
func (o outage) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelWarn && ofDatabase(r) {
		left, ok := o.admit(r.Message)
		if !ok {
			return nil
		}
		if left > 0 {
			r.AddAttrs(slog.Int("repeated", left))
		}
	}
	return o.Handler.Handle(ctx, r)
}

// ofDatabase reports whether the database's absence may be the cause of a line:
// its error says so, or there is none.
func ofDatabase(r slog.Record) bool {
	may := true
	r.Attrs(func(a slog.Attr) bool {
		if err, ok := a.Value.Any().(error); ok {
			may = database.Away(err) || errors.Is(err, context.DeadlineExceeded)
		}
		return may
	})
	return may
}

// WithAttrs and WithGroup keep the one state.
func (o outage) WithAttrs(attrs []slog.Attr) slog.Handler {
	return outage{o.Handler.WithAttrs(attrs), o.outageState}
}

func (o outage) WithGroup(name string) slog.Handler {
	return outage{o.Handler.WithGroup(name), o.outageState}
}
