package bot

import (
	"slices"

	"newsie/bot/origin"
)

// Counted is a reply to one chat with addresses by which it is counted what its
// reader opens, where the channel counts that. What is shown and passed on keeps
// its own addresses. The reply that was given may be shared: it stays as it is.
func (b *Bot) Counted(chat ChatID, r Reply) Reply {
	links := b.channels[chat.Channel].Links
	if links == nil || chat.ID == "" || chat.Audience() {
		return r
	}
	reader := origin.Reader{Channel: chat.Channel, Chat: chat.ID}
	counted := func(article int64, address string) string {
		if article == 0 || address == "" {
			return ""
		}
		return links.URL(reader, article)
	}
	r.Groups = slices.Clone(r.Groups)
	for i, group := range r.Groups {
		cards := slices.Clone(group.Cards)
		for j := range cards {
			card := &cards[j]
			card.Counted = counted(card.Article, card.URL)
			card.Also.Places = slices.Clone(card.Also.Places)
			for k := range card.Also.Places {
				place := &card.Also.Places[k]
				place.Counted = counted(place.Article, place.URL)
			}
		}
		r.Groups[i].Cards = cards
	}
	r.Actions = slices.Clone(r.Actions)
	for i := range r.Actions {
		action := &r.Actions[i]
		action.Counted = counted(action.Article, action.URL)
	}
	return r
}
