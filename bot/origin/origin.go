// Package origin knows where readers came from and what came of it: the
// publisher's origins with their codes, who came by which, and the totals that
// reports are made of.
//
// It owns the tables origins, origin_codes, readers, origin_events and
// origin_totals.
package origin

import (
	"crypto/rand"
	"regexp"
	"time"
)

// Ids that are no origin's.
const (
	None    int64 = 0  // came by no code
	Unknown int64 = -1 // came by a code that is unknown, closed, not open yet or damaged
)

// An Origin is a place that readers come from: a shop, an event, a newsletter, a
// partner's site; or a reader who invites others.
type Origin struct {
	ID         int64
	Code       string // see ValidCode; on labels and in links
	Name       string // unique among those with the same parent; "" for an invitation
	Parent     int64  // whose totals include this one's; None: it stands at the top
	Notes      string
	Starts     time.Time // zero: from the beginning
	Ends       time.Time // zero: never; from then on it is closed
	Welcome    Welcome
	Invitation bool
	Owner      Reader // of an invitation; zero when that reader was forgotten
	Created    time.Time
}

// Open reports whether who comes at a time comes by this origin.
func (o Origin) Open(at time.Time) bool {
	return !at.Before(o.Starts) && (o.Ends.IsZero() || at.Before(o.Ends))
}

// A Welcome is what is said to who comes by an origin; the zero Welcome is what
// everybody hears.
type Welcome struct {
	Text    string
	Article int64  // shown; 0: none
	Topic   string // followed by newcomers, offered to others; "": none
}

// A Reader is a chat as bot.ChatID names it.
type Reader struct{ Channel, Chat string }

var validCode = regexp.MustCompile(`^[A-Za-z0-9-]{1,32}$`)

// ValidCode reports whether a text can be an origin's code: 1 to 32 of A-Z a-z
// 0-9 -, so that with what may follow it fits Telegram's payloads and WeChat's
// scenes (both at most 64).
func ValidCode(code string) bool { return validCode.MatchString(code) }

// letters are those of new codes: none that reads like another, or that makes a
// word.
const letters = "23456789bcdfghjkmnpqrstvwxyz"

// newCodeLength makes of 28 letters 1.4 x 10^13 codes: of a chain with 10,000
// origins, one guess in a billion meets one.
const newCodeLength = 9

// NewCode makes a code that cannot be guessed.
func NewCode() string {
	code := make([]byte, 0, newCodeLength)
	for len(code) < newCodeLength {
		var random [32]byte
		_, _ = rand.Read(random[:]) // it never fails
		for _, b := range random {
			// What is left over at the top would make some letters likelier.
			if int(b) < 256/len(letters)*len(letters) && len(code) < newCodeLength {
				code = append(code, letters[int(b)%len(letters)])
			}
		}
	}
	return string(code)
}
