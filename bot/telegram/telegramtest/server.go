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
//
// # What is certain
//
// The words and byte offsets of bad entities, of scopes and of inline results,
// how long updates are kept, in which queues a webhook gets them and when it is
// tried again follow the published source of the Bot API server; limits follow
// its documentation. From memory and from what others quote are:
//
//   - the rates (30 in a second over all chats, about 1 in a chat, 20 a minute in
//     a group) and how short a burst in a chat may be; BALANCE_TOO_LOW;
//   - PHOTO_INVALID_DIMENSIONS, IMAGE_PROCESS_FAILED and which picture gets which
//     of the words about HTTP URLs; which kinds of pictures are taken;
//   - RESULT_ID_EMPTY, RESULT_ID_INVALID, NEXT_OFFSET_INVALID, ARTICLE_TITLE_EMPTY,
//     WEBDOCUMENT_URL_INVALID, START_PARAM_INVALID, BUTTON_COPY_TEXT_INVALID,
//     BUTTON_TYPE_INVALID and TOPIC_CLOSED as the place where they are said;
//   - all words about rich messages, what may stand in what, that the paragraph of
//     a list item counts as a block, and the names of their blocks;
//   - that the privacy mode lets mentions through.
package telegramtest

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
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
	Stars    bool             // the bot has the Telegram Stars that paid broadcasts need
	NoHold   bool             // answer polls at once, as servers of other makes do
	Chaos    Chaos            // what goes wrong by chance
	Keep     int              // keep so many messages of a chat, at least; 0: all. For benchmarks and fuzzing
	NoCalls  bool             // keep no list of calls: for benchmarks
	Rates    bool             // hold the bot to the platform's rates, with 429
	Local    bool             // as a self-hosted server: webhooks may be http, on any port
	Latency  time.Duration    // how long every call takes
	// PrivatePictures lets photos be fetched from loopback and private addresses,
	// which the platform cannot reach.
	PrivatePictures bool
	// Pictures answers the requests by which the server fetches photos; nil: the network.
	Pictures http.RoundTripper
	// Webhooks sends the updates to the webhook; nil: the network.
	Webhooks http.RoundTripper
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
	broken    map[string]Broken
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
	meter     meter
	chance    *rand.Rand
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
		faults: map[string][]Fault{}, broken: map[string]Broken{}, nextID: 1000, callbacks: map[string]bool{}, commands: map[menuKey]string{}, names: map[string]*Chat{},
		bot:    Bot{Username: o.Username, Inline: o.Inline},
		inline: map[string]*Inline{}, inlined: map[string]inlined{}, cache: map[cacheKey]cachedAnswer{}, rates: rates{chats: map[int64]*window{}},
		methods: methods(o.Rich), pictures: pictureClient(o.PrivatePictures, o.Pictures), files: map[string]*Picture{},
	}
	s.chance = rand.New(rand.NewPCG(o.Chaos.Seed, 0))
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
