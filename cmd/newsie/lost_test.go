package main_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"newsie/bot/telegram/telegramtest"
	"newsie/bot/wechat/wechattest"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

// due inserts follows of chats whose digest is due now, and not again today.
func due(t *testing.T, db *database.DB, topic string, first, n int) {
	t.Helper()
	at := time.Now().UTC().Truncate(time.Minute)
	for i := range n {
		_, err := db.ExecContext(t.Context(), `INSERT INTO follows (channel, chat, topic, query, lang, spec, zone, next_due_at, since_seq, created_at)
			VALUES ('tg', ?, ?, ?, 'en', ?, 'UTC', ?, 0, 0)`, fmt.Sprint(first+i), topic, topic, fmt.Sprintf("%d %d * * *", at.Minute(), at.Hour()), at.UnixMilli())
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A lost is a replica that loses its database.
type lost struct {
	*testing.T
	in       *installation
	host     string
	front    *balancer
	gate     *databasetest.Gate
	direct   *database.DB
	tg, hook *telegramtest.Server
	gzh      *wechattest.Server
	process  *process
	form     url.Values // of the chat in the browser, opened before
	web      *browser
}

// A replica loses the database in the middle of everything, and gets it back.
func aReplicaLosesTheDatabase(t *testing.T) {
	l := loseDatabase(t)
	const readers, first, later = 60, 1000, 2000
	due(t, l.direct, "harbour", first, readers)
	received := func(from, n int) (got []int) {
		for i := range n {
			got = append(got, len(l.tg.Chat(int64(from+i)).Answers()))
		}
		return got
	}
	l.in.until("the first digests", func() bool { return sum(received(first, readers)) > 10 })
	l.gate.Shut()
	if n := sum(received(first, readers)); n == readers {
		t.Log("all digests went out before the database was lost")
	}
	moment, patient := make(chan wechattest.Bubble, 1), make(chan wechattest.Bubble, 1)
	go func() { moment <- l.gzh.Reader("asks-while-it-is-away").Say("harbour") }()
	for id := range 5 {
		l.tg.Chat(int64(1 + id)).Say("harbour")
		l.hook.Chat(int64(1 + id)).Say("harbour")
	}
	l.in.until("the replica says that it is not ready", func() bool {
		status, text := page("http://" + l.host + "/readyz")
		return status == http.StatusServiceUnavailable && strings.Contains(text, "the database does not answer")
	})
	if status, text := l.post(); status != http.StatusServiceUnavailable || !strings.Contains(text, "One moment, please") {
		t.Errorf("in the browser: %d %s", status, text)
	}
	l.in.until("the webhook asks for repetition", func() bool { return l.hook.Failing() })
	received(later, 3) // who are not told of before they are there
	due(t, l.direct, "harbour", later, 3)

	// The platform asked three times, in fifteen seconds.
	if got := <-moment; got.Who != wechattest.Bot || !strings.Contains(got.Text, "One moment, please") {
		t.Errorf("on WeChat: %+v", got)
	}
	asked := l.front.turn.Load()
	go func() { patient <- l.gzh.Reader("asks-just-before-it-is-back").Say("harbour") }()
	l.in.until("another question on WeChat", func() bool { return l.front.turn.Load() > asked })
	for id := range 5 {
		if a, b := len(l.tg.Chat(int64(1+id)).Answers()), len(l.hook.Chat(int64(1+id)).Answers()); a+b > 0 {
			t.Errorf("without a database, chat %d has %d and %d answers", 1+id, a, b)
		}
	}
	back, err := l.direct.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l.gate.Open()

	if got := <-patient; len(articles(bubble(got))) == 0 {
		t.Errorf("a question that the database came back to is answered by %+v", got)
	}
	for id := range 5 {
		for _, server := range []*telegramtest.Server{l.tg, l.hook} {
			answers, err := server.Chat(int64(1+id)).Wait(patiently(t), 1)
			if err != nil || len(articles(message(answers[0]))) == 0 {
				t.Errorf("a question that waited is answered by %v, %v", answers, err)
			}
		}
	}
	l.in.until("it is ready again", func() bool {
		status, _ := page("http://" + l.host + "/readyz")
		_, metrics := page("http://" + l.host + "/metrics")
		return status == http.StatusOK && strings.Contains(metrics, "\nnewsie_signals_up 1\n")
	})
	if status, text := l.post(); status != http.StatusOK || !strings.Contains(text, "harbour") { // the same form again
		t.Errorf("in the browser, sent again: %d %s", status, text)
	}
	l.in.until("the digests", func() bool { // but for those that were marked, and then could not be sent
		return count(t, l.direct, "SELECT count(*) FROM deliveries WHERE state IN ('sent', 'unknown') OR state = 'sending' AND lease_until <= ?", back+time.Minute.Milliseconds()) == readers+3
	})
	if err := l.process.stop(patiently(t)); err != nil {
		t.Error(err)
	}
	// The commit that marked a message may have been the last: it is listed.
	doubt := count(t, l.direct, "SELECT count(*) FROM deliveries WHERE state IN ('sending', 'unknown')")
	for what, got := range map[string][]int{"before": received(first, readers), "meanwhile": received(later, 3)} {
		for i, n := range got {
			if n > 1 {
				t.Errorf("reader %d has %d digests that were due %s", i, n, what)
			}
		}
	}
	if missing := readers + 3 - sum(received(first, readers)) - sum(received(later, 3)); missing > doubt || doubt > 2 {
		t.Errorf("%d digests did not come, %d are in doubt, of which there may be 2", missing, doubt)
	}
	for id := range 5 {
		if a, b := len(l.tg.Chat(int64(1+id)).Answers()), len(l.hook.Chat(int64(1+id)).Answers()); a != 1 || b != 1 {
			t.Errorf("chat %d has %d and %d answers to one question", 1+id, a, b)
		}
	}
	if p := l.gzh.Problems(); len(p) > 0 {
		t.Errorf("the platform is not content: %v", p)
	}
}

func sum(list []int) (n int) {
	for _, x := range list {
		n += x
	}
	return n
}

// loseDatabase starts a replica whose database can be taken away.
func loseDatabase(t *testing.T) *lost {
	t.Helper()
	address := databasetest.PostgresAddress(t)
	l := &lost{T: t, gate: databasetest.NewGate(t, address), direct: databasetest.Open(t, address), host: freeAddress(t)}
	l.tg = telegramtest.Start(t, telegramtest.Options{Local: true})
	l.gzh = wechattest.New(t, wechattest.Account{}, nil)
	l.front = balance(t, []string{l.host})
	l.hook = l.front.hook(t)
	l.gzh.ConnectURL(l.front.plain.URL + "/hooks/wechat/gzh")
	l.in = install(t, l.gate.Address())
	l.in.write("newsie.yaml", fmt.Sprintf(`listen: %s
public_url: %s
channels:
  web: {kind: webchat}
  tg: {kind: telegram, token: %q, api_url: %q}
  hook: {kind: telegram, mode: webhook, token: %q, api_url: %q}
  gzh: {kind: wechat, language: en, mode: safe, app_id: %q, app_secret: %q, token: %q, aes_key: %q, api_url: %q}
`, l.host, l.front.URL, l.tg.Token(), l.tg.URL(), l.hook.Token(), l.hook.URL(), l.gzh.AppID, l.gzh.Secret, l.gzh.Token, l.gzh.AESKey, l.gzh.URL))
	newGenerator().folder(t, l.in.path("library"), 30)
	l.in.must("import", "library")
	l.process = l.in.serve()
	l.web = l.front.browser(t)
	if _, err := l.web.say(t.Context(), "hello"); err != nil {
		t.Fatal(err)
	}
	doc, err := l.web.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l.form = url.Values{"text": {"harbour"}, "zone": {"UTC"}, "id": {doc.Find("#composer input[name=id]").AttrOr("value", "")}}
	return l
}

// post sends the form that was opened before the database was lost.
func (l *lost) post() (status int, text string) {
	l.Helper()
	ctx, cancel := context.WithTimeout(l.Context(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, l.web.base, strings.NewReader(l.form.Encode()))
	if err != nil {
		l.Fatal(err)
	}
	request.Header.Set("Accept-Language", "en")
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", l.front.URL)
	response, err := l.web.client.Do(request)
	if err != nil {
		l.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		l.Fatal(err)
	}
	return response.StatusCode, string(body)
}
