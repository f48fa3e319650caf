package telegram

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"newsie/bot"
)

// Send implements bot.Sender. It does not pace: whoever sends many reserves in
// Buckets first. Telegram has no idempotency key, so a message whose fate is
// unknown (ErrUnknown) may have arrived.
func (c *Channel) Send(ctx context.Context, o bot.Outgoing) (bot.Receipt, error) {
	sent, err := c.put(ctx, outgoing{to: o.To, reply: o.Reply, silent: o.Silent, titled: o.Topic != "",
		paid: c.config.Rate > freeRate && c.config.Paid && !o.Answer})
	var moved *bot.MovedError
	if errors.As(err, &moved) { // the ledger moves everything else
		c.moveRates(ctx, o.To, moved.To)
	}
	if err != nil {
		return bot.Receipt{}, postError(err, o.To)
	}
	return bot.Receipt{ProviderID: strconv.FormatInt(sent, 10), Way: "message"}, nil
}

type outgoing struct {
	begun  time.Time // set by put
	to     bot.ChatID
	reply  bot.Reply
	silent bool
	paid   bool
	titled bool // the first line of the reply's text is a title

	place   int64 // the message to be replaced; 0: none
	onPhoto bool  // it is a picture with a caption, which cannot become a text

	replyTo int64 // in a group, the message that is answered; 0: none
}

type replyParameters struct {
	Message int64 `json:"message_id"`
	Anyway  bool  `json:"allow_sending_without_reply"` // it may have been deleted
}

// notModified is what the server says of an edit that changes nothing.
const notModified = "message is not modified"

// notReplaceable reports whether a message cannot be edited, or not into this.
func notReplaceable(err error) bool {
	return refused(err, "message to edit not found", "message can't be edited", "MESSAGE_ID_INVALID",
		"there is no text in the message to edit", "there is no caption in the message to edit")
}

// put sends or edits one message and returns its id. Errors are bot.Sender's.
//
// A picture cannot become a text: what replaces it by one comes as a message of
// its own, and the picture stays where the reader has seen it.
func (c *Channel) put(ctx context.Context, o outgoing) (int64, error) {
	o.begun = c.config.Now()
	if o.reply.Text == "" && len(o.reply.Groups) == 0 {
		// Telegram has no message that is buttons alone.
		o.reply.Text = c.config.Catalog.Printer(o.reply.Lang).T("telegram.choose")
	}
	if o.to.Audience() {
		o.reply = posted(o.reply)
	}
	l := c.layOut(o)
	if id, tried, err := c.putPhoto(ctx, o, l.sheet); tried {
		return id, err
	}
	if o.onPhoto {
		o.place = 0
	}
	if id, tried, err := c.putRich(ctx, o, l); tried {
		return id, err
	}
	return c.putText(ctx, o, l)
}

// posted is a reply as a channel's audience sees it: what answers one reader is
// no button there.
func posted(r bot.Reply) bot.Reply {
	r.Actions = slices.DeleteFunc(slices.Clone(r.Actions), func(a bot.Action) bool { return a.URL == "" })
	r.Groups = slices.Clone(r.Groups)
	for i, g := range r.Groups {
		r.Groups[i].Cards = slices.Clone(g.Cards)
		for j := range g.Cards {
			r.Groups[i].Cards[j].Open = ""
		}
	}
	return r
}

func (c *Channel) putText(ctx context.Context, o outgoing, l *layout) (int64, error) {
	page := l.with(o.reply.Actions)
	if page.text.plain() == "" {
		return 0, errors.New("the message has no text")
	}
	id, err := c.postText(ctx, o, page, true)
	if refused(err, "can't parse entities") {
		c.htmlRefused(err)
		id, err = c.postText(ctx, o, page, false)
	}
	switch {
	case err == nil:
		c.arrived(page, o.begun)
		return id, nil
	case o.place != 0 && refused(err, notModified):
		return o.place, nil
	case o.place != 0 && notReplaceable(err):
		o.place, o.onPhoto = 0, false
		return c.put(ctx, o)
	}
	return 0, c.sendError(err, o.to)
}

func (c *Channel) htmlRefused(err error) {
	c.count("html_refused")
	c.log.Error("telegram refused our HTML: sent as plain text", "error", err)
}

// arrived notes that a message went out.
func (c *Channel) arrived(p page, begun time.Time) {
	c.through(begun)
	for range p.dropped {
		c.count("button_dropped")
	}
}

func (c *Channel) postText(ctx context.Context, o outgoing, page page, html bool) (int64, error) {
	method, params, err := c.destination(o, "sendMessage", "editMessageText")
	if err != nil {
		return 0, err
	}
	if html {
		params["text"], params["parse_mode"] = page.text.html(), "HTML"
	} else {
		params["text"] = page.text.plain()
	}
	if err := addJSON(params, "link_preview_options", page.preview); err != nil {
		return 0, err
	}
	if err := addKeyboard(params, page.keyboard); err != nil {
		return 0, err
	}
	return c.send(ctx, o, method, params)
}

// send makes the call and returns the id of the message that is there now.
func (c *Channel) send(ctx context.Context, o outgoing, method string, params tgbotapi.Params) (int64, error) {
	var raw json.RawMessage
	if err := c.client.call(ctx, method, params, sendTimeout, &raw); err != nil {
		return 0, err
	}
	var sent struct {
		ID int64 `json:"message_id"`
	}
	// The message is out, whatever the server tells of it.
	if json.Unmarshal(raw, &sent) != nil || sent.ID == 0 {
		return o.place, nil
	}
	return sent.ID, nil
}

func addKeyboard(params tgbotapi.Params, rows [][]button) error {
	if len(rows) == 0 {
		return nil
	}
	return addJSON(params, "reply_markup", keyboard{rows})
}

// addJSON adds a parameter that is an object. The library's AddInterface writes
// each < and & as six characters.
func addJSON(params tgbotapi.Params, key string, value any) error {
	var b bytes.Buffer
	plain := json.NewEncoder(&b)
	plain.SetEscapeHTML(false)
	if err := plain.Encode(value); err != nil {
		return err
	}
	params[key] = strings.TrimSpace(b.String())
	return nil
}

// destination begins the parameters of a message: its method, where it goes and
// how it arrives there.
func (c *Channel) destination(o outgoing, send, edit string) (method string, params tgbotapi.Params, err error) {
	chat, thread, _ := strings.Cut(address(o.to), ":")
	params = tgbotapi.Params{"chat_id": chat}
	if o.place != 0 {
		params.AddNonZero64("message_id", o.place)
		return edit, params, nil
	}
	if thread != "1" { // General has no thread
		params.AddNonEmpty("message_thread_id", thread)
	}
	params.AddBool("disable_notification", o.silent)
	params.AddBool("allow_paid_broadcast", o.paid)
	if o.replyTo != 0 {
		err = addJSON(params, "reply_parameters", replyParameters{o.replyTo, true})
	}
	return send, params, err
}

// refused reports whether the server refused a call with one of these words.
func refused(err error, words ...string) bool {
	var failed *Error
	if !errors.As(err, &failed) || failed.Code != http.StatusBadRequest {
		return false
	}
	for _, w := range words {
		if strings.Contains(failed.Description, w) {
			return true
		}
	}
	return false
}

// fault reports whether a call was refused for what it holds, and not for its
// chat, its token or the moment.
func (c *Channel) fault(err error, to bot.ChatID) bool {
	var failed *Error
	return errors.As(err, &failed) && failed.Code == http.StatusBadRequest && c.sendError(err, to) == error(failed)
}

// sendError says what a failed call means for the message, in bot.Sender's
// words; the *Error stays inside.
func (c *Channel) sendError(err error, to bot.ChatID) error {
	var failed *Error
	if !errors.As(err, &failed) {
		return err
	}
	switch {
	case failed.MigrateTo != 0:
		return &bot.MovedError{To: bot.ChatID{Channel: to.Channel, ID: strconv.FormatInt(failed.MigrateTo, 10)}}
	case failed.Code == http.StatusTooManyRequests:
		return &bot.RetryError{After: max(failed.RetryAfter, time.Second), All: c.everybody(to, max(failed.RetryAfter, time.Second)), Err: failed}
	case failed.Code == http.StatusForbidden:
		return fmt.Errorf("%w: %w", bot.ErrGone, failed)
	case refused(failed, "chat not found", "PEER_ID_INVALID", "user is deactivated", "group chat was deactivated",
		"message thread not found", "TOPIC_DELETED", "TOPIC_CLOSED",
		// A group may take the right to write away and give it back.
		"not enough rights", "need administrator rights", "CHAT_WRITE_FORBIDDEN", "CHAT_RESTRICTED",
		"no rights to send", "no write access", "CHAT_SEND_PLAIN_FORBIDDEN", "CHAT_GUEST_SEND_FORBIDDEN"):
		return fmt.Errorf("%w: %w", bot.ErrGone, failed)
	case failed.Code == http.StatusUnauthorized || failed.Code == http.StatusNotFound:
		return &bot.ConfigError{Channel: c.config.Name, Advice: "Telegram refuses the token: copy it again from @BotFather", Err: failed}
	case failed.Code >= 500 || failed.Code == 0 && failed.Status >= 500:
		return fmt.Errorf("%w: %w", bot.ErrUnknown, failed)
	case failed.Code != 0:
		return failed // refused for good
	case failed.Status != 0 && failed.Status/100 != 2:
		// A proxy or another server speaks: it cannot have sent anything.
		return &bot.ConfigError{Channel: c.config.Name, Advice: "api_url does not lead to a Bot API server", Err: failed}
	case failed.Written:
		return fmt.Errorf("%w: %w", bot.ErrUnknown, failed)
	case errors.Is(failed, context.Canceled):
		return failed
	}
	return &bot.RetryError{After: 5 * time.Second, All: true, Err: failed}
}
