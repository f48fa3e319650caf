// Package index finds articles by their words.
//
// It knows tokens and article numbers only: texts stay in the store, and an
// index that is lost is filled again from there. Ranking is BM25 (Robertson &
// Zaragoza, "The Probabilistic Relevance Framework", 2009) over the storage of
// Bleve's scorch: immutable segments with exact document frequencies under
// deletes, snapshots for readers, and batches that are durable when Update
// returns. It owns no tables; what it owns is one folder.
package index

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/blevesearch/bleve/v2/index/scorch"
	bleve "github.com/blevesearch/bleve_index_api"
)

// seqKey is where storage keeps the position of the last Update.
var seqKey = []byte("seq")

// Options are what an Index may be told; the zero value is good.
type Options struct {
	Logger *slog.Logger // nil: slog.Default
}

// An Index is a folder of searchable articles. Its methods may be called from
// any goroutine: readers see the state before or after a batch, never half of
// one; writers take turns.
type Index struct {
	dir     string
	log     *slog.Logger
	rebuilt bool
	filled  bool // filledFile exists; the writer's

	store   bleve.Index
	queue   *bleve.AnalysisQueue
	workers sync.Pool // of *worker
	scratch sync.Pool // of *scratch
	stats   statsCache
	lexicon *lexicon

	synonyms atomic.Pointer[Synonyms]

	old      atomic.Pointer[Index] // answers until this one has caught up; see openOld
	oldSeq   int64                 // its position
	readOnly bool                  // it is such an old one

	writing sync.Mutex
	using   sync.RWMutex // held for reading while the store is in use, for writing to close it
	closed  bool
	loading sync.WaitGroup

	compacting atomic.Bool
	merging    sync.WaitGroup // ends when the store is closed
}

// A worker is what one goroutine needs to analyse texts.
type worker struct {
	analyzer
	stemmer
	counts tally // see emptyTally
}

// ErrClosed is returned for anything asked of a closed Index.
var ErrClosed = errors.New("index closed")

// ErrInUse is returned by Open when another process has the folder open.
var ErrInUse = errors.New("index in use by another process")

// Open opens the index in a folder, making it where there is none. An index
// that is damaged or of another format is renamed to dir.old, logged, and
// begun anew at Seq 0; see Rebuilt. If its format can still be read it answers
// until the new one has caught up, and is then removed; see StandsIn.
func Open(dir string, o Options) (*Index, error) {
	x := &Index{dir: dir, log: o.Logger, lexicon: newLexicon()}
	if x.log == nil {
		x.log = slog.Default()
	}
	x.workers.New = func() any { return new(worker) }
	x.scratch.New = func() any { return new(scratch) }
	err := checkFormat(dir)
	if err == nil {
		err = x.openStore()
	}
	if errors.Is(err, ErrInUse) {
		return nil, fmt.Errorf("open index %s: %w", dir, err)
	}
	if err != nil {
		x.log.Warn("index set aside, it will be filled anew", "dir", dir, "reason", err)
		if err := setAside(dir); err != nil {
			return nil, fmt.Errorf("set index aside: %w", err)
		}
		x.rebuilt = true
		if err := x.openStore(); err != nil {
			return nil, fmt.Errorf("open index %s: %w", dir, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, formatFile), []byte(format), 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("open index: %w", err), x.Close())
	}
	x.openOld()
	x.loadLexicon()
	return x, nil
}

// openStore opens storage and reads one posting of every segment. Storage
// panics on some kinds of damage; that is an error here.
func (x *Index) openStore() (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("damaged: %v", p)
		}
		if err != nil && x.queue != nil {
			x.queue.Close()
			x.queue = nil
		}
	}()
	x.queue = bleve.NewAnalysisQueue(analysts)
	store, err := scorch.NewScorch(scorch.Name, map[string]any{
		"path":         filepath.Join(x.dir, storeDir),
		"bolt_timeout": "2s",
		"read_only":    x.readOnly,
		// Fewer segments than usual: queries gain more than merging costs.
		"scorchMergePlanOptions": map[string]any{"maxSegmentsPerTier": 4, "segmentsPerMergeTask": 8, "floorSegmentSize": 200},
	}, x.queue)
	if err != nil {
		return err
	}
	if err := store.Open(); err != nil {
		if strings.Contains(err.Error(), "timeout") {
			return ErrInUse
		}
		return err
	}
	x.store = store
	if err := x.check(); err != nil {
		return errors.Join(err, store.Close())
	}
	return nil
}

// check reads a little of every segment. Storage that cannot read its latest
// state goes back to an older one, which is well, or to none.
func (x *Index) check() error {
	v, err := x.own()
	if err != nil {
		return err
	}
	defer v.close()
	if _, err := os.Stat(filepath.Join(x.dir, filledFile)); err == nil {
		if b, err := v.reader.GetInternal(seqKey); err != nil || len(b) != 8 {
			return errors.New("nothing of what was stored can be read")
		}
		x.filled = true
	}
	return nil
}

// analysts is how many documents of a batch are analysed at once.
const analysts = 2

// Rebuilt tells whether Open found an index that it could not use, so that
// this one begins empty.
func (x *Index) Rebuilt() bool { return x.rebuilt }

// Close waits for what is running and closes the folder.
func (x *Index) Close() error {
	x.loading.Wait()
	x.writing.Lock()
	defer x.writing.Unlock()
	if old := x.old.Swap(nil); old != nil {
		if err := old.Close(); err != nil {
			return err
		}
	}
	x.loading.Wait()
	x.using.Lock()
	defer x.using.Unlock()
	if x.closed {
		return nil
	}
	x.closed = true
	x.queue.Close()
	if err := x.store.Close(); err != nil {
		return fmt.Errorf("close index: %w", err)
	}
	x.merging.Wait()
	return nil
}

// Seq returns the position that the last finished Update gave; 0 for a new index.
func (x *Index) Seq() int64 {
	v, err := x.own()
	if err != nil {
		return 0
	}
	defer v.close()
	b, err := v.reader.GetInternal(seqKey)
	if err != nil || len(b) != 8 {
		return 0
	}
	return int64(binary.BigEndian.Uint64(b))
}

// Count returns how many articles this index has.
func (x *Index) Count() int {
	v, err := x.own()
	if err != nil {
		return 0
	}
	defer v.close()
	return int(v.docs)
}

// Size returns the bytes that the folder takes on disk.
func (x *Index) Size() int64 {
	var sum int64
	_ = filepath.WalkDir(x.dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil // a file merged away in the meantime
		}
		if info, err := d.Info(); err == nil {
			sum += info.Size()
		}
		return nil
	})
	return sum
}

// batchBytes bounds the text of one batch: analysed text takes some fifty
// times its own size until the batch is written.
const batchBytes = 2 << 20

// Update adds, replaces and removes articles, and moves the position to seq.
// It is safe: what it returns nil for survives a crash. A long list goes in
// several batches and the position with the last one, so that after a crash
// between two the same list is simply given again.
func (x *Index) Update(seq int64, docs []Doc) error {
	x.writing.Lock()
	defer x.writing.Unlock()
	x.using.RLock()
	defer x.using.RUnlock()
	if x.closed {
		return ErrClosed
	}
	if !x.filled {
		if err := os.WriteFile(filepath.Join(x.dir, filledFile), nil, 0o600); err != nil {
			return fmt.Errorf("update index: %w", err)
		}
		x.filled = true
	}
	for from := 0; ; {
		batch := bleve.NewBatch()
		var open unpacked
		to, size := from, 0
		for ; to < len(docs) && (to == from || size < batchBytes); to++ {
			d := &docs[to]
			size += len(d.Title) + len(d.Body) + 256
			if d.Deleted {
				batch.Delete(docKey(d.ID))
			} else {
				batch.Update(&storedDoc{index: x, doc: d, open: &open})
			}
		}
		if to == len(docs) {
			batch.SetInternal(seqKey, binary.BigEndian.AppendUint64(nil, uint64(seq)))
		}
		if err := x.store.Batch(batch); err != nil {
			return fmt.Errorf("update index to %d: %w", seq, err)
		}
		if from = to; to == len(docs) {
			x.retire(seq)
			return nil
		}
	}
}
