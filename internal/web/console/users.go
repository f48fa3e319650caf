package console

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/uptrace/bun"
	"golang.org/x/text/unicode/norm"

	"newsie/internal/database"
)

// What can be wrong with a user.
var (
	ErrNoUser     = errors.New("there is no such user")
	ErrUserExists = errors.New("there is a user of that name already")
	ErrUserName   = errors.New("a user's name has letters, digits and . _ @ + -, begins with a letter or digit, and has at most 64 characters")
	ErrNoSession  = errors.New("there is no such session")
)

// linkLife is how long a link that lets in once can be used.
const linkLife = 15 * time.Minute

// A User may see the console.
type User struct {
	Name     string
	Password bool // has one; otherwise links alone let it in
	Created  time.Time
	Sessions int       // that have not ended
	Seen     time.Time // last, in one of these; zero: there are none
}

// Users are the publisher's people who may see the console. It is safe for
// concurrent use.
type Users struct {
	db     *database.DB
	now    func() time.Time
	params *argon2id.Params
	hashes chan struct{} // holds one for each that is being made
	// patience is how long a login waits for its turn.
	patience time.Duration
}

// NewUsers keeps its rows in db.
func NewUsers(db *database.DB, now func() time.Time) *Users {
	return &Users{db: db, now: now, params: parameters(), hashes: make(chan struct{}, hashesAtOnce), patience: hashPatience}
}

var validName = regexp.MustCompile(`^[\pL\pN][\pL\pN\pM._@+-]{0,63}$`)

// UserName is the one form of a name, however it is typed; ErrUserName when it
// can be none.
func UserName(typed string) (string, error) {
	if len(typed) > 400 {
		return "", ErrUserName
	}
	name := strings.ToLower(norm.NFKC.String(strings.TrimSpace(typed)))
	if !validName.MatchString(name) {
		return "", ErrUserName
	}
	return name, nil
}

// Any reports whether there is a user.
func (u *Users) Any(ctx context.Context) (bool, error) {
	var any bool
	if err := u.db.Reader().QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM users)").Scan(&any); err != nil {
		return false, fmt.Errorf("look for users: %w", err)
	}
	return any, nil
}

// Add makes a user, who without a password comes in by links alone. It returns
// ErrUserName, ErrUserExists or a *WeakError for what it refuses.
func (u *Users) Add(ctx context.Context, typed, password string) (name string, err error) {
	if name, err = UserName(typed); err != nil {
		return "", err
	}
	encoded := ""
	if password != "" {
		if encoded, err = u.encode(ctx, name, password); err != nil {
			return "", err
		}
	}
	var n int64
	err = u.db.WriteOne(ctx, func(ctx context.Context, tx bun.IDB) error {
		result, err := tx.ExecContext(ctx, "INSERT INTO users (name, password, created_at) VALUES (?, ?, ?) ON CONFLICT (name) DO NOTHING", name, encoded, u.now().UnixMilli())
		if err != nil {
			return err
		}
		n, err = result.RowsAffected()
		return err
	})
	if err != nil {
		return "", fmt.Errorf("add the user %s: %w", name, err)
	}
	if n == 0 {
		return "", ErrUserExists
	}
	return name, nil
}

// Remove deletes a user and ends its sessions and links, or returns ErrNoUser.
func (u *Users) Remove(ctx context.Context, typed string) error {
	return u.change(ctx, typed, "remove", "DELETE FROM users WHERE name = ?")
}

// SetPassword gives a user another password, which ends all its sessions and
// links. It returns ErrNoUser or a *WeakError for what it refuses.
func (u *Users) SetPassword(ctx context.Context, typed, password string) error {
	name, err := UserName(typed)
	if err != nil {
		return ErrNoUser
	}
	encoded, err := u.encode(ctx, name, password)
	if err != nil {
		return err
	}
	return u.change(ctx, name, "change the password of", "UPDATE users SET password = ? WHERE name = ?", encoded)
}

// change runs a statement on a user's row, whose lock keeps logins off until the
// user's sessions have ended.
func (u *Users) change(ctx context.Context, typed, what, statement string, args ...any) error {
	name, err := UserName(typed)
	if err != nil {
		return ErrNoUser
	}
	err = u.db.Write(ctx, func(ctx context.Context, tx bun.IDB) error {
		result, err := tx.ExecContext(ctx, statement, append(args, name)...)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrNoUser)
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM sessions WHERE user_name = ?", name); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "DELETE FROM user_links WHERE user_name = ?", name)
		return err
	})
	if errors.Is(err, ErrNoUser) {
		return ErrNoUser
	}
	if err != nil {
		return fmt.Errorf("%s the user %s: %w", what, name, err)
	}
	return nil
}

// List gives all users by name.
func (u *Users) List(ctx context.Context) ([]User, error) {
	var rows []struct {
		Name, Password string
		CreatedAt      int64
		Sessions       int
		SeenAt         int64
	}
	now := u.now()
	err := u.db.Reader().NewRaw(`SELECT name, password, users.created_at, count(token) AS sessions, coalesce(max(seen_at), 0) AS seen_at
		FROM users LEFT JOIN sessions ON user_name = name AND expires_at > ? AND seen_at > ?
		GROUP BY name, password, users.created_at ORDER BY name`, now.UnixMilli(), now.Add(-idle).UnixMilli()).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("list users: %w", err)
	}
	users := make([]User, len(rows))
	for i, r := range rows {
		users[i] = User{Name: r.Name, Password: r.Password != "", Created: time.UnixMilli(r.CreatedAt), Sessions: r.Sessions, Seen: milli(r.SeenAt)}
	}
	return users, nil
}

// Link makes a token that lets a user in once, until a time, in place of the one
// before; or returns ErrNoUser. Path is where it is used.
func (u *Users) Link(ctx context.Context, typed string) (token string, until time.Time, err error) {
	name, err := UserName(typed)
	if err != nil {
		return "", time.Time{}, ErrNoUser
	}
	token, until = rand.Text(), u.now().Add(linkLife)
	err = u.db.Write(ctx, func(ctx context.Context, tx bun.IDB) error {
		result, err := tx.ExecContext(ctx, "UPDATE users SET name = name WHERE name = ?", name)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrNoUser)
		}
		if _, err = tx.ExecContext(ctx, "DELETE FROM user_links WHERE user_name = ?", name); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO user_links (token, user_name, expires_at) VALUES (?, ?, ?)", hashed(token), name, until.UnixMilli())
		return err
	})
	if errors.Is(err, ErrNoUser) {
		return "", time.Time{}, ErrNoUser
	}
	if err != nil {
		return "", time.Time{}, fmt.Errorf("make a link for the user %s: %w", name, err)
	}
	return token, until, nil
}

// EnterPath is where a link's token is used, below the public address.
func EnterPath(token string) string { return "/console/enter/" + token }

// linked is the user whom a link would let in, "" when it is used up, too old or
// was never made.
func (u *Users) linked(ctx context.Context, token string) (string, error) {
	var names []string
	err := u.db.Reader().NewRaw("SELECT user_name FROM user_links WHERE token = ? AND expires_at > ?", hashed(token), u.now().UnixMilli()).Scan(ctx, &names)
	if err != nil {
		return "", fmt.Errorf("look for a link: %w", err)
	}
	if len(names) == 0 {
		return "", nil
	}
	return names[0], nil
}

// hashed is what is kept of a secret that cannot be guessed.
func hashed(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// password is a user's, encoded; "" for one that has none or does not exist.
func (u *Users) password(ctx context.Context, name string) (string, error) {
	var found []string
	if err := u.db.Reader().NewRaw("SELECT password FROM users WHERE name = ?", name).Scan(ctx, &found); err != nil {
		return "", fmt.Errorf("look for a user: %w", err)
	}
	if len(found) == 0 {
		return "", nil
	}
	return found[0], nil
}

// milli is a kept time; zero is none.
func milli(at int64) time.Time {
	if at == 0 {
		return time.Time{}
	}
	return time.UnixMilli(at)
}
