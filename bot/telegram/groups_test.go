package telegram_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"newsie/bot"
	"newsie/bot/telegram"
	"newsie/bot/telegram/telegramtest"
	"newsie/internal/database/databasetest"
)

// known are commands as a channel is configured with them.
func known(c *telegram.Config) {
	c.Commands = nil
	for _, name := range []string{"search", "latest", "help", "start", "follow"} {
		c.Commands = append(c.Commands, telegram.Command{Name: name})
	}
}

func TestInAGroupOnlyCommandsMentionsAndRepliesAreAnsweredAndEachSaysWhose(t *testing.T) {
	r := start(t, echo, setup{config: known, server: telegramtest.Options{}})
	r.SetBot(telegramtest.Bot{Username: "newsie_bot", ReadsAll: true}) // it hears everything, and keeps quiet
	g := r.Supergroup(-100)
	g.SayAs(telegramtest.Said{From: 7}, "has anybody read about tea")
	g.SayAs(telegramtest.Said{From: 7}, "/roll 6")
	g.SayAs(telegramtest.Said{From: 7}, "/search@other_bot tea")
	g.SayAs(telegramtest.Said{From: 7, More: map[string]any{"sticker": map[string]any{"emoji": "x"}}}, "")
	asked := []int64{
		g.SayAs(telegramtest.Said{From: 7}, "/search@newsie_bot tea"),
		g.SayAs(telegramtest.Said{From: 8}, "/search sport"),
		g.SayAs(telegramtest.Said{From: 9}, "@newsie_bot commerce"),
	}
	got := r.wait(t, g, 3)
	asked = append(asked, g.SayAs(telegramtest.Said{From: 8, ReplyTo: got[0].ID}, "2"))
	got = r.wait(t, g, 4)
	r.quiet(t)
	for i, want := range []string{"/search tea", "/search sport", "commerce", "2"} {
		if got[i].Text != want || got[i].ReplyTo != asked[i] {
			t.Errorf("answer %d: %q to message %d, want %q to %d", i, got[i].Text, got[i].ReplyTo, want, asked[i])
		}
	}
	if n := len(g.Answers()); n != 4 {
		t.Errorf("%d answers, want 4", n)
	}
	r.Chat(7).Say("tea")
	if private := r.wait(t, r.Chat(7), 1); private[0].ReplyTo != 0 {
		t.Error("in a private chat an answer quotes its question")
	}
}

func TestAnAnswerArrivesAlsoWhenItsQuestionWasDeleted(t *testing.T) {
	release := make(chan struct{})
	r := start(t, func(ctx context.Context, m bot.Message) (bot.Reply, error) {
		<-release
		return echo(ctx, m)
	}, setup{config: known})
	g := r.Supergroup(-100, 5)
	g.SayAs(telegramtest.Said{From: 7, Thread: 5}, "/search tea")
	g.Promote(telegramtest.DeleteMessages)
	if _, err := r.channel.Send(patient(t), bot.Outgoing{To: bot.ChatID{Channel: "tg", ID: "-100"}, Reply: bot.Reply{Text: "x"}}); err != nil {
		t.Fatal(err)
	}
	remove(t, r, "-100", "1")
	close(release)
	got := r.wait(t, g, 2)
	if last := got[1]; last.Text != "/search tea" || last.ReplyTo != 0 || last.Thread != 5 {
		t.Errorf("the answer is %+v", last)
	}
}

func TestForumTopicsAreAnsweredWhereTheyWereAsked(t *testing.T) {
	r := start(t, echo, setup{config: known})
	g := r.Supergroup(-100, 5, 44)
	for thread, text := range map[int64]string{5: "/search five", 44: "/search forty-four", 0: "/search general"} {
		g.SayAs(telegramtest.Said{From: 7, Thread: thread}, text)
	}
	got := map[string]int64{}
	for _, m := range r.wait(t, g, 3) {
		got[m.Text] = m.Thread
	}
	if got["/search five"] != 5 || got["/search forty-four"] != 44 || got["/search general"] != 0 {
		t.Errorf("answered in %v", got)
	}
}

func TestAClosedOrDeletedTopicConcernsNoOther(t *testing.T) {
	r := start(t, echo, setup{config: known})
	g := r.Supergroup(-100, 5, 44)
	g.CloseTopic(5)
	g.DeleteTopic(44)
	send := func(id string) error {
		_, err := r.channel.Send(patient(t), bot.Outgoing{To: bot.ChatID{Channel: "tg", ID: id}, Reply: bot.Reply{Text: "digest"}})
		return err
	}
	for id, gone := range map[string]bool{"-100:5": true, "-100:44": true, "-100": false} {
		if err := send(id); errors.Is(err, bot.ErrGone) != gone || !gone && err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	g.Mute()
	if err := send("-100"); !errors.Is(err, bot.ErrGone) {
		t.Errorf("in a group that silenced the bot: %v, want the chat to be gone", err)
	}
}

// A link that adds the bot to a group has the group say /start as well.
func TestAGroupIsGreetedOnceInTheLanguageOfWhoAddedTheBot(t *testing.T) {
	var mu sync.Mutex
	var langs []string
	handler := func(_ context.Context, m bot.Message) (bot.Reply, error) {
		mu.Lock()
		defer mu.Unlock()
		langs = append(langs, string(m.Kind)+" "+m.Lang)
		if strings.HasSuffix(m.Text, "a4711") {
			return bot.Reply{Text: "the article"}, nil
		}
		return bot.Reply{Text: "hello"}, nil
	}
	r := start(t, handler, setup{config: known})
	g := r.Group(-5).Language("zh-hant")
	g.Join()
	g.Say("/start@newsie_bot true")
	g.Say("/start@newsie_bot a4711")
	got := r.wait(t, g, 2)
	r.quiet(t)
	if got[0].Text != "hello" || got[1].Text != "the article" || len(g.Answers()) != 2 {
		t.Errorf("the group reads %+v", g.Answers())
	}
	mu.Lock()
	defer mu.Unlock()
	if langs[0] != "join zh-hant" {
		t.Errorf("heard %v", langs)
	}
}

func TestRightsAreNoGreetingAndAChannelIsToldNothing(t *testing.T) {
	r := start(t, echo, setup{config: known})
	g, c := r.Supergroup(-100), r.Channel(-200, "news")
	g.Promote(telegramtest.DeleteMessages)
	g.Demote()
	c.Demote()
	c.Promote(telegramtest.PostMessages)
	c.Say("/search tea")
	c.Remove()
	g.SayAs(telegramtest.Said{From: 7}, "/search tea")
	r.wait(t, g, 1)
	r.quiet(t)
	if n := len(g.Answers()); n != 1 {
		t.Errorf("the group has %d messages of the bot", n)
	}
	if n := len(c.Answers()); n != 0 {
		t.Errorf("the channel has %d messages of the bot", n)
	}
}

func TestMigrationIsHeardOfInBothGroupsAndTheRateMovesToo(t *testing.T) {
	db := databasetest.SQLite(t)
	pacer := bot.NewPacer(db, time.Now)
	moves := make(chan [2]string, 9)
	r := start(t, echo, setup{db: db, config: func(c *telegram.Config) {
		known(c)
		(&waiter{}).into(c)
		c.Pacer = pacer
		c.Moved = func(_ context.Context, from, to bot.ChatID) error {
			moves <- [2]string{from.ID, to.ID}
			return nil
		}
	}})
	g := r.Group(-5)
	for range 6 {
		g.Say("/search tea")
	}
	r.wait(t, g, 6)
	id := r.NextUpdate()
	r.Raw(id, `{"update_id":`+itoa(id)+`,"message":{"message_id":1,"date":1,"chat":{"id":-100,"type":"supergroup"},"from":{"id":7},"migrate_from_chat_id":-5}}`)
	if got := <-moves; got != [2]string{"-5", "-100"} {
		t.Errorf("moved %v", got)
	}
	r.quiet(t)
	buckets := r.channel.Buckets(bot.ChatID{Channel: "tg", ID: "-100"})
	minute := buckets[len(buckets)-1]
	// Six of a burst of five have gone out: the next has to wait in the supergroup as well.
	if wait, _, err := pacer.Next(t.Context(), []bot.Bucket{minute}); err != nil || wait < 3*time.Second {
		t.Errorf("the supergroup begins anew: %v, %v", wait, err)
	}
	g.Migrate(-200, false)
	if got := <-moves; got != [2]string{"-5", "-200"} {
		t.Errorf("moved %v", got)
	}
	r.quiet(t)
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// remove deletes a message as an administrator would.
func remove(t *testing.T, r *rig, chat, message string) {
	t.Helper()
	resp, err := http.PostForm(r.URL()+"/bot"+telegramtest.Token+"/deleteMessage", url.Values{"chat_id": {chat}, "message_id": {message}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != 200 {
		t.Fatalf("deleteMessage: %s", resp.Status)
	}
	http.DefaultClient.CloseIdleConnections()
}
