package bot

import (
	"context"
)

// deepLink is the address that opens the bot and has it hear a payload; "" when
// the channel has none, or the payload does not fit.
func (b *Bot) deepLink(t *turn, p Payload) string {
	if t.channel.DeepLink == nil {
		return ""
	}
	text, ok := p.Encode()
	if !ok {
		return ""
	}
	return t.channel.DeepLink(text)
}

// shareAddress opens Telegram's own choice of chats, with a link to be sent and
// words to go with it.
func shareAddress(link, words string) string {
	return "https://t.me/share/url?url=" + escaped(link) + "&text=" + escaped(short(words, 200))
}

// share gives what a reader passes on: an article's title and address, which
// opens it in the bot where the channel has such addresses.
func (b *Bot) share(ctx context.Context, t *turn, arg string) (Reply, error) {
	id, ok, otherwise, err := b.thatOne(ctx, t, "share", arg)
	if err != nil || !ok {
		return otherwise, err
	}
	a, ok, err := b.published(ctx, id)
	if err != nil || !ok {
		return b.gone(t, a), err
	}
	link := b.deepLink(t, Payload{Article: id})
	address := link
	if address == "" {
		address = b.link(a)
	}
	if address == "" {
		return Reply{Text: t.T("bot.share_nowhere")}, nil
	}
	start := len(a.Title) + len("\n")
	reply := Reply{Text: a.Title + "\n" + address, Links: []Link{{start, start + len(address), address}}}
	if link != "" {
		reply.Actions = []Action{{Label: t.T("bot.share"), URL: shareAddress(link, a.Title)}}
	}
	return reply, nil
}
