package telegramtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits of inline mode.
const (
	maxInlineQuery    = 256 // characters; the apps cut what is longer
	maxInlineResults  = 50
	maxInlineID       = 64 // bytes
	maxInlineOffset   = 64 // bytes
	inlineCache       = 300 * time.Second
	inlineLifetime    = 30 * time.Second // in which a query can be answered
	maxInlineButton   = 64               // characters of a start parameter
	tooOldQuery       = "query is too old and response timeout expired or query ID is invalid"
	unparsableResults = "can't parse inline query result: "
)

// ErrNoInline says that a bot's inline mode is switched off: nobody is asked.
var ErrNoInline = errors.New("the bot has no inline mode")

// An Inline is what a reader typed behind the bot's name, "@bot words", and the
// page of results the app shows for it.
type Inline struct {
	ID     string
	From   int64
	Query  string
	Offset string
	Cached bool // the server knew the answer: the bot was not asked

	chat     *Chat
	asked    time.Time
	answer   *InlineAnswer
	settled  bool
	disabled bool
}

// An InlineAnswer is a page of results.
type InlineAnswer struct {
	Results    []Result
	NextOffset string
	Personal   bool
	CacheTime  time.Duration
	Button     string // the label of the button above the results
	Start      string // the deep link's parameter it leads to
}

// A Result is one entry of the list that the reader sees above the text field.
type Result struct {
	ID          string
	Title       string
	Description string
	URL         string
	Thumbnail   string
	Message     Message // what choosing it posts
}

// Ask has the reader of a private chat type "@bot query".
func (c *Chat) Ask(query string) *Inline { return c.AskAs(0, query) }

// AskAs has a member of a chat type it, 0: the chat's own reader. The bot need
// not be in the chat.
func (c *Chat) AskAs(from int64, query string) *Inline { return c.ask(c.from(from), query, "") }

// Between is a private chat of two people without the bot.
func (s *Server) Between(id int64) *Chat {
	c := s.chat(id, "private", false)
	s.change(func() { c.apart = true })
	return c
}

type cacheKey struct {
	query, offset, place string
	from                 int64 // of a personal answer
}

type cachedAnswer struct {
	answer *InlineAnswer
	until  time.Time
}

func (c *Chat) ask(from int64, query, offset string) *Inline {
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	if runes := []rune(query); len(runes) > maxInlineQuery {
		query = string(runes[:maxInlineQuery])
	}
	s.nextInline++
	i := &Inline{ID: strconv.FormatInt(7_000_000_000+s.nextInline, 10), From: from, Query: query, Offset: offset,
		chat: c, asked: s.options.Now(), disabled: !s.bot.Inline}
	if i.disabled {
		return i
	}
	for _, who := range []int64{0, from} {
		if known, ok := s.cache[cacheKey{query, offset, c.where(), who}]; ok && known.until.After(i.asked) {
			i.answer, i.Cached, i.settled = known.answer, true, true
			return i
		}
	}
	s.inline[i.ID] = i
	s.pushTo(c, "i"+strconv.FormatInt(from, 10), inlineLifetime, "inline_query", map[string]any{
		"id": i.ID, "from": c.user(from), "query": query, "offset": offset, "chat_type": c.where(),
	})
	return i
}

func (c *Chat) where() string {
	if c.Type == "private" && !c.apart {
		return "sender"
	}
	return c.Type
}

// Wait waits for the results.
func (i *Inline) Wait(ctx context.Context) (InlineAnswer, error) {
	if i.disabled {
		return InlineAnswer{}, ErrNoInline
	}
	s := i.chat.server
	var got *InlineAnswer
	err := s.Until(ctx, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		got = i.answer
		return got != nil
	})
	if err != nil {
		return InlineAnswer{}, fmt.Errorf("no answer to the inline query %q: %w", i.Query, err)
	}
	return *got, nil
}

// More scrolls to the end of the results, which asks for the next page; nil:
// there is none.
func (i *Inline) More() *Inline {
	s := i.chat.server
	s.mu.Lock()
	answer := i.answer
	s.mu.Unlock()
	if answer == nil || answer.NextOffset == "" {
		return nil
	}
	return i.chat.ask(i.From, i.Query, answer.NextOffset)
}

// Choose posts a result into the chat it was typed in, and returns the message's id.
func (i *Inline) Choose(id string) (int64, error) {
	s := i.chat.server
	s.mu.Lock()
	defer s.mu.Unlock()
	if i.answer == nil {
		return 0, fmt.Errorf("no results of %q to choose from", i.Query)
	}
	at := slices.IndexFunc(i.answer.Results, func(r Result) bool { return r.ID == id })
	if at < 0 {
		return 0, fmt.Errorf("no result %q of %q", id, i.Query)
	}
	c := i.chat
	m := i.answer.Results[at].Message
	m.From, m.ViaBot = i.From, true
	c.append(&m)
	if len(m.Buttons) > 0 { // others cannot be edited
		s.nextInline++
		m.InlineID = "AgAA" + strconv.FormatInt(s.nextInline, 36)
		s.inlined[m.InlineID] = inlined{c, &m}
	}
	if s.bot.Feedback {
		chosen := map[string]any{"result_id": id, "from": c.user(i.From), "query": i.Query}
		if m.InlineID != "" {
			chosen["inline_message_id"] = m.InlineID
		}
		s.pushTo(c, "c"+strconv.FormatInt(i.From, 10), 600*time.Second, "chosen_inline_result", chosen)
	}
	if !c.apart && c.Type != "channel" && c.here() {
		s.push(c, "message", c.told(&m, Said{}))
	}
	s.wake()
	return m.ID, nil
}

type inlined struct {
	chat    *Chat
	message *Message
}

// Print writes the results as the reader sees them.
func (a InlineAnswer) Print(w io.Writer) {
	if a.Button != "" {
		_, _ = fmt.Fprintf(w, " [%s]\n", a.Button)
	}
	for _, r := range a.Results {
		_, _ = fmt.Fprintf(w, "%s\n", r.Title)
		if r.Description != "" {
			_, _ = fmt.Fprintf(w, "  %s\n", r.Description)
		}
		if r.Thumbnail != "" {
			_, _ = fmt.Fprintf(w, "  ▣ %s\n", r.Thumbnail)
		}
	}
	if a.NextOffset != "" {
		_, _ = fmt.Fprintln(w, "  …")
	}
}

type inputResult struct {
	Type    string `json:"type"`
	ID      string `json:"id"`
	Title   string `json:"title"`
	Content *struct {
		Text      string   `json:"message_text"`
		ParseMode string   `json:"parse_mode"`
		Entities  []Entity `json:"entities"`
		Preview   *Preview `json:"link_preview_options"`
	} `json:"input_message_content"`
	Markup      *keyboardMarkup `json:"reply_markup"`
	URL         string          `json:"url"`
	Description string          `json:"description"`
	Thumbnail   string          `json:"thumbnail_url"`
	Width       int             `json:"thumbnail_width"`
	Height      int             `json:"thumbnail_height"`
}

func (s *Server) answerInlineQuery(p params) (any, *refusal) {
	if p["inline_query_id"] == "" {
		return nil, bad("inline query identifier is empty")
	}
	var inputs []inputResult
	if err := strict(p["results"], &inputs); err != nil {
		return nil, bad("%s%v", unparsableResults, err)
	}
	if len(inputs) > maxInlineResults {
		return nil, bad("too many inline query results specified")
	}
	answer := &InlineAnswer{NextOffset: p["next_offset"], Personal: p["is_personal"] == "true", CacheTime: inlineCache}
	for _, in := range inputs {
		result, refused := readResult(in)
		if refused != nil {
			return nil, refused
		}
		answer.Results = append(answer.Results, result)
	}
	if text := p["cache_time"]; text != "" {
		seconds, ok := integer(text)
		if !ok || seconds < 0 {
			return nil, bad("invalid cache_time specified")
		}
		answer.CacheTime = time.Duration(seconds) * time.Second
	}
	if refused := answer.button(p["button"]); refused != nil {
		return nil, refused
	}
	now := s.options.Now()
	i := s.inline[p["inline_query_id"]]
	if i == nil || i.settled || now.Sub(i.asked) >= inlineLifetime {
		return nil, bad(tooOldQuery)
	}
	if refused := checkResults(answer); refused != nil {
		return nil, refused
	}
	i.settled, i.answer = true, answer
	key := cacheKey{i.Query, i.Offset, i.chat.where(), 0}
	if answer.Personal {
		key.from = i.From
	}
	if answer.CacheTime > 0 {
		s.cache[key] = cachedAnswer{answer, now.Add(answer.CacheTime)}
	}
	return true, nil
}

// readResult is what the Bot API server checks before it asks the platform.
func readResult(in inputResult) (Result, *refusal) {
	out := Result{ID: in.ID, Title: in.Title, Description: in.Description, URL: in.URL, Thumbnail: in.Thumbnail}
	switch {
	case in.Type != "article":
		return out, bad("%stype %q is unsupported for the inline query result", unparsableResults, in.Type)
	case in.Content == nil:
		return out, bad("%sCan't find field \"input_message_content\"", unparsableResults)
	}
	about := params{"text": in.Content.Text, "parse_mode": in.Content.ParseMode}
	if len(in.Content.Entities) > 0 {
		about["entities"] = string(raw(in.Content.Entities))
	}
	m, refused := content(about)
	if refused != nil {
		words := strings.TrimPrefix(refused.words, "Bad Request: ")
		return out, bad("%s%s", unparsableResults, strings.ToUpper(words[:1])+words[1:])
	}
	if in.Content.Preview != nil {
		m.Preview = *in.Content.Preview
	}
	if in.Markup != nil {
		if refused := in.Markup.check(); refused != nil {
			return out, refused
		}
		m.Buttons = in.Markup.Rows
	}
	out.Message = m
	return out, nil
}

var startShape = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

func (a *InlineAnswer) button(text string) *refusal {
	if text == "" {
		return nil
	}
	var button struct {
		Text  string `json:"text"`
		Start string `json:"start_parameter"`
	}
	if err := strict(text, &button); err != nil {
		return bad("can't parse inline query results button: %v", err)
	}
	switch {
	case button.Text == "":
		return bad("SWITCH_PM_TEXT_EMPTY")
	case button.Start == "":
		return bad("START_PARAM_EMPTY")
	case len(button.Start) > maxInlineButton || !startShape.MatchString(button.Start):
		return bad("START_PARAM_INVALID")
	}
	a.Button, a.Start = button.Text, button.Start
	return nil
}

// checkResults is what the platform itself checks.
func checkResults(a *InlineAnswer) *refusal {
	if len(a.NextOffset) > maxInlineOffset {
		return bad("NEXT_OFFSET_INVALID")
	}
	seen := map[string]bool{}
	for _, r := range a.Results {
		switch {
		case r.ID == "":
			return bad("RESULT_ID_EMPTY")
		case len(r.ID) > maxInlineID || !utf8.ValidString(r.ID):
			return bad("RESULT_ID_INVALID")
		case seen[r.ID]:
			return bad("RESULT_ID_DUPLICATE")
		case strings.TrimSpace(r.Title) == "":
			return bad("ARTICLE_TITLE_EMPTY")
		case r.Thumbnail != "" && !webAddress(r.Thumbnail):
			return bad("WEBDOCUMENT_URL_INVALID")
		case r.URL != "" && !webAddress(r.URL):
			return bad("ARTICLE_URL_INVALID")
		}
		seen[r.ID] = true
	}
	return nil
}

func webAddress(address string) bool {
	return (strings.HasPrefix(address, "http://") || strings.HasPrefix(address, "https://")) && checkURL(address) != ""
}
