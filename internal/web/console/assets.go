package console

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"path"
	"strings"
)

// assets are the console's style and script under names that carry a hash of
// their bytes, so that browsers may keep them for ever.
type assets struct {
	files map[string][]byte // by hashed name
	names map[string]string // plain name to hashed name
}

func readAssets() (assets, error) {
	a := assets{files: map[string][]byte{}, names: map[string]string{}}
	entries, err := static.ReadDir("static")
	if err != nil {
		return a, err
	}
	for _, e := range entries {
		data, err := static.ReadFile("static/" + e.Name())
		if err != nil {
			return a, fmt.Errorf("read the console's files: %w", err)
		}
		sum := sha256.Sum256(data)
		ext := path.Ext(e.Name())
		hashed := strings.TrimSuffix(e.Name(), ext) + "-" + hex.EncodeToString(sum[:6]) + ext
		a.files[hashed], a.names[e.Name()] = data, hashed
	}
	return a, nil
}

func (a assets) serve(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	data, ok := a.files[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}[path.Ext(name)])
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Content-Length", fmt.Sprint(len(data)))
	h.Del("Vary")
	if r.Method != http.MethodHead {
		_, _ = w.Write(data)
	}
}
