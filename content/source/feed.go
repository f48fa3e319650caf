package source

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/mmcdole/gofeed"
	ext "github.com/mmcdole/gofeed/extensions"

	"newsie/content"
	"newsie/content/extract"
)

var xmlEncoding = regexp.MustCompile(`^(\s*<\?xml[^>]*?)\s+encoding\s*=\s*("[^"]*"|'[^']*')`)

// parseFeed reads an RSS, Atom or JSON feed; each item is a draft, the oldest
// first, so that they come into the library in the order they came out. A feed
// without items is no error.
func parseFeed(text string, t Text) ([]content.Draft, error) {
	text = xmlEncoding.ReplaceAllString(text, "$1") // it is UTF-8 by now
	feed, err := gofeed.NewParser().ParseString(text)
	if err != nil {
		return nil, refuse(t.Name, ErrMalformed, "feed: "+oneLine(err))
	}
	base := t.Base
	if link, err := url.Parse(feed.Link); err == nil && link.Host != "" {
		base = link
	}
	seen := map[string]bool{}
	var drafts []content.Draft
	for _, item := range feed.Items {
		if item == nil {
			continue
		}
		d := itemDraft(item, feed, base)
		d.Source = t.Source
		if seen[d.Key] || !finish(&d) {
			continue
		}
		seen[d.Key] = true
		drafts = append(drafts, d)
	}
	slices.SortStableFunc(drafts, func(a, b content.Draft) int { return a.Published.Compare(b.Published) })
	return drafts, nil
}

func itemDraft(item *gofeed.Item, feed *gofeed.Feed, base *url.URL) content.Draft {
	link := item.Link
	if u, err := url.Parse(strings.TrimSpace(link)); err == nil && base != nil {
		link = base.ResolveReference(u).String()
	}
	link = webAddress(link)
	own := base
	if u, err := url.Parse(link); err == nil && link != "" {
		own = u
	}
	whole := cmp.Or(strings.TrimSpace(item.Content), strings.TrimSpace(item.Description))
	d := content.Draft{
		Key:       itemKey(item, feed, link),
		URL:       link,
		Title:     plainText(item.Title),
		Author:    itemAuthor(item, feed),
		Lang:      itemLang(item, feed),
		Published: itemDate(item),
		Tags:      extract.SplitTags(item.Categories...),
		Body:      itemBody(whole, own),
	}
	if strings.TrimSpace(item.Content) != "" {
		d.Summary = plainText(item.Description)
	}
	d.Cover = itemCover(item, own)
	return d
}

// itemKey is the guid where there is one. A guid that is only a number is
// unique within its feed, not among the feeds of a folder.
func itemKey(item *gofeed.Item, feed *gofeed.Feed, link string) string {
	key := cmp.Or(strings.TrimSpace(item.GUID), link)
	switch {
	case key == "":
		sum := sha256.Sum256([]byte(item.Title + "\x00" + item.Published + "\x00" + item.Description))
		return hex.EncodeToString(sum[:16])
	case strings.Contains(key, ":") || feed.Link == "":
		return key
	}
	return feed.Link + "#" + key
}

func itemAuthor(item *gofeed.Item, feed *gofeed.Feed) string {
	var names []string
	for _, people := range [][]*gofeed.Person{item.Authors, feed.Authors} {
		for _, person := range people {
			if person != nil && person.Name != "" && !slices.Contains(names, person.Name) {
				names = append(names, person.Name)
			}
		}
		if len(names) > 0 {
			break
		}
	}
	return plainText(strings.Join(names, ", "))
}

func itemLang(item *gofeed.Item, feed *gofeed.Feed) string {
	if dc := item.DublinCoreExt; dc != nil && len(dc.Language) > 0 {
		return dc.Language[0]
	}
	return feed.Language
}

func itemDate(item *gofeed.Item) time.Time {
	for _, t := range []*time.Time{item.PublishedParsed, item.UpdatedParsed} {
		if t != nil && t.Year() > 1000 && t.Year() < 10000 {
			return t.UTC()
		}
	}
	return extract.Date(item.Published)
}

// itemBody reads HTML; some feeds give plain text instead.
func itemBody(whole string, base *url.URL) []content.Block {
	if strings.Contains(whole, "<") {
		return extract.Fragment(whole, base)
	}
	var body []content.Block
	for line := range strings.SplitSeq(whole, "\n") {
		body = append(body, extract.Fragment(line, base)...)
	}
	return body
}

// itemCover is the picture the item names; the first of several.
func itemCover(item *gofeed.Item, base *url.URL) string {
	var found []string
	if item.Image != nil {
		found = append(found, item.Image.URL)
	}
	for _, e := range item.Enclosures {
		if e != nil && (strings.HasPrefix(e.Type, "image/") || e.Type == "" && imageName.MatchString(e.URL)) {
			found = append(found, e.URL)
		}
	}
	media := item.Extensions["media"]
	contents := slices.Clone(media["content"])
	for _, group := range media["group"] {
		contents = append(contents, group.Children["content"]...)
		contents = append(contents, group.Children["thumbnail"]...)
	}
	for _, e := range append(contents, media["thumbnail"]...) {
		if isImage(e) {
			found = append(found, e.Attrs["url"])
		}
	}
	if item.ITunesExt != nil {
		found = append(found, item.ITunesExt.Image)
	}
	for _, candidate := range found {
		u, err := url.Parse(strings.TrimSpace(candidate))
		if err != nil || candidate == "" {
			continue
		}
		if base != nil {
			u = base.ResolveReference(u)
		}
		if address := webAddress(u.String()); address != "" {
			return address
		}
	}
	return ""
}

var imageName = regexp.MustCompile(`(?i)\.(png|jpe?g|gif|webp|avif)(\?|$)`)

func isImage(e ext.Extension) bool {
	kind := e.Attrs["type"]
	return e.Attrs["medium"] == "image" || strings.HasPrefix(kind, "image/") ||
		kind == "" && e.Attrs["medium"] == "" && (e.Name == "thumbnail" || imageName.MatchString(e.Attrs["url"]))
}

// plainText is the text of what may be HTML.
func plainText(s string) string {
	if !strings.ContainsAny(s, "<&") {
		return strings.Join(strings.Fields(s), " ")
	}
	return strings.ReplaceAll(content.BodyText(extract.Fragment(s, nil)), "\n", " ")
}
