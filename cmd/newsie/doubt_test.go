package main_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"newsie/bot"
	"newsie/bot/telegram"
	"newsie/bot/telegram/telegramtest"
	"newsie/content"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
	"newsie/internal/locale"
	"newsie/scheduler"
)

// impatient gives up on a platform that does not answer long before the
// scheduler would.
type impatient struct{ bot.Sender }

func (s impatient) Send(ctx context.Context, o bot.Outgoing) (bot.Receipt, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return s.Sender.Send(ctx, o)
}

// shelf is a library of three articles that match everything.
type shelf struct{}

func (shelf) Seq() int64 { return 3 }

func (shelf) Matches(context.Context, string, string, content.Filter, int64, int64, int) ([]int64, int, error) {
	return []int64{3, 2, 1}, 0, nil
}

func (shelf) Articles(_ context.Context, ids []int64) (list []content.Article, err error) {
	for _, id := range ids {
		list = append(list, content.Article{ID: id, Title: fmt.Sprintf("Article %d", id)})
	}
	return list, nil
}

// What becomes of a reader's digests of two topics, and of a post, when the
// connection to Telegram fails: whatever may have arrived is sent again only
// where the publisher says so, and whatever cannot have arrived always is.
func TestWhatTelegramMayHaveTaken(t *testing.T) {
	for _, test := range []struct {
		fault   telegramtest.Fault
		policy  scheduler.Policy
		want    string // states after the first try, and after an hour
		arrived int    // in each chat, in the end
	}{
		{telegramtest.Hang, scheduler.Skip, "unknown 3; unknown 3", 0},
		{telegramtest.ResetAfter, scheduler.Skip, "unknown 3; unknown 3", 1},
		{telegramtest.BadGateway, scheduler.Skip, "unknown 3; unknown 3", 0},
		{telegramtest.Hang, scheduler.Resend, "planned 3; sent 3", 1},
		{telegramtest.ResetAfter, scheduler.Resend, "planned 3; sent 3", 2},
	} {
		t.Run(string(test.fault)+" "+string(test.policy), func(t *testing.T) {
			databasetest.Each(t, func(t *testing.T, db *database.DB) {
				server := telegramtest.Start(t, telegramtest.Options{})
				reader, channel := server.Chat(7), server.Channel(-100200, "the_lantern")
				s, pass := deliverer(t, db, server, test.policy, test.fault == telegramtest.Hang)
				server.Fail("sendMessage", test.fault, test.fault)
				got := ""
				for i, wait := range []time.Duration{0, time.Hour} {
					pass(wait)
					if _, err := s.Recover(t.Context()); err != nil {
						t.Fatal(err)
					}
					if _, err := s.Deliver(t.Context()); err != nil {
						t.Fatal(err)
					}
					got += []string{"", "; "}[i] + statesOf(t, s)
				}
				if got != test.want {
					t.Errorf("the ledger says %s, want %s", got, test.want)
				}
				if n, m := len(reader.Answers()), len(channel.Answers()); n != test.arrived || m != test.arrived {
					t.Errorf("%d messages and %d posts arrived, want %d of each", n, m, test.arrived)
				}
			})
		})
	}
}

// deliverer is a scheduler with two topics of a reader and a post that are due.
func deliverer(t *testing.T, db *database.DB, server *telegramtest.Server, policy scheduler.Policy, hurried bool) (s *scheduler.Scheduler, pass func(time.Duration)) {
	t.Helper()
	catalog, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 5, 4, 8, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	pass = func(d time.Duration) { now = now.Add(d) }
	adapter, err := telegram.New(telegram.Config{
		Name: "tg", Token: server.Token(), APIURL: server.URL(), Catalog: catalog, Rich: telegram.RichOff,
		Handler: func(context.Context, bot.Message) (bot.Reply, error) { return bot.Reply{}, nil },
		Inbox:   bot.NewInbox(db, clock), Settings: bot.NewSettings(db, clock),
	})
	if err != nil {
		t.Fatal(err)
	}
	var sender bot.Sender = adapter
	if hurried {
		sender = impatient{adapter}
	}
	s, err = scheduler.New(scheduler.Config{
		DB: db, Finder: shelf{}, Articles: shelf{}, Catalog: catalog, Lists: bot.NewLists(db, clock), Now: clock,
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
		Cards: func(articles []content.Article, _ string, first int) (list []bot.Card) {
			for i, a := range articles {
				list = append(list, bot.Card{Number: first + i, Article: a.ID, Title: a.Title, Open: fmt.Sprint("/read ", a.ID)})
			}
			return list
		},
		Channels: []scheduler.Channel{{Name: "tg", Sender: sender, InDoubt: policy, Shown: 10, Grouped: true,
			Most: func(bot.ChatID, string) int { return 10 }}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range [][2]string{{"7", "tea"}, {"7", "coffee"}, {"*@the_lantern", "tea"}} {
		_, err := db.ExecContext(t.Context(), `INSERT INTO follows (channel, chat, topic, query, lang, spec, zone, next_due_at, since_seq, created_at)
			VALUES ('tg', ?, ?, ?, 'en', '0 8 * * *', 'UTC', ?, 0, 0)`, f[0], f[1], f[1], now.UnixMilli())
		if err != nil {
			t.Fatal(err)
		}
	}
	if tick, err := s.Plan(t.Context()); err != nil || tick.Planned != 3 {
		t.Fatalf("planned %+v (%v)", tick, err)
	}
	return s, pass
}

// statesOf counts the deliveries by state: "sent 2, unknown 1".
func statesOf(t *testing.T, s *scheduler.Scheduler) (text string) {
	t.Helper()
	counts, err := s.Counts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range counts {
		text += []string{"", ", "}[min(i, 1)] + fmt.Sprintf("%s %d", c.State, c.Count)
	}
	return text
}
