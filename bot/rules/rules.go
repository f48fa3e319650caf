// Package rules is what a publisher wants said to certain words: keyword rules
// as a platform's own administration has them, a welcome, a default reply and
// hours of silence. It reads them (YAML, every mistake with its line), and
// finds the one that answers a message; it knows nothing of articles, commands
// or channels but their names. It owns no tables.
package rules

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"

	"newsie/content/language"
)

// A Set is a publisher's rules. It does not change, is safe for concurrent use,
// and nil is one without any.
type Set struct {
	rules     []Rule
	exact     map[string][]int32 // by folded keyword, in the order of the file
	within    automaton          // of prefix and contains
	media     map[string][]int32
	welcome   []Answer
	otherwise []Answer
	quiet     []quiet
	warnings  []Problem
}

// A Match says how a keyword is compared with what a reader typed.
type Match string

const (
	Exact    Match = "exact"    // the whole of it
	Prefix   Match = "prefix"   // its beginning
	Contains Match = "contains" // anywhere; Latin words only whole
)

// A Rule answers a message that has one of its keywords, or is of a kind.
type Rule struct {
	Keywords []string // as written
	Match    Match
	On       []string // kinds of media, instead of keywords
	Answer
}

// An Answer is what is to be said. It has texts, articles or a command, and
// with articles or a command at most a text before them.
type Answer struct {
	Line     int // where it stands
	Texts    []Text
	Articles []string // ids, addresses, titles or keys of their sources
	Command  string
	Links    []Link
	Buttons  []Button

	channels []string
	hours    []span
}

// A Text is one text in one or several languages, in the order of the file.
type Text []Phrase

// A Phrase is a text in one language; "" suits every reader.
type Phrase struct {
	Lang  string
	Text  string
	Links []Span // that were written into it
}

// A Span is the words at the bytes Start to End of a text, which lead to URL.
type Span struct {
	Start, End int
	URL        string
}

// A Link leads to an address.
type Link struct{ Label, URL string }

// A Button says something for the reader.
type Button struct{ Label, Say string }

// A Message is what a rule is looked for.
type Message struct {
	Channel string
	At      time.Time // on the channel's clock
	Text    string
	Head    int  // how many bytes of Text contains rules look at; 0 is all
	Exact   bool // only exact rules
}

// Found is the rule that answers, and by which of its keywords.
type Found struct {
	*Rule
	Keyword string
}

// Rules is how many rules there are.
func (s *Set) Rules() int {
	if s == nil {
		return 0
	}
	return len(s.rules)
}

// Warnings are what is not wrong and yet may not be meant, in the order of lines.
func (s *Set) Warnings() []Problem {
	if s == nil {
		return nil
	}
	return s.warnings
}

// Match finds the rule that answers a text: exact before prefix before
// contains, then the longest keyword, then the first in the file, among the
// rules of the channel and the hour.
func (s *Set) Match(m Message) (Found, bool) {
	if s == nil || len(s.rules) == 0 {
		return Found{}, false
	}
	text := fold(m.Text)
	from, to := trim(text)
	for _, i := range s.exact[text[from:to]] {
		if s.rules[i].admits(m.Channel, m.At) {
			return s.found(i, text[from:to]), true
		}
	}
	if m.Exact || s.within.empty() {
		return Found{}, false
	}
	head := len(text)
	if m.Head > 0 && m.Head < len(m.Text) {
		head = min(head, len(fold(m.Text[:m.Head])))
	}
	var best hit
	s.within.visit(text, func(end int, k *keyword) {
		start := end - len(k.text)
		for _, use := range k.uses {
			fits := use.prefix && (start == 0 || start == from) || !use.prefix && end <= head && k.stands(text, start, end)
			if h := (hit{k, use}); fits && h.before(best) && s.rules[use.rule].admits(m.Channel, m.At) {
				best = h
			}
		}
	})
	if best.keyword == nil {
		return Found{}, false
	}
	return s.found(best.rule, best.text), true
}

// A hit is a keyword found for a rule.
type hit struct {
	*keyword
	use
}

// before tells whether h answers rather than another; anything does rather than
// the zero hit.
func (h hit) before(other hit) bool {
	switch {
	case other.keyword == nil:
		return true
	case h.prefix != other.prefix:
		return h.prefix
	case h.length != other.length:
		return h.length > other.length
	}
	return h.rule < other.rule
}

// found names the keyword as the publisher wrote it.
func (s *Set) found(rule int32, folded string) Found {
	r := &s.rules[rule]
	for _, k := range r.Keywords {
		if key(k) == folded {
			return Found{r, k}
		}
	}
	return Found{r, folded}
}

// Media finds the rule for a kind of message that is no text.
func (s *Set) Media(kind, channel string, at time.Time) (Found, bool) {
	if s == nil {
		return Found{}, false
	}
	for _, i := range s.media[kind] {
		if r := &s.rules[i]; r.admits(channel, at) {
			return Found{r, ""}, true
		}
	}
	return Found{}, false
}

// Welcome is what a reader who comes is told; false when the publisher left it
// to newsie.
func (s *Set) Welcome(channel string, at time.Time) (*Answer, bool) {
	if s == nil {
		return nil, false
	}
	return first(s.welcome, channel, at)
}

// Default is what a reader is told when nothing was found.
func (s *Set) Default(channel string, at time.Time) (*Answer, bool) {
	if s == nil {
		return nil, false
	}
	return first(s.otherwise, channel, at)
}

func first(answers []Answer, channel string, at time.Time) (*Answer, bool) {
	for i := range answers {
		if answers[i].admits(channel, at) {
			return &answers[i], true
		}
	}
	return nil, false
}

// Quiet tells whether newsie is to say nothing now; at is on the channel's clock.
func (s *Set) Quiet(channel string, at time.Time) bool {
	if s == nil {
		return false
	}
	return slices.ContainsFunc(s.quiet, func(q quiet) bool { return q.admits(channel, at) })
}

func (a *Answer) admits(channel string, at time.Time) bool {
	return (len(a.channels) == 0 || slices.Contains(a.channels, channel)) &&
		(len(a.hours) == 0 || slices.ContainsFunc(a.hours, func(s span) bool { return s.has(at) }))
}

// Always tells that an answer is for every channel and hour.
func (a *Answer) always() bool { return len(a.channels) == 0 && len(a.hours) == 0 }

// Say chooses one of the texts, in a reader's language or the nearest to it:
// for one message always the same.
func (a *Answer) Say(lang, message string) Phrase {
	if len(a.Texts) == 0 {
		return Phrase{}
	}
	chosen := 0
	if len(a.Texts) > 1 && message != "" {
		sum := sha256.Sum256([]byte(message))
		chosen = int(binary.BigEndian.Uint64(sum[:8]) % uint64(len(a.Texts)))
	}
	return a.Texts[chosen].in(lang)
}

// in chooses the reader's language, else its other script, else one for all,
// else English, else the first.
func (t Text) in(lang string) Phrase {
	for _, fits := range []func(Phrase) bool{
		func(p Phrase) bool { return p.Lang == lang },
		func(p Phrase) bool { return p.Lang != "" && language.Base(p.Lang) == language.Base(lang) },
		func(p Phrase) bool { return p.Lang == "" },
		func(p Phrase) bool { return p.Lang == "en" },
	} {
		if i := slices.IndexFunc(t, fits); i >= 0 {
			return t[i]
		}
	}
	return t[0]
}
