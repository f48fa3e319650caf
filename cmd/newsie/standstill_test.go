package main_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"newsie/bot/telegram/telegramtest"
	"newsie/bot/wechat/wechattest"
	"newsie/internal/database/databasetest"
)

// A process stands still in the middle of digests and answers, for so long that
// the other takes it for dead, and goes on. Nothing comes twice, nothing is lost.
func aReplicaStandsStillAndGoesOn(t *testing.T) {
	address := databasetest.PostgresAddress(t)
	direct := databasetest.Open(t, address)
	tg := telegramtest.Start(t, telegramtest.Options{Chaos: telegramtest.Chaos{Seed: 1, Delay: 20 * time.Millisecond}})
	gzh := wechattest.New(t, wechattest.Account{Verified: true}, nil)
	hosts := []string{freeAddress(t), freeAddress(t)}
	front := balance(t, hosts)
	gzh.ConnectURL(front.plain.URL + "/hooks/wechat/gzh")
	var replicas []*process
	for i, host := range hosts {
		in := install(t, address)
		in.write("newsie.yaml", fmt.Sprintf(`listen: %s
channels:
  tg: {kind: telegram, token: %q, api_url: %q}
  gzh: {kind: wechat, language: en, mode: safe, app_id: %q, app_secret: %q, token: %q, aes_key: %q, api_url: %q}
`, host, tg.Token(), tg.URL(), gzh.AppID, gzh.Secret, gzh.Token, gzh.AESKey, gzh.URL))
		if i == 0 {
			newGenerator().folder(t, in.path("library"), 30)
			in.must("import", "library")
		}
		replicas = append(replicas, in.serve())
	}
	in := install(t, address)
	const digests, first, chats, questions, readers = 120, 1000, 8, 3, 4
	received := func() (n int) {
		for i := range digests {
			n += len(tg.Chat(int64(first + i)).Answers())
		}
		return n
	}
	received() // makes the chats
	due(t, direct, "harbour", first, digests)
	in.until("the first digests", func() bool { return received() > 20 })

	// The elder polls Telegram; half of what WeChat says reaches it.
	var asking sync.WaitGroup
	for i := range readers {
		asking.Go(func() {
			r := gzh.Reader(fmt.Sprint("reader-", i))
			for range questions {
				if got := r.Say("harbour"); got.Who != wechattest.Bot || len(articles(bubble(got))) == 0 {
					t.Errorf("a reader on WeChat is answered %+v", got)
				}
			}
		})
	}
	for i := range chats {
		for range questions {
			tg.Chat(int64(1 + i)).Say("harbour")
		}
	}
	claims := func(state string) int {
		return count(t, direct, "SELECT count(*) FROM deliveries WHERE state = ?", state)
	}
	if err := replicas[0].cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = replicas[0].cmd.Process.Signal(syscall.SIGCONT) })
	front.ill.Store(hosts[0], true) // what it has it keeps
	doubt := count(t, direct, "SELECT count(*) FROM inbox WHERE channel = 'tg' AND answered = 0 AND replica <> ''")
	in.until("the other replica to take over", func() bool {
		list, err := direct.Replicas(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return len(list) == 1 && claims("planned") == 0 && claims("claimed") == 0
	})
	asking.Wait()
	in.until("the other replica to answer on Telegram", func() bool {
		return count(t, direct, "SELECT count(*) FROM inbox WHERE channel = 'tg' AND message_id LIKE 'u%' AND answered = 1") == chats*questions
	})
	answers := func() (n int) {
		for i := range chats {
			n += len(tg.Chat(int64(1 + i)).Answers())
		}
		return n
	}
	without := answers()
	if err := replicas[0].cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	in.until("both to live, and to have nothing left to do", func() bool {
		list, err := direct.Replicas(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		status, _ := page("http://" + hosts[0] + "/readyz")
		return len(list) == 2 && status == http.StatusOK && claims("sent")+claims("unknown") == digests
	})
	for _, p := range replicas {
		if err := p.stop(patiently(t)); err != nil {
			t.Error(err)
		}
	}

	for i := range digests {
		id := int64(first + i)
		var state string
		if err := direct.QueryRowContext(t.Context(), "SELECT state FROM deliveries WHERE chat = ?", strconv.FormatInt(id, 10)).Scan(&state); err != nil {
			t.Fatal(err)
		}
		if n := len(tg.Chat(id).Answers()); n > 1 || n == 0 && state != "unknown" {
			t.Errorf("chat %d has its digest %d times, the ledger says %s", id, n, state)
		}
	}
	// What it had said in the moment before, and not noted, the other said again:
	// rather twice than never. It adds nothing to that.
	if n := answers(); n != without || n < chats*questions || n > chats*questions+doubt {
		t.Errorf("%d answers on Telegram before it went on, %d after; there are %d questions, %d of them in doubt", without, n, chats*questions, doubt)
	}
	for i := range readers {
		r := gzh.Reader(fmt.Sprint("reader-", i))
		said := 0
		for _, b := range r.Phone() {
			if b.Who == wechattest.Bot {
				said++
			}
		}
		if said != questions {
			t.Errorf("%d answers to %d questions on WeChat:\n%s", said, questions, r)
		}
	}
	if n := count(t, direct, "SELECT count(*) FROM deliveries WHERE channel = 'gzh'"); n != 0 {
		t.Errorf("%d late answers to questions that were answered", n)
	}
	if p := gzh.Problems(); len(p) > 0 {
		t.Errorf("the platform is not content: %s", strings.Join(p, "\n"))
	}
}
