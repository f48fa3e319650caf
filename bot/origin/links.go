package origin

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"
)

// Links makes the addresses by which it is counted that a reader opened an
// article, and knows its own again. They hold no more than a number that stands
// for the reader, the article's id and a signature, so nothing is looked up to
// make one, and nobody can make one that leads elsewhere. It is safe for
// concurrent use; the zero value is not usable.
type Links struct {
	base    string
	readers []byte
	tags    []byte
}

const (
	refSize = 8
	// A tag that is guessed counts one opening of a reader who is there; 2^80
	// requests are out of reach.
	tagSize = 10
)

// longestToken is that of the highest id.
var longestToken = token.EncodedLen(refSize + binary.MaxVarintLen64 + tagSize)

// token is how bytes are spelled in an address: each text in one way only.
var token = base64.RawURLEncoding.Strict()

// NewLinks makes links below an address such as https://example.org. All that
// were ever made with a key hold as long as it is kept.
func NewLinks(key []byte, base string) *Links {
	return &Links{
		base:    strings.TrimRight(base, "/") + "/r/",
		readers: append([]byte(nil), key...),
		// A key of their own: no channel's name makes a reader's number a tag.
		tags: mac(key, []byte("newsie /r/ 1")),
	}
}

// Ref is the number that stands for a reader in links; readers.ref holds it.
func (l *Links) Ref(r Reader) int64 {
	return Ref(l.readers, r)
}

// URL is the address that counts a reader's opening of an article and leads to
// it.
func (l *Links) URL(r Reader, article int64) string {
	body := binary.BigEndian.AppendUint64(nil, uint64(l.Ref(r)))
	body = binary.AppendUvarint(body, uint64(article))
	return l.base + token.EncodeToString(append(body, mac(l.tags, body)[:tagSize]...))
}

// Parse reads the last part of an address that URL made. Anything else, also
// what differs in one character, is not ok. How long that takes tells nothing of
// the right signature.
func (l *Links) Parse(text string) (ref, article int64, ok bool) {
	// Decoding skips line breaks.
	if len(text) > longestToken || strings.ContainsAny(text, "\r\n") {
		return 0, 0, false
	}
	bytes, err := token.DecodeString(text)
	if err != nil || len(bytes) <= refSize+tagSize {
		return 0, 0, false
	}
	body, tag := bytes[:len(bytes)-tagSize], bytes[len(bytes)-tagSize:]
	if !hmac.Equal(tag, mac(l.tags, body)[:tagSize]) {
		return 0, 0, false
	}
	id, size := binary.Uvarint(body[refSize:])
	if size != len(body)-refSize || size != len(binary.AppendUvarint(nil, id)) || int64(id) <= 0 {
		return 0, 0, false
	}
	return int64(binary.BigEndian.Uint64(body)), int64(id), true
}

func mac(key, text []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(text)
	return h.Sum(nil)
}
