package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"

	"newsie/content"
	"newsie/internal/database"
	"newsie/internal/locale"
)

// frame is what every page has around what it shows.
type frame struct {
	P         locale.Printer
	Name      string
	Root      string // before every path on this server
	Chat      string
	Feed      string
	Lang      string // of what the page shows
	Dir       string
	Title     string // of the window
	Canonical string
}

func (s *site) frame(p locale.Printer) frame {
	f := frame{P: p, Name: s.Name, Root: s.root, Feed: s.root + "/feed.xml", Lang: p.Lang(), Dir: "ltr", Title: s.Name}
	if s.Chat != "" {
		f.Chat = s.root + s.Chat
	}
	return f
}

// printer speaks the reader's language: the one asked for in the address, or
// the first of the browser's that the catalog has.
func (s *site) printer(r *http.Request) locale.Printer {
	if asked := r.URL.Query().Get("lang"); asked != "" {
		match := s.Catalog.Match(asked)
		if sameLanguage(asked, match) {
			return s.Catalog.Printer(match)
		}
	}
	return s.Catalog.Accept(r.Header.Get("Accept-Language"))
}

func sameLanguage(a, b string) bool {
	x, _ := language.Make(a).Base()
	y, _ := language.Make(b).Base()
	return x == y
}

// direction is how a language is written.
func direction(lang string) string {
	script, _ := language.Make(lang).Script()
	switch script.String() {
	case "Arab", "Hebr", "Thaa", "Syrc", "Nkoo":
		return "rtl"
	}
	return "ltr"
}

// path is an article's address on this server, before the public address.
func path(a content.Article) string {
	p := "/a/" + strconv.FormatInt(a.ID, 10)
	if a.Slug != "" {
		p += "/" + url.PathEscape(a.Slug)
	}
	return p
}

// absolute makes "/media/…" an address that works elsewhere; anything but web
// addresses becomes nothing.
func (s *site) absolute(address string) string {
	if strings.HasPrefix(address, "/") && !strings.HasPrefix(address, "//") {
		return s.PublicURL + address
	}
	return webAddress(address)
}

// picture is the address of a picture for a page: ours below the root, others
// by https, which is all that the policy lets through.
func (s *site) picture(address string) string {
	if strings.HasPrefix(address, "/") && !strings.HasPrefix(address, "//") {
		return s.root + address
	}
	address = webAddress(address)
	if rest, ok := strings.CutPrefix(address, "http://"); ok {
		return "https://" + rest
	}
	return address
}

// webAddress is an absolute http or https address, or nothing.
func webAddress(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	return address
}

// show writes a page. Browsers keep it and ask each time whether it changed,
// so that a withdrawn article is gone at once.
func (s *site) show(w http.ResponseWriter, r *http.Request, status int, name string, view any) {
	var html bytes.Buffer
	if err := s.pages.ExecuteTemplate(&html, name, view); err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Add("Vary", "Accept-Language")
	if status == http.StatusOK {
		s.keep(w, r, "text/html; charset=utf-8", html.Bytes())
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(html.Bytes())
	}
}

// keep writes an answer that browsers may keep and must ask about. There is no
// Last-Modified: articles do not say when they were edited, and an ETag is exact.
func (s *site) keep(w http.ResponseWriter, r *http.Request, kind string, data []byte) {
	sum := sha256.Sum256(data)
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "public, no-cache")
	w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:12])+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}

// notice is a page that says what is wrong, kindly.
type notice struct {
	frame
	Heading, Words string
}

func (s *site) notFound(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.Error(w, "not found", http.StatusNotFound)
		return
	}
	s.notice(w, r, http.StatusNotFound, "not_found")
}

func (s *site) notice(w http.ResponseWriter, r *http.Request, status int, key string) {
	p := s.printer(r)
	view := notice{frame: s.frame(p), Heading: p.T("web." + key + "_heading"), Words: p.T("web." + key)}
	view.Title = view.Heading + " – " + s.Name
	s.show(w, r, status, "notice", view)
}

// fail is the one table from errors to what a reader is told.
func (s *site) fail(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, content.ErrNotFound):
		s.notFound(w, r)
		return
	case r.Context().Err() != nil && errors.Is(err, context.Canceled):
		return // nobody is there any more
	}
	s.Logger.Error("serve a page", "path", r.URL.Path, "error", err)
	status, key := http.StatusInternalServerError, "trouble"
	if database.Away(err) {
		status, key = http.StatusServiceUnavailable, "moment"
		w.Header().Set("Retry-After", "5")
	}
	p := s.printer(r)
	view := notice{frame: s.frame(p), Heading: p.T("web." + key + "_heading"), Words: p.T("web." + key)}
	var html bytes.Buffer
	if err := s.pages.ExecuteTemplate(&html, "notice", view); err != nil {
		html.Reset()
		html.WriteString(view.Words)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(html.Bytes())
}
