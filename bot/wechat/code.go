package wechat

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/silenceper/wechat/v2/officialaccount/basic"

	"newsie/bot"
	"newsie/bot/origin"
)

const (
	// LongestCode is how long a code may live that is not permanent.
	LongestCode = 30 * 24 * time.Hour
	// MostCodes is how many permanent codes an account may have. None is ever
	// taken back.
	MostCodes = 100_000

	warnCodes    = MostCodes / 10 * 9
	shortestCode = time.Minute
	longestScene = 64
	codesWay     = "codes" // among the refused ones
)

// Of a code that was wanted.
var (
	// ErrNoCodes is that the account may not make codes: only verified service
	// accounts may.
	ErrNoCodes = errors.New("this WeChat account makes no codes: verified service accounts alone do")
	// ErrCodesUsedUp is that the account has all the permanent codes it may have.
	ErrCodesUsedUp = errors.New("this WeChat account has had all its 100,000 permanent codes, and WeChat takes none back: a temporary one (30 days at most) still works, and so does a code that leads to the neutral page")
)

// Code is a QR code by which a reader who scans it follows the account, if they do
// not yet, and is heard saying the payload, which is for an origin. It works until
// a time, or for ever: then, and when that is more than 30 days away, it is one of
// the account's permanent ones. Codes are kept, and made by one process at a time,
// so that none is made twice. ErrNoCodes, ErrCodesUsedUp and the errors of a bot.Sender.
func (c *Channel) Code(ctx context.Context, id int64, payload string, until time.Time) (origin.Code, error) {
	if n := len(payload); n == 0 || n > longestScene {
		return origin.Code{}, fmt.Errorf("a code carries 1 to %d characters, not %d", longestScene, n)
	}
	if !until.IsZero() && !until.After(c.cfg.Now()) {
		return origin.Code{}, fmt.Errorf("a code until %s would never work", until.UTC().Format("2006-01-02 15:04"))
	}
	codes := origin.NewCodes(c.cfg.DB, c.cfg.Now)
	for {
		kept, ok, err := codes.Kept(ctx, c.cfg.Name, payload)
		if err != nil || ok && c.serves(kept, until) {
			return kept, err
		}
		if err := c.mayMakeCodes(ctx); err != nil {
			return origin.Code{}, err
		}
		release, err := c.claimCode(ctx, payload)
		if err != nil {
			return origin.Code{}, err
		}
		if release == nil {
			continue // somebody made it, or gave up
		}
		defer release()
		// Another may have made it between the look and the claim.
		kept, ok, err = codes.Kept(ctx, c.cfg.Name, payload)
		if err != nil || ok && c.serves(kept, until) {
			return kept, err
		}
		made, err := c.makeCode(ctx, payload, until)
		if err != nil {
			return origin.Code{}, err
		}
		made.Channel, made.Payload, made.Origin = c.cfg.Name, payload, id
		kept, err = codes.Keep(ctx, made)
		if err == nil && kept.Permanent {
			c.watchCodes(ctx, codes)
		}
		return kept, err
	}
}

// KeptCode is what Code would give without making one; origin.ErrNotMade,
// ErrNoCodes where it is known that the account makes none.
func (c *Channel) KeptCode(ctx context.Context, payload string, until time.Time) (origin.Code, error) {
	kept, ok, err := origin.NewCodes(c.cfg.DB, c.cfg.Now).Kept(ctx, c.cfg.Name, payload)
	if err != nil || ok && c.serves(kept, until) {
		return kept, err
	}
	if err := c.mayMakeCodes(ctx); err != nil {
		return origin.Code{}, err
	}
	return origin.Code{}, origin.ErrNotMade
}

// serves reports whether a kept code does for what is wanted. A minute less is
// as good: the platform counts from when it was asked.
func (c *Channel) serves(kept origin.Code, until time.Time) bool {
	if c.permanent(until) {
		until = time.Time{}
	} else {
		until = until.Add(-time.Minute)
	}
	return kept.Serves(until) && (kept.Permanent || kept.Expires.After(c.cfg.Now()))
}

func (c *Channel) permanent(until time.Time) bool {
	return until.IsZero() || until.Sub(c.cfg.Now()) > LongestCode
}

// mayMakeCodes is ErrNoCodes when that is known without asking.
func (c *Channel) mayMakeCodes(ctx context.Context) error {
	if c.cfg.Secret == "" || c.declared() && c.cfg.Account != Service {
		return ErrNoCodes
	}
	kept, err := c.loadAnswer(ctx)
	if err == nil && c.cfg.Now().UnixMilli() < kept.Refused[codesWay] {
		return ErrNoCodes
	}
	return err
}

// makeCode asks the platform for a code.
func (c *Channel) makeCode(ctx context.Context, payload string, until time.Time) (origin.Code, error) {
	request := basic.NewLimitQrRequest(payload)
	made := origin.Code{Permanent: c.permanent(until)}
	if !made.Permanent {
		now := c.cfg.Now()
		lives := min(max(until.Sub(now).Round(time.Second), shortestCode), LongestCode)
		request = basic.NewTmpQrRequest(lives, payload)
		made.Expires = now.Add(lives)
	}
	var ticket *basic.Ticket
	// Harmless: a code that nobody heard of leads nowhere, and costs one of 100,000.
	err := c.call(ctx, true, func(string) (err error) {
		ticket, err = c.basic.GetQRTicket(request)
		return err
	})
	n, _ := code(err)
	switch {
	case n == 48001:
		if err := c.refuse(ctx, codesWay); err != nil {
			return made, err
		}
		return made, ErrNoCodes
	case n == 45029:
		return made, ErrCodesUsedUp
	case err != nil:
		return made, fmt.Errorf("ask WeChat for a code: %w", err)
	case ticket == nil || ticket.URL == "":
		return made, errors.New("WeChat answered without a code")
	}
	made.URL = ticket.URL
	return made, nil
}

// Another process that makes the same code is waited for; one that died is not
// waited for longer than its claim lasts.
const (
	codeClaim = 45 * time.Second // longer than a call takes with a fresh token
	codeLook  = 100 * time.Millisecond
)

// claimCode lets one process make a code. A nil release: another did, or tried;
// look again.
func (c *Channel) claimCode(ctx context.Context, payload string) (release func(), err error) {
	key := "wechat/" + c.cfg.AppID + "/code/" + payload
	claim := rand.Text()
	kept, created, err := c.cfg.Settings.Create(ctx, key, claim, codeClaim)
	if err != nil {
		return nil, err
	}
	if created {
		return func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settingsTimeout)
			defer cancel()
			// A claim that ran out may be another's by now.
			now, _, err := c.cfg.Settings.Load(ctx, key)
			if err == nil && now == claim {
				err = c.cfg.Settings.Delete(ctx, key)
			}
			if err != nil {
				c.log.Warn("others wait for a code that is made", "error", err)
			}
		}, nil
	}
	for other := kept; other == kept && kept != ""; {
		select {
		case <-ctx.Done():
			return nil, &bot.RetryError{After: codeClaim, Err: fmt.Errorf("another process makes the same code: %w", ctx.Err())}
		case <-time.After(codeLook):
		}
		if other, _, err = c.cfg.Settings.Load(ctx, key); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// watchCodes warns the publisher when the permanent codes run out.
func (c *Channel) watchCodes(ctx context.Context, codes *origin.Codes) {
	n, err := codes.Permanent(ctx, c.cfg.Name)
	if err != nil {
		c.log.Warn("how many codes are left is not known", "error", err)
		return
	}
	if n >= warnCodes {
		c.notify(ctx, "codes", codesMade(n)+", and WeChat takes none back: "+codesAdvice)
	}
}

func codesMade(n int) string {
	return fmt.Sprintf("%d of the account's %d permanent QR codes are made", n, MostCodes)
}

const codesAdvice = "give origins that do not last an end within 30 days, or use newsie origin qr --temporary"

// checkCodes tells how many permanent codes are left, as far as this newsie made
// them: WeChat does not tell.
func (c *Channel) checkCodes(ctx context.Context, r *Report) {
	n, err := origin.NewCodes(c.cfg.DB, c.cfg.Now).Permanent(ctx, c.cfg.Name)
	switch {
	case err != nil:
		r.Findings = append(r.Findings, finding("count the account's QR codes", err))
	case n >= warnCodes:
		r.Findings = append(r.Findings, bot.Finding{What: codesMade(n), Advice: codesAdvice + "; WeChat takes none back"})
	case n > 0:
		r.add(true, codesMade(n))
	}
}
