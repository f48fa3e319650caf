package main_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"newsie/bot/telegram/telegramtest"
	"newsie/bot/wechat/wechattest"
	"newsie/internal/database/databasetest"
)

// One after the other: each process may take 17 connections of the 100 that a
// PostgreSQL has when nobody says otherwise.
func TestReplicas(t *testing.T) {
	t.Parallel()
	t.Run("three behind a proxy", threeReplicasBehindAProxy)
	t.Run("one loses the database", aReplicaLosesTheDatabase)
	t.Run("one stands still and goes on", aReplicaStandsStillAndGoesOn)
}

// Three replicas on one database, with no request going where the last one went.
func threeReplicasBehindAProxy(t *testing.T) {
	address := databasetest.PostgresAddress(t)
	tg := telegramtest.Start(t, telegramtest.Options{Local: true})
	gzh := wechattest.New(t, wechattest.Account{}, nil)
	var hosts []string
	var ins []*installation
	for range 3 {
		ins, hosts = append(ins, install(t, address)), append(hosts, freeAddress(t))
	}
	front := balance(t, hosts)
	hook := front.hook(t)
	gzh.ConnectURL(front.plain.URL + "/hooks/wechat/gzh")
	var replicas []*process
	for i, in := range ins {
		in.write("newsie.yaml", fmt.Sprintf(`listen: %s
public_url: %s
channels:
  web: {kind: webchat}
  tg: {kind: telegram, token: %q, api_url: %q}
  hook: {kind: telegram, mode: webhook, token: %q, api_url: %q}
  gzh: {kind: wechat, language: en, mode: safe, app_id: %q, app_secret: %q, token: %q, aes_key: %q, api_url: %q}
`, hosts[i], front.URL, tg.Token(), tg.URL(), hook.Token(), hook.URL(), gzh.AppID, gzh.Secret, gzh.Token, gzh.AESKey, gzh.URL))
		replicas = append(replicas, in.start("serve")) // all at once, on a database without tables
	}
	for i, in := range ins {
		in.until("the replica serves", func() bool { return replicas[i].said("is ready after") || replicas[i].ended() })
	}
	newGenerator().folder(t, ins[0].path("library"), 30)
	ins[0].must("import", "library")
	for i, in := range ins {
		in.until("the replica is ready, and has followed the import", func() bool {
			status, _ := page("http://" + hosts[i] + "/readyz")
			_, metrics := page("http://" + hosts[i] + "/metrics")
			return status == http.StatusOK && strings.Contains(metrics, "\nnewsie_index_lag 0\n") && !strings.Contains(metrics, "\nnewsie_index_seq 0\n")
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

	web := front.browser(t)
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
	const each = 12
	for i := range 6 {
		load.Go(func() {
			r := gzh.Reader(fmt.Sprint("load-", i))
			for n := range each {
				asked.Add(1)
				if got := r.Say(name(n)); got.Text == "" && len(got.News) == 0 || got.Who == wechattest.System {
					t.Errorf("a reader is answered %+v", got)
				}
			}
		})
		load.Go(func() {
			chat := hook.Chat(int64(100 + i))
			for n := range each {
				asked.Add(1)
				chat.Say(name(n))
				if _, err := chat.Wait(patiently(t), n+1); err != nil {
					t.Errorf("by webhook: %v", err)
					return
				}
			}
		})
	}
	ins[1].until("the load", func() bool { return asked.Load() > 20 })
	replicas[0].kill() // the one that polls Telegram, or one that waits to
	for n := range 5 {
		sayTelegram(t, chat, name(n))
	}
	load.Wait()
	for reader, n := range front.failures() {
		t.Logf("%s: %d failed", reader, n)
		if n > 1 {
			t.Errorf("%d tries of %s failed, want one at most", n, reader)
		}
	}
	for i := range 6 {
		// What was said and not noted when the replica died is said again: rather
		// twice than never. Only one that was under way can be.
		again := front.failures()[fmt.Sprintf("/hooks/telegram/hook %d", 100+i)]
		if n := len(hook.Chat(int64(100 + i)).Answers()); n < each || n > each+again {
			t.Errorf("%d answers to %d questions by webhook, %d of them asked twice", n, each, again)
		}
	}
	if p := gzh.Problems(); len(p) > 0 {
		t.Errorf("the platform is not content: %v", p)
	}
	for _, i := range []int{1, 2} {
		if err := replicas[i].stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// page is what an address shows; 0: nothing.
func page(address string) (status int, text string) {
	resp, err := http.Get(address)
	if err != nil {
		return 0, ""
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return 0, ""
	}
	return resp.StatusCode, string(body)
}

// patiently is a context that ends when patience does.
func patiently(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}
