// Package content is what newsie knows: the articles, and how to find them.
//
// A Library keeps articles in the database (tables articles, prints, pictures,
// article_pictures and counters) and follows them with a full-text index that can be deleted
// at any time and rebuilds itself.
package content

import (
	"strings"
	"time"
)

// An Article is one published text with everything a chat or a page needs to
// show it. Summary, language, related articles and script are made once, when
// the article is added, never when a reader asks.
type Article struct {
	ID     int64
	Source string // the name of the source it came from
	Key    string // what the source calls it: a path, a feed item's guid, a URL
	State  State

	URL       string // canonical address; "" when only our own page shows it
	Title     string
	Slug      string // for our page's address: lower-case letters, digits, hyphens of any script
	Author    string
	Note      string    // the author's biography or credit line
	Lang      string    // BCP 47; Chinese is zh-Hans or zh-Hant
	Published time.Time // zero: unknown
	Tags      []string
	Cover     string // "/media/HASH.png" for a kept picture, an absolute URL, or ""
	Body      []Block
	Summary   string // two or three whole sentences

	Previous    string // titles of the neighbours, as the source named them
	Next        string
	Recommended []Teaser

	Story int64  // the id of the first article with this story; 0: it is alone
	Also  []Copy // the others, in lists and where one article is shown

	Hash     string    // of what the source gave; equal hashes mean nothing changed
	Seq      int64     // position of the last change in the store
	AddedSeq int64     // position at which readers could first see it
	Added    time.Time // when that was

	Pinned bool // set by Pinned alone: it stands at the top, and says so
}

// State tells whether readers may see an article.
type State string

const (
	Published State = "published"
	Waiting   State = "waiting" // dated in the future: published when its date comes
	Unready   State = "draft"   // its source calls it a draft
	Withdrawn State = "withdrawn"
	Gone      State = "gone" // its file went away; published again when that returns
)

// A Teaser announces another article: its title and the first words of it.
type Teaser struct {
	Title   string `json:"title"`
	Excerpt string `json:"excerpt,omitempty"`
}

// A Kind says what a Block is.
type Kind string

const (
	Heading   Kind = "heading"
	Paragraph Kind = "paragraph"
	Quote     Kind = "quote"
	Item      Kind = "item" // of a list; Level 1 is bulleted, 2 numbered
	Code      Kind = "code"
	Picture   Kind = "picture"
)

// A Block is one piece of a body: clean text, never markup.
type Block struct {
	Kind  Kind   `json:"kind"`
	Level int    `json:"level,omitempty"` // of a heading: 2 to 4
	Text  string `json:"text,omitempty"`  // a picture's alternative text
	Marks []Mark `json:"marks,omitempty"` // sorted by Start; may nest, never cross
	URL   string `json:"url,omitempty"`   // a picture's address, "/media/…" when we keep it
}

// A Mark styles the bytes Start to End of a block's text.
type Mark struct {
	Start int    `json:"start"`
	End   int    `json:"end"`
	Style string `json:"style"`         // strong, em, code, link
	URL   string `json:"url,omitempty"` // of a link: http, https or mailto
}

// A Draft is an article as a source gives it, before it is cleaned, summarised
// and kept. Only Source, Key and Title or Body are needed.
type Draft struct {
	Source string
	Key    string

	URL         string
	Title       string
	Slug        string
	Author      string
	Note        string
	Lang        string // "" to have it detected
	Published   time.Time
	Tags        []string
	Cover       string // a name in Pictures, or an absolute URL
	Body        []Block
	Summary     string // the source's own description; checked before it is used
	Previous    string
	Next        string
	Recommended []Teaser

	Unfinished bool      // front matter says draft: true
	Pictures   []Figure  // relative pictures to keep; Block.URL and Cover name them
	Modified   time.Time // of the file, when the source has nothing better
}

// A Figure is a picture that came with a draft.
type Figure struct {
	Name string // as the body refers to it
	Type string // image/png, image/jpeg, image/gif, image/webp
	Data []byte
}

// Text is the body as plain text, a block a line, pictures left out.
func (a Article) Text() string { return BodyText(a.Body) }

// BodyText joins the text of blocks, a block a line, pictures left out.
func BodyText(body []Block) string {
	var b strings.Builder
	for _, block := range body {
		if block.Kind == Picture || block.Text == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(block.Text)
	}
	return b.String()
}
