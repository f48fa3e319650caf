package wechat

import (
	"context"
	"errors"
	"fmt"

	"newsie/bot"
)

// Check looks, for `newsie doctor`, at what can be found out about the account
// without disturbing it: how it receives, whether the API takes its secret from
// this address, and what will become of its digests.
func (c *Channel) Check(ctx context.Context) []bot.Finding {
	findings := []bot.Finding{c.checkMode()}
	if c.cfg.PreviousAESKey != "" {
		findings = append(findings, bot.Finding{OK: true, What: "the previous EncodingAESKey is still accepted; remove previous_aes_key a day after the change"})
	}
	if c.cfg.Secret == "" {
		findings = append(findings, bot.Finding{OK: true, What: "no secret is configured: the account answers, and calls no API"})
	} else {
		findings = append(findings, c.checkAPI(ctx)...)
	}
	way := "digests wait for the reader's next message: the account may not send customer messages"
	if c.abilities(ctx).Customer {
		way = "digests go out as customer messages within 48 hours of the reader's last message, and wait for the next one otherwise"
	}
	return append(findings, bot.Finding{OK: true, What: way})
}

func (c *Channel) checkMode() bot.Finding {
	if c.cfg.Mode == Safe {
		return bot.Finding{OK: true, What: "messages are encrypted (safe mode)"}
	}
	return bot.Finding{
		What:   fmt.Sprintf("messages are posted in %s mode: whoever learns one signed address can speak in any reader's name for ten minutes", c.cfg.Mode),
		Advice: "choose safe mode in the platform's server settings, and configure mode: safe and aes_key",
	}
}

func (c *Channel) checkAPI(ctx context.Context) []bot.Finding {
	// Past the cache: a good token in it would hide a secret that has changed.
	if _, err := c.tokens.fetch(ctx, false); err != nil {
		return []bot.Finding{c.finding("fetch an access token", c.classify(err, true))}
	}
	findings := []bot.Finding{{OK: true, What: "the API gives an access token for app_id and secret"}}
	token, err := c.account.GetAccessTokenContext(ctx)
	if err == nil {
		_, err = c.basic.GetCallbackIP()
	}
	if expired(err) {
		if err = c.tokens.renew(ctx, token); err == nil {
			_, err = c.basic.GetCallbackIP()
		}
	}
	if err != nil {
		return append(findings, c.finding("call the API", c.classify(err, true)))
	}
	return append(findings, bot.Finding{OK: true, What: "the API takes calls from this address"})
}

func (c *Channel) finding(what string, err error) bot.Finding {
	var wrong *bot.ConfigError
	if errors.As(err, &wrong) {
		return bot.Finding{What: fmt.Sprintf("%s: %v", what, wrong.Err), Advice: wrong.Advice}
	}
	var wait *bot.RetryError
	if errors.As(err, &wait) {
		return bot.Finding{What: fmt.Sprintf("%s: %v", what, wait.Err), Advice: "look at the network between this server and api.weixin.qq.com, and try again"}
	}
	return bot.Finding{What: fmt.Sprintf("%s: %v", what, err), Advice: "look the code up in WeChat's documentation"}
}
