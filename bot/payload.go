package bot

import (
	"encoding/base64"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A Payload is what a deep link, or a code that was scanned, carries into a
// chat. It is written in 1 to 64 of A-Z a-z 0-9 _ -, which is what Telegram
// takes behind ?start=:
//
//	payload = origin | target | origin "_" target
//	origin  = "o" code        code: 1 to 32 of A-Z a-z 0-9 -
//	target  = "a" id          an article: "a4711"
//	        | "f" base64url   a topic to follow, as UTF-8 without padding
//
// So "o" and the code end at the first "_", and what a topic holds behind it is
// its own. Each Payload is written in one way only.
type Payload struct {
	Origin  string // where the reader comes from: the code of a link
	Article int64  // to be opened; 0: none
	Topic   string // to be followed, if the reader wants to; "": none
}

const longestPayload = 64

var (
	payloadRule = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`) // decoding base64 skips line breaks
	originCode  = regexp.MustCompile(`^[A-Za-z0-9-]{1,32}$`)
	articleID   = regexp.MustCompile(`^[1-9][0-9]{0,17}$`)
)

// Encode writes p; ok is false when it says nothing, has both article and topic,
// or holds what cannot be written, such as a topic of more than 15 Chinese
// characters.
func (p Payload) Encode() (text string, ok bool) {
	var parts []string
	if p.Origin != "" {
		if !originCode.MatchString(p.Origin) {
			return "", false
		}
		parts = append(parts, "o"+p.Origin)
	}
	switch id := strconv.FormatInt(p.Article, 10); {
	case p.Article != 0 && (p.Topic != "" || !articleID.MatchString(id)):
		return "", false
	case p.Article != 0:
		parts = append(parts, "a"+id)
	case p.Topic != "":
		if !isTopic(p.Topic) {
			return "", false
		}
		parts = append(parts, "f"+base64.RawURLEncoding.EncodeToString([]byte(p.Topic)))
	}
	text = strings.Join(parts, "_")
	return text, text != "" && len(text) <= longestPayload
}

// ParsePayload reads what Encode wrote. When it is something else or damaged,
// ok is false; its origin is told even then where that much can be read.
func ParsePayload(text string) (p Payload, ok bool) {
	if !payloadRule.MatchString(text) {
		return Payload{}, false
	}
	target := text
	if code, found := strings.CutPrefix(text, "o"); found {
		code, rest, more := strings.Cut(code, "_")
		if !originCode.MatchString(code) {
			return Payload{}, false
		}
		if p.Origin, target = code, rest; !more {
			return p, true
		}
	}
	if target == "" {
		return p, false
	}
	value := target[1:]
	switch target[0] {
	case 'a':
		if !articleID.MatchString(value) {
			return p, false
		}
		id, err := strconv.ParseInt(value, 10, 64)
		p.Article = id
		return p, err == nil
	case 'f':
		topic, err := base64.RawURLEncoding.Strict().DecodeString(value)
		if err != nil || !isTopic(string(topic)) {
			return p, false
		}
		p.Topic = string(topic)
		return p, true
	}
	return p, false
}

// isTopic tells whether a text can be followed just as it is.
func isTopic(text string) bool {
	return text != "" && utf8.ValidString(text) && clean(text) == text && unquote(text) == text && !tooLong(text)
}
