package wechat

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/silenceper/wechat/v2/officialaccount/message"
	"github.com/silenceper/wechat/v2/util"

	"newsie/internal/database"
)

const (
	maxBody  = 64 << 10
	maxSkew  = 10 * time.Minute
	success  = "success" // ends the platform's retries and shows the reader nothing
	typeText = "text/plain; charset=utf-8"
	typeXML  = "application/xml; charset=utf-8"
)

// A refusal turns a request away: the sender learns the status, the publisher
// the reason.
type refusal struct {
	status int
	reason string
}

func (r *refusal) Error() string { return r.reason }

func forbidden(reason string) error { return &refusal{http.StatusForbidden, reason} }
func malformed(reason string) error { return &refusal{http.StatusBadRequest, reason} }

// ServeHTTP is the address the platform calls. Nothing is believed before the
// signature is checked; whatever goes wrong afterwards, the platform gets an
// answer it takes for one.
func (c *Channel) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer func() {
		if cause := recover(); cause != nil {
			c.logPanic(cause)
			write(w, []byte(success))
		}
	}()
	// A platform that hangs up early asks again, and then wants this answer.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), c.cfg.Patience)
	defer cancel()
	answer, err := c.serve(ctx, w, r)
	var no *refusal
	switch {
	case err == nil:
		write(w, answer)
	case errors.As(err, &no):
		c.refusals.add(no.reason)
		if no.status == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", "GET, POST")
		}
		http.Error(w, http.StatusText(no.status), no.status)
	case errors.Is(err, errOrphan), errors.Is(err, errAway), database.Away(err):
		c.keepSilent(r.Context())
		write(w, []byte(success))
	default:
		c.log.Error("answer a message", "error", err)
		write(w, []byte(success))
	}
}

// serve returns the bytes of the answer, or a *refusal.
func (c *Channel) serve(ctx context.Context, w http.ResponseWriter, r *http.Request) ([]byte, error) {
	query, err := c.verify(r)
	if err != nil {
		return nil, err
	}
	switch r.Method {
	case http.MethodGet:
		echo := query["echostr"]
		if len(echo) != 1 {
			return nil, malformed("no echostr")
		}
		return []byte(echo[0]), nil
	case http.MethodPost:
	default:
		return nil, &refusal{http.StatusMethodNotAllowed, "method"}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, malformed("body too large or broken off")
	}
	envelope, err := c.open(ctx, query, body)
	if err != nil {
		return nil, err
	}
	return c.converse(ctx, envelope)
}

// verify checks who is calling. The signature covers neither method nor body,
// so a signed address that leaked is good for the ten minutes of its timestamp.
func (c *Channel) verify(r *http.Request) (url.Values, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, forbidden("signature")
	}
	for _, name := range []string{"timestamp", "nonce", "signature"} {
		if len(query[name]) != 1 || query[name][0] == "" {
			return nil, forbidden("signature")
		}
	}
	timestamp := query.Get("timestamp")
	want := util.Signature(c.cfg.Token, timestamp, query.Get("nonce"))
	if !same(want, query.Get("signature")) {
		return nil, forbidden("signature")
	}
	// Only now, so that a wrong clock is told from a wrong token.
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return nil, forbidden("timestamp")
	}
	if skew := c.cfg.Now().Unix() - seconds; skew > int64(maxSkew.Seconds()) || skew < -int64(maxSkew.Seconds()) {
		return nil, forbidden("timestamp")
	}
	return query, nil
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// An envelope is a message as it was posted, opened.
type envelope struct {
	xml   []byte
	key   string // the EncodingAESKey that opened it; "" when it was plain
	nonce string
}

// open checks the form of a body and decrypts it. The library's server is not
// asked: it takes plain bodies in safe mode, knows one key only, and parses
// before anyone could look for a DOCTYPE.
func (c *Channel) open(ctx context.Context, query url.Values, body []byte) (envelope, error) {
	kinds := query["encrypt_type"]
	encrypted := len(kinds) == 1 && kinds[0] == "aes"
	if len(kinds) > 1 || (len(kinds) == 1 && !encrypted && kinds[0] != "raw" && kinds[0] != "") {
		return envelope{}, forbidden("encrypt_type")
	}
	if !encrypted {
		if c.cfg.Mode == Safe {
			return envelope{}, forbidden("plain body in safe mode")
		}
		text, err := inspect(body)
		return envelope{xml: text}, err
	}
	if c.cfg.AESKey == "" {
		return envelope{}, forbidden("encrypted body, but no aes_key is configured")
	}
	body, err := inspect(body)
	if err != nil {
		return envelope{}, err
	}
	var outer message.EncryptedXMLMsg
	if err := xml.Unmarshal(body, &outer); err != nil {
		return envelope{}, malformed("not XML")
	}
	signatures := query["msg_signature"]
	want := util.Signature(c.cfg.Token, query.Get("timestamp"), query.Get("nonce"), outer.EncryptedMsg)
	if len(signatures) != 1 || !same(want, signatures[0]) {
		return envelope{}, forbidden("msg_signature")
	}
	for _, key := range []string{c.cfg.AESKey, c.cfg.PreviousAESKey} {
		if key == "" {
			continue
		}
		// It checks padding, length and appid.
		_, text, err := util.DecryptMsg(c.cfg.AppID, outer.EncryptedMsg, key)
		if err != nil {
			continue
		}
		text, err = inspect(text)
		return envelope{xml: text, key: key, nonce: query.Get("nonce")}, err
	}
	// The signature was right, so this is the platform and not a stranger.
	c.notify(ctx, "aes_key", c.cfg.Catalog.Printer(c.cfg.Language).T("wechat.aes_key_wrong"))
	return envelope{}, forbidden("cannot be decrypted, or is for another appid")
}

// inspect refuses what the platform never sends and an attacker might:
// DOCTYPE, entities, comments. Characters that XML forbids are dropped instead,
// because a reader may well have typed one.
func inspect(body []byte) ([]byte, error) {
	rest := body
	for {
		i := bytes.Index(rest, []byte("<!"))
		if i < 0 {
			break
		}
		rest = rest[i:]
		if !bytes.HasPrefix(rest, []byte("<![CDATA[")) {
			return nil, malformed("DOCTYPE")
		}
		end := bytes.Index(rest, []byte("]]>"))
		if end < 0 {
			return nil, malformed("not XML")
		}
		rest = rest[end:]
	}
	return forXML(body), nil
}

// seal turns the plain answer into what the platform expects for this message.
func (c *Channel) seal(e envelope, answer []byte) ([]byte, error) {
	if e.key == "" || string(answer) == success {
		return answer, nil
	}
	random := make([]byte, 16)
	if _, err := rand.Read(random); err != nil {
		return nil, err
	}
	cipher, err := util.EncryptMsg(random, answer, c.cfg.AppID, e.key)
	if err != nil {
		return nil, fmt.Errorf("encrypt the answer: %w", err)
	}
	now := c.cfg.Now().Unix()
	return xml.Marshal(message.ResponseEncryptedXMLMsg{
		EncryptedMsg: string(cipher),
		MsgSignature: util.Signature(c.cfg.Token, strconv.FormatInt(now, 10), e.nonce, string(cipher)),
		Timestamp:    now,
		Nonce:        e.nonce,
	})
}

func write(w http.ResponseWriter, answer []byte) {
	kind := typeText
	if bytes.HasPrefix(answer, []byte("<xml>")) {
		kind = typeXML
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(answer) // nobody is left to be told
}

// logPanic keeps a reader's words, which a panic may carry, out of the log.
func (c *Channel) logPanic(cause any) {
	text := fmt.Sprintf("%T", cause)
	var fault runtime.Error
	if err, ok := cause.(error); ok && errors.As(err, &fault) {
		text = fault.Error()
	}
	c.log.Error("a message handler panicked", "cause", text, "stack", strings.TrimSpace(string(debug.Stack())))
}
