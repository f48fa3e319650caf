package wechat_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"newsie/bot"
	"newsie/bot/wechat"
	"newsie/bot/wechat/wechattest"
	"newsie/content"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

func waits(t *testing.T, err error) time.Duration {
	t.Helper()
	var retry *bot.RetryError
	if !errors.As(err, &retry) || retry.All {
		t.Fatalf("%v: not told to wait alone", err)
	}
	return retry.After
}

// The day's only one goes to whichever replica is first; the other waits for the
// next morning and does not ask in vain.
func TestReplicasShareTheDaysMassSend(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		d := newDesk(t, db)
		r := d.write(content.Article{})
		d.mustMass(t, "warm-up", r)
		d.clock.Advance(24 * time.Hour)
		before := d.Calls(wechattest.MassSendAll)
		replicas := []*wechat.Channel{d.channel, d.replica(t)}
		errs := make([]error, 2)
		var group sync.WaitGroup
		for i, replica := range replicas {
			group.Go(func() {
				_, errs[i] = replica.Send(context.Background(), bot.Outgoing{Key: fmt.Sprint("key-", i), To: bot.ChatID{Channel: "wx", ID: "*"}, Reply: r})
			})
		}
		group.Wait()
		loser := 0
		if errs[0] == nil {
			loser = 1
		}
		if (errs[0] == nil) == (errs[1] == nil) || waits(t, errs[loser]) != 23*time.Hour {
			t.Fatalf("%v; %v", errs[0], errs[1])
		}
		if n := d.Calls(wechattest.MassSendAll) - before; n != 1 {
			t.Errorf("the platform was asked %d times", n)
		}
		d.clock.Advance(15*time.Hour + 30*time.Minute) // half past midnight
		d.mustMass(t, fmt.Sprint("key-", loser), r)
		if n := len(d.Masses()); n != 3 {
			t.Errorf("%d mass sends, want 3", n)
		}
	})
}

// A mass send by hand counts for the platform, not for us: it says so once.
func TestTheDaysMassSendWasSentByHand(t *testing.T) {
	d := newDesk(t, databasetest.SQLite(t))
	r := d.write(content.Article{})
	d.Fail(wechattest.MassSendAll, 45028)
	for range 3 {
		if _, err := d.mass("key", r); waits(t, err) != 23*time.Hour {
			t.Error(err)
		}
	}
	if n := d.Calls(wechattest.MassSendAll); n != 1 {
		t.Errorf("asked %d times", n)
	}
	if _, err := d.mass("another", r); waits(t, err) != 23*time.Hour || d.Calls(wechattest.MassSendAll) != 1 {
		t.Error("another edition asks again")
	}
	d.clock.Advance(23 * time.Hour)
	d.mustMass(t, "key", r)
}

func TestAServiceAccountHasFourAMonth(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		d := newDesk(t, db, monthly)
		d.Reader("reader-1").Subscribe()
		d.clock.Advance(9 * 24 * time.Hour) // the first of December
		r := d.write(content.Article{})
		for i := range 4 {
			d.mustMass(t, fmt.Sprint("key-", i), r)
			if err := d.FinishMass(wechattest.MassSuccess); err != nil {
				t.Fatal(err)
			}
			d.clock.Advance(7 * 24 * time.Hour)
		}
		_, err := d.mass("key-5", r) // the 29th
		if got, want := waits(t, err), 2*24*time.Hour+23*time.Hour; got != want {
			t.Errorf("waits %s, want %s", got, want)
		}
		if n := d.Calls(wechattest.MassSendAll); n != 4 {
			t.Errorf("asked %d times", n)
		}
		d.clock.Advance(3 * 24 * time.Hour)
		d.mustMass(t, "key-5", r)
	})
}

func TestProtection(t *testing.T) {
	for name, test := range map[string]struct {
		answer func(d *desk) error
		want   string
	}{
		"confirmed": {func(d *desk) error {
			return errors.Join(d.ConfirmMass(true), d.FinishMass(wechattest.MassSuccess))
		}, "true: 1 readers: sent to 1"},
		"refused":    {func(d *desk) error { return d.ConfirmMass(false) }, "false: WeChat refused it: an administrator refused it in WeChat (err(40001))"},
		"unanswered": {func(d *desk) error { d.clock.Advance(31 * time.Minute); return nil }, "false: WeChat refused it: no administrator confirmed it in WeChat within 30 minutes (err(40002))"},
		"politics": {func(d *desk) error {
			return errors.Join(d.ConfirmMass(true), d.FinishMass("err(20001)"))
		}, "false: WeChat refused it: it is taken for politics (err(20001))"},
		"something new": {func(d *desk) error {
			return errors.Join(d.ConfirmMass(true), d.FinishMass("err(77777)"))
		}, `false: WeChat says: "err(77777)"`},
		"failed": {func(d *desk) error {
			return errors.Join(d.ConfirmMass(true), d.FinishMass(wechattest.MassFailure))
		}, "false: WeChat could not send it"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, databasetest.SQLite(t))
			d.Reader("reader-1").Subscribe()
			d.Protect(true)
			d.mustMass(t, "key", d.write(content.Article{}))
			for range 2 { // nothing is known yet
				if err := d.channel.FollowUp(t.Context()); err != nil || len(d.results) != 0 {
					t.Fatalf("%v %q", err, d.results)
				}
			}
			if err := test.answer(d); err != nil {
				t.Fatal(err)
			}
			if len(d.results) != 1 || !strings.HasPrefix(d.results[0], test.want) {
				t.Errorf("results %q, want %q", d.results, test.want)
			}
			if failed := strings.HasPrefix(test.want, "false"); failed != (len(d.told) == 1) {
				t.Errorf("the publisher was told %q", d.told)
			}
		})
	}
}

// The report may overtake our own note, or reach a process that is gone, or
// never come.
func TestTheReportComesEarlyOrNever(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		d := newDesk(t, db)
		d.Reader("reader-1").Subscribe()
		d.waiting = false // the ledger has not written yet that it was accepted
		d.mustMass(t, "early", d.write(content.Article{}))
		if err := d.FinishMass(wechattest.MassSuccess); err != nil {
			t.Fatal(err)
		}
		follow := func() {
			t.Helper()
			if err := d.channel.FollowUp(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		follow()
		d.waiting = true
		d.channel = d.replica(t)
		follow()
		follow()
		if want := "true: 1 readers: sent to 1, filtered out 1, failed 0"; len(d.results) != 1 || d.results[0] != want {
			t.Errorf("early: results %q, want %q", d.results, want)
		}
		if d.Calls(wechattest.MassGet) != 0 {
			t.Error("what had been told was asked about")
		}

		d.clock.Advance(24 * time.Hour)
		d.results = nil
		d.mustMass(t, "never", d.write())
		d.ConnectURL("http://127.0.0.1:1/nowhere")
		_ = d.FinishMass(wechattest.MassSuccess)
		d.Problems() // nobody was there to be told
		d.channel = d.replica(t)
		follow()
		if len(d.results) != 1 || d.results[0] != "true: " {
			t.Errorf("never: results %q", d.results)
		}
		if n := d.rows(t, "mass/"); n != 0 {
			t.Errorf("%d rows are left", n)
		}
	})
}

func TestWhatWasGivenUpIsTidiedUp(t *testing.T) {
	d := newDesk(t, databasetest.SQLite(t), func(_ *wechattest.Account, c *wechat.Config) {
		c.Mass.Preview, c.Mass.Lead = "publisher-1", 15*time.Minute
	})
	d.Reader("publisher-1").Subscribe()
	if _, err := d.mass("cancelled", d.write(content.Article{})); waits(t, err) != 15*time.Minute {
		t.Fatal(err)
	}
	for _, step := range []struct {
		pass time.Duration
		left int
	}{{24 * time.Hour, 1}, {25 * time.Hour, 0}} {
		d.clock.Advance(step.pass)
		if err := d.channel.FollowUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(d.Drafts()) != step.left || d.rows(t, "mass/") != step.left {
			t.Errorf("%d drafts, %d rows, want %d", len(d.Drafts()), d.rows(t, "mass/"), step.left)
		}
	}
}

func TestPreviewComesFirst(t *testing.T) {
	d := newDesk(t, databasetest.SQLite(t), func(_ *wechattest.Account, c *wechat.Config) {
		c.Mass.Preview, c.Mass.Lead = "publisher-1", 15*time.Minute
	})
	publisher, reader := d.Reader("publisher-1"), d.Reader("reader-1")
	publisher.Subscribe()
	reader.Subscribe()
	shown := func(r *wechattest.Reader) string {
		var kinds []string
		for _, b := range r.Phone() {
			if len(b.News) > 0 {
				kinds = append(kinds, b.Kind)
			}
		}
		return strings.Join(kinds, " ")
	}
	r := d.write(content.Article{}, content.Article{})
	_, err := d.mass("key", r)
	if waits(t, err) != 15*time.Minute || !strings.Contains(err.Error(), "2026-11-22 09:15 (Beijing) unless newsie digest cancel stops it") {
		t.Errorf("%v", err)
	}
	if shown(publisher) != "preview" || shown(reader) != "" || len(d.Masses()) != 0 {
		t.Errorf("the publisher sees %q, a reader %q", shown(publisher), shown(reader))
	}
	if len(d.told) != 1 || !strings.Contains(d.told[0], "newsie digest cancel") {
		t.Errorf("told %q", d.told)
	}
	d.clock.Advance(10 * time.Minute)
	if _, err := d.mass("key", r); waits(t, err) != 5*time.Minute {
		t.Errorf("a try in between: %v", err)
	}
	d.clock.Advance(5 * time.Minute)
	// A try without enough time takes nothing that the next one needs.
	short, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	_, err = d.channel.Send(short, bot.Outgoing{Key: "key", To: bot.ChatID{Channel: "wx", ID: "*"}, Reply: r})
	if waits(t, err) > time.Minute || len(d.Masses()) != 0 {
		t.Errorf("a try without time: %v", err)
	}
	// An article is withdrawn at the last moment: the draft is made anew.
	d.articles = d.articles[:1]
	d.mustMass(t, "key", r)
	if n := len(d.Masses()[0].Draft.Articles); n != 1 {
		t.Errorf("%d articles were sent, one of them withdrawn", n)
	}
	if err := d.FinishMass(wechattest.MassSuccess); err != nil {
		t.Fatal(err)
	}
	if got := d.Calls(wechattest.MassPreview); got != 1 || shown(publisher) != "preview mass" || shown(reader) != "mass" {
		t.Errorf("%d previews; the publisher sees %q, a reader %q", got, shown(publisher), shown(reader))
	}
	if n := len(d.Drafts()); n != 0 {
		t.Errorf("%d drafts are left", n)
	}
}

// What the publisher has not seen is shown before it goes out: an edit, or an
// article that takes a withdrawn one's place; but nobody edits for ever.
func TestWhatChangedAfterThePreviewIsShownAgain(t *testing.T) {
	d := newDesk(t, databasetest.SQLite(t), func(_ *wechattest.Account, c *wechat.Config) {
		c.Mass.Preview, c.Mass.Lead, c.Mass.Articles = "publisher-1", 15*time.Minute, 2
	})
	d.Reader("publisher-1").Subscribe()
	r := d.write(content.Article{}, content.Article{}, content.Article{})
	send := func() error {
		_, err := d.channel.Send(t.Context(), bot.Outgoing{Key: "key", To: bot.ChatID{Channel: "wx", ID: "*"}, Reply: r, Delivery: 4})
		return err
	}
	for i, change := range []func(){
		func() {},
		func() { d.articles[0].Title, d.articles[0].Hash = "Corrected", "another" },
		func() { d.articles = append(d.articles[:1:1], d.articles[2]) }, // the third moves up
	} {
		change()
		if err := send(); waits(t, err) != 15*time.Minute || !strings.Contains(err.Error(), "unless newsie digest cancel 4 stops it") {
			t.Fatalf("change %d: %v", i, err)
		}
		if n := d.Calls(wechattest.MassPreview); n != i+1 || len(d.told) != n || len(d.Masses()) != 0 {
			t.Fatalf("change %d: %d previews, told %q, %d sent", i, n, d.told, len(d.Masses()))
		}
		if told := d.told[i]; !strings.Contains(told, "; newsie digest cancel 4 stops it.") ||
			strings.Contains(told, "was changed after you saw it") != (i > 0) || strings.Contains(told, "the last one") != (i == 2) {
			t.Errorf("change %d: told %q", i, told)
		}
		d.clock.Advance(15 * time.Minute)
	}
	d.articles[0].Title, d.articles[0].Hash = "Corrected again", "a third"
	if err := send(); err != nil {
		t.Fatal(err)
	}
	if n := d.Calls(wechattest.MassPreview); n != 3 || d.sheet(t, 0).Title != "Corrected again" {
		t.Errorf("%d previews; sent %q", n, d.sheet(t, 0).Title)
	}
}

// The ledger's note tells one time and one reason.
func TestAnErrorTellsOneTime(t *testing.T) {
	for code, path := range map[int]string{45009: wechattest.DraftAdd, 45028: wechattest.MassSendAll, -1: wechattest.MassSendAll} {
		d := newDesk(t, databasetest.SQLite(t))
		d.Fail(path, code)
		_, err := d.mass("key", d.write(content.Article{}))
		waits(t, err)
		if n := strings.Count(err.Error(), "try again after"); n != 1 || !strings.Contains(err.Error(), fmt.Sprint("errcode=", code)) {
			t.Errorf("%v tells %d times", err, n)
		}
	}
}

func TestAPreviewThatCannotBeShown(t *testing.T) {
	d := newDesk(t, databasetest.SQLite(t), func(_ *wechattest.Account, c *wechat.Config) {
		c.Mass.Preview, c.Mass.Lead = "publisher-1", time.Minute
	})
	_, err := d.mass("key", d.write(content.Article{}))
	if kind(err) != "given up" || !strings.Contains(err.Error(), "mass.preview must be the openid") || len(d.Masses()) != 0 {
		t.Errorf("%v, %d sent unseen", err, len(d.Masses()))
	}
	if len(d.told) != 1 || len(d.Drafts()) != 0 {
		t.Errorf("told %q, %d drafts left", d.told, len(d.Drafts()))
	}
}

func TestSettingsAreListedByPrefix(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		now := time.Unix(1_800_000_000, 0)
		s := bot.NewSettings(db, func() time.Time { return now })
		for name, ttl := range map[string]time.Duration{"a%_b/1": 0, "a%_b/2": time.Hour, "a%_b/3": time.Minute, "a%_c/4": 0, "axxb/5": 0, "é/6": 0} {
			if err := s.Save(t.Context(), name, "value of "+name, ttl); err != nil {
				t.Fatal(err)
			}
		}
		now = now.Add(time.Minute)
		got, err := s.List(t.Context(), "a%_b/")
		if err != nil || len(got) != 2 || got["a%_b/2"] != "value of a%_b/2" {
			t.Errorf("%v (%v)", got, err)
		}
		if got, _ := s.List(t.Context(), "é/"); len(got) != 1 {
			t.Errorf("%v", got)
		}
	})
}

// No reader can be taken for an audience.
func TestAReaderWhoseIDIsAnAudiences(t *testing.T) {
	asked := 0
	s := start(t, func(context.Context, bot.Message) (bot.Reply, error) {
		asked++
		return bot.Reply{Text: "hello"}, nil
	})
	for _, id := range []string{"*", "*2"} {
		if b := s.Reader(id).Say("stop"); b.Text != "" {
			t.Errorf("%s is answered %q", id, b.Text)
		}
	}
	if asked != 0 {
		t.Errorf("asked %d times", asked)
	}
}
