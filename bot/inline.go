package bot

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"

	"newsie/content"
	"newsie/content/language"
	"newsie/internal/locale"
)

// An InlineQuery is what somebody types after the bot's name in any chat, as
// far as it is typed: one comes at every pause of the keys.
type InlineQuery struct {
	Channel string
	From    string // the id of the reader's own chat with the bot
	Text    string // "" asks for the newest; a space at the end ends the last word
	Lang    string // the reader's, as the platform tells it
	Offset  string // the Next of the page before; "" is the first page
}

// An InlineAnswer is one page of results, best first.
type InlineAnswer struct {
	Lang  string // of the answer's own words
	Cards []InlineCard
	Next  string // the offset of the next page, at most 64 bytes; "": there is none
	// Keep is how long the platform may repeat the answer; 0: not at all.
	Keep time.Duration
	// Personal: the answer is for this reader; others are to be answered anew.
	Personal bool
	// Start offers to go on in the reader's own chat with the bot, where nothing
	// can be shown here: its Text is the payload of a deep link. The zero Action:
	// there is no need.
	Start Action
	// Silent: this reader asks too much, and has been told so.
	Silent bool
}

// An InlineCard is one result.
type InlineCard struct {
	Card             // what is posted when it is chosen: its Snippet is the summary
	Why     string   // why it was found
	Lang    string   // of the words around it, such as the date
	Actions []Action // that go with it: links alone
}

const (
	inlinePage = 10

	// Within these an article that was withdrawn may still be offered.
	keepFound  = 2 * time.Minute
	keepNewest = time.Minute

	// inlinePayload is what /start hears of who came from inline mode: an origin,
	// see Payload.
	inlinePayload = "o" + inlineOrigin
	inlineOrigin  = "inline"
)

// Inline answers a query of inline mode. It writes nothing, makes no list and
// counts no question: half the queries are half a word, and what a reader types
// in other chats is kept nowhere. The publisher's rules do not apply, since the
// results are posted by readers, in their own names.
//
// Words that tell their language by themselves are answered alike for everybody,
// so that the platform may give one answer to all. The answers to others, and the
// newest articles, go by the reader's own language, and are personal.
func (b *Bot) Inline(ctx context.Context, q InlineQuery) (InlineAnswer, error) {
	start := b.now()
	answer, outcome, err := b.inline(ctx, q)
	if err != nil {
		outcome = "error"
	}
	b.observe(q.Channel, outcome, b.now().Sub(start))
	return answer, err
}

func (b *Bot) inline(ctx context.Context, q InlineQuery) (InlineAnswer, string, error) {
	unfinished := strings.TrimRightFunc(q.Text, unicode.IsSpace) == q.Text
	t := &turn{
		Message: Message{Kind: Text, Chat: ChatID{q.Channel, q.From}, Lang: q.Lang},
		channel: b.channels[q.Channel],
	}
	t.Text = clean(firstRunes(q.Text, longest))
	answer := InlineAnswer{Personal: true}
	heard := b.flood.allowInline(t.Chat.String())
	if answer.Silent = !heard.ok && !heard.warn; answer.Silent {
		return answer, "silent", nil
	}
	if told := t.told(); told != "" {
		t.Printer, t.wants, answer.Personal = b.catalog.Printer(b.catalog.Match(told, t.channel.Lang)), told, false
	} else {
		var err error
		if t.chat, err = b.chats.Load(ctx, t.Chat); err != nil {
			return InlineAnswer{}, "", err
		}
		guess := t.guess(t.Text)
		t.Printer = b.catalog.Printer(b.speak(t, guess))
		t.wants = b.reads(t, guess)
	}
	answer.Lang = t.Printer.Lang()
	if !heard.ok {
		answer.Personal, answer.Start = true, Action{Label: slowDown(t.Printer, heard.wait), Text: inlinePayload}
		return answer, "limited", nil
	}
	l, err := b.inlineList(ctx, t, unfinished, q.Offset)
	if err != nil {
		return InlineAnswer{}, "", err
	}
	hits, rest, err := b.inlineHits(ctx, l)
	if err != nil {
		return InlineAnswer{}, "", err
	}
	answer.Keep = keepFound
	if t.Text == "" {
		answer.Keep = keepNewest
	}
	for _, h := range hits {
		answer.Cards = append(answer.Cards, b.inlineCard(t, h))
	}
	if rest < len(l.ids) {
		l.shown = rest
		answer.Next = b.browsing.keep(l)
	}
	if len(answer.Cards) == 0 && q.Offset == "" {
		answer.Start = Action{Label: t.T("bot.inline_nothing"), Text: inlinePayload}
		return answer, "inline_none", nil
	}
	return answer, "inline", nil
}

// told is the language that the words tell by themselves, whoever types them,
// or the only one that the channel serves; "" when it is the reader's that
// counts. Characters that only Chinese and Japanese share are taken for Chinese,
// of either script unless they are of one.
func (t *turn) told() string {
	if guess := language.Guess(t.Text); guess != "" {
		if language.Base(guess) == "zh" && language.FoldHan(t.Text) == t.Text {
			return "zh"
		}
		return guess
	}
	langs := t.channel.Filter.Langs
	if len(langs) == 0 || slices.ContainsFunc(langs, func(lang string) bool { return language.Base(lang) != language.Base(langs[0]) }) {
		return ""
	}
	return langs[0]
}

// inlineList is the list that an offset goes on with, or a new one.
func (b *Bot) inlineList(ctx context.Context, t *turn, unfinished bool, offset string) (browsed, error) {
	l := browsed{
		key:   strings.Join([]string{t.Chat.Channel, t.wants, t.Text}, "\n"),
		query: content.Query{Text: t.Text, Lang: t.wants, Filter: t.channel.Filter, Limit: inlinePage, Recency: t.channel.Recency, Unfinished: unfinished},
	}
	if offset != "" {
		if !l.parse(offset) {
			return browsed{}, nil // nobody's: there is nothing more
		}
		if ids, ok := b.browsing.find(l); ok {
			l.ids = ids
			return l, nil
		}
	}
	seq := l.seq
	if err := b.inlineFind(ctx, t, &l); err != nil || offset == "" {
		return l, err
	}
	// Another process began this list, or long ago: made again as it was then,
	// as near as can be.
	articles, err := b.library.Articles(ctx, l.ids)
	if err != nil {
		return browsed{}, err
	}
	l.ids, l.hits, l.seq = nil, nil, seq
	for _, a := range articles {
		if a.AddedSeq <= l.seq {
			l.ids = append(l.ids, a.ID)
		}
	}
	return l, nil
}

// inlineFind finds the articles that a query is answered with, and notes up to
// which position of the store they were looked for.
func (b *Bot) inlineFind(ctx context.Context, t *turn, l *browsed) (err error) {
	if t.Text == "" {
		if l.seq, err = b.library.Last(ctx); err != nil {
			return err
		}
		articles, err := b.newest(ctx, t, content.Depth)
		for _, a := range articles {
			l.ids = append(l.ids, a.ID)
		}
		return err
	}
	l.seq = b.library.Seq()
	if err := b.inlineSearch(ctx, l); err != nil || len(l.ids) > 0 {
		return err
	}
	// A letter or two, and the initials of Chinese titles.
	list, err := b.library.Suggest(ctx, t.Text, t.wants, t.channel.Filter, inlinePage)
	if err != nil {
		return err
	}
	for _, s := range list {
		if s.Article != 0 {
			l.ids = append(l.ids, s.Article)
		}
	}
	if len(l.ids) > 0 || len(list) == 0 {
		return nil
	}
	l.query.Text = list[0].Text // the tag that is being typed
	return b.inlineSearch(ctx, l)
}

func (b *Bot) inlineSearch(ctx context.Context, l *browsed) error {
	found, err := b.library.Search(ctx, l.query)
	l.ids, l.hits = found.IDs, found.Hits
	return err
}

// inlineHits shows a page of a list and tells where the next begins. Articles
// withdrawn since do not make the page shorter.
func (b *Bot) inlineHits(ctx context.Context, l browsed) (hits []content.Hit, next int, err error) {
	if next = min(l.shown, len(l.ids)); next == 0 && len(l.hits) > 0 {
		hits, next = l.hits, min(l.query.Limit, len(l.ids)) // a search shows its first
	}
	for next < len(l.ids) && len(hits) < inlinePage {
		q := l.query
		q.IDs = l.ids[next:min(next+inlinePage-len(hits), len(l.ids))]
		more, err := b.library.ShowFound(ctx, q)
		if err != nil {
			return nil, 0, err
		}
		hits, next = append(hits, more...), next+len(q.IDs)
	}
	return hits, next, nil
}

// inlineCard is a hit with what is posted for it: in the article's language, as
// those read it who can read the article.
func (b *Bot) inlineCard(t *turn, h content.Hit) InlineCard {
	p := b.voice(t.Printer, h.Article.Lang)
	card := InlineCard{Card: b.cards([]content.Article{h.Article}, p, t.channel.Filter.Sources, 0)[0], Why: h.Snippet.Text, Lang: p.Lang()}
	card.Also, card.Open = Also{}, ""
	if card.Why == "" {
		card.Why = h.Article.Summary
	}
	if card.URL != "" {
		card.Actions = append(card.Actions, Action{Label: p.T("bot.read_on"), URL: card.URL})
	}
	if t.channel.DeepLink != nil {
		payload, _ := Payload{Article: h.Article.ID}.Encode()
		if address := t.channel.DeepLink(payload); address != "" {
			card.Actions = append(card.Actions, Action{Label: p.T("bot.open_in_bot"), URL: address})
		}
	}
	return card
}

// voice speaks an article's language where the catalog has it, and otherwise
// as p does.
func (b *Bot) voice(p locale.Printer, lang string) locale.Printer {
	if match := b.catalog.Match(lang); language.Base(match) == language.Base(lang) {
		return b.catalog.Printer(match)
	}
	return p
}
