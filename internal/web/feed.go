package web

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"newsie/content"
)

const feedSize = 30

// An Atom feed, RFC 4287.
type (
	atomFeed struct {
		XMLName xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
		Lang    string      `xml:"xml:lang,attr,omitempty"`
		ID      string      `xml:"id"`
		Title   string      `xml:"title"`
		Updated string      `xml:"updated"`
		Author  atomPerson  `xml:"author"`
		Icon    string      `xml:"icon"`
		Links   []atomLink  `xml:"link"`
		Entries []atomEntry `xml:"entry"`
	}
	atomPerson struct {
		Name string `xml:"name"`
	}
	atomLink struct {
		Rel  string `xml:"rel,attr"`
		Type string `xml:"type,attr,omitempty"`
		Href string `xml:"href,attr"`
		Lang string `xml:"hreflang,attr,omitempty"`
	}
	atomText struct {
		Type string `xml:"type,attr"`
		Lang string `xml:"xml:lang,attr,omitempty"`
		Text string `xml:",chardata"`
	}
	atomCategory struct {
		Term string `xml:"term,attr"`
	}
	atomEntry struct {
		Lang       string         `xml:"xml:lang,attr,omitempty"`
		ID         string         `xml:"id"`
		Title      atomText       `xml:"title"`
		Published  string         `xml:"published"`
		Updated    string         `xml:"updated"`
		Author     *atomPerson    `xml:"author"`
		Links      []atomLink     `xml:"link"`
		Categories []atomCategory `xml:"category"`
		Summary    *atomText      `xml:"summary"`
		Content    *atomText      `xml:"content"`
	}
)

// feed serves the newest articles whole, those of ?lang= and ?tag= when given.
func (s *site) feed(w http.ResponseWriter, r *http.Request) {
	filter, query := s.filter(r)
	if len(filter.Tags) > 0 {
		query.Set("tag", filter.Tags[0])
	}
	articles, err := s.Library.Latest(r.Context(), filter, feedSize, 0)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	home := url.Values{}
	if lang := query.Get("lang"); lang != "" {
		home.Set("lang", lang)
	}
	page := s.PublicURL + "/"
	if len(filter.Tags) > 0 {
		page += "tag/" + url.PathEscape(filter.Tags[0])
	}
	self := s.PublicURL + "/feed.xml" + withQuery(query)
	feed := atomFeed{
		Lang: query.Get("lang"), ID: self, Title: s.Name, Author: atomPerson{s.Name}, Icon: s.PublicURL + "/favicon.svg",
		Links: []atomLink{{Rel: "self", Type: "application/atom+xml", Href: self}, {Rel: "alternate", Type: "text/html", Href: page + withQuery(home)}},
	}
	var updated time.Time
	for _, listed := range articles {
		a, err := s.Library.Article(r.Context(), listed.ID)
		if errors.Is(err, content.ErrNotFound) || err == nil && a.State != content.Published {
			continue // withdrawn since
		}
		if err != nil {
			s.fail(w, r, err)
			return
		}
		entry, at := s.atomEntry(a)
		if at.After(updated) {
			updated = at
		}
		feed.Entries = append(feed.Entries, entry)
	}
	feed.Updated = stamp(updated)
	s.showXML(w, r, "application/atom+xml; charset=utf-8", feed)
}

func (s *site) atomEntry(a content.Article) (atomEntry, time.Time) {
	published, updated := a.Published, a.Added
	if published.IsZero() {
		published = a.Added
	}
	if published.After(updated) {
		updated = published
	}
	e := atomEntry{
		Lang: a.Lang, ID: s.PublicURL + "/a/" + strconv.FormatInt(a.ID, 10), // without the slug, which may change
		Title: atomText{Type: "text", Text: a.Title}, Published: stamp(published), Updated: stamp(updated),
		Links: []atomLink{{Rel: "alternate", Type: "text/html", Href: cmp.Or(webAddress(a.URL), s.PublicURL+path(a)), Lang: a.Lang}},
	}
	if a.Author != "" {
		e.Author = &atomPerson{a.Author}
	}
	for _, tag := range a.Tags {
		e.Categories = append(e.Categories, atomCategory{tag})
	}
	if a.Summary != "" {
		e.Summary = &atomText{Type: "text", Text: a.Summary}
	}
	if body := s.body(a.Body, s.absolute); body != "" {
		e.Content = &atomText{Type: "html", Text: string(body)}
	}
	return e, updated
}

func stamp(t time.Time) string {
	if t.IsZero() {
		t = time.Unix(0, 0)
	}
	return t.UTC().Format(time.RFC3339)
}

func (s *site) showXML(w http.ResponseWriter, r *http.Request, kind string, document any) {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	if err := xml.NewEncoder(&b).Encode(document); err != nil {
		s.fail(w, r, err)
		return
	}
	b.WriteByte('\n')
	s.keep(w, r, kind, b.Bytes())
}
