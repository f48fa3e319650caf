package scheduler

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/uptrace/bun"

	"newsie/bot"
	"newsie/content"
	"newsie/internal/database"
	"newsie/scheduler/timetable"
)

const (
	planBatch = 1000 // follows planned in one transaction
	perDigest = 50   // articles an edition keeps; what is beyond is only counted
)

// A Planner makes an edition and a delivery for every follow whose slot has
// come. Each slot of a follow is planned once, by whichever replica is first:
// the transaction that plans it also moves the follow on.
type Planner struct {
	db      *database.DB
	finder  Finder
	outlets map[string]Channel
	logger  *slog.Logger
	now     func() time.Time
	fresh   time.Duration
	wake    func()

	mu      sync.Mutex // held while waiting follows are looked for
	roused  int64      // up to where of the index they were
	covered map[waitingGroup]looked
}

func newPlanner(c Config, wake func()) *Planner {
	return &Planner{db: c.DB, finder: c.Finder, outlets: c.outlets(), logger: c.Logger, now: c.Now, fresh: c.Fresh, wake: wake}
}

// Tick tells what one planning did.
type Tick struct {
	Due     int // follows whose time had come
	Planned int // of them, those that get a digest
	Nothing int // nothing new for them
	Missed  int // their slot was missed too long ago; the next digest holds what is new
	Taken   int // another replica was faster, or the reader changed the follow
}

type followRow struct {
	ID        int64
	Channel   string
	Chat      string
	Topic     string
	Query     string
	Lang      string
	Spec      string
	Zone      string
	LastSlot  string
	NextDueAt int64
	SinceSeq  int64
	Waits     bool // for something to come
	Silent    bool // the chat is suspended or asked for silence
}

// A decision is what becomes of one due follow.
type decision struct {
	follow   followRow
	slot     timetable.Slot
	next     int64 // 0: there is none
	waits    bool  // from now on, for something to come
	from     int64 // its articles joined after this
	since    int64 // those of the next one after this
	question question
	found    found // no ids: no digest
	missed   bool
	own      bool // shares its edition with nobody
}

// question is what follows may share the answer of.
type question struct {
	query, lang string
	channel     string // "" where all channels have the same answer
	from        int64
}

type found struct {
	ids  []int64
	more int
	err  error
	text string // ids as JSON
}

// clock is what follows may share the times of.
type clock struct{ spec, zone string }

// times are the next slot and the latest, as Unix milliseconds; 0: there is no next.
type times struct {
	next      int64
	latest    timetable.Slot
	asItComes bool
}

// A planning is one tick: one moment, one position of the index, and the
// searches made so far.
type planning struct {
	*Planner
	now   time.Time
	seq   int64
	found map[question]found
	times map[clock]times
	rows  map[shared]editionRow
	tick  Tick
}

// Plan plans all follows that are due now. Its error is of the database; a
// search that fails leaves its follows due.
func (p *Planner) Plan(ctx context.Context) (Tick, error) {
	tick := &planning{
		Planner: p, now: p.now(), seq: p.finder.Seq(),
		found: map[question]found{}, times: map[clock]times{}, rows: map[shared]editionRow{},
	}
	if err := tick.rouse(ctx); err != nil {
		return tick.tick, err
	}
	var dueAfter, idAfter int64 = -1 << 62, 0
	for {
		rows, err := tick.due(ctx, dueAfter, idAfter)
		if err != nil {
			return tick.tick, err
		}
		if len(rows) == 0 {
			return tick.tick, nil
		}
		last := rows[len(rows)-1]
		dueAfter, idAfter = last.NextDueAt, last.ID
		if rows, err = tick.withSiblings(ctx, rows); err != nil {
			return tick.tick, err
		}
		if err := tick.batch(ctx, rows); err != nil {
			return tick.tick, err
		}
	}
}

// The orders of what is read here are those of indexes, and no more conditions
// than one of them can use are plain: PostgreSQL, which has old statistics or none
// of what comes due at once, and SQLite would read all of it for every page.
const (
	followColumns = "id, channel, chat, topic, query, lang, spec, zone, last_slot, next_due_at, since_seq, waits"
	dueColumns    = `SELECT f.*, COALESCE((SELECT c.state FROM chats c WHERE c.channel = f.channel AND c.id = f.chat), 'active') <> 'active' AS silent FROM `
)

// due reads the next page of due follows, without locks.
func (t *planning) due(ctx context.Context, dueAfter, idAfter int64) ([]followRow, error) {
	var rows []followRow
	err := t.db.Reader().NewRaw(dueColumns+"(SELECT "+followColumns+` FROM follows
		WHERE state = 'active' AND next_due_at <= ? AND (next_due_at, id) > (?, ?)
		ORDER BY next_due_at, id LIMIT ?) f ORDER BY next_due_at, id`,
		t.now.UnixMilli(), dueAfter, idAfter, planBatch).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("read the due follows: %w", err)
	}
	return rows, nil
}

// withSiblings adds to a full page the other due follows of its chats: what is
// planned in one transaction is sent as one message. A chat's follows are put
// side by side, so that their deliveries are claimed together.
func (t *planning) withSiblings(ctx context.Context, rows []followRow) ([]followRow, error) {
	if len(rows) == planBatch {
		byChannel := map[string][]string{}
		known := make(map[int64]bool, len(rows))
		for _, row := range rows {
			known[row.ID] = true
			byChannel[row.Channel] = append(byChannel[row.Channel], row.Chat)
		}
		for channel, chats := range byChannel {
			var more []followRow
			err := t.db.Reader().NewRaw(dueColumns+"(SELECT "+followColumns+` FROM follows
				WHERE channel = ? AND chat IN (?) AND state || '' = 'active' AND next_due_at + 0 <= ?) f`,
				channel, bun.List(chats), t.now.UnixMilli()).Scan(ctx, &more)
			if err != nil {
				return nil, fmt.Errorf("read the due follows of some chats: %w", err)
			}
			rows = append(rows, slices.DeleteFunc(more, func(row followRow) bool { return known[row.ID] })...)
		}
	}
	first := make(map[bot.ChatID]int, len(rows))
	for i, row := range rows {
		chat := bot.ChatID{Channel: row.Channel, ID: row.Chat}
		if _, ok := first[chat]; !ok {
			first[chat] = i
		}
	}
	place := func(row followRow) int { return first[bot.ChatID{Channel: row.Channel, ID: row.Chat}] }
	slices.SortStableFunc(rows, func(a, b followRow) int { return cmp.Or(cmp.Compare(place(a), place(b)), cmp.Compare(a.ID, b.ID)) })
	return rows, nil
}

// batch plans one page. Searching happens before the transaction, which then
// takes only the follows that are still as they were.
func (t *planning) batch(ctx context.Context, rows []followRow) error {
	t.tick.Due += len(rows)
	var decisions []decision
	for _, row := range rows {
		d, err := t.decide(ctx, row)
		if err != nil {
			t.logger.Error("a follow could not be planned", "follow", row.ID, "error", err)
			continue
		}
		decisions = append(decisions, d)
	}
	if len(decisions) == 0 {
		return nil
	}
	var counted Tick
	err := t.db.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var err error
		counted, err = t.commit(ctx, tx, decisions)
		return err
	})
	if err != nil {
		return fmt.Errorf("plan %d follows: %w", len(decisions), err)
	}
	t.tick.Planned += counted.Planned
	t.tick.Nothing += counted.Nothing
	t.tick.Missed += counted.Missed
	t.tick.Taken += counted.Taken
	if counted.Planned > 0 {
		t.wake()
	}
	return nil
}

// decide works out what becomes of a due follow.
func (t *planning) decide(ctx context.Context, row followRow) (decision, error) {
	d := decision{follow: row, from: row.SinceSeq, since: row.SinceSeq}
	times, err := t.timesOf(row)
	if err != nil {
		// The bot lets no such schedule in; one from elsewhere must not come
		// back every ten seconds.
		t.logger.Error("a follow has no valid schedule", "follow", row.ID, "error", err)
		return d, nil
	}
	d.next, d.slot = times.next, times.latest
	if times.asItComes { // unless it gets something now
		d.next, d.waits = t.now.Add(recheck).UnixMilli(), !row.Silent
	}
	switch {
	case row.Silent, d.slot.At.IsZero():
		return d, nil
	case t.now.Sub(d.slot.At) > t.fresh:
		d.missed = true
		return d, nil
	}
	if d.from, err = t.offered(ctx, row); err != nil {
		return d, err
	}
	within := t.outlets[row.Channel].within(row.Chat)
	d.question = t.question(row.Query, row.Lang, row.Channel, d.from, within)
	hits := t.search(ctx, d.question, within)
	if hits.err != nil {
		return d, hits.err
	}
	if times.asItComes && len(hits.ids) > 0 {
		d.next, d.waits = times.next, false
	}
	d.found = hits
	d.since = max(row.SinceSeq, t.seq) // a replica whose index lags must not go back
	return d, nil
}

// offered is up to where a follow's articles were offered. An audience is not
// offered again what was sent or refused; but what was only given up, because
// WeChat took no more or could not be reached in time, comes with the next one.
func (t *planning) offered(ctx context.Context, row followRow) (int64, error) {
	if !(bot.ChatID{Channel: row.Channel, ID: row.Chat}).Audience() {
		return row.SinceSeq, nil
	}
	var lost []int64
	err := t.db.Reader().NewRaw(`SELECT e.from_seq FROM deliveries d JOIN editions e ON e.id = d.edition
		WHERE d.channel = ? AND d.chat = ? AND d.follow = ? AND d.state = ? AND d.error LIKE ? AND d.id > COALESCE(
			(SELECT MAX(o.id) FROM deliveries o WHERE o.channel = ? AND o.chat = ? AND o.follow = ? AND NOT (o.state = ? AND o.error LIKE ?)), 0)
		ORDER BY d.id LIMIT 1`,
		row.Channel, row.Chat, row.ID, Failed, givenUp+"%", row.Channel, row.Chat, row.ID, Failed, givenUp+"%").Scan(ctx, &lost)
	if err != nil {
		return 0, fmt.Errorf("read what was given up: %w", err)
	}
	if len(lost) > 0 {
		return min(lost[0], row.SinceSeq), nil
	}
	return row.SinceSeq, nil
}

func (t *planning) question(query, lang, channel string, from int64, within content.Filter) question {
	q := question{query: query, lang: lang, from: from}
	if len(within.Langs)+len(within.Tags)+len(within.Sources)+len(within.Authors) > 0 {
		q.channel = channel
	}
	return q
}

func (t *planning) search(ctx context.Context, q question, within content.Filter) found {
	if q.from >= t.seq {
		return found{}
	}
	if hits, ok := t.found[q]; ok {
		return hits
	}
	var hits found
	hits.ids, hits.more, hits.err = t.finder.Matches(ctx, q.query, q.lang, within, q.from, t.seq, perDigest)
	if hits.err == nil {
		var text []byte
		text, hits.err = json.Marshal(hits.ids)
		hits.text = string(text)
	}
	remember(t.found, q, hits)
	return hits
}

// timesOf gives the slots around now of a follow. Many share them.
func (t *planning) timesOf(row followRow) (times, error) {
	of := clock{row.Spec, row.Zone}
	if known, ok := t.times[of]; ok {
		return known, nil
	}
	spec, err := timetable.Parse(row.Spec)
	if err != nil {
		return times{}, err
	}
	zone, err := time.LoadLocation(row.Zone)
	if err != nil {
		t.logger.Error("a follow has an unknown time zone, UTC is used", "follow", row.ID, "error", err)
		zone = time.UTC
	}
	known := times{latest: spec.Latest(t.now, zone), asItComes: spec.AsItComes()}
	if next := spec.Next(t.now, zone); !next.At.IsZero() {
		known.next = next.At.UnixMilli()
	}
	remember(t.times, of, known)
	return known, nil
}

// mostKept bounds what one planning remembers: a million different topics shall
// not stay in memory.
const mostKept = 10_000

func remember[K comparable, V any](in map[K]V, key K, value V) {
	if len(in) >= mostKept {
		clear(in)
	}
	in[key] = value
}
