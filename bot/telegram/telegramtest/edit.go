package telegramtest

import (
	"context"
	"reflect"
	"time"
)

const notModified = "message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message"

// deletable is how long a message can be deleted.
const deletable = 48 * time.Hour

// editing finds the message of an edit.
func (s *Server) editing(p params) (*Chat, *Message, *refusal) {
	if id := p["inline_message_id"]; id != "" {
		if m, ok := s.inlined[id]; ok {
			return m.chat, m.message, nil
		}
		return nil, nil, bad("MESSAGE_ID_INVALID")
	}
	c, _, refused := s.destination(p)
	if refused != nil {
		return nil, nil, refused
	}
	if p["message_id"] == "" {
		return nil, nil, bad("message identifier is not specified")
	}
	id, _ := integer(p["message_id"])
	old := c.find(id)
	if old == nil {
		return nil, nil, bad("message to edit not found")
	}
	if !old.FromBot {
		return nil, nil, bad("message can't be edited")
	}
	return c, old, nil
}

// put makes changed of a message that the bot edits.
func (s *Server) put(c *Chat, old *Message, changed Message) (any, *refusal) {
	if reflect.DeepEqual(shown(changed), shown(*old)) {
		return nil, bad(notModified)
	}
	if switches(changed.Buttons) && !s.bot.Inline {
		return nil, bad("BUTTON_TYPE_INVALID")
	}
	if refused := s.paced(c, nil); refused != nil {
		return nil, refused
	}
	changed.Edits++
	*old = changed
	if old.ViaBot {
		return true, nil
	}
	return s.wire(c, old), nil
}

// shown is what a message must differ in to be called modified.
func shown(m Message) Message {
	shown := Message{Text: m.Text, Caption: m.Caption, CaptionAbove: m.CaptionAbove, Photo: m.Photo}
	if m.Rich != nil {
		shown.Rich = &Rich{HTML: m.Rich.HTML, RTL: m.Rich.RTL}
	}
	if len(m.Entities) > 0 {
		shown.Entities = m.Entities
	}
	if len(m.Buttons) > 0 {
		shown.Buttons = m.Buttons
	}
	return shown
}

func (s *Server) editMessageText(p params, got loaded) (any, *refusal) {
	c, old, refused := s.editing(p)
	if refused != nil {
		return nil, refused
	}
	changed := *old
	if p["rich_message"] != "" && s.options.Rich {
		if p["text"] != "" {
			return nil, bad("exactly one of \"text\" and \"rich_message\" must be specified")
		}
		if changed.Rich, refused = s.rich(p["rich_message"], got); refused != nil {
			return nil, refused
		}
		if changed.Buttons, refused = markup(p["reply_markup"]); refused != nil {
			return nil, refused
		}
		changed.Text, changed.Entities, changed.Preview, changed.Plain = "", nil, Preview{}, false
	} else {
		m, refused := content(p)
		if refused != nil {
			return nil, refused
		}
		changed.Text, changed.Entities, changed.Buttons, changed.Preview, changed.Plain = m.Text, m.Entities, m.Buttons, m.Preview, m.Plain
		changed.Rich = nil
	}
	if old.Photo != nil {
		return nil, bad("there is no text in the message to edit")
	}
	return s.put(c, old, changed)
}

func (s *Server) editMessageCaption(p params) (any, *refusal) {
	c, old, refused := s.editing(p)
	if refused != nil {
		return nil, refused
	}
	m, refused := caption(p)
	if refused != nil {
		return nil, refused
	}
	if m.Buttons, refused = markup(p["reply_markup"]); refused != nil {
		return nil, refused
	}
	if old.Photo == nil {
		return nil, bad("there is no caption in the message to edit")
	}
	changed := *old
	changed.Caption, changed.Entities, changed.CaptionAbove, changed.Plain, changed.Buttons = m.Caption, m.Entities, m.CaptionAbove, m.Plain, m.Buttons
	return s.put(c, old, changed)
}

type inputMedia struct {
	Type            string   `json:"type"`
	Media           string   `json:"media"`
	Caption         string   `json:"caption"`
	ParseMode       string   `json:"parse_mode"`
	CaptionEntities []Entity `json:"caption_entities"`
	Above           bool     `json:"show_caption_above_media"`
	Spoiler         bool     `json:"has_spoiler"`
}

func (s *Server) loadMedia(ctx context.Context, p params, got *loaded) {
	var media inputMedia
	if strict(p["media"], &media) == nil && media.Type == "photo" {
		s.load(ctx, got, media.Media)
	}
}

func (s *Server) editMessageMedia(p params, got loaded) (any, *refusal) {
	c, old, refused := s.editing(p)
	if refused != nil {
		return nil, refused
	}
	var media inputMedia
	if err := strict(p["media"], &media); err != nil {
		return nil, bad("can't parse InputMedia: %v", err)
	}
	if media.Type != "photo" {
		return nil, bad("can't parse InputMedia: type %q is not played here", media.Type)
	}
	about := params{"caption": media.Caption, "parse_mode": media.ParseMode}
	if len(media.CaptionEntities) > 0 {
		about["caption_entities"] = string(raw(media.CaptionEntities))
	}
	m, refused := caption(about)
	if refused != nil {
		return nil, refused
	}
	if m.Buttons, refused = markup(p["reply_markup"]); refused != nil {
		return nil, refused
	}
	if m.Photo, refused = s.photo(media.Media, "media", got); refused != nil {
		return nil, refused
	}
	changed := *old
	changed.Text, changed.Preview, changed.Rich = "", Preview{}, nil
	changed.Caption, changed.Entities, changed.Plain, changed.CaptionAbove = m.Caption, m.Entities, m.Plain, media.Above
	changed.Photo, changed.Buttons = m.Photo, m.Buttons
	return s.put(c, old, changed)
}

func (s *Server) editMessageReplyMarkup(p params) (any, *refusal) {
	c, old, refused := s.editing(p)
	if refused != nil {
		return nil, refused
	}
	changed := *old
	if changed.Buttons, refused = markup(p["reply_markup"]); refused != nil {
		return nil, refused
	}
	return s.put(c, old, changed)
}

func (s *Server) deleteMessage(p params) (any, *refusal) {
	c, _, refused := s.destination(p)
	if refused != nil {
		return nil, refused
	}
	if p["message_id"] == "" {
		return nil, bad("message identifier is not specified")
	}
	id, _ := integer(p["message_id"])
	m := c.find(id)
	if m == nil {
		return nil, bad("message to delete not found")
	}
	old := s.options.Now().Sub(time.Unix(m.Date, 0)) >= deletable
	if old || !m.FromBot && c.Type != "private" && !c.rights[DeleteMessages] {
		return nil, bad("message can't be deleted")
	}
	c.remove(m)
	return true, nil
}
