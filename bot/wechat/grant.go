package wechat

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"newsie/internal/database"
)

// grants counts what readers permit: a reader's grant lets the account send one
// message. They are rows of the table quotas, under the reader's name as the
// windows are, so that Windows.Forget deletes them too: the period "notice:TEMPLATE"
// holds the number of open grants, "once:TEMPLATE:SCENE" 1 or 0, and "asked:SCENE" until when a link that offers
// one is good. All replicas
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

// none takes back what was granted. Of a reader who was forgotten it leaves no
// trace.
func (g *grants) none(ctx context.Context, reader, period string) error {
	_, err := g.db.ExecContext(ctx, "UPDATE quotas SET used = 0 WHERE name = ? AND period = ?", g.name(reader), period)
	if err != nil {
		return fmt.Errorf("count a grant: %w", err)
	}
	return nil
}

func askedPeriod(scene int) string { return "asked:" + strconv.Itoa(scene) }

// ask notes that a reader was offered to grant a scene until a time.
func (g *grants) ask(ctx context.Context, reader string, scene int, until int64) error {
	_, err := g.db.ExecContext(ctx, `INSERT INTO quotas (name, period, used) VALUES (?, ?, ?)
		ON CONFLICT (name, period) DO UPDATE SET used = excluded.used`, g.name(reader), askedPeriod(scene), until)
	if err != nil {
		return fmt.Errorf("note an offer: %w", err)
	}
	return nil
}

// once counts the grant of a scene, if the reader was asked for it with a link
// that was good until then, and has not been forgotten or answered since: a page
// that is loaded again grants nothing.
func (g *grants) once(ctx context.Context, reader, template string, scene int, until int64) (fresh bool, err error) {
	err = g.db.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		result, err := tx.ExecContext(ctx, "DELETE FROM quotas WHERE name = ? AND period = ? AND used >= ?", g.name(reader), askedPeriod(scene), until)
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		if fresh = n > 0; err != nil || !fresh {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO quotas (name, period, used) VALUES (?, ?, 1)
			ON CONFLICT (name, period) DO UPDATE SET used = excluded.used`, g.name(reader), oncePeriod(template, scene))
		return err
	})
	if err != nil {
		return false, fmt.Errorf("count a grant: %w", err)
	}
	return fresh, nil
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
