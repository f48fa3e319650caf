// Package console is the publisher's part of the web: pages below /console/ for
// the users that newsie user adds, behind a login. While there is no user it is
// not open, and whoever mounts it answers as if it were not there.
//
// It owns the tables users, user_links and sessions.
package console

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"newsie/bot"
	"newsie/internal/database"
	"newsie/internal/locale"
	"newsie/internal/remote"
)

//go:embed static
var static embed.FS

//go:embed templates/*.html
var templates embed.FS

const (
	mostBody = 64 << 10         // of a form, in bytes
	patience = 20 * time.Second // how long a page may take

	// policy lets pages load what is here, and nothing run that is in them.
	policy = "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
	// picturePolicy lets a picture that is looked at by itself have its colours, and
	// nothing run in it.
	picturePolicy = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"
)

// Config is what the console needs. Users, Catalog, Pacer and PublicURL are
// required.
type Config struct {
	Users     *Users
	Catalog   *locale.Catalog
	Pacer     *bot.Pacer // which replicas share: it bounds logins
	PublicURL string     // where readers reach this server; cookies depend on it
	Name      string     // the publication's; "newsie" when empty
	// TrustedProxies may tell a browser's address in X-Forwarded-For.
	TrustedProxies []netip.Prefix

	// Reports and Book are what the page about origins shows; nil: there is none.
	Reports Reports
	Book    Book
	Codes   Codes // for print; nil: there are none

	Zone   *time.Location   // of the times shown and of days; UTC when nil
	Logger *slog.Logger     // slog.Default when nil
	Now    func() time.Time // time.Now when nil
}

// A Console is an http.Handler for /console and everything below it. It is safe
// for concurrent use.
type Console struct {
	config   Config
	public   *url.URL
	root     string // the path of the public address, without a slash at its end
	sessions *scs.SessionManager
	origin   *http.CrossOriginProtection
	pages    *template.Template
	assets   assets
	mux      *http.ServeMux
}

// New makes a console.
func New(config Config) (*Console, error) {
	if config.Users == nil || config.Catalog == nil || config.Pacer == nil {
		return nil, errors.New("the console needs users, a catalog and a pacer")
	}
	public, err := url.Parse(strings.TrimRight(config.PublicURL, "/"))
	if err != nil || public.Host == "" || public.Scheme != "http" && public.Scheme != "https" {
		return nil, fmt.Errorf("the public address %q is not like https://example.org", config.PublicURL)
	}
	if config.Name == "" {
		config.Name = "newsie"
	}
	if config.Zone == nil {
		config.Zone = time.UTC
	}
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	c := &Console{config: config, public: public, root: public.EscapedPath(), sessions: scs.New(), origin: http.NewCrossOriginProtection()}
	c.sessions.Store, c.sessions.HashTokenInStore, c.sessions.Lifetime = store{config.Users.db, config.Now}, true, lifetime
	// Behind a proxy that rewrites Host, the browser's Origin is the public one.
	if err := c.origin.AddTrustedOrigin(public.Scheme + "://" + public.Host); err != nil {
		return nil, fmt.Errorf("the public address: %w", err)
	}
	if c.assets, err = readAssets(); err != nil {
		return nil, err
	}
	functions := template.FuncMap{"asset": func(name string) string { return c.link("static/" + c.assets.names[name]) }, "link": c.link}
	if c.pages, err = template.New("").Funcs(functions).ParseFS(templates, "templates/*.html"); err != nil {
		return nil, fmt.Errorf("read the console's templates: %w", err)
	}
	c.routes()
	return c, nil
}

// Open reports whether there is a user.
func (c *Console) Open(ctx context.Context) (bool, error) { return c.config.Users.Any(ctx) }

func (c *Console) routes() {
	c.mux = http.NewServeMux()
	c.mux.HandleFunc("GET /console/static/{name}", c.assets.serve)
	for pattern, page := range map[string]func(*request) (answer, error){
		"GET /console/login":         c.showLogin,
		"POST /console/login":        c.enterByPassword,
		"GET /console/enter/{link}":  c.showEnter,
		"POST /console/enter/{link}": c.enterByLink,
		"/console/":                  c.nothing,
	} {
		c.mux.Handle(pattern, c.page(patience, page))
	}
	for pattern, page := range map[string]func(*request) (answer, error){
		"GET /console/{$}":              c.home,
		"POST /console/logout":          c.logout,
		"GET /console/account":          c.showAccount,
		"POST /console/account":         c.changePassword,
		"POST /console/sessions/revoke": c.revoke,
	} {
		c.mux.Handle(pattern, c.page(patience, c.signedIn(page)))
	}
	if c.config.Reports == nil || c.config.Book == nil {
		return
	}
	for pattern, page := range map[string]func(*request) (answer, error){
		"GET /console/origins":                 c.showOrigins,
		"GET /console/origins.csv":             c.saveReport,
		"GET /console/origins/chart.svg":       c.showChart,
		"GET /console/origins/{id}":            c.showOrigin,
		"GET /console/origins/{id}/report.csv": c.saveReport,
		"GET /console/origins/{id}/chart.svg":  c.showChart,
		"GET /console/origins/{id}/{file}":     c.showCode,
		"POST /console/origins/{id}/codes":     c.makeCode,
	} {
		c.mux.Handle(pattern, c.page(patience, c.signedIn(page)))
	}
	// It may have a platform make codes, so it is not for the taking.
	c.mux.Handle("POST /console/origins/{id}/sheet.pdf", c.page(sheetPatience, c.signedIn(c.showSheet)))
}

// ServeHTTP serves the console as if it were open; see Open.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Robots-Tag", "noindex, nofollow")
	h.Set("Cache-Control", "no-store")
	// Not "no-referrer": with that browsers call the origin of our own forms "null".
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
	h.Set("Vary", "Accept-Language, Cookie")
	if c.public.Scheme == "https" || r.TLS != nil {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
	if r.URL.Path == "/console" {
		h.Set("Location", c.link(""))
		w.WriteHeader(http.StatusSeeOther)
		return
	}
	c.mux.ServeHTTP(w, r)
}

// link is the address of something below the console, as a browser sees it.
func (c *Console) link(rest string) string { return c.root + "/console/" + rest }

// A request is one that a page answers.
type request struct {
	*http.Request
	p     locale.Printer
	visit *visit
	way   way
}

// A way is how a browser reaches the console, which cookies depend on.
type way int

const (
	unsafeWay way = iota // anybody between could listen
	localWay             // in plain, on one machine: browsers drop cookies for https there
	secureWay
)

func (c *Console) way(r *http.Request) way {
	switch {
	case c.public.Scheme == "https" || r.TLS != nil:
		return secureWay
	case loopback(r.Host):
		return localWay
	}
	return unsafeWay
}

// loopback: a host is this machine.
func loopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// cookie is the session's. The prefix makes browsers refuse one that was not set
// over https.
func (c *Console) cookie(w way) *http.Cookie {
	cookie := &http.Cookie{Name: "newsie_console", Path: c.link(""), HttpOnly: true, Secure: true, SameSite: http.SameSiteLaxMode}
	if w == localWay {
		cookie.Secure = false
	} else {
		cookie.Name = "__Secure-" + cookie.Name
	}
	return cookie
}

// An answer is what a page says.
type answer struct {
	status int
	kind   string // of the body; "": HTML
	body   []byte
	name   string        // of the file it is to be kept as; "": it is shown
	policy string        // of what it may load; "": that of pages
	to     string        // the page to go on to, below /console/; with status 303
	retry  time.Duration // when to come again
}

// page serves what a page answers, with the session it belongs to.
func (c *Console) page(patience time.Duration, page func(*request) (answer, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), patience)
		defer cancel()
		q := &request{Request: r.WithContext(ctx), p: c.config.Catalog.Accept(r.Header.Get("Accept-Language")), way: c.way(r)}
		a, err := c.answer(w, q, page)
		if err != nil {
			a = c.failed(q, err)
		}
		c.write(w, q, a)
	})
}

func (c *Console) answer(w http.ResponseWriter, q *request, page func(*request) (answer, error)) (answer, error) {
	if q.Method != http.MethodGet && q.Method != http.MethodHead {
		if err := c.origin.Check(q.Request); err != nil {
			return c.notice(q, http.StatusForbidden, "refused")
		}
		q.Body = http.MaxBytesReader(w, q.Body, mostBody)
		if err := q.ParseForm(); err != nil {
			var large *http.MaxBytesError
			if errors.As(err, &large) {
				return c.notice(q, http.StatusRequestEntityTooLarge, "too_long")
			}
			return c.notice(q, http.StatusBadRequest, "trouble")
		}
	}
	if err := c.load(q); err != nil {
		return answer{}, err
	}
	a, err := page(q)
	if err != nil {
		return answer{}, err
	}
	return a, c.keep(w, q)
}

// load finds the session that a cookie names, if there is one.
func (c *Console) load(q *request) error {
	q.visit = &visit{agent: said(q.UserAgent()), address: remote.Address(q.Request, c.config.TrustedProxies)}
	ctx := context.WithValue(q.Context(), visitKey{}, q.visit)
	token := ""
	// A stranger who can set cookies for the domain may have put one before.
	for i, cookie := range q.CookiesNamed(c.cookie(q.way).Name) {
		if i == 4 {
			break
		}
		token = cookie.Value
		loaded, err := c.sessions.Load(ctx, token)
		if err != nil {
			return err
		}
		if q.visit.session.ID != "" {
			q.Request = q.WithContext(loaded)
			return nil
		}
	}
	loaded, err := c.sessions.Load(ctx, "")
	if err == nil {
		q.Request = q.WithContext(loaded)
	}
	return err
}

// keep writes what is new of a session, and its cookie where that is new.
func (c *Console) keep(w http.ResponseWriter, q *request) error {
	cookie := c.cookie(q.way)
	switch c.sessions.Status(q.Context()) {
	case scs.Modified:
		if q.visit.session.ID == "" {
			return nil // of nobody nothing is kept
		}
		if _, _, err := c.sessions.Commit(q.Context()); err != nil {
			return err
		}
		if q.visit.token == "" {
			return nil
		}
		cookie.Value, cookie.MaxAge = q.visit.token, int(lifetime/time.Second)
	case scs.Destroyed:
		cookie.MaxAge = -1
	default:
		return nil
	}
	http.SetCookie(w, cookie)
	return nil
}

// signedIn is a page for those who are logged in; others come to the login first.
func (c *Console) signedIn(page func(*request) (answer, error)) func(*request) (answer, error) {
	return func(q *request) (answer, error) {
		if q.visit.session.ID != "" {
			return page(q)
		}
		to := "login"
		if next := strings.TrimPrefix(q.URL.Path, "/console/"); next != "" && q.Method == http.MethodGet {
			to += "?next=" + url.QueryEscape((&url.URL{Path: next, RawQuery: q.URL.RawQuery}).String())
		}
		return answer{status: http.StatusSeeOther, to: to}, nil
	}
}

func (c *Console) write(w http.ResponseWriter, q *request, a answer) {
	h := w.Header()
	if a.retry > 0 {
		h.Set("Retry-After", strconv.Itoa(seconds(a.retry)))
	}
	if a.status == http.StatusSeeOther {
		h.Set("Location", c.link(a.to))
		w.WriteHeader(a.status)
		return
	}
	if a.kind == "" {
		a.kind = "text/html; charset=utf-8"
	}
	h.Set("Content-Type", a.kind)
	if a.policy != "" {
		h.Set("Content-Security-Policy", a.policy)
	}
	if a.name != "" {
		h.Set("Content-Disposition", disposition(a.name))
	}
	h.Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	if q.Method != http.MethodHead {
		_, _ = w.Write(a.body)
	}
}

// seconds rounds up to whole ones.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// disposition tells a browser to keep a file under a name (RFC 6266).
func disposition(name string) string {
	plain := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || strings.ContainsRune(`"\/%`, r) {
			return '_'
		}
		return r
	}, name)
	return `attachment; filename="` + plain + `"; filename*=UTF-8''` + strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
}

// frame is what every page has around what it shows.
type frame struct {
	P     locale.Printer
	Name  string
	Root  string // of the reader pages
	Title string
	User  string // who is logged in; "": nobody
	Here  string // the part of the console it is in
	Said  string // about what was done just now

	Reports bool // there is a page about origins
}

func (c *Console) frame(q *request, here, title string) frame {
	f := frame{P: q.p, Name: c.config.Name, Root: c.root, Here: here, Title: title, Reports: c.config.Reports != nil && c.config.Book != nil}
	if q.visit != nil {
		f.User = q.visit.session.User
	}
	if f.User != "" {
		if key := c.sessions.PopString(q.Context(), "said"); key != "" {
			f.Said = q.p.T(key)
		}
	}
	return f
}

// say has the next page say something.
func (c *Console) say(q *request, key string) { c.sessions.Put(q.Context(), "said", key) }

func (c *Console) show(status int, name string, view any) (answer, error) {
	var html bytes.Buffer
	if err := c.pages.ExecuteTemplate(&html, name, view); err != nil {
		return answer{}, fmt.Errorf("show the page %s: %w", name, err)
	}
	return answer{status: status, body: html.Bytes()}, nil
}

type notice struct {
	frame
	Heading, Words string
}

// notice is a page that says what is wrong.
func (c *Console) notice(q *request, status int, key string) (answer, error) {
	view := notice{Heading: q.p.T("console." + key + "_heading"), Words: q.p.T("console." + key)}
	view.frame = c.frame(q, "", view.Heading)
	return c.show(status, "notice", view)
}

func (c *Console) nothing(q *request) (answer, error) {
	return c.notice(q, http.StatusNotFound, "not_found")
}

// failed is the one table from errors to what the publisher is told.
func (c *Console) failed(q *request, err error) answer {
	status, key, retry := http.StatusInternalServerError, "trouble", time.Duration(0)
	switch {
	case errors.Is(err, context.Canceled):
		return answer{status: http.StatusServiceUnavailable} // nobody is there any more
	case errors.Is(err, errBusy):
		status, key, retry = http.StatusServiceUnavailable, "busy", hashPatience
	case database.Away(err):
		status, key, retry = http.StatusServiceUnavailable, "moment", 5*time.Second
	}
	c.config.Logger.Error("serve the console", "path", place(q.URL.Path), "error", err)
	q.visit = nil // what is known of the session may be what failed
	a, err := c.notice(q, status, key)
	if err != nil {
		c.config.Logger.Error("serve the console", "error", err)
		a = answer{status: status}
	}
	a.retry = retry
	return a
}

// place is a path for the log, without the secret that a link has in it.
func place(path string) string {
	if strings.HasPrefix(path, "/console/enter/") {
		return "/console/enter/"
	}
	return path
}
