package scheduler_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"newsie/bot"
	"newsie/scheduler"
)

// posts lets the channel post to places, so many articles of each topic.
func posts(most map[string]int) func(*scheduler.Config) {
	return func(c *scheduler.Config) {
		c.Pages = "https://news.example.org/"
		c.Channels[0].Grouped, c.Channels[0].Shown = true, 10
		c.Channels[0].Most = func(_ bot.ChatID, query string) int { return most[query] }
	}
}

func TestAPostShowsWhatAllMaySee(t *testing.T) {
	for name, test := range map[string]struct {
		topics string
		most   int
		add    int
		want   string
	}{
		"a topic": {"tea", 3, 5, `tea · 5 new articles
: 0.5 0.4 0.3
[and 2 more → https://news.example.org/]`},
		"everything":            {"*", 10, 1, "1 new article\n: 0.1"},
		"no more than there is": {"tea", 3, 3, "tea · 3 new articles\n: 0.3 0.2 0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, h *house) {
				s := h.replica(posts(map[string]int{test.topics: test.most}))
				for range test.add {
					h.library.add("tea *")
				}
				h.follow("*@news", test.topics, "0 8 * * *", "UTC", monday)
				h.plan(s)
				h.deliver(s)
				if len(h.platform.got) != 1 {
					t.Fatalf("%d posts", len(h.platform.got))
				}
				if diff := cmp.Diff(test.want, shape(h.platform.got[0].Reply)); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
				if len(h.lists.made) != 0 {
					t.Errorf("a list that nobody can refer to: %v", h.lists.made)
				}
			})
		})
	}
}

func TestTopicsOfOnePlaceAreOnePost(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica(posts(map[string]int{"tea": 2, "coffee": 4}))
		h.library.add("tea", "tea", "tea", "coffee", "coffee tea")
		h.follow("*@news", "tea", "0 8 * * *", "UTC", monday)
		h.follow("*@news", "coffee", "0 8 * * *", "UTC", monday)
		h.follow("*-100:5", "coffee", "0 8 * * *", "UTC", monday)
		h.plan(s)
		h.deliver(s)
		got := map[string]string{}
		for _, o := range h.platform.got {
			got[o.To.ID] = shape(o.Reply)
		}
		want := map[string]string{
			"*@news":  "5 new articles\ntea: 0.5 0.3\ncoffee: 0.4\n[and 2 more → https://news.example.org/]",
			"*-100:5": "coffee · 2 new articles\n: 0.5 0.4",
		}
		if diff := cmp.Diff(want, got); diff != "" || len(h.platform.got) != 2 {
			t.Errorf("%d posts (-want +got):\n%s", len(h.platform.got), diff)
		}
		h.wantStates("sent 3")
	})
}

// A channel that is not reached has no button to nowhere.
func TestAPostWithoutPublicPages(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica(posts(map[string]int{"tea": 1}), func(c *scheduler.Config) { c.Pages = "" })
		h.library.add("tea", "tea")
		id := h.follow("*@news", "tea", "0 8 * * *", "UTC", monday)
		want := "tea · 2 new articles\n: 0.2"
		if preview, err := s.PreviewFollow(t.Context(), id); err != nil || shape(preview) != want {
			t.Errorf("the preview is %s (%v)", shape(preview), err)
		}
		h.plan(s)
		h.deliver(s)
		if got := shape(h.platform.got[0].Reply); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// A place that does not take posts fails, and whoever looks after it hears why,
// under one key however often.
func TestAPlaceThatRefusesPosts(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var told []string
		s := h.replica(posts(map[string]int{"tea": 10}), func(c *scheduler.Config) {
			c.Notify = notes(&told)
		})
		h.library.add("tea")
		h.follow("*@news", "tea", "0 8 * * *", "UTC", monday)
		h.platform.answer = fail(fmt.Errorf("%w: bot is not a member; make it one", bot.ErrGone))
		h.plan(s)
		h.deliver(s)
		h.library.add("tea")
		h.pass(24 * time.Hour)
		h.plan(s)
		h.deliver(s)
		h.wantStates("failed 2")
		if n := h.int("SELECT COUNT(*) FROM follows WHERE state = 'active'"); n != 1 {
			t.Error("its schedule is suspended")
		}
		if len(slices.Compact(told)) != 1 || !strings.Contains(told[0], "could not post to @news: ") || !strings.Contains(told[0], "make it one") {
			t.Errorf("told %q", told)
		}
	})
}

// A group that became a supergroup: the post goes to its new id, also the next,
// and the publisher is told to write that down.
func TestAPlaceThatMoved(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var told []string
		s := h.replica(posts(map[string]int{"tea": 10}), func(c *scheduler.Config) {
			c.Notify = notes(&told)
		})
		h.library.add("tea")
		h.follow("*-5", "tea", "0 8 * * *", "UTC", monday)
		h.platform.answer = failOnce(&bot.MovedError{To: bot.ChatID{Channel: "tg", ID: "*-1005"}})
		h.platform.tries = map[string]int{"*-1005": 1}
		h.plan(s)
		h.deliver(s)
		h.wantStates("sent 1")
		if got := h.text("SELECT chat FROM follows"); got != "*-1005" {
			t.Errorf("the schedule is of %s", got)
		}
		if len(told) != 1 || !strings.Contains(told[0], "posts to -5, which is now -1005") {
			t.Errorf("told %q", told)
		}
	})
}

// Many subscribers are written to at once: one 429 is everybody's, and the post
// waits just as long.
func TestAPostThatIsToldToWait(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.platform.buckets = func(bot.ChatID) []bot.Bucket { return []bot.Bucket{{Name: "tg", PerSecond: 30, Burst: 30}} }
		s := h.replica(posts(map[string]int{"tea": 10}), func(c *scheduler.Config) { c.Pacer = bot.NewPacer(c.DB, h.clock) })
		h.library.add("tea")
		h.follow("*@news", "tea", "0 8 * * *", "UTC", monday)
		h.platform.answer = failOnce(&bot.RetryError{After: 17 * time.Second, All: true, Err: errBroken})
		h.plan(s)
		h.deliver(s)
		h.wantStates("planned 1")
		until := monday.Add(17 * time.Second)
		if got := time.UnixMilli(h.int("SELECT due_at FROM deliveries")); !got.Equal(until) {
			t.Errorf("due %s, want %s", got, until)
		}
		if got := time.UnixMicro(h.int("SELECT free_at FROM buckets")); got.Before(until) {
			t.Errorf("the channel's bucket is free at %s, before %s", got, until)
		}
		h.set(until)
		h.deliver(s)
		h.wantStates("sent 1")
	})
}
