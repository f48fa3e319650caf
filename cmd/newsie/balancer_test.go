package main_test

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"newsie/bot/telegram/telegramtest"
)

// A balancer spreads requests over replicas by turns, as a proxy without sticky
// sessions does: one that refuses connections, or is known to be ill, is passed
// over, a connection that breaks in the middle breaks towards the caller too.
type balancer struct {
	*httptest.Server // by https
	plain            *httptest.Server
	hosts            []string
	ill              sync.Map // hosts that it sends nothing to
	turn             atomic.Int64

	mu     sync.Mutex
	failed map[string]int // tries of the platforms', by reader
}

func balance(t *testing.T, hosts []string) *balancer {
	t.Helper()
	b := &balancer{hosts: hosts, failed: map[string]int{}}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: "replica"})
			r.Out.Host = r.In.Host
		},
		Transport:     b,
		FlushInterval: -1,
		ErrorHandler:  func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	b.Server, b.plain = httptest.NewTLSServer(proxy), httptest.NewServer(proxy)
	for _, s := range []*httptest.Server{b.Server, b.plain} {
		t.Cleanup(s.Close)
		t.Cleanup(s.CloseClientConnections)
	}
	return b
}

// hook plays a bot whose updates come to the balancer.
func (b *balancer) hook(t *testing.T) *telegramtest.Server {
	t.Helper()
	return telegramtest.Start(t, telegramtest.Options{
		Local: true, Token: "210201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw", Webhooks: b.Client().Transport, RetryWebhook: 100 * time.Millisecond,
	})
}

// browser opens the chat in the browser.
func (b *balancer) browser(t *testing.T) *browser {
	t.Helper()
	web, err := newBrowser(b.URL + "/chat/web/")
	if err != nil {
		t.Fatal(err)
	}
	web.client.Transport = b.Client().Transport
	return web
}

func (b *balancer) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	for range b.hosts {
		out := r.Clone(r.Context())
		out.URL.Host = b.hosts[b.turn.Add(1)%int64(len(b.hosts))]
		if _, ill := b.ill.Load(out.URL.Host); ill {
			continue
		}
		out.Body = io.NopCloser(strings.NewReader(string(body)))
		resp, err := http.DefaultTransport.RoundTrip(out)
		var op *net.OpError
		if errors.As(err, &op) && op.Op == "dial" {
			continue
		}
		if err != nil || resp.StatusCode >= 400 {
			b.count(r.URL, body)
		}
		return resp, err
	}
	return nil, errors.New("no replica takes connections")
}

// count notes that a reader's message was not taken.
func (b *balancer) count(at *url.URL, body []byte) {
	if !strings.HasPrefix(at.Path, "/hooks/") {
		return
	}
	reader := at.Query().Get("openid")
	var update struct {
		Message struct {
			Chat struct{ ID int64 }
		}
	}
	if json.Unmarshal(body, &update) == nil && update.Message.Chat.ID != 0 {
		reader = strconv.FormatInt(update.Message.Chat.ID, 10)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failed[at.Path+" "+reader]++
}

// failures are the readers with tries that failed, and how many.
func (b *balancer) failures() map[string]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	failed := map[string]int{}
	for reader, n := range b.failed {
		failed[reader] = n
	}
	return failed
}
