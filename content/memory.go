package content

import (
	"container/list"
	"context"
	"fmt"
	"sync"

	"newsie/content/index"
)

// A memory is what a replica remembers of the store, so that a search need not
// read it anew: which articles readers may see, of which story each is, and the
// articles shown lately. Every search first asks the database for the counters
// that each change moves (remember), so it never shows what was withdrawn.
type memory struct {
	mu      sync.RWMutex
	at      counters
	known   bool
	visible map[int64]int64 // published articles: their position
	stories map[int64]int64 // articles that are of one: its first article

	shown recent
}

// counters are the store's: the last position, and how often stories changed.
type counters struct{ seq, stories int64 }

func (l *Library) counters(ctx context.Context) (counters, error) {
	var at counters
	err := l.db.Reader().QueryRowContext(ctx, `SELECT value, COALESCE((SELECT value FROM counters WHERE name = 'stories'), 0)
		FROM counters WHERE name = 'seq'`).Scan(&at.seq, &at.stories)
	if err != nil {
		return at, fmt.Errorf("read the position of the store: %w", err)
	}
	return at, nil
}

// remember brings the memory up to date.
func (l *Library) remember(ctx context.Context) error {
	m := &l.memory
	at, err := l.counters(ctx)
	if err != nil {
		return err
	}
	m.mu.RLock()
	fresh := m.known && at == m.at
	m.mu.RUnlock()
	if fresh {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known && at == m.at {
		return nil
	}
	// What changes while this reads is read too, or again the next time.
	if at.seq != m.at.seq || !m.known {
		if err := l.rememberVisible(ctx); err != nil {
			return err
		}
	}
	if at.stories != m.at.stories || !m.known {
		if err := l.rememberStories(ctx); err != nil {
			return err
		}
	}
	m.at, m.known = at, true
	return nil
}

// manyChanges is from how many changes on all is read instead: the rows of
// changes are long, the indexes are short.
const manyChanges = 1000

func (l *Library) rememberVisible(ctx context.Context) error {
	m := &l.memory
	type change struct {
		ID, Seq int64
		State   State
	}
	var changes []change
	if m.known {
		err := l.db.Reader().NewRaw("SELECT id, seq, state FROM articles WHERE seq > ? ORDER BY seq LIMIT ?", m.at.seq, manyChanges).Scan(ctx, &changes)
		if err != nil {
			return fmt.Errorf("read what changed: %w", err)
		}
	}
	if m.known && len(changes) < manyChanges {
		for _, c := range changes {
			if delete(m.visible, c.ID); c.State == Published {
				m.visible[c.ID] = c.Seq
			}
		}
		return nil
	}
	var published []int64
	if err := l.db.Reader().NewRaw("SELECT id FROM articles"+l.db.Via("articles_latest")+" WHERE state = ?", Published).Scan(ctx, &published); err != nil {
		return fmt.Errorf("list the published articles: %w", err)
	}
	m.visible = make(map[int64]int64, len(published))
	for _, id := range published {
		m.visible[id] = 0
	}
	var all []change
	if err := l.db.Reader().NewRaw("SELECT id, seq FROM articles"+l.db.Via("articles_seq")+" WHERE seq >= 0").Scan(ctx, &all); err != nil {
		return fmt.Errorf("list the articles' positions: %w", err)
	}
	for _, c := range all {
		if _, ok := m.visible[c.ID]; ok {
			m.visible[c.ID] = c.Seq
		}
	}
	return nil
}

func (l *Library) rememberStories(ctx context.Context) error {
	var members []struct{ ID, Story int64 }
	err := l.db.Reader().NewRaw("SELECT id, story FROM articles"+l.db.Via("articles_member")+" WHERE story > 0 AND story <> 0").Scan(ctx, &members)
	if err != nil {
		return fmt.Errorf("list the stories: %w", err)
	}
	l.memory.stories = make(map[int64]int64, len(members))
	for _, a := range members {
		l.memory.stories[a.ID] = a.Story
	}
	return nil
}

// sight gives those of some articles that readers may see, in the same order,
// with their ids, positions and stories alone, as remembered.
func (l *Library) sight(hits []index.Hit) []Article {
	m := &l.memory
	m.mu.RLock()
	defer m.mu.RUnlock()
	seen := make([]Article, 0, len(hits))
	for _, hit := range hits {
		if seq, ok := m.visible[hit.ID]; ok {
			seen = append(seen, Article{ID: hit.ID, Seq: seq, Story: m.stories[hit.ID]})
		}
	}
	return seen
}

// A telling is an article with the sentences that a snippet may be made of. It
// is shared: nobody changes it.
type telling struct {
	Article // without its body
	text    index.Text
	whole   string // with headings and code
}

// tellings loads published articles by id, those shown lately from memory.
func (l *Library) tellings(ctx context.Context, ids []int64) ([]telling, error) {
	found := make(map[int64]telling, len(ids))
	var missing []int64
	m := &l.memory
	m.mu.RLock()
	for _, id := range ids {
		seq, ok := m.visible[id]
		if !ok {
			continue
		}
		// Where else a story is told changes without its articles.
		if t, ok := m.shown.get(id, seq); ok && m.stories[id] == 0 {
			found[id] = t
		} else {
			missing = append(missing, id)
		}
	}
	m.mu.RUnlock()
	if len(missing) > 0 {
		loaded, err := l.load(ctx, missing, meta+", body")
		if err != nil {
			return nil, err
		}
		for _, a := range loaded {
			t := telling{a, index.Sentences(a.Lang, snippetText(a)), a.Text()}
			if t.Body = nil; t.whole == t.text.Text {
				t.whole = t.text.Text // once in memory
			}
			if found[a.ID] = t; a.Story == 0 {
				m.shown.put(t)
			}
		}
	}
	ordered := make([]telling, 0, len(ids))
	for _, id := range ids {
		if t, ok := found[id]; ok {
			ordered = append(ordered, t)
		}
	}
	return ordered, nil
}

// mostRecent bounds the articles shown lately, in bytes of their texts.
const mostRecent = 64 << 20

// recent keeps the articles used last.
type recent struct {
	mu    sync.Mutex
	byID  map[int64]*list.Element // of order, holding a telling
	order list.List               // the last used first
	bytes int
}

func (t telling) size() int {
	n := t.text.Size()
	if len(t.whole) > len(t.text.Text) {
		n += len(t.whole)
	}
	return n + len(t.Title) + len(t.Summary) + len(t.URL) + len(t.Note) + 600 // the rest, about
}

// get gives an article as it was at a position.
func (r *recent) get(id, seq int64) (telling, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.byID[id]
	if !ok {
		return telling{}, false
	}
	t := e.Value.(telling)
	if t.Seq != seq {
		return telling{}, false
	}
	r.order.MoveToFront(e)
	return t, true
}

func (r *recent) put(t telling) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byID == nil {
		r.byID = map[int64]*list.Element{}
	}
	if e, ok := r.byID[t.ID]; ok {
		r.drop(e)
	}
	r.byID[t.ID] = r.order.PushFront(t)
	r.bytes += t.size()
	for r.bytes > mostRecent && r.order.Len() > 1 {
		r.drop(r.order.Back())
	}
}

func (r *recent) drop(e *list.Element) {
	t := r.order.Remove(e).(telling)
	delete(r.byID, t.ID)
	r.bytes -= t.size()
}
