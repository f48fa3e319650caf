package ingest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"time"
)

// The kinds of sources that are refreshed.
const (
	KindFolder = "folder"
	KindFeed   = "feed"
	KindPage   = "page"
)

// A SourceConfig is a source that is looked at again and again. An empty Kind
// is told by the location: an address is a feed, anything else a folder.
type SourceConfig struct {
	Name     string // of the articles' source; unique
	Kind     string // folder, feed, page
	Location string // a path or an http(s) address
}

// Status is how a source did when it was last looked at.
type Status struct {
	Name, Kind, Location string
	Checked              time.Time // zero: never
	FailingSince         time.Time // zero: the last time went well
	Failures             int       // in a row
	Error                string    // of the last time

	etag, modified string
}

// Statuses lists the sources that were ever refreshed, by name.
func (g *Ingester) Statuses(ctx context.Context) ([]Status, error) {
	rows, err := g.db.Reader().QueryContext(ctx, `SELECT name, kind, location, etag, last_modified, checked_at, failing_since, failures, error
		FROM sources ORDER BY name`)
	if err != nil {
		return nil, fmt.Errorf("read the sources: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var all []Status
	for rows.Next() {
		s, err := scan(rows)
		if err != nil {
			return nil, err
		}
		if now := g.now().UTC(); s.Checked.After(now) {
			s.Checked = now // see postpone
		}
		all = append(all, s)
	}
	return all, rows.Err()
}

func (g *Ingester) status(ctx context.Context, name string) (Status, error) {
	row := g.db.Reader().QueryRowContext(ctx, `SELECT name, kind, location, etag, last_modified, checked_at, failing_since, failures, error
		FROM sources WHERE name = ?`, name)
	s, err := scan(row)
	if errors.Is(err, sql.ErrNoRows) {
		return Status{}, nil
	}
	return s, err
}

func scan(row interface{ Scan(...any) error }) (Status, error) {
	var s Status
	var checked, failing int64
	err := row.Scan(&s.Name, &s.Kind, &s.Location, &s.etag, &s.modified, &checked, &failing, &s.Failures, &s.Error)
	if err != nil {
		return s, fmt.Errorf("read a source: %w", err)
	}
	s.Checked, s.FailingSince = fromMillis(checked), fromMillis(failing)
	return s, nil
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func (g *Ingester) sourceNames(ctx context.Context) (names, error) {
	all, err := g.Statuses(ctx)
	return names(all), err
}

// declare makes the source's row. Where it leads somewhere else now, what is
// remembered of the old place is forgotten.
func (g *Ingester) declare(ctx context.Context, s SourceConfig) error {
	_, err := g.db.ExecContext(ctx, `INSERT INTO sources (name, kind, location) VALUES (?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, location = excluded.location,
			etag = '', last_modified = '', checked_at = 0, failing_since = 0, failures = 0, error = ''
		WHERE sources.location <> excluded.location OR sources.kind <> excluded.kind`, s.Name, s.Kind, s.Location)
	if err != nil {
		return fmt.Errorf("keep the source %s: %w", s.Name, err)
	}
	return nil
}

func (g *Ingester) succeeded(ctx context.Context, name, etag, modified, remark string) error {
	_, err := g.db.ExecContext(ctx, `UPDATE sources SET etag = ?, last_modified = ?, checked_at = ?, failing_since = 0, failures = 0, error = ?
		WHERE name = ?`, etag, modified, g.now().UnixMilli(), remark, name)
	if err != nil {
		return fmt.Errorf("keep the state of source %s: %w", name, err)
	}
	return nil
}

func (g *Ingester) failed(ctx context.Context, name string, cause error) error {
	now := g.now().UnixMilli()
	_, err := g.db.ExecContext(ctx, `UPDATE sources SET checked_at = ?, failures = failures + 1, error = ?,
		failing_since = CASE WHEN failing_since = 0 THEN ? ELSE failing_since END WHERE name = ?`, now, cause.Error(), now, name)
	if err != nil {
		return fmt.Errorf("keep the state of source %s: %w", name, err)
	}
	return nil
}

// claim takes a source for refreshing if it was not checked within wait, so
// that of several replicas one does it.
func (g *Ingester) claim(ctx context.Context, name string, wait time.Duration) (bool, error) {
	now := g.now()
	result, err := g.db.ExecContext(ctx, `UPDATE sources SET checked_at = ? WHERE name = ? AND checked_at <= ?`,
		now.UnixMilli(), name, now.Add(-wait).UnixMilli())
	if err != nil {
		return false, fmt.Errorf("claim the source %s: %w", name, err)
	}
	n, err := result.RowsAffected()
	return n == 1, err
}

// postpone makes a source due at a time its server asked for, by dating its
// last check so that the usual wait ends then.
func (g *Ingester) postpone(ctx context.Context, name string, until time.Time, wait time.Duration) error {
	_, err := g.db.ExecContext(ctx, `UPDATE sources SET checked_at = ? WHERE name = ? AND checked_at < ?`,
		until.Add(-wait).UnixMilli(), name, until.Add(-wait).UnixMilli())
	if err != nil {
		return fmt.Errorf("postpone the source %s: %w", name, err)
	}
	return nil
}

func host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.Hostname()
}
