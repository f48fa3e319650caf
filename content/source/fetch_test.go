package source_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"newsie/content/source"
)

func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

var clock = func() time.Time { return time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC) }

func TestFetchIsConditional(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.UserAgent(), "newsie/1.2") {
			t.Errorf("user agent %q", r.UserAgent())
		}
		w.Header().Set("ETag", `"v1"`)
		w.Header().Set("Last-Modified", "Mon, 06 May 2024 07:00:00 GMT")
		if r.Header.Get("If-None-Match") == `"v1"` && r.Header.Get("If-Modified-Since") == "Mon, 06 May 2024 07:00:00 GMT" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=windows-1252")
		fmt.Fprint(w, "<title>Caf\xe9</title><p>Un caf\xe9.</p>")
	})
	f := source.NewFetcher("1.2", true, clock)
	got, err := f.Fetch(t.Context(), server.URL+"/a?utm=1#part", "", "")
	if err != nil {
		t.Fatal(err)
	}
	p, err := source.ParseFetched(got, "paper")
	if err != nil {
		t.Fatal(err)
	}
	if d := p.Drafts[0]; d.Title != "Café" || d.Source != "paper" || d.Key != server.URL+"/a?utm=1" || d.URL != d.Key {
		t.Errorf("draft %+v", d)
	}
	again, err := f.Fetch(t.Context(), server.URL+"/a", got.ETag, got.LastModified)
	if err != nil || !again.NotModified {
		t.Errorf("again: %+v, %v", again, err)
	}
}

func TestACanonicalAddressIsTheKey(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		other := "https://elsewhere.example/a"
		if r.URL.Path == "/own" {
			other = "/a"
		}
		fmt.Fprintf(w, `<html><head><title>T</title><link rel="canonical" href="%s"></head><body><p>Text.</p></body></html>`, other)
	})
	f := source.NewFetcher("", true, clock)
	for path, key := range map[string]string{"/own?utm=x": server.URL + "/a", "/foreign": server.URL + "/foreign"} {
		got, err := f.Fetch(t.Context(), server.URL+path, "", "")
		if err != nil {
			t.Fatal(err)
		}
		p, err := source.ParseFetched(got, "s")
		if err != nil {
			t.Fatal(err)
		}
		if p.Drafts[0].Key != key {
			t.Errorf("%s: key %s, want %s", path, p.Drafts[0].Key, key)
		}
	}
}

func TestFetchRefuses(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/large":
			w.Write(bytes.Repeat([]byte("x"), source.MaxSize+1))
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			for range 11 {
				z.Write(make([]byte, 1<<20))
			}
			z.Close()
		case "/busy":
			w.Header().Set("Retry-After", "120")
			w.WriteHeader(http.StatusTooManyRequests)
		case "/later":
			w.Header().Set("Retry-After", clock().Add(time.Hour).Format(http.TimeFormat))
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	})
	f := source.NewFetcher("", true, clock)
	for path, check := range map[string]func(error) bool{
		"/loop":  func(err error) bool { return strings.Contains(err.Error(), "more than five redirects") },
		"/large": func(err error) bool { return errors.Is(err, source.ErrTooLarge) },
		"/bomb":  func(err error) bool { return errors.Is(err, source.ErrTooLarge) },
		"/busy":  waits(429, 2*time.Minute),
		"/later": waits(503, time.Hour),
		"/gone":  waits(404, 0),
	} {
		_, err := f.Fetch(t.Context(), strings.Replace(server.URL, "http://", "http://me:pass@", 1)+path+"?token=secret", "", "")
		if err == nil || !check(err) {
			t.Errorf("%s: %v", path, err)
		}
		if err != nil && (strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "pass")) {
			t.Errorf("%s: the error tells a secret: %v", path, err)
		}
	}
	for _, address := range []string{"ftp://example.org/", "file:///etc/passwd", "http://", "://", "javascript:alert(1)"} {
		if _, err := f.Fetch(t.Context(), address, "", ""); err == nil {
			t.Errorf("%s was fetched", address)
		}
	}
}

func waits(code int, after time.Duration) func(error) bool {
	return func(err error) bool {
		var status *source.StatusError
		return errors.As(err, &status) && status.Code == code && status.RetryAfter == after
	}
}

func TestPrivateAddressesAreNotDialled(t *testing.T) {
	reached := false
	server := serve(t, func(http.ResponseWriter, *http.Request) { reached = true })
	_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "http://"), ":")
	f := source.NewFetcher("", false, clock)
	for _, host := range []string{
		"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254",
		"[fe80::1]", "[fd00::1]", "100.64.0.1", "198.18.0.1", "240.0.0.1", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "224.0.0.1",
	} {
		_, err := f.Fetch(t.Context(), "http://"+host+":"+port+"/", "", "")
		if !errors.Is(err, source.ErrPrivate) {
			t.Errorf("%s: %v, want %v", host, err, source.ErrPrivate)
		}
	}
	if reached {
		t.Error("a private server was reached")
	}
}
