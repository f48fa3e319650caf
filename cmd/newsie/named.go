package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"newsie/content"
)

// articleNumber is the number of an article that the publisher names by it, or by
// an address.
func (in *installation) articleNumber(ctx context.Context, named string) (int64, error) {
	if id, err := strconv.ParseInt(named, 10, 64); err == nil {
		return id, nil
	}
	if id, ok := content.OwnPage(in.config.pages(), named); ok { // also of what was withdrawn
		return id, nil
	}
	a, ok, err := in.store().ByAddress(ctx, named)
	if err != nil {
		return 0, err
	}
	if id, own := pageHere(in.config.pages(), named); own && !ok {
		return id, nil
	}
	if !ok {
		return 0, fmt.Errorf("%q is neither an article's number nor the address of one; newsie article list shows them", named)
	}
	return a.ID, nil
}

// pageHere reads an article's number off its page's address as a browser on this
// machine shows it, whatever the port that newsie serves at, or off its path alone.
func pageHere(public, named string) (id int64, ok bool) {
	own, err := url.Parse(public)
	if err != nil {
		return 0, false
	}
	if !strings.HasPrefix(named, "/") && !strings.Contains(named, "://") {
		named = "http://" + named
	}
	asked, err := url.Parse(named)
	if err != nil || asked.Host == "" && asked.Scheme != "" {
		return 0, false
	}
	if host := asked.Hostname(); host != "" && !thisMachine(host) && !strings.EqualFold(host, own.Hostname()) {
		return 0, false
	}
	const here = "http://here"
	for _, root := range []string{own.Path, ""} {
		if id, ok = content.OwnPage(here+root, here+asked.Path); ok {
			break
		}
	}
	return id, ok
}

// thisMachine: a host's name never leaves it.
func thisMachine(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.IsLoopback() || ip.IsUnspecified()
	}
	return strings.EqualFold(host, "localhost")
}

// articleOf is a published article that the publisher names. Its errors say what
// is to be done about one that is not.
func (in *installation) articleOf(ctx context.Context, named string) (content.Article, error) {
	id, err := in.articleNumber(ctx, named)
	if err != nil {
		return content.Article{}, err
	}
	a, err := in.store().Article(ctx, id)
	switch {
	case errors.Is(err, content.ErrNotFound):
		return a, fmt.Errorf("there is no article %d; newsie article list shows them", id)
	case err != nil:
		return a, err
	}
	switch a.State {
	case content.Published:
		return a, nil
	case content.Waiting:
		return a, fmt.Errorf("article %d waits for its date, %s: readers may not see it yet", id, a.Published.Format(dayLayout))
	case content.Withdrawn:
		return a, fmt.Errorf("article %d was withdrawn; newsie article restore %d publishes it again", id, id)
	case content.Gone:
		return a, fmt.Errorf("article %d is gone: its file went away", id)
	}
	return a, fmt.Errorf("article %d is a %s: readers may not see it", id, a.State)
}
