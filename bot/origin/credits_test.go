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

func (c *counter) reader(chat string) origin.Reader { return origin.Reader{Channel: "tg", Chat: chat} }

func TestFirstAndLastTouch(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newCounter(t, db)
		a, b := c.add(origin.Origin{Code: "a"}), c.add(origin.Origin{Code: "b"})
		steps := []struct {
			code        string
			first, last int64
		}{
			{"", 0, 0}, {"nobody", -1, -1}, {"a", -1, a.ID}, {"nobody", -1, a.ID}, {"", -1, a.ID}, {"b", -1, b.ID}, {"a", -1, a.ID},
		}
		for i, step := range steps {
			c.advance(time.Minute)
			c.arrive(scan("1", step.code, fmt.Sprint(i)))
			first, last := c.count("SELECT first_origin FROM readers WHERE chat = '1'"), c.count("SELECT last_origin FROM readers WHERE chat = '1'")
			if int64(first) != step.first || int64(last) != step.last {
				t.Errorf("after %d, %q: %d and %d, want %d and %d", i, step.code, first, last, step.first, step.last)
			}
		}
		// They came by none, whatever they scanned later.
		c.want("came > 0", "1 20261123 0 tg came=1\n2 20261123 0 tg came=1")
		c.Asked(c.reader("1"), "q", c.now())
		c.must(c.Flush(t.Context()))
		c.want("questions > 0 AND touch = 1", "1 20261123 -1 tg scans=2 questions=1 askers=1 askers_new=1")
		c.want("questions > 0 AND touch = 2", fmt.Sprintf("2 20261123 %d tg scans=2 questions=1 askers=1 askers_new=1", a.ID))
		// And so it is none that loses them.
		c.must(c.Left(t.Context(), c.reader("1"), c.now()))
		c.want("came > 0", "1 20261123 0 tg came=1 lost=1\n2 20261123 0 tg came=1 lost=1")
	})
}

// do has a reader do everything that is counted.
func (c *counter) do(chat string, article int64) {
	c.t.Helper()
	c.Asked(c.reader(chat), fmt.Sprint("q", article), c.now())
	c.Opened(origin.Ref([]byte("a key of these tests"), c.reader(chat)), article, c.now())
	c.Received([]origin.Reader{c.reader(chat)}, c.now())
	c.must(c.Followed(c.t.Context(), c.reader(chat), fmt.Sprint("topic", article), c.now()))
}

func TestWhoComesByAnotherCodeIsOneOfItsReadersThatDay(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newCounter(t, db)
		v1, v2 := c.add(origin.Origin{Code: "v1"}), c.add(origin.Origin{Code: "v2"})
		for article, code := range []string{"v1", "v2", "v2"} { // the third time by the same: nobody new
			for i := range 6 {
				c.arrive(scan(fmt.Sprint(i), code, fmt.Sprint("m", article)))
				c.do(fmt.Sprint(i), int64(article+1))
			}
			c.must(c.Flush(t.Context()))
			c.advance(2 * time.Second)
		}
		line := func(touch int, id int64, came string, times int) string {
			n := 6 * times
			return fmt.Sprintf("%d 20261123 %d tg %s follows=%d followers=6 followers_new=6 questions=%[4]d askers=6 askers_new=6 opens=%[4]d openers=6 openers_new=6 digests=%[4]d receivers=6 receivers_new=6", touch, id, came, n)
		}
		c.want("touch = 1", line(1, v1.ID, "scans=6 came=6", 3)+fmt.Sprintf("\n1 20261123 %d tg scans=12", v2.ID))
		c.want("touch = 2", line(2, v1.ID, "scans=6 came=6", 1)+"\n"+line(2, v2.ID, "scans=12", 2))
		// The next day they are its readers again, and none for the first time.
		c.advance(24 * time.Hour)
		for i := range 6 {
			c.do(fmt.Sprint(i), 9)
		}
		c.must(c.Flush(t.Context()))
		next := " %d tg follows=6 followers=6 questions=6 askers=6 opens=6 openers=6 digests=6 receivers=6"
		c.want("day = 20261124", fmt.Sprintf("1 20261124"+next+"\n2 20261124"+next, v1.ID, v2.ID))
	})
}

// A day of one kind is not that of another, by either touch.
func TestEachKindHasItsOwnDay(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newCounter(t, db)
		shop := c.add(origin.Origin{Code: "shop"})
		c.arrive(scan("1", "shop", "m"))
		for i, kind := range []struct {
			did  func(n int)
			want string
		}{
			{func(n int) { c.must(c.Followed(t.Context(), c.reader("1"), fmt.Sprint(n), c.now())) }, "follows=2 followers=1 followers_new=1"},
			{func(n int) { c.Asked(c.reader("1"), fmt.Sprint(n), c.now()) }, "questions=2 askers=1 askers_new=1"},
			{func(n int) { c.Opened(origin.Ref([]byte("a key of these tests"), c.reader("1")), int64(n), c.now()) }, "opens=2 openers=1 openers_new=1"},
			{func(int) { c.Received([]origin.Reader{c.reader("1")}, c.now()) }, "digests=2 receivers=1 receivers_new=1"},
		} {
			c.advance(24 * time.Hour)
			for n := range 2 {
				kind.did(n + 1)
				c.must(c.Flush(t.Context()))
			}
			day := 20261124 + i
			c.want(fmt.Sprint("day = ", day), fmt.Sprintf("1 %[1]d %[2]d tg %[3]s\n2 %[1]d %[2]d tg %[3]s", day, shop.ID, kind.want))
		}
	})
}

func TestWhatWasDoneBeforeACodeIsCreditedToTheOneBefore(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newCounter(t, db)
		y1, y2 := c.add(origin.Origin{Code: "y1"}), c.add(origin.Origin{Code: "y2"})
		for i, did := range []func(chat string){
			func(chat string) { c.Asked(c.reader(chat+":5"), "q", c.now()) },
			func(chat string) { c.Opened(origin.Ref([]byte("a key of these tests"), c.reader(chat)), 7, c.now()) },
			func(chat string) { c.Received([]origin.Reader{c.reader(chat)}, c.now()) },
		} {
			chat := fmt.Sprint(i)
			c.arrive(scan(chat, "y1", "m"))
			did(chat)
			c.arrive(scan(chat, "y2", "n"))
		}
		c.want("touch = 2", fmt.Sprintf("2 20261123 %d tg scans=3 came=3 questions=1 askers=1 askers_new=1 opens=1 openers=1 openers_new=1 digests=1 receivers=1 receivers_new=1\n2 20261123 %d tg scans=3", y1.ID, y2.ID))
	})
}

func TestACodeCountsThoughWhatWasDoneBeforeDoesNot(t *testing.T) {
	db := databasetest.SQLite(t)
	if db.Postgres() {
		return
	}
	c := newCounter(t, db)
	c.add(origin.Origin{Code: "y1"})
	y2 := c.add(origin.Origin{Code: "y2"})
	c.arrive(scan("1", "y1", "m"))
	if _, err := db.ExecContext(t.Context(), "CREATE TRIGGER refused BEFORE INSERT ON origin_events WHEN NEW.kind = 3 BEGIN SELECT RAISE(ABORT, 'no'); END"); err != nil {
		t.Fatal(err)
	}
	c.Asked(c.reader("1"), "q", c.now())
	if o, _ := c.arrive(scan("1", "y2", "n")); o.ID != y2.ID {
		t.Errorf("they came by %+v", o)
	}
	c.want(fmt.Sprint("touch = 2 AND origin = ", y2.ID), fmt.Sprintf("2 20261123 %d tg scans=1", y2.ID))
}

func TestAMessageCountsOnceHoweverOftenItComes(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newCounter(t, db)
		shop := c.add(origin.Origin{Code: "shop"})
		replicas := []*origin.Credits{c.Credits, c.another()}
		var all sync.WaitGroup
		for i := range 24 { // 4 readers, 3 times each on each replica
			all.Go(func() {
				a := scan(fmt.Sprint("r", i%4), "shop", fmt.Sprint("m", i%4))
				a.At = c.now()
				o, newcomer, err := replicas[i/4%2].Arrive(context.Background(), a)
				if err != nil || o.ID != shop.ID || !newcomer {
					t.Errorf("%+v, %v, %v", o, newcomer, err)
				}
			})
		}
		all.Wait()
		c.want("touch = 2", fmt.Sprintf("2 20261123 %d tg scans=4 came=4", shop.ID))
		// What is written later as well, by both.
		for i := range 8 {
			r := replicas[i%2]
			r.Asked(c.reader("r1"), "same question", c.now())
			r.Opened(origin.Ref([]byte("a key of these tests"), c.reader("r1")), int64(i/4), c.now())
			r.Opened(origin.Ref([]byte("another key"), c.reader("r1")), 7, c.now()) // of nobody
			r.Received([]origin.Reader{c.reader("r1"), c.reader("nobody")}, c.now())
			if i%3 == 0 {
				c.must(r.Flush(t.Context()))
			}
		}
		for range 3 {
			c.must(replicas[0].Followed(t.Context(), c.reader("r1"), "tea", c.now()))
			c.must(replicas[1].Followed(t.Context(), c.reader("r1"), "milk", c.now()))
		}
		for _, r := range replicas {
			c.must(r.Flush(t.Context()))
		}
		c.want("touch = 1", fmt.Sprintf("1 20261123 %d tg scans=4 came=4 follows=2 followers=1 followers_new=1 questions=1 askers=1 askers_new=1 opens=2 openers=1 openers_new=1 digests=8 receivers=1 receivers_new=1", shop.ID))
	})
}

func TestTwoReplicasLoseNothing(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newCounter(t, db)
		const shops, readers, rounds = 5, 12, 6
		for i := range shops {
			c.add(origin.Origin{Code: fmt.Sprint("shop", i)})
		}
		replicas := []*origin.Credits{c.Credits, c.another()}
		var all sync.WaitGroup
		for n, credits := range replicas {
			for worker := range 3 {
				all.Go(func() {
					ctx := context.Background()
					for i := range readers * rounds / 6 {
						k := (i*7 + worker*5 + n*3)
						reader := c.reader(fmt.Sprint(k % readers))
						a := scan(reader.Chat, fmt.Sprint("shop", k%shops), fmt.Sprint(n, worker, i))
						a.At = c.now()
						if _, _, err := credits.Arrive(ctx, a); err != nil {
							t.Error(err)
						}
						credits.Received([]origin.Reader{reader, c.reader(fmt.Sprint((k + 5) % readers))}, c.now())
						credits.Asked(reader, fmt.Sprint("q", n, worker, i), c.now())
						if err := credits.Flush(ctx); err != nil {
							t.Error(err)
						}
					}
				})
			}
		}
		all.Wait()
		for _, r := range replicas {
			c.must(r.Flush(t.Context()))
		}
		for touch := 1; touch <= 2; touch++ {
			for column, want := range map[string]int{"scans": readers * rounds, "questions": readers * rounds, "digests": 2 * readers * rounds} {
				// A reader whom the other named before they came had no row to be credited to.
				got := c.count("SELECT SUM("+column+") FROM origin_totals WHERE touch = ?", touch)
				if got != want && (column != "digests" || got > want || got < want-readers*2) {
					t.Errorf("touch %d has %d %s, want %d", touch, got, column, want)
				}
			}
		}
		for _, column := range []string{"askers", "askers_new", "receivers", "receivers_new"} {
			if n := c.count("SELECT SUM(" + column + ") FROM origin_totals WHERE touch = 1"); n != readers {
				t.Errorf("%d %s of %d readers on one day", n, column, readers)
			}
		}
		if n := c.count("SELECT SUM(came) FROM origin_totals WHERE touch = 1"); n != c.count("SELECT count(*) FROM readers") {
			t.Errorf("%d came, and there are other readers", n)
		}
	})
}

func TestReadersOfADayCountOnceADay(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newCounter(t, db) // 17:00 on the publisher's clock
		shop := c.add(origin.Origin{Code: "shop"})
		for i := range 2 {
			c.arrive(scan(fmt.Sprint(i), "shop", "m"))
		}
		ask := func(chat, message string) {
			c.Asked(c.reader(chat), message, c.now())
			c.must(c.Flush(t.Context()))
		}
		ask("0", "1")
		ask("0", "2")
		ask("1", "1")
		c.advance(7*time.Hour - time.Minute) // 23:59
		ask("0", "3")
		c.advance(time.Minute)
		ask("0", "4")
		ask("0", "5")
		c.advance(-2 * time.Hour) // the clock is set back into the day before
		ask("0", "6")
		c.advance(2 * time.Hour)
		ask("0", "7")
		c.want("touch = 1", fmt.Sprintf("1 20261123 %d tg scans=2 came=2 questions=5 askers=2 askers_new=2\n1 20261124 %d tg questions=3 askers=1", shop.ID, shop.ID))
	})
}

func TestWhoStaysIsCountedOnTheDayTheyCame(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newCounter(t, db)
		shop := c.add(origin.Origin{Code: "shop"})
		const day = 24 * time.Hour
		for i := range 5 {
			c.arrive(scan(fmt.Sprint(i), "shop", "m"))
		}
		web := scan("w", "shop", "m")
		web.Channel = "web"
		c.arrive(web)
		web.Chat = "never seen again"
		c.arrive(web)
		stay := func() {
			t.Helper()
			for range 2 {
				c.must(c.Stay(t.Context()))
			}
		}
		see := func() {
			c.Opened(origin.Ref([]byte("a key of these tests"), origin.Reader{Channel: "web", Chat: "w"}), int64(c.now().Day()), c.now())
			c.must(c.Flush(t.Context()))
		}
		c.advance(3 * day)
		c.must(c.Left(t.Context(), c.reader("0"), c.now())) // for good
		c.must(c.Left(t.Context(), c.reader("1"), c.now())) // until the 5th day
		c.must(c.Left(t.Context(), c.reader("2"), c.now())) // until the 10th
		c.advance(2 * day)
		c.arrive(scan("1", "", "back"))
		c.advance(2*day - time.Second)
		stay()
		see()
		c.want("stayed7 > 0", "")
		c.advance(time.Second) // 7 days
		// Who leaves before the job has come to it has stayed all the same.
		c.must(c.Left(t.Context(), c.reader("3"), c.now()))
		c.want("stayed7 > 0 AND touch = 1", fmt.Sprintf("1 20261123 %d tg scans=5 came=5 stayed7=1", shop.ID))
		stay()
		web.Chat, web.Message = "w", "again"
		c.arrive(web)
		c.want("stayed7 > 0 AND touch = 1", fmt.Sprintf("1 20261123 %d tg scans=5 came=5 stayed7=3\n1 20261123 %d web scans=2 came=2 stayed7=1", shop.ID, shop.ID))
		c.advance(3 * day)
		c.arrive(scan("2", "", "back"))
		c.advance(20*day - time.Second)
		stay()
		c.want("stayed30 > 0", "")
		c.advance(time.Second) // 30 days
		stay()
		see()
		c.want("touch = 2 AND day = 20261123", fmt.Sprintf("2 20261123 %d tg scans=5 came=5 stayed7=3 stayed30=3\n2 20261123 %d web scans=2 came=2 stayed7=1 stayed30=1", shop.ID, shop.ID))
		c.want("touch = 1 AND lost > 0", fmt.Sprintf("1 20261126 %d tg lost=1\n1 20261130 %d tg lost=1", shop.ID, shop.ID))
		if n := c.count("SELECT count(*) FROM readers WHERE stay_due > 0"); n != 0 {
			t.Errorf("%d stays are due for ever", n)
		}
	})
}

// A job that did not run for months, and a browser that was away for as long.
func TestStaysThatAreLongOver(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newCounter(t, db)
		shop := c.add(origin.Origin{Code: "shop"})
		c.arrive(scan("1", "shop", "m"))
		web := scan("w", "shop", "m")
		web.Channel = "web"
		c.arrive(web)
		c.advance(100 * 24 * time.Hour)
		c.Asked(c.reader("1"), "q", c.now()) // who is seen again is counted by the clock, once
		c.Asked(origin.Reader{Channel: "web", Chat: "w"}, "q", c.now())
		c.must(c.Flush(t.Context()))
		c.must(c.Stay(t.Context()))
		c.want("touch = 1 AND day = 20261123", fmt.Sprintf("1 20261123 %d tg scans=1 came=1 stayed7=1 stayed30=1\n1 20261123 %d web scans=1 came=1 stayed7=1 stayed30=1", shop.ID, shop.ID))
		// A clock that was set back does no harm.
		c.advance(-101 * 24 * time.Hour)
		c.must(c.Stay(t.Context()))
		c.must(c.Left(t.Context(), c.reader("1"), c.now()))
		c.arrive(scan("1", "shop", "n"))
		c.want("touch = 1 AND channel = 'tg' AND day < 20270101", fmt.Sprintf("1 20261122 %d tg scans=1\n1 20261123 %d tg scans=1 came=1 stayed7=1 stayed30=1", shop.ID, shop.ID))
	})
}

func TestAMovedGroupIsOneReader(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newCounter(t, db)
		shop := c.add(origin.Origin{Code: "shop"})
		from, to := c.reader("-1"), c.reader("-100")
		c.arrive(scan("-1", "shop", "m"))
		c.arrive(scan("-1:5", "shop", "topic")) // a topic of the same group
		c.must(c.Followed(t.Context(), from, "tea", c.now()))
		c.advance(time.Minute)
		c.arrive(scan("-100", "", "what was said there before we heard of it"))
		c.must(c.Followed(t.Context(), to, "tea", c.now()))
		for range 2 { // both chats hear of it
			err := db.Tx(t.Context(), func(ctx context.Context, tx bun.Tx) error { return c.Move(ctx, tx, from, to) })
			c.must(err)
		}
		c.must(c.Followed(t.Context(), to, "tea", c.now()))
		c.want("touch = 1 AND came > 0", fmt.Sprintf("1 20261123 %d tg scans=2 came=1 follows=1 followers=1 followers_new=1", shop.ID))
		if n := c.count("SELECT count(*) FROM readers"); n != 1 {
			t.Errorf("%d readers, want 1", n)
		}
		if n := c.count("SELECT count(*) FROM readers WHERE chat = '-100' AND ref = ?", origin.Ref([]byte("a key of these tests"), to)); n != 1 {
			t.Error("links to the new chat find nobody")
		}
		c.must(c.Left(t.Context(), to, c.now()))
		c.want("touch = 1 AND lost > 0", fmt.Sprintf("1 20261123 %d tg scans=2 came=1 lost=1 follows=1 followers=1 followers_new=1", shop.ID))
	})
}

func TestWhatCountedIsForgottenInTime(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newCounter(t, db)
		c.add(origin.Origin{Code: "shop"})
		c.arrive(scan("1", "shop", "m"))
		c.Asked(c.reader("1"), "q", c.now())
		c.Opened(origin.Ref([]byte("a key of these tests"), c.reader("1")), 7, c.now())
		c.must(c.Flush(t.Context()))
		c.must(c.Followed(t.Context(), c.reader("1"), "tea", c.now()))
		for _, name := range []string{"alone", "came"} {
			o, err := c.book.Invitation(t.Context(), c.reader(name))
			c.must(err)
			if name == "came" {
				c.arrive(scan("friend", o.Code, "m"))
			}
		}
		kinds := func() (kinds string) {
			var list []string
			c.must(db.Reader().NewRaw("SELECT DISTINCT kind || '' AS kind FROM origin_events ORDER BY 1").Scan(t.Context(), &list))
			return strings.Join(list, " ")
		}
		for _, step := range []struct {
			after       time.Duration
			want        string
			invitations int
		}{
			{48 * time.Hour, "1 2 3 4", 2}, {time.Millisecond, "2 4", 2}, {89 * 24 * time.Hour, "2 4", 2}, {309*24*time.Hour - time.Millisecond, "2 4", 1}, {time.Millisecond, "", 1},
		} {
			if step.after > 300*24*time.Hour {
				c.must(c.Forget(t.Context(), c.reader("alone")))
				c.must(c.Forget(t.Context(), c.reader("came")))
			}
			c.advance(step.after)
			c.must(c.Stay(t.Context()))
			if got := kinds(); got != step.want {
				t.Errorf("at %s the events are of kinds %q, want %q", c.now(), got, step.want)
			}
			if n := c.count("SELECT count(*) FROM origins WHERE kind = 'invitation'"); n != step.invitations {
				t.Errorf("at %s there are %d invitations, want %d", c.now(), n, step.invitations)
			}
		}
	})
}

func TestWhatADatabaseRefusesWaitsOrIsDropped(t *testing.T) {
	c := newCounter(t, databasetest.SQLite(t))
	shop := c.add(origin.Origin{Code: "shop"})
	c.arrive(scan("1", "shop", "m"))
	c.Received([]origin.Reader{c.reader("1")}, c.now())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Flush(ctx); err == nil {
		t.Error("what was not written seems so")
	}
	c.must(c.Flush(t.Context()))
	c.want("touch = 1", fmt.Sprintf("1 20261123 %d tg scans=1 came=1 digests=1 receivers=1 receivers_new=1", shop.ID))
	many := make([]origin.Reader, 60_000)
	for i := range many {
		many[i] = c.reader("1")
	}
	c.Received(many, c.now())
	c.Received(many, c.now())
	c.must(c.Flush(t.Context()))
	c.want("touch = 1", fmt.Sprintf("1 20261123 %d tg scans=1 came=1 digests=100001 receivers=1 receivers_new=1", shop.ID))
	c.Received(many[:2], c.now())
	c.must(c.Flush(t.Context()))
	c.want("touch = 2 AND digests = 100003", fmt.Sprintf("2 20261123 %d tg scans=1 came=1 digests=100003 receivers=1 receivers_new=1", shop.ID))
}

func TestWhoCannotBeReachedIsLost(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newCounter(t, db)
		shop := c.add(origin.Origin{Code: "shop"})
		for _, chat := range []string{"1", "-1", "2"} {
			c.arrive(scan(chat, "shop", "m"))
		}
		c.advance(24 * time.Hour)
		c.Gone([]origin.Reader{c.reader("1"), c.reader("-1:5"), c.reader("nobody"), c.reader("1")}, c.now())
		c.must(c.Flush(t.Context()))
		c.want("touch = 1", fmt.Sprintf("1 20261123 %d tg scans=3 came=3\n1 20261124 %d tg lost=1", shop.ID, shop.ID))
	})
}

func TestCountsWaitForADatabaseThatIsAway(t *testing.T) {
	if databasetest.Second() {
		return
	}
	gate := databasetest.NewGate(t, databasetest.PostgresAddress(t))
	c := newCounter(t, databasetest.Open(t, gate.Address()))
	shop := c.add(origin.Origin{Code: "shop"})
	c.arrive(scan("1", "shop", "m"))
	c.Asked(c.reader("1"), "q", c.now())
	gate.Shut()
	if err := c.Flush(t.Context()); err == nil {
		t.Error("a database that is away took the counts")
	}
	c.Asked(c.reader("1"), "r", c.now())
	gate.Open()
	for range 3 { // a connection that broke may be tried first
		if c.Flush(t.Context()) == nil {
			break
		}
	}
	c.want("touch = 1", fmt.Sprintf("1 20261123 %d tg scans=1 came=1 questions=2 askers=1 askers_new=1", shop.ID))
}

// What another replica is changing of a reader is waited for.
func TestAReaderIsCountedByOneReplicaAtATime(t *testing.T) {
	if databasetest.Second() {
		return
	}
	c := newCounter(t, databasetest.Postgres(t))
	shop := c.add(origin.Origin{Code: "shop"})
	c.arrive(scan("1", "shop", "m"))
	c.Asked(c.reader("1"), "q", c.now())
	flushed := make(chan error, 1)
	c.must(c.db.Tx(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.ExecContext(ctx, "UPDATE readers SET asked_on = 20261123"); err != nil {
			return err
		}
		go func() { flushed <- c.Flush(t.Context()) }()
		for waiting := 0; waiting == 0; {
			select {
			case err := <-flushed:
				return fmt.Errorf("nobody waited: %v", err)
			default: // not of pg_stat_activity, which a transaction sees as it was at its first look
				if err := tx.NewRaw("SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))").Scan(ctx, &waiting); err != nil {
					return err
				}
			}
		}
		return nil
	}))
	c.must(<-flushed)
	c.want("touch = 1", fmt.Sprintf("1 20261123 %d tg scans=1 came=1 questions=1", shop.ID))
}
