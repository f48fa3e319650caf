package wechat

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"newsie/bot"
)

// A campaign is how far one mass send has come, kept in the settings under
// "wechat/CHANNEL/mass/KEY" until WeChat has told its result.
type campaign struct {
	key string

	Began     int64           `json:"began"`               // times are Unix milliseconds
	Draft     string          `json:"draft,omitempty"`     // media id on the platform
	Made      string          `json:"made,omitempty"`      // what the draft was made of
	Left      map[string]bool `json:"left,omitempty"`      // pictures that could not be had
	Troubles  int             `json:"troubles,omitempty"`  // of the platform with pictures
	Previewed int64           `json:"previewed,omitempty"` // when the publisher saw it, the last time
	Previews  int             `json:"previews,omitempty"`  // how often
	Shown     string          `json:"shown,omitempty"`     // what was in it then, as in Made
	Spent     string          `json:"spent,omitempty"`     // the period whose allowance it took
	Asked     int64           `json:"asked,omitempty"`     // when sendall was called, unless refused
	Sent      int64           `json:"sent,omitempty"`      // when it was answered
	MsgID     int64           `json:"msg_id,omitempty"`    // the platform's number
	Settled   bool            `json:"settled,omitempty"`   // the ledger has its result
}

const (
	keepCampaign = 10 * 24 * time.Hour
	// By then a delivery was given up, and a result has come or never will.
	oldCampaign  = 2 * 24 * time.Hour
	lostCampaign = 4 * 24 * time.Hour
)

func (c *Channel) campaigns() string { return "wechat/" + c.cfg.Name + "/mass/" }

// campaign is how far the mass send under key has come.
func (c *Channel) campaign(ctx context.Context, key string) (*campaign, error) {
	text, ok, err := c.cfg.Settings.Load(ctx, c.campaigns()+key)
	if err != nil {
		return nil, storeError(err)
	}
	k := &campaign{key: key, Began: c.cfg.Now().UnixMilli()}
	if !ok {
		return k, nil
	}
	if err := json.Unmarshal([]byte(text), k); err != nil {
		return nil, fmt.Errorf("read how far a mass send has come: %w", err)
	}
	return k, nil
}

// keep writes down how far a mass send has come, even when its try is over.
func (c *Channel) keep(ctx context.Context, k *campaign) error {
	text, err := json.Marshal(k)
	if err != nil {
		return fmt.Errorf("write how far a mass send has come: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settingsTimeout)
	defer cancel()
	if err := c.cfg.Settings.Save(ctx, c.campaigns()+k.key, string(text), keepCampaign); err != nil {
		return storeError(err)
	}
	return nil
}

// receipt: without a number the platform said only that it was sent before, and
// no result can be asked for.
func (k *campaign) receipt() bot.Receipt {
	if k.MsgID == 0 {
		return bot.Receipt{Way: wayMass}
	}
	return bot.Receipt{Way: wayMass, ProviderID: strconv.FormatInt(k.MsgID, 10), Pending: true}
}

// abandon deletes the draft of a mass send that was given up.
func (c *Channel) abandon(ctx context.Context, key string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settingsTimeout)
	defer cancel()
	k, err := c.campaign(ctx, key)
	if err == nil && k.Asked == 0 {
		err = c.finish(ctx, k)
	}
	if err != nil {
		c.log.Warn("delete the draft of a mass send that was given up", "error", err)
	}
}

// finish deletes a mass send's draft and forgets it.
func (c *Channel) finish(ctx context.Context, k *campaign) error {
	if k.Draft != "" {
		if err := c.deleteDraft(ctx, k.Draft); err != nil {
			return err
		}
	}
	return c.cfg.Settings.Delete(ctx, c.campaigns()+k.key)
}
