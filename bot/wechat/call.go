package wechat

import (
	"context"
	"encoding/json"
	"net/url"

	"github.com/silenceper/wechat/v2/util"

	"newsie/bot"
)

const apiHost = "https://api.weixin.qq.com" // point() leads calls elsewhere

// call runs do, which makes one call of the API, and once more with a fresh
// access token when the platform refuses the one we have. do is given the token;
// the library's own calls take the same from the cache. Errors are classified:
// whatever fails before do begins has done no harm, and harmless says the same of
// do, which then may be repeated.
func (c *Channel) call(ctx context.Context, harmless bool, do func(token string) error) error {
	for attempt := 0; ; attempt++ {
		// Fetched here, within ctx: the library's own fetch knows no context, and
		// a fault of it could not be told from one of the call.
		token, err := c.tokens.current(ctx)
		if err != nil {
			return c.classify(err, true)
		}
		if err := ctx.Err(); err != nil {
			return &bot.RetryError{After: retryStore, Err: err}
		}
		err = do(token)
		if err == nil {
			return nil
		}
		if attempt > 0 || !expired(err) {
			return c.classify(err, harmless)
		}
		if err := c.tokens.renew(ctx, token); err != nil {
			return c.classify(err, true)
		}
	}
}

// post makes a call that the library does not have, or not with all its
// fields, for call. A refusal is a *util.CommonError; out may be nil.
func post(ctx context.Context, path, token string, in, out any) error {
	data, err := util.PostJSONContext(ctx, apiHost+path+"?access_token="+url.QueryEscape(token), in)
	if err != nil {
		return err
	}
	return decode(path, data, out)
}

// decode reads an answer of the platform; out may be nil.
func decode(path string, data []byte, out any) error {
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
