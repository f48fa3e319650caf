package webchat_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"newsie/bot"
	"newsie/bot/webchat"
	"newsie/internal/browsertest"
	"newsie/internal/database/databasetest"
)

// says is true when a message of the bot that is kept contains words.
func says(words string) string {
	return fmt.Sprintf(`[...document.querySelectorAll('.it[data-id]')].some(e => e.textContent.includes(%q))`, words)
}

func typing(text string) browsertest.Step { return chromedp.SendKeys(chromedp.CSS("#text"), text+"\r") }

// press pushes the last button whose label contains words.
func press(words string) browsertest.Step {
	return browsertest.Run(fmt.Sprintf(`[...document.querySelectorAll('form.tap button')].filter(b => b.textContent.includes(%q)).pop().click()`, words))
}

func picture(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(browsertest.Picture()) }

// newsroom answers like a small library.
type newsroom struct {
	media string // where the covers are
	mu    sync.Mutex
	said  []bot.Message
}

func (n *newsroom) handle(_ context.Context, m bot.Message) (bot.Reply, error) {
	n.mu.Lock()
	n.said = append(n.said, m)
	n.mu.Unlock()
	card := func(number int, title, text, mark, source, date, lang string) bot.Card {
		at := strings.Index(text, mark)
		c := bot.Card{Number: number, Article: int64(number), Title: title, URL: fmt.Sprintf("https://paper.example/a/%d/x", number), Source: source, Date: date, Lang: lang, Open: fmt.Sprintf("/read %d", number), Snippet: bot.Snippet{Text: text}}
		if mark != "" && at >= 0 {
			c.Snippet.Marks = []bot.Span{{Start: at, End: at + len(mark)}}
		}
		return c
	}
	switch {
	case m.Kind == bot.Join:
		return bot.Reply{Lang: "en", Text: "Hello! I know the articles of The Paper.\nType a word – “commerce”, “健康”, “sport” – or ask a question."}, nil
	case m.Text == "commerce":
		r := bot.Reply{Lang: "en", Text: "5 of 23 articles on “commerce”:", Groups: []bot.Group{{Cards: []bot.Card{
			card(1, "Forty crates of oranges, sold in a chat", "The cooperative closed its web shop and moved its commerce into a chat group. Two years later it sells more than before, with one person less.", "commerce", "The Paper", "14 October 2026", "en"),
			card(2, "QR codes on the shelf label", "A small square on the label ties the shelf to the chat: readers scan it, ask, and commerce begins with a conversation.", "commerce", "Ada Byron", "2 September 2026", "en"),
			card(3, "微店与社区团购：巷口小店的第二个春天", "社区里的小店用微店接单，邻居在群里下单，傍晚取货。电商不再只是大平台的生意。", "电商", "新闻部", "2026年8月21日", "zh-Hans"),
			card(4, "Bottega in tasca", "Il commercio elettronico entra nella chat: il cliente scrive, il negozio risponde, e il pacco parte la sera stessa.", "commercio elettronico", "Redazione", "3 luglio 2026", "it"),
			card(5, "Лавка в телеграме", "Торговля в мессенджере начинается с вопроса, а не с витрины.", "Торговля", "Редакция", "1 июня 2026", "ru"),
		}}}, Actions: []bot.Action{{Label: "More", Text: "/more 93 2"}, {Label: "Follow “commerce”", Text: "/follow commerce"}}}
		r.Groups[0].Cards[0].Cover = n.media + "/media/cover.png"
		return r, nil
	case m.Text == "/read 2":
		return bot.Reply{Lang: "en", Groups: []bot.Group{
			{Cards: []bot.Card{{Article: 2, Title: "QR codes on the shelf label", URL: "https://paper.example/a/2/x", Source: "Ada Byron", Date: "2 September 2026", Lang: "en", Cover: n.media + "/media/cover.png",
				Snippet: bot.Snippet{Text: "A small square on the label ties the shelf to the chat. Shops that tried it report that one scan in five becomes a question, and one question in three a sale."}}}},
			{Heading: "Related articles", Cards: []bot.Card{card(1, "Forty crates of oranges, sold in a chat", "The cooperative closed its web shop.", "", "The Paper", "14 October 2026", "en")}},
		}, Actions: []bot.Action{{Label: "‹ Older", Text: "/read 1"}, {Label: "Newer ›", Text: "/read 3"}, {Label: "On the site", URL: "https://paper.example/a/2/x"}}}, nil
	case m.Text == "/more 93 2":
		return bot.Reply{Lang: "en", Text: "6–7 of 23:", Replace: "93", Groups: []bot.Group{{Cards: []bot.Card{
			card(6, "The mail boat to Vore", "Commerce came to the island with the boat.", "Commerce", "The Paper", "1 May 2026", "en"), card(7, "Two knees", "A runner's report.", "", "The Paper", "1 April 2026", "en")}}}}, nil
	case strings.HasPrefix(m.Text, "/follow"):
		return bot.Reply{Lang: "en", Text: "You follow “commerce”: every day at 8:00, when there is something new."}, nil
	case m.Text == "/help" || m.Text == "/forget":
		return bot.Reply{Lang: "en", Text: "Words find articles. https://paper.example/help"}, nil
	}
	return bot.Reply{Lang: "en", Text: "Nothing found for “" + m.Text + "”."}, nil
}

func (n *newsroom) last() bot.Message {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.said[len(n.said)-1]
}

func TestChatInABrowser(t *testing.T) {
	tab := browsertest.Start(t, "chat")
	room := &newsroom{}
	s := serve(t, databasetest.SQLite(t), room.handle, func(c *webchat.Config) {
		c.Now = time.Now
		room.media = c.PublicURL
		c.Suggestions = []string{"commerce", "健康", "sport", "烹饪", "viaggi"}
	})
	tab.Do("open", browsertest.Look(375, 812, "light"), chromedp.Navigate(s.url), browsertest.Until(`document.getElementById("text")`))
	tab.Shoot("chat-phone-welcome")
	if n := s.count(t); n != 0 {
		t.Errorf("opening the page left %d rows", n)
	}

	tab.Do("type a word", typing("commerce"), browsertest.Until(says("Forty crates")))
	if m := room.last(); m.Zone == "" || m.Text != "commerce" || m.Kind != bot.Text {
		t.Errorf("the bot heard %+v", m)
	}
	if left, cards := browsertest.Read[int](tab, `document.querySelectorAll('.it:not([data-id]), .pending, .typing, #chips').length`), browsertest.Read[int](tab, `document.querySelectorAll('.card').length`); left != 0 || cards != 5 {
		t.Errorf("%d leftovers, %d cards", left, cards)
	}
	if top := browsertest.Read[float64](tab, `document.querySelector('.me').getBoundingClientRect().top`); top < 0 || top > 200 {
		t.Errorf("the reader's words are at %v of the window", top)
	}
	tab.Shoot("chat-phone-answer")

	tab.Do("open an article", press("Open 2"), browsertest.Until(says("one scan in five")))
	tab.Shoot("chat-phone-article")
	tab.Do("more", press("More"), browsertest.Until(says("6–7 of 23")))
	tab.Do("follow", press("Follow"), browsertest.Until(says("You follow")))
	if m := room.last(); m.Kind != bot.Tap || m.Text != "/follow commerce" {
		t.Errorf("the bot heard %+v", m)
	}

	digest := bot.Reply{Lang: "en", Text: "Your digest on “commerce”: 1 new article", Groups: []bot.Group{{Cards: []bot.Card{{Number: 1, Article: 9, Title: "A shop in the pocket", URL: "https://paper.example/a/9/x", Source: "The Paper", Date: "Today", Open: "/read 9", Lang: "en",
		Snippet: bot.Snippet{Text: "It came this morning."}}}}}, Actions: []bot.Action{{Label: "Stop following", Text: "/unfollow 1"}}}
	if _, err := s.Send(t.Context(), bot.Outgoing{To: room.last().Chat, Reply: digest}); err != nil {
		t.Fatal(err)
	}
	tab.Do("the digest arrives", browsertest.Until(says("A shop in the pocket")))
	tab.Shoot("chat-phone-digest")

	ids := `[...document.querySelectorAll('.entry')].map(e => e.id)`
	before := browsertest.Read[[]string](tab, ids)
	tab.Do("reload", chromedp.Reload(), browsertest.Until(says("A shop in the pocket")))
	after := browsertest.Read[[]string](tab, ids)
	if fmt.Sprint(before) != fmt.Sprint(after) || len(after) != 10 {
		t.Errorf("before the reload %q, after it %q", before, after)
	}
	for i, size := range [][2]int64{{375, 812}, {1280, 800}} {
		for _, scheme := range []string{"light", "dark"} {
			name := fmt.Sprintf("chat-%s-%s", []string{"phone", "desktop"}[i], scheme)
			tab.Do(name, browsertest.Look(size[0], size[1], scheme), browsertest.Run(`document.querySelector('.me').scrollIntoView()`))
			tab.Shoot(name)
			if browsertest.Read[bool](tab, `document.documentElement.scrollWidth > innerWidth`) {
				t.Errorf("%s: the page is wider than the window", name)
			}
		}
	}
}
