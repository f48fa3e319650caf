package telegram

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"newsie/bot"
)

// The parts of the Bot API's objects that newsie reads (Bot API 10.1).
type (
	update struct {
		ID       int64          `json:"update_id"`
		Message  *message       `json:"message"`
		Edited   *message       `json:"edited_message"`
		Callback *callback      `json:"callback_query"`
		Member   *memberUpdated `json:"my_chat_member"`
		Inline   *inlineQuery   `json:"inline_query"`
		Chosen   *chosenResult  `json:"chosen_inline_result"` // only where @BotFather was asked for feedback
	}
	user struct {
		ID       int64  `json:"id"`
		IsBot    bool   `json:"is_bot"`
		Username string `json:"username"`
		Language string `json:"language_code"`
		ReadsAll bool   `json:"can_read_all_group_messages"` // of getMe
		Inline   bool   `json:"supports_inline_queries"`     // of getMe
		CanJoin  bool   `json:"can_join_groups"`             // of getMe
	}
	chat struct {
		ID   int64  `json:"id"`
		Type string `json:"type"` // private, group, supergroup, channel
	}
	message struct {
		ID          int64    `json:"message_id"`
		Thread      int64    `json:"message_thread_id"`
		InTopic     bool     `json:"is_topic_message"`
		From        *user    `json:"from"`
		Sender      *chat    `json:"sender_chat"`
		Chat        chat     `json:"chat"`
		Date        int64    `json:"date"` // 0: too old to be looked at
		Forwarded   bool     `json:"is_automatic_forward"`
		Via         *user    `json:"via_bot"`
		Album       string   `json:"media_group_id"`
		ReplyTo     *message `json:"reply_to_message"`
		MigrateTo   int64    `json:"migrate_to_chat_id"`
		MigrateFrom int64    `json:"migrate_from_chat_id"`
		Text        string   `json:"text"`
		Caption     string   `json:"caption"`
		Entities    []entity `json:"entities"`
		CaptionEnts []entity `json:"caption_entities"`

		// Only whether they are there matters; RawMessage takes any shape.
		TopicCreated json.RawMessage `json:"forum_topic_created"`
		TopicOpened  json.RawMessage `json:"forum_topic_reopened"`
		Photo        json.RawMessage `json:"photo"`
		Sticker      json.RawMessage `json:"sticker"`
		Voice        json.RawMessage `json:"voice"`
		Audio        json.RawMessage `json:"audio"`
		Video        json.RawMessage `json:"video"`
		VideoNote    json.RawMessage `json:"video_note"`
		Animation    json.RawMessage `json:"animation"`
		Document     json.RawMessage `json:"document"`
		Location     json.RawMessage `json:"location"`
		Contact      json.RawMessage `json:"contact"`
		Poll         json.RawMessage `json:"poll"`
		Dice         json.RawMessage `json:"dice"`
		Story        json.RawMessage `json:"story"`
	}
	entity struct {
		Type   string `json:"type"`
		Offset int    `json:"offset"` // UTF-16 units
		Length int    `json:"length"`
		User   *user  `json:"user"`
	}
	callback struct {
		ID      string   `json:"id"`
		From    user     `json:"from"`
		Message *message `json:"message"` // none when the message was sent inline
		Data    string   `json:"data"`
	}
	inlineQuery struct {
		ID       string `json:"id"`
		From     user   `json:"from"`
		Query    string `json:"query"`
		Offset   string `json:"offset"`
		ChatType string `json:"chat_type"` // sender, private, group, supergroup, channel; "" when not told
	}
	chosenResult struct {
		ID      string `json:"result_id"`
		From    user   `json:"from"`
		Query   string `json:"query"`
		Message string `json:"inline_message_id"`
	}
	memberUpdated struct {
		Chat chat   `json:"chat"`
		From user   `json:"from"`
		Date int64  `json:"date"`
		Old  member `json:"old_chat_member"`
		New  member `json:"new_chat_member"`
	}
	member struct {
		Status   string `json:"status"`
		IsMember bool   `json:"is_member"`         // of status restricted
		CanSend  bool   `json:"can_send_messages"` // of status restricted
		CanPost  bool   `json:"can_post_messages"` // of an administrator in a channel
	}
)

// allowedUpdates are the kinds asked for; leaving them out would keep whatever
// was asked for last.
const allowedUpdates = `["message","edited_message","callback_query","my_chat_member","inline_query"]`

// An incoming is an update that concerns us.
type incoming struct {
	update  int64
	message bot.Message
	lane    string // updates of one lane are handled in order

	callback    string     // its id, to be answered at once
	tapped      int64      // the message whose button was pressed; 0: it cannot be edited
	tappedPhoto bool       // that message is a picture
	asked       int64      // the id of the reader's own message, new or edited
	album       string     // several messages sent as one
	mute        bool       // the bot must hear it and say nothing
	from        bot.ChatID // which chat has moved
	moved       bot.ChatID // its new id; empty: none has
}

var errUndecodable = errors.New("the update cannot be decoded")

// decode reads one update. Its error never quotes the update.
func decode(raw []byte) (update, error) {
	var u update
	if err := json.Unmarshal(raw, &u); err != nil {
		id, _ := updateID(raw)
		return update{ID: id}, fmt.Errorf("update %d: %w", id, errUndecodable)
	}
	if u.ID <= 0 {
		return u, fmt.Errorf("update without an id: %w", errUndecodable)
	}
	return u, nil
}

// updateID reads the id alone, of an update that may be undecodable otherwise.
func updateID(raw []byte) (int64, bool) {
	var head struct {
		ID json.Number `json:"update_id"`
	}
	if json.Unmarshal(raw, &head) != nil {
		return 0, false
	}
	id, err := head.ID.Int64()
	return id, err == nil && id > 0
}

// read turns an update into what the bot hears; false: it is none of ours.
func (s *session) read(u update) (incoming, bool) {
	var in incoming
	ok := false
	switch {
	case u.Message != nil:
		in, ok = s.readMessage(u.Message)
	case u.Edited != nil:
		in, ok = s.readMessage(u.Edited)
		in.message.Edited = true
		// A place that moves and a picture whose caption stays are no new questions.
		ok = ok && in.message.Kind == bot.Text && in.moved.ID == ""
	case u.Callback != nil:
		in, ok = s.readCallback(u.Callback)
	case u.Member != nil:
		in, ok = s.readMember(u.Member)
	}
	in.update = u.ID
	in.message.ID = "u" + strconv.FormatInt(u.ID, 10)
	return in, ok
}

func (s *session) readMessage(m *message) (incoming, bool) {
	in := incoming{
		lane:  strconv.FormatInt(m.Chat.ID, 10),
		asked: m.ID,
		album: m.Album,
		message: bot.Message{
			Kind:   bot.Text,
			Chat:   s.chatOf(m),
			Public: m.Chat.Type != "private",
			At:     time.Unix(m.Date, 0),
		},
	}
	// Both chats hear of a migration: nothing said in the new one may overtake it.
	switch {
	case m.MigrateTo != 0:
		in.from, in.moved = in.message.Chat, s.chatID(m.MigrateTo)
		return in, true
	case m.MigrateFrom != 0:
		in.from, in.moved = s.chatID(m.MigrateFrom), in.message.Chat
		return in, true
	case len(m.TopicOpened) > 0:
		// Its digests were suspended when they were refused.
		in.message.Kind, in.mute, in.asked = bot.Join, true, 0
		return in, true
	}
	if m.Chat.Type == "channel" || m.Forwarded || m.From == nil || m.From.IsBot && m.Sender == nil ||
		m.Via != nil && m.Via.ID == s.me.ID {
		return in, false
	}
	in.message.Lang = m.From.Language
	if in.message.Public {
		in.message.From = strconv.FormatInt(m.From.ID, 10)
		if m.Sender != nil { // an anonymous administrator, a channel: From is a stand-in
			in.message.From = strconv.FormatInt(m.Sender.ID, 10)
		}
	}
	text, entities := m.Text, m.Entities
	if text == "" {
		text, entities = m.Caption, m.CaptionEnts
	}
	text, meant := s.addressed(m, text, entities)
	if in.message.Public && !meant {
		return in, false
	}
	in.message.Text = text
	if text != "" {
		return in, true
	}
	in.message.Kind = bot.Media
	in.message.Text = m.media()
	if in.message.Text == "" && m.Text != "" {
		in.message.Kind = bot.Text // a mention and nothing else
		return in, true
	}
	return in, in.message.Text != ""
}

// media names what a message without text is; "": a service message.
func (m *message) media() string {
	for _, kind := range []struct {
		there json.RawMessage
		name  string
	}{
		{m.Photo, "picture"}, {m.Sticker, "sticker"}, {m.Voice, "voice"}, {m.Audio, "audio"},
		{m.Video, "video"}, {m.VideoNote, "video"}, {m.Animation, "animation"}, {m.Document, "file"},
		{m.Location, "place"}, {m.Contact, "contact"}, {m.Poll, "poll"}, {m.Dice, "dice"}, {m.Story, "story"},
	} {
		if there(kind.there) {
			return kind.name
		}
	}
	return ""
}

func there(part json.RawMessage) bool { return len(part) > 0 && string(part) != "null" }

// chatOf is the conversation of a message: its chat, or the topic of a forum in
// which it stands. General, topic 1, is the chat itself.
func (s *session) chatOf(m *message) bot.ChatID {
	id := strconv.FormatInt(m.Chat.ID, 10)
	if m.InTopic && m.Thread > 1 {
		id += ":" + strconv.FormatInt(m.Thread, 10)
	}
	return bot.ChatID{Channel: s.config.Name, ID: id}
}

func (s *session) chatID(id int64) bot.ChatID {
	return bot.ChatID{Channel: s.config.Name, ID: strconv.FormatInt(id, 10)}
}

// addressed takes our own name out of a text, and tells whether a message in a
// group is meant for us: a command, a mention or a reply to us.
func (s *session) addressed(m *message, text string, entities []entity) (string, bool) {
	text, command := s.command(text)
	switch command {
	case commandOurs:
		return text, true
	case commandOthers:
		return text, false
	}
	meant := false
	units := utf16.Encode([]rune(text))
	for i := len(entities) - 1; i >= 0; i-- {
		e := entities[i]
		if e.Offset < 0 || e.Length <= 0 || e.Offset > len(units) || e.Length > len(units)-e.Offset {
			continue
		}
		said := string(utf16.Decode(units[e.Offset : e.Offset+e.Length]))
		ours := e.Type == "mention" && s.me.Username != "" && strings.EqualFold(said, "@"+s.me.Username) ||
			e.Type == "text_mention" && e.User != nil && e.User.ID == s.me.ID
		if ours {
			meant = true
			units = append(append([]uint16{}, units[:e.Offset]...), units[e.Offset+e.Length:]...)
		}
	}
	if meant {
		text = strings.TrimLeft(strings.TrimSpace(string(utf16.Decode(units))), ",:，：")
		text = strings.TrimSpace(text)
	}
	// In a topic, messages that reply to none reply to the one that opened it.
	if r := m.ReplyTo; r != nil && r.From != nil && r.From.ID == s.me.ID && len(r.TopicCreated) == 0 {
		meant = true
	}
	return text, meant
}

type commandOf int

const (
	noCommand commandOf = iota
	commandOurs
	commandOthers
	commandOpen // a bare command that we do not know: another bot's, perhaps
)

// command strips "@ourname" from a command and tells whose it is.
func (s *session) command(text string) (string, commandOf) {
	if !strings.HasPrefix(text, "/") {
		return text, noCommand
	}
	end := strings.IndexFunc(text, func(r rune) bool { return r == ' ' || r == '\n' || r == '\t' || r == '\u00a0' || r == '\u3000' })
	if end < 0 {
		end = len(text)
	}
	name, owner, named := strings.Cut(text[1:end], "@")
	if named {
		if !strings.EqualFold(owner, s.me.Username) {
			return text, commandOthers
		}
		return "/" + name + text[end:], commandOurs
	}
	for _, known := range s.config.Commands {
		if strings.EqualFold(known.Name, name) {
			return text, commandOurs
		}
	}
	return text, commandOpen
}

func (s *session) readCallback(c *callback) (incoming, bool) {
	in := incoming{callback: c.ID}
	if c.Message == nil || c.Data == "" || c.Message.Chat.Type == "channel" {
		return in, false
	}
	in.lane = strconv.FormatInt(c.Message.Chat.ID, 10)
	in.message = bot.Message{
		Kind:   bot.Tap,
		Chat:   s.chatOf(c.Message),
		Text:   c.Data,
		Lang:   c.From.Language,
		Public: c.Message.Chat.Type != "private",
		At:     s.config.Now(),
	}
	if in.message.Public {
		in.message.From = strconv.FormatInt(c.From.ID, 10)
	}
	if c.Message.Date != 0 {
		in.tapped, in.tappedPhoto = c.Message.ID, there(c.Message.Photo)
	}
	return in, true
}

// readMember hears that the bot was blocked, unblocked, added, removed, or may
// write again. Whoever unblocks a bot presses Start at once, which is answered;
// a channel is no place for greetings.
func (s *session) readMember(m *memberUpdated) (incoming, bool) {
	was, is := m.Old.present(), m.New.present()
	// What was refused while the bot was silenced has been suspended.
	unsilenced := was && is && m.Old.silenced() && !m.New.silenced()
	in := incoming{
		lane: strconv.FormatInt(m.Chat.ID, 10),
		mute: !is || was || m.Chat.Type == "private" || m.Chat.Type == "channel",
		message: bot.Message{
			Kind:   bot.Join,
			Chat:   s.chatID(m.Chat.ID),
			Lang:   m.From.Language,
			Public: m.Chat.Type != "private",
			At:     time.Unix(m.Date, 0),
		},
	}
	if in.message.Public {
		in.message.From = strconv.FormatInt(m.From.ID, 10)
	}
	if !is {
		in.message.Kind = bot.Leave
	}
	return in, was != is || unsilenced
}

func (m member) silenced() bool { return m.Status == "restricted" && !m.CanSend }

func (m member) present() bool {
	switch m.Status {
	case "creator", "administrator", "member":
		return true
	case "restricted":
		return m.IsMember
	}
	return false
}
