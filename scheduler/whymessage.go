package scheduler

import (
	"context"
	"fmt"
	"slices"
	"time"

	"newsie/content"
)

// place says where in its digest the article stood, if a reader may have missed
// it there.
func (q *asking) place(ctx context.Context, d Delivery) (text string, beyond bool, err error) {
	shown := q.Planner.outlets[q.chat.Channel].Shown
	if d.Kind != KindFollow || shown == 0 || q.chat.Audience() {
		return "", false, nil
	}
	n := slices.Index(d.Articles, q.article.ID) + 1
	if n > shown {
		return fmt.Sprintf(" There it was number %d of %d; a digest shows %d at first, and the others behind “more”.", n, len(d.Articles), shown), true, nil
	}
	if d.State != Sent || d.ProviderID == "" {
		return "", false, nil
	}
	var topics int // of one message: they were settled together
	err = q.Planner.db.Reader().NewRaw(`SELECT COUNT(*) FROM deliveries d JOIN editions e ON e.id = d.edition
		WHERE d.channel = ? AND d.chat = ? AND d.state = ? AND d.provider_id = ? AND d.updated_at = ? AND e.kind = ?`,
		q.chat.Channel, q.chat.ID, Sent, d.ProviderID, d.Updated.UnixMilli(), KindFollow).Scan(ctx, &topics)
	if err != nil {
		return "", false, fmt.Errorf("read what came with delivery %d: %w", d.ID, err)
	}
	if topics > 1 {
		text = fmt.Sprintf(" It came as one message with the digests of %d topics, which share the %d places that are shown at first; the others stand behind “more”.", topics, shown)
	}
	return text, false, nil
}

// pinned tells of an article that digests begin with, whatever they are of; the
// ledger does not list it there.
func (q *asking) pinned(ctx context.Context) (Verdict, error) {
	if q.config.Pinned == nil || q.chat.Audience() {
		return NotGot, nil
	}
	articles, err := q.config.Pinned(ctx, q.Planner.outlets[q.chat.Channel].Within)
	if err != nil {
		return NotGot, fmt.Errorf("load the pinned articles: %w", err)
	}
	if !slices.ContainsFunc(articles, func(a content.Article) bool { return a.ID == q.article.ID }) {
		return NotGot, nil
	}
	var pins []struct{ PinnedAt, Until int64 }
	if err := q.Planner.db.Reader().NewRaw("SELECT pinned_at, until FROM pins WHERE article = ?", q.article.ID).Scan(ctx, &pins); err != nil || len(pins) == 0 {
		return NotGot, err
	}
	since := time.UnixMilli(pins[0].PinnedAt)
	text := fmt.Sprintf("It is pinned from %s until %s: digests of that time begin with it, whatever they are of", clockOf(since, "UTC"), clockOf(time.UnixMilli(pins[0].Until), "UTC"))
	var sent []struct {
		ID        int64
		UpdatedAt int64
	}
	err = q.Planner.db.Reader().NewRaw(`SELECT d.id, d.updated_at FROM deliveries d JOIN editions e ON e.id = d.edition
		WHERE d.channel = ? AND d.chat = ? AND d.state = ? AND d.way <> 'held' AND d.updated_at >= ? AND e.kind = ? ORDER BY d.id LIMIT 1`,
		q.chat.Channel, q.chat.ID, Sent, since.UnixMilli(), KindFollow).Scan(ctx, &sent)
	if err != nil {
		return NotGot, fmt.Errorf("read the digests since a pin: %w", err)
	}
	if len(sent) == 0 {
		q.say(Reason{Code: "pinned-next", At: &since, Text: text + ". No digest went to this chat since; the next one brings it."})
		return NotGot, nil
	}
	at := time.UnixMilli(sent[0].UpdatedAt)
	q.say(Reason{Code: "pinned", Delivery: sent[0].ID, State: Sent, At: &at, Text: fmt.Sprintf("%s. The first that this chat got was delivery %d, sent at %s.", text, sent[0].ID, clockOf(at, "UTC"))})
	return Got, nil
}
