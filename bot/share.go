package bot

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"

	"newsie/content"
)

// shared answers a link that a reader shared: an article of ours is opened; of
// another page the title, which is all that is known, is searched for.
func (b *Bot) shared(ctx context.Context, t *turn) (Reply, error) {
	id, ok, err := b.atAddress(ctx, strings.TrimSpace(t.Link))
	if err != nil {
		return Reply{}, err
	}
	if ok {
		return b.open(ctx, t, id)
	}
	title := firstRunes(t.Text, longest)
	if !strings.ContainsFunc(title, unicode.IsLetter) {
		return b.hint(ctx, t, t.T("bot.media_link"))
	}
	// It is no question: nothing is repaired, and the publisher does not see it.
	found, err := b.library.Search(ctx, content.Query{Text: title, Lang: t.wants, Filter: t.channel.Filter, Limit: page, Exact: true, Recency: t.channel.Recency})
	if err != nil {
		return Reply{}, err
	}
	if len(found.Hits) == 0 || 2*letters(strings.Join(found.Dropped, "")) > letters(title) {
		return b.hint(ctx, t, t.T("bot.media_link"))
	}
	list, err := b.lists.Make(ctx, t.Chat, "search", title, found.IDs, len(found.Hits))
	if err != nil {
		return Reply{}, err
	}
	reply := Reply{Text: t.T("bot.link_similar"), Groups: []Group{{Cards: b.hits(found.Hits, t, 1)}}}
	if len(found.IDs) > page {
		reply.Actions = append(reply.Actions, moreAction(t, list, 2, ""))
	}
	return reply, nil
}

func firstRunes(text string, n int) string {
	if utf8.RuneCountInString(text) <= n {
		return text
	}
	return string([]rune(text)[:n])
}

func letters(text string) (n int) {
	for _, r := range text {
		if unicode.IsLetter(r) {
			n++
		}
	}
	return n
}
