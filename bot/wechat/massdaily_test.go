package wechat_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"newsie/bot"
	"newsie/bot/wechat/wechattest"
	"newsie/content"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
	"newsie/scheduler"
)

// A press prints a desk's articles on a schedule.
type press struct {
	*desk
	*scheduler.Scheduler
}

func (p press) Seq() int64 { return int64(len(p.articles)) }

func (p press) Matches(_ context.Context, _, _ string, _ content.Filter, from, to int64, _ int) (ids []int64, more int, err error) {
	for _, a := range slices.Backward(p.articles) {
		if a.ID > from && a.ID <= to {
			ids = append(ids, a.ID)
		}
	}
	return ids, 0, nil
}

func (p press) Articles(ctx context.Context, ids []int64) ([]content.Article, error) {
	return p.config.Articles(ctx, ids)
}

// startPress has a follow of everybody's whose first digest comes at six in the
// evening in Beijing.
func startPress(t *testing.T, db *database.DB, spec string) press {
	t.Helper()
	p := press{desk: newDesk(t, db)}
	var err error
	p.Scheduler, err = scheduler.New(scheduler.Config{
		DB: db, Finder: p, Articles: p, Catalog: p.config.Catalog, Now: p.clock.Now,
		Sleep:    func(context.Context, time.Duration) error { return nil },
		Channels: []scheduler.Channel{{Name: "wx", Sender: p.channel, Grouped: true, Keyed: true}},
		Cards: func(articles []content.Article, _ string, _ int) (list []bot.Card) {
			for _, a := range articles {
				list = append(list, bot.Card{Article: a.ID, Title: a.Title, URL: fmt.Sprintf("https://news.example/a/%d", a.ID)})
			}
			return list
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	p.clock.Advance(9 * time.Hour)
	_, err = db.ExecContext(t.Context(), `INSERT INTO follows (channel, chat, topic, query, lang, spec, zone, next_due_at, since_seq, created_at)
		VALUES ('wx', '*', '*', '*', 'en', ?, 'Asia/Shanghai', ?, 0, 0)`, spec, p.clock.Now().UnixMilli())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// work plans and delivers for some hours; each day at six an article was added.
func (p press) work(t *testing.T, hours int) {
	t.Helper()
	for range hours {
		if p.clock.Now().UTC().Hour() == 10 {
			p.write(content.Article{})
		}
		if _, err := p.Plan(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Deliver(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.clock.Advance(time.Hour)
	}
}

// sends tells when what was sent.
func (p press) sends() string {
	var list []string
	for _, m := range p.Masses() {
		var titles []string
		for _, a := range m.Draft.Articles {
			titles = append(titles, strings.TrimPrefix(a.Title, "Article "))
		}
		list = append(list, fmt.Sprintf("%s: %s", m.At.In(time.FixedZone("Beijing", 8*3600)).Format("Mon 15:04"), strings.Join(titles, " ")))
	}
	return strings.Join(list, ", ")
}

// A mass send that was put off would take the next day's allowance, and all
// later ones would be late for ever.
func TestADailyMassSendComesBackToItsTime(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		p := startPress(t, db, "0 18 * * *")
		p.Fail(wechattest.MassSendAll, 45028) // the publisher sent by hand
		p.work(t, 3*24+1)
		if got, want := p.sends(), "Mon 18:00: 2 1, Tue 18:00: 3, Wed 18:00: 4"; got != want {
			t.Errorf("sent %s, want %s", got, want)
		}
		list, err := p.List(t.Context(), scheduler.Filter{State: scheduler.Failed}, 10)
		if err != nil || len(list) != 1 {
			t.Fatalf("%+v (%v)", list, err)
		}
		want := "given up: its articles come with the next one, at 2026-11-23 18:00 (Asia/Shanghai), whose place it would take: send to all: WeChat takes no more today: "
		if got := list[0].Error; !strings.HasPrefix(got, want) || !strings.Contains(got, "45028") || strings.Count(got, "try again") != 0 {
			t.Errorf("the ledger says %q", got)
		}
	})
}

// Where the next one is days away, the next morning is better than never.
func TestAWeeklyMassSendGoesOutTheNextMorning(t *testing.T) {
	p := startPress(t, databasetest.SQLite(t), "0 18 * * 0")
	p.Fail(wechattest.MassSendAll, 45028)
	p.work(t, 8*24)
	if got, want := p.sends(), "Mon 08:00: 1, Sun 18:00: 8 7 6 5 4 3 2"; got != want {
		t.Errorf("sent %s, want %s", got, want)
	}
}

// Of two a day, the second always finds the day's one used up.
func TestTwoMassSendsADayWhereOneIsAllowed(t *testing.T) {
	p := startPress(t, databasetest.SQLite(t), "0 8,18 * * *")
	for range 3 {
		p.work(t, 14)
		p.write(content.Article{}) // in the morning too
		p.work(t, 10)
	}
	if got, want := p.sends(), "Sun 18:00: 1, Mon 08:00: 2, Tue 08:00: 4 3, Wed 08:00: 6 5"; got != want {
		t.Errorf("sent %s, want %s", got, want)
	}
}

// What may have gone out is not taken into the next one.
func TestDoubtIsNotGivenUpForTheNext(t *testing.T) {
	p := startPress(t, databasetest.SQLite(t), "0 18 * * *")
	p.clock.Advance(5*time.Hour + 55*time.Minute) // five to midnight
	p.Fail(wechattest.MassSendAll, -1, 45028)
	p.write(content.Article{})
	for range 6 {
		if _, err := p.Plan(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Deliver(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.clock.Advance(11 * time.Minute)
	}
	if got, want := p.sends(), "Mon 00:17: 1"; got != want {
		t.Errorf("sent %s, want %s", got, want)
	}
}

// Not even when the draft has to be made anew to ask, and cannot be today.
func TestDoubtWithoutADraftIsNotGivenUpForTheNext(t *testing.T) {
	d := newDesk(t, databasetest.SQLite(t))
	r := d.write(content.Article{})
	d.Fail(wechattest.MassSendAll, -1, 40007)
	for range 2 {
		_, err := d.mass("key", r)
		waits(t, err)
	}
	d.Fail(wechattest.DraftAdd, 45009)
	_, err := d.mass("key", r)
	var retry *bot.RetryError
	if !errors.As(err, &retry) || retry.After != 23*time.Hour || !retry.Takes.IsZero() {
		t.Errorf("%+v", err)
	}
}
