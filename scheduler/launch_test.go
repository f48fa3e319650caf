package scheduler_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"newsie/bot"
	"newsie/scheduler"
)

func (h *house) launches() *scheduler.Launches { return scheduler.NewLaunches(h.db, h.clock) }

// launch keeps a send that starts now.
func (h *house) launch(to scheduler.Audience, note string, articles ...int64) int64 {
	h.t.Helper()
	id, err := h.launches().Add(context.Background(), articles, note, to, h.clock())
	if err != nil {
		h.t.Fatal(err)
	}
	return id
}

func (h *house) planSends(s *scheduler.Scheduler) int {
	h.t.Helper()
	n, err := s.PlanSends(context.Background())
	if err != nil {
		h.t.Fatal(err)
	}
	return n
}

func (h *house) sends() scheduler.Launch {
	h.t.Helper()
	list, err := h.launches().List(context.Background(), 1)
	if err != nil || len(list) != 1 {
		h.t.Fatal(list, err)
	}
	return list[0]
}

var (
	everyone = scheduler.Audience{Kind: scheduler.ToEveryone}
	distant  = monday.AddDate(1, 0, 0) // no digest comes in between
)

// crowd has many chats follow two topics each.
func (h *house) crowd(n int) {
	h.t.Helper()
	var rows []string
	for i := range n {
		for _, topic := range []string{"tea", "coffee"} {
			rows = append(rows, fmt.Sprintf("('tg', '%04d', '%s', '%s', 'en', '0 8 * * *', 'UTC', %d, 0, 0)", i, topic, topic, distant.UnixMilli()))
		}
	}
	h.exec("INSERT INTO follows (channel, chat, topic, query, lang, spec, zone, next_due_at, since_seq, created_at) VALUES " + strings.Join(rows, ", "))
}

func TestASendReachesEachChatOnceInItsLanguage(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		h.library.add("tea", "coffee", "news")
		h.crowd(1234)
		h.exec("UPDATE follows SET lang = 'it' WHERE chat LIKE '%1'")
		// The reader chose a language since.
		h.exec("INSERT INTO chats (channel, id, lang, since) VALUES ('tg', '0001', 'zh-Hans', 0)")
		h.launch(everyone, "", 3, 1)
		if n := h.planSends(s); n != 1234 {
			t.Errorf("%d chats planned, want 1234", n)
		}
		if n := h.planSends(s); n != 0 {
			t.Errorf("%d chats planned again", n)
		}
		got := h.text("SELECT " + h.joined("l", " ") + " FROM (SELECT e.lang || ':' || COUNT(*) AS l FROM editions e JOIN deliveries d ON d.edition = e.id WHERE e.kind = 'send' GROUP BY e.lang ORDER BY e.lang) x")
		if got != "en:1110 it:123 zh-Hans:1" {
			t.Errorf("by language: %s", got)
		}
		h.deliver(s)
		seen := map[string]string{}
		for _, o := range h.platform.got {
			if seen[o.To.ID] != "" {
				t.Fatalf("%s got it twice", o.To.ID)
			}
			seen[o.To.ID] = o.Reply.Text + ": " + titles(o.Reply)
		}
		for chat, want := range map[string]string{
			"0002": "2 articles chosen for you: Article 3, Article 1", "0011": "2 articoli scelti per te: Article 3, Article 1", "0001": "为你精选的 2 篇文章: Article 3, Article 1",
		} {
			if seen[chat] != want {
				t.Errorf("%s got %q, want %q", chat, seen[chat], want)
			}
		}
		if l := h.sends(); l.State != scheduler.SendPlanned || l.Chats != 1234 || l.Sent != 1234 || l.Left != 0 {
			t.Errorf("the send: %+v", l)
		}
	})
}

func TestWhomASendIsFor(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		blog := scheduler.Channel{Name: "blog", Sender: h.platform}
		s := h.replica(func(c *scheduler.Config) { c.Channels = append(c.Channels, blog) })
		h.library.add("tea")
		for _, chat := range []string{"active", "stopped", "gone", "resting", "ended", "*@news", "*-100:5", "*2"} {
			h.follow(chat, "tea", "0 8 * * *", "UTC", distant)
		}
		h.follow("other", "coffee", "0 8 * * *", "UTC", distant)
		h.follow("blogger", "tea", "0 8 * * *", "UTC", distant)
		h.exec("UPDATE follows SET channel = 'blog' WHERE chat = 'blogger'")
		h.exec("UPDATE follows SET paused_until = ? WHERE chat = 'resting'", distant.UnixMilli())
		h.exec("UPDATE follows SET state = 'suspended' WHERE chat = 'ended'")
		h.exec("INSERT INTO chats (channel, id, state, since) VALUES ('tg', 'stopped', 'stopped', 0), ('tg', 'gone', 'suspended', 0)")
		for _, test := range []struct {
			to    scheduler.Audience
			want  []string
			reach map[string]int64
		}{
			{everyone, []string{"active", "blogger", "other"}, map[string]int64{"tg": 2, "blog": 1}},
			{scheduler.Audience{Kind: scheduler.ToChannel, Name: "blog"}, []string{"blogger"}, map[string]int64{"blog": 1}},
			{scheduler.Audience{Kind: scheduler.ToChannel, Name: "tg"}, []string{"*-100:5", "*@news", "active", "other"}, map[string]int64{"tg": 4}},
			{scheduler.Audience{Kind: scheduler.ToPlace, Name: "@News"}, []string{"*@news"}, map[string]int64{"tg": 1}},
			{scheduler.Audience{Kind: scheduler.ToTopic, Name: "tea"}, []string{"active", "blogger"}, map[string]int64{"tg": 1, "blog": 1}},
			{scheduler.Audience{Kind: scheduler.ToTopic, Name: "te"}, nil, map[string]int64{}},
			{scheduler.Audience{Kind: scheduler.ToChannel, Name: "nowhere"}, nil, map[string]int64{}},
		} {
			reach, err := h.launches().Reach(t.Context(), test.to, []string{"tg", "blog"})
			if diff := cmp.Diff(test.reach, reach); err != nil || diff != "" {
				t.Errorf("the reach of %s (%v) (-want +got):\n%s", test.to, err, diff)
			}
			h.platform.got = nil
			h.launch(test.to, "A word", 1)
			h.planSends(s)
			h.deliver(s)
			var got []string
			for _, o := range h.platform.got {
				got = append(got, o.To.ID)
				if o.Reply.Text != "A word" || titles(o.Reply) != "Article 1" {
					t.Errorf("%s got %q: %s", o.To.ID, o.Reply.Text, titles(o.Reply))
				}
			}
			slices.Sort(got)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.to, diff)
			}
		}
	})
}

func TestASendWaitsForItsTime(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		h.library.add("tea")
		h.crowd(1)
		if _, err := h.launches().Add(t.Context(), []int64{1}, "", everyone, monday.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		h.pass(time.Hour - time.Millisecond)
		if n := h.planSends(s); n != 0 {
			t.Errorf("%d planned too early", n)
		}
		h.pass(time.Millisecond)
		if n := h.planSends(s); n != 1 {
			t.Errorf("%d planned, want 1", n)
		}
	})
}

// Several replicas, of which some fail in the middle, plan each chat once.
func TestASendIsPlannedOnceByManyReplicas(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.library.add("tea")
		h.crowd(2100)
		h.launch(everyone, "", 1)
		h.launch(scheduler.Audience{Kind: scheduler.ToTopic, Name: "tea"}, "", 1)
		replicas := []*scheduler.Scheduler{h.replica(), h.replica(), h.replica()}
		// One is broken off after its first transactions.
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var all sync.WaitGroup
		for i, s := range replicas {
			all.Go(func() {
				if i > 0 {
					_, err := s.PlanSends(t.Context())
					if err != nil {
						t.Error(err)
					}
					return
				}
				cancel()
				if _, err := s.PlanSends(ctx); err != nil && !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		h.planSends(replicas[0])
		if n := h.int("SELECT COUNT(*) FROM deliveries"); n != 4200 {
			t.Errorf("%d deliveries, want 4200", n)
		}
		if n := h.int("SELECT COUNT(*) FROM sends WHERE state = 'planned' AND planned = 2100"); n != 2 {
			t.Errorf("%d sends are planned whole, want 2", n)
		}
	})
}

// What fails in the middle of a batch leaves nothing of the batch, and is gone
// on with where it was.
func TestASendGoesOnWhereItWas(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		h.library.add("tea")
		h.crowd(1100)
		id := h.launch(everyone, "", 1)
		// As a process leaves it that ended after the first batch.
		h.exec("UPDATE sends SET state = 'planning', planned = 500, done_to = ? WHERE id = ?",
			fmt.Sprintf(`{"channel":"tg","chat":"0499","count":500,"from":%d}`, monday.UnixMilli()), id)
		if n := h.planSends(s); n != 600 {
			t.Errorf("%d planned, want the other 600", n)
		}
		if got := h.text("SELECT MIN(chat) || ' ' || MAX(chat) FROM deliveries"); got != "0500 1099" {
			t.Errorf("planned for %s", got)
		}
		if l := h.sends(); l.Chats != 1100 {
			t.Errorf("%d chats, want 1100", l.Chats)
		}
	})
}

func TestASendIsStoppedWhileItRuns(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		h.library.add("tea")
		h.crowd(40)
		id := h.launch(everyone, "", 1)
		h.planSends(s)
		// Ten have gone out, three of which must come again: the platform said so.
		var mu sync.Mutex
		asked := 0
		h.platform.answer = func(context.Context, bot.Outgoing, int) (bot.Receipt, error) {
			mu.Lock()
			defer mu.Unlock()
			if asked++; asked == 20 {
				launch, cancelled, err := h.launches().Stop(t.Context(), id)
				if err != nil || launch.State != scheduler.SendStopped || cancelled == 0 {
					t.Errorf("stop: %+v, %d cancelled, %v", launch, cancelled, err)
				}
			}
			if asked > 17 {
				return bot.Receipt{}, &bot.RetryError{After: time.Second, Err: errBroken}
			}
			return bot.Receipt{Way: "message"}, nil
		}
		small := h.replica(func(c *scheduler.Config) { c.Channels[0].Workers = 4 })
		h.deliver(small)
		h.pass(time.Hour)
		h.deliver(small)
		l := h.sends()
		if l.Sent != 17 || l.Cancelled != 23 || l.Left != 0 || len(h.platform.got) != 17 {
			t.Errorf("after the stop: %+v, %d arrived", l, len(h.platform.got))
		}
		if n := h.planSends(s); n != 0 {
			t.Errorf("%d planned after the stop", n)
		}
		if _, _, err := h.launches().Stop(t.Context(), id+1); !errors.Is(err, scheduler.ErrNoSend) {
			t.Errorf("stopping another: %v", err)
		}
	})
}

// One that is stopped while its last message is on its way does not come again,
// though the platform tells that message to.
func TestASendIsStoppedAtItsLastMessage(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		h.library.add("tea")
		h.crowd(1)
		id := h.launch(everyone, "", 1)
		h.planSends(s)
		h.platform.answer = func(context.Context, bot.Outgoing, int) (bot.Receipt, error) {
			if launch, cancelled, err := h.launches().Stop(t.Context(), id); err != nil || cancelled != 0 || launch.Left != 1 || launch.State != scheduler.SendStopped {
				t.Errorf("stop: %+v, %d cancelled, %v", launch, cancelled, err)
			}
			return bot.Receipt{}, &bot.RetryError{After: time.Second, Err: errBroken}
		}
		h.deliver(s)
		h.platform.answer = nil
		h.pass(time.Hour)
		h.deliver(s)
		if l := h.sends(); l.State != scheduler.SendStopped || l.Cancelled != 1 || len(h.platform.got) != 0 {
			t.Errorf("after the stop: %+v, %d arrived", l, len(h.platform.got))
		}
	})
}

func TestAStoppedSendIsNotPlannedAnyFurther(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		h.library.add("tea")
		h.crowd(3)
		id := h.launch(everyone, "", 1)
		if launch, cancelled, err := h.launches().Stop(t.Context(), id); err != nil || cancelled != 0 || launch.State != scheduler.SendStopped {
			t.Errorf("%+v %d %v", launch, cancelled, err)
		}
		if n := h.planSends(s); n != 0 {
			t.Errorf("%d planned", n)
		}
		// One that went out cannot be stopped.
		id = h.launch(everyone, "", 1)
		h.planSends(s)
		h.deliver(s)
		if launch, _, err := h.launches().Stop(t.Context(), id); err != nil || launch.State != scheduler.SendPlanned || launch.Sent != 3 {
			t.Errorf("%+v %v", launch, err)
		}
	})
}

func TestASendIsAMessageOfItsOwn(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		night := func(_ context.Context, chats []bot.ChatID, _ time.Time) (map[bot.ChatID]bool, error) {
			silent := map[bot.ChatID]bool{}
			for _, c := range chats {
				silent[c] = true
			}
			return silent, nil
		}
		s := h.replica(func(c *scheduler.Config) { c.Channels[0].Grouped, c.Silent = true, night })
		h.library.add("tea", "coffee", "tea", "news")
		h.follow("1", "tea", "0 8 * * *", "UTC", monday)
		h.follow("1", "coffee", "0 8 * * *", "UTC", monday)
		h.plan(s)
		h.launch(everyone, "The whole story", 4)
		h.planSends(s)
		h.deliver(s)
		if diff := cmp.Diff([]string{"1: Article 3, Article 1, Article 2", "1: Article 4"}, h.platform.received()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		for _, o := range h.platform.got {
			if !o.Silent {
				t.Errorf("at night with a sound: %s", o.Reply.Text)
			}
		}
	})
}

// What is withdrawn between the send and its delivery is left out; a chat that
// stopped newsie meanwhile gets nothing.
func TestWhatChangesBeforeASendGoesOut(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		h.library.add("a", "b", "c")
		h.crowd(4)
		h.launch(everyone, "", 1, 2)
		h.planSends(s)
		h.library.withdraw(1)
		h.exec("INSERT INTO chats (channel, id, state, since) VALUES ('tg', '0001', 'stopped', 0)")
		h.exec("DELETE FROM follows WHERE chat = '0002'")
		h.deliver(s)
		if diff := cmp.Diff([]string{"0000: Article 2", "0003: Article 2"}, h.platform.received()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		h.launch(everyone, "", 3)
		h.planSends(s)
		h.library.withdraw(3)
		h.deliver(s)
		h.wantStates("cancelled 4, sent 2")
	})
}

// A send comes due at its channel's rate, so that digests go between.
func TestDigestsGoBetweenALongSend(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.platform.buckets = func(bot.ChatID) []bot.Bucket { return []bot.Bucket{{Name: "all", PerSecond: 10, Burst: 1}} }
		s := h.replica()
		h.library.add("tea")
		h.crowd(1500)
		h.launch(everyone, "", 1)
		h.planSends(s)
		got := h.text(`SELECT ` + h.joined("x", " ") + ` FROM (SELECT ((due_at - ` + fmt.Sprint(monday.UnixMilli()) + `) / 1000) || ':' || COUNT(*) AS x FROM deliveries GROUP BY due_at ORDER BY due_at) y`)
		if got != "0:250 26:250 52:250 78:250 105:250 131:250" {
			t.Errorf("seconds until they are due: %s", got)
		}
	})
}

func TestHowASendStands(t *testing.T) {
	before, after := monday.Add(-time.Minute), monday.Add(time.Minute)
	for _, test := range []struct {
		launch scheduler.Launch
		want   string
	}{
		{scheduler.Launch{State: scheduler.SendWaiting, Starts: after}, "waiting"},
		{scheduler.Launch{State: scheduler.SendWaiting, Starts: before}, "sending"},
		{scheduler.Launch{State: scheduler.SendPlanning, Starts: before, Sent: 3}, "sending"},
		{scheduler.Launch{State: scheduler.SendPlanned, Starts: before, Sent: 3, Left: 1}, "sending"},
		{scheduler.Launch{State: scheduler.SendPlanned, Starts: before, Sent: 3, Unknown: 1, Failed: 1}, "done"},
		{scheduler.Launch{State: scheduler.SendStopped, Starts: after, Left: 1}, "stopped"},
	} {
		if got := test.launch.Standing(monday); got != test.want {
			t.Errorf("%+v is %s, want %s", test.launch, got, test.want)
		}
	}
}
