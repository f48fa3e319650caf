package database

import (
	"context"
	"fmt"
	"sync"

	"github.com/uptrace/bun"
)

// A write waits to be committed.
type write struct {
	ctx  context.Context
	fn   func(ctx context.Context, tx bun.IDB) error
	done chan error
}

// writes is the queue of SQLite's one writer.
type writes struct {
	mu    sync.Mutex
	queue []*write
	busy  bool // somebody takes care of the queue
}

// mostTogether bounds how many writes one transaction takes.
const mostTogether = 64

// Write runs a short fn in a transaction, which on SQLite it may share with
// others: each commit there waits for the disk, and those who wait for the
// writer meanwhile are committed together. When one of them fails, each runs in
// a transaction of its own. So fn may run again, as in Tx, and must not have
// effects of its own; and it must not wait for another Write.
func (db *DB) Write(ctx context.Context, fn func(ctx context.Context, tx bun.IDB) error) error {
	if db.postgres { // which commits them together by itself
		return db.Tx(ctx, func(ctx context.Context, tx bun.Tx) error { return fn(ctx, tx) })
	}
	return db.writeTogether(&write{ctx: ctx, fn: fn, done: make(chan error, 1)})
}

// WriteOne is Write for an fn of one statement, which on PostgreSQL needs no
// transaction around it.
func (db *DB) WriteOne(ctx context.Context, fn func(ctx context.Context, tx bun.IDB) error) error {
	if db.postgres {
		return fn(ctx, db.DB)
	}
	return db.Write(ctx, fn)
}

func (db *DB) writeTogether(w *write) error {
	q := &db.writes
	q.mu.Lock()
	q.queue = append(q.queue, w)
	mine := !q.busy
	q.busy = true
	q.mu.Unlock()
	if mine && db.commitQueue() {
		go func() { // whoever was first need not work for all that come after
			for db.commitQueue() {
			}
		}()
	}
	err := <-w.done
	if p, ok := err.(panicked); ok {
		panic(p.cause)
	}
	return err
}

// commitQueue commits what waits, and tells whether more came meanwhile; when
// not, the next to come takes care of the queue.
func (db *DB) commitQueue() (more bool) {
	q := &db.writes
	q.mu.Lock()
	n := min(len(q.queue), mostTogether)
	group := q.queue[:n:n]
	q.queue = q.queue[n:]
	q.mu.Unlock()
	db.commit(group)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.busy = len(q.queue) > 0
	return q.busy
}

func (db *DB) commit(group []*write) {
	if len(group) == 1 {
		w := group[0]
		w.done <- db.Tx(w.ctx, w.run)
		return
	}
	// The transaction belongs to no single caller, whose time may be over.
	err := db.RunInTx(context.Background(), nil, func(_ context.Context, tx bun.Tx) error {
		for _, w := range group {
			if err := w.ctx.Err(); err != nil {
				return err
			}
			if err := w.run(w.ctx, tx); err != nil {
				return err
			}
		}
		return nil
	})
	for _, w := range group {
		if err == nil {
			w.done <- nil
		} else {
			w.done <- db.Tx(w.ctx, w.run)
		}
	}
}

// run keeps a panic from others who wait; Write brings it back to its caller.
func (w *write) run(ctx context.Context, tx bun.Tx) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = panicked{cause}
		}
	}()
	return w.fn(ctx, tx)
}

type panicked struct{ cause any }

func (p panicked) Error() string { return fmt.Sprintf("panic: %v", p.cause) }
