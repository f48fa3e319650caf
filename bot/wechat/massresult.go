package wechat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/silenceper/wechat/v2/officialaccount/broadcast"
	"github.com/silenceper/wechat/v2/officialaccount/message"

	"newsie/bot"
)

// A massResult is what became of a mass send.
type massResult struct {
	Sent bool   `json:"sent"`
	Note string `json:"note"`
}

const (
	massPoll     = 3 * time.Minute
	massPatience = 30 // times settleEvery, which leaves the platform's patience some room
	keepResult   = 7 * 24 * time.Hour
)

func (c *Channel) resultName(id int64) string {
	return "wechat/" + c.cfg.Name + "/mass-result/" + strconv.FormatInt(id, 10)
}

// massFinished takes in the platform's report on a mass send. It may come before
// the answer to the call was read, or of one that was sent by hand: it is kept
// for as long as somebody may come to wait for it.
func (c *Channel) massFinished(ctx context.Context, in *message.MixMessage) error {
	id := in.TemplateMsgID
	if id == 0 {
		return nil
	}
	result := massWords(in.Status)
	if in.TotalCount > 0 || in.SentCount > 0 {
		counts := fmt.Sprintf("%d readers: sent to %d, filtered out %d, failed %d", in.TotalCount, in.SentCount, in.FilterCount, in.ErrorCount)
		result.Note = strings.TrimPrefix(result.Note+"; "+counts, "; ")
	}
	text, err := json.Marshal(result)
	if err != nil {
		return fmt.Errorf("keep the result of a mass send: %w", err)
	}
	if err := c.cfg.Settings.Save(ctx, c.resultName(id), string(text), keepResult); err != nil {
		return err
	}
	// The call's answer may be on its way to the ledger still: a moment is worth
	// waiting. What comes later is for FollowUp.
	tick := time.NewTicker(settleEvery)
	defer tick.Stop()
	for range massPatience {
		ok, err := c.massSettled(ctx, id, result)
		switch {
		case err != nil:
			return err
		case ok:
			return c.settled(ctx, id)
		}
		if ours, err := c.massUnderWay(ctx, id); err != nil || !ours {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

// massUnderWay reports whether a mass send of ours may be the one called id.
func (c *Channel) massUnderWay(ctx context.Context, id int64) (bool, error) {
	values, err := c.cfg.Settings.List(ctx, c.campaigns())
	for _, text := range values {
		var k campaign
		if json.Unmarshal([]byte(text), &k) == nil && k.Asked != 0 && (k.MsgID == 0 || k.MsgID == id) {
			return true, nil
		}
	}
	return false, err
}

// massSettled hands a result on.
func (c *Channel) massSettled(ctx context.Context, id int64, result massResult) (bool, error) {
	if c.cfg.Result == nil {
		return false, nil
	}
	ok, err := c.cfg.Result(ctx, strconv.FormatInt(id, 10), result.Sent, result.Note)
	if ok && !result.Sent {
		c.notify(ctx, "mass-result/"+strconv.FormatInt(id, 10), fmt.Sprintf("The mass send of channel %s did not go out: %s", c.cfg.Name, result.Note))
	}
	return ok, err
}

var massCode = regexp.MustCompile(`^err\((\d+)\)$`)

// massWords says what a status of the platform means.
func massWords(status string) massResult {
	switch status {
	case "send success", "SEND_SUCCESS", "sendsuccess", "send_success":
		return massResult{Sent: true}
	case "send fail", "SEND_FAIL", "sendfail", "send_fail":
		return massResult{Note: "WeChat could not send it"}
	case "DELETE", "delete":
		return massResult{Sent: true, Note: "deleted on the platform afterwards"}
	}
	if m := massCode.FindStringSubmatch(status); m != nil {
		if words, ok := massReasons[m[1]]; ok {
			return massResult{Note: "WeChat refused it: " + words + " (" + status + ")"}
		}
	}
	return massResult{Note: "WeChat says: " + strconv.Quote(status)}
}

// massReasons are the platform's reasons, in its documentation's words.
var massReasons = map[string]string{
	"10001": "it is taken for advertising",
	"20001": "it is taken for politics",
	"20004": "it is taken for a matter of society that may not be sent",
	"20002": "it is taken for pornography",
	"20006": "it is taken for a crime",
	"20008": "it is taken for fraud",
	"20013": "it is taken for a breach of copyright",
	"22000": "accounts that promote each other",
	"21000": "another reason, which it does not tell",
	"30001": "its check for originality failed by an error of the system, and the send was not to go on",
	"30002": "its check for originality found a reprint, and the send was not to go on",
	"30003": "its check for originality found an article that its author lets nobody reprint",
	"40001": "an administrator refused it in WeChat",
	"40002": "no administrator confirmed it in WeChat within 30 minutes",
}

// FollowUp asks what became of mass sends whose result has not come, and tidies
// up after those that ended. Run does it every few minutes.
func (c *Channel) FollowUp(ctx context.Context) error {
	if !c.cfg.Mass.On && c.cfg.Result == nil {
		return nil
	}
	values, err := c.cfg.Settings.List(ctx, c.campaigns())
	if err != nil {
		return err
	}
	var errs []error
	for name, text := range values {
		k := &campaign{key: strings.TrimPrefix(name, c.campaigns())}
		if err := json.Unmarshal([]byte(text), k); err != nil {
			errs = append(errs, c.cfg.Settings.Delete(ctx, name))
			continue
		}
		errs = append(errs, c.followUp(ctx, k))
	}
	return errors.Join(errs...)
}

func (c *Channel) followUp(ctx context.Context, k *campaign) error {
	age := c.cfg.Now().Sub(time.UnixMilli(k.Began))
	if k.MsgID == 0 {
		if age > oldCampaign { // given up, or cancelled
			return c.finish(ctx, k)
		}
		return nil
	}
	if k.Settled {
		return c.finish(ctx, k)
	}
	result, known, err := c.massResult(ctx, k.MsgID)
	if err != nil {
		return err
	}
	if known {
		ok, err := c.massSettled(ctx, k.MsgID, result)
		if err != nil {
			return err
		}
		if ok {
			return c.finish(ctx, k)
		}
	}
	if age > lostCampaign {
		return c.finish(ctx, k)
	}
	return nil
}

// massResult is the result of a mass send as the platform reported it, or as it
// tells when asked; known is false while it has none.
func (c *Channel) massResult(ctx context.Context, id int64) (result massResult, known bool, err error) {
	text, ok, err := c.cfg.Settings.Load(ctx, c.resultName(id))
	if err != nil {
		return result, false, err
	}
	if ok && json.Unmarshal([]byte(text), &result) == nil {
		return result, true, nil
	}
	var status string
	err = c.call(ctx, true, func(string) error {
		// One of its own for each call: the library's is changed by some of its methods.
		answer, err := broadcast.NewBroadcast(c.account.GetContext()).GetMassStatus(strconv.FormatInt(id, 10))
		if err == nil {
			status = answer.MsgStatus
		}
		return err
	})
	if err != nil {
		return result, false, fmt.Errorf("ask what became of a mass send: %w", err)
	}
	switch strings.ToUpper(status) {
	case "", "SENDING", "SEND_ING":
		return result, false, nil
	}
	return massWords(status), true, nil
}

// settled notes that a mass send has its result; FollowUp tidies up after it,
// because nobody waits for that.
func (c *Channel) settled(ctx context.Context, id int64) error {
	values, err := c.cfg.Settings.List(ctx, c.campaigns())
	if err != nil {
		return err
	}
	for name, text := range values {
		k := &campaign{key: strings.TrimPrefix(name, c.campaigns())}
		if json.Unmarshal([]byte(text), k) == nil && k.MsgID == id {
			k.Settled = true
			return c.keep(ctx, k)
		}
	}
	return nil
}

// followMass keeps asking until ctx ends.
func (c *Channel) followMass(ctx context.Context) {
	tick := time.NewTicker(massPoll)
	defer tick.Stop()
	for {
		if err := c.FollowUp(ctx); err != nil && ctx.Err() == nil {
			var wrong *bot.ConfigError
			if errors.As(err, &wrong) {
				c.notify(ctx, "config", wrong.Error())
			}
			c.log.Warn("follow a mass send", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
