package wechat

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/silenceper/wechat/v2/officialaccount/message"

	"newsie/bot"
)

const retryStore = 5 * time.Second // the database did not answer

// Send brings a message to a reader by the first way that is open: a customer
// message within the windows that the reader's own doings open, of which a
// digest leaves the last to an answer; a subscription notice or a one-time
// message, if the reader granted one; a template message, if the account may.
// An answer goes as a customer message or not at all: the other ways show no
// more than a line, and grants are for digests.
//
// When no way is open it returns bot.ErrNotNow with the platform's word on each,
// and the message is handed over with the reader's next answer.
func (c *Channel) Send(ctx context.Context, o bot.Outgoing) (bot.Receipt, error) {
	if o.To.Channel != c.cfg.Name {
		return bot.Receipt{}, fmt.Errorf("channel %s cannot send to %s", c.cfg.Name, o.To.Channel)
	}
	if o.To.Audience() {
		return c.sendMass(ctx, o)
	}
	text := c.text(o.Reply)
	if text == "" {
		return bot.Receipt{}, errors.New("the message is empty")
	}
	var closed []string
	for _, r := range c.ladder(ctx, o, text) {
		receipt, err := c.climb(ctx, r, o.To.ID)
		if err == nil {
			return receipt, nil
		}
		err = c.blame(ctx, r, err)
		if !errors.Is(err, bot.ErrNotNow) {
			c.tellFault(ctx, err)
			return bot.Receipt{}, err
		}
		closed = append(closed, r.way+": "+strings.ReplaceAll(err.Error(), bot.ErrNotNow.Error()+": ", ""))
	}
	if len(closed) == 0 {
		closed = []string{"the account may not send messages by itself"}
	}
	return bot.Receipt{}, fmt.Errorf("%w: %s", bot.ErrNotNow, strings.Join(closed, "; "))
}

// A rung is one way to a reader.
type rung struct {
	way string
	// take uses up what the way needs of the reader; false: there is nothing.
	take func(ctx context.Context) (slot, bool, error)
	send func(ctx context.Context, s slot) (providerID string, err error)
	// shut are the codes by which the platform says that there was nothing to take.
	shut    []int64
	pending bool // the result comes as an event
}

// A slot is what a message used up.
type slot struct {
	scene int // of a one-time subscription
	back  func(ctx context.Context) error
	close func(ctx context.Context) error // the platform says that there is none
}

// ladder lists the ways that the account has for this message, the best first.
func (c *Channel) ladder(ctx context.Context, o bot.Outgoing, text string) []rung {
	able := c.abilities(ctx)
	var rungs []rung
	if able.Customer {
		rungs = append(rungs, c.customerRung(o, text))
	}
	if o.Answer || len(cardsOf(o.Reply)) == 0 {
		return rungs
	}
	d := c.digest(o)
	if able.Notice && c.cfg.Notice.Template != "" {
		rungs = append(rungs, c.noticeRung(d))
	}
	if able.Once && c.cfg.Once.Template != "" {
		rungs = append(rungs, c.onceRung(d))
	}
	if able.Template && c.cfg.Template.Template != "" {
		rungs = append(rungs, c.templateRung(d))
	}
	return rungs
}

// climb tries one way: it counts the message, sends it, and brings our counts
// in line with what the platform said.
func (c *Channel) climb(ctx context.Context, r rung, reader string) (bot.Receipt, error) {
	said := errors.New("none is open")
	for {
		s, ok, err := r.take(ctx)
		if err != nil {
			return bot.Receipt{}, &bot.RetryError{After: retryStore, Err: err}
		}
		if !ok {
			return bot.Receipt{}, fmt.Errorf("%w: %w", bot.ErrNotNow, said)
		}
		limit := dayLimits[r.way]
		ok, err = c.quotas.spend(ctx, r.way, limit)
		if err != nil || !ok {
			c.undo(ctx, s.back)
			if err != nil {
				return bot.Receipt{}, &bot.RetryError{After: retryStore, Err: err}
			}
			return bot.Receipt{}, &bot.RetryError{After: untilTomorrow(c.cfg.Now()), All: r.way == quotaCustomer,
				Err: fmt.Errorf("%d %s messages went out today, which is all the platform takes", limit, r.way)}
		}
		id, err := r.send(ctx, s)
		if err == nil {
			return bot.Receipt{Way: r.way, ProviderID: id, Pending: r.pending && id != "" && c.cfg.Settle != nil}, nil
		}
		if errors.Is(err, bot.ErrUnknown) {
			return bot.Receipt{}, err // it may have gone out: it counts
		}
		n, _ := code(err)
		c.undo(ctx, func(ctx context.Context) error { return c.quotas.refund(ctx, r.way) })
		if n == 45009 && limit > 0 {
			c.undo(ctx, func(ctx context.Context) error { return c.quotas.exhaust(ctx, r.way, limit) })
		}
		if !slices.Contains(r.shut, n) {
			c.undo(ctx, s.back)
			return bot.Receipt{}, err
		}
		c.undo(ctx, s.close)
		if s.scene == 0 {
			return bot.Receipt{}, err
		}
		said = err // and the reader may have granted another scene
	}
}

// undo corrects a count, also when the time to send is over.
func (c *Channel) undo(ctx context.Context, what func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTime)
	defer cancel()
	if err := what(ctx); err != nil {
		c.log.Error("correct the count of messages", "error", err)
	}
}

// blame decides whether a way that failed is only closed, so that the next is
// tried.
func (c *Channel) blame(ctx context.Context, r rung, err error) error {
	var retry *bot.RetryError
	var wrong *bot.ConfigError
	n, known := code(err)
	switch {
	case errors.Is(err, bot.ErrNotNow), errors.Is(err, bot.ErrUnknown), errors.As(err, &retry):
		return err
	case n == 48001 && !c.declared():
		c.log.Warn("the account may not send this way; it is not tried again for a day", "way", r.way)
		c.undo(ctx, func(ctx context.Context) error { return c.refuse(ctx, r.way) })
		return fmt.Errorf("%w: %w", bot.ErrNotNow, plain(err))
	case n == 48001 && r.way != quotaCustomer:
		return &bot.ConfigError{Channel: c.cfg.Name, Err: plain(err), Advice: fmt.Sprintf(
			"the account may not send %s messages: leave out account, and newsie asks what it may do, or leave out %s", r.way, r.way)}
	case errors.As(err, &wrong), r.way == quotaCustomer:
		return err
	case known:
		// What is configured for this way does not suit its template. The digest
		// need not suffer: it goes another way.
		c.notify(ctx, "refused-"+r.way, fmt.Sprintf(
			"WeChat refuses a message of the kind %q of channel %s: %v. Compare the template's id and fields in newsie.yaml with the platform's.", r.way, c.cfg.Name, err))
		return fmt.Errorf("%w: %w", bot.ErrNotNow, err)
	}
	return err
}

// plain is an error of the configuration without its advice.
func plain(err error) error {
	var wrong *bot.ConfigError
	if errors.As(err, &wrong) {
		return wrong.Err
	}
	return err
}

// tellFault tells the publisher of a mistake in the configuration.
func (c *Channel) tellFault(ctx context.Context, err error) {
	var wrong *bot.ConfigError
	if errors.As(err, &wrong) {
		c.notify(ctx, "config", wrong.Error())
	}
}

// customerRung is the reader's open window.
func (c *Channel) customerRung(o bot.Outgoing, text string) rung {
	reader := o.To.ID
	return rung{
		way:  quotaCustomer,
		shut: []int64{43004, 45015, 45047},
		take: func(ctx context.Context) (slot, bool, error) {
			window, open, err := c.windows.Take(ctx, reader, o.Answer)
			return slot{
				back:  func(ctx context.Context) error { return c.windows.GiveBack(ctx, reader, window) },
				close: func(ctx context.Context) error { return c.windows.Close(ctx, reader) },
			}, open, err
		},
		send: func(ctx context.Context, _ slot) (string, error) {
			return "", c.sendCustomer(ctx, reader, text)
		},
	}
}

// sendCustomer sends text. Its errors are classified.
func (c *Channel) sendCustomer(ctx context.Context, reader, text string) error {
	return c.call(ctx, false, func(string) error {
		return c.customer.Send(message.NewCustomerTextMessage(reader, text))
	})
}

func cardsOf(r bot.Reply) []bot.Card {
	var cards []bot.Card
	for _, group := range r.Groups {
		cards = append(cards, group.Cards...)
	}
	return cards
}
