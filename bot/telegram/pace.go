package telegram

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

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

// A refusal is the last message that came too soon.
type refusal struct {
	chat      string
	at, until time.Time
}

// everybody tells whether all chats must wait when a message to one of them was
// refused for coming too soon, which the server does not say. A chat has a rate of
// its own, a group its minute and its slow mode, which others may have filled: the
// first refusal is taken for the chat's. When a message to another chat is refused
// before that is over, and none got through between, it was everybody's. Answers
// and digests go by the same memory.
func (c *Channel) everybody(to bot.ChatID, after time.Duration) bool {
	if to.ID == "" { // it was no message
		return true
	}
	chat, _, _ := strings.Cut(address(to), ":")
	now := c.config.Now()
	before := c.refused.Swap(&refusal{chat, now, now.Add(after)})
	return before != nil && before.chat != chat && now.Before(before.until)
}

// through notes that a message got through which was begun at a time. What was on
// its way before a refusal tells nothing of it.
func (c *Channel) through(begun time.Time) {
	if last := c.refused.Load(); last != nil && !begun.Before(last.at) {
		c.refused.CompareAndSwap(last, nil)
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
// before that of all chats. A slot whose time has passed, because the process or
// the database stood still, or the chat's while all chats had to wait, is not
// used: with those of others that passed meanwhile a second would hold too many.
func (s *session) pace(ctx context.Context, buckets []bot.Bucket) error {
	if s.config.Pacer == nil {
		return ctx.Err()
	}
	missing, renewed := buckets, false
	granted := make([]time.Time, len(buckets))
	for tries := 0; len(missing) > 0; {
		wait, left, err := s.config.Pacer.Next(ctx, missing)
		if err != nil {
			return err
		}
		due := s.config.Now().Add(wait)
		if wait > 0 {
			if len(left) == 0 {
				due, err = s.turn(ctx, buckets[0], due)
			} else {
				err = s.config.Wait(ctx, wait)
			}
			if err != nil {
				return err
			}
		}
		now := s.config.Now()
		for i := len(left); i < len(missing); i++ {
			granted[i] = now
		}
		missing = left
		switch {
		case len(left) > 0:
		case s.config.Pacer.Pushed(buckets[0].Name): // the server has ordered a pause meanwhile
			missing = buckets[:1]
		case now.Sub(due) > tolerance(buckets[0], tries):
			missing = buckets[:1]
			tries++
		case !renewed && old(buckets, granted, now):
			missing, renewed = buckets, true
		}
	}
	return ctx.Err()
}

// turn waits for the time of a slot in the bucket of all chats, or of an earlier
// one that a digest holds: also of one taken while it waits, since a digest may
// have reserved before and come to hold its slot after.
func (s *session) turn(ctx context.Context, b bot.Bucket, due time.Time) (time.Time, error) {
	for {
		due = s.config.Pacer.Trade(b.Name, due)
		left := due.Sub(s.config.Now())
		if left <= 0 {
			return due, nil
		}
		step := min(left, b.Gap()/4)
		if left > 2*time.Second { // a pause: nobody trades
			step = left - time.Second
		}
		if err := s.config.Wait(ctx, step); err != nil {
			return due, err
		}
	}
}

// tolerance is how long after its time a slot may still be used. Each time that
// was not enough it is twice as long: where every commit is slow, answers go out
// all the same.
func tolerance(b bot.Bucket, tries int) time.Duration {
	return max(b.Gap()*3/2, 20*time.Millisecond) << min(tries, 16)
}

// old tells whether a chat's own slots were granted so long ago that it has new
// ones, which its next messages may use as well.
func old(buckets []bot.Bucket, granted []time.Time, now time.Time) bool {
	for i := 1; i < len(buckets); i++ {
		if now.Sub(granted[i]) > buckets[i].Gap() {
			return true
		}
	}
	return false
}

// yield tells every replica what the server said, or waits here when there is
// nobody to tell. It returns the buckets in which the refused message needs a
// new slot: the pause outlasts those of its chat.
func (s *session) yield(ctx context.Context, to bot.ChatID, later *bot.RetryError) ([]bot.Bucket, error) {
	buckets := s.Buckets(to)
	if s.config.Pacer == nil || len(buckets) == 0 {
		return nil, s.config.Wait(ctx, later.After)
	}
	pushed := buckets[1:]
	if later.All {
		pushed = buckets[:1]
	}
	for _, b := range pushed {
		if err := s.config.Pacer.Push(ctx, b.Name, s.config.Now().Add(later.After)); err != nil {
			s.log.Error("other replicas do not know that they must wait", "error", err)
			return buckets, s.config.Wait(ctx, later.After)
		}
	}
	return buckets, nil
}
