package telegram_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"
	"github.com/google/go-cmp/cmp"

	"newsie/bot"
	"newsie/bot/bottest"
	"newsie/bot/telegram"
	"newsie/bot/telegram/telegramtest"
)

var update = flag.Bool("update", false, "write the golden files")

// sent sends one reply and returns it as the reader sees it, and the call.
func sent(t *testing.T, r bot.Reply) (telegramtest.Message, telegramtest.Call, *telegramtest.Server, map[string]int) {
	t.Helper()
	s := telegramtest.Start(t, telegramtest.Options{Pictures: &gallery{}})
	s.Chat(1)
	counted := map[string]int{}
	c, _, _, _ := build(t, s, echo, setup{config: func(c *telegram.Config) { c.Count = func(e string) { counted[e]++ } }})
	if _, err := c.Send(patient(t), bot.Outgoing{To: bot.ChatID{Channel: "tg", ID: "1"}, Reply: r}); err != nil {
		t.Fatal(err)
	}
	answers := s.Chat(1).Answers()
	if len(answers) != 1 || counted["html_refused"] != 0 {
		t.Fatalf("%d messages, counted %v", len(answers), counted)
	}
	return answers[0], s.Calls("sendMessage")[0], s, counted
}

// span marks the first place of words in text.
func span(text string, words ...string) bot.Snippet {
	s := bot.Snippet{Text: text}
	for _, w := range words {
		if at := strings.Index(text, w); at >= 0 {
			s.Marks = append(s.Marks, bot.Span{Start: at, End: at + len(w)})
		}
	}
	return s
}

func goldens() map[string]bot.Reply {
	digest := bottest.List(7, "Entry", "What is new today.")
	digest.Text = "Commerce, 22 November"
	digest.Groups = []bot.Group{{Heading: "Shops", Cards: digest.Groups[0].Cards[:4]}, {Heading: "Codes & <tags>", Cards: digest.Groups[0].Cards[4:]}}
	digest.Actions = []bot.Action{{Label: "More", Text: "/more 12 2", Role: bot.PageOn}, {Label: "Change time", Text: "/following"}, {Label: "Stop", Text: "/unfollow 3"}}
	return map[string]bot.Reply{
		"search": {
			Lang: "en", Text: "3 articles on “tea & <milk>”",
			Groups: []bot.Group{{Cards: []bot.Card{
				{Number: 1, Article: 11, Title: "Tea <with> \"milk\" & sugar", URL: "https://example.org/a/11/tea?x=1&y=\"2\"", Source: "Kettle", Date: "1 March 2026", Open: "/read 11",
					Snippet: span("Boil the water, warm the pot & add milk last; tea forgives.", "milk", "tea")},
				{Number: 2, Article: 12, Title: "No address", Source: "Kettle", Open: "/read 12"},
				{Number: 3, Article: 13, Title: "On this machine", URL: "http://localhost:8080/a/13", Date: "2 March 2026", Open: "/read 13"},
			}}},
			Actions: []bot.Action{{Label: "More", Text: "/more 93 2", Role: bot.PageOn}, {Label: "Follow tea", Text: "/follow tea"}, {Label: "Site", URL: "https://example.org/"}},
		},
		"chinese": {
			Lang: "zh-Hans", Text: "“微店”的 2 篇文章",
			Groups: []bot.Group{{Cards: []bot.Card{
				{Number: 1, Article: 1, Title: "微店怎样找到读者", URL: "https://example.org/文章/1", Source: "电商观察", Date: "2026年3月1日", Snippet: span("很多微店开在聊天里，读者就是顾客。", "微店"), Open: "/read 1"},
				{Number: 2, Article: 2, Title: "小程序与微店", URL: "https://例子.中国/a/2", Source: "电商观察", Snippet: span("两者可以并用。"), Open: "/read 2"},
			}}},
			Actions: []bot.Action{{Label: "下一页", Text: "/more 5 2", Role: bot.PageOn}, {Label: "关注“微店”", Text: "/follow 微店"}, {Label: "最新文章", Text: "/latest"}},
		},
		"right-to-left": {
			Lang: "en", Text: "שלום 👨‍👩‍👧‍👦 🇮🇹 🏴󠁧󠁢󠁥󠁮󠁧󠁿 e\u0301",
			Groups: []bot.Group{{Cards: []bot.Card{
				{Number: 1, Article: 1, Title: "التجارة في \u202eالدردشة\u202c", URL: "https://example.org/ar/1", Source: "مجلة الشاي", Date: "1 March 2026", Snippet: span("متجر صغير داخل الدردشة", "متجر"), Open: "/read 1"},
				{Number: 2, Article: 2, Title: "מסחר בצ'אט", URL: "https://example.org/he/2", Source: "עיתון", Snippet: span("חנות קטנה", "חנות"), Open: "/read 2"},
			}}},
		},
		"article": {
			Lang: "it", Groups: []bot.Group{
				{Cards: []bot.Card{{Article: 7, Title: "La farinata", URL: "https://example.org/a/7/farinata", Source: "Cucina", Date: "1 marzo 2026", Cover: "https://example.org/media/broken.png", Snippet: bot.Snippet{Text: "Acqua, ceci, olio. Il forno fa il resto."}}}},
				{Heading: "Da leggere ancora", Cards: []bot.Card{{Number: 1, Article: 8, Title: "Il forno a legna", URL: "https://example.org/a/8/forno", Open: "/read 8"}}},
			},
			Actions: []bot.Action{{Label: "Continua a leggere", URL: "https://example.org/a/7/farinata"}, {Label: "Articoli simili", Text: "/related 7"}},
		},
		"digest":       digest,
		"buttons-only": {Lang: "it", Actions: []bot.Action{{Label: "Ultimi articoli", Text: "/latest"}, {Label: "", Text: "/x"}, {Label: "Too long", Text: strings.Repeat("x", 65)}, {Label: "Local", URL: "http://localhost/"}}},
		"dirty":        {Lang: "en", Text: "a\x00b\x07 \xff\xfe c\u202ed\ufffe\r\ne\u2028f\n\n\n\n\ng", Groups: []bot.Group{{Cards: []bot.Card{{Number: 1, Title: " two\nlines\tof  title ", Snippet: bot.Snippet{Text: "x\n\ny  z\x01", Marks: []bot.Span{{Start: 1, End: 4}, {Start: 2, End: 3}, {Start: -5, End: 99}}}, Open: "/read 1"}}}}},
	}
}

func TestGolden(t *testing.T) {
	for name, reply := range goldens() {
		t.Run(name, func(t *testing.T) {
			m, call, s, _ := sent(t, reply)
			var got bytes.Buffer
			fmt.Fprintf(&got, "%s\n\n%s\n\n", call.Params["text"], call.Params["link_preview_options"])
			s.Chat(1).Print(&got)
			for _, row := range m.Buttons {
				for _, b := range row {
					fmt.Fprintf(&got, "%s: %s%s\n", b.Text, b.Data, b.URL)
				}
			}
			path := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestTextIsCutOnlyWhenItMustBe(t *testing.T) {
	for _, test := range []struct {
		name, text string
		whole      bool
	}{
		{"4,096 letters", strings.Repeat("x", 4096), true},
		{"4,097 letters", strings.Repeat("x", 4097), false},
		{"4,096 units of Chinese", strings.Repeat("微", 4096), true},
		{"4,097 units of Chinese", strings.Repeat("微", 4097), false},
		{"2,048 emoji of two units", strings.Repeat("😀", 2048), true},
		{"2,048 emoji and one unit", strings.Repeat("😀", 2048) + "x", false},
		{"4,096 ampersands, five times as long in HTML", strings.Repeat("&", 4096), true},
		{"families", strings.Repeat("👨‍👩‍👧‍👦", 400), false},
		{"flags", strings.Repeat("🇮🇹", 1100), false},
		{"letters under many marks", strings.Repeat("e"+strings.Repeat("\u0301", 30), 150), false},
		{"one letter under too many marks", "start " + "e" + strings.Repeat("\u0301", 5000), false},
		{"Hebrew sentences", strings.Repeat("שלום לכולם. ", 400), false},
		{"English paragraphs", strings.Repeat(strings.Repeat("Some words, ", 20)+"end.\n", 30), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			m, _, _, _ := sent(t, bot.Reply{Text: test.text})
			if test.whole {
				if m.Text != test.text {
					t.Errorf("%d units were cut to %d", 4096, m.Units())
				}
				return
			}
			body, cut := strings.CutSuffix(m.Text, "…")
			if !cut || !strings.HasPrefix(test.text, body) || m.Units() > 4096 {
				t.Fatalf("%d units, ends in %q", m.Units(), m.Text[max(0, len(m.Text)-20):])
			}
			// What is kept must end between two grapheme clusters.
			ends := false
			for g := graphemes.FromString(test.text); g.Next(); {
				ends = ends || g.End() == len(body)
			}
			if !ends {
				t.Errorf("a grapheme was cut: …%q", body[max(0, len(body)-30):])
			}
			if m.Units() < 2000 && !strings.HasPrefix(test.name, "one letter") {
				t.Errorf("only %d units are left", m.Units())
			}
		})
	}
}

func TestSentencesAreKeptWhole(t *testing.T) {
	for _, sentence := range []string{"A sentence of words. ", "很多微店开在聊天里。", "¿Y ahora? "} {
		m, _, _, _ := sent(t, bot.Reply{Text: strings.Repeat(sentence, 4200/len([]rune(sentence))+20)})
		if want := strings.TrimSpace(sentence) + "…"; !strings.HasSuffix(m.Text, want) {
			t.Errorf("%q ends in %q", sentence, m.Text[len(m.Text)-40:])
		}
	}
}

func TestListsShrinkFromTheSnippets(t *testing.T) {
	huge := func(cards, title, snippet, text int) bot.Reply {
		r := bottest.List(cards, strings.Repeat("微信 ", title/3), strings.Repeat("Words that say why. ", snippet/20))
		r.Text = strings.Repeat("Intro. ", text/7)
		for i := range r.Groups[0].Cards {
			c := &r.Groups[0].Cards[i]
			for at := 0; at+5 <= len(c.Snippet.Text); at += 20 {
				c.Snippet.Marks = append(c.Snippet.Marks, bot.Span{Start: at, End: at + 5})
			}
		}
		return r
	}
	for _, test := range []struct {
		name  string
		reply bot.Reply
		cards int
	}{
		{"long snippets", huge(10, 30, 3000, 20), 10},
		{"long titles", huge(10, 3000, 3000, 20), 10},
		{"a long text above", huge(10, 30, 300, 9000), 10},
		{"everything long", huge(10, 3000, 3000, 9000), 10},
		{"more than fits in any way", huge(40, 3000, 0, 0), 15},
	} {
		t.Run(test.name, func(t *testing.T) {
			m, _, _, _ := sent(t, test.reply)
			if m.Units() > 4096 || len(m.Entities) > 100 {
				t.Errorf("%d units, %d entities", m.Units(), len(m.Entities))
			}
			links := m.Links()
			if len(links) < test.cards {
				t.Fatalf("%d links, want %d", len(links), test.cards)
			}
			for i, link := range links {
				if want := fmt.Sprintf("https://example.org/a/%d/commerce-%d", 4711+i, i+1); link != want {
					t.Errorf("link %d = %s, want %s", i, link, want)
				}
			}
			numbers := 0
			for _, label := range m.Labels() {
				if strings.Trim(label, "0123456789") == "" {
					numbers++
				}
			}
			if numbers != len(links) {
				t.Errorf("%d number buttons for %d cards", numbers, len(links))
			}
			if !utf8.ValidString(m.Text) || !strings.Contains(m.Text, "1. 微信") {
				t.Errorf("text: %.200q", m.Text)
			}
		})
	}
}

func TestSnippetsAreCutAroundTheMatch(t *testing.T) {
	text := strings.Repeat("Something else entirely goes on here. ", 60) + "At last the catchword stands here."
	r := bottest.List(10, "Title", "")
	for i := range r.Groups[0].Cards {
		r.Groups[0].Cards[i].Snippet = span(text, "catchword")
	}
	m, _, _, _ := sent(t, r)
	if n := strings.Count(m.Text, "catchword"); n != 10 {
		t.Errorf("the matched word is seen %d times, want 10:\n%s", n, m.Text)
	}
	bold := 0
	for _, e := range m.Entities {
		if e.Type == "bold" && e.Length == len("catchword") {
			bold++
		}
	}
	if bold != 10 {
		t.Errorf("%d words are marked, want 10", bold)
	}
}

func TestPreviewIsTheBestHit(t *testing.T) {
	for _, test := range []struct {
		name  string
		reply bot.Reply
		want  telegramtest.Preview
	}{
		{"list", bottest.List(3, "T", "s"), telegramtest.Preview{URL: "https://example.org/a/4711/commerce-1", Small: true}},
		{"article with a cover", goldens()["article"], telegramtest.Preview{URL: "https://example.org/a/7/farinata", Large: true, Above: true}},
		{"text", bot.Reply{Text: "see https://example.org/"}, telegramtest.Preview{Disabled: true}},
		{"no address that can be shown", bot.Reply{Groups: []bot.Group{{Cards: []bot.Card{{Title: "t", URL: "http://localhost/1"}}}}}, telegramtest.Preview{Disabled: true}},
	} {
		if m, _, _, _ := sent(t, test.reply); m.Preview != test.want {
			t.Errorf("%s: %+v, want %+v", test.name, m.Preview, test.want)
		}
	}
}

func TestButtonsThatCannotBeAreLeftOutAndCounted(t *testing.T) {
	r := bot.Reply{Text: "x", Actions: []bot.Action{
		{Label: "fits", Text: strings.Repeat("微", 21) + "x"},
		{Label: "too long", Text: strings.Repeat("微", 21) + "xy"},
		{Label: "nowhere", URL: "http://localhost:8080/"},
		{Label: "\u202e\x00", Text: "/x"},
	}}
	m, _, _, counted := sent(t, r)
	if got := m.Labels(); len(got) != 1 || got[0] != "fits" || counted["button_dropped"] != 3 {
		t.Errorf("labels %q, counted %v", got, counted)
	}
}

func TestPlainTextWhenTheServerRefusesOurHTML(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{})
	s.Chat(1)
	s.Fail("sendMessage", telegramtest.RefuseEntities)
	counted := map[string]int{}
	c, _, _, _ := build(t, s, echo, setup{config: func(c *telegram.Config) { c.Count = func(e string) { counted[e]++ } }})
	if _, err := c.Send(patient(t), bot.Outgoing{To: bot.ChatID{Channel: "tg", ID: "1"}, Reply: bottest.List(2, "A <b> & C", "s")}); err != nil {
		t.Fatal(err)
	}
	m := s.Chat(1).Answers()
	if len(m) != 1 || !m[0].Plain || !strings.Contains(m[0].Text, "A <b> & C 1") || len(m[0].Labels()) != 4 {
		t.Errorf("messages = %+v", m)
	}
	if counted["html_refused"] != 1 {
		t.Errorf("counted %v", counted)
	}
}

func FuzzRender(f *testing.F) {
	f.Add("text", "title", "https://example.org/", "snippet", 0, 3, "/read 1")
	f.Add("&lt;<b>", "\u202e</a>", "https://e.org/\"><b>", "👨‍👩‍👧‍👦\xff", 1, 9, "x")
	f.Add("0", "0", "0", "0", -5, 99, strings.Repeat("\xff", 30))
	f.Fuzz(func(t *testing.T, text, title, url, snippet string, from, to int, action string) {
		r := bot.Reply{Text: text, Groups: []bot.Group{{Heading: title}}}
		for i := 1; i <= 5; i++ {
			r.Groups[0].Cards = append(r.Groups[0].Cards, bot.Card{Number: i, Title: title, URL: url, Source: text, Date: title, Open: action,
				Snippet: bot.Snippet{Text: snippet, Marks: []bot.Span{{Start: from, End: to}, {Start: to, End: from + to}}}})
		}
		r.Actions = []bot.Action{{Label: title, Text: action}, {Label: text, URL: url}}
		page := telegram.Page(r)
		shown, err := telegramtest.Accept(page)
		if err != nil {
			blob, _ := json.Marshal(page)
			t.Fatalf("%v\n%s", err, blob)
		}
		if shown.Units() != telegram.PageUnits(r) {
			t.Errorf("the server counts %d, we %d: %q", shown.Units(), telegram.PageUnits(r), page["text"])
		}
	})
}
