package telegram_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"newsie/bot"
	"newsie/bot/telegram/telegramtest"
)

// A digest is laid out once for all its readers; each has buttons of their own,
// and whatever else differs is another digest.
func TestDigestsShareTheirLayout(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{Rich: true})
	c, _, _, _ := build(t, s, echo, setup{})
	digest := func(title, heading string, chat int) bot.Outgoing {
		return bot.Outgoing{To: to(fmt.Sprint(chat)), Topic: "tea", Reply: bot.Reply{
			Lang: "en", Text: heading, Groups: []bot.Group{{Cards: []bot.Card{{Number: 1, Article: 7, Title: title, Open: "/read 7"}}}},
			Actions: []bot.Action{{Label: "More", Text: fmt.Sprintf("/more %d 1", chat), Role: bot.PageOn}},
		}}
	}
	send := func(o bot.Outgoing) {
		if _, err := c.Send(patient(t), o); err != nil {
			t.Error(err)
		}
	}
	var all sync.WaitGroup
	for chat := 1; chat <= 40; chat++ {
		s.Chat(int64(chat))
		title, heading := "Tea", "Your digest"
		if chat%2 == 0 {
			title = "Coffee"
		}
		if chat%5 == 0 {
			heading = "Another"
		}
		all.Go(func() { send(digest(title, heading, chat)) })
	}
	all.Wait()
	for chat := 1; chat <= 40; chat++ {
		m := s.Chat(int64(chat)).Answers()[0]
		if got, want := strings.Contains(m.Text, "Coffee"), chat%2 == 0; got != want || strings.Contains(m.Text, "Tea") == want {
			t.Errorf("chat %d got %q", chat, m.Text)
		}
		if got, want := strings.HasPrefix(m.Text, "Another"), chat%5 == 0; got != want {
			t.Errorf("chat %d got %q", chat, m.Text)
		}
		var data []string
		for _, row := range m.Buttons {
			for _, b := range row {
				data = append(data, b.Data)
			}
		}
		if want := fmt.Sprintf("/more %d 1", chat); !strings.Contains(strings.Join(data, "|"), want) {
			t.Errorf("chat %d has the buttons %q, want %s", chat, data, want)
		}
	}
}
