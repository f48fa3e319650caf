package scheduler

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"newsie/bot"
	"newsie/internal/database"
)

// A launched is how far the planning of a send has come (sends.done_to).
type launched struct {
	Channel string `json:"channel,omitempty"`
	Chat    string `json:"chat,omitempty"`  // the last one that was planned, of Channel
	Count   int64  `json:"count,omitempty"` // of Channel's
	From    int64  `json:"from,omitempty"`  // when the first of all came due
}

// PlanSends plans the sends whose time has come, some chats in each transaction,
// which also notes how far it came: whoever goes on, goes on from there. Of
// several replicas one at a time works on a send. It returns how many chats it
// planned.
func (p *Planner) PlanSends(ctx context.Context) (int, error) {
	total := 0
	for ctx.Err() == nil {
		n, more, err := p.planSend(ctx)
		if n > 0 {
			p.wake()
		}
		if total += n; err != nil || !more {
			return total, err
		}
	}
	return total, ctx.Err()
}

// planSend plans the next chats of one send. more is false when no send is due,
// or another replica is at work on each that is.
func (p *Planner) planSend(ctx context.Context) (planned int, more bool, err error) {
	err = p.db.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		planned, more = 0, false
		var rows []launchRow
		err := tx.NewRaw("SELECT "+launchColumns+" FROM sends WHERE state IN (?, ?) AND starts_at <= ? ORDER BY starts_at, id LIMIT 1"+p.db.SkipLocked(),
			SendWaiting, SendPlanning, p.now().UnixMilli()).Scan(ctx, &rows)
		if err != nil || len(rows) == 0 {
			return err
		}
		more = true
		planned, err = p.planSome(ctx, tx, rows[0])
		return err
	})
	if err != nil {
		return 0, false, fmt.Errorf("plan a send: %w", err)
	}
	return planned, more, nil
}

// planSome plans the next chats of a send and moves its cursor beyond them.
func (p *Planner) planSome(ctx context.Context, tx bun.Tx, row launchRow) (planned int, err error) {
	launch, err := row.launch()
	if err != nil {
		return 0, err
	}
	done := launched{From: max(p.now().UnixMilli(), row.StartsAt)}
	if row.DoneTo != "" {
		if err := json.Unmarshal([]byte(row.DoneTo), &done); err != nil {
			return 0, fmt.Errorf("read how far send %d is: %w", row.ID, err)
		}
	}
	chats, done, state, err := p.nextChats(ctx, tx, launch.To, done)
	if err != nil {
		return 0, err
	}
	if planned, err = p.insertSends(ctx, tx, launch, chats, done); err != nil {
		return 0, err
	}
	done.Count += int64(len(chats))
	cursor, err := json.Marshal(done)
	if err != nil {
		return 0, err
	}
	_, err = tx.ExecContext(ctx, "UPDATE sends SET state = ?, done_to = ?, planned = planned + ?, updated_at = ? WHERE id = ?",
		state, string(cursor), planned, p.now().UnixMilli(), row.ID)
	return planned, err
}

// A reached chat is one that a send is for.
type reached struct {
	Chat string
	Lang string // that the reader chose, or of the newest follow
}

// nextChats are the chats after those that are done, in the order of their
// channels and names, each once. state is what the send's is when they are
// planned.
func (p *Planner) nextChats(ctx context.Context, tx bun.Tx, to Audience, done launched) (chats []reached, till launched, state string, err error) {
	names := make([]string, 0, len(p.outlets))
	for name := range p.outlets {
		names = append(names, name)
	}
	for _, channel := range to.channels(names) {
		if channel < done.Channel {
			continue
		}
		if channel != done.Channel {
			done = launched{Channel: channel, From: done.From}
		}
		where, args := to.where(channel, p.now())
		// Without GROUP BY: read in the order of the key and broken off, whatever
		// the database thinks that there is.
		var rows []reached
		err := tx.NewRaw(`SELECT f.chat, COALESCE(NULLIF(c.lang, ''),
				(SELECT n.lang FROM follows n WHERE n.channel = f.channel AND n.chat = f.chat ORDER BY n.id DESC LIMIT 1)) AS lang
			FROM `+where+` AND f.chat > ? ORDER BY f.chat LIMIT ?`, append(args, done.Chat, planLaunch)...).Scan(ctx, &rows)
		if err != nil {
			return nil, done, "", fmt.Errorf("read the chats of a send: %w", err)
		}
		if len(rows) == 0 {
			continue
		}
		done.Chat = rows[len(rows)-1].Chat
		rows = slices.CompactFunc(rows, func(a, b reached) bool { return a.Chat == b.Chat })
		return rows, done, SendPlanning, nil
	}
	return nil, done, SendPlanned, nil
}

// insertSends plans a send for chats of the channel that it has come to. It
// returns for how many.
func (p *Planner) insertSends(ctx context.Context, tx bun.Tx, launch Launch, chats []reached, done launched) (int, error) {
	if len(chats) == 0 {
		return 0, nil
	}
	editions := map[string]int64{}
	for _, c := range chats {
		if _, ok := editions[c.Lang]; ok {
			continue
		}
		id, err := p.sendEdition(ctx, tx, launch, c.Lang)
		if err != nil {
			return 0, err
		}
		editions[c.Lang] = id
	}
	due, now := p.sendDue(done), p.now().UnixMilli()
	args := make([]any, 0, 6*len(chats))
	for _, c := range chats {
		args = append(args, editions[c.Lang], done.Channel, c.Chat, Planned, due.UnixMilli(), now)
	}
	result, err := tx.ExecContext(ctx, "INSERT INTO deliveries (edition, channel, chat, state, due_at, updated_at) VALUES "+values(len(chats), 6)+
		" ON CONFLICT DO NOTHING", args...)
	if err != nil {
		return 0, fmt.Errorf("insert deliveries: %w", err)
	}
	n, err := result.RowsAffected()
	return int(n), err
}

// sendDue is when the next chats of a send come due: as soon as the channel's
// rate has let those before them go.
func (p *Planner) sendDue(done launched) time.Time {
	from := time.UnixMilli(done.From)
	if rate := p.outlets[done.Channel].rate(); rate > 0 {
		from = from.Add(time.Duration(float64(done.Count) / rate * SendPace * float64(time.Second)))
	}
	return from
}

// rate is how many messages a second a channel lets go; 0: any number.
func (ch Channel) rate() float64 {
	limits, ok := ch.Sender.(Pacing)
	if !ok {
		return 0
	}
	if buckets := limits.Buckets(bot.ChatID{Channel: ch.Name}); len(buckets) > 0 {
		return buckets[0].PerSecond
	}
	return 0
}

// sendEdition is the edition of a send in a language.
func (p *Planner) sendEdition(ctx context.Context, tx bun.Tx, launch Launch, lang string) (id int64, err error) {
	articles, err := json.Marshal(launch.Articles)
	if err != nil {
		return 0, err
	}
	words, err := json.Marshal(payload{Note: launch.Note})
	if err != nil {
		return 0, err
	}
	key := strconv.FormatInt(launch.ID, 10) + ":" + cmp.Or(lang, "-")
	_, err = tx.ExecContext(ctx, `INSERT INTO editions (kind, edition_key, lang, articles, payload, created_at) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (kind, edition_key) DO NOTHING`, KindSend, key, lang, string(articles), string(words), p.now().UnixMilli())
	if err == nil {
		err = tx.NewRaw("SELECT id FROM editions WHERE kind = ? AND edition_key = ?", KindSend, key).Scan(ctx, &id)
	}
	if err != nil {
		return 0, fmt.Errorf("insert the edition of send %d: %w", launch.ID, err)
	}
	return id, nil
}

// unwantedSends are those of some deliveries that are of a send and must not go
// out: the publisher stopped it, perhaps while they were on their way and told to
// wait, or their chats want nothing any more.
func unwantedSends(ctx context.Context, db *database.DB, deliveries []int64) ([]int64, error) {
	var rows []struct {
		ID         int64
		EditionKey string
		Unwanted   bool
	}
	err := db.Reader().NewRaw(`SELECT d.id, e.edition_key, COALESCE(c.state, 'active') <> 'active'
			OR NOT EXISTS (SELECT 1 FROM follows f WHERE f.channel = d.channel AND f.chat = d.chat AND f.state = 'active') AS unwanted
		FROM deliveries d JOIN editions e ON e.id = d.edition LEFT JOIN chats c ON c.channel = d.channel AND c.id = d.chat
		WHERE d.id IN (?) AND e.kind = ?`, bun.List(deliveries), KindSend).Scan(ctx, &rows)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	of := make(map[int64]int64, len(rows)) // a delivery's send
	var sends []int64
	for _, row := range rows {
		number, _, _ := strings.Cut(row.EditionKey, ":")
		of[row.ID], _ = strconv.ParseInt(number, 10, 64)
		sends = append(sends, of[row.ID])
	}
	slices.Sort(sends)
	var stopped []int64
	err = db.Reader().NewRaw("SELECT id FROM sends WHERE id IN (?) AND state = ?", bun.List(slices.Compact(sends)), SendStopped).Scan(ctx, &stopped)
	if err != nil {
		return nil, fmt.Errorf("read which sends were stopped: %w", err)
	}
	var unwanted []int64
	for _, row := range rows {
		if row.Unwanted || slices.Contains(stopped, of[row.ID]) {
			unwanted = append(unwanted, row.ID)
		}
	}
	return unwanted, nil
}
