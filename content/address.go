package content

import (
	"context"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// bareAddress is an address without its scheme: a host, and a path.
var bareAddress = regexp.MustCompile(`^[\pL\pN-]+(\.[\pL\pN-]+)+(:[0-9]+)?/\S+$`)

// ByAddress finds the published article that an address leads to: its canonical
// one, or that of its page here, which may lack scheme and host. Pages of other
// sites are none of ours, however alike their paths are.
func (l *Library) ByAddress(ctx context.Context, address string) (Article, bool, error) {
	if strings.ContainsAny(address, " \n\t") {
		return Article{}, false, nil
	}
	whole := []string{address}
	if bareAddress.MatchString(address) { // as browsers show it
		whole = []string{"https://" + address, "http://" + address}
	}
	for _, address := range whole {
		if !strings.HasPrefix(address, "http://") && !strings.HasPrefix(address, "https://") {
			continue
		}
		if a, ok, err := l.ByURL(ctx, address); ok || err != nil {
			return a, ok, err
		}
	}
	id, ours := pageNumber("", address)
	if !strings.HasPrefix(address, "/") {
		id, ours = OwnPage(l.public, address)
	}
	if !ours {
		return Article{}, false, nil
	}
	list, err := l.Articles(ctx, []int64{id})
	if err != nil || len(list) == 0 {
		return Article{}, false, err
	}
	return list[0], true, nil
}

// OwnPage reads the number of an article off the address of its page at public,
// whatever the slug says. http or https and what stands behind ? and # make no
// difference, nor that the scheme is left out.
func OwnPage(public, address string) (id int64, ok bool) {
	if !strings.Contains(address, "://") {
		address = "https://" + address
	}
	asked, err := url.Parse(address)
	if err != nil || asked.Scheme != "http" && asked.Scheme != "https" {
		return 0, false
	}
	own, err := url.Parse(strings.TrimRight(public, "/"))
	if err != nil || own.Hostname() == "" || !strings.EqualFold(asked.Hostname(), own.Hostname()) || portOf(asked) != portOf(own) {
		return 0, false
	}
	return pageNumber(own.Path, asked.Path)
}

// articleNumber is how the reader pages write one.
var articleNumber = regexp.MustCompile(`^[1-9][0-9]{0,17}$`)

// pageNumber reads the number off the path of an article's page.
func pageNumber(root, path string) (id int64, ok bool) {
	path, ok = strings.CutPrefix(path, root+"/a/")
	if end := strings.IndexAny(path, "/?#"); end >= 0 {
		path = path[:end]
	}
	if !ok || !articleNumber.MatchString(path) {
		return 0, false
	}
	id, err := strconv.ParseInt(path, 10, 64)
	return id, err == nil
}

// portOf is the port of an address, "" for its scheme's own.
func portOf(u *url.URL) string {
	if port := u.Port(); port != map[string]string{"http": "80", "https": "443"}[u.Scheme] {
		return port
	}
	return ""
}
