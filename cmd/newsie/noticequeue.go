package main

import (
	"context"
	"log/slog"
)

// mostNotices is how many notices may wait; what the publisher must know more
// of at once is in the log.
const mostNotices = 64

// A noticeQueue takes notices from whoever has a reader waiting, and gives them
// to the publisher meanwhile.
type noticeQueue struct {
	give    func(ctx context.Context, key, text string)
	log     *slog.Logger
	waiting chan queuedNotice
}

type queuedNotice struct{ key, text string }

func newNoticeQueue(give func(ctx context.Context, key, text string), log *slog.Logger) *noticeQueue {
	return &noticeQueue{give: give, log: log, waiting: make(chan queuedNotice, mostNotices)}
}

// put leaves a notice to run and does not wait. What finds no room is logged.
func (q *noticeQueue) put(_ context.Context, key, text string) {
	select {
	case q.waiting <- queuedNotice{key, text}:
	default:
		q.log.Warn("too many notices wait for the publisher; this one is left out", "notice", text)
	}
}

// run gives one notice after the other until ctx ends.
func (q *noticeQueue) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case n := <-q.waiting:
			q.give(ctx, n.key, n.text)
		}
	}
}
