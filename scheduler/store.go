package scheduler

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/uptrace/bun"

	"newsie/bot"
	"newsie/internal/database"
)

const (
	lease      = 60 * time.Second
	claimBatch = 256 // claimed in one commit; the sends of a batch are spread over seconds
)

// job is a delivery that this process has claimed.
type job struct {
	ID        int64
	Edition   int64
	Follow    int64
	Channel   string
	Chat      string
	Attempt   int
	DueAt     int64
	claim     string
	edition   Edition
	broken    error // the edition cannot be read
	cancelled bool  // the follow or the chat is not there any more
}

func (j job) to() bot.ChatID { return bot.ChatID{Channel: j.Channel, ID: j.Chat} }

// key stays the same however often the message is tried. That to an audience is
// handed to the platform, which refuses to send under one key twice: it must not
// be that of another edition either, not even of one in a database that was made
// anew.
func (j job) key() string {
	if !j.to().Audience() {
		return fmt.Sprintf("newsie-%d", j.ID)
	}
	e := j.edition
	sum := sha256.Sum256([]byte(strings.Join([]string{e.Kind, e.Key, j.Channel, j.Chat, strconv.FormatInt(e.Created.UnixMilli(), 10)}, "\x00")))
	return "newsie-" + hex.EncodeToString(sum[:20])
}

// nextDue is when the channel's next planned delivery is due; ok is false when there is none.
func nextDue(ctx context.Context, db *database.DB, channel string) (due time.Time, ok bool, err error) {
	var list []int64
	err = db.Reader().NewRaw("SELECT due_at FROM deliveries WHERE state = ? AND channel = ? ORDER BY due_at LIMIT 1", Planned, channel).Scan(ctx, &list)
	if err != nil || len(list) == 0 {
		return time.Time{}, false, err
	}
	return time.UnixMilli(list[0]), true, nil
}

// claim takes up to limit due deliveries of a channel for this process; grouped,
// also all others that are due for the same chats. The claim ends by itself
// after the lease, on the database's clock.
func claim(ctx context.Context, db *database.DB, channel string, now time.Time, limit int, grouped bool) ([]job, error) {
	clock, err := db.Now(ctx)
	if err != nil {
		return nil, err
	}
	token := db.Replica() + "/" + rand.Text()
	var jobs []job
	err = db.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		jobs = nil
		var due []waitingRow
		err := tx.NewRaw(`SELECT id, chat FROM deliveries WHERE state = ? AND channel = ? AND due_at <= ? ORDER BY due_at, id LIMIT ?`+db.SkipLocked(),
			Planned, channel, now.UnixMilli(), limit).Scan(ctx, &due)
		if err != nil || len(due) == 0 {
			return err
		}
		if grouped && len(due) == limit {
			if due, err = withSiblings(ctx, tx, db, channel, now, due); err != nil {
				return err
			}
		}
		ids := make([]int64, len(due))
		for i, row := range due {
			ids[i] = row.ID
		}
		return tx.NewRaw(`UPDATE deliveries SET state = ?, claim = ?, lease_until = ?, updated_at = ?
			WHERE id IN (?) AND state = ? RETURNING id, edition, follow, channel, chat, attempt, due_at`,
			Claimed, token, clock+lease.Milliseconds(), now.UnixMilli(), bun.List(ids), Planned).Scan(ctx, &jobs)
	})
	if err != nil {
		return nil, fmt.Errorf("claim deliveries of %s: %w", channel, err)
	}
	for i := range jobs {
		jobs[i].claim = token
	}
	slices.SortFunc(jobs, func(a, b job) int { return cmp.Or(cmp.Compare(a.DueAt, b.DueAt), cmp.Compare(a.ID, b.ID)) })
	return jobs, nil
}

// waitingRow is a delivery to be claimed.
type waitingRow struct {
	ID   int64
	Chat string
}

// withSiblings adds to a full batch what else is due for its chats. They are named
// one by one, and the index of channels is kept out of it: PostgreSQL, which knows
// nothing yet of rows just planned, would read all that wait.
func withSiblings(ctx context.Context, tx bun.Tx, db *database.DB, channel string, now time.Time, due []waitingRow) ([]waitingRow, error) {
	known := make(map[int64]bool, len(due))
	chats := map[string]bool{}
	for _, row := range due {
		known[row.ID], chats[row.Chat] = true, true
	}
	var all []waitingRow
	err := tx.NewRaw(`SELECT id, chat FROM deliveries WHERE chat IN (?) AND channel || '' = ? AND state = ? AND due_at <= ?
		ORDER BY chat, due_at, id LIMIT ?`+db.SkipLocked(),
		bun.List(slices.Sorted(maps.Keys(chats))), channel, Planned, now.UnixMilli(), len(due)+claimBatch).Scan(ctx, &all)
	if err != nil {
		return nil, err
	}
	return append(due, slices.DeleteFunc(all, func(row waitingRow) bool { return known[row.ID] })...), nil
}

// load fills in the editions, and finds the jobs that nobody wants any more.
func load(ctx context.Context, db *database.DB, jobs []job) error {
	var editions, ids []int64
	for _, j := range jobs {
		editions, ids = append(editions, j.Edition), append(ids, j.ID)
	}
	var rows []editionRow
	err := db.Reader().NewRaw("SELECT "+editionColumns+" FROM editions WHERE id IN (?)", bun.List(editions)).Scan(ctx, &rows)
	if err != nil {
		return fmt.Errorf("read editions: %w", err)
	}
	byID := make(map[int64]editionRow, len(rows))
	for _, row := range rows {
		byID[row.ID] = row
	}
	stopped, err := unwantedSends(ctx, db, ids)
	if err != nil {
		return err
	}
	var unwanted []int64
	// Not joins, for which PostgreSQL may read all follows and chats.
	err = db.Reader().NewRaw(`SELECT id FROM deliveries d WHERE id IN (?) AND follow <> 0 AND (
		COALESCE((SELECT f.state FROM follows f WHERE f.id = d.follow), '') <> 'active' OR
		COALESCE((SELECT c.state FROM chats c WHERE c.channel = d.channel AND c.id = d.chat), 'active') <> 'active')`,
		bun.List(ids)).Scan(ctx, &unwanted)
	if err != nil {
		return fmt.Errorf("read follows: %w", err)
	}
	for i := range jobs {
		jobs[i].edition, jobs[i].broken = byID[jobs[i].Edition].edition()
		jobs[i].cancelled = slices.Contains(unwanted, jobs[i].ID) || slices.Contains(stopped, jobs[i].ID)
	}
	return nil
}

// markSending marks claimed jobs as being sent, from where on they are in doubt
// until settled, and tells which of them are still this process's. clock is the
// database's. One whose reader ended the follow while it waited for its turn is
// left to its lease, after which nobody wants it. (An EXISTS may have PostgreSQL
// read all follows.)
func markSending(ctx context.Context, tx bun.IDB, token string, ids []int64, clock int64, now time.Time) (map[int64]bool, error) {
	var list []int64
	err := tx.NewRaw(`UPDATE deliveries SET state = ?, attempt = attempt + 1, lease_until = ?, updated_at = ?
		WHERE id IN (?) AND state = ? AND claim = ? AND lease_until > ?
			AND (follow = 0 OR (SELECT f.state FROM follows f WHERE f.id = deliveries.follow) = 'active')
		RETURNING id`,
		Sending, clock+lease.Milliseconds(), now.UnixMilli(), bun.List(ids), Claimed, token, clock).Scan(ctx, &list)
	if err != nil {
		return nil, fmt.Errorf("mark deliveries as being sent: %w", err)
	}
	mine := make(map[int64]bool, len(list))
	for _, id := range list {
		mine[id] = true
	}
	return mine, nil
}

// An outcome is where a job goes next.
type outcome struct {
	job      job
	state    State
	due      time.Time // of Planned
	way      string
	provider string
	problem  string
	moved    *bot.ChatID
}

// settle moves jobs from where they are (Claimed or Sending) to their outcomes,
// and tells which it moved. A job that is not this process's any more stays as it
// is, except that one listed as unknown becomes sent when it turns out to be.
func (c *courier) settle(ctx context.Context, from State, outcomes []outcome) (done []int64, err error) {
	if len(outcomes) == 0 {
		return nil, nil
	}
	now := c.now()
	var args []any
	for _, o := range outcomes {
		args = append(args, o.job.ID, o.job.claim, o.state, o.due.UnixMilli(), o.way, clean(o.provider), clean(o.problem))
	}
	args = append(args, now.UnixMilli(), Planned, from, from, Sending, Unknown, Sent)
	// In doubt, the claim stays: it proves whose late news may be believed.
	query := `WITH v (id, claim, state, due_at, way, provider_id, error) AS (VALUES ` + values(len(outcomes), 7) + `)
		UPDATE deliveries SET state = v.state, way = v.way, provider_id = v.provider_id, error = v.error, lease_until = 0, updated_at = ?,
			due_at = CASE WHEN v.state = ? THEN v.due_at ELSE deliveries.due_at END
		FROM v WHERE deliveries.id = v.id AND deliveries.claim = v.claim
			AND (deliveries.state = ? OR ? = ? AND deliveries.state = ? AND v.state = ?)
		RETURNING deliveries.id`
	if slices.ContainsFunc(outcomes, outcome.touchesChat) {
		err = c.db.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
			done = nil
			if err := tx.NewRaw(query, args...).Scan(ctx, &done); err != nil {
				return err
			}
			return c.settleChats(ctx, tx, outcomes, done, now)
		})
	} else {
		err = c.db.NewRaw(query, args...).Scan(ctx, &done)
	}
	if err != nil {
		return nil, fmt.Errorf("settle %d deliveries: %w", len(outcomes), err)
	}
	return done, nil
}

// touchesChat: not only the delivery changes, also its chat and follows.
func (o outcome) touchesChat() bool { return o.moved != nil || o.state == Gone }

func (c *courier) settleChats(ctx context.Context, tx bun.Tx, outcomes []outcome, done []int64, now time.Time) error {
	for _, o := range outcomes {
		if !o.touchesChat() || !slices.Contains(done, o.job.ID) {
			continue
		}
		var err error
		if o.moved != nil {
			err = moveChat(ctx, tx, c.readers, o.job.to(), *o.moved)
		} else {
			err = suspendChat(ctx, tx, o.job.to(), now)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// clean makes a platform's words fit for a database column.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "�"))
	if r := []rune(s); len(r) > 500 {
		s = string(r[:499]) + "…"
	}
	return s
}

// Suspend is told that a chat took no answer: its digests would not arrive either.
func (l *Ledger) Suspend(ctx context.Context, chat bot.ChatID) error {
	err := l.db.Tx(ctx, func(ctx context.Context, tx bun.Tx) error { return suspendChat(ctx, tx, chat, l.now()) })
	if err != nil {
		return fmt.Errorf("suspend %s: %w", chat, err)
	}
	l.readers.gone([]bot.ChatID{chat})
	return nil
}

// suspendChat stops everything for a chat that cannot be reached. The bot
// brings chat and follows back when the reader does.
func suspendChat(ctx context.Context, tx bun.Tx, chat bot.ChatID, now time.Time) error {
	if _, err := tx.ExecContext(ctx, "UPDATE follows SET state = 'suspended' WHERE channel = ? AND chat = ? AND state = 'active'", chat.Channel, chat.ID); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "UPDATE chats SET state = 'suspended' WHERE channel = ? AND id = ? AND state = 'active'", chat.Channel, chat.ID); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "UPDATE deliveries SET state = ?, updated_at = ?, error = 'the chat is gone' WHERE channel = ? AND chat = ? AND state IN (?, ?)",
		Gone, now.UnixMilli(), chat.Channel, chat.ID, Planned, Held)
	return err
}

// recoverLeases takes back what processes that ended, or stood still, have left,
// their leases having run out before clock, a time of the database's:
// what was claimed is planned again, what was being sent is in doubt. It is sent
// again through the channels of resend, and to audiences through those that are
// keyed: their platforms take one key once.
func recoverLeases(ctx context.Context, db *database.DB, resend, keyed []string, giveUp time.Duration, clock int64, now time.Time) (Recovered, error) {
	var r Recovered
	channels, err := channelsOf(ctx, db)
	if err != nil || len(channels) == 0 {
		return r, err
	}
	if err := datedAnew(ctx, db, channels, clock); err != nil {
		return r, err
	}
	// No channel has the name ""; IN () is not SQL.
	resend, keyed = append([]string{""}, resend...), append([]string{""}, keyed...)
	ms := now.UnixMilli()
	for _, step := range []struct {
		count *int64
		query string
		args  []any
	}{
		{&r.Planned, "UPDATE deliveries SET state = ?, claim = '', lease_until = 0, updated_at = ? WHERE channel IN (?) AND state = ? AND lease_until < ?",
			[]any{Planned, ms, bun.List(channels), Claimed, clock}},
		{&r.Resent, "UPDATE deliveries SET state = ?, claim = '', lease_until = 0, updated_at = ?, error = 'in doubt, sent again' WHERE channel IN (?) AND state = ? AND lease_until < ? AND (channel IN (?) OR channel IN (?) AND chat LIKE ?)",
			[]any{Planned, ms, bun.List(channels), Sending, clock, bun.List(resend), bun.List(keyed), bot.Everybody + "%"}},
		{&r.Unknown, "UPDATE deliveries SET state = ?, lease_until = 0, updated_at = ?, error = 'newsie ended while this was being sent' WHERE channel IN (?) AND state = ? AND lease_until < ? AND channel NOT IN (?) AND NOT (channel IN (?) AND chat LIKE ?)",
			[]any{Unknown, ms, bun.List(channels), Sending, clock, bun.List(resend), bun.List(keyed), bot.Everybody + "%"}},
		{&r.GivenUp, "UPDATE deliveries SET state = ?, updated_at = ?, error = ? || CASE error WHEN '' THEN '' ELSE ': ' || error END WHERE channel IN (?) AND state = ? AND due_at < ?",
			[]any{Failed, ms, givenUp + ", it could not be sent in time", bun.List(channels), Planned, now.Add(-giveUp).UnixMilli()}},
	} {
		result, err := db.ExecContext(ctx, step.query, step.args...)
		if err != nil {
			return r, fmt.Errorf("recover deliveries: %w", err)
		}
		if *step.count, err = result.RowsAffected(); err != nil {
			return r, err
		}
	}
	return r, nil
}

// datedAnew shortens leases that are longer than any given now could be: the
// database's clock was set back since, and they would hold what a dead process
// left for as long. They are not ended, for their holders may live, and be
// sending.
func datedAnew(ctx context.Context, db *database.DB, channels []string, clock int64) error {
	if clock > math.MaxInt64-2*lease.Milliseconds() { // all are to be taken back
		return nil
	}
	_, err := db.ExecContext(ctx, "UPDATE deliveries SET lease_until = ? WHERE channel IN (?) AND state IN (?, ?) AND lease_until > ?",
		clock+lease.Milliseconds(), bun.List(channels), Claimed, Sending, clock+2*lease.Milliseconds())
	if err != nil {
		return fmt.Errorf("shorten the leases from before the clock was set back: %w", err)
	}
	return nil
}

// channelsOf lists the channels that have deliveries, in as many steps as there
// are: neither database skips through an index by itself.
func channelsOf(ctx context.Context, db *database.DB) ([]string, error) {
	var channels []string
	last := ""
	for {
		var next []string
		if err := db.Reader().NewRaw("SELECT channel FROM deliveries WHERE channel > ? ORDER BY channel LIMIT 1", last).Scan(ctx, &next); err != nil {
			return nil, fmt.Errorf("list the channels of deliveries: %w", err)
		}
		if len(next) == 0 {
			return channels, nil
		}
		last = next[0]
		channels = append(channels, last)
	}
}
