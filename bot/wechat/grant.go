package wechat

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"newsie/internal/database"
)

// grants counts what readers permit: a reader's grant lets the account send one
// message. They are rows of the table quotas, under the reader's name as the
// windows are, so that Windows.Forget deletes them too: the period "notice:TEMPLATE"
// holds the number of open grants, "once:TEMPLATE:SCENE" 1 or 0. All replicas
// share them.
type grants struct {
	db      *database.DB
	channel string
	now     func() time.Time
}

func (g *grants) name(reader string) string { return "wechat/" + g.channel + "/" + reader }

func noticePeriod(template string) string { return "notice:" + template }

func oncePeriod(template string, scene int) string {
	return "once:" + template + ":" + strconv.Itoa(scene)
}

// add counts one more grant.
func (g *grants) add(ctx context.Context, reader, period string) error {
	_, err := g.db.ExecContext(ctx, `INSERT INTO quotas (name, period, used) VALUES (?, ?, 1)
		ON CONFLICT (name, period) DO UPDATE SET used = quotas.used + 1`, g.name(reader), period)
	if err != nil {
		return fmt.Errorf("count a grant: %w", err)
	}
	return nil
}

// set makes the open grants of a period n.
func (g *grants) set(ctx context.Context, reader, period string, n int) error {
	_, err := g.db.ExecContext(ctx, `INSERT INTO quotas (name, period, used) VALUES (?, ?, ?)
		ON CONFLICT (name, period) DO UPDATE SET used = excluded.used`, g.name(reader), period, n)
	if err != nil {
		return fmt.Errorf("count a grant: %w", err)
	}
	return nil
}

// take uses one grant, if there is one.
func (g *grants) take(ctx context.Context, reader, period string) (bool, error) {
	result, err := g.db.ExecContext(ctx, "UPDATE quotas SET used = used - 1 WHERE name = ? AND period = ? AND used > 0", g.name(reader), period)
	if err != nil {
		return false, fmt.Errorf("use a grant: %w", err)
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

// back undoes a take whose message surely did not go out. A reader who was
// forgotten meanwhile stays forgotten.
func (g *grants) back(ctx context.Context, reader, period string) error {
	_, err := g.db.ExecContext(ctx, "UPDATE quotas SET used = used + 1 WHERE name = ? AND period = ?", g.name(reader), period)
	return err
}

// open lists the periods that begin with prefix and have an open grant.
func (g *grants) open(ctx context.Context, reader, prefix string) ([]string, error) {
	var rows []struct{ Period string }
	err := g.db.Reader().NewRaw("SELECT period FROM quotas WHERE name = ? AND used > 0", g.name(reader)).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("look for grants: %w", err)
	}
	var periods []string
	for _, row := range rows {
		if strings.HasPrefix(row.Period, prefix) {
			periods = append(periods, row.Period)
		}
	}
	slices.Sort(periods)
	return periods, nil
}

// scene is the first scene, of the N that a reader may grant ahead, that is
// granted or not; 0: there is none.
func (c *Channel) scene(ctx context.Context, reader string, granted bool) (int, error) {
	open, err := c.grants.open(ctx, reader, "once:"+c.cfg.Once.Template+":")
	if err != nil {
		return 0, err
	}
	for scene := 1; scene <= c.cfg.Once.Scenes; scene++ {
		if slices.Contains(open, oncePeriod(c.cfg.Once.Template, scene)) == granted {
			return scene, nil
		}
	}
	return 0, nil
}
