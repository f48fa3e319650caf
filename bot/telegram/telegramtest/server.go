// Package telegramtest plays Telegram: a Bot API server for one bot, as strict
// as the real one and with its words, and the readers who talk to the bot.
//
// A test starts a Server, points an adapter at its URL, lets a reader say or
// tap something and waits for what that reader sees:
//
//	s := telegramtest.Start(t, telegramtest.Options{})
//	reader := s.Chat(7)
//	reader.Say("tea")
//	messages, err := reader.Wait(ctx, 1)
//
// What the real server would ignore and a careful client never sends, unknown
// parameters, is refused too. It owns no table.
package telegramtest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Options are what a Server may be told; the zero value is a server without
// rate limits for the bot @newsie_bot.
type Options struct {
	Token    string           // "" is Token
	Username string           // "" is newsie_bot
	Rich     bool             // a server of Bot API 10.1 or newer: it has sendRichMessage
	Inline   bool             // @BotFather's /setinline; SetBot changes it
	Now      func() time.Time // the clock of dates and rates; nil: time.Now
	Rates    bool             // hold the bot to the platform's rates, with 429
	Local    bool             // as a self-hosted server: webhooks may be http, on any port
	Latency  time.Duration    // how long every call takes
	// PrivatePictures lets photos be fetched from loopback and private addresses,
	// which the platform cannot reach.
	PrivatePictures bool
	// Pictures answers the requests by which the server fetches photos; nil: the network.
	Pictures http.RoundTripper
	// RetryWebhook is how long a second is between a refused webhook request and
	// its repetition; 0: ten milliseconds. Pauses and Retry-After are counted in it.
	RetryWebhook time.Duration
}

// Token is the bot's token unless Options say otherwise.
const Token = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"

// BotID is the bot's own user id.
const BotID = 110201543

// A Server is a Bot API server with one bot. Its methods are safe for concurrent use.
type Server struct {
	options  Options
	http     *httptest.Server
	methods  map[string]method
	pictures *http.Client
	stop     chan struct{}
	running  sync.WaitGroup

	mu        sync.Mutex
	changed   chan struct{} // closed and replaced at a change, if anybody watches
	watched   bool
	news      chan struct{} // closed and replaced when there are updates, or another webhook
	chats     map[int64]*Chat
	calls     []Call
	faults    map[string][]Fault
	updates   []queued
	nextID    int64 // of updates
	allowed   map[string]bool
	poller    chan struct{} // closed when another poller comes
	hook      webhook
	callbacks map[string]bool // id -> answered
	commands  map[menuKey]string
	names     map[string]*Chat // by username, in small letters
	bot       Bot
	rates     rates
	files     map[string]*Picture // by file_id
	nextFile  int

	inline     map[string]*Inline // queries by id
	inlined    map[string]inlined // messages by inline_message_id
	cache      map[cacheKey]cachedAnswer
	nextInline int64
}

// A Bot is what the server says about the bot.
type Bot struct {
	Username string
	ReadsAll bool // privacy mode is switched off
	Inline   bool // inline mode is switched on
	Feedback bool // and the bot is told which result was chosen
}

// A Call is one request of the bot.
type Call struct {
	Method string
	Params map[string]string
	At     time.Time
	Code   int // of the answer: 200, 400, …
}

// Start runs a server until the test ends.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	s := New(o)
	t.Cleanup(s.Close)
	return s
}

// New runs a server until Close.
func New(o Options) *Server {
	if o.Token == "" {
		o.Token = Token
	}
	if o.Username == "" {
		o.Username = "newsie_bot"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.RetryWebhook == 0 {
		o.RetryWebhook = 10 * time.Millisecond
	}
	s := &Server{
		options: o, stop: make(chan struct{}), changed: make(chan struct{}), news: make(chan struct{}), chats: map[int64]*Chat{},
		faults: map[string][]Fault{}, nextID: 1000, callbacks: map[string]bool{}, commands: map[menuKey]string{}, names: map[string]*Chat{},
		bot:    Bot{Username: o.Username, Inline: o.Inline},
		inline: map[string]*Inline{}, inlined: map[string]inlined{}, cache: map[cacheKey]cachedAnswer{}, rates: rates{chats: map[int64][]time.Time{}},
		methods: methods(o.Rich), pictures: pictureClient(o.PrivatePictures, o.Pictures), files: map[string]*Picture{},
	}
	s.http = httptest.NewServer(http.HandlerFunc(s.serve))
	return s
}

// Close ends polls and webhook deliveries, and the server.
func (s *Server) Close() {
	s.mu.Lock()
	select {
	case <-s.stop:
	default:
		close(s.stop)
	}
	s.mu.Unlock()
	s.http.CloseClientConnections()
	s.http.Close()
	s.running.Wait()
}

// URL is the api_url for the adapter.
func (s *Server) URL() string { return s.http.URL }

// Token is the bot's token.
func (s *Server) Token() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.options.Token
}

// Revoke gives the bot a new token; the old one is refused from now on.
func (s *Server) Revoke(token string) { s.change(func() { s.options.Token = token }) }

// SetBot changes what the server says about the bot.
func (s *Server) SetBot(b Bot) { s.change(func() { s.bot = b }) }

// Calls lists the bot's requests of a method, or all of them for "".
func (s *Server) Calls(method string) []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	var calls []Call
	for _, c := range s.calls {
		if method == "" || c.Method == method {
			calls = append(calls, c)
		}
	}
	return calls
}

// change runs fn under the lock and wakes everybody who waits.
func (s *Server) change(fn func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fn()
	s.wake()
}

// wake tells those who watch the chats that something changed.
func (s *Server) wake() {
	if s.watched {
		close(s.changed)
		s.changed, s.watched = make(chan struct{}), false
	}
}

// watch is closed at the next change.
func (s *Server) watch() <-chan struct{} {
	s.watched = true
	return s.changed
}

// tell wakes whoever waits for updates.
func (s *Server) tell() {
	close(s.news)
	s.news = make(chan struct{})
	s.wake()
}

// A refusal is an answer with ok false.
type refusal struct {
	code       int
	words      string
	retryAfter int
	migrateTo  int64
}

func (r *refusal) Error() string { return r.words }

func bad(format string, args ...any) *refusal {
	return &refusal{code: 400, words: "Bad Request: " + fmt.Sprintf(format, args...)}
}

type params map[string]string

// A method checks a call and does it, under the lock. What takes long is
// brought by load before, under no lock.
type method struct {
	allowed map[string]bool // the parameters it knows
	run     func(s *Server, p params) (any, *refusal)

	load  func(s *Server, ctx context.Context, p params, got *loaded)
	media func(s *Server, p params, got loaded) (any, *refusal) // instead of run
}

const (
	sending = "chat_id message_thread_id disable_notification allow_paid_broadcast protect_content reply_parameters reply_markup "
	editing = "chat_id message_id inline_message_id reply_markup "
)

func methods(rich bool) map[string]method {
	all := map[string]method{}
	add := func(name, allowed string, run func(s *Server, p params) (any, *refusal)) {
		all[name] = method{allowed: set(allowed), run: run}
	}
	add("getMe", "", (*Server).getMe)
	add("sendMessage", sending+"text parse_mode entities link_preview_options", (*Server).sendMessage)
	add("editMessageCaption", editing+"caption parse_mode caption_entities show_caption_above_media", (*Server).editMessageCaption)
	add("editMessageReplyMarkup", editing, (*Server).editMessageReplyMarkup)
	add("deleteMessage", "chat_id message_id", (*Server).deleteMessage)
	add("answerCallbackQuery", "callback_query_id text show_alert url cache_time", (*Server).answerCallback)
	add("answerInlineQuery", "inline_query_id results cache_time is_personal next_offset button", (*Server).answerInlineQuery)
	add("sendChatAction", "chat_id message_thread_id action", (*Server).chatAction)
	add("setMyCommands", "commands scope language_code", (*Server).setMyCommands)
	add("getMyCommands", "scope language_code", (*Server).getMyCommands)
	add("deleteMyCommands", "scope language_code", (*Server).deleteMyCommands)
	add("getChat", "chat_id", (*Server).getChat)
	add("getChatMember", "chat_id user_id", (*Server).getChatMember)
	add("getChatAdministrators", "chat_id", (*Server).getChatAdministrators)
	add("setWebhook", "url secret_token allowed_updates max_connections drop_pending_updates", (*Server).setWebhook)
	add("deleteWebhook", "drop_pending_updates", (*Server).deleteWebhook)
	add("getWebhookInfo", "", (*Server).webhookInfo)
	all["getUpdates"] = method{allowed: set("offset limit timeout allowed_updates")}
	all["sendPhoto"] = method{
		allowed: set(sending + "photo caption parse_mode caption_entities show_caption_above_media has_spoiler"),
		load:    func(s *Server, ctx context.Context, p params, got *loaded) { s.load(ctx, got, p["photo"]) },
		media:   (*Server).sendPhoto,
	}
	all["editMessageText"] = method{
		allowed: set(editing + "text parse_mode entities link_preview_options rich_message"),
		load:    (*Server).loadRich, media: (*Server).editMessageText,
	}
	if rich {
		all["sendRichMessage"] = method{allowed: set(sending + "rich_message"), load: (*Server).loadRich, media: (*Server).sendRichMessage}
	}
	all["editMessageMedia"] = method{allowed: set(editing + "media"), load: (*Server).loadMedia, media: (*Server).editMessageMedia}
	return all
}

func set(names string) map[string]bool {
	all := map[string]bool{}
	for _, name := range strings.Fields(names) {
		all[name] = true
	}
	return all
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	token, name, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/bot"), "/")
	if !ok || !strings.HasPrefix(r.URL.Path, "/bot") || !strings.Contains(token, ":") {
		respond(w, nil, &refusal{code: 404, words: "Not Found"})
		return
	}
	if s.Token() != token {
		respond(w, nil, &refusal{code: 401, words: "Unauthorized"})
		return
	}
	p, got, refused := read(w, r)
	if refused != nil {
		respond(w, nil, refused)
		return
	}
	if s.options.Latency > 0 {
		select {
		case <-time.After(s.options.Latency):
		case <-s.stop:
		}
	}
	fault := s.nextFault(name)
	if fault.before(w, r, s.stop) {
		return
	}
	result, refused := s.run(r, name, p, got)
	s.record(name, p, refused)
	if fault == ResetAfter {
		hangUp(w)
		return
	}
	respond(w, result, refused)
}

// read takes the parameters and files of a call.
func read(w http.ResponseWriter, r *http.Request) (params, loaded, *refusal) {
	var got loaded
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind == "multipart/form-data" {
		r.Body = http.MaxBytesReader(w, r.Body, maxUpload)
		if err := r.ParseMultipartForm(maxUpload); err != nil {
			return nil, got, tooLarge()
		}
		got.files = map[string][]byte{}
		for name, files := range r.MultipartForm.File {
			f, err := files[0].Open()
			if err != nil {
				return nil, got, bad("can't read the file %q", name)
			}
			data, err := io.ReadAll(f)
			_ = f.Close()
			if err != nil {
				return nil, got, bad("can't read the file %q", name)
			}
			got.files[name] = data
		}
		return first(r.MultipartForm.Value), got, nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, got, tooLarge()
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, got, bad("can't parse the request")
	}
	return first(form), got, nil
}

const (
	maxBody   = 1 << 20
	maxUpload = 50 << 20
)

func tooLarge() *refusal { return &refusal{code: 413, words: "Request Entity Too Large"} }

func first(form map[string][]string) params {
	p := make(params, len(form))
	for key, values := range form {
		p[key] = values[0]
	}
	return p
}

func (s *Server) run(r *http.Request, name string, p params, got loaded) (any, *refusal) {
	m, ok := s.methods[name]
	if !ok {
		return nil, &refusal{code: 404, words: "Not Found"}
	}
	for key := range p {
		if !m.allowed[key] {
			return nil, bad("unknown parameter %q", key)
		}
	}
	if name == "getUpdates" {
		return s.getUpdates(r, p)
	}
	if m.load != nil {
		m.load(s, r.Context(), p, &got)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.wake()
	if m.media != nil {
		return m.media(s, p, got)
	}
	return m.run(s, p)
}

func (s *Server) record(name string, p params, refused *refusal) {
	code := 200
	if refused != nil {
		code = refused.code
	}
	s.change(func() {
		s.calls = append(s.calls, Call{Method: name, Params: p, At: s.options.Now(), Code: code})
	})
}

func respond(w http.ResponseWriter, result any, refused *refusal) {
	answer := map[string]any{"ok": refused == nil}
	code := http.StatusOK
	if refused == nil {
		answer["result"] = result
	} else {
		code = refused.code
		answer["error_code"], answer["description"] = refused.code, refused.words
		more := map[string]any{}
		if refused.retryAfter > 0 {
			more["retry_after"] = refused.retryAfter
		}
		if refused.migrateTo != 0 {
			more["migrate_to_chat_id"] = refused.migrateTo
		}
		if len(more) > 0 {
			answer["parameters"] = more
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(answer)
}

// self is the bot as a user.
func (s *Server) self() map[string]any {
	return map[string]any{"id": BotID, "is_bot": true, "first_name": "newsie", "username": s.bot.Username}
}

func (s *Server) getMe(params) (any, *refusal) {
	return map[string]any{
		"id": BotID, "is_bot": true, "first_name": "newsie", "username": s.bot.Username,
		"can_join_groups": true, "can_read_all_group_messages": s.bot.ReadsAll, "supports_inline_queries": s.bot.Inline,
	}, nil
}

// actions are what sendChatAction knows.
func actions() map[string]bool {
	return set("typing upload_photo record_video upload_video record_voice upload_voice upload_document choose_sticker find_location record_video_note upload_video_note")
}

func (s *Server) chatAction(p params) (any, *refusal) {
	_, _, refused := s.destination(p)
	if refused == nil && !actions()[p["action"]] {
		refused = bad("wrong parameter action in request")
	}
	return true, refused
}

// strict decodes JSON in which every field must be known.
func strict(text string, into any) error {
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if d.More() {
		return fmt.Errorf("something follows the value")
	}
	return nil
}

func integer(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}
