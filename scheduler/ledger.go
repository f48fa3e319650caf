package scheduler

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/uptrace/bun"

	"newsie/bot"
	"newsie/internal/database"
	"newsie/scheduler/timetable"
)

// A Ledger answers what went out, what did not and why.
type Ledger struct {
	db   *database.DB
	now  func() time.Time
	wake func()

	readers readers

	channels []string // those configured, as far as it knows
}

// A Filter narrows a list of deliveries; empty fields do not.
type Filter struct {
	ID      int64
	Edition int64
	Channel string
	Chat    string
	State   State
	Article int64 // in the edition
	Follow  int64
	Since   time.Time // changed at or after
}

// List gives deliveries, the newest first.
func (l *Ledger) List(ctx context.Context, f Filter, limit int) ([]Delivery, error) {
	where, args, err := f.narrowed(ctx, l.db, limit)
	if err != nil {
		return nil, err
	}
	var rows []struct {
		ID         int64
		Edition    int64
		Follow     int64
		Slot       string
		Channel    string
		Chat       string
		State      string
		DueAt      int64
		Attempt    int
		Way        string
		ProviderID string
		Error      string
		UpdatedAt  int64
		Topic      string
		Kind       string
		EditionKey string
		Articles   string
		Zone       string
	}
	err = l.db.Reader().NewRaw(`SELECT d.id, d.edition, d.follow, d.slot, d.channel, d.chat, d.state, d.due_at, d.attempt, d.way, d.provider_id, d.error, d.updated_at,
			e.topic, e.kind, e.edition_key, e.articles, COALESCE(f.zone, '') AS zone
		FROM deliveries d JOIN editions e ON e.id = d.edition LEFT JOIN follows f ON f.id = d.follow`+where+` ORDER BY d.id DESC LIMIT ?`, append(args, limit)...).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("list deliveries: %w", err)
	}
	list := make([]Delivery, 0, len(rows))
	for _, r := range rows {
		e, err := editionRow{ID: r.Edition, Articles: r.Articles}.edition()
		if err != nil {
			return nil, err
		}
		slot, zone := slotOn(r.Slot, r.Zone)
		var send int64
		if number, _, ok := strings.Cut(r.EditionKey, ":"); ok && r.Kind == KindSend {
			send, _ = strconv.ParseInt(number, 10, 64)
		}
		list = append(list, Delivery{
			ID: r.ID, Edition: r.Edition, Follow: r.Follow, Slot: slot, Zone: zone, Send: send, To: bot.ChatID{Channel: r.Channel, ID: r.Chat}, State: State(r.State),
			Due: time.UnixMilli(r.DueAt), Attempt: r.Attempt, Way: r.Way, ProviderID: r.ProviderID, Error: r.Error,
			Updated: time.UnixMilli(r.UpdatedAt), Topic: r.Topic, Kind: r.Kind, Articles: e.Articles,
		})
	}
	return list, nil
}

// slotOn gives a slot in the one form that lists have, on the wall clock of a zone.
// What comes as it happens has slots on UTC's, marked by a Z.
func slotOn(slot, zone string) (wall, clock string) {
	moment, ok := strings.CutSuffix(slot, "Z")
	if !ok {
		if slot == "" {
			zone = ""
		}
		return slot, zone
	}
	at, err := time.Parse(timetable.WallLayout, moment)
	if err != nil {
		return slot, zone
	}
	place, err := time.LoadLocation(zone) // "" is UTC
	if err != nil {
		place = time.UTC
	}
	return at.In(place).Format(timetable.WallLayout), place.String()
}

// StatesOf tells the states of deliveries given by their numbers; those that do
// not exist are not in it.
func (l *Ledger) StatesOf(ctx context.Context, ids []int64) (map[int64]State, error) {
	var rows []struct {
		ID    int64
		State State
	}
	if err := l.db.Reader().NewRaw("SELECT id, state FROM deliveries WHERE id IN (?)", bun.List(ids)).Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("read the states of deliveries: %w", err)
	}
	states := make(map[int64]State, len(rows))
	for _, row := range rows {
		states[row.ID] = row.State
	}
	return states, nil
}

// HasEdition tells whether there is an edition with this number, and HasChannel
// whether the ledger knows anything of a channel, which need not be configured now.
func (l *Ledger) HasEdition(ctx context.Context, id int64) (bool, error) {
	return l.has(ctx, "SELECT COUNT(*) FROM editions WHERE id = ?", id)
}

// HasChannel: see HasEdition.
func (l *Ledger) HasChannel(ctx context.Context, name string) (bool, error) {
	return l.has(ctx, "SELECT COUNT(*) FROM (SELECT 1 FROM deliveries WHERE channel = ? LIMIT 1) d", name)
}

func (l *Ledger) has(ctx context.Context, query string, arg any) (bool, error) {
	var n int
	if err := l.db.Reader().NewRaw(query, arg).Scan(ctx, &n); err != nil {
		return false, fmt.Errorf("look into the ledger: %w", err)
	}
	return n > 0, nil
}

// narrowed is where, with the newest of a state found by the index of channels
// where nothing narrower is asked for: those in doubt are few, and may be old. Most
// deliveries are sent, and the newest of those stand at the end of the table.
func (f Filter) narrowed(ctx context.Context, db *database.DB, limit int) (string, []any, error) {
	where, args := f.where()
	if f.State == "" || f.State == Sent || f.ID != 0 || f.Edition != 0 || f.Chat != "" || f.Follow != 0 {
		return where, args, nil
	}
	channels := []string{f.Channel}
	if f.Channel == "" {
		var err error
		if channels, err = channelsOf(ctx, db); err != nil {
			return "", nil, err
		}
	}
	if f.Article == 0 && f.Since.IsZero() {
		return " WHERE d.id IN (SELECT id FROM deliveries WHERE channel IN (?) AND state = ? ORDER BY id DESC LIMIT ?)",
			[]any{listed(channels), f.State, limit}, nil
	}
	return where + " AND d.channel IN (?)", append(args, listed(channels)), nil
}

// listed is a list for IN (?), where an empty one is no SQL: no channel, and no
// state, has the name "".
func listed[T ~string](names []T) any { return bun.List(append([]T{""}, names...)) }

func (f Filter) where() (string, []any) {
	var terms []string
	var args []any
	add := func(ok bool, term string, value any) {
		if ok {
			terms, args = append(terms, term), append(args, value)
		}
	}
	add(f.ID != 0, "d.id = ?", f.ID)
	add(f.Edition != 0, "d.edition = ?", f.Edition)
	add(f.Channel != "", "d.channel = ?", f.Channel)
	add(f.Chat != "", "d.chat = ?", f.Chat)
	add(f.State != "", "d.state = ?", f.State)
	add(f.Follow != 0, "d.follow = ?", f.Follow)
	add(!f.Since.IsZero(), "d.updated_at >= ?", f.Since.UnixMilli())
	// The ids stand as a JSON list: "[1,22,3]" holds ",22," between commas.
	add(f.Article != 0, "REPLACE(REPLACE(e.articles, '[', ','), ']', ',') LIKE ?", fmt.Sprintf("%%,%d,%%", f.Article))
	if len(terms) == 0 {
		return "", nil
	}
	return " WHERE " + strings.Join(terms, " AND "), args
}

// Retry is RetryAll of some deliveries, given by their numbers; it returns how many.
func (l *Ledger) Retry(ctx context.Context, ids []int64) (int, error) {
	if len(ids) == 0 {
		return 0, nil
	}
	done, err := l.RetryAll(ctx, RetryFilter{IDs: ids})
	return len(done), err
}

// Settle brings the result of an accepted message: problem is "" when it was
// sent. A *bot.RetryError means that the ledger does not know yet that it was
// accepted: it may be one of those under way.
func (l *Ledger) Settle(ctx context.Context, channel, providerID, problem string) error {
	if ok, err := l.Result(ctx, channel, providerID, problem == "", problem); ok || err != nil {
		return err
	}
	var sending []int64
	if err := l.db.NewRaw("SELECT id FROM deliveries WHERE state = ? AND channel = ? LIMIT 1", Sending, channel).Scan(ctx, &sending); err != nil {
		return fmt.Errorf("settle what %s accepted: %w", channel, err)
	}
	if len(sending) > 0 {
		return &bot.RetryError{After: linger, Err: fmt.Errorf("%s has not accepted %s yet", channel, providerID)}
	}
	return nil
}

// Result brings the result of a message that a platform accepted under
// providerID, with a note for the publisher. ok is false when no delivery waits
// for it: there is none, or it has its result, or it is not written yet.
func (l *Ledger) Result(ctx context.Context, channel, providerID string, sent bool, note string) (ok bool, err error) {
	state := Sent
	if !sent {
		state = Failed
	}
	var done []struct{ Chat, Kind string }
	err = l.db.NewRaw(`UPDATE deliveries SET state = ?, error = ?, updated_at = ? WHERE state = ? AND channel = ? AND provider_id = ?
		RETURNING chat, COALESCE((SELECT e.kind FROM editions e WHERE e.id = deliveries.edition), '') AS kind`,
		state, clean(note), l.now().UnixMilli(), Accepted, channel, providerID).Scan(ctx, &done)
	if err != nil {
		return false, fmt.Errorf("settle what %s accepted: %w", channel, err)
	}
	for _, d := range done { // of one message
		if chat := (bot.ChatID{Channel: channel, ID: d.Chat}); sent && !chat.Audience() && d.Kind != KindLate {
			l.readers.received([]bot.ChatID{chat})
			break
		}
	}
	return len(done) > 0, nil
}

// ErrNoDelivery: there is no delivery with this number.
var ErrNoDelivery = errors.New("there is no such delivery")

// Cancel keeps a delivery from going out and tells the state it was or is in:
// ok is false when it is on its way already, or has ended.
func (l *Ledger) Cancel(ctx context.Context, id int64) (state State, ok bool, err error) {
	err = l.db.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var states []State
		if err := tx.NewRaw("SELECT state FROM deliveries WHERE id = ?", id).Scan(ctx, &states); err != nil {
			return err
		}
		if len(states) == 0 {
			return fmt.Errorf("delivery %d: %w", id, ErrNoDelivery)
		}
		state = states[0]
		result, err := tx.ExecContext(ctx, `UPDATE deliveries SET state = ?, error = 'cancelled by the publisher', claim = '', lease_until = 0, updated_at = ?
			WHERE id = ? AND state IN (?, ?, ?)`, Cancelled, l.now().UnixMilli(), id, Planned, Claimed, Held)
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		ok = n > 0
		return err
	})
	if err != nil {
		return "", false, fmt.Errorf("cancel a delivery: %w", err)
	}
	return state, ok, nil
}

// Forget deletes everything about a chat.
func (l *Ledger) Forget(ctx context.Context, chat bot.ChatID) error {
	err := l.db.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var editions []int64
		err := tx.NewRaw("DELETE FROM deliveries WHERE channel = ? AND chat = ? RETURNING edition", chat.Channel, chat.ID).Scan(ctx, &editions)
		if err != nil || len(editions) == 0 {
			return err
		}
		return dropUnsent(ctx, tx, l.db, editions)
	})
	if err != nil {
		return fmt.Errorf("forget the deliveries of a chat: %w", err)
	}
	return nil
}

// A Count is how many deliveries of a channel are in a state.
type Count struct {
	Channel string `json:"channel"`
	State   State  `json:"state"`
	Count   int64  `json:"count"`
}

// Counts counts the deliveries.
func (l *Ledger) Counts(ctx context.Context) ([]Count, error) {
	var rows []Count
	err := l.db.Reader().NewRaw("SELECT channel, state, COUNT(*) AS count FROM deliveries GROUP BY channel, state ORDER BY channel, state").Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("count deliveries: %w", err)
	}
	return rows, nil
}

// Collector gives Prometheus the deliveries by channel and state, and which
// channels stand still, as it is in the database: the same on every replica.
func (l *Ledger) Collector() prometheus.Collector {
	return collector{l, prometheus.NewDesc("newsie_deliveries", "Deliveries in the ledger by channel and state.", []string{"channel", "state"}, nil),
		prometheus.NewDesc("newsie_channel_stands_still", "1 for a channel whose platform refuses everything, or whose answers are lost; one message is tried now and then.", []string{"channel"}, nil)}
}

type collector struct {
	ledger       *Ledger
	desc, halted *prometheus.Desc
}

func (c collector) Describe(ch chan<- *prometheus.Desc) { ch <- c.desc; ch <- c.halted }

func (c collector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	counts, err := c.ledger.Counts(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(c.desc, err)
		return
	}
	halts, err := c.ledger.Halts(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(c.halted, err)
		return
	}
	still := map[string]float64{}
	for _, name := range c.ledger.channels {
		still[name] = 0
	}
	for _, h := range halts {
		still[h.Channel] = 1
	}
	for name, n := range still {
		ch <- prometheus.MustNewConstMetric(c.halted, prometheus.GaugeValue, n, name)
	}
	for _, n := range counts {
		ch <- prometheus.MustNewConstMetric(c.desc, prometheus.GaugeValue, float64(n.Count), n.Channel, string(n.State))
	}
}

// editions reads the editions of held deliveries.
func (l *Ledger) editions(ctx context.Context, waiting []heldRow) (map[int64]Edition, error) {
	ids := make([]int64, len(waiting))
	for i, row := range waiting {
		ids[i] = row.Edition
	}
	var rows []editionRow
	if err := l.db.Reader().NewRaw("SELECT "+editionColumns+" FROM editions WHERE id IN (?)", bun.List(ids)).Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("read editions: %w", err)
	}
	editions := make(map[int64]Edition, len(rows))
	for _, row := range rows {
		e, err := row.edition()
		if err != nil {
			return nil, err
		}
		editions[e.ID] = e
	}
	return editions, nil
}

// handOver marks held deliveries as sent with an answer and tells which were still held.
func (l *Ledger) handOver(ctx context.Context, waiting []heldRow) ([]int64, error) {
	ids := make([]int64, len(waiting))
	for i, row := range waiting {
		ids[i] = row.ID
	}
	var mine []int64
	err := l.db.NewRaw("UPDATE deliveries SET state = ?, way = 'held', error = '', updated_at = ? WHERE id IN (?) AND state = ? RETURNING id",
		Sent, l.now().UnixMilli(), bun.List(ids), Held).Scan(ctx, &mine)
	if err != nil {
		return nil, fmt.Errorf("hand over what waited: %w", err)
	}
	return mine, nil
}
