package wechat

import (
	"bytes"
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/silenceper/wechat/v2/officialaccount/message"

	"newsie/bot"
	"newsie/internal/database"
)

// errAway: the database was away for as long as this request could wait.
var errAway = errors.New("the database is away")

// errOrphan: another process claimed the message and died before answering.
var errOrphan = errors.New("the message was claimed and never answered")

const (
	pollEvery = 50 * time.Millisecond
	// The platform hangs up after 5 s; until then it takes silence for slowness
	// and will ask again.
	silence  = 1500 * time.Millisecond
	keepTime = 2 * time.Second // to store an answer when the request is over
)

// converse answers one opened message with the bytes of the response. The same
// message gets the same bytes, whoever receives it.
func (c *Channel) converse(ctx context.Context, e envelope) ([]byte, error) {
	var chat bot.ChatID
	var id, stored string
	var trouble error
	plain, err := c.exchange(e.xml, func(in *message.MixMessage) bubble {
		if taken, err := c.happened(ctx, in, e.xml); taken {
			trouble = err
			return bubble{}
		}
		m, ok := c.message(in)
		if !ok {
			c.log.Debug("nothing to answer", "type", string(in.MsgType), "event", string(in.Event))
			return bubble{}
		}
		said, reply, err := c.insist(ctx, m)
		switch {
		case errors.Is(err, errAway) && c.lastTry(in):
			return bubble{text: c.cfg.Catalog.Printer(cmp.Or(m.Lang, c.cfg.Language)).T("wechat.moment")}
		case err != nil:
			trouble = err
		case reply != "":
			stored = reply
		default:
			chat, id = m.Chat, m.ID
		}
		return said
	})
	switch {
	case err != nil:
		return nil, err
	case trouble != nil:
		return nil, trouble
	case stored != "":
		return []byte(stored), nil
	}
	answer, err := c.seal(e, plain)
	if err != nil {
		c.log.Error("seal an answer", "error", err)
		answer = []byte(success)
	}
	if id == "" {
		return answer, nil
	}
	keep, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTime)
	defer cancel()
	if err := c.cfg.Inbox.Finish(keep, chat, id, string(answer)); err != nil {
		c.log.Error("keep an answer", "error", err)
	}
	return answer, nil
}

// exchange runs the library's server on plain XML: it parses the message, and
// makes the answer's XML of what reply returns; the zero bubble is no answer. The
// server gets a request of ours without a query, so that neither its own
// signature check, nor its echo of any echostr, nor its JSON form can be reached.
func (c *Channel) exchange(text []byte, reply func(*message.MixMessage) bubble) ([]byte, error) {
	out := &buffer{header: http.Header{}}
	server := c.account.GetServer(&http.Request{
		Method: http.MethodPost, URL: &url.URL{}, Header: http.Header{"Content-Type": {"text/xml"}},
		Body: io.NopCloser(bytes.NewReader(text)),
	}, out)
	server.SkipValidate(true)
	server.SetMessageHandler(func(in *message.MixMessage) *message.Reply {
		answer := reply(in)
		switch {
		case answer.article != nil:
			// One only: more are shown after an event, not after a reader's words.
			return &message.Reply{MsgType: message.MsgTypeNews, MsgData: message.NewNews([]*message.Article{answer.article})}
		case answer.text != "":
			return &message.Reply{MsgType: message.MsgTypeText, MsgData: message.NewText(answer.text)}
		}
		return nil
	})
	if err := server.Serve(); err != nil {
		if wellFormed(text) {
			// The library takes no message whose numbers are none, for example.
			return nil, fmt.Errorf("read a message: %w", err)
		}
		return nil, malformed("not XML")
	}
	if reply, ok := server.ResponseMsg.(interface{ SetCreateTime(int64) }); ok {
		reply.SetCreateTime(c.cfg.Now().Unix())
	}
	if err := server.Send(); err != nil {
		return nil, fmt.Errorf("write an answer: %w", err)
	}
	return out.body.Bytes(), nil
}

func wellFormed(text []byte) bool {
	d := xml.NewDecoder(bytes.NewReader(text))
	root := false
	for {
		token, err := d.Token()
		if err != nil {
			return root && errors.Is(err, io.EOF)
		}
		if start, ok := token.(xml.StartElement); ok && !root {
			if root = true; start.Name.Local != "xml" {
				return false
			}
		}
	}
}

// insist claims a message and answers it, and begins anew, for as long as ctx
// lasts, when the database went away in between: it may be back. stored is what
// another request answered.
func (c *Channel) insist(ctx context.Context, m bot.Message) (said bubble, stored string, err error) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		fresh, stored, err := c.claim(ctx, m.Chat, m.ID)
		if err != nil || !fresh {
			return bubble{}, stored, err
		}
		if said, err = c.answer(ctx, m); !errors.Is(err, errAway) {
			return said, "", err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return bubble{}, "", errAway
		}
	}
}

// claim takes a message for this request, or waits for the answer of the one
// that has it.
func (c *Channel) claim(ctx context.Context, chat bot.ChatID, id string) (fresh bool, reply string, err error) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		fresh, reply, done, err := c.cfg.Inbox.Begin(ctx, chat, id)
		away := err != nil && (ctx.Err() != nil || database.Away(err))
		if err != nil && !away {
			return false, "", err
		}
		if fresh || done {
			if reply == "" && done {
				reply = success
			}
			return fresh, reply, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			if away {
				return false, "", errAway
			}
			// Whoever has it would have finished before us. Give it back, so that
			// the platform's next try is answered.
			free, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTime)
			defer cancel()
			return false, "", errors.Join(errOrphan, c.cfg.Inbox.Free(free, chat, id))
		}
	}
}

// lastTry tells whether the platform, which asks three times in 15 seconds, will
// not ask again.
func (c *Channel) lastTry(in *message.MixMessage) bool {
	return c.cfg.Now().Sub(time.Unix(in.CreateTime, 0)) >= lastAfter
}

// lastAfter is how old a message is, to a second, when the second try has been
// given up and the third has not.
const lastAfter = 11 * time.Second

// keepSilent waits until the platform hangs up and asks again.
func (c *Channel) keepSilent(ctx context.Context) {
	timer := time.NewTimer(silence)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// answer asks the handler, for as long as ctx lasts, and returns what to show.
// What comes later is delivered as a message of its own.
//
// This is the one place where an answer runs beside its request: a handler that
// does not return in time must not keep the platform waiting.
//
// errAway means that nothing was answered and the claim was given back.
func (c *Channel) answer(ctx context.Context, m bot.Message) (bubble, error) {
	type answered struct {
		reply bot.Reply
		err   error
	}
	var settled atomic.Bool // by whoever comes first, the answer or the deadline
	answers := make(chan answered, 1)
	started := c.late.start(ctx, func(ctx context.Context) {
		reply, err := c.handle(ctx, m)
		if err != nil {
			c.log.Error("answer a message", "kind", string(m.Kind), "error", err)
			reply = bot.Reply{}
		}
		if settled.CompareAndSwap(false, true) {
			answers <- answered{reply, err}
			return
		}
		c.deliverLate(ctx, m, reply)
	})
	if !started {
		return bubble{}, nil
	}
	var a answered
	select {
	case a = <-answers:
	case <-ctx.Done():
		if settled.CompareAndSwap(false, true) {
			c.log.Warn("an answer took too long and will follow", "kind", string(m.Kind))
			return bubble{}, nil
		}
		a = <-answers
	}
	if a.err != nil && database.Away(a.err) {
		free, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTime)
		defer cancel()
		// Where this fails too, the inbox knows that the claim is nobody's.
		_ = c.cfg.Inbox.Release(free, m.Chat, m.ID)
		return bubble{}, errAway
	}
	return c.shown(m, a.reply), nil
}

func (c *Channel) shown(m bot.Message, reply bot.Reply) bubble {
	if m.Kind == bot.Leave { // nobody is there to read it
		return bubble{}
	}
	if article := c.article(reply); article != nil {
		return bubble{article: article}
	}
	return bubble{text: c.text(reply)}
}

// handle asks the handler and adds what was held for the reader.
func (c *Channel) handle(ctx context.Context, m bot.Message) (reply bot.Reply, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			c.logPanic(cause)
			reply, err = bot.Reply{}, nil
		}
	}()
	c.noteWindow(ctx, m)
	reply, err = c.cfg.Handler(ctx, m)
	if err != nil || m.Kind == bot.Leave || reply.Empty() { // silence is what the publisher wants, or a flood gets
		return reply, err
	}
	with := reply
	if c.cfg.Held != nil {
		if with, err = c.cfg.Held(ctx, m.Chat, reply); err != nil {
			c.log.Error("hand over what was held", "error", err)
			with = reply
		}
	}
	changed := len(with.Groups) != len(reply.Groups) || with.Text != reply.Text
	if changed {
		with.Best = bot.OneOfMany // no longer the first thing said
	}
	return c.offer(ctx, m, with, changed), nil
}

// noteWindow remembers that the account may now send customer messages.
func (c *Channel) noteWindow(ctx context.Context, m bot.Message) {
	// What the account may do may turn out later: then the window should be known.
	if able, known := c.knownAbilities(ctx); known && !able.Customer && m.Kind != bot.Leave {
		return
	}
	var err error
	switch m.Kind {
	case bot.Leave:
		err = c.windows.Forget(ctx, m.Chat.ID)
	case bot.Join, bot.Scan:
		err = c.windows.Open(ctx, m.Chat.ID, Click)
	case bot.Tap:
		// A tapped line arrives as a text message, a tapped menu as an event.
		if m.ID[0] == 'e' {
			err = c.windows.Open(ctx, m.Chat.ID, Click)
			break
		}
		err = c.windows.Open(ctx, m.Chat.ID, Said)
	default:
		err = c.windows.Open(ctx, m.Chat.ID, Said)
	}
	if err != nil {
		c.log.Error("note a window", "error", err)
	}
}

// deliverLate brings an answer that the platform did not wait for: as a
// customer message where the account may, otherwise with the reader's next one.
func (c *Channel) deliverLate(ctx context.Context, m bot.Message, reply bot.Reply) {
	if reply.Empty() || m.Kind == bot.Leave {
		return
	}
	// A process that stood still may be late because another has answered.
	if mine, err := c.cfg.Inbox.Mine(ctx, m.Chat, m.ID); err == nil && !mine {
		c.log.Info("another replica has answered, this one stood still", "kind", string(m.Kind))
		return
	}
	if c.abilities(ctx).Customer {
		_, err := c.Send(ctx, bot.Outgoing{To: m.Chat, Reply: reply, Answer: true})
		if err == nil || errors.Is(err, bot.ErrUnknown) {
			if err != nil {
				c.log.Warn("send a late answer", "error", err)
			}
			return
		}
	}
	if c.cfg.Late == nil {
		c.log.Warn("a late answer is lost: nobody keeps it")
		return
	}
	if err := c.cfg.Late(ctx, m.Chat, reply); err != nil {
		c.log.Error("keep a late answer", "error", err)
	}
}

// A buffer is a response that can still be thrown away.
type buffer struct {
	header http.Header
	body   bytes.Buffer
}

func (b *buffer) Header() http.Header         { return b.header }
func (b *buffer) Write(p []byte) (int, error) { return b.body.Write(p) }
func (b *buffer) WriteHeader(int)             {}
