package wechat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/silenceper/wechat/v2/domain/openapi"
	"github.com/silenceper/wechat/v2/util"

	"newsie/bot"
)

// A Report is what can be found out about an account without disturbing it.
type Report struct {
	Account   Account
	Abilities Abilities
	Calls     []CallQuota // by the platform's count
	Sent      []Quota     // by ours
	Findings  []bot.Finding
}

// A CallQuota is how often the account may make a call of the API, a day of
// Beijing, by the platform's own count.
type CallQuota struct {
	Path              string
	Limit, Used, Left int64
}

// Check is the findings of Doctor.
func (c *Channel) Check(ctx context.Context) []bot.Finding { return c.Doctor(ctx).Findings }

// Doctor asks the platform what the account may do, looks at how it receives,
// and tells what newsie will therefore do. It sends nothing to anybody.
func (c *Channel) Doctor(ctx context.Context) Report {
	r := Report{Findings: c.checkMode(), Abilities: c.abilities(ctx)}
	if c.cfg.Secret == "" {
		r.add(true, "no app_secret is configured: the account answers, and calls no API")
	} else {
		c.checkAPI(ctx, &r)
	}
	r.Findings = append(r.Findings, c.checkAddress(ctx)...)
	r.Account = r.Abilities.Account()
	c.checkSent(ctx, &r)
	c.checkCodes(ctx, &r)
	if rungs := c.rungs(r.Abilities); len(rungs) == 1 {
		r.add(true, "digests wait, and stand in front of the reader's next answer: as far as newsie knows, the account sends nothing by itself")
	} else {
		for i, rung := range rungs {
			r.add(true, fmt.Sprintf("digests, %d: %s", i+1, rung))
		}
	}
	switch {
	case c.cfg.Mass.On && r.Abilities.Monthly:
		r.add(true, "the channel's own digest: a mass send at its schedule, of which each reader gets four a month")
	case c.cfg.Mass.On && r.Abilities.Mass:
		r.add(true, "the channel's own digest: a mass send at its schedule, one a day")
	case c.cfg.Mass.On:
		r.add(true, "the channel's own digest: not sent, the account may not")
	}
	return r
}

func (r *Report) add(ok bool, what string) {
	r.Findings = append(r.Findings, bot.Finding{OK: ok, What: what})
}

func (c *Channel) checkMode() []bot.Finding {
	var findings []bot.Finding
	if c.cfg.Mode == Safe {
		findings = append(findings, bot.Finding{OK: true, What: "messages are encrypted (safe mode)"})
	} else {
		findings = append(findings, bot.Finding{
			What:   fmt.Sprintf("messages are posted in %s mode: whoever learns one signed address can speak in any reader's name for ten minutes", c.cfg.Mode),
			Advice: "choose safe mode in the platform's server settings, and configure mode: safe and aes_key",
		})
	}
	if c.cfg.PreviousAESKey != "" {
		findings = append(findings, bot.Finding{OK: true, What: "the previous EncodingAESKey is still accepted; remove previous_aes_key a day after the change"})
	}
	return findings
}

// checkAPI asks the platform, as long as it answers.
func (c *Channel) checkAPI(ctx context.Context, r *Report) {
	// Past the cache: a good token in it would hide a secret that has changed.
	if _, err := c.tokens.fetch(ctx, false); err != nil {
		r.Findings = append(r.Findings, finding("fetch an access token", c.classify(err, true)))
		return
	}
	r.add(true, "the API gives an access token for app_id and app_secret")
	var ahead time.Duration
	err := c.call(ctx, true, func(token string) (err error) {
		ahead, err = c.platformClock(ctx, token)
		return err
	})
	if err != nil {
		r.Findings = append(r.Findings, finding("call the API", err))
		return
	}
	r.add(true, "the API takes calls from this address")
	r.Findings = append(r.Findings, clockFinding(ahead))
	c.checkAbilities(ctx, r)
	r.Calls = c.callQuotas(ctx, r)
	r.Findings = append(r.Findings, c.checkMenu(ctx))
}

var accountNames = map[Account]string{
	Unverified: "not verified, or a personal one", Subscription: "a verified subscription account", Service: "a verified service account",
}

// checkAbilities asks, also where the configuration says what the account is.
func (c *Channel) checkAbilities(ctx context.Context, r *Report) {
	asked, err := c.ask(ctx)
	if err != nil {
		r.Findings = append(r.Findings, finding("ask what the account may do", err))
		return
	}
	r.add(true, "the account is "+accountNames[asked.Account()]+", as far as asking tells")
	if !c.declared() {
		// For the serving newsie too, which asks once a day.
		if r.Abilities, err = c.Abilities(ctx, true); err != nil {
			r.Findings = append(r.Findings, finding("keep what the account may do", err))
		}
	}
	for _, way := range []way{
		{"customer messages", asked.Customer, r.Abilities.Customer, r.Abilities.Customer},
		{"subscription notices", asked.Notice, r.Abilities.Notice, c.cfg.Notice.Template != ""},
		{"one-time messages", asked.Once, r.Abilities.Once, c.cfg.Once.Template != ""},
		{"template messages", asked.Template, r.Abilities.Template, c.cfg.Template.Template != ""},
		{"mass sends", asked.Mass, r.Abilities.Mass, c.cfg.Mass.On},
	} {
		r.Findings = append(r.Findings, c.wayFinding(way))
	}
}

// A way is one of sending.
type way struct {
	name   string
	asked  bool // WeChat says the account may
	known  bool // newsie takes it that the account may
	wanted bool // something is to go out this way
}

func (c *Channel) wayFinding(w way) bot.Finding {
	f := bot.Finding{OK: true, What: w.name + ": no"}
	switch {
	case w.asked && w.known && w.wanted:
		f.What = w.name + ": yes"
	case w.asked && w.known:
		f.What = w.name + ": yes, and none are configured"
	case w.asked && c.declared():
		f.What = w.name + ": the account may, and newsie does not"
		f.Advice = fmt.Sprintf("account: %s says so; without account newsie asks WeChat", c.cfg.Account)
	case w.asked:
		f.What = w.name + ": yes, but they were refused lately; newsie tries again within a day"
	case w.wanted && w.known:
		f = bot.Finding{What: w.name + ": the account may not",
			Advice: fmt.Sprintf("account: %s is configured; leave account out, and newsie does what WeChat permits", c.cfg.Account)}
	case w.wanted:
		f = bot.Finding{What: w.name + ": configured, and the account may not",
			Advice: "take them out of the configuration; they need a verified account, some a service account"}
	}
	return f
}

// platformClock makes the most harmless call there is and tells how far the
// platform's clock is ahead of ours.
func (c *Channel) platformClock(ctx context.Context, token string) (time.Duration, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, apiHost+"/cgi-bin/getcallbackip?access_token="+url.QueryEscape(token), nil)
	if err != nil {
		return 0, err
	}
	before := c.cfg.Now()
	response, err := util.DefaultHTTPClient.Do(request)
	if err != nil {
		return 0, err
	}
	after := c.cfg.Now()
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	var refused util.CommonError
	if err := json.Unmarshal(body, &refused); err != nil {
		return 0, err
	}
	if refused.ErrCode != 0 {
		return 0, util.NewCommonError("getcallbackip", refused.ErrCode, refused.ErrMsg)
	}
	theirs, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		return 0, nil // a proxy on the way may have taken it out
	}
	return theirs.Sub(before.Add(after.Sub(before) / 2)), nil
}

// Twice as much, and every message would be refused.
const worryingSkew = maxSkew / 2

func clockFinding(ahead time.Duration) bot.Finding {
	if ahead.Abs() <= worryingSkew {
		return bot.Finding{OK: true, What: "this machine's clock agrees with WeChat's"}
	}
	word := "behind"
	if ahead < 0 {
		word = "ahead of"
	}
	return bot.Finding{What: fmt.Sprintf("this machine's clock is %s %s WeChat's; from ten minutes on, all it posts looks forged", ahead.Abs().Round(time.Second), word),
		Advice: "let the machine set its clock (NTP)"}
}

// counted are the calls whose quotas are worth knowing.
var counted = []struct{ path, what string }{
	{"/cgi-bin/stable_token", "access tokens"},
	{"/cgi-bin/message/custom/send", "customer messages"},
	{"/cgi-bin/message/template/send", "template messages"},
	{"/cgi-bin/draft/add", "drafts"},
	{"/cgi-bin/message/mass/sendall", "mass sends asked for"},
}

// callQuotas asks for the calls left today. What the account may not call has
// no quota.
func (c *Channel) callQuotas(ctx context.Context, r *Report) []CallQuota {
	var quotas []CallQuota
	for _, call := range counted {
		var told openapi.APIQuota
		none := false
		err := c.call(ctx, true, func(string) (err error) {
			told, err = c.account.GetOpenAPI().GetAPIQuota(openapi.GetAPIQuotaParams{CgiPath: call.path})
			if n, _ := code(err); n == 48001 || n == 76003 {
				none, err = true, nil
			}
			return err
		})
		if err != nil {
			r.Findings = append(r.Findings, finding("ask for the quota of "+call.what, err))
			return quotas
		}
		if none {
			continue
		}
		q := CallQuota{call.path, told.Quota.DailyLimit, told.Quota.Used, told.Quota.Remain}
		quotas = append(quotas, q)
		f := bot.Finding{OK: true, What: fmt.Sprintf("%s today, by WeChat's count: %d of %d used", call.what, q.Used, q.Limit)}
		if q.Left <= 0 && q.Limit > 0 {
			f = bot.Finding{What: f.What, Advice: "none is left until midnight in Beijing; newsie waits for it"}
		}
		r.Findings = append(r.Findings, f)
	}
	return quotas
}

// sentNames are what the ways of sending are called here.
var sentNames = map[string]string{
	quotaCustomer: "customer messages", quotaNotice: "subscription notices", quotaOnce: "one-time messages",
	quotaTemplate: "template messages", quotaMass: "mass sends",
}

// checkSent tells what went out, by our own count. What is used up is no fault.
func (c *Channel) checkSent(ctx context.Context, r *Report) {
	sent, err := c.Quotas(ctx)
	if err != nil {
		r.Findings = append(r.Findings, finding("count what was sent", err))
		return
	}
	r.Sent = sent
	for _, q := range sent {
		period := "today"
		if len(q.Period) == len("2006-01") {
			period = "this month"
		}
		what := fmt.Sprintf("%s sent %s, by newsie's count: %d", sentNames[q.Name], period, q.Used)
		if q.Limit > 0 {
			what += fmt.Sprintf(" of %d", q.Limit)
		}
		r.add(true, what)
	}
}

// checkMenu tells whether the account has the configured menu. A default that
// nobody asked for is no fault when it is missing.
func (c *Channel) checkMenu(ctx context.Context) bot.Finding {
	wanted, ours := c.WantedMenu()
	if !ours {
		return bot.Finding{OK: true, What: "menu: off, the account's is left alone"}
	}
	asked := len(c.cfg.Menu) > 0
	now, err := c.Menu(ctx)
	if n, _ := code(err); n == 48001 && !asked {
		return bot.Finding{OK: true, What: "menu: WeChat lets this account set none; readers type the words instead"}
	}
	push := "newsie wechat menu push " + c.cfg.Name
	switch {
	case err != nil:
		return finding("ask for the menu", err)
	case SameMenu(now.Buttons, wanted) && now.Shown:
		return bot.Finding{OK: true, What: "menu: the account has the configured one"}
	case SameMenu(now.Buttons, wanted):
		return bot.Finding{OK: !asked, What: "menu: the account has the configured one, but the platform does not show it", Advice: push}
	case len(now.Buttons) == 0:
		return bot.Finding{OK: !asked, What: "menu: the account has none yet", Advice: push}
	}
	return bot.Finding{OK: !asked, What: "menu: the account's is another than the configured one", Advice: "see both with newsie wechat menu show " + c.cfg.Name + "; " + push + ", or menu: off"}
}

// rungs tell in which ways a digest is tried, in order.
func (c *Channel) rungs(able Abilities) []string {
	var rungs []string
	if able.Customer {
		rungs = append(rungs, "a customer message while the reader's window is open: 5 in the 48 hours after a message, 3 in the minute after a menu click, follow or scan, the last of them kept for an answer")
	}
	if able.Notice && c.cfg.Notice.Template != "" {
		rungs = append(rungs, "a subscription notice, one for each that the reader granted")
	}
	if able.Once && c.cfg.Once.Template != "" {
		rungs = append(rungs, "a one-time message, one for each that the reader granted")
	}
	if able.Template && c.cfg.Template.Template != "" {
		rungs = append(rungs, "a template message")
	}
	return append(rungs, "otherwise it waits, and stands in front of the reader's next answer")
}

// finding tells a classified error with what to do about it.
func finding(what string, err error) bot.Finding {
	var wrong *bot.ConfigError
	if errors.As(err, &wrong) {
		return bot.Finding{What: fmt.Sprintf("%s: %v", what, wrong.Err), Advice: wrong.Advice}
	}
	var wait *bot.RetryError
	if errors.As(err, &wait) {
		return bot.Finding{What: fmt.Sprintf("%s: %v", what, wait.Err), Advice: "look at the network between this server and api.weixin.qq.com, and try again"}
	}
	return bot.Finding{What: fmt.Sprintf("%s: %v", what, err), Advice: "look the code up in WeChat's documentation"}
}
