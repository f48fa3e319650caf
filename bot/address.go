package bot

import (
	"context"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

var addressRule = regexp.MustCompile(`https?://\S+`)

// atAddress finds the article that an address leads to: its canonical one, or
// that of its page here, which is found by its number whatever the slug says.
// The article of a page may be withdrawn.
func (b *Bot) atAddress(ctx context.Context, address string) (id int64, ok bool, err error) {
	if a, ok, err := b.library.ByAddress(ctx, address); err != nil || ok {
		return a.ID, ok, err
	}
	id, ok = b.ownPage(address)
	return id, ok, nil
}

// ownPage reads the number of an article off the address of its page here. http
// or https and what stands behind ? and # make no difference, nor that the
// scheme is left out.
func (b *Bot) ownPage(address string) (id int64, ok bool) {
	if !strings.Contains(address, "://") {
		address = "https://" + address
	}
	asked, err := url.Parse(address)
	if err != nil || asked.Scheme != "http" && asked.Scheme != "https" {
		return 0, false
	}
	own, err := url.Parse(b.public)
	if err != nil || own.Hostname() == "" || !strings.EqualFold(asked.Hostname(), own.Hostname()) || portOf(asked) != portOf(own) {
		return 0, false
	}
	path, ok := strings.CutPrefix(asked.Path, own.Path+"/a/")
	number, _, _ := strings.Cut(path, "/")
	if !ok || !articleID.MatchString(number) {
		return 0, false
	}
	id, err = strconv.ParseInt(number, 10, 64)
	return id, err == nil
}

// portOf is the port of an address, "" for its scheme's own.
func portOf(u *url.URL) string {
	if port := u.Port(); port != map[string]string{"http": "80", "https": "443"}[u.Scheme] {
		return port
	}
	return ""
}

// pasted opens the article whose address a reader pasted.
func (b *Bot) pasted(ctx context.Context, t *turn, address string) (Reply, error) {
	id, ok, err := b.atAddress(ctx, strings.TrimRight(address, ".,;:!?)]}。，；：！？）」》"))
	if err != nil {
		return Reply{}, err
	}
	if ok {
		return b.open(ctx, t, id)
	}
	rest := strings.TrimSpace(addressRule.ReplaceAllString(t.Text, " "))
	if rest == "" {
		return b.unfit(ctx, t, t.T("bot.not_ours"))
	}
	return b.search(ctx, t, rest, false)
}
