package bot

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"newsie/internal/database"
)

// Settings is a small table of values that replicas share: platform tokens,
// signing keys, notices already given, the languages of conversations.
type Settings struct {
	db  *database.DB
	now func() time.Time
}

// NewSettings keeps its rows in db.
func NewSettings(db *database.DB, now func() time.Time) *Settings {
	return &Settings{db: db, now: now}
}

// Load gives the value saved under name, if there is one that has not expired.
func (s *Settings) Load(ctx context.Context, name string) (value string, ok bool, err error) {
	err = s.db.Reader().QueryRowContext(ctx, "SELECT value FROM settings WHERE name = ? AND (expires_at = 0 OR expires_at > ?)",
		name, s.now().UnixMilli()).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("load the setting %s: %w", name, err)
	}
	return value, true, nil
}

// Save keeps a value for ttl, or for ever when ttl is 0.
func (s *Settings) Save(ctx context.Context, name, value string, ttl time.Duration) error {
	_, err := s.db.ExecContext(ctx, `INSERT INTO settings (name, value, expires_at) VALUES (?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at`,
		name, value, s.expiry(ttl))
	if err != nil {
		return fmt.Errorf("save the setting %s: %w", name, err)
	}
	return nil
}

// Create keeps a value unless there is one, and returns the one that is kept:
// replicas that start together agree on a key.
func (s *Settings) Create(ctx context.Context, name, value string, ttl time.Duration) (kept string, created bool, err error) {
	now := s.now().UnixMilli()
	result, err := s.db.ExecContext(ctx, `INSERT INTO settings (name, value, expires_at) VALUES (?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at
		WHERE settings.expires_at <> 0 AND settings.expires_at <= ?`,
		name, value, s.expiry(ttl), now)
	if err != nil {
		return "", false, fmt.Errorf("create the setting %s: %w", name, err)
	}
	if n, err := result.RowsAffected(); err != nil || n > 0 {
		return value, n > 0, err
	}
	kept, _, err = s.Load(ctx, name)
	return kept, false, err
}

// SaveAll keeps several values, all of them or none.
func (s *Settings) SaveAll(ctx context.Context, values map[string]string, ttl time.Duration) error {
	if len(values) == 0 {
		return nil
	}
	// In one order everywhere, so that replicas do not wait for each other's rows.
	names := slices.Sorted(maps.Keys(values))
	rows := make([]string, len(names))
	args := make([]any, 0, 3*len(names))
	for i, name := range names {
		rows[i] = "(?, ?, ?)"
		args = append(args, name, values[name], s.expiry(ttl))
	}
	err := s.db.WriteOne(ctx, func(ctx context.Context, tx bun.IDB) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO settings (name, value, expires_at) VALUES "+strings.Join(rows, ", ")+
			" ON CONFLICT (name) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at", args...)
		return err
	})
	if err != nil {
		return fmt.Errorf("save %d settings: %w", len(values), err)
	}
	return nil
}

// Swap replaces a value that is still the one it was; what expires then stays
// as it is. false: another process was faster.
func (s *Settings) Swap(ctx context.Context, name, from, to string) (bool, error) {
	var n int64
	err := s.db.WriteOne(ctx, func(ctx context.Context, tx bun.IDB) error {
		result, err := tx.ExecContext(ctx, "UPDATE settings SET value = ? WHERE name = ? AND value = ?", to, name, from)
		if err != nil {
			return err
		}
		n, err = result.RowsAffected()
		return err
	})
	if err != nil {
		return false, fmt.Errorf("replace the setting %s: %w", name, err)
	}
	return n > 0, nil
}

// A Swap is a value to be replaced.
type Swap struct{ Name, From, To string }

// SwapAll is Swap for several values in one commit. won names those replaced.
func (s *Settings) SwapAll(ctx context.Context, swaps []Swap) (won map[string]bool, err error) {
	if len(swaps) == 0 {
		return nil, nil
	}
	// In one order everywhere, so that replicas do not wait for each other's rows.
	swaps = slices.SortedFunc(slices.Values(swaps), func(a, b Swap) int { return strings.Compare(a.Name, b.Name) })
	err = s.db.Write(ctx, func(ctx context.Context, tx bun.IDB) error {
		won = map[string]bool{}
		for _, w := range swaps {
			result, err := tx.ExecContext(ctx, "UPDATE settings SET value = ? WHERE name = ? AND value = ?", w.To, w.Name, w.From)
			if err != nil {
				return err
			}
			n, err := result.RowsAffected()
			if err != nil {
				return err
			}
			won[w.Name] = n > 0
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("replace %d settings: %w", len(swaps), err)
	}
	return won, nil
}

// DeleteAll forgets several values.
func (s *Settings) DeleteAll(ctx context.Context, names ...string) error {
	if len(names) == 0 {
		return nil
	}
	err := s.db.WriteOne(ctx, func(ctx context.Context, tx bun.IDB) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM settings WHERE name IN (?)", bun.List(names))
		return err
	})
	if err != nil {
		return fmt.Errorf("forget %d settings: %w", len(names), err)
	}
	return nil
}

// Delete forgets a value.
func (s *Settings) Delete(ctx context.Context, name string) error {
	_, err := s.db.ExecContext(ctx, "DELETE FROM settings WHERE name = ?", name)
	return err
}

// Prune forgets what expired, of which there may be a row for each reader: a
// part at a time, so that nobody waits long.
func (s *Settings) Prune(ctx context.Context) error {
	now := s.now().UnixMilli()
	var names []string
	if err := s.db.Reader().NewRaw("SELECT name FROM settings WHERE expires_at <> 0 AND expires_at <= ?", now).Scan(ctx, &names); err != nil {
		return fmt.Errorf("list the settings that expired: %w", err)
	}
	for part := range slices.Chunk(names, 500) {
		err := s.db.WriteOne(ctx, func(ctx context.Context, tx bun.IDB) error {
			_, err := tx.ExecContext(ctx, "DELETE FROM settings WHERE name IN (?) AND expires_at <> 0 AND expires_at <= ?", bun.List(part), now)
			return err
		})
		if err != nil {
			return fmt.Errorf("forget the settings that expired: %w", err)
		}
	}
	return nil
}

func (s *Settings) expiry(ttl time.Duration) int64 {
	if ttl == 0 {
		return 0
	}
	return s.now().Add(ttl).UnixMilli()
}

// LoadAll gives those of some values that there are and that have not expired.
func (s *Settings) LoadAll(ctx context.Context, names []string) (map[string]string, error) {
	if len(names) == 0 {
		return nil, nil
	}
	var rows []struct{ Name, Value string }
	err := s.db.Reader().NewRaw("SELECT name, value FROM settings WHERE name IN (?) AND (expires_at = 0 OR expires_at > ?)",
		bun.List(names), s.now().UnixMilli()).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("load %d settings: %w", len(names), err)
	}
	values := make(map[string]string, len(rows))
	for _, row := range rows {
		values[row.Name] = row.Value
	}
	return values, nil
}

// Names lists the names that begin with prefix.
func (s *Settings) Names(ctx context.Context, prefix string) (names []string, err error) {
	err = s.db.Reader().NewRaw("SELECT name FROM settings WHERE substr(name, 1, ?) = ? AND (expires_at = 0 OR expires_at > ?) ORDER BY name",
		utf8.RuneCountInString(prefix), prefix, s.now().UnixMilli()).Scan(ctx, &names)
	if err != nil {
		return nil, fmt.Errorf("list the settings %s…: %w", prefix, err)
	}
	return names, nil
}

// List gives the values, by name, of all names that begin with prefix.
func (s *Settings) List(ctx context.Context, prefix string) (map[string]string, error) {
	var rows []struct{ Name, Value string }
	// Counted in characters: the names hold readers' words nowhere, and a LIKE
	// would need prefix escaped.
	err := s.db.Reader().NewRaw("SELECT name, value FROM settings WHERE substr(name, 1, ?) = ? AND (expires_at = 0 OR expires_at > ?) ORDER BY name",
		utf8.RuneCountInString(prefix), prefix, s.now().UnixMilli()).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("list the settings %s…: %w", prefix, err)
	}
	values := make(map[string]string, len(rows))
	for _, row := range rows {
		values[row.Name] = row.Value
	}
	return values, nil
}
