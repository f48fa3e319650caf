package wechat

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/silenceper/wechat/v2/util"

	"newsie/bot"
)

// code is the platform's error code in an error of the library: some calls
// return a *util.CommonError, others, such as custom/send, only words.
func code(err error) (int64, bool) {
	var common *util.CommonError
	if errors.As(err, &common) {
		return common.ErrCode, true
	}
	if err == nil {
		return 0, false
	}
	match := codeInText.FindStringSubmatch(err.Error())
	if match == nil {
		return 0, false
	}
	n, err := strconv.ParseInt(match[1], 10, 64)
	return n, err == nil
}

var (
	codeInText   = regexp.MustCompile(`errcode=(-?\d+)`)
	callerInText = regexp.MustCompile(`invalid ip ([0-9a-fA-F.:]+)`)
)

// expired reports whether a fresh token may help.
func expired(err error) bool {
	n, _ := code(err)
	return n == 40001 || n == 40014 || n == 42001
}

// advice is what the publisher can do about a configuration code.
func advice(n int64, err error) (string, bool) {
	switch n {
	case 40013:
		return "app_id is not known to WeChat: copy it again from the platform's basic settings", true
	case 40125, 40001:
		return "the AppSecret is wrong: reset it in the platform's basic settings and put the new one into app_secret", true
	case 40164:
		caller := "this server's public address"
		if match := callerInText.FindStringSubmatch(err.Error()); match != nil {
			caller = match[1]
		}
		return "add " + caller + " to the IP whitelist in the platform's basic settings", true
	case 40243:
		return "the AppSecret is frozen: unfreeze it in the platform's basic settings", true
	case 48001:
		return "the account may not send customer messages: only verified accounts can; set account: unverified", true
	case 48004:
		return "WeChat has blocked this API for the account: look at the notices on the platform", true
	case 50002:
		return "the account is restricted: look at the notices on the platform", true
	}
	return "", false
}

// beijing is the platform's clock: its daily quotas begin anew at its midnight.
var beijing = time.FixedZone("Asia/Shanghai", 8*60*60)

func untilTomorrow(now time.Time) time.Duration {
	y, m, d := now.In(beijing).Date()
	return time.Date(y, m, d+1, 0, 1, 0, 0, beijing).Sub(now)
}

// classify tells the deliverer what an error of the library means. Fetching the
// token is harmless, so only sending itself can leave things unknown.
func (c *Channel) classify(err error, fetching bool) error {
	var call *callError
	if errors.As(err, &call) {
		return classifyCall(call, fetching)
	}
	plain := errors.New(redact(err.Error()))
	n, known := code(err)
	if !known {
		if fetching {
			return &bot.RetryError{After: time.Minute, All: true, Err: plain}
		}
		// An answer that cannot be read.
		return fmt.Errorf("%w: %w", bot.ErrUnknown, plain)
	}
	switch n {
	case 40003, 43004, 43101, 45015, 45047:
		// None means gone for good: 40003 is an unknown openid, also that of every
		// reader after app_id was changed by mistake; and what is known of a reader
		// who unfollowed (43004) is deleted when the platform reports it.
		return fmt.Errorf("%w: %w", bot.ErrNotNow, plain)
	case -1:
		return &bot.RetryError{After: 10 * time.Second, Err: plain}
	case 45011:
		return &bot.RetryError{After: time.Minute, All: true, Err: plain}
	case 45009, 45028:
		return &bot.RetryError{After: untilTomorrow(c.cfg.Now()), All: true, Err: plain}
	}
	if n == 40001 && !fetching || n == 40014 || n == 42001 {
		// Refused again with a fresh token.
		return &bot.RetryError{After: time.Minute, All: true, Err: plain}
	}
	if text, ok := advice(n, err); ok {
		return &bot.ConfigError{Channel: c.cfg.Name, Advice: text, Err: plain}
	}
	return plain
}

func classifyCall(call *callError, fetching bool) error {
	switch {
	case call.status == http.StatusTooManyRequests:
		return &bot.RetryError{After: time.Minute, All: true, Err: call}
	case fetching || !call.written:
		return &bot.RetryError{After: 30 * time.Second, All: true, Err: call}
	case call.status >= 300 && call.status < 500:
		return call
	default:
		return fmt.Errorf("%w: %w", bot.ErrUnknown, call)
	}
}
