package ingest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"newsie/content"
	"newsie/content/source"
)

// A survey is what an import saw of files, whether or not they gave articles.
type survey struct {
	keys    map[[2]string]bool // source and key of every file
	abs     map[string]bool
	folders []string // that were named, absolute
	partial bool     // a folder could not be read, so that a file not seen may be there
	vague   bool     // a file held, or may have held, articles that are not known by its path
}

func newSurvey() *survey { return &survey{keys: map[[2]string]bool{}, abs: map[string]bool{}} }

func (s *survey) add(f source.File, name, key string) {
	if name == "" {
		name, key = f.Source(), f.Key()
	}
	s.keys[[2]string{name, key}] = true
	s.abs[f.Abs] = true
}

// loseGone takes back the articles of a folder whose files are gone: the folder
// is the truth. One that is empty or could not be read whole is not.
func (g *Ingester) loseGone(ctx context.Context, s SourceConfig, seen *survey, result *Result) error {
	kept, err := g.library.BySource(ctx, s.Name)
	if err != nil {
		return err
	}
	var gone []content.Article
	root := realPath(s.Location)
	for _, a := range kept {
		if a.State == content.Withdrawn || a.State == content.Gone || seen.keys[[2]string{a.Source, a.Key}] {
			continue
		}
		if seen.vague && !fileLike(a.Key) || exists(filepath.Join(root, filepath.FromSlash(a.Key))) {
			continue
		}
		gone = append(gone, a)
	}
	switch {
	case len(gone) == 0:
		return nil
	case len(seen.keys) == 0:
		return fmt.Errorf("%s is empty; the %d articles that came from it stay", s.Location, len(gone))
	case seen.partial:
		return fmt.Errorf("%s cannot be read whole; %d articles without a file stay", s.Location, len(gone))
	}
	for _, a := range gone {
		if err := g.library.Lose(ctx, a.ID); err != nil {
			return err
		}
		result.Gone = append(result.Gone, Outcome{ID: a.ID, Title: a.Title, Lang: a.Lang, Source: a.Source, State: content.Gone, Path: a.Key})
	}
	return nil
}

// missing lists the articles that came from the folders of an import and have
// no file any more.
func (g *Ingester) missing(ctx context.Context, seen *survey, result *Result) error {
	told := map[int64]bool{}
	for _, folder := range seen.folders {
		under, err := g.library.Under(ctx, filepath.ToSlash(folder)+"/")
		if err != nil {
			return err
		}
		for _, a := range under {
			if path := filepath.FromSlash(a.Key); !told[a.ID] && !seen.abs[path] && !exists(path) {
				told[a.ID] = true
				result.Missing = append(result.Missing, Outcome{ID: a.ID, Title: a.Title, Lang: a.Lang, Source: a.Source, State: a.State, Path: a.Key})
			}
		}
	}
	return nil
}

// A place is where an article's file lies, and whether a configured source
// brings it.
type place struct {
	abs        string
	source     string
	configured bool
}

// place finds an article's file; ok is false when it comes from no file.
func (n names) place(a content.Article) (p place, ok bool) {
	for _, s := range n {
		if s.Name == a.Source {
			return place{filepath.Join(realPath(s.Location), filepath.FromSlash(a.Key)), a.Source, true}, s.Kind == KindFolder && fileLike(a.Key)
		}
	}
	path := filepath.FromSlash(a.Key)
	return place{path, a.Source, false}, filepath.IsAbs(path)
}

// elsewhere looks for an article that says the same as one of a new file. It
// returns the article that makes this one a duplicate, or has an article whose
// file was moved here follow it.
func (b *batch) elsewhere(ctx context.Context, it item) (duplicate *content.Article, err error) {
	a := it.arrival.Article
	same, err := b.ingester.library.ByHash(ctx, a.Hash)
	if err != nil || len(same) == 0 {
		return nil, err
	}
	if known, err := b.ingester.library.Exists(ctx, a.Source, a.Key); err != nil || known {
		return nil, err
	}
	for _, other := range same {
		old, ok := b.named.place(other)
		switch {
		case !ok || old.configured && it.place.configured && old.source != it.place.source && exists(old.abs):
			continue // two sources may each bring it: channels choose among sources
		case old.abs != it.place.abs && exists(old.abs):
			if duplicate == nil {
				duplicate = &other
			}
			continue
		}
		b.result.Moved++
		if b.dryRun {
			return nil, nil
		}
		return nil, b.ingester.library.Rekey(ctx, other.ID, a.Source, a.Key)
	}
	return duplicate, nil
}

// fileLike tells a path from a feed's identifiers.
func fileLike(key string) bool {
	ext := filepath.Ext(key)
	return len(ext) > 1 && len(ext) <= 10 && !strings.Contains(key, ":") && !strings.ContainsAny(ext, "#?/ ")
}

// exists is false only when it is certain that there is no such file.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// realPath is a folder's absolute path without symbolic links, as far as it is there.
func realPath(folder string) string {
	abs, err := filepath.Abs(folder)
	if err != nil {
		return folder
	}
	if resolved, err := filepath.EvalSymlinks(abs); err == nil {
		return resolved
	}
	return abs
}

// fresh keeps those of a source's refusals that were not told before, or whose
// file changed since.
func (g *Ingester) fresh(name string, refused []Refusal) []Refusal {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := make(map[string]string, len(refused))
	var fresh []Refusal
	for _, r := range refused {
		sign := r.Reason
		if info, err := os.Stat(r.Path); err == nil {
			sign += fmt.Sprint(info.Size(), info.ModTime().UnixNano())
		}
		now[r.Path] = sign
		if g.told[name][r.Path] != sign {
			fresh = append(fresh, r)
		}
	}
	g.told[name] = now
	return fresh
}
