package wechat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/silenceper/wechat/v2/util"

	"newsie/bot"
)

// An Account is what the platform made of an account; it decides what the
// account may do.
type Account string

const (
	Unverified   Account = "unverified"   // or personal: it answers, and pushes nothing
	Subscription Account = "subscription" // verified
	Service      Account = "service"      // verified
)

// Abilities are what an account may do beside answering.
type Abilities struct {
	Customer bool `json:"customer"` // customer messages, within a reader's windows
	Notice   bool `json:"notice"`   // subscription notices, one for each grant of a reader
	Once     bool `json:"once"`     // one-time subscriptions, one message for each
	Template bool `json:"template"` // template messages
	Mass     bool `json:"mass"`     // mass sends
	Monthly  bool `json:"monthly"`  // four mass sends a month for each reader, instead of one a day
}

// Account is the kind of account that has these abilities.
func (a Abilities) Account() Account {
	switch {
	case a.Template || a.Monthly:
		return Service
	case a.Customer || a.Mass:
		return Subscription
	}
	return Unverified
}

// usual is what the platform lets an account of this kind do.
func (a Account) usual() Abilities {
	switch a {
	case Subscription:
		return Abilities{Customer: true, Notice: true, Once: true, Mass: true}
	case Service:
		return Abilities{Customer: true, Notice: true, Once: true, Template: true, Mass: true, Monthly: true}
	}
	return Abilities{}
}

// without is a after the platform refused one of the ways of sending.
func (a Abilities) without(way string) Abilities {
	switch way {
	case quotaCustomer:
		a.Customer = false
	case quotaNotice:
		a.Notice = false
	case quotaOnce:
		a.Once = false
	case quotaTemplate:
		a.Template = false
	case quotaMass:
		a.Mass = false
	}
	return a
}

const (
	askEvery   = 24 * time.Hour     // the platform decides anew about an account once a year
	keepAnswer = 7 * 24 * time.Hour // while the platform cannot be asked, the last answer counts
	readEvery  = time.Minute        // another replica may have asked, or been refused
)

// An answer is what the platform said about the account, as the settings keep it.
type answer struct {
	At        int64            `json:"at"` // Unix ms; 0: never asked
	Abilities Abilities        `json:"abilities"`
	Refused   map[string]int64 `json:"refused,omitempty"` // a way of sending -> until when it counts as refused, Unix ms
}

// asked is the answer in this process's memory.
type asked struct {
	mu     sync.Mutex
	answer answer
	read   time.Time // from the settings
}

func (c *Channel) answerKey() string { return "wechat/" + c.cfg.AppID + "/abilities" }

// declared reports whether the configuration, and not the platform, says what
// the account may do: then being refused is a mistake of the configuration.
func (c *Channel) declared() bool { return c.cfg.Account != "" }

// Abilities tells what the account may do: what the configuration declares,
// else what the platform answers, which is asked once a day and kept for all
// replicas, or now when fresh. An account without a secret can do nothing.
func (c *Channel) Abilities(ctx context.Context, fresh bool) (Abilities, error) {
	if c.declared() || c.cfg.Secret == "" {
		return c.cfg.Account.usual(), nil
	}
	kept, err := c.loadAnswer(ctx)
	if err != nil {
		return Abilities{}, err
	}
	if !fresh && kept.At != 0 && c.cfg.Now().Sub(time.UnixMilli(kept.At)) < askEvery {
		return kept.abilities(c.cfg.Now()), nil
	}
	able, err := c.ask(ctx)
	if err != nil {
		return Abilities{}, fmt.Errorf("ask what the account may do: %w", err)
	}
	kept.At, kept.Abilities = c.cfg.Now().UnixMilli(), able
	return kept.abilities(c.cfg.Now()), c.saveAnswer(ctx, kept)
}

// abilities are what the account may do, as far as is known without asking the
// platform; what is not known is not done.
func (c *Channel) abilities(ctx context.Context) Abilities {
	able, _ := c.knownAbilities(ctx)
	return able
}

func (c *Channel) knownAbilities(ctx context.Context) (able Abilities, known bool) {
	if c.declared() || c.cfg.Secret == "" {
		return c.cfg.Account.usual(), true
	}
	now := c.cfg.Now()
	c.asked.mu.Lock()
	kept, read := c.asked.answer, c.asked.read
	c.asked.mu.Unlock()
	if read.IsZero() || now.Sub(read) >= readEvery {
		ctx, cancel := context.WithTimeout(ctx, settingsTimeout)
		defer cancel()
		if loaded, err := c.loadAnswer(ctx); err != nil {
			c.log.Warn("load what the account may do", "error", err)
		} else {
			kept = loaded
		}
	}
	return kept.abilities(now), kept.At != 0
}

// abilities are what was answered, without what was refused since.
func (a answer) abilities(now time.Time) Abilities {
	able := a.Abilities
	for way, until := range a.Refused {
		if now.UnixMilli() < until {
			able = able.without(way)
		}
	}
	return able
}

func (c *Channel) loadAnswer(ctx context.Context) (answer, error) {
	var a answer
	text, ok, err := c.cfg.Settings.Load(ctx, c.answerKey())
	if err != nil {
		return a, err
	}
	if ok {
		if err := json.Unmarshal([]byte(text), &a); err != nil {
			return answer{}, fmt.Errorf("read what the account may do: %w", err)
		}
	}
	c.remember(a)
	return a, nil
}

func (c *Channel) saveAnswer(ctx context.Context, a answer) error {
	text, err := json.Marshal(a)
	if err != nil {
		return err
	}
	c.remember(a)
	return c.cfg.Settings.Save(ctx, c.answerKey(), string(text), keepAnswer)
}

func (c *Channel) remember(a answer) {
	c.asked.mu.Lock()
	defer c.asked.mu.Unlock()
	c.asked.answer, c.asked.read = a, c.cfg.Now()
}

// refuse remembers for a day that the platform does not let the account send
// this way, whatever it answered when asked.
func (c *Channel) refuse(ctx context.Context, way string) error {
	kept, err := c.loadAnswer(ctx)
	if err != nil {
		return err
	}
	now := c.cfg.Now()
	refused := map[string]int64{way: now.Add(askEvery).UnixMilli()}
	for other, until := range kept.Refused {
		if other != way && until > now.UnixMilli() {
			refused[other] = until
		}
	}
	kept.Refused = refused
	return c.saveAnswer(ctx, kept)
}

// ask finds out by calls that change nothing.
func (c *Channel) ask(ctx context.Context) (Abilities, error) {
	var able Abilities
	for _, question := range []struct {
		path string
		post bool
		yes  func()
	}{
		{"/cgi-bin/customservice/getkflist", false, func() { able.Customer, able.Once = true, true }},
		{"/cgi-bin/message/mass/speed/get", true, func() { able.Mass = true }},
		{"/cgi-bin/template/get_all_private_template", false, func() { able.Template, able.Monthly = true, true }},
		{"/wxaapi/newtmpl/gettemplate", false, func() { able.Notice = true }},
	} {
		err := c.call(ctx, true, func(token string) error {
			if question.post {
				return post(ctx, question.path, token, struct{}{}, nil)
			}
			return get(ctx, question.path, token, nil)
		})
		switch n, known := code(err); {
		case err == nil, n == 65400: // 65400: no customer service is set up, which sending does not need
			question.yes()
		case known && (n == 48001 || n == 48004 || n == 50001):
		default:
			return Abilities{}, err
		}
	}
	return able, nil
}

// get makes a call that changes nothing, for call. The library's own take no context.
func get(ctx context.Context, path, token string, out any) error {
	data, err := util.HTTPGetContext(ctx, apiHost+path+"?access_token="+url.QueryEscape(token))
	if err != nil {
		return err
	}
	var refused util.CommonError
	if err := json.Unmarshal(data, &refused); err != nil {
		return err
	}
	if refused.ErrCode != 0 {
		return util.NewCommonError(path, refused.ErrCode, refused.ErrMsg)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(data, out)
}

// askAgain is how long to wait after the platform could not be asked.
const askAgain = 5 * time.Minute

// keepAsking asks what the account may do when it is time, and tells when to
// look again.
func (c *Channel) keepAsking(ctx context.Context) time.Duration {
	_, err := c.Abilities(ctx, false)
	if err == nil || ctx.Err() != nil {
		return time.Hour
	}
	var wrong *bot.ConfigError
	if errors.As(err, &wrong) && c.cfg.Notify != nil {
		c.notify(ctx, "config", wrong.Error()+"; until it is mended, digests wait for their readers")
		return askAgain
	}
	c.log.Warn("what the account may do is not known; until it is, digests wait for their readers", "error", err)
	return askAgain
}
