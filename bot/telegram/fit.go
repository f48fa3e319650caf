package telegram

import "newsie/bot"

// How long a text and the caption of a picture may be, in UTF-16 units after
// parsing.
const (
	textLimit    = 4096
	captionLimit = 1024
)

// A page is a message ready to be sent.
type page struct {
	text     *markup
	keyboard [][]button
	preview  preview
	dropped  int  // buttons that could not be
	short    bool // something was left out that there was no room for
}

// fit renders a reply so that it is within Telegram's limits.
func fit(s sheet, actions []bot.Action) page { return lay(s).with(actions) }

// lay lays a reply out so that it is within Telegram's limits: where else
// stories are told is left out first, then snippets are shortened, then titles
// and the text above them, and at last the last cards are left out, with their
// buttons.
func lay(s sheet) *layout {
	total := s.total()
	l := roomy(total)
	if total > 0 {
		l.text = textLimit / 2
	}
	l.also = s.asides(true)+entitiesPerCard*total <= maxEntities
	whole := l
	m := compose(s, l)
	for m.units > textLimit && l.cards > 0 {
		switch {
		case l.also:
			l.also = false
		case s.view && l.summary > 80:
			l.summary = l.summary * 3 / 4
		case !s.view && l.snippet > 40:
			l.snippet = l.snippet * 3 / 4
		case l.snippet > 0:
			l.snippet, l.summary = 0, 0
		case l.title > 120:
			l.title, l.by = 120, 60
		case l.text > 400:
			l.text = l.text / 2
		default:
			l.cards--
		}
		m = compose(s, l)
	}
	p := page{text: m, preview: choosePreview(s), short: s.left > 0}
	whole.also = l.also // which is no loss worth another way
	p.short = p.short || l != whole
	return &layout{sheet: s, page: p, cards: l.cards}
}

// leastSummary is how much of an article's summary a caption must have.
const leastSummary = 280

// fitCaption renders an article that is being shown as the caption of its
// cover; false: a caption is too small for it. It may lose where else the story
// is told and the end of its summary, but not its related articles, which have
// no other place to be: such an article is better off as a text with a large
// preview.
func fitCaption(s sheet, actions []bot.Action) (page, bool) {
	l := roomy(s.total())
	l.text, l.title = captionLimit/4, 200
	m := compose(s, l)
	for m.units > captionLimit {
		switch {
		case l.also:
			l.also = false
		case l.summary > captionLimit:
			l.summary = captionLimit
		case l.summary > leastSummary:
			l.summary = max(leastSummary, l.summary*7/8)
		default:
			return page{}, false
		}
		m = compose(s, l)
	}
	p := page{text: m}
	p.keyboard, p.dropped = buttons(s, l.cards, actions)
	return p, true
}
