package telegram

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"newsie/bot"
)

// poll asks for updates until ctx ends. The offset, which makes the server
// forget, moves only over updates that are answered or kept in the settings, so
// that a crash at any time loses none and one slow chat holds up nobody.
func (s *session) poll(ctx context.Context) {
	if s.insist(ctx, "deleteWebhook", s.dropWebhook) != nil {
		return
	}
	pause, unsafe := newPause(), newPause()
	var offset int64
	for s.room(ctx) {
		asked := s.config.Now()
		raws, err := s.updates(ctx, offset)
		switch {
		case ctx.Err() != nil:
			return
		case status(err) == http.StatusConflict:
			if s.conflict(ctx, err, pause) != nil {
				return
			}
		case err != nil:
			s.complain(ctx, "getUpdates", err)
			if s.config.Wait(ctx, pause.after(err)) != nil {
				return
			}
		default:
			pause.reset()
			if offset, err = s.advance(ctx, raws, offset); err == nil {
				unsafe.reset()
			} else if ctx.Err() != nil || s.config.Wait(ctx, min(unsafe.after(err), 5*time.Second)) != nil {
				return
			}
			if len(raws) == 0 && s.config.Now().Sub(asked) < shortPoll && s.config.Wait(ctx, shortPoll) != nil {
				return
			}
		}
	}
}

// pollBatch is how many updates the server gives at once.
const pollBatch = 100

// shortPoll is how long a server that does not hold polls, as some of other
// makes, is left alone between two of them.
const shortPoll = time.Second

// conflict gives way to whoever else gets this bot's updates. Of several
// replicas the one that started first polls, and the others wait until it is
// gone; a webhook that was set meanwhile is removed after a pause, and another
// program is waited out: the publisher hears of both. An error means that ctx ended.
func (s *session) conflict(ctx context.Context, err error, pause pause) error {
	others, lookErr := s.others(ctx, Poll)
	elder := func(o string) bool { return o < s.owner }
	if lookErr == nil && slices.ContainsFunc(others, elder) {
		s.log.Info("another replica polls; this one stands by")
		for lookErr == nil && slices.ContainsFunc(others, elder) {
			if err := s.config.Wait(ctx, standBy); err != nil {
				return err
			}
			others, lookErr = s.others(ctx, Poll)
		}
		return ctx.Err()
	}
	if len(others) == 0 {
		s.complain(ctx, "getUpdates", err)
	}
	if err := s.config.Wait(ctx, pause.after(err)); err != nil {
		return err
	}
	return s.takeBack(ctx, len(others) == 0)
}

// standBy is how often a replica that waits looks whether it is needed.
const standBy = 3 * time.Second

// takeBack removes a webhook that keeps us from polling, and tells the
// publisher when it, or the poll that stands in the way, is not newsie's.
func (s *session) takeBack(ctx context.Context, alone bool) error {
	hook, err := s.webhookInfo(ctx)
	switch {
	case err != nil:
		s.complain(ctx, "getWebhookInfo", err)
		return ctx.Err()
	case hook.URL == "" && alone:
		s.tell(ctx, "conflict", "another program gets the updates of this bot by polling; stop it, or give newsie a bot of its own")
	case hook.URL != "":
		if !strings.HasSuffix(hook.URL, s.WebhookPath()) { // an older newsie may have set ours
			s.tell(ctx, "conflict", "another program had Telegram send this bot's updates to "+s.client.redact(hook.URL)+
				", which newsie has undone; stop it, or give newsie a bot of its own")
		}
		if err := s.dropWebhook(ctx); err != nil && ctx.Err() == nil {
			s.complain(ctx, "deleteWebhook", err)
		}
	}
	return ctx.Err()
}

func (s *session) updates(ctx context.Context, offset int64) ([]json.RawMessage, error) {
	params := tgbotapi.Params{"timeout": strconv.Itoa(pollSeconds), "limit": strconv.Itoa(pollBatch), "allowed_updates": s.updateKinds()}
	params.AddNonZero64("offset", offset)
	var raws []json.RawMessage
	err := s.client.call(ctx, "getUpdates", params, pollTimeout, &raws)
	return raws, err
}

func (c *Channel) dropWebhook(ctx context.Context) error {
	return c.client.call(ctx, "deleteWebhook", tgbotapi.Params{"drop_pending_updates": "false"}, sendTimeout, nil)
}

// errUnreadable: nothing in a batch can be read, and the next may be the same.
var errUnreadable = errors.New("no update can be read")

// advance makes a batch safe and returns the offset to go on from; an error says
// to wait a little before.
func (s *session) advance(ctx context.Context, raws []json.RawMessage, offset int64) (int64, error) {
	next := s.take(raws, offset)
	if err := s.settle(ctx); err != nil {
		if ctx.Err() == nil {
			s.log.Error("updates are asked for again", "error", err)
		}
		return offset, err
	}
	if len(raws) == 0 || next > 0 {
		return next, nil
	}
	next, err := s.passOver(ctx, len(raws))
	if err != nil && ctx.Err() == nil {
		s.complain(ctx, "getWebhookInfo", err)
	}
	return next, cmp.Or(err, errUnreadable)
}

// take gives each update to its chat's lane and returns the offset after them.
func (s *session) take(raws []json.RawMessage, offset int64) int64 {
	next := max(offset, 0)
	for _, raw := range raws {
		id, ok := updateID(raw)
		if !ok {
			s.unreadable(0)
			continue
		}
		next = max(next, id+1)
		s.enter(id, raw, false)
	}
	if len(raws) > 0 && next == offset && offset > 0 {
		next++ // nothing in it could be read, and it must not come for ever
	}
	return next
}

// passOver moves on from a batch in which nothing could be read, before there is
// an offset to count from: what is at its front nobody can name. Behind fewer than
// a whole batch the next readable update shows up by itself; of a whole one half
// is left out, counted from the end of all that wait, so that some that arrive
// meanwhile cost no other its place.
func (s *session) passOver(ctx context.Context, n int) (offset int64, err error) {
	if n < pollBatch {
		return 0, nil
	}
	hook, err := s.webhookInfo(ctx)
	if err != nil {
		return 0, err
	}
	return -int64(max(1, hook.Pending-pollBatch/2)), nil
}

// look reads one update and does at once what can wait for nobody: a tap is
// acknowledged, an inline query goes to its desk. ours: the rest of it is to be
// handled. kept: it was looked at before.
func (s *session) look(raw []byte, kept bool) (in incoming, ours bool) {
	u, err := decode(raw)
	if err != nil {
		s.unreadable(u.ID)
		return in, false
	}
	if u.Inline != nil || u.Chosen != nil {
		// Whoever types on asks again: such a query is answered now or never.
		s.beginInline(u)
		return in, false
	}
	in, ours = s.read(u)
	if in.callback != "" && !kept {
		s.acknowledge(in.callback)
	}
	if !ours {
		s.count("update_ignored")
		return in, false
	}
	if !kept && in.message.Kind != bot.Leave && in.message.Kind != bot.Join && in.moved.ID == "" && s.pending.of(in.lane) > flooded {
		s.count("update_flooded")
		return in, false
	}
	return in, true
}

// flooded is how many updates of one chat may wait: what comes on top of them is
// no conversation, and would be told to slow down if it were heard at all.
const flooded = 200

// persist handles an update until that succeeds or the session ends: the
// database may be away for a moment, another process may have died over it.
func (s *session) persist(in incoming) error {
	pause := newPause()
	for {
		err := s.handle(s.work, in)
		if err == nil || s.work.Err() != nil {
			return err
		}
		if !errors.Is(err, errBusy) {
			s.log.Error("an update waits", "update", in.update, "error", err)
		}
		if err := s.config.Wait(s.work, min(pause.after(err), 5*time.Second)); err != nil {
			return err
		}
	}
}

// acknowledge answers a callback at once, ahead of what its chat and everybody
// else still wait for: the reader's button stops spinning. A server that takes
// none is not asked for very many: the answer itself still comes.
func (s *session) acknowledge(id string) {
	if s.acks.size() >= crowd {
		return
	}
	s.acks.do(id, func() {
		err := s.client.call(s.work, "answerCallbackQuery", tgbotapi.Params{"callback_query_id": id}, sendTimeout, nil)
		if err != nil {
			s.log.Debug("a callback was not acknowledged", "error", err) // too old: the answer still comes
		}
	})
}

// moment is how long a batch may hold up the next poll.
const moment = 40 * time.Millisecond

// settle waits for the updates at hand for a moment and keeps the unfinished
// ones in the settings; without an error the server may forget them all.
func (s *session) settle(ctx context.Context) error {
	timer := time.NewTimer(moment)
	defer timer.Stop()
	for late := false; !late; {
		open, changed := s.pending.unwritten()
		if open == 0 {
			break
		}
		select {
		case <-changed:
		case <-timer.C:
			late = true
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return s.keep(s.pending.unkept())
}

// A pause grows with each failure.
type pause struct{ steps *backoff.ExponentialBackOff }

func newPause() pause {
	steps := backoff.NewExponentialBackOff()
	steps.Multiplier = 2
	steps.Reset()
	return pause{steps}
}

func (p pause) reset() { p.steps.Reset() }

// after is how long to wait after err: as long as the server says, long enough
// not to fight another program, or a little longer each time.
func (p pause) after(err error) time.Duration {
	next := p.steps.NextBackOff()
	var failed *Error
	if !errors.As(err, &failed) {
		return next
	}
	switch {
	case failed.RetryAfter > 0:
		return failed.RetryAfter
	case failed.Code == http.StatusConflict:
		return max(next, 10*time.Second)
	case failed.Code == http.StatusUnauthorized || failed.Code == http.StatusNotFound:
		return max(10*next, 30*time.Second) // up to ten minutes: only the publisher can help
	}
	return next
}

func status(err error) int {
	var failed *Error
	if errors.As(err, &failed) {
		return failed.Code
	}
	return 0
}
