package telegramtest

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A Said is how something is said in a group.
type Said struct {
	From    int64          // the reader; 0: the chat's own
	Thread  int64          // the forum topic
	ReplyTo int64          // the message it answers
	More    map[string]any // further fields of the message: "photo", "caption", …, or those of a service message
}

// Say has the reader write something, and returns the message's id.
func (c *Chat) Say(text string) int64 { return c.SayAs(Said{}, text) }

// SayAs has somebody write something in a group. Commands and mentions get the
// entities that the apps give them.
// A reader who blocked the bot unblocks it by writing.
func (c *Chat) SayAs(as Said, text string) int64 {
	s := c.server
	s.mu.Lock()
	if c.Type == "private" && c.status == kicked {
		s.mu.Unlock()
		c.Unblock()
		s.mu.Lock()
	}
	defer s.mu.Unlock()
	if as.Thread == general {
		as.Thread = 0
	}
	m := &Message{From: c.from(as.From), Text: text, Thread: as.Thread, ReplyTo: as.ReplyTo, Entities: found(text)}
	for _, key := range serviceFields() {
		if _, there := as.More[key]; there {
			m.Service = key
		}
	}
	c.append(m)
	c.started = true
	if c.here() && s.hears(c, m, as) {
		s.push(c, c.kind("message"), c.told(m, as))
	}
	return m.ID
}

// general is the topic of a forum that messages without topic stand in.
const general = 1

// serviceFields make a service message of a message.
func serviceFields() []string {
	return strings.Fields(`new_chat_members left_chat_member new_chat_title new_chat_photo delete_chat_photo group_chat_created
		supergroup_chat_created channel_chat_created message_auto_delete_timer_changed migrate_to_chat_id migrate_from_chat_id
		pinned_message forum_topic_created forum_topic_edited forum_topic_closed forum_topic_reopened
		general_forum_topic_hidden general_forum_topic_unhidden video_chat_started video_chat_ended boost_added`)
}

// hears tells whether the bot is told of a message. In the privacy mode of
// groups those are commands that are not another bot's, mentions of the bot,
// replies to it and service messages; as an administrator, or without the
// privacy mode, all of them.
func (s *Server) hears(c *Chat, m *Message, as Said) bool {
	if c.Type != "group" && c.Type != "supergroup" || s.bot.ReadsAll || c.status == administrator || m.Service != "" {
		return true
	}
	if r := c.find(m.ReplyTo); r != nil && (r.FromBot || r.ViaBot) {
		return true
	}
	caption, _ := as.More["caption"].(string)
	for _, word := range marked.FindAllStringSubmatch(m.Text+"\n"+caption, -1) {
		name, owner, _ := strings.Cut(strings.TrimPrefix(word[2], "/"), "@")
		ours := strings.EqualFold(owner, s.bot.Username)
		if ours || strings.HasPrefix(word[2], "/") && name != "" && owner == "" {
			return true
		}
	}
	return s.mentioned(as.More["entities"]) || s.mentioned(as.More["caption_entities"])
}

// mentioned looks for the bot among entities given by hand (text_mention).
func (s *Server) mentioned(entities any) bool {
	var list []struct {
		User struct {
			ID int64 `json:"id"`
		} `json:"user"`
	}
	if entities == nil || json.Unmarshal(raw(entities), &list) != nil {
		return false
	}
	return slices.ContainsFunc(list, func(e struct {
		User struct {
			ID int64 `json:"id"`
		} `json:"user"`
	}) bool {
		return e.User.ID == BotID
	})
}

func (c *Chat) kind(kind string) string {
	if c.Type == "channel" {
		return strings.Replace(kind, "message", "channel_post", 1)
	}
	return kind
}

func (c *Chat) from(id int64) int64 {
	if id == 0 {
		id = max(c.ID, -c.ID)
	}
	return id
}

func (c *Chat) told(m *Message, as Said) map[string]any {
	out := c.server.wire(c, m)
	switch r := c.find(m.ReplyTo); {
	case r != nil:
		out["reply_to_message"] = c.server.wire(c, r)
		if root := c.root(r); c.Type == "supergroup" && m.Thread == 0 && len(c.topics) == 0 {
			out["message_thread_id"] = root.ID // a thread of replies, which is no topic
		}
	case m.Thread != 0: // what replies to nothing in a topic replies to its beginning
		out["reply_to_message"] = map[string]any{
			"message_id": m.Thread, "message_thread_id": m.Thread, "is_topic_message": true, "date": 0, "chat": c.wire(), "from": c.user(c.from(0)),
			"forum_topic_created": map[string]any{"name": fmt.Sprint("Topic ", m.Thread), "icon_color": 7322096},
		}
	}
	if m.Text == "" {
		delete(out, "text")
	}
	for key, value := range as.More {
		out[key] = value
	}
	return out
}

// root is the message that began a thread of replies.
func (c *Chat) root(m *Message) *Message {
	for {
		r := c.find(m.ReplyTo)
		if r == nil {
			return m
		}
		m = r
	}
}

var marked = regexp.MustCompile(`(^|\s)(/[A-Za-z0-9_]+(?:@\w+)?|@\w+)`)

// found marks commands and mentions.
func found(text string) []Entity {
	var entities []Entity
	for _, at := range marked.FindAllStringSubmatchIndex(text, -1) {
		word := text[at[4]:at[5]]
		e := Entity{Type: "mention", Offset: units(text[:at[4]]), Length: units(word)}
		if strings.HasPrefix(word, "/") {
			e.Type = "bot_command"
		}
		entities = append(entities, e)
	}
	return entities
}

// Send has the reader send something that is not text: a sticker, a photo.
// more holds the message's fields, such as "sticker".
func (c *Chat) Send(more map[string]any) int64 { return c.SayAs(Said{More: more}, "") }

// Edit has the reader change an earlier message.
func (c *Chat) Edit(id int64, text string) {
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	m := c.find(id)
	m.Text, m.Entities = text, found(text)
	m.Edits++
	out := c.told(m, Said{})
	out["edit_date"] = s.options.Now().Unix()
	s.push(c, c.kind("edited_message"), out)
}
