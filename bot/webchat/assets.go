package webchat

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"path"
)

// assets are the chat's script, style and picture, under names that carry a
// hash of their bytes, so that browsers may keep them for ever.
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
			return a, fmt.Errorf("read the chat's files: %w", err)
		}
		sum := sha256.Sum256(data)
		ext := path.Ext(e.Name())
		hashed := e.Name()[:len(e.Name())-len(ext)] + "-" + hex.EncodeToString(sum[:6]) + ext
		a.files[hashed], a.names[e.Name()] = data, hashed
	}
	return a, nil
}

// serve writes the file called name, or reports that there is none.
func (a assets) serve(w http.ResponseWriter, r *http.Request, name string) bool {
	data, ok := a.files[name]
	if !ok || r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	types := map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
	w.Header().Set("Content-Type", types[path.Ext(name)])
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	w.Header().Set("Content-Length", fmt.Sprint(len(data)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(data)
	}
	return true
}
