package bot

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// meant finds the article that a number stands for. A number up to 99 that a
// reader typed is one of the lists above, whether the command before it is a
// word or begins with "/", as those of a platform's menu do. A button carries
// an article's id: what a tap sends, and what is marked "a4711" or "4711 v". A
// typed id is understood where no list could be meant.
func (b *Bot) meant(ctx context.Context, t *turn, arg string) (int64, bool, error) {
	number, marked := strings.CutSuffix(strings.TrimSpace(arg), " "+inView)
	if rest, ok := strings.CutPrefix(number, "a"); ok && articleID.MatchString(rest) {
		number, marked = rest, true
	}
	id, err := strconv.ParseInt(number, 10, 64)
	isID := err == nil && strings.HasPrefix(t.Text, "/")
	if isID && (marked || t.Kind == Tap) {
		return id, true, nil
	}
	n, ok := position(plain(number))
	if !ok {
		return id, isID, nil
	}
	article, listed, err := b.numbered(ctx, t, n)
	if err != nil || article != 0 {
		return article, article != 0, err
	}
	return id, isID && !listed, nil
}

// numbered gives the article with a number of the last list or, as the few that
// are related to an article stand right below it, of the list before; 0: there
// is none. listed tells whether there are lists at all.
func (b *Bot) numbered(ctx context.Context, t *turn, n int) (article int64, listed bool, err error) {
	list, ok, err := b.lists.last(ctx, t.Chat)
	if err != nil || !ok {
		return 0, false, err
	}
	if list.Kind == "related" && n > len(list.IDs) {
		before, ok, err := b.lists.before(ctx, t.Chat)
		if err != nil {
			return 0, true, err
		}
		if ok {
			list = before
		}
	}
	if n < 1 || n > len(list.IDs) {
		return 0, true, nil
	}
	return list.IDs[n-1], true, nil
}

// thatOne finds the article that is meant by a number, an id, or by none: the
// one that was opened last. Otherwise it gives the answer to who means none.
func (b *Bot) thatOne(ctx context.Context, t *turn, command, arg string) (id int64, ok bool, otherwise Reply, err error) {
	if arg == "" {
		if id, ok, err = b.lists.opened(ctx, t.Chat); err != nil || ok {
			return id, ok, Reply{}, err
		}
		otherwise, err = b.whichOne(ctx, t, command, t.T("bot.which_one", "Usage", t.T("command."+command+".usage")))
		return 0, false, otherwise, err
	}
	if id, ok, err = b.meant(ctx, t, arg); err != nil || ok {
		return id, ok, Reply{}, err
	}
	return 0, false, noNumber(t), nil
}

// whichOne asks for one of the articles that the last list showed.
func (b *Bot) whichOne(ctx context.Context, t *turn, command, text string) (Reply, error) {
	reply := Reply{Text: text}
	list, ok, err := b.lists.last(ctx, t.Chat)
	if err != nil {
		return Reply{}, err
	}
	if !ok {
		reply.Actions = []Action{{Label: t.T("bot.newest"), Text: "/latest"}}
		return reply, nil
	}
	to := min(list.Shown, len(list.IDs))
	for i := max(0, to-1) / page * page; i < to; i++ {
		reply.Actions = append(reply.Actions, Action{Label: strconv.Itoa(i + 1), Text: fmt.Sprintf("/%s %d", command, list.IDs[i]), Role: Pick})
	}
	return reply, nil
}

func noNumber(t *turn) Reply {
	return Reply{Text: t.T("bot.no_number"), Actions: []Action{{Label: t.T("bot.newest"), Text: "/latest"}}}
}
