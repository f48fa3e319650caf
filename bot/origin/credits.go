package origin

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/uptrace/bun"

	"newsie/internal/database"
)

// Config is what Credits need; DB, Book and Key are required.
type Config struct {
	DB     *database.DB
	Book   *Book
	Zone   *time.Location                            // of the publisher, whose days are counted; nil: UTC
	Key    func(ctx context.Context) ([]byte, error) // of readers' refs, the same for all replicas
	Leaves func(channel string) bool                 // the platform tells when somebody leaves; nil: none does
	Logger *slog.Logger
	Now    func() time.Time
}

// Credits knows who came by which origin (tables readers and origin_events) and
// adds up what that brought (table origin_totals). Its methods are safe for
// concurrent use, and by several replicas.
//
// A transaction locks readers first, by their refs, then adds events, then the
// totals, each in one order: so two never wait for each other.
type Credits struct {
	db     *database.DB
	book   *Book
	zone   *time.Location
	makes  func(ctx context.Context) ([]byte, error)
	leaves func(channel string) bool
	log    *slog.Logger
	now    func() time.Time

	mu      sync.Mutex
	made    []byte // the key, once it is known
	pending []seen
	lost    bool // some were dropped, which the log has

	flushing sync.Mutex
}

// NewCredits makes Credits. What is buffered is written by Run and Flush.
func NewCredits(c Config) *Credits {
	credits := &Credits{db: c.DB, book: c.Book, zone: c.Zone, makes: c.Key, leaves: c.Leaves, log: c.Logger, now: c.Now}
	if credits.zone == nil {
		credits.zone = time.UTC
	}
	if credits.leaves == nil {
		credits.leaves = func(string) bool { return false }
	}
	if credits.log == nil {
		credits.log = slog.New(slog.DiscardHandler)
	}
	if credits.now == nil {
		credits.now = time.Now
	}
	return credits
}

// key gives the key of refs, which never changes.
func (c *Credits) key(ctx context.Context) ([]byte, error) {
	c.mu.Lock()
	made := c.made
	c.mu.Unlock()
	if made != nil {
		return made, nil
	}
	made, err := c.makes(ctx)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made = made
	return made, nil
}

// An Arrival is a message that may bring a reader.
type Arrival struct {
	Reader
	Message string // the platform's id: the same is the same message; "" is another each time
	Code    string // of an origin; "": none
	Whole   string // all of what was scanned, where it may be a code too; "": nothing else
	Damaged bool   // it came by a code that cannot be read, if Whole is none
	Legacy  string // the code that was kept of this chat before there were readers
	At      time.Time

	// Before tells, within the transaction, whether the chat was here before
	// readers were kept; it is asked of chats without a row. nil: it was not.
	Before func(ctx context.Context, tx bun.IDB) (bool, error)
}

// coded: it came by a code, be it unknown.
func (a Arrival) coded() bool { return a.Code != "" || a.Damaged || a.Whole != "" }

// Arrive notes that a reader came by a code, or came without one, and tells by
// which origin, whose ID is Unknown when the code is no open origin's and None
// when there was no code, or it was the reader's own invitation. newcomer: never
// seen before this message. The same message counts once and gets the same answer.
func (c *Credits) Arrive(ctx context.Context, a Arrival) (o Origin, newcomer bool, err error) {
	a.Reader = a.Reader.Chatting()
	if a.At.IsZero() {
		a.At = c.now()
	}
	if o, err = c.Resolve(ctx, a); err != nil {
		return Origin{}, false, err
	}
	key, err := c.key(ctx)
	if err != nil {
		return Origin{}, false, err
	}
	legacy, err := c.legacy(ctx, a)
	if err != nil {
		return Origin{}, false, err
	}
	ref := Ref(key, a.Reader)
	if o.ID != None && c.waits(a.Reader, ref) { // it was done under the origin before
		if err := c.Flush(ctx); err != nil {
			c.log.Warn("what a reader did before coming by a code is counted later, or not at all", "error", err)
		}
	}
	err = c.db.Write(ctx, func(ctx context.Context, tx bun.IDB) error {
		newcomer, err = c.arrive(ctx, tx, arriving{Arrival: a, key: key, ref: ref, origin: o.ID, legacy: legacy})
		return err
	})
	return o, newcomer, err
}

// Meet notes that a chat which has no row said something without a code, or that
// one is here again which had left.
func (c *Credits) Meet(ctx context.Context, a Arrival) error {
	a.Code, a.Whole, a.Damaged = "", "", false
	_, _, err := c.Arrive(ctx, a)
	return err
}

// Resolve finds the origin of an arrival without noting anything; see Arrive.
func (c *Credits) Resolve(ctx context.Context, a Arrival) (Origin, error) {
	if !a.coded() {
		return Origin{}, nil
	}
	for _, code := range []string{a.Code, a.Whole} {
		if !ValidCode(code) {
			continue
		}
		o, ok, err := c.book.ByCode(ctx, code)
		if err != nil {
			return Origin{}, err
		}
		switch {
		case !ok:
		case !o.Open(a.At):
			return Origin{ID: Unknown}, nil
		case o.Invitation && o.Owner.Chatting() == a.Reader.Chatting():
			return Origin{}, nil
		default:
			return o, nil
		}
	}
	return Origin{ID: Unknown}, nil
}

// legacy is the origin that the chats of older versions kept.
func (c *Credits) legacy(ctx context.Context, a Arrival) (int64, error) {
	if !ValidCode(a.Legacy) {
		return None, nil
	}
	o, ok, err := c.book.ByCode(ctx, a.Legacy)
	if err != nil || !ok {
		return None, err
	}
	return o.ID, nil
}

// arriving is an arrival on its way into the tables.
type arriving struct {
	Arrival
	key    []byte
	ref    int64
	origin int64
	legacy int64
}

func (c *Credits) arrive(ctx context.Context, tx bun.IDB, a arriving) (newcomer bool, err error) {
	r, err := c.meet(ctx, tx, a)
	if err != nil {
		return false, err
	}
	at, sums := a.At.UnixMilli(), c.sums()
	if a.coded() && a.origin != None {
		fresh, since, err := once(ctx, tx, event{Ref: r.Ref, Kind: scanned, What: c.scanOf(a), At: at})
		if err != nil {
			return false, err
		}
		if !fresh && !r.fresh { // the crash may have come before the answer
			return r.CameAt > 0 && since == r.CameAt, nil
		}
		sums.scan(a.At, a.origin, r.Channel)
	}
	newcomer = r.fresh && r.CameAt > 0
	r.touch(a.origin, at)
	sums.back(&r, c.leaves(r.Channel), at)
	if newcomer {
		if c.leaves(r.Channel) {
			r.StayDue = at + short.Milliseconds()
		}
		sums.add(a.At, r.cameBy(), r.Channel, came, 1)
	}
	if a.coded() {
		sums.seen(&r, c.leaves(r.Channel), at)
	}
	if err := save(ctx, tx, []readerRow{r}); err != nil {
		return false, err
	}
	return newcomer, sums.write(ctx, tx)
}

// scanOf tells a scan from others of the same reader.
func (c *Credits) scanOf(a arriving) int64 {
	message := a.Message
	if message == "" {
		message = "at " + a.At.Format(time.RFC3339Nano)
	}
	return hashed(a.key, "scan", message)
}

// meet locks the row of who arrives, and makes one where there is none.
func (c *Credits) meet(ctx context.Context, tx bun.IDB, a arriving) (readerRow, error) {
	for {
		rows, err := c.lock(ctx, tx, []int64{a.ref})
		if err != nil || len(rows) == 1 {
			if len(rows) == 1 {
				return rows[0], err
			}
			return readerRow{}, err
		}
		before := false
		if a.Before != nil {
			if before, err = a.Before(ctx, tx); err != nil {
				return readerRow{}, err
			}
		}
		r := readerRow{Channel: a.Channel, Chat: a.Chat, Ref: a.ref, FirstOrigin: a.legacy, LastOrigin: a.legacy, fresh: true}
		if !before {
			r.CameAt = a.At.UnixMilli()
		}
		made, err := insert(ctx, tx, r)
		if err != nil || made {
			return r, err
		}
		// Another replica was faster; its row is committed by now.
	}
}
