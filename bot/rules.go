package bot

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"newsie/bot/rules"
	"newsie/content"
	"newsie/internal/locale"
)

// SetRules makes r the publisher's own rules of the messages that come from now
// on; nil is none. They come after "stop" and "forget me" and before all else.
func (b *Bot) SetRules(r *rules.Set) { b.rules.Store(r) }

// Understands tells of a text whether it is a command, and whether it is one
// that no rule comes before.
func Understands(catalog *locale.Catalog) func(text string) (known, first bool) {
	b := &Bot{words: vocabulary(catalog)}
	return func(text string) (known, first bool) {
		c, _, ok := b.command(&turn{Message: Message{Kind: Text, Text: clean(text)}})
		return ok, ok && c.always
	}
}

// ruling finds the publisher's rule for a message, and whether newsie is to be
// silent.
func (b *Bot) ruling(t *turn, c command, arg string, isCommand bool) (rule rules.Found, quiet bool) {
	return b.rulingAt(t, c, arg, isCommand, b.clockOf(t))
}

func (b *Bot) rulingAt(t *turn, c command, arg string, isCommand bool, at time.Time) (rule rules.Found, quiet bool) {
	set := b.rules.Load()
	if set == nil || isCommand && c.always {
		return rules.Found{}, false
	}
	button := isCommand && strings.HasPrefix(t.Text, "/")
	if t.Kind != Tap && !button && set.Quiet(t.Chat.Channel, at) {
		return rules.Found{}, true
	}
	m := rules.Message{Channel: t.Chat.Channel, At: at, Text: t.Text}
	switch _, number := position(plain(t.Text)); {
	case t.Kind == Join || t.Kind == Scan || t.Link != "":
		return rules.Found{}, false
	case t.Kind == Media && t.Link == "":
		rule, _ = set.Media(t.Text, m.Channel, at)
		return rule, false
	case button:
		// What a button carries means what its label said.
		m.Exact = true
		if found, ok := set.Match(m); ok || t.Kind == Tap || arg != "" {
			return found, false
		}
		m.Text = c.name
	case number:
		m.Exact = true
	case isCommand:
		// What a command is given is its own: the tea of "follow tea" is no question.
		m.Head = len(strings.TrimSuffix(t.Text, arg))
	}
	rule, _ = set.Match(m)
	return rule, false
}

// clockOf is the time on the clock of the channel.
func (b *Bot) clockOf(t *turn) time.Time {
	zone, err := loadZone(t.channel.Zone)
	if err != nil {
		zone = time.UTC
	}
	return b.now().In(zone)
}

// unspoken does what a message does without an answer.
func (b *Bot) unspoken(ctx context.Context, t *turn) error {
	if t.Kind == Join {
		return b.chats.Resume(ctx, t.Chat)
	}
	return nil
}

// ruled answers by a rule; said is false when none of its articles is there.
func (b *Bot) ruled(ctx context.Context, t *turn, rule rules.Found) (reply Reply, said bool, err error) {
	question := t.Text
	reply, said, err = b.say(ctx, t, &rule.Answer, question)
	if !said || err != nil {
		return Reply{}, false, err
	}
	t.outcome = "rule"
	if t.Kind == Text && utf8.RuneCountInString(question) <= longest {
		// The publisher sees it among the questions, with something found.
		if _, err = b.lists.asked(ctx, t.Chat, List{Query: question}, t.Printer.Lang(), 1); err == nil {
			b.asked(t)
		}
	}
	return reply, true, err
}

// unfit answers what cannot be searched for.
func (b *Bot) unfit(ctx context.Context, t *turn, text string) (Reply, error) {
	if reply, said, err := b.otherwise(ctx, t, t.Text, "unfit"); said || err != nil {
		return reply, err
	}
	t.outcome = "unfit"
	return b.hint(ctx, t, text)
}

// otherwise is the publisher's default, where there is one.
func (b *Bot) otherwise(ctx context.Context, t *turn, question, outcome string) (reply Reply, said bool, err error) {
	a, ok := b.rules.Load().Default(t.Chat.Channel, b.clockOf(t))
	if !ok || t.defaulted {
		return Reply{}, false, nil
	}
	t.defaulted = true
	reply, said, err = b.say(ctx, t, a, question)
	t.outcome = outcome
	return reply, said, err
}

// welcome is the publisher's, where there is one, with topics to begin with
// when it has no buttons.
func (b *Bot) welcome(ctx context.Context, t *turn) (reply Reply, said bool, err error) {
	a, ok := b.rules.Load().Welcome(t.Chat.Channel, b.clockOf(t))
	if !ok {
		return Reply{}, false, nil
	}
	reply, said, err = b.say(ctx, t, a, "")
	if said && err == nil && len(reply.Actions) == 0 {
		err = b.topics(ctx, t, &reply)
	}
	return reply, said, err
}

// A filler puts into the publisher's words and addresses what they leave open.
type filler struct{ words, addresses *strings.Replacer }

// longestQuery is how many characters of a question are repeated: as many in an
// address, where there is no mark that something is missing.
const longestQuery = 60

func (b *Bot) fill(question string) filler {
	short := short(question, longestQuery)
	whole := question
	if short != question {
		whole = strings.TrimSuffix(short, "…")
	}
	return filler{
		words:     strings.NewReplacer("{name}", b.name, "{query}", short),
		addresses: strings.NewReplacer("{name}", escaped(b.name), "{query}", escaped(whole)),
	}
}

// escaped is text as it may stand anywhere in an address behind the host.
func escaped(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }

// phrase is a text with its links.
func (f filler) phrase(p rules.Phrase) (string, []Link) {
	links := make([]Link, len(p.Links))
	for i, l := range p.Links {
		links[i] = Link(l)
	}
	pieces := Pieces(p.Text, links)
	for i, piece := range pieces {
		pieces[i] = Piece{f.words.Replace(piece.Text), f.addresses.Replace(piece.URL)}
	}
	return Joined(pieces)
}

// say is an answer of the publisher's as a reply.
func (b *Bot) say(ctx context.Context, t *turn, a *rules.Answer, question string) (reply Reply, said bool, err error) {
	fill := b.fill(question)
	text, links := fill.phrase(a.Say(t.Printer.Lang(), t.ID))
	switch {
	case len(a.Articles) > 0:
		reply, err = b.chosen(ctx, t, a)
	case a.Command != "":
		reply, err = b.commanded(ctx, t, fill.words.Replace(a.Command))
	}
	if err != nil || text == "" && reply.Empty() {
		return Reply{}, false, err
	}
	reply.Preface(text, links)
	var own []Action
	for _, link := range a.Links {
		own = append(own, Action{Label: link.Label, URL: fill.addresses.Replace(link.URL)})
	}
	for _, button := range a.Buttons {
		own = append(own, Action{Label: button.Label, Text: button.Say})
	}
	reply.Actions = append(own, reply.Actions...)
	return reply, true, nil
}

// commanded does what a reader could have typed.
func (b *Bot) commanded(ctx context.Context, t *turn, text string) (Reply, error) {
	said := t.Message
	defer func() { t.Message = said }()
	t.Kind, t.Text = Text, clean(text)
	if c, arg, ok := b.command(t); ok {
		return b.do(ctx, t, c, arg)
	}
	return b.question(ctx, t)
}

// chosen shows the articles that the publisher named: one by itself, several as
// a list. What is not there is left out, and the publisher told.
func (b *Bot) chosen(ctx context.Context, t *turn, a *rules.Answer) (Reply, error) {
	var articles []content.Article
	for _, name := range a.Articles {
		article, ok, err := b.named(ctx, name)
		if err != nil {
			return Reply{}, err
		}
		if !ok {
			b.notify(ctx, "rule:"+name, fmt.Sprintf("The rule at line %d names an article that readers cannot get: %q is no id, address, title or key of a published one.", a.Line, short(name, 100)))
			continue
		}
		articles = append(articles, article)
	}
	switch len(articles) {
	case 0:
		return Reply{}, nil
	case 1:
		return b.open(ctx, t, articles[0].ID)
	}
	ids := make([]int64, len(articles))
	for i, article := range articles {
		ids[i] = article.ID
	}
	shown := articles[:min(page, len(articles))]
	id, err := b.lists.Make(ctx, t.Chat, "rule", "", ids, len(shown))
	if err != nil {
		return Reply{}, err
	}
	reply := Reply{Groups: []Group{{Cards: b.cards(shown, t.Printer, t.channel.Filter.Sources, 1)}}}
	if len(ids) > page {
		reply.Actions = append(reply.Actions, moreAction(t, id, 2, ""))
	}
	return reply, nil
}

// named finds the published article with an id, an address, a title, or a key
// of its source.
func (b *Bot) named(ctx context.Context, name string) (content.Article, bool, error) {
	if id, err := strconv.ParseInt(name, 10, 64); err == nil {
		if list, err := b.library.Articles(ctx, []int64{id}); err != nil || len(list) > 0 {
			return firstOf(list), len(list) > 0, err
		}
	}
	for _, find := range []func(context.Context, string) (content.Article, bool, error){b.library.ByAddress, b.library.ByTitle, b.library.ByKey} {
		if a, ok, err := find(ctx, name); ok || err != nil {
			return a, ok, err
		}
	}
	return content.Article{}, false, nil
}

func firstOf(list []content.Article) content.Article {
	if len(list) == 0 {
		return content.Article{}
	}
	return list[0]
}
