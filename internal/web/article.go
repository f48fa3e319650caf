package web

import (
	"cmp"
	"context"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"newsie/content"
	"newsie/internal/locale"
)

const relatedArticles = 4

// articleView is an article's page.
type articleView struct {
	frame
	ArticleTitle string
	Author, Note string
	Day, Date    string // for machines, for readers
	Summary      string
	Cover        string
	Tags         []link
	Body         template.HTML
	Original     string // the article on the publisher's own site
	Host         string
	Also         []link // where else the story is told

	Previous, Next *link
	With           []link // what was found beside it
	Recommended    []link
	Related        []link

	OG   []property
	Data map[string]any // schema.org
}

// A link is another article, which may not be in the library.
type link struct {
	Title, Path, Words, Date, Lang, Cover string
}

// article serves /a/ID/slug. With ?with=2.3 it also lists what was found beside
// it, as a chat leads to it that shows one article of several.
func (s *site) article(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil || id <= 0 {
		s.notFound(w, r)
		return
	}
	a, err := s.Library.Article(r.Context(), id)
	switch {
	case err != nil:
		s.fail(w, r, err)
		return
	case a.State == content.Withdrawn || a.State == content.Gone:
		s.notice(w, r, http.StatusGone, "withdrawn")
		return
	case a.State != content.Published:
		s.notFound(w, r)
		return
	}
	if r.PathValue("slug") != a.Slug || strings.HasSuffix(r.URL.Path, "/") {
		to := s.root + path(a)
		if r.URL.RawQuery != "" {
			to += "?" + r.URL.RawQuery
		}
		// Asked about each time: a slug may change back.
		w.Header().Set("Cache-Control", "no-cache")
		http.Redirect(w, r, to, http.StatusMovedPermanently)
		return
	}
	view, err := s.articleView(r.Context(), s.printer(r), a, withIDs(r))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.show(w, r, http.StatusOK, "article", view)
}

func (s *site) articleView(ctx context.Context, p locale.Printer, a content.Article, with []int64) (articleView, error) {
	view := articleView{
		frame: s.frame(p), ArticleTitle: a.Title, Author: a.Author, Note: a.Note, Summary: a.Summary,
		Cover: s.picture(a.Cover), Body: s.body(a.Body, s.picture),
	}
	view.Title = a.Title + " – " + s.Name
	view.Lang, view.Dir = cmp.Or(a.Lang, "und"), direction(a.Lang)
	view.Canonical = s.PublicURL + path(a)
	if original := webAddress(a.URL); original != "" {
		view.Canonical, view.Original, view.Host = original, original, host(original)
	}
	if !a.Published.IsZero() {
		view.Day, view.Date = a.Published.Format(time.DateOnly), p.Date(a.Published)
	}
	// The body often opens with the cover; once is enough.
	if len(a.Body) > 0 && a.Body[0].Kind == content.Picture && a.Body[0].URL == a.Cover {
		view.Body = s.body(a.Body[1:], s.picture)
	}
	for _, c := range a.Also {
		to := s.root + path(content.Article{ID: c.ID, Slug: c.Slug})
		view.Also = append(view.Also, link{Title: c.Source, Path: cmp.Or(webAddress(c.URL), to), Words: c.Title})
	}
	for _, tag := range a.Tags {
		view.Tags = append(view.Tags, link{Title: tag, Path: s.root + "/tag/" + url.PathEscape(tag)})
	}
	if err := s.lead(ctx, p, a, with, &view); err != nil {
		return view, err
	}
	var err error
	view.Data = s.linkedData(a, view)
	view.OG, err = s.openGraph(ctx, a, view)
	return view, err
}

// lead fills in where readers may go from an article. No title is named twice but
// that of a neighbour.
func (s *site) lead(ctx context.Context, p locale.Printer, a content.Article, with []int64, view *articleView) (err error) {
	shown := map[string]bool{a.Title: true}
	if view.With, err = s.with(ctx, p, a.ID, with); err != nil {
		return err
	}
	for _, l := range view.With {
		shown[l.Title] = true
	}
	if view.Previous, err = s.neighbour(ctx, p, a.Previous); err != nil {
		return err
	}
	if view.Next, err = s.neighbour(ctx, p, a.Next); err != nil {
		return err
	}
	for _, teaser := range a.Recommended {
		l, err := s.neighbour(ctx, p, teaser.Title)
		if err != nil {
			return err
		}
		if l == nil || shown[l.Title] {
			continue
		}
		shown[l.Title] = true
		l.Words = teaser.Excerpt
		view.Recommended = append(view.Recommended, *l)
	}
	related, err := s.Library.Related(ctx, a.ID, relatedArticles)
	if err != nil {
		return err
	}
	for _, other := range related {
		if other.ID != a.ID && !shown[other.Title] {
			view.Related = append(view.Related, s.link(p, other))
		}
	}
	return nil
}

// neighbour finds an article by its title; one that the library lacks is named
// without an address.
func (s *site) neighbour(ctx context.Context, p locale.Printer, title string) (*link, error) {
	if title = strings.TrimSpace(title); title == "" {
		return nil, nil
	}
	a, ok, err := s.Library.ByTitle(ctx, title)
	if err != nil {
		return nil, err
	}
	if !ok {
		return &link{Title: title}, nil
	}
	l := s.link(p, a)
	return &l, nil
}

func (s *site) link(p locale.Printer, a content.Article) link {
	title := a.Title
	if a.Pinned {
		title = p.T("bot.pinned", "Title", a.Title)
	}
	return link{Title: title, Path: s.root + path(a), Words: a.Summary, Date: p.Date(a.Published), Lang: a.Lang, Cover: s.picture(a.Cover)}
}

// linkedData is how search engines read the page: https://schema.org/Article.
func (s *site) linkedData(a content.Article, view articleView) map[string]any {
	data := map[string]any{
		"@context": "https://schema.org", "@type": "Article",
		"headline": a.Title, "url": view.Canonical, "mainEntityOfPage": view.Canonical,
		"publisher": map[string]any{"@type": "Organization", "name": s.Name, "url": s.PublicURL + "/"},
	}
	for name, value := range map[string]string{"description": a.Summary, "inLanguage": a.Lang, "image": s.absolute(a.Cover), "keywords": strings.Join(a.Tags, ", ")} {
		if value != "" {
			data[name] = value
		}
	}
	if a.Author != "" {
		data["author"] = map[string]any{"@type": "Person", "name": a.Author}
	}
	if !a.Published.IsZero() {
		data["datePublished"] = a.Published.Format(time.RFC3339)
	}
	return data
}
