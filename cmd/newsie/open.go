package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"newsie/bot"
	"newsie/content"
	"newsie/content/ingest"
	"newsie/content/source"
	"newsie/internal/database"
	"newsie/internal/locale"
)

// An installation is the state of one newsie: its database, and its index when
// this process is the one that keeps it.
type installation struct {
	config    Config
	log       *slog.Logger
	outage    outage
	catalog   *locale.Catalog
	db        *database.DB
	library   *content.Library
	lock      *flock.Flock
	published []*publishedFile // the publisher's files that are obeyed
}

// errInUse: another process keeps the index of this data folder.
var errInUse = errors.New("another newsie uses this data folder")

func (c Config) databaseAddress() string {
	if c.Database != "" {
		return c.Database
	}
	return filepath.Join(c.Data, "newsie.db")
}

// openExisting opens an installation that is there, and makes nothing: a typing
// error in where it is would look like one that nobody reads.
func (p *program) openExisting(ctx context.Context, c Config) (*installation, error) {
	switch fresh, err := c.fresh(ctx); {
	case err != nil:
		return nil, err
	case fresh:
		return nil, c.nothingThere()
	}
	return p.openDatabase(ctx, c)
}

// fresh reports whether nothing was kept yet where the configuration says.
func (c Config) fresh(ctx context.Context) (bool, error) {
	address := c.databaseAddress()
	if path := sqlitePath(address); path != "" {
		if _, err := os.Stat(path); err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return true, nil
			}
			return false, fmt.Errorf("open the database: %w", err)
		}
	}
	db, err := database.Open(ctx, address)
	if err != nil {
		return false, err
	}
	fresh, err := db.Empty(ctx)
	return fresh, errors.Join(err, db.Close())
}

// nothingThere says that an installation is fresh to who expects otherwise.
func (c Config) nothingThere() error {
	const hint = "newsie serve and newsie import begin there"
	if c.Database == "" {
		return fmt.Errorf("there is no newsie data in %s: is --data right? (%s)", c.Data, hint)
	}
	return fmt.Errorf("there is no newsie data at %s: is --database right? (%s)", database.Redact(c.Database), hint)
}

// openDatabase opens what every command needs, and begins it where there is none.
func (p *program) openDatabase(ctx context.Context, c Config) (*installation, error) {
	log, err := p.logger(c)
	if err != nil {
		return nil, err
	}
	catalog, err := locale.Load()
	if err != nil {
		return nil, err
	}
	db, err := database.Open(ctx, c.databaseAddress())
	if err != nil {
		return nil, err
	}
	err = db.Migrate(ctx)
	var schema database.Schema
	if err == nil {
		schema, err = db.Schema(ctx)
	}
	if err != nil {
		_ = db.Close()
		return nil, err
	}
	if schema.Version > schema.Known {
		log.Warn(newerSchema(schema), "schema", schema.Version, "known", schema.Known)
	}
	away := newOutage(log.Handler(), time.Now)
	return &installation{config: c, log: slog.New(away), outage: away, catalog: catalog, db: db}, nil
}

// newerSchema says that another replica's program is newer.
func newerSchema(s database.Schema) string {
	return fmt.Sprintf("a newer newsie has upgraded the database to schema %d, this one knows %d: it runs beside the newer one for now; upgrade it", s.Version, s.Known)
}

// openLibrary opens the index too; errInUse when another process has it.
func (in *installation) openLibrary() error {
	if err := os.MkdirAll(in.config.Data, 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	in.lock = flock.New(filepath.Join(in.config.Data, "index.lock"))
	ok, err := in.lock.TryLock()
	if err != nil {
		return fmt.Errorf("lock the index: %w", err)
	}
	if !ok {
		in.lock = nil
		return fmt.Errorf("%w: %s", errInUse, in.config.Data)
	}
	in.library, err = content.Open(in.db, filepath.Join(in.config.Data, "index"), in.libraryOptions())
	return err
}

// store is the library without its index: what changes articles needs no more.
func (in *installation) store() *content.Library {
	if in.library != nil {
		return in.library
	}
	return content.Store(in.db, in.libraryOptions())
}

func (in *installation) libraryOptions() content.Options {
	return content.Options{Logger: in.log, PublicURL: in.config.pages()}
}

// pages is where the reader pages are, for those who may be on this machine.
func (c Config) pages() string {
	return cmp.Or(c.PublicURL, "http://"+reachable(c.Listen))
}

func (in *installation) ingester() *ingest.Ingester {
	return ingest.New(in.db, in.store(), source.NewFetcher(version(), in.config.AllowPrivateSources, time.Now), in.log, time.Now)
}

// Close closes everything, the index first.
func (in *installation) Close() error {
	var err error
	if in.library != nil {
		err = in.library.Close()
	}
	if in.lock != nil {
		err = errors.Join(err, in.lock.Unlock())
	}
	return errors.Join(err, in.db.Close())
}

func (p *program) logger(c Config) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Log.Level)); err != nil {
		return nil, fmt.Errorf("log.level: %w", err)
	}
	options := &slog.HandlerOptions{Level: level}
	if c.Log.Format == "json" {
		return slog.New(slog.NewJSONHandler(p.stderr, options)), nil
	}
	return slog.New(slog.NewTextHandler(p.stderr, options)), nil
}

// newBot makes the bot of an installation that has its library open.
func (in *installation) newBot(public string, observe func(channel, outcome string, took time.Duration)) *bot.Bot {
	channels := map[string]bot.Channel{}
	for name, ch := range in.config.Channels {
		newer, _ := recency(ch.Recency) // which was checked
		channels[name] = bot.Channel{
			Lang: ch.Language, Zone: ch.Zone,
			Filter:        ch.filter(),
			MinInterval:   time.Duration(ch.MinInterval),
			FromArchive:   ch.FirstDigest == "archive",
			Recency:       newer,
			ForgetOnLeave: ch.Kind == "wechat",
			Quiet:         ch.Quiet,
			Silent:        ch.Kind == "telegram",
			Edits:         ch.Kind == "telegram",
		}
	}
	return bot.New(bot.Config{
		DB: in.db, Library: in.library, Catalog: in.catalog, Name: in.config.Name, PublicURL: public,
		Channels: channels, Observe: observe, Logger: in.log,
	})
}
