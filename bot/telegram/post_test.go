package telegram_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"newsie/bot"
	"newsie/bot/telegram/telegramtest"
)

// What a post to a channel keeps to is what an answer in it would.
func TestAPostHasTheRatesOfItsPlace(t *testing.T) {
	r := start(t, echo, setup{})
	for _, id := range []string{"@the_news", "-100200", "-100300:5"} {
		if diff := cmp.Diff(r.channel.Buckets(to(id)), r.channel.Buckets(to("*"+id))); diff != "" {
			t.Errorf("%s (-chat +post):\n%s", id, diff)
		}
		if n := len(r.channel.Buckets(to("*" + id))); n != 3 {
			t.Errorf("%s has %d rates, want those of a group", id, n)
		}
	}
}

func TestAPostThatIsRefusedSaysWhatToDo(t *testing.T) {
	for name, test := range map[string]struct {
		prepare func(s *telegramtest.Server)
		to      string
		is      func(error) bool
		words   string
	}{
		"no such channel": {func(*telegramtest.Server) {}, "*@nowhere",
			func(err error) bool { return errors.Is(err, bot.ErrGone) }, "make the bot an administrator there"},
		"kicked": {func(s *telegramtest.Server) { s.Channel(-200, "news").Block() }, "*@news",
			func(err error) bool { return errors.Is(err, bot.ErrGone) }, "make the bot an administrator there"},
		"no such topic": {func(s *telegramtest.Server) { s.Supergroup(-300, 5) }, "*-300:6",
			func(err error) bool { return errors.Is(err, bot.ErrGone) }, "the forum's topic was deleted"},
		"a supergroup now": {func(s *telegramtest.Server) { s.Group(-5).Migrate(-1005, true) }, "*-5",
			func(err error) bool {
				var moved *bot.MovedError
				return errors.As(err, &moved) && moved.To == to("*-1005")
			}, ""},
		"nobody knows": {func(s *telegramtest.Server) {
			s.Channel(-200, "news")
			s.Fail("sendMessage", telegramtest.ResetAfter)
		}, "*@news", func(err error) bool { return errors.Is(err, bot.ErrUnknown) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, echo, setup{})
			test.prepare(r.Server)
			_, err := r.channel.Send(patient(t), bot.Outgoing{To: to(test.to), Reply: bot.Reply{Lang: "en", Text: "News"}})
			if err == nil || !test.is(err) || !strings.Contains(err.Error(), test.words) {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

// A topic that was deleted is gone by itself: its forum and the other topics are not.
func TestADeletedTopicIsGoneAlone(t *testing.T) {
	r := start(t, echo, setup{})
	r.Supergroup(-300, 5)
	for id, gone := range map[string]bool{"-300:6": true, "-300:5": false, "-300": false, "-300:1": false} {
		_, err := r.channel.Send(patient(t), bot.Outgoing{To: to(id), Reply: bot.Reply{Lang: "en", Text: "News"}})
		if errors.Is(err, bot.ErrGone) != gone || !gone && err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
}
