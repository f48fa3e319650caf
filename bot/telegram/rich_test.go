package telegram_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"newsie/bot"
	"newsie/bot/bottest"
	"newsie/bot/telegram"
	"newsie/bot/telegram/telegramtest"
)

// topics is a digest of several topics.
func topics(each ...int) bot.Reply {
	r := bot.Reply{Lang: "en", Text: "Your digest · Monday <1> & on", Actions: []bot.Action{
		{Label: "and 7 more", Text: "/more 12 2", Role: bot.PageOn}, {Label: "Change the time", Text: "/when 3"}, {Label: "Stop this digest", Text: "/unfollow 3"},
	}}
	n := 0
	for i, count := range each {
		g := bot.Group{Heading: fmt.Sprintf("Topic %d & <b>", i+1)}
		for range count {
			n++
			c := bottest.List(n, "Title <i> &", "").Groups[0].Cards[n-1]
			c.Snippet = span(fmt.Sprintf("Words of entry %d & more.", n), "entry")
			g.Cards = append(g.Cards, c)
		}
		r.Groups = append(r.Groups, g)
	}
	return r
}

type parlour struct {
	*telegramtest.Server
	t       *testing.T
	channel *telegram.Channel
	counted map[string]int
	log     *journal
}

func openParlour(t *testing.T, o telegramtest.Options, rich string) *parlour {
	p := &parlour{Server: telegramtest.Start(t, o), t: t, counted: map[string]int{}}
	p.Chat(1)
	p.channel, _, _, p.log = build(t, p.Server, echo, setup{config: func(c *telegram.Config) {
		c.Rich, c.Count = rich, func(e string) { p.counted[e]++ }
	}})
	return p
}

func (p *parlour) send(r bot.Reply) telegramtest.Message {
	p.t.Helper()
	if _, err := p.channel.Send(patient(p.t), bot.Outgoing{To: to("1"), Reply: r, Topic: "*", Silent: true}); err != nil {
		p.t.Fatalf("%v\n%s", err, p.log)
	}
	answers := p.Chat(1).Answers()
	return answers[len(answers)-1]
}

func TestADigestOfSeveralTopicsIsRich(t *testing.T) {
	p := openParlour(t, telegramtest.Options{Rich: true}, "")
	m := p.send(topics(2, 6))
	if m.Rich == nil || !m.Silent || m.Rich.RTL {
		t.Fatalf("%+v", m)
	}
	want := `### Your digest · Monday <1> & on
#### Topic 1 & <b>
1. Title <i> & 1
Example · 1 March 2026
Words of entry 1 & more.
2. Title <i> & 2
Example · 1 March 2026
Words of entry 2 & more.
#### Topic 2 & <b>
3. Title <i> & 3
Example · 1 March 2026
Words of entry 3 & more.
4. Title <i> & 4
Example · 1 March 2026
Words of entry 4 & more.
5. Title <i> & 5
Example · 1 March 2026
Words of entry 5 & more.
▸ Show 3 more
  6. Title <i> & 6
  Example · 1 March 2026
  Words of entry 6 & more.
  7. Title <i> & 7
  Example · 1 March 2026
  Words of entry 7 & more.
  8. Title <i> & 8
  Example · 1 March 2026
  Words of entry 8 & more.`
	if got := m.Rich.String(); got != want {
		t.Errorf("the reader sees:\n%s", got)
	}
	if !strings.Contains(m.Rich.HTML, `<a href="https://example.org/a/4711/commerce-1">`) || !strings.Contains(m.Rich.HTML, "Words of <b>entry</b> 1") {
		t.Errorf("sent: %s", m.Rich.HTML)
	}
	if !strings.Contains(p.Calls("sendRichMessage")[0].Params["rich_message"], `"skip_entity_detection":true`) {
		t.Errorf("sent %v", p.Calls("sendRichMessage")[0].Params)
	}
	if got := strings.Join(m.Labels(), "|"); got != "1|2|3|4|5|6|7|8|and 7 more ›|Change the time|Stop this digest" {
		t.Errorf("buttons: %s", got)
	}
}

func TestWhatHTMLHoldsIsNotRich(t *testing.T) {
	p := openParlour(t, telegramtest.Options{Rich: true}, "")
	for name, r := range map[string]bot.Reply{
		"one topic":       topics(10),
		"a list":          bottest.List(10, "T", "s"),
		"a text":          {Text: strings.Repeat("x", 5000)},
		"nothing, newest": {Text: "Nothing.", Groups: []bot.Group{{Heading: "Newest", Cards: bottest.List(3, "T", "s").Groups[0].Cards}}},
		"an article":      shown(""),
	} {
		if m := p.send(r); m.Rich != nil || m.Text == "" {
			t.Errorf("%s: %+v", name, m)
		}
	}
	off := openParlour(t, telegramtest.Options{Rich: true}, telegram.RichOff)
	if m := off.send(topics(2, 2)); m.Rich != nil {
		t.Errorf("off: %+v", m)
	}
}

func TestWhatHTMLWouldShortenIsRich(t *testing.T) {
	p := openParlour(t, telegramtest.Options{Rich: true}, "")
	for name, r := range map[string]bot.Reply{
		"long titles":      bottest.List(16, strings.TrimSpace(strings.Repeat("Long title ", 22)), "Snippet."),
		"forty entries":    bottest.List(40, "T", "s"),
		"sixty Chinese":    bottest.List(60, strings.Repeat("微店", 140), strings.Repeat("微店", 100)),
		"sixty families":   bottest.List(60, strings.Repeat("👨‍👩‍👧‍👦", 27), strings.Repeat("🇮🇹", 100)),
		"sixty with &<>":   bottest.List(60, strings.Repeat("&<>", 99), strings.Repeat("<&>", 100)),
		"sixty with marks": bottest.List(60, strings.Repeat("e\u0301", 149), strings.Repeat("e\u0301", 100)),
		"more than sixty":  bottest.List(90, "T", "s"),
	} {
		m := p.send(r)
		if m.Rich == nil {
			t.Fatalf("%s: %.200s\n%s", name, m.Text, p.log)
		}
		want := min(60, len(r.Groups[0].Cards))
		if links := m.Rich.Links(); len(links) != want || p.counted["rich_refused"] != 0 {
			t.Errorf("%s: %d links, counted %v", name, len(links), p.counted)
		}
	}
}

func TestAServerWithoutRichMessagesIsAskedOnce(t *testing.T) {
	p := openParlour(t, telegramtest.Options{}, "")
	for range 3 {
		m := p.send(topics(2, 2))
		if m.Rich != nil || !strings.HasPrefix(m.Text, "Your digest") || !strings.Contains(m.Text, "Topic 2 & <b>\n\n3. Title") {
			t.Fatalf("%+v", m)
		}
	}
	if n := len(p.Calls("sendRichMessage")); n != 1 || p.counted["rich_refused"] != 0 {
		t.Errorf("asked %d times, counted %v", n, p.counted)
	}
}

// "Not Found" is also what a token that is none gets: then nothing is learnt.
func TestATokenThatIsNoneIsNotAMissingMethod(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{Rich: true})
	s.Chat(1)
	c, _, _, _ := build(t, s, echo, setup{config: func(c *telegram.Config) { c.APIURL = s.URL() + "/elsewhere" }})
	_, err := c.Send(patient(t), bot.Outgoing{To: to("1"), Reply: topics(2, 2)})
	var config *bot.ConfigError
	if !errors.As(err, &config) {
		t.Errorf("Send = %v", err)
	}
}

// Nothing is learnt either while the HTML does not get through.
func TestAMissingMethodIsBelievedOnlyWithHTMLThrough(t *testing.T) {
	p := openParlour(t, telegramtest.Options{}, "")
	p.Fail("sendMessage", telegramtest.TooMany)
	var retry *bot.RetryError
	if _, err := p.channel.Send(patient(t), bot.Outgoing{To: to("1"), Reply: topics(2, 2)}); !errors.As(err, &retry) {
		t.Errorf("Send = %v", err)
	}
	p.send(topics(2, 2))
	p.send(topics(2, 2))
	if n := len(p.Calls("sendRichMessage")); n != 2 {
		t.Errorf("asked %d times, want 2", n)
	}
}

func TestARichMessageThatIsRefusedGoesAsHTML(t *testing.T) {
	p := openParlour(t, telegramtest.Options{Rich: true}, "")
	p.Fail("sendRichMessage", telegramtest.RefuseEntities)
	if m := p.send(topics(2, 2)); m.Rich != nil || m.Text == "" || p.counted["rich_refused"] != 1 {
		t.Errorf("%+v, counted %v", m, p.counted)
	}
	if m := p.send(topics(2, 2)); m.Rich == nil {
		t.Errorf("one refusal ended it: %+v", m)
	}
}

func TestARichMessageOfUnknownFateIsNotSentAgain(t *testing.T) {
	for _, fault := range []telegramtest.Fault{telegramtest.ResetAfter, telegramtest.ServerError, telegramtest.BadGateway} {
		p := openParlour(t, telegramtest.Options{Rich: true}, "")
		p.Fail("sendRichMessage", fault)
		_, err := p.channel.Send(patient(t), bot.Outgoing{To: to("1"), Reply: topics(2, 2)})
		if !errors.Is(err, bot.ErrUnknown) || len(p.Calls("sendMessage")) != 0 {
			t.Errorf("%s: %v, then %v", fault, err, p.Calls(""))
		}
	}
	p := openParlour(t, telegramtest.Options{Rich: true}, "")
	p.Chat(1).Block()
	if _, err := p.channel.Send(patient(t), bot.Outgoing{To: to("1"), Reply: topics(2, 2)}); !errors.Is(err, bot.ErrGone) || len(p.Calls("sendMessage")) != 0 {
		t.Errorf("blocked: %v, then %v", err, p.Calls(""))
	}
}

func TestADigestInArabicRunsFromTheRight(t *testing.T) {
	p := openParlour(t, telegramtest.Options{Rich: true}, "")
	r := topics(2, 2)
	for _, g := range r.Groups {
		for i := range g.Cards {
			g.Cards[i].Lang, g.Cards[i].Title, g.Cards[i].Source = "ar-EG", "التجارة في الدردشة", "مجلة"
		}
	}
	if m := p.send(r); m.Rich == nil || !m.Rich.RTL {
		t.Errorf("%+v", m)
	}
	r.Groups[0].Cards[0].Lang = "en"
	if m := p.send(r); m.Rich == nil || m.Rich.RTL {
		t.Errorf("mixed: %+v", m)
	}
}

// The pages of a rich digest are edits of it, and back.
func TestARichDigestIsPaged(t *testing.T) {
	pages := map[string]bot.Reply{"digest": topics(2, 2), "/more 12 1": topics(2, 2), "/more 12 2": bottest.List(3, "Page two", "s")}
	r := start(t, func(_ context.Context, m bot.Message) (bot.Reply, error) {
		reply := pages[m.Text]
		if m.Kind == bot.Tap {
			reply.Replace = "12"
		}
		reply.Actions = []bot.Action{{Label: "Back", Text: "/more 12 1", Role: bot.PageBack}, {Label: "More", Text: "/more 12 2", Role: bot.PageOn}}
		return reply, nil
	}, setup{server: telegramtest.Options{Rich: true}})
	chat := r.Chat(1)
	chat.Say("digest")
	r.wait(t, chat, 1)
	for i, step := range []struct {
		tap  string
		rich bool
	}{{"More ›", false}, {"‹ Back", true}, {"More ›", false}} {
		if _, err := chat.Tap(step.tap); err != nil {
			t.Fatal(err)
		}
		got := r.until(t, chat, func(all []telegramtest.Message) bool { return len(all) > 1 || all[0].Edits > i })
		if len(got) != 1 || got[0].Edits != i+1 || (got[0].Rich != nil) != step.rich {
			t.Fatalf("%s: %+v\n%s", step.tap, got, r.log)
		}
	}
}

func TestConfigurationOfRichMessages(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{})
	_, config, _, _ := build(t, s, echo, setup{})
	for rich, ok := range map[string]bool{"": true, "auto": true, "off": true, "on": false} {
		config.Rich = rich
		if _, err := telegram.New(config); (err == nil) != ok {
			t.Errorf("%q: %v", rich, err)
		}
	}
}
