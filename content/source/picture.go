package source

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"newsie/content"
)

const maxPictures = 100 // of one article

// takePictures reads the relative pictures of a draft into it and drops those
// that cannot be had. A name is looked up beside the file or, when it begins
// with a slash, in the folder imported, and nothing outside that folder can be
// reached, neither by ".." nor by a symbolic link.
func takePictures(d *content.Draft, f File) (warnings []string) {
	root, err := os.OpenRoot(f.Root)
	if err != nil {
		return []string{fmt.Sprintf("%s: pictures left out: %s", f.Path, reason(err))}
	}
	defer func() { _ = root.Close() }()
	folder, err := filepath.Rel(f.Root, filepath.Dir(f.Abs))
	if err != nil {
		folder = "."
	}
	take := func(name string) bool {
		if slices.ContainsFunc(d.Pictures, func(p content.Figure) bool { return p.Name == name }) {
			return true
		}
		if len(d.Pictures) == maxPictures {
			warnings = append(warnings, fmt.Sprintf("%s: picture %s left out: more than %d in one article", f.Path, name, maxPictures))
			return false
		}
		figure, err := readPicture(root, filepath.ToSlash(folder), name)
		if err != nil {
			warnings = append(warnings, fmt.Sprintf("%s: picture %s left out: %v", f.Path, name, err))
			return false
		}
		d.Pictures = append(d.Pictures, figure)
		return true
	}
	d.Body = slices.DeleteFunc(d.Body, func(b content.Block) bool {
		return b.Kind == content.Picture && webAddress(b.URL) == "" && !take(b.URL)
	})
	if d.Cover != "" && webAddress(d.Cover) == "" && !take(d.Cover) {
		d.Cover = ""
	}
	return warnings
}

func readPicture(root *os.Root, folder, name string) (content.Figure, error) {
	file, err := openPicture(root, folder, name)
	if err != nil {
		return content.Figure{}, err
	}
	defer func() { _ = file.Close() }()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return content.Figure{}, fmt.Errorf("%w: no regular file", ErrUnreadable)
	}
	data, err := io.ReadAll(io.LimitReader(file, MaxSize+1))
	switch {
	case err != nil:
		return content.Figure{}, fmt.Errorf("%w: %s", ErrUnreadable, reason(err))
	case len(data) > MaxSize:
		return content.Figure{}, ErrTooLarge
	}
	kind := http.DetectContentType(data)
	switch kind {
	case "image/png", "image/jpeg", "image/gif", "image/webp":
		return content.Figure{Name: name, Type: kind, Data: data}, nil
	}
	return content.Figure{}, fmt.Errorf("it is no PNG, JPEG, GIF or WebP picture")
}

// openPicture opens name as it stands and, failing that, as an address: with
// escapes and without a query.
func openPicture(root *os.Root, folder, name string) (*os.File, error) {
	candidates := []string{name}
	if u, err := url.Parse(name); err == nil && u.Path != name {
		candidates = append(candidates, u.Path)
	}
	var last error
	for _, candidate := range candidates {
		candidate = strings.ReplaceAll(candidate, `\`, "/")
		within := path.Join(folder, candidate)
		if strings.HasPrefix(candidate, "/") {
			within = strings.TrimLeft(path.Clean(candidate), "/")
		}
		if !filepath.IsLocal(filepath.FromSlash(within)) {
			last = fmt.Errorf("it lies outside the folder that is imported")
			continue
		}
		// A pipe must not be opened: that would wait for a writer.
		if info, err := root.Stat(filepath.FromSlash(within)); err != nil {
			last = fmt.Errorf("%w: %s", ErrUnreadable, reason(err))
			continue
		} else if !info.Mode().IsRegular() {
			last = fmt.Errorf("%w: no regular file", ErrUnreadable)
			continue
		}
		file, err := root.Open(filepath.FromSlash(within))
		if err == nil {
			return file, nil
		}
		last = fmt.Errorf("%w: %s", ErrUnreadable, reason(err))
	}
	return nil, last
}
