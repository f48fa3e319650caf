package origin_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"math"
	"regexp"
	"strings"
	"testing"

	"newsie/bot/origin"
)

var linkKey = []byte("0123456789abcdef0123456789abcdef")

func TestALinkIsReadBack(t *testing.T) {
	links := origin.NewLinks(linkKey, "https://news.example.org/sub/")
	spelling := regexp.MustCompile(`^https://news\.example\.org/sub/r/[A-Za-z0-9_-]{26,40}$`)
	for _, article := range []int64{1, 127, 128, 4711, math.MaxInt64} {
		reader := origin.Reader{Channel: "wechat", Chat: "oReader"}
		address := links.URL(reader, article)
		if !spelling.MatchString(address) {
			t.Errorf("the address of article %d is %q", article, address)
		}
		ref, got, ok := links.Parse(tokenOf(address))
		if !ok || ref != links.Ref(reader) || got != article {
			t.Errorf("Parse(%q) = %d, %d, %v; want %d, %d", address, ref, got, ok, links.Ref(reader), article)
		}
	}
}

func TestAReadersNumberIsTheirs(t *testing.T) {
	links := origin.NewLinks(linkKey, "https://a.example")
	h := hmac.New(sha256.New, linkKey)
	h.Write([]byte("wechat\x00oReader"))
	if got, want := links.Ref(origin.Reader{Channel: "wechat", Chat: "oReader"}), int64(binary.BigEndian.Uint64(h.Sum(nil))); got != want {
		t.Errorf("Ref = %d, want %d", got, want)
	}
	seen := map[int64]origin.Reader{}
	for _, r := range []origin.Reader{{"a", "bc"}, {"ab", "c"}, {"abc", ""}, {"b", "bc"}, {"a", "bC"}} {
		ref := links.Ref(r)
		if other, there := seen[ref]; there {
			t.Errorf("%v and %v are one", r, other)
		}
		seen[ref] = r
	}
	if other := origin.NewLinks([]byte("another key of thirty-two bytes."), "https://a.example"); other.Ref(origin.Reader{Channel: "a", Chat: "bc"}) == links.Ref(origin.Reader{Channel: "a", Chat: "bc"}) {
		t.Error("another key gives the same number")
	}
}

func TestAnotherKeysLinkIsRefused(t *testing.T) {
	links, other := origin.NewLinks(linkKey, ""), origin.NewLinks([]byte("another key of thirty-two bytes."), "")
	token := tokenOf(links.URL(origin.Reader{Channel: "web", Chat: "1"}, 4711))
	if _, _, ok := other.Parse(token); ok {
		t.Error("a link of another key was taken")
	}
	if address := links.URL(origin.Reader{Channel: "web", Chat: "1"}, 4711); address != "/r/"+token {
		t.Errorf("without a base it is %q", address)
	}
}

// What is signed is still no link when it is not spelled as URL does, which only
// a mistake of ours could make.
func TestASignedTokenOfAnotherSpellingIsRefused(t *testing.T) {
	links := origin.NewLinks(linkKey, "")
	tags := sum(linkKey, []byte("newsie /r/ 1"))
	signed := func(article ...byte) string {
		body := append([]byte("referenc"), article...)
		return base64.RawURLEncoding.EncodeToString(append(body, sum(tags, body)[:10]...))
	}
	if _, _, ok := links.Parse(signed(1)); !ok {
		t.Fatal("the right spelling was refused: the test signs otherwise")
	}
	for name, article := range map[string][]byte{
		"an article without an end": {0x80}, "none": {}, "zero": {0}, "with something behind": {1, 0}, "longer than it must": {0x81, 0x00},
		"negative":  binary.AppendUvarint(nil, math.MaxUint64),
		"too large": {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02},
	} {
		if ref, id, ok := links.Parse(signed(article...)); ok {
			t.Errorf("%s was taken: %d, %d", name, ref, id)
		}
	}
}

func FuzzToken(f *testing.F) {
	links := origin.NewLinks(linkKey, "https://news.example.org")
	good := tokenOf(links.URL(origin.Reader{Channel: "wechat", Chat: "oReader"}, 4711))
	for _, seed := range []string{"", good, good + "=", good[1:], good + "A", "\n" + good, strings.Repeat("A", 30), "人", "\xff"} {
		f.Add(seed, uint8(3), byte('x'), int64(4711))
	}
	f.Fuzz(func(t *testing.T, text string, at uint8, changed byte, article int64) {
		if ref, id, ok := links.Parse(text); ok && (text != good || ref != links.Ref(origin.Reader{Channel: "wechat", Chat: "oReader"}) || id != 4711) {
			t.Fatalf("%q was taken, which nobody made: %d, %d", text, ref, id)
		}
		if article <= 0 {
			return
		}
		reader := origin.Reader{Channel: "c", Chat: text}
		token := tokenOf(links.URL(reader, article))
		if ref, id, ok := links.Parse(token); !ok || ref != links.Ref(reader) || id != article {
			t.Fatalf("the link of %q to %d is read as %d, %d, %v", text, article, ref, id, ok)
		}
		place := int(at) % len(token)
		if other := token[:place] + string([]byte{changed}) + token[place+1:]; other != token {
			if _, _, ok := links.Parse(other); ok {
				t.Fatalf("%q was taken instead of %q", other, token)
			}
		}
		for _, other := range []string{token + "=", token + "\n", token[:place] + "\r" + token[place:], token[:place] + "\n" + token[place:], token + "A", token[:len(token)-1], token[1:]} {
			if _, _, ok := links.Parse(other); ok {
				t.Fatalf("%q was taken instead of %q", other, token)
			}
		}
	})
}

// Each character of a link is one of 64, and the others are refused wherever
// they stand, also where the last one's bits are of no meaning.
func TestAChangedCharacterIsRefused(t *testing.T) {
	links := origin.NewLinks(linkKey, "")
	for _, article := range []int64{1, 200, 20000} { // tokens of each length there is modulo 3
		token := tokenOf(links.URL(origin.Reader{Channel: "web", Chat: "1"}, article))
		for i := range token {
			for c := range 256 {
				other := token[:i] + string([]byte{byte(c)}) + token[i+1:]
				if _, _, ok := links.Parse(other); ok != (other == token) {
					t.Fatalf("with %q at %d: ok is %v", byte(c), i, ok)
				}
			}
		}
	}
}

func tokenOf(address string) string { return address[strings.LastIndex(address, "/")+1:] }

func sum(key, text []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(text)
	return h.Sum(nil)
}
