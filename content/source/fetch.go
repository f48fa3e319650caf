package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ErrPrivate: the address leads into a private network, where pages that name
// it have no business.
var ErrPrivate = errors.New("the address is not on the public internet")

// A StatusError is an answer of a server that is not what was asked for.
type StatusError struct {
	URL        string // without its query, which may hold a key
	Code       int
	RetryAfter time.Duration // how long the server asks to wait, or 0
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("%s answered %d %s", e.URL, e.Code, http.StatusText(e.Code))
}

// A Fetcher gets feeds and pages from the web. It may be used by several
// goroutines.
type Fetcher struct {
	// AllowPrivate permits addresses of the own machine and of private networks.
	AllowPrivate bool
	// Version is told to servers.
	Version string
	// Now is the clock that dates of Retry-After are compared with.
	Now func() time.Time

	client *http.Client
}

// NewFetcher makes a Fetcher.
func NewFetcher(version string, allowPrivate bool, now func() time.Time) *Fetcher {
	f := &Fetcher{AllowPrivate: allowPrivate, Version: version, Now: now}
	dialer := &net.Dialer{Timeout: 10 * time.Second, Control: f.control}
	f.client = &http.Client{
		Timeout: 20 * time.Second,
		Transport: &http.Transport{
			DialContext:           dialer.DialContext,
			ForceAttemptHTTP2:     true,
			TLSHandshakeTimeout:   10 * time.Second,
			ResponseHeaderTimeout: 15 * time.Second,
			IdleConnTimeout:       30 * time.Second,
			MaxIdleConns:          20,
			MaxIdleConnsPerHost:   1,
		},
		CheckRedirect: func(request *http.Request, via []*http.Request) error {
			if len(via) > 5 {
				return errors.New("more than five redirects")
			}
			return nil
		},
	}
	return f
}

// control sees the address a connection is about to be made to, after the name
// was looked up, so that no name can hide a private address.
func (f *Fetcher) control(_, address string, _ syscall.RawConn) error {
	if f.AllowPrivate {
		return nil
	}
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %s", ErrPrivate, address)
	}
	if !Public(to.Addr()) {
		return ErrPrivate
	}
	return nil
}

// special are the networks of the IANA special-purpose registries that Go's
// netip has no method for.
var special = strings.Fields(`0.0.0.0/8 100.64.0.0/10 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 198.18.0.0/15 198.51.100.0/24
	203.0.113.0/24 240.0.0.0/4 64:ff9b::/96 64:ff9b:1::/48 100::/64 2001::/23 2001:db8::/32 2002::/16 fec0::/10`)

// Public reports whether an address is on the public internet.
func Public(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() {
		return false
	}
	for _, network := range special {
		if netip.MustParsePrefix(network).Contains(ip) {
			return false
		}
	}
	return true
}

// Fetched is what a server gave.
type Fetched struct {
	URL          *url.URL // where the redirects led
	Type         string   // the media type
	Charset      string
	ETag         string
	LastModified string
	Data         []byte
	NotModified  bool // it is as it was; Data is empty
}

// Fetch gets address, unless it is as it was at etag or lastModified. Errors
// are *StatusError, ErrPrivate, ErrTooLarge or of the network; they never carry
// a password of the address.
func (f *Fetcher) Fetch(ctx context.Context, address, etag, lastModified string) (Fetched, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return Fetched{}, fmt.Errorf("fetch %s: not an http or https address", Shown(address))
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return Fetched{}, fmt.Errorf("fetch %s: %w", shown(u), err)
	}
	request.Header.Set("User-Agent", strings.TrimSpace("newsie/"+f.Version))
	request.Header.Set("Accept", "application/atom+xml, application/rss+xml, application/feed+json, text/html;q=0.9, application/xml;q=0.8, text/*;q=0.7, */*;q=0.1")
	if etag != "" {
		request.Header.Set("If-None-Match", etag)
	}
	if lastModified != "" {
		request.Header.Set("If-Modified-Since", lastModified)
	}
	response, err := f.client.Do(request)
	if err != nil {
		var inner *url.Error
		if errors.As(err, &inner) {
			err = inner.Err // url.Error repeats the address
		}
		return Fetched{}, fmt.Errorf("fetch %s: %w", shown(u), err)
	}
	defer func() { _ = response.Body.Close() }()
	return f.answer(u, response)
}

func (f *Fetcher) answer(asked *url.URL, response *http.Response) (Fetched, error) {
	got := Fetched{
		URL:          response.Request.URL,
		ETag:         response.Header.Get("ETag"),
		LastModified: response.Header.Get("Last-Modified"),
	}
	switch {
	case response.StatusCode == http.StatusNotModified:
		got.NotModified = true
		return got, nil
	case response.StatusCode != http.StatusOK:
		return Fetched{}, &StatusError{URL: shown(asked), Code: response.StatusCode, RetryAfter: f.retryAfter(response.Header.Get("Retry-After"))}
	}
	if kind, params, err := mime.ParseMediaType(response.Header.Get("Content-Type")); err == nil {
		got.Type, got.Charset = kind, params["charset"]
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, MaxSize+1)) // after gzip, which the transport undoes
	switch {
	case err != nil:
		return Fetched{}, fmt.Errorf("fetch %s: %w", shown(asked), err)
	case len(data) > MaxSize:
		return Fetched{}, fmt.Errorf("fetch %s: %w", shown(asked), ErrTooLarge)
	}
	got.Data = data
	return got, nil
}

// retryAfter reads seconds or a date, and believes at most a day.
func (f *Fetcher) retryAfter(value string) time.Duration {
	wait := time.Duration(0)
	if seconds, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64); err == nil {
		wait = time.Duration(min(max(seconds, 0), 86400)) * time.Second
	} else if at, err := http.ParseTime(value); err == nil {
		wait = at.Sub(f.Now())
	}
	return min(max(wait, 0), 24*time.Hour)
}

// shown is an address as messages name it: a password, or a key in the query,
// must not get into a log.
func shown(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// Shown is address as messages name it, without a password or a query.
func Shown(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "an address that is malformed"
	}
	return shown(u)
}

// ParseFetched reads the articles of an answer under the given source's name.
// Its error is a *RefusedError. A page is known by its canonical address when
// that is on the same host, so that an address with a campaign's parameters is
// the same article.
func ParseFetched(got Fetched, sourceName string) (Parsed, error) {
	at := *got.URL
	at.User, at.Fragment = nil, ""
	p, err := Parse(Text{
		Name: shown(&at), Key: at.String(), Source: sourceName, Base: &at,
		Type: got.Type, Charset: got.Charset, Data: got.Data,
	})
	if err != nil || p.Kind == Feed {
		return p, err
	}
	for i := range p.Drafts {
		d := &p.Drafts[i]
		if d.URL == "" {
			d.URL = at.String()
		}
		if canonical, err := url.Parse(d.URL); err == nil && canonical.Host == at.Host {
			d.Key = d.URL
		}
	}
	return p, nil
}

// IsAddress reports whether what a publisher typed is an address of the web
// rather than a path.
func IsAddress(s string) bool {
	return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://")
}
