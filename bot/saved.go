package bot

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/uptrace/bun"
)

// mostSaved is how many articles one chat may keep.
const mostSaved = 500

// Save keeps an article for a chat and reports whether it was not kept yet.
// full: the chat keeps the most already, and nothing was done.
func (c *Chats) Save(ctx context.Context, chat ChatID, article int64) (fresh, full bool, err error) {
	err = c.db.WriteOne(ctx, func(ctx context.Context, tx bun.IDB) error {
		result, err := tx.ExecContext(ctx, `INSERT INTO saved (channel, chat, article, saved_at)
			SELECT ?, ?, ?, ? WHERE (SELECT count(*) FROM saved WHERE channel = ? AND chat = ?) < ?
			ON CONFLICT (channel, chat, article) DO NOTHING`,
			chat.Channel, chat.ID, article, c.now().UnixMilli(), chat.Channel, chat.ID, mostSaved)
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		fresh = n > 0
		return err
	})
	if err != nil {
		return false, false, fmt.Errorf("save article %d for %s: %w", article, chat, err)
	}
	if fresh {
		return true, false, nil
	}
	kept, err := c.saves(ctx, chat, article)
	return false, err == nil && !kept, err
}

// Unsave ends the keeping of articles and reports how many were kept.
func (c *Chats) Unsave(ctx context.Context, chat ChatID, articles ...int64) (int64, error) {
	if len(articles) == 0 {
		return 0, nil
	}
	result, err := c.db.ExecContext(ctx, "DELETE FROM saved WHERE channel = ? AND chat = ? AND article IN (?)", chat.Channel, chat.ID, bun.List(articles))
	if err != nil {
		return 0, fmt.Errorf("take saved articles off for %s: %w", chat, err)
	}
	return result.RowsAffected()
}

// Saved lists the articles that a chat keeps, the last saved first.
func (c *Chats) Saved(ctx context.Context, chat ChatID) ([]int64, error) {
	var ids []int64
	err := c.db.Reader().NewRaw("SELECT article FROM saved WHERE channel = ? AND chat = ? ORDER BY saved_at DESC, article DESC", chat.Channel, chat.ID).Scan(ctx, &ids)
	if err != nil {
		return nil, fmt.Errorf("list the saved articles of %s: %w", chat, err)
	}
	return ids, nil
}

func (c *Chats) saves(ctx context.Context, chat ChatID, article int64) (bool, error) {
	var n int
	err := c.db.Reader().NewRaw("SELECT count(*) FROM saved WHERE channel = ? AND chat = ? AND article = ?", chat.Channel, chat.ID, article).Scan(ctx, &n)
	if err != nil {
		return false, fmt.Errorf("look whether %s keeps article %d: %w", chat, article, err)
	}
	return n > 0, nil
}

// inView marks the buttons below an article that is shown, so that what they do
// is shown there: "/save 4711 v".
const inView = "v"

// keepAction saves the article that is shown, or ends its keeping.
func (b *Bot) keepAction(ctx context.Context, t *turn, id int64) (Action, error) {
	kept, err := b.chats.saves(ctx, t.Chat, id)
	a := Action{Label: t.T("bot.save"), Text: fmt.Sprintf("/save %d", id)}
	if kept {
		a = Action{Label: t.T("bot.unsave"), Text: fmt.Sprintf("/unsave %d", id)}
	}
	if t.channel.Edits {
		a.Text += " " + inView
	}
	return a, err
}

// renews reports whether such a button's message is to be shown anew.
func (t *turn) renews(arg string) bool {
	return strings.HasSuffix(arg, " "+inView) && t.Kind == Tap && t.channel.Edits
}

// renewed shows an article in the place of the message whose button was pressed.
func (b *Bot) renewed(ctx context.Context, t *turn, id int64) (Reply, error) {
	reply, err := b.open(ctx, t, id)
	if len(reply.Groups) > 0 {
		reply.Replace = "a" + strconv.FormatInt(id, 10)
	}
	return reply, err
}

// save keeps an article for later: "save 2", a button's "/save 4711", or the one just opened.
func (b *Bot) save(ctx context.Context, t *turn, arg string) (Reply, error) {
	renew := t.renews(arg)
	id, ok, otherwise, err := b.thatOne(ctx, t, "save", arg)
	if err != nil || !ok {
		return otherwise, err
	}
	a, ok, err := b.published(ctx, id)
	if err != nil || !ok {
		return b.gone(t, a), err
	}
	fresh, full, err := b.chats.Save(ctx, t.Chat, id)
	if err != nil {
		return Reply{}, err
	}
	mine := Action{Label: t.T("bot.my_saved"), Text: "/saved"}
	key := "bot.saved"
	switch {
	case full:
		return Reply{Text: t.T("bot.saved_full", "Count", mostSaved), Actions: []Action{mine}}, nil
	case renew:
		return b.renewed(ctx, t, id)
	case !fresh:
		key = "bot.saved_already"
	}
	return Reply{Text: t.T(key, "Title", short(a.Title, 60)), Actions: []Action{
		mine, {Label: t.T("bot.unsave"), Text: fmt.Sprintf("/unsave %d", id)},
	}}, nil
}

// unsave ends the keeping of an article, which may be withdrawn meanwhile.
func (b *Bot) unsave(ctx context.Context, t *turn, arg string) (Reply, error) {
	renew := t.renews(arg)
	id, ok, otherwise, err := b.thatOne(ctx, t, "unsave", arg)
	if err != nil || !ok {
		return otherwise, err
	}
	n, err := b.chats.Unsave(ctx, t.Chat, id)
	if err != nil {
		return Reply{}, err
	}
	if renew {
		return b.renewed(ctx, t, id)
	}
	text := t.T("bot.unsave_unknown")
	if n > 0 {
		text = t.T("bot.unsaved")
	}
	return Reply{Text: text, Actions: []Action{{Label: t.T("bot.my_saved"), Text: "/saved"}}}, nil
}

// saved lists what a chat keeps. What was withdrawn is taken off, and told once.
func (b *Bot) saved(ctx context.Context, t *turn, _ string) (Reply, error) {
	kept, err := b.chats.Saved(ctx, t.Chat)
	if err != nil {
		return Reply{}, err
	}
	articles, err := b.library.Articles(ctx, kept)
	if err != nil {
		return Reply{}, err
	}
	ids := idsOf(articles)
	lost := without(kept, ids)
	if _, err := b.chats.Unsave(ctx, t.Chat, lost...); err != nil {
		return Reply{}, err
	}
	reply := Reply{Text: t.T("bot.saved_none")}
	if len(ids) > 0 {
		reply.Text = t.T("bot.saved_list", "Count", len(ids))
	}
	if len(lost) > 0 {
		reply.Text += "\n" + t.T("bot.saved_lost", "Count", len(lost))
	}
	if len(ids) == 0 {
		reply.Actions = []Action{{Label: t.T("bot.newest"), Text: "/latest"}}
		return reply, nil
	}
	shown := articles[:min(page, len(articles))]
	id, err := b.lists.Make(ctx, t.Chat, "saved", "", ids, len(shown))
	if err != nil {
		return Reply{}, err
	}
	reply.Groups = []Group{{Cards: b.cards(shown, t.Printer, t.channel.Filter.Sources, 1)}}
	if len(ids) > page {
		reply.Actions = append(reply.Actions, moreAction(t, id, 2, ""))
	}
	return reply, nil
}

// without are those of all that are not among some.
func without(all, some []int64) []int64 {
	there := make(map[int64]bool, len(some))
	for _, id := range some {
		there[id] = true
	}
	var rest []int64
	for _, id := range all {
		if !there[id] {
			rest = append(rest, id)
		}
	}
	return rest
}
