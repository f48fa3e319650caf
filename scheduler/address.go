package scheduler

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/uptrace/bun"

	"newsie/bot"
	"newsie/internal/locale"
)

// A section is what one topic brings to a message.
type section struct {
	job   job
	topic string // in the reader's words
	cards []bot.Card
	shown int // of the cards
}

// address makes of what all share the message for one chat: the first cards,
// by topic where there are several, numbered as the chat's newest list, and what
// to tap.
func (d *Digests) address(m *message, outlet Channel) {
	if m.owed() {
		m.reply = m.shared[0]
		return
	}
	p := d.catalog.Printer(m.shared[0].Lang)
	sections := d.sections(p, m)
	var topics []string
	m.articles, m.fresh = nil, 0
	for _, s := range sections {
		topics = append(topics, s.topic)
		m.fresh += len(s.cards)
	}
	several := len(sections) > 1
	sections = pinnedFirst(p, m.pinned, sections)
	for _, s := range sections {
		m.articles = append(m.articles, articleIDs(s.cards)...)
	}
	m.topic = strings.Join(topics, p.T("bot.comma"))
	m.reply = m.shared[0]
	if m.launch() {
		d.launch(p, m, sections, outlet)
		return
	}
	if m.to().Audience() {
		d.common(p, m, sections, outlet)
		return
	}
	if several {
		m.reply.Text = p.T("scheduler.title", "Topic", sayTopics(p, topics), "Count", m.fresh+beyond(sections))
	}
	allot(sections, outlet.Shown)
	d.personal(p, m, sections)
}

// sections are the parts of a message. An article of several topics is shown
// under the first.
func (d *Digests) sections(p locale.Printer, m *message) []section {
	sections := make([]section, len(m.jobs))
	seen := map[int64]bool{}
	for i, j := range m.jobs {
		sections[i] = section{job: j, topic: d.topic(p, j.edition.Topic)}
		if j.edition.Kind == KindSend {
			sections[i].topic = p.T("scheduler.chosen")
		}
		for _, group := range m.shared[i].Groups {
			for _, card := range group.Cards {
				if !seen[card.Article] {
					seen[card.Article] = true
					sections[i].cards = append(sections[i].cards, card)
				}
			}
		}
	}
	return sections
}

// beyond is how many articles match that the editions do not hold.
func beyond(sections []section) (n int) {
	for _, s := range sections {
		n += s.job.edition.More
	}
	return n
}

// mostNamed is how many topics a title names.
const mostNamed = 3

func sayTopics(p locale.Printer, topics []string) string {
	if len(topics) > mostNamed {
		return p.T("scheduler.topics", "Count", len(topics))
	}
	return strings.Join(topics, p.T("bot.comma"))
}

// allot shares n places among the sections, one after another, so that no topic
// takes what another needs.
func allot(sections []section, n int) {
	for given := true; given && n > 0; {
		given = false
		for i := range sections {
			if s := &sections[i]; n > 0 && s.shown < len(s.cards) {
				s.shown++
				n--
				given = true
			}
		}
	}
}

// groups show the sections' first cards, with headings where there are several
// sections.
func groups(sections []section, number bool) []bot.Group {
	var list []bot.Group
	next := 1
	for _, s := range sections {
		if s.shown == 0 {
			continue
		}
		group := bot.Group{Cards: slices.Clone(s.cards[:s.shown])}
		if len(sections) > 1 {
			group.Heading = s.topic
		}
		for i := range group.Cards {
			group.Cards[i].Number = 0
			if number {
				group.Cards[i].Number = next
				next++
			}
		}
		list = append(list, group)
	}
	return list
}

// common is the message for an audience. There is no list that a number could
// refer to, and nothing to tap that is one reader's.
func (d *Digests) common(p locale.Printer, m *message, sections []section, outlet Channel) {
	total := len(m.articles) + beyond(sections)
	most := 0
	for i := range sections {
		s := &sections[i]
		if outlet.Most == nil {
			s.shown = len(s.cards)
			continue
		}
		own := outlet.Most(m.to(), s.job.edition.Query)
		s.cards = s.cards[:min(len(s.cards), own)]
		most = max(most, own)
	}
	if outlet.Most == nil {
		m.reply.Groups = groups(sections, false)
		return
	}
	allot(sections, min(most, outlet.Shown))
	m.reply.Groups = groups(sections, false)
	m.reply.Text = p.T("scheduler.post", "Count", m.fresh+beyond(sections))
	if e := sections[0].job.edition; len(sections) == 1 && e.Topic != "*" && e.Topic != "" {
		m.reply.Text = sections[0].topic + " · " + m.reply.Text
	}
	shown := 0
	for _, s := range sections {
		shown += s.shown
	}
	if more := total - shown; more > 0 && d.pages != "" {
		m.reply.Actions = []bot.Action{{Label: p.T("scheduler.more", "Count", more), URL: d.pages}}
	}
}

// launch is what the publisher sends by hand: the note is its text.
func (d *Digests) launch(p locale.Printer, m *message, sections []section, outlet Channel) {
	m.list, m.paged, m.reply.Actions = nil, false, nil
	if m.to().Audience() {
		sections[0].shown = len(sections[0].cards)
		m.reply.Groups = groups(sections, false)
		return
	}
	allot(sections, outlet.Shown)
	if d.lists == nil {
		d.unlisted(p, sections, &m.reply)
	} else {
		list, left := d.listed(p, sections, &m.reply)
		list.Chat = m.to()
		m.list, m.paged = &list, left
	}
	m.reply.Actions = append(m.reply.Actions, bot.Action{Label: p.T("bot.my_follows"), Text: "/following"})
}

// personal is the message for a reader. Its list has no number before keepLists.
func (d *Digests) personal(p locale.Printer, m *message, sections []section) {
	m.list, m.paged, m.reply.Actions = nil, false, nil
	if d.lists == nil || m.to().ID == "" {
		d.unlisted(p, sections, &m.reply)
	} else {
		list, left := d.listed(p, sections, &m.reply)
		list.Chat = m.to()
		m.list, m.paged = &list, left
	}
	if m.to().ID != "" {
		m.reply.Actions = append(m.reply.Actions, followActions(p, sections)...)
	}
}

// unlisted puts the sections into a reply that keeps no list.
func (d *Digests) unlisted(p locale.Printer, sections []section, reply *bot.Reply) {
	reply.Groups = groups(sections, false)
	if more := hidden(sections); more > 0 {
		reply.Text += "\n" + p.T("scheduler.more", "Count", more)
	}
}

// listed puts the sections into a reply, with what is to be its chat's newest
// list. left: there is more in the list, to which the reply's first action is to
// turn when the list has a number.
func (d *Digests) listed(p locale.Printer, sections []section, reply *bot.Reply) (list bot.NewList, left bool) {
	reply.Groups = groups(sections, true)
	shown := 0
	for _, s := range sections {
		shown += s.shown
	}
	list = listOf(sections, shown)
	left = len(list.IDs) > shown
	switch more := p.T("scheduler.more", "Count", hidden(sections)); {
	case left:
		reply.Actions = []bot.Action{{Label: more, Role: bot.PageOn}}
	case hidden(sections) > 0:
		reply.Text += "\n" + more
	}
	return list, left
}

// hidden is how many articles match that are not shown.
func hidden(sections []section) int {
	n := beyond(sections)
	for _, s := range sections {
		n += len(s.cards) - s.shown
	}
	return n
}

// listOf is what numbers and "more" refer to: what is shown, then the rest, each
// by topic.
func listOf(sections []section, shown int) bot.NewList {
	var ids []int64
	var parts []bot.Part
	for _, rest := range []bool{false, true} {
		for _, s := range sections {
			cards := s.cards[:s.shown]
			part := bot.Part{Topic: s.topic, Query: s.job.edition.Query}
			if rest {
				cards = s.cards[s.shown:]
				part.Beyond = s.job.edition.More
			}
			if part.Count = len(cards); part.Count > 0 || part.Beyond > 0 {
				ids, parts = append(ids, articleIDs(cards)...), append(parts, part)
			}
		}
	}
	kind, query := bot.DigestList(parts)
	return bot.NewList{Kind: kind, Query: query, IDs: ids, Shown: shown}
}

// keepLists keeps the lists of those messages all of whose jobs are in mine, and
// has their buttons turn to them. It may run again.
func (d *Digests) keepLists(ctx context.Context, tx bun.IDB, wave []message, mine map[int64]bool) error {
	var of []int
	var lists []bot.NewList
	for i, m := range wave {
		if m.list != nil && !slices.ContainsFunc(m.jobs, func(j job) bool { return !mine[j.ID] }) {
			of, lists = append(of, i), append(lists, *m.list)
		}
	}
	if len(lists) == 0 {
		return nil
	}
	ids, err := d.lists.MakeAll(ctx, tx, lists)
	if err != nil {
		return fmt.Errorf("keep the lists of digests: %w", err)
	}
	for n, i := range of {
		if m := &wave[i]; m.paged {
			m.reply.Actions[0].Text = bot.MoreText(ids[n], m.list.Shown)
		}
	}
	return nil
}

func articleIDs(cards []bot.Card) []int64 {
	ids := make([]int64, len(cards))
	for i, card := range cards {
		ids[i] = card.Article
	}
	return ids
}

// unnumber: without a list, a typed number would open something else.
func unnumber(cards []bot.Card) {
	for i := range cards {
		cards[i].Number = 0
	}
}

// followActions are what a reader may want of a digest; of several, which of
// them is asked first.
func followActions(p locale.Printer, sections []section) []bot.Action {
	change, stop, label := "/when", "/unfollow", "bot.stop_which"
	if len(sections) == 1 {
		id := sections[0].job.Follow
		if id == 0 {
			return []bot.Action{{Label: p.T("bot.change_time"), Text: "/following"}}
		}
		label = "scheduler.stop"
		change, stop = change+" "+strconv.FormatInt(id, 10), stop+" "+strconv.FormatInt(id, 10)
	}
	return []bot.Action{{Label: p.T("bot.change_time"), Text: change}, {Label: p.T(label), Text: stop}}
}
