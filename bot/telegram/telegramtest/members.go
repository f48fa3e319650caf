package telegramtest

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// How the bot stands in a chat.
const (
	member        = "member"
	administrator = "administrator"
	restricted    = "restricted" // it is there and may not write
	left          = "left"       // it was removed, or never there
	kicked        = "kicked"     // it may not come back: blocked, in a private chat
)

// Rights of administrators that the fake looks at.
const (
	PostMessages   = "can_post_messages"   // in channels
	EditMessages   = "can_edit_messages"   // of others, in channels
	DeleteMessages = "can_delete_messages" // of others
)

// here reports whether the bot is in the chat.
func (c *Chat) here() bool { return c.status != left && c.status != kicked }

// Block has the reader block the bot, or the group ban it.
func (c *Chat) Block() { c.become(kicked) }

// Unblock undoes Block: in a group the bot is in it again.
func (c *Chat) Unblock() { c.become(member) }

// Join adds the bot to the group or channel; as a member, which in a channel
// may not post.
func (c *Chat) Join() { c.join() }

func (c *Chat) join() {
	c.server.change(func() {
		if c.here() {
			c.status = left // the group was there before, and only now the bot comes
		}
	})
	c.become(member)
}

// Remove takes the bot out of the group or channel; it may be added again.
func (c *Chat) Remove() { c.become(left) }

// Promote makes the bot an administrator with these rights and no others.
func (c *Chat) Promote(rights ...string) { c.become(administrator, rights...) }

// Demote makes the bot an ordinary member.
func (c *Chat) Demote() { c.become(member) }

// Mute takes the bot's right to write in a supergroup.
func (c *Chat) Mute() { c.become(restricted) }

// NoPhotos lets members of a group send texts alone.
func (c *Chat) NoPhotos() { c.server.change(func() { c.textOnly = true }) }

// Absent lets the bot never have been in a group or channel.
func (c *Chat) Absent() *Chat {
	c.server.change(func() { c.status, c.rights = left, nil })
	return c
}

// Rights are the bot's as if they had always been so: nobody is told.
func (c *Chat) Rights(rights ...string) *Chat {
	c.server.change(func() { c.status, c.rights = administrator, names(rights) })
	return c
}

// Administrator makes a reader an administrator of the group or channel.
func (c *Chat) Administrator(user int64) *Chat {
	c.server.change(func() { c.administrators[user] = true })
	return c
}

// Dismiss makes an administrator a member again.
func (c *Chat) Dismiss(user int64) { c.server.change(func() { delete(c.administrators, user) }) }

// HideMembers has the group show who is in it to administrators alone.
func (c *Chat) HideMembers() { c.server.change(func() { c.hidden = true }) }

func names(list []string) map[string]bool {
	set := map[string]bool{}
	for _, name := range list {
		set[name] = true
	}
	return set
}

// become changes how the bot stands and tells it.
func (c *Chat) become(status string, rights ...string) {
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	before, was := c.botMember(), c.here()
	c.status, c.rights = status, names(rights)
	s.push(c, "my_chat_member", map[string]any{
		"chat": c.wire(), "from": c.user(c.from(0)), "date": s.options.Now().Unix(),
		"old_chat_member": before, "new_chat_member": c.botMember(),
	})
	if c.Type == "group" || c.Type == "supergroup" {
		switch {
		case !was && c.here():
			c.service(map[string]any{"new_chat_members": []any{s.self()}, "new_chat_member": s.self(), "new_chat_participant": s.self()})
		case was && !c.here():
			c.service(map[string]any{"left_chat_member": s.self(), "left_chat_participant": s.self()})
		}
	}
	s.wake()
}

// service puts a service message into the chat; the bot gets all of them.
func (c *Chat) service(more map[string]any) *Message {
	m := &Message{From: c.from(0), Service: slices.Sorted(maps.Keys(more))[0]}
	c.append(m)
	c.server.push(c, c.kind("message"), c.told(m, Said{More: more}))
	return m
}

// botMember is the bot as a ChatMember.
func (c *Chat) botMember() map[string]any {
	out := map[string]any{"user": c.server.self(), "status": c.status}
	switch c.status {
	case administrator:
		out["can_be_edited"], out["is_anonymous"], out["can_manage_chat"] = false, false, true
		for _, right := range []string{PostMessages, EditMessages, DeleteMessages} {
			if c.Type == "channel" || right == DeleteMessages {
				out[right] = c.rights[right]
			}
		}
		for right := range c.rights {
			out[right] = true
		}
	case restricted:
		out["is_member"], out["can_send_messages"], out["until_date"] = true, false, 0
	case kicked:
		out["until_date"] = 0
	}
	return out
}

// readable finds a chat that the bot may ask about.
func (s *Server) readable(p params) (*Chat, *refusal) {
	c, refused := s.named(p)
	if refused != nil {
		return nil, refused
	}
	switch {
	case c.Type == "private":
		return c, nil // also of one who blocked it
	case c.status == kicked:
		return nil, forbidden("bot was kicked from the " + c.Type + " chat")
	case c.status == left && c.Username == "":
		return nil, forbidden("bot is not a member of the " + c.Type + " chat")
	}
	return c, nil
}

func forbidden(words string) *refusal { return &refusal{code: 403, words: "Forbidden: " + words} }

func (s *Server) getChat(p params) (any, *refusal) {
	c, refused := s.readable(p)
	if refused != nil {
		return nil, refused
	}
	out := c.wire()
	out["accent_color_id"], out["max_reaction_count"] = 0, 11
	if c.Type == "group" || c.Type == "supergroup" {
		out["permissions"] = map[string]any{"can_send_messages": true, "can_send_photos": true}
	}
	return out, nil
}

func (s *Server) getChatMember(p params) (any, *refusal) {
	c, refused := s.readable(p)
	if refused != nil {
		return nil, refused
	}
	user, ok := integer(p["user_id"])
	switch {
	case !ok || user <= 0:
		return nil, bad("invalid user_id specified")
	case user == BotID:
		return c.botMember(), nil
	case (c.Type == "channel" || c.hidden) && c.status != administrator:
		return nil, bad("member list is inaccessible")
	}
	return c.userMember(user), nil
}

// userMember is a reader as a ChatMember. Who is no administrator and has said
// nothing is not there.
func (c *Chat) userMember(user int64) map[string]any {
	status := left
	switch {
	case c.Type == "private" && user == c.ID:
		status = member
	case c.Type != "private" && user == c.from(0):
		status = "creator"
	case c.administrators[user]:
		status = administrator
	case slices.ContainsFunc(c.messages, func(m *Message) bool { return m.From == user }):
		status = member
	}
	out := map[string]any{"user": c.user(user), "status": status}
	switch status {
	case "creator":
		out["is_anonymous"] = false
	case administrator:
		out["can_be_edited"], out["is_anonymous"], out["can_manage_chat"] = false, false, true
	}
	return out
}

// getChatAdministrators lists them as the documentation says: without bots.
func (s *Server) getChatAdministrators(p params) (any, *refusal) {
	c, refused := s.readable(p)
	if refused != nil {
		return nil, refused
	}
	if c.Type == "private" {
		return nil, bad("there are no administrators in the private chat")
	}
	if c.Type == "channel" && c.status != administrator {
		return nil, bad("member list is inaccessible")
	}
	users := append([]int64{c.from(0)}, slices.Sorted(maps.Keys(c.administrators))...)
	var list []map[string]any
	for _, user := range slices.Compact(users) {
		list = append(list, c.userMember(user))
	}
	return list, nil
}

// named finds the chat of a call.
func (s *Server) named(p params) (*Chat, *refusal) {
	if p["chat_id"] == "" {
		return nil, bad("chat_id is empty")
	}
	id, ok := integer(p["chat_id"])
	c := s.chats[id]
	if name, named := strings.CutPrefix(p["chat_id"], "@"); named {
		c, ok = s.names[strings.ToLower(name)], true
	}
	if !ok || c == nil || c.apart || c.Type == "private" && !c.started {
		return nil, bad("chat not found")
	}
	if c.migratedTo != 0 {
		r := bad("group chat was upgraded to a supergroup chat")
		r.migrateTo = c.migratedTo
		return nil, r
	}
	return c, nil
}

// destination finds the chat of a call and its topic, and refuses what the bot
// may not write to.
func (s *Server) destination(p params) (*Chat, int64, *refusal) {
	c, refused := s.named(p)
	if refused != nil {
		return nil, 0, refused
	}
	switch {
	case c.deactivated:
		return nil, 0, forbidden("user is deactivated")
	case c.status == kicked && c.Type == "private":
		return nil, 0, forbidden("bot was blocked by the user")
	case c.status == kicked:
		return nil, 0, forbidden("bot was kicked from the " + c.Type + " chat")
	case c.status == left:
		return nil, 0, forbidden("bot is not a member of the " + c.Type + " chat")
	case c.Type == "channel" && !c.rights[PostMessages]:
		return nil, 0, bad("need administrator rights in the channel chat")
	case c.status == restricted:
		return nil, 0, bad("not enough rights to send text messages to the chat")
	}
	thread, refused := c.thread(p["message_thread_id"])
	return c, thread, refused
}

// thread checks a topic. General has no thread of its own: 1 is refused as well.
func (c *Chat) thread(text string) (int64, *refusal) {
	if text == "" {
		return 0, nil
	}
	thread, ok := integer(text)
	open, known := c.topics[thread]
	switch {
	case !ok || !known:
		return 0, bad("message thread not found")
	case !open && c.status != administrator:
		return 0, bad("TOPIC_CLOSED")
	}
	return thread, nil
}

// CloseTopic lets only administrators write in a topic.
func (c *Chat) CloseTopic(topic int64) { c.server.change(func() { c.topics[topic] = false }) }

// DeleteTopic deletes a topic and its messages.
func (c *Chat) DeleteTopic(topic int64) {
	c.server.change(func() {
		delete(c.topics, topic)
		c.messages = slices.DeleteFunc(c.messages, func(m *Message) bool { return m.Thread == topic })
	})
}

func byID(m *Message, id int64) int { return cmp.Compare(m.ID, id) }
