package web

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"newsie/content"
)

// Tokens reads the last part of the addresses that count what readers open.
type Tokens interface {
	Parse(token string) (ref, article int64, ok bool)
}

// Opens counts what readers open: each article once for each reader, whom a
// number stands for. It must not wait.
type Opens interface {
	Opened(ref, article int64, at time.Time)
}

// opened serves /r/TOKEN: it leads on to an article and counts that its reader
// opened it. Where it leads the library alone says; of the request only ?with=
// is taken, to our own page. Whatever is wrong with an address looks the same.
func (s *site) opened(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Referrer-Policy", "no-referrer") // the address stands for a reader
	h.Set("X-Robots-Tag", "noindex, nofollow")
	h.Set("Cache-Control", "no-store")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	if s.Tokens == nil {
		s.notFound(w, r)
		return
	}
	ref, id, ok := s.Tokens.Parse(r.PathValue("token"))
	if !ok {
		s.notFound(w, r)
		return
	}
	a, err := s.Library.Article(r.Context(), id)
	published := err == nil && a.State == content.Published
	switch {
	case errors.Is(err, content.ErrNotFound):
		s.notFound(w, r)
		return
	case err != nil:
		s.fail(w, r, err)
		return
	case !published && a.State != content.Withdrawn && a.State != content.Gone:
		s.notFound(w, r)
		return
	}
	http.Redirect(w, r, s.leadsTo(r, a), http.StatusFound)
	if !published || s.Opens == nil || !readerOpens(r) {
		return
	}
	// Who reads does not wait for the count.
	_ = http.NewResponseController(w).Flush()
	s.Opens.Opened(ref, a.ID, s.Now())
}

// leadsTo is where an article is read: at its own address or, where there is
// none, on our page, which also says so when it was withdrawn, and which lists
// what was found beside it.
func (s *site) leadsTo(r *http.Request, a content.Article) string {
	ids := withIDs(r)
	if own := webAddress(a.URL); own != "" && a.State == content.Published && len(ids) == 0 {
		return own
	}
	to := s.root + path(a)
	if len(ids) > 0 {
		list := make([]string, len(ids))
		for i, id := range ids {
			list[i] = strconv.FormatInt(id, 10)
		}
		to += "?" + url.Values{"with": {strings.Join(list, ".")}}.Encode()
	}
	return to
}
