package bot

import (
	"context"
	"strings"

	"github.com/uptrace/bun"

	"newsie/bot/origin"
	"newsie/internal/database"
	"newsie/scheduler/timetable"
)

// Origins tell where readers come from, and count what that brings.
type Origins struct {
	Credits *origin.Credits
	Book    *origin.Book
}

// UseOrigins sets what knows where readers come from; without it nothing is
// counted, and all codes are unknown. Call it before the first message.
func (b *Bot) UseOrigins(o *Origins) { b.origins = o }

// ReaderOf names a chat as package origin does.
func ReaderOf(chat ChatID) origin.Reader {
	return origin.Reader{Channel: chat.Channel, Chat: chat.ID}.Chatting()
}

// presence is what is known of a reader on the path of every message.
type presence struct {
	known bool // the chat has its row of readers
	left  bool // and had left
}

// counts tells whether a chat is one that may be a reader: not the greeting that
// a browser shows before anybody is there.
func (b *Bot) counts(t *turn) bool {
	return b.origins != nil && t.Chat.ID != "" && !t.Chat.Audience()
}

// coming reads the code by which a message comes, if it is such a message.
func (b *Bot) coming(ctx context.Context, t *turn, c command, arg string, isCommand bool) (a origin.Arrival, is bool, err error) {
	text := t.Text
	switch came := t.Kind == Join || t.Kind == Scan; {
	case !b.counts(t):
		return a, false, nil
	case c.name == "start":
		text = arg
	case came && !isCommand:
	case came && origin.ValidCode(text): // a code that somebody printed elsewhere, and a word for us
		a = origin.Arrival{Reader: ReaderOf(t.Chat), Whole: text, At: b.now()}
		o, err := b.origins.Credits.Resolve(ctx, a)
		if err != nil || o.ID == origin.Unknown {
			return a, false, err
		}
		t.scanned = true
	default:
		return a, false, nil
	}
	if text == "" {
		return a, false, nil
	}
	p, ok := ParsePayload(text)
	if ok && p.Origin == "" {
		return a, false, nil // an article or a topic that somebody shared
	}
	a = origin.Arrival{Reader: ReaderOf(t.Chat), Message: t.ID, Whole: text, At: b.now()}
	if ok {
		a.Code = p.Origin
	}
	if a.Code == inlineOrigin {
		return a, true, b.inlineIsOrigin(ctx)
	}
	return a, true, nil
}

// inlineIsOrigin has the book know by which code readers come from inline mode;
// what the publisher made of it stays.
func (b *Bot) inlineIsOrigin(ctx context.Context) error {
	if _, ok, err := b.origins.Book.ByCode(ctx, inlineOrigin); ok || err != nil {
		return err
	}
	if _, err := b.origins.Book.Add(ctx, origin.Origin{Code: inlineOrigin, Name: "Telegram inline mode"}); err != nil {
		return b.uncounted(ctx, err) // another replica was faster, or the name is taken: then it is unknown
	}
	return nil
}

// attribute notes who a message is of, and by which origin they come, if they do.
func (b *Bot) attribute(ctx context.Context, t *turn, c command, arg string, isCommand bool) error {
	if b.origins != nil && t.Chat.ID == "" && c.name == "start" {
		return b.foresee(ctx, t, arg)
	}
	a, is, err := b.coming(ctx, t, c, arg, isCommand)
	switch {
	case err != nil:
		return b.uncounted(ctx, err)
	case is:
		return b.arrive(ctx, t, a)
	}
	return b.meet(ctx, t, c)
}

// foresee has who looks at a chat's page, and is no reader yet, see what they will
// be told. Nothing is noted.
func (b *Bot) foresee(ctx context.Context, t *turn, arg string) error {
	p, ok := ParsePayload(arg)
	if arg == "" || ok && p.Origin == "" {
		return nil
	}
	a := origin.Arrival{Whole: arg, At: b.now()}
	if ok {
		a.Code = p.Origin
	}
	o, err := b.origins.Credits.Resolve(ctx, a)
	if err != nil {
		return b.uncounted(ctx, err)
	}
	if o.ID > 0 {
		t.came = o
	}
	return nil
}

// arrive notes by which origin a message brings its reader. An answer does not
// fail because it could not be counted, unless nothing works: the message comes
// again then.
func (b *Bot) arrive(ctx context.Context, t *turn, a origin.Arrival) error {
	a.Legacy = t.chat.Origin
	a.Before = func(ctx context.Context, tx bun.IDB) (bool, error) { return wasHere(ctx, tx, t.Chat, t.Public) }
	o, newcomer, err := b.origins.Credits.Arrive(ctx, a)
	if err != nil {
		return b.uncounted(ctx, err)
	}
	if o.ID > 0 {
		t.came = o
	}
	t.newcomer = newcomer
	return nil
}

// meet gives a chat that says something its row.
func (b *Bot) meet(ctx context.Context, t *turn, c command) error {
	switch {
	case !b.counts(t) || t.here.known && !t.here.left:
		return nil
	case t.Public && t.Kind == Join: // it was taken along, and said nothing yet
		return nil
	case !t.here.known && c.name == "forget":
		return nil
	}
	return b.arrive(ctx, t, origin.Arrival{Reader: ReaderOf(t.Chat), Message: t.ID, At: b.now()})
}

func (b *Bot) uncounted(ctx context.Context, err error) error {
	if ctx.Err() != nil || database.Away(err) {
		return err
	}
	b.log.Error("what a reader does is not counted", "error", err)
	return nil
}

// wasHere tells whether anything is kept of a chat that no reader is known of yet.
func wasHere(ctx context.Context, tx bun.IDB, chat ChatID, public bool) (bool, error) {
	for _, column := range []string{"chats id", "follows chat", "lists chat"} {
		table, id, _ := strings.Cut(column, " ")
		query, args := "SELECT count(*) FROM (SELECT 1 FROM "+table+" WHERE channel = ? AND "+id+" = ? LIMIT 1) AS one", []any{chat.Channel, chat.ID}
		if public { // and its topics
			group := ReaderOf(chat)
			query = "SELECT count(*) FROM (SELECT 1 FROM " + table + " WHERE " + strings.ReplaceAll(ofChat, "chat", id) + " LIMIT 1) AS one"
			args = ofChatArgs(ChatID{group.Channel, group.Chat})
		}
		var n int
		if err := tx.NewRaw(query, args...).Scan(ctx, &n); err != nil || n > 0 {
			return n > 0, err
		}
	}
	return false, nil
}

// left notes that a reader left.
func (b *Bot) left(ctx context.Context, t *turn) error {
	if !b.counts(t) {
		return nil
	}
	if err := b.origins.Credits.Left(ctx, ReaderOf(t.Chat), b.now()); err != nil {
		return b.uncounted(ctx, err)
	}
	return nil
}

// asked credits a question that was kept.
func (b *Bot) asked(t *turn) {
	if b.counts(t) {
		b.origins.Credits.Asked(ReaderOf(t.Chat), t.ID, b.now())
	}
}

// followed credits a follow that is new.
func (b *Bot) followed(ctx context.Context, t *turn, query string) error {
	if !b.counts(t) {
		return nil
	}
	if err := b.origins.Credits.Followed(ctx, ReaderOf(t.Chat), query, b.now()); err != nil {
		return b.uncounted(ctx, err)
	}
	return nil
}

// greeted puts the welcome of the origin by which a reader came before what they
// came for.
func (b *Bot) greeted(ctx context.Context, t *turn, reply Reply) (Reply, error) {
	w := t.came.Welcome
	if !t.newcomer { // who is here already came for the article
		return reply, nil
	}
	if w.Text != "" {
		reply.Preface(w.Text, nil)
	}
	return b.withTopic(ctx, t, reply, w.Topic)
}

// ownWelcome is what an origin says to who comes by it.
func (b *Bot) ownWelcome(ctx context.Context, t *turn, w origin.Welcome) (Reply, error) {
	var reply Reply
	var err error
	switch {
	case w.Text == "":
		reply, err = b.greeting(ctx, t)
	case t.Public: // it must not fill a screen that others talk on
		reply = Reply{Text: w.Text, Actions: []Action{{Label: t.T("bot.newest"), Text: "/latest"}}}
	default:
		reply, err = b.hint(ctx, t, w.Text+"\n"+t.T("bot.welcome_hints"))
	}
	if err != nil {
		return Reply{}, err
	}
	if _, ok, err := b.published(ctx, w.Article); err != nil {
		return Reply{}, err
	} else if ok {
		shown, err := b.open(ctx, t, w.Article)
		if err != nil {
			return Reply{}, err
		}
		shown.Text, shown.Links = reply.Text, reply.Links
		reply = shown
	}
	return b.withTopic(ctx, t, reply, w.Topic)
}

// withTopic has newcomers follow an origin's topic, and offers it to others.
func (b *Bot) withTopic(ctx context.Context, t *turn, reply Reply, topic string) (Reply, error) {
	if topic == "" {
		return reply, nil
	}
	query := savedQuery(topic)
	if isEverything(query) {
		topic, query = "*", "*"
	}
	follows, err := b.chats.Follows(ctx, t.Chat)
	if err != nil {
		return Reply{}, err
	}
	if _, is := withQuery(follows, query); is {
		return reply, nil
	}
	may := t.newcomer
	if t.Public && may {
		outcome := t.outcome // nobody asked for it
		_, denied, err := b.denied(ctx, t, false, "")
		if err != nil {
			return Reply{}, err
		}
		t.outcome, may = outcome, !denied
	}
	name := t.named(Follow{Topic: topic, Query: query})
	if !may {
		offer := Action{Label: t.T("bot.follow_this", "Query", short(name, 40)), Text: "/follow " + topic}
		reply.Actions = append(appendFitting(nil, offer), reply.Actions...)
		return reply, nil
	}
	words := usual
	if spec, err := timetable.Parse(words); err != nil || spec.MinInterval() < t.channel.MinInterval {
		words = timetable.Spacing(t.channel.MinInterval)
	}
	spec, err := timetable.Parse(words)
	if err != nil {
		return Reply{}, err
	}
	kept, err := b.keepFollow(ctx, t, topic, query, spec, Follow{})
	if err != nil {
		return Reply{}, err
	}
	text := kept.Text + "\n" + t.T("bot.origin_stop", "Topic", name)
	if reply.Text != "" {
		text = "\n" + text
	}
	reply.Text += text
	reply.Actions = append(kept.Actions[:1:1], reply.Actions...) // the one that ends it
	return reply, nil
}

// invite gives a reader their own link to pass on, and tells how many came by it.
func (b *Bot) invite(ctx context.Context, t *turn, _ string) (Reply, error) {
	switch {
	case !b.counts(t):
		return Reply{Text: t.T("bot.invite_nowhere")}, nil
	case t.Public:
		return Reply{Text: t.T("bot.invite_alone")}, nil
	}
	o, err := b.origins.Book.Invitation(ctx, ReaderOf(t.Chat))
	if err != nil {
		return Reply{}, err
	}
	n, err := b.origins.Credits.Invited(ctx, o.ID)
	if err != nil {
		return Reply{}, err
	}
	payload := Payload{Origin: o.Code}
	link := b.deepLink(t, payload)
	share := link != ""
	if text, ok := payload.Encode(); ok && t.channel.InviteLink != nil {
		link, share = t.channel.InviteLink(text), false
	}
	if link == "" && b.public != "" {
		link = b.public + "/o/" + o.Code
	}
	if link == "" {
		return Reply{Text: t.T("bot.invite_nowhere")}, nil
	}
	words := t.T("bot.invite_words", "Name", b.name)
	pieces := []Piece{{Text: t.T("bot.invite_intro") + "\n\n" + words + "\n"}, {Text: link, URL: link}, {Text: "\n\n" + t.T("bot.invite_came", "Count", n)}}
	reply := Reply{}
	reply.Text, reply.Links = Joined(pieces)
	if share {
		reply.Actions = []Action{{Label: t.T("bot.share"), URL: shareAddress(link, words)}}
	}
	return reply, nil
}
