package bot

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"newsie/content"
)

// more shows the next page of a list: "/more LIST PAGE WORDS" of a button, or of
// the last one. The words are what was searched for, of which the button knows
// when the list is forgotten.
func (b *Bot) more(ctx context.Context, t *turn, arg string) (Reply, error) {
	var id int64
	var number int
	if n, err := fmt.Sscanf(arg, "%d %d", &id, &number); err == nil && n == 2 && number > 0 && number <= mostSaved/page {
		list, ok, err := b.lists.byID(ctx, t.Chat, id)
		if err != nil {
			return Reply{}, err
		}
		if !ok {
			_, words, _ := strings.Cut(arg, " ")
			_, words, _ = strings.Cut(words, " ")
			return b.tooOld(ctx, t, words)
		}
		reply, err := b.showList(ctx, t, list, (number-1)*page)
		if len(reply.Groups) > 0 {
			reply.Replace = strconv.FormatInt(list.ID, 10)
		}
		return reply, err
	}
	list, ok, err := b.lists.unfinished(ctx, t.Chat)
	if err != nil {
		return Reply{}, err
	}
	if !ok {
		return b.hint(ctx, t, t.T("bot.no_list"))
	}
	return b.showList(ctx, t, list, list.Shown)
}

// tooOld answers the button of a list that is forgotten, or is not this chat's.
func (b *Bot) tooOld(ctx context.Context, t *turn, words string) (Reply, error) {
	if words == "" {
		return b.hint(ctx, t, t.T("bot.list_old"))
	}
	reply := Reply{Text: t.T("bot.list_old")}
	reply.Actions = appendFitting(reply.Actions, Action{Label: t.T("bot.search_again", "Query", short(words, 30)), Text: "/search " + words})
	reply.Actions = append(reply.Actions, Action{Label: t.T("bot.newest"), Text: "/latest"})
	return reply, nil
}

// showList shows a page of a list, from the article at a place on.
func (b *Bot) showList(ctx context.Context, t *turn, list List, from int) (Reply, error) {
	if from >= len(list.IDs) {
		return Reply{Text: t.T("bot.no_more"), Actions: []Action{{Label: t.T("bot.newest"), Text: "/latest"}}}, nil
	}
	to := min(from+page, len(list.IDs))
	hits, err := b.library.Show(ctx, queryOf(list), t.wants, list.IDs[from:to])
	if err != nil {
		return Reply{}, err
	}
	list.Shown = to
	if err := b.lists.show(ctx, t.Chat, list); err != nil {
		return Reply{}, err
	}
	// An article that was withdrawn leaves its number empty.
	number := make(map[int64]int, to-from)
	for i, id := range list.IDs[from:to] {
		number[id] = from + i + 1
	}
	if list.Kind == "latest" {
		if err := b.markPinned(ctx, t, hits); err != nil {
			return Reply{}, err
		}
	}
	cards := b.hits(hits, t, 0)
	for i := range cards {
		cards[i].Number = number[cards[i].Article]
	}
	reply := Reply{Text: pageHeading(t, list, from, to), Groups: grouped(list, cards)}
	if len(cards) == 0 {
		reply.Text += "\n" + t.T("bot.page_gone")
	}
	words := ""
	if list.Kind == "search" || list.Kind == "repaired" {
		words = list.Query
	}
	if from > 0 {
		back := moreAction(t, list.ID, from/page, words)
		back.Label, back.Role = t.T("bot.previous_page"), PageBack
		reply.Actions = append(reply.Actions, back)
	}
	if to < len(list.IDs) {
		reply.Actions = append(reply.Actions, moreAction(t, list.ID, to/page+1, words))
	} else {
		beyond(t, list, &reply)
	}
	if err := b.ofDigest(ctx, t, list, &reply); err != nil {
		return Reply{}, err
	}
	if list.Kind != "search" || !isTopic(words) || strings.ContainsAny(words, "?？") {
		return reply, nil
	}
	err = b.offerFollow(ctx, t, &reply, words)
	return reply, err
}

// markPinned marks what is pinned.
func (b *Bot) markPinned(ctx context.Context, t *turn, hits []content.Hit) error {
	pinned, err := b.library.Pinned(ctx, t.channel.Filter)
	for i := range hits {
		id := hits[i].Article.ID
		hits[i].Article.Pinned = slices.ContainsFunc(pinned, func(a content.Article) bool { return a.ID == id })
	}
	return err
}

// pageHeading tells what a page is of.
func pageHeading(t *turn, list List, from, to int) string {
	part := t.T("bot.page", "From", from+1, "To", to, "Total", len(list.IDs))
	if to == from+1 {
		part = t.T("bot.page_one", "Number", to, "Total", len(list.IDs))
	}
	of := ""
	switch list.Kind {
	case "search", "repaired":
		of = t.T("bot.quoted", "Words", short(list.Query, 60))
	case "latest":
		of = t.T("bot.newest")
	case "saved":
		of = t.T("bot.my_saved")
	case "related":
		of = t.T("bot.related")
	default:
		return part
	}
	return t.T("bot.page_of", "Of", of, "Part", part)
}

func queryOf(list List) string {
	query, searched := list.Query, list.Kind == "search" || list.Kind == "repaired"
	if parts := list.parts(); len(parts) > 0 && !several(parts) {
		query = parts[0].Query
	} else if !searched && list.Kind != "digest" {
		return ""
	}
	if query == "*" && !searched {
		return ""
	}
	return query
}

// back shows the list again that an article was opened from; "/back LIST" one
// that a button knows.
func (b *Bot) back(ctx context.Context, t *turn, arg string) (Reply, error) {
	if id, err := strconv.ParseInt(arg, 10, 64); err == nil {
		list, ok, err := b.lists.byID(ctx, t.Chat, id)
		if err != nil {
			return Reply{}, err
		}
		if !ok {
			return b.tooOld(ctx, t, "")
		}
		return b.showList(ctx, t, list, max(0, list.Shown-1)/page*page)
	}
	list, ok, err := b.lists.before(ctx, t.Chat)
	if err != nil {
		return Reply{}, err
	}
	if !ok {
		return b.hint(ctx, t, t.T("bot.no_list"))
	}
	at := max(0, list.Shown-1) / page * page
	if latest, _, err := b.lists.last(ctx, t.Chat); err != nil {
		return Reply{}, err
	} else if latest.ID == list.ID {
		at = max(0, at-page) // nothing was opened since: a page back
	}
	return b.showList(ctx, t, list, at)
}

func moreAction(t *turn, list int64, page int, words string) Action {
	text := fmt.Sprintf("/more %d %d", list, page)
	// Elsewhere what a button says is seen and takes room.
	if with := text + " " + words; t.channel.Edits && words != "" && len(with) <= longestButton {
		text = with
	}
	return Action{Label: t.T("bot.more"), Text: text, Role: PageOn}
}
