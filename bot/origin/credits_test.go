package origin_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"newsie/bot/origin"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

// A counter is Credits on a clock, with the book of their origins. The channel
// web tells of no leaving.
type counter struct {
	*origin.Credits
	t    *testing.T
	db   *database.DB
	book *origin.Book
	mu   sync.Mutex
	at   time.Time
}

func (c *counter) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *counter) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func newCounter(t *testing.T, db *database.DB) *counter {
	c := &counter{t: t, db: db, at: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}
	c.book = origin.NewBook(db, c.now)
	c.Credits = c.another()
	return c
}

// another is the Credits of another replica.
func (c *counter) another() *origin.Credits {
	return origin.NewCredits(origin.Config{
		DB: c.db, Book: c.book, Zone: time.FixedZone("", 8*60*60), Now: c.now,
		Key:    func(context.Context) ([]byte, error) { return []byte("a key of these tests"), nil },
		Leaves: func(channel string) bool { return channel != "web" },
	})
}

func (c *counter) add(o origin.Origin) origin.Origin {
	c.t.Helper()
	if o.Name == "" {
		o.Name = "Shop " + o.Code
	}
	o, err := c.book.Add(c.t.Context(), o)
	if err != nil {
		c.t.Fatal(err)
	}
	return o
}

// scan is a message by which a reader comes.
func scan(chat, code, message string) origin.Arrival {
	return origin.Arrival{Reader: origin.Reader{Channel: "tg", Chat: chat}, Message: message, Code: code}
}

func (c *counter) arrive(a origin.Arrival) (origin.Origin, bool) {
	c.t.Helper()
	a.At = c.now()
	o, newcomer, err := c.Arrive(c.t.Context(), a)
	if err != nil {
		c.t.Fatal(err)
	}
	return o, newcomer
}

func (c *counter) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// totals are the rows of the totals, without what is 0: "1 20261123 7 tg scans=1".
func (c *counter) totals(where string) string {
	c.t.Helper()
	columns := []string{"scans", "came", "stayed7", "stayed30", "lost", "follows", "followers", "followers_new", "questions", "askers", "askers_new",
		"opens", "openers", "openers_new", "digests", "receivers", "receivers_new"}
	var rows []map[string]any
	if err := c.db.Reader().NewRaw("SELECT * FROM origin_totals WHERE "+where+" ORDER BY touch, day, origin, channel").Scan(c.t.Context(), &rows); err != nil {
		c.t.Fatal(err)
	}
	var lines []string
	for _, r := range rows {
		line := fmt.Sprint(r["touch"], " ", r["day"], " ", r["origin"], " ", r["channel"])
		for _, column := range columns {
			if n := fmt.Sprint(r[column]); n != "0" {
				line += " " + column + "=" + n
			}
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func (c *counter) want(where, want string) {
	c.t.Helper()
	if got := c.totals(where); got != strings.TrimSpace(want) {
		c.t.Errorf("the totals where %s are\n%s\nwant\n%s", where, got, strings.TrimSpace(want))
	}
}

func (c *counter) count(query string, args ...any) (n int) {
	c.t.Helper()
	if err := c.db.Reader().NewRaw(query, args...).Scan(c.t.Context(), &n); err != nil {
		c.t.Fatal(err)
	}
	return n
}

func TestSixNewcomersAndAFollower(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newCounter(t, db)
		shop := c.add(origin.Origin{Code: "shop"})
		follower := scan("old", "shop", "m0")
		follower.Before = func(context.Context, bun.IDB) (bool, error) { return true, nil }
		if o, newcomer := c.arrive(follower); o.ID != shop.ID || newcomer {
			t.Errorf("the follower came by %+v, newcomer %v", o, newcomer)
		}
		for i := range 6 {
			a := scan(fmt.Sprint("r", i), "shop", fmt.Sprint("m", i+1))
			for range 3 { // the platform repeats itself, and so does a crash before the answer
				if o, newcomer := c.arrive(a); o.ID != shop.ID || !newcomer {
					t.Errorf("newcomer %d came by %+v, newcomer %v", i, o, newcomer)
				}
			}
			// Back later by the same code: a scan, and nobody new.
			if i == 0 {
				a.Message = "again"
				if _, newcomer := c.arrive(a); newcomer {
					t.Error("who comes back is a newcomer")
				}
			}
		}
		c.want("touch = 1", fmt.Sprintf("1 20261123 %d tg scans=8 came=6", shop.ID))
		c.want("touch = 2", fmt.Sprintf("2 20261123 %d tg scans=8 came=6", shop.ID))
	})
}
