package wechat

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/silenceper/wechat/v2/util"
)

const (
	callTimeout = 10 * time.Second
	maxResponse = 10 << 20
)

// The library has one HTTP client for the whole process, without a timeout,
// and puts secrets into the addresses that its errors quote. It is replaced
// once, by a client whose transport knows where each account's calls go.
var (
	replaced sync.Once
	ways     = &router{bases: map[string]*url.URL{}, owners: map[string]string{}}
)

// point sends the calls of an account to another address than the platform's;
// "" is the platform. The last call for an appid counts.
func point(appID, address string) error {
	var base *url.URL
	if address != "" {
		u, err := url.Parse(strings.TrimSuffix(address, "/"))
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return fmt.Errorf("api_url %q is not an http or https address", address)
		}
		base = u
	}
	ways.mu.Lock()
	ways.bases[appID] = base
	ways.mu.Unlock()
	replaced.Do(func() {
		dial := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}
		ways.next = &http.Transport{
			Proxy: http.ProxyFromEnvironment, DialContext: dial.DialContext, TLSHandshakeTimeout: 5 * time.Second,
			ForceAttemptHTTP2: true, MaxIdleConns: 32, MaxIdleConnsPerHost: 16, IdleConnTimeout: 60 * time.Second,
		}
		util.DefaultHTTPClient = &http.Client{
			Transport: ways,
			// The API never redirects; following would show the token to a stranger.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	})
	return nil
}

// A router is the transport of every call the library makes.
type router struct {
	next *http.Transport

	mu     sync.RWMutex
	bases  map[string]*url.URL // appid -> where its API is; nil: the platform
	owners map[string]string   // access token -> appid
	recent []string            // tokens in owners, oldest first
}

// own notes whose token this is.
func (r *router) own(token, appID string) {
	r.mu.RLock()
	known := r.owners[token] == appID
	r.mu.RUnlock()
	if known {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.owners[token] = appID
	r.recent = append(r.recent, token)
	if most := 16 + 8*len(r.bases); len(r.recent) > most {
		delete(r.owners, r.recent[0])
		r.recent = r.recent[1:]
	}
}

// base tells where a call goes. Calls carry the access token or, to fetch one,
// the appid: in the address, or for stable_token in the body.
func (r *router) base(req *http.Request) *url.URL {
	query := req.URL.Query()
	appID := query.Get("appid")
	if appID == "" && strings.HasSuffix(req.URL.Path, "/stable_token") && req.GetBody != nil {
		if body, err := req.GetBody(); err == nil {
			var who struct {
				AppID string `json:"appid"`
			}
			_ = json.NewDecoder(io.LimitReader(body, maxBody)).Decode(&who)
			_ = body.Close()
			appID = who.AppID
		}
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	if appID == "" {
		appID = r.owners[query.Get("access_token")]
	}
	return r.bases[appID]
}

// CloseIdleConnections is called by the client's method of that name.
func (r *router) CloseIdleConnections() { r.next.CloseIdleConnections() }

// RoundTrip makes one call within callTimeout and reads its answer whole, so
// that every fault comes out as a *callError. (A client's own Timeout would
// replace such an error by one that has lost its cause.)
func (r *router) RoundTrip(req *http.Request) (*http.Response, error) {
	var written atomic.Bool
	ctx, cancel := context.WithTimeout(req.Context(), callTimeout)
	defer cancel()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteRequest: func(info httptrace.WroteRequestInfo) {
			if info.Err == nil {
				written.Store(true)
			}
		},
	})
	out := req.Clone(ctx)
	if base := r.base(req); base != nil {
		out.URL.Scheme, out.URL.Host, out.Host = base.Scheme, base.Host, base.Host
		out.URL.Path, out.URL.RawPath = base.Path+out.URL.Path, ""
	}
	fault := func(status int, err error) error {
		return &callError{path: req.URL.Path, written: written.Load(), status: status, err: err}
	}
	response, err := r.next.RoundTrip(out)
	if err != nil {
		return nil, fault(0, err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fault(response.StatusCode, errors.New(http.StatusText(response.StatusCode)))
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxResponse+1))
	if err == nil && len(body) > maxResponse {
		err = fmt.Errorf("the answer has more than %d bytes", maxResponse)
	}
	if err != nil {
		return nil, fault(0, err)
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}

// A callError is a call that brought no answer. It does not tell the address,
// which holds a secret.
type callError struct {
	path    string
	written bool // the platform may have acted on it
	status  int  // of the HTTP answer; 0: there was none
	err     error
}

func (e *callError) Error() string {
	if e.status != 0 {
		return fmt.Sprintf("%s: HTTP status %d", e.path, e.status)
	}
	return e.path + ": " + redact(e.err.Error())
}

func (e *callError) Unwrap() error { return e.err }

var secrets = regexp.MustCompile(`((?:access_token|secret|appsecret)"?[=:]\s*"?)[^&\s"']+`)

// redact hides secrets in text that quotes an address or a body.
func redact(text string) string { return secrets.ReplaceAllString(text, "${1}…") }
