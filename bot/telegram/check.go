package telegram

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"newsie/bot"
)

// A checkup collects what a doctor finds.
type checkup struct {
	*Channel
	me       user
	findings []bot.Finding
	posts    map[string]string // where the publisher posts, by chat and topic
}

// find adds a finding. The advice is for what is wrong, and is left out of what is not.
func (k *checkup) find(ok bool, what, advice string) {
	if ok {
		advice = ""
	}
	k.findings = append(k.findings, bot.Finding{OK: ok, What: "telegram " + k.config.Name + ": " + what, Advice: advice})
}

// note adds what is well and could be better.
func (k *checkup) note(what, advice string) {
	k.findings = append(k.findings, bot.Finding{OK: true, What: "telegram " + k.config.Name + ": " + what, Advice: advice})
}

// Check is the channel's part of `newsie doctor`: it asks Telegram what it
// thinks of the bot. It sends nothing and changes nothing.
func (c *Channel) Check(ctx context.Context) []bot.Finding {
	k := &checkup{Channel: c, posts: map[string]string{}}
	if err := c.client.call(ctx, "getMe", nil, sendTimeout, &k.me); err != nil {
		k.find(false, err.Error(), c.unreachable(err))
		return k.findings
	}
	k.find(true, "the token is that of @"+k.me.Username, "")
	k.clock()
	k.groups()
	k.inline()
	k.webhook(ctx)
	for _, post := range c.config.Posts {
		k.post(ctx, post)
	}
	return k.findings
}

// unreachable is what to do when the first call fails.
func (c *Channel) unreachable(err error) string {
	switch code := status(err); {
	case code == http.StatusUnauthorized || code == http.StatusNotFound:
		return "copy the token again from @BotFather"
	case code == http.StatusTooManyRequests:
		return "wait as long as Telegram says, and look again"
	case c.config.APIURL == publicAPI:
		return "is " + c.config.APIURL + " reachable from this machine? Where it is blocked, set api_url to a Bot API server of your own"
	}
	return "is the Bot API server at " + c.config.APIURL + " running and reachable from this machine? Check api_url"
}

// mostSkew is how far apart the clocks may be: answers say the second alone.
const mostSkew = 10 * time.Second

func (k *checkup) clock() {
	served := k.client.served()
	if served.IsZero() {
		return
	}
	if off := k.config.Now().Sub(served).Abs(); off > mostSkew {
		unit := time.Second
		if off > time.Minute {
			unit = time.Minute // the answer's way took some of it
		}
		k.find(false, fmt.Sprintf("this machine's clock is %s apart from the server's", off.Round(unit)),
			"let the machine set its clock (NTP): digests go out by it")
	}
}

func (k *checkup) groups() {
	switch {
	case !k.me.CanJoin:
		k.note("groups cannot add it", "send /setjoingroups to @BotFather to let them")
	case k.me.ReadsAll:
		k.note("in groups it gets every message, and answers commands, mentions of it and replies to it",
			"it needs no more than those: send /setprivacy to @BotFather and enable privacy mode")
	default:
		k.find(true, "in groups it gets commands, mentions of it and replies to it", "")
	}
}

func (k *checkup) inline() {
	switch {
	case k.config.Inline != nil && !k.me.Inline:
		k.note("inline mode is off at Telegram", "send /setinline to @BotFather, so that readers find articles in any chat by @"+k.me.Username+" and a word; or set inline: off")
	case k.config.Inline == nil && k.me.Inline:
		k.note("inline: off, but Telegram offers readers inline mode, in which they find nothing",
			"remove inline: off, or send /setinline to @BotFather to switch it off there")
	case k.config.Inline == nil:
		k.find(true, "inline: off: nobody finds articles in other chats", "")
	case k.me.Inline:
		k.find(true, "in any chat, @"+k.me.Username+" and a word finds articles", "")
	}
}

func (k *checkup) webhook(ctx context.Context) {
	hook, err := k.webhookInfo(ctx)
	if err != nil {
		k.find(false, err.Error(), "look again in a minute")
		return
	}
	if k.config.Mode == Poll {
		k.polling(hook)
	} else {
		k.hooked(hook)
	}
	if missing := k.missing(hook.Allowed); len(hook.Allowed) > 0 && len(missing) > 0 {
		k.find(false, "Telegram was asked for other updates than newsie needs; missing: "+strings.Join(missing, ", "),
			"start newsie serve, or start it again: it asks for what it needs")
	}
}

func (k *checkup) polling(hook webhookInfo) {
	if hook.URL == "" {
		k.find(true, "updates come by polling", "")
	} else {
		k.find(false, "a webhook is set at "+k.client.redact(hook.URL), "serving removes it; if another program uses this bot, give newsie a bot of its own")
	}
	if hook.Pending > 0 {
		k.note(waiting(hook.Pending)+" to be fetched", "newsie serve fetches them; Telegram drops them after 24 hours")
	}
}

func (k *checkup) hooked(hook webhookInfo) {
	u, err := url.Parse(k.webhookURL())
	fine := err == nil && u.Scheme == "https" && slices.Contains([]string{"", "443", "80", "88", "8443"}, u.Port())
	k.find(fine, "its webhook is "+k.webhookURL(), "public_url must be https on port 443, 80, 88 or 8443")
	k.find(hook.URL == k.webhookURL(), "Telegram sends updates to "+nothing(k.client.redact(hook.URL)), "start newsie serve: it sets the webhook")
	if hook.ErrorDate != 0 && k.config.Now().Sub(time.Unix(hook.ErrorDate, 0)) < time.Hour {
		k.find(false, fmt.Sprintf("Telegram could not deliver: %s (%s)", k.client.redact(hook.Error), waiting(hook.Pending)),
			"open public_url from another network; check its certificate and the proxy in front")
	} else if hook.Pending > 0 {
		k.note(waiting(hook.Pending)+" to be delivered", "nothing to do while newsie serves; Telegram drops them after 24 hours")
	}
}

// missing lists the kinds of updates that newsie needs and Telegram was not asked for.
func (k *checkup) missing(allowed []string) (kinds []string) {
	for _, kind := range strings.Split(strings.Trim(k.updateKinds(), "[]"), ",") {
		if kind = strings.Trim(kind, `" `); !slices.Contains(allowed, kind) {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// post looks whether newsie may write where the publisher posts.
func (k *checkup) post(ctx context.Context, place string) {
	chatID, topic, _ := strings.Cut(place, ":")
	var where struct {
		ID    int64  `json:"id"`
		Type  string `json:"type"`
		Title string `json:"title"`
		Forum bool   `json:"is_forum"`
	}
	params := tgbotapi.Params{"chat_id": chatID}
	add := "add @" + k.me.Username + " to it as an administrator who may post messages"
	err := k.client.call(ctx, "getChat", params, sendTimeout, &where)
	if err != nil {
		k.find(false, "posts to "+place+": "+err.Error(), k.postAdvice(err, add))
		return
	}
	var self member
	params["user_id"] = strconv.FormatInt(k.me.ID, 10)
	if err := k.client.call(ctx, "getChatMember", params, sendTimeout, &self); err != nil {
		k.find(false, "posts to "+place+": "+err.Error(), k.postAdvice(err, add))
		return
	}
	what := fmt.Sprintf("posts to %s, the %s “%s”", place, where.Type, where.Title)
	switch {
	case where.Type == "private":
		k.find(false, what, "posts are for channels and groups; a reader follows for themselves")
	case where.Type == "channel" && self.Status != "administrator":
		k.find(false, what+": it is no administrator there", add)
	case where.Type == "channel" && !self.CanPost:
		k.find(false, what+": it may not post there", "give @"+k.me.Username+" the right to post messages, among the channel's administrators")
	case !self.present():
		k.find(false, what+": it is not there", "add @"+k.me.Username+" to the group")
	case self.silenced():
		k.find(false, what+": it may not write there", "give @"+k.me.Username+" the right to send messages")
	case topic != "" && !where.Forum:
		k.find(false, what+": it has no topics", "leave out :"+topic)
	default:
		k.find(true, what, "")
		k.samePlace(place, where.ID, topic)
	}
}

// samePlace tells of two names of one place: the configuration alone cannot
// know that @news is -100….
func (k *checkup) samePlace(place string, id int64, topic string) {
	if topic == "1" { // General
		topic = ""
	}
	at := strconv.FormatInt(id, 10) + ":" + topic
	if other := k.posts[at]; other != "" && !strings.EqualFold(other, place) {
		k.note("posts to "+other+" and "+place+" go to the same place", "its readers get both, and the same article twice; give both posts the same name, or leave one out")
	}
	k.posts[at] = place
}

func (k *checkup) postAdvice(err error, add string) string {
	switch moved, _ := k.sendError(err, bot.ChatID{}).(*bot.MovedError); {
	case moved != nil:
		return "the group has a new id: write " + moved.To.ID + " instead"
	case status(err) == http.StatusBadRequest:
		return "check its name or id (channels have one such as @news, or -100 and digits); then " + add
	case status(err) == http.StatusForbidden:
		return add
	}
	return "look again in a minute"
}

func waiting(updates int) string {
	if updates == 1 {
		return "1 update waits"
	}
	return strconv.Itoa(updates) + " updates wait"
}

func nothing(s string) string {
	if s == "" {
		return "nowhere yet"
	}
	return s
}
