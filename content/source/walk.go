package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"newsie/content"
)

// A File is one file that may hold articles.
type File struct {
	Path string // for messages: as the caller named it, or below the folder named
	Abs  string // absolute, without symbolic links
	Root string // the folder that was named, or the file's own: pictures come from within

	found bool // in a folder, not named itself
}

// Source names the source a file belongs to: its folder. Together with Key, the
// absolute path, it is the same from whichever folder above it is imported.
func (f File) Source() string { return filepath.Base(filepath.Dir(f.Abs)) }

// Key identifies the file among all files.
func (f File) Key() string { return filepath.ToSlash(f.Abs) }

// passed are endings of files that stand beside articles and are none. Others
// are looked into.
var passed = strings.Fields(`.png .jpg .jpeg .jpe .gif .webp .avif .heic .svg .ico .bmp .tif .tiff .psd .eps
	.mp3 .wav .ogg .oga .m4a .aac .flac .mp4 .m4v .webm .mov .avi .mkv .srt .vtt
	.css .scss .sass .less .js .mjs .cjs .ts .tsx .jsx .map .wasm .woff .woff2 .ttf .otf .eot
	.yaml .yml .toml .ini .cfg .conf .lock .log .csv .tsv .sql .db .sqlite .sh .bat .py .go .rb .php .java .c .h .bak .tmp .swp .part`)

var passedNames = map[string]bool{"node_modules": true, "__macosx": true, "thumbs.db": true, "desktop.ini": true, "robots.txt": true, "license": true, "makefile": true, "dockerfile": true}

// Walk lists the files of paths in a stable order: folders are walked in the
// order of names, hidden files, symbolic links and what cannot be an article
// are passed over, and a file that is named twice comes once. Paths that are
// not there or cannot be read are returned as refused.
func Walk(ctx context.Context, paths []string) (files []File, refused []*RefusedError, err error) {
	seen := map[string]bool{}
	for _, path := range paths {
		abs, err := resolve(path)
		if err != nil {
			refused = append(refused, &RefusedError{path, ErrUnreadable, reason(err)})
			continue
		}
		info, err := os.Stat(abs)
		switch {
		case err != nil:
			refused = append(refused, &RefusedError{path, ErrUnreadable, reason(err)})
		case info.IsDir():
			found, failed, err := walkFolder(ctx, path, abs)
			if err != nil {
				return nil, nil, err
			}
			refused = append(refused, failed...)
			for _, f := range found {
				if !seen[f.Abs] {
					seen[f.Abs] = true
					files = append(files, f)
				}
			}
		case !info.Mode().IsRegular():
			refused = append(refused, &RefusedError{path, ErrUnreadable, "it is no regular file"})
		case !seen[abs]:
			seen[abs] = true
			files = append(files, File{Path: path, Abs: abs, Root: filepath.Dir(abs)})
		}
	}
	return files, refused, ctx.Err()
}

func walkFolder(ctx context.Context, path, abs string) (files []File, refused []*RefusedError, err error) {
	err = filepath.WalkDir(abs, func(at string, entry fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		rel, relErr := filepath.Rel(abs, at)
		if relErr != nil {
			return relErr
		}
		shown := filepath.Join(path, rel)
		if err != nil {
			refused = append(refused, &RefusedError{shown, ErrUnreadable, reason(err)})
			if entry != nil && entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if at != abs && (passOver(entry.Name()) || entry.IsDir() && ownState(at)) {
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if entry.Type().IsRegular() {
			files = append(files, File{Path: shown, Abs: at, Root: abs, found: true})
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("walk %s: %w", path, err)
	}
	return files, refused, nil
}

// ownState reports whether a folder holds newsie's own data: `newsie import .`
// must not read it.
func ownState(folder string) bool {
	for _, name := range []string{"newsie.db", "index.lock"} {
		if info, err := os.Stat(filepath.Join(folder, name)); err != nil || !info.Mode().IsRegular() {
			return false
		}
	}
	return true
}

func passOver(name string) bool {
	lower := strings.ToLower(name)
	if strings.HasPrefix(name, ".") || strings.HasSuffix(name, "~") || passedNames[lower] {
		return true
	}
	ext := filepath.Ext(lower)
	for _, p := range passed {
		if ext == p {
			return true
		}
	}
	return false
}

func resolve(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(abs)
}

// reason is a file error without the path, which stands beside it anyway.
func reason(err error) string {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		err = pathError.Err
	}
	return oneLine(err)
}

// ReadFile reads the articles of one file, together with the pictures they show,
// as what sourceName knows by key; where sourceName is empty, by the file's own
// Source and Key. It returns nothing at all for data files met in a folder. Its
// error is a *RefusedError.
func ReadFile(f File, sourceName, key string) (Parsed, error) {
	data, err := readAll(f)
	if err != nil {
		return Parsed{}, err
	}
	if sourceName == "" {
		sourceName, key = f.Source(), f.Key()
	}
	p, err := Parse(Text{Name: f.Path, Key: key, Source: sourceName, Data: data})
	if err != nil {
		if f.found && p.Kind == unknown {
			return Parsed{}, nil
		}
		return Parsed{}, err
	}
	if p.Kind == Markdown || p.Kind == HTML {
		for i := range p.Drafts {
			p.Warnings = append(p.Warnings, takePictures(&p.Drafts[i], f)...)
		}
	}
	if info, err := os.Stat(f.Abs); err == nil {
		for i := range p.Drafts {
			p.Drafts[i].Modified = info.ModTime().UTC()
		}
	}
	return p, nil
}

func readAll(f File) ([]byte, error) {
	file, err := os.Open(f.Abs)
	if err != nil {
		return nil, refuse(f.Path, ErrUnreadable, reason(err))
	}
	defer func() { _ = file.Close() }()
	data, err := io.ReadAll(io.LimitReader(file, MaxSize+1))
	switch {
	case err != nil:
		return nil, refuse(f.Path, ErrUnreadable, reason(err))
	case len(data) > MaxSize:
		return nil, refuse(f.Path, ErrTooLarge, "")
	}
	return data, nil
}

// Size is what a draft weighs in a batch, in bytes.
func Size(d content.Draft) int {
	n := 1000
	for _, b := range d.Body {
		n += len(b.Text) + 100
	}
	for _, p := range d.Pictures {
		n += len(p.Data)
	}
	return n
}
