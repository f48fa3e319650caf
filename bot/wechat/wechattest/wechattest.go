// Package wechattest plays the WeChat platform for tests: the API that an
// Official Account's server calls, and the caller that posts readers' messages
// to it. It is as strict as the platform is known to be, keeps what each reader
// sees on the phone, and has a clock of its own, so that nothing sleeps. Its
// cryptography is written apart from the library's, to check it.
package wechattest

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Limits of the platform, in UTF-8 bytes where they are of text.
const (
	MaxText       = 2048
	tokenLife     = 2 * time.Hour
	retryAfter    = 5 * time.Second
	tries         = 3
	unstableADay  = 2000
	forcedADay    = 20
	saidMessages  = 5
	saidWindow    = 48 * time.Hour
	clickMessages = 3
	clickWindow   = time.Minute
)

// A Mode is how the platform posts messages.
type Mode string

const (
	Plain      Mode = "plain"
	Compatible Mode = "compatible"
	Safe       Mode = "safe"
)

// An Account is what the publisher's settings page shows. Zero fields get
// values of their own; two servers never share an appid.
type Account struct {
	AppID    string
	Secret   string
	Token    string
	AESKey   string
	ID       string // the account's own user name, gh_…
	Mode     Mode
	Verified bool
	Service  bool   // a service account instead of a subscription account
	OneTime  string // the template id of one-time subscriptions
}

// A Clock is a time that stands still until it is advanced.
type Clock struct {
	mu     sync.Mutex
	at     time.Time
	passed []func() // called after each advance
}

// NewClock starts a clock.
func NewClock(at time.Time) *Clock { return &Clock{at: at} }

// Now is the clock's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// Advance moves the clock. What happens on the platform by then has happened
// when it returns.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	c.at = c.at.Add(d)
	passed := slices.Clone(c.passed)
	c.mu.Unlock()
	for _, do := range passed {
		do()
	}
}

func (c *Clock) onAdvance(do func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.passed = append(c.passed, do)
}

// A Server is the platform, with one account on it.
type Server struct {
	Account
	URL string // of the API: the account's api_url

	t       testing.TB
	now     func() time.Time
	api     *httptest.Server
	client  *http.Client
	advance func(time.Duration)

	mu        sync.Mutex
	callback  string
	readers   map[string]*Reader
	messageID int64
	stable    token
	unstable  token
	counts    map[string]int // of calls, by path and Beijing day
	faults    map[string][]fault
	calls     map[string]int
	blocked   string // the caller's address, when it is not whitelisted
	lose      int
	ahead     time.Duration

	handMade    []Button // the menu, when the administration made it
	menuHidden  bool
	conditional int
	refused     string // a token that is no longer taken, though it is still given
	problems    []string

	calling       map[string]endpoint // by method and path
	auto          bool
	queued        []event
	background    sync.WaitGroup
	tags          []tag
	menu          []Button
	serials       int
	keptBefore    int
	materials     []Material
	drafts        []Draft
	masses        []*Mass
	protected     bool
	notices       []Template
	templates     []Template
	sentTemplates map[string]sentTemplate // by openid and client_msg_id
	codes         map[string]qrCode       // by what their pictures say
	failing       int                     // template messages
	published     map[string][]News       // articles by article_id
}

// New starts a platform whose clock is clock; with nil it is the machine's, for
// programs that run in another process. At the end of the test, whatever the
// account did wrong and the test did not take (see Problems) fails it.
func New(t testing.TB, account Account, clock *Clock) *Server {
	t.Helper()
	account.fill()
	s := &Server{
		Account: account, t: t, now: time.Now, advance: func(time.Duration) {},
		client:  &http.Client{Timeout: retryAfter},
		readers: map[string]*Reader{}, counts: map[string]int{}, faults: map[string][]fault{}, calls: map[string]int{},
		messageID: 24_000_000_000_000_000,
	}
	s.calling, s.tags, s.published = s.endpoints(), []tag{{starred, "星标组"}}, map[string][]News{}
	s.sentTemplates, s.codes = map[string]sentTemplate{}, map[string]qrCode{}
	if clock != nil {
		s.now, s.advance = clock.Now, clock.Advance
		clock.onAdvance(s.expire)
	}
	s.api = httptest.NewServer(http.HandlerFunc(s.serveAPI))
	s.URL = s.api.URL
	t.Cleanup(func() {
		s.background.Wait()
		s.client.CloseIdleConnections()
		s.api.Close()
		for _, problem := range s.Problems() {
			t.Errorf("wechattest: %s", problem)
		}
	})
	return s
}

func (a *Account) fill() {
	random := strings.ToLower(rand.Text())
	for _, f := range []struct {
		field *string
		value string
	}{
		{&a.AppID, "wx" + random[:16]}, {&a.Secret, "s3cr3t" + random}, {&a.Token, "T" + random[:12]},
		{&a.AESKey, NewAESKey()}, {&a.ID, "gh_" + random[4:16]}, {&a.OneTime, "ONCE_" + random[:12]},
	} {
		if *f.field == "" {
			*f.field = f.value
		}
	}
	if a.Mode == "" {
		a.Mode = Safe
	}
}

// NewAESKey makes an EncodingAESKey.
func NewAESKey() string {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw)
	return strings.TrimSuffix(base64.StdEncoding.EncodeToString(raw), "=")
}

// Skew sets how far the clock of the API is ahead of the account's server.
func (s *Server) Skew(ahead time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ahead = ahead
}

// Connect makes handler the account's server, behind real HTTP.
func (s *Server) Connect(handler http.Handler) {
	server := httptest.NewServer(handler)
	s.t.Cleanup(server.Close)
	s.ConnectURL(server.URL)
}

// ConnectURL makes the account's server the one at address.
func (s *Server) ConnectURL(address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.callback = address
}

// Problems takes what the account did wrong so far.
func (s *Server) Problems() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	problems := s.problems
	s.problems = nil
	return problems
}

// problem notes something wrong; s.mu must be held.
func (s *Server) problem(format string, args ...any) {
	s.problems = append(s.problems, fmt.Sprintf(format, args...))
}

// Reader is the reader called openid, who need not follow the account yet.
func (s *Server) Reader(openid string) *Reader {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.readers[openid]
	if r == nil {
		r = &Reader{OpenID: openid, server: s}
		s.readers[openid] = r
	}
	return r
}

// Follower is a reader who already follows the account, without an event.
func (s *Server) Follower(openid string) *Reader {
	r := s.Reader(openid)
	s.mu.Lock()
	defer s.mu.Unlock()
	r.follows = true
	return r
}

// serial is a number that was not used before; s.mu must be held.
func (s *Server) serial() string {
	s.serials++
	return fmt.Sprintf("%s%06d", s.ID, s.serials)
}
