package telegram

import (
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
	pause := newPause()
	var offset int64
	for ctx.Err() == nil {
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
			next := s.take(raws, offset)
			if s.settle(ctx) {
				offset = next
			}
			if len(raws) == 0 && s.config.Now().Sub(asked) < shortPoll && s.config.Wait(ctx, shortPoll) != nil {
				return
			}
		}
	}
}

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
const standBy = 15 * time.Second

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
	params := tgbotapi.Params{"timeout": strconv.Itoa(pollSeconds), "limit": "100", "allowed_updates": s.updateKinds()}
	params.AddNonZero64("offset", offset)
	var raws []json.RawMessage
	err := s.client.call(ctx, "getUpdates", params, pollTimeout, &raws)
	return raws, err
}

func (c *Channel) dropWebhook(ctx context.Context) error {
	return c.client.call(ctx, "deleteWebhook", tgbotapi.Params{"drop_pending_updates": "false"}, sendTimeout, nil)
}

// take gives each update to its chat's lane and returns the offset after them.
func (s *session) take(raws []json.RawMessage, offset int64) int64 {
	next := offset
	for _, raw := range raws {
		id, ok := updateID(raw)
		if !ok {
			s.log.Warn("an update was skipped: it has no readable id")
			s.count("update_undecodable")
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

// begin starts the handling of one update, with done called exactly once after
// it. Handling does not give up before the session ends.
func (s *session) begin(raw []byte, done func(error)) {
	u, err := decode(raw)
	if err != nil {
		s.log.Warn("an update was skipped", "update", u.ID, "error", err)
		s.count("update_undecodable")
		done(nil)
		return
	}
	if u.Inline != nil || u.Chosen != nil {
		// Whoever types on asks again: such a query is answered now or never.
		s.beginInline(u)
		done(nil)
		return
	}
	in, ours := s.read(u)
	if in.callback != "" {
		s.acknowledge(in.callback)
	}
	if !ours {
		s.count("update_ignored")
		done(nil)
		return
	}
	if in.message.Kind != bot.Leave && in.message.Kind != bot.Join && in.moved.ID == "" && s.lanes.length(in.lane) >= flooded {
		s.count("update_flooded")
		done(nil)
		return
	}
	if !s.lanes.do(in.lane, func() { done(s.persist(in)) }) {
		done(errStopped)
	}
}

// flooded is how many updates of one chat may wait: what comes on top of them is
// no conversation, and would be told to slow down if it were heard at all.
const flooded = 200

var errStopped = errors.New("the program is stopping")

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

// acknowledge answers a callback at once, ahead of what its chat still waits
// for: the reader's button stops spinning.
func (s *session) acknowledge(id string) {
	s.lanes.do("callback:"+id, func() {
		err := s.client.call(s.work, "answerCallbackQuery", tgbotapi.Params{"callback_query_id": id}, sendTimeout, nil)
		if err != nil {
			s.log.Debug("a callback was not acknowledged", "error", err) // too old: the answer still comes
		}
	})
}

// patience is how long a batch may hold up the next poll.
const patience = 150 * time.Millisecond

// settle waits for the updates at hand for a moment and keeps the unfinished
// ones in the settings; true: the server may forget them all.
func (s *session) settle(ctx context.Context) bool {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	late := false
	for {
		size, changed := s.pending.state()
		if size == 0 || late && size <= crowd {
			break
		}
		select {
		case <-changed:
		case <-timer.C:
			late = true
		case <-ctx.Done():
			return false
		}
	}
	if err := s.keep(s.pending.unkept()); err != nil {
		s.log.Error("updates are asked for again", "error", err)
		return false
	}
	return true
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
