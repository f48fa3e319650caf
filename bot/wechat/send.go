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
	if !c.abilities(ctx).Customer {
		return bot.Receipt{}, fmt.Errorf("%w: the account may not send customer messages", bot.ErrNotNow)
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

// sendCustomer sends text. Its errors are classified.
func (c *Channel) sendCustomer(ctx context.Context, reader, text string) error {
	return c.call(ctx, false, func(string) error {
		return c.customer.Send(message.NewCustomerTextMessage(reader, text))
	})
}
