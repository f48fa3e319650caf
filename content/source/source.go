// Package source reads articles from where publishers keep them: scraped text
// dumps, Markdown, HTML pages, and RSS, Atom and JSON feeds, from files,
// folders and the web. It tells the kinds apart by their content, converts any
// common encoding, and gives drafts; it owns no tables.
package source

import (
	"errors"
	"fmt"
	"net/url"

	"newsie/content"
)

// MaxSize is the most that a file or an answer from the web may have, in bytes.
const MaxSize = 10 << 20

// The reasons why a file is refused.
var (
	ErrEncoding   = errors.New("its encoding cannot be told")
	ErrBinary     = errors.New("it is binary, not text")
	ErrEmpty      = errors.New("it is empty")
	ErrTooLarge   = errors.New("it is larger than 10 MB")
	ErrNoArticle  = errors.New("it has neither a title nor a body")
	ErrNoBody     = errors.New("it has no body")
	ErrUnreadable = errors.New("it cannot be read")
	ErrMalformed  = errors.New("it is malformed")
)

// A RefusedError tells which file or address was refused, and why: Reason is
// one of the errors above, Detail says more where there is more to say.
type RefusedError struct {
	Path   string
	Reason error
	Detail string
}

func (e *RefusedError) Error() string { return e.Path + ": " + e.Why() }
func (e *RefusedError) Unwrap() error { return e.Reason }

// Why is the reason in words, without the path.
func (e *RefusedError) Why() string {
	if e.Detail == "" {
		return e.Reason.Error()
	}
	return fmt.Sprintf("%v (%s)", e.Reason, e.Detail)
}

func refuse(path string, reason error, detail string) error {
	return &RefusedError{Path: path, Reason: reason, Detail: detail}
}

// A Kind is what a text turned out to be.
type Kind string

const (
	Dump     Kind = "text"
	Markdown Kind = "markdown"
	HTML     Kind = "html"
	Feed     Kind = "feed"
	unknown  Kind = "unknown" // text in which there is no article: data, a style sheet
)

// A Text is something to read articles from, before its kind is known.
type Text struct {
	Name    string   // of the file, as far as it helps to tell the kind; also for messages
	Key     string   // identity of the article, for all kinds but feeds
	Source  string   // the name of the source
	Base    *url.URL // what addresses are resolved against; nil for files
	Type    string   // the media type a server declared
	Charset string   // the encoding a server declared
	Data    []byte
}

// Parsed is what was read from one Text.
type Parsed struct {
	Kind     Kind
	Drafts   []content.Draft
	Warnings []string // what was left out, such as a picture that is not there
}

// Parse reads the articles of t. Its error is a *RefusedError.
func Parse(t Text) (p Parsed, err error) {
	defer func() {
		// Parsers of formats this loose are not proof against every input, and
		// one bad feed must not take the others, or the bot, with it.
		if recover() != nil {
			p, err = Parsed{}, refuse(t.Name, ErrMalformed, "its parser gave up")
		}
	}()
	text, err := decode(t.Data, t.Charset)
	if err != nil {
		var refused *RefusedError
		if errors.As(err, &refused) {
			refused.Path = t.Name
		}
		return Parsed{}, err
	}
	p.Kind = kindOf(text, t.Name, t.Type)
	switch p.Kind {
	case Feed:
		p.Drafts, err = parseFeed(text, t)
	case HTML:
		p.Drafts, p.Warnings, err = parsePage(text, t)
	case Markdown:
		p.Drafts, p.Warnings, err = parseMarkdown(text, t)
	case Dump:
		p.Drafts, p.Warnings, err = parseDump(text, t)
	default:
		err = refuse(t.Name, ErrNoArticle, "it holds data")
	}
	return p, err
}
