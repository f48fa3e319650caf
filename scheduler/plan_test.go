package scheduler_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"newsie/bot"
	"newsie/content"
	"newsie/scheduler"
)

func TestPlanTakesWhatJoinedSinceTheLastEdition(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		id := h.follow("1", "tea", "0 8 * * *", "UTC", monday)
		h.library.add("tea", "coffee", "tea")

		want := scheduler.Tick{Due: 1, Planned: 1}
		if diff := cmp.Diff(want, h.plan(s)); diff != "" {
			t.Errorf("first tick (-want +got):\n%s", diff)
		}
		if got := h.text("SELECT d.follow || '@' || d.slot || ' ' || e.articles || ' ' || e.from_seq || '-' || e.to_seq FROM editions e JOIN deliveries d ON d.edition = e.id"); got != fmt.Sprintf("%d@2026-05-04T08:00 [3,1] 0-3", id) {
			t.Errorf("edition %s", got)
		}
		if got := h.text("SELECT last_slot || ' ' || next_due_at || ' ' || since_seq FROM follows"); got != fmt.Sprintf("2026-05-04T08:00 %d 3", monday.AddDate(0, 0, 1).UnixMilli()) {
			t.Errorf("follow %s", got)
		}
		if diff := cmp.Diff(scheduler.Tick{}, h.plan(s)); diff != "" {
			t.Errorf("a second tick (-want +got):\n%s", diff)
		}

		h.pass(24 * time.Hour)
		h.library.add("coffee")
		if diff := cmp.Diff(scheduler.Tick{Due: 1, Nothing: 1}, h.plan(s)); diff != "" {
			t.Errorf("nothing new (-want +got):\n%s", diff)
		}
		if got := h.int("SELECT since_seq FROM follows"); got != 4 {
			t.Errorf("after nothing new, since_seq is %d, want 4", got)
		}
		h.library.add("tea")
		h.pass(24 * time.Hour)
		h.plan(s)
		if got := h.text("SELECT articles FROM editions ORDER BY id DESC LIMIT 1"); got != "[5]" {
			t.Errorf("the second edition holds %s, want [5]", got)
		}
		h.wantStates("planned 2")
	})
}

func TestFollowersOfOneTopicShareASearch(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		h.library.add("tea", "coffee")
		for i := range 450 {
			h.follow(fmt.Sprint(i), []string{"tea", "coffee"}[i%2], "0 8 * * *", "UTC", monday)
		}
		tick := h.plan(s)
		if diff := cmp.Diff(scheduler.Tick{Due: 450, Planned: 450}, tick); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		if h.library.searches != 2 {
			t.Errorf("%d searches, want 2", h.library.searches)
		}
		h.wantStates("planned 450")
	})
}

func TestTwoReplicasPlanEachSlotOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		const follows = 500
		a, b := h.replica(), h.replica()
		h.library.add("tea")
		for i := range follows {
			h.follow(fmt.Sprint(i), "tea", "*/5 * * * *", "UTC", monday)
		}
		for range 3 {
			var all sync.WaitGroup
			var mu sync.Mutex
			planned := 0
			for _, s := range []*scheduler.Scheduler{a, b, a, b} {
				all.Go(func() {
					tick, err := s.Plan(context.Background())
					if err != nil {
						t.Error(err)
					}
					mu.Lock()
					defer mu.Unlock()
					planned += tick.Planned
				})
			}
			all.Wait()
			// Whom a replica found locked by the other is planned by the other.
			if planned != follows {
				t.Errorf("%d planned, want %d", planned, follows)
			}
			h.pass(5 * time.Minute)
			h.library.add("tea")
		}
		h.wantStates(fmt.Sprintf("planned %d", 3*follows))
		if n := h.int("SELECT COUNT(*) FROM editions"); n != 3 {
			t.Errorf("%d editions, want 3: who gets the same shares one", n)
		}
	})
}

func TestDowntime(t *testing.T) {
	for _, test := range []struct {
		name  string
		away  time.Duration
		tick  scheduler.Tick
		slot  string
		since int64
	}{
		{"fresh: the latest slot is caught up with, once", 3*24*time.Hour + 5*time.Hour, scheduler.Tick{Due: 1, Planned: 1}, "2026-05-07T08:00", 1},
		{"not fresh: on with the next, which holds what is new", 3*24*time.Hour + 7*time.Hour, scheduler.Tick{Due: 1, Missed: 1}, "2026-05-07T08:00", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			each(t, func(t *testing.T, h *house) {
				s := h.replica()
				h.library.add("tea")
				h.follow("1", "tea", "0 8 * * *", "UTC", monday)
				h.pass(test.away)
				if diff := cmp.Diff(test.tick, h.plan(s)); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
				if got := h.text("SELECT last_slot FROM follows"); got != test.slot {
					t.Errorf("slot %s, want %s", got, test.slot)
				}
				if got := h.int("SELECT since_seq FROM follows"); got != test.since {
					t.Errorf("since_seq %d, want %d", got, test.since)
				}
				h.set(monday.AddDate(0, 0, 4))
				if test.since == 1 {
					h.library.add("tea")
				}
				if tick := h.plan(s); tick.Planned != 1 {
					t.Errorf("the next slot: %+v, want it planned", tick)
				}
			})
		})
	}
}

func TestClockChangesAndJumps(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		rome, err := time.LoadLocation("Europe/Rome")
		if err != nil {
			t.Fatal(err)
		}
		// Three days around each clock change, planned every ten minutes, with
		// the machine's clock jumping an hour back and forth on the way.
		h.set(time.Date(2026, 3, 28, 0, 0, 0, 0, rome))
		h.follow("1", "tea", "30 2 * * *", "Europe/Rome", time.Date(2026, 3, 28, 2, 30, 0, 0, rome))
		walk := func(until time.Time) {
			for i := 0; h.clock().Before(until); i++ {
				switch i {
				case 100:
					h.pass(-time.Hour)
				case 150:
					h.pass(time.Hour)
				}
				h.library.add("tea")
				h.plan(s)
				h.pass(10 * time.Minute)
			}
		}
		walk(time.Date(2026, 3, 31, 0, 0, 0, 0, rome))
		h.set(time.Date(2026, 10, 24, 0, 0, 0, 0, rome))
		h.exec("UPDATE follows SET next_due_at = ?", time.Date(2026, 10, 24, 2, 30, 0, 0, rome).UnixMilli())
		walk(time.Date(2026, 10, 27, 0, 0, 0, 0, rome))

		var got []string
		if err := h.db.NewRaw("SELECT follow || '@' || slot FROM deliveries ORDER BY id").Scan(t.Context(), &got); err != nil {
			t.Fatal(err)
		}
		want := []string{
			"1@2026-03-28T02:30", "1@2026-03-29T02:30", "1@2026-03-30T02:30",
			"1@2026-10-24T02:30", "1@2026-10-25T02:30", "1@2026-10-26T02:30",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		// Every article was in one of them.
		if n := h.int("SELECT COUNT(*) FROM editions a JOIN editions b ON b.id > a.id AND b.from_seq < a.to_seq"); n != 0 {
			t.Errorf("%d pairs of editions overlap", n)
		}
	})
}

func TestAReaderWhoTravelsGetsASlotOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		h.library.add("tea")
		h.follow("1", "tea", "0 8 * * *", "UTC", monday)
		h.plan(s)
		// Two hours later, in a zone where it will be eight o'clock again.
		h.exec("UPDATE follows SET zone = 'Atlantic/Azores', next_due_at = ?", monday.Add(time.Hour).UnixMilli())
		h.library.add("tea")
		h.pass(time.Hour)
		h.plan(s)
		if n := h.int("SELECT COUNT(*) FROM editions"); n != 1 {
			t.Errorf("%d editions, want 1", n)
		}
		if got := h.int("SELECT since_seq FROM follows"); got != 1 {
			t.Errorf("since_seq %d, want 1: the second article has not been offered", got)
		}
	})
}

func TestFollowsThatCannotBePlanned(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		h.library.add("tea")
		h.follow("broken", "tea", "CRON_TZ=Europe/Rome", "UTC", monday)
		h.follow("never", "tea", "0 8 30 2 *", "UTC", monday)
		h.follow("nowhere", "tea", "0 8 * * *", "Atlantis/Capital", monday)
		h.follow("stopped", "tea", "0 8 * * *", "UTC", monday)
		h.exec("INSERT INTO chats (channel, id, state, since) VALUES ('tg', 'stopped', 'stopped', 0)")
		h.plan(s)
		if diff := cmp.Diff(scheduler.Tick{}, h.plan(s)); diff != "" {
			t.Errorf("they come back at the next tick (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"nowhere"}, h.sentTo()); diff != "" {
			t.Errorf("planned for (-want +got):\n%s", diff)
		}
		if n := h.int("SELECT COUNT(*) FROM follows WHERE state = 'suspended'"); n != 2 {
			t.Errorf("%d suspended, want 2", n)
		}
	})
}

func TestAFailingSearchLeavesFollowsDue(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		h.library.add("tea")
		h.library.broken = errBroken
		h.follow("1", "tea", "0 8 * * *", "UTC", monday)
		h.plan(s)
		h.wantStates("")
		h.library.broken = nil
		h.plan(s)
		h.wantStates("planned 1")
	})
}

func TestALaggingIndexDoesNotGoBack(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ahead := h.replica()
		behind := &library{}
		behind.add("tea")
		lagging := h.replica(func(c *scheduler.Config) { c.Finder = behind })
		h.library.add("tea", "tea", "tea")
		h.follow("1", "tea", "0 8 * * *", "UTC", monday)
		h.plan(ahead)
		h.pass(24 * time.Hour)
		h.plan(lagging)
		if got := h.int("SELECT since_seq FROM follows"); got != 3 {
			t.Errorf("since_seq %d, want 3", got)
		}
		h.wantStates("planned 1")
	})
}

func TestAChangeWhileSearchingWins(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		id := h.follow("1", "tea", "0 8 * * *", "UTC", monday)
		h.library.add("tea")
		meddling := &meddler{library: h.library, do: func() { h.exec("DELETE FROM follows WHERE id = ?", id) }}
		s := h.replica(func(c *scheduler.Config) { c.Finder = meddling })
		if diff := cmp.Diff(scheduler.Tick{Due: 1, Taken: 1}, h.plan(s)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		h.wantStates("")
	})
}

// What a reader changes while a digest is planned stays as the reader wants it.
func TestAChangeWhileSearchingStays(t *testing.T) {
	for name, change := range map[string]string{
		"paused":       "UPDATE follows SET paused_until = 9999999999999, next_due_at = 9999999999999",
		"another time": "UPDATE follows SET spec = '0 20 * * *', next_due_at = 9999999999999",
		"another zone": "UPDATE follows SET zone = 'Asia/Tokyo', next_due_at = 9999999999999",
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, h *house) {
				h.follow("1", "tea", "0 8 * * *", "UTC", monday)
				h.library.add("tea")
				s := h.replica(func(c *scheduler.Config) { c.Finder = &meddler{library: h.library, do: func() { h.exec(change) }} })
				if diff := cmp.Diff(scheduler.Tick{Due: 1, Taken: 1}, h.plan(s)); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
				if got := h.int("SELECT next_due_at FROM follows WHERE since_seq = 0"); got != 9999999999999 {
					t.Errorf("comes next at %d", got)
				}
				h.wantStates("")
			})
		})
	}
}

// A channel's readers get what the channel serves, also when others follow the
// same words; an audience's query says that itself.
func TestDigestsAreOfWhatTheirChannelServes(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		blog := content.Filter{Sources: []string{"blog"}}
		s := h.replica(func(c *scheduler.Config) {
			c.Channels = append(c.Channels,
				scheduler.Channel{Name: "part", Sender: h.platform, Within: blog}, scheduler.Channel{Name: "all", Sender: h.platform})
		})
		h.library.add("tea paper", "tea blog", "tea paper")
		for _, channel := range []string{"tg", "part", "all"} {
			h.follow(channel, "tea", "0 8 * * *", "UTC", monday)
			h.exec("UPDATE follows SET channel = ? WHERE chat = ?", channel, channel)
		}
		h.follow("*", "tea", "0 8 * * *", "UTC", monday)
		h.exec("UPDATE follows SET channel = 'part' WHERE chat = '*'")
		now, err := s.Now(t.Context(), bot.ChatID{Channel: "part", ID: "part"}, "en")
		if err != nil || titles(now) != "Article 2" {
			t.Errorf("now: %s (%v)", titles(now), err)
		}
		preview, err := s.PreviewFollow(t.Context(), h.int("SELECT id FROM follows WHERE chat = 'part'"))
		if err != nil || titles(preview) != "Article 2" {
			t.Errorf("the preview holds %s (%v)", titles(preview), err)
		}
		h.library.searches = 0
		h.plan(s)
		if h.library.searches != 2 {
			t.Errorf("%d searches, want one for the part and one for the others", h.library.searches)
		}
		h.deliver(s)
		want := []string{"*: Article 3, Article 2, Article 1", "all: Article 3, Article 2, Article 1", "part: Article 2", "tg: Article 3, Article 2, Article 1"}
		if diff := cmp.Diff(want, h.platform.received()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

// meddler changes something in the middle of a search.
type meddler struct {
	*library
	do func()
}

func (m *meddler) Matches(ctx context.Context, query, lang string, within content.Filter, from, to int64, limit int) ([]int64, int, error) {
	m.do()
	return m.library.Matches(ctx, query, lang, within, from, to, limit)
}

// Followers of the same words share an edition as long as they get the same;
// whoever missed one, or reads in another language, has one of their own.
func TestWhoGetsTheSameSharesAnEdition(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		h.library.add("tea", "coffee")
		h.follow("1", "tea", "0 8 * * *", "UTC", monday)
		h.follow("2", "tea", "0 8 * * *", "UTC", monday)
		h.follow("3", "coffee", "0 8 * * *", "UTC", monday)
		h.exec("UPDATE follows SET since_seq = 0")
		italian := h.follow("4", "tea", "0 8 * * *", "UTC", monday)
		h.exec("UPDATE follows SET lang = 'it' WHERE id = ?", italian)
		h.plan(s)
		want := "1+2 3 4"
		got := h.text("SELECT " + h.joined("chats", " ") + " FROM (SELECT edition, " + h.joined("chat", "+") + " AS chats FROM (SELECT id, edition, chat FROM deliveries ORDER BY id) a GROUP BY edition ORDER BY MIN(id)) b")
		if got != want {
			t.Errorf("editions went to %q, want %q", got, want)
		}
		// One that was planned later, for what is the same.
		h.follow("5", "tea", "0 8 * * *", "UTC", monday)
		h.exec("UPDATE follows SET since_seq = 0 WHERE chat = '5'")
		h.plan(s)
		if n := h.int("SELECT COUNT(*) FROM deliveries a JOIN deliveries b ON b.edition = a.edition WHERE a.chat = '1'"); n != 3 {
			t.Errorf("%d share the edition of the first chat, want 3", n)
		}
	})
}

// A new replica's index is empty: were it to plan, due digests would have nothing
// new, and come at their next slots only.
func TestNothingIsPlannedBeforeTheIndexHasFollowed(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		newest, asked := int64(1), errors.New("the database is away")
		s := h.replica(func(c *scheduler.Config) {
			c.Newest = func(context.Context) (int64, error) { return newest, asked }
		})
		h.follow("1", "tea", "0 8 * * *", "UTC", h.clock())
		plan := func(want int) {
			t.Helper()
			if tick, err := s.Plan(t.Context()); err != nil || tick.Due != want || tick.Planned != want {
				t.Errorf("planned %+v (%v), want %d", tick, err, want)
			}
		}
		if _, err := s.Plan(t.Context()); !errors.Is(err, asked) {
			t.Errorf("without a database: %v", err)
		}
		asked = nil
		plan(0)
		h.library.add("tea")
		newest = 5 // what came meanwhile is not waited for
		plan(1)
	})
}

// A reader who ends a follow and begins it anew, where digests begin with the
// archive, gets what they had before.
func TestAFollowBegunAnewHasADigestOfItsOwn(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		h.library.add("tea")
		for range 2 {
			h.exec("DELETE FROM follows")
			h.follow("1", "tea", "0 8 * * *", "UTC", monday)
			h.exec("UPDATE follows SET since_seq = 0")
			h.plan(s)
		}
		h.wantStates("planned 2")
		// The slot of each has had its digest now.
		h.exec("UPDATE follows SET since_seq = 0, next_due_at = ?", monday.UnixMilli())
		h.plan(s)
		h.wantStates("planned 2")
		if n := h.int("SELECT COUNT(*) FROM editions"); n != 2 {
			t.Errorf("%d editions, want 2", n)
		}
	})
}
