package wechat

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/silenceper/wechat/v2/officialaccount/message"

	"newsie/bot"
)

// Events that the library has no name for.
const (
	eventSubscribeMsgChange message.EventType = "subscribe_msg_change_event"
	eventSubscribeMsgSent   message.EventType = "subscribe_msg_sent_event"
)

// happened takes in what the platform reports about the account's own messages
// and about what readers permit. It reports false for what is a reader's
// message. The platform repeats a report that it believes lost: each counts once.
func (c *Channel) happened(ctx context.Context, in *message.MixMessage, raw []byte) (bool, error) {
	if in.MsgType != message.MsgTypeEvent {
		return false, nil
	}
	var take func(context.Context) error
	switch in.Event {
	case message.EventTemplateSendJobFinish:
		take = func(ctx context.Context) error {
			return c.settle(ctx, in.TemplateMsgID, jobProblem(in.Status, "success"))
		}
	case message.EventMassSendJobFinish:
		take = func(ctx context.Context) error {
			return c.massFinished(ctx, in)
		}
	case message.EventSubscribeMsgPopupEvent, eventSubscribeMsgChange, eventSubscribeMsgSent:
		take = func(ctx context.Context) error { return c.granted(ctx, string(in.FromUserName), raw) }
	default:
		return false, nil
	}
	return true, c.exactlyOnce(ctx, in, raw, take)
}

// exactlyOnce runs take unless the same report was taken before.
func (c *Channel) exactlyOnce(ctx context.Context, in *message.MixMessage, raw []byte, take func(context.Context) error) error {
	what := sha256.Sum256(raw)
	chat := bot.ChatID{Channel: c.cfg.Name, ID: string(in.FromUserName)}
	id := "e" + strconv.FormatInt(in.CreateTime, 10) + "/" + chat.ID + "/" + hex.EncodeToString(what[:8])
	fresh, _, err := c.claim(ctx, chat, id)
	if err != nil || !fresh {
		return err
	}
	err = take(ctx)
	if err != nil {
		c.log.Error("take in a report of the platform", "event", string(in.Event), "error", err)
		// Unanswered until it hangs up, the platform reports once more.
		<-ctx.Done()
	}
	keep, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTime)
	defer cancel()
	if err != nil {
		return errors.Join(errOrphan, c.cfg.Inbox.Release(keep, chat, id))
	}
	return c.cfg.Inbox.Finish(keep, chat, id, success)
}

// jobProblem is the platform's word on a finished job, "" when it went well.
func jobProblem(status, well string) string {
	switch status {
	case well:
		return ""
	case "":
		return "the platform reports no status"
	}
	return "the platform reports: " + status
}

const settleEvery = 100 * time.Millisecond

// settle tells the ledger what became of a message that the platform had
// accepted. The report may come before the ledger knows that it was accepted:
// then it is told again until ctx ends.
func (c *Channel) settle(ctx context.Context, id int64, problem string) error {
	if id == 0 || c.cfg.Settle == nil {
		return nil
	}
	tick := time.NewTicker(settleEvery)
	defer tick.Stop()
	for {
		err := c.cfg.Settle(ctx, strconv.FormatInt(id, 10), problem)
		var early *bot.RetryError
		if !errors.As(err, &early) {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return err
		}
	}
}

// A report is what the library leaves out of a notice's events, or reads only
// the last one of.
type report struct {
	Popup  []grantReport `xml:"SubscribeMsgPopupEvent>List"`
	Change []grantReport `xml:"SubscribeMsgChangeEvent>List"`
	Sent   []sentReport  `xml:"SubscribeMsgSentEvent>List"`
}

type grantReport struct {
	Template string `xml:"TemplateId"`
	Status   string `xml:"SubscribeStatusString"` // accept, reject
}

type sentReport struct {
	Template string `xml:"TemplateId"`
	ID       int64  `xml:"MsgID"`
	Code     int64  `xml:"ErrorCode"`
	Status   string `xml:"ErrorStatus"`
}

// granted counts what a reader permits or takes back, and settles notices.
func (c *Channel) granted(ctx context.Context, reader string, raw []byte) error {
	var r report
	if err := xml.Unmarshal(raw, &r); err != nil {
		return fmt.Errorf("read a notice's event: %w", err)
	}
	period := noticePeriod(c.cfg.Notice.Template)
	for _, g := range r.Popup {
		// A refusal takes nothing away: what was granted before stays.
		if g.Template == c.cfg.Notice.Template && g.Template != "" && g.Status == "accept" {
			if err := c.grants.add(ctx, reader, period); err != nil {
				return err
			}
		}
	}
	for _, g := range r.Change {
		if g.Template == c.cfg.Notice.Template && g.Template != "" && g.Status == "reject" {
			if err := c.grants.none(ctx, reader, period); err != nil {
				return err
			}
		}
	}
	for _, sent := range r.Sent {
		problem := ""
		if sent.Code != 0 {
			problem = fmt.Sprintf("the platform reports: errcode=%d, %s", sent.Code, forLine(sent.Status))
		}
		if err := c.settle(ctx, sent.ID, problem); err != nil {
			return err
		}
	}
	return nil
}
