package main_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"newsie/bot/telegram"
	"newsie/bot/telegram/telegramtest"
)

// What the webhook was told to be safe is answered after a kill, by a newsie
// that polls now: a change of mode is a line of the configuration. A group is
// left as it was found.
func TestAKillBetweenTheWebhooks200AndTheAnswer(t *testing.T) {
	t.Parallel()
	in := install(t, "")
	server := telegramtest.Start(t, telegramtest.Options{})
	address := freeAddress(t)
	configure := func(mode string) {
		in.write("newsie.yaml", fmt.Sprintf("listen: %s\npublic_url: https://news.example.org\nchannels:\n  tg: {kind: telegram, mode: %s, token: %q, webhook_secret: sesame, api_url: %q}\n",
			address, mode, server.Token(), server.URL()))
	}
	reader := server.Chat(7).Language("it")
	configure("webhook")
	server.Fail("sendMessage", telegramtest.Hang)
	server.Fail("sendPhoto", telegramtest.Hang)
	p := in.serve("--demo")
	in.until("the webhook is set", func() bool { return len(server.Calls("setWebhook")) > 0 })
	post := func(secret, update string) int {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+"/hooks/telegram/tg", strings.NewReader(update))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set(telegram.SecretHeader, secret)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	question := `{"update_id":500,"message":{"message_id":1,"date":1,"chat":{"id":7,"type":"private"},"from":{"id":7,"language_code":"it"},"text":"/help"}}`
	if code := post("guess", question); code != http.StatusUnauthorized {
		t.Errorf("a stranger gets %d", code)
	}
	in.until("the session takes updates", func() bool { return post("sesame", question) == http.StatusOK })
	if n := len(reader.Answers()); n != 0 {
		t.Fatalf("%d answers before the kill", n)
	}
	p.kill()

	configure("polling")
	p = in.serve("--demo")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	answers, err := reader.Wait(ctx, 1)
	if err != nil {
		t.Fatalf("%v\n%s", err, p.stderr.String())
	}
	if got := answers[0].Text; !strings.Contains(got, "risponde alle parole") && !strings.Contains(got, "Puoi dire") {
		t.Errorf("the reader is answered %q", got)
	}
	reader.Say("commerce")
	if _, err := reader.Wait(ctx, 2); err != nil {
		t.Fatal(err)
	}
	if err := p.stop(t.Context()); err != nil {
		t.Error(err)
	}
	if n := len(reader.Answers()); n != 2 {
		t.Errorf("two questions have %d answers", n)
	}
}

// A group from the first greeting to the end, in the running program.
func TestTheLifeOfAGroup(t *testing.T) {
	t.Parallel()
	in := install(t, "")
	server := telegramtest.Start(t, telegramtest.Options{})
	server.SetBot(telegramtest.Bot{Username: "newsie_bot", ReadsAll: true})
	in.write("newsie.yaml", fmt.Sprintf("listen: %s\nchannels:\n  tg: {kind: telegram, token: %q, api_url: %q}\n", freeAddress(t), server.Token(), server.URL()))
	p := in.serve("--demo")
	db := in.open()
	group := server.Group(-5).Language("it")
	group.Join()
	next := 0
	answer := func(chat *telegramtest.Chat) telegramtest.Message {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		next++
		answers, err := chat.Wait(ctx, next)
		if err != nil {
			t.Fatalf("%v\n%s", err, p.stderr.String())
		}
		return answers[next-1]
	}
	if got := answer(group); !strings.Contains(got.Text, "Ciao a tutti") || strings.Count(got.Text, "\n") > 1 {
		t.Errorf("the greeting is %q", got.Text)
	}
	group.SayAs(telegramtest.Said{From: 8}, "commerce")
	group.SayAs(telegramtest.Said{From: 8}, "/search@other_bot commerce")
	asked := group.SayAs(telegramtest.Said{From: 8}, "/search@newsie_bot commerce")
	if got := answer(group); got.ReplyTo != asked || len(got.Buttons) == 0 {
		t.Errorf("the answer is %+v", got)
	}
	follows := func(chat string) int { return count(t, db, "SELECT COUNT(*) FROM follows WHERE chat = ?", chat) }
	group.SayAs(telegramtest.Said{From: 8}, "/follow commerce daily 8:00")
	if got := answer(group); !strings.Contains(got.Text, "amministratori") || follows("-5") != 0 {
		t.Errorf("a member may follow for the group: %q", got.Text)
	}
	group.Administrator(9).SayAs(telegramtest.Said{From: 9}, "/follow commerce daily 8:00")
	answer(group)
	if follows("-5") != 1 {
		t.Fatal("the group follows nothing")
	}
	moved := group.Migrate(-1005, false)
	in.until("the follow has moved", func() bool { return follows("-5") == 0 && follows("-1005") == 1 })
	next = len(moved.Answers())
	moved.SayAs(telegramtest.Said{From: 8}, "/following")
	if got := answer(moved); !strings.Contains(got.Text, "commerce") {
		t.Errorf("the supergroup follows %q", got.Text)
	}
	moved.Remove()
	in.until("the follow has ended", func() bool { return follows("-1005") == 0 })
	if n := len(moved.Answers()); n != next {
		t.Errorf("%d more words after the removal", n-next)
	}
}
