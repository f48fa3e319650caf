package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"time"
)

const forEver = "public, max-age=31536000, immutable"

// media serves the pictures that articles brought. Their names are hashes of
// their bytes, so they never change. With ?cover=900x500 it is the middle of one
// in the size that chats show a card's picture in, with 1200x630 in that of page
// previews, with 320x320 in that of lists, as a JPEG.
func (s *site) media(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	asked, cover := r.URL.Query()["cover"]
	size, made := coverOf(asked)
	if cover && !made {
		s.notFound(w, r)
		return
	}
	figure, err := s.Library.Picture(r.Context(), name)
	if err == nil && cover {
		figure, err = s.covers.of(r.Context(), figure, size)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	h := w.Header()
	switch figure.Type {
	case "image/png", "image/jpeg", "image/gif", "image/webp":
		h.Set("Content-Type", figure.Type)
	default:
		h.Set("Content-Type", "application/octet-stream")
		h.Set("Content-Disposition", "attachment")
	}
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin") // chats and feed readers show them
	h.Set("Cache-Control", forEver)
	tag := strings.Map(func(c rune) rune {
		if c == '"' || c < ' ' || c > '~' {
			return -1
		}
		return c
	}, name)
	if cover {
		tag += "-" + size.String()
	}
	h.Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(figure.Data))
}

// assets are the pages' style and icon under names that carry a hash.
type assets struct {
	root  string
	files map[string][]byte
	names map[string]string
}

func readAssets(root string) (assets, error) {
	a := assets{root: root, files: map[string][]byte{}, names: map[string]string{}}
	entries, err := static.ReadDir("static")
	if err != nil {
		return a, err
	}
	for _, e := range entries {
		data, err := static.ReadFile("static/" + e.Name())
		if err != nil {
			return a, fmt.Errorf("read the pages' files: %w", err)
		}
		sum := sha256.Sum256(data)
		ext := filepath.Ext(e.Name())
		hashed := strings.TrimSuffix(e.Name(), ext) + "-" + hex.EncodeToString(sum[:6]) + ext
		a.files[hashed], a.names[e.Name()] = data, hashed
	}
	return a, nil
}

// link is the address of a file, for templates.
func (a assets) link(name string) string { return a.root + "/static/" + a.names[name] }

func (a assets) serve(w http.ResponseWriter, r *http.Request) {
	data, ok := a.files[r.PathValue("name")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	a.write(w, r, r.PathValue("name"), forEver, data)
}

func (a assets) icon(w http.ResponseWriter, r *http.Request) {
	a.write(w, r, "favicon.svg", "public, max-age=86400", a.files[a.names["favicon.svg"]])
}

func (a assets) write(w http.ResponseWriter, r *http.Request, name, cache string, data []byte) {
	types := map[string]string{".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
	w.Header().Set("Content-Type", types[filepath.Ext(name)])
	w.Header().Set("Cache-Control", cache)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}
