package wechat

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/silenceper/wechat/v2/officialaccount/message"

	"newsie/bot"
)

const retryStore = 5 * time.Second // the database did not answer

// Send sends a customer message, which only verified accounts may, within the
// windows that the reader's own messages open. Otherwise it returns
// bot.ErrNotNow, and the message is handed over with the reader's next answer.
// Customer messages have no id and no idempotency key.
func (c *Channel) Send(ctx context.Context, o bot.Outgoing) (bot.Receipt, error) {
	if o.To.Channel != c.cfg.Name {
		return bot.Receipt{}, fmt.Errorf("channel %s cannot send to %s", c.cfg.Name, o.To.Channel)
	}
	if !c.cfg.Verified {
		return bot.Receipt{}, fmt.Errorf("%w: the account is not verified", bot.ErrNotNow)
	}
	text := c.text(o.Reply)
	if text == "" {
		return bot.Receipt{}, errors.New("the message is empty")
	}
	window, open, err := c.windows.Take(ctx, o.To.ID)
	if err != nil {
		return bot.Receipt{}, &bot.RetryError{After: retryStore, Err: err}
	}
	if !open {
		return bot.Receipt{}, fmt.Errorf("%w: no window is open", bot.ErrNotNow)
	}
	err = c.sendCustomer(ctx, o.To.ID, text)
	c.settleWindow(ctx, o.To.ID, window, err)
	var wrong *bot.ConfigError
	if errors.As(err, &wrong) {
		c.notify(ctx, "config", wrong.Error())
	}
	if err != nil {
		return bot.Receipt{}, err
	}
	return bot.Receipt{Way: "customer"}, nil
}

// settleWindow brings our count in line with what the platform said.
func (c *Channel) settleWindow(ctx context.Context, reader string, window Window, err error) {
	if err == nil || errors.Is(err, bot.ErrUnknown) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTime)
	defer cancel()
	n, _ := code(err)
	switch {
	case errors.Is(err, bot.ErrGone), n == 45015, n == 45047:
		err = c.windows.Forget(ctx, reader)
	default:
		err = c.windows.GiveBack(ctx, reader, window)
	}
	if err != nil {
		c.log.Error("settle a window", "error", err)
	}
}

// sendCustomer sends text, with a fresh token once when the platform refuses
// the one we have. Its errors are classified.
func (c *Channel) sendCustomer(ctx context.Context, reader, text string) error {
	for attempt := 0; ; attempt++ {
		// Fetched here, within ctx: the library's own fetch knows no context, and
		// a fault of it could not be told from one of sending.
		token, err := c.account.GetAccessTokenContext(ctx)
		if err != nil {
			return c.classify(err, true)
		}
		if err := ctx.Err(); err != nil {
			return &bot.RetryError{After: retryStore, Err: err}
		}
		err = c.customer.Send(message.NewCustomerTextMessage(reader, text))
		if err == nil {
			return nil
		}
		if attempt > 0 || !expired(err) {
			return c.classify(err, false)
		}
		if err := c.tokens.renew(ctx, token); err != nil {
			return c.classify(err, true)
		}
	}
}
