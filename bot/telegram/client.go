package telegram

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"
)

const (
	pollTimeout = 65 * time.Second // the server holds a poll for pollSeconds
	sendTimeout = 20 * time.Second // the server holds connections near its limits
	pollSeconds = 50
	bodyLimit   = 16 << 20 // a hundred updates at their longest are below 4 MB
)

// An Error is a call that failed. It never holds the token.
type Error struct {
	Method      string
	Status      int    // of the HTTP answer; 0: none came
	Code        int    // the API's error_code; 0: the answer was not the API's
	Description string // the API's words
	RetryAfter  time.Duration
	MigrateTo   int64 // the group's new id
	Written     bool  // without an answer: the request may have reached the server
	Err         error // what went wrong on the way
}

func (e *Error) Error() string {
	switch {
	case e.Code != 0:
		return fmt.Sprintf("telegram %s: %d %s", e.Method, e.Code, e.Description)
	case e.Status != 0:
		return fmt.Sprintf("telegram %s: HTTP status %d: %v", e.Method, e.Status, e.Err)
	default:
		return fmt.Sprintf("telegram %s: %v", e.Method, e.Err)
	}
}
func (e *Error) Unwrap() error { return e.Err }

// client makes calls through the library, which knows neither contexts nor
// timeouts, puts the token into its errors and loses the status of answers that
// are not JSON: all that is mended in exchange.Do.
type client struct {
	token    string
	endpoint string // the library's format: two %s, token and method
	http     *http.Client

	clock atomic.Int64 // the server's, in the last answer, Unix seconds; 0: it told none
}

func newClient(apiURL, token string) *client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = workers
	return &client{
		token:    token,
		endpoint: strings.ReplaceAll(apiURL, "%", "%%") + "/bot%s/%s",
		http: &http.Client{
			Transport:     transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// served is the server's clock at its last answer; zero when it told none.
func (c *client) served() time.Time {
	if seconds := c.clock.Load(); seconds != 0 {
		return time.Unix(seconds, 0)
	}
	return time.Time{}
}

func (c *client) close() { c.http.CloseIdleConnections() }

// call makes one request and decodes its result. Every error is an *Error.
func (c *client) call(ctx context.Context, method string, params tgbotapi.Params, timeout time.Duration, result any) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	x := &exchange{client: c, ctx: ctx}
	api := &tgbotapi.BotAPI{Token: c.token, Client: x}
	api.SetAPIEndpoint(c.endpoint)
	answer, err := api.MakeRequest(method, params)
	if err == nil && result != nil {
		if err = json.Unmarshal(answer.Result, result); err != nil {
			// The call itself succeeded: whatever it does has been done.
			return &Error{Method: method, Status: x.status, Written: true, Err: fmt.Errorf("decode the result: %w", err)}
		}
	}
	if err == nil {
		return nil
	}
	failed := &Error{Method: method, Status: x.status, Written: x.written.Load()}
	var refusal *tgbotapi.Error
	if errors.As(err, &refusal) && refusal.Code != 0 {
		failed.Code = refusal.Code
		failed.Description = c.redact(refusal.Message)
		failed.RetryAfter = time.Duration(refusal.RetryAfter) * time.Second
		failed.MigrateTo = refusal.MigrateToChatID
		return failed
	}
	failed.Err = c.clean(err)
	return failed
}

// clean keeps an error's identity unless its text holds the token.
func (c *client) clean(err error) error {
	var address *url.Error
	if errors.As(err, &address) {
		err = address.Err // the rest of it is the URL, with the token
	}
	if text := err.Error(); c.redact(text) != text {
		return errors.New(c.redact(text))
	}
	return err
}

func (c *client) redact(s string) string {
	_, secret, _ := strings.Cut(c.token, ":")
	return strings.ReplaceAll(strings.ReplaceAll(s, c.token, "(token)"), secret, "(token)")
}

// An exchange is the HTTPClient of one call.
type exchange struct {
	client  *client
	ctx     context.Context // of this one call: MakeRequest has no argument for it
	status  int
	written atomic.Bool
}

var errNotJSON = errors.New("the answer is not the Bot API's JSON")

// Do sends the request and hands back an answer whose body is in memory and is
// an object, so that the library cannot fail on it.
func (x *exchange) Do(req *http.Request) (*http.Response, error) {
	trace := &httptrace.ClientTrace{
		// The transport may try again on a new connection when the old one
		// was closed before anything was written.
		GetConn:      func(string) { x.written.Store(false) },
		WroteHeaders: func() { x.written.Store(true) },
	}
	req = req.WithContext(httptrace.WithClientTrace(x.ctx, trace))
	resp, err := x.client.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	x.status = resp.StatusCode
	body, err := io.ReadAll(io.LimitReader(resp.Body, bodyLimit+1))
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	if len(body) > bodyLimit {
		return nil, fmt.Errorf("the answer is longer than %d bytes", bodyLimit)
	}
	var shape struct {
		OK *bool `json:"ok"`
	}
	if json.Unmarshal(body, &shape) != nil || shape.OK == nil {
		return nil, errNotJSON
	}
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		x.client.clock.Store(date.Unix())
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}
