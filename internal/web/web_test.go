package web_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"

	"newsie/content"
	"newsie/internal/locale"
	"newsie/internal/web"
)

// shelf is a library in memory.
type shelf struct {
	articles []content.Article // the newest first
	pictures map[string]content.Figure
	broken   error
}

func (s *shelf) Article(_ context.Context, id int64) (content.Article, error) {
	for _, a := range s.articles {
		if a.ID == id {
			return a, s.broken
		}
	}
	return content.Article{}, errors.Join(s.broken, fmt.Errorf("article %d: %w", id, content.ErrNotFound))
}

func (s *shelf) matching(f content.Filter) []content.Article {
	var list []content.Article
	for _, a := range s.articles {
		if a.State != content.Published ||
			len(f.Langs) > 0 && !slices.Contains(f.Langs, a.Lang) ||
			len(f.Tags) > 0 && !slices.ContainsFunc(a.Tags, func(tag string) bool { return slices.Contains(f.Tags, tag) }) {
			continue
		}
		list = append(list, a)
	}
	return list
}

func (s *shelf) Latest(_ context.Context, f content.Filter, limit, offset int) ([]content.Article, error) {
	list := s.matching(f)
	offset = min(offset, len(list))
	return list[offset:min(offset+limit, len(list))], s.broken
}

func (s *shelf) Count(_ context.Context, f content.Filter) (int, error) {
	return len(s.matching(f)), s.broken
}

func (s *shelf) Related(_ context.Context, id int64, n int) ([]content.Article, error) {
	var list []content.Article
	for _, a := range s.matching(content.Filter{}) {
		if a.ID != id && len(list) < n {
			list = append(list, a)
		}
	}
	return list, s.broken
}

func (s *shelf) ByTitle(_ context.Context, title string) (content.Article, bool, error) {
	for _, a := range s.matching(content.Filter{}) {
		if a.Title == title {
			return a, true, s.broken
		}
	}
	return content.Article{}, false, s.broken
}

func (s *shelf) Picture(_ context.Context, name string) (content.Figure, error) {
	f, ok := s.pictures[name]
	if !ok {
		return f, content.ErrNotFound
	}
	return f, s.broken
}

func day(d int) time.Time { return time.Date(2026, 3, d, 8, 0, 0, 0, time.UTC) }

func stock() *shelf {
	return &shelf{
		articles: []content.Article{
			{
				ID: 4, State: content.Published, Title: "微店的二维码", Slug: "微店的二维码", Lang: "zh-Hans", Author: "李明", Published: day(9), Added: day(9),
				Tags: []string{"电商"}, Summary: "小店用二维码找到读者。", Body: []content.Block{{Kind: content.Paragraph, Text: "小店用二维码找到读者。"}},
			},
			{
				ID: 3, State: content.Published, Title: "QR codes on the shelf", Slug: "qr-codes", Lang: "en", Author: "Ada Byron", Note: "Ada writes about shops.",
				Published: day(5), Added: day(6), Tags: []string{"commerce", "c/o & more"}, Cover: "/media/aa.png",
				Summary: "Shops print codes. Readers scan them.", Previous: "Older news", Next: "Not in the library",
				Recommended: []content.Teaser{{Title: "微店的二维码", Excerpt: "小店…"}, {Title: "Elsewhere", Excerpt: "An excerpt…"}},
				Body: []content.Block{
					{Kind: content.Picture, URL: "/media/aa.png", Text: "the cover again"},
					{Kind: content.Heading, Level: 2, Text: "How it began"},
					{Kind: content.Paragraph, Text: "A strong word & a link.", Marks: []content.Mark{{Start: 2, End: 8, Style: "strong"}, {Start: 18, End: 22, Style: "link", URL: "https://example.net/?a=1&b=2"}}},
					{Kind: content.Item, Level: 1, Text: "one"}, {Kind: content.Item, Level: 1, Text: "two"},
					{Kind: content.Item, Level: 2, Text: "first"},
					{Kind: content.Quote, Text: "Said."},
					{Kind: content.Code, Text: "if a < b {}\n\treturn"},
					{Kind: content.Picture, URL: "/media/bb.png", Text: "A \"shelf\""},
				},
			},
			{ID: 2, State: content.Published, Title: "Older news", Slug: "older-news", Lang: "en", URL: "https://www.example.net/older", Published: day(1), Added: day(1)},
			{ID: 7, State: content.Withdrawn, Title: "Gone", Slug: "gone"},
			{ID: 8, State: content.Waiting, Title: "Tomorrow", Slug: "tomorrow"},
		},
		pictures: map[string]content.Figure{"aa.png": {Name: "aa.png", Type: "image/png", Data: []byte("\x89PNG")}, "bad.svg": {Type: "image/svg+xml", Data: []byte("<svg/>")}},
	}
}

func open(t *testing.T, library web.Library, change ...func(*web.Config)) http.Handler {
	t.Helper()
	catalog, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	config := web.Config{Library: library, Catalog: catalog, PublicURL: "https://paper.example", Name: "The Paper", Now: func() time.Time { return day(10) }}
	for _, f := range change {
		f(&config)
	}
	h, err := web.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func get(t *testing.T, h http.Handler, path string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func text(t *testing.T, response *http.Response, status int) string {
	t.Helper()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != status {
		t.Fatalf("status %d, want %d: %s", response.StatusCode, status, data)
	}
	return string(data)
}

func page(t *testing.T, response *http.Response) *goquery.Document {
	t.Helper()
	d, err := goquery.NewDocumentFromReader(strings.NewReader(text(t, response, http.StatusOK)))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func attr(d *goquery.Document, selector, name string) string {
	value, _ := d.Find(selector).First().Attr(name)
	return value
}

func TestHome(t *testing.T) {
	library := stock()
	for i := range 25 {
		library.articles = append(library.articles, content.Article{ID: int64(100 + i), State: content.Published, Title: fmt.Sprintf("Filler %d", i), Slug: "filler", Lang: "en", Tags: []string{"fill"}, Added: day(1)})
	}
	h := open(t, library, func(c *web.Config) { c.Chat = "/chat/demo/" })
	titles := func(path string) []string {
		return page(t, get(t, h, path)).Find(".list h3").Map(func(_ int, s *goquery.Selection) string { return s.Text() })
	}
	if got := titles("/"); len(got) != 20 || got[0] != "微店的二维码" {
		t.Errorf("the first page: %q", got)
	}
	if got := titles("/?page=2"); len(got) != 8 || got[7] != "Filler 24" {
		t.Errorf("the second page: %q", got)
	}
	if diff := cmp.Diff([]string{"微店的二维码"}, titles("/?lang=zh-Hans")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"QR codes on the shelf"}, titles("/tag/c%2Fo%20&%20more")); diff != "" {
		t.Error(diff)
	}
	d := page(t, get(t, h, "/?lang=zh-Hans"))
	if got := d.Find("h1").Text(); got != "最新文章" {
		t.Errorf("heading = %q", got)
	}
	if got := d.Find(".languages a").Text(); got != "全部简体中文English" {
		t.Errorf("languages = %q", got)
	}
	if got := attr(d, ".languages [aria-current]", "href"); got != "/?lang=zh-Hans" {
		t.Errorf("chosen = %q", got)
	}
	d = page(t, get(t, h, "/tag/fill?page=2&lang=en"))
	if got := attr(d, "link[rel=prev]", "href"); got != "/tag/fill?lang=en" {
		t.Errorf("newer = %q", got)
	}
	for _, path := range []string{"/tag/nothing", "/?page=99", "/tag/%00"} {
		if r := get(t, h, path); r.StatusCode != 404 {
			t.Errorf("%s: %s", path, r.Status)
		}
	}
	if got := page(t, get(t, open(t, &shelf{}), "/", "Accept-Language", "it")).Find(".empty").Text(); got != "Qui non ci sono ancora articoli." {
		t.Errorf("the empty library says %q", got)
	}
}

func TestMedia(t *testing.T) {
	h := open(t, stock())
	r := get(t, h, "/media/aa.png")
	if got := text(t, r, 200); got != "\x89PNG" {
		t.Errorf("data = %q", got)
	}
	for name, want := range map[string]string{
		"Content-Type": "image/png", "Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox",
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if r := get(t, h, "/media/bad.svg"); r.Header.Get("Content-Type") != "application/octet-stream" || r.Header.Get("Content-Disposition") != "attachment" {
		t.Errorf("svg: %v", r.Header)
	}
	if r := get(t, h, "/media/none.png"); r.StatusCode != 404 {
		t.Error(r.Status)
	}
}

func TestPagesAreKeptAndAskedAbout(t *testing.T) {
	library := stock()
	h := open(t, library)
	for _, path := range []string{"/", "/a/3/qr-codes", "/feed.xml", "/sitemap.xml", "/robots.txt"} {
		first := get(t, h, path)
		tag := first.Header.Get("ETag")
		if r := get(t, h, path, "If-None-Match", tag); tag == "" || r.StatusCode != http.StatusNotModified {
			t.Errorf("%s: ETag %q, then %s", path, tag, r.Status)
		}
		if !strings.Contains(first.Header.Get("Cache-Control"), "no-cache") {
			t.Errorf("%s: Cache-Control %q", path, first.Header.Get("Cache-Control"))
		}
	}
	en, it := get(t, h, "/", "Accept-Language", "en"), get(t, h, "/", "Accept-Language", "it")
	if en.Header.Get("ETag") == it.Header.Get("ETag") || en.Header.Get("Vary") != "Accept-Language" {
		t.Error("languages share one ETag, or do not vary")
	}
	tag := get(t, h, "/a/3/qr-codes").Header.Get("ETag")
	library.articles[1].State = content.Withdrawn
	if r := get(t, h, "/a/3/qr-codes", "If-None-Match", tag); r.StatusCode != http.StatusGone {
		t.Errorf("withdrawn: %s", r.Status)
	}
}

func TestEveryAnswerIsGuarded(t *testing.T) {
	h := open(t, stock())
	for _, path := range []string{"/", "/a/3/qr-codes", "/a/99", "/nowhere", "/feed.xml", "/healthz", "/media/aa.png"} {
		r := get(t, h, path)
		if csp := r.Header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: policy %q", path, csp)
		}
		if r.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: may be sniffed", path)
		}
	}
}

func TestTrouble(t *testing.T) {
	library := stock()
	library.broken = errors.New("secret database detail")
	h := open(t, library)
	for _, path := range []string{"/", "/a/3/qr-codes", "/feed.xml", "/sitemap.xml", "/media/aa.png"} {
		got := text(t, get(t, h, path, "Accept-Language", "zh-CN"), 500)
		if strings.Contains(got, "secret") || !strings.Contains(got, "请稍后再试") {
			t.Errorf("%s: %s", path, got)
		}
	}
}

// A database that is away asks for a moment, in the reader's words.
func TestAMomentIsAskedForWhileTheDatabaseIsAway(t *testing.T) {
	library := stock()
	library.broken = fmt.Errorf("look: %w", &net.OpError{Op: "dial", Err: errors.New("secret address refused")})
	h := open(t, library)
	for lang, want := range map[string]string{"en": "try again in a minute", "it": "Riprova tra un minuto", "zh-CN": "请过一分钟再试", "zh-TW": "請過一分鐘再試"} {
		for _, path := range []string{"/", "/a/3/qr-codes", "/feed.xml", "/sitemap.xml", "/media/aa.png"} {
			response := get(t, h, path, "Accept-Language", lang)
			again := response.Header.Get("Retry-After")
			if got := text(t, response, 503); strings.Contains(got, "secret") || !strings.Contains(got, want) || again == "" {
				t.Errorf("%s in %s: Retry-After %q, %s", path, lang, again, got)
			}
		}
	}
}

func TestHealth(t *testing.T) {
	ready := errors.New("the index is at 40%")
	h := open(t, stock(), func(c *web.Config) {
		c.Ready = func(context.Context) error { return ready }
		c.Metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "newsie_up 1") })
	})
	if got := text(t, get(t, h, "/healthz"), 200); got != "ok\n" {
		t.Errorf("healthz: %q", got)
	}
	if got := text(t, get(t, h, "/readyz"), 503); got != "the index is at 40%\n" {
		t.Errorf("readyz: %q", got)
	}
	ready = nil
	if got := text(t, get(t, h, "/readyz"), 200); got != "ready\n" {
		t.Errorf("readyz: %q", got)
	}
	if got := text(t, get(t, h, "/metrics"), 200); got != "newsie_up 1" {
		t.Errorf("metrics: %q", got)
	}
	if r := get(t, open(t, stock()), "/metrics"); r.StatusCode != 404 {
		t.Errorf("no metrics: %s", r.Status)
	}
}

// A fakeConsole is open or not, and says which page was asked for.
type fakeConsole struct {
	open bool
	err  error
}

func (c *fakeConsole) Open(context.Context) (bool, error) { return c.open, c.err }
func (c *fakeConsole) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.WriteString(w, "console "+r.Method+" "+r.URL.Path)
}

func TestAConsoleThatIsNotOpenIsNotThere(t *testing.T) {
	console := &fakeConsole{}
	handler := open(t, stock(), func(c *web.Config) { c.Console = console })
	ask := func(method, path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(method, path, nil))
		return w
	}
	paths := []string{"/console", "/console/", "/console/login", "/console/enter/x", "/console/static/console.css", "/console/origins?by=day"}
	for _, method := range []string{"GET", "HEAD", "POST", "DELETE"} {
		nowhere := ask(method, "/nowhere")
		for _, path := range paths {
			got := ask(method, path)
			if got.Code != 404 || got.Body.String() != nowhere.Body.String() {
				t.Errorf("%s %s differs from a page that was never there: %d", method, path, got.Code)
			}
			if diff := cmp.Diff(nowhere.Header(), got.Header()); diff != "" {
				t.Errorf("%s %s: %s", method, path, diff)
			}
		}
	}
	console.open = true
	for _, path := range paths {
		path, _, _ = strings.Cut(path, "?")
		if got := ask("POST", path); got.Body.String() != "console POST "+path {
			t.Errorf("%s is answered with %d %q", path, got.Code, got.Body)
		}
	}
	console.err = errors.New("SECRET")
	if got := ask("GET", "/console/"); got.Code != 500 || strings.Contains(got.Body.String(), "SECRET") {
		t.Errorf("a console of which nothing is known is answered with %d", got.Code)
	}
	if robots := ask("GET", "/robots.txt").Body.String(); !strings.Contains(robots, "Disallow: /console/\n") {
		t.Errorf("robots may look at the console: %s", robots)
	}
}

func TestChannelsAreMounted(t *testing.T) {
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Method+" "+r.URL.Path) })
	h := open(t, stock(), func(c *web.Config) {
		c.Channels = map[string]http.Handler{"/chat/demo/": echo, "/hook/tg": echo}
		c.Chat = "/chat/demo/"
	})
	if r := get(t, h, "/chat/"); r.StatusCode != http.StatusFound || r.Header.Get("Location") != "/chat/demo/" {
		t.Errorf("/chat/: %s %s", r.Status, r.Header.Get("Location"))
	}
	if got := text(t, get(t, h, "/chat/demo/events"), 200); got != "GET /chat/demo/events" {
		t.Errorf("chat: %q", got)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/hook/tg", nil))
	if got := w.Body.String(); got != "POST /hook/tg" {
		t.Errorf("hook: %q", got)
	}
	if got := attr(page(t, get(t, h, "/")), "a.ask", "href"); got != "/chat/demo/" {
		t.Errorf("the chat's link: %q", got)
	}
}

func TestBelowAPath(t *testing.T) {
	h := open(t, stock(), func(c *web.Config) { c.PublicURL = "https://example.org/news/" })
	d := page(t, get(t, h, "/a/3/qr-codes"))
	for _, test := range []struct{ selector, attr, want string }{
		{".name", "href", "/news/"}, {".cover", "src", "/news/media/aa.png"}, {".turn .back a", "href", "/news/a/2/older-news"},
		{"link[rel=canonical]", "href", "https://example.org/news/a/3/qr-codes"},
	} {
		if got := attr(d, test.selector, test.attr); got != test.want {
			t.Errorf("%s: %q, want %q", test.selector, got, test.want)
		}
	}
	if r := get(t, h, "/a/3"); r.Header.Get("Location") != "/news/a/3/qr-codes" {
		t.Errorf("redirect to %q", r.Header.Get("Location"))
	}
}

func TestNewRefuses(t *testing.T) {
	catalog, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, config := range []web.Config{
		{Catalog: catalog, PublicURL: "https://a.b"}, {Library: stock(), PublicURL: "https://a.b"},
		{Library: stock(), Catalog: catalog}, {Library: stock(), Catalog: catalog, PublicURL: "ftp://a.b"}, {Library: stock(), Catalog: catalog, PublicURL: "paper.example"},
	} {
		if _, err := web.New(config); err == nil {
			t.Errorf("%q was accepted", config.PublicURL)
		}
	}
}
