package telegram

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"newsie/bot"
)

// Check is the channel's part of `newsie doctor`: it asks Telegram what it
// thinks of the bot.
func (c *Channel) Check(ctx context.Context) []bot.Finding {
	name := "telegram " + c.config.Name + ": "
	var me user
	if err := c.client.call(ctx, "getMe", nil, sendTimeout, &me); err != nil {
		advice := "is " + c.config.APIURL + " reachable from this machine?"
		if code := status(err); code == 401 || code == 404 {
			advice = "copy the token again from @BotFather"
		}
		return []bot.Finding{{What: name + err.Error(), Advice: advice}}
	}
	findings := []bot.Finding{{OK: true, What: name + "the token is that of @" + me.Username}}
	groups := "in groups it sees commands, mentions of it and replies to it"
	if me.ReadsAll {
		groups = "in groups it sees every message, and answers commands, mentions of it and replies to it"
	}
	findings = append(findings, bot.Finding{OK: true, What: name + groups})
	return append(findings, c.checkWebhook(ctx, name)...)
}

func (c *Channel) checkWebhook(ctx context.Context, name string) []bot.Finding {
	hook, err := c.webhookInfo(ctx)
	if err != nil {
		return []bot.Finding{{What: name + err.Error(), Advice: "try again"}}
	}
	if c.config.Mode == Poll {
		if hook.URL == "" {
			return []bot.Finding{{OK: true, What: name + "updates come by polling"}}
		}
		return []bot.Finding{{What: name + "a webhook is set at " + c.client.redact(hook.URL),
			Advice: "serving removes it; if another program uses this bot, give newsie a bot of its own"}}
	}
	var findings []bot.Finding
	add := func(ok bool, what, advice string) {
		if ok {
			advice = ""
		}
		findings = append(findings, bot.Finding{OK: ok, What: name + what, Advice: advice})
	}
	u, err := url.Parse(c.webhookURL())
	port := ""
	if err == nil {
		port = u.Port()
	}
	fine := err == nil && u.Scheme == "https" && (port == "" || port == "443" || port == "80" || port == "88" || port == "8443")
	add(fine, "its webhook is "+c.webhookURL(), "public_url must be https on port 443, 80, 88 or 8443")
	add(hook.URL == c.webhookURL(), "Telegram sends updates to "+nothing(hook.URL), "start newsie serve: it sets the webhook")
	recent := hook.ErrorDate != 0 && c.config.Now().Sub(time.Unix(hook.ErrorDate, 0)) < time.Hour
	if recent {
		add(false, fmt.Sprintf("Telegram could not deliver: %s (%d updates wait)", hook.Error, hook.Pending),
			"open public_url from another network; check its certificate and the proxy in front")
	}
	return findings
}

func nothing(s string) string {
	if s == "" {
		return "nowhere yet"
	}
	return s
}
