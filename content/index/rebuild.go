package index

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// format names what the analyzer writes. Change it whenever the terms of a
// document change: an index with another format is set aside and filled anew.
const format = "newsie index 2\n"

// readable are the older formats whose terms queries of today still find, if
// not all of them or not as well: such an index answers until the new one has
// caught up with it. Format 1 had no suggestions.
var readable = [...]string{"newsie index 1\n"}

const (
	formatFile = "FORMAT"
	filledFile = "FILLED" // tells that there was an Update
	storeDir   = "store"
)

// checkFormat says why an existing folder cannot be used; nil for a good or a
// new one.
func checkFormat(dir string) error {
	b, err := os.ReadFile(filepath.Join(dir, formatFile))
	switch {
	case err == nil && string(b) == format:
		return nil
	case err == nil:
		return fmt.Errorf("format is %q", strings.TrimSpace(string(b)))
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.New("format is not known")
}

// asideDir is where an index goes that cannot be used.
func asideDir(dir string) string { return filepath.Clean(dir) + ".old" }

// setAside renames the folder, in the place of one set aside before; but one
// that answers for a new index, which is damaged before it caught up, goes on.
func setAside(dir string) error {
	old := asideDir(dir)
	if isReadable(old) && !isReadable(dir) {
		return os.RemoveAll(dir)
	}
	if err := os.RemoveAll(old); err != nil {
		return err
	}
	return os.Rename(dir, old)
}

func isReadable(dir string) bool {
	b, err := os.ReadFile(filepath.Join(dir, formatFile))
	return err == nil && slices.Contains(readable[:], string(b))
}

// openOld opens the index set aside, when it can be read and knows more than
// this one: also when the process ended before this one had caught up. An old
// one that cannot be opened is no error: there is none, then.
func (x *Index) openOld() {
	dir := asideDir(x.dir)
	if !isReadable(dir) {
		return
	}
	old := &Index{dir: dir, log: x.log, readOnly: true}
	if err := old.openStore(); err != nil {
		x.log.Warn("the index set aside cannot be read", "dir", dir, "reason", err)
		return
	}
	x.oldSeq = old.Seq()
	x.old.Store(old)
	x.log.Info("an index of an older format answers until the new one has caught up", "dir", dir, "articles", old.Count())
	x.retire(x.Seq())
}

// StandsIn tells whether an older index answers because this one has not caught
// up with it.
func (x *Index) StandsIn() bool { return x.old.Load() != nil }

// retire removes the index that answers for this one as soon as this one has
// reached seq and knows what that one does. Queries under way finish on it.
func (x *Index) retire(seq int64) {
	if seq < x.oldSeq {
		return
	}
	old := x.old.Swap(nil)
	if old == nil {
		return
	}
	x.log.Info("the new index has caught up; the one of an older format is removed", "dir", old.dir)
	x.loading.Add(1)
	go func() {
		defer x.loading.Done()
		if err := errors.Join(old.Close(), os.RemoveAll(old.dir)); err != nil {
			x.log.Warn("the older index cannot be removed", "dir", old.dir, "err", err)
		}
	}()
}

// view opens the present state for a query: of the index that stands in for
// this one, if there is one. Close it.
func (x *Index) view() (*view, error) {
	if old := x.old.Load(); old != nil {
		v, err := old.view()
		if err == nil || !errors.Is(err, ErrClosed) {
			return v, err
		}
	}
	return x.own()
}
