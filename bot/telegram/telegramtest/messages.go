package telegramtest

import (
	"encoding/json"
	"unicode/utf8"
)

// A Preview says which page is shown below a message.
type Preview struct {
	Disabled bool   `json:"is_disabled,omitempty"`
	URL      string `json:"url,omitempty"`
	Small    bool   `json:"prefer_small_media,omitempty"`
	Large    bool   `json:"prefer_large_media,omitempty"`
	Above    bool   `json:"show_above_text,omitempty"`
}

// A Message is one message as its readers see it.
type Message struct {
	ID        int64
	Service   string // the field that makes it a service message: "new_chat_members"
	ReplyTo   int64  // the message it answers
	Protected bool   // it cannot be forwarded or saved
	Thread    int64  // the forum topic it stands in
	FromBot   bool
	From      int64  // the reader who wrote it
	ViaBot    bool   // the reader chose it from the bot's inline results
	InlineID  string // the name under which the bot may edit such a message; "" where it may not
	Text      string
	Entities  []Entity // of the text or the caption
	Buttons   [][]Button
	Photo     *Picture // nil: a message of text
	Caption   string   // what stands with the photo
	Rich      *Rich    // instead of a text

	CaptionAbove bool // the caption stands above the photo

	Preview Preview
	Silent  bool
	Edits   int
	Plain   bool // it was sent without a parse mode
	Date    int64
}

// Links are the addresses the text leads to.
func (m Message) Links() []string {
	var links []string
	for _, e := range m.Entities {
		if e.URL != "" {
			links = append(links, e.URL)
		}
	}
	return append(links, m.Rich.Links()...)
}

// Labels are the buttons' labels, in order.
func (m Message) Labels() []string {
	var labels []string
	for _, row := range m.Buttons {
		for _, b := range row {
			labels = append(labels, b.Text)
		}
	}
	return labels
}

// Units is the length as the server counts it.
func (m Message) Units() int { return units(m.Text + m.Caption) }

const (
	maxText    = 4096
	maxCaption = 1024
)

// formatted reads a text with its parse mode or its entities, as readers see it.
func formatted(p params, text, entities string) (string, []Entity, *refusal) {
	if !utf8.ValidString(text) {
		return "", nil, bad("strings must be encoded in UTF-8")
	}
	var list []Entity
	switch p["parse_mode"] {
	case "":
		if entities == "" {
			break
		}
		if err := strict(entities, &list); err != nil {
			return "", nil, bad("can't parse entities: %v", err)
		}
		length := units(text)
		for _, e := range list {
			if e.Offset < 0 || e.Length < 0 || e.Offset > length || e.Length > length-e.Offset {
				return "", nil, bad("entity begins or ends outside of the text")
			}
		}
	case "HTML", "html":
		var err error
		if text, list, err = parseHTML(text); err != nil {
			return "", nil, bad("can't parse entities: %v", err)
		}
	default:
		return "", nil, bad("unsupported parse_mode")
	}
	text, list = tidy(text, list)
	return text, list, nil
}

// caption reads what stands with a photo.
func caption(p params) (m Message, refused *refusal) {
	m.Plain = p["parse_mode"] == ""
	if m.Caption, m.Entities, refused = formatted(p, p["caption"], p["caption_entities"]); refused != nil {
		return m, refused
	}
	if units(m.Caption) > maxCaption {
		return m, bad("message caption is too long")
	}
	m.CaptionAbove = p["show_caption_above_media"] == "true"
	return m, nil
}

// content reads what sendMessage and editMessageText have in common.
func content(p params) (m Message, refused *refusal) {
	if p["text"] == "" {
		return m, bad("message text is empty")
	}
	m.Plain = p["parse_mode"] == ""
	if m.Text, m.Entities, refused = formatted(p, p["text"], p["entities"]); refused != nil {
		return m, refused
	}
	if m.Text == "" {
		return m, bad("text must be non-empty")
	}
	if units(m.Text) > maxText {
		return m, bad("message is too long")
	}
	if options := p["link_preview_options"]; options != "" {
		if err := strict(options, &m.Preview); err != nil {
			return m, bad("can't parse link preview options JSON object: %v", err)
		}
	}
	m.Buttons, refused = markup(p["reply_markup"])
	return m, refused
}

func (s *Server) sendMessage(p params) (any, *refusal) {
	c, thread, refused := s.destination(p)
	if refused != nil {
		return nil, refused
	}
	m, refused := content(p)
	if refused != nil {
		return nil, refused
	}
	return s.publish(c, p, thread, m)
}

func (s *Server) sendPhoto(p params, got loaded) (any, *refusal) {
	c, thread, refused := s.destination(p)
	if refused != nil {
		return nil, refused
	}
	if c.textOnly && c.status != administrator {
		return nil, bad("not enough rights to send photos to the chat")
	}
	m, refused := caption(p)
	if refused != nil {
		return nil, refused
	}
	if m.Buttons, refused = markup(p["reply_markup"]); refused != nil {
		return nil, refused
	}
	if m.Photo, refused = s.photo(p["photo"], "photo", got); refused != nil {
		return nil, refused
	}
	return s.publish(c, p, thread, m)
}

// publish puts a message of the bot into a chat.
func (s *Server) publish(c *Chat, p params, thread int64, m Message) (any, *refusal) {
	if switches(m.Buttons) && !s.bot.Inline {
		return nil, bad("BUTTON_TYPE_INVALID")
	}
	if text := p["reply_parameters"]; text != "" {
		replied, refused := c.replied(text)
		if refused != nil {
			return nil, refused
		}
		if replied != nil {
			m.ReplyTo = replied.ID
			if thread == 0 {
				thread = replied.Thread
			}
		}
	}
	if refused := s.paced(c, p); refused != nil {
		return nil, refused
	}
	m.FromBot, m.Thread = true, thread
	m.Silent, m.Protected = p["disable_notification"] == "true", p["protect_content"] == "true"
	c.append(&m)
	return s.wire(c, &m), nil
}

// replied finds the message that is to be replied to; nil: none, and that is fine.
func (c *Chat) replied(text string) (*Message, *refusal) {
	var reply struct {
		Message int64 `json:"message_id"`
		Without bool  `json:"allow_sending_without_reply"`
	}
	if err := strict(text, &reply); err != nil {
		return nil, bad("can't parse reply parameters JSON object: %v", err)
	}
	m := c.find(reply.Message)
	if m == nil && !reply.Without {
		return nil, bad("message to be replied not found")
	}
	return m, nil
}

func (s *Server) answerCallback(p params) (any, *refusal) {
	id := p["callback_query_id"]
	if answered, known := s.callbacks[id]; !known || answered {
		return nil, bad("query is too old and response timeout expired or query ID is invalid")
	}
	if units(p["text"]) > 200 {
		return nil, bad("MESSAGE_TOO_LONG")
	}
	s.callbacks[id] = true
	return true, nil
}

// wire is a message as the API tells it.
func (s *Server) wire(c *Chat, m *Message) map[string]any {
	out := map[string]any{"message_id": m.ID, "date": m.Date, "chat": c.wire()}
	switch {
	case m.Photo != nil:
		out["photo"] = m.Photo.sizes()
	case m.Rich != nil:
		out["rich_message"] = map[string]any{"blocks": m.Rich.blocks(m.Rich.root), "is_rtl": m.Rich.RTL}
	default:
		out["text"] = m.Text
	}
	if m.Caption != "" {
		out["caption"] = m.Caption
	}
	if m.CaptionAbove {
		out["show_caption_above_media"] = true
	}
	if m.FromBot {
		out["from"] = s.self()
	} else {
		out["from"] = c.user(m.From)
	}
	if m.Protected {
		out["has_protected_content"] = true
	}
	if r := c.find(m.ReplyTo); r != nil && m.FromBot {
		out["reply_to_message"] = map[string]any{"message_id": r.ID, "date": r.Date, "chat": c.wire(), "text": r.Text}
	}
	if m.ViaBot {
		out["via_bot"] = s.self()
	}
	if len(m.Entities) > 0 {
		key := "entities"
		if m.Photo != nil {
			key = "caption_entities"
		}
		out[key] = m.Entities
	}
	if m.Thread != 0 {
		out["message_thread_id"], out["is_topic_message"] = m.Thread, true
	}
	if len(m.Buttons) > 0 {
		out["reply_markup"] = map[string]any{"inline_keyboard": m.Buttons}
	}
	return out
}

func raw(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return b
}
