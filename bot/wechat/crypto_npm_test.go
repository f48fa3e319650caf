package wechat_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"newsie/bot/wechat/wechattest"
)

// other is another implementation of the platform's cryptography than the two
// here (the library's, and that of wechattest): npm's wechat-crypto.
const other = `
const Crypt = require('wechat-crypto')
const { token, key, appid, jobs } = JSON.parse(require('fs').readFileSync(0, 'utf8'))
const crypt = new Crypt(token, key, appid)
process.stdout.write(JSON.stringify(jobs.map(({ text, encrypt, timestamp, nonce }) => {
  if (!encrypt) return { ...crypt.decrypt(text), signature: crypt.getSignature(timestamp, nonce, text) }
  const cipher = crypt.encrypt(text)
  return { message: cipher, signature: crypt.getSignature(timestamp, nonce, cipher) }
})))
`

type cryptJob struct {
	Text      string `json:"text"`
	Encrypt   bool   `json:"encrypt"`
	Timestamp string `json:"timestamp"`
	Nonce     string `json:"nonce"`
}

type cryptResult struct {
	Message   string `json:"message"`
	ID        string `json:"id"`
	Signature string `json:"signature"`
}

func (s *stage) other(t *testing.T, jobs []cryptJob) []cryptResult {
	t.Helper()
	modules := os.Getenv("NEWSIE_TEST_NPM")
	if modules == "" {
		t.Skip("NEWSIE_TEST_NPM is not a folder with wechat-crypto in its node_modules")
	}
	in, err := json.Marshal(map[string]any{"token": s.Token, "key": s.AESKey, "appid": s.AppID, "jobs": jobs})
	if err != nil {
		t.Fatal(err)
	}
	// The package makes its buffers as one did long ago, of which Node.js warns.
	cmd := exec.CommandContext(t.Context(), "node", "--no-deprecation", "-e", other)
	cmd.Dir, cmd.Stdin, cmd.Stderr = modules, bytes.NewReader(in), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var results []cryptResult
	if err := json.Unmarshal(out, &results); err != nil || len(results) != len(jobs) {
		t.Fatalf("%d of %d results, %v", len(results), len(jobs), err)
	}
	return results
}

// TestCryptographyAgreesWithAnother sends what the other implementation
// encrypted to a channel, and lets it decrypt the answers.
func TestCryptographyAgreesWithAnother(t *testing.T) {
	s := start(t, echo, mode(wechattest.Safe))
	texts := []string{"你好", "𠮷 👩‍👩‍👧 é", "a<b>&\"' \n c", strings.Repeat("长", 500)}
	for n := range 70 { // every length of the padding, twice
		texts = append(texts, strings.Repeat("x", n+1))
	}
	requests := make([]wechattest.Request, len(texts))
	jobs := make([]cryptJob, len(texts))
	for i, text := range texts {
		requests[i] = s.Request("r1", "")
		q := requests[i].Query
		var content bytes.Buffer
		if err := xml.EscapeText(&content, []byte(text)); err != nil {
			t.Fatal(err)
		}
		jobs[i] = cryptJob{Encrypt: true, Timestamp: q.Get("timestamp"), Nonce: q.Get("nonce"), Text: fmt.Sprintf(
			"<xml><ToUserName>%s</ToUserName><FromUserName>r1</FromUserName><CreateTime>1</CreateTime><MsgType>text</MsgType><Content>%s</Content><MsgId>%d</MsgId></xml>",
			s.ID, content.String(), 1000+i)}
	}
	answers := make([]cryptJob, len(texts))
	for i, sealed := range s.other(t, jobs) {
		if opened, err := wechattest.Decrypt(sealed.Message, s.AppID, s.AESKey); err != nil || opened != jobs[i].Text {
			t.Fatalf("the fake platform reads %q, %v", opened, err)
		}
		requests[i].Query.Set("msg_signature", sealed.Signature)
		requests[i].Body = "<xml><ToUserName>" + s.ID + "</ToUserName><Encrypt>" + sealed.Message + "</Encrypt></xml>"
		status, body, err := s.Do(requests[i])
		var answer struct {
			Encrypt, MsgSignature, TimeStamp, Nonce string
		}
		if err != nil || status != 200 || xml.Unmarshal([]byte(body), &answer) != nil || answer.Encrypt == "" {
			t.Fatalf("%q was answered %d %q, %v", texts[i], status, body, err)
		}
		requests[i].Query.Set("answered", answer.MsgSignature)
		answers[i] = cryptJob{Text: answer.Encrypt, Timestamp: answer.TimeStamp, Nonce: answer.Nonce}
	}
	for i, opened := range s.other(t, answers) {
		var answer struct{ ToUserName, Content string }
		if err := xml.Unmarshal([]byte(opened.Message), &answer); err != nil {
			t.Fatalf("%q: %v", opened.Message, err)
		}
		if want := "text: " + texts[i]; answer.Content != want || answer.ToUserName != "r1" || opened.ID != s.AppID {
			t.Errorf("got %q to %q from %q, want %q", answer.Content, answer.ToUserName, opened.ID, want)
		}
		if signature := requests[i].Query.Get("answered"); signature != opened.Signature {
			t.Errorf("signed %s, want %s", signature, opened.Signature)
		}
	}
}
