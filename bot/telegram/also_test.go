package telegram_test

import (
	"fmt"
	"strings"
	"testing"

	"newsie/bot"
)

// Where else a story is told goes before anything else does.
func TestOtherSourcesAreLeftOutFirst(t *testing.T) {
	reply := func(cards int, snippet string) bot.Reply {
		r := bot.Reply{Lang: "en", Groups: []bot.Group{{}}}
		for i := 1; i <= cards; i++ {
			r.Groups[0].Cards = append(r.Groups[0].Cards, bot.Card{
				Number: i, Article: int64(i), Title: "River breaks dam", URL: fmt.Sprintf("https://example.org/a/%d", i), Source: "Herald", Date: "1 March 2026",
				Snippet: bot.Snippet{Text: snippet},
				Also: bot.Also{Label: "Also in: ", Comma: ", ", Places: []bot.Place{
					{Name: "Gazette & Sons", URL: fmt.Sprintf("https://gazette.example/%d?a=1&b=2", i)}, {Name: "Here", URL: "http://localhost/1"}, {Name: "+2"},
				}},
			})
		}
		return r
	}
	m, _, _, _ := sent(t, reply(5, "The river rose."))
	if n := strings.Count(m.Text, "Also in: Gazette & Sons, Here, +2"); n != 5 {
		t.Errorf("%d of 5 are named in:\n%s", n, m.Text)
	}
	// 4,096 units hold the titles and snippets whole, but not that as well.
	long := reply(13, strings.TrimSpace(strings.Repeat("The river rose again. ", 3)))
	for i := range long.Groups[0].Cards {
		long.Groups[0].Cards[i].Title = strings.TrimSpace(strings.Repeat("River breaks dam ", 12))
	}
	m, _, _, _ = sent(t, long)
	if strings.Contains(m.Text, "Also in") || strings.Contains(m.Text, "…") || strings.Count(m.Text, "Herald") != 13 || m.Units() < 3700 {
		t.Errorf("other things went first, of %d units:\n%s", m.Units(), m.Text)
	}
	// The server keeps a hundred entities: titles, sources and links of 20 cards take 60.
	cards := reply(20, "")
	for i := range cards.Groups[0].Cards {
		c := &cards.Groups[0].Cards[i]
		for j := range c.Also.Places {
			c.Also.Places[j].URL = fmt.Sprintf("https://gazette.example/%d/%d", i, j)
		}
	}
	if m, _, _, _ = sent(t, cards); strings.Contains(m.Text, "Also in") || strings.Count(m.Text, "Herald") != 20 {
		t.Errorf("too many links:\n%s", m.Text)
	}
}
