package scheduler

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"newsie/bot"
)

// Kinds of editions.
const (
	KindFollow = "follow" // what follows get; the key is a hash of what it holds, for an audience its follow and slot
	KindLate   = "late"   // an answer that took too long; its text is kept as it was
)

// An Edition is what goes out at one time: to one follow, or one late answer.
type Edition struct {
	ID       int64
	Kind     string
	Key      string
	Topic    string // in the reader's words
	Query    string
	Lang     string
	From, To int64   // holds articles that joined after From, up to To
	Articles []int64 // best first
	More     int     // that match beyond those
	Note     string  // the publisher's words, of a send
	Reply    bot.Reply
	Created  time.Time
}

// State is where a delivery stands.
type State string

const (
	Planned   State = "planned"
	Claimed   State = "claimed"
	Sending   State = "sending"
	Accepted  State = "accepted" // by the platform, which tells the result later
	Sent      State = "sent"
	Held      State = "held" // for the reader's next message
	Gone      State = "gone"
	Failed    State = "failed"
	Unknown   State = "unknown" // whether it went out: listed for the publisher
	Cancelled State = "cancelled"
)

// States lists all states.
func States() []State {
	return []State{Planned, Claimed, Sending, Accepted, Sent, Held, Gone, Failed, Unknown, Cancelled}
}

// batch is the most rows one commit may put in doubt.
const batch = 64

// A Delivery is one edition on its way to one chat.
type Delivery struct {
	ID         int64
	Edition    int64
	Follow     int64  // 0: none
	Slot       string // of the follow, on the wall clock of Zone; "": none
	Zone       string // "": not known any more
	To         bot.ChatID
	State      State
	Due        time.Time
	Attempt    int
	Way        string
	ProviderID string
	Error      string
	Updated    time.Time
	Topic      string  // of the edition
	Kind       string  // of the edition
	Send       int64   // the send that it is of; 0: none
	Articles   []int64 // of the edition
}

// payload is what an edition holds beyond its columns.
type payload struct {
	More  int        `json:"more,omitempty"`
	Note  string     `json:"note,omitempty"`
	Reply *bot.Reply `json:"reply,omitempty"`
}

type editionRow struct {
	ID         int64
	Kind       string
	EditionKey string
	Topic      string
	Query      string
	Lang       string
	FromSeq    int64
	ToSeq      int64
	Articles   string
	Payload    string
	CreatedAt  int64
}

const editionColumns = "id, kind, edition_key, topic, query, lang, from_seq, to_seq, articles, payload, created_at"

func (r editionRow) edition() (Edition, error) {
	e := Edition{
		ID: r.ID, Kind: r.Kind, Key: r.EditionKey, Topic: r.Topic, Query: r.Query, Lang: r.Lang,
		From: r.FromSeq, To: r.ToSeq, Created: time.UnixMilli(r.CreatedAt),
	}
	if err := json.Unmarshal([]byte(r.Articles), &e.Articles); err != nil {
		return e, fmt.Errorf("read the articles of edition %d: %w", r.ID, err)
	}
	if r.Payload == "" {
		return e, nil
	}
	var p payload
	if err := json.Unmarshal([]byte(r.Payload), &p); err != nil {
		return e, fmt.Errorf("read edition %d: %w", r.ID, err)
	}
	e.More, e.Note = p.More, p.Note
	if p.Reply != nil {
		e.Reply = *p.Reply
	}
	return e, nil
}

// values is n groups of width placeholders: "(?, ?), (?, ?)".
func values(n, width int) string {
	group := "(" + strings.TrimSuffix(strings.Repeat("?, ", width), ", ") + ")"
	return strings.TrimSuffix(strings.Repeat(group+", ", n), ", ")
}
