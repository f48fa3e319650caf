package webchat

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	maxStreams     = 4096 // of one process
	maxChatStreams = 8    // of one chat: a tab each
	streamBatch    = 50
)

// A hub wakes the open tabs of a chat, within this process. Those that other
// replicas hold hear of it by signals.
type hub struct {
	mu    sync.Mutex
	total int
	tabs  map[string]map[*tab]bool
	// answering counts the exchanges of a chat that are under way; a chat
	// forgotten meanwhile is marked, so that they leave no trace.
	answering map[string]*exchangeState
}

type exchangeState struct {
	running   int
	forgotten bool
}

// A tab is one open event stream.
type tab struct {
	news   chan struct{} // there is something new in the history
	forget chan struct{} // the history is gone
}

func newHub() *hub {
	return &hub{tabs: map[string]map[*tab]bool{}, answering: map[string]*exchangeState{}}
}

// open adds a tab, or reports that there are too many.
func (h *hub) open(chat string) (*tab, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.total >= maxStreams || len(h.tabs[chat]) >= maxChatStreams {
		return nil, false
	}
	t := &tab{news: make(chan struct{}, 1), forget: make(chan struct{}, 1)}
	if h.tabs[chat] == nil {
		h.tabs[chat] = map[*tab]bool{}
	}
	h.tabs[chat][t] = true
	h.total++
	return t, true
}

func (h *hub) leave(chat string, t *tab) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.tabs[chat], t)
	if len(h.tabs[chat]) == 0 {
		delete(h.tabs, chat)
	}
	h.total--
}

func (h *hub) wake(chat string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for t := range h.tabs[chat] {
		notify(t.news)
	}
}

// wakeAll wakes every tab: some wake may have been missed.
func (h *hub) wakeAll() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, tabs := range h.tabs {
		for t := range tabs {
			notify(t.news)
		}
	}
}

func (h *hub) forget(chat string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if state := h.answering[chat]; state != nil {
		state.forgotten = true
	}
	for t := range h.tabs[chat] {
		notify(t.forget)
	}
}

// notify never waits: one notice in the channel is as good as several.
func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// begin marks that a message of the chat is being answered. The function it
// returns ends that and tells whether the chat was forgotten meanwhile.
func (h *hub) begin(chat string) func() (forgotten bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	state := h.answering[chat]
	if state == nil {
		state = &exchangeState{}
		h.answering[chat] = state
	}
	state.running++
	return func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		if state.running--; state.running == 0 {
			delete(h.answering, chat)
		}
		return state.forgotten
	}
}

// events streams what is new in the reader's chat: every message as the HTML
// that the page would show, with its id, so that a browser that lost the
// connection goes on where it was.
func (c *Channel) events(w http.ResponseWriter, r *http.Request) {
	chat, known, err := c.reader(r)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	if !known {
		http.Error(w, "no chat", http.StatusForbidden)
		return
	}
	after, err := c.position(r, chat)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	t, ok := c.hub.open(chat)
	if !ok {
		w.Header().Set("Retry-After", "60")
		http.Error(w, "too many open tabs", http.StatusServiceUnavailable)
		return
	}
	defer c.hub.leave(chat, t)
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would hold the stream back
	s := stream{w: w, control: http.NewResponseController(w), timeout: c.config.WriteTimeout}
	if s.write("retry: 2000\n\n") == nil {
		c.follow(r, &s, chat, after, t)
	}
}

// position is the id of the last message the browser has.
func (c *Channel) position(r *http.Request, chat string) (int64, error) {
	for _, given := range []string{r.Header.Get("Last-Event-ID"), r.URL.Query().Get("after")} {
		if id, err := strconv.ParseInt(given, 10, 64); err == nil && id >= 0 {
			return id, nil
		}
	}
	return c.history.newest(r.Context(), chat)
}

// follow writes to a stream until the reader goes or the server stops.
func (c *Channel) follow(r *http.Request, s *stream, chat string, after int64, t *tab) {
	heartbeat := time.NewTicker(c.config.Heartbeat)
	defer heartbeat.Stop()
	var poll <-chan time.Time
	if c.config.DB.Postgres() {
		ticker := time.NewTicker(c.config.Poll)
		defer ticker.Stop()
		poll = ticker.C
	}
	look := true
	for {
		if look {
			next, err := c.news(r, s, chat, after)
			if err != nil {
				if !errors.Is(err, context.Canceled) && !errors.Is(err, errStreamGone) {
					c.config.Logger.Error("stream the browser chat", "error", err)
				}
				return
			}
			after = next
		}
		look = true
		var err error
		select {
		case <-r.Context().Done():
			return
		case <-c.closing:
			return
		case <-t.news:
		case <-poll:
		case <-t.forget:
			err = s.write("event: forgotten\ndata:\n\n")
		case <-heartbeat.C:
			look = false
			err = s.write(": still here\n\n")
		}
		if err != nil {
			return
		}
	}
}

// news writes the messages after an id and gives the id of the last.
func (c *Channel) news(r *http.Request, s *stream, chat string, after int64) (int64, error) {
	for {
		entries, err := c.history.after(r.Context(), chat, after, streamBatch)
		if err != nil {
			return after, err
		}
		for _, e := range entries {
			var html bytes.Buffer
			if err := c.renderEntries(&html, c.printer(r, nil), []entry{e}); err != nil {
				return after, err
			}
			if err := s.event(e.id, html.String()); err != nil {
				return after, err
			}
			after = e.id
		}
		if len(entries) < streamBatch {
			return after, nil
		}
	}
}

var errStreamGone = errors.New("the reader closed the stream")

// A stream is a server-sent event response.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	timeout time.Duration // of one write
}

func (s *stream) event(id int64, data string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "id: %d\nevent: message\n", id)
	for line := range strings.Lines(strings.ReplaceAll(data, "\r", "")) {
		if line = strings.TrimSpace(line); line != "" {
			b.WriteString("data: " + line + "\n")
		}
	}
	b.WriteByte('\n')
	return s.write(b.String())
}

func (s *stream) write(text string) error {
	// The server's own write timeout is for pages; a stream lives on and only
	// each write must be quick. HTTP/2 ends a stream whose deadline passes even
	// when nothing is written, so there is none in between.
	defer func() { _ = s.control.SetWriteDeadline(time.Time{}) }()
	if err := s.control.SetWriteDeadline(time.Now().Add(s.timeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return errStreamGone
	}
	if _, err := s.w.Write([]byte(text)); err != nil {
		return errStreamGone
	}
	if err := s.control.Flush(); err != nil {
		return errStreamGone
	}
	return nil
}
