package origin

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"newsie/internal/database"
)

// A Code is one that a platform made for an origin: WeChat's, of which it makes
// only so many.
type Code struct {
	Channel   string
	Payload   string // what the channel hears of who scans it
	Origin    int64
	URL       string // what the code says
	Permanent bool   // it counts against the account's permanent ones
	Expires   time.Time
	Made      time.Time
}

// Serves reports whether the code works until a time; zero: for ever.
func (c Code) Serves(until time.Time) bool {
	return c.Permanent || !until.IsZero() && !c.Expires.Before(until)
}

// Codes keeps what platforms made, so that none is made twice.
type Codes struct {
	db  *database.DB
	now func() time.Time
}

// NewCodes keeps its rows in db.
func NewCodes(db *database.DB, now func() time.Time) *Codes { return &Codes{db, now} }

// Kept is the code that was made for a payload, also one that expired.
func (c *Codes) Kept(ctx context.Context, channel, payload string) (Code, bool, error) {
	var id, permanent, expires, made int64
	var url string
	err := c.db.Reader().QueryRowContext(ctx, "SELECT origin, url, permanent, expires_at, made_at FROM origin_codes WHERE channel = ? AND payload = ?",
		channel, payload).Scan(&id, &url, &permanent, &expires, &made)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Code{}, false, nil
	case err != nil:
		return Code{}, false, fmt.Errorf("look for the code of %s: %w", payload, err)
	}
	return Code{
		Channel: channel, Payload: payload, Origin: id, URL: url, Permanent: permanent == 1,
		Expires: timeOf(expires), Made: timeOf(made),
	}, true, nil
}

// Keep keeps a code, and returns the one to be used: another process may have
// kept one meanwhile that works as long.
func (c *Codes) Keep(ctx context.Context, code Code) (Code, error) {
	permanent := 0
	if code.Permanent {
		permanent, code.Expires = 1, time.Time{}
	}
	code.Made = c.now()
	err := c.db.WriteOne(ctx, func(ctx context.Context, tx bun.IDB) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO origin_codes (channel, payload, origin, url, permanent, expires_at, made_at) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (channel, payload) DO UPDATE SET origin = excluded.origin, url = excluded.url, permanent = excluded.permanent,
				expires_at = excluded.expires_at, made_at = excluded.made_at
			WHERE origin_codes.permanent = 0 AND (excluded.permanent = 1 OR excluded.expires_at > origin_codes.expires_at)`,
			code.Channel, code.Payload, code.Origin, code.URL, permanent, millis(code.Expires), millis(code.Made))
		return err
	})
	if err != nil {
		return Code{}, fmt.Errorf("keep the code of %s: %w", code.Payload, err)
	}
	kept, _, err := c.Kept(ctx, code.Channel, code.Payload)
	return kept, err
}

// Permanent counts a channel's codes that never expire.
func (c *Codes) Permanent(ctx context.Context, channel string) (int, error) {
	var n int
	err := c.db.Reader().QueryRowContext(ctx, "SELECT count(*) FROM origin_codes WHERE channel = ? AND permanent = 1", channel).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count the codes of %s: %w", channel, err)
	}
	return n, nil
}

// A Wanted is a code to be printed.
type Wanted struct {
	Origin    Origin
	Channel   string // "": the only one there is, else the page that knows them all
	Article   int64  // opened by who comes; 0: none
	Temporary bool   // of a platform that has only so many others
	Kept      bool   // nothing is to be made: ErrNotMade where a platform would have to
}

// ErrNotMade is that a platform has not made a code yet.
var ErrNotMade = errors.New("the code is not made yet")

// A Saying is what the code of an origin says.
type Saying struct {
	Text    string    // in the code
	Channel string    // that it opens; "": the page that knows them all
	Opens   string    // what that is, in English
	Typed   string    // for those who type it
	Until   time.Time // it works; zero: as long as its origin
	Note    string    // in English: why it is another than was wanted; "": it is not
}

// Codeless are open invitations of a channel's readers for which no code of that
// channel is kept that works until a time, the newest first, n at most.
func (c *Codes) Codeless(ctx context.Context, channel string, until time.Time, n int) ([]Origin, error) {
	var rows []row
	err := c.db.Reader().NewRaw("SELECT "+columns+` FROM origins WHERE kind = ? AND owner_channel = ? AND ends_at = 0
		AND NOT EXISTS (SELECT 1 FROM origin_codes c WHERE c.origin = origins.id AND c.channel = ? AND (c.permanent = 1 OR c.expires_at > ?))
		ORDER BY id DESC LIMIT ?`, ofReader, channel, channel, until.UnixMilli(), n).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("look for invitations without a code: %w", err)
	}
	list := make([]Origin, len(rows))
	for i, r := range rows {
		list[i] = r.origin()
	}
	return list, nil
}
