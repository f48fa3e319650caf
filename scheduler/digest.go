package scheduler

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"newsie/bot"
	"newsie/content"
	"newsie/internal/database"
	"newsie/internal/locale"
)

// ErrNothing: an edition has nothing to say any more.
var ErrNothing = errors.New("nothing is left of the edition")

// Digests says what editions say.
type Digests struct {
	db       *database.DB
	finder   Finder
	articles Articles
	cards    func(articles []content.Article, lang string, first int) []bot.Card
	lists    Lists
	catalog  *locale.Catalog
	ledger   *Ledger
	outlets  map[string]Channel
	pages    string
	counted  func(chat bot.ChatID, r bot.Reply) bot.Reply
	pinned   func(ctx context.Context, within content.Filter) ([]content.Article, error)
	logger   *slog.Logger
	now      func() time.Time

	mu       sync.Mutex
	rendered map[string]rendered
}

// rendered is what all who get the same articles in the same language share.
type rendered struct {
	reply bot.Reply // with one card for each article
	until time.Time
}

// How long and how many renderings are kept. A withdrawal changes the key as
// soon as the index has followed it; the time bounds what it has not.
const (
	keepRendered = 3 * time.Second
	mostRendered = 256
)

func newDigests(c Config, ledger *Ledger) *Digests {
	d := &Digests{
		db: c.DB, finder: c.Finder, articles: c.Articles, cards: c.Cards, lists: c.Lists, catalog: c.Catalog, ledger: ledger,
		outlets: c.outlets(), pages: c.Pages, counted: c.Counted, pinned: c.Pinned, logger: c.Logger, now: c.Now, rendered: map[string]rendered{},
	}
	if d.counted == nil {
		d.counted = func(_ bot.ChatID, r bot.Reply) bot.Reply { return r }
	}
	return d
}

// Digest says what an edition says to everybody: its title and a card for each
// of its articles that readers may still see. ErrNothing: there is none.
func (d *Digests) Digest(ctx context.Context, e Edition) (bot.Reply, error) {
	if e.Kind == KindLate {
		if e.Reply.Empty() {
			return bot.Reply{}, ErrNothing
		}
		return e.Reply, nil
	}
	key := fmt.Sprintf("%d %q", d.finder.Seq(), []any{e.Kind, e.Lang, e.More, e.Articles, e.Topic, e.Note})
	if reply, ok := d.kept(key); ok {
		return reply, nil
	}
	articles, err := d.articles.Articles(ctx, e.Articles)
	if err != nil {
		return bot.Reply{}, fmt.Errorf("load the articles of edition %d: %w", e.ID, err)
	}
	if len(articles) == 0 {
		return bot.Reply{}, ErrNothing
	}
	p := d.catalog.Printer(e.Lang)
	reply := bot.Reply{
		Lang:   p.Lang(),
		Text:   p.T("scheduler.title", "Topic", d.topic(p, e.Topic), "Count", len(articles)+e.More),
		Groups: []bot.Group{{Cards: d.cards(articles, p.Lang(), 1)}},
	}
	if e.Kind == KindSend {
		reply.Text = cmp.Or(e.Note, p.T("scheduler.launch", "Count", len(articles)))
	}
	d.keep(key, reply)
	return reply, nil
}

// topic is a follow's topic in a heading; "*" follows everything.
func (d *Digests) topic(p locale.Printer, topic string) string {
	return bot.TopicName(p, topic)
}

func (d *Digests) kept(key string) (bot.Reply, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r, ok := d.rendered[key]
	if !ok || d.now().After(r.until) {
		return bot.Reply{}, false
	}
	return r.reply, true
}

func (d *Digests) keep(key string, reply bot.Reply) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.rendered) >= mostRendered {
		clear(d.rendered)
	}
	d.rendered[key] = rendered{reply: reply, until: d.now().Add(keepRendered)}
}

// Preview says what a topic's digest would hold if it went out now: what joined
// the library after since. It keeps nothing.
func (d *Digests) Preview(ctx context.Context, topic, query, lang string, since int64, shown int) (bot.Reply, error) {
	if shown <= 0 {
		shown = 5
	}
	f := followRow{Topic: topic, Query: query, Lang: lang, SinceSeq: since}
	return d.preview(ctx, f, Channel{Shown: shown})
}

func (d *Digests) preview(ctx context.Context, f followRow, outlet Channel) (bot.Reply, error) {
	e := Edition{Kind: KindFollow, Topic: f.Topic, Query: f.Query, Lang: f.Lang, From: f.SinceSeq, To: d.finder.Seq()}
	var err error
	if e.Articles, e.More, err = d.finder.Matches(ctx, f.Query, f.Lang, outlet.within(f.Chat), e.From, e.To, perDigest); err != nil {
		return bot.Reply{}, fmt.Errorf("search for %q: %w", f.Topic, err)
	}
	shared, err := d.Digest(ctx, e)
	if errors.Is(err, ErrNothing) {
		p := d.catalog.Printer(f.Lang)
		return bot.Reply{Lang: p.Lang(), Text: p.T("scheduler.nothing_topic", "Topic", d.topic(p, f.Topic))}, nil
	}
	if err != nil {
		return bot.Reply{}, err
	}
	m := alone(job{edition: e}, shared)
	if to := (bot.ChatID{Channel: f.Channel, ID: f.Chat}); to.Audience() { // a reader's would be kept as a list
		m.jobs[0].Channel, m.jobs[0].Chat = to.Channel, to.ID
	}
	if err := d.pin(ctx, &m, outlet); err != nil {
		return bot.Reply{}, err
	}
	d.address(&m, outlet)
	return m.reply, nil
}

// ErrNoFollow: there is no follow with this number.
var ErrNoFollow = errors.New("there is no such follow")

// PreviewFollow says what a follow would get if its time were now.
func (d *Digests) PreviewFollow(ctx context.Context, id int64) (bot.Reply, error) {
	var rows []followRow
	err := d.db.Reader().NewRaw("SELECT id, channel, chat, topic, query, lang, since_seq FROM follows WHERE id = ?", id).Scan(ctx, &rows)
	if err != nil {
		return bot.Reply{}, fmt.Errorf("read follow %d: %w", id, err)
	}
	if len(rows) == 0 {
		return bot.Reply{}, fmt.Errorf("follow %d: %w", id, ErrNoFollow)
	}
	f := rows[0]
	outlet := d.outlets[f.Channel]
	outlet.Shown = cmp.Or(outlet.Shown, 5)
	return d.preview(ctx, f, outlet)
}

// Now answers "my digest": what is new for each of the chat's follows, in
// lang. It moves nothing on: the digests still come at their times, and what
// waits for this reader's next message is left to Held.
func (d *Digests) Now(ctx context.Context, chat bot.ChatID, lang string) (bot.Reply, error) {
	p := d.catalog.Printer(lang)
	reply := bot.Reply{Lang: p.Lang()}
	var follows []followRow
	err := d.db.Reader().NewRaw(`SELECT id, channel, chat, topic, query, lang, spec, zone, next_due_at, since_seq, waits FROM follows
		WHERE channel = ? AND chat = ? AND state = 'active' ORDER BY waits, next_due_at, id`, chat.Channel, chat.ID).Scan(ctx, &follows)
	if err != nil {
		return reply, fmt.Errorf("read the follows of a chat: %w", err)
	}
	if len(follows) == 0 {
		reply.Text = p.T("scheduler.no_follows")
		return reply, nil
	}
	outlet := d.outlets[chat.Channel]
	sections, err := d.newFor(ctx, p, chat, follows)
	if err != nil {
		return reply, err
	}
	if len(sections) == 0 {
		reply.Text = p.T("scheduler.nothing_new") + "\n" + d.nextLine(p, follows[0])
		reply.Actions = []bot.Action{{Label: p.T("bot.newest"), Text: "/latest"}, {Label: p.T("bot.my_follows"), Text: "/following"}}
		return reply, nil
	}
	count := beyond(sections)
	for _, s := range sections {
		count += len(s.cards)
	}
	top, err := d.pinnedCards(ctx, p.Lang(), outlet)
	if err != nil {
		return reply, err
	}
	sections = pinnedFirst(p, top, sections)
	// Each topic shows something, as many as it may.
	allot(sections, max(cmp.Or(outlet.Shown, 5), len(sections)))
	reply.Text = p.T("scheduler.now", "Count", count) + "\n" + d.nextLine(p, follows[0])
	if d.lists == nil {
		d.unlisted(p, sections, &reply)
	} else {
		list, left := d.listed(p, sections, &reply)
		id, err := d.lists.Make(ctx, chat, list.Kind, list.Query, list.IDs, list.Shown)
		if err != nil {
			return reply, fmt.Errorf("keep the list of a digest: %w", err)
		}
		if left {
			reply.Actions[0].Text = bot.MoreText(id, list.Shown)
		}
	}
	if len(sections) == 1 {
		reply.Groups[0].Heading = sections[0].topic
	}
	reply.Actions = append(reply.Actions, bot.Action{Label: p.T("bot.my_follows"), Text: "/following"})
	return reply, nil
}

// newFor is what is new for each follow of a chat; those with nothing are left out.
func (d *Digests) newFor(ctx context.Context, p locale.Printer, chat bot.ChatID, follows []followRow) ([]section, error) {
	var m message
	for _, f := range follows {
		hits, more, err := d.finder.Matches(ctx, f.Query, f.Lang, d.outlets[chat.Channel].within(chat.ID), f.SinceSeq, d.finder.Seq(), perDigest)
		if err != nil {
			return nil, fmt.Errorf("search for a follow: %w", err)
		}
		articles, err := d.articles.Articles(ctx, hits)
		if err != nil {
			return nil, fmt.Errorf("load the articles of a follow: %w", err)
		}
		m.jobs = append(m.jobs, job{Follow: f.ID, Channel: chat.Channel, Chat: chat.ID, edition: Edition{Topic: f.Topic, Query: f.Query, More: more}})
		m.shared = append(m.shared, bot.Reply{Groups: []bot.Group{{Cards: d.cards(articles, p.Lang(), 1)}}})
	}
	return slices.DeleteFunc(d.sections(p, &m), func(s section) bool { return len(s.cards) == 0 }), nil
}

// nextLine tells when the next digest comes, on the reader's clock.
func (d *Digests) nextLine(p locale.Printer, f followRow) string {
	if f.Waits {
		return p.T("scheduler.next_new", "Topic", strings.TrimSpace(d.topic(p, f.Topic)))
	}
	zone, err := time.LoadLocation(f.Zone)
	if err != nil {
		zone = time.UTC
	}
	at := time.UnixMilli(f.NextDueAt).In(zone)
	return p.T("scheduler.next", "Topic", strings.TrimSpace(d.topic(p, f.Topic)), "Date", p.Date(at), "Time", at.Format("15:04"))
}
