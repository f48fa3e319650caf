package wechat

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/silenceper/wechat/v2/officialaccount/message"

	"newsie/bot"
)

// An Answer says when a question is answered with a news card, which has room
// for one article and its picture, instead of a text that lists several.
type Answer string

const (
	List Answer = "list" // never
	Card Answer = "card" // whenever the first article came first by merit
	Auto Answer = "auto" // when the first article is clearly what was meant
)

// A bubble is what an answer shows, one of the two; the zero bubble nothing.
type bubble struct {
	text    string
	article *message.Article
}

const (
	cover     = "?cover=900x500" // the size the app shows the first picture in
	mostWith  = 8                // articles that a card's page lists beside its own
	newsTitle = 64               // columns: two lines of the app's
)

// article is reply as a news card, or nil when it is to be text: when its first
// card is not what was asked for, or has no address that the app opens, or when
// the others could not be reached from it.
func (c *Channel) article(reply bot.Reply) *message.Article {
	wanted := reply.Best == bot.Clear && c.cfg.Answer != List || reply.Best == bot.Ranked && c.cfg.Answer == Card
	if !wanted || len(reply.Groups) != 1 || len(reply.Groups[0].Cards) == 0 {
		return nil
	}
	more := false
	for _, action := range reply.Actions {
		more = more || strings.HasPrefix(action.Text, "/more ")
	}
	reply = tidy(reply)
	first, others := reply.Groups[0].Cards[0], reply.Groups[0].Cards[1:]
	address := c.cardAddress(first, others)
	title := shorten(first.Title, newsTitle)
	if address == "" || title == "" {
		return nil
	}
	picture := c.cover(first.Cover)
	words := c.cfg.Catalog.Printer(c.language(reply))
	hint := ""
	if len(others) > 0 {
		numbers := strconv.Itoa(others[0].Number)
		if last := others[len(others)-1].Number; len(others) > 1 {
			numbers += "–" + strconv.Itoa(last)
		}
		hint = words.T("wechat.others", "Count", len(others), "Numbers", numbers)
		if more {
			hint = words.T("wechat.others_more", "Numbers", numbers)
		}
	}
	// Shorter words before no picture; the hint stays.
	for _, room := range []struct {
		snippet int
		picture string
	}{{110, picture}, {56, picture}, {0, picture}, {56, ""}, {0, ""}} {
		parts := []string{excerpt(first.Snippet, room.snippet), byline(first), hint}
		description := strings.Join(filled(parts), "\n")
		if len(title)+len(description)+len(room.picture)+len(address) <= Budget {
			return message.NewArticle(title, description, room.picture, address)
		}
	}
	return nil
}

// cardAddress is where a news card leads: to its article, and where others were
// found, to our page of it, which lists them.
func (c *Channel) cardAddress(first bot.Card, others []bot.Card) string {
	if len(others) == 0 {
		return webAddress(first.URL)
	}
	page := c.page(first)
	if page == "" {
		return ""
	}
	ids := make([]string, 0, mostWith)
	for _, card := range others[:min(len(others), mostWith)] {
		ids = append(ids, strconv.FormatInt(card.Article, 10))
	}
	return webAddress(page + "?with=" + strings.Join(ids, "."))
}

// page is the address of our page of an article, or the one that counts its
// opening, which leads there where it is told what else to list; "" where there
// is none.
func (c *Channel) page(card bot.Card) string {
	if c.cfg.PublicURL == "" || card.Article == 0 {
		return ""
	}
	if card.Counted != "" {
		return card.Counted
	}
	return strings.TrimRight(c.cfg.PublicURL, "/") + "/a/" + strconv.FormatInt(card.Article, 10)
}

// cover is the address of a card's picture: ours in the size that the app
// shows, others as they are.
func (c *Channel) cover(address string) string {
	if ours := strings.TrimRight(c.cfg.PublicURL, "/") + "/media/"; c.cfg.PublicURL != "" && strings.HasPrefix(address, ours) && !strings.Contains(address, "?") {
		address += cover
	}
	return webAddress(address)
}

// webAddress is an address that the app opens, escaped, or "".
func webAddress(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || len(address) > maxLink {
		return ""
	}
	return escape(address, addressUnsafe)
}

// opened is an address that the app opens, or "".
func opened(address string) string {
	if webAddress(address) == "" {
		return ""
	}
	return address
}

// byline is where an article is from, and when.
func byline(card bot.Card) string {
	return strings.Join(filled([]string{card.Source, card.Date}), " · ")
}

func filled(parts []string) []string {
	var list []string
	for _, part := range parts {
		if part != "" {
			list = append(list, part)
		}
	}
	return list
}
