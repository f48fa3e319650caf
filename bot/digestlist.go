package bot

import (
	"context"
	"encoding/json"
	"fmt"
)

// A Part is a run of a digest's list that one topic brought.
type Part struct {
	Topic  string `json:"topic"` // in the reader's words
	Query  string `json:"query"`
	Count  int    `json:"count"`            // articles of the list
	Beyond int    `json:"beyond,omitempty"` // that match too and are not in the list
}

// DigestList is what Lists.Make is to keep a digest's list as: the topic's query
// where there is one topic and the list holds all that matches, otherwise the parts.
func DigestList(parts []Part) (kind, query string) {
	whole := true
	for _, p := range parts {
		whole = whole && p.Beyond == 0 && p.Query == parts[0].Query
	}
	if whole && len(parts) > 0 {
		return "digest", parts[0].Query
	}
	data, err := json.Marshal(parts)
	if err != nil { // of strings and numbers it can be made
		return "digest", ""
	}
	return "digests", string(data)
}

// MoreText is what a reader says to see what comes after the first shown
// articles of a list.
func MoreText(list int64, shown int) string { return fmt.Sprintf("/more %d %d", list, shown/page+1) }

// parts are those of a digest's list; nil when it has none.
func (l List) parts() []Part {
	var parts []Part
	if l.Kind != "digests" || json.Unmarshal([]byte(l.Query), &parts) != nil {
		return nil
	}
	return parts
}

// several reports whether a digest's list is of more than one topic.
func several(parts []Part) bool {
	for _, p := range parts {
		if p.Query != parts[0].Query {
			return true
		}
	}
	return false
}

// grouped puts a page's cards, whose numbers are their places in the list, under
// the topics of a digest.
func grouped(list List, cards []Card) []Group {
	parts := list.parts()
	if !several(parts) {
		return []Group{{Cards: cards}}
	}
	var groups []Group
	end := 0
	for _, p := range parts {
		end += p.Count
		group := Group{Heading: p.Topic}
		for len(cards) > 0 && cards[0].Number <= end {
			group.Cards, cards = append(group.Cards, cards[0]), cards[1:]
		}
		switch last := len(groups) - 1; {
		case len(group.Cards) == 0:
		case last >= 0 && groups[last].Heading == p.Topic:
			groups[last].Cards = append(groups[last].Cards, group.Cards...)
		default:
			groups = append(groups, group)
		}
	}
	return groups
}

// beyond adds to the last page of a digest how to find what its list does not hold.
func beyond(t *turn, list List, reply *Reply) {
	for _, p := range list.parts() {
		if p.Beyond == 0 {
			continue
		}
		label := t.T("bot.beyond", "Count", p.Beyond, "Topic", p.Topic)
		search := "/search " + p.Query
		if p.Query == "*" {
			search = "/latest"
		}
		if before := len(reply.Actions); len(appendFitting(reply.Actions, Action{Label: label, Text: search})) > before {
			reply.Actions = append(reply.Actions, Action{Label: label, Text: search})
			continue
		}
		reply.Text += "\n" + label
	}
}

// ofDigest adds to a digest's page what the digest itself offers: another time,
// and no more of it.
func (b *Bot) ofDigest(ctx context.Context, t *turn, list List, reply *Reply) error {
	parts := list.parts()
	if list.Kind != "digest" && parts == nil {
		return nil
	}
	if several(parts) {
		reply.Actions = append(reply.Actions, Action{Label: t.T("bot.change_time"), Text: "/when"}, Action{Label: t.T("bot.stop_which"), Text: "/unfollow"})
		return nil
	}
	query := list.Query
	if parts != nil {
		query = parts[0].Query
	}
	follows, err := b.chats.Follows(ctx, t.Chat)
	if err != nil {
		return err
	}
	if f, ok := withQuery(follows, query); ok { // it may have ended since
		reply.Actions = append(reply.Actions,
			Action{Label: t.T("bot.change_time"), Text: fmt.Sprintf("/when %d", f.ID)},
			Action{Label: t.T("bot.unfollow", "Topic", short(t.named(f), 20)), Text: fmt.Sprintf("/unfollow %d", f.ID)})
	}
	return nil
}
