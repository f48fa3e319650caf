package scheduler

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/uptrace/bun"

	"newsie/bot"
	"newsie/internal/database"
)

// commit writes the decisions whose follows nobody else has touched.
func (t *planning) commit(ctx context.Context, tx bun.Tx, decisions []decision) (Tick, error) {
	var counted Tick
	ids := make([]int64, len(decisions))
	for i, d := range decisions {
		ids[i] = d.follow.ID
	}
	var locked []followRow
	err := tx.NewRaw("SELECT "+followColumns+" FROM follows WHERE id IN (?) AND state || '' = 'active'"+t.db.SkipLocked(), bun.List(ids)).Scan(ctx, &locked)
	if err != nil {
		return counted, err
	}
	still := make(map[int64]followRow, len(locked))
	for _, row := range locked {
		still[row.ID] = row
	}
	mine := slices.DeleteFunc(slices.Clone(decisions), func(d decision) bool {
		d.follow.Silent = false
		return still[d.follow.ID] != d.follow
	})
	counted.Taken = len(decisions) - len(mine)
	if len(mine) == 0 {
		return counted, nil
	}
	editions, err := t.insertEditions(ctx, tx, mine)
	if err != nil {
		return counted, err
	}
	planned, err := t.insertDeliveries(ctx, tx, mine, editions)
	if err != nil {
		return counted, err
	}
	if err := t.again(ctx, tx, mine, planned); err != nil {
		return counted, err
	}
	for i, d := range mine {
		switch {
		case planned[d.follow.ID]:
			counted.Planned++
		case len(d.found.ids) > 0:
			// The slot has had its digest, in another zone that the reader
			// left since; what is new waits for the next.
			mine[i].since = d.follow.SinceSeq
		case d.missed:
			counted.Missed++
		default:
			counted.Nothing++
		}
	}
	return counted, t.advance(ctx, tx, mine)
}

// shared is what those have in common who share an edition.
type shared struct {
	question
	topic string
	to    int64
}

// edition is the row of the edition that a decision sends. Those who get the
// same articles of the same topic in the same language share one, however many
// they are: its key says all that it holds. One to an audience is its own, whose
// key names it for the platform too.
func (t *planning) edition(d decision) editionRow {
	f := d.follow
	of := shared{d.question, f.Topic, d.since}
	row, ok := t.rows[of]
	if !ok {
		row = editionRow{
			Kind: KindFollow, Topic: f.Topic, Query: f.Query, Lang: f.Lang, FromSeq: d.from, ToSeq: d.since, Articles: d.found.text,
		}
		if d.found.more > 0 {
			row.Payload = fmt.Sprintf(`{"more":%d}`, d.found.more)
		}
		sum := sha256.Sum256(fmt.Appendf(nil, "%q", []any{row.Topic, row.Query, row.Lang, row.FromSeq, row.ToSeq, row.Articles, row.Payload}))
		row.EditionKey = hex.EncodeToString(sum[:16])
		remember(t.rows, of, row)
	}
	if d.own || (bot.ChatID{Channel: f.Channel, ID: f.Chat}).Audience() {
		row.EditionKey = strconv.FormatInt(f.ID, 10) + "@" + d.slot.Wall
	}
	return row
}

// again plans those whose chat has had the same edition before, for a follow that
// it ended and began anew: they get one of their own. A slot that has had its
// digest still gets no other.
func (t *planning) again(ctx context.Context, tx bun.Tx, decisions []decision, planned map[int64]bool) error {
	var left []decision
	for _, d := range decisions {
		if len(d.found.ids) > 0 && !planned[d.follow.ID] {
			d.own = true
			left = append(left, d)
		}
	}
	if len(left) == 0 {
		return nil
	}
	editions, err := t.insertEditions(ctx, tx, left)
	if err != nil {
		return err
	}
	more, err := t.insertDeliveries(ctx, tx, left, editions)
	maps.Copy(planned, more)
	return err
}

// insertEditions gives, for each decision, the id of its edition, which another
// one or an earlier planning may have made; 0 is none.
func (t *planning) insertEditions(ctx context.Context, tx bun.Tx, decisions []decision) ([]int64, error) {
	keys := make([]string, len(decisions))
	wanted := map[string]editionRow{}
	for i, d := range decisions {
		if len(d.found.ids) > 0 {
			e := t.edition(d)
			keys[i], wanted[e.EditionKey] = e.EditionKey, e
		}
	}
	ids := make([]int64, len(decisions))
	if len(wanted) == 0 {
		return ids, nil
	}
	known, err := editionIDs(ctx, tx, wanted)
	if err != nil {
		return nil, err
	}
	if len(known) < len(wanted) {
		var args []any
		missing := 0
		for _, key := range slices.Sorted(maps.Keys(wanted)) { // in one order, so that replicas do not wait for each other
			if e := wanted[key]; known[key] == 0 {
				args = append(args, e.Kind, e.EditionKey, e.Topic, e.Query, e.Lang, e.FromSeq, e.ToSeq, e.Articles, e.Payload, t.now.UnixMilli())
				missing++
			}
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO editions (kind, edition_key, topic, query, lang, from_seq, to_seq, articles, payload, created_at) VALUES `+
			values(missing, 10)+` ON CONFLICT (kind, edition_key) DO NOTHING`, args...)
		if err != nil {
			return nil, fmt.Errorf("insert editions: %w", err)
		}
		if known, err = editionIDs(ctx, tx, wanted); err != nil {
			return nil, err
		}
	}
	for i, key := range keys {
		ids[i] = known[key]
	}
	return ids, nil
}

func editionIDs(ctx context.Context, tx bun.Tx, wanted map[string]editionRow) (map[string]int64, error) {
	var rows []editionRow
	err := tx.NewRaw("SELECT id, edition_key FROM editions WHERE kind = ? AND edition_key IN (?)", KindFollow, bun.List(slices.Sorted(maps.Keys(wanted)))).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("read editions: %w", err)
	}
	ids := make(map[string]int64, len(rows))
	for _, row := range rows {
		ids[row.EditionKey] = row.ID
	}
	return ids, nil
}

// insertDeliveries tells for which follows there is a new delivery: a slot that
// has had its own gets no other.
func (t *planning) insertDeliveries(ctx context.Context, tx bun.Tx, decisions []decision, editions []int64) (map[int64]bool, error) {
	var args []any
	count := 0
	for i, d := range decisions {
		if editions[i] != 0 {
			args = append(args, editions[i], d.follow.ID, d.slot.Wall, d.follow.Channel, d.follow.Chat, Planned, t.now.UnixMilli(), t.now.UnixMilli())
			count++
		}
	}
	planned := map[int64]bool{}
	if count == 0 {
		return planned, nil
	}
	var follows []int64
	err := tx.NewRaw(`INSERT INTO deliveries (edition, follow, slot, channel, chat, state, due_at, updated_at) VALUES `+values(count, 8)+`
		ON CONFLICT DO NOTHING RETURNING follow`, args...).Scan(ctx, &follows)
	if err != nil {
		return nil, fmt.Errorf("insert deliveries: %w", err)
	}
	for _, id := range follows {
		planned[id] = true
	}
	var unsent []int64
	for i, d := range decisions {
		if editions[i] != 0 && !planned[d.follow.ID] {
			unsent = append(unsent, editions[i])
		}
	}
	if len(unsent) == 0 {
		return planned, nil
	}
	if err := dropUnsent(ctx, tx, t.db, unsent); err != nil {
		return nil, err
	}
	return planned, nil
}

// dropUnsent deletes those of some editions that nobody gets. They are locked
// first: one that is being given to somebody just now stays, for Compact to see.
func dropUnsent(ctx context.Context, tx bun.IDB, db *database.DB, editions []int64) error {
	var free []int64
	err := tx.NewRaw("SELECT id FROM editions WHERE id IN (?)"+db.SkipLocked(), bun.List(editions)).Scan(ctx, &free)
	if err == nil && len(free) > 0 {
		_, err = tx.ExecContext(ctx, "DELETE FROM editions WHERE id IN (?) AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.edition = editions.id)", bun.List(free))
	}
	if err != nil {
		return fmt.Errorf("delete editions: %w", err)
	}
	return nil
}

// advance moves the follows to their next slots. One without a next slot is
// suspended.
func (t *planning) advance(ctx context.Context, tx bun.Tx, decisions []decision) error {
	var args []any
	for _, d := range decisions {
		state := "active"
		if d.next == 0 {
			state = "suspended"
		}
		args = append(args, d.follow.ID, state, cmp.Or(d.slot.Wall, d.follow.LastSlot), d.next, d.since, d.waits)
	}
	_, err := tx.ExecContext(ctx, `UPDATE follows SET state = v.column2, last_slot = v.column3, next_due_at = v.column4, since_seq = v.column5, waits = CASE WHEN v.column6 THEN 1 ELSE 0 END
		FROM (VALUES `+values(len(decisions), 6)+`) AS v WHERE follows.id = v.column1`, args...)
	if err != nil {
		return fmt.Errorf("advance the follows: %w", err)
	}
	return nil
}
