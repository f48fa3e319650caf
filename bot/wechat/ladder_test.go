package wechat_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"newsie/bot"
	"newsie/bot/wechat"
	"newsie/bot/wechat/wechattest"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

const (
	noticeID   = "NOTICE_news"
	templateID = "TEMPLATE_news"
	onceID     = "ONCE_news"
)

// service is a service account with every way there is.
func service(a *wechattest.Account, c *wechat.Config) {
	verified(a, c)
	a.Service, a.OneTime = true, onceID
	c.Account, c.PublicURL, c.Title = wechat.Service, "https://news.example.org", "The Lantern"
	c.Notice = wechat.Form{Template: noticeID, Fields: map[string]string{"thing1": "{topic}", "thing2": "{title}", "time3": "{date}"}}
	c.Template = wechat.Form{Template: templateID, Fields: map[string]string{"thing1": "{title}", "number2": "{count}"}}
	c.Once = wechat.Once{Template: onceID}
}

// asking leaves it to the platform to say what the account may do.
func asking(_ *wechattest.Account, c *wechat.Config) { c.Account = "" }

// templates gives the account the templates that service names.
func (s *stage) templates() {
	s.AddNotice(wechattest.Template{ID: noticeID, Title: "News", Content: "Topic: {{thing1.DATA}} Title: {{thing2.DATA}} At: {{time3.DATA}}"})
	s.AddTemplate(wechattest.Template{ID: templateID, Title: "News", Content: "Title: {{thing1.DATA}} Count: {{number2.DATA}}"})
}

// digest is what the scheduler sends.
func digest() bot.Reply {
	return bot.Reply{Lang: "en", Text: "Your digest: tea · 3 new articles", Groups: []bot.Group{{Cards: []bot.Card{
		{Number: 1, Article: 11, Title: "First flush", URL: "https://elsewhere.example.org/11"},
		{Number: 2, Article: 12, Title: "Second flush"}, {Number: 3, Article: 13, Title: "Autumnal"},
	}}}}
}

func (s *stage) send(t *testing.T, reader string) (bot.Receipt, error) {
	t.Helper()
	return s.channel.Send(t.Context(), bot.Outgoing{Key: "newsie-1", To: s.chat(reader), Reply: digest(), Topic: "tea", Articles: []int64{11, 12, 13, 14, 15, 16, 17}})
}

// allowOnce lets a reader grant a one-time message of a scene, as far as the
// page that says so.
func (s *stage) allowOnce(t *testing.T, reader string, scene int) {
	t.Helper()
	link, err := s.channel.GrantLink(t.Context(), reader, scene, "en")
	if err != nil {
		t.Fatal(err)
	}
	if status, body := s.comeBack(t, s.Reader(reader), link, true); status != 200 || !strings.Contains(body, "will come by itself") {
		t.Fatalf("status %d: %s", status, body)
	}
}

func want(t *testing.T, what string, got, want any) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// The ladder, in all combinations of what the account has, what the reader did
// and what the platform says to the first way that is tried.
func TestLadder(t *testing.T) {
	type account struct {
		name    string
		options []option
		ways    []string // that it has
	}
	accounts := []account{
		{"unverified", []option{service, func(a *wechattest.Account, c *wechat.Config) {
			a.Verified, a.Service, c.Account = false, false, wechat.Unverified
		}}, nil},
		{"subscription", []option{service, asking, func(a *wechattest.Account, _ *wechat.Config) { a.Service = false }}, []string{"customer", "once"}},
		{"service", []option{service}, []string{"customer", "notice", "once", "template"}},
		{"service without templates", []option{service, func(_ *wechattest.Account, c *wechat.Config) { c.Template = wechat.Form{} }}, []string{"customer", "notice", "once"}},
	}
	paths := map[string]string{"customer": wechattest.CustomSend, "notice": wechattest.NoticeSend, "once": wechattest.OnceSend, "template": wechattest.TemplateSend}
	// What closes a way for this reader, and what does not.
	closing := map[string][]int{
		"customer": {45015, 45047, 43004, 40003}, "notice": {43101, 40003, 40037, 47003}, "once": {43101, 40003}, "template": {43004, 40003, 40037, 47003},
	}
	for _, a := range accounts {
		t.Run(a.name, func(t *testing.T) {
			s := start(t, echo, a.options...)
			s.templates()
			if _, err := s.channel.Abilities(t.Context(), false); err != nil {
				t.Fatal(err)
			}
			n := 0
			for _, window := range []string{"never", "open", "used", "closed"} {
				for _, granted := range []bool{false, true} {
					for _, once := range []bool{false, true} {
						open := map[string]bool{"customer": window == "open", "notice": granted, "once": once, "template": true}
						var ways []string
						for _, way := range a.ways {
							if open[way] {
								ways = append(ways, way)
							}
						}
						codes := []int{0, -1}
						if len(ways) > 0 {
							codes = append(codes, closing[ways[0]]...)
						}
						for _, code := range codes {
							if code != 0 && len(ways) == 0 {
								continue
							}
							n++
							reader := "o" + strconv.Itoa(n)
							s.prepare(t, reader, window, granted, once)
							if code != 0 {
								s.Fail(paths[ways[0]], code)
							}
							expect := "held"
							switch {
							case code == -1:
								expect = "wait"
							case code == 0 && len(ways) > 0:
								expect = ways[0]
							case code != 0 && len(ways) > 1:
								expect = ways[1]
							}
							s.checkRung(t, fmt.Sprintf("window %s, granted %v, once %v, code %d", window, granted, once, code), reader, expect, code)
						}
					}
				}
			}
		})
	}
}

// prepare brings a reader to the state that a row of the table begins with.
func (s *stage) prepare(t *testing.T, reader, window string, granted, once bool) {
	t.Helper()
	r := s.Follower(reader)
	if window != "never" {
		r.Say("hi")
	}
	switch window {
	case "used":
		for range 4 {
			_, _ = s.channel.Send(t.Context(), bot.Outgoing{To: s.chat(reader), Reply: bot.Reply{Text: "x"}})
		}
	case "closed":
		s.clock.Advance(48*time.Hour + time.Second)
		if _, err := s.channel.Abilities(t.Context(), false); err != nil {
			t.Fatal(err)
		}
	}
	if granted {
		r.Grant(noticeID)
	}
	if once {
		s.allowOnce(t, reader, 1)
	}
}

func (s *stage) checkRung(t *testing.T, row, reader, expect string, code int) {
	t.Helper()
	before := len(s.Reader(reader).Phone())
	receipt, err := s.send(t, reader)
	phone := s.Reader(reader).Phone()
	switch expect {
	case "held":
		if !errors.Is(err, bot.ErrNotNow) {
			t.Errorf("%s: %+v, %v, want it held", row, receipt, err)
		} else if code != 0 && !strings.Contains(err.Error(), fmt.Sprintf("errcode=%d ", code)) {
			t.Errorf("%s: the platform's code is not in %q", row, err)
		}
	case "wait":
		if kind(err) != "wait" {
			t.Errorf("%s: %+v, %v, want to wait", row, receipt, err)
		}
	default:
		if err != nil || receipt.Way != expect {
			t.Errorf("%s: way %q, %v, want %s", row, receipt.Way, err, expect)
			return
		}
		if len(phone) != before+1 || !strings.Contains(phone[before].Text+phone[before].Title, "First flush") && expect != "notice" {
			t.Errorf("%s: the reader sees %+v", row, phone[before:])
		}
		return
	}
	if len(phone) != before {
		t.Errorf("%s: the reader got %+v", row, phone[before:])
	}
}

// A digest never takes the last message that an answer may need.
func TestDigestsLeaveTheLastMessageToAnswers(t *testing.T) {
	s := start(t, echo, verified)
	r := s.Reader("r1")
	sent := func(answer bool) int {
		t.Helper()
		for n := 0; ; n++ {
			_, err := s.channel.Send(t.Context(), bot.Outgoing{To: s.chat("r1"), Reply: digest(), Answer: answer})
			if errors.Is(err, bot.ErrNotNow) {
				return n
			} else if err != nil {
				t.Fatal(err)
			}
		}
	}
	r.Say("hi")
	want(t, "digests after a message", sent(false), 4)
	want(t, "answers after those", sent(true), 1)
	s.clock.Advance(49 * time.Hour)
	r.Click("/latest")
	want(t, "digests after a click", sent(false), 2)
	want(t, "answers after those", sent(true), 1)
}

func TestEachWayShowsTheDigest(t *testing.T) {
	s := start(t, echo, service)
	s.templates()
	r := s.Follower("r1")
	r.Grant(noticeID)
	s.allowOnce(t, "r1", 1)
	const page = "https://news.example.org/a/11?with=12.13.14.15.16.17"
	for _, expect := range []wechattest.Bubble{
		{Kind: "notice", Title: "News", Text: "Topic: tea Title: First flush At: 2026年11月22日 09:00", URL: page},
		{Kind: "once", Title: "tea", Text: "Your digest: tea · 3 new articles\n· First flush\n· Second flush\n· Autumnal", URL: page},
		{Kind: "template", Title: "News", Text: "Title: First flush Count: 7", URL: page},
	} {
		receipt, err := s.send(t, "r1")
		if err != nil {
			t.Fatal(err)
		}
		phone := r.Phone()
		got := phone[len(phone)-1]
		want(t, "way", receipt.Way, expect.Kind)
		want(t, "kind", got.Kind, expect.Kind)
		want(t, "title", got.Title, expect.Title)
		want(t, "text", got.Text, expect.Text)
		want(t, "address", got.URL, expect.URL)
	}
	// Without a public address the article's own counts.
	bare := s.replica(t, func(c *wechat.Config) { c.PublicURL, c.Once = "", wechat.Once{} })
	if _, err := bare.Send(t.Context(), bot.Outgoing{To: s.chat("r1"), Reply: digest()}); err != nil {
		t.Fatal(err)
	}
	phone := r.Phone()
	want(t, "address", phone[len(phone)-1].URL, "https://elsewhere.example.org/11")
	want(t, "text", phone[len(phone)-1].Text, "Title: First flush Count: 1")
	// A page lists eight others: there are no more to be read there.
	o := bot.Outgoing{To: s.chat("r1"), Reply: digest()}
	for id := range int64(12) {
		o.Articles = append(o.Articles, id+11)
	}
	if _, err := s.channel.Send(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	phone = r.Phone()
	want(t, "address", phone[len(phone)-1].URL, "https://news.example.org/a/11?with=12.13.14.15.16.17.18.19")
	want(t, "text", phone[len(phone)-1].Text, "Title: First flush Count: 9")
}

// Answers and words to the publisher go as customer messages or not at all.
func TestGrantsAreForDigests(t *testing.T) {
	s := start(t, echo, service)
	s.templates()
	r := s.Follower("r1")
	r.Grant(noticeID)
	for _, o := range []bot.Outgoing{
		{To: s.chat("r1"), Reply: digest(), Answer: true},
		{To: s.chat("r1"), Reply: bot.Reply{Text: "A source has failed five times."}},
	} {
		if receipt, err := s.channel.Send(t.Context(), o); !errors.Is(err, bot.ErrNotNow) {
			t.Errorf("%+v, %v", receipt, err)
		}
	}
	want(t, "grants", r.Grants(noticeID), 1)
}

// The codes of every way that was tried stand in the error, for the ledger.
func TestAllThatWasTriedIsTold(t *testing.T) {
	s := start(t, echo, service)
	s.templates()
	r := s.Follower("r1")
	r.Say("hi")
	r.Grant(noticeID)
	s.allowOnce(t, "r1", 1)
	s.Fail(wechattest.CustomSend, 45015)
	s.Fail(wechattest.NoticeSend, 43101)
	s.Fail(wechattest.OnceSend, 43101)
	s.Fail(wechattest.TemplateSend, 43004)
	_, err := s.send(t, "r1")
	if !errors.Is(err, bot.ErrNotNow) {
		t.Fatal(err)
	}
	at := 0
	for _, word := range []string{"customer:", "errcode=45015", "notice:", "errcode=43101", "once:", "errcode=43101", "template:", "errcode=43004"} {
		i := strings.Index(err.Error()[at:], word)
		if i < 0 {
			t.Fatalf("%q is missing, or out of order, in %q", word, err)
		}
		at += i
	}
	want(t, "times that it says the reader cannot be reached", strings.Count(err.Error(), bot.ErrNotNow.Error()), 1)
	// What the platform said to be used up is not tried again.
	calls := s.Calls(wechattest.NoticeSend) + s.Calls(wechattest.OnceSend) + s.Calls(wechattest.CustomSend)
	receipt, err := s.send(t, "r1")
	if err != nil || receipt.Way != "template" {
		t.Errorf("%+v, %v", receipt, err)
	}
	want(t, "calls in vain", s.Calls(wechattest.NoticeSend)+s.Calls(wechattest.OnceSend)+s.Calls(wechattest.CustomSend)-calls, 0)
}

// A grant is used up by what went out, by what may have, and by nothing else.
func TestGrantsFollowThePlatform(t *testing.T) {
	for _, test := range []struct {
		name  string
		fault func(*stage)
		want  string // of the first try
		left  bool   // the grant is still there
	}{
		{"it went out", func(*stage) {}, "", false},
		{"broken off", func(s *stage) { s.Cut(wechattest.NoticeSend) }, "unknown", false},
		{"busy", func(s *stage) { s.Fail(wechattest.NoticeSend, -1) }, "wait", true},
		{"too often", func(s *stage) { s.Fail(wechattest.NoticeSend, 45011) }, "wait, all", true},
		{"no token", func(s *stage) { s.Fail(wechattest.NoticeSend, 40164) }, "config", true},
		{"none left", func(s *stage) { s.Fail(wechattest.NoticeSend, 43101) }, "not now", false},
		{"unfollowed", func(s *stage) { s.Fail(wechattest.NoticeSend, 43004) }, "not now", true},
		{"the day's are used up", func(s *stage) { s.Fail(wechattest.NoticeSend, 45009) }, "until tomorrow", true},
		{"wrong fields", func(s *stage) { s.Fail(wechattest.NoticeSend, 47003) }, "not now", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			var told []string
			s := start(t, echo, service, func(_ *wechattest.Account, c *wechat.Config) {
				c.Template, c.Once = wechat.Form{}, wechat.Once{}
				c.Notify = func(_ context.Context, key, _ string) { told = append(told, key) }
			})
			s.templates()
			r := s.Follower("r1")
			r.Grant(noticeID)
			test.fault(s)
			_, err := s.send(t, "r1")
			want(t, "the first try", kind(err), test.want)
			if tell := test.want == "config" || test.name == "wrong fields"; tell != (len(told) == 1) {
				t.Errorf("the publisher was told %q", told)
			}
			_, err = s.send(t, "r1")
			want(t, "the grant is left", err == nil, test.left)
		})
	}
}

// Whatever replicas do at once, no reader gets more than was permitted.
func TestReplicasShareWindowsAndGrants(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := startOn(t, db, echo, service, func(_ *wechattest.Account, c *wechat.Config) { c.Template = wechat.Form{} })
		s.templates()
		r := s.Follower("r1")
		r.Say("hi")
		r.Grant(noticeID)
		s.clock.Advance(time.Second) // what happens to a reader in one second is one thing
		r.Grant(noticeID)
		s.allowOnce(t, "r1", 1)
		s.allowOnce(t, "r1", 2)
		replicas := []*wechat.Channel{s.channel, s.replica(t)}
		var mu sync.Mutex
		ways := map[string]int{}
		var group sync.WaitGroup
		for i := range 24 {
			group.Go(func() {
				receipt, err := replicas[i%2].Send(context.Background(), bot.Outgoing{To: s.chat("r1"), Reply: digest()})
				mu.Lock()
				defer mu.Unlock()
				if err != nil && !errors.Is(err, bot.ErrNotNow) {
					t.Error(err)
				}
				ways[receipt.Way]++
			})
		}
		group.Wait()
		want(t, "ways", fmt.Sprint(ways), "map[:16 customer:4 notice:2 once:2]")
		calls := s.Calls(wechattest.CustomSend) + s.Calls(wechattest.NoticeSend) + s.Calls(wechattest.OnceSend)
		want(t, "calls", calls, 8)
	})
}

// A window that the platform closes takes no grant along; a reader who leaves
// takes all.
func TestGrantsOutliveWindowsAndNotReaders(t *testing.T) {
	s := start(t, echo, service, func(_ *wechattest.Account, c *wechat.Config) { c.Template = wechat.Form{} })
	s.templates()
	r := s.Follower("r1")
	r.Say("hi")
	r.Grant(noticeID)
	s.allowOnce(t, "r1", 1)
	s.Fail(wechattest.CustomSend, 45015)
	if receipt, err := s.send(t, "r1"); err != nil || receipt.Way != "notice" {
		t.Fatalf("%+v, %v", receipt, err)
	}
	r.Unsubscribe()
	calls := s.Calls(wechattest.OnceSend)
	if receipt, err := s.send(t, "r1"); !errors.Is(err, bot.ErrNotNow) || s.Calls(wechattest.OnceSend) != calls {
		t.Errorf("%+v, %v", receipt, err)
	}
	var rows []string
	if err := s.db.NewRaw("SELECT name FROM quotas WHERE name LIKE '%/r1'").Scan(t.Context(), &rows); err != nil || len(rows) > 0 {
		t.Errorf("of a reader who left there remains %q, %v", rows, err)
	}
}

func TestQuotasAreCountedForAllReplicas(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := startOn(t, db, echo, service)
		s.templates()
		r := s.Follower("r1")
		r.Say("hi")
		r.Grant(noticeID)
		s.allowOnce(t, "r1", 1)
		other := s.replica(t)
		for i := range 8 {
			channel := []*wechat.Channel{s.channel, other}[i%2]
			if _, err := channel.Send(t.Context(), bot.Outgoing{To: s.chat("r1"), Reply: digest()}); err != nil {
				t.Fatal(err)
			}
		}
		s.Fail(wechattest.TemplateSend, -1) // this one did not go out
		if _, err := s.send(t, "r1"); kind(err) != "wait" {
			t.Error(err)
		}
		quotas := func() string {
			t.Helper()
			list, err := other.Quotas(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var words []string
			for _, q := range list {
				words = append(words, fmt.Sprintf("%s %s %d/%d", q.Period, q.Name, q.Used, q.Limit))
			}
			return strings.Join(words, ", ")
		}
		want(t, "quotas", quotas(), "2026-11-22 customer 4/500000, 2026-11-22 notice 1/0, 2026-11-22 once 1/0, "+
			"2026-11-22 template 2/100000, 2026-11 mass 0/4")
		// The day ends at midnight in Beijing.
		s.clock.Advance(15*time.Hour - time.Second)
		if !strings.Contains(quotas(), "2026-11-22 customer 4") {
			t.Errorf("a second before midnight: %s", quotas())
		}
		s.clock.Advance(time.Second)
		if !strings.Contains(quotas(), "2026-11-23 customer 0") {
			t.Errorf("at midnight: %s", quotas())
		}
	})
}

// A quota that is used up is not asked for in vain, and begins anew.
func TestAUsedUpQuotaWaitsForTheNextDay(t *testing.T) {
	s := start(t, echo, service)
	s.templates()
	s.Follower("r1")
	if _, err := s.db.ExecContext(t.Context(), "INSERT INTO quotas (name, period, used) VALUES ('wechat/wx/day:template', '2026-11-22', 99999)"); err != nil {
		t.Fatal(err)
	}
	if receipt, err := s.send(t, "r1"); err != nil || receipt.Way != "template" {
		t.Fatalf("the last one: %+v, %v", receipt, err)
	}
	_, err := s.send(t, "r1")
	want(t, "one more", kind(err), "until tomorrow")
	want(t, "calls", s.Calls(wechattest.TemplateSend), 1)
	s.clock.Advance(15 * time.Hour)
	if receipt, err := s.send(t, "r1"); err != nil || receipt.Way != "template" {
		t.Errorf("the next day: %+v, %v", receipt, err)
	}
}

// What became of a message that was accepted comes as an event, is settled
// once, and waits for the ledger where it is faster.
func TestReportsSettleTheLedger(t *testing.T) {
	var mu sync.Mutex
	var settled []string
	early := 2
	s := start(t, echo, service, func(_ *wechattest.Account, c *wechat.Config) {
		c.Settle = func(_ context.Context, id, problem string) error {
			mu.Lock()
			defer mu.Unlock()
			if early > 0 {
				early--
				return &bot.RetryError{Err: errors.New("not yet")}
			}
			settled = append(settled, id+": "+problem)
			return nil
		}
	})
	s.templates()
	r := s.Follower("r1")
	r.Grant(noticeID)
	var expect []string
	send := func(way, problem string) {
		t.Helper()
		receipt, err := s.channel.Send(t.Context(), bot.Outgoing{Key: fmt.Sprint("newsie-", len(expect)), To: s.chat("r1"), Reply: digest()})
		if err != nil || receipt.Way != way || !receipt.Pending || receipt.ProviderID == "" {
			t.Fatalf("%+v, %v", receipt, err)
		}
		expect = append(expect, receipt.ProviderID+": "+problem)
		s.Flush()
	}
	send("notice", "")
	send("template", "")
	s.FailTemplates(1)
	send("template", "the platform reports: failed: system failed")
	r.Mute(true)
	send("template", "the platform reports: failed:user block")
	if !slices.Equal(settled, expect) {
		t.Errorf("settled %q, want %q", settled, expect)
	}
	report := `<SubscribeMsgSentEvent><List><TemplateId>x</TemplateId><MsgID>1700827132819554304</MsgID><ErrorCode>43101</ErrorCode><ErrorStatus>user refuse</ErrorStatus></List></SubscribeMsgSentEvent>`
	event := func(at int64) string {
		return fmt.Sprintf("<ToUserName>%s</ToUserName><FromUserName>r1</FromUserName><CreateTime>%d</CreateTime><MsgType>event</MsgType><Event>subscribe_msg_sent_event</Event>%s", s.ID, at, report)
	}
	for range 3 { // the platform repeats itself
		if status, body, err := s.Do(s.Request("r1", event(s.clock.Now().Unix()))); err != nil || status != 200 || body != "success" {
			t.Errorf("%d %q %v", status, body, err)
		}
	}
	want(t, "reports settled", len(settled), len(expect)+1)
	want(t, "the last one", settled[len(settled)-1], "1700827132819554304: the platform reports: errcode=43101, user refuse")
}

// A report that could not be taken in is not answered, so that the platform
// repeats it, and then it counts.
func TestAReportIsTakenInLater(t *testing.T) {
	tries := 0
	s := start(t, echo, service, func(_ *wechattest.Account, c *wechat.Config) {
		c.Patience = 500 * time.Millisecond
		c.Settle = func(context.Context, string, string) error {
			if tries++; tries == 1 {
				return errors.New("the database is away")
			}
			return nil
		}
	})
	report := s.Request("r1", fmt.Sprintf("<ToUserName>%s</ToUserName><FromUserName>r1</FromUserName><CreateTime>%d</CreateTime>"+
		"<MsgType>event</MsgType><Event>TEMPLATESENDJOBFINISH</Event><MsgID>7</MsgID><Status>success</Status>", s.ID, s.clock.Now().Unix()))
	for range 3 {
		if _, _, err := s.Do(report); err != nil {
			t.Fatal(err)
		}
	}
	want(t, "times that it was taken in", tries, 2)
}
