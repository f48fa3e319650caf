package telegram_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"newsie/bot"
	"newsie/bot/bottest"
	"newsie/bot/telegram"
	"newsie/bot/telegram/telegramtest"
)

func to(id string) bot.ChatID { return bot.ChatID{Channel: "tg", ID: id} }

func TestSendErrorsAreTheBots(t *testing.T) {
	fault := func(f telegramtest.Fault) func(*telegramtest.Server) {
		return func(s *telegramtest.Server) { s.Chat(1); s.Fail("sendMessage", f) }
	}
	is := func(target error) func(error) bool {
		return func(err error) bool { return errors.Is(err, target) }
	}
	for _, test := range []struct {
		name    string
		prepare func(*telegramtest.Server)
		to      string
		want    func(error) bool
		arrived int
	}{
		{"sent", func(s *telegramtest.Server) { s.Chat(1) }, "1", is(nil), 1},
		{"blocked", func(s *telegramtest.Server) { s.Chat(1).Block() }, "1", is(bot.ErrGone), 0},
		{"deactivated", func(s *telegramtest.Server) { s.Chat(1).Deactivate() }, "1", is(bot.ErrGone), 0},
		{"kicked from a group", func(s *telegramtest.Server) { s.Group(-1).Block() }, "-1", is(bot.ErrGone), 0},
		{"never met", func(s *telegramtest.Server) { s.Stranger(1) }, "1", is(bot.ErrGone), 0},
		{"no such chat", func(*telegramtest.Server) {}, "1", is(bot.ErrGone), 0},
		{"no such topic", func(s *telegramtest.Server) { s.Supergroup(-1, 5) }, "-1:6", is(bot.ErrGone), 0},
		{"moved", func(s *telegramtest.Server) { s.Group(-1).Migrate(-1001234567890, true) }, "-1", func(err error) bool {
			var moved *bot.MovedError
			return errors.As(err, &moved) && moved.To == to("-1001234567890")
		}, 0},
		{"too many", fault(telegramtest.TooMany), "1", func(err error) bool {
			var retry *bot.RetryError
			return errors.As(err, &retry) && retry.After == 17*time.Second && !retry.All
		}, 0},
		{"a reset after it was written, not done", fault(telegramtest.ResetBefore), "1", is(bot.ErrUnknown), 0},
		{"a reset after it was done", fault(telegramtest.ResetAfter), "1", is(bot.ErrUnknown), 1},
		{"a bad gateway", fault(telegramtest.BadGateway), "1", is(bot.ErrUnknown), 0},
		{"an error of the server", fault(telegramtest.ServerError), "1", is(bot.ErrUnknown), 0},
		{"a page that is no answer", fault(telegramtest.NotAnAPI), "1", is(bot.ErrUnknown), 0},
		{"a refused token", func(s *telegramtest.Server) { s.Chat(1); s.Revoke("1:x") }, "1", func(err error) bool {
			var config *bot.ConfigError
			return errors.As(err, &config) && config.Channel == "tg" && strings.Contains(config.Advice, "@BotFather")
		}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := telegramtest.Start(t, telegramtest.Options{})
			c, _, _, _ := build(t, s, echo, setup{})
			test.prepare(s)
			_, err := c.Send(patient(t), bot.Outgoing{To: to(test.to), Reply: bot.Reply{Text: "digest"}})
			if !test.want(err) {
				t.Errorf("Send = %v (%T)", err, err)
			}
			if n := len(s.Calls("sendMessage")); n > 1 {
				t.Errorf("it was sent %d times", n)
			}
			if test.to == "1" {
				if n := len(s.Chat(1).Answers()); n != test.arrived {
					t.Errorf("%d messages arrived, want %d", n, test.arrived)
				}
			}
		})
	}
}

func TestSendTimeoutIsUnknown(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{})
	s.Chat(1)
	s.Fail("sendMessage", telegramtest.Hang)
	c, _, _, _ := build(t, s, echo, setup{})
	ctx, cancel := context.WithTimeout(patient(t), 2*time.Second) // by then the server has it
	defer cancel()
	if _, err := c.Send(ctx, bot.Outgoing{To: to("1"), Reply: bot.Reply{Text: "x"}}); !errors.Is(err, bot.ErrUnknown) {
		t.Errorf("Send = %v, want ErrUnknown", err)
	}
}

func TestSendGoesToTopicsChannelsAndSilently(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{})
	forum, news := s.Supergroup(-100, 44), s.Channel(-200, "the_news")
	c, _, _, _ := build(t, s, echo, setup{})
	for _, o := range []bot.Outgoing{
		{To: to("-100:44"), Reply: bot.Reply{Text: "topic"}, Silent: true},
		{To: to("-100:1"), Reply: bot.Reply{Text: "General"}},
		{To: to("-100"), Reply: bot.Reply{Text: "chat"}},
		{To: to("@the_news"), Reply: bottest.List(10, "T", "s")},
	} {
		if _, err := c.Send(patient(t), o); err != nil {
			t.Errorf("%s: %v", o.To.ID, err)
		}
	}
	got := forum.Answers()
	if len(got) != 3 || got[0].Thread != 44 || !got[0].Silent || got[1].Thread != 0 || got[1].Silent || got[2].Thread != 0 {
		t.Errorf("messages = %+v", got)
	}
	if n := len(news.Answers()); n != 1 {
		t.Errorf("%d posts", n)
	}
}

func TestAnswersGoToTheTopicTheyWereAskedIn(t *testing.T) {
	r := start(t, echo, setup{})
	forum := r.Supergroup(-100, 44)
	forum.SayAs(telegramtest.Said{Thread: 44, From: 7}, "/help@newsie_bot")
	forum.SayAs(telegramtest.Said{From: 7}, "no question of ours")
	forum.SayAs(telegramtest.Said{From: 8}, "@newsie_bot tea")
	r.wait(t, forum, 2)
	r.quiet(t)
	if got := forum.Answers(); len(got) != 2 || got[0].Thread+got[1].Thread != 44 {
		t.Errorf("answers = %+v", got)
	}
}

func TestEditedMessagesAreAnsweredInPlace(t *testing.T) {
	r := start(t, echo, setup{})
	reader := r.Chat(1)
	first := reader.Say("tee")
	r.wait(t, reader, 1)
	reader.Say("other")
	r.wait(t, reader, 2)
	reader.Edit(first, "tea")
	got, err := reader.WaitFor(patient(t), func(m []telegramtest.Message) bool { return m[0].Text == "tea" })
	if err != nil || len(got) != 2 || got[0].Edits != 1 {
		t.Fatalf("answers = %+v, %v", got, err)
	}
	// The same words again: nothing to change, nothing new.
	reader.Edit(first, "tea")
	reader.Edit(first, "teas")
	got, err = reader.WaitFor(patient(t), func(m []telegramtest.Message) bool { return m[0].Text == "teas" })
	if err != nil || len(got) != 2 {
		t.Errorf("answers = %+v, %v", got, err)
	}
}

func TestTapsAreAcknowledgedAndPagesTurnInPlace(t *testing.T) {
	replies := map[string]bot.Reply{
		"tea":       {Text: "page 1", Actions: []bot.Action{{Label: "More", Text: "/more 9 2", Role: bot.PageOn}, {Label: "Related", Text: "/related 4"}}},
		"/more 9 2": {Text: "page 2", Replace: "9", Actions: []bot.Action{{Label: "Back", Text: "/more 9 1", Role: bot.PageBack}}},
		"/more 9 1": {Text: "page 1", Replace: "9"},
	}
	handler := func(_ context.Context, m bot.Message) (bot.Reply, error) {
		if r, ok := replies[m.Text]; ok {
			return r, nil
		}
		return bot.Reply{Text: "new: " + m.Text}, nil
	}
	r := start(t, handler, setup{})
	reader := r.Chat(1)
	reader.Say("tea")
	r.wait(t, reader, 1)
	tap := func(label, want string, messages int) {
		t.Helper()
		if _, err := reader.Tap(label); err != nil {
			t.Fatal(err)
		}
		got, err := reader.WaitFor(patient(t), func(m []telegramtest.Message) bool {
			return len(m) == messages && m[messages-1].Text == want
		})
		if err != nil {
			t.Fatalf("after %s: %+v, %v\n%s", label, got, err, r.log)
		}
	}
	tap("Related", "new: /related 4", 2)
	if _, err := reader.TapOn(reader.Answers()[0].ID, "More"); err != nil {
		t.Fatal(err)
	}
	got, err := reader.WaitFor(patient(t), func(m []telegramtest.Message) bool { return m[0].Text == "page 2" })
	if err != nil || len(got) != 2 {
		t.Fatalf("answers = %+v, %v", got, err)
	}
	// The reader deletes the page with the tap on its way.
	if err := reader.TapDeleted(got[0].ID, "Back"); err != nil {
		t.Fatal(err)
	}
	if got, err = reader.WaitFor(patient(t), func(m []telegramtest.Message) bool { return len(m) == 2 && m[1].Text == "page 1" }); err != nil {
		t.Fatalf("a page that cannot be edited: %+v, %v", got, err)
	}
	if err := r.Until(patient(t), func() bool { return reader.Spinning() == 0 }); err != nil {
		t.Errorf("%d buttons are spinning", reader.Spinning())
	}
}

func TestACallbackIsAcknowledgedWhileItsChatWaits(t *testing.T) {
	release := make(chan struct{})
	handler := func(ctx context.Context, m bot.Message) (bot.Reply, error) {
		if m.Kind == bot.Tap {
			<-release
		}
		return bot.Reply{Text: m.Text, Actions: []bot.Action{{Label: "Go", Text: "/go"}}}, nil
	}
	r := start(t, handler, setup{})
	r.Chat(1).Say("x")
	r.wait(t, r.Chat(1), 1)
	for range 3 {
		if _, err := r.Chat(1).Tap("Go"); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Until(patient(t), func() bool { return r.Chat(1).Spinning() == 0 }); err != nil {
		t.Errorf("%d buttons spin while the chat waits", r.Chat(1).Spinning())
	}
	close(release)
	r.wait(t, r.Chat(1), 4)
}

func TestAnAlbumIsAnsweredOnce(t *testing.T) {
	r := start(t, echo, setup{})
	for range 4 {
		r.Chat(1).Send(map[string]any{"photo": []any{}, "media_group_id": "a"})
	}
	r.Chat(1).Say("next")
	got := r.wait(t, r.Chat(1), 2)
	if r.quiet(t); len(r.Chat(1).Answers()) != 2 || got[0].Text != "picture" {
		t.Errorf("answers = %+v", got)
	}
}

func TestBlockingAndUnblockingIsHeardAndNotAnswered(t *testing.T) {
	var mu sync.Mutex
	var heard []bot.Kind
	handler := func(ctx context.Context, m bot.Message) (bot.Reply, error) {
		mu.Lock()
		defer mu.Unlock()
		heard = append(heard, m.Kind)
		return bot.Reply{Text: "heard " + string(m.Kind)}, nil
	}
	r := start(t, handler, setup{})
	reader, group := r.Chat(1), r.Group(-5)
	reader.Block()
	r.quiet(t)
	reader.Unblock()
	r.quiet(t)
	group.Join()
	r.wait(t, group, 1)
	mu.Lock()
	defer mu.Unlock()
	if fmt.Sprint(heard) != "[leave join join]" || len(reader.Answers()) != 0 {
		t.Errorf("heard %v; %d answers to the reader", heard, len(reader.Answers()))
	}
}

func TestAGroupThatMovesIsFollowed(t *testing.T) {
	for _, quiet := range []bool{false, true} {
		t.Run(fmt.Sprint("quiet ", quiet), func(t *testing.T) {
			var mu sync.Mutex
			var moves []string
			r := start(t, echo, setup{config: func(c *telegram.Config) {
				c.Moved = func(_ context.Context, from, to bot.ChatID) error {
					mu.Lock()
					defer mu.Unlock()
					moves = append(moves, from.ID+" "+to.ID)
					return nil
				}
			}})
			group := r.Group(-5)
			if quiet { // the bot learns of it when it answers
				moved := group.Migrate(-100500, true)
				group.Say("/help@newsie_bot")
				r.wait(t, moved, 1)
			} else {
				group.Migrate(-100500, false)
				r.quiet(t)
			}
			mu.Lock()
			defer mu.Unlock()
			if slices.Sort(moves); len(slices.Compact(moves)) != 1 || moves[0] != "-5 -100500" { // both groups tell of it
				t.Errorf("moves = %q", moves)
			}
		})
	}
}

func TestAnAnswerInDoubtIsNotSaidTwice(t *testing.T) {
	r := start(t, echo, setup{})
	r.Fail("sendMessage", telegramtest.ResetAfter)
	r.Chat(1).Say("one")
	r.Chat(1).Say("two")
	got := r.wait(t, r.Chat(1), 2)
	r.Repeat(1)
	r.quiet(t)
	if len(r.Chat(1).Answers()) != 2 || got[0].Text != "one" {
		t.Errorf("answers = %+v", r.Chat(1).Answers())
	}
}

func TestNewReportsEveryProblem(t *testing.T) {
	_, err := telegram.New(telegram.Config{Token: "no token: secret", APIURL: "ftp://x", Mode: "carrier pigeon", Secret: "ü"})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"no name", "@BotFather", "api_url", "carrier pigeon", "webhook_secret", "Handler"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not mentioned: %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "no token: secret") {
		t.Errorf("the token is told: %v", err)
	}
}
