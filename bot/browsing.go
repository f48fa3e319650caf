package bot

import (
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"sync"

	"newsie/content"
)

// A browsed list is one that readers page through in inline mode, where no list
// is kept for them: what is known of it is in the offset that the platform
// hands back.
type browsed struct {
	key   string // channel, language and words
	query content.Query
	ids   []int64
	hits  []content.Hit // of the first ones, where the search has shown them
	seq   int64         // the position of the store that it was made at
	shown int           // of the first ones
	mark  uint64
}

// mostBrowsed is how many lists are remembered.
const mostBrowsed = 512

// browsing remembers the latest lists, so that a page goes on where the one
// before ended although articles came meanwhile. A list that is forgotten, or was
// made by another process, is made again by the words, without what came later;
// only the ranking of what is left may then be another.
type browsing struct {
	mu    sync.Mutex
	lists map[uint64]browsed
	order []uint64 // the oldest first
}

// keep remembers a list and returns the offset that goes on with it.
func (b *browsing) keep(l browsed) string {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(l.key))
	for _, id := range l.ids {
		_, _ = hash.Write(strconv.AppendInt([]byte{'.'}, id, 36))
	}
	l.mark = hash.Sum64()
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.lists[l.mark]; !ok {
		if b.lists == nil {
			b.lists = map[uint64]browsed{}
		}
		if len(b.order) == mostBrowsed {
			delete(b.lists, b.order[0])
			b.order = slices.Delete(b.order, 0, 1)
		}
		b.lists[l.mark] = browsed{key: l.key, ids: l.ids}
		b.order = append(b.order, l.mark)
	}
	return strconv.Itoa(l.shown) + "." + strconv.FormatInt(l.seq, 36) + "." + strconv.FormatUint(l.mark, 36)
}

// find gives the articles of the list that an offset named.
func (b *browsing) find(l browsed) ([]int64, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	kept, ok := b.lists[l.mark]
	return kept.ids, ok && kept.key == l.key
}

// parse reads an offset; false: it is none of ours.
func (l *browsed) parse(offset string) bool {
	parts := strings.Split(offset, ".")
	if len(parts) != 3 {
		return false
	}
	var err [3]error
	l.shown, err[0] = strconv.Atoi(parts[0])
	l.seq, err[1] = strconv.ParseInt(parts[1], 36, 64)
	l.mark, err[2] = strconv.ParseUint(parts[2], 36, 64)
	return err == [3]error{} && l.shown > 0 && l.shown <= content.Depth && l.seq >= 0
}
