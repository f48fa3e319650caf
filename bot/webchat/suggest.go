package webchat

import (
	"encoding/json"
	"net/http"
	"strings"
	"unicode/utf8"
)

const (
	suggestions   = 8
	longestPrefix = 400 // bytes: longer texts are questions by themselves
	suggestAtOnce = 16  // requests; a reader who types fast does not miss one
)

// A suggestionView is what the script gets: a button with a note beside it.
type suggestionView struct {
	Label string `json:"label"`
	Tap   string `json:"tap"`
	Note  string `json:"note,omitempty"`
}

// suggest answers the script while a reader types, as JSON: a list that is
// empty when nothing comes to mind or too many ask at once.
func (c *Channel) suggest(w http.ResponseWriter, r *http.Request) {
	list := []suggestionView{}
	prefix := strings.TrimSpace(r.URL.Query().Get("q"))
	if prefix != "" && len(prefix) <= longestPrefix && utf8.ValidString(prefix) && !strings.HasPrefix(prefix, "/") {
		select {
		case c.suggesting <- struct{}{}:
			defer func() { <-c.suggesting }()
			lang, words := c.language(r)
			found, err := c.config.Suggest(r.Context(), prefix, lang, suggestions)
			if err != nil {
				c.fail(w, r, err)
				return
			}
			printer := c.config.Catalog.Printer(words)
			for _, s := range found {
				view := suggestionView{Label: s.Label, Tap: s.Text}
				if s.Articles > 0 {
					view.Note = printer.T("webchat.tag_articles", "Count", s.Articles)
				}
				list = append(list, view)
			}
		default:
		}
	}
	data, err := json.Marshal(list)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store") // what is withdrawn is gone at once
	_, _ = w.Write(data)
}
