package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"newsie/content"
)

const listSize = 20

// homeView is a page of the list of articles.
type homeView struct {
	frame
	Tag       string
	Languages []choice
	Articles  []link
	Newer     string
	Older     string
	Page      int
	OG        []property
}

type choice struct {
	Name, Path, Lang string
	Chosen           bool
}

// home lists the newest articles, all or those of one tag or language.
func (s *site) home(w http.ResponseWriter, r *http.Request) {
	p := s.printer(r)
	view := homeView{frame: s.frame(p), Tag: r.PathValue("tag")}
	filter, query := s.filter(r)
	view.Page, _ = strconv.Atoi(r.URL.Query().Get("page"))
	view.Page = min(max(view.Page, 1), 100_000)
	articles, err := s.Library.Latest(r.Context(), filter, listSize+1, (view.Page-1)*listSize)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if view.Tag != "" && len(filter.Tags) == 0 || len(articles) == 0 && (view.Page > 1 || view.Tag != "") {
		s.notFound(w, r)
		return
	}
	here := s.root + "/"
	if view.Tag != "" {
		here += "tag/" + url.PathEscape(view.Tag)
		view.Title = view.Tag + " – " + s.Name
	}
	if view.Page > 1 {
		view.Newer = here + withPage(query, view.Page-1)
	}
	if len(articles) > listSize {
		articles, view.Older = articles[:listSize], here+withPage(query, view.Page+1)
	}
	if articles, err = s.pinnedFirst(r.Context(), view, filter, articles); err != nil {
		s.fail(w, r, err)
		return
	}
	for _, a := range articles {
		view.Articles = append(view.Articles, s.link(p, a))
	}
	if view.Languages, err = s.choices(r.Context(), here, query.Get("lang")); err != nil {
		s.fail(w, r, err)
		return
	}
	feed := url.Values{}
	if lang := query.Get("lang"); lang != "" {
		feed.Set("lang", lang)
	}
	if view.Tag != "" {
		feed.Set("tag", view.Tag)
	}
	view.Feed += withQuery(feed)
	view.Canonical = s.PublicURL + strings.TrimPrefix(here, s.root) + withPage(query, view.Page)
	view.OG = s.listGraph(view)
	s.show(w, r, http.StatusOK, "home", view)
}

// pinnedFirst puts the pinned articles before the newest of all tags.
func (s *site) pinnedFirst(ctx context.Context, view homeView, f content.Filter, articles []content.Article) ([]content.Article, error) {
	if s.Pinned == nil || view.Page > 1 || view.Tag != "" || len(f.Tags) > 0 {
		return articles, nil
	}
	pinned, err := s.Pinned(ctx, f)
	if err != nil {
		return nil, err
	}
	return content.Atop(pinned, articles), nil
}

// filter reads the language and the tag of an address; query holds only what
// was understood.
func (s *site) filter(r *http.Request) (f content.Filter, query url.Values) {
	query = url.Values{}
	if lang := r.URL.Query().Get("lang"); lang != "" {
		if tag, err := language.Parse(lang); err == nil {
			query.Set("lang", tag.String())
			f.Langs = []string{tag.String()}
		}
	}
	for _, tag := range []string{r.PathValue("tag"), r.URL.Query().Get("tag")} {
		if tag != "" && utf8.ValidString(tag) && !strings.ContainsRune(tag, 0) {
			f.Tags = []string{tag}
			break
		}
	}
	return f, query
}

func withPage(query url.Values, page int) string {
	q := url.Values{}
	for name, values := range query {
		q[name] = values
	}
	if page > 1 {
		q.Set("page", strconv.Itoa(page))
	}
	return withQuery(q)
}

func withQuery(q url.Values) string {
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

// languages remembers for a minute in which languages there are articles.
type languages struct {
	mu    sync.Mutex
	known []string
	until time.Time
}

// candidates are the languages that the switch may offer.
func candidates() []string {
	return []string{"zh-Hans", "zh-Hant", "en", "it", "ja", "ko", "ru", "de", "fr", "es", "pt", "nl", "pl", "tr", "uk", "vi", "th", "id", "ar", "he", "hi"}
}

// choices are the links of the language switch, none when there is nothing to choose.
func (s *site) choices(ctx context.Context, here, chosen string) ([]choice, error) {
	known, err := s.spoken(ctx)
	if err != nil || len(known) < 2 {
		return nil, err
	}
	choices := []choice{{Path: here, Chosen: chosen == ""}}
	for _, lang := range known {
		choices = append(choices, choice{Name: selfName(lang), Path: here + "?lang=" + lang, Lang: lang, Chosen: lang == chosen})
	}
	return choices, nil
}

func (s *site) spoken(ctx context.Context) ([]string, error) {
	s.languages.mu.Lock()
	defer s.languages.mu.Unlock()
	now := s.Now()
	if now.Before(s.languages.until) {
		return s.languages.known, nil
	}
	var known []string
	for _, lang := range candidates() {
		n, err := s.Library.Count(ctx, content.Filter{Langs: []string{lang}, Copies: true})
		if err != nil {
			return nil, err
		}
		if n > 0 {
			known = append(known, lang)
		}
	}
	s.languages.known, s.languages.until = known, now.Add(time.Minute)
	return known, nil
}

// selfName is what a language's speakers call it.
func selfName(lang string) string {
	name := display.Self.Name(language.Make(lang))
	first, size := utf8.DecodeRuneInString(name)
	return string(unicode.ToTitle(first)) + name[size:]
}
