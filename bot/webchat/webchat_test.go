package webchat_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"

	"newsie/bot"
	"newsie/bot/bottest"
	"newsie/bot/webchat"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
	"newsie/internal/locale"
)

// parrot repeats what it hears.
type parrot struct {
	mu    sync.Mutex
	heard []bot.Message
}

func (p *parrot) handle(_ context.Context, m bot.Message) (bot.Reply, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heard = append(p.heard, m)
	if m.Kind == bot.Join {
		return bot.Reply{Lang: "en", Text: "welcome"}, nil
	}
	return bot.Reply{Lang: "en", Text: "you said " + m.Text}, nil
}

func (p *parrot) last() bot.Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.heard[len(p.heard)-1]
}

func (p *parrot) count(text string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, m := range p.heard {
		if m.Text == text {
			n++
		}
	}
	return n
}

// texts are the messages that a page shows, the reader's marked ">".
func texts(page *goquery.Document) []string {
	return page.Find("#log .entry").Map(func(_ int, s *goquery.Selection) string {
		text := strings.TrimSpace(s.Find(".bubble").Text())
		if s.HasClass("me") {
			return "> " + text
		}
		return text
	})
}

func TestLookingLeavesNothing(t *testing.T) {
	p := &parrot{}
	s := serve(t, databasetest.SQLite(t), p.handle)
	for range 3 {
		if diff := cmp.Diff([]string{"welcome"}, texts(s.reader(t, false).open(t))); diff != "" {
			t.Error(diff)
		}
	}
	if n := s.count(t); n != 0 {
		t.Errorf("%d rows", n)
	}
	if p.last().Chat.ID != "" || p.count("/start") != 1 {
		t.Errorf("the bot was asked %d times, last for the chat %q", p.count("/start"), p.last().Chat.ID)
	}
}

func TestConversationWithoutAScript(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := serve(t, db, (&parrot{}).handle)
		r := s.reader(t, false)
		r.Say(t, "one")
		r.Say(t, "two")
		want := []string{"welcome", "> one", "you said one", "> two", "you said two"}
		if diff := cmp.Diff(want, texts(r.open(t))); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"welcome"}, texts(s.reader(t, false).open(t))); diff != "" {
			t.Errorf("a stranger sees: %s", diff)
		}
	})
}

func TestAnswerWithoutCookies(t *testing.T) {
	s := serve(t, databasetest.SQLite(t), (&parrot{}).handle)
	response, err := http.PostForm(s.url, url.Values{"text": {"hello"}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"welcome", "> hello", "you said hello"}, texts(parse(t, response, http.StatusOK))); diff != "" {
		t.Error(diff)
	}
}

func TestDoubleClickIsAnsweredOnce(t *testing.T) {
	p := &parrot{}
	started, finish := make(chan bool, 10), make(chan bool)
	s := serve(t, databasetest.SQLite(t), func(ctx context.Context, m bot.Message) (bot.Reply, error) {
		if m.Text == "slow" {
			started <- true
			<-finish
		}
		return p.handle(ctx, m)
	})
	r := s.reader(t, true)
	form := fields(r.open(t).Find("#composer"))
	form.Set("text", "slow")
	seen := make(chan string, 2)
	for range 2 {
		again := &reader{site: s, script: true, client: r.client}
		go func() { seen <- again.post(t, form).Text }()
	}
	<-started
	close(finish)
	if a, b := <-seen, <-seen; !strings.Contains(a, "you said slow") || a != b {
		t.Errorf("seen %q and %q", a, b)
	}
	if n := p.count("slow"); n != 1 {
		t.Errorf("answered %d times", n)
	}
	// The same page, out of the browser's cache, says something else.
	form.Set("text", "other")
	if got := r.post(t, form); !strings.Contains(got.Text, "you said other") {
		t.Errorf("seen %q", got.Text)
	}
}

func TestFailureCanBeTriedAgain(t *testing.T) {
	broken := true
	p := &parrot{}
	s := serve(t, databasetest.SQLite(t), func(ctx context.Context, m bot.Message) (bot.Reply, error) {
		if broken {
			return bot.Reply{}, errors.New("secret detail")
		}
		return p.handle(ctx, m)
	})
	r := s.reader(t, true)
	if got := r.Say(t, "hello"); !strings.Contains(got.Text, "Something went wrong") || strings.Contains(got.Text, "secret") {
		t.Errorf("the reader is told %q", got.Text)
	}
	broken = false
	if got := r.Repeat(t); !strings.Contains(got.Text, "you said hello") {
		t.Errorf("seen %q", got.Text)
	}
}

func TestSilenceLeavesNothing(t *testing.T) {
	s := serve(t, databasetest.SQLite(t), func(context.Context, bot.Message) (bot.Reply, error) { return bot.Reply{}, nil })
	if got := s.reader(t, false).Say(t, "flood"); !got.Nothing {
		t.Errorf("seen %+v", got)
	}
	if n := s.count(t); n != 0 {
		t.Errorf("%d rows", n)
	}
}

func TestForgetMe(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		p := &parrot{}
		var s *site
		s = serve(t, db, func(ctx context.Context, m bot.Message) (bot.Reply, error) {
			if m.Text == "/forget" {
				if err := s.Forget(ctx, m.Chat); err != nil {
					return bot.Reply{}, err
				}
			}
			return p.handle(ctx, m)
		})
		r, other := s.reader(t, false), s.reader(t, false)
		other.Say(t, "stays")
		r.Say(t, "one")
		r.listen(t, "99999")
		page := r.open(t)
		form := fields(page.Find("#composer"))
		form.Set("text", "/forget")
		response, err := r.client.PostForm(s.url, form)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"> /forget", "you said /forget"}, texts(parse(t, response, http.StatusOK))); diff != "" {
			t.Error(diff)
		}
		if e := r.stream.next(t); e.kind != "forgotten" {
			t.Errorf("the other tab is told %+v", e)
		}
		if n := s.count(t); n != 3 {
			t.Errorf("%d rows are left, want the other reader's 3", n)
		}
		var left int
		if err := db.Reader().NewRaw("SELECT COUNT(*) FROM inbox WHERE answered = 0").Scan(t.Context(), &left); err != nil || left != 0 {
			t.Errorf("the inbox holds %d claims (%v)", left, err)
		}
		at, _ := url.Parse(s.url)
		if cookies := r.client.Jar.Cookies(at); len(cookies) != 0 {
			t.Errorf("cookies left: %v", cookies)
		}
	})
}

func TestOwnAddressesWorkByAnyName(t *testing.T) {
	s := serve(t, databasetest.SQLite(t), func(context.Context, bot.Message) (bot.Reply, error) {
		return bot.Reply{Text: "see https://paper.example/news/feed.xml", Groups: []bot.Group{{Cards: []bot.Card{
			{Number: 1, Title: "ours", URL: "https://paper.example/news/a/1/x?y=z", Cover: "https://paper.example/news/media/x.png"},
			{Number: 2, Title: "theirs", URL: "https://paper.example.evil/a", Cover: "http://other.example/x.png"},
		}}}}, nil
	}, func(c *webchat.Config) { c.PublicURL = "https://paper.example/news/" })
	page := s.reader(t, false).open(t)
	entries := page.Find("#log .entry")
	want := []string{"/news/feed.xml", "/news/a/1/x?y=z", "https://paper.example.evil/a"}
	if diff := cmp.Diff(want, see(entries).Links); diff != "" {
		t.Error(diff)
	}
	pictures := entries.Find("img").Map(func(_ int, s *goquery.Selection) string { src, _ := s.Attr("src"); return src })
	if diff := cmp.Diff([]string{"/news/media/x.png", "https://other.example/x.png"}, pictures); diff != "" {
		t.Error(diff)
	}
}

func TestHistoryIsKeptForThirtyDays(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := serve(t, db, (&parrot{}).handle)
		r := s.reader(t, false)
		r.Say(t, "old")
		s.clock.at = s.clock.at.Add(29 * 24 * time.Hour)
		r.Say(t, "young")
		s.clock.at = s.clock.at.Add(2 * 24 * time.Hour)
		if err := s.Prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"> young", "you said young"}, texts(r.open(t))); diff != "" {
			t.Error(diff)
		}
	})
}

func TestEarlierMessages(t *testing.T) {
	s := serve(t, databasetest.SQLite(t), (&parrot{}).handle)
	r := s.reader(t, false)
	for i := range 40 {
		r.Say(t, fmt.Sprint("message ", i))
	}
	page := r.open(t)
	if got := texts(page); len(got) != 60 || got[59] != "you said message 39" {
		t.Fatalf("the page shows %d messages, the last %q", len(got), got[len(got)-1])
	}
	link, _ := page.Find(".earlier a").Attr("href")
	response, err := r.client.Get(s.url + link)
	if err != nil {
		t.Fatal(err)
	}
	if got := texts(parse(t, response, http.StatusOK)); len(got) != 21 || got[0] != "welcome" || got[20] != "you said message 9" {
		t.Errorf("earlier: %q", got)
	}
}

func TestRightToLeftIsLeftToTheBrowser(t *testing.T) {
	s := serve(t, databasetest.SQLite(t), (&parrot{}).handle)
	r := s.reader(t, false)
	r.Say(t, "שלום")
	if got, _ := r.open(t).Find(".me .bubble p").Attr("dir"); got != "auto" {
		t.Errorf("dir = %q", got)
	}
}

func TestWordsFollowTheReader(t *testing.T) {
	s := serve(t, databasetest.SQLite(t), func(_ context.Context, m bot.Message) (bot.Reply, error) {
		if m.Text == "/lang it" {
			return bot.Reply{Lang: "it", Text: "Va bene"}, nil
		}
		return bot.Reply{}, nil
	})
	r := s.reader(t, false)
	if got := r.open(t).Find("#log").Text(); !strings.Contains(got, "Hello!") || !strings.Contains(got, "The Paper") {
		t.Errorf("the welcome: %q", got)
	}
	r.Say(t, "/lang it")
	page := r.open(t)
	if got, _ := page.Find("html").Attr("lang"); got != "it" || page.Find(".top nav a").Text() != "Articoli" {
		t.Errorf("the page is in %q: %q", got, page.Find(".top").Text())
	}
}

func TestAnEmptyChatSuggests(t *testing.T) {
	welcome := bot.Reply{Text: "welcome", Actions: []bot.Action{{Label: "Topics", Text: "/topics"}}}
	for _, test := range []struct {
		name        string
		suggestions []string
		reply       bot.Reply
		want        []string
	}{
		{"the publisher's words, once", []string{"commerce", "茶"}, welcome, []string{"commerce", "茶", "Newest articles"}},
		{"the welcome's own buttons", nil, welcome, []string{"Topics"}},
		{"something at least", nil, bot.Reply{Text: "welcome"}, []string{"Newest articles"}},
	} {
		s := serve(t, databasetest.SQLite(t), func(context.Context, bot.Message) (bot.Reply, error) { return test.reply, nil },
			func(c *webchat.Config) { c.Suggestions = test.suggestions })
		r := s.reader(t, false)
		if diff := cmp.Diff(test.want, see(r.open(t).Find("main")).Buttons); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
		r.Say(t, "hello")
		if n := r.open(t).Find("#chips").Length(); n != 0 {
			t.Errorf("%s: still there after the first message", test.name)
		}
	}
}

func TestWelcomesDoNotMix(t *testing.T) {
	catalog, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	// The publisher's own language is Chinese; that of the first visitor nobody speaks.
	s := serve(t, databasetest.SQLite(t), func(_ context.Context, m bot.Message) (bot.Reply, error) {
		lang := "zh-Hans"
		if m.Lang != "" {
			lang = catalog.Match(m.Lang)
		}
		return bot.Reply{Lang: lang, Text: "welcome in " + lang}, nil
	})
	for _, test := range [][2]string{{"fi", "zh-Hans"}, {"en-GB", "en"}, {"ja", "zh-Hans"}, {"ja, it;q=0.5", "it"}, {"", "zh-Hans"}, {"x;;q", "zh-Hans"}} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Accept-Language", test[0])
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		page := parse(t, response, http.StatusOK)
		lang, _ := page.Find("html").Attr("lang")
		if diff := cmp.Diff([]string{"welcome in " + test[1]}, texts(page)); diff != "" || lang != test[1] {
			t.Errorf("%s: the page is in %q and says %s", test[0], lang, diff)
		}
	}
}

func TestNewAndCheck(t *testing.T) {
	for _, name := range []string{"", "a/b", "..", "a b", "{x}"} {
		if _, err := webchat.New(webchat.Config{Name: name}); err == nil {
			t.Errorf("the name %q was accepted", name)
		}
	}
	if _, err := webchat.New(webchat.Config{Name: "demo"}); err == nil {
		t.Error("a chat without a database was made")
	}
	for public, ok := range map[string]bool{"https://paper.example": true, "http://127.0.0.1:8080": true, "http://localhost": true, "http://paper.example": false} {
		s := serve(t, databasetest.SQLite(t), (&parrot{}).handle, func(c *webchat.Config) { c.PublicURL = public })
		if f := s.Check(t.Context()); len(f) != 1 || f[0].OK != ok || (f[0].Advice == "") != ok {
			t.Errorf("%s: %+v", public, f)
		}
	}
}

var _ bot.Sender = (*webchat.Channel)(nil)
var _ bottest.Platform = (*reader)(nil)
