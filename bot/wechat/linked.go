package wechat

import (
	"slices"

	"newsie/bot"
)

// tidyLinks cleans a text and keeps the links in it that the app opens.
func tidyLinks(text string, links []bot.Link) (string, []bot.Link) {
	if len(links) == 0 {
		return forText(text), nil
	}
	links = slices.DeleteFunc(slices.Clone(links), func(l bot.Link) bool { return webAddress(l.URL) == "" })
	pieces := bot.Pieces(text, links)
	for i := range pieces {
		pieces[i].Text = shownRunes(pieces[i].Text)
	}
	return bot.Joined(pieces)
}

// shortenLinked cuts a text to a width. A link that the cut goes through, or
// that stood behind it, is none any more.
func shortenLinked(text string, links []bot.Link, limit int) (string, []bot.Link) {
	cut := shorten(text, limit)
	if cut == text {
		return text, links
	}
	return cut, bot.Until(links, max(0, len(cut)-len("…")))
}

// linked is a text with its links in their place.
func linked(text string, links []bot.Link) string {
	var out []byte
	for _, p := range bot.Pieces(text, links) {
		if p.URL == "" {
			out = append(out, literal(p.Text)...)
		} else {
			out = append(out, link(p.URL, p.Text)...)
		}
	}
	return string(out)
}
