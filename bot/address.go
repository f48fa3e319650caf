package bot

import (
	"context"
	"regexp"
	"strings"

	"newsie/content"
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

// ownPage reads the number of an article off the address of its page here.
func (b *Bot) ownPage(address string) (id int64, ok bool) { return content.OwnPage(b.public, address) }

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
