package scheduler_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"newsie/bot"
	"newsie/content"
	"newsie/scheduler"
)

// why asks and gives all that is said, by code.
func (h *house) why(s *scheduler.Scheduler, article content.Article) (scheduler.Verdict, []scheduler.Reason) {
	h.t.Helper()
	w, err := s.Why(h.t.Context(), one, article)
	if err != nil {
		h.t.Fatal(err)
	}
	return w.Verdict, w.Reasons
}

// wantReasons compares all reasons with codes, and words in their texts.
func (h *house) wantReasons(got []scheduler.Reason, want ...string) {
	h.t.Helper()
	var codes []string
	for _, r := range got {
		codes = append(codes, r.Code+": "+r.Text)
	}
	if len(codes) != len(want) {
		h.t.Fatalf("%d reasons, want %d:\n%s", len(codes), len(want), strings.Join(codes, "\n"))
	}
	for i := range want {
		code, words, _ := strings.Cut(want[i], ": ")
		if got[i].Code != code || !strings.Contains(got[i].Text, words) {
			h.t.Errorf("reason %d is %s\nwant %s", i+1, codes[i], want[i])
		}
	}
}

// One message of three topics: what was in two of them is told of both, once sent,
// and that the topics shared the places; the third did not match.
func TestWhyOfSeveralFollowsInOneMessage(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica(grouped)
		h.library.add("tea coffee", "zebra", "tea")
		for _, topic := range []string{"tea", "coffee", "zebra"} {
			h.follow("1", topic, "0 8 * * *", "UTC", monday)
		}
		h.plan(s)
		h.deliver(s)
		if len(h.platform.got) != 1 {
			t.Fatalf("%d messages, want one", len(h.platform.got))
		}
		verdict, reasons := h.why(s, published(1, monday))
		if verdict != scheduler.Got {
			t.Errorf("the verdict is %s", verdict)
		}
		h.wantReasons(reasons,
			"delivery-sent: the digest of follow 2 (“coffee”, 0 8 * * *) of 2026-05-04 08:00",
			"delivery-sent: came as one message with the digests of 3 topics, which share the 5 places",
			"words: Follow 3 (“zebra”, 0 8 * * *) does not match")
		if d := []int64{reasons[0].Delivery, reasons[1].Delivery}; d[0] == d[1] || slices.Contains(d, 0) {
			t.Errorf("deliveries %v, want two", d)
		}
		// The next day there is one topic alone, which shares nothing.
		h.library.add("coffee")
		h.pass(24 * time.Hour)
		h.plan(s)
		h.deliver(s)
		if _, reasons := h.why(s, published(4, monday)); strings.Contains(reasons[0].Text, "share") || reasons[0].Code != "delivery-sent" {
			t.Errorf("of one topic: %+v", reasons[0])
		}
	})
}

// What is pinned comes with digests that it does not match, and the ledger does not
// list it there.
func TestWhyOfAPinnedArticle(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica(pins(h, 1))
		h.library.add("zebra", "tea")
		h.follow("1", "tea", "0 8 * * *", "UTC", monday)
		h.plan(s)
		h.deliver(s)
		old := published(1, monday.AddDate(0, 0, -3))
		if verdict, _ := h.why(s, old); verdict != scheduler.NotGot {
			t.Errorf("not in the table of pins: %s", verdict)
		}
		h.pass(time.Hour)
		h.exec("INSERT INTO pins (article, until, pinned_at) VALUES (1, ?, ?)", monday.AddDate(0, 0, 7).UnixMilli(), h.clock().UnixMilli())
		verdict, reasons := h.why(s, old)
		h.wantReasons(reasons, "pinned-next: pinned from 2026-05-04 09:00 UTC until 2026-05-11 08:00 UTC: digests of that time begin with it, whatever they are of. No digest went to this chat since",
			"words: does not match")
		if verdict != scheduler.NotGot {
			t.Errorf("before a digest of that time: %s", verdict)
		}
		h.library.add("tea")
		h.set(monday.AddDate(0, 0, 1))
		h.plan(s)
		h.deliver(s)
		verdict, reasons = h.why(s, old)
		h.wantReasons(reasons, "pinned: The first that this chat got was delivery 2, sent at 2026-05-05 08:00 UTC", "words: does not match")
		if verdict != scheduler.Got || !strings.Contains(strings.Join(h.platform.received(), "; "), "1: Pinned Article 1, Article 3") {
			t.Errorf("%s, and it got %v", verdict, h.platform.received())
		}
		// A channel that does not serve the article does not pin it.
		other := h.replica(pins(h, 1), func(c *scheduler.Config) { c.Channels[0].Within = content.Filter{Sources: []string{"tea"}} })
		if verdict, reasons := h.why(other, old); verdict != scheduler.NotGot || reasons[0].Code == "pinned" {
			t.Errorf("on a channel of another part of the library: %s %+v", verdict, reasons)
		}
	})
}

// "and 12 more" of a message that holds another topic too; a follow that pauses
// beside one that does not; a channel that stands still.
func TestWhyOfMoreAndOfWhatRests(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.replica(grouped)
		h.library.add("tea")
		for range 61 {
			h.library.add("tea")
		}
		h.library.add("coffee")
		h.follow("1", "tea", "0 8 * * *", "UTC", monday)
		h.follow("1", "coffee", "0 8 * * *", "UTC", monday)
		paused := h.follow("1", "te", "0 9 * * *", "UTC", monday.AddDate(0, 0, 7).Add(time.Hour))
		h.exec("UPDATE follows SET paused_until = ? WHERE id = ?", monday.AddDate(0, 0, 7).UnixMilli(), paused)
		h.plan(s)
		h.deliver(s)
		if len(h.platform.got) != 1 {
			t.Fatalf("%d messages, want one", len(h.platform.got))
		}
		verdict, reasons := h.why(s, published(1, monday))
		h.wantReasons(reasons, "more: the article is one of those “and 12 more” beyond the best 50",
			"words: Follow 2 (“coffee”, 0 8 * * *) does not match",
			"follow-paused: Follow 3 (“te”, 0 9 * * *) matches, but the reader paused it until 2026-05-11 08:00 UTC")
		if verdict != scheduler.Coming {
			t.Errorf("the verdict is %s: the paused follow brings it", verdict)
		}

		h.platform.answer = fail(&bot.ConfigError{Channel: "tg", Advice: "set the token", Err: errBroken})
		h.library.add("coffee")
		for i := range 3 {
			h.follow(string(rune('a'+i)), "coffee", "0 8 * * *", "UTC", monday)
		}
		h.pass(24 * time.Hour)
		h.plan(s)
		h.deliver(s)
		verdict, reasons = h.why(s, published(64, h.clock()))
		h.wantReasons(reasons, "delivery-planned: is tried again at", "channel-stands-still: stands still since 2026-05-05 08:00 UTC: broken", "words: (“tea”", "words: (“te”")
		if verdict != scheduler.Coming {
			t.Errorf("the verdict is %s", verdict)
		}
	})
}
