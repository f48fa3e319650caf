package scheduler_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"newsie/bot"
	"newsie/content"
	"newsie/scheduler"
)

// pins has the scheduler find articles pinned, as far as a channel serves them.
func pins(h *house, ids ...int64) func(*scheduler.Config) {
	return func(c *scheduler.Config) {
		c.Pinned = func(ctx context.Context, within content.Filter) ([]content.Article, error) {
			if len(within.Sources) > 0 {
				return nil, nil
			}
			list, err := h.library.Articles(ctx, ids)
			for i := range list {
				list[i].Title = "Pinned " + list[i].Title
			}
			return list, err
		}
	}
}

func TestDigestsBeginWithThePinnedArticle(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica(pins(h, 1), func(c *scheduler.Config) {
			c.Channels[0].Grouped = true
			c.Channels = append(c.Channels, scheduler.Channel{Name: "part", Sender: h.platform, Within: content.Filter{Sources: []string{"tea"}}})
		})
		h.library.add("old", "tea", "coffee", "tea")
		h.follow("one", "tea", "0 8 * * *", "UTC", monday)
		h.follow("two", "tea", "0 8 * * *", "UTC", monday)
		h.follow("two", "coffee", "0 8 * * *", "UTC", monday)
		h.follow("new", "old", "0 8 * * *", "UTC", monday) // it is what is new, too
		h.follow("nothing", "zebra", "0 8 * * *", "UTC", monday)
		h.follow("part", "tea", "0 8 * * *", "UTC", monday)
		h.exec("UPDATE follows SET channel = 'part' WHERE chat = 'part'")
		h.plan(s)
		h.deliver(s)
		want := []string{
			"new: Pinned Article 1", "one: Pinned Article 1, Article 4, Article 2", "part: Article 4, Article 2",
			"two: Pinned Article 1, Article 4, Article 3, Article 2",
		}
		got := h.platform.received()
		if diff := cmp.Diff(want[:3], got[:3]); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		for _, o := range h.platform.got {
			switch o.To.ID {
			case "one":
				if o.Reply.Text != "Your digest: tea · 2 new articles" {
					t.Errorf("the title counts what is pinned: %q", o.Reply.Text)
				}
			case "two":
				if got := shape(o.Reply); got != "Your digest: tea, coffee · 3 new articles\nPinned: 1.1\ntea: 2.4 3.2\ncoffee: 4.3\n[Change the time → /when]\n[Stop one of them → /unfollow]" {
					t.Errorf("of two topics: %s", got)
				}
			}
		}
		// Withdrawn it vanishes; until the next digest nothing is kept of it.
		h.library.add("tea")
		h.library.withdraw(1)
		h.platform.got = nil
		h.pass(24 * time.Hour)
		h.plan(s)
		h.deliver(s)
		if diff := cmp.Diff([]string{"one: Article 5", "part: Article 5", "two: Article 5"}, h.platform.received()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

func TestPostsHaveRoomForWhatIsNew(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for most, want := range map[int]string{1: "tea · 2 new articles\n: 0.4\n[and 1 more → https://news.example.org/]", 2: "tea · 2 new articles\n: 0.1 0.4\n[and 1 more → https://news.example.org/]"} {
			t.Run(fmt.Sprint(most), func(t *testing.T) {
				h.exec("DELETE FROM follows")
				h.library.articles, h.library.seq, h.platform.got = nil, 0, nil
				s := h.replica(posts(map[string]int{"tea": most}), pins(h, 1, 2))
				h.library.add("old", "older", "tea", "tea")
				h.follow("*@news", "tea", "0 8 * * *", "UTC", monday)
				h.plan(s)
				h.deliver(s)
				if len(h.platform.got) != 1 {
					t.Fatalf("%d posts", len(h.platform.got))
				}
				if got := shape(h.platform.got[0].Reply); got != want {
					t.Errorf("got %s, want %s", got, want)
				}
			})
		}
	})
}

func TestSendsHaveNoPins(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica(pins(h, 1))
		h.library.add("old", "tea")
		h.follow("1", "tea", "0 8 * * *", "UTC", distant)
		h.launch(everyone, "", 2)
		h.planSends(s)
		h.deliver(s)
		now, err := s.Now(t.Context(), bot.ChatID{Channel: "tg", ID: "1"}, "en")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"1: Article 2"}, h.platform.received()); diff != "" || titles(now) != "Pinned Article 1, Article 2" {
			t.Errorf("on demand: %s; sent (-want +got):\n%s", titles(now), diff)
		}
	})
}
