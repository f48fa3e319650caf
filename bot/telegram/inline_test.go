package telegram_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"newsie/bot"
	"newsie/bot/telegram"
	"newsie/bot/telegram/telegramtest"
	"newsie/internal/locale"
)

// TestInlineInEveryLanguage compares the bytes of a page of results, and the
// message that choosing one posts into a group without the bot.
func TestInlineInEveryLanguage(t *testing.T) {
	for _, lang := range locale.Languages() {
		t.Run(lang, func(t *testing.T) {
			h := openHouse(t, lang)
			h.bot.DeepLinks("tg", h.channel.DeepLink)
			group := h.Group(-5).Language(codes[lang])
			asked := group.AskAs(7, wordsOf[lang].topic)
			answer := h.results(asked)
			var got bytes.Buffer
			fmt.Fprintf(&got, "-- @newsie_bot %s --\n", asked.Query)
			call := h.Calls("answerInlineQuery")[0]
			for _, key := range []string{"cache_time", "is_personal", "next_offset", "button", "results"} {
				if value, ok := call.Params[key]; ok {
					fmt.Fprintf(&got, "%s=%s\n", key, strings.ReplaceAll(value, `},{"type"`, "},\n{\"type\""))
				}
			}
			got.WriteString("\n")
			answer.Print(&got)
			if _, err := asked.Choose(answer.Results[0].ID); err != nil {
				t.Fatal(err)
			}
			posted := group.Messages()[0]
			fmt.Fprintf(&got, "-- posted --\n%s", screen(posted))
			compare(t, filepath.Join("testdata", "inline", lang+".txtar"), got.String())
			if !posted.ViaBot || len(posted.Links()) == 0 || posted.Preview.URL == "" {
				t.Errorf("posted: %+v", posted)
			}
			h.quiet(t)
			if len(group.Answers()) > 1 {
				t.Error("the bot answers to what it posted")
			}
		})
	}
}

func (h *house) results(asked *telegramtest.Inline) telegramtest.InlineAnswer {
	h.t.Helper()
	answer, err := asked.Wait(patient(h.t))
	if err != nil {
		h.t.Fatalf("%q: %v\n%s", asked.Query, err, h.log)
	}
	return answer
}

func TestInlineAnswersEverythingThatCanBeTyped(t *testing.T) {
	h := openHouse(t, "zh-Hant")
	for _, text := range []string{"", " ", "茶", "電", strings.Repeat("茶", 256), strings.Repeat("🫖", 256), "👩🏽‍🍳", "<b>&\"'", "\u202eabc", "tag:x", `"`, "1", "https://lantern.example/a/1"} {
		answer := h.results(h.reader.Ask(text))
		if len(answer.Results) == 0 && (answer.Button == "" || answer.Start != "oinline") {
			t.Errorf("%q: nothing, and no way on: %+v", text, answer)
		}
	}
	newest := h.results(h.Chat(8).Ask(""))
	if len(newest.Results) < 5 || !newest.Personal || newest.CacheTime != time.Minute {
		t.Errorf("the newest: %d results, personal %t, kept %s", len(newest.Results), newest.Personal, newest.CacheTime)
	}
	for _, c := range h.Calls("answerInlineQuery") {
		if c.Code != 200 {
			t.Errorf("refused: %v", c.Params)
		}
	}
	if strings.Contains(h.log.String(), "level=ERROR") {
		t.Error(h.log)
	}
}

// The server gives one answer to many, but not a personal one to others.
func TestInlineAnswersAreSharedAsFarAsTheyMay(t *testing.T) {
	h := openHouse(t, "zh-Hans")
	h.results(h.reader.Ask("电商"))
	if other := h.Chat(8).Language("it").Ask("电商"); !other.Cached {
		t.Error("Chinese words are asked for again")
	}
	h.clock.Advance(2 * time.Minute)
	if later := h.Chat(8).Ask("电商"); later.Cached {
		t.Error("an answer is kept for longer than two minutes")
	}
	h.results(h.reader.Ask("excel"))
	if again := h.reader.Ask("excel"); !again.Cached {
		t.Error("the same reader is asked for again")
	}
	if other := h.Chat(8).Language("it").Ask("excel"); other.Cached {
		t.Error("another reader gets a personal answer")
	}
}

// What is on its way is about to be withdrawn: it is offered no more once the
// answer has run out.
func TestInlineWithdrawn(t *testing.T) {
	h := openHouse(t, "en")
	topic := wordsOf["en"].topic
	first := h.results(h.reader.Ask(topic)).Results[0]
	var id int64
	if _, err := fmt.Sscan(first.ID, &id); err != nil {
		t.Fatal(err)
	}
	if err := h.library.Withdraw(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	h.clock.Advance(2 * time.Minute)
	again := h.reader.Ask(topic)
	for _, r := range h.results(again).Results {
		if r.ID == first.ID {
			t.Errorf("%q is still offered", r.Title)
		}
	}
}

// stub answers inline queries with these cards.
func stub(cards ...bot.InlineCard) func(*telegram.Config) {
	return func(c *telegram.Config) {
		c.PublicURL = "https://news.example"
		c.Inline = func(context.Context, bot.InlineQuery) (bot.InlineAnswer, error) {
			return bot.InlineAnswer{Lang: "en", Cards: cards, Keep: time.Minute}, nil
		}
	}
}

func (r *rig) ask(t *testing.T, c *telegramtest.Chat, text string) (*telegramtest.Inline, telegramtest.InlineAnswer) {
	t.Helper()
	asked := c.Ask(text)
	answer, err := asked.Wait(patient(t))
	if err != nil {
		t.Fatalf("%v\n%s", err, r.log)
	}
	return asked, answer
}

func TestInlineCardsAreEscapedAndFit(t *testing.T) {
	long := strings.Repeat("茶 & <b>🫖</b> ", 2000)
	cards := []bot.InlineCard{
		{Card: bot.Card{Article: 1, Title: `"Tom" & <Jerry>’s 👩🏽‍🍳`, URL: `https://news.example/a/1?q="<>&x=1`, Source: "A & B", Date: "1 <May>", Snippet: bot.Snippet{Text: "a < b & c"}}, Why: "x < y"},
		{Card: bot.Card{Article: 2, Title: "\u202eשלום <עולם>", URL: "https://news.example/a/2", Source: "מערכת", Date: "1 May 2026", Snippet: bot.Snippet{Text: long}}, Why: long},
		{Card: bot.Card{Article: 3, Title: long, Snippet: bot.Snippet{Text: long, Marks: []bot.Span{{Start: 0, End: 3}}}, Source: long}, Why: "\x00\xff"},
		{Card: bot.Card{Article: 4, Title: "  ", URL: "http://localhost:8080/a/4"}, Actions: []bot.Action{{Label: "Read on", URL: "http://localhost:8080/a/4"}}},
	}
	r := start(t, echo, setup{server: telegramtest.Options{Inline: true}, config: stub(cards...)})
	asked, answer := r.ask(t, r.Between(5), "x")
	if len(answer.Results) != 4 {
		t.Fatalf("%d results\n%s", len(answer.Results), r.log)
	}
	var posted []telegramtest.Message
	for _, result := range answer.Results {
		if _, err := asked.Choose(result.ID); err != nil {
			t.Fatal(err)
		}
	}
	posted = r.Between(5).Messages()
	if want := "\"Tom\" & <Jerry>’s 👩🏽‍🍳\nA & B · 1 <May>\n\na < b & c"; posted[0].Text != want {
		t.Errorf("posted %q, want %q", posted[0].Text, want)
	}
	if got := posted[0].Links(); !slices.Equal(got, []string{`https://news.example/a/1?q=%22%3C%3E&x=1`}) {
		t.Errorf("links %q", got)
	}
	if r := answer.Results[0]; r.Title != `"Tom" & <Jerry>’s 👩🏽‍🍳` || r.Description != "A & B · 1 <May>\nx < y" {
		t.Errorf("shown as %q, %q", r.Title, r.Description)
	}
	if r := answer.Results[1]; strings.Contains(r.Title, "\u202e") || !strings.HasPrefix(r.Description, "\u2068מערכת\u2069 · ") {
		t.Errorf("right to left: %q, %q", r.Title, r.Description)
	}
	for i, m := range posted {
		if m.Units() > 800 || len([]rune(answer.Results[i].Description)) > 400 {
			t.Errorf("card %d has %d units, its description %d", i+1, m.Units(), len(answer.Results[i].Description))
		}
	}
	if posted[3].Text != "—" || len(posted[3].Buttons) != 0 || !posted[3].Preview.Disabled {
		t.Errorf("without title and address: %+v", posted[3])
	}
}

func TestInlineThumbnailsAreOnesThatAppsLoad(t *testing.T) {
	for cover, want := range map[string]string{
		"":                                   "",
		"https://news.example/media/abc.png": "https://news.example/media/abc.png?cover=320x320",
		"https://cdn.example/x.jpg":          "https://cdn.example/x.jpg",
		"http://news.example/media/abc.png":  "", // unencrypted
		"http://127.0.0.1:8080/media/a.png":  "", "https://192.168.1.7/a.png": "", "https://localhost/a.png": "", "https://[::1]/a.png": "",
		"javascript:alert(1)": "", "/media/a.png": "",
	} {
		r := start(t, echo, setup{server: telegramtest.Options{Inline: true}, config: stub(bot.InlineCard{Card: bot.Card{Article: 1, Title: "x", Cover: cover}})})
		if _, answer := r.ask(t, r.Chat(1), "x"); answer.Results[0].Thumbnail != want {
			t.Errorf("%q: %q, want %q", cover, answer.Results[0].Thumbnail, want)
		}
		r.stop()
	}
}

// A reader who types on gets the answer to the last word alone, at once.
func TestInlineANewerQuerySupersedesTheOlder(t *testing.T) {
	begun, ended := make(chan string, 10), make(chan error, 10)
	r := start(t, echo, setup{server: telegramtest.Options{Inline: true}, config: func(c *telegram.Config) {
		c.Inline = func(ctx context.Context, q bot.InlineQuery) (bot.InlineAnswer, error) {
			begun <- q.Text
			if q.Text == "te" {
				<-ctx.Done()
				ended <- context.Cause(ctx)
				return bot.InlineAnswer{}, ctx.Err()
			}
			return bot.InlineAnswer{Cards: []bot.InlineCard{{Card: bot.Card{Article: 1, Title: q.Text}}}}, nil
		}
	}})
	reader := r.Chat(1)
	reader.Ask("te")
	if first := <-begun; first != "te" {
		t.Fatal(first)
	}
	other, answer := r.ask(t, r.Chat(2), "milk") // another reader waits for nobody
	if answer.Results[0].Title != "milk" || other.Cached {
		t.Errorf("another reader's answer: %+v", answer)
	}
	_, answer = r.ask(t, reader, "tea")
	if answer.Results[0].Title != "tea" {
		t.Errorf("the answer to tea: %+v", answer)
	}
	if err := <-ended; err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the older query ended by %v", err)
	}
	if calls := r.Calls("answerInlineQuery"); len(calls) != 2 {
		t.Errorf("%d answers, want those to milk and tea", len(calls))
	}
}

// Queries wait for no chat that is slow, take no slot of the pace, and hold up
// no message.
func TestInlineWaitsForNoChat(t *testing.T) {
	release := make(chan struct{})
	slow := func(ctx context.Context, m bot.Message) (bot.Reply, error) {
		if m.Text == "slow" {
			<-release
		}
		return echo(ctx, m)
	}
	r := start(t, slow, setup{server: telegramtest.Options{Inline: true}, config: func(c *telegram.Config) {
		stub(bot.InlineCard{Card: bot.Card{Article: 1, Title: "x"}})(c)
	}})
	reader := r.Chat(1)
	reader.Say("slow")
	r.ask(t, reader, "x")
	close(release)
	r.wait(t, reader, 1)
	var buckets int
	if err := r.db.Reader().NewRaw("SELECT count(*) FROM buckets").Scan(t.Context(), &buckets); err != nil || buckets > 0 {
		t.Errorf("%d buckets, %v", buckets, err)
	}
}

// An answer that cannot be made is none, and is not kept.
func TestInlineTroubleIsNotKept(t *testing.T) {
	for name, fail := range map[string]func() error{
		"an error": func() error { return errors.New("the database is away") },
		"a panic":  func() error { panic("oh") },
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			counted := map[string]int{}
			r := start(t, echo, setup{server: telegramtest.Options{Inline: true}, config: func(c *telegram.Config) {
				c.Inline = func(context.Context, bot.InlineQuery) (bot.InlineAnswer, error) { return bot.InlineAnswer{}, fail() }
				c.Count = func(event string) { mu.Lock(); counted[event]++; mu.Unlock() }
			}})
			_, answer := r.ask(t, r.Chat(1), "x")
			if len(answer.Results) != 0 || answer.CacheTime != 0 || !answer.Personal || answer.Button != "" {
				t.Errorf("%+v", answer)
			}
			if again := r.Chat(1).Ask("x"); again.Cached {
				t.Error("it is kept")
			}
			mu.Lock()
			defer mu.Unlock()
			if counted["inline_failed"] == 0 || counted["update_undecodable"] != 0 {
				t.Errorf("counted %v", counted)
			}
		})
	}
}

// A query that the server has given up, and one that nobody can read, are no errors.
func TestInlineQueriesThatAreTooOldOrStrange(t *testing.T) {
	clock := &calendar{at: time.Now()}
	asked, answered := make(chan struct{}), make(chan struct{})
	r := start(t, echo, setup{server: telegramtest.Options{Inline: true, Now: clock.Now}, config: func(c *telegram.Config) {
		c.Inline = func(_ context.Context, q bot.InlineQuery) (bot.InlineAnswer, error) {
			if q.Text == "old" {
				close(asked)
				<-answered
			}
			return bot.InlineAnswer{}, nil
		}
	}})
	r.Chat(1).Ask("old")
	<-asked
	clock.Advance(time.Minute)
	close(answered)
	id := r.NextUpdate()
	for i, body := range []string{
		`{"update_id":%d,"inline_query":{}}`, `{"update_id":%d,"inline_query":{"id":"9","from":{"id":1}}}`,
		`{"update_id":%d,"inline_query":{"id":7}}`, `{"update_id":%d,"chosen_inline_result":{"result_id":"1","from":{"id":1},"query":"x"}}`,
	} {
		r.Raw(id+int64(i), fmt.Sprintf(body, id+int64(i)))
	}
	r.quiet(t)
	if _, answer := r.ask(t, r.Chat(2), "new"); answer.Button != "" {
		t.Errorf("%+v", answer)
	}
	r.stop()
	if strings.Contains(r.log.String(), "level=ERROR") {
		t.Error(r.log)
	}
}

// Should the server not understand our HTML, the results come without it.
func TestInlineResultsGoPlainWhereHTMLIsRefused(t *testing.T) {
	var mu sync.Mutex
	counted := map[string]int{}
	r := start(t, echo, setup{server: telegramtest.Options{Inline: true}, config: func(c *telegram.Config) {
		stub(bot.InlineCard{Card: bot.Card{Article: 1, Title: "a <b>", URL: "https://news.example/a/1"}})(c)
		c.Count = func(event string) { mu.Lock(); counted[event]++; mu.Unlock() }
	}})
	r.Fail("answerInlineQuery", telegramtest.RefuseEntities)
	reader := r.Chat(1)
	asked, _ := r.ask(t, reader, "x")
	if _, err := asked.Choose("1"); err != nil {
		t.Fatal(err)
	}
	if m := reader.Messages()[0]; m.Text != "a <b>" || len(m.Entities) != 0 || !m.Plain {
		t.Errorf("posted %+v", m)
	}
	mu.Lock()
	defer mu.Unlock()
	if counted["html_refused"] != 1 {
		t.Errorf("counted %v", counted)
	}
}

// Silence is kept towards who asks too much.
func TestInlineSilence(t *testing.T) {
	r := start(t, echo, setup{server: telegramtest.Options{Inline: true}, config: func(c *telegram.Config) {
		c.Inline = func(_ context.Context, q bot.InlineQuery) (bot.InlineAnswer, error) {
			return bot.InlineAnswer{Silent: q.Text == "much", Start: bot.Action{Label: "Too fast", Text: "not a payload"}}, nil
		}
	}})
	r.Chat(1).Ask("much")
	r.quiet(t)
	if _, answer := r.ask(t, r.Chat(1), "x"); answer.Button != "" {
		t.Errorf("a button that the server would refuse: %+v", answer)
	}
	if n := len(r.Calls("answerInlineQuery")); n != 1 {
		t.Errorf("%d answers, want 1", n)
	}
}

func TestInlineIsAskedForWhereItIsAnswered(t *testing.T) {
	for _, mode := range []string{telegram.Poll, telegram.Webhook} {
		for _, on := range []bool{true, false} {
			t.Run(fmt.Sprint(mode, on), func(t *testing.T) {
				given := setup{server: telegramtest.Options{Inline: true}, config: func(c *telegram.Config) {
					if on {
						c.Inline = func(context.Context, bot.InlineQuery) (bot.InlineAnswer, error) {
							return bot.InlineAnswer{Cards: []bot.InlineCard{{Card: bot.Card{Article: 1, Title: "x"}}}}, nil
						}
					}
				}}
				method, r := "setWebhook", (*rig)(nil)
				if mode == telegram.Webhook {
					r = startWebhook(t, echo, given)
				} else {
					method, r = "getUpdates", start(t, echo, given)
				}
				reader := r.Chat(1)
				reader.Say("hello") // an update, so that a poll has ended and is listed
				r.wait(t, reader, 1)
				r.quiet(t)
				kinds := r.Calls(method)[0].Params["allowed_updates"]
				if strings.Contains(kinds, `"inline_query"`) != on || !strings.Contains(kinds, `"my_chat_member"`) || strings.Contains(kinds, "chosen") {
					t.Errorf("asked for %s", kinds)
				}
				if on {
					if _, answer := r.ask(t, reader, "x"); len(answer.Results) != 1 {
						t.Errorf("%+v", answer)
					}
				}
			})
		}
	}
}
