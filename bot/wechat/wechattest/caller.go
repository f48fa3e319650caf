package wechattest

import (
	"bytes"
	"crypto/rand"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"
)

// OutOfService is what a reader sees when the account's server fails.
const OutOfService = "该公众号提供的服务出现故障，请稍后再试"

// Verify asks the account's server as the settings page does when its address
// is saved, and tells what is wrong with the answer.
func (s *Server) Verify() error {
	echo := strconv.FormatInt(s.now().UnixNano(), 10) + "<&"
	q := s.signed()
	q.Set("echostr", echo)
	response, err := s.client.Get(s.address(q))
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK || string(body) != echo {
		return fmt.Errorf("wrong echostr: status %d, %q instead of %q", response.StatusCode, body, echo)
	}
	if kind := response.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/plain") {
		return fmt.Errorf("echostr came as %q", kind)
	}
	return nil
}

func (s *Server) address(q url.Values) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	join := "?"
	if strings.Contains(s.callback, "?") {
		join = "&"
	}
	return s.callback + join + q.Encode()
}

// signed is the query of every call.
func (s *Server) signed() url.Values {
	timestamp, nonce := strconv.FormatInt(s.now().Unix(), 10), nonce()
	return url.Values{"timestamp": {timestamp}, "nonce": {nonce}, "signature": {Sign(s.Token, timestamp, nonce)}}
}

func nonce() string {
	raw := make([]byte, 4)
	_, _ = rand.Read(raw)
	return fmt.Sprint(uint32(raw[0])<<24 | uint32(raw[1])<<16 | uint32(raw[2])<<8 | uint32(raw[3]))
}

// A Request is one signed call of the platform, to be sent or tampered with.
type Request struct {
	Query url.Values
	Body  string
}

// Request signs, and in the account's mode encrypts, the message or event whose
// XML inside the root element is given.
func (s *Server) Request(openid, message string) Request {
	q := s.signed()
	q.Set("openid", openid)
	body := "<xml>" + message + "</xml>"
	if s.Mode == Plain {
		return Request{q, body}
	}
	cipher, err := Encrypt(body, s.AppID, s.AESKey)
	if err != nil {
		s.t.Fatalf("wechattest: encrypt: %v", err)
	}
	q.Set("encrypt_type", "aes")
	q.Set("msg_signature", Sign(s.Token, q.Get("timestamp"), q.Get("nonce"), cipher))
	outer := element("ToUserName", s.ID)
	if s.Mode == Compatible {
		outer = message
	}
	return Request{q, "<xml>" + outer + element("Encrypt", cipher) + "</xml>"}
}

// Do sends a request and returns the answer as it is.
func (s *Server) Do(r Request) (status int, body string, err error) {
	response, err := s.client.Post(s.address(r.Query), "text/xml", strings.NewReader(r.Body))
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	return response.StatusCode, string(data), err
}

// Lose drops the next n answers: the platform takes them for late, waits out
// its five seconds and asks again.
func (s *Server) Lose(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lose = n
}

// deliver posts a message until it is answered, up to three times, and puts
// what the reader sees on the phone.
func (s *Server) deliver(r *Reader, message string, passive bool) Bubble {
	for range tries {
		status, body, err := s.Do(s.Request(r.OpenID, message))
		s.mu.Lock()
		lost := s.lose > 0
		if lost {
			s.lose--
		}
		s.mu.Unlock()
		if err != nil || lost {
			s.advance(retryAfter)
			continue
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		bubble, err := s.read(r, status, body, passive)
		if err != nil {
			s.problem("answer to %s: %v", r.OpenID, err)
			bubble = Bubble{Who: System, Text: OutOfService}
		}
		bubble.Response = body
		if (bubble.Text != "" || len(bubble.News) > 0) && !r.unseen {
			r.see(bubble)
		}
		return bubble
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.problem("no answer to %s in %d tries", r.OpenID, tries)
	bubble := Bubble{Who: System, Text: OutOfService}
	if !r.unseen {
		r.see(bubble)
	}
	return bubble
}

type answerXML struct {
	XMLName      xml.Name `xml:"xml"`
	Encrypt      string   `xml:"Encrypt"`
	MsgSignature string   `xml:"MsgSignature"`
	TimeStamp    string   `xml:"TimeStamp"`
	Nonce        string   `xml:"Nonce"`

	ToUserName   string `xml:"ToUserName"`
	FromUserName string `xml:"FromUserName"`
	CreateTime   int64  `xml:"CreateTime"`
	MsgType      string `xml:"MsgType"`
	Content      string `xml:"Content"`
	ArticleCount int    `xml:"ArticleCount"`
	Articles     []News `xml:"Articles>item"`
}

// read takes an answer apart as the platform does.
func (s *Server) read(r *Reader, status int, body string, passive bool) (Bubble, error) {
	if status != http.StatusOK {
		return Bubble{}, fmt.Errorf("status %d: %.200q", status, body)
	}
	if body == "" || body == "success" {
		return Bubble{}, nil
	}
	answer, err := parseXML(body)
	if err != nil {
		return Bubble{}, fmt.Errorf("%w: %.200q", err, body)
	}
	if s.Mode == Safe && answer.Encrypt == "" {
		return Bubble{}, errors.New("a plain answer in safe mode")
	}
	if answer.Encrypt != "" {
		if Sign(s.Token, answer.TimeStamp, answer.Nonce, answer.Encrypt) != answer.MsgSignature {
			return Bubble{}, errors.New("wrong MsgSignature")
		}
		text, err := Decrypt(answer.Encrypt, s.AppID, s.AESKey)
		if err != nil {
			return Bubble{}, fmt.Errorf("decrypt: %w", err)
		}
		if answer, err = parseXML(text); err != nil {
			return Bubble{}, fmt.Errorf("%w: %.200q", err, text)
		}
	}
	if answer.ToUserName != r.OpenID || answer.FromUserName != s.ID || answer.CreateTime == 0 {
		return Bubble{}, fmt.Errorf("to %q from %q at %d", answer.ToUserName, answer.FromUserName, answer.CreateTime)
	}
	switch answer.MsgType {
	case "text":
		if strings.TrimSpace(answer.Content) == "" {
			return Bubble{}, errors.New("empty Content")
		}
		if len(answer.Content) > MaxText {
			return Bubble{}, fmt.Errorf("text of %d bytes", len(answer.Content))
		}
		for _, p := range checkText(answer.Content) {
			s.problem("answer to %s: %s", r.OpenID, p)
		}
		return show(answer.Content), nil
	case "news":
		most := 8
		if passive {
			most = 1
		}
		if n := len(answer.Articles); n == 0 || n > most || n != answer.ArticleCount {
			return Bubble{}, fmt.Errorf("%d articles (counted %d), %d allowed", n, answer.ArticleCount, most)
		}
		for _, a := range answer.Articles {
			for _, p := range checkNews(a) {
				s.problem("answer to %s: %s", r.OpenID, p)
			}
		}
		return Bubble{Who: Bot, News: answer.Articles}, nil
	}
	return Bubble{}, fmt.Errorf("MsgType %q", answer.MsgType)
}

func parseXML(text string) (answerXML, error) {
	var answer answerXML
	if !utf8.ValidString(text) {
		return answer, errors.New("not UTF-8")
	}
	d := xml.NewDecoder(bytes.NewReader([]byte(text)))
	if err := d.Decode(&answer); err != nil {
		return answer, fmt.Errorf("not XML: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return answer, errors.New("something follows the XML")
	}
	return answer, nil
}

func element(name, value string) string {
	return "<" + name + "><![CDATA[" + strings.ReplaceAll(value, "]]>", "]]]]><![CDATA[>") + "]]></" + name + ">"
}

func number(name string, value int64) string { return fmt.Sprintf("<%s>%d</%s>", name, value, name) }
