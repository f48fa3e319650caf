// Package scheduler is when newsie speaks unasked: it plans a digest for every
// follow whose time has come, and delivers what is planned through a ledger in
// which nothing is lost silently and nothing is sent twice.
//
//	planned -claim-> claimed -commit-> sending -ok-> sent    (accepted -event-> sent | failed)
//	claimed: lease ran out, or the process ended -> planned
//	sending: told to wait -> planned | way closed -> held | unreachable -> gone
//	         refused for good -> failed | timeout or crash -> unknown, or planned by the channel's policy
//	held: the reader's next message -> sent
//	planned, claimed: nothing left to say, or nobody who wants it -> cancelled
//
// It owns the tables editions, deliveries and sends. Of follows, which package bot
// keeps, it reads the due ones and moves them on; a chat that is gone or has
// moved it marks in follows, chats and lists as well. Of pins, which package
// content keeps, it reads since when one lasts.
package scheduler

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/uptrace/bun"
	"golang.org/x/sync/errgroup"

	"newsie/bot"
	"newsie/content"
	"newsie/internal/database"
	"newsie/internal/locale"
)

// Finder searches the library, as far as this replica's index has followed it.
type Finder interface {
	// Matches gives the published articles within a part of the library that
	// match query and joined it after fromSeq and up to toSeq: the best limit of
	// them, best first, without near-duplicates, and how many more there are.
	// lang is the follow's language.
	Matches(ctx context.Context, query, lang string, within content.Filter, fromSeq, toSeq int64, limit int) (ids []int64, more int, err error)
	// Seq is how far the index has followed the library.
	Seq() int64
}

// Articles loads articles by id, in the order asked for. Those that readers
// may not see (withdrawn, deleted) are left out.
type Articles interface {
	Articles(ctx context.Context, ids []int64) ([]content.Article, error)
}

// Lists keeps what a reader was shown, so that "more" and numbers work.
type Lists interface {
	Make(ctx context.Context, chat bot.ChatID, kind, query string, ids []int64, shown int) (id int64, err error)
	// MakeAll keeps several within a transaction and returns their ids in their order.
	MakeAll(ctx context.Context, tx bun.IDB, lists []bot.NewList) (ids []int64, err error)
}

// Pacing is what a Sender may also have: the rates its platform allows. The
// first bucket is the whole channel's.
type Pacing interface {
	Buckets(to bot.ChatID) []bot.Bucket
}

// A Policy is what happens to a message of which nobody can tell whether it went out.
type Policy string

const (
	Skip   Policy = "skip"   // never twice: it is listed as unknown
	Resend Policy = "resend" // again with the same key: where the platform has idempotency keys
)

// A Channel is one way out.
type Channel struct {
	Name    string
	Sender  bot.Sender
	InDoubt Policy // "": Skip
	Workers int    // deliveries in doubt at once, at most 256; 0: by the Sender's rate
	Shown   int    // articles a digest shows before "more"; 0: 5

	// Config stands for how the channel is configured: when it changes, a channel
	// that its platform refused is tried again at once.
	Config string

	// Within is the part of the library that the channel serves its readers.
	// Audiences have it in their queries.
	Within content.Filter
	// Grouped: the digests of one chat that are due together come as one message.
	Grouped bool
	// Keyed: the platform takes the key of a message to an audience once, so
	// that in doubt it is sent again whatever InDoubt says.
	Keyed bool
	// Most is how many articles of one schedule a message to an audience shows,
	// at most Shown in all; nil: the Sender takes what it can of all.
	Most func(to bot.ChatID, query string) int
}

// within is the part of the library that a chat's digests are of.
func (ch Channel) within(chat string) content.Filter {
	if (bot.ChatID{Channel: ch.Name, ID: chat}).Audience() {
		return content.Filter{}
	}
	return ch.Within
}

// Config is what a Scheduler is made of. DB, Finder, Articles, Cards and
// Catalog are needed.
type Config struct {
	DB       *database.DB
	Finder   Finder
	Articles Articles
	Cards    func(articles []content.Article, lang string, first int) []bot.Card // numbered from first on; 0: not
	Lists    Lists                                                               // nil: digests have neither numbers nor "more"
	Catalog  *locale.Catalog
	Pinned   func(ctx context.Context, within content.Filter) ([]content.Article, error) // that every digest begins with; nil: none
	Pages    string                                                                      // where everybody can read on, for messages to audiences; "": nowhere
	Pacer    *bot.Pacer                                                                  // nil: no pacing
	Channels []Channel
	Jobs     []Job

	// Newest is the library's last position. Nothing is planned before Finder has
	// come so far as it was at first; nil: that is not waited for.
	Newest func(ctx context.Context) (int64, error)

	// Silent tells which of these chats are to hear no sound at a time; nil: none.
	Silent func(ctx context.Context, chats []bot.ChatID, at time.Time) (map[bot.ChatID]bool, error)

	// Counted is a reply to one chat with addresses by which it is counted what
	// its reader opens; nil: that is not counted.
	Counted func(chat bot.ChatID, r bot.Reply) bot.Reply

	// Received hears which chats got a digest, or what the publisher sends, once
	// that is settled: a chat as often as it got a message. Gone hears which could
	// not be reached any more. Neither may wait. Moved gives what others keep of a
	// chat its new id, within the transaction. nil: nobody needs to know.
	Received func(chats []bot.ChatID)
	Gone     func(chats []bot.ChatID)
	Moved    func(ctx context.Context, tx bun.IDB, from, to bot.ChatID) error

	// Notify tells the publisher something once; calls with the same key
	// repeat the same thing.
	Notify func(ctx context.Context, key, text string)
	Logger *slog.Logger
	Now    func() time.Time

	// Sleep waits, or returns early with ctx's error. Tests replace it.
	Sleep func(ctx context.Context, d time.Duration) error

	Fresh  time.Duration // how late a missed digest may still come; 0: 6 hours
	GiveUp time.Duration // how long a message may be tried; 0: 24 hours
	Grace  time.Duration // how long messages under way may take when ending; 0: 8 seconds
}

// outlets are the channels by name.
func (c Config) outlets() map[string]Channel {
	outlets := make(map[string]Channel, len(c.Channels))
	for _, ch := range c.Channels {
		outlets[ch.Name] = ch
	}
	return outlets
}

func (c Config) withDefaults() (Config, error) {
	if c.DB == nil || c.Finder == nil || c.Articles == nil || c.Cards == nil || c.Catalog == nil {
		return c, errors.New("scheduler: the database, finder, articles, cards or catalog is missing")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Notify == nil {
		c.Notify = func(context.Context, string, string) {}
	}
	if c.Sleep == nil {
		c.Sleep = sleep
	}
	c.Fresh = cmp.Or(c.Fresh, 6*time.Hour)
	c.GiveUp = cmp.Or(c.GiveUp, 24*time.Hour)
	c.Grace = cmp.Or(c.Grace, 8*time.Second)
	channels := make([]Channel, len(c.Channels))
	for i, ch := range c.Channels {
		ch.InDoubt = cmp.Or(ch.InDoubt, Skip)
		ch.Workers = min(cmp.Or(max(ch.Workers, 0), ch.workers()), mostWorkers)
		ch.Shown = cmp.Or(max(ch.Shown, 0), 5)
		channels[i] = ch
	}
	c.Channels = channels
	return c, nil
}

// mostWorkers is enough for some thousand messages a second.
const mostWorkers = 256

// workers is how many messages are under way when nothing else is said: as many
// as the rate lets go in two seconds, the slowest that a platform is at work.
func (ch Channel) workers() int {
	limits, ok := ch.Sender.(Pacing)
	if !ok {
		return 32
	}
	buckets := limits.Buckets(bot.ChatID{Channel: ch.Name})
	if len(buckets) == 0 {
		return mostWorkers
	}
	return min(max(int(2*buckets[0].PerSecond), 32), mostWorkers)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// What replicas tell each other: that there is something to deliver, or a send of
// the publisher's to plan.
const (
	SignalName      = "deliveries"
	SendsSignalName = "sends"
)

// A Scheduler plans and delivers. Its methods are safe for concurrent use, and
// several schedulers may work on one database.
type Scheduler struct {
	*Planner
	*Deliverer
	*Digests
	*Ledger
	config Config
	sends  chan struct{} // there are new ones

	mu     sync.Mutex
	newest int64 // what the library had at first; -1: not asked yet
}

// New makes a Scheduler.
func New(config Config) (*Scheduler, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	ledger := &Ledger{db: config.DB, now: config.Now, readers: config.readers()}
	for _, ch := range config.Channels {
		ledger.channels = append(ledger.channels, ch.Name)
	}
	digests := newDigests(config, ledger)
	deliverer := newDeliverer(config, ledger, digests)
	wake := func() {
		deliverer.Wake()
		config.DB.Announce(database.Signal{Name: SignalName})
	}
	ledger.wake = wake
	return &Scheduler{
		Planner:   newPlanner(config, wake),
		Deliverer: deliverer,
		Digests:   digests,
		Ledger:    ledger,
		config:    config,
		sends:     make(chan struct{}, 1),
		newest:    -1,
	}, nil
}

// WakeSends has sends looked for at once.
func (s *Scheduler) WakeSends() {
	select {
	case s.sends <- struct{}{}:
	default:
	}
}

// Run plans every ten seconds, delivers, and does the jobs, until ctx ends.
// What is under way then is finished and settled.
func (s *Scheduler) Run(ctx context.Context) error {
	jobs := append([]Job{
		{Name: "plan", Every: 10 * time.Second, AtStart: true, Run: func(ctx context.Context) error { _, err := s.Plan(ctx); return err }},
		{Name: "plan sends", Every: 5 * time.Second, AtStart: true, Woken: s.sends, Run: func(ctx context.Context) error { _, err := s.PlanSends(ctx); return err }},
		{Name: "recover deliveries", Every: 15 * time.Second, AtStart: true, Run: func(ctx context.Context) error { _, err := s.Recover(ctx); return err }},
		{Name: "take over", Every: 5 * time.Second, AtStart: true, Run: func(ctx context.Context) error { _, err := s.TakeOver(ctx); return err }},
	}, s.config.Jobs...)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.Deliverer.Run(ctx) })
	group.Go(func() error { return runJobs(ctx, jobs, s.config.Logger) })
	return group.Wait()
}

// Plan is Planner.Plan, once the index knows what the library had when it was
// called first: to the index of a new replica, which is empty, there is nothing
// new, and readers would get their digests at the next slot only.
func (s *Scheduler) Plan(ctx context.Context) (Tick, error) {
	if ready, err := s.followed(ctx); err != nil || !ready {
		return Tick{}, err
	}
	return s.Planner.Plan(ctx)
}

func (s *Scheduler) followed(ctx context.Context) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.config.Newest != nil && s.newest < 0 {
		seq, err := s.config.Newest(ctx)
		if err != nil {
			return false, fmt.Errorf("plan digests: %w", err)
		}
		s.newest = seq
	}
	at := s.config.Finder.Seq()
	if at < s.newest {
		s.config.Logger.Info("digests are planned when the index has followed the library", "seq", at, "newest", s.newest)
		return false, nil
	}
	return true, nil
}
