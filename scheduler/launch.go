package scheduler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"newsie/bot"
	"newsie/internal/database"
)

// KindSend is what the publisher sends by hand; the key of its edition is the
// send's id and a language, for its chats that speak it.
const KindSend = "send"

// An Audience is whom a send is for. Chats that stopped newsie or are gone are
// never among them, nor those that follow nothing or whose follows all rest.
type Audience struct {
	Kind string // ToEveryone, ToChannel, ToPlace, ToTopic
	Name string // of the channel; the place as the posts name it; the topic's folded query
}

// The kinds of audiences.
const (
	ToEveryone = "everyone" // every chat that follows something
	ToChannel  = "channel"  // those of one channel, and the places that it posts to
	ToPlace    = "place"    // one of those places
	ToTopic    = "topic"    // the chats that follow it
)

func (a Audience) String() string { return strings.TrimSpace(a.Kind + " " + a.Name) }

func audienceOf(text string) Audience {
	kind, name, _ := strings.Cut(text, " ")
	return Audience{Kind: kind, Name: name}
}

// The states of a send.
const (
	SendWaiting  = "waiting"  // for its time
	SendPlanning = "planning" // some of its chats have their deliveries
	SendPlanned  = "planned"  // all have
	SendStopped  = "stopped"
)

// A Launch is one send: articles for an audience.
type Launch struct {
	ID       int64
	Articles []int64 // in the order they are shown
	Note     string  // the publisher's words before them
	To       Audience
	State    string
	Starts   time.Time
	Chats    int64 // that have a delivery, or had one
	Created  time.Time

	Sent, Left, Failed, Unknown, Cancelled int64 // of those, as the ledger knows them
}

// Standing is how far a send is, for people: waiting (for its time), sending, done
// (nothing of it is left to go out), or stopped.
func (l Launch) Standing(now time.Time) string {
	switch {
	case l.State == SendStopped:
		return "stopped"
	case l.State == SendWaiting && l.Starts.After(now):
		return "waiting"
	case l.State == SendPlanned && l.Left == 0:
		return "done"
	}
	return "sending"
}

// planLaunch is how many chats are planned in one transaction.
const planLaunch = 500

// SendPace is how much longer than at its channel's rate a send takes: it comes
// due a little slower, so that digests that come due meanwhile go between and not
// after all of it.
const SendPace = 1.05

// Launches keeps sends (table sends).
type Launches struct {
	db  *database.DB
	now func() time.Time
}

// NewLaunches keeps its rows in db.
func NewLaunches(db *database.DB, now func() time.Time) *Launches { return &Launches{db: db, now: now} }

// Add keeps a send; the schedulers at work hear of it and plan it when its time
// comes.
func (l *Launches) Add(ctx context.Context, articles []int64, note string, to Audience, starts time.Time) (id int64, err error) {
	data, err := json.Marshal(articles)
	if err != nil {
		return 0, err
	}
	now := l.now().UnixMilli()
	err = l.db.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		err := tx.NewRaw(`INSERT INTO sends (articles, note, audience, state, starts_at, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id`,
			string(data), note, to.String(), SendWaiting, starts.UnixMilli(), now, now).Scan(ctx, &id)
		if err != nil {
			return err
		}
		return l.db.Signal(ctx, tx, database.Signal{Name: SendsSignalName})
	})
	if err != nil {
		return 0, fmt.Errorf("keep a send: %w", err)
	}
	return id, nil
}

// Reach counts the chats that a send to an audience would be for now, by
// channel; those of none are left out. channels are the ones that there are.
func (l *Launches) Reach(ctx context.Context, to Audience, channels []string) (map[string]int64, error) {
	reach := map[string]int64{}
	for _, channel := range to.channels(channels) {
		where, args := to.where(channel, l.now())
		var n int64
		if err := l.db.Reader().NewRaw("SELECT COUNT(DISTINCT f.chat) FROM "+where, args...).Scan(ctx, &n); err != nil {
			return nil, fmt.Errorf("count the chats of a send: %w", err)
		}
		if n > 0 {
			reach[channel] = n
		}
	}
	return reach, nil
}

// channels are those of all in which an audience may have chats, in the order
// in which they are planned.
func (a Audience) channels(all []string) []string {
	list := slices.Sorted(slices.Values(all))
	if a.Kind == ToChannel {
		list = slices.DeleteFunc(list, func(name string) bool { return name != a.Name })
	}
	return list
}

// where is the audience's part of a channel, in SQL: a row for each of its
// follows. A part of WeChat's followers is no place: it is reached by mass sends,
// of which there are few.
func (a Audience) where(channel string, now time.Time) (string, []any) {
	query := `follows f LEFT JOIN chats c ON c.channel = f.channel AND c.id = f.chat
		WHERE f.channel = ? AND f.state = 'active' AND f.paused_until <= ? AND COALESCE(c.state, 'active') = 'active'`
	args := []any{channel, now.UnixMilli()}
	reader := "f.chat NOT LIKE '" + bot.Everybody + "%'"
	switch a.Kind {
	case ToEveryone:
		query += " AND " + reader
	case ToChannel:
		query += " AND (" + reader + " OR f.chat LIKE '" + bot.Everybody + "@%' OR f.chat LIKE '" + bot.Everybody + "-%')"
	case ToPlace:
		query, args = query+" AND lower(f.chat) = ?", append(args, strings.ToLower(bot.Everybody+a.Name))
	case ToTopic:
		query, args = query+" AND "+reader+" AND f.query = ?", append(args, a.Name)
	default:
		query += " AND 1 = 0"
	}
	return query, args
}

type launchRow struct {
	ID        int64
	Articles  string
	Note      string
	Audience  string
	State     string
	StartsAt  int64
	DoneTo    string
	Planned   int64
	CreatedAt int64
}

const launchColumns = "id, articles, note, audience, state, starts_at, done_to, planned, created_at"

func (r launchRow) launch() (Launch, error) {
	l := Launch{
		ID: r.ID, Note: r.Note, To: audienceOf(r.Audience), State: r.State, Starts: time.UnixMilli(r.StartsAt), Chats: r.Planned, Created: time.UnixMilli(r.CreatedAt),
	}
	if err := json.Unmarshal([]byte(r.Articles), &l.Articles); err != nil {
		return l, fmt.Errorf("read the articles of send %d: %w", r.ID, err)
	}
	return l, nil
}

// List gives sends, the newest first, with what became of their deliveries.
func (l *Launches) List(ctx context.Context, limit int) ([]Launch, error) {
	var rows []launchRow
	if err := l.db.Reader().NewRaw("SELECT "+launchColumns+" FROM sends ORDER BY id DESC LIMIT ?", limit).Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("list the sends: %w", err)
	}
	list := make([]Launch, 0, len(rows))
	for _, row := range rows {
		launch, err := row.launch()
		if err == nil {
			err = l.count(ctx, l.db.Reader(), &launch)
		}
		if err != nil {
			return nil, err
		}
		list = append(list, launch)
	}
	return list, nil
}

// editionsOf finds the editions of a send, of which there is one a language.
const editionsOf = "(SELECT id FROM editions WHERE kind = '" + KindSend + "' AND edition_key LIKE ?)"

func keysOf(id int64) string { return strconv.FormatInt(id, 10) + ":%" }

func (l *Launches) count(ctx context.Context, db bun.IDB, launch *Launch) error {
	var rows []struct {
		State State
		N     int64
	}
	err := db.NewRaw("SELECT state, COUNT(*) AS n FROM deliveries WHERE edition IN "+editionsOf+" GROUP BY state", keysOf(launch.ID)).Scan(ctx, &rows)
	if err != nil {
		return fmt.Errorf("count the deliveries of send %d: %w", launch.ID, err)
	}
	for _, row := range rows {
		switch row.State {
		case Sent, Accepted:
			launch.Sent += row.N
		case Failed, Gone:
			launch.Failed += row.N
		case Unknown:
			launch.Unknown += row.N
		case Cancelled:
			launch.Cancelled += row.N
		default:
			launch.Left += row.N
		}
	}
	return nil
}

// ErrNoSend: there is no send with this number.
var ErrNoSend = errors.New("there is no such send")

// Stop keeps a send from going any further: nothing more of it is planned, and
// what has not gone out is cancelled. It tells how many were, and the send as it
// is then: what is left of it is on its way at this moment. A send that has been
// stopped, or has gone out, stays as it is.
func (l *Launches) Stop(ctx context.Context, id int64) (launch Launch, cancelled int64, err error) {
	err = l.db.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		now := l.now().UnixMilli()
		var before []string
		if err := tx.NewRaw("SELECT state FROM sends WHERE id = ?", id).Scan(ctx, &before); err != nil {
			return err
		}
		var rows []launchRow
		err := tx.NewRaw("UPDATE sends SET state = ?, updated_at = ? WHERE id = ? RETURNING "+launchColumns, SendStopped, now, id).Scan(ctx, &rows)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return fmt.Errorf("send %d: %w", id, ErrNoSend)
		}
		// One that waits for its turn is only claimed: it finds that it was cancelled.
		result, err := tx.ExecContext(ctx, `UPDATE deliveries SET state = ?, error = ?, claim = '', lease_until = 0, updated_at = ?
			WHERE edition IN `+editionsOf+` AND state IN (?, ?, ?)`,
			Cancelled, stoppedByPublisher, now, keysOf(id), Planned, Claimed, Held)
		if err != nil {
			return err
		}
		if cancelled, err = result.RowsAffected(); err != nil {
			return err
		}
		if launch, err = rows[0].launch(); err != nil {
			return err
		}
		if err := l.count(ctx, tx, &launch); err != nil {
			return err
		}
		if launch.Left == 0 && cancelled == 0 && len(before) > 0 && before[0] == SendPlanned { // too late
			launch.State = SendPlanned
			_, err = tx.ExecContext(ctx, "UPDATE sends SET state = ? WHERE id = ?", SendPlanned, id)
		}
		return err
	})
	if err != nil {
		return launch, 0, fmt.Errorf("stop a send: %w", err)
	}
	return launch, cancelled, nil
}

const stoppedByPublisher = "the publisher stopped the send"

// Prune deletes sends that ended before a time and whose deliveries are gone.
func (l *Launches) Prune(ctx context.Context, before time.Time) error {
	_, err := l.db.ExecContext(ctx, `DELETE FROM sends WHERE state IN (?, ?) AND updated_at < ?
		AND NOT EXISTS (SELECT 1 FROM editions e WHERE e.kind = ? AND e.edition_key LIKE sends.id || ':%')`,
		SendPlanned, SendStopped, before.UnixMilli(), KindSend)
	if err != nil {
		return fmt.Errorf("forget old sends: %w", err)
	}
	return nil
}
