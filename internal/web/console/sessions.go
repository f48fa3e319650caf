package console

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/alexedwards/scs/v2"
	"github.com/uptrace/bun"

	"newsie/internal/database"
)

const (
	idle     = 12 * time.Hour      // without a visit, and a session ends
	lifetime = 30 * 24 * time.Hour // and it ends then at the latest
	// seenEach is how exactly it is known when a session was seen last, so that
	// not each look at a page is a write.
	seenEach = time.Minute
	// longestAgent is how much is kept of what a browser says it is, in bytes.
	longestAgent = 250
)

// A Session is a browser in which a user is logged in.
type Session struct {
	ID      string // what it is called to revoke it; no secret
	User    string
	Agent   string // what the browser says it is
	Address string // seen last
	Created time.Time
	Seen    time.Time // to the minute
	Ends    time.Time // at the latest
}

// Sessions lists those of a user that have not ended, or everybody's where the
// name is "": the one seen last first.
func (u *Users) Sessions(ctx context.Context, typed string) ([]Session, error) {
	where, args := "", []any{u.now().UnixMilli(), u.now().Add(-idle).UnixMilli()}
	if typed != "" {
		name, err := UserName(typed)
		if err != nil {
			return nil, ErrNoUser
		}
		where, args = " AND user_name = ?", append(args, name)
	}
	var rows []struct {
		ID, UserName, Agent, Address string
		CreatedAt, SeenAt, ExpiresAt int64
	}
	err := u.db.Reader().NewRaw(`SELECT id, user_name, agent, address, sessions.created_at, seen_at, expires_at FROM sessions JOIN users ON name = user_name
		WHERE expires_at > ? AND seen_at > ?`+where+` ORDER BY seen_at DESC, id`, args...).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	list := make([]Session, len(rows))
	for i, r := range rows {
		list[i] = Session{r.ID, r.UserName, r.Agent, r.Address, time.UnixMilli(r.CreatedAt), time.UnixMilli(r.SeenAt), time.UnixMilli(r.ExpiresAt)}
	}
	return list, nil
}

// Revoke ends a session, or returns ErrNoSession.
func (u *Users) Revoke(ctx context.Context, id string) error {
	n, err := u.end(ctx, "id = ?", id)
	if err == nil && n == 0 {
		return ErrNoSession
	}
	return err
}

// RevokeAll ends all sessions of a user, but for one whose id is given, and tells
// how many.
func (u *Users) RevokeAll(ctx context.Context, typed, except string) (int64, error) {
	name, err := UserName(typed)
	if err != nil {
		return 0, ErrNoUser
	}
	return u.end(ctx, "user_name = ? AND id <> ?", name, except)
}

func (u *Users) end(ctx context.Context, which string, args ...any) (n int64, err error) {
	err = u.db.WriteOne(ctx, func(ctx context.Context, tx bun.IDB) error {
		result, err := tx.ExecContext(ctx, "DELETE FROM sessions WHERE "+which, args...)
		if err != nil {
			return err
		}
		n, err = result.RowsAffected()
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("end sessions: %w", err)
	}
	return n, nil
}

// Prune deletes the sessions and links whose time is over.
func (u *Users) Prune(ctx context.Context) error {
	now := u.now()
	_, err := u.end(ctx, "expires_at <= ? OR seen_at <= ?", now.UnixMilli(), now.Add(-idle).UnixMilli())
	return errors.Join(err, u.db.WriteOne(ctx, func(ctx context.Context, tx bun.IDB) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM user_links WHERE expires_at <= ?", now.UnixMilli())
		return err
	}))
}

// A visit is one request with its session.
type visit struct {
	session Session // of who is logged in; zero: nobody
	login   *login  // the session is to begin
	token   string  // of the session that began
	agent   string
	address string
}

// A login is what allows a session to begin: the password that was right, or a
// link that was not used yet.
type login struct {
	user     string
	password string // as it is kept
	link     string // a token
}

// errOver: what a login was to begin by is not valid any more.
var errOver = errors.New("the password or link is not valid any more")

type visitKey struct{}

func visitOf(ctx context.Context) *visit {
	v, _ := ctx.Value(visitKey{}).(*visit)
	return v
}

// store keeps the sessions of package scs, which hashes their tokens. A session
// begins where its visit has a login, and nowhere else: one that was ended while a
// request of it was under way does not come back with that request's end.
type store struct {
	db  *database.DB
	now func() time.Time
}

var _ scs.CtxStore = store{}

// FindCtx gives a session's data and tells its visit whose it is.
func (s store) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	var rows []struct {
		ID, UserName, Agent, Address string
		Data                         []byte
		CreatedAt, SeenAt, ExpiresAt int64
	}
	now := s.now()
	err := s.db.Reader().NewRaw(`SELECT id, user_name, agent, address, data, sessions.created_at, seen_at, expires_at FROM sessions JOIN users ON name = user_name
		WHERE token = ? AND expires_at > ? AND seen_at > ?`, token, now.UnixMilli(), now.Add(-idle).UnixMilli()).Scan(ctx, &rows)
	if err != nil {
		return nil, false, fmt.Errorf("look for a session: %w", err)
	}
	if len(rows) == 0 {
		return nil, false, nil
	}
	r := rows[0]
	if v := visitOf(ctx); v != nil {
		v.session = Session{r.ID, r.UserName, r.Agent, r.Address, time.UnixMilli(r.CreatedAt), time.UnixMilli(r.SeenAt), time.UnixMilli(r.ExpiresAt)}
		if err := s.touch(ctx, token, v, now); err != nil {
			return nil, false, err
		}
	}
	return r.Data, true, nil
}

// touch notes when and where a session was seen.
func (s store) touch(ctx context.Context, token string, v *visit, now time.Time) error {
	if now.Sub(v.session.Seen) < seenEach && v.session.Address == v.address {
		return nil
	}
	v.session.Seen, v.session.Address, v.session.Agent = now, v.address, v.agent
	err := s.db.WriteOne(ctx, func(ctx context.Context, tx bun.IDB) error {
		_, err := tx.ExecContext(ctx, "UPDATE sessions SET seen_at = ?, address = ?, agent = ? WHERE token = ?", now.UnixMilli(), v.address, v.agent, token)
		return err
	})
	if err != nil {
		return fmt.Errorf("note that a session was seen: %w", err)
	}
	return nil
}

// CommitCtx begins the session of a visit's login, or keeps what is new in one
// that has not ended.
func (s store) CommitCtx(ctx context.Context, token string, data []byte, _ time.Time) error {
	v := visitOf(ctx)
	if v == nil || v.login == nil {
		err := s.db.WriteOne(ctx, func(ctx context.Context, tx bun.IDB) error {
			_, err := tx.ExecContext(ctx, "UPDATE sessions SET data = ? WHERE token = ?", data, token)
			return err
		})
		if err != nil {
			return fmt.Errorf("keep a session: %w", err)
		}
		return nil
	}
	now := s.now()
	begun := Session{strings.ToLower(rand.Text()[:12]), v.login.user, v.agent, v.address, now, now, now.Add(lifetime)}
	err := s.db.Write(ctx, func(ctx context.Context, tx bun.IDB) error { return begin(ctx, tx, token, data, *v.login, begun) })
	if err != nil {
		return fmt.Errorf("begin a session: %w", err)
	}
	v.session = begun
	return nil
}

// begin writes a session if what it begins by is valid still. The update locks the
// user's row: who removes the user or changes the password comes before or after.
func begin(ctx context.Context, tx bun.IDB, token string, data []byte, l login, begun Session) error {
	query, args := "UPDATE users SET name = name WHERE name = ? AND password = ? AND password <> ''", []any{l.user, l.password}
	if l.link != "" {
		query, args = "UPDATE users SET name = name WHERE name = ?", []any{l.user}
	}
	result, err := tx.ExecContext(ctx, query, args...)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, errOver)
	}
	if l.link != "" {
		result, err := tx.ExecContext(ctx, "DELETE FROM user_links WHERE token = ? AND user_name = ? AND expires_at > ?", hashed(l.link), l.user, begun.Created.UnixMilli())
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, errOver)
		}
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO sessions (token, id, user_name, data, agent, address, created_at, seen_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		token, begun.ID, begun.User, data, begun.Agent, begun.Address, begun.Created.UnixMilli(), begun.Seen.UnixMilli(), begun.Ends.UnixMilli())
	return err
}

// DeleteCtx ends a session.
func (s store) DeleteCtx(ctx context.Context, token string) error {
	err := s.db.WriteOne(ctx, func(ctx context.Context, tx bun.IDB) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM sessions WHERE token = ?", token)
		return err
	})
	if err != nil {
		return fmt.Errorf("end a session: %w", err)
	}
	return nil
}

// The same without a context, which scs asks for and does not use.
func (s store) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}
func (s store) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }
func (s store) Commit(token string, data []byte, expires time.Time) error {
	return s.CommitCtx(context.Background(), token, data, expires)
}

// said is what a browser says of itself, as far as it can be shown.
func said(agent string) string {
	agent = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, agent)
	for len(agent) > longestAgent {
		_, size := utf8.DecodeLastRuneInString(agent)
		agent = agent[:len(agent)-size]
	}
	return agent
}

// device is a browser in two words of its own, such as "Firefox" and "Linux"; ""
// for what is not known.
func device(agent string) (browser, system string) {
	return first(agent, "MicroMessenger", "WeChat", "Edg", "Edge", "OPR/", "Opera", "SamsungBrowser", "Samsung Internet", "Firefox/", "Firefox", "FxiOS", "Firefox",
			"HeadlessChrome", "Chrome", "CriOS", "Chrome", "Chromium", "Chromium", "Chrome/", "Chrome", "Safari/", "Safari", "curl/", "curl"),
		first(agent, "Windows", "Windows", "iPhone", "iPhone", "iPad", "iPad", "Android", "Android", "Mac OS X", "macOS", "CrOS", "ChromeOS", "Linux", "Linux")
}

// first is the name of the first sign, of pairs of both, that is in a text.
func first(text string, signs ...string) string {
	for i := 0; i+1 < len(signs); i += 2 {
		if strings.Contains(text, signs[i]) {
			return signs[i+1]
		}
	}
	return ""
}
