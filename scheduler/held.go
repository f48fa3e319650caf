package scheduler

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"newsie/bot"
)

const (
	heldShown = 5   // articles put before an answer
	heldMost  = 100 // waiting editions handed over at once; older ones come with the next answer
)

type heldRow struct {
	ID      int64 // of the delivery
	Edition int64
}

// Held puts what has waited for this reader before an answer. What it puts
// there counts as sent, once, whichever replica answers.
func (d *Digests) Held(ctx context.Context, chat bot.ChatID, r bot.Reply) (bot.Reply, error) {
	var waiting []heldRow
	// By the chat: where nothing can be pushed, a channel holds something for everybody.
	err := d.db.Reader().NewRaw("SELECT id, edition FROM deliveries WHERE chat = ? AND channel || '' = ? AND state = ? ORDER BY id DESC LIMIT ?",
		chat.ID, chat.Channel, Held, heldMost).Scan(ctx, &waiting)
	if err != nil || len(waiting) == 0 {
		return r, err
	}
	editions, err := d.ledger.editions(ctx, waiting)
	if err != nil {
		return r, err
	}
	// All that can fail or take long has been done before anything is marked.
	var ids []int64
	for _, e := range editions {
		ids = append(ids, e.Articles...)
	}
	slices.Sort(ids)
	visible, err := d.articles.Articles(ctx, slices.Compact(ids))
	if err != nil {
		return r, fmt.Errorf("load what waits for a reader: %w", err)
	}
	seen := map[int64]bool{}
	for _, a := range visible {
		seen[a.ID] = true
	}
	mine, err := d.ledger.handOver(ctx, waiting)
	if err != nil || len(mine) == 0 {
		return r, err
	}
	var kept []Edition
	for _, row := range waiting { // newest first
		if e, ok := editions[row.Edition]; ok && slices.Contains(mine, row.ID) {
			kept = append(kept, e)
		}
	}
	if slices.ContainsFunc(kept, func(e Edition) bool { return e.Kind != KindLate }) {
		d.ledger.readers.received([]bot.ChatID{chat})
	}
	if r, err = d.before(ctx, kept, seen, r); err != nil {
		return r, err
	}
	return d.counted(chat, r), nil
}

// before puts editions, the newest first, before an answer.
func (d *Digests) before(ctx context.Context, editions []Edition, visible map[int64]bool, r bot.Reply) (bot.Reply, error) {
	var ids []int64
	var topics []string
	var late []bot.Reply
	var notes []string
	beyond, oldest := 0, d.now()
	for _, e := range editions {
		if e.Kind == KindLate {
			late = append(late, e.Reply)
			continue
		}
		news := false
		for _, id := range e.Articles {
			if visible[id] && !slices.Contains(ids, id) {
				ids = append(ids, id)
				news = true
			}
		}
		beyond += e.More
		if news && e.Note != "" {
			notes = append(notes, e.Note)
		}
		if news && e.Topic != "" && e.Topic != "*" && !slices.Contains(topics, e.Topic) {
			topics = append(topics, e.Topic)
		}
		if news && e.Created.Before(oldest) {
			oldest = e.Created
		}
	}
	var groups []bot.Group
	for i := len(late) - 1; i >= 0; i-- {
		var text string
		group := d.lateGroup(late[i], &text)
		if len(group.Cards) > 0 {
			groups = append(groups, group)
		} else if text != "" {
			r.Preface(text, late[i].Links)
		}
	}
	for _, note := range notes { // each goes before the one that is older
		r.Preface(note, nil)
	}
	if len(ids) > 0 {
		group, action, err := d.heldGroup(ctx, r.Lang, ids, topics, beyond, oldest)
		if err != nil {
			return r, err
		}
		groups = append(groups, group)
		if action.Text != "" {
			r.Actions = append(slices.Clip(r.Actions), action)
		}
	}
	r.Groups, r.Ahead = append(groups, r.Groups...), len(groups)
	return r, nil
}

// heldGroup shows the newest of what has waited.
func (d *Digests) heldGroup(ctx context.Context, lang string, ids []int64, topics []string, beyond int, since time.Time) (bot.Group, bot.Action, error) {
	p := d.catalog.Printer(lang)
	articles, err := d.articles.Articles(ctx, ids[:min(len(ids), heldShown)])
	if err != nil {
		return bot.Group{}, bot.Action{}, fmt.Errorf("load what waits for a reader: %w", err)
	}
	count := len(ids) + beyond
	heading := p.T("scheduler.held", "Count", count)
	if age := d.now().Sub(since); age > 18*time.Hour && age < 6*24*time.Hour {
		heading = p.T("scheduler.held_since", "Count", count, "Day", p.T(fmt.Sprintf("scheduler.weekday_%d", since.Weekday())))
	}
	if len(topics) > 0 {
		heading = p.T("scheduler.about", "Heading", heading, "Topics", strings.Join(topics[:min(len(topics), 3)], p.T("bot.comma")))
	}
	// Not numbered: numbers are the answer's.
	group := bot.Group{Heading: heading, Cards: d.cards(articles, p.Lang(), 0)}
	unnumber(group.Cards)
	var action bot.Action
	if left := count - len(articles); left > 0 && len(topics) > 0 && len("/search "+topics[0]) <= 64 {
		action = bot.Action{Label: p.T("scheduler.more", "Count", left), Text: "/search " + topics[0]}
	}
	return group, action, nil
}

// lateGroup is a late answer as one group, or its text when it shows no articles.
func (d *Digests) lateGroup(reply bot.Reply, text *string) bot.Group {
	group := bot.Group{}
	for _, g := range reply.Groups {
		group.Cards = append(group.Cards, g.Cards...)
	}
	group.Cards = slices.Clone(group.Cards[:min(len(group.Cards), heldShown)])
	unnumber(group.Cards)
	first, _, _ := strings.Cut(strings.TrimSpace(reply.Text), "\n")
	group.Heading = first
	if first == "" {
		group.Heading = d.catalog.Printer(reply.Lang).T("scheduler.late")
	}
	*text = reply.Text
	return group
}

// Late plans an answer that the platform would not wait for. It goes out
// before any digest.
func (l *Ledger) Late(ctx context.Context, chat bot.ChatID, r bot.Reply) error {
	if r.Empty() {
		return nil
	}
	if err := l.keep(ctx, chat, r, Planned); err != nil {
		return fmt.Errorf("plan a late answer: %w", err)
	}
	l.wake()
	return nil
}

// Hold keeps what cannot be sent now for the next message from chat.
func (l *Ledger) Hold(ctx context.Context, chat bot.ChatID, r bot.Reply) error {
	if r.Empty() {
		return nil
	}
	if err := l.keep(ctx, chat, r, Held); err != nil {
		return fmt.Errorf("hold a message: %w", err)
	}
	return nil
}

// keep makes an edition of one answer, and its delivery.
func (l *Ledger) keep(ctx context.Context, chat bot.ChatID, r bot.Reply, state State) error {
	data, err := json.Marshal(payload{Reply: &r})
	if err != nil {
		return err
	}
	now := l.now()
	return l.db.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var edition int64
		err := tx.NewRaw(`INSERT INTO editions (kind, edition_key, lang, payload, created_at) VALUES (?, ?, ?, ?, ?) RETURNING id`,
			KindLate, rand.Text(), r.Lang, string(data), now.UnixMilli()).Scan(ctx, &edition)
		if err != nil {
			return err
		}
		// Due an hour ago: claims go by due_at, and answers overtake digests.
		_, err = tx.ExecContext(ctx, `INSERT INTO deliveries (edition, channel, chat, state, due_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)`,
			edition, chat.Channel, chat.ID, state, now.Add(-time.Hour).UnixMilli(), now.UnixMilli())
		return err
	})
}
