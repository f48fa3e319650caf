package wechat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/silenceper/wechat/v2/util"

	"newsie/bot"
)

// MostNews is how many articles one mass send may have.
const MostNews = 8

// A Mass is the digest that goes to an audience: all followers, or those with a
// tag. The zero Mass is none.
type Mass struct {
	On       bool
	Articles int           // at most, best first; 0: MostNews
	Summary  bool          // summaries instead of whole texts
	Cover    []byte        // picture for articles without one; nil: plain colours
	Preview  string        // openid that is shown it first; "": nobody
	Lead     time.Duration // by how much
}

const (
	wayMass = "mass"

	massCall    = 6 * time.Second // what one call may need of a try
	massAgain   = time.Second     // until a try that ran out of time goes on
	massMorning = 8               // o'clock in Beijing, of the day after the allowance was used up

	// The platform remembers a clientmsgid for a day. Whoever asks later with
	// the same one might send twice.
	massMemory = 23 * time.Hour
)

// sendMass sends a digest to an audience. What a try has achieved is kept (see
// campaign), so that the next one, of whatever process, goes on from there; and
// each key is sent once, because the platform refuses it the second time.
func (c *Channel) sendMass(ctx context.Context, o bot.Outgoing) (bot.Receipt, error) {
	receipt, err := c.tryMass(ctx, o)
	var retry *bot.RetryError
	var wrong *bot.ConfigError
	switch {
	case err == nil, errors.As(err, &retry), errors.Is(err, bot.ErrUnknown):
	case errors.As(err, &wrong):
		c.notify(ctx, "config", wrong.Error())
	default:
		c.notify(ctx, "mass/"+o.Key, fmt.Sprintf("The mass send of channel %s was given up: %v", c.cfg.Name, err))
		c.abandon(ctx, o.Key)
	}
	return receipt, err
}

func (c *Channel) tryMass(ctx context.Context, o bot.Outgoing) (bot.Receipt, error) {
	tag, err := c.massTo(ctx, o)
	if err != nil {
		return bot.Receipt{}, err
	}
	k, err := c.campaign(ctx, o.Key)
	if err != nil {
		return bot.Receipt{}, err
	}
	if k.MsgID != 0 { // answered, and never written down
		return k.receipt(), nil
	}
	doubt := k.Asked != 0
	if doubt && c.cfg.Now().Sub(time.UnixMilli(k.Asked)) > massMemory {
		return bot.Receipt{}, fmt.Errorf("%w: WeChat was asked at %s and would not know it again", bot.ErrUnknown, c.clock(k.Asked))
	}
	if !doubt || k.Draft == "" {
		err := c.makeDraft(ctx, o, k)
		var retry *bot.RetryError
		if doubt && errors.As(err, &retry) {
			retry.Takes = time.Time{} // it may have gone out: no other takes its articles along
		}
		if err != nil {
			return bot.Receipt{}, err
		}
	}
	if !doubt {
		if err := c.preview(ctx, o, k); err != nil {
			return bot.Receipt{}, err
		}
		if err := c.allow(ctx, k); err != nil {
			return bot.Receipt{}, err
		}
	}
	return c.sendAll(ctx, k, tag, doubt)
}

// massTo is the tag that an audience has, 0 for everybody.
func (c *Channel) massTo(ctx context.Context, o bot.Outgoing) (tag int, err error) {
	if !c.cfg.Mass.On || c.cfg.Articles == nil {
		return 0, errors.New("no mass send is configured")
	}
	switch able, known := c.knownAbilities(ctx); {
	case !known:
		return 0, &bot.RetryError{After: time.Minute, Err: errors.New("it is not known yet what the account may do")}
	case !able.Mass:
		return 0, errors.New("the account may not send to all: only verified accounts can (account: subscription, or service)")
	}
	number := strings.TrimPrefix(o.To.ID, bot.Everybody)
	if number == "" {
		return 0, nil
	}
	if tag, err = strconv.Atoi(number); err != nil || tag <= 0 {
		return 0, fmt.Errorf("%q is no audience", o.To.ID)
	}
	return tag, nil
}

var errUnready = errors.New("the mass send is being prepared")

// enough reports whether a try has time for another call. The rest is done by
// the next one.
func enough(ctx context.Context) error {
	if until, ok := ctx.Deadline(); ctx.Err() != nil || ok && time.Until(until) < massCall {
		return &bot.RetryError{After: massAgain, Err: errUnready}
	}
	return nil
}

// mostPreviews is how often one mass send is shown, when articles keep changing
// after they were.
const mostPreviews = 3

// preview shows the draft to the publisher, and has everybody wait until the
// publisher has had time to stop it. What was changed since is shown again; what
// was only taken away is not.
func (c *Channel) preview(ctx context.Context, o bot.Outgoing, k *campaign) error {
	m := c.cfg.Mass
	if m.Preview == "" {
		return nil
	}
	if k.Previewed == 0 || !within(k.Made, k.Shown) && k.Previews < mostPreviews {
		if err := c.show(ctx, o, k); err != nil {
			return err
		}
	}
	if left := time.UnixMilli(k.Previewed).Add(m.Lead).Sub(c.cfg.Now()); left > 0 {
		return &bot.RetryError{After: left, Err: fmt.Errorf("its preview was shown; it goes to everybody at %s unless %s stops it",
			c.clock(k.Previewed+m.Lead.Milliseconds()), cancelling(o))}
	}
	return nil
}

// show sends the preview and tells the publisher.
func (c *Channel) show(ctx context.Context, o bot.Outgoing, k *campaign) error {
	if err := enough(ctx); err != nil {
		return err
	}
	m := c.cfg.Mass
	// Shown twice it does no harm.
	err := c.call(ctx, true, func(token string) error {
		return post(ctx, "/cgi-bin/message/mass/preview", token, map[string]any{
			"touser": m.Preview, "msgtype": "mpnews", "mpnews": map[string]string{"media_id": k.Draft},
		}, nil)
	})
	if errors.Is(err, bot.ErrNotNow) || errors.Is(err, bot.ErrGone) {
		return fmt.Errorf("nothing was sent, because nobody could be shown the preview: mass.preview must be the openid of somebody who follows the account: %s", redact(err.Error()))
	}
	if err != nil {
		return c.massError(ctx, "show the preview", err)
	}
	k.Previewed, k.Shown = c.cfg.Now().UnixMilli(), k.Made
	k.Previews++
	if err := c.keep(ctx, k); err != nil {
		return err
	}
	text := fmt.Sprintf("The preview of channel %s's mass send is in your chat.", c.cfg.Name)
	if k.Previews > 1 {
		text = fmt.Sprintf("An article of channel %s's mass send was changed after you saw it: a new preview is in your chat.", c.cfg.Name)
	}
	if k.Previews == mostPreviews {
		text += " It is the last one: what is changed from now on goes out as it is then."
	}
	c.notify(ctx, fmt.Sprintf("mass-preview/%s/%d", k.key, k.Previews), fmt.Sprintf("%s It goes to everybody at %s; %s stops it.",
		text, c.clock(k.Previewed+m.Lead.Milliseconds()), cancelling(o)))
	return nil
}

// cancelling is the command that stops a mass send.
func cancelling(o bot.Outgoing) string {
	if o.Delivery == 0 {
		return "newsie digest cancel"
	}
	return fmt.Sprintf("newsie digest cancel %d", o.Delivery)
}

// within reports whether a draft holds nothing that another does not.
func within(made, shown string) bool {
	had := strings.Fields(shown)
	for _, part := range strings.Fields(made) {
		if !slices.Contains(had, part) {
			return false
		}
	}
	return true
}

// clock is a moment as the publisher's notes tell it.
func (c *Channel) clock(ms int64) string {
	return time.UnixMilli(ms).In(beijing).Format("2006-01-02 15:04") + " (Beijing)"
}

// A massAnswer is what the platform says to a mass send.
type massAnswer struct {
	util.CommonError
	MsgID int64 `json:"msg_id"`
}

// sendAll asks the platform to send the draft. It is noted before that it was
// asked: whatever happens then, only its own word says that nothing went out.
func (c *Channel) sendAll(ctx context.Context, k *campaign, tag int, doubt bool) (bot.Receipt, error) {
	if err := enough(ctx); err != nil {
		return bot.Receipt{}, err
	}
	if !doubt {
		k.Asked = c.cfg.Now().UnixMilli()
		if err := c.keep(ctx, k); err != nil {
			return bot.Receipt{}, err
		}
	}
	filter := map[string]any{"is_to_all": tag == 0}
	if tag != 0 {
		filter["tag_id"] = tag
	}
	var answer massAnswer
	err := c.call(ctx, false, func(token string) error {
		var err error
		answer, err = postMass(ctx, token, map[string]any{
			"filter": filter, "msgtype": "mpnews", "mpnews": map[string]string{"media_id": k.Draft}, "clientmsgid": k.key,
			// One article that WeChat takes for a reprint must not stop the others;
			// it shows that one as a reprint.
			"send_ignore_reprint": 1,
		})
		return err
	})
	if err != nil {
		return bot.Receipt{}, c.refused(ctx, k, err, doubt)
	}
	k.MsgID, k.Sent = answer.MsgID, c.cfg.Now().UnixMilli()
	if err := c.keep(ctx, k); err != nil {
		// The receipt keeps the number too; without it the key brings it back.
		c.log.Error("keep a mass send", "error", err)
	}
	return k.receipt(), nil
}

// postMass posts a mass send. That its clientmsgid was sent before counts as
// sent; the answer then has the number it got the first time.
func postMass(ctx context.Context, token string, in any) (massAnswer, error) {
	const path = "/cgi-bin/message/mass/sendall"
	data, err := util.PostJSONContext(ctx, apiHost+path+"?access_token="+url.QueryEscape(token), in)
	if err != nil {
		return massAnswer{}, err
	}
	var answer massAnswer
	if err := json.Unmarshal(data, &answer); err != nil {
		return massAnswer{}, err
	}
	if answer.ErrCode != 0 && answer.ErrCode != 45065 {
		return massAnswer{}, util.NewCommonError(path, answer.ErrCode, answer.ErrMsg)
	}
	return answer, nil
}

// refused is what a mass send that was not taken comes to.
func (c *Channel) refused(ctx context.Context, k *campaign, err error, doubt bool) error {
	n, known := code(err)
	if errors.Is(err, bot.ErrUnknown) {
		return err
	}
	if known && n == -1 { // the platform's own fault, which may have come after the deed
		return &bot.RetryError{After: time.Minute, Err: reason(err)}
	}
	if n == 40007 && doubt {
		// A draft that was sent is gone. The key tells, with a new one.
		k.Draft = ""
		return errors.Join(c.keep(ctx, k), &bot.RetryError{After: massAgain, Err: err})
	}
	if doubt {
		// It was not taken now; the first time it may have been.
		var wrong *bot.ConfigError
		var retry *bot.RetryError
		if errors.As(err, &wrong) || errors.As(err, &retry) && n != 45028 && n != 45009 {
			return c.massError(ctx, "send to all", err)
		}
		return &bot.RetryError{After: 10 * time.Minute, Err: fmt.Errorf("it may have gone out already: %w", reason(err))}
	}
	k.Asked = 0
	if n != 45028 {
		c.disallow(ctx, k)
	} else if err := c.usedUp(ctx, k); err != nil {
		c.log.Error("note that the mass sends are used up", "error", err)
	}
	if keepErr := c.keep(ctx, k); keepErr != nil {
		return keepErr
	}
	if n == 40007 {
		return fmt.Errorf("the draft is not there any more: somebody deleted it on the platform: %w", err)
	}
	return c.massError(ctx, "send to all", err)
}

// massError is an error of a call for a mass send. It concerns no reader's
// message, unless the account itself is at fault.
func (c *Channel) massError(ctx context.Context, what string, err error) error {
	n, _ := code(err)
	var retry *bot.RetryError
	switch {
	case n == 45028 || n == 45009:
		return c.until(c.nextMorning(), fmt.Errorf("%s: WeChat takes no more today: %w", what, reason(err)))
	case n == 48001 || n == 48004:
		if !c.declared() {
			c.undo(ctx, func(ctx context.Context) error { return c.refuse(ctx, quotaMass) })
		}
		return fmt.Errorf("%s: WeChat does not let this account send to all; only verified accounts may, and their rights stand under 接口权限 on the platform: %s", what, redact(err.Error()))
	case errors.As(err, &retry):
		return &bot.RetryError{After: retry.After, Err: fmt.Errorf("%s: %w", what, retry.Err)}
	}
	return fmt.Errorf("%s: %w", what, err)
}

// reason is why err asks to wait, when it does: whoever wraps it tells a time of
// its own.
func reason(err error) error {
	var retry *bot.RetryError
	if errors.As(err, &retry) && retry.Err != nil {
		return retry.Err
	}
	return err
}

// nextMorning is how long to wait when a day's allowance is used up. It is
// renewed at midnight, when nobody wants to be woken by news.
func (c *Channel) nextMorning() time.Duration {
	now := c.cfg.Now()
	y, m, d := now.In(beijing).Date()
	return time.Date(y, m, d+1, massMorning, 0, 0, 0, beijing).Sub(now)
}
