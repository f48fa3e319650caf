package main_test

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"testing"

	"newsie/bot/telegram/telegramtest"
)

// keepAndShare saves an article by its button, passes it on, and opens the link
// that was passed on in another chat.
func (h *house) keepAndShare(t *testing.T) {
	t.Helper()
	chat := h.telegram.Chat(8)
	sayTelegram(t, chat, "commerce")
	view := sayTelegram(t, chat, "1")
	opened := articles(view)
	if len(opened) == 0 {
		t.Fatalf("nothing was opened: %s", view.text)
	}
	id := last(chat.Answers()).ID
	h.turns(t, chat, id, "Save", "Remove from saved")
	if kept := articles(sayTelegram(t, chat, "saved")); !slices.Equal(kept, opened[:1]) {
		t.Errorf("kept are %v, want %v", kept, opened[:1])
	}
	h.turns(t, chat, id, "Remove from saved", "Save")
	if none := sayTelegram(t, chat, "saved"); !strings.Contains(none.text, "no saved articles") {
		t.Errorf("after removing: %q", none.text)
	}

	address, err := chat.TapOn(id, "Share")
	if err != nil {
		t.Fatal(err)
	}
	sheet, err := url.Parse(address)
	if err != nil || sheet.Host != "t.me" || sheet.Path != "/share/url" || sheet.Query().Get("text") == "" {
		t.Fatalf("Share leads to %q (%v)", address, err)
	}
	link, err := url.Parse(sheet.Query().Get("url"))
	if err != nil || link.Path != "/"+telegramBot {
		t.Fatalf("what is shared is %q (%v)", sheet.Query().Get("url"), err)
	}
	received := sayTelegram(t, h.telegram.Chat(9), "/start "+link.Query().Get("start"))
	if got := articles(received); len(got) == 0 || got[0] != opened[0] {
		t.Errorf("the shared link opens %v, want %s: %q", got, opened[0], received.text)
	}
}

// telegramBot is the name of the fake platform's bot.
const telegramBot = "newsie_bot"

// turns presses a button of a message and waits until the message has another.
func (h *house) turns(t *testing.T, chat *telegramtest.Chat, id int64, label, into string) {
	t.Helper()
	if _, err := chat.TapOn(id, label); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	answers := len(chat.Answers())
	_, err := chat.WaitFor(ctx, func(answers []telegramtest.Message) bool {
		i := slices.IndexFunc(answers, func(m telegramtest.Message) bool { return m.ID == id })
		return i >= 0 && slices.Contains(answers[i].Labels(), into)
	})
	if err != nil {
		t.Fatalf("the message does not offer %q: %v", into, err)
	}
	if n := len(chat.Answers()); n != answers {
		t.Errorf("%q makes %d new messages", label, n-answers)
	}
}

// silenced chooses that no hour has a sound, and follows.
func (h *house) silenced(t *testing.T) {
	t.Helper()
	chat := h.telegram.Chat(8)
	if set := sayTelegram(t, chat, "quiet 0-24"); !strings.Contains(set.text, "without a sound") {
		t.Errorf("quiet hours are answered by %q", set.text)
	}
	sayTelegram(t, chat, "follow commerce every minute")
	if last(chat.Answers()).Silent {
		t.Error("an answer comes without a sound")
	}
}

// digestComes waits for the digest after a follow.
func digestComes(ctx context.Context, t *testing.T, chat *telegramtest.Chat) telegramtest.Message {
	t.Helper()
	answers, err := chat.WaitFor(ctx, func(answers []telegramtest.Message) bool {
		m := last(answers)
		return strings.Contains(m.Text, "commerce") && !strings.Contains(m.Text, "You follow") && m.ID > followed(chat)
	})
	if err != nil {
		t.Fatalf("no digest came to Telegram: %v", err)
	}
	return last(answers)
}
