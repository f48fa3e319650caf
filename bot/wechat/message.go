package wechat

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/silenceper/wechat/v2/officialaccount/message"

	"newsie/bot"
)

// message turns what the platform posted into what the bot understands. It
// reports false for what a reader did not say and nobody waits for an answer to.
func (c *Channel) message(in *message.MixMessage) (bot.Message, bool) {
	reader := string(in.FromUserName)
	if reader == "" || strings.HasPrefix(reader, bot.Everybody) || in.MsgType == "" {
		return bot.Message{}, false
	}
	m := bot.Message{
		ID:   identity(in),
		Chat: bot.ChatID{Channel: c.cfg.Name, ID: reader},
		Lang: c.cfg.Language,
		At:   time.Unix(in.CreateTime, 0),
	}
	if in.MsgType == message.MsgTypeEvent {
		return event(m, in)
	}
	m.Kind = bot.Media
	switch in.MsgType {
	case message.MsgTypeText:
		m.Kind, m.Text = bot.Text, forText(in.Content)
		switch {
		case strings.Contains(in.Content, "收到不支持的消息类型"):
			// So the platform describes stickers and other things it will not pass on.
			m.Kind, m.Text = bot.Media, "sticker"
		case in.BizMsgMenuID != 0:
			m.Kind, m.Text = bot.Tap, untap(m.Text)
		case strings.HasPrefix(m.Text, "/"):
			// An app that leaves the menu id out still sends our command.
			m.Text = untap(m.Text)
		}
	case message.MsgTypeImage:
		m.Text = "picture"
	case message.MsgTypeVoice:
		m.Text = "voice"
	case message.MsgTypeVideo, message.MsgTypeShortVideo:
		m.Text = "video"
	case message.MsgTypeLocation:
		m.Text = "place"
	case message.MsgTypeLink:
		m.Link, m.Text = strings.TrimSpace(forLine(in.URL)), forLine(in.Title)
		if m.Link == "" {
			m.Text = "link"
		}
	default:
		m.Text = "unknown"
	}
	return m, true
}

func event(m bot.Message, in *message.MixMessage) (bot.Message, bool) {
	switch in.Event {
	case message.EventSubscribe:
		m.Kind, m.Text = bot.Join, strings.TrimPrefix(in.EventKey, "qrscene_")
	case message.EventUnsubscribe:
		m.Kind = bot.Leave
	case message.EventScan:
		m.Kind, m.Text = bot.Scan, in.EventKey
	case message.EventClick:
		m.Kind, m.Text = bot.Tap, in.EventKey
	case message.EventScancodeWaitmsg:
		// The app shows that it waits for an answer to what was scanned.
		m.Kind, m.Text = bot.Text, in.ScanCodeInfo.ScanResult
	default:
		return m, false
	}
	m.Text = forText(m.Text)
	return m, true
}

// identity names a message the same on every try. Events have no MsgId: the
// platform says they are the same when sender and time are; what happened is
// added, because two different events of one second are not.
func identity(in *message.MixMessage) string {
	if in.MsgID != 0 {
		return strconv.FormatInt(in.MsgID, 10)
	}
	what := sha256.Sum256([]byte(strings.Join([]string{
		string(in.MsgType), string(in.Event), in.EventKey, in.Content, in.MediaID, in.ScanCodeInfo.ScanResult,
	}, "\x00")))
	return "e" + strconv.FormatInt(in.CreateTime, 10) + "/" + string(in.FromUserName) + "/" + hex.EncodeToString(what[:8])
}

// untap undoes the escaping of a tapped line, should the app not have done it.
func untap(text string) string {
	if !strings.Contains(text, "%") {
		return text
	}
	if plain, err := url.PathUnescape(text); err == nil {
		return plain
	}
	return text
}
