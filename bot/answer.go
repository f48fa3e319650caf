package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"newsie/content"
	"newsie/content/index"
	"newsie/content/language"
)

// page is how many cards one message shows.
const page = 5

func (b *Bot) searchCommand(ctx context.Context, t *turn, arg string) (Reply, error) {
	if arg == "" {
		return b.hint(ctx, t, t.T("bot.search_what"))
	}
	t.Text = arg
	return b.question(ctx, t)
}

// exactCommand searches for the words as typed, after a repair the reader did not want.
func (b *Bot) exactCommand(ctx context.Context, t *turn, arg string) (Reply, error) {
	return b.search(ctx, t, arg, true)
}

func (b *Bot) search(ctx context.Context, t *turn, text string, exact bool) (Reply, error) {
	results, err := b.library.Search(ctx, content.Query{Text: text, Lang: t.wants, Filter: t.channel.Filter, Limit: page, Exact: exact, Recency: t.channel.Recency})
	if err != nil {
		return Reply{}, err
	}
	// The list keeps the words as typed: its next page is repaired the same way.
	list := List{Kind: "search", Query: text, IDs: results.IDs, Shown: len(results.Hits)}
	asTyped := results.Total
	if results.Corrected != "" {
		asTyped = 0 // the publisher shall see the spelling that readers use
	}
	id, err := b.lists.asked(ctx, t.Chat, list, t.Printer.Lang(), asTyped)
	if err != nil {
		return Reply{}, err
	}
	if len(results.Hits) == 0 {
		if reply, said, err := b.otherwise(ctx, t, text, "none"); said || err != nil {
			return reply, err
		}
		t.outcome = "none"
		return b.nothing(ctx, t, text)
	}
	t.outcome = "answered"
	reply := Reply{Text: t.T("bot.found", "Count", results.Total, "Query", short(text, 60))}
	if results.Corrected != "" {
		reply.Text = t.T("bot.corrected", "Query", short(results.Corrected, 60))
	}
	if len(results.Dropped) > 0 {
		reply.Text += "\n" + t.T("bot.dropped", "Words", strings.Join(results.Dropped, t.T("bot.comma")))
	}
	reply.Groups = []Group{{Cards: b.hits(results.Hits, t, 1)}}
	reply.Best = best(text, results)
	if len(results.IDs) > page {
		reply.Actions = append(reply.Actions, moreAction(t, id, 2))
	}
	if results.Corrected != "" {
		reply.Actions = appendFitting(reply.Actions, Action{Label: t.T("bot.search_instead", "Query", short(text, 30)), Text: "/exact " + text})
	}
	topic := text
	if results.Corrected != "" {
		topic = results.Corrected
	}
	if len(results.Dropped) > 0 || utf8.RuneCountInString(topic) > longestTopic || index.SameName(topic, results.Hits[0].Article.Title, true) || strings.ContainsAny(topic, "?？") {
		return reply, nil // a sentence is no topic, nor is a title
	}
	reply.Actions = appendFitting(reply.Actions, Action{Label: t.T("bot.follow_this", "Query", short(topic, 20)), Text: "/follow " + topic})
	return reply, nil
}

// nothing says that nothing was found, and what can be.
func (b *Bot) nothing(ctx context.Context, t *turn, text string) (Reply, error) {
	reply := Reply{Text: t.T("bot.nothing", "Query", short(text, 60))}
	near, err := b.library.Nearest(ctx, text, 3)
	if err != nil {
		return Reply{}, err
	}
	// A single character of a Chinese name finds everything.
	near = slices.DeleteFunc(near, func(word string) bool { return utf8.RuneCountInString(word) < 2 })
	if len(near) > 0 {
		reply.Text += "\n" + t.T("bot.nearest", "Words", strings.Join(near, t.T("bot.comma")))
		for _, word := range near {
			reply.Actions = appendFitting(reply.Actions, Action{Label: word, Text: "/search " + word})
		}
	}
	return b.withNewest(ctx, t, reply)
}

// hint answers what cannot be searched for with words that can.
func (b *Bot) hint(ctx context.Context, t *turn, text string) (Reply, error) {
	reply := Reply{Text: text}
	if err := b.topics(ctx, t, &reply); err != nil {
		return Reply{}, err
	}
	return reply, nil
}

func (b *Bot) latest(ctx context.Context, t *turn, _ string) (Reply, error) {
	return b.withNewest(ctx, t, Reply{})
}

// withNewest adds the newest articles as a list.
func (b *Bot) withNewest(ctx context.Context, t *turn, reply Reply) (Reply, error) {
	articles, err := b.newest(ctx, t)
	if err != nil || len(articles) == 0 {
		return reply, err
	}
	ids := make([]int64, len(articles))
	for i, a := range articles {
		ids[i] = a.ID
	}
	shown := articles[:min(page, len(articles))]
	id, err := b.lists.Make(ctx, t.Chat, "latest", "", ids, len(shown))
	if err != nil {
		return Reply{}, err
	}
	reply.Groups = append(reply.Groups, Group{Heading: t.T("bot.newest"), Cards: b.cards(shown, t.Printer, t.channel.Filter.Sources, 1)})
	if len(articles) > page {
		reply.Actions = append(reply.Actions, moreAction(t, id, 2))
	}
	return reply, nil
}

// newest lists the newest articles, those in the reader's language first when
// there are enough of them to fill a message, otherwise those before the rest.
func (b *Bot) newest(ctx context.Context, t *turn) ([]content.Article, error) {
	filter := t.channel.Filter
	all, err := b.library.Latest(ctx, filter, content.Depth, 0)
	if err != nil || len(filter.Langs) > 0 {
		return all, err
	}
	filter.Langs = []string{t.wants}
	own, err := b.library.Latest(ctx, filter, content.Depth, 0)
	if err != nil || len(own) >= page {
		return own, err
	}
	// The other Chinese script comes before foreign languages.
	for _, kin := range []bool{true, false} {
		for _, a := range all {
			near := language.Base(a.Lang) == language.Base(t.wants)
			if a.Lang != t.wants && near == kin && len(own) < content.Depth {
				own = append(own, a)
			}
		}
	}
	return own, nil
}

// more shows the next page of a list: "/more LIST PAGE", or of the last one.
func (b *Bot) more(ctx context.Context, t *turn, arg string) (Reply, error) {
	var id int64
	var number int
	explicit := false
	if n, err := fmt.Sscanf(arg, "%d %d", &id, &number); err == nil && n == 2 && number > 0 && number <= content.Depth {
		explicit = true
	}
	list, ok, err := b.lists.unfinished(ctx, t.Chat)
	if explicit {
		list, ok, err = b.lists.byID(ctx, t.Chat, id)
	}
	if err != nil {
		return Reply{}, err
	}
	if !ok {
		return b.hint(ctx, t, t.T("bot.no_list"))
	}
	from := list.Shown
	if explicit {
		from = (number - 1) * page
	}
	if from >= len(list.IDs) {
		return Reply{Text: t.T("bot.no_more"), Actions: []Action{{Label: t.T("bot.newest"), Text: "/latest"}}}, nil
	}
	reply, err := b.showList(ctx, t, list, from)
	if explicit {
		reply.Replace = strconv.FormatInt(list.ID, 10)
	}
	return reply, err
}

func (b *Bot) showList(ctx context.Context, t *turn, list List, from int) (Reply, error) {
	to := min(from+page, len(list.IDs))
	hits, err := b.library.Show(ctx, queryOf(list), t.wants, list.IDs[from:to])
	if err != nil {
		return Reply{}, err
	}
	list.Shown = to
	if err := b.lists.show(ctx, t.Chat, list); err != nil {
		return Reply{}, err
	}
	reply := Reply{Text: t.T("bot.page", "From", from+1, "To", to, "Total", len(list.IDs))}
	if to == from+1 {
		reply.Text = t.T("bot.page_one", "Number", to, "Total", len(list.IDs))
	}
	// An article that was withdrawn leaves its number empty.
	number := make(map[int64]int, to-from)
	for i, id := range list.IDs[from:to] {
		number[id] = from + i + 1
	}
	cards := b.hits(hits, t, 0)
	for i := range cards {
		cards[i].Number = number[cards[i].Article]
	}
	reply.Groups = grouped(list, cards)
	if from > 0 {
		reply.Actions = append(reply.Actions, Action{Label: t.T("bot.previous_page"), Text: fmt.Sprintf("/more %d %d", list.ID, from/page)})
	}
	if to < len(list.IDs) {
		reply.Actions = append(reply.Actions, moreAction(t, list.ID, to/page+1))
	} else {
		beyond(t, list, &reply)
	}
	err = b.ofDigest(ctx, t, list, &reply)
	return reply, err
}

func queryOf(list List) string {
	query := list.Query
	if parts := list.parts(); len(parts) > 0 && !several(parts) {
		query = parts[0].Query
	} else if list.Kind != "search" && list.Kind != "digest" {
		return ""
	}
	if query == "*" && list.Kind != "search" {
		return ""
	}
	return query
}

// back shows the list again that an article was opened from.
func (b *Bot) back(ctx context.Context, t *turn, _ string) (Reply, error) {
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

// read opens an article: "2" of the last list, or "/read 4711" by its id.
func (b *Bot) read(ctx context.Context, t *turn, arg string) (Reply, error) {
	id, ok, err := b.meant(ctx, t, arg)
	if err != nil || !ok {
		return Reply{Text: t.T("bot.no_number"), Actions: []Action{{Label: t.T("bot.newest"), Text: "/latest"}}}, err
	}
	return b.open(ctx, t, id)
}

// open shows an article.
func (b *Bot) open(ctx context.Context, t *turn, id int64) (Reply, error) {
	a, err := b.library.Article(ctx, id)
	if errors.Is(err, content.ErrNotFound) || err == nil && a.State != content.Published {
		return Reply{Text: t.T("bot.gone"), Actions: []Action{{Label: t.T("bot.newest"), Text: "/latest"}}}, nil
	}
	if err != nil {
		return Reply{}, err
	}
	card := b.cards([]content.Article{a}, t.Printer, t.channel.Filter.Sources, 0)[0]
	card.Open = ""
	reply := Reply{Groups: []Group{{Cards: []Card{card}}}}
	if card.URL != "" {
		reply.Actions = append(reply.Actions, Action{Label: t.T("bot.read_on"), URL: card.URL})
	}
	previous, next, err := b.library.Neighbours(ctx, a)
	if err != nil {
		return Reply{}, err
	}
	if previous.ID != 0 {
		reply.Actions = append(reply.Actions, Action{Label: t.T("bot.previous", "Title", short(previous.Title, 24)), Text: fmt.Sprintf("/read %d", previous.ID)})
	}
	if next.ID != 0 {
		reply.Actions = append(reply.Actions, Action{Label: t.T("bot.next", "Title", short(next.Title, 24)), Text: fmt.Sprintf("/read %d", next.ID)})
	}
	return b.withRelated(ctx, t, reply, a.ID, 3)
}

// meant finds the article that a number or an id stands for.
func (b *Bot) meant(ctx context.Context, t *turn, arg string) (int64, bool, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(arg), 10, 64)
	if err != nil {
		return 0, false, nil
	}
	if strings.HasPrefix(t.Text, "/read ") || strings.HasPrefix(t.Text, "/related ") || strings.HasPrefix(t.Text, "/start ") {
		return n, true, nil
	}
	list, ok, err := b.lists.last(ctx, t.Chat)
	if err != nil || !ok || n < 1 || int(n) > len(list.IDs) {
		return 0, false, err
	}
	return list.IDs[n-1], true, nil
}

func (b *Bot) relatedCommand(ctx context.Context, t *turn, arg string) (Reply, error) {
	if arg == "" {
		arg = "1"
	}
	id, ok, err := b.meant(ctx, t, arg)
	if err != nil || !ok {
		return Reply{Text: t.T("bot.no_number"), Actions: []Action{{Label: t.T("bot.newest"), Text: "/latest"}}}, err
	}
	reply, err := b.withRelated(ctx, t, Reply{}, id, page)
	if err == nil && len(reply.Groups) == 0 {
		return b.hint(ctx, t, t.T("bot.no_related"))
	}
	return reply, err
}

// withRelated adds related articles as the list that numbers now mean.
func (b *Bot) withRelated(ctx context.Context, t *turn, reply Reply, id int64, n int) (Reply, error) {
	related, err := b.library.Related(ctx, id, n)
	if errors.Is(err, content.ErrNotFound) || err == nil && len(related) == 0 {
		return reply, nil
	}
	if err != nil {
		return Reply{}, err
	}
	ids := make([]int64, len(related))
	for i, a := range related {
		ids[i] = a.ID
	}
	if _, err := b.lists.Make(ctx, t.Chat, "related", "", ids, len(ids)); err != nil {
		return Reply{}, err
	}
	cards := b.cards(related, t.Printer, t.channel.Filter.Sources, 1)
	for i := range cards {
		cards[i].Snippet = Snippet{} // the article shown is the message; these only point
		cards[i].Also = Also{}
		cards[i].Cover = ""
	}
	reply.Groups = append(reply.Groups, Group{Heading: t.T("bot.related"), Cards: cards})
	return reply, nil
}

func moreAction(t *turn, list int64, page int) Action {
	return Action{Label: t.T("bot.more"), Text: fmt.Sprintf("/more %d %d", list, page)}
}

// appendFitting leaves out an action whose text no button can carry.
func appendFitting(actions []Action, a Action) []Action {
	if len(a.Text) > 64 {
		return actions
	}
	return append(actions, a)
}
