package source

import (
	"encoding/json"
	"net/http"
	"path"
	"regexp"
	"strings"

	"github.com/mmcdole/gofeed"
)

var (
	htmlStart  = regexp.MustCompile(`(?is)^\s*(<!--.*?-->\s*|<\?xml[^>]*>\s*)*<(!doctype\s+html|html|head|body|article|main)\b`)
	neighbours = regexp.MustCompile(`(?m)^[ \t\x{a0}\x{3000}]*(<<|>>|＜＜|＞＞)\s*[:：]`)
	atxHeading = regexp.MustCompile(`(?m)^#{1,6} +\S`)
	mdSign     = regexp.MustCompile("(?m)\\[[^\\]\n]+\\]\\([^)\\s]+\\)|^```|\\*\\*[^*\n]+\\*\\*|^> \\S")
	htmlSign   = regexp.MustCompile(`(?i)</(p|div|h[1-6]|article|section|blockquote|ul)>`)
)

// kindOf tells what a text is by its content; the name and the declared media
// type decide only where the content leaves it open.
func kindOf(text, name, mediaType string) Kind {
	ext := strings.ToLower(path.Ext(name))
	head := strings.TrimSpace(text[:min(len(text), 4096)])
	switch {
	case isFeed(text, head):
		return Feed
	case hasFrontMatter(text), openFrontMatter.MatchString(text):
		if ext == ".html" || ext == ".htm" {
			return HTML
		}
		return Markdown
	case htmlStart.MatchString(head), strings.Contains(mediaType, "html"):
		return HTML
	case strings.HasPrefix(head, "<?xml"), strings.Contains(mediaType, "json"):
		return unknown
	case (strings.HasPrefix(head, "{") || strings.HasPrefix(head, "[")) && json.Valid([]byte(text)):
		return unknown
	case ext == ".md" || ext == ".markdown" || ext == ".mdown" || ext == ".mkd":
		return Markdown
	case ext == ".html" || ext == ".htm" || ext == ".xhtml":
		return HTML
	case neighbours.MatchString(text):
		return Dump
	case strings.HasPrefix(http.DetectContentType([]byte(head)), "text/html"), strings.HasPrefix(head, "<") && htmlSign.MatchString(text):
		return HTML
	case atxHeading.MatchString(head) && (strings.HasPrefix(head, "#") || mdSign.MatchString(text)):
		return Markdown
	case len(mdSign.FindAllString(text, 4)) == 4:
		return Markdown
	default:
		return Dump
	}
}

func isFeed(text, head string) bool {
	switch {
	case strings.HasPrefix(head, "{"):
		return strings.Contains(head, "jsonfeed.org/version") && gofeed.DetectFeedType(strings.NewReader(text)) == gofeed.FeedTypeJSON
	case strings.HasPrefix(head, "<"):
		if htmlStart.MatchString(head) {
			return false
		}
		kind := gofeed.DetectFeedType(strings.NewReader(text))
		return kind == gofeed.FeedTypeRSS || kind == gofeed.FeedTypeAtom
	}
	return false
}
