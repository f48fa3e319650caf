// Package extract turns HTML into the blocks of an article: what a page says,
// without the page around it. Nothing of the markup survives, so nothing can
// run: scripts, styles, forms, frames, hidden parts and tracking pixels are
// left out, and links lead to http, https or mailto only.
package extract

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	readability "codeberg.org/readeck/go-readability/v2"
	"github.com/PuerkitoBio/goquery"
	"golang.org/x/net/html"

	"newsie/content"
)

// A Page is the article of a web page, and what the page says about it.
type Page struct {
	Title       string
	Author      string
	Lang        string // as declared, a BCP 47 tag or ""
	Published   time.Time
	Description string
	Canonical   string // absolute, http or https, or ""
	Cover       string // as Picture blocks name theirs, or ""
	Tags        []string
	Body        []content.Block
}

// maxElements bounds the work on one page; the largest real pages have some
// tens of thousands.
const maxElements = 300_000

// Article finds the article in an HTML page. Addresses are resolved against
// base; with a nil base relative links are dropped and relative pictures keep
// the name the page gives them. A page without any text gives a Page without
// Body, not an error.
func Article(page string, base *url.URL) (Page, error) {
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		return Page{}, fmt.Errorf("parse HTML: %w", err)
	}
	if count(root, maxElements) >= maxElements {
		return Page{}, fmt.Errorf("parse HTML: more than %d elements", maxElements)
	}
	doc := goquery.NewDocumentFromNode(root)
	base = declaredBase(doc, base)
	p := metadata(doc, base)
	p.Body = withoutTitle(mainBlocks(root, base), p.Title)
	return p, nil
}

// Fragment turns a piece of HTML that is all article, such as the content of a
// feed's item, into blocks. Addresses are resolved as by Article.
func Fragment(fragment string, base *url.URL) []content.Block {
	root, err := html.Parse(strings.NewReader(fragment))
	if err != nil || count(root, maxElements) >= maxElements {
		return nil
	}
	return blocksOf(root, base)
}

// mainBlocks picks the part of the page that is the article. Readability is
// made for pages of the web; on short or plainly built files it may keep too
// little, and then what the page itself marks as its article counts.
func mainBlocks(root *html.Node, base *url.URL) []content.Block {
	marked, explicit := markedMain(goquery.NewDocumentFromNode(root))
	var own []content.Block
	if marked != nil {
		own = blocksOf(marked, base)
	}
	parser := readability.NewParser()
	parser.MaxElemsToParse = maxElements
	parser.DisableJSONLD = true
	var found []content.Block
	if article, err := parser.ParseDocument(root, base); err == nil && article.Node != nil {
		found = blocksOf(article.Node, base)
	}
	switch {
	case len(own) == 0:
		return found
	case len(found) == 0:
		return own
	case textLen(found) < textLen(own)*6/10:
		return own
	case explicit && textLen(found) > textLen(own):
		return own // readability took some of the page with it
	case headings(found) < headings(own) && textLen(found) <= textLen(own)*11/10:
		return own // headings that look like chrome to readability
	default:
		return found
	}
}

// markedMain is what the page marks as its article: the only article element,
// the main element, or else the body without navigation, headers and footers.
func markedMain(doc *goquery.Document) (main *html.Node, explicit bool) {
	for _, selector := range []string{`[itemprop="articleBody"]`, "article", "main", `[role="main"]`} {
		if s := doc.Find(selector); s.Length() == 1 {
			return tidy(s), true
		}
	}
	body := doc.Find("body")
	if body.Length() == 0 {
		return nil, false
	}
	return tidy(body.First()), false
}

func tidy(s *goquery.Selection) *html.Node {
	clone := s.Clone()
	clone.Find("nav, aside, footer, form, dialog, menu, [role=navigation], [role=complementary], [role=contentinfo], [role=search]").Remove()
	clone.Find("header").Each(func(_ int, header *goquery.Selection) {
		if header.Find("nav").Length() > 0 || header.Find("h1").Length() == 0 {
			header.Remove()
		}
	})
	return clone.Get(0)
}

func textLen(body []content.Block) int {
	n := 0
	for _, b := range body {
		if b.Kind != content.Picture {
			n += len(b.Text)
		}
	}
	return n
}

func headings(body []content.Block) int {
	n := 0
	for _, b := range body {
		if b.Kind == content.Heading {
			n++
		}
	}
	return n
}

// withoutTitle drops a first heading that repeats the title, which is shown
// anyway.
func withoutTitle(body []content.Block, title string) []content.Block {
	for i, b := range body {
		switch {
		case b.Kind == content.Heading && strings.EqualFold(squeeze(b.Text), squeeze(title)):
			return append(body[:i:i], body[i+1:]...)
		case b.Kind != content.Picture:
			return body
		}
	}
	return body
}

// count counts nodes, giving up at limit. It does not recurse: pages are deep
// only up to the parser's own limit, but this must hold for any tree.
func count(root *html.Node, limit int) int {
	n := 0
	for range root.Descendants() {
		if n++; n >= limit {
			break
		}
	}
	return n
}

func declaredBase(doc *goquery.Document, base *url.URL) *url.URL {
	href, ok := doc.Find("base[href]").First().Attr("href")
	if !ok {
		return base
	}
	declared, err := url.Parse(strings.TrimSpace(href))
	if err != nil {
		return base
	}
	if base != nil {
		declared = base.ResolveReference(declared)
	}
	if !isWeb(declared) {
		return base
	}
	return declared
}

func isWeb(u *url.URL) bool {
	return (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }
