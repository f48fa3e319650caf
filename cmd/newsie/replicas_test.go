package main_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"newsie/bot/telegram/telegramtest"
	"newsie/bot/wechat/wechattest"
	"newsie/internal/database/databasetest"
)

// A balancer spreads requests over replicas by turns, as a proxy without sticky
// sessions does: one that refuses connections is passed over, a connection that
// breaks in the middle breaks towards the caller too.
type balancer struct {
	*httptest.Server
	hosts []string
	turn  atomic.Int64
}

func balance(t *testing.T, hosts []string) *balancer {
	t.Helper()
	b := &balancer{hosts: hosts}
	b.Server = httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: "replica"})
			r.Out.Host = r.In.Host
		},
		Transport:     b,
		FlushInterval: -1,
		ErrorHandler:  func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	})
	t.Cleanup(b.Close)
	t.Cleanup(b.CloseClientConnections)
	return b
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
		out.Body = io.NopCloser(strings.NewReader(string(body)))
		resp, err := http.DefaultTransport.RoundTrip(out)
		var op *net.OpError
		if errors.As(err, &op) && op.Op == "dial" {
			continue
		}
		return resp, err
	}
	return nil, errors.New("no replica takes connections")
}

// Three replicas on one database, with no request going where the last one went.
func TestThreeReplicasBehindAProxy(t *testing.T) {
	t.Parallel()
	address := databasetest.PostgresAddress(t)
	tg := telegramtest.Start(t, telegramtest.Options{Local: true})
	gzh := wechattest.New(t, wechattest.Account{}, nil)
	var hosts []string
	var ins []*installation
	for range 3 {
		ins, hosts = append(ins, install(t, address)), append(hosts, freeAddress(t))
	}
	front := balance(t, hosts)
	gzh.ConnectURL(front.URL + "/hooks/wechat/gzh")
	newGenerator().folder(t, ins[0].path("library"), 30)
	ins[0].must("import", "library")
	var replicas []*process
	for i, in := range ins {
		in.write("newsie.yaml", fmt.Sprintf(`listen: %s
public_url: %s
channels:
  web: {kind: webchat}
  tg: {kind: telegram, token: %q, api_url: %q}
  gzh: {kind: wechat, language: en, mode: safe, app_id: %q, app_secret: %q, token: %q, aes_key: %q, api_url: %q}
`, hosts[i], front.URL, tg.Token(), tg.URL(), gzh.AppID, gzh.Secret, gzh.Token, gzh.AESKey, gzh.URL))
		replicas = append(replicas, in.serve())
	}
	for i, in := range ins {
		in.until("the replica is ready", func() bool {
			resp, err := http.Get("http://" + hosts[i] + "/readyz")
			if err != nil {
				return false
			}
			_ = resp.Body.Close()
			return resp.StatusCode == http.StatusOK
		})
	}

	reader := gzh.Reader("reader-1")
	list := reader.Say("harbour")
	for range 3 {
		if again := reader.Repeat(); again.Response != list.Response {
			t.Errorf("another replica answers a retry by\n%s\nthe first by\n%s", again.Response, list.Response)
		}
	}
	if second, ids := bubble(reader.Say("2")), articles(bubble(list)); len(ids) < 2 || len(articles(second)) == 0 || articles(second)[0] != ids[1] {
		t.Errorf("\"2\" opens %v, want the second of %v", articles(second), ids)
	}
	chat := tg.Chat(7)
	first := sayTelegram(t, chat, "harbour")
	more := sayTelegram(t, chat, "more")
	if a, b := articles(first), articles(more); len(a) == 0 || len(b) == 0 || a[0] == b[0] {
		t.Errorf("pages: %v, then %v", a, b)
	}

	web, err := newBrowser(front.URL + "/chat/web/")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := web.say(t.Context(), "harbour"); err != nil {
		t.Fatal(err)
	}
	last, err := web.last(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	events, err := web.listen(ctx, last)
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"1", "2", "3"} { // each to another replica
		answer, err := web.say(ctx, words)
		if err != nil {
			t.Fatal(err)
		}
		if got := <-events; len(got.links) == 0 && got.text != answer.text {
			t.Errorf("the event is %q, the answer was %q", got.text, answer.text)
		}
	}
	cancel()

	// Under load one of them dies.
	var load sync.WaitGroup
	var asked atomic.Int64
	for i := range 6 {
		load.Go(func() {
			r := gzh.Reader(fmt.Sprint("load-", i))
			for n := range 12 {
				asked.Add(1)
				if got := r.Say(name(n)); got.Text == "" && len(got.News) == 0 || got.Who == wechattest.System {
					t.Errorf("a reader is answered %+v", got)
				}
			}
		})
	}
	ins[1].until("the load", func() bool { return asked.Load() > 20 })
	replicas[0].kill() // the one that polls Telegram
	for n := range 5 {
		sayTelegram(t, chat, name(n))
	}
	load.Wait()
	if p := gzh.Problems(); len(p) > 0 {
		t.Errorf("the platform is not content: %v", p)
	}
	for _, i := range []int{1, 2} {
		if err := replicas[i].stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
