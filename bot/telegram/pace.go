package telegram

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"newsie/bot"
)

const (
	// DefaultRate is how many messages a second newsie sends over all chats where
	// Telegram takes 30. It must hold at the server, not here: messages that left
	// a little more than a second apart may arrive within one. With slots 1/R
	// apart and no burst, 1 + R(1+J) messages may arrive in a second when their
	// ways differ by J seconds; for 30 of them that leaves J = 54 ms at 27.5, but
	// 36 ms at 28 and nothing at 29.
	DefaultRate = 27.5
	freeRate    = 30   // over all chats, for nothing
	paidRate    = 1000 // with allow_paid_broadcast
)

// CheckRate tells what is wrong with a rate; 0 is the default, infinite none.
func CheckRate(rate float64, paid bool) error {
	switch {
	case math.IsInf(rate, 1) || rate == 0:
		return nil
	case !(rate >= 1): // not a number, too
		return errors.New("a rate is at least 1 message a second")
	case rate > paidRate:
		return fmt.Errorf("more than %d messages a second are more than Telegram takes", paidRate)
	case rate > freeRate && !paid:
		return fmt.Errorf("more than %d messages a second are more than Telegram takes, but of paid broadcasts (paid: true)", freeRate)
	}
	return nil
}

// Buckets names the rates a message to a chat must keep: those of the whole bot,
// of one chat, and of a group; none when no rate is kept.
func (c *Channel) Buckets(to bot.ChatID) []bot.Bucket {
	if math.IsInf(c.config.Rate, 1) {
		return nil
	}
	chat, _, _ := strings.Cut(address(to), ":")
	name := c.bucket()
	buckets := []bot.Bucket{
		{Name: name, PerSecond: c.config.Rate, Burst: 1},
		// Three at once, then a little less than one a second: three may arrive in
		// one second even if the first of them were a tenth of a second on their way.
		{Name: name + ":" + chat, PerSecond: 0.9, Burst: 3},
	}
	if shared(chat) {
		// A burst of 5 and 15 more in a minute: no minute holds more than 20.
		buckets = append(buckets, bot.Bucket{Name: name + ":" + chat + ":minute", PerSecond: 0.25, Burst: 5})
	}
	return buckets
}

func (c *Channel) bucket() string { return "telegram:" + c.config.Name }

// shared tells a group or channel from a private chat.
func shared(chat string) bool { return strings.HasPrefix(chat, "-") || strings.HasPrefix(chat, "@") }

// everybody tells whether all chats must wait when a message to one of them was
// refused for coming too soon, which the server does not say. A group has a
// minute of its own, which others may have filled, and its own slow mode: the
// first refusal is taken for the group's; when the next message of all is
// refused as well, and to another chat, it was everybody's.
func (c *Channel) everybody(to bot.ChatID) bool {
	chat, _, _ := strings.Cut(address(to), ":")
	if !shared(chat) {
		return true
	}
	before := c.refused.Swap(&chat)
	return before != nil && *before != chat
}

// through notes that a message got through.
func (c *Channel) through() {
	if c.refused.Load() != nil {
		c.refused.Store(nil)
	}
}

// say sends an answer at the pace that all replicas keep together, and waits
// when the server tells it to. An answer takes the next slot there is; digests
// take theirs only just before they come.
func (s *session) say(ctx context.Context, o outgoing) (sent int64, err error) {
	deadline := s.config.Now().Add(stale)
	buckets := s.Buckets(o.to)
	for {
		if err := s.pace(ctx, buckets); err != nil {
			return 0, err
		}
		sent, err = s.put(ctx, o)
		var later *bot.RetryError
		var moved *bot.MovedError
		switch {
		case err == nil || s.config.Now().After(deadline):
			return sent, err
		case errors.As(err, &moved):
			if err := s.follow(ctx, o.to, moved.To); err != nil {
				return 0, err
			}
			// The messages of a basic group have other numbers in the supergroup.
			o.to, o.place, o.replyTo = moved.To, 0, 0
			buckets = s.Buckets(o.to)
		case errors.As(err, &later):
			if buckets, err = s.yield(ctx, o.to, later); err != nil {
				return 0, err
			}
		default:
			return 0, err
		}
	}
}

// pace waits for a free slot in each bucket: those of the chat, at the end,
// before that of all chats.
func (s *session) pace(ctx context.Context, buckets []bot.Bucket) error {
	if s.config.Pacer == nil {
		return ctx.Err()
	}
	for len(buckets) > 0 {
		wait, left, err := s.config.Pacer.Next(ctx, buckets)
		if err != nil {
			return err
		}
		if err := s.config.Wait(ctx, wait); err != nil {
			return err
		}
		if len(left) == 0 && s.config.Pacer.Pushed(buckets[0].Name) {
			left = buckets[:1] // the server has ordered a pause meanwhile
		}
		buckets = left
	}
	return ctx.Err()
}

// yield tells every replica what the server said, or waits here when there is
// nobody to tell. It returns the buckets in which the refused message needs a
// new slot.
func (s *session) yield(ctx context.Context, to bot.ChatID, later *bot.RetryError) ([]bot.Bucket, error) {
	buckets := s.Buckets(to)
	if s.config.Pacer == nil || len(buckets) == 0 {
		return nil, s.config.Wait(ctx, later.After)
	}
	pushed := buckets[1:]
	if later.All {
		buckets = buckets[:1] // its chat has kept its slot
		pushed = buckets
	}
	for _, b := range pushed {
		if err := s.config.Pacer.Push(ctx, b.Name, s.config.Now().Add(later.After)); err != nil {
			s.log.Error("other replicas do not know that they must wait", "error", err)
			return buckets, s.config.Wait(ctx, later.After)
		}
	}
	return buckets, nil
}
