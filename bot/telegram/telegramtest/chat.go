package telegramtest

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Chat is one conversation and, in a private one, its reader.
type Chat struct {
	ID       int64
	Type     string // private, group, supergroup, channel
	Title    string
	Username string

	server         *Server
	language       string // "" until Language tells
	messages       []*Message
	nextID         int64
	topics         map[int64]bool
	started        bool
	deactivated    bool
	status         string          // the bot's in the chat
	rights         map[string]bool // the bot's as an administrator
	administrators map[int64]bool  // the readers who are
	textOnly       bool            // members may send no pictures
	hidden         bool            // its members are shown to administrators alone
	apart          bool            // the bot is no member and never was
	migratedTo     int64
	last           queued
	taps           int
}

// Chat is the private chat of a reader, who has pressed Start at some time; it
// is made when it does not exist. Use Stranger for one who has not.
func (s *Server) Chat(id int64) *Chat { return s.chat(id, "private", true) }

// Stranger is a reader whom the bot may not write to before they write to it.
func (s *Server) Stranger(id int64) *Chat { return s.chat(id, "private", false) }

// Group is a basic group with the bot in it; its id is negative.
func (s *Server) Group(id int64) *Chat { return s.chat(id, "group", true) }

// Supergroup is a supergroup with the bot in it, and with forum topics if any are given.
func (s *Server) Supergroup(id int64, topics ...int64) *Chat {
	c := s.chat(id, "supergroup", true)
	s.change(func() {
		for _, topic := range topics {
			c.topics[topic] = true // it is open
		}
	})
	return c
}

// Channel is a channel whose administrator the bot is, with the right to post.
func (s *Server) Channel(id int64, username string) *Chat {
	c := s.chat(id, "channel", true)
	s.change(func() {
		if c.Username == "" && username != "" {
			c.Username = username
			s.names[strings.ToLower(username)] = c
		}
	})
	return c
}

func (s *Server) chat(id int64, kind string, started bool) *Chat {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.chats[id]
	if c == nil {
		c = &Chat{ID: id, Type: kind, Title: "Chat " + strconv.FormatInt(id, 10), server: s,
			topics: map[int64]bool{}, started: started, nextID: 1, status: member, administrators: map[int64]bool{}}
		if kind == "channel" {
			c.status, c.rights = administrator, names([]string{PostMessages, EditMessages, DeleteMessages})
		}
		s.chats[id] = c
	}
	return c
}

// Language sets the language of the reader's app, "zh-hans" for example; that of
// a group is its members' who have none of their own. Until then it is "en".
func (c *Chat) Language(code string) *Chat {
	c.server.change(func() { c.language = code })
	return c
}

func (c *Chat) wire() map[string]any {
	out := map[string]any{"id": c.ID, "type": c.Type}
	if c.Type == "private" {
		out["first_name"] = "Reader"
	} else {
		out["title"] = c.Title
	}
	if c.Username != "" {
		out["username"] = c.Username
	}
	if len(c.topics) > 0 {
		out["is_forum"] = true
	}
	return out
}

func (c *Chat) user(id int64) map[string]any {
	return map[string]any{"id": id, "is_bot": false, "first_name": "Reader", "language_code": c.appLanguage(id)}
}

// appLanguage is the language of a reader's app, which is the same in every chat.
func (c *Chat) appLanguage(reader int64) string {
	own := ""
	if private := c.server.chats[reader]; private != nil && private.Type == "private" {
		own = private.language
	}
	return cmp.Or(own, c.language, "en")
}

func (c *Chat) append(m *Message) {
	m.ID, m.Date = c.nextID, c.server.options.Now().Unix()
	c.nextID++
	if keep := c.server.options.Keep; keep > 0 && len(c.messages) >= 2*keep {
		c.messages = append(c.messages[:0], c.messages[len(c.messages)-keep:]...)
	}
	c.messages = append(c.messages, m)
}

// find looks up a message; they stand in the order of their ids.
func (c *Chat) find(id int64) *Message {
	if i, ok := c.place(id); ok {
		return c.messages[i]
	}
	return nil
}

func (c *Chat) place(id int64) (int, bool) {
	return slices.BinarySearchFunc(c.messages, id, byID)
}

func (c *Chat) remove(m *Message) {
	if i, ok := c.place(m.ID); ok {
		c.messages = slices.Delete(c.messages, i, i+1)
	}
}

// Tap presses the button whose label contains label, on the last message of the
// bot that has one, and returns where it leads: the URL of a link, the text that
// is copied, the "@bot words" that are typed; "" when the bot was asked.
func (c *Chat) Tap(label string) (url string, err error) { return c.TapOn(0, label) }

// TapOn presses a button of one message; 0: of the last that has it.
func (c *Chat) TapOn(id int64, label string) (url string, err error) { return c.TapAs(0, id, label) }

// TapAs has one of a group's members press a button; 0: the chat's own reader.
func (c *Chat) TapAs(reader, id int64, label string) (url string, err error) {
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range slices.Backward(c.messages) {
		if !m.FromBot && !m.ViaBot || id != 0 && m.ID != id {
			continue
		}
		for _, row := range m.Buttons {
			for _, b := range row {
				if !strings.Contains(b.Text, label) {
					continue
				}
				if there := b.does(s.bot.Username); there != "" {
					return there, nil
				}
				c.press(c.from(reader), m, b)
				return "", nil
			}
		}
	}
	return "", fmt.Errorf("no button %q in chat %d", label, c.ID)
}

// TapDeleted presses a button of a message and deletes the message before the
// bot can answer.
func (c *Chat) TapDeleted(id int64, label string) error {
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range c.messages {
		for _, row := range m.Buttons {
			for _, b := range row {
				if m.ID == id && b.Data != "" && strings.Contains(b.Text, label) {
					c.press(c.from(0), m, b)
					c.remove(m)
					return nil
				}
			}
		}
	}
	return fmt.Errorf("no button %q on message %d of chat %d", label, id, c.ID)
}

func (c *Chat) press(reader int64, m *Message, b Button) {
	s := c.server
	c.taps++
	id := fmt.Sprintf("%d.%d", c.ID, c.taps)
	s.callbacks[id] = false
	tap := map[string]any{"id": id, "from": c.user(reader), "chat_instance": "1", "data": b.Data}
	if m.ViaBot { // the bot is not told in which chat it stands
		tap["inline_message_id"] = m.InlineID
	} else {
		tap["message"] = s.wire(c, m)
	}
	s.pushTo(c, "t"+strconv.FormatInt(reader, 10), 150*time.Second, "callback_query", tap)
}

// Spinning counts the taps that the bot has not acknowledged.
func (c *Chat) Spinning() int {
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for id, answered := range s.callbacks {
		if strings.HasPrefix(id, strconv.FormatInt(c.ID, 10)+".") && !answered {
			n++
		}
	}
	return n
}

// Deactivate deletes the reader's account.
func (c *Chat) Deactivate() { c.server.change(func() { c.deactivated = true }) }

// Migrate makes a supergroup of a group. The bot is told by a service message
// unless quiet, and by every call with the old id.
func (c *Chat) Migrate(to int64, quiet bool) *Chat {
	s := c.server
	moved := s.Supergroup(to)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !quiet {
		c.service(map[string]any{"migrate_to_chat_id": to})
		moved.service(map[string]any{"migrate_from_chat_id": c.ID})
	}
	c.migratedTo = to
	s.wake()
	return moved
}

// Messages are the messages of the chat as its readers see them now.
func (c *Chat) Messages() []Message {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	all := make([]Message, len(c.messages))
	for i, m := range c.messages {
		all[i] = *m
	}
	return all
}

// Answers are the bot's messages among them.
func (c *Chat) Answers() []Message {
	return slices.DeleteFunc(c.Messages(), func(m Message) bool { return !m.FromBot })
}

// Wait waits until the bot has written at least n messages here, and returns them.
func (c *Chat) Wait(ctx context.Context, n int) ([]Message, error) {
	return c.WaitFor(ctx, func(answers []Message) bool { return len(answers) >= n })
}

// WaitFor waits until the bot's messages are as wanted, and returns them.
func (c *Chat) WaitFor(ctx context.Context, wanted func(answers []Message) bool) ([]Message, error) {
	var answers []Message
	err := c.server.Until(ctx, func() bool {
		answers = c.Answers()
		return wanted(answers)
	})
	if err != nil {
		return answers, fmt.Errorf("chat %d has %d messages of the bot: %w", c.ID, len(answers), err)
	}
	return answers, nil
}

// Print writes the chat as its readers see it.
func (c *Chat) Print(w io.Writer) {
	for _, m := range c.Messages() {
		who := strconv.FormatInt(m.From, 10)
		if m.FromBot {
			who = "bot"
		}
		if m.ViaBot {
			who += " via bot"
		}
		_, _ = fmt.Fprintf(w, "── %s #%d", who, m.ID)
		if m.Thread != 0 {
			_, _ = fmt.Fprintf(w, " in topic %d", m.Thread)
		}
		if m.Silent {
			_, _ = fmt.Fprint(w, " (silent)")
		}
		if m.Edits > 0 {
			_, _ = fmt.Fprintf(w, " (edited %d times)", m.Edits)
		}
		if m.ReplyTo != 0 {
			_, _ = fmt.Fprintf(w, " (answers #%d)", m.ReplyTo)
		}
		if m.Protected {
			_, _ = fmt.Fprint(w, " (protected)")
		}
		_, _ = fmt.Fprintln(w)
		if m.Service != "" {
			_, _ = fmt.Fprintf(w, "(%s)\n", m.Service)
			continue
		}
		if m.Photo != nil && !m.CaptionAbove {
			_, _ = fmt.Fprintln(w, m.Photo)
		}
		if m.Photo == nil || m.Caption != "" {
			_, _ = fmt.Fprintln(w, m.Text+m.Caption+m.Rich.String())
		}
		if m.Photo != nil && m.CaptionAbove {
			_, _ = fmt.Fprintln(w, m.Photo)
		}
		for _, link := range m.Links() {
			_, _ = fmt.Fprintln(w, "  →", link)
		}
		for _, row := range m.Buttons {
			for _, b := range row {
				_, _ = fmt.Fprintf(w, " [%s]", b.Text)
			}
			_, _ = fmt.Fprintln(w)
		}
	}
}
