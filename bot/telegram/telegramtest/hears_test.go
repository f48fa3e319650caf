package telegramtest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"newsie/bot/telegram/telegramtest"
)

type told struct {
	Message struct {
		ID      int64  `json:"message_id"`
		Text    string `json:"text"`
		Caption string `json:"caption"`
		Thread  int64  `json:"message_thread_id"`
		InTopic bool   `json:"is_topic_message"`
		ReplyTo struct {
			ID    int64           `json:"message_id"`
			Topic json.RawMessage `json:"forum_topic_created"`
		} `json:"reply_to_message"`
		Pinned json.RawMessage `json:"pinned_message"`
		To     int64           `json:"migrate_to_chat_id"`
		From   int64           `json:"migrate_from_chat_id"`
	} `json:"message"`
	Post struct {
		Text string `json:"text"`
	} `json:"channel_post"`
	Member struct {
		New struct {
			Status string `json:"status"`
		} `json:"new_chat_member"`
	} `json:"my_chat_member"`
}

func heard(t *testing.T, s *telegramtest.Server) []told {
	t.Helper()
	var updates []told
	if err := json.Unmarshal(call(t, s, "getUpdates").Result, &updates); err != nil {
		t.Fatal(err)
	}
	call(t, s, "getUpdates", "offset", fmt.Sprint(s.NextUpdate()))
	return updates
}

func TestPrivacyModeOfGroups(t *testing.T) {
	talk := func(c *telegramtest.Chat) {
		c.Say("tea")
		c.Say("/search tea")
		c.Say("/search@newsie_bot tea")
		c.Say("/search@other_bot tea")
		c.Say("ask @newsie_bot")
		c.Say("ask @other_bot")
		c.Send(map[string]any{"sticker": map[string]any{}})
		c.Send(map[string]any{"photo": []any{}, "caption": "@newsie_bot tea"})
		c.Send(map[string]any{"pinned_message": map[string]any{"message_id": 1}})
		c.SayAs(telegramtest.Said{ReplyTo: c.Answers()[0].ID}, "2")
		c.SayAs(telegramtest.Said{ReplyTo: 2}, "3")
		c.SayAs(telegramtest.Said{More: map[string]any{"entities": []any{map[string]any{"type": "text_mention", "offset": 0, "length": 4, "user": map[string]any{"id": telegramtest.BotID}}}}}, "News")
	}
	for _, test := range []struct {
		name   string
		change func(s *telegramtest.Server, c *telegramtest.Chat)
		want   int
	}{
		{"in privacy mode", func(*telegramtest.Server, *telegramtest.Chat) {}, 7},
		{"without it", func(s *telegramtest.Server, _ *telegramtest.Chat) {
			s.SetBot(telegramtest.Bot{Username: "newsie_bot", ReadsAll: true})
		}, 12},
		{"as an administrator", func(_ *telegramtest.Server, c *telegramtest.Chat) { c.Rights() }, 12},
		{"removed", func(s *telegramtest.Server, c *telegramtest.Chat) { c.Absent() }, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := telegramtest.Start(t, telegramtest.Options{})
			group := s.Group(-5)
			call(t, s, "sendMessage", "chat_id", "-5", "text", "x")
			test.change(s, group)
			talk(group)
			got := heard(t, s)
			if len(got) != test.want {
				t.Errorf("%d updates, want %d: %+v", len(got), test.want, got)
			}
			for _, u := range got {
				if test.want == 7 && (u.Message.Text == "tea" || strings.Contains(u.Message.Text, "other_bot") || u.Message.Text == "3") {
					t.Errorf("heard %q", u.Message.Text)
				}
			}
		})
	}
	s := telegramtest.Start(t, telegramtest.Options{})
	s.Chat(1).Say("tea")
	s.Channel(-9, "news").Say("post")
	if got := heard(t, s); len(got) != 2 || got[0].Message.Text != "tea" || got[1].Post.Text != "post" {
		t.Errorf("elsewhere: %+v", got)
	}
}

func TestForumsAndThreads(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{})
	forum, group := s.Supergroup(-100, 7), s.Supergroup(-200)
	first := forum.SayAs(telegramtest.Said{Thread: 7}, "/one")
	forum.SayAs(telegramtest.Said{Thread: 7, ReplyTo: first}, "/two")
	forum.SayAs(telegramtest.Said{Thread: 1}, "/general")
	root := group.Say("/root")
	reply := group.SayAs(telegramtest.Said{ReplyTo: root}, "/reply")
	group.SayAs(telegramtest.Said{ReplyTo: reply}, "/reply")
	got := heard(t, s)
	if len(got) != 6 {
		t.Fatalf("%d updates", len(got))
	}
	for i, want := range []struct {
		thread, reply  int64
		topic, created bool
	}{{7, 7, true, true}, {7, first, true, false}, {0, 0, false, false}, {0, 0, false, false}, {root, root, false, false}, {root, reply, false, false}} {
		m := got[i].Message
		if m.Thread != want.thread || m.InTopic != want.topic || m.ReplyTo.ID != want.reply || (m.ReplyTo.Topic != nil) != want.created {
			t.Errorf("%s: %+v, want %+v", m.Text, m, want)
		}
	}
}

func TestServiceMessagesAndReadersWhoComeBack(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{})
	s.Group(-5).Migrate(-100500, false)
	reader := s.Chat(1)
	reader.Block()
	reader.Say("/start")
	got := heard(t, s)
	if len(got) != 5 || got[0].Message.To != -100500 || got[1].Message.From != -5 ||
		got[2].Member.New.Status != "kicked" || got[3].Member.New.Status != "member" || got[4].Message.Text != "/start" {
		t.Errorf("updates = %+v", got)
	}
}
