package telegram_test

import (
	"context"
	"fmt"
	"sort"
	"sync"
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
