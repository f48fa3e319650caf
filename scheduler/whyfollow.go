package scheduler

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"newsie/content"
	"newsie/content/index"
)

// follow says why a follow brought the article to nobody yet.
func (q *asking) follow(ctx context.Context, f whyFollow) error {
	mismatch, err := q.mismatch(ctx, f)
	if err != nil {
		return err
	}
	if mismatch.Code != "" {
		mismatch.Follow = f.ID
		q.say(mismatch)
		return nil
	}
	seq := q.article.AddedSeq
	if seq == 0 || q.article.State != content.Published {
		return nil // told already
	}
	left, err := q.leftOut(ctx, f)
	if err != nil || left {
		return err
	}
	switch {
	case seq <= f.SinceSeq && q.article.Added.UnixMilli() <= f.CreatedAt:
		began := time.UnixMilli(f.CreatedAt)
		q.say(Reason{Code: "before-follow", Follow: f.ID, At: &began, Text: fmt.Sprintf("%s matches, but it began at %s, and the article joined before, at %s: a follow offers what comes after it began.",
			f.name(), f.at(began), f.at(q.article.Added))})
	case seq <= f.SinceSeq:
		q.say(Reason{Code: "passed", Follow: f.ID, Text: f.name() + " matches now and has been offered everything up to this article, and no digest that is still in the ledger holds it: " +
			"its digest is older than the ledger keeps, or the article, or the follow, did not match when it was planned."})
	default:
		q.next(f)
	}
	return nil
}

// next says when a follow that was not offered the article yet brings it, or
// what keeps it.
func (q *asking) next(f whyFollow) {
	if at, ok := f.lastSlot(); ok && at.After(q.article.Added) && q.state != "stopped" && q.state != "suspended" {
		q.say(Reason{Code: "slot-missed", Follow: f.ID, At: &at, Text: fmt.Sprintf("%s matches. Its slot of %s went by without a digest: newsie did not run then, nor within %s after; the next digest holds what is new.",
			f.name(), f.at(at), hours(q.config.Fresh))})
	}
	due := time.UnixMilli(f.NextDueAt)
	switch {
	case f.State != "active":
		q.say(Reason{Code: "follow-suspended", Follow: f.ID, Text: f.name() + " matches, but rests: the chat could not be reached, or its schedule never comes again."})
	case q.state == "stopped" || q.state == "suspended":
		q.say(Reason{Code: "chat-rests", Follow: f.ID, Text: f.name() + " matches, and rests with its chat."})
	case f.PausedUntil > q.now.UnixMilli():
		until := time.UnixMilli(f.PausedUntil)
		q.coming = true
		q.say(Reason{Code: "follow-paused", Follow: f.ID, At: &until, Text: fmt.Sprintf("%s matches, but the reader paused it until %s; the first digest after that holds it.", f.name(), f.at(until))})
	case f.Waits != 0:
		q.coming = true
		q.say(Reason{Code: "follow-waits", Follow: f.ID, Text: f.name() + " matches, and brings it within a minute or so, as it brings what comes as it comes."})
	case due.After(q.now):
		q.coming = true
		q.say(Reason{Code: "next", Follow: f.ID, At: &due, Text: fmt.Sprintf("%s matches: its next digest, at %s, holds it.", f.name(), f.at(due))})
	default:
		q.coming = true
		q.say(Reason{Code: "due", Follow: f.ID, At: &due, Text: fmt.Sprintf("%s matches and is due since %s: a newsie that serves plans it within seconds.", f.name(), f.at(due))})
	}
}

// hours writes a whole duration without its zeros.
func hours(d time.Duration) string {
	return strings.TrimSuffix(strings.TrimSuffix(d.String(), "0s"), "0m")
}

// leftOut tells of a digest of the follow that was of the article's time and
// does not hold it.
func (q *asking) leftOut(ctx context.Context, f whyFollow) (bool, error) {
	var rows []struct {
		editionRow
		Delivery  int64
		State     State
		UpdatedAt int64
	}
	err := q.Planner.db.Reader().NewRaw(`SELECT e.id, e.kind, e.edition_key, e.topic, e.query, e.lang, e.from_seq, e.to_seq, e.articles, e.payload, e.created_at,
			d.id AS delivery, d.state, d.updated_at
		FROM deliveries d JOIN editions e ON e.id = d.edition
		WHERE d.channel = ? AND d.chat = ? AND d.follow = ? AND e.from_seq < ? AND e.to_seq >= ? ORDER BY d.id DESC LIMIT 1`,
		q.chat.Channel, q.chat.ID, f.ID, q.article.AddedSeq, q.article.AddedSeq).Scan(ctx, &rows)
	if err != nil {
		return false, fmt.Errorf("read the digests of follow %d: %w", f.ID, err)
	}
	if len(rows) == 0 {
		return false, nil
	}
	row := rows[0]
	e, err := row.edition()
	if err != nil {
		return false, err
	}
	at := time.UnixMilli(row.UpdatedAt)
	r := Reason{Code: "left-out", Follow: f.ID, Delivery: row.Delivery, State: row.State, At: &at}
	r.Text = fmt.Sprintf("%s matches, and its digest (delivery %d, %s, %s) was made after the article joined, without it: the same story or title stood in it from another source, or the article did not match then.",
		f.name(), row.Delivery, row.State, f.at(at))
	if e.More > 0 {
		r.Code = "more"
		r.Text = fmt.Sprintf("%s matches, and its digest (delivery %d, %s, %s) had more to offer than it holds: the article is one of those “and %d more” beyond the best %d.",
			f.name(), row.Delivery, row.State, f.at(at), e.More, len(e.Articles))
	}
	q.say(r)
	return true, nil
}

// mismatch says why a follow does not match the article; the zero Reason: it does.
func (q *asking) mismatch(ctx context.Context, f whyFollow) (Reason, error) {
	within := q.Planner.outlets[f.Channel].within(f.Chat)
	ok, err := q.matches(ctx, f, f.Query, within)
	if ok || err != nil || q.article.AddedSeq == 0 || q.article.AddedSeq > q.Planner.finder.Seq() {
		return Reason{}, err
	}
	if ok, err = q.matches(ctx, f, f.Query, content.Filter{}); err != nil {
		return Reason{}, err
	} else if ok {
		return q.filtered(ctx, f, within)
	}
	for _, without := range relaxed(f.Query) {
		if ok, err := q.matches(ctx, f, without.query, content.Filter{}); err != nil {
			return Reason{}, err
		} else if ok {
			what := "does not let it in"
			switch without.code {
			case "query-language":
				what = fmt.Sprintf("wants another language than %q", q.article.Lang)
			case "query-excludes":
				what = "keeps it out"
			}
			return Reason{Code: without.code, Text: fmt.Sprintf("%s does not match: its words do, but “%s” %s.", f.name(), without.part, what)}, nil
		}
	}
	if q.article.Story != 0 && q.article.Story != q.article.ID {
		return Reason{Code: "copy-or-words", Text: f.name() + " does not take it: its story was offered before, or its words do not match."}, nil
	}
	return Reason{Code: "words", Text: f.name() + " does not match: its words are not in the article, or not enough of them."}, nil
}

// A relaxation is a query without one of the things that it asks beside words,
// each of which alone may be what keeps an article out.
type relaxation struct{ code, part, query string }

func relaxed(query string) []relaxation {
	var list []relaxation
	add := func(code string, part, rest index.Parsed) {
		text := rest.String()
		if text == "" {
			text = "*"
		}
		list = append(list, relaxation{code, strings.TrimPrefix(part.String(), "* "), text})
	}
	p := index.ParseQuery(query)
	for i, word := range p.Not {
		rest := p
		rest.Not = slices.Delete(slices.Clone(p.Not), i, i+1)
		add("query-excludes", index.Parsed{Not: []string{word}}, rest)
	}
	if rest := p; len(p.Langs) > 0 {
		rest.Langs = nil
		add("query-language", index.Parsed{Langs: p.Langs}, rest)
	}
	if rest := p; len(p.Tags) > 0 {
		rest.Tags = nil
		add("query-operator", index.Parsed{Tags: p.Tags}, rest)
	}
	if rest := p; len(p.Authors) > 0 {
		rest.Authors = nil
		add("query-operator", index.Parsed{Authors: p.Authors}, rest)
	}
	if rest := p; len(p.Sources) > 0 {
		rest.Sources = nil
		add("query-operator", index.Parsed{Sources: p.Sources}, rest)
	}
	if rest := p; !p.After.IsZero() || !p.Before.IsZero() {
		rest.After, rest.Before = time.Time{}, time.Time{}
		add("query-operator", index.Parsed{After: p.After, Before: p.Before}, rest)
	}
	if rest := p; len(p.Phrases) > 0 {
		rest.Phrases = nil
		add("query-operator", index.Parsed{Text: strings.Join(p.Phrases, " "), Phrases: p.Phrases}, rest)
	}
	return list
}

// filtered names the part of the library that the channel keeps to.
func (q *asking) filtered(ctx context.Context, f whyFollow, within content.Filter) (Reason, error) {
	parts := []struct {
		key    string
		values []string
		filter content.Filter
	}{
		{"languages", within.Langs, content.Filter{Langs: within.Langs}},
		{"tags", within.Tags, content.Filter{Tags: within.Tags}},
		{"sources", within.Sources, content.Filter{Sources: within.Sources}},
		{"authors", within.Authors, content.Filter{Authors: within.Authors}},
	}
	for _, part := range parts {
		if len(part.values) == 0 {
			continue
		}
		ok, err := q.matches(ctx, f, f.Query, part.filter)
		if err != nil {
			return Reason{}, err
		}
		if !ok {
			return Reason{Code: "channel-" + part.key, Text: fmt.Sprintf("%s matches by its words, but the channel %s serves only %s %s.",
				f.name(), f.Channel, part.key, strings.Join(part.values, ", "))}, nil
		}
	}
	return Reason{Code: "channel-filter", Text: fmt.Sprintf("%s matches by its words, but the article is not in the part of the library that the channel %s serves.", f.name(), f.Channel)}, nil
}

// matches asks the index about the article alone.
func (q *asking) matches(ctx context.Context, f whyFollow, query string, within content.Filter) (bool, error) {
	ids, _, err := q.Planner.finder.Matches(ctx, query, f.Lang, within, q.article.AddedSeq-1, q.article.AddedSeq, 1)
	if err != nil {
		return false, fmt.Errorf("match follow %d: %w", f.ID, err)
	}
	return slices.Contains(ids, q.article.ID), nil
}
