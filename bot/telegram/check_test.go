package telegram_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"newsie/bot"
	"newsie/bot/telegram"
	"newsie/bot/telegram/telegramtest"
)

// problems are the findings that are not well, each with its advice; notes those
// that could be better.
func examine(t *testing.T, c *telegram.Channel) (problems, notes []string) {
	t.Helper()
	for _, f := range c.Check(patient(t)) {
		text := f.What + " | " + f.Advice
		switch {
		case !f.OK && f.Advice == "":
			t.Errorf("no advice: %+v", f)
		case !f.OK:
			problems = append(problems, text)
		case f.Advice != "":
			notes = append(notes, text)
		}
		if strings.Contains(text, "AAHdqTcv") {
			t.Errorf("the token is told: %s", text)
		}
	}
	return problems, notes
}

func TestDoctorOfTheWebhook(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{Local: true})
	c, _, _, _ := build(t, s, echo, setup{})
	if got, notes := examine(t, c); len(got)+len(notes) != 0 {
		t.Errorf("polling: %q, %q", got, notes)
	}
	hook, _, _, _ := build(t, s, echo, setup{config: func(c *telegram.Config) {
		c.Mode, c.PublicURL = telegram.Webhook, "http://127.0.0.1:1"
	}})
	if got, _ := examine(t, hook); len(got) != 2 || !strings.Contains(got[0], "https") || !strings.Contains(got[1], "nowhere yet") {
		t.Errorf("webhook never set: %q", got)
	}
	stop := run(t, hook)
	s.Chat(1).Say("nobody listens")
	if err := s.Until(patient(t), func() bool { return len(s.Calls("setWebhook")) > 0 && s.Failing() }); err != nil {
		t.Fatal(err)
	}
	if got, _ := examine(t, hook); len(got) != 2 || !strings.Contains(got[1], "could not deliver") || !strings.Contains(got[1], "1 update waits") {
		t.Errorf("webhook that fails: %q", got)
	}
	got, notes := examine(t, c)
	if len(got) != 1 || !strings.Contains(got[0], "a webhook is set") || len(notes) != 1 || !strings.Contains(notes[0], "1 update waits") {
		t.Errorf("polling with a webhook set: %q, %q", got, notes)
	}
	inline, _, _, _ := build(t, s, echo, setup{config: func(c *telegram.Config) {
		c.Inline = func(context.Context, bot.InlineQuery) (bot.InlineAnswer, error) { return bot.InlineAnswer{}, nil }
	}})
	if got, _ := examine(t, inline); len(got) != 2 || !strings.Contains(got[1], "inline_query") {
		t.Errorf("updates that are not asked for: %q", got)
	}
	stop()
}

func TestDoctorOfTheBotItself(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{})
	answers := func(c *telegram.Config) {
		c.Inline = func(context.Context, bot.InlineQuery) (bot.InlineAnswer, error) { return bot.InlineAnswer{}, nil }
	}
	for _, test := range []struct {
		name   string
		bot    telegramtest.Bot
		config func(*telegram.Config)
		want   string // part of the one note
	}{
		{"privacy mode is off", telegramtest.Bot{Username: "newsie_bot", ReadsAll: true}, nil, "/setprivacy"},
		{"inline mode is off", telegramtest.Bot{Username: "newsie_bot"}, answers, "/setinline"},
		{"inline mode is on and not served", telegramtest.Bot{Username: "newsie_bot", Inline: true}, nil, "inline: off"},
		{"all is as it should be", telegramtest.Bot{Username: "newsie_bot", Inline: true}, answers, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			s.SetBot(test.bot)
			c, _, _, _ := build(t, s, echo, setup{config: test.config})
			problems, notes := examine(t, c)
			if len(problems) != 0 || strings.Join(notes, "") == "" != (test.want == "") || !strings.Contains(strings.Join(notes, ""), test.want) {
				t.Errorf("problems %q, notes %q", problems, notes)
			}
		})
	}
}

// The doctor says that inline mode is off as the configuration says it.
func TestDoctorTellsThatInlineModeIsOff(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{})
	for name, is := range map[string]telegramtest.Bot{
		"at Telegram too": {Username: "newsie_bot"}, "not at Telegram": {Username: "newsie_bot", Inline: true},
	} {
		s.SetBot(is)
		c, _, _, _ := build(t, s, echo, setup{})
		var said []string
		for _, f := range c.Check(patient(t)) {
			said = append(said, f.What)
		}
		if !strings.Contains(strings.Join(said, "\n"), ": inline: off") {
			t.Errorf("%s: %q", name, said)
		}
	}
}

func TestDoctorTellsOfPostsToOnePlace(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{})
	s.Channel(-1001, "fine").Rights(telegramtest.PostMessages)
	s.Supergroup(-1006, 5)
	for _, test := range []struct {
		places []string
		same   bool
	}{
		{[]string{"@fine", "-1001"}, true}, {[]string{"@fine", "-1006"}, false},
		{[]string{"-1006", "-1006:1"}, true}, {[]string{"-1006", "-1006:5"}, false},
		{[]string{"@fine", "@FINE"}, false}, // the configuration's own note tells
	} {
		c, _, _, _ := build(t, s, echo, setup{config: func(c *telegram.Config) { c.Posts = test.places }})
		problems, notes := examine(t, c)
		if len(problems) != 0 || strings.Contains(strings.Join(notes, ""), "same place") != test.same {
			t.Errorf("%v: problems %q, notes %q", test.places, problems, notes)
		}
	}
}

func TestDoctorOfTheWayThere(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{})
	one := func(c *telegram.Channel, what, advice string) {
		t.Helper()
		if got, _ := examine(t, c); len(got) != 1 || !strings.Contains(got[0], what) || !strings.Contains(got[0], advice) {
			t.Errorf("got %q, want %s and %s", got, what, advice)
		}
	}
	late, _, _, _ := build(t, s, echo, setup{config: func(c *telegram.Config) { c.Now = func() time.Time { return time.Now().Add(-time.Hour) } }})
	one(late, "clock is 1h0m0s apart", "NTP")
	c, _, _, _ := build(t, s, echo, setup{})
	s.Fail("getMe", telegramtest.TooMany)
	one(c, "429", "wait as long")
	s.Fail("getMe", telegramtest.NotAnAPI)
	one(c, "not the Bot API's", "api_url")
	s.Revoke("1:other")
	one(c, "401", "@BotFather")
}

func TestDoctorOfPosts(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{})
	s.Channel(-1001, "fine").Rights(telegramtest.PostMessages)
	s.Channel(-1002, "member").Join()
	s.Channel(-1003, "mute").Rights(telegramtest.EditMessages)
	s.Channel(-1004, "away").Absent()
	s.Supergroup(-1005)
	s.Supergroup(-1006, 5)
	s.Supergroup(-1007).Mute()
	s.Group(-8).Migrate(-1008, true)
	s.Channel(-1009, "").Absent()
	for _, test := range []struct{ place, want string }{
		{"@fine", ""}, {"-1001", ""}, {"-1005", ""}, {"-1006:5", ""},
		{"@member", "add @newsie_bot to it as an administrator"},
		{"@mute", "give @newsie_bot the right to post messages"},
		{"@away", "add @newsie_bot to it as an administrator"},
		{"-1009", "add @newsie_bot to it as an administrator"},
		{"@nobody_there", "check its name or id"},
		{"-1007", "give @newsie_bot the right to send messages"},
		{"-1005:5", "leave out :5"},
		{"-8", "write -1008 instead"},
	} {
		t.Run(test.place, func(t *testing.T) {
			c, _, _, _ := build(t, s, echo, setup{config: func(c *telegram.Config) { c.Posts = []string{test.place} }})
			got, _ := examine(t, c)
			if (len(got) == 0) != (test.want == "") || !strings.Contains(strings.Join(got, ""), test.want) {
				t.Errorf("got %q, want advice %q", got, test.want)
			}
		})
	}
	if n := len(s.Calls("sendMessage")); n != 0 {
		t.Errorf("the doctor sent %d messages", n)
	}
}
