package telegram

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"newsie/bot"
)

const (
	inlineTime      = 2 * time.Second // to find an answer; whoever types has typed on by then
	inlineSendTime  = 5 * time.Second
	inlineHands     = 32   // answers found at once
	inlineReaders   = 1000 // with a query at hand; those of others are left unanswered
	inlineSummary   = 220  // as wide as two sentences: see room
	inlineWhy       = 160
	inlineTitle     = 200
	thumbnailSize   = 320
	buttonLimit     = 64
	thumbnailOfOurs = "?cover=320x320"
)

// errSuperseded: the reader has typed on.
var errSuperseded = errors.New("a newer query came")

// beginInline starts the answer to a query of inline mode. It is not claimed in
// the inbox: an answer changes nothing, and of two to one query the server
// refuses the second. What readers choose is their own affair, and not asked for.
func (s *session) beginInline(u update) {
	if u.Inline == nil || u.Inline.ID == "" || s.config.Inline == nil {
		s.count("update_ignored")
		return
	}
	if !s.desk.take(*u.Inline) {
		s.count("inline_dropped")
	}
}

// answerInline answers one query unless ctx ends.
func (s *session) answerInline(ctx context.Context, q inlineQuery) {
	searching, cancel := context.WithTimeout(ctx, inlineTime)
	defer cancel()
	answer, err := s.askInline(searching, bot.InlineQuery{
		Channel: s.config.Name, From: strconv.FormatInt(q.From.ID, 10), Text: q.Query, Lang: q.From.Language, Offset: q.Offset,
	})
	if ctx.Err() != nil || err == nil && answer.Silent {
		return
	}
	if err != nil {
		s.log.Error("an inline query was not understood", "error", err)
		s.count("inline_failed")
		answer = bot.InlineAnswer{Personal: true} // nothing, not to be kept: the next letter asks again
	}
	err = s.sendInline(ctx, q.ID, answer, true)
	if err != nil && mentions(err, "parse entities") {
		s.count("html_refused")
		s.log.Error("telegram refused our HTML: inline results go as plain text", "error", err)
		err = s.sendInline(ctx, q.ID, answer, false)
	}
	switch {
	case err == nil || ctx.Err() != nil:
	case mentions(err, "query is too old"):
		s.count("inline_late")
	default:
		s.count("inline_refused")
		s.log.Warn("an inline query was not answered", "error", err)
	}
}

// askInline asks the bot; a query that makes it panic must not end the program.
func (s *session) askInline(ctx context.Context, q bot.InlineQuery) (a bot.InlineAnswer, err error) {
	defer func() {
		if caught := recover(); caught != nil {
			err = fmt.Errorf("panic: %v\n%s", caught, debug.Stack())
		}
	}()
	return s.config.Inline(ctx, q)
}

// sendInline is no message: it takes no slot of the pace.
func (s *session) sendInline(ctx context.Context, id string, a bot.InlineAnswer, html bool) error {
	results := make([]inlineResult, len(a.Cards))
	for i, c := range a.Cards {
		results[i] = newResult(c, s.config.PublicURL, html)
	}
	params := tgbotapi.Params{"inline_query_id": id, "cache_time": strconv.Itoa(int(a.Keep / time.Second))}
	params.AddBool("is_personal", a.Personal)
	params.AddNonEmpty("next_offset", a.Next)
	if err := params.AddInterface("results", results); err != nil {
		return err
	}
	if label := shorten(clean(a.Start.Label, false), buttonLimit); label != "" && payloadShape.MatchString(a.Start.Text) {
		if err := params.AddInterface("button", inlineButton{label, a.Start.Text}); err != nil {
			return err
		}
	}
	return s.client.call(ctx, "answerInlineQuery", params, inlineSendTime, nil)
}

// mentions reports whether the server refused a call with these words, in
// whatever case it begins them.
func mentions(err error, words string) bool {
	var failed *Error
	return errors.As(err, &failed) && failed.Code == http.StatusBadRequest &&
		strings.Contains(strings.ToLower(failed.Description), words)
}

type (
	inlineResult struct {
		Type        string        `json:"type"`
		ID          string        `json:"id"`
		Title       string        `json:"title"`
		Description string        `json:"description,omitempty"`
		Thumbnail   string        `json:"thumbnail_url,omitempty"`
		Width       int           `json:"thumbnail_width,omitempty"`
		Height      int           `json:"thumbnail_height,omitempty"`
		Content     inlineContent `json:"input_message_content"`
		Markup      *keyboard     `json:"reply_markup,omitempty"`
	}
	inlineContent struct {
		Text      string  `json:"message_text"`
		ParseMode string  `json:"parse_mode,omitempty"`
		Preview   preview `json:"link_preview_options"`
	}
	inlineButton struct {
		Text  string `json:"text"`
		Start string `json:"start_parameter"`
	}
)

// newResult is a card as one of the results, and as the message that choosing it
// posts.
func newResult(c bot.InlineCard, public string, html bool) inlineResult {
	why := newSnippet(bot.Snippet{Text: c.Why}).shorten(inlineWhy, room).text
	c.Snippet = bot.Snippet{Text: newSnippet(bot.Snippet{Text: c.Snippet.Text}).shorten(inlineSummary, room).text}
	s := newSheet(bot.Reply{Lang: c.Lang, Groups: []bot.Group{{Cards: []bot.Card{c.Card}}}}, 1)
	e := s.blocks[0].entries[0]
	p := fit(s, c.Actions)
	r := inlineResult{
		Type: "article", ID: strconv.FormatInt(c.Article, 10), Title: shorten(e.title, inlineTitle),
		Description: strings.TrimSpace(e.by(60) + "\n" + why),
		Content:     inlineContent{Text: p.text.html(), ParseMode: "HTML", Preview: p.preview},
	}
	if !html {
		r.Content.Text, r.Content.ParseMode = p.text.plain(), ""
	}
	if len(p.keyboard) > 0 {
		r.Markup = &keyboard{p.keyboard}
	}
	if r.Thumbnail = thumbnail(c.Cover, public); strings.HasSuffix(r.Thumbnail, thumbnailOfOurs) {
		r.Width, r.Height = thumbnailSize, thumbnailSize
	}
	return r
}

// thumbnail is the address of a small picture that the apps can load, or "":
// they take https alone, and Telegram fetches nothing from a private network.
func thumbnail(cover, public string) string {
	address := linkable(cover)
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" {
		return ""
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil && (ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() || ip.IsUnspecified()) {
		return ""
	}
	if public != "" && strings.HasPrefix(address, strings.TrimRight(public, "/")+"/media/") {
		return address + thumbnailOfOurs
	}
	return address
}

// updateKinds are the updates asked for: those of inline mode only where it is
// answered.
func (c *Channel) updateKinds() string {
	if c.config.Inline == nil {
		return strings.Replace(allowedUpdates, `,"inline_query"`, "", 1)
	}
	return allowedUpdates
}
