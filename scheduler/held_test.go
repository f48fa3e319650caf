package scheduler_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"newsie/bot"
	"newsie/scheduler"
)

var one = bot.ChatID{Channel: "tg", ID: "1"}

// held leaves the digests of some topics waiting for chat 1, a day apart.
func (h *house) held(s *scheduler.Scheduler, topics ...string) {
	h.t.Helper()
	h.platform.answer = fail(bot.ErrNotNow)
	for _, topic := range topics {
		h.library.add(topic, topic)
		h.follow("1", topic, "0 8 * * *", "UTC", h.clock())
		h.plan(s)
		h.deliver(s)
		h.pass(24 * time.Hour)
	}
}

func TestWhatWaitedComesWithTheNextAnswer(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		h.held(s, "tea", "coffee")
		h.wantStates("held 2")
		answer := bot.Reply{Lang: "en", Text: "Found 1", Groups: []bot.Group{{Cards: []bot.Card{{Number: 1, Title: "Answer"}}}}}
		got, err := s.Held(t.Context(), one, answer)
		if err != nil {
			t.Fatal(err)
		}
		want := bot.Reply{Lang: "en", Text: "Found 1", Ahead: 1, Groups: []bot.Group{
			{Heading: "4 new articles since Monday: coffee, tea", Cards: []bot.Card{
				{Article: 4, Title: "Article 4", Open: "/read 4"}, {Article: 3, Title: "Article 3", Open: "/read 3"},
				{Article: 2, Title: "Article 2", Open: "/read 2"}, {Article: 1, Title: "Article 1", Open: "/read 1"},
			}},
			{Cards: []bot.Card{{Number: 1, Title: "Answer"}}},
		}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		h.wantStates("sent 2")
		if n := h.int("SELECT COUNT(*) FROM deliveries WHERE way = 'held'"); n != 2 {
			t.Errorf("%d went the way held, want 2", n)
		}
		got, err = s.Held(t.Context(), one, answer)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(answer, got); diff != "" {
			t.Errorf("the second answer (-want +got):\n%s", diff)
		}
	})
}

func TestTwoReplicasHandOverOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		replicas := []*scheduler.Scheduler{h.replica(), h.replica()}
		h.held(replicas[0], "tea", "coffee", "milk")
		var all sync.WaitGroup
		var mu sync.Mutex
		seen := map[int64]int{}
		for i := range 8 {
			all.Go(func() {
				r, err := replicas[i%2].Held(context.Background(), one, bot.Reply{Lang: "en"})
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				for _, g := range r.Groups {
					for _, c := range g.Cards {
						seen[c.Article]++
					}
				}
			})
		}
		all.Wait()
		want := map[int64]int{2: 1, 3: 1, 4: 1, 5: 1, 6: 1}
		if diff := cmp.Diff(want, seen); diff != "" {
			t.Errorf("articles shown (-want +got):\n%s", diff)
		}
		h.wantStates("sent 3")
	})
}

func TestWithdrawnArticlesAreNotHandedOver(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		h.held(s, "tea")
		h.library.withdraw(1)
		h.library.withdraw(2)
		answer := bot.Reply{Lang: "en", Text: "Hello"}
		got, err := s.Held(t.Context(), one, answer)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(answer, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

func TestALateAnswer(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica(func(c *scheduler.Config) { c.Channels[0].Workers = 1 })
		h.planned(s, 3)
		late := bot.Reply{Lang: "en", Text: "Found 1", Groups: []bot.Group{{Cards: []bot.Card{{Number: 1, Article: 1, Title: "Late"}}}}}
		if err := s.Late(t.Context(), bot.ChatID{Channel: "tg", ID: "9"}, late); err != nil {
			t.Fatal(err)
		}
		var order []string
		h.platform.answer = func(_ context.Context, o bot.Outgoing, _ int) (bot.Receipt, error) {
			order = append(order, o.To.ID)
			return bot.Receipt{}, nil
		}
		h.deliver(s)
		if order[0] != "9" {
			t.Errorf("the order was %v, want the answer first", order)
		}
		for _, o := range h.platform.got {
			if o.To.ID == "9" && cmp.Diff(late, o.Reply) != "" {
				t.Errorf("the late answer changed: %s", cmp.Diff(late, o.Reply))
			}
			if o.Answer != (o.To.ID == "9") {
				t.Errorf("the message to %s is an answer: %v", o.To.ID, o.Answer)
			}
		}
		// Where nothing can be pushed it waits for the next message.
		h.platform.answer = fail(bot.ErrNotNow)
		if err := s.Late(t.Context(), one, late); err != nil {
			t.Fatal(err)
		}
		h.deliver(s)
		got, err := s.Held(t.Context(), one, bot.Reply{Lang: "en", Text: "Hello"})
		if err != nil {
			t.Fatal(err)
		}
		want := bot.Reply{Lang: "en", Text: "Hello", Ahead: 1, Groups: []bot.Group{{Heading: "Found 1", Cards: []bot.Card{{Article: 1, Title: "Late"}}}}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

func TestWhatIsHeldIsNotSentButHandedOver(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		if err := s.Hold(t.Context(), one, bot.Reply{Lang: "en", Text: "You should know"}); err != nil {
			t.Fatal(err)
		}
		h.deliver(s)
		if len(h.platform.got) != 0 {
			t.Errorf("%d messages were sent", len(h.platform.got))
		}
		for _, want := range []string{"You should know\nHello", "Hello"} {
			got, err := s.Held(t.Context(), one, bot.Reply{Lang: "en", Text: "Hello"})
			if err != nil {
				t.Fatal(err)
			}
			if got.Text != want {
				t.Errorf("got %q, want %q", got.Text, want)
			}
		}
	})
}

func TestDigestNow(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		ask := func() bot.Reply {
			t.Helper()
			r, err := s.Now(t.Context(), one, "en")
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		if got := ask().Text; got != "You follow nothing yet. Type “follow” and a topic, for example: follow health daily 8:00" {
			t.Errorf("without follows: %q", got)
		}
		h.follow("1", "tea", "0 8 * * *", "Europe/Rome", monday)
		h.follow("1", "coffee", "0 9 * * *", "Europe/Rome", monday.Add(time.Hour))
		want := "Nothing new for you right now.\nNext digest: tea, 4 May 2026, 10:00."
		if got := ask().Text; got != want {
			t.Errorf("nothing new: %q, want %q", got, want)
		}
		h.library.add("tea", "tea coffee", "coffee")
		got := ask()
		if got.Text != "3 new articles for you\nNext digest: tea, 4 May 2026, 10:00." {
			t.Errorf("text %q", got.Text)
		}
		groups := []bot.Group{
			{Heading: "tea", Cards: []bot.Card{{Number: 1, Article: 2, Title: "Article 2", Open: "/read 2"}, {Number: 2, Article: 1, Title: "Article 1", Open: "/read 1"}}},
			{Heading: "coffee", Cards: []bot.Card{{Number: 3, Article: 3, Title: "Article 3", Open: "/read 3"}}},
		}
		if diff := cmp.Diff(groups, got.Groups); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		if diff := cmp.Diff([]string{`tg/1 digests [{"topic":"tea","query":"tea","count":2},{"topic":"coffee","query":"coffee","count":1}] [2 1 3] 3`}, h.lists.made); diff != "" {
			t.Errorf("lists (-want +got):\n%s", diff)
		}
		if n := h.int("SELECT COUNT(*) FROM follows WHERE since_seq <> 0"); n != 0 {
			t.Error("asking moved the follows on")
		}
		h.plan(s)
		h.wantStates("planned 1")
	})
}

// What does not fit is a tap away, also what no list holds.
func TestDigestNowHidesNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		h.follow("1", "tea", "0 8 * * *", "UTC", monday)
		for range 53 {
			h.library.add("tea")
		}
		h.library.add("coffee")
		got, err := s.Now(t.Context(), one, "en")
		if err != nil {
			t.Fatal(err)
		}
		want := "53 new articles for you\nNext digest: tea, 4 May 2026, 08:00.\ntea: 1.53 2.52 3.51 4.50 5.49\n[and 48 more → /more 1 2]\n[My follows → /following]"
		if diff := cmp.Diff(want, shape(got)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		if made := h.lists.made[0]; !strings.HasPrefix(made, `tg/1 digests [{"topic":"tea","query":"tea","count":5},{"topic":"tea","query":"tea","count":45,"beyond":3}] [53 52`) {
			t.Errorf("the list is %s", made)
		}
		h.follow("1", "coffee", "0 9 * * *", "UTC", monday.Add(time.Hour))
		if got, err = s.Now(t.Context(), one, "en"); err != nil {
			t.Fatal(err)
		}
		if got := len(got.Groups); got != 2 {
			t.Errorf("%d topics, want both", got)
		}
	})
}

func TestPreview(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		id := h.follow("1", "tea", "0 8 * * *", "UTC", monday)
		h.library.add("tea", "coffee")
		got, err := s.PreviewFollow(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if got.Text != "Your digest: tea · 1 new article" || titles(got) != "Article 1" {
			t.Errorf("got %+v", got)
		}
		if got, err = s.Preview(t.Context(), "milk", "milk", "it", 0, 0); err != nil || got.Text != "Nessuna novità su «milk»." {
			t.Errorf("got %q, %v", got.Text, err)
		}
		if _, err := s.PreviewFollow(t.Context(), 99); !errors.Is(err, scheduler.ErrNoFollow) {
			t.Errorf("an unknown follow: %v", err)
		}
		if n := h.int("SELECT COUNT(*) FROM editions") + int64(len(h.lists.made)); n != 0 {
			t.Error("a preview left something behind")
		}
	})
}

func TestLongDigestsAndTopics(t *testing.T) {
	h := newHouse(t, t.TempDir()+"/newsie.db")
	s := h.replica()
	topic := "电商平台上的社交商务与小程序开店的一切新闻动态与分析报告"
	h.follow("1", topic, "0 8 * * *", "UTC", monday)
	for range 60 {
		h.library.add(topic)
	}
	h.plan(s)
	h.deliver(s)
	r := h.platform.got[0].Reply
	if r.Text != "Your digest: "+topic+" · 60 new articles" || len(r.Groups[0].Cards) != 5 {
		t.Errorf("%q with %d cards", r.Text, len(r.Groups[0].Cards))
	}
	var texts []string
	for _, a := range r.Actions {
		if len(a.Text) > 64 {
			t.Errorf("the action %q has %d bytes", a.Text, len(a.Text))
		}
		texts = append(texts, a.Label+" = "+a.Text)
	}
	want := []string{"and 55 more = /more 1 2", "Change the time = /when 1", "Stop this digest = /unfollow 1"}
	if diff := cmp.Diff(want, texts); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestTheLedgerAnswers(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		h.planned(s, 3)
		h.platform.answer = func(_ context.Context, o bot.Outgoing, _ int) (bot.Receipt, error) {
			switch o.To.ID {
			case "1":
				return bot.Receipt{}, bot.ErrUnknown
			case "2":
				return bot.Receipt{Way: "mass", ProviderID: "job-7", Pending: true}, nil
			}
			return bot.Receipt{}, errors.New("refused\x00by\nthe platform")
		}
		h.deliver(s)
		list := func(f scheduler.Filter) []string {
			t.Helper()
			rows, err := s.List(t.Context(), f, 10)
			if err != nil {
				t.Fatal(err)
			}
			var words []string
			for _, d := range rows {
				words = append(words, fmt.Sprint(d.To, " ", d.State, " ", d.Topic, " ", d.Articles, " ", d.Error))
			}
			return words
		}
		all := []string{
			"tg/3 failed tea [1] refused by the platform", "tg/2 accepted tea [1] ",
			"tg/1 unknown tea [1] it is unknown whether the message went out",
		}
		if diff := cmp.Diff(all, list(scheduler.Filter{})); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		if diff := cmp.Diff(all[2:], list(scheduler.Filter{State: scheduler.Unknown, Channel: "tg", Chat: "1", Article: 1})); diff != "" {
			t.Errorf("filtered (-want +got):\n%s", diff)
		}
		if got := list(scheduler.Filter{Article: 11}); got != nil {
			t.Errorf("another article was in %v", got)
		}
		if err := s.Settle(t.Context(), "tg", "job-7", ""); err != nil {
			t.Fatal(err)
		}
		if n, err := s.Retry(t.Context(), []int64{1, 2, 3}); err != nil || n != 2 {
			t.Errorf("retried %d, %v, want 2", n, err)
		}
		h.platform.answer = nil
		h.deliver(s)
		h.wantStates("sent 3")
		counts, err := s.Counts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]scheduler.Count{{Channel: "tg", State: scheduler.Sent, Count: 3}}, counts); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

func TestCompactAndForget(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		h.planned(s, 5)
		h.deliver(s)
		if err := s.Forget(t.Context(), one); err != nil {
			t.Fatal(err)
		}
		h.wantStates("sent 4")
		h.pass(24 * time.Hour)
		h.library.add("tea")
		h.plan(s)
		if n, err := s.Compact(t.Context(), h.clock().Add(-time.Hour)); err != nil || n != 4 {
			t.Errorf("compacted %d, %v, want 4", n, err)
		}
		h.wantStates("planned 5")
		if n := h.int("SELECT COUNT(*) FROM editions"); n != 1 {
			t.Errorf("%d editions left, want that of what is planned", n)
		}
	})
}

func TestWhatAnotherReplicaHandedOverIsNotShownAgain(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.held(h.replica(), "tea", "coffee")
		s := h.replica(func(c *scheduler.Config) {
			c.Articles = &slowArticles{library: h.library, do: func() { h.exec("UPDATE deliveries SET state = 'sent' WHERE id = 1") }}
		})
		got, err := s.Held(t.Context(), one, bot.Reply{Lang: "en"})
		if err != nil {
			t.Fatal(err)
		}
		if titles(got) != "Article 4, Article 3" {
			t.Errorf("shown: %s", titles(got))
		}
	})
}

// A platform may report what became of a message before its answer to the call
// has been written down.
func TestAResultThatComesEarly(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica()
		h.follow("1", "tea", "0 8 * * *", "UTC", monday)
		h.library.add("tea")
		h.plan(s)
		settled := func() error { return s.Settle(t.Context(), "tg", "job-7", "failed: user block") }
		if err := settled(); err != nil {
			t.Errorf("a message of somebody else's: %v", err)
		}
		h.platform.answer = func(context.Context, bot.Outgoing, int) (bot.Receipt, error) {
			var early *bot.RetryError
			if err := settled(); !errors.As(err, &early) {
				t.Errorf("while it is being sent: %v", err)
			}
			return bot.Receipt{Way: "template", ProviderID: "job-7", Pending: true}, nil
		}
		h.deliver(s)
		h.wantStates("accepted 1")
		if err := settled(); err != nil {
			t.Error(err)
		}
		h.wantStates("failed 1")
		if got := h.text("SELECT way || ' ' || error FROM deliveries"); got != "template failed: user block" {
			t.Errorf("the ledger says %q", got)
		}
	})
}
