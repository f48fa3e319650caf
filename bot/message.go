// Package bot is what newsie says: it turns one message of a reader into one
// reply, and declares how an adapter speaks unasked.
//
// It owns the tables chats, follows, lists, saved, questions, inbox, buckets and quotas.
package bot

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// A ChatID names one conversation (or topic of one), or one whole audience, on one channel.
type ChatID struct{ Channel, ID string }

func (c ChatID) String() string { return c.Channel + "/" + c.ID }

// Everybody is the ID of a channel's whole audience; with something after it, of
// a part that the platform knows: "*2" is a tag of WeChat's, "*@news" a channel
// of Telegram's. No reader's id begins so.
const Everybody = "*"

// Audience reports whether c is an audience and not a conversation.
func (c ChatID) Audience() bool { return strings.HasPrefix(c.ID, Everybody) }

// Kind says what a Message was where an adapter or the platform's windows must know.
type Kind string

const (
	Text  Kind = "text"
	Tap   Kind = "tap"   // a button or a menu; Text is the command it stands for
	Join  Kind = "join"  // began to follow the account, opened the bot; Text may hold a payload
	Leave Kind = "leave" // unfollowed, blocked, removed
	Scan  Kind = "scan"
	Media Kind = "media" // a picture, sticker, voice, place: Text is its kind ("picture", "sticker", …), or a shared link's title
)

// A Message is something a reader said or did. Taps, menu clicks, scans and
// follows arrive as the command the reader could have typed, so the bot has one
// kind of input.
type Message struct {
	ID     string // the platform's id; the same id is the same message
	Kind   Kind
	Chat   ChatID
	From   string // who said it, in a group; "" in a private chat
	Text   string
	Link   string // the address that a shared link leads to
	Lang   string // the reader's language as the platform tells it, a BCP 47 tag or ""
	Zone   string // the reader's IANA time zone where the platform tells it
	Addr   string // the reader's network address where the adapter sees it
	Edited bool   // the reader changed an earlier message
	Public bool   // a group or channel: others read along
	At     time.Time
}

// A Reply is what the bot says, free of any platform's markup. Adapters
// shorten it to fit. The zero Reply says nothing.
type Reply struct {
	Lang    string  // the language the reply's own words are in
	Text    string  // paragraphs separated by \n
	Links   []Link  // of words in Text, sorted, not overlapping
	Groups  []Group // headed lists of cards, best first
	Ahead   int     // how many of the first groups waited for the reader: they come before Text
	Actions []Action
	Replace string // what this reply shows anew, a list's id or "a4711", so that an adapter may edit the message whose button was pressed
	Best    Best   // what the first card is to the question
}

// Best says what the first card of a reply is to the question that was asked.
type Best int

const (
	OneOfMany Best = iota // no more than the others: the newest articles, a digest, a page of a list
	Ranked                // the first of those found
	Clear                 // what was meant, as far as can be told
)

// Empty reports whether r says nothing.
func (r Reply) Empty() bool { return r.Text == "" && len(r.Groups) == 0 && len(r.Actions) == 0 }

// A Group is a headed list of cards.
type Group struct {
	Heading string // "" for the main list
	Cards   []Card
}

// A Card shows one article.
type Card struct {
	Number  int   // what the reader types to open it; 0 for the article being shown itself
	Article int64 // its id
	Title   string
	URL     string  // absolute; where the title leads; may be ""
	Counted string  `json:",omitempty"` // where a tap leads instead when opens are counted; "": URL
	Snippet Snippet // why it matched, or the summary
	Source  string  // the source's or author's name
	Date    string  // in the reader's words, "" when unknown
	Lang    string  // of the article
	Cover   string  // absolute URL of a picture, or ""
	Open    string  // the command that opens it, "/read 4711"
	Also    Also    // where else the story is told; the first thing to leave out
}

// Also names the other sources that tell a card's story.
type Also struct {
	Label  string // "Also in: ", in the reader's words, with its space
	Comma  string // between names
	Places []Place
}

// A Place is a source with its own article on the story.
type Place struct {
	Name    string
	Article int64  `json:",omitempty"` // its id; 0: it stands for several
	URL     string // absolute, or ""
	Counted string `json:",omitempty"` // as a Card's
}

// Leads is where a tap on the card leads, of the addresses that a platform takes:
// open gives one as that does, "" when it does not. What is shown, previewed and
// passed on is the card's URL.
func (c Card) Leads(open func(string) string) string { return leads(c.Counted, c.URL, open) }

// Leads is where a tap on the place leads.
func (p Place) Leads(open func(string) string) string { return leads(p.Counted, p.URL, open) }

// Leads is where the button of a link leads.
func (a Action) Leads(open func(string) string) string { return leads(a.Counted, a.URL, open) }

func leads(counted, address string, open func(string) string) string {
	if counted != "" {
		if counted = open(counted); counted != "" {
			return counted
		}
	}
	return open(address)
}

// Join is the whole line, each name as shown makes it; "" when there is none.
func (a Also) Join(shown func(Place) string) string {
	if len(a.Places) == 0 {
		return ""
	}
	names := make([]string, len(a.Places))
	for i, place := range a.Places {
		names[i] = shown(place)
	}
	return a.Label + strings.Join(names, a.Comma)
}

// A Snippet is text with marked spans.
type Snippet struct {
	Text  string
	Marks []Span // sorted, not overlapping
}

// A Span is the bytes Start to End of a text.
type Span struct{ Start, End int }

// An Action is something the reader may say next: a button whose Text is the
// message it stands for (at most 64 bytes), or a link when URL is set.
type Action struct {
	Label   string
	Text    string
	URL     string
	Article int64  `json:",omitempty"` // to which URL leads; 0: to something else
	Counted string `json:",omitempty"` // as a Card's
	Role    Role   `json:",omitempty"`
}

// A Role tells what an Action is among the others, for adapters that lay them
// out by it. Most have none.
type Role string

const (
	PageBack  Role = "back"      // the page of a list before this one
	PageOn    Role = "on"        // the page after it
	Neighbour Role = "neighbour" // the article before or after the one that is shown
	Pick      Role = "pick"      // one of several numbers to choose from, its label
)

// A Handler answers one message from the index and the database alone.
type Handler func(ctx context.Context, m Message) (Reply, error)

// A Sender speaks unasked. The receipt tells what the platform calls the
// message and by which way it went. Errors: ErrGone, ErrNotNow, ErrUnknown,
// *RetryError, *MovedError, *ConfigError; any other error gives this message up.
type Sender interface {
	Send(ctx context.Context, o Outgoing) (Receipt, error)
}

// Outgoing is one message to be sent unasked.
type Outgoing struct {
	Key    string // idempotency key where the platform has one
	To     ChatID
	Reply  Reply
	Silent bool
	Answer bool // a reader asked for it and waits

	Delivery int64 // its number in the ledger, by which the publisher knows it; 0: it has none

	// Of a digest: what it is about, in the reader's words, and its articles,
	// best first, shown or not.
	Topic    string
	Articles []int64
}

// A Receipt tells how a message went out.
type Receipt struct {
	ProviderID string
	Way        string // message, customer, notice, once, template, mass, held
	Pending    bool   // accepted; the result comes as an event
}

var (
	// ErrGone: this chat can never be reached again (blocked, deleted, unfollowed).
	ErrGone = errors.New("the chat is gone")
	// ErrNotNow: this way to the reader is closed for now; the message may wait
	// for the reader's next one.
	ErrNotNow = errors.New("the reader cannot be reached now")
	// ErrUnknown: it cannot be told whether the message went out.
	ErrUnknown = errors.New("it is unknown whether the message went out")
)

// A RetryError asks to wait before sending again.
type RetryError struct {
	After time.Duration
	All   bool // every message of the channel must wait, not this chat alone
	Err   error

	// Not zero: an allowance is used up, and the next try takes of the one that
	// lasts until then, as does whatever else is planned before.
	Takes time.Time
}

func (e *RetryError) Error() string { return fmt.Sprintf("try again after %s: %v", e.After, e.Err) }
func (e *RetryError) Unwrap() error { return e.Err }

// A MovedError tells the new id of a chat.
type MovedError struct{ To ChatID }

func (e *MovedError) Error() string { return "the chat moved to " + e.To.String() }

// A ConfigError means that the channel is at fault, not the message: a refused
// token, an address that is not whitelisted. Advice says what to do.
type ConfigError struct {
	Channel string
	Advice  string
	Err     error
}

func (e *ConfigError) Error() string {
	return fmt.Sprintf("channel %s: %v (%s)", e.Channel, e.Err, e.Advice)
}
func (e *ConfigError) Unwrap() error { return e.Err }
