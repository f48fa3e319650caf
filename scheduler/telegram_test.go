package scheduler_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"newsie/bot"
	"newsie/bot/telegram"
	"newsie/bot/telegram/telegramtest"
	"newsie/internal/database/databasetest"
	"newsie/scheduler"
)

// bot makes a Telegram channel of the house, with connections of its own.
func (h *house) bot(s *telegramtest.Server, change ...func(*telegram.Config)) (*telegram.Channel, *bot.Pacer) {
	h.t.Helper()
	db := databasetest.Open(h.t, h.address)
	pacer := bot.NewPacer(db, h.clock)
	config := telegram.Config{
		Name: "tg", Token: s.Token(), APIURL: s.URL(), Now: h.clock, Wait: h.sleep, Pacer: pacer, Catalog: h.catalog,
		Handler: func(_ context.Context, m bot.Message) (bot.Reply, error) {
			return bot.Reply{Text: "answer to " + m.Text}, nil
		},
		Inbox: bot.NewInbox(db, h.clock), Settings: bot.NewSettings(db, h.clock), Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	for _, f := range change {
		f(&config)
	}
	c, err := telegram.New(config)
	if err != nil {
		h.t.Fatal(err)
	}
	return c, pacer
}

// through is a replica whose only channel is that bot.
func (h *house) through(sender bot.Sender, pacer *bot.Pacer, change ...func(*scheduler.Channel)) *scheduler.Scheduler {
	h.t.Helper()
	return h.replica(func(c *scheduler.Config) {
		c.Pacer, c.Channels[0].Sender, c.Channels[0].Workers = pacer, sender, 0
		for _, f := range change {
			f(&c.Channels[0])
		}
	})
}

func started(s *telegramtest.Server, n int) {
	for id := range n {
		s.Chat(int64(id + 1))
	}
}

// counted fails unless each of n chats has one message.
func (h *house) counted(s *telegramtest.Server, n int) {
	h.t.Helper()
	for id := range n {
		if got := len(s.Chat(int64(id + 1)).Answers()); got != 1 {
			h.t.Errorf("chat %d has %d messages, want 1", id+1, got)
		}
	}
}

func TestWhatTelegramSaysOfADigest(t *testing.T) {
	for _, test := range []struct {
		name     string
		spoil    func(s *telegramtest.Server)
		policy   scheduler.Policy
		want     string
		later    string // after an hour and another try
		messages int    // that the reader has then
		follows  string
	}{
		{"it is fine", func(*telegramtest.Server) {}, "", "sent 1", "sent 1", 1, "active"},
		{"blocked", func(s *telegramtest.Server) { s.Chat(1).Block() }, "", "gone 1", "gone 1", 0, "suspended"},
		{"the account is deleted", func(s *telegramtest.Server) { s.Chat(1).Deactivate() }, "", "gone 1", "gone 1", 0, "suspended"},
		{"too many", func(s *telegramtest.Server) { s.Fail("sendMessage", telegramtest.TooMany) }, "", "planned 1", "sent 1", 1, "active"},
		{"a pause of all", func(s *telegramtest.Server) { s.Pause(20 * time.Second) }, "", "planned 1", "sent 1", 1, "active"},
		{"lost after it was taken", func(s *telegramtest.Server) { s.Fail("sendMessage", telegramtest.ResetAfter) }, "", "unknown 1", "unknown 1", 1, "active"},
		{"lost before it was taken", func(s *telegramtest.Server) { s.Fail("sendMessage", telegramtest.ResetBefore) }, "", "unknown 1", "unknown 1", 0, "active"},
		{"lost, and the channel resends", func(s *telegramtest.Server) { s.Fail("sendMessage", telegramtest.ResetAfter) }, scheduler.Resend, "planned 1", "sent 1", 2, "active"},
		{"a proxy's 502", func(s *telegramtest.Server) { s.Fail("sendMessage", telegramtest.ServerError) }, "", "unknown 1", "unknown 1", 0, "active"},
	} {
		t.Run(test.name, func(t *testing.T) {
			each(t, func(t *testing.T, h *house) {
				s := telegramtest.Start(t, telegramtest.Options{Now: h.clock})
				channel, pacer := h.bot(s)
				started(s, 1)
				replica := h.through(channel, pacer, func(c *scheduler.Channel) { c.InDoubt = test.policy })
				h.planned(replica, 1)
				test.spoil(s)
				h.deliver(replica)
				h.wantStates(test.want)
				h.pass(time.Hour)
				h.deliver(replica)
				h.wantStates(test.later)
				if got := len(s.Chat(1).Answers()); got != test.messages {
					t.Errorf("the reader has %d messages, want %d", got, test.messages)
				}
				if got := h.text("SELECT state FROM follows"); got != test.follows {
					t.Errorf("the follow is %s, want %s", got, test.follows)
				}
			})
		})
	}
}

// An answer takes the next slot, in the middle of a digest to many, and the
// digest goes on behind it.
func TestAnAnswerOvertakesADigest(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		const chats = 120
		s := telegramtest.Start(t, telegramtest.Options{Now: h.clock})
		var longest atomic.Int64
		channel, pacer := h.bot(s, func(c *telegram.Config) {
			c.Wait = func(ctx context.Context, d time.Duration) error {
				longest.Store(max(longest.Load(), int64(d)))
				return h.sleep(ctx, d)
			}
		})
		started(s, chats)
		reader := s.Chat(1000)
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() {
			if err := channel.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		defer running.Wait()
		defer stop()
		if err := s.Until(t.Context(), s.Polling); err != nil {
			t.Fatal(err)
		}
		// The digests stand still at the fiftieth until the reader has an answer.
		asking := &interrupted{Channel: channel, at: 50, do: func() {
			longest.Store(0)
			reader.Say("tea")
			if _, err := reader.Wait(t.Context(), 1); err != nil {
				t.Error(err)
			}
		}}
		replica := h.through(asking, pacer, func(c *scheduler.Channel) { c.Workers = 4 })
		h.planned(replica, chats)
		h.deliver(replica)
		h.wantStates(fmt.Sprintf("sent %d", chats))
		h.counted(s, chats)
		if got, most := time.Duration(longest.Load()), 3*(bot.Bucket{PerSecond: telegram.DefaultRate}).Gap(); got > most {
			t.Errorf("the answer waited %s, want at most %s", got, most)
		}
	})
}

// interrupted does something in the middle of one Send.
type interrupted struct {
	*telegram.Channel
	at int64
	do func()
	n  atomic.Int64
}

func (i *interrupted) Send(ctx context.Context, o bot.Outgoing) (bot.Receipt, error) {
	if i.n.Add(1) == i.at {
		i.do()
	}
	return i.Channel.Send(ctx, o)
}

// One replica is told to wait: no other one sends anything before that is over,
// and nothing is lost.
func TestAPauseHoldsAllReplicas(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		const chats = 40
		s := telegramtest.Start(t, telegramtest.Options{Now: h.clock})
		started(s, chats)
		one, pacer := h.bot(s)
		a := h.through(one, pacer)
		other, otherPacer := h.bot(s)
		b := h.through(other, otherPacer)
		h.planned(a, chats)
		s.Pause(5 * time.Minute)
		h.deliver(a)
		tried := len(s.Calls("sendMessage"))
		if tried == 0 || tried > 20 {
			t.Errorf("%d messages were tried in the pause", tried)
		}
		h.wantStates(fmt.Sprintf("planned %d", chats))
		h.deliver(b)
		if n := len(s.Calls("sendMessage")); n != tried {
			t.Errorf("the other replica tried %d messages in the pause", n-tried)
		}
		h.pass(20 * time.Minute)
		h.deliver(b)
		h.wantStates(fmt.Sprintf("sent %d", chats))
		h.counted(s, chats)
	})
}

// One chat that is told to wait holds up no digest of another.
func TestOneChatThatMustWaitHoldsUpNobody(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		const chats = 40
		s := telegramtest.Start(t, telegramtest.Options{Now: h.clock})
		started(s, chats)
		channel, pacer := h.bot(s)
		replica := h.through(channel, pacer)
		h.planned(replica, chats)
		s.Fail("sendMessage", telegramtest.TooMany)
		h.deliver(replica)
		h.wantStates(fmt.Sprintf("planned 1, sent %d", chats-1))
		h.pass(time.Hour)
		h.deliver(replica)
		h.wantStates(fmt.Sprintf("sent %d", chats))
		h.counted(s, chats)
	})
}

// Two replicas keep one rate between them.
func TestReplicasShareTheRate(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		const chats = 150
		s := telegramtest.Start(t, telegramtest.Options{Now: h.clock})
		started(s, chats)
		var all sync.WaitGroup
		first := true
		for range 2 {
			channel, pacer := h.bot(s)
			replica := h.through(channel, pacer)
			if first {
				h.planned(replica, chats)
				first = false
			}
			all.Go(func() {
				if _, err := replica.Deliver(context.Background()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		h.wantStates(fmt.Sprintf("sent %d", chats))
		h.counted(s, chats)
		// However the clock was pushed, the bucket counted every message.
		free := time.UnixMicro(h.int("SELECT free_at FROM buckets WHERE name = 'telegram:tg'"))
		if least := chats * (bot.Bucket{PerSecond: telegram.DefaultRate}).Gap(); free.Sub(monday) < least-time.Second {
			t.Errorf("%d messages took %s of the rate, want %s", chats, free.Sub(monday), least)
		}
	})
}

func TestAGroupGetsTwentyAMinute(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		const digests = 45
		s := telegramtest.Start(t, telegramtest.Options{Now: h.clock, Rates: true})
		s.Group(-5)
		channel, pacer := h.bot(s)
		replica := h.through(channel, pacer)
		var topics string
		for i := range digests {
			topic := fmt.Sprintf("topic-%02d", i)
			topics += topic + " "
			h.follow("-5", topic, "0 8 * * *", "UTC", monday)
		}
		h.library.add(topics)
		h.plan(replica)
		for range 60 {
			h.deliver(replica)
			h.pass(4 * time.Second)
		}
		h.wantStates(fmt.Sprintf("sent %d", digests))
		if n := s.Load().TooMany; n != 0 {
			t.Errorf("the server had to refuse %d", n)
		}
	})
}

// What was marked as being sent and still waited for its slot when the process
// stopped was not sent: it is planned again, and in doubt is nothing.
func TestStoppingInTheMiddleLosesNothing(t *testing.T) {
	for _, rate := range []float64{0, math.Inf(1)} {
		t.Run(strconv.FormatFloat(rate, 'g', -1, 64), func(t *testing.T) {
			each(t, func(t *testing.T, h *house) {
				const chats = 600 // more than are under way at once
				s := telegramtest.Start(t, telegramtest.Options{Now: h.clock})
				started(s, chats)
				channel, pacer := h.bot(s, func(c *telegram.Config) { c.Rate = rate })
				ctx, stop := context.WithCancel(t.Context())
				defer stop()
				replica := h.through(&interrupted{Channel: channel, at: 70, do: stop}, pacer)
				h.planned(replica, chats)
				if err := replica.Deliverer.Run(ctx); err != nil {
					t.Fatal(err)
				}
				sent := h.int("SELECT COUNT(*) FROM deliveries WHERE state = 'sent'")
				planned := h.int("SELECT COUNT(*) FROM deliveries WHERE state = 'planned'")
				if sent+planned != chats || sent < 60 || planned == 0 {
					t.Errorf("stopped with %s", h.states())
				}
				again, itsPacer := h.bot(s)
				h.deliver(h.through(again, itsPacer))
				h.wantStates(fmt.Sprintf("sent %d", chats))
				h.counted(s, chats)
			})
		})
	}
}
