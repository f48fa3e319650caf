package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"newsie/content"
)

// read opens an article: "2" of the last list, or by its id; "/read" asks for which.
func (b *Bot) read(ctx context.Context, t *turn, arg string) (Reply, error) {
	if arg == "" {
		if _, ok, err := b.lists.last(ctx, t.Chat); err != nil {
			return Reply{}, err
		} else if !ok {
			return b.hint(ctx, t, t.T("bot.no_list"))
		}
		return b.whichOne(ctx, t, "read", t.T("bot.which_read"))
	}
	id, ok, err := b.meant(ctx, t, arg)
	if err != nil || !ok {
		return noNumber(t), err
	}
	return b.open(ctx, t, id)
}

// published gives the article with an id; ok is false, and the article what is
// still known of it, when readers cannot get it.
func (b *Bot) published(ctx context.Context, id int64) (a content.Article, ok bool, err error) {
	a, err = b.library.Article(ctx, id)
	if errors.Is(err, content.ErrNotFound) {
		return content.Article{}, false, nil
	}
	return a, err == nil && a.State == content.Published, err
}

// gone answers who asks for an article that readers cannot get, with what is
// there on its subjects, if they were public once.
func (b *Bot) gone(t *turn, a content.Article) Reply {
	reply := Reply{Text: t.T("bot.gone")}
	if a.State == content.Withdrawn {
		for _, tag := range a.Tags[:min(2, len(a.Tags))] {
			reply.Actions = appendFitting(reply.Actions, Action{Label: tag, Text: "/search " + tag})
		}
	}
	reply.Actions = append(reply.Actions, Action{Label: t.T("bot.newest"), Text: "/latest"})
	return reply
}

// open shows an article.
func (b *Bot) open(ctx context.Context, t *turn, id int64) (Reply, error) {
	a, ok, err := b.published(ctx, id)
	if err != nil {
		return Reply{}, err
	}
	if !ok {
		return b.gone(t, a), nil
	}
	card := b.cards([]content.Article{a}, t.Printer, t.channel.Filter.Sources, 0)[0]
	card.Open = ""
	reply := Reply{Groups: []Group{{Cards: []Card{card}}}}
	if reply.Actions, err = b.around(ctx, t, a, card.URL); err != nil {
		return Reply{}, err
	}
	related, err := b.related(ctx, t, a.ID, 3)
	if err != nil {
		return Reply{}, err
	}
	// The list that numbers mean from now on tells also what was opened.
	if _, err := b.lists.Make(ctx, t.Chat, "related", strconv.FormatInt(a.ID, 10), idsOf(related), len(related)); err != nil {
		return Reply{}, err
	}
	reply.Groups = b.pointers(reply.Groups, t, related)
	return reply, nil
}

// around is what a reader may do next with an article that is shown.
func (b *Bot) around(ctx context.Context, t *turn, a content.Article, address string) ([]Action, error) {
	var actions []Action
	if address != "" {
		actions = append(actions, Action{Label: t.T("bot.read_on"), URL: address, Article: a.ID})
	}
	keep, err := b.keepAction(ctx, t, a.ID)
	if err != nil {
		return nil, err
	}
	actions = append(actions, keep)
	if link := b.deepLink(t, Payload{Article: a.ID}); link != "" {
		actions = append(actions, Action{Label: t.T("bot.share"), URL: shareAddress(link, a.Title)})
	}
	if !t.Public { // in a group, what one reader turns to next is noise for the others
		previous, next, err := b.library.Neighbours(ctx, a)
		if err != nil {
			return nil, err
		}
		if previous.ID != 0 {
			actions = append(actions, Action{Label: t.T("bot.previous", "Title", short(previous.Title, 24)), Text: fmt.Sprintf("/read %d", previous.ID), Role: Neighbour})
		}
		if next.ID != 0 {
			actions = append(actions, Action{Label: t.T("bot.next", "Title", short(next.Title, 24)), Text: fmt.Sprintf("/read %d", next.ID), Role: Neighbour})
		}
	}
	list, err := b.cameFrom(ctx, t, a.ID)
	if err != nil {
		return nil, err
	}
	if list != 0 {
		actions = append(actions, Action{Label: t.T("bot.back_to_list"), Text: fmt.Sprintf("/back %d", list)})
	}
	return actions, nil
}

// cameFrom is the list from which an article was opened, if it was: directly, or
// from what is related to another one of it. 0: it was not.
func (b *Bot) cameFrom(ctx context.Context, t *turn, article int64) (int64, error) {
	list, ok, err := b.lists.before(ctx, t.Chat)
	if err != nil || !ok {
		return 0, err
	}
	last, _, err := b.lists.last(ctx, t.Chat)
	if err != nil {
		return 0, err
	}
	if slices.Contains(list.IDs, article) || last.Kind == "related" && slices.Contains(last.IDs, article) {
		return list.ID, nil
	}
	return 0, nil
}

// relatedCommand lists what is related to an article: to number 2 of the last
// list, or without a number to the one opened last, else to the list's first.
func (b *Bot) relatedCommand(ctx context.Context, t *turn, arg string) (Reply, error) {
	id, ok, otherwise, err := b.likeWhich(ctx, t, arg)
	if err != nil || !ok {
		return otherwise, err
	}
	if a, ok, err := b.published(ctx, id); err != nil || !ok {
		return b.gone(t, a), err
	}
	related, err := b.related(ctx, t, id, page)
	if err != nil {
		return Reply{}, err
	}
	if len(related) == 0 {
		return b.hint(ctx, t, t.T("bot.no_related"))
	}
	if _, err := b.lists.Make(ctx, t.Chat, "related", "", idsOf(related), len(related)); err != nil {
		return Reply{}, err
	}
	return Reply{Groups: b.pointers(nil, t, related)}, nil
}

func (b *Bot) likeWhich(ctx context.Context, t *turn, arg string) (id int64, ok bool, otherwise Reply, err error) {
	if arg == "" {
		if _, ok, err = b.lists.opened(ctx, t.Chat); err != nil {
			return 0, false, Reply{}, err
		}
		if !ok {
			if id, _, err = b.numbered(ctx, t, 1); err != nil || id != 0 {
				return id, id != 0, Reply{}, err
			}
		}
	}
	return b.thatOne(ctx, t, "related", arg)
}

func (b *Bot) related(ctx context.Context, t *turn, id int64, n int) ([]content.Article, error) {
	related, err := b.library.Related(ctx, id, n)
	if errors.Is(err, content.ErrNotFound) {
		return nil, nil
	}
	return related, err
}

// pointers adds related articles below what is shown.
func (b *Bot) pointers(groups []Group, t *turn, related []content.Article) []Group {
	if len(related) == 0 {
		return groups
	}
	cards := b.cards(related, t.Printer, t.channel.Filter.Sources, 1)
	for i := range cards {
		cards[i].Snippet = Snippet{} // the article shown is the message; these only point
		cards[i].Also = Also{}
		cards[i].Cover = ""
	}
	return append(groups, Group{Heading: t.T("bot.related"), Cards: cards})
}

func idsOf(articles []content.Article) []int64 {
	ids := make([]int64, len(articles))
	for i, a := range articles {
		ids[i] = a.ID
	}
	return ids
}
