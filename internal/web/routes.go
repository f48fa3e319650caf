// Package web serves the reader pages: a page for each article, the list of
// the newest, the feed, the sitemap and the pictures; and it is where the
// channels' own addresses and the machine's health are mounted. It owns no
// tables.
package web

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"newsie/content"
	"newsie/internal/locale"
)

//go:embed static
var static embed.FS

//go:embed templates/*.html
var templates embed.FS

// A Library is what the pages show. Latest, Related and ByTitle give published
// articles only, Article any.
type Library interface {
	Article(ctx context.Context, id int64) (content.Article, error)
	Latest(ctx context.Context, f content.Filter, limit, offset int) ([]content.Article, error)
	Count(ctx context.Context, f content.Filter) (int, error)
	Related(ctx context.Context, id int64, n int) ([]content.Article, error)
	ByTitle(ctx context.Context, title string) (content.Article, bool, error)
	Picture(ctx context.Context, name string) (content.Figure, error)
}

// Config is what the pages need. Library, Catalog and PublicURL are required.
type Config struct {
	Library   Library
	Catalog   *locale.Catalog
	PublicURL string // where readers reach this server; feeds, the sitemap and previews are made from it
	Name      string // the publication's; "newsie" when empty

	// Channels are the handlers of chats and webhooks by their paths,
	// "/chat/NAME/" and "/hooks/KIND/NAME".
	Channels map[string]http.Handler
	// Chat is the path of the chat that pages link to and /chat/ leads to;
	// "" when there is none.
	Chat string

	// Tokens reads the addresses /r/TOKEN that channels make for articles, and
	// Opens counts who opens them; nil: there are none, they are not counted.
	Tokens Tokens
	Opens  Opens

	// Console is the publisher's, below /console/; nil: there is none.
	Console Console

	// Doors are the channels that /o/CODE leads to.
	Doors []Door

	// Pinned gives the articles that stand before the newest; nil: none do.
	Pinned func(ctx context.Context, f content.Filter) ([]content.Article, error)

	// Ready tells why the server cannot answer readers yet; what it says is
	// shown to everybody who asks /readyz. Nil: always ready.
	Ready   func(ctx context.Context) error
	Metrics http.Handler     // /metrics; nil: there is none
	Logger  *slog.Logger     // slog.Default when nil
	Now     func() time.Time // time.Now when nil
}

// A Console is the publisher's pages. While it is not open, they are not there.
type Console interface {
	http.Handler
	Open(ctx context.Context) (bool, error)
}

// site is the handlers' common part.
type site struct {
	Config
	public    *url.URL
	root      string // the path of the public address, without a slash at its end
	pages     *template.Template
	assets    assets
	languages languages
	covers    *covers
}

// New gives the handler of everything the server serves.
func New(config Config) (http.Handler, error) {
	if config.Library == nil || config.Catalog == nil {
		return nil, errors.New("the reader pages need a library and a catalog")
	}
	config.PublicURL = strings.TrimRight(config.PublicURL, "/")
	public, err := url.Parse(config.PublicURL)
	if err != nil || public.Host == "" || public.Scheme != "http" && public.Scheme != "https" {
		return nil, fmt.Errorf("the public address %q is not like https://example.org", config.PublicURL)
	}
	if config.Name == "" {
		config.Name = "newsie"
	}
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	s := &site{Config: config, public: public, root: public.EscapedPath(), covers: newCovers()}
	if s.assets, err = readAssets(s.root); err != nil {
		return nil, err
	}
	if s.pages, err = template.New("").Funcs(template.FuncMap{"asset": s.assets.link}).ParseFS(templates, "templates/*.html"); err != nil {
		return nil, fmt.Errorf("read the page templates: %w", err)
	}
	return s.routes(), nil
}

func (s *site) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.home)
	mux.HandleFunc("GET /tag/{tag}", s.home)
	mux.HandleFunc("GET /a/{id}", s.article)
	mux.HandleFunc("GET /a/{id}/{slug...}", s.article)
	mux.HandleFunc("/r/{token...}", s.opened)
	mux.HandleFunc("GET /o/{code}", s.origin)
	mux.HandleFunc("GET /o/{code}/{$}", s.origin) // as people type it
	mux.HandleFunc("GET /o/{code}/{article}", s.origin)
	mux.HandleFunc("GET /o/{code}/{article}/{$}", s.origin)
	mux.HandleFunc("GET /media/{name}", s.media)
	mux.HandleFunc("GET /static/{name}", s.assets.serve)
	mux.HandleFunc("GET /favicon.svg", s.assets.icon)
	mux.HandleFunc("GET /favicon.ico", s.assets.icon)
	mux.HandleFunc("GET /feed.xml", s.feed)
	mux.HandleFunc("GET /sitemap.xml", s.sitemap)
	mux.HandleFunc("GET /robots.txt", s.robots)
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /readyz", s.readyz)
	if s.Metrics != nil {
		mux.Handle("GET /metrics", s.Metrics)
	}
	for path, handler := range s.Channels {
		mux.Handle(path, handler)
	}
	if s.Console != nil {
		mux.HandleFunc("/console", s.console)
		mux.HandleFunc("/console/", s.console)
	}
	if _, taken := s.Channels["/chat/"]; s.Chat != "" && !taken {
		mux.HandleFunc("GET /chat/{$}", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "no-cache")
			http.Redirect(w, r, s.root+s.Chat, http.StatusFound)
		})
	}
	mux.HandleFunc("/", s.notFound)
	return secure(mux)
}

// console leads to the publisher's pages while they are open.
func (s *site) console(w http.ResponseWriter, r *http.Request) {
	open, err := s.Console.Open(r.Context())
	switch {
	case err != nil:
		s.fail(w, r, err)
	case !open:
		s.notFound(w, r)
	default:
		s.Console.ServeHTTP(w, r)
	}
}

// policy lets pages load their style and pictures, and nothing run.
const policy = "default-src 'none'; img-src 'self' https:; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// secure sets the headers that every answer carries; handlers may set others.
func secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "strict-origin-when-cross-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		next.ServeHTTP(w, r)
	})
}
