package telegram_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"newsie/bot"
	"newsie/bot/bottest"
	"newsie/bot/telegram"
	"newsie/bot/telegram/telegramtest"
)

// counting has each card and link of a reply count below base.
func counting(r bot.Reply, base string) bot.Reply {
	for i := range r.Groups {
		for j := range r.Groups[i].Cards {
			card := &r.Groups[i].Cards[j]
			card.Counted = base + card.URL[strings.LastIndex(card.URL, "/"):]
		}
	}
	for i, a := range r.Actions {
		if a.URL != "" {
			r.Actions[i].Counted = base + a.URL[strings.LastIndex(a.URL, "/"):]
		}
	}
	return r
}

func oneShown() bot.Reply {
	r := bottest.List(1, "Tea", "First the shrimps, then the tea.")
	r.Text, r.Groups[0].Cards[0].Number, r.Groups[0].Cards[0].Open = "", 0, ""
	r.Groups[0].Cards[0].Cover = "https://example.org/media/tea.png"
	r.Actions = []bot.Action{{Label: "Read on", URL: r.Groups[0].Cards[0].URL, Article: 4711}, {Label: "Save", Text: "/save 4711 v"}}
	return r
}

func TestOnlyWhatIsTappedIsCounted(t *testing.T) {
	for name, reply := range map[string]func() bot.Reply{
		"a list": func() bot.Reply { return bottest.List(3, "Tea", "First the shrimps.") }, "an article": oneShown,
	} {
		t.Run(name, func(t *testing.T) {
			want, got := telegram.Page(reply()), telegram.Page(counting(reply(), "https://news.example.org/r"))
			if got["link_preview_options"] != want["link_preview_options"] || !strings.Contains(got["link_preview_options"], `"url":"https://example.org/a/4711/commerce-1"`) {
				t.Errorf("the preview is of %s, want %s", got["link_preview_options"], want["link_preview_options"])
			}
			tapped := got["text"] + got["reply_markup"]
			if n := strings.Count(tapped, "https://example.org/a/"); n != 0 {
				t.Errorf("%d links are not counted:\n%s", n, tapped)
			}
			// Beside where they lead nothing changes.
			for _, params := range []map[string]string{want, got} {
				for k, v := range params {
					for _, base := range []string{"https://news.example.org/r/", "https://example.org/a/4711/", "https://example.org/a/4712/", "https://example.org/a/4713/"} {
						v = strings.ReplaceAll(v, base, "")
					}
					params[k] = v
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-plain +counted:\n%s", diff)
			}
			// The server refuses buttons to this machine: those that are not
			// counted are better than none.
			if diff := cmp.Diff(telegram.Page(reply()), telegram.Page(counting(reply(), "http://localhost:8080/r"))); diff != "" {
				t.Errorf("with addresses that the server refuses, -plain +counted:\n%s", diff)
			}
		})
	}
}

func TestARichDigestAndAPhotoAreCounted(t *testing.T) {
	p := openParlour(t, telegramtest.Options{Rich: true, Pictures: &gallery{}}, "")
	for name, reply := range map[string]bot.Reply{"rich": topics(2, 6), "photo": oneShown()} {
		m := p.send(counting(reply, "https://news.example.org/r"))
		if (m.Rich != nil) != (name == "rich") || (m.Photo != nil) != (name == "photo") {
			t.Fatalf("%s: it came as %+v", name, m)
		}
		links := m.Links()
		if len(links) == 0 {
			t.Errorf("%s: no links", name)
		}
		for _, link := range links {
			if !strings.HasPrefix(link, "https://news.example.org/r/commerce-") {
				t.Errorf("%s: a link leads to %s", name, link)
			}
		}
	}
}
