package webchat

import (
	"net/http"
	"net/url"
	"regexp"

	"newsie/bot"
)

// Who follows /chat/NAME/?start=PAYLOAD comes by what a code or a link says.
// Looking at the page counts nothing: it says what the bot would, and holds a
// form by which the reader begins, which the script sends as soon as the page
// is seen. What else they do first on that page begins, too.

// A payload is what Telegram takes behind ?start=, so that all channels are
// told the same.
var payloadRule = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// damaged is what the bot hears of something else: no code is written so.
const damaged = "_"

// payload is what a form or an address says that a reader comes by; "": they
// come by nothing.
func payload(form url.Values) string {
	given := form.Get("start")
	if given == "" || payloadRule.MatchString(given) {
		return given
	}
	return damaged
}

// startText is the message of a reader who comes by something, or by nothing.
func startText(start string) string {
	if start == "" {
		return "/start"
	}
	return "/start " + start
}

// readStart reads by what a reader comes; ok is false when they come by nothing.
func (c *Channel) readStart(r *http.Request) (s said, ok bool) {
	start := payload(r.PostForm)
	if start == "" {
		return said{}, false
	}
	s = readForm(r)
	_, words := c.language(r)
	s.kind, s.text, s.shown = bot.Join, startText(start), c.config.Catalog.Printer(words).T("webchat.start")
	return s, true
}

// shown is a welcome as somebody sees it who has not begun: what it offers to tap
// would begin otherwise.
func shown(r bot.Reply) bot.Reply {
	r.Actions = nil
	r.Groups = append([]bot.Group(nil), r.Groups...)
	for i := range r.Groups {
		r.Groups[i].Cards = append([]bot.Card(nil), r.Groups[i].Cards...)
		for k := range r.Groups[i].Cards {
			r.Groups[i].Cards[k].Open = ""
		}
	}
	return r
}
