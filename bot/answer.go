package bot

import (
	"context"
	"slices"
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
	if onlyLeavesOut(text) {
		return b.hint(ctx, t, t.T("bot.only_left_out", "Query", short(text, 60)))
	}
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
	if results.Corrected != "" || len(results.Dropped) > 0 {
		list.Kind = "repaired"
	}
	id, err := b.lists.asked(ctx, t.Chat, list, t.Printer.Lang(), asTyped)
	if err != nil {
		return Reply{}, err
	}
	b.asked(t)
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
		reply.Text += "\n" + t.T("bot.dropped", "Words", strings.Join(onceEach(results.Dropped), t.T("bot.comma")))
	}
	reply.Groups = []Group{{Cards: b.hits(results.Hits, t, 1)}}
	reply.Best = best(text, results)
	if len(results.IDs) > page {
		reply.Actions = append(reply.Actions, moreAction(t, id, 2, text))
	}
	if results.Corrected != "" {
		reply.Actions = appendFitting(reply.Actions, Action{Label: t.T("bot.search_instead", "Query", short(text, 30)), Text: "/exact " + text})
	}
	topic := text
	if results.Corrected != "" {
		topic = results.Corrected
	}
	if len(results.Dropped) > 0 || tooLong(topic) || index.SameName(topic, results.Hits[0].Article.Title, true) || strings.ContainsAny(topic, "?？") {
		return reply, nil // a sentence is no topic, nor is a title
	}
	err = b.offerFollow(ctx, t, &reply, topic)
	return reply, err
}

// onlyLeavesOut tells of words like "-tea", which say what not to find and
// nothing to look for.
func onlyLeavesOut(text string) bool {
	// Alone, the index takes them for words; beside another operator they are none.
	beside := index.ParseQuery("lang:en " + text)
	return beside.Text == "" && len(beside.Not) > 0 && index.ParseQuery(text).Text != ""
}

// onceEach leaves out the words that were named before.
func onceEach(words []string) []string {
	var once []string
	seen := map[string]bool{}
	for _, word := range words {
		if !seen[plain(word)] {
			seen[plain(word)] = true
			once = append(once, word)
		}
	}
	return once
}

// offerFollow adds that words can be followed, unless they are.
func (b *Bot) offerFollow(ctx context.Context, t *turn, reply *Reply, topic string) error {
	follows, err := b.chats.Follows(ctx, t.Chat)
	if err != nil {
		return err
	}
	if _, followed := withQuery(follows, savedQuery(topic)); !followed {
		reply.Actions = appendFitting(reply.Actions, Action{Label: t.T("bot.follow_this", "Query", short(t.named(Follow{Topic: topic}), 40)), Text: "/follow " + topic})
	}
	return nil
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
	articles, err := b.newest(ctx, t, page)
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
		reply.Actions = append(reply.Actions, moreAction(t, id, 2, ""))
	}
	return reply, nil
}

// newest lists the newest articles: those in the reader's language, and when
// they are not enough the rest after them.
// Pinned articles come before all.
func (b *Bot) newest(ctx context.Context, t *turn, enough int) ([]content.Article, error) {
	pinned, err := b.library.Pinned(ctx, t.channel.Filter)
	if err != nil {
		return nil, err
	}
	list, err := b.newestFor(ctx, t, enough)
	if list = content.Atop(pinned, list); len(list) > content.Depth {
		list = list[:content.Depth]
	}
	return list, err
}

func (b *Bot) newestFor(ctx context.Context, t *turn, enough int) ([]content.Article, error) {
	filter := t.channel.Filter
	all, err := b.library.Latest(ctx, filter, content.Depth, 0)
	if err != nil || len(filter.Langs) > 0 {
		return all, err
	}
	filter.Langs = []string{t.wants}
	own, err := b.library.Latest(ctx, filter, content.Depth, 0)
	if err != nil || len(own) >= enough {
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

// longestButton is how many bytes a button carries on any platform.
const longestButton = 64

// appendFitting leaves out an action whose text no button can carry.
func appendFitting(actions []Action, a Action) []Action {
	if len(a.Text) > longestButton {
		return actions
	}
	return append(actions, a)
}
