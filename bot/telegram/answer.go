package telegram

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"newsie/bot"
	"newsie/internal/database"
)

// A session is a Channel while it runs: the bot's own identity and the updates
// at work.
type session struct {
	*Channel
	me      user
	owner   string          // this replica's name among those of the bot
	work    context.Context // of updates taken; it outlives Run's by the grace
	lanes   *lanes
	acks    *lanes // of callbacks
	desk    *desk
	pending *pending
}

// errBusy: another process has claimed the update and is not done with it.
var errBusy = errors.New("the update is being answered elsewhere")

// handle answers one update, once over all replicas. After an error nothing has
// been said and the update may be handled again. When a process dies between
// saying and noting that it did, the answer is said twice: better than never.
func (s *session) handle(ctx context.Context, in incoming) error {
	if in.moved.ID != "" {
		return s.follow(ctx, in.from, in.moved)
	}
	chat, id := in.message.Chat, in.message.ID
	fresh, _, done, err := s.config.Inbox.Begin(ctx, chat, id)
	switch {
	case err != nil:
		return err
	case done:
		return nil
	case !fresh:
		return errBusy
	}
	err = s.respond(ctx, in, s.config.Now())
	switch {
	case errors.Is(err, errLost):
		s.log.Info("another replica answers, this one stood still", "update", in.update)
		return nil
	case err != nil:
		release, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		return errors.Join(err, s.config.Inbox.Release(release, chat, id))
	}
	s.note(ctx, in)
	return nil
}

// note writes down that an update is answered. While the database is away it
// tries again: what is not written down is answered again.
func (s *session) note(ctx context.Context, in incoming) {
	pause := newPause()
	for tried := false; ; tried = true {
		err := s.config.Inbox.Finish(context.WithoutCancel(ctx), in.message.Chat, in.message.ID, "")
		if err == nil {
			return
		}
		if !tried && database.Away(err) {
			s.log.Warn("an answer that was said is not noted yet", "update", in.update, "error", err)
		}
		if !database.Away(err) || s.config.Wait(ctx, min(pause.after(err), 2*time.Second)) != nil {
			s.log.Error("an answer may be repeated", "update", in.update, "error", err)
			return
		}
	}
}

// errLost: this process stood still for so long that another has the update by now.
var errLost = errors.New("the update is another replica's by now")

// standstill is how long after an update was claimed it may have been taken over:
// less than it takes others to see a death.
const standstill = 2 * time.Second

// own is errLost when this process has lost an update that it claimed at a time.
func (s *session) own(ctx context.Context, in incoming, claimed time.Time) error {
	if s.config.Now().Round(0).Sub(claimed.Round(0)) < standstill { // by the wall clock: machines sleep
		return nil
	}
	mine, err := s.config.Inbox.Mine(ctx, in.message.Chat, in.message.ID)
	if err == nil && !mine {
		err = errLost
	}
	return err
}

// respond asks the bot and says what it says, about an update claimed at a time.
// It fails only when nothing was said.
func (s *session) respond(ctx context.Context, in incoming, claimed time.Time) error {
	if in.album != "" { // its pictures come as messages of their own: one answer
		first, err := s.firstOfAlbum(ctx, in)
		if err != nil || !first {
			return err
		}
	}
	reply, err := s.ask(ctx, in.message)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if database.Away(err) {
			return err
		}
		s.log.Error("a message was not understood", "update", in.update, "error", err)
		reply = bot.Reply{Text: s.config.Catalog.Printer(in.message.Lang).T("telegram.sorry")}
	}
	if in.mute || reply.Empty() {
		return nil
	}
	if again, err := s.greetedAgain(ctx, in, reply); err != nil || again {
		return err
	}
	place, err := s.place(ctx, in, reply)
	if err != nil {
		return err
	}
	if err := s.own(ctx, in, claimed); err != nil {
		return err
	}
	sent, err := s.say(ctx, outgoing{to: in.message.Chat, reply: reply, place: place, onPhoto: place != 0 && in.tappedPhoto, replyTo: in.question()})
	if err != nil {
		return s.unsaid(ctx, in, err)
	}
	if in.asked != 0 {
		key := answerKey(in)
		if err := s.config.Inbox.Finish(context.WithoutCancel(ctx), in.message.Chat, key, strconv.FormatInt(sent, 10)); err != nil {
			s.log.Error("an edit will be answered by a new message", "error", err)
		}
	}
	return nil
}

// greetedAgain tells whether a group would hear the same greeting twice: a link
// that adds the bot to a group has the group say /start as well.
func (s *session) greetedAgain(ctx context.Context, in incoming, reply bot.Reply) (bool, error) {
	if !in.message.Public || in.message.Kind != bot.Join && !strings.HasPrefix(in.message.Text, "/start") {
		return false, nil
	}
	sum := sha256.Sum256([]byte(reply.Text))
	mine := in.message.ID + " " + hex.EncodeToString(sum[:8])
	kept, _, err := s.config.Settings.Create(ctx, s.bucket()+":greeted:"+in.message.Chat.ID, mine, time.Minute)
	// The greeting itself may be handled again, after a crash.
	return kept != mine && strings.HasSuffix(kept, mine[len(in.message.ID):]), err
}

// firstOfAlbum tells whether no other message of the album is being answered.
func (s *session) firstOfAlbum(ctx context.Context, in incoming) (bool, error) {
	key := "g:" + in.album
	fresh, first, _, err := s.config.Inbox.Begin(ctx, in.message.Chat, key)
	if err != nil || !fresh {
		return first == in.message.ID, err // it may be this one, handled again
	}
	return true, s.config.Inbox.Finish(ctx, in.message.Chat, key, in.message.ID)
}

// ask calls the handler; a message that makes it panic must not come back for ever.
func (s *session) ask(ctx context.Context, m bot.Message) (reply bot.Reply, err error) {
	defer func() {
		if caught := recover(); caught != nil {
			err = fmt.Errorf("panic: %v\n%s", caught, debug.Stack())
		}
	}()
	return s.config.Handler(ctx, m)
}

// place is the message that an answer replaces: the list that is paged, the
// answer to what the reader has edited; 0: a new message.
func (s *session) place(ctx context.Context, in incoming, reply bot.Reply) (int64, error) {
	if in.message.Kind == bot.Tap && reply.Replace != "" {
		return in.tapped, nil
	}
	if !in.message.Edited {
		return 0, nil
	}
	kept, done, err := s.config.Inbox.Reply(ctx, s.config.Name, answerKey(in))
	if err != nil || !done {
		return 0, err
	}
	id, _ := strconv.ParseInt(kept, 10, 64)
	return id, nil
}

// question is the message that an answer in a group shows it belongs to; 0 in a
// private chat, where there is no doubt.
func (in incoming) question() int64 {
	switch {
	case !in.message.Public:
		return 0
	case in.message.Kind == bot.Tap:
		return in.tapped
	}
	return in.asked
}

// answerKey is under which the inbox keeps the id of the answer to a message.
func answerKey(in incoming) string {
	return "m:" + in.lane + ":" + strconv.FormatInt(in.asked, 10)
}

// stale is how old an answer may become while the server says to wait or
// cannot be reached.
const stale = 10 * time.Minute

// unsaid decides what becomes of an answer that could not be sent. Only a
// program that stops, or a database that is away, lets the update come again:
// an answer that may have arrived is not said twice, and one that cannot be
// said is given up.
func (s *session) unsaid(ctx context.Context, in incoming, err error) error {
	var platform *Error
	switch {
	case errors.Is(err, bot.ErrUnknown):
		s.log.Warn("it is unknown whether an answer arrived", "update", in.update, "error", err)
	case ctx.Err() != nil:
		return err
	case errors.Is(err, bot.ErrGone):
		s.gone(context.WithoutCancel(ctx), in, err)
	case errors.As(err, &platform):
		s.complain(ctx, "answer", err)
	default:
		return err
	}
	return nil
}

// follow has everything of a chat moved to its new id.
func (c *Channel) follow(ctx context.Context, from, to bot.ChatID) error {
	if from == to {
		return nil
	}
	c.moveRates(ctx, from, to)
	if c.config.Moved == nil {
		return nil
	}
	if err := c.config.Moved(ctx, from, to); err != nil {
		return fmt.Errorf("move the chat %s to %s: %w", from, to, err)
	}
	return nil
}

// moveRates has the new id keep the rate that the old one has used up.
func (c *Channel) moveRates(ctx context.Context, from, to bot.ChatID) {
	if c.config.Pacer == nil {
		return
	}
	before, after := c.Buckets(from), c.Buckets(to)
	for i := range min(len(before), len(after)) {
		if before[i].Name == after[i].Name {
			continue
		}
		if err := c.config.Pacer.Move(ctx, before[i].Name, after[i].Name); err != nil {
			c.log.Warn("a chat with a new id may be written to too fast", "error", err)
		}
	}
}
