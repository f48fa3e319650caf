package webchat

import (
	"strings"
	"unicode/utf8"

	"newsie/bot"
)

// plain drops what no screen shows and no database takes: broken UTF-8,
// control characters and non-characters.
func plain(text string) string {
	if utf8.ValidString(text) && strings.IndexFunc(text, unshown) < 0 {
		return text
	}
	return strings.Map(func(c rune) rune {
		if unshown(c) {
			return -1
		}
		return c
	}, strings.ToValidUTF8(text, ""))
}

func unshown(c rune) bool {
	return c < ' ' && c != '\n' && c != '\t' || c >= 0x7f && c < 0xa0 || c&0xfffe == 0xfffe || c >= 0xfdd0 && c <= 0xfdef
}

// typed is what a reader typed, made plain.
func typed(text string) string {
	return strings.TrimSpace(plain(strings.ReplaceAll(text, "\r\n", "\n")))
}

// plainReply makes every word of a reply plain. A snippet whose text had to
// change loses its marks, which would point elsewhere.
func plainReply(r bot.Reply) bot.Reply {
	r.Lang, r.Replace = plain(r.Lang), plain(r.Replace)
	pieces := bot.Pieces(r.Text, r.Links)
	for i, p := range pieces {
		pieces[i] = bot.Piece{Text: plain(p.Text), URL: plain(p.URL)}
	}
	r.Text, r.Links = bot.Joined(pieces)
	r.Groups = append([]bot.Group(nil), r.Groups...)
	for i := range r.Groups {
		group := &r.Groups[i]
		group.Heading = plain(group.Heading)
		group.Cards = append([]bot.Card(nil), group.Cards...)
		for j := range group.Cards {
			card := &group.Cards[j]
			for _, s := range []*string{&card.Title, &card.URL, &card.Counted, &card.Source, &card.Date, &card.Lang, &card.Cover, &card.Open} {
				*s = plain(*s)
			}
			card.Also.Places = append([]bot.Place(nil), card.Also.Places...)
			for k := range card.Also.Places {
				place := &card.Also.Places[k]
				place.Name, place.URL, place.Counted = plain(place.Name), plain(place.URL), plain(place.Counted)
			}
			if text := plain(card.Snippet.Text); text != card.Snippet.Text {
				card.Snippet = bot.Snippet{Text: text}
			}
		}
	}
	r.Actions = append([]bot.Action(nil), r.Actions...)
	for i := range r.Actions {
		action := &r.Actions[i]
		action.Label, action.Text, action.URL, action.Counted = plain(action.Label), plain(action.Text), plain(action.URL), plain(action.Counted)
	}
	return r
}
