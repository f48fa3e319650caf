package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestTheLogSaysOnceAMinuteThatTheDatabaseIsAway(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(0, 0)
	o := newOutage(slog.NewTextHandler(&out, nil), func() time.Time { return now })
	log, part := slog.New(o), slog.New(o).With("channel", "tg")
	gone := fmt.Errorf("read: %w", io.ErrUnexpectedEOF)
	lines := func(words string) int { return strings.Count(out.String(), words) }

	log.Error("before", "error", gone)
	log.Error("before", "error", gone)
	if n := lines("before"); n != 2 {
		t.Errorf("with a database, %d of 2 lines are there", n)
	}
	if !o.begin() || o.begin() {
		t.Error("that it goes away is not news once")
	}
	for range 59 {
		log.Error("follow", "error", gone)
		part.Warn("follow", "error", context.DeadlineExceeded)
		log.Warn("long", "for", time.Second)
		log.Error("refused", "error", errors.New("the platform says no"))
		log.Info("news")
		now = now.Add(time.Second)
	}
	for words, want := range map[string]int{"follow": 1, "long": 1, "refused": 59, "news": 59} {
		if n := lines(words); n != want {
			t.Errorf("%q is there %d times in a minute, want %d", words, n, want)
		}
	}
	now = now.Add(time.Second)
	log.Error("follow", "error", gone)
	if n := lines("repeated=117"); n != 1 {
		t.Errorf("what was left out is not counted: %s", out.String())
	}
	if away := o.end(); away != time.Minute || o.end() != 0 {
		t.Errorf("it was away for %s", away)
	}
	log.Error("follow", "error", gone)
	if n := lines("follow"); n != 3 {
		t.Errorf("afterwards %d of 3 lines are there", n)
	}
}
