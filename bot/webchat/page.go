package webchat

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"newsie/bot"
	"newsie/internal/database"
	"newsie/internal/locale"
	"newsie/internal/remote"
)

const (
	maxBody       = 64 << 10
	pageSize      = 60 // messages of the history on one page
	answerTimeout = 20 * time.Second
	repeatTimeout = 5 * time.Second // how long a repeated message waits for the first one's answer
	welcomeAge    = time.Minute

	// fragmentHeader is sent by our script, which wants the new messages and no page.
	fragmentHeader = "Newsie-Fragment"
	// noteHeader tells our script what else happened: "new" (another cookie was
	// given) or "forgotten" (the chat was deleted).
	noteHeader = "Newsie-Chat"

	policy = "default-src 'none'; img-src 'self' https:; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)

// ServeHTTP serves the chat's page, its script and style, its event stream and
// the messages that readers post.
func (c *Channel) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	// Not "no-referrer": with that browsers call the origin of our own forms "null".
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")

	rest, ok := strings.CutPrefix(r.URL.Path, c.base)
	if !ok && r.URL.Path+"/" == c.base {
		http.Redirect(w, r, c.link(""), http.StatusMovedPermanently)
		return
	}
	read := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch {
	case !ok:
		http.NotFound(w, r)
	case rest == "" && read:
		c.page(w, r)
	case rest == "" && r.Method == http.MethodPost:
		c.say(w, r)
	case rest == "suggest" && read && c.config.Suggest != nil:
		c.suggest(w, r)
	case rest == "events" && r.Method == http.MethodGet:
		c.events(w, r)
	case c.assets.serve(w, r, rest):
	case rest == "" || rest == "events":
		h.Set("Allow", "GET, HEAD, POST")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
	default:
		http.NotFound(w, r)
	}
}

// link is the address of something below the chat, as a browser sees it.
func (c *Channel) link(rest string) string {
	return strings.TrimRight(c.public.EscapedPath(), "/") + "/chat/" + url.PathEscape(c.config.Name) + "/" + rest
}

// page shows the chat. Looking at it leaves nothing in the database.
func (c *Channel) page(w http.ResponseWriter, r *http.Request) {
	chat, known, err := c.reader(r)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	var entries []entry
	if known {
		before, _ := strconv.ParseInt(r.URL.Query().Get("before"), 10, 64)
		if entries, err = c.history.before(r.Context(), chat, max(before, 0), pageSize+1); err != nil {
			c.fail(w, r, err)
			return
		}
	}
	// Given before anything is said, so that a double click is one reader's.
	if err := c.remember(w, r, chat); err != nil {
		c.fail(w, r, err)
		return
	}
	c.showPage(w, r, http.StatusOK, entries, payload(r.URL.Query()))
}

// showPage writes the page with some of the history, or with the welcome; with
// what the reader came by, if they did, also with that.
func (c *Channel) showPage(w http.ResponseWriter, r *http.Request, status int, entries []entry, start string) {
	fresh := len(entries) == 0
	if fresh || start != "" {
		_, words := c.language(r)
		entries = append(entries, entry{reply: c.welcome(r.Context(), words, start), at: c.config.Now()})
	}
	var html bytes.Buffer
	if err := c.renderPage(&html, c.printer(r, entries), entries, fresh, start); err != nil {
		c.fail(w, r, err)
		return
	}
	c.write(w, status, html.Bytes())
}

func (c *Channel) write(w http.ResponseWriter, status int, html []byte) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(html)
}

// printer speaks the language in which the bot spoke last, which the reader
// may have chosen, or else the browser's.
func (c *Channel) printer(r *http.Request, entries []entry) locale.Printer {
	for i := len(entries) - 1; i >= 0; i-- {
		if lang := entries[i].reply.Lang; lang != "" {
			return c.config.Catalog.Printer(lang)
		}
	}
	_, words := c.language(r)
	return c.config.Catalog.Printer(words)
}

// welcomes are the bot's words to somebody who opens the chat: made once a
// minute, however many come.
type welcomes struct {
	mu   sync.Mutex
	made map[occasion]welcome
}

// An occasion is what a welcome depends on: the catalog's language, "" for
// readers of others, and what they come by, if they do.
type occasion struct{ words, start string }

// mostWelcomes bounds what is remembered; then it is begun anew.
const mostWelcomes = 1000

type welcome struct {
	reply bot.Reply
	until time.Time
}

// welcome asks the bot what it says to a newcomer. The message has no chat id:
// nobody is there yet whom anything could be kept about.
func (c *Channel) welcome(ctx context.Context, words, start string) bot.Reply {
	of := occasion{words, start}
	c.welcomes.mu.Lock()
	kept, ok := c.welcomes.made[of]
	c.welcomes.mu.Unlock()
	now := c.config.Now()
	if ok && now.Before(kept.until) {
		return kept.reply
	}
	reply, err := c.config.Handler(ctx, bot.Message{
		ID: "welcome-" + rand.Text(), Kind: bot.Join, Chat: bot.ChatID{Channel: c.config.Name}, Text: startText(start), Lang: words, At: now,
	})
	if err != nil && ctx.Err() == nil {
		c.config.Logger.Error("welcome a reader", "error", err)
	}
	if err != nil || reply.Empty() {
		printer := c.config.Catalog.Printer(words)
		reply = bot.Reply{Lang: printer.Lang(), Text: printer.T("webchat.welcome", "Title", c.config.Title)}
	}
	if err != nil {
		return reply
	}
	c.welcomes.mu.Lock()
	defer c.welcomes.mu.Unlock()
	if c.welcomes.made == nil || len(c.welcomes.made) >= mostWelcomes {
		c.welcomes.made = map[occasion]welcome{}
	}
	c.welcomes.made[of] = welcome{reply, now.Add(welcomeAge)}
	return reply
}

// said is what a form brought.
type said struct {
	kind  bot.Kind
	text  string // what the bot hears
	shown string // what the reader sees as their own words
	once  string // the form's own random id
	zone  string
}

// say takes a message, answers it, and shows the answer.
func (c *Channel) say(w http.ResponseWriter, r *http.Request) {
	if err := c.origin.Check(r); err != nil {
		c.refuse(w, r, http.StatusForbidden, "webchat.refused")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			c.refuse(w, r, http.StatusRequestEntityTooLarge, "webchat.too_long")
			return
		}
		c.refuse(w, r, http.StatusBadRequest, "webchat.trouble")
		return
	}
	chat, known, err := c.reader(r)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	if err := c.remember(w, r, chat); err != nil {
		c.fail(w, r, err)
		return
	}
	// A reader who closes the tab still gets the answer into the history.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), answerTimeout)
	defer cancel()
	entries, forgotten, err := c.hear(ctx, r, chat)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	if forgotten {
		if err := c.remember(w, r, ""); err != nil {
			c.fail(w, r, err)
			return
		}
	}
	c.showAnswer(w, r, entries, known, forgotten)
}

// hear answers what a form brought: by what the reader came, if they just did,
// and then what they said.
func (c *Channel) hear(ctx context.Context, r *http.Request, chat string) (entries []entry, forgotten bool, err error) {
	start, began := c.readStart(r)
	if began {
		if entries, forgotten, err = c.answer(ctx, r, chat, start); err != nil {
			return nil, false, err
		}
	}
	if s := readForm(r); !began || s.text != "" {
		var more []entry
		more, forgotten, err = c.answer(ctx, r, chat, s)
		entries = append(entries, more...)
	}
	return entries, forgotten, err
}

// showAnswer gives the script the new messages, and everybody else the page:
// by a redirect, so that reloading it says nothing twice.
func (c *Channel) showAnswer(w http.ResponseWriter, r *http.Request, entries []entry, known, forgotten bool) {
	kept := len(entries) > 0 && entries[0].id != 0
	switch {
	case r.Header.Get(fragmentHeader) != "":
		if forgotten {
			w.Header().Set(noteHeader, "forgotten")
		} else if !known {
			w.Header().Set(noteHeader, "new")
		}
		var html bytes.Buffer
		if err := c.renderEntries(&html, c.printer(r, entries), entries); err != nil {
			c.fail(w, r, err)
			return
		}
		c.write(w, http.StatusOK, html.Bytes())
	case len(entries) > 0 && (!kept || !known):
		// Nothing that a redirect would find again: not kept, or no cookies taken.
		c.showPage(w, r, http.StatusOK, entries, "")
	default:
		at := "#end"
		for _, e := range entries {
			if e.said {
				at = "#m" + strconv.FormatInt(e.id, 10)
			}
		}
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, c.link("")+at, http.StatusSeeOther)
	}
}

// readForm reads what was typed, or the button that was pressed.
func readForm(r *http.Request) said {
	s := said{kind: bot.Text, text: typed(r.PostForm.Get("text")), once: r.PostForm.Get("id")}
	s.shown = s.text
	if tap := typed(r.PostForm.Get("tap")); tap != "" {
		s.kind, s.text, s.shown = bot.Tap, tap, tap
		if label := typed(r.PostForm.Get("label")); label != "" {
			s.shown = label
		}
	}
	if zone := r.PostForm.Get("zone"); zone != "" && zone != "Local" && len(zone) <= 64 {
		if _, err := time.LoadLocation(zone); err == nil {
			s.zone = zone
		}
	}
	return s
}

// answer gives what a message adds to the chat, once for each form and text.
func (c *Channel) answer(ctx context.Context, r *http.Request, chat string, s said) (entries []entry, forgotten bool, err error) {
	to := bot.ChatID{Channel: c.config.Name, ID: chat}
	id := s.id(chat)
	fresh, receipt, done, err := c.config.Inbox.Begin(ctx, to, id)
	if err != nil {
		return nil, false, err
	}
	if !fresh {
		entries, err = c.repeat(ctx, chat, id, receipt, done)
		return entries, false, err
	}
	entries, forgotten, err = c.exchange(ctx, r, chat, id, s)
	if err != nil || forgotten {
		// Forgotten too: the inbox must not remember this reader either.
		return entries, forgotten, errors.Join(err, c.config.Inbox.Release(ctx, to, id))
	}
	receipt = ""
	if len(entries) > 0 {
		receipt = fmt.Sprintf("%d-%d", entries[0].id, entries[len(entries)-1].id)
	}
	if err := c.config.Inbox.Finish(ctx, to, id, receipt); err != nil {
		c.config.Logger.Error("keep the receipt of a browser message", "error", err) // the reader has the answer
	}
	return entries, false, nil
}

// exchange asks the bot and keeps the exchange, unless the bot is silent (no
// entries) or the reader was forgotten.
func (c *Channel) exchange(ctx context.Context, r *http.Request, chat, id string, s said) (entries []entry, forgotten bool, err error) {
	lang, words := c.language(r)
	newest, err := c.history.newest(ctx, chat)
	if err != nil {
		return nil, false, err
	}
	var greeting bot.Reply
	if newest == 0 && s.kind != bot.Join { // who comes is welcomed by the answer
		greeting = c.welcome(ctx, words, "")
	}
	end := c.hub.begin(chat)
	reply, err := c.config.Handler(ctx, bot.Message{
		ID: id, Kind: s.kind, Chat: bot.ChatID{Channel: c.config.Name, ID: chat}, Text: s.text,
		Lang: lang, Zone: s.zone, Addr: remote.Address(r, c.config.TrustedProxies), At: c.config.Now(),
	})
	forgotten = end()
	switch {
	case err != nil:
		return nil, forgotten, fmt.Errorf("answer in the browser chat: %w", err)
	case forgotten:
		now := c.config.Now()
		return []entry{{said: true, text: s.shown, at: now}, {reply: reply, at: now}}, true, nil
	case reply.Empty():
		return nil, false, nil
	}
	if entries, err = c.history.exchange(ctx, chat, s.shown, greeting, reply); err != nil {
		return nil, false, err
	}
	c.wake(chat)
	return entries, false, nil
}

// id names a message. It depends on the text, so that a page from the
// browser's cache, with its old form, can say something else; and on the chat,
// so that nobody can use up another reader's.
func (s said) id(chat string) string {
	once := s.once
	if once == "" || len(once) > 100 {
		once = rand.Text()
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{chat, once, string(s.kind), s.text}, "\x00")))
	return hex.EncodeToString(sum[:16])
}

// repeat gives the entries of a message that came before, waiting a little when
// it is still being answered.
func (c *Channel) repeat(ctx context.Context, chat, id, receipt string, done bool) ([]entry, error) {
	ctx, cancel := context.WithTimeout(ctx, repeatTimeout)
	defer cancel()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for !done {
		select {
		case <-ctx.Done():
			return nil, nil // the first request will show it
		case <-look.C:
		}
		var err error
		if receipt, done, err = c.config.Inbox.Reply(ctx, c.config.Name, id); err != nil {
			return nil, err
		}
	}
	var first, last int64
	if _, err := fmt.Sscanf(receipt, "%d-%d", &first, &last); err != nil {
		return nil, nil // answered by silence
	}
	return c.history.between(ctx, chat, first, last)
}

// fail logs an error and tells the reader that something is wrong, not what.
func (c *Channel) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() == nil {
		c.config.Logger.Error("serve the browser chat", "error", err)
	}
	if database.Away(err) {
		w.Header().Set("Retry-After", "5")
		c.refuse(w, r, http.StatusServiceUnavailable, "webchat.moment")
		return
	}
	c.refuse(w, r, http.StatusInternalServerError, "webchat.trouble")
}

// refuse says why a request was not served.
func (c *Channel) refuse(w http.ResponseWriter, r *http.Request, status int, key string) {
	printer := c.printer(r, nil)
	words := printer.T(key)
	var html bytes.Buffer
	if r.Header.Get(fragmentHeader) != "" {
		html.WriteString(words)
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	} else {
		var again url.Values
		if status >= http.StatusInternalServerError {
			again = r.PostForm
		}
		if err := c.renderNotice(&html, printer, words, again); err != nil {
			c.config.Logger.Error("render the browser chat", "error", err)
			html.Reset()
			html.WriteString(words)
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(html.Bytes())
}
