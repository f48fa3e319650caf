package content

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"newsie/content/index"
	"newsie/internal/database"
)

// Seq is the position up to which the index has followed the store: what can
// be found now.
func (l *Library) Seq() int64 { return l.index.Seq() }

// Newest is the position of the store's last change.
func (l *Library) Newest(ctx context.Context) (int64, error) {
	at, err := l.counters(ctx)
	return at.seq, err
}

// Size is the index's size on disk, in bytes.
func (l *Library) Size() int64 { return l.index.Size() }

// Lag is how many changes the index has still to follow.
func (l *Library) Lag(ctx context.Context) (int64, error) {
	var n int64
	err := l.db.Reader().NewRaw("SELECT count(*) FROM articles WHERE seq > ?", l.index.Seq()).Scan(ctx, &n)
	if err != nil {
		return 0, fmt.Errorf("measure the lag of the index: %w", err)
	}
	return n, nil
}

// SignalName is what replicas tell each other when articles have changed: there
// is something for Wake to follow.
const SignalName = "articles"

// signal tells all replicas, in the transaction that changed articles.
func (l *Library) signal(ctx context.Context, tx bun.Tx) error {
	return l.db.Signal(ctx, tx, database.Signal{Name: SignalName})
}

// Behind is how long the index has been behind the store without a break, as far
// as this process knows; 0: it is not. Articles that come faster than they are
// followed count, and so does an index that cannot be written.
func (l *Library) Behind() time.Duration {
	since := l.behind.Load()
	if since == nil {
		return 0
	}
	return max(l.now().Sub(*since), 0)
}

// Stalled is how long the index has been behind the store without following any
// further; 0: it is not behind. A great import keeps it behind, and not stalled.
func (l *Library) Stalled() time.Duration {
	behind := l.Behind()
	if moved := l.moved.Load(); moved != nil {
		behind = min(behind, max(l.now().Sub(*moved), 0))
	}
	return behind
}

// follows notes whether there is something that the index has not followed.
func (l *Library) follows(behind bool) {
	if !behind {
		l.behind.Store(nil)
		return
	}
	now := l.now()
	l.behind.CompareAndSwap(nil, &now)
}

// Wake tells Run that there may be something to follow.
func (l *Library) Wake() {
	select {
	case l.woken <- struct{}{}:
	default:
	}
}

// Run follows the store until ctx ends: at once after a change made here or told
// by Wake, and within a second after any other.
func (l *Library) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	release := time.NewTicker(20 * time.Second)
	defer release.Stop()
	for {
		if _, err := l.Follow(ctx); err != nil && ctx.Err() == nil {
			l.log.Error("the index cannot follow the store; trying again", "error", err)
		}
		if more, err := l.Compare(ctx); err != nil && ctx.Err() == nil {
			l.log.Error("articles that were kept before are not compared; trying again", "error", err)
		} else if more {
			l.Wake()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-l.woken:
		case <-tick.C:
		case <-release.C:
			if n, err := l.Release(ctx); err != nil && ctx.Err() == nil {
				l.log.Error("articles whose date came stay hidden; trying again", "error", err)
			} else if n > 0 {
				l.log.Info("articles published on their date", "articles", n)
			}
		}
	}
}

// batch bounds what one step of Follow reads into memory.
const batch = 400

// Follow brings the index up to the store and returns how many changes that
// took. It then works out the related articles of what is new, which takes
// longer and gives way to changes that come meanwhile.
func (l *Library) Follow(ctx context.Context) (int, error) {
	l.following.Lock()
	defer l.following.Unlock()
	total, told := 0, l.now()
	for {
		changes, err := l.Since(ctx, l.index.Seq(), batch)
		if err != nil {
			return total, err
		}
		l.follows(len(changes) > 0)
		if len(changes) == 0 {
			if total > batch {
				l.index.Compact()
			}
			more, err := l.relate(ctx)
			if err != nil || !more || ctx.Err() != nil {
				return total, err
			}
			continue
		}
		docs := make([]index.Doc, len(changes))
		for i, a := range changes {
			docs[i] = doc(a)
		}
		if err := l.index.Update(changes[len(changes)-1].Seq, docs); err != nil {
			return total, fmt.Errorf("update the index: %w", err)
		}
		now := l.now()
		l.moved.Store(&now)
		total += len(changes)
		told = l.tellProgress(ctx, told)
	}
}

func doc(a Article) index.Doc {
	if a.State != Published {
		return index.Doc{ID: a.ID, Deleted: true}
	}
	return index.Doc{
		ID: a.ID, Lang: a.Lang, Title: a.Title, Body: a.Text(),
		Names: append(append([]string(nil), a.Tags...), a.Author),
		Tags:  a.Tags, Source: a.Source, Author: a.Author, Published: a.Published,
	}
}
