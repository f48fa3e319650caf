package scheduler_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"newsie/bot"
	"newsie/scheduler"
)

func grouped(c *scheduler.Config) { c.Channels[0].Grouped = true }

// shape shows a message as its reader sees it: its title, then each heading with
// the cards under it.
func shape(r bot.Reply) string {
	lines := []string{r.Text}
	for _, g := range r.Groups {
		line := g.Heading + ":"
		for _, c := range g.Cards {
			line += fmt.Sprintf(" %d.%d", c.Number, c.Article)
		}
		lines = append(lines, line)
	}
	for _, a := range r.Actions {
		lines = append(lines, fmt.Sprintf("[%s → %s%s]", a.Label, a.Text, a.URL))
	}
	return strings.Join(lines, "\n")
}

// everyTopic makes chats that follow several topics, all due together.
func (h *house) everyTopic(chats int, topics ...string) {
	h.t.Helper()
	for _, topic := range topics {
		for i := range chats {
			h.follow(fmt.Sprint(i+1), topic, "0 8 * * *", "UTC", monday)
		}
	}
}

func TestTopicsThatAreDueTogetherComeAsOneMessage(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica(grouped, func(c *scheduler.Config) { c.Channels[0].Shown = 4 })
		h.library.add("tea", "coffee", "tea coffee", "tea", "tea", "tea")
		h.everyTopic(1, "tea", "coffee", "cocoa")
		h.plan(s)
		h.deliver(s)
		if len(h.platform.got) != 1 {
			t.Fatalf("%d messages, want 1", len(h.platform.got))
		}
		o := h.platform.got[0]
		want := `Your digest: tea, coffee · 6 new articles
tea: 1.6 2.5 3.4
coffee: 4.2
[and 2 more → /more 1 1]
[Change the time → /when]
[Stop one of them → /unfollow]`
		if diff := cmp.Diff(want, shape(o.Reply)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		if diff := cmp.Diff([]int64{6, 5, 4, 3, 1, 2}, o.Articles); diff != "" || o.Topic != "tea, coffee" {
			t.Errorf("about %q (-want +got):\n%s", o.Topic, diff)
		}
		// What is shown comes first, so that its numbers are the list's.
		list := `tg/1 digests [{"topic":"tea","query":"tea","count":3},{"topic":"coffee","query":"coffee","count":1},{"topic":"tea","query":"tea","count":2}] [6 5 4 2 3 1] 4`
		if diff := cmp.Diff([]string{list}, h.lists.made); diff != "" {
			t.Errorf("lists (-want +got):\n%s", diff)
		}
		h.wantStates("sent 2")
		if n := h.int("SELECT COUNT(*) FROM deliveries WHERE provider_id = 'p1' AND attempt = 1"); n != 2 {
			t.Errorf("%d deliveries have the message's number", n)
		}
		if n := h.int("SELECT COUNT(DISTINCT edition_key) FROM editions"); n != 2 {
			t.Errorf("%d editions, want one for each topic with news", n)
		}
	})
}

func TestTitlesOfManyTopicsCountThem(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica(grouped)
		topics := []string{"a1", "b2", "c3", "d4", "e5", "f6"}
		h.library.add(topics...)
		h.everyTopic(1, topics...)
		h.plan(s)
		h.deliver(s)
		if got, want := h.platform.got[0].Reply.Text, "Your digest: 6 topics · 6 new articles"; got != want {
			t.Errorf("the title is %q, want %q", got, want)
		}
		// Five places for six topics: the last one comes with "more".
		if got := len(h.platform.got[0].Reply.Groups); got != 5 {
			t.Errorf("%d groups, want 5", got)
		}
		if got := h.platform.got[0].Reply.Actions[0]; got.Text != "/more 1 2" || got.Label != "and 1 more" {
			t.Errorf("the first action is %+v", got)
		}
	})
}

func TestWithoutGroupingEachTopicComesAlone(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		h.library.add("tea", "coffee")
		h.everyTopic(2, "tea", "coffee")
		h.plan(s)
		h.deliver(s)
		if len(h.platform.got) != 4 {
			t.Errorf("%d messages, want 4", len(h.platform.got))
		}
	})
}

// A page of the planner and a batch of the courier end somewhere; a chat's
// topics stay together all the same.
func TestTopicsStayTogetherAcrossBatches(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica(grouped)
		h.library.add("tea coffee cocoa")
		h.everyTopic(400, "tea", "coffee", "cocoa")
		h.plan(s)
		if n := h.int("SELECT MAX(n) FROM (SELECT MAX(id) - MIN(id) AS n FROM deliveries GROUP BY chat) AS spans"); n != 2 {
			t.Errorf("a chat's deliveries span %d rows, want 2", n)
		}
		// In whatever order they lie.
		h.exec("UPDATE deliveries SET due_at = due_at - (id * 7919) % 1000")
		h.deliver(s)
		h.wantStates("sent 1200")
		for chat, n := range h.platform.tries {
			if n != 1 {
				t.Errorf("chat %s got %d messages", chat, n)
			}
		}
		if len(h.platform.tries) != 400 {
			t.Errorf("%d chats reached, want 400", len(h.platform.tries))
		}
	})
}

func TestOneMessageTakesOnePlaceInTheRate(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.platform.buckets = func(to bot.ChatID) []bot.Bucket { return []bot.Bucket{{Name: "tg", PerSecond: 1, Burst: 1}} }
		s := h.replica(grouped, func(c *scheduler.Config) { c.Pacer = bot.NewPacer(c.DB, h.clock) })
		h.library.add("tea coffee cocoa")
		h.everyTopic(4, "tea", "coffee", "cocoa")
		h.plan(s)
		h.deliver(s)
		h.wantStates("sent 12")
		if took := h.clock().Sub(monday); took < 3*time.Second || took >= 4*time.Second {
			t.Errorf("4 messages at one a second took %s, want 3 s", took)
		}
	})
}

func TestAllTopicsOfAMessageHaveOneFate(t *testing.T) {
	for _, test := range []struct {
		name   string
		err    error
		policy scheduler.Policy
		want   string
		later  string
	}{
		{"gone", bot.ErrGone, "", "gone 3", "gone 3"},
		{"not now", bot.ErrNotNow, "", "held 3", "held 3"},
		{"refused for good", errBroken, "", "failed 3", "failed 3"},
		{"429", &bot.RetryError{After: 30 * time.Second, All: true, Err: errBroken}, "", "planned 3", "sent 3"},
		{"a wrong token", &bot.ConfigError{Channel: "tg", Err: errBroken}, "", "planned 3", "sent 3"},
		{"moved", &bot.MovedError{To: bot.ChatID{Channel: "tg", ID: "-100"}}, "", "sent 3", "sent 3"},
		{"unknown, skip", bot.ErrUnknown, scheduler.Skip, "unknown 3", "unknown 3"},
		{"unknown, resend", bot.ErrUnknown, scheduler.Resend, "planned 3", "sent 3"},
	} {
		t.Run(test.name, func(t *testing.T) {
			each(t, func(t *testing.T, h *house) {
				s := h.replica(grouped, func(c *scheduler.Config) { c.Channels[0].InDoubt = test.policy })
				h.library.add("tea coffee", "cocoa", "coffee")
				h.everyTopic(1, "tea", "coffee", "cocoa")
				h.plan(s)
				h.platform.answer = failOnce(test.err)
				h.platform.tries = map[string]int{"-100": 1}
				h.deliver(s)
				h.wantStates(test.want)
				h.pass(time.Hour)
				h.deliver(s)
				h.wantStates(test.later)
				if strings.HasPrefix(test.later, "sent") {
					if len(h.platform.got) != 1 || len(h.platform.got[0].Reply.Groups) != 3 {
						t.Errorf("%d messages, the first with %s", len(h.platform.got), shape(h.platform.got[0].Reply))
					}
				}
				if len(h.platform.tries) > 2 || h.platform.tries["1"] > 2 {
					t.Errorf("tried %v", h.platform.tries)
				}
			})
		})
	}
}

// Each topic has its own end of time.
func TestTheOldTopicIsGivenUpAndTheNewOneWaits(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica(grouped)
		h.library.add("tea coffee")
		h.everyTopic(1, "tea", "coffee")
		h.plan(s)
		h.exec("UPDATE editions SET created_at = created_at - ? WHERE topic = 'tea'", (24*time.Hour - 10*time.Second).Milliseconds())
		h.platform.answer = fail(&bot.RetryError{After: time.Minute, Err: errBroken})
		h.deliver(s)
		if got := h.text("SELECT d.state FROM deliveries d JOIN editions e ON e.id = d.edition WHERE e.topic = 'tea'"); got != "failed" {
			t.Errorf("tea is %s", got)
		}
		h.wantStates("failed 1, planned 1")
	})
}

// What was ended meanwhile is left out, and nothing else.
func TestAFollowThatEndedIsLeftOut(t *testing.T) {
	for name, end := range map[string]string{
		"unfollowed":            "DELETE FROM follows WHERE query = 'coffee'",
		"suspended":             "UPDATE follows SET state = 'suspended' WHERE query = 'coffee'",
		"its articles are gone": "",
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, h *house) {
				s := h.replica(grouped)
				h.library.add("tea", "coffee", "cocoa")
				h.everyTopic(1, "tea", "coffee", "cocoa")
				h.plan(s)
				if end != "" {
					h.exec(end)
				} else {
					h.library.withdraw(2)
				}
				h.deliver(s)
				h.wantStates("cancelled 1, sent 2")
				if diff := cmp.Diff([]string{"1: Article 1, Article 3"}, h.platform.received()); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
			})
		})
	}
}

// The publisher cancels one of a message's topics, or another replica takes it,
// between claim and commit: the others go out without it, once.
func TestATopicThatIsLostBeforeTheCommit(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var once sync.Once
		lost := &slowArticles{library: h.library, do: func() {
			once.Do(func() {
				h.exec("UPDATE deliveries SET state = 'cancelled', claim = '' WHERE follow = (SELECT id FROM follows WHERE query = 'coffee')")
			})
		}}
		s := h.replica(grouped, func(c *scheduler.Config) { c.Articles = lost })
		h.library.add("tea", "coffee", "cocoa")
		h.everyTopic(1, "tea", "coffee", "cocoa")
		h.plan(s)
		h.deliver(s)
		h.wantStates("cancelled 1, sent 2")
		if diff := cmp.Diff([]string{"1: Article 1, Article 3"}, h.platform.received()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

// The reader stops a topic while its message waits for its turn.
func TestATopicThatIsStoppedBeforeTheCommit(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var once sync.Once
		stopped := &slowArticles{library: h.library, do: func() {
			once.Do(func() { h.exec("DELETE FROM follows WHERE query = 'coffee' OR chat = '2'") })
		}}
		s := h.replica(grouped, func(c *scheduler.Config) { c.Articles = stopped })
		h.library.add("tea", "coffee", "cocoa")
		h.everyTopic(2, "tea", "coffee", "cocoa")
		h.plan(s)
		h.deliver(s)
		if diff := cmp.Diff([]string{"1: Article 1, Article 3"}, h.platform.received()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		h.wantStates("claimed 4, sent 2")
		h.exec("UPDATE deliveries SET lease_until = 1 WHERE state = 'claimed'")
		if _, err := s.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		h.deliver(s)
		h.wantStates("cancelled 4, sent 2")
	})
}

// A late answer is what its reader waits for: it comes alone and first.
func TestLateAnswersStayAlone(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica(grouped, func(c *scheduler.Config) { c.Channels[0].Workers = 1 })
		h.library.add("tea", "coffee")
		h.everyTopic(1, "tea", "coffee")
		h.plan(s)
		for _, text := range []string{"first", "second"} {
			if err := s.Late(t.Context(), bot.ChatID{Channel: "tg", ID: "1"}, bot.Reply{Lang: "en", Text: text}); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		h.platform.answer = func(_ context.Context, o bot.Outgoing, _ int) (bot.Receipt, error) {
			got = append(got, fmt.Sprint(o.Reply.Text, " ", o.Answer, " ", o.Key))
			return bot.Receipt{}, nil
		}
		h.deliver(s)
		if len(got) != 3 || !strings.HasPrefix(got[0], "first true") || !strings.HasPrefix(got[1], "second true") || !strings.Contains(got[2], "tea, coffee · 2 new articles false") {
			t.Errorf("sent %q", got)
		}
		h.wantStates("sent 4")
	})
}

// A chat with more topics than one message holds gets several; and however large
// they are, no more rows are in doubt than one commit may hold.
func TestAChatWithVeryManyTopics(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var most, messages atomic.Int64
		var mu sync.Mutex
		h.platform.answer = func(context.Context, bot.Outgoing, int) (bot.Receipt, error) {
			mu.Lock()
			defer mu.Unlock()
			messages.Add(1)
			if n := h.int("SELECT COUNT(*) FROM deliveries WHERE state = 'sending'"); n > most.Load() {
				most.Store(n)
			}
			return bot.Receipt{}, nil
		}
		s := h.replica(grouped)
		var topics []string
		for i := range 100 {
			topics = append(topics, fmt.Sprintf("topic-%02d", i))
		}
		h.library.add(strings.Join(topics, " "))
		h.everyTopic(3, topics...)
		h.plan(s)
		h.deliver(s)
		h.wantStates("sent 300")
		if n := messages.Load(); n != 3*4 {
			t.Errorf("%d messages, want 4 for each chat", n)
		}
		if n := most.Load(); n > 64 || n < 32 {
			t.Errorf("%d rows in doubt at once, want up to 64", n)
		}
	})
}

// A process that ends in the middle of a message leaves all its topics in doubt:
// nothing is doubled, nothing lost silently.
func TestACrashInTheMiddleOfAMessage(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica(grouped, func(c *scheduler.Config) { c.Grace = time.Nanosecond })
		h.library.add("tea", "coffee", "cocoa")
		h.everyTopic(2, "tea", "coffee", "cocoa")
		h.plan(s)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		h.platform.answer = func(ctx context.Context, o bot.Outgoing, _ int) (bot.Receipt, error) {
			// The process dies while this is under way: nothing is settled any more.
			h.exec("UPDATE deliveries SET lease_until = 1")
			h.exec("UPDATE deliveries SET claim = 'dead' WHERE state = 'sending'")
			cancel()
			return bot.Receipt{}, nil
		}
		if err := s.Deliverer.Run(ctx); err != nil {
			t.Fatal(err)
		}
		tried := len(h.platform.tries)
		got, err := s.Recover(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got.Unknown != int64(3*tried) {
			t.Errorf("%d rows are in doubt after %d messages of three topics", got.Unknown, tried)
		}
		h.platform.answer = nil
		h.deliver(h.replica(grouped))
		h.wantStates(strings.TrimPrefix(strings.TrimPrefix(fmt.Sprintf("sent %d, unknown %d", 6-3*tried, 3*tried), "sent 0, "), ", "))
		for chat, n := range h.platform.tries {
			if n != 1 {
				t.Errorf("chat %s was written to %d times", chat, n)
			}
		}
	})
}

func TestTwoReplicasGroupEachMessageOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		a, b := h.replica(grouped), h.replica(grouped)
		h.library.add("tea coffee")
		h.everyTopic(400, "tea", "coffee")
		h.plan(a)
		var all sync.WaitGroup
		for _, s := range []*scheduler.Scheduler{a, b, a, b} {
			all.Go(func() {
				if _, err := s.Deliver(context.Background()); err != nil && !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		h.deliver(a)
		h.wantStates("sent 800")
		// Where two replicas meet in the middle of a chat, its topics come apart:
		// never is one sent twice.
		messages, articles := 0, 0
		for _, n := range h.platform.tries {
			messages += n
		}
		for _, o := range h.platform.got {
			articles += len(o.Articles)
		}
		if messages > 410 || len(h.platform.tries) != 400 {
			t.Errorf("%d messages to %d chats, want about one each", messages, len(h.platform.tries))
		}
		if n := h.int("SELECT COUNT(*) FROM deliveries WHERE attempt <> 1"); n != 0 {
			t.Errorf("%d deliveries were tried more than once", n)
		}
	})
}

func TestDigestsAreSilentAtNightAndAnswersAreNot(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var asked atomic.Int64
		s := h.replica(grouped, func(c *scheduler.Config) {
			c.Silent = func(_ context.Context, chats []bot.ChatID, at time.Time) (map[bot.ChatID]bool, error) {
				asked.Add(1)
				if !at.Equal(h.clock()) {
					t.Errorf("asked for %s, want now", at)
				}
				return map[bot.ChatID]bool{{Channel: "tg", ID: "1"}: true, {Channel: "tg", ID: "3"}: true}, nil
			}
		})
		h.library.add("tea", "coffee")
		h.everyTopic(2, "tea", "coffee")
		h.plan(s)
		if err := s.Late(t.Context(), bot.ChatID{Channel: "tg", ID: "3"}, bot.Reply{Lang: "en", Text: "late"}); err != nil {
			t.Fatal(err)
		}
		h.deliver(s)
		got := map[string]bool{}
		for _, o := range h.platform.got {
			got[o.To.ID] = o.Silent
		}
		if diff := cmp.Diff(map[string]bool{"1": true, "2": false, "3": false}, got); diff != "" {
			t.Errorf("silent (-want +got):\n%s", diff)
		}
		if n := asked.Load(); n != 1 {
			t.Errorf("%d questions for one wave", n)
		}
	})
}

// Where it cannot be told whether a reader sleeps, nothing is sent yet.
func TestQuietHoursThatCannotBeRead(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		broken := true
		s := h.replica(func(c *scheduler.Config) {
			c.Silent = func(context.Context, []bot.ChatID, time.Time) (map[bot.ChatID]bool, error) {
				if broken {
					return nil, errBroken
				}
				return nil, nil
			}
		})
		h.planned(s, 2)
		if _, err := s.Deliver(t.Context()); !errors.Is(err, errBroken) {
			t.Errorf("delivering ended with %v", err)
		}
		h.wantStates("planned 2")
		broken = false
		h.deliver(s)
		h.wantStates("sent 2")
	})
}

// A full page of follows brings along what else is due for its chats, and nothing
// that is not.
func TestWhatIsNotDueDoesNotComeAlong(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		const readers = 1000
		h.library.add("tea coffee")
		h.exec(`INSERT INTO follows (channel, chat, topic, query, lang, spec, zone, next_due_at, since_seq, created_at)
			WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
			SELECT 'tg', CAST(i AS TEXT), 'tea', 'tea', 'en', '0 8 * * *', 'UTC', CAST(? AS BIGINT), 0, 0 FROM n`, readers, monday.UnixMilli())
		due := h.follow("7", "coffee", "0 8 * * *", "UTC", monday)
		later := h.follow("7", "te", "0 9 * * *", "UTC", monday.Add(time.Hour))
		paused := h.follow("8", "coffee", "0 8 * * *", "UTC", monday.AddDate(0, 0, 7))
		if tick := h.plan(h.replica(grouped)); tick.Due != readers+1 || tick.Planned != readers+1 {
			t.Errorf("%+v, want %d due and planned", tick, readers+1)
		}
		if n := h.int("SELECT COUNT(*) FROM follows WHERE id IN (?, ?) AND last_slot = '' AND since_seq = 0", later, paused); n != 2 {
			t.Errorf("%d of the two that are not due are as they were", n)
		}
		if n := h.int("SELECT COUNT(*) FROM deliveries WHERE follow = ?", due); n != 1 {
			t.Errorf("%d deliveries of the other follow that is due", n)
		}
	})
}
