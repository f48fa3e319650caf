package web

import (
	"net/http"
	"strings"

	"github.com/mileusna/useragent"
)

// readerOpens reports whether a request is a reader's, who sees what comes back:
// not a program's that looks what an address holds, nor a browser's that only
// may show it later.
func readerOpens(r *http.Request) bool {
	if r.Method != http.MethodGet {
		return false
	}
	// https://wicg.github.io/nav-speculation/prefetch.html#sec-purpose-header,
	// and what browsers said before it: Chrome and Safari Purpose, Firefox X-Moz.
	for _, name := range []string{"Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"} {
		for _, value := range r.Header.Values(name) {
			value = strings.ToLower(value)
			if strings.Contains(value, "prefetch") || strings.Contains(value, "prerender") || strings.Contains(value, "preview") {
				return false
			}
		}
	}
	return !fetcher(r.UserAgent())
}

// fetchers are parts of the names of those that look like browsers to the
// library, which knows most of them: iMessage calls itself a Safari that is also
// facebookexternalhit, Skype a Firefox or Chrome that is SkypeUriPreview, Bing's
// pictures of pages an Edge that is BingPreview, Google's checks a Chrome.
var fetchers = []string{
	"facebookexternalhit", "preview", "spider", "crawler", "lighthouse", "google-inspectiontool", "google-safety",
	"embedly", "iframely", "vkshare", "whatsapp",
}

// fetcher reports whether a program that calls itself so reads addresses for
// itself: a chat's preview, a search engine, a script. Every browser, and what
// apps show pages in, calls itself Mozilla; Opera's smallest, Opera.
func fetcher(agent string) bool {
	if !strings.Contains(agent, "Mozilla/") && !strings.HasPrefix(agent, "Opera/") {
		return true
	}
	lower := strings.ToLower(agent)
	for _, name := range fetchers {
		if strings.Contains(lower, name) {
			return true
		}
	}
	return useragent.Parse(agent).Bot
}
