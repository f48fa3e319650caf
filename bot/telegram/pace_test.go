package telegram_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"newsie/bot"
	"newsie/bot/telegram"
	"newsie/bot/telegram/telegramtest"
	"newsie/internal/database/databasetest"
)

// clock is a time that only passes while somebody waits for it.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Unix(1_800_000_000, 0)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) wait(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return ctx.Err()
}

// With its pacer the bot keeps the platform's rates by itself: the server, which
// refuses what exceeds them, never has to.
func TestAnswersKeepThePlatformsRates(t *testing.T) {
	databases(t, func(t *testing.T, o, _ setup) {
		c := newClock()
		o.server = telegramtest.Options{Rates: true, Now: c.Now}
		o.config = func(config *telegram.Config) {
			config.Now, config.Wait = c.Now, c.wait
			config.Pacer = bot.NewPacer(o.db, c.Now)
		}
		r := start(t, echo, o)
		reader, group := r.Chat(1), r.Group(-5)
		for i := range 15 {
			reader.Say(fmt.Sprint(i))
		}
		r.wait(t, reader, 15)
		for i := range 25 {
			group.Say(fmt.Sprint("/help@newsie_bot ", i))
		}
		r.wait(t, group, 25)
		// One after the other: between its turn and its call an answer may stand
		// still, while others move this clock, which no real second would forgive.
		for id := range int64(60) {
			r.Chat(100 + id).Say("x")
			r.wait(t, r.Chat(100+id), 1)
		}
		for _, call := range r.Calls("sendMessage") {
			if call.Code == 429 {
				t.Fatalf("the server had to refuse: %+v", call)
			}
		}
	})
}

// A sender that reserves in the channel's buckets, as the scheduler does, is
// never refused, however much is reserved at once; and it is not much slower
// than the platform allows.
func TestBucketsKeepThePlatformsRates(t *testing.T) {
	for _, test := range []struct {
		name    string
		chats   []int64
		each    int
		atLeast time.Duration // the last may be sent
		atMost  time.Duration
	}{
		{"a hundred readers", span64(1, 100), 1, 2 * time.Second, 4 * time.Second},
		{"one reader", span64(1, 1), 30, 20 * time.Second, 30 * time.Second},
		{"one group", span64(-1, -1), 45, 2 * time.Minute, 3 * time.Minute},
	} {
		t.Run(test.name, func(t *testing.T) {
			db := databasetest.SQLite(t)
			c := newClock()
			begin := c.Now()
			s := telegramtest.Start(t, telegramtest.Options{Rates: true, Now: c.Now})
			channel, _, _, _ := build(t, s, echo, setup{db: db})
			pacer := bot.NewPacer(db, c.Now)
			type slot struct {
				at   time.Duration
				chat int64
			}
			var slots []slot
			for _, id := range test.chats {
				if id < 0 {
					s.Group(id)
				} else {
					s.Chat(id)
				}
				for range test.each {
					var longest time.Duration
					for _, b := range channel.Buckets(to(fmt.Sprint(id))) {
						d, err := pacer.Reserve(t.Context(), b.Name, b.PerSecond, b.Burst, 1)
						if err != nil {
							t.Fatal(err)
						}
						longest = max(longest, d)
					}
					slots = append(slots, slot{longest, id})
				}
			}
			sort.Slice(slots, func(i, j int) bool { return slots[i].at < slots[j].at })
			for _, next := range slots {
				_ = c.wait(t.Context(), next.at-c.Now().Sub(begin))
				if _, err := channel.Send(patient(t), bot.Outgoing{To: to(fmt.Sprint(next.chat)), Reply: bot.Reply{Text: "x"}}); err != nil {
					t.Fatalf("after %v: %v", next.at, err)
				}
			}
			if took := c.Now().Sub(begin); took < test.atLeast || took > test.atMost {
				t.Errorf("all were out after %v", took)
			}
		})
	}
}

func span64(from, to int64) (all []int64) {
	for i := from; i <= to; i++ {
		all = append(all, i)
	}
	return all
}

func TestAnswersWaitAsLongAsTheServerSays(t *testing.T) {
	c := newClock()
	r := start(t, echo, setup{config: func(config *telegram.Config) { config.Now, config.Wait = c.Now, c.wait }})
	r.Fail("sendMessage", telegramtest.TooMany, telegramtest.TooMany)
	before := c.Now()
	r.Chat(1).Say("patience")
	if got := r.wait(t, r.Chat(1), 1); got[0].Text != "patience" {
		t.Errorf("answer = %q", got[0].Text)
	}
	if waited := c.Now().Sub(before); waited < 34*time.Second {
		t.Errorf("waited %v, was told to wait twice 17 s", waited)
	}
}

func TestBucketsOfAChat(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{})
	c, _, _, _ := build(t, s, echo, setup{})
	if got := c.Buckets(to("7")); len(got) != 2 || got[0].Name != "telegram:tg" || got[1].Name != "telegram:tg:7" || got[1].Burst != 3 {
		t.Errorf("private: %+v", got)
	}
	if got := c.Buckets(to("-100:44")); len(got) != 3 || got[1].Name != "telegram:tg:-100" {
		t.Errorf("topic: %+v", got)
	}
}

func TestRatesThatCannotBe(t *testing.T) {
	for _, test := range []struct {
		rate float64
		paid bool
		ok   bool
	}{
		{0, false, true}, {1, false, true}, {30, false, true}, {30.1, false, false}, {30.1, true, true}, {1000, true, true},
		{1000.1, true, false}, {0.9, false, false}, {-1, true, false}, {math.NaN(), true, false}, {math.Inf(1), false, true}, {math.Inf(-1), false, false},
	} {
		if err := telegram.CheckRate(test.rate, test.paid); (err == nil) != test.ok {
			t.Errorf("%v (paid %v): %v", test.rate, test.paid, err)
		}
		s := telegramtest.Start(t, telegramtest.Options{})
		_, err := telegram.New(telegram.Config{Name: "tg", Token: s.Token(), Rate: test.rate, Paid: test.paid})
		if refused := strings.Contains(err.Error(), "messages a second") || strings.Contains(err.Error(), "message a second"); refused == test.ok {
			t.Errorf("New with %v (paid %v): %v", test.rate, test.paid, err)
		}
	}
}

func TestARateOfOnesOwn(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{})
	at := func(rate float64) []bot.Bucket {
		c, _, _, _ := build(t, s, echo, setup{config: func(c *telegram.Config) { c.Rate, c.Paid = rate, rate > 30 }})
		return c.Buckets(to("-100"))
	}
	if got := at(0); got[0].PerSecond != telegram.DefaultRate {
		t.Errorf("by default: %+v", got)
	}
	if got := at(500); len(got) != 3 || got[0].PerSecond != 500 || got[2].PerSecond != 0.25 {
		t.Errorf("500 a second: %+v", got)
	}
	if got := at(math.Inf(1)); len(got) != 0 {
		t.Errorf("unlimited: %+v", got)
	}
}

// Above 30 a second digests are paid for; answers never are.
func TestOnlyDigestsArePaid(t *testing.T) {
	for _, test := range []struct {
		name   string
		rate   float64
		paid   bool
		answer bool
		want   string
	}{
		{"a digest", 500, true, false, "true"},
		{"a late answer", 500, true, true, ""},
		{"a digest of a bot that pays nothing", 0, false, false, ""},
		{"a digest at a rate that is free", 30, true, false, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := telegramtest.Start(t, telegramtest.Options{})
			c, _, _, _ := build(t, s, echo, setup{config: func(c *telegram.Config) { c.Rate, c.Paid = test.rate, test.paid }})
			s.Chat(1)
			if _, err := c.Send(patient(t), bot.Outgoing{To: to("1"), Reply: bot.Reply{Text: "x"}, Answer: test.answer}); err != nil {
				t.Fatal(err)
			}
			if got := s.Calls("sendMessage")[0].Params["allow_paid_broadcast"]; got != test.want {
				t.Errorf("allow_paid_broadcast = %q, want %q", got, test.want)
			}
		})
	}
}

// The server does not say whose rate was exceeded. A chat may have filled its
// own; when another one is refused in its pause, and none got through between, it
// was everybody's.
func TestWhoMustWait(t *testing.T) {
	s, now := telegramtest.Start(t, telegramtest.Options{}), newClock()
	c, _, _, _ := build(t, s, echo, setup{config: func(c *telegram.Config) { c.Now = now.Now }})
	for _, id := range []int64{-1, -2} {
		s.Group(id)
	}
	s.Chat(7)
	s.Chat(8)
	send := func(chat string, refused, wantAll bool) {
		t.Helper()
		_ = now.wait(t.Context(), time.Millisecond)
		if refused {
			s.Fail("sendMessage", telegramtest.TooMany)
		}
		_, err := c.Send(patient(t), bot.Outgoing{To: to(chat), Reply: bot.Reply{Text: "x"}})
		var retry *bot.RetryError
		if errors.As(err, &retry) != refused {
			t.Fatalf("to %s: %v", chat, err)
		}
		if refused && (retry.All != wantAll || retry.After != 17*time.Second) {
			t.Errorf("to %s: %+v, want all %v", chat, retry, wantAll)
		}
	}
	send("7", true, false)
	send("7", true, false) // again, and nobody else
	send("8", true, true)
	send("-1", true, true)
	send("7", false, false)
	send("-1", true, false) // others get through
	send("-1", true, false)
	send("-2", true, true)
	send("7", false, false)
	send("8", true, false)
	_ = now.wait(t.Context(), 17*time.Second)
	send("7", true, false) // that pause is over
}

// One reader's chat that was told to wait holds up nobody; a second one that is
// told so meanwhile shows that everybody must wait, on all replicas.
func TestTheSecondRefusalIsEverybodys(t *testing.T) {
	databases(t, func(t *testing.T, o, other setup) {
		c, told := newClock(), make(chan struct{}, 9)
		begin := c.Now()
		o.config = func(config *telegram.Config) {
			config.Now, config.Wait = c.Now, func(ctx context.Context, d time.Duration) error {
				if d > 10*time.Second {
					told <- struct{}{}
					<-ctx.Done()
					return ctx.Err()
				}
				return c.wait(ctx, d)
			}
			config.Grace, config.Pacer = time.Nanosecond, bot.NewPacer(o.db, c.Now)
		}
		r := start(t, echo, o)
		again, _, _, _ := build(t, r.Server, echo, other)
		pause := func() time.Duration {
			b := again.Buckets(to("4"))[0]
			wait, err := bot.NewPacer(other.db, func() time.Time { return begin }).Reserve(t.Context(), b.Name, b.PerSecond, b.Burst, 1)
			if err != nil {
				t.Fatal(err)
			}
			return wait
		}
		r.Fail("sendMessage", telegramtest.TooMany)
		r.Chat(1).Say("one")
		<-told
		r.Chat(2).Say("two")
		if got := r.wait(t, r.Chat(2), 1); got[0].Text != "two" {
			t.Errorf("the other reader got %q", got[0].Text)
		}
		if wait := pause(); wait > 5*time.Second {
			t.Errorf("all replicas wait %v for one chat", wait)
		}
		r.Fail("sendMessage", telegramtest.TooMany, telegramtest.TooMany)
		r.Chat(3).Say("three")
		<-told
		r.Chat(4).Say("four")
		<-told
		if wait := pause(); wait < 16*time.Second {
			t.Errorf("another replica may send after %v, it was to wait 17 s", wait)
		}
	})
}

// A stalled clock passes as the real one does, and at once by as much as the
// program stood still; until then nobody's wait ends.
type stalled struct {
	waiting atomic.Int64
	jump    atomic.Int64
	over    chan struct{}
}

func (s *stalled) Now() time.Time { return time.Now().Add(time.Duration(s.jump.Load())) }

func (s *stalled) wait(ctx context.Context, d time.Duration) error {
	due := s.Now().Add(d)
	s.waiting.Add(1)
	select {
	case <-s.over:
	case <-ctx.Done():
	}
	timer := time.NewTimer(max(0, due.Sub(s.Now())))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return ctx.Err()
}

// When the program or the database stood still, what was to leave in that time
// does not leave at once.
func TestAfterAStallSlotsAreTakenAnew(t *testing.T) {
	databases(t, func(t *testing.T, o, _ setup) {
		const chats = 80
		c := &stalled{over: make(chan struct{})}
		o.server = telegramtest.Options{Rates: true, Now: c.Now}
		o.config = func(config *telegram.Config) {
			config.Now, config.Wait = c.Now, c.wait
			config.Pacer = bot.NewPacer(o.db, c.Now)
		}
		r := start(t, echo, o)
		for id := range int64(chats) {
			r.Chat(100 + id).Say("x")
		}
		sent := func() int { return len(r.Calls("sendMessage")) }
		for ctx := patient(t); int(c.waiting.Load())+sent() < chats; runtime.Gosched() {
			if ctx.Err() != nil {
				t.Fatalf("%d wait, %d are sent", c.waiting.Load(), sent())
			}
		}
		before := sent()
		c.jump.Store(int64(5 * time.Second))
		close(c.over)
		r.quiet(t)
		refused := 0
		for _, call := range r.Calls("sendMessage")[before:] {
			if call.Code == 429 {
				refused++
			}
		}
		if refused > 3 { // a machine with much else to do may stall by itself
			t.Errorf("the server refused %d messages after the stall", refused)
		}
		for id := range int64(chats) {
			if n := len(r.Chat(100 + id).Answers()); n != 1 {
				t.Errorf("chat %d has %d answers", 100+id, n)
			}
		}
	})
}

// While a group that filled its minute waits, everybody else is answered.
func TestAGroupThatMustWaitHoldsUpNobody(t *testing.T) {
	c, told := newClock(), make(chan struct{})
	r := start(t, echo, setup{config: func(config *telegram.Config) {
		config.Now, config.Wait = c.Now, func(ctx context.Context, d time.Duration) error {
			if d > 10*time.Second { // the group
				close(told)
				<-ctx.Done()
				return ctx.Err()
			}
			return c.wait(ctx, d)
		}
		config.Grace = time.Nanosecond
		config.Pacer = bot.NewPacer(databasetest.SQLite(t), c.Now)
	}})
	group, reader := r.Group(-5), r.Chat(7)
	r.Fail("sendMessage", telegramtest.TooMany)
	group.Say("/help@newsie_bot")
	<-told
	reader.Say("hello")
	if got := r.wait(t, reader, 1); got[0].Text != "hello" {
		t.Errorf("the reader got %q", got[0].Text)
	}
	if n := len(group.Answers()); n != 0 {
		t.Errorf("the group got %d messages", n)
	}
}

// A digest that holds a slot and has not left yet lets an answer go first.
func TestAnAnswerGoesBeforeADigestThatHoldsASlot(t *testing.T) {
	c := newClock()
	var pacer *bot.Pacer
	o := setup{db: databasetest.SQLite(t)}
	pacer = bot.NewPacer(o.db, c.Now)
	o.config = func(config *telegram.Config) { config.Now, config.Wait, config.Pacer = c.Now, c.wait, pacer }
	asked := make(chan struct{})
	r := start(t, func(ctx context.Context, m bot.Message) (bot.Reply, error) {
		<-asked // the slots are taken
		return echo(ctx, m)
	}, o)
	reader := r.Chat(1)
	reader.Say("tea")
	all := r.channel.Buckets(bot.ChatID{Channel: r.config.Name, ID: "1"})[0]
	wait, ok, err := pacer.Take(t.Context(), all, 20, time.Hour, nil)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	begin := c.Now()
	held := pacer.Hold(all, begin.Add(wait).Add(10*all.Gap()), 1)
	defer held.Drop()
	close(asked)
	r.wait(t, reader, 1)
	if left, _ := held.Next(begin.Add(15 * all.Gap())); left <= 0 {
		t.Errorf("the digest kept its slot, %s after it", -left)
	}
}
